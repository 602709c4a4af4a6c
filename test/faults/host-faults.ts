/** What can fail around a search besides its engine: KV, the event store, the model, the clock and other services of the host. */
import type { KvReader } from "../../src/embeddings/store.ts";
import { type Scorer, scorersOf } from "../../src/inference/scorer.ts";
import type { ListScores } from "../../src/inference/scorer.ts";
import { type Bypass, err, ok, type Result } from "../../src/result.ts";
import type { ServeOptions } from "../../src/runtimes/node/index.ts";
import { catalogueKv, modelInNode } from "./edges.ts";
import type { StoreFault } from "./stores.ts";

type InNode = () => Promise<Partial<ServeOptions>> | Partial<ServeOptions>;

export interface HostFault {
  readonly name: string;
  readonly group: "KV" | "event store" | "model" | "clock" | "host";
  /** Options of the server in Node. */
  readonly inNode?: InNode;
  /** Of the stores behind workerd. */
  readonly inWorkerd?: StoreFault;
  readonly isShort?: boolean;
  /** What the edge can only call a bug. */
  readonly isBug?: boolean;
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);
const after = <T>(ms: number, value: () => T): Promise<T> =>
  new Promise((resolve) => {
    setTimeout(() => resolve(value()), ms).unref();
  });
const failure = (): never => {
  throw new Error("A fault");
};

/** KV whose bytes are changed; `change` may also throw, or give a promise. */
function kvWith(change: (key: string, bytes: ArrayBuffer | null) => ArrayBuffer | null | Promise<ArrayBuffer | null>): KvReader {
  const kv = catalogueKv();
  async function get(key: string, type: "text"): Promise<string | null>;
  async function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  async function get(key: string, type: "text" | "arrayBuffer"): Promise<string | ArrayBuffer | null> {
    const value = await change(key, await kv.get(key, "arrayBuffer"));
    return value === null || type === "arrayBuffer" ? value : new TextDecoder().decode(value);
  }
  return { get };
}

const bytesOf = (text: string): ArrayBuffer => Uint8Array.from(Buffer.from(text)).buffer;

/** Of the keys `<catalog>/live`, `<catalog>/<version>/set` and `<catalog>/<version>/shard/<n>`. */
const isShard = (key: string): boolean => key.includes("/shard/");

type KvChange = Parameters<typeof kvWith>[0];

interface KvEntry {
  readonly name: string;
  readonly change: KvChange;
  readonly inWorkerd?: StoreFault;
  readonly isShort?: boolean;
}

const hang: StoreFault = (key) => key !== undefined;
const answering =
  (status: number, body: string): StoreFault =>
  (key, response) => {
    if (key === undefined) return false;
    response.writeHead(status).end(body);
    return true;
  };

const cutShard: KvChange = (key, value) => (isShard(key) && value !== null ? value.slice(0, value.byteLength >> 1) : value);
const flippedShard: KvChange = (key, value) => {
  if (!isShard(key) || value === null) return value;
  const changed = Uint8Array.from(new Uint8Array(value));
  changed[changed.length >> 1]! ^= 1;
  return changed.buffer;
};

/** A KV that gives a first search all that it wants. */
function hangingLater(): KvChange {
  let reads = 0;
  return (_key, value) => (++reads > 3 ? never() : value);
}

const KV: readonly KvEntry[] = [
  { name: "hangs", change: () => never(), inWorkerd: hang, isShort: true },
  {
    name: "hangs for shards",
    change: (key, value) => (isShard(key) ? never() : value),
    inWorkerd: (key) => key !== undefined && isShard(key),
  },
  { name: "hangs after the first reads", change: hangingLater() },
  { name: "throws", change: failure, inWorkerd: answering(500, "no"), isShort: true },
  { name: "throws for shards", change: (key, value) => (isShard(key) ? failure() : value) },
  { name: "is slow", change: (_key, value) => after(400, () => value) },
  { name: "is empty", change: () => null, inWorkerd: answering(404, "") },
  { name: "has no shards", change: (key, value) => (isShard(key) ? null : value) },
  { name: "has garbage", change: () => bytesOf("{garbage"), inWorkerd: answering(200, "{garbage"), isShort: true },
  { name: "has other JSON", change: () => bytesOf('{"version":7}'), inWorkerd: answering(200, '{"version":7}') },
  { name: "has empty values", change: () => bytesOf(""), inWorkerd: answering(200, "") },
  { name: "has half of each shard", change: cutShard },
  { name: "has a flipped bit in each shard", change: flippedShard },
];

const statement =
  (status: number, body: string): StoreFault =>
  (key, response) => {
    if (key !== undefined) return false;
    response.writeHead(status).end(body);
    return true;
  };

const sink = (write: () => Promise<Result<true, string>>): InNode => {
  return () => ({ sinks: { write, writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) } });
};

const EVENTS: readonly HostFault[] = [
  { name: "hangs", group: "event store", inNode: sink(() => never()), inWorkerd: (key) => key === undefined, isShort: true },
  { name: "throws", group: "event store", inNode: sink(failure), inWorkerd: statement(500, "no"), isShort: true },
  { name: "rejects", group: "event store", inNode: sink(async () => failure()) },
  {
    name: "refuses",
    group: "event store",
    inNode: sink(async () => err("D1_ERROR: full")),
    inWorkerd: statement(200, '{"success":false,"error":"full"}'),
  },
  { name: "answers garbage", group: "event store", inWorkerd: statement(200, "{garbage") },
];

type Score = (scorer: Scorer, ...args: Parameters<Scorer["score"]>) => ReturnType<Scorer["score"]>;

/** The committed model, with another run. */
const scoring =
  (score: Score): InNode =>
  async () => {
    const scorer = (await modelInNode())();
    if (!scorer.ok) throw new Error(scorer.error.detail);
    return { scorer: scorersOf([ok({ ...scorer.value, score: (list) => score(scorer.value, list) })]) };
  };

const scores = (change: (score: Float32Array) => Float32Array): InNode =>
  scoring(async (scorer, list) => {
    const found: Result<ListScores, Bypass> = await scorer.score(list);
    return found.ok ? ok({ ...found.value, score: change(Float32Array.from(found.value.score)) }) : found;
  });

const MODEL: readonly HostFault[] = [
  { name: "is not there", inNode: () => ({ scorer: scorersOf([err({ reason: "model_unavailable", detail: "A fault" })]) }), isShort: true },
  { name: "throws", inNode: scoring(failure), isBug: true },
  { name: "rejects", inNode: scoring(() => Promise.reject(new WebAssembly.RuntimeError("unreachable"))), isBug: true },
  { name: "never ends", inNode: scoring(() => never()) },
  { name: "is slow", inNode: scoring((scorer, list) => after(1500, () => undefined).then(() => scorer.score(list))) },
  { name: "gives NaN", inNode: scores((score) => score.fill(Number.NaN, 3, 4)), isShort: true },
  { name: "gives infinity", inNode: scores((score) => score.fill(Infinity)) },
  { name: "gives a score too few", inNode: scores((score) => score.slice(1)) },
  { name: "gives no scores", inNode: scores(() => new Float32Array(0)) },
  { name: "gives one score for all", inNode: scores((score) => score.fill(1)) },
].map((fault) => ({ ...fault, group: "model" as const }));

const HOUR_MS = 3_600_000;

/** A clock that shows another offset with each look, round and round. */
const clock =
  (offsets: readonly number[]): InNode =>
  () => {
    let looks = 0;
    return { now: () => Date.now() + (offsets[looks++ % offsets.length] ?? 0) };
  };

const CLOCK: readonly HostFault[] = [
  { name: "is an hour ahead", inNode: clock([HOUR_MS]) },
  { name: "stands at 1970", inNode: () => ({ now: () => 0 }) },
  { name: "jumps back an hour and forth", inNode: clock([0, -HOUR_MS, 0, HOUR_MS]), isShort: true },
  { name: "jumps a second back with each look", inNode: clock([0, -1000, -2000, -3000, -4000]) },
  { name: "is not a number", inNode: () => ({ now: () => Number.NaN }) },
].map((fault) => ({ ...fault, group: "clock" as const }));

const HOST: readonly HostFault[] = [
  { name: "the log throws", inNode: () => ({ log: failure }), isShort: true },
  { name: "the rate limiter throws", inNode: () => ({ isWithinRate: failure }) },
  { name: "the rate limiter hangs", inNode: () => ({ isWithinRate: () => never<boolean>() }) },
  { name: "the work after a reply cannot be taken", inNode: () => ({ afterReply: failure }) },
].map((fault) => ({ ...fault, group: "host" as const }));

export const HOST_FAULTS: readonly HostFault[] = [
  ...KV.map(({ name, change, inWorkerd, isShort }): HostFault => ({
    name,
    group: "KV",
    inNode: () => ({ kv: kvWith(change) }),
    ...(inWorkerd !== undefined && { inWorkerd }),
    ...(isShort !== undefined && { isShort }),
  })),
  ...EVENTS,
  ...MODEL,
  ...CLOCK,
  ...HOST,
];
