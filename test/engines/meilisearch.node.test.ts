/** A running Meilisearch behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEdge, startEdge } from "./edge.ts";
import { type Dialect, judgeAll, type Shape } from "./judge.ts";
import { missing, startEngine } from "./launch.ts";
import { judgePaging, type Paging } from "./paging.ts";
import { fillMeilisearch } from "./shop.ts";

const KEY = process.env["ARMMT_TEST_MEILISEARCH_KEY"];

const problem = missing("meilisearch");
if (problem !== undefined) console.warn(problem);

const PATH = "/indexes/products/search";
const headers = KEY === undefined ? {} : { authorization: `Bearer ${KEY}` };

const search = (body: object): Omit<Shape, "label" | "outcome"> => ({ path: PATH, body: JSON.stringify(body), headers });

const MEILISEARCH: Dialect = {
  mask: (body) =>
    body.replaceAll(/"processingTimeMs": ?\d+/g, '"processingTimeMs":0').replaceAll(/"requestUid": ?"[^"]*"/g, '"requestUid":""'),
  hits: ["hits"],
  window: (shape, size) => {
    const { offset: _, page: __, hitsPerPage: ___, ...body } = Object(JSON.parse(shape.body ?? "{}"));
    return { ...shape, body: JSON.stringify({ ...body, limit: size }) };
  },
};

/** Beside `q` → outcome. */
const SHAPES: readonly (readonly [outcome: string, body: object])[] = [
  ["applied", {}],
  ["applied", { limit: 5 }],
  ["applied", { offset: 5, limit: 7 }],
  ["applied", { offset: 45, limit: 10 }],
  ["applied", { page: 2, hitsPerPage: 10 }],
  ["applied", { facets: ["category"] }],
  ["applied", { filter: "price > 20" }],
  ["applied", { attributesToRetrieve: ["id", "title"] }],
  ["applied", { attributesToHighlight: ["title"] }],
  ["applied", { showRankingScore: true }],
  ["applied", { matchingStrategy: "all" }],
  ["explicit_sort", { sort: ["price:asc"] }],
  ["size_zero", { limit: 0 }],
  ["beyond_window", { offset: 60, limit: 5 }],
];

const PAGING: readonly Paging[] = [
  { label: "offset, limit", page: (q, offset, limit) => search({ q, offset, limit, matchingStrategy: "all" }) },
];

describe.skipIf(problem !== undefined)("meilisearch", () => {
  let url: string;
  let edge: RunningEdge;
  beforeAll(async () => {
    ({ url } = await startEngine("meilisearch"));
    await fillMeilisearch(url, KEY);
    edge = await startEdge("meilisearch", url, { forwardCredentials: true });
  });
  afterAll(() => edge?.stop());

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    const shapes = SHAPES.map(([outcome, beside]) => ({ label: JSON.stringify(beside), ...search({ q: "red", ...beside }), outcome }));
    expect(await judgeAll(shapes, url, edge.url, MEILISEARCH)).toEqual([]);
  });

  it("loses no hit from page to page", async () => {
    expect(await judgePaging(PAGING, url, edge.url, MEILISEARCH)).toEqual([]);
  });
});
