/**
 * One shopper's order is one shopper's: two shoppers ask the same at the same time, in every dialect and by everything that an engine learns of
 * a client, and the engine has an order for each of them. What the engine says anew about its hits counts, however short ago it said something
 * else. The model's order is the engine's turned round, dearest first, so that an order shows whose it is.
 */
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { randomFrom } from "../../src/ranking/interleave.ts";
import { STAND_INS } from "./dialects/all.ts";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { type Ask, type EngineStandIn, objectOf, type StandInItem } from "./dialects/stand-in.ts";
import { type Engine, ITEMS, openEdge, WINDOW } from "./plain-edge.ts";

const SEARCHES = 10_000;
const ADDRESS = "x-test-address";

const DIALECTS: readonly EngineStandIn[] = [...STAND_INS, { ...elasticsearch, title: "OpenSearch", backend: "opensearch" }];

function open(standIn: EngineStandIn, engine: Engine, more: object = {}) {
  return openEdge(standIn, engine, { index: more, clientAddress: (c) => c.req.raw.headers.get(ADDRESS) ?? undefined });
}

/** A way in which an engine learns who asks. */
interface Way {
  readonly name: string;
  readonly say: (ask: Ask, who: string) => Ask;
  /** Options of the index. */
  readonly config?: object;
  /** By which of the stand-in's kinds of pages. Default: the first. */
  readonly page?: string;
}

const inHeader = (name: string, valueOf = (who: string) => who) => ({
  name,
  say: ({ path, init }: Ask, who: string): Ask => ({ path, init: { ...init, headers: { ...init.headers, [name]: valueOf(who) } } }),
});

const inUrl = (name: string): Way => ({
  name: `?${name}`,
  say: ({ path, init }, who) => ({ path: `${path}${path.includes("?") ? "&" : "?"}${name}=${who}`, init }),
});

const inBody = (name: string, write: (body: object, who: string) => object): Way => ({
  name,
  say: ({ path, init }, who) => ({ path, init: { ...init, body: JSON.stringify(write(objectOf(JSON.parse(init.body ?? "{}")), who)) } }),
});

/** What the edge does not know passes with the client's own key only. */
const unknown = (way: Way): Way => ({ ...way, config: { forwardCredentials: true } });

/** By parameters and members that an engine reads itself. */
const OWN_WAYS: Readonly<Record<string, readonly Way[]>> = {
  elasticsearch: [
    inUrl("preference"),
    inUrl("routing"),
    inBody("ext.ubi.client_id", (body, who) => ({ ...body, ext: { ubi: { query_id: "q", client_id: who } } })),
    inBody("query", (body, who) => ({ ...body, rescore: { query: { rescore_query: { term: { user: who } } } } })),
    unknown({ ...inUrl("q_who"), page: "?from, ?size" }),
    unknown({ ...inUrl("preference"), name: "_msearch?preference", page: "_msearch" }),
    {
      name: "the header of a search in _msearch",
      page: "_msearch",
      say: ({ path, init }, who) => ({ path, init: { ...init, body: (init.body ?? "").replace("}", `,"routing":"${who}"}`) } }),
    },
  ],
  algolia: [
    inUrl("x-algolia-usertoken"),
    inUrl("X-Algolia-UserToken"),
    inUrl("x-algolia-application-id"),
    inBody("userToken", (body, who) => ({ ...body, userToken: who })),
    unknown({
      ...inBody("a user token in params", (body, who) => ({ params: `${String(objectOf(body)["params"])}&x-algolia-usertoken=${who}` })),
      page: "params",
    }),
    inBody("ruleContexts", (body, who) => ({ ...body, ruleContexts: [who] })),
    { ...inUrl("x-algolia-usertoken"), name: "queries?x-algolia-usertoken", page: "queries" },
    { ...inUrl("userToken"), name: "GET ?userToken", page: "?page, ?hitsPerPage" },
    unknown({ ...inBody("another member beside queries", (body, who) => ({ ...body, user: who })), page: "queries" }),
  ],
  typesense: [
    inUrl("x-typesense-user-id"),
    unknown(inUrl("personalization_user_id")),
    { ...inUrl("x-typesense-user-id"), name: "multi_search?x-typesense-user-id", page: "multi_search" },
    { ...inUrl("x-typesense-user-id"), name: "union?x-typesense-user-id", page: "union" },
    unknown({ ...inBody("another member beside searches", (body, who) => ({ ...body, user: who })), page: "multi_search" }),
  ],
  meilisearch: [
    inBody("filter", (body, who) => ({ ...body, filter: `segment = "${who}"` })),
    unknown({ ...inUrl("user"), name: "GET ?user", page: "?offset, ?limit" }),
    unknown({ ...inUrl("user"), name: "multi-search?user", page: "multi-search" }),
    unknown({ ...inUrl("user"), name: "federation?user", page: "federation" }),
    unknown({ ...inBody("another member beside queries", (body, who) => ({ ...body, user: who })), page: "multi-search" }),
  ],
  solr: [inUrl("bq"), { ...inUrl("bq"), name: "a form and ?bq", page: "a form" }],
  vespa: [inUrl("input.query(user)"), { ...inUrl("input.query(user)"), name: "a body and ?input.query(user)", page: "offset, hits" }],
  shopify: [
    inBody("variables.country", (body, who) => ({ ...body, variables: { ...objectOf(objectOf(body)["variables"]), country: who } })),
  ],
  generic: [],
};

/** What merchandisers change while pages are turned. */
const promoted = DIALECTS.flatMap((standIn) => {
  const found = standIn.cases.find(({ pinned, outcomes }) => pinned !== undefined && outcomes.length === 1);
  // Shopify's are no products: their places are the reply's own.
  return found === undefined || standIn.backend === "shopify" ? [] : [[standIn.title, standIn, found] as const];
});

/** Where a hit has the stand-in's price. */
const PRICES: Readonly<Record<string, string>> = {
  elasticsearch: "_source.price",
  opensearch: "_source.price",
  algolia: "price",
  typesense: "document.price",
  meilisearch: "price",
  solr: "price",
  vespa: "fields.price",
  shopify: "priceRange.minVariantPrice.amount",
  generic: "document.price",
};
const priced = DIALECTS.filter(({ title }) => !title.endsWith("as generic JSON")).map((standIn) => [standIn.title, standIn] as const);

/** All that the edge passes on, as its dialect says it. */
function waysOf({ backend, index, config }: EngineStandIn): readonly Way[] {
  const definition = ALL_DIALECTS.get(backend);
  if (definition === undefined) throw new Error(`No dialect ${backend}`);
  const { clientHeaders, credentials } = definition.create(new Map([[index, config ?? {}]]));
  const forwarding = { config: { forwardCredentials: true } };
  const keys = credentials.clientHeaders.filter((name) => name !== "referer");
  const unlogged = clientHeaders.filter((name) => name !== "x-opaque-id");
  return [
    // Vespa is asked for JSON, whatever the client accepts.
    ...[...(backend === "vespa" ? [] : ["accept"]), "accept-language", ...unlogged].map((name) => inHeader(name)),
    ...keys.map((name) => ({ ...inHeader(name), ...forwarding })),
    { ...inHeader("referer", (who) => `https://${who}.example.com/search?q=${Math.random()}`), ...forwarding },
    ...credentials.clientParams.map((name) => ({ ...inUrl(name), ...forwarding })),
    { ...inHeader(ADDRESS, (who) => (who === "who-a" ? "203.0.113.7" : "2001:db8::8")), config: { forwardClientAddress: true } },
    ...(OWN_WAYS[backend] ?? OWN_WAYS["elasticsearch"]!),
  ];
}

const WHO: ReadonlyMap<string, string> = new Map([
  ["203.0.113.7", "who-a"],
  ["2001:db8::8", "who-b"],
]);

/** What the engine finds anywhere in a request. */
async function whoAsks(request: Request): Promise<string> {
  const headers = [...request.headers].map(([, value]) => value);
  const text = [decodeURIComponent(request.url), ...headers, await request.text()].join("\n");
  const found = new Set([...text.matchAll(/who-[ab]|203\.0\.113\.7|2001:db8::8/g)].map(([name]) => WHO.get(name) ?? name));
  return [...found].join("+") || "nobody";
}

/** The engine's order for somebody. */
function orderFor(who: string): readonly StandInItem[] {
  const random = randomFrom(who);
  const keys = new Map(ITEMS.slice(0, WINDOW).map((item) => [item, random()]));
  return [...ITEMS.slice(0, WINDOW).toSorted((a, b) => keys.get(a)! - keys.get(b)!), ...ITEMS.slice(WINDOW)];
}

const QUERIES = ["red velvet sofa", "blue lamp", "mug"];
const LIMIT = 5;

/** With cursors, the first page. */
function askFor({ pages, walk }: EngineStandIn, query: string, page: number, kind?: string): Ask {
  if (walk !== undefined) return walk.first(query, 10);
  const found = kind === undefined ? pages[0] : pages.find(({ name }) => name === kind);
  if (found === undefined) throw new Error(`No pages by ${kind}`);
  return found.ask(query, { offset: page * LIMIT, limit: LIMIT });
}

/** Of the model's order of what the engine found. */
function pageOf(items: readonly StandInItem[], { walk }: EngineStandIn, page: number): readonly string[] {
  const ids = items.map(({ id }) => id);
  if (walk !== undefined) return ids.slice(0, 10).toReversed();
  return ids
    .slice(0, WINDOW)
    .toReversed()
    .slice(page * LIMIT, page * LIMIT + LIMIT);
}

const all = DIALECTS.flatMap((standIn) => waysOf(standIn).map((way) => [standIn.title, way.name, standIn, way] as const));

describe(`two shoppers at the same time, ${SEARCHES} searches`, () => {
  const each = Math.ceil(SEARCHES / all.length);
  it.each(all)("%s, by %s", async (_title, _name, standIn, way) => {
    const engine: Engine = async (request) => {
      const who = await whoAsks(request.clone());
      // Replies overtake each other.
      for (let turns = Math.floor(Math.random() * 4); turns > 0; turns--) await new Promise((done) => setImmediate(done)); // oxlint-disable-line no-await-in-loop
      return standIn.answer(request, orderFor(who));
    };
    const edge = open(standIn, engine, way.config);
    const listOwner = new Map<string, string>();
    const asked = Array.from({ length: each }, (_, i) => {
      const who = i % 2 === 0 ? "who-a" : "who-b";
      return { who, query: QUERIES[Math.floor(i / 2) % QUERIES.length]!, page: Math.floor(i / 7) % (WINDOW / LIMIT) };
    });
    for (let start = 0; start < asked.length; start += 20) {
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all(
        asked.slice(start, start + 20).map(async ({ who, query, page }) => {
          const reply = await edge.send(way.say(askFor(standIn, query, page, way.page), who));
          expect(reply.outcome).toMatch(/^applied/);
          expect(standIn.read(JSON.parse(reply.body))[0]?.ids).toEqual(pageOf(orderFor(who), standIn, page));
          const owner = `${who} ${query}`;
          expect(listOwner.get(reply.list ?? "") ?? owner).toBe(owner);
          listOwner.set(reply.list ?? "", owner);
        }),
      );
    }
    // All pages of one shopper's search are one list, for which the model runs once, or once more for each search that is in flight.
    expect(listOwner.size).toBe(2 * QUERIES.length);
    expect(edge.runs()).toBeLessThan(each / 2);
  });
});

const shownBy = (standIn: EngineStandIn, { body }: { readonly body: string }): readonly string[] =>
  standIn.read(JSON.parse(body))[0]?.ids ?? [];

const swap = (items: readonly StandInItem[], from: number, to: number): readonly StandInItem[] => {
  const moved = items.toSpliced(from, 1);
  return moved.toSpliced(to, 0, items[from]!);
};

describe("a product that is promoted, and again is not, between two requests of a second", () => {
  it.each(promoted)("%s", async (_title, standIn, { ask, pinned = [] }) => {
    let items = ITEMS;
    const edge = open(standIn, (request) => standIn.answer(request, items));
    const [place = 0] = pinned;
    // Positions that are promoted are the request's; which products are there, the engine's.
    for (const [current, first] of [
      [ITEMS, "item-1"],
      [swap(ITEMS, 14, place), "item-15"],
      [swap(ITEMS, 7, place), "item-8"],
      [ITEMS, "item-1"],
    ] as const) {
      items = current;
      const reply = await edge.send(ask); // oxlint-disable-line no-await-in-loop
      expect(reply.outcome).toMatch(/^applied/);
      const shown = shownBy(standIn, reply);
      expect(shown[place]).toBe(first);
      for (const pin of pinned) expect(shown[pin]).toBe(current[pin]?.id);
    }
  });
});

describe("a price that changes between two requests of a second", () => {
  it.each(priced)("%s", async (_title, standIn) => {
    let items = ITEMS;
    const edge = open(standIn, (request) => standIn.answer(request, items), { hitFields: { price: PRICES[standIn.backend] } });
    const dearest = async (): Promise<string | undefined> => {
      const reply = await edge.send(askFor(standIn, "mug", 0));
      expect(reply.outcome).toMatch(/^applied/);
      return shownBy(standIn, reply)[0];
    };
    await dearest();
    for (const dear of ["item-3", "item-9", "item-2", "item-3"]) {
      items = ITEMS.map((item) => (item.id === dear ? { ...item, price: 9000 } : item));
      expect(await dearest()).toBe(dear); // oxlint-disable-line no-await-in-loop
    }
    const runs = edge.runs();
    expect(await dearest()).toBe("item-3");
    expect(edge.runs()).toBe(runs);
  });
});

describe("the pages of one shopper's search", () => {
  it.each(DIALECTS.map((standIn) => [standIn.title, standIn] as const))(
    "%s: one run of the model, whatever a trace says",
    async (_title, standIn) => {
      const edge = open(standIn, (request) => standIn.answer(request, ITEMS), { forwardCredentials: true, forwardClientAddress: true });
      const shopper = { authorization: "Bearer key", [ADDRESS]: "203.0.113.7", "accept-language": "de", "x-algolia-usertoken": "me" };
      for (let page = 0; page < WINDOW / LIMIT; page++) {
        const { path, init } = askFor(standIn, "mug", page);
        const traces = {
          traceparent: `00-${page}-1-01`,
          tracestate: `a=${page}`,
          "x-opaque-id": `${page}`,
          referer: `https://shop.example.com/?page=${page}`,
        };
        const reply = await edge.send({ path, init: { ...init, headers: { ...init.headers, ...shopper, ...traces } } }); // oxlint-disable-line no-await-in-loop
        expect(shownBy(standIn, reply)).toEqual(pageOf(ITEMS, standIn, page));
      }
      expect(edge.runs()).toBe(1);
    },
  );
});
