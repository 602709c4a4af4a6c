/** `armmt lists`: UBI events, real or simulated, and embedded items → training lists. Every feature is computed by the code that serves. */
import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { rawFeatures } from "../ranking/features.ts";
import { printTable, progressBar } from "./command.ts";
import { createListWriter, createScalingFit, isUsable, listInputOf, openItems, rowMaker, writeItems } from "./lists/dataset.ts";
import { type Log, openLog } from "./lists/log.ts";
import { UserError } from "../web.ts";

/** Folders: `events` holds queries.ndjson and events.ndjson, `embeddings` was written by `armmt embed`. */
type ListsOptions = Readonly<{ events: string; embeddings: string; out: string; json?: boolean | undefined }>;

/** The first pass: which items the searches name (their table is in the order of ids), and the scaling of the training split's features. */
async function survey(log: Log, { events, embeddings }: ListsOptions) {
  const embedded = openItems(embeddings);
  const named = new Set<string>();
  const fit = createScalingFit();
  const counts = { searches: 0, training: 0, leftOut: 0 };
  for await (const search of log.searches()) {
    if (search === undefined) {
      counts.leftOut++;
      continue;
    }
    counts.searches++;
    for (const itemId of [...search.itemIds, ...search.history]) named.add(itemId);
    if (search.split !== "train") continue;
    counts.training++;
    if (isUsable(search)) fit.add(rawFeatures(listInputOf(search, embedded)));
  }
  if (counts.training === 0) {
    throw new UserError(`${events} holds ${counts.searches} searches and none of them is for training: more searches are needed`);
  }
  const items = [...named].toSorted().flatMap((itemId) => embedded.find(itemId) ?? []);
  if (items.length === 0) throw new UserError(`No item of ${events} is in ${embeddings}: embed the catalogue that was searched`);
  const table = { identity: embedded.identity, items, queries: embedded.queries };
  return { ...counts, scaling: fit.scaling(), table, unknownItems: named.size - items.length };
}

/**
 * Two passes over the searches: memory holds only the events' index and one row group. Returns counts: `leftOut` are searches whose shopper
 * and query belong to different splits, or whose pages make no list, `unknownItems` those without a record.
 */
export async function makeLists(options: ListsOptions) {
  const log = await openLog(options.events);
  const { searches, leftOut, scaling, table, unknownItems } = await survey(log, options);
  mkdirSync(options.out, { recursive: true });
  const bar = progressBar("Building lists", searches, options);
  const counts = { train: 0, validation: 0, test: 0 };
  const rowOf = rowMaker(table, scaling);
  const writer = createListWriter(options.out);
  for await (const search of log.searches()) {
    if (search === undefined) continue;
    bar.increment();
    if (!isUsable(search)) continue;
    await writer.add(rowOf(search));
    counts[search.split]++;
  }
  await writer.close();
  bar.stop();
  writeItems(options.out, table, scaling);
  const lists = counts.train + counts.validation + counts.test;
  return { lists, ...counts, leftOut, items: table.items.length, unknownItems };
}

export function createListsCommand(): Command {
  return new Command("lists")
    .description("UBI events → training lists (Parquet), through the features that serve")
    .option("--events <folder>", "folder with queries.ndjson and events.ndjson", ".armmt/simulation")
    .option("--embeddings <folder>", "folder that armmt embed wrote for the catalogue that was searched", ".armmt/embeddings/products")
    .option("--out <folder>", "where to write", ".armmt/lists")
    .option("--json", "print the figures as JSON")
    .action(async (options: ListsOptions) => {
      const report = await makeLists(options);
      if (options.json === true) process.stdout.write(`${JSON.stringify({ out: options.out, ...report })}\n`);
      else printTable(["lists", "count"], Object.entries(report));
    });
}
