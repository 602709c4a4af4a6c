/**
 * Logged searches + item records → the training set in memory and on disk. Every feature comes from ranking/features.ts, as at the edge;
 * Python receives numbers and row numbers only.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parquetWriteFile } from "hyparquet-writer";
import type { SchemaElement } from "hyparquet";
import type { Candidate, ItemRecord } from "../../ranking/candidate.ts";
import { buildTensors, type FeatureScaling, type ListInput, rawFeatures } from "../../ranking/features.ts";
import { tokenTable } from "../../embeddings/text-encoder.ts";
import { TOKEN_TABLE_ROWS } from "../../ranking/tokenizer.ts";
import type { ShardSetIdentity } from "../../inference/manifest.ts";
import { writeNpy } from "../model/npy.ts";
import type { LoggedSearch } from "./log.ts";
import { fitScaling } from "./scaling.ts";

const DAY_MS = 86_400_000;

/** Lists shorter than this teach nothing about order. */
const FEWEST_CANDIDATES = 2;

export interface ItemTable {
  readonly identity: ShardSetIdentity;
  /** Row = place in this array. */
  readonly items: readonly ItemRecord[];
}

/** One row of lists.parquet; arrays are parallel to the candidates, in engine order. */
export interface ListRow {
  readonly query_id: string;
  readonly query: string;
  readonly split: string;
  readonly randomised: boolean;
  readonly token_ids: number[];
  /** Row in image.npy and text.npy, -1 for an item without a record. */
  readonly item_rows: number[];
  /** [k · F], scaled. */
  readonly features: number[];
  /** 1-based place on the page, 0 = not shown. A label's companion in training, never an input of the model. */
  readonly positions: number[];
  readonly clicks: number[];
  readonly carts: number[];
  readonly purchases: number[];
  /** Most recent first. */
  readonly history_rows: number[];
}

export interface ListSet {
  readonly rows: readonly ListRow[];
  readonly scaling: readonly FeatureScaling[];
}

/** The input of the feature code for one logged search: what the edge had before it, on that day. */
export function listInputOf(search: LoggedSearch, known: { find(itemId: string): ItemRecord | undefined }): ListInput {
  const candidates: Candidate[] = search.itemIds.map((itemId, i) => ({ itemId, rank: i + 1, score: search.scores?.[i] }));
  return {
    queryText: search.query,
    candidates,
    items: search.itemIds.map((itemId) => known.find(itemId)),
    history: search.history.flatMap((itemId) => known.find(itemId) ?? []),
    nowDay: search.atMs / DAY_MS,
  };
}

/** Scaling is fitted on the searches of the training split alone, then applied to all. */
export function buildLists(searches: readonly LoggedSearch[], table: ItemTable, onList: () => void = () => undefined): ListSet {
  const rowOf = new Map(table.items.map((item, row) => [item.itemId, row]));
  const byId = new Map(table.items.map((item) => [item.itemId, item]));
  const known = { find: (itemId: string) => byId.get(itemId) };
  const usable = searches.filter((search) => search.itemIds.length >= FEWEST_CANDIDATES);
  const training = usable.filter((search) => search.split === "train");
  const scaling = fitScaling(training.map((search) => rawFeatures(listInputOf(search, known))));
  const shape = { imageDim: table.identity.imageDim, textDim: table.identity.textDim, scaling };
  const rows = usable.map((search): ListRow => {
    const tensors = buildTensors(listInputOf(search, known), shape);
    const position = new Map(search.servedIds.map((itemId, i) => [itemId, i + 1]));
    const flag = (ids: ReadonlySet<string>) => search.itemIds.map((itemId) => (ids.has(itemId) ? 1 : 0));
    onList();
    return {
      query_id: search.queryId,
      query: search.query,
      split: search.split,
      randomised: search.randomised,
      token_ids: [...tensors.queryTokenIds].slice(
        0,
        tensors.queryMask.reduce((sum, one) => sum + one, 0),
      ),
      item_rows: search.itemIds.map((itemId) => rowOf.get(itemId) ?? -1),
      features: [...tensors.features],
      positions: search.itemIds.map((itemId) => position.get(itemId) ?? 0),
      clicks: flag(search.actions.click),
      carts: flag(search.actions.add_to_cart),
      purchases: flag(search.actions.purchase),
      history_rows: search.history.flatMap((itemId) => rowOf.get(itemId) ?? []),
    };
  });
  return { rows, scaling };
}

const INTEGER_LISTS = ["token_ids", "item_rows", "positions", "clicks", "carts", "purchases", "history_rows"] as const;

function listColumn(name: string, type: "INT32" | "FLOAT"): SchemaElement[] {
  return [
    { name, converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type, repetition_type: "REQUIRED" },
  ];
}

/** Writes lists.parquet, image.npy, text.npy, presence.npy, tokens.npy and features.json into `out`. */
export function writeLists(out: string, set: ListSet, table: ItemTable): void {
  const { rows, scaling } = set;
  const schema: SchemaElement[] = [
    { name: "root", num_children: 5 + INTEGER_LISTS.length },
    { name: "query_id", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "query", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "split", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
    { name: "randomised", type: "BOOLEAN", repetition_type: "REQUIRED" },
    ...INTEGER_LISTS.flatMap((name) => listColumn(name, "INT32")),
    ...listColumn("features", "FLOAT"),
  ];
  parquetWriteFile({
    filename: join(out, "lists.parquet"),
    schema,
    statistics: false,
    rowGroupSize: 4000,
    columnData: [
      { name: "query_id", data: rows.map((row) => row.query_id) },
      { name: "query", data: rows.map((row) => row.query) },
      { name: "split", data: rows.map((row) => row.split) },
      { name: "randomised", data: rows.map((row) => row.randomised) },
      ...INTEGER_LISTS.map((name) => ({ name, data: rows.map((row) => row[name]) })),
      { name: "features", data: rows.map((row) => row.features) },
    ],
  });

  const { imageDim, textDim } = table.identity;
  const count = table.items.length;
  const image = new Float32Array(count * imageDim);
  const text = new Float32Array(count * textDim);
  const presence = new Float32Array(count * 2);
  table.items.forEach((item, row) => {
    if (item.image !== undefined) image.set(item.image, row * imageDim);
    if (item.text !== undefined) text.set(item.text, row * textDim);
    presence.set([item.image === undefined ? 0 : 1, item.text === undefined ? 0 : 1], row * 2);
  });
  writeNpy(join(out, "image.npy"), image, [count, imageDim]);
  writeNpy(join(out, "text.npy"), text, [count, textDim]);
  writeNpy(join(out, "presence.npy"), presence, [count, 2]);
  const tokens = tokenTable();
  writeNpy(join(out, "tokens.npy"), tokens, [TOKEN_TABLE_ROWS, tokens.length / TOKEN_TABLE_ROWS]);
  writeFileSync(join(out, "features.json"), `${JSON.stringify({ features: scaling, identity: table.identity }, undefined, 2)}\n`);
}
