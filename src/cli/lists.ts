/**
 * `armmt lists`: UBI events and embedded items → training lists. Every feature is computed by the code that serves.
 *
 * Knows nothing of the simulation's truth; a real shop's log goes through the same door.
 */
import { mkdirSync } from "node:fs";
import { Command } from "commander";
import { CommandError, printTable, progressBar } from "./command.ts";
import { buildLists, type ItemTable, writeLists } from "./lists/dataset.ts";
import { openItems } from "./lists/items.ts";
import { type LoggedSearch, readLog } from "./lists/log.ts";
import { SPLITS } from "./simulate/split.ts";

export interface ListsOptions {
  /** Folder with queries.ndjson and events.ndjson. */
  readonly events: string;
  /** Folder that `armmt embed` wrote. */
  readonly embeddings: string;
  readonly out: string;
  readonly json?: boolean | undefined;
}

export interface ListsReport {
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

/** Items that the searches name, in the order of their ids. */
function itemTable(searches: readonly LoggedSearch[], folder: string): { table: ItemTable; unknown: number } {
  const embedded = openItems(folder);
  const ids = [...new Set(searches.flatMap((search) => [...search.itemIds, ...search.history]))].toSorted();
  const items = ids.flatMap((id) => embedded.find(id) ?? []);
  return { table: { identity: embedded.identity, items }, unknown: ids.length - items.length };
}

export async function makeLists(options: ListsOptions): Promise<ListsReport> {
  const { searches, leftOut } = await readLog(options.events);
  if (!searches.some((search) => search.split === "train")) {
    throw new CommandError(
      `${options.events} holds ${searches.length} searches and none of them is for training: more searches are needed`,
    );
  }
  const { table, unknown } = itemTable(searches, options.embeddings);
  if (table.items.length === 0) {
    throw new CommandError(`No item of ${options.events} is in ${options.embeddings}: embed the catalogue that was searched`);
  }
  mkdirSync(options.out, { recursive: true });
  const bar = progressBar("Building lists", searches.length, { json: options.json });
  const set = buildLists(searches, table, () => bar.increment());
  bar.stop();
  writeLists(options.out, set, table);
  const [train = 0, validation = 0, test = 0] = SPLITS.map((split) => set.rows.filter((row) => row.split === split).length);
  return { lists: set.rows.length, train, validation, test, leftOut, items: table.items.length, unknownItems: unknown };
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
