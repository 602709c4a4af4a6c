/**
 * Recorded and documented replies of real engines, where ../shared has them: each read by its own dialect, taken apart and put together
 * again, and refused by all others.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { ClientRequest, RequestPlan, RequestReply } from "../../src/backends/dialect.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { createDialects } from "../../src/backends/dialects.ts";
import type { Bypass, Result } from "../../src/result.ts";

const FIXTURES = fileURLToPath(new URL("../../../shared/data/fixtures/backends/", import.meta.url));

const isPresent = existsSync(FIXTURES);
if (!isPresent) console.warn("The recorded replies are not beside this checkout (../shared/data): the check against them is skipped");

const post = (path: string, body: unknown): ClientRequest => ({
  method: "POST",
  path,
  search: "",
  body: new TextEncoder().encode(JSON.stringify(body)),
});
const get = (path: string, search: string): ClientRequest => ({ method: "GET", path, search, body: new Uint8Array() });

const SHOPIFY = "/api/2026-04/graphql.json";
const SHOPIFY_QUERY = `query($query: String!, $first: Int!) {
  search(query: $query, first: $first, types: [PRODUCT]) { edges { cursor node { __typename ... on Product { id } } } }
}`;

interface Fixture {
  readonly file: string;
  readonly backend: string;
  /** What the path names. */
  readonly index: string | undefined;
  readonly request: ClientRequest;
  /** Per search: how many hits, or the reason for which they are not read; with the first and last id. */
  readonly searches: readonly (readonly [count: number, first?: string, last?: string] | string)[];
  /** Where the hits stand, per search, from the root. */
  readonly lists: readonly (readonly (string | number)[])[];
  /** Of an element, what is moved, where that is not all of it. */
  readonly moved?: string;
  /** Why the order stays although the hits can be read. */
  readonly left?: string;
}

const PHONE = { query: "phone", hitsPerPage: 8, page: 0 };
const ALGOLIA = "/1/indexes/*/queries";

const OWN: readonly Fixture[] = [
  ...(
    [
      ["elasticsearch.search.json", 1, "0", "0"],
      ["opensearch.search-aggregations.json", 4, "1", "4"],
      ["opensearch.search-facets.json", 2, "2", "1"],
    ] as const
  ).map(([file, count, first, last]) => ({
    file,
    backend: "elasticsearch",
    index: "shop",
    request: get("/shop/_search", "?q=x"),
    searches: [[count, first, last] as const],
    lists: [["hits", "hits"]],
  })),
  {
    file: "algolia.queries-phone.json",
    backend: "algolia",
    index: "*",
    request: post(ALGOLIA, { requests: [{ indexName: "shop", ...PHONE }] }),
    searches: [[8, "131306430", "131240720"]],
    lists: [["results", 0, "hits"]],
  },
  {
    file: "algolia.multi-queries.json",
    backend: "algolia",
    index: "*",
    request: post(ALGOLIA, {
      requests: [
        { indexName: "shop", query: "case", hitsPerPage: 20 },
        { indexName: "shop", query: "case", hitsPerPage: 1 },
      ],
    }),
    searches: [[20, "4712037", "1042034"], [1]],
    lists: [
      ["results", 0, "hits"],
      ["results", 1, "hits"],
    ],
  },
  {
    file: "typesense.multi-search.json",
    backend: "typesense",
    index: undefined,
    request: post("/multi_search", { searches: [{ collection: "shop", q: "prepaid phone", query_by: "name", per_page: 8 }] }),
    searches: [[8, "1172"]],
    lists: [["results", 0, "hits"]],
  },
  {
    file: "typesense.multi-search-grouped.json",
    backend: "typesense",
    index: undefined,
    request: post("/multi_search", { searches: [{ collection: "shop", q: "phone", query_by: "name", group_by: "brand" }] }),
    searches: ["reply_not_search"],
    lists: [],
  },
  {
    file: "meilisearch.search.json",
    backend: "meilisearch",
    index: "shop",
    request: post("/indexes/shop/search", { q: "american ", limit: 2 }),
    searches: [[2, "2770", "190859"]],
    lists: [["hits"]],
  },
  {
    file: "meilisearch.search-facets.json",
    backend: "meilisearch",
    index: "shop",
    request: post("/indexes/shop/search", { q: "classic", facets: ["genres"] }),
    searches: [[1, "5", "5"]],
    lists: [["hits"]],
  },
  ...(
    [
      ["solr.select.json", "?q=cat:electronics", [1, "SP2514N", "SP2514N"]],
      ["solr.select-highlighting.json", "?q=apple", [1, "MA147LL/A", "MA147LL/A"]],
      ["solr.select-facets.json", "?q=*:*&rows=0", [0]],
    ] as const
  ).map(([file, search, expected]) => ({
    file,
    backend: "solr",
    index: "shop",
    request: get("/solr/shop/select", search),
    searches: [expected],
    lists: [["response", "docs"]],
  })),
  {
    file: "vespa.search.json",
    backend: "vespa",
    index: undefined,
    request: get("/search/", "?query=cake"),
    searches: [[10, "id:products:product::12"]],
    lists: [["root", "children"]],
    left: "engine_incomplete",
  },
  {
    file: "shopify-storefront.search.constructed.json",
    backend: "shopify",
    index: undefined,
    request: post(SHOPIFY, { query: SHOPIFY_QUERY, variables: { query: "tote", first: 10 } }),
    searches: [[4, "gid://shopify/Product/7000000000001", "gid://shopify/Product/7000000000004"]],
    lists: [["data", "search", "edges"]],
    moved: "node",
  },
];

const DIALECTS = ["elasticsearch", "algolia", "typesense", "meilisearch", "solr", "vespa", "shopify"] as const;

/** Each dialect with one index, `shop`. */
function open(backend: string) {
  return createDialects(new Map([["shop", { backend }]]), ALL_DIALECTS).get("shop")!;
}

const read = (file: string) => new Uint8Array(readFileSync(FIXTURES + file));
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function parse({ backend, index, request }: Fixture, bytes: Uint8Array): { plan: RequestPlan; reply: Result<RequestReply, Bypass> } {
  const dialect = open(backend);
  const plan = dialect.plan(request, index);
  if (!plan.ok) throw new Error(plan.error.message);
  return { plan: plan.value, reply: plan.value.parseReply(bytes) };
}

/** The value at a path, and a copy of the whole with another value there. */
function at(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((inner, key) => (inner !== null && typeof inner === "object" ? Reflect.get(inner, key) : undefined), value);
}

function put(root: object, path: readonly (string | number)[], value: unknown): void {
  const parent = at(root, path.slice(0, -1));
  if (parent !== null && typeof parent === "object") Reflect.set(parent, path.at(-1)!, value);
}

function turned(list: readonly unknown[], moved: string | undefined): unknown[] {
  const last = list.length - 1;
  if (moved === undefined) return list.toReversed();
  return list.map((one, i) => ({ ...Object(one), [moved]: at(list[last - i], [moved]) }));
}

const upTo = (count: number): number[] => [...Array(count).keys()];

describe.skipIf(!isPresent)("replies in ../shared/data/fixtures/backends", () => {
  it.each(OWN)("$file: ids; the same bytes in the same order; in another order, whole hits moved and nothing else", (fixture) => {
    const bytes = read(fixture.file);
    const { reply } = parse(fixture, bytes);
    const parts = reply.ok ? reply.value.searches : [reply];
    expect(parts).toHaveLength(fixture.searches.length);
    const counts = parts.map((part, i) => {
      const expected = fixture.searches[i]!;
      if (typeof expected === "string" || !part.ok) {
        expect(part.ok ? "read" : part.error.reason).toBe(expected);
        return 0;
      }
      const ids = part.value.hits.map(({ itemId }) => itemId);
      const [count, first = ids[0], last = ids.at(-1)] = expected;
      expect([ids.length, ids[0], ids.at(-1), part.value.bypass?.reason]).toEqual([count, first, last, fixture.left]);
      return count;
    });
    if (!reply.ok || fixture.lists.length === 0) return;
    expect(decode(reply.value.assemble(counts.map(upTo)))).toBe(decode(bytes));
    const expected: object = JSON.parse(decode(bytes));
    for (const path of fixture.lists) {
      const list = at(expected, path);
      if (Array.isArray(list)) put(expected, path, turned(list, fixture.moved));
    }
    const moved = JSON.parse(decode(reply.value.assemble(counts.map((count) => upTo(count).toReversed()))));
    expect(moved).toEqual(expected);
  });

  it("has a dialect for every file but the one that is no search", () => {
    const files = readdirSync(FIXTURES).filter((file) => file.endsWith(".json"));
    const known = OWN.map(({ file }) => file);
    expect(files.filter((file) => !known.includes(file))).toEqual(["shopify-storefront.products.json"]);
  });

  const foreign = OWN.flatMap(({ file, backend }) => DIALECTS.filter((other) => other !== backend).map((other) => [file, other] as const));

  it.each([...foreign, ["shopify-storefront.products.json", "shopify"] as const])("%s is not taken for a reply of %s", (file, other) => {
    for (const fixture of OWN.filter(({ backend }) => backend === other)) {
      const { reply } = parse(fixture, read(file));
      const parts = reply.ok ? reply.value.searches : [reply];
      for (const part of parts) expect(part.ok ? "read" : part.error.reason).toMatch(/^(reply_not_search|engine_status)$/);
    }
  });
});
