/**
 * Pages without words in searches: in every dialect, by what a shop's table says of them, on every page; sorted ones, other lists and off are the
 * engine's own replies.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { formatBrowseTable, type Taught } from "../../src/browse/table.ts";
import type { Taste } from "../../src/browse/taste.ts";
import type { UbiQueryRecord } from "../../src/events/ubi.ts";
import { type KvReader, kvOf } from "../../src/embeddings/store.ts";
import { ok } from "../../src/result.ts";
import { browseKey, browsePointerKey } from "../../src/search/live-browse.ts";
import { documentVersion } from "../../src/search/live-document.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "../../src/search/live-rules.ts";
import { STAND_INS } from "./dialects/all.ts";
import { BROWSE_ASKS } from "./dialects/browse.ts";
import { type Ask, type EngineStandIn, objectOf, post } from "./dialects/stand-in.ts";
import { ITEMS, openEdge, WINDOW } from "./plain-edge.ts";

const ALL = new Map<string, Taught>([["item-4", [0.1, 9]]]);
const MUGS = new Map<string, Taught>([["item-9", [0.1, 8]]]);
const ACME = new Map<string, Taught>([["item-7", [0.1, 7]]]);

const tableText = (trust = 1, taste?: Taste) =>
  formatBrowseTable(
    {
      format: 1,
      trust,
      ...(taste && { taste }),
      prior: { level: 1, decline: 0.5 },
      pages: [{}, { category: ["mugs"] }, { brand: ["acme"], category: ["mugs"] }],
    },
    [ALL, MUGS, ACME],
  );

const pointer = (version: string) => JSON.stringify({ version, previous: null, publishedAt: "2026-11-01T00:00:00Z" });

async function keysOf(catalog: string, text: string | undefined): Promise<Map<string, string>> {
  if (text === undefined) return new Map();
  const version = await documentVersion(text);
  return new Map([
    [browsePointerKey(catalog), pointer(version)],
    [browseKey(catalog, version), text],
  ]);
}

interface Opening {
  /** `undefined`: nothing is published. */
  readonly text?: string | undefined;
  readonly vars?: object;
  readonly index?: object;
  readonly more?: ReadonlyMap<string, string>;
  readonly vectorOf?: (itemId: string) => Float32Array;
  readonly kv?: KvReader;
  readonly answer?: (request: Request) => Promise<Response>;
}

const FILTERS = { category: "category", brand: "brand" };

async function open(standIn: EngineStandIn, { text = tableText(), vars, index, more, answer, ...others }: Opening = {}) {
  const records: UbiQueryRecord[] = [];
  const logs: Readonly<Record<string, unknown>>[] = [];
  const asked: string[] = [];
  const generic = standIn.backend === "generic" && { generic: { ...objectOf(objectOf(standIn.config)["generic"]), filters: FILTERS } };
  const edge = openEdge(
    standIn,
    async (request) => {
      asked.push(request.url + (request.method === "POST" ? await request.clone().text() : ""));
      return answer === undefined ? standIn.answer(request, ITEMS) : answer(request);
    },
    {
      ...others,
      index: { browse: true, ...generic, ...index },
      keys: new Map([...(await keysOf(standIn.index, text === "" ? undefined : text)), ...(more ?? [])]),
      vars: { ...vars },
      log: (entry) => void logs.push(entry),
      sinks: {
        write: async (record) => {
          records.push(record);
          return ok(true);
        },
        writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
      },
    },
  );
  const idsOf = async (ask: Ask) => {
    const reply = await edge.send(ask);
    return { ...reply, ids: standIn.read(JSON.parse(reply.body))[0]?.ids ?? [] };
  };
  return { ...edge, records, logs, asked, idsOf };
}

const withHeaders = ({ path, init }: Ask, headers: Readonly<Record<string, string>>): Ask => ({
  path,
  init: { ...init, headers: { ...init.headers, ...headers } },
});

/** Records are written after the reply. */
const settle = () => new Promise((done) => setTimeout(done, 20));

const first = { offset: 0, limit: 5 };
const APPLIED = /^applied; model=browse-[\da-f]{16}; window=20; list=[\da-f]{16}/;
const withPages = STAND_INS.flatMap((standIn) => {
  const asks = BROWSE_ASKS[standIn.title];
  return asks === undefined ? [] : [{ title: standIn.title, standIn, asks }];
});

describe.each(withPages)("$title", ({ standIn, asks }) => {
  it("ranks a category by its own sales, then by those of all lists, on every page", async () => {
    const edge = await open(standIn);
    const shown: string[] = [];
    for (let offset = 0; offset < WINDOW; offset += 5) {
      const { ids, outcome } = await edge.idsOf(asks.category({ offset, limit: 5 }));
      expect(outcome).toMatch(APPLIED);
      shown.push(...ids);
    }
    expect(shown.slice(0, 4)).toEqual(["item-4", "item-9", "item-1", "item-2"]);
    expect(shown.toSorted()).toEqual(
      ITEMS.slice(0, WINDOW)
        .map(({ id }) => id)
        .toSorted(),
    );
    // Behind the window the engine's order goes on.
    expect((await edge.idsOf(asks.category({ offset: WINDOW, limit: 5 }))).outcome).toBe("bypass; reason=beyond_window");
    await settle();
    const { page, model, bypass, original_ids: original } = edge.records[0]!.query_attributes.armmt;
    expect([page, bypass, edge.records[0]!.user_query]).toEqual([{ [asks.field]: ["mugs"] }, undefined, ""]);
    expect(model).toMatch(/^browse-/);
    expect(original?.slice(0, 3)).toEqual(["item-1", "item-2", "item-3"]);
  });

  it("knows the category in other ways of writing, a refined one, and the page without filters", async () => {
    const edge = await open(standIn);
    for (const ask of asks.same) {
      const { ids, outcome } = await edge.idsOf(ask); // oxlint-disable-line no-await-in-loop
      expect([JSON.stringify(ask), outcome, ids.slice(0, 3)]).toEqual([
        JSON.stringify(ask),
        expect.stringMatching(APPLIED),
        ["item-4", "item-9", "item-1"],
      ]);
    }
    expect((await edge.idsOf(asks.refined)).ids.slice(0, 3)).toEqual(["item-4", "item-7", "item-1"]);
    expect((await edge.idsOf(asks.home(first))).ids.slice(0, 3)).toEqual(["item-4", "item-1", "item-2"]);
  });

  it("leaves sorted pages, other lists and off alone, byte for byte", async () => {
    const edge = await open(standIn);
    const plain = await open(standIn, { text: "", index: { browse: false } });
    const left: readonly (readonly [Ask, RegExp])[] = [
      ...asks.sorted.map((ask) => [ask, /^bypass; reason=explicit_sort$/] as const),
      ...asks.others.map(
        (ask) => [ask, /^bypass; reason=(no_query_text|explicit_sort|request_not_understood)|^applied; model=turned/] as const,
      ),
      [withHeaders(asks.category(first), { "x-armmt": "off" }), /^bypass; reason=off$/],
    ];
    for (const [ask, outcome] of left) {
      const [own, other] = [await edge.send(ask), await plain.send(ask)]; // oxlint-disable-line no-await-in-loop
      expect([JSON.stringify(ask), own.outcome]).toEqual([JSON.stringify(ask), expect.stringMatching(outcome)]);
      expect(own.body).toBe(other.body);
    }
    expect(edge.asked).toEqual(plain.asked);
  });

  it("is the engine's own reply until something is published, and where the index does not ask for it", async () => {
    const [without, unasked] = [await open(standIn, { text: "" }), await open(standIn, { index: { browse: false } })];
    const raw = await open(standIn, { text: "", index: { browse: false, window: 0 } });
    for (const edge of [without, unasked]) {
      const reply = await edge.send(asks.category(first)); // oxlint-disable-line no-await-in-loop
      expect(reply.outcome).toBe("bypass; reason=no_query_text");
      expect(reply.body).toBe((await raw.send(asks.category(first))).body); // oxlint-disable-line no-await-in-loop
    }
    expect(without.asked).toEqual(raw.asked.slice(0, 1));
  });
});

const elasticsearch = STAND_INS[0]!;
const asks = BROWSE_ASKS[elasticsearch.title]!;
const SESSION = { "x-armmt-session": "session-1" };

// A table that is read for the first time may take longer than a search waits for it, on a slow machine.
beforeAll(async () => {
  for (let i = 0; i < 3; i++) await (await open(elasticsearch)).send(asks.home(first)); // oxlint-disable-line no-await-in-loop
});

describe("arms", () => {
  it.each([
    ["control", "bypass; reason=engine_order", "item-1"],
    ["semantic", "bypass; reason=engine_order", "item-1"],
    ["armmt:0", "bypass; reason=engine_order", "item-1"],
    ["shadow(armmt)", "bypass; reason=engine_order", "item-1"],
    ["armmt:1", "applied", "item-4"],
    ["armmt:0.3", "applied", "item-4"],
  ])("%s", async (variant, outcome, top) => {
    const edge = await open(elasticsearch, { vars: { DEFAULT_VARIANT: variant } });
    const reply = await edge.idsOf(asks.category(first));
    expect(reply.outcome).toMatch(new RegExp(`^${outcome}`));
    expect(reply.ids[0]).toBe(top);
    expect(edge.runs()).toBe(0);
  });

  it("follow the table as far as it was published", async () => {
    const edge = await open(elasticsearch, { text: tableText(0) });
    expect((await edge.idsOf(asks.category(first))).outcome).toBe("bypass; reason=engine_order");
  });

  it("interleave it with the engine's order, with teams in the record, and agree from page to page", async () => {
    const edge = await open(elasticsearch, { vars: { DEFAULT_VARIANT: "interleave(control, armmt)" } });
    const ids: string[] = [];
    for (const offset of [0, 5, 10, 15]) ids.push(...(await edge.idsOf(withHeaders(asks.category({ offset, limit: 5 }), SESSION))).ids); // oxlint-disable-line no-await-in-loop
    expect(new Set(ids).size).toBe(WINDOW);
    expect(ids.slice(0, 2).toSorted()).toEqual(["item-1", "item-4"]);
    await settle();
    expect(edge.records[0]?.query_attributes.armmt.teams).toHaveLength(5);
  });

  it("explore the engine's order before anything is published, with propensities", async () => {
    const edge = await open(elasticsearch, { text: "", vars: { DEFAULT_VARIANT: "explore(armmt)" } });
    const replies = await Promise.all(
      Array.from({ length: 40 }, (_, i) => edge.idsOf(withHeaders(asks.category(first), { "x-armmt-session": `session-${i}` }))),
    );
    expect(replies.every(({ outcome }) => outcome.startsWith("applied; model=browse-none"))).toBe(true);
    expect(new Set(replies.map(({ ids }) => ids.join())).size).toBeGreaterThan(2);
    await settle();
    expect(edge.records[0]?.query_attributes.armmt.propensities).toHaveLength(5);
  });

  it("can be of pages without words only", async () => {
    const experiment = { key: "pages", variations: ["control", "armmt"], weights: [0, 1], condition: { kind: "browse" } };
    const edge = await open(elasticsearch, { vars: { DEFAULT_VARIANT: "control", EXPERIMENTS: JSON.stringify([experiment]) } });
    expect((await edge.idsOf(withHeaders(asks.category(first), SESSION))).outcome).toMatch(APPLIED);
    const words = withHeaders(elasticsearch.pages[0]!.ask("red", first), SESSION);
    expect((await edge.idsOf(words)).outcome).toBe("bypass; reason=engine_order");
  });
});

/** Every fifth item looks another way. */
const vectorOf = (itemId: string) => (Number(itemId.slice(5)) % 5 === 0 ? Float32Array.of(0, 1) : Float32Array.of(1, 0));
const looked = (ids: string, offset = 0) => withHeaders(asks.category({ offset, limit: 5 }), { "x-armmt-history": ids });
const tasteOf = (edge: Awaited<ReturnType<typeof open>>) => edge.counters.snapshot().taste;
/** A slow machine may not have read the table when the first search asks. */
const opened = async (opening: Opening) => {
  const edge = await open(elasticsearch, opening);
  for (let i = 0; i < 50 && /no_query_text/.test((await edge.send(asks.home(first))).outcome); i++) await settle(); // oxlint-disable-line no-await-in-loop
  return edge;
};

describe("the shopper's taste", () => {
  const ENCODERS = { image: "made-up", text: "made-up" };
  const taste: Taste = { encoders: ENCODERS, picture: 2, text: 1 };

  it("raises what is like the items looked at, on every page alike", async () => {
    const edge = await opened({ text: tableText(1, taste), vectorOf });
    const shown: string[] = [];
    for (let offset = 0; offset < WINDOW; offset += 5) shown.push(...(await edge.idsOf(looked("item-40,item-45", offset))).ids); // oxlint-disable-line no-await-in-loop
    expect(new Set(shown).size).toBe(WINDOW);
    // Best sellers stay: 9 and 8 are more than e^1.5 times what the others have.
    expect(shown.slice(0, 6)).toEqual(["item-4", "item-9", "item-5", "item-10", "item-15", "item-20"]);
    // Later pages of the same search are remembered.
    expect(tasteOf(edge)).toEqual({ applied: 1 });
    const [own, other] = [await edge.idsOf(looked("item-40,item-45")), await edge.idsOf(looked("item-1"))];
    expect(other.list).not.toBe(own.list);
    expect(other.ids).toEqual(["item-4", "item-9", "item-1", "item-2", "item-3"]);
  });

  it.each([
    ["of none", "", undefined],
    ["of unknown items", "sold-out,gone", { unknown_history: 1 }],
  ])("%s is the order of all shoppers", async (_, ids, counted) => {
    const edge = await opened({ text: tableText(1, taste), vectorOf });
    expect((await edge.idsOf(looked(ids))).ids).toEqual(["item-4", "item-9", "item-1", "item-2", "item-3"]);
    expect(tasteOf(edge)).toEqual(counted);
  });

  it("learned from other vectors says nothing, and follows the table's trust", async () => {
    const other = await opened({ text: tableText(1, { ...taste, encoders: { ...ENCODERS, image: "another" } }), vectorOf });
    expect((await other.idsOf(looked("item-40"))).ids[2]).toBe("item-1");
    expect(tasteOf(other)).toEqual({ other_encoders: 1 });
    const none = await opened({ text: tableText(0, taste), vectorOf });
    expect((await none.idsOf(looked("item-40"))).outcome).toBe("bypass; reason=engine_order");
    expect(tasteOf(none)).toBeUndefined();
  });

  it("waits for no store: the order of all shoppers, counted, on all pages of the search", async () => {
    let isBroken = true;
    const text = tableText(1, taste);
    const keys = await keysOf(elasticsearch.index, text);
    const kv = kvOf(async (key) => {
      const value = keys.get(key);
      if (value !== undefined) return new TextEncoder().encode(value);
      if (isBroken) throw new Error("KV is down");
      return undefined;
    });
    const edge = await opened({ text, kv });
    expect((await edge.idsOf(looked("item-40"))).ids).toEqual(["item-4", "item-9", "item-1", "item-2", "item-3"]);
    expect(tasteOf(edge)).toEqual({ store_unavailable: 1 });
    isBroken = false;
    expect((await edge.idsOf(looked("item-40", 5))).ids).toEqual(["item-5", "item-6", "item-7", "item-8", "item-10"]);
    expect(tasteOf(edge)).toEqual({ store_unavailable: 1 });
  });
});

it("says which places sales and the shopper's taste gave a hit", async () => {
  const taste: Taste = { encoders: { image: "made-up", text: "made-up" }, picture: 2, text: 1 };
  const vars = { ADMIN_TOKEN: "a-token-for-tests-only" };
  const edge = await opened({ text: tableText(1, taste), vectorOf, vars });
  const { path, init } = looked("item-40,item-45");
  const { body } = await edge.send(withHeaders({ path: `${path}?armmt_explain`, init }, { authorization: `Bearer ${vars.ADMIN_TOKEN}` }));
  const { armmt } = JSON.parse(body);
  const reasons = new Map(armmt.items.map(({ id, why }: { id: string; why: unknown }) => [id, why]));
  expect(reasons.get("item-4")).toEqual([{ part: "sales", places: expect.any(Number) }]);
  expect(reasons.get("item-5")).toEqual([
    { part: "taste", places: 3 },
    { part: "sales", places: -2 },
  ]);
});

describe("rules", () => {
  const rules = JSON.stringify({
    format: 1,
    rules: [
      { id: "pin", when: { filters: { category: ["mugs"] } }, action: { do: "pin", items: [{ id: "item-12", position: 1 }] } },
      { id: "hide", when: { emptyQuery: true }, action: { do: "hide", match: [{ ids: ["item-4"] }] } },
    ],
  });

  it.each([
    ["armmt", ["item-12", "item-9", "item-1"]],
    ["control", ["item-12", "item-1", "item-2"]],
  ])("stand on top of the order of %s", async (variant, top) => {
    const version = await rulesVersion(rules);
    const edge = await open(elasticsearch, {
      vars: { LIVE_RULES: true, DEFAULT_VARIANT: variant },
      more: new Map([
        [rulesPointerKey("products"), pointer(version)],
        [rulesKey("products", version), rules],
      ]),
    });
    const reply = await edge.idsOf(asks.category(first));
    expect(reply.outcome).toMatch(/rules=[\da-f]{16}\/2$/);
    expect(reply.ids.slice(0, 3)).toEqual(top);
    expect((await edge.idsOf(asks.category({ offset: 15, limit: 5 }))).ids.at(-1)).toBe("item-4");
  });
});

describe("the record", () => {
  it("names no page that holds the shopper's id", async () => {
    const edge = await open(elasticsearch);
    const mine = post("/products/_search", { size: 5, query: { bool: { filter: [{ term: { owner: "shopper-4711" } }] } } });
    await edge.send(withHeaders(mine, { "x-armmt-user": "Shopper-4711" }));
    await edge.send(withHeaders(mine, { "x-armmt-user": "another-one" }));
    await settle();
    expect(edge.records.map(({ query_attributes: { armmt } }) => armmt.page)).toEqual([undefined, { owner: ["shopper-4711"] }]);
  });
});

describe("a table", () => {
  it.each([
    ["not JSON", /line 1/],
    [tableText().replace('"format":1', '"format":2'), /publish it again/],
    [tableText().split("\n").slice(0, 2).join("\n"), /1 lines for 3 pages/],
  ])("that is broken is ignored, with a reason", async (text, problem) => {
    const edge = await open(elasticsearch, { text });
    expect((await edge.idsOf(asks.category(first))).outcome).toBe("bypass; reason=no_query_text");
    expect(edge.logs.find(({ event }) => event === "browse rates")?.["detail"]).toMatch(problem);
  });
});

const collection = (more = "", fields = "id handle title", outer = 'handle: "Mugs"') =>
  post("/api/2026-07/graphql.json", {
    query: `{ shelf: collection(${outer}) { title products(first: 5${more}) { edges { cursor node { ${fields} } } nodes { handle } pageInfo { hasNextPage } } } }`,
  });

const handles = (body: string) => JSON.parse(body).data.shelf.products.edges.map(({ node }: { node: { handle: string } }) => node.handle);

describe("Shopify", () => {
  const shopify = STAND_INS.find(({ backend }) => backend === "shopify")!;
  const nodes = ITEMS.slice(0, 5).map(({ id }, i) => ({ id: `gid://shopify/Product/${i}`, handle: id, title: id }));
  const answer = async () =>
    Response.json({
      data: {
        shelf: {
          title: "Mugs",
          products: {
            edges: nodes.map((node, i) => ({ cursor: `c${i}`, node })),
            nodes: nodes.map(({ handle }) => ({ handle })),
            pageInfo: { hasNextPage: true },
          },
        },
      },
    });
  const text = formatBrowseTable({ format: 1, trust: 1, prior: { level: 1, decline: 0.5 }, pages: [{}, { collection: ["mugs"] }] }, [
    new Map(),
    new Map([["item-5", [0, 9]]]),
  ]);
  it("ranks a collection within its page; cursors keep their place", async () => {
    const edge = await open(shopify, { text, answer });
    const { outcome, body } = await edge.send(collection());
    expect(outcome).toMatch(/^applied; model=browse-/);
    expect(handles(body)).toEqual(["item-5", "item-1", "item-2", "item-3", "item-4"]);
    expect(JSON.parse(body).data.shelf.products.edges.map(({ cursor }: { cursor: string }) => cursor)).toEqual([
      "c0",
      "c1",
      "c2",
      "c3",
      "c4",
    ]);
    expect(JSON.parse(body).data.shelf.products.nodes[0]).toEqual({ handle: "item-5" });
    await settle();
    expect(edge.records[0]?.query_attributes.armmt.page).toEqual({ collection: ["mugs"] });
  });

  it.each([
    [", sortKey: PRICE", "explicit_sort"],
    [", sortKey: MANUAL", "explicit_sort"],
    [", reverse: true", "explicit_sort"],
    [', after: "c4"', "cursor"],
    [", sortKey: COLLECTION_DEFAULT", undefined],
    [", filters: [{ available: true }]", undefined],
  ])("reads products(first: 5%s)", async (more, reason) => {
    const edge = await open(shopify, { text, answer });
    const { outcome } = await edge.send(collection(more));
    expect(outcome).toMatch(reason === undefined ? /^applied/ : new RegExp(`^bypass; reason=${reason}$`));
  });

  it("passes a collection on with the client's key only, where its pages are not ranked", async () => {
    const refused = await open(shopify, { text, answer, index: { browse: false } });
    expect((await refused.send(collection())).status).toBe(400);
    const keyed = await open(shopify, { text, answer, index: { browse: false, forwardCredentials: true } });
    expect((await keyed.send(collection())).outcome).toBe("bypass; reason=request_not_understood");
    const other = await open(shopify, { text, answer });
    expect((await other.send(collection("", "id handle", 'handle: "x", secret: 1'))).status).toBe(400);
  });
});
