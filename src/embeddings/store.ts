/**
 * Item vectors by id: pointer → published set → shards, read from KV once and then cached in the isolate under a byte budget.
 *
 * Requests share decoded shards, never promises: in workerd a promise of one request's I/O cannot settle for another. So two cold requests
 * may read the same shard twice. Nothing here rejects; every failure is a reason. A KV that fails or hangs again and again is left alone for a
 * while: what is in memory serves, and nobody waits for the rest.
 */
import * as v from "valibot";
import { type Breaker, createBreaker } from "../breaker.ts";
import { createInFlight } from "../in-flight.ts";
import { ITEM_FEATURES, type ItemRecord } from "../ranking/candidate.ts";
import { type Bypass, bypass, type BypassReason, err, ok, type Result } from "../result.ts";
import { checksumIn, decodeShard, encodeShard, type PackedItem, type Shard, SHARD_VERSION, SHARD_VERSIONS, shardOf } from "./format.ts";
import { decodeQueryTable, type QueryTable, tableChecksumIn } from "./query-table.ts";
import { errorText, isRecent, withTimeout } from "../web.ts";

/** The part of a KV namespace that the store uses; a namespace binding fits. */
export interface KvReader {
  get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  get(key: string, type: "text"): Promise<string | null>;
}

export interface ItemLookup {
  readonly set: PublishedSet;
  /** Parallel to the requested ids; `undefined` for an unknown item. */
  readonly items: readonly (PackedItem | undefined)[];
  /** Of the same version; `undefined` where the set was published without one. */
  readonly queryTable?: QueryTable | undefined;
}

/** A KvReader of bytes in memory or in files; `undefined` where there is no such key. */
export function kvOf(readBytes: (key: string) => Promise<Uint8Array<ArrayBuffer> | undefined>): KvReader {
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
    const bytes = await readBytes(key);
    if (bytes === undefined) return null;
    if (type === "text") return new TextDecoder().decode(bytes);
    return bytes.byteLength === bytes.buffer.byteLength ? bytes.buffer : bytes.slice().buffer;
  }
  return { get };
}

interface Encoded {
  readonly dims: { readonly image: number; readonly text: number };
  readonly encoders: { readonly image: string; readonly text: string };
}

/**
 * Items as one shard in memory, live under `catalog`: for the warm-up and for tests. `model`: dims and encoders of its manifest. Throws where
 * an item does not fit.
 */
export function memoryKv(catalog: string, items: readonly ItemRecord[], model: Encoded, queryTable?: Uint8Array<ArrayBuffer>): KvReader {
  const dims = { imageDim: model.dims.image, textDim: model.dims.text };
  const packed = encodeShard(items, { ...dims, featureCount: ITEM_FEATURES.length });
  if (!packed.ok) throw new Error(packed.error);
  const pointer: Pointer = { version: "1", previous: null, publishedAt: "" };
  const set: PublishedSet = {
    format: SHARD_VERSION,
    version: pointer.version,
    shardCount: 1,
    itemCount: items.length,
    ...dims,
    imageEncoder: model.encoders.image,
    textEncoder: model.encoders.text,
    itemFeatures: [...ITEM_FEATURES],
    shards: [{ bytes: packed.value.length, checksum: checksumIn(packed.value) }],
    ...(queryTable !== undefined && { queryTable: { bytes: queryTable.length, checksum: tableChecksumIn(queryTable) } }),
  };
  const values = new Map([
    [pointerKey(catalog), new TextEncoder().encode(JSON.stringify(pointer))],
    [setKey(catalog, set.version), new TextEncoder().encode(JSON.stringify(set))],
    [shardKey(catalog, set.version, 0), packed.value],
    ...(queryTable === undefined ? [] : [[queryTableKey(catalog, set.version), queryTable] as const]),
  ]);
  return kvOf(async (key) => values.get(key));
}

export interface ItemStore {
  /** Never rejects. */
  lookup(ids: readonly string[]): Promise<Result<ItemLookup, Bypass>>;
  /** The set in use, without a read; `undefined` before the first lookup. */
  liveSet?(): PublishedSet | undefined;
}

export interface ItemStoreOptions {
  readonly kv: KvReader;
  readonly catalog: string;
  /** Shared by all catalogues of this isolate: the ones that are searched more get more of it. */
  readonly shards: ShardCache;
  /** For a whole lookup, whatever its number of keys. */
  readonly timeoutMs: number;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Default: one of its own. */
  readonly breaker?: Breaker | undefined;
}

const nameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9._-]{1,64}$/, "expected 1 to 64 letters, digits, dots, dashes or underscores"));
const countSchema = v.pipe(v.number(), v.integer(), v.minValue(0));
const dimSchema = v.pipe(v.number(), v.integer(), v.minValue(1));

const pointerSchema = v.object({ version: nameSchema, previous: v.nullable(nameSchema), publishedAt: v.string() });

/** `<catalog>/live`: the live version, and the one that `armmt rollback` restores. */
export type Pointer = v.InferOutput<typeof pointerSchema>;

const packedSchema = v.object({ bytes: countSchema, checksum: countSchema });

const setSchema = v.object({
  /** Newest shard format of its shards. */
  format: v.number(),
  version: nameSchema,
  shardCount: v.pipe(v.number(), v.integer(), v.minValue(1)),
  itemCount: countSchema,
  imageDim: dimSchema,
  textDim: dimSchema,
  imageEncoder: v.string(),
  textEncoder: v.string(),
  itemFeatures: v.array(v.string()),
  /** By shard number. */
  shards: v.array(packedSchema),
  /** Absent: no meaning, the engine's order or a model's. */
  queryTable: v.optional(packedSchema),
  /** How the words of its items are hashed; absent where they have none. */
  words: v.optional(v.string()),
  /**
   * How far this catalogue follows a model, 0 to 1: the share of a model's order that shoppers of this shop have earned it. Absent: 1 for a set
   * without a query table, which has nothing else to follow, and 0 for one with.
   */
  trust: v.optional(v.pipe(v.number(), v.minValue(0), v.maxValue(1))),
});

/** `<catalog>/<version>/set`: the published shards. */
export type PublishedSet = v.InferOutput<typeof setSchema>;

export function pointerKey(catalog: string): string {
  return `${catalog}/live`;
}

export function setKey(catalog: string, version: string): string {
  return `${catalog}/${version}/set`;
}

export function shardKey(catalog: string, version: string, shard: number): string {
  return `${catalog}/${version}/shard/${shard}`;
}

export function queryTableKey(catalog: string, version: string): string {
  return `${catalog}/${version}/query-table`;
}

/** The error names the field and what was expected. */
export function parsePointer(text: string): Result<Pointer, string> {
  return parseJson(pointerSchema, text);
}

/** Also checks that this code can read the set: shard format, feature list, one entry per shard. */
export function parsePublishedSet(text: string): Result<PublishedSet, string> {
  const parsed = parseJson(setSchema, text);
  if (!parsed.ok) return parsed;
  const set = parsed.value;
  if (!SHARD_VERSIONS.includes(set.format)) return err(`format ${set.format}, expected ${SHARD_VERSIONS.join(" or ")}`);
  if (set.shards.length !== set.shardCount) return err(`${set.shards.length} shards listed, expected ${set.shardCount}`);
  const [found, expected] = [set.itemFeatures.join(", "), ITEM_FEATURES.join(", ")];
  if (found !== expected) return err(`item features [${found}], expected [${expected}]`);
  return ok(set);
}

/** The error names the field, or `top` for the whole, and what was expected. */
export function parseJson<T>(schema: v.GenericSchema<unknown, T>, text: string, top = "value"): Result<T, string> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return err(`not JSON: ${JSON.stringify(text.slice(0, 40))}`);
  }
  const parsed = v.safeParse(schema, json);
  if (parsed.success) return ok(parsed.output);
  return err(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? top}: ${issue.message}`).join("; "));
}

/** An LRU cache of packed shards by key. A shard larger than the whole budget is not cached. */
export class ShardCache {
  readonly #maxBytes: number;
  readonly #shards = new Map<string, Shard>();
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get(key: string): Shard | undefined {
    const shard = this.#shards.get(key);
    if (shard === undefined) return undefined;
    this.#shards.delete(key);
    this.#shards.set(key, shard);
    return shard;
  }

  add(key: string, shard: Shard): void {
    this.#remove(key);
    if (shard.byteLength > this.#maxBytes) return;
    this.#shards.set(key, shard);
    this.#bytes += shard.byteLength;
    for (const oldest of this.#shards.keys()) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const shard = this.#shards.get(key);
    if (shard === undefined) return;
    this.#shards.delete(key);
    this.#bytes -= shard.byteLength;
  }
}

/** Maximum delay until a publish is noticed. */
const POINTER_TTL_MS = 60_000;

/** Reads of one catalogue and isolate that may be under way at once. */
const MAX_READS = 1000;

/** A request of workerd that has ended says nothing about its reads. */
const FORGOTTEN_MS = 60_000;

const PUBLISH_AGAIN = "publish again or roll back";

export function createItemStore(options: ItemStoreOptions): ItemStore {
  const { kv, catalog, shards: cache, timeoutMs, now, breaker = createBreaker(options) } = options;
  const reads = createInFlight({ max: MAX_READS, maxAgeMs: FORGOTTEN_MS, now });
  /** The version in use, and when its pointer was read: by the clock, and as the how many-eth reading. */
  let live: { readonly set: PublishedSet; readonly readAt: number; readonly turn: number } | undefined;
  let lastTurn = 0;
  /** The table last read. One per catalogue: the next version's takes its place. */
  let table: { readonly key: string; readonly value: QueryTable } | undefined;

  /** The read goes on, and its value is cached for the next search. */
  function late(limitMs: number): Result<never, Bypass> {
    return bypass("store_timeout", `Item vectors of ${catalog} took longer than ${limitMs} ms`);
  }

  function isFresh({ readAt }: { readonly readAt: number }): boolean {
    return isRecent(readAt, POINTER_TTL_MS, now());
  }

  async function currentSet(): Promise<Result<PublishedSet, Bypass>> {
    if (live !== undefined && isFresh(live)) return ok(live.set);
    const [readAt, turn] = [now(), ++lastTurn];
    const pointer = await readPointer(live === undefined ? timeoutMs : timeoutMs / 2);
    if (!pointer.ok) {
      if (live === undefined || pointer.error.reason === "nothing_published") return pointer;
      // KV is down or slow, and the vectors are cached: the version in use stays for another ttl.
      live = { set: live.set, readAt, turn };
      return ok(live.set);
    }
    const { version } = pointer.value;
    const loaded = live?.set.version === version ? ok(live.set) : await loadSet(version);
    // A slow reply must not replace a newer pointer by an older one.
    if (loaded.ok && (live === undefined || turn >= live.turn)) live = { set: loaded.value, readAt, turn };
    return loaded;
  }

  async function readPointer(withinMs: number): Promise<Result<Pointer, Bypass>> {
    const fix = "run armmt publish (with --local, and the --persist-to of wrangler dev, on a laptop)";
    const reading = readText(pointerKey(catalog), parsePointer, "nothing_published", fix);
    return withTimeout(reading, withinMs, () => late(withinMs));
  }

  async function loadSet(version: string): Promise<Result<PublishedSet, Bypass>> {
    const key = setKey(catalog, version);
    const set = await readText(key, parsePublishedSet, "shard_missing", PUBLISH_AGAIN);
    if (!set.ok || set.value.version === version) return set;
    return bypass("shard_corrupt", `Cannot read ${key}: it says version ${set.value.version}`);
  }

  async function readText<T>(
    key: string,
    parse: (text: string) => Result<T, string>,
    missing: BypassReason,
    fix: string,
  ): Promise<Result<T, Bypass>> {
    const text = await read(key, () => kv.get(key, "text"));
    if (!text.ok) return text;
    if (text.value === null) return bypass(missing, `Key ${key} does not exist: ${fix}`);
    const parsed = parse(text.value);
    return parsed.ok ? parsed : bypass("shard_corrupt", `Cannot read ${key}: ${parsed.error}`);
  }

  async function loadShard(set: PublishedSet, number: number): Promise<Result<Shard, Bypass>> {
    const key = shardKey(catalog, set.version, number);
    const cached = cache.get(key);
    if (cached !== undefined) return ok(cached);
    const bytes = await read(key, () => kv.get(key, "arrayBuffer"));
    if (!bytes.ok) return bytes;
    if (bytes.value === null) return bypass("shard_missing", `Key ${key} does not exist: ${PUBLISH_AGAIN}`);
    const dims = { imageDim: set.imageDim, textDim: set.textDim, featureCount: set.itemFeatures.length };
    const shard = decodeShard(bytes.value, dims);
    if (!shard.ok) return bypass("shard_corrupt", `Key ${key}: ${shard.error}`);
    const expected = set.shards[number]?.checksum;
    if (shard.value.checksum !== expected) {
      return bypass("shard_corrupt", `Key ${key}: checksum ${shard.value.checksum}, the set says ${expected}`);
    }
    cache.add(key, shard.value);
    return shard;
  }

  /** As in memory; `undefined` where it has to be read. */
  function heldTable(set: PublishedSet): Result<QueryTable | undefined, Bypass> | undefined {
    if (set.queryTable === undefined) return NO_TABLE;
    return table?.key === queryTableKey(catalog, set.version) ? ok(table.value) : undefined;
  }

  async function loadTable(set: PublishedSet): Promise<Result<QueryTable | undefined, Bypass>> {
    const held = heldTable(set);
    if (held !== undefined) return held;
    const key = queryTableKey(catalog, set.version);
    const bytes = await read(key, () => kv.get(key, "arrayBuffer"));
    if (!bytes.ok) return bytes;
    if (bytes.value === null) return bypass("shard_missing", `Key ${key} does not exist: ${PUBLISH_AGAIN}`);
    const decoded = decodeQueryTable(bytes.value);
    const problem = decoded.ok ? differenceFrom(set, decoded.value) : decoded.error;
    if (!decoded.ok || problem !== undefined) return bypass("shard_corrupt", `Key ${key}: ${problem}`);
    table = { key, value: decoded.value };
    return decoded;
  }

  async function find(ids: readonly string[]): Promise<Result<ItemLookup, Bypass>> {
    const set = await currentSet();
    if (!set.ok) return set;
    const { shardCount } = set.value;
    // Without ids nobody searches.
    const tableRead = ids.length === 0 ? NO_TABLE : loadTable(set.value);
    const shards = new Map<number, Shard>();
    const numbers = [...new Set(ids.map((id) => shardOf(id, shardCount)))];
    const loaded = await Promise.all(numbers.map((number) => loadShard(set.value, number)));
    for (const [i, shard] of loaded.entries()) {
      if (!shard.ok) return shard;
      shards.set(numbers[i]!, shard.value);
    }
    const queryTable = await tableRead;
    if (!queryTable.ok) return queryTable;
    const items = ids.map((id) => shards.get(shardOf(id, shardCount))?.locate(id));
    return ok({ set: set.value, items, queryTable: queryTable.value });
  }

  /** As find(), without promises and timers, where nothing has to be read: every search of a warm isolate. */
  function findCached(ids: readonly string[], set: PublishedSet): ItemLookup | undefined {
    const held = ids.length === 0 ? NO_TABLE : heldTable(set);
    if (held?.ok !== true) return undefined;
    const shards: (Shard | undefined)[] = [];
    const items: (PackedItem | undefined)[] = [];
    for (const id of ids) {
      const number = shardOf(id, set.shardCount);
      const shard = (shards[number] ??= cache.get(shardKey(catalog, set.version, number)));
      if (shard === undefined) return undefined;
      items.push(shard.locate(id));
    }
    return { set, items, queryTable: held.value };
  }

  async function findInTime(ids: readonly string[]): Promise<Result<ItemLookup, Bypass>> {
    const found = await withTimeout(find(ids), timeoutMs, () => late(timeoutMs));
    // Without ids no shard is read: that says nothing about the shards.
    if (ids.length === 0) return found;
    if (!found.ok && NO_ANSWER.has(found.error.reason)) breaker.failed();
    else breaker.succeeded();
    return found;
  }

  return {
    liveSet: () => live?.set,
    async lookup(ids) {
      try {
        const cached = live !== undefined && isFresh(live) ? findCached(ids, live.set) : undefined;
        if (cached !== undefined) return ok(cached);
        if (ids.length === 0 ? !breaker.isOpen() : breaker.admits()) return await findInTime(ids);
        const old = live === undefined ? undefined : findCached(ids, live.set);
        if (old !== undefined) return ok(old);
        return bypass("store_unavailable", `Breaker open: the store of ${catalog} has failed too often in a row, and is left alone`);
      } catch (cause) {
        return bypass("internal_error", `Cannot look up ${ids.length} items of ${catalog}: ${errorText(cause)}`);
      }
    },
  };

  /** KV's errors become a reason here. */
  async function read<T>(key: string, reading: () => Promise<T>): Promise<Result<T, Bypass>> {
    const leave = reads.enter(1);
    if (leave === undefined) return bypass("store_unavailable", `Cannot read ${key}: ${MAX_READS} reads of ${catalog} are under way`);
    try {
      return ok(await reading());
    } catch (cause) {
      return bypass("store_unavailable", `Cannot read ${key}: ${errorText(cause)}`);
    } finally {
      leave();
    }
  }
}

const NO_TABLE = ok(undefined);

/** What a table of another version, or of another encoder, has that the set has not. */
function differenceFrom(set: PublishedSet, table: QueryTable): string | undefined {
  if (table.checksum !== set.queryTable?.checksum) return `checksum ${table.checksum}, the set says ${set.queryTable?.checksum}`;
  const pairs = [
    ["text encoder", table.textEncoder, set.textEncoder],
    ["text dim", table.textDim, set.textDim],
    // Without a map from words to pictures it has none.
    ["picture dim", table.pictureDim || set.imageDim, set.imageDim],
  ];
  const differing = pairs.find(([, ours, theirs]) => ours !== theirs);
  return differing && `${differing[0]} ${differing[1]}, the set has ${differing[2]}`;
}

/** The store's own failures; with any other reason it has answered. */
const NO_ANSWER: ReadonlySet<BypassReason> = new Set(["store_unavailable", "store_timeout"]);
