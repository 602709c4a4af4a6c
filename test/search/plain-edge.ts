/**
 * An edge in Node around a made-up model: the order that it gives is the engine's turned round, dearest first, so that an order shows whose it is.
 * No store, no runtime of models, no platform: for tests of what happens between shopper and engine.
 */
import type { Platform } from "../../src/edge.ts";
import * as edge from "../../src/edge.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { type KvReader, kvOf, memoryKv } from "../../src/embeddings/store.ts";
import { createCounters } from "../../src/events/counters.ts";
import type { ModelManifest } from "../../src/inference/manifest.ts";
import { scorersOf } from "../../src/inference/scorer.ts";
import { ITEM_FEATURES } from "../../src/ranking/candidate.ts";
import { FEATURES } from "../../src/ranking/features.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../src/ranking/tokenizer.ts";
import { ok } from "../../src/result.ts";
import type { Ask, EngineStandIn, StandInItem } from "./dialects/stand-in.ts";

export const WINDOW = 20;

/** What the engine has, in its order. */
export const ITEMS: readonly StandInItem[] = Array.from({ length: 45 }, (_, i) => ({
  id: `item-${i + 1}`,
  title: `item ${i}`,
  price: 10 + i,
}));

const MANIFEST: ModelManifest = {
  format: 1,
  version: "turned-round",
  sha256: "0".repeat(64),
  dims: { image: 2, text: 2 },
  // Wide, so that no value is clipped.
  features: FEATURES.map((name) => ({ name, mean: 0, std: 10 })),
  tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
  encoders: { image: "made-up", text: "made-up" },
  trainedOn: "nothing",
  metrics: {},
  parameters: { total: 0, tokenTable: 0 },
  licence: "Apache-2.0",
};
const RANK = FEATURES.indexOf("rank_log");
const PRICE = FEATURES.indexOf("price_log");

const recordsWith = (vectorOf: (itemId: string) => Float32Array) =>
  ITEMS.map(({ id: itemId }) => {
    const vector = vectorOf(itemId);
    return { itemId, image: vector, text: vector, features: ITEM_FEATURES.map(() => undefined) };
  });

export type Engine = (request: Request) => Promise<Response>;

export interface PlainEdgeOptions extends Partial<Pick<Platform, "clientAddress" | "clock" | "kv" | "log" | "now" | "sinks" | "writeKv">> {
  /** Options of the index. */
  readonly index?: object;
  /** Variables. */
  readonly vars?: object;
  /** What a run of the model waits for. */
  readonly beforeRun?: () => Promise<unknown>;
  /** Of pictures and texts, two numbers. Default: all alike. */
  readonly vectorOf?: (itemId: string) => Float32Array;
  /** Text values of KV besides the vectors. */
  readonly keys?: ReadonlyMap<string, string>;
}

export function openEdge({ backend, index, config }: EngineStandIn, engine: Engine, options: PlainEdgeOptions = {}) {
  let runs = 0;
  const counters = createCounters();
  const { index: more, vars, keys, beforeRun, vectorOf = () => Float32Array.of(1, 0), ...platform } = options;
  const vectors = memoryKv(index, recordsWith(vectorOf), MANIFEST);
  const kv = keys === undefined ? vectors : withKeys(vectors, keys);
  const app = edge.openEdge({
    env: {
      INDEXES: { [index]: { backend, url: "http://127.0.0.1:7700", window: WINDOW, ...config, ...more } },
      ENGINE_TIMEOUT_MS: 60_000,
      RANK_BUDGET_MS: 10_000,
      ...vars,
    },
    kv,
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: scorersOf([
      ok({
        manifest: MANIFEST,
        async score({ k, features }) {
          runs++;
          await beforeRun?.();
          const read = (i: number, feature: number): number => features[i * FEATURES.length + feature] ?? 0;
          const score = Float32Array.from({ length: k }, (_, i) => 100 * read(i, PRICE) + read(i, RANK));
          return ok({ score, gate: new Float32Array(2 * k) });
        },
      }),
    ]),
    fetch: (url, init) => engine(new Request(url, init)),
    dialects: ALL_DIALECTS,
    log: () => undefined,
    counters,
    ...platform,
  });
  return {
    runs: () => runs,
    counters,
    async send({ path, init }: Ask) {
      const context = { waitUntil: () => undefined, passThroughOnException: () => undefined, props: {} };
      const reply = await app.fetch(new Request(`https://edge.example.com${path}`, init), {}, context);
      const outcome = reply.headers.get("x-armmt") ?? "";
      return {
        status: reply.status,
        headers: reply.headers,
        outcome,
        list: /list=(\w+)/.exec(outcome)?.[1],
        body: await reply.text(),
      };
    },
  };
}

function withKeys(vectors: KvReader, keys: ReadonlyMap<string, string>): KvReader {
  return kvOf(async (key) => {
    const text = keys.get(key);
    if (text !== undefined) return new TextEncoder().encode(text);
    const bytes = await vectors.get(key, "arrayBuffer");
    return bytes === null ? undefined : new Uint8Array(bytes);
  });
}
