/**
 * The test split of a level's folder {simulation, lists}: what was logged (lists.parquet) joined with what only the simulation knows
 * (truth.ndjson), in the order in which the study's runs score it.
 */
import { createHash } from "node:crypto";
import { createReadStream, readFileSync } from "node:fs";
import { join } from "node:path";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import * as v from "valibot";
import { readRecords } from "../lists/log.ts";
import type { Parts } from "../simulate/attraction.ts";
import { type Truth, truthSchema } from "../simulate/records.ts";
import { UserError } from "../../../web.ts";

const labels = v.array(v.number());
const rowSchema = v.object({
  query_id: v.string(),
  query: v.string(),
  split: v.string(),
  positions: labels,
  clicks: labels,
  purchases: labels,
  history_rows: v.array(v.number()),
});

const simulationSchema = v.object({
  parts: v.object({ text: v.boolean(), picture: v.boolean(), personal: v.boolean(), context: v.boolean() }),
});

/** One list of the test split; arrays are parallel to the candidates, in engine order. */
export interface TestList {
  readonly queryId: string;
  readonly truth: Truth;
  /** Number of candidates. */
  readonly k: number;
  /** Items that the shopper had looked at before. */
  readonly history: number;
  readonly shown: Uint8Array;
  readonly clicks: Uint8Array;
  readonly purchases: Uint8Array;
}

export interface TestLists {
  readonly lists: readonly TestList[];
  /** Cluster of each list for the bootstrap: lists of the same query text share one. */
  readonly queryOf: Int32Array;
  /** Different query texts. */
  readonly queries: number;
  readonly parts: Parts;
  /** Changes with the lists, the truth and the simulation's settings. */
  readonly digest: string;
}

async function hashFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const path of paths) for await (const chunk of createReadStream(path)) hash.update(v.parse(v.instance(Buffer), chunk));
  return hash.digest("hex");
}

type Row = v.InferOutput<typeof rowSchema>;

/** Row group by row group: all lists of a level at once would be several gigabytes of JavaScript arrays. */
async function readTestRows(path: string): Promise<Row[]> {
  const file = await asyncBufferFromFile(path).catch(() => {
    throw new UserError(`${path} does not exist: run the benchmark's data stages first`);
  });
  const metadata = await parquetMetadataAsync(file);
  const found: Row[] = [];
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const columns = Object.keys(rowSchema.entries);
    const rows = await parquetReadObjects({ file, metadata, columns, rowStart, rowEnd });
    for (const row of rows) if (row["split"] === "test") found.push(v.parse(rowSchema, row));
    rowStart = rowEnd;
  }
  return found;
}

const anySchema = v.looseObject({ query_id: v.string() });

async function readTruths(path: string, wanted: ReadonlySet<string>): Promise<Map<string, Truth>> {
  const truths = new Map<string, Truth>();
  for await (const record of readRecords(path, anySchema)) {
    if (wanted.has(record.query_id)) truths.set(record.query_id, v.parse(truthSchema, record));
  }
  return truths;
}

/** Throws a UserError when the folder's files do not belong together. */
export async function openTestLists(folder: string): Promise<TestLists> {
  const at = (name: string): string => join(folder, name);
  const rows = await readTestRows(at("lists/lists.parquet"));
  if (rows.length === 0) throw new UserError(`${at("lists")} has no list of the test split: simulate more searches`);
  const truths = await readTruths(at("simulation/truth.ndjson"), new Set(rows.map((row) => row.query_id)));
  const queries = new Map<string, number>();
  const queryOf = new Int32Array(rows.length);
  const lists = rows.map((row, i): TestList => {
    const truth = truths.get(row.query_id);
    if (truth?.ids.length !== row.clicks.length) {
      throw new UserError(`${folder}: truth.ndjson does not fit query "${row.query_id}" of lists.parquet: simulate and make lists again`);
    }
    const query = queries.get(row.query) ?? queries.size;
    queries.set(row.query, query);
    queryOf[i] = query;
    return {
      queryId: row.query_id,
      truth,
      k: row.clicks.length,
      history: row.history_rows.length,
      shown: Uint8Array.from(row.positions, (position) => (position > 0 ? 1 : 0)),
      clicks: Uint8Array.from(row.clicks),
      purchases: Uint8Array.from(row.purchases),
    };
  });
  const simulation: unknown = JSON.parse(readFileSync(at("simulation/simulation.json"), "utf8"));
  const { parts } = v.parse(simulationSchema, simulation);
  const digest = await hashFiles([at("lists/lists.parquet"), at("simulation/truth.ndjson"), at("simulation/simulation.json")]);
  return { lists, queryOf, queries: queries.size, parts, digest };
}
