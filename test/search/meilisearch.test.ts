/** A shop whose engine is Meilisearch, beside one on Elasticsearch: the same edge, each in its own words. */
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { drawnItems, publish } from "./catalog.ts";
import { demoShop, type Engine, ENGINE_URL, match, openEdge, outcomeOf, postJson, WINDOW } from "./edge.ts";

const CATALOG = "meili";
const MEILI = "http://127.0.0.1:7700";
const KINDS = 45;

beforeAll(() => publish(CATALOG));

/** Answers from the drawn catalogue as Meilisearch answers; any query finds the same hits. */
const stand: Engine = async (request) => {
  if (!request.url.startsWith(MEILI)) return demoShop(request);
  const asked: Readonly<Record<string, unknown>> = JSON.parse(await request.text());
  const number = (key: string, fallback: number): number => Number(asked[key] ?? fallback);
  const isNumbered = "page" in asked || "hitsPerPage" in asked;
  const limit = isNumbered ? number("hitsPerPage", 20) : number("limit", 20);
  const offset = isNumbered ? (number("page", 1) - 1) * limit : number("offset", 0);
  const all = drawnItems().slice(0, KINDS);
  const hits = all.slice(offset, offset + limit).map(({ itemId }, i) => ({ id: itemId, place: offset + i }));
  const numbers = isNumbered
    ? { hitsPerPage: limit, page: number("page", 1), totalPages: Math.ceil(all.length / limit), totalHits: all.length }
    : { offset, limit, estimatedTotalHits: all.length };
  return Response.json({ hits, query: asked["q"], processingTimeMs: 1, ...numbers });
};

interface MeiliReply {
  readonly hits: readonly { readonly id: string; readonly place: number }[];
}

const open = (vars: object = {}) =>
  openEdge({
    catalog: CATALOG,
    engine: stand,
    vars: {
      INDEXES: {
        movies: { backend: "meilisearch", url: MEILI, window: WINDOW, catalog: CATALOG },
        products: { backend: "elasticsearch", url: ENGINE_URL, window: WINDOW, catalog: CATALOG },
      },
      ENGINE_AUTHORIZATION: JSON.stringify({ movies: "Bearer meili-key" }),
      ...vars,
    },
  });

const path = "/indexes/movies/search";
const VARS = { INDEXES: { movies: { backend: "meilisearch", url: MEILI, window: WINDOW, catalog: CATALOG } } };

/** As the engine answers: pins by rules at 0 and 4, and details only where they are asked for. */
const ruled =
  (kinds: (place: number) => object = () => ({ words: { order: 0, score: 1 } }), pins: readonly number[] = [0, 4]): Engine =>
  async (request) => {
    const asked: Readonly<Record<string, unknown>> = JSON.parse(await request.text());
    const [offset, limit] = [Number(asked["offset"] ?? 0), Number(asked["limit"] ?? 20)];
    const hits = drawnItems()
      .slice(0, KINDS)
      .map(({ itemId }, place) => ({
        id: itemId,
        place,
        ...(asked["showRankingScore"] === true && { _rankingScore: 1 - place / 100 }),
        ...(asked["showRankingScoreDetails"] === true && {
          _rankingScoreDetails: pins.includes(place) ? { pin: { order: 0, position: place } } : kinds(place),
        }),
      }));
    return Response.json({ hits: hits.slice(offset, offset + limit), query: asked["q"], processingTimeMs: 1, offset, limit });
  };

const placesOf = async (edge: ReturnType<typeof openEdge>, body: object): Promise<readonly number[]> => {
  const response = await edge.send(path, postJson({ q: "red velvet sofa", ...body }));
  expect(outcomeOf(response)).toBe("offset" in body && Number(body.offset) >= WINDOW ? "beyond_window" : "applied");
  const text = await response.text();
  expect(text).not.toContain("_rankingScoreDetails");
  expect(text.includes("_rankingScore")).toBe("showRankingScore" in body);
  const reply: MeiliReply = JSON.parse(text);
  return reply.hits.map((hit) => hit.place);
};

describe("an index with rules", () => {
  const whole = [...Array(WINDOW).keys()];

  it.each([WINDOW, 7])("keeps its pins without the client's help, in pages of %d", async (limit) => {
    const edge = openEdge({ catalog: CATALOG, engine: ruled(), vars: VARS });
    const places: number[] = [];
    for (let offset = 0; offset < WINDOW; offset += limit) places.push(...(await placesOf(edge, { offset, limit })));
    const shown = places.slice(0, WINDOW);
    expect([shown[0], shown[4]]).toEqual([0, 4]);
    expect(shown).not.toEqual(whole);
    expect(shown.toSorted((a, b) => a - b)).toEqual(whole);
  });

  it("has one order, whether the client wants to see scores or not", async () => {
    const plain = await placesOf(openEdge({ catalog: CATALOG, engine: ruled(), vars: VARS }), { limit: 10 });
    const scored = { limit: 10, showRankingScore: true };
    expect(await placesOf(openEdge({ catalog: CATALOG, engine: ruled(), vars: VARS }), scored)).toEqual(plain);
  });

  it("keeps what is in stock in front where its ranking rules begin with that", async () => {
    const inStock = 12;
    const rules = (place: number) => ({ "stock:desc": { order: 0, value: place < inStock }, words: { order: 1, score: 1 } });
    const edge = openEdge({ catalog: CATALOG, engine: ruled(rules), vars: VARS });
    const shown = await placesOf(edge, { limit: WINDOW });
    expect(shown.slice(0, inStock).toSorted((a, b) => a - b)).toEqual(whole.slice(0, inStock));
    expect(shown.slice(0, inStock)).not.toEqual(whole.slice(0, inStock));
    expect(shown.toSorted((a, b) => a - b)).toEqual(whole);
  });

  it("loses and doubles nothing, keeps pins in their places and sections in their order, whatever the pages", async () => {
    const drawn = fc.record({
      window: fc.integer({ min: 2, max: 30 }),
      limit: fc.integer({ min: 4, max: 14 }),
      pins: fc.uniqueArray(fc.nat(KINDS - 1), { maxLength: 4 }),
      inStock: fc.option(fc.nat(KINDS), { nil: undefined }),
      isHybrid: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(drawn, async ({ window, limit, pins, inStock, isHybrid }) => {
        const first = (place: number) => (inStock === undefined ? {} : { "stock:desc": { order: 0, value: place < inStock } });
        const rules = (place: number) => ({ ...first(place), words: { order: inStock === undefined ? 0 : 1, score: 1 } });
        const index = { backend: "meilisearch", url: MEILI, window, catalog: CATALOG };
        const edge = openEdge({ catalog: CATALOG, engine: ruled(rules, pins), vars: { INDEXES: { movies: index } } });
        const places: number[] = [];
        for (let offset = 0; offset < KINDS; offset += limit) {
          const hybrid = isHybrid ? { hybrid: { embedder: "e" } } : {};
          const response = await edge.send(path, postJson({ q: "red velvet sofa", offset, limit, ...hybrid }));
          const reply: MeiliReply = await response.json();
          places.push(...reply.hits.map((hit) => hit.place));
          if (isHybrid) expect(places.toSorted((a, b) => a - b)).toEqual([...places.keys()]);
        }
        expect(places.toSorted((a, b) => a - b)).toEqual([...Array(KINDS).keys()]);
        for (const pin of pins) expect(places[pin]).toBe(pin);
        const free = places.slice(0, window).filter((place) => !pins.includes(place));
        if (inStock !== undefined && !isHybrid) {
          const isBehind = free.map((place) => place >= inStock);
          expect(isBehind).toEqual(isBehind.toSorted((a, b) => Number(a) - Number(b)));
        }
        expect(places.slice(isHybrid ? Math.ceil(window / limit) * limit : window)).toEqual(
          [...Array(KINDS).keys()].slice(isHybrid ? Math.ceil(window / limit) * limit : window),
        );
      }),
      { numRuns: 8 },
    );
  });

  it("ranks each page of a hybrid search within itself, and no hit gets lost", async () => {
    const edge = openEdge({ catalog: CATALOG, engine: ruled(), vars: VARS });
    const places: number[] = [];
    for (let offset = 0; offset < KINDS; offset += 9) {
      const shown = await placesOf(edge, { offset, limit: 9, hybrid: { embedder: "e" } });
      expect(shown.toSorted((a, b) => a - b)).toEqual([...Array(9).keys()].map((i) => offset + i));
      places.push(...shown);
    }
    expect([places[0], places[4]]).toEqual([0, 4]);
    expect(places).toHaveLength(KINDS);
    expect(edge.exchanges).toHaveLength(5);
  });
});

describe("a Meilisearch index", () => {
  it("is re-ranked: whole hits in another order, numbers of the page as asked for", async () => {
    const edge = open();
    const response = await edge.send(path, postJson({ q: "red velvet sofa", limit: 5 }));
    expect(outcomeOf(response)).toBe("applied");
    const reply: MeiliReply = await response.json();
    expect(reply).toMatchObject({ offset: 0, limit: 5, estimatedTotalHits: KINDS });
    expect(reply.hits.map((hit) => hit.place)).not.toEqual([0, 1, 2, 3, 4]);
    expect(edge.exchanges.map(({ url, body }) => [url, JSON.parse(body)])).toEqual([
      [`${MEILI}${path}`, { q: "red velvet sofa", limit: WINDOW, showRankingScore: true, showRankingScoreDetails: true }],
    ]);
    expect(edge.exchanges[0]!.headers.get("authorization")).toBe("Bearer meili-key");
    expect(edge.records[0]).toMatchObject({ user_query: "red velvet sofa" });
  });

  it.each([
    ["offset and limit", (page: number) => ({ offset: page * 7, limit: 7 })],
    ["page and hitsPerPage", (page: number) => ({ page: page + 1, hitsPerPage: 7 })],
  ])("its pages by %s add up to the engine's hits", async (_, asked) => {
    const edge = open();
    const places: number[] = [];
    for (let page = 0; page < 7; page++) {
      const response = await edge.send(path, postJson({ q: "red velvet sofa", ...asked(page) }));
      expect(outcomeOf(response)).toBe(page < 3 ? "applied" : "beyond_window");
      const reply: MeiliReply = await response.json();
      places.push(...reply.hits.map((hit) => hit.place));
    }
    expect(places.toSorted((a, b) => a - b)).toEqual([...Array(KINDS).keys()]);
    expect(places.slice(0, WINDOW)).not.toEqual([...Array(WINDOW).keys()]);
  });

  it("is the engine's own, byte for byte, where it is left alone", async () => {
    const edge = open({ DEFAULT_VARIANT: "control" });
    const response = await edge.send(path, postJson({ q: "red", limit: 4 }));
    expect(outcomeOf(response)).toBe("engine_order");
    expect(await response.bytes()).toEqual(edge.exchanges[0]!.reply);
  });

  it("errors in its own words, the neighbour's in theirs", async () => {
    const edge = open();
    const wrong = await edge.send("/indexes/products/search", postJson({ q: "red" }));
    expect([wrong.status, await wrong.json()]).toEqual([
      404,
      expect.objectContaining({ code: "index_not_found", type: "invalid_request" }),
    ]);
    const method = await edge.send(path, { method: "DELETE" });
    expect([method.status, method.headers.get("allow")]).toEqual([405, "GET, POST"]);
    expect(await method.json()).toMatchObject({ code: "bad_request" });
    const other = await edge.send("/movies/_search", postJson(match("red")));
    expect(await other.json()).toMatchObject({ error: { type: "index_not_found_exception" } });
    const own = await edge.send("/products/_search", postJson(match("red")));
    expect(outcomeOf(own)).toBe("applied");
    expect(edge.exchanges[0]!.headers.get("authorization")).toBeNull();
  });
});
