/** Logged searches + item records → the training set on disk: features as at the edge; Python receives numbers and row numbers only. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileWriter, ParquetWriter } from "hyparquet-writer";
import { LIST_COLUMNS, type ListRow, parquetSchema } from "./columns.ts";
import { type MeaningScores, type QueryReader, readByMeaning } from "../../ranking/meaning.ts";
import type { Candidate, ItemRecord } from "../../ranking/candidate.ts";
import { buildTensors, type FeatureColumns, FEATURES, type FeatureScaling, isScaled, type ListInput } from "../../ranking/features.ts";
import { decodeQueryTable } from "../../embeddings/query-table.ts";
import { decodeShard, type Shard, shardOf } from "../../embeddings/format.ts";
import { readSet } from "../embed/pack.ts";
import { tokenTable } from "../../embeddings/text-encoder.ts";
import { TOKEN_TABLE_ROWS } from "../../ranking/tokenizer.ts";
import type { ShardSetIdentity } from "../../inference/manifest.ts";
import { writeNpy } from "./npy.ts";
import type { LoggedSearch } from "./log.ts";
import { freshen } from "../../search/arrange.ts";
import { DAY_MS, UserError } from "../../web.ts";

/** Shorter lists have no order to learn. */
const FEWEST_CANDIDATES = 2;

/** Rows in memory before they are written. */
const ROW_GROUP = 4000;

/** An item's row is its index in `items`. `queries`: the catalogue's query table, where it has one. */
export type ItemTable = Readonly<{ identity: ShardSetIdentity; items: readonly ItemRecord[]; queries?: QueryReader | undefined }>;

/** Finds the known record of an item id. */
export type KnownItems = Pick<Shard, "find"> & Pick<ItemTable, "queries">;

export function knownItems({ items, queries }: ItemTable): KnownItems {
  const byId = new Map(items.map((item) => [item.itemId, item]));
  return { find: (itemId) => byId.get(itemId), queries };
}

/** Records that `armmt embed` wrote, as the edge reads them: int8 and back. Throws a UserError that names the file of a broken set. */
export function openItems(folder: string): KnownItems & Pick<ItemTable, "identity"> {
  const { set, shards, queryTable } = readSet(folder);
  const { imageDim, textDim, imageEncoder, textEncoder, itemFeatures } = set;
  const decoded = shards.map((bytes): Shard => {
    const shard = decodeShard(Uint8Array.from(bytes), { imageDim, textDim, featureCount: itemFeatures.length });
    if (!shard.ok) throw new UserError(`Cannot use the embeddings in ${folder}: ${shard.error}`);
    return shard.value;
  });
  const table = queryTable && decodeQueryTable(queryTable);
  if (table?.ok === false) throw new UserError(`Cannot use the embeddings in ${folder}: ${table.error}`);
  const found = new Map<string, ItemRecord | undefined>();
  return {
    queries: table?.value,
    identity: { imageDim, textDim, imageEncoder, textEncoder },
    find(itemId) {
      if (!found.has(itemId)) found.set(itemId, decoded[shardOf(itemId, decoded.length)]?.find(itemId));
      return found.get(itemId);
    },
  };
}

/** The input of the feature code for one logged search: what the edge had on that day, but for a catalogue that was published since. */
export function listInputOf(search: LoggedSearch, known: KnownItems): ListInput & { readonly meaning: MeaningScores } {
  const candidates: Candidate[] = search.itemIds.map((itemId, i) => ({
    itemId,
    rank: search.ranks?.[i] ?? i + 1,
    score: search.scores?.[i],
  }));
  const items = search.itemIds.map((itemId) => freshen(itemId, known.find(itemId), search.values?.get(itemId)));
  return {
    queryText: search.query,
    candidates,
    items,
    meaning: readByMeaning({ queryText: search.query, candidates, items }, known.queries),
    history: search.history.flatMap((itemId) => known.find(itemId) ?? []),
    nowDay: Math.floor(search.atMs / DAY_MS),
  };
}

export const isUsable = ({ itemIds, page }: LoggedSearch): boolean => itemIds.length >= FEWEST_CANDIDATES && page === undefined;

/** Returns the row of a search. The scaling must be fitted on the training split alone. */
export function rowMaker(table: ItemTable, scaling: readonly FeatureScaling[]) {
  const rowOf = new Map(table.items.map((item, row) => [item.itemId, row]));
  const known = knownItems(table);
  const shape = { ...table.identity, scaling };
  return (search: LoggedSearch): ListRow => {
    const list = listInputOf(search, known);
    const tensors = buildTensors(list, shape);
    const position = new Map(search.servedIds.map((itemId, i) => [itemId, search.positions?.[i] ?? i + 1]));
    const perItem = <T>(values: ReadonlyMap<string, T> | undefined, other: T): T[] =>
      search.itemIds.map((itemId) => values?.get(itemId) ?? other);
    const flag = (ids: ReadonlySet<string>): number[] => search.itemIds.map((itemId) => (ids.has(itemId) ? 1 : 0));
    return {
      query_id: search.queryId,
      query: search.query,
      split: search.split,
      randomised: search.randomised,
      token_ids: [...tensors.queryTokenIds].filter((_, i) => tensors.queryMask[i] === 1),
      item_rows: perItem(rowOf, -1),
      features: [...tensors.features],
      prior: [...Float32Array.from(list.meaning.scores)],
      positions: perItem(position, 0),
      clicks: flag(search.actions.click),
      carts: flag(search.actions.add_to_cart),
      purchases: flag(search.actions.purchase),
      history_rows: search.history.flatMap((itemId) => rowOf.get(itemId) ?? []),
      unit: search.unit ?? "",
      at: search.atMs,
      index: search.index ?? "",
      experiment: search.experiment ?? "",
      variant: search.variant ?? "",
      model: search.model ?? "",
      treatment: search.treatment ?? "engine",
      propensities: search.propensities === undefined ? null : perItem(search.propensities, 1),
      teams: perItem(search.teams, 0),
      revenue: perItem(search.revenue, 0),
      orders: search.orders ?? 0,
    };
  };
}

/** Writes lists.parquet into `out` as rows come, one row group at a time. `more` names integer columns, parallel to the candidates. */
export function createListWriter<More extends string = never>(out: string, more: readonly More[] = []) {
  const file = new ParquetWriter({ writer: fileWriter(join(out, "lists.parquet")), schema: parquetSchema(more), statistics: false });
  let rows: (ListRow & Readonly<Record<More, number[]>>)[] = [];
  const flush = async (): Promise<void> => {
    if (rows.length === 0) return;
    const columnData = [...LIST_COLUMNS, ...more].map((name) => ({
      name,
      data: rows.map((row) => (name === "at" ? BigInt(row.at) : row[name])),
    }));
    await file.write({ columnData, rowGroupSize: ROW_GROUP });
    rows = [];
  };
  return {
    async add(row: (typeof rows)[number]): Promise<void> {
      rows.push(row);
      if (rows.length >= ROW_GROUP) await flush();
    },
    async close(): Promise<void> {
      await flush();
      await file.finish();
    },
  };
}

/** Writes image.npy, text.npy, presence.npy, tokens.npy and features.json into `out`. */
export function writeItems(out: string, table: ItemTable, scaling: readonly FeatureScaling[]): void {
  const count = table.items.length;
  for (const name of ["image", "text"] as const) {
    const dim = table.identity[`${name}Dim`];
    const vectors = new Float32Array(count * dim);
    table.items.forEach((item, row) => vectors.set(item[name] ?? [], row * dim));
    writeNpy(join(out, `${name}.npy`), vectors, [count, dim]);
  }
  const presence = table.items.flatMap(({ image, text }) => [image, text].map((vector) => (vector === undefined ? 0 : 1)));
  writeNpy(join(out, "presence.npy"), Float32Array.from(presence), [count, 2]);
  const tokens = tokenTable();
  writeNpy(join(out, "tokens.npy"), tokens, [TOKEN_TABLE_ROWS, tokens.length / TOKEN_TABLE_ROWS]);
  writeFileSync(join(out, "features.json"), `${JSON.stringify({ features: scaling, identity: table.identity }, undefined, 2)}\n`);
}

/** Narrower than this, a feature is a constant and is left at its own size. */
const SMALLEST_STD = 1e-6;

/** Takes the raw features of lists, one by one. */
export function createScalingFit() {
  const sums = FEATURES.map((name) => ({ name, count: 0, sum: 0, squares: 0 }));
  return {
    add(columns: FeatureColumns): void {
      for (const known of sums) {
        for (const value of columns[known.name]) {
          if (Number.isNaN(value)) continue;
          known.count += 1;
          known.sum += value;
          known.squares += value * value;
        }
      }
    },
    /** Mean and standard deviation of the known values per FEATURES, in order; 0 and 1 if not scaled, never known or constant. */
    scaling: (): FeatureScaling[] =>
      sums.map(({ name, count, sum, squares }) => {
        if (!isScaled(name) || count === 0) return { name, mean: 0, std: 1 };
        const mean = sum / count;
        const std = Math.sqrt(Math.max(0, squares / count - mean * mean));
        return { name, mean, std: std < SMALLEST_STD ? 1 : std };
      }),
  };
}

/** The scaling of lists that are all at hand. */
export function fitScaling(lists: Iterable<FeatureColumns>): FeatureScaling[] {
  const fit = createScalingFit();
  for (const columns of lists) fit.add(columns);
  return fit.scaling();
}
