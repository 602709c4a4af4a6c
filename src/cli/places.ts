/** Where a command finds an edge's log and its keys. The options mean the same in every command that has them, and say so in the same words. */
import { type Command, Option } from "commander";
import { findConfig, LOCAL_STATE } from "./wrangler.ts";

export type PlaceFlags = Record<"config" | "persistTo", string> & Partial<Record<"local", true>>;

/** Of the log: D1 with that binding, or a server's file. */
export type DatabaseFlags = PlaceFlags & Record<"binding", string> & Partial<Record<"database", string>>;

/** Of any log. */
export type LogFlags = DatabaseFlags & Partial<Record<"queries" | "events", string>> & Partial<Record<"simulated", true>>;

interface Places {
  /** `d1` without options of its own; `tables` in D1 or a file; `any`: records too; `simulated`: simulated shoppers too. */
  readonly log?: "d1" | "tables" | "any" | "simulated";
  /** The option for the binding of KV; a command that reads a log too has `--binding` for its database. */
  readonly keys?: "--binding" | "--kv-binding";
}

/** Commands for one store alone (forget, publish, rollback) refuse two of them by words of their own. */
export function addPlaces(command: Command, { log, keys }: Places): Command {
  const local = [...(log === undefined ? [] : ["D1"]), ...(keys === undefined ? [] : ["KV"])].join(" and ");
  command
    .option("--local", `the ${local} of wrangler dev on this machine, instead of Cloudflare's`)
    .option("--persist-to <folder>", "with --local: where wrangler dev keeps its state", LOCAL_STATE)
    .option("--config <file>", "wrangler.toml of the edge", findConfig());
  const hasRecords = log === "any" || log === "simulated";
  const others = log === "simulated" ? ["simulated"] : [];
  if (log === "tables" || hasRecords) {
    command
      .option("--binding <name>", "its D1 database", "EVENTS")
      .addOption(
        new Option("--database <file>", "a SQLite file instead of D1, such as <data>/events.sqlite of a Node or Deno server").conflicts(
          hasRecords ? ["local", "queries", ...others] : [],
        ),
      );
  }
  if (hasRecords)
    command
      .addOption(new Option("--queries <file>", "UBI query records instead, one per line").conflicts(["local", ...others]))
      .option("--events <file>", "with --queries: UBI event records, one per line");
  if (log === "simulated") command.addOption(new Option("--simulated", "simulated shoppers instead").conflicts("local"));
  if (keys !== undefined)
    command
      .option(`${keys} <name>`, "its KV namespace", "EMBEDDINGS")
      .addOption(
        new Option("--folder <folder>", "the folder kv of a server, instead of Cloudflare's KV").conflicts(
          log === undefined ? [] : ["local"],
        ),
      );
  return command;
}
