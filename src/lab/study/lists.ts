/**
 * `armmt lists`: UBI events and embedded items → training lists. Every feature is computed by the code that serves.
 *
 * The simulation's truth is not read; real logs have the same format.
 */
import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { type FeatureScaling, rawFeatures } from "../../ranking/features.ts";
import { printTable, progressBar } from "../../cli/command.ts";
import {
  createListWriter,
  isUsable,
  type ItemTable,
  listInputOf,
  rowMaker,
  writeItems,
  type EmbeddedItems,
  openItems,
  createScalingFit,
} from "./lists/dataset.ts";
import { type Log, openLog } from "./lists/log.ts";
import { UserError } from "../../web.ts";

interface ListsOptions {
  /** Folder with queries.ndjson and events.ndjson. */
  readonly events: string;
  /** Folder that `armmt embed` wrote. */
  readonly embeddings: string;
  readonly out: string;
  readonly json?: boolean | undefined;
}

interface ListsReport {
  readonly lists: number;
  readonly train: number;
  readonly validation: number;
  readonly test: number;
  /** Searches whose shopper and query belong to different splits. */
  readonly leftOut: number;
  readonly items: number;
  /** Items of the log that have no record. */
  readonly unknownItems: number;
}

interface Survey {
  readonly searches: number;
  readonly leftOut: number;
  readonly scaling: readonly FeatureScaling[];
  readonly table: ItemTable;
  readonly unknownItems: number;
}

/** The first pass: which items the searches name (their table is in the order of ids), and the scaling of the training split's features. */
async function survey(log: Log, embedded: EmbeddedItems, from: ListsOptions): Promise<Survey> {
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
    throw new UserError(`${from.events} holds ${counts.searches} searches and none of them is for training: more searches are needed`);
  }
  const items = [...named].toSorted().flatMap((itemId) => embedded.find(itemId) ?? []);
  if (items.length === 0) {
    throw new UserError(`No item of ${from.events} is in ${from.embeddings}: embed the catalogue that was searched`);
  }
  const { searches, leftOut } = counts;
  const table = { identity: embedded.identity, items };
  return { searches, leftOut, scaling: fit.scaling(), table, unknownItems: named.size - items.length };
}

/** Two passes over the searches: memory holds only the events' index and one row group. */
export async function makeLists(options: ListsOptions): Promise<ListsReport> {
  const log = await openLog(options.events);
  const { searches, leftOut, scaling, table, unknownItems } = await survey(log, openItems(options.embeddings), options);
  mkdirSync(options.out, { recursive: true });
  const bar = progressBar("Building lists", searches, { json: options.json });
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
  const { train, validation, test } = counts;
  return { lists: train + validation + test, train, validation, test, leftOut, items: table.items.length, unknownItems };
}

interface Flags {
  readonly events: string;
  readonly embeddings: string;
  readonly out: string;
  readonly json?: true;
}

export function createListsCommand(): Command {
  return new Command("lists")
    .description("UBI events → training lists (Parquet), through the features that serve")
    .option("--events <folder>", "folder with queries.ndjson and events.ndjson", ".armmt/simulation")
    .option("--embeddings <folder>", "folder that armmt embed wrote for the catalogue that was searched", ".armmt/embeddings/products")
    .option("--out <folder>", "where to write", ".armmt/lists")
    .option("--json", "print the figures as JSON")
    .action(async (flags: Flags) => {
      const report = await makeLists(flags);
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ out: flags.out, ...report })}\n`);
      else printTable(["lists", "count"], Object.entries(report));
    });
}
