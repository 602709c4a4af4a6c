/** Typesense itself behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TYPESENSE as BACKEND } from "../../src/backends/typesense.ts";
import { wordsOf } from "../../src/backends/words.ts";
import { createRandom } from "../../src/demo/catalogue/random.ts";
import { planSearch } from "../backends/one-search.ts";
import { typesense as standIn } from "../search/dialects/typesense.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { fillArticles, testFronts } from "./fronts.ts";
import { ask, judgeAll, listAt } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { publishedPages, testPages, TYPESENSE_PAGES } from "./pages.ts";
import { KEY, randomQuery, search, SHAPES, TYPESENSE } from "./shapes-typesense.ts";
import { fillTypesense } from "./shop.ts";
import { faultsOf } from "./stand-in.ts";

const problem = missing("typesense");
if (problem !== undefined) console.warn(problem);

const hitsOf = async (base: string, query: string): Promise<readonly string[]> =>
  listAt(TYPESENSE.mask((await ask(base, search(query))).body), TYPESENSE.hits)?.elements ?? [];

const DIALECT = BACKEND.create(new Map([["products", { forwardCredentials: true }]]));

interface Echo {
  readonly page: number;
  readonly request_params: { readonly q: string; readonly per_page: number };
}

/** Words and page, where the engine answers and the edge would re-rank. */
async function compareReadings(query: string, engine: string): Promise<readonly string[]> {
  const shape = search(query);
  const { status, body } = await ask(engine, shape);
  if (status !== 200) return [];
  const plan = planSearch(DIALECT, "products", { method: "GET", search: `?${query}`, body: new Uint8Array() });
  if (plan.bypass !== undefined && plan.bypass.reason !== "explicit_sort") return [];
  const { page, request_params: echoed }: Echo = JSON.parse(body); // oxlint-disable-line no-unsafe-type-assertion
  const faults: string[] = [];
  if (plan.limit !== echoed.per_page) faults.push(`${query}: ${plan.limit} per page, the engine reads ${echoed.per_page}`);
  if (plan.offset !== (page - 1) * echoed.per_page) faults.push(`${query}: from ${plan.offset}, the engine gives page ${page}`);
  if (plan.queryText !== wordsOf(echoed.q)) faults.push(`${query}: the words are ${plan.queryText}, the engine reads ${echoed.q}`);
  return faults;
}

describe.skipIf(problem !== undefined)("typesense", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  const start = async (): Promise<RunningEdge> =>
    startEdge("typesense", engine.url, { forwardCredentials: true, browse: true }, [], await publishedPages());
  beforeAll(async () => {
    engine = await startEngine("typesense");
    await fillTypesense(engine.url, KEY);
    edge = await startEdge("typesense", engine.url, { forwardCredentials: true });
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await engine?.stop();
  });

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    expect(await judgeAll(SHAPES, engine.url, edge.url, TYPESENSE)).toEqual([]);
  }, 120_000);

  testPages(TYPESENSE_PAGES, TYPESENSE, () => engine.url, start);

  it("has a stand-in that answers alike", async () => {
    // Of versions after 0.24.
    const newer = [
      ".request_params.first_q",
      ".results[].request_params.first_q",
      ".grouped_hits[].found",
      ".results[].grouped_hits[].found",
    ].map((part) => `not the engine's: ${part}`);
    expect(await faultsOf(standIn, SHAPES, engine.url, newer)).toEqual([]);
  }, 120_000);

  it("answers random requests", async () => {
    const random = createRandom("typesense");
    const shapes = Array.from({ length: 300 }, () => {
      const query = randomQuery(random);
      return { label: query, ...search(query), outcome: "any" };
    });
    expect(await judgeAll(shapes, engine.url, edge.url, TYPESENSE)).toEqual([]);
  }, 120_000);

  it("reads random requests as the engine does", async () => {
    const random = createRandom("typesense, read");
    const faults: string[] = [];
    for (let i = 0; i < 400; i++) faults.push(...(await compareReadings(randomQuery(random), engine.url))); // oxlint-disable-line no-await-in-loop
    expect(faults).toEqual([]);
  }, 120_000);

  it.each(["q=red", "q=bag", "q=mug", "q=*", "q=*&filter_by=category:=bag"])("loses no hit of %s from page to page", async (asked) => {
    const query = `${asked}&query_by=title`;
    const all = await hitsOf(engine.url, `${query}&per_page=120`);
    // The other one remembers windows that failed.
    const fresh = await start();
    await expect.poll(async () => (await ask(fresh.url, search(query))).outcome, { timeout: 20_000 }).toBe("applied");
    for (const size of [7, 10, 24, 50, 60]) {
      const pages: string[] = [];
      for (let page = 1; pages.length < all.length && page < 30; page++)
        pages.push(...(await hitsOf(fresh.url, `${query}&page=${page}&per_page=${size}`))); // oxlint-disable-line no-await-in-loop
      const seen = pages.slice(0, all.length);
      expect(new Set(pages).size, `${size} per page`).toBe(pages.length);
      expect(all.filter((hit) => !pages.includes(hit))).toEqual([]);
      expect(seen).not.toEqual(all);
    }
    await fresh.stop();
  });

  testFronts(
    "typesense",
    () => engine.url,
    (url) => fillArticles(url, KEY),
    { forwardCredentials: true },
  );
});
