/** The main job over the real shop: pages of a search are one list, a permutation of the engine's, made of the engine's own bytes. */
import { beforeAll, describe, expect, it } from "vitest";
import type { ListTensors } from "../../src/ranking/features.ts";
import { ok } from "../../src/result.ts";
import { publish } from "./catalog.ts";
import { idsOf, match, openEdge, outcomeOf, postJson, type ReplyJson, student, WINDOW } from "./edge.ts";

const CATALOG = "paging";
const QUERY = "red";

beforeAll(() => publish(CATALOG));

const edge = openEdge({ catalog: CATALOG });

async function page(from: number, size: number, headers: Readonly<Record<string, string>> = {}): Promise<ReplyJson> {
  const response = await edge.send("/products/_search", postJson(match(QUERY, { from, size }), headers));
  expect(response.status).toBe(200);
  return response.json();
}

const upTo = (count: number, step: number) => Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);

const withoutHits = (text: string) => ({ ...JSON.parse(text), hits: { ...JSON.parse(text).hits, hits: [] } });

async function list(body: unknown, headers = {}): Promise<string | undefined> {
  const response = await edge.send("/products/_search", postJson(body, headers));
  return /list=(\w+)/.exec(response.headers.get("x-armmt") ?? "")?.[1];
}

describe("a re-ranked search", () => {
  it("moves hits, and says by which model over which window", async () => {
    const response = await edge.send("/products/_search", postJson(match(QUERY, { size: WINDOW })));
    expect(response.headers.get("x-armmt")).toMatch(/^applied; model=[A-Za-z0-9.-]+; window=20; list=[0-9a-f]{16}$/);
    expect(response.headers.get("cache-control")).toBe("private, no-store");
    expect(response.headers.get("x-elastic-product")).toBe("Elasticsearch");
    const served = idsOf(await response.json());
    const engine = idsOf(await page(0, WINDOW, { "x-armmt": "off" }));
    expect(served).not.toEqual(engine);
    expect(served.toSorted()).toEqual(engine.toSorted());
  });

  it.each([1, 7, 10, 20, 24, 45])("is the same list in pages of %d, and continues in engine order behind the window", async (size) => {
    const total = (await page(0, 1)).hits.total.value;
    const depth = WINDOW + 30;
    expect(total).toBeGreaterThan(depth);
    const engine = idsOf(await page(0, depth + size, { "x-armmt": "off" }));
    const window = idsOf(await page(0, WINDOW));
    const pages = await Promise.all(upTo(depth, size).map((from) => page(from, size)));
    const shown = pages.flatMap(idsOf);
    expect(shown).toEqual([...window, ...engine.slice(WINDOW)].slice(0, shown.length));
    expect(new Set(shown).size).toBe(shown.length);
    expect(shown.length).toBeGreaterThanOrEqual(depth);
  });

  it("carries each hit's bytes, totals and facets as the engine gave them", async () => {
    const body = { ...match(QUERY, { from: 5, size: 12 }), aggs: { categories: { terms: { field: "category" } } } };
    const served = await (await edge.send("/products/_search", postJson(body))).text();
    const engine = new TextDecoder().decode(edge.exchanges.at(-1)?.reply);
    for (const hit of JSON.parse(served).hits.hits) expect(engine).toContain(JSON.stringify(hit));
    expect(withoutHits(served)).toEqual(withoutHits(engine));
    expect(JSON.parse(served).hits.hits).toHaveLength(12);
  });

  it("asks the engine once, for the window, whatever the page", async () => {
    const before = edge.exchanges.length;
    await page(8, 10);
    expect(edge.exchanges).toHaveLength(before + 1);
    expect(JSON.parse(edge.exchanges.at(-1)!.body)).toEqual(match(QUERY, { from: 0, size: WINDOW }));
  });

  it("is found by GET and ?q= as well", async () => {
    const response = await edge.send(`/products/_search?q=${QUERY}&from=3&size=4`);
    expect(outcomeOf(response)).toBe("applied");
    expect(idsOf(await response.json())).toHaveLength(4);
    expect(edge.exchanges.at(-1)!.url).toMatch(/\?q=red&from=0&size=20$/);
  });

  it("follows the shopper's history, from the header or the body, and shows the engine none of it", async () => {
    const plain = idsOf(await page(0, WINDOW));
    const [seen] = plain.slice(-1);
    const header = idsOf(await page(0, WINDOW, { "x-armmt-history": `${encodeURIComponent(seen!)},%zz,unknown` }));
    expect(header).not.toEqual(plain);
    expect(header.toSorted()).toEqual(plain.toSorted());

    const ext = { armmt: { history: [seen, "unknown"] } };
    const response = await edge.send("/products/_search", postJson({ ...match(QUERY, { size: WINDOW }), ext }));
    expect(idsOf(await response.json())).toEqual(header);
    expect(edge.exchanges.at(-1)!.body).not.toContain("history");
    expect([...edge.exchanges.at(-1)!.headers.keys()].filter((name) => name.startsWith("x-armmt"))).toEqual([]);
  });

  it("names the same list on every page, and another for another search", async () => {
    const first = await list(match(QUERY, { size: 5 }));
    expect(await list(match(QUERY, { from: 15, size: 10 }))).toBe(first);
    expect(await list(match("blue", { size: 5 }))).not.toBe(first);
    expect(await list(match(QUERY, { size: 5 }), { "x-armmt-history": "p1" })).not.toBe(first);
  });
});

describe("pages while the engine's window changes", () => {
  it("keep their order when the engine swaps equals, and are ranked anew when a product comes or goes", async () => {
    const hits = idsOf(await page(0, WINDOW, { "x-armmt": "off" }));
    let order = hits;
    const engine = (): Response =>
      Response.json({ hits: { total: { value: order.length }, hits: order.map((id) => ({ _id: id, _score: 1 })) } });
    const changing = openEdge({ catalog: CATALOG, engine });
    const ask = async () => idsOf(await (await changing.send("/products/_search", postJson(match(QUERY)))).json());

    const first = await ask();
    order = hits.toReversed();
    expect(await ask()).toEqual(first);
    order = hits.slice(1);
    const gone = idsOf(await (await changing.send("/products/_search", postJson(match(QUERY, { size: WINDOW })))).json());
    expect(gone.toSorted()).toEqual(hits.slice(1).toSorted());
  });
});

describe("promoted hits", () => {
  it("keep their slots while the others are re-ranked around them", async () => {
    const ids = idsOf(await page(0, WINDOW, { "x-armmt": "off" }));
    // What the pinned query of Elasticsearch gives its documents.
    const scores = ids.map((_, place) => (place === 0 || place === 3 ? 1.7014122e38 : 9 - place / 10));
    const engine = (): Response => Response.json({ hits: { hits: ids.map((id, place) => ({ _id: id, _score: scores[place] })) } });
    const pinning = openEdge({ catalog: CATALOG, engine });
    const served = idsOf(await (await pinning.send("/products/_search", postJson(match(QUERY, { size: WINDOW })))).json());
    expect([served[0], served[3]]).toEqual([ids[0], ids[3]]);
    expect(served).not.toEqual(ids);
    expect(served.toSorted()).toEqual(ids.toSorted());
  });
});

describe("a list that was ranked before", () => {
  it("is remembered for other pages, and ranked again for a client that wants no cache", async () => {
    if (!student.ok) throw new Error(student.error.detail);
    const { value: scorer } = student;
    let runs = 0;
    const counting = ok({
      manifest: scorer.manifest,
      score: (tensors: ListTensors) => {
        runs++;
        return scorer.score(tensors);
      },
    });
    const counted = openEdge({ catalog: CATALOG, scorer: counting });
    const serve = async (from: number, headers = {}) =>
      outcomeOf(await counted.send("/products/_search", postJson(match(QUERY, { from, size: 5 }), headers)));
    expect([await serve(0), await serve(5)]).toEqual(["applied", "applied"]);
    expect(runs).toBe(1);
    expect(await serve(0, { "cache-control": "no-cache" })).toBe("applied");
    expect(runs).toBe(2);
  });
});
