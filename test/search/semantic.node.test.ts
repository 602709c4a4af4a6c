/** The order by meaning through a whole search: what is shown, what is said of it, and what `armmt` is where nobody has taught it. */
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { openEdge } from "../../src/edge.ts";
import { encodeQueryTable } from "../../src/embeddings/query-table.ts";
import { type KvReader, kvOf, memoryKv, queryTableKey, setKey } from "../../src/embeddings/store.ts";
import type { UbiQueryRecord } from "../../src/events/ubi.ts";
import type { ModelManifest } from "../../src/inference/manifest.ts";
import { scorersOf } from "../../src/inference/scorer.ts";
import { ITEM_FEATURES, type ItemRecord } from "../../src/ranking/candidate.ts";
import { FEATURES } from "../../src/ranking/features.ts";
import { TOKEN_TABLE_ROWS, TOKENIZER } from "../../src/ranking/tokenizer.ts";
import { hashWord, wordHashes } from "../../src/ranking/words.ts";
import { ok } from "../../src/result.ts";

const MANIFEST: ModelManifest = {
  format: 1,
  version: "taught-elsewhere",
  sha256: "0".repeat(64),
  dims: { image: 2, text: 2 },
  features: FEATURES.map((name) => ({ name, mean: 0, std: 10 })),
  tokenizer: { name: TOKENIZER, rows: TOKEN_TABLE_ROWS },
  encoders: { image: "drawn/1", text: "hashed/1" },
  trainedOn: "simulated shoppers",
  metrics: {},
  parameters: { total: 0, tokenTable: 0 },
  licence: "Apache-2.0",
};

/** In the engine's order. The query is for "red mug". */
const TITLES = ["Blue mug", "Red rug", "Plate", "Red mug", "Mug, green", "Red cup", "Fork", "Knife"];
const IDS = TITLES.map((_, i) => `i${i}`);
const SCORES = TITLES.map((_, i) => 10 - i / 10);
const BY_MEANING = ["i3", "i0", "i4", "i5", "i1", "i2", "i6", "i7"];

const RECORDS: readonly ItemRecord[] = TITLES.map((title, i) => ({
  itemId: IDS[i]!,
  image: Float32Array.of(1, 0),
  // Only cups and mugs point where the query does.
  text: /mug|cup/i.test(title) ? Float32Array.of(1, 0) : Float32Array.of(0, 1),
  features: ITEM_FEATURES.map(() => undefined),
  words: wordHashes([title]),
}));

const TOKENS = {
  kind: "wordpiece",
  lowerCase: true,
  stripAccents: true,
  maxWordLength: 100,
  vocabulary: ["[UNK]", "mug"],
  unknown: 0,
} as const;

function table(textEncoder: string): Uint8Array<ArrayBuffer> {
  const packed = encodeQueryTable({
    textEncoder,
    tokenizer: TOKENS,
    textDim: 2,
    pictureDim: 0,
    pictureWeight: 0,
    pieceIds: Uint32Array.of(1),
    rows: Float32Array.of(1, 0),
    offset: new Float32Array(2),
    itemCount: 100,
    wordCounts: new Map([
      [hashWord("red"), 30],
      [hashWord("mug"), 10],
    ]),
    knownQueries: new Map(),
  });
  if (!packed.ok) throw new Error(packed.error);
  return packed.value;
}

const askedSchema = v.object({ from: v.optional(v.number(), 0), size: v.optional(v.number(), 10) });
const replySchema = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }), armmt: v.optional(v.unknown()) });
const statusSchema = v.looseObject({ indexes: v.object({ products: v.record(v.string(), v.unknown()) }) });

interface Options {
  /** Of the published set. */
  readonly text?: string;
  readonly trust?: number;
  readonly hasTable?: boolean;
  readonly variant?: string;
  readonly kv?: (kv: KvReader) => KvReader;
  readonly hits?: readonly object[];
  readonly budgetMs?: number;
}

const HITS = IDS.map((_id, i) => ({ _id, _score: SCORES[i]! }));

function open({
  text = "minilm/1+2",
  trust,
  hasTable = true,
  variant = "armmt",
  kv = (own) => own,
  hits = HITS,
  budgetMs = 10_000,
}: Options = {}) {
  const records: UbiQueryRecord[] = [];
  const logs: Readonly<Record<string, unknown>>[] = [];
  let runs = 0;
  const encoders = { image: "drawn/1", text };
  const stored = memoryKv("products", RECORDS, { dims: MANIFEST.dims, encoders }, hasTable ? table(text) : undefined);
  const app = openEdge({
    env: {
      INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: 8 } },
      DEFAULT_VARIANT: variant,
      ADMIN_TOKEN: "0123456789abcdef0123456789abcdef",
      ENGINE_TIMEOUT_MS: 60_000,
      RANK_BUDGET_MS: budgetMs,
    },
    kv: kv(trust === undefined ? stored : trusting(stored, trust)),
    sinks: {
      write: async (record) => {
        records.push(record);
        return ok(true);
      },
      writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
    },
    scorer: scorersOf([
      ok({
        manifest: MANIFEST,
        async score({ k }) {
          runs++;
          // Turned round.
          return ok({ score: Float32Array.from({ length: k }, (_, i) => i), gate: new Float32Array(2 * k) });
        },
      }),
    ]),
    fetch: async (url, init) => {
      const { from, size } = v.parse(askedSchema, await new Request(url, init).json());
      const page = hits.slice(from, from + size);
      return Response.json({ hits: { total: { value: hits.length, relation: "eq" }, hits: page } });
    },
    dialects: ALL_DIALECTS,
    log: (entry) => logs.push(entry),
  });
  const work: Promise<unknown>[] = [];
  const context = { waitUntil: (promise: Promise<unknown>) => void work.push(promise), passThroughOnException: () => undefined, props: {} };
  return {
    records,
    logs,
    runs: () => runs,
    async search(query = "red mug", page: object = {}, path = "/products/_search", headers: Readonly<Record<string, string>> = {}) {
      const body = JSON.stringify({ query: { match: { title: query } }, size: 8, ...page });
      const sent = { "content-type": "application/json", "x-armmt-user": "somebody", ...headers };
      const reply = await app.fetch(new Request(`https://edge.example.com${path}`, { method: "POST", headers: sent, body }), {}, context);
      const json = v.parse(replySchema, await reply.json());
      await Promise.allSettled(work);
      return { ids: json.hits.hits.map(({ _id }) => _id), header: reply.headers.get("x-armmt") ?? "", explained: json.armmt };
    },
    async status() {
      const headers = { authorization: "Bearer 0123456789abcdef0123456789abcdef" };
      const reply = await app.fetch(new Request("https://edge.example.com/armmt/status", { headers }), {}, context);
      return v.parse(statusSchema, await reply.json());
    },
  };
}

/** The same store, whose set says how far it trusts a model. */
function trusting(kv: KvReader, trust: number): KvReader {
  return changed(kv, setKey("products", "1"), (text) => JSON.stringify({ ...v.parse(v.looseObject({}), JSON.parse(text)), trust }));
}

function changed(kv: KvReader, key: string, change: (text: string) => string): KvReader {
  return kvOf(async (asked) => {
    const bytes = await kv.get(asked, "arrayBuffer");
    if (bytes === null) return undefined;
    return asked === key ? new TextEncoder().encode(change(new TextDecoder().decode(bytes))) : new Uint8Array(bytes);
  });
}

function withCutTable(kv: KvReader): KvReader {
  return changed(kv, queryTableKey("products", "1"), (text) => text.slice(0, -1));
}

describe("semantic", () => {
  it("orders by the engine's score, the text's cosine and the query's words, and says so", async () => {
    const edge = open({ variant: "semantic" });
    const { ids, header } = await edge.search();
    expect(ids).toEqual(BY_MEANING);
    expect(header).toMatch(/^applied; model=semantic-1; window=8; list=\w{16}$/);
    expect(edge.runs()).toBe(0);
    expect(edge.records[0]!.query_attributes.armmt).toMatchObject({ variant: "semantic", model: "semantic-1", served_ids: BY_MEANING });
  });

  it("gives all pages one order, also when the engine swaps equals between them", async () => {
    const edge = open({ variant: "semantic" });
    const pages = [await edge.search("red mug", { size: 3 }), await edge.search("red mug", { from: 3, size: 5 })];
    expect(pages.flatMap(({ ids }) => ids)).toEqual(BY_MEANING);
    expect(new Set(pages.map(({ header }) => header)).size).toBe(1);
  });

  it("keeps pins where they are, and their scores out of the others'", async () => {
    const pinned = [{ _id: "i6", _score: 1.7014122e38 }, ...HITS.filter(({ _id }) => _id !== "i6")];
    const { ids } = await open({ variant: "semantic", hits: pinned }).search();
    expect(ids).toEqual(["i6", ...BY_MEANING.filter((id) => id !== "i6")]);
  });

  it("keeps the item on top that a query names by its id", async () => {
    expect((await open({ variant: "semantic" }).search("i7")).ids[0]).toBe("i7");
  });

  it("is explained by its scores", async () => {
    const { explained } = await open({ variant: "semantic" }).search("red mug", {}, "/products/_search?armmt_explain=1", {
      authorization: "Bearer 0123456789abcdef0123456789abcdef",
    });
    // Score ÷ best score + cosine + all of the words.
    const first = {
      id: "i3",
      rank: 4,
      position: 1,
      score: expect.closeTo(0.97 + 1 + 1, 6),
      why: [{ part: "words", places: expect.any(Number) }],
    };
    expect(explained).toMatchObject({ model: "semantic-1", items: [first, ...BY_MEANING.slice(1).map((id) => ({ id }))] });
  });

  it.each(["interleave(control, semantic)", "shadow(semantic)", "explore(semantic)"])("%s", async (variant) => {
    const edge = open({ variant });
    const { ids, header } = await edge.search();
    expect(header).toContain(variant.startsWith("shadow") ? "reason=engine_order" : "model=semantic-1;");
    expect(ids.toSorted()).toEqual(IDS);
    const { teams, shadow_ids: shadow, propensities } = edge.records[0]!.query_attributes.armmt;
    if (variant.startsWith("shadow")) expect([ids, shadow]).toEqual([IDS, BY_MEANING]);
    else if (variant.startsWith("explore")) expect(propensities).toHaveLength(8);
    else expect(teams).toHaveLength(8);
  });

  it("has a reason without a query table: the engine's order", async () => {
    const edge = open({ variant: "semantic", hasTable: false });
    const { ids, header } = await edge.search();
    expect([ids, header]).toEqual([IDS, "bypass; reason=no_query_table"]);
  });

  it("has a reason with a table that is corrupt, and the shards serve nothing without it", async () => {
    const { ids, header } = await open({ variant: "semantic", kv: withCutTable }).search();
    expect([ids, header]).toEqual([IDS, "bypass; reason=shard_corrupt"]);
  });
});

describe("armmt", () => {
  it("is the order by meaning where its encoder is not the catalogue's", async () => {
    const edge = open();
    expect(await edge.search()).toEqual(await open({ variant: "semantic" }).search());
    expect(edge.runs()).toBe(0);
    expect(edge.records[0]!.query_attributes.armmt).toMatchObject({ variant: "armmt", model: "semantic-1" });
    const said = edge.logs.filter(({ event }) => event === "order");
    await edge.search("blue mug");
    expect(edge.logs.filter(({ event }) => event === "order")).toEqual(said);
    expect(said).toMatchObject([
      { index: "products", detail: expect.stringMatching(/^armmt serves engine and meaning .* text encoder hashed\/1/) },
    ]);
  });

  it.each<[string, Options, string, readonly string[]]>([
    ["a table, and no trust", { text: "hashed/1" }, "semantic-1", BY_MEANING],
    ["trust 0", { text: "hashed/1", trust: 0 }, "semantic-1", BY_MEANING],
    ["trust 1", { text: "hashed/1", trust: 1 }, "taught-elsewhere", IDS.toReversed()],
    ["trust 1, of another encoder", { trust: 1 }, "semantic-1", BY_MEANING],
    ["no table, as before", { text: "hashed/1", hasTable: false }, "taught-elsewhere", IDS.toReversed()],
  ])("with %s", async (_, options, model, order) => {
    const { ids, header } = await open(options).search();
    expect(header).toContain(`model=${model};`);
    expect(ids).toEqual(order);
  });

  it("goes from meaning to the model as trust grows", async () => {
    const shown = await Promise.all([0, 0.3, 0.7, 1].map((trust) => open({ text: "hashed/1", trust }).search()));
    const places = shown.map(({ ids }) => ids.indexOf("i7"));
    expect(places).toEqual(places.toSorted((a, b) => b - a));
    expect([places[0], places[3]]).toEqual([7, 0]);
  });

  it.each<[string, Options, string]>([
    ["trust 0", { text: "hashed/1", trust: 0, hasTable: false }, "no_query_table"],
    ["another encoder", { hasTable: false }, "model_mismatch"],
  ])("is the engine's order with %s and no table", async (_, options, reason) => {
    const { ids, header } = await open(options).search();
    expect([ids, header]).toEqual([IDS, `bypass; reason=${reason}`]);
  });

  it("waits for no model, once the catalogue is known not to trust it", async () => {
    const edge = open({ budgetMs: 20 });
    await edge.search();
    // As lists for a model they would take eight times as long as each may.
    await Promise.all(Array.from({ length: 400 }, (_, i) => edge.search(`red mug ${i}`)));
    expect(await edge.status()).toMatchObject({ ranking: { shed: 0 } });
  });

  it("says in the status which order is served, and why", async () => {
    const { products } = (await open().status()).indexes;
    expect(products["order"]).toMatchObject({ order: "semantic", trust: 0, why: expect.stringContaining("text encoder") });
    expect(products["published"]).toMatchObject({ textEncoder: "minilm/1+2" });
    const trusted = (await open({ text: "hashed/1", trust: 0.3 }).status()).indexes.products;
    expect(trusted["order"]).toEqual({ order: "blend", trust: 0.3, why: "the published set trusts it by 0.3" });
  });
});
