/** A running Typesense behind the edge. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RunningEdge, startEdge } from "./edge.ts";
import { type Dialect, judgeAll, type Shape } from "./judge.ts";
import { missing, startEngine } from "./launch.ts";
import { judgePaging, type Paging } from "./paging.ts";
import { fillTypesense } from "./shop.ts";

/** Of compose.yaml. */
const KEY = process.env["ARMMT_TEST_TYPESENSE_KEY"] ?? "test";

const problem = missing("typesense");
if (problem !== undefined) console.warn(problem);

const search = (params: Readonly<Record<string, string | number>>): Omit<Shape, "label" | "outcome"> => {
  const given = new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)]));
  return { path: `/collections/products/documents/search?${given.toString()}`, headers: { "x-typesense-api-key": KEY } };
};

const TYPESENSE: Dialect = {
  mask: (body) => body.replaceAll(/"search_time_ms": ?\d+/g, '"search_time_ms":0'),
  hits: ["hits"],
  window: (shape, size) => {
    const [path = "", query = ""] = shape.path.split("?");
    const params = new URLSearchParams(query);
    for (const name of ["page", "offset", "limit"]) params.delete(name);
    params.set("per_page", String(size));
    return { ...shape, path: `${path}?${params.toString()}` };
  },
};

const QUERY = { q: "red", query_by: "title" };

/** Beside the query → outcome. */
const SHAPES: readonly (readonly [outcome: string, params: Readonly<Record<string, string | number>>])[] = [
  ["applied", {}],
  ["applied", { per_page: 5 }],
  ["applied", { page: 2, per_page: 7 }],
  ["applied", { offset: 45, limit: 10 }],
  ["applied", { facet_by: "category" }],
  ["applied", { filter_by: "price:>20" }],
  ["applied", { include_fields: "id,title" }],
  ["applied", { highlight_fields: "title" }],
  ["applied", { sort_by: "_text_match:desc" }],
  ["explicit_sort", { sort_by: "price:asc" }],
  ["grouped", { group_by: "category" }],
  ["size_zero", { per_page: 0 }],
  ["beyond_window", { offset: 60, limit: 5 }],
];

const PAGING: readonly Paging[] = [{ label: "offset, limit", page: (q, offset, limit) => search({ q, query_by: "title", offset, limit }) }];

describe.skipIf(problem !== undefined)("typesense", () => {
  let url: string;
  let edge: RunningEdge;
  beforeAll(async () => {
    ({ url } = await startEngine("typesense"));
    await fillTypesense(url, KEY);
    edge = await startEdge("typesense", url, { forwardCredentials: true });
  });
  afterAll(() => edge?.stop());

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    const shapes = SHAPES.map(([outcome, beside]) => ({ label: JSON.stringify(beside), ...search({ ...QUERY, ...beside }), outcome }));
    expect(await judgeAll(shapes, url, edge.url, TYPESENSE)).toEqual([]);
  });

  it("loses no hit from page to page", async () => {
    expect(await judgePaging(PAGING, url, edge.url, TYPESENSE)).toEqual([]);
  });
});
