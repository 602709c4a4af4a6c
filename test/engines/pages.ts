/** Pages without words (category, home) at a real engine, ranked by a table of sales: as for searches, every hit once, and `off` the engine's bytes. */
import { expect, it } from "vitest";
import { formatBrowseTable, type Taught } from "../../src/browse/table.ts";
import { browseKey, browsePointerKey } from "../../src/search/live-browse.ts";
import { documentVersion } from "../../src/search/live-document.ts";
import type { RunningEdge } from "./edge.ts";
import { ask, type Dialect, judgeAll, type Shape } from "./judge.ts";
import { judgePaging, type Paging } from "./paging.ts";
import { PRODUCTS } from "./shop.ts";

const CATEGORIES = ["mug", "bag", "chair"] as const;

/** In every engine's own name of the field: the same pages. */
const FIELDS = ["category", "category.raw"] as const;

/** Products sell by how rarely they are found in the engine's order, so that every page has much to move. */
function salesOf(category: string | undefined): ReadonlyMap<string, Taught> {
  const products = PRODUCTS.filter((product) => category === undefined || product.category === category);
  return new Map(products.filter((_, i) => i % 3 === 0).map(({ id }, i): [string, Taught] => [id, [0.2, 1 + i / 100]]));
}

const TABLE = formatBrowseTable(
  {
    format: 1,
    trust: 1,
    prior: { level: 1, decline: 0.5 },
    pages: [{}, ...FIELDS.flatMap((field) => CATEGORIES.map((category) => ({ [field]: [category] })))],
  },
  [salesOf(undefined), ...FIELDS.flatMap(() => CATEGORIES.map(salesOf))],
);

/** Keys of KV for startEdge(). */
export async function publishedPages(): Promise<ReadonlyMap<string, string>> {
  const version = await documentVersion(TABLE);
  return new Map([
    [browsePointerKey("products"), JSON.stringify({ version, previous: null, publishedAt: new Date(0).toISOString() })],
    [browseKey("products", version), TABLE],
  ]);
}

export interface PageAsks {
  readonly shapes: readonly Shape[];
  readonly ways: readonly Paging[];
}

/** To be called in the describe() of the engine; `start` opens an edge whose index has `browse`. */
export function testPages({ shapes, ways }: PageAsks, dialect: Dialect, engine: () => string, start: () => Promise<RunningEdge>): void {
  it(`ranks ${shapes.length} shapes of pages without words, and loses no hit of them`, async () => {
    const edge = await start();
    try {
      // The table is read behind the first page.
      await expect.poll(async () => (await ask(edge.url, shapes[0]!)).outcome, { timeout: 20_000 }).toBe("applied");
      expect(await judgeAll(shapes, engine(), edge.url, dialect)).toEqual([]);
      expect(await judgePaging(ways, engine(), edge.url, dialect, CATEGORIES)).toEqual([]);
    } finally {
      await edge.stop();
    }
  }, 180_000);
}

const json = (body: object): string => JSON.stringify(body);
const encoded = (params: Readonly<Record<string, string | number>>): string =>
  new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString();

const shapesOf = (outcome: string, asks: readonly Omit<Shape, "label" | "outcome">[]): readonly Shape[] =>
  asks.map((of) => ({ ...of, outcome, label: `page: ${of.path} ${of.body ?? ""}` }));

const elastic = (body: object): Omit<Shape, "label" | "outcome"> => ({ path: "/products/_search", body: json(body) });
const MUGS = { term: { "category.raw": "mug" } };
const mugs = (more: object = {}, bool: object = {}): object => ({ query: { bool: { filter: [MUGS], ...bool } }, ...more });

export const ELASTICSEARCH_PAGES: PageAsks = {
  shapes: [
    ...shapesOf("applied", [
      elastic(mugs()),
      elastic(mugs({ size: 24, aggs: { prices: { histogram: { field: "price", interval: 50 } } } })),
      elastic(mugs({}, { must: { match_all: {} } })),
      elastic(mugs({}, { must_not: [{ term: { in_stock: false } }] })),
      elastic(mugs({ from: 7, size: 9 }, { filter: [MUGS, { range: { price: { lte: 60 } } }, { exists: { field: "price" } }] })),
      elastic({ query: { bool: { must: [{ terms: { "category.raw": ["mug"] } }] } } }),
      elastic({ query: { match_all: {} }, post_filter: MUGS }),
      elastic({ query: { constant_score: { filter: MUGS } } }),
      elastic({
        query: { function_score: { query: { bool: { filter: [MUGS] } }, field_value_factor: { field: "popularity", missing: 1 } } },
      }),
      elastic(mugs({ sort: ["_score"] })),
      elastic(mugs({ _source: ["title"], track_total_hits: false, track_scores: true })),
      elastic({ query: { match_all: {} } }),
      elastic({ size: 30 }),
      elastic({ query: { match_all: {} }, from: 20, size: 12 }),
    ]),
    ...shapesOf("explicit_sort", [elastic(mugs({ sort: [{ price: "asc" }] })), elastic(mugs({ sort: ["_doc"] }))]),
    ...shapesOf("size_zero", [elastic(mugs({ size: 0 }))]),
    ...shapesOf("beyond_window", [elastic({ query: { match_all: {} }, from: 60 })]),
    ...shapesOf("grouped", [elastic(mugs({ collapse: { field: "title.raw" } }))]),
  ],
  ways: [
    {
      label: "a category",
      page: (of, from, size) => elastic({ query: { bool: { filter: [{ term: { "category.raw": of } }] } }, from, size }),
    },
    { label: "all products", page: (_, from, size) => elastic({ query: { match_all: {} }, from, size }) },
  ],
};

const solr = (params: Readonly<Record<string, string | number>>): Omit<Shape, "label" | "outcome"> => ({
  path: `/solr/products/select?${encoded({ q: "*:*", ...params })}`,
});

export const SOLR_PAGES: PageAsks = {
  shapes: [
    ...shapesOf("applied", [
      solr({ fq: "category:mug" }),
      solr({ fq: "category:mug", rows: 24, facet: "true", "facet.field": "category" }),
      solr({ fq: 'category:"mug"', start: 6, rows: 7 }),
      solr({ fq: "{!term f=category}mug" }),
      solr({ fq: "category:(mug)", fl: "id,title" }),
      solr({ fq: "category:mug AND price:[0 TO 80]", rows: 5 }),
      solr({ fq: "category:mug", sort: "score desc" }),
      solr({}),
      solr({ rows: 30 }),
    ]),
    ...shapesOf("explicit_sort", [solr({ fq: "category:mug", sort: "price asc" })]),
    ...shapesOf("size_zero", [solr({ fq: "category:mug", rows: 0 })]),
    ...shapesOf("beyond_window", [solr({ start: 60 })]),
  ],
  ways: [
    { label: "a category", page: (of, start, rows) => solr({ fq: `category:${of}`, start, rows, fl: "id,title,price" }) },
    { label: "all products", page: (_, start, rows) => solr({ start, rows, fl: "id,title,price" }) },
  ],
};

const headers = { "x-typesense-api-key": process.env["ARMMT_TEST_TYPESENSE_KEY"] ?? "test" };
const typesense = (params: Readonly<Record<string, string | number>>): Omit<Shape, "label" | "outcome"> => ({
  path: `/collections/products/documents/search?${encoded({ q: "*", query_by: "title", ...params })}`,
  headers,
});
export const TYPESENSE_PAGES: PageAsks = {
  shapes: [
    ...shapesOf("applied", [
      typesense({ filter_by: "category:=mug" }),
      typesense({ filter_by: "category:=[mug] && price:<80", per_page: 7, page: 2 }),
      typesense({ filter_by: "category:mug", facet_by: "category" }),
      typesense({ filter_by: "category:=mug", sort_by: "_text_match:desc" }),
      typesense({ per_page: 30 }),
      typesense({}),
    ]),
    ...shapesOf("explicit_sort", [typesense({ filter_by: "category:=mug", sort_by: "price:asc" })]),
    ...shapesOf("size_zero", [typesense({ filter_by: "category:=mug", per_page: 0 })]),
    ...shapesOf("beyond_window", [typesense({ page: 7 })]),
  ],
  // Version 0.24 knows whole pages only: typesense.node.test.ts walks through them.
  ways: [],
};

const vespa = (where: string, params: Readonly<Record<string, string | number>> = {}): Omit<Shape, "label" | "outcome"> => ({
  path: `/search/?${encoded({ yql: `select * from products where ${where}`, timeout: "9s", ...params })}`,
});

export const VESPA_PAGES: PageAsks = {
  shapes: [
    ...shapesOf("applied", [
      vespa('category contains "mug"'),
      vespa('category contains ({filter: true}"mug")', { hits: 24 }),
      vespa('true and category contains "mug"', { hits: 7, offset: 7 }),
      vespa("true", { hits: 30 }),
      vespa("true limit 12 offset 4"),
    ]),
    ...shapesOf("explicit_sort", [vespa('category contains "mug" order by price asc'), vespa("true", { sorting: "+price" })]),
    ...shapesOf("size_zero", [vespa('category contains "mug"', { hits: 0 })]),
    ...shapesOf("beyond_window", [vespa("true", { offset: 60 })]),
  ],
  ways: [
    { label: "a category", page: (of, offset, hits) => vespa(`category contains "${of}"`, { offset, hits }) },
    { label: "all products", page: (_, offset, hits) => vespa("true", { offset, hits }) },
  ],
};
