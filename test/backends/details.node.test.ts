/** What the log says of a search that is left alone: never what a client wrote, whatever is wrong with its request. */
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import type { ClientRequest, GenericOptions } from "../../src/backends/dialect.ts";
import { createDialects } from "../../src/backends/dialects.ts";

const generic: GenericOptions = {
  path: "/v1/search",
  methods: ["GET", "POST"],
  query: ["q"],
  page: "page",
  firstPage: 1,
  limit: "size",
  hits: "results",
  harmless: [],
  leaveAlone: { explicit_sort: [{ name: "sorting", unless: [] }] },
  echo: {},
};

/** A word and a number that nobody else writes. */
const MARKS = [
  "jane.doe@example.com",
  'jane "doe" jane',
  'jane\\"doe',
  4915112345678,
  -4915112345678,
  { jane: "jane" },
  ["jane"],
  null,
  true,
];

const REQUESTS: Readonly<
  Record<string, readonly { path: string; index?: string; body?: object; search?: Readonly<Record<string, string>> }[]>
> = {
  elasticsearch: [
    {
      path: "/goods/_search",
      index: "goods",
      body: { query: { match: { title: "red" } }, from: 0, size: 10, sort: "_score", ext: { ubi: { user_query: "red" } } },
    },
    { path: "/goods/_search", index: "goods", search: { q: "red", from: "0", size: "10", sort: "_score", format: "json", scroll: "1m" } },
  ],
  algolia: [
    {
      path: "/1/indexes/goods/query",
      index: "goods",
      body: {
        query: "red",
        page: 0,
        hitsPerPage: 10,
        params: "query=a&page=1",
        type: "default",
        distinct: 1,
        ranking: ["typo"],
        responseFields: ["*"],
      },
    },
    {
      path: "/1/indexes/*/queries",
      index: "*",
      body: { strategy: "none", requests: [{ indexName: "goods", query: "red", offset: 0, length: 10 }] },
    },
    { path: "/1/indexes/goods", index: "goods", search: { query: "red", page: "0", hitsPerPage: "5" } },
  ],
  typesense: [
    {
      path: "/multi_search",
      body: {
        searches: [
          { collection: "goods", q: "red", per_page: 10, page: 1, sort_by: "_text_match:desc", preset: "a", filter_by: "b", group_by: "c" },
        ],
      },
    },
    { path: "/collections/goods/documents/search", index: "goods", search: { q: "red", per_page: "10", offset: "0", voice_query: "x" } },
  ],
  meilisearch: [
    {
      path: "/indexes/goods/search",
      index: "goods",
      body: { q: "red", offset: 0, limit: 10, page: 1, hitsPerPage: 10, sort: ["a:asc"], distinct: "a", attributesToRetrieve: ["a"] },
    },
    { path: "/multi-search", body: { federation: { limit: 10, offset: 0, distinct: "a" }, queries: [{ indexUid: "goods", q: "red" }] } },
  ],
  solr: [
    {
      path: "/solr/goods/select",
      index: "goods",
      search: { q: "red", start: "0", rows: "10", wt: "json", sort: "score desc", fl: "id", group: "false", cursorMark: "*" },
    },
  ],
  vespa: [
    {
      path: "/search/",
      body: {
        query: "red",
        hits: 10,
        offset: 0,
        type: "all",
        format: "json",
        yql: "select * from x where userQuery()",
        sorting: "a",
        queryProfile: "p",
      },
    },
    {
      path: "/search/",
      search: { query: "red", hits: "10", HITS: "10", offset: "0", encoding: "utf-8", yql: "select a from b where userQuery()" },
    },
  ],
  shopify: [
    {
      path: "/api/2026-07/graphql.json",
      body: {
        query: "query S($q: String!) { search(query: $q, first: 5, sortKey: RELEVANCE) { nodes { id } } }",
        variables: { q: "red", jane: 1 },
        operationName: "S",
        extensions: {},
      },
    },
    ...[
      "{ search(query: MARK) {",
      "fragment jane on P { a } fragment jane on P { a } { search }",
      "query jane { a } query jane { b }",
      "query a { jane } query b { jane }",
      'jane "jane"',
      '{ jane: search(query: "x", first: $jane) { nodes @jane { id } } }',
      '{ search(query: "x", first: 1) @jane(if: true) { nodes { id } } }',
      '{ jane: search(query: "x", first: jane, sortKey: JANE_JANE) { nodes { id } } }',
    ].map((query) => ({ path: "/api/2026-07/graphql.json", body: { query } })),
  ],
  generic: [
    { path: "/v1/search", body: { q: "red", page: 1, size: 10, sorting: "a" } },
    { path: "/v1/search", search: { q: "red", page: "1", size: "10" } },
  ],
};

/** The value with each of its parts, one at a time, replaced by a mark, or named like one. */
function* marked(value: unknown, mark: unknown): Generator {
  yield mark;
  if (Array.isArray(value))
    for (const [i, element] of value.entries()) for (const other of marked(element, mark)) yield value.with(i, other);
  else if (typeof value === "object" && value !== null) {
    for (const [key, inner] of Object.entries(value)) for (const other of marked(inner, mark)) yield { ...value, [key]: other };
    if (typeof mark === "string") yield { ...value, [mark]: mark };
  }
}

/** Texts of the body: each mark in each place, and each of them with a key that is there twice. */
function* bodiesOf(body: object): Generator<string> {
  for (const mark of MARKS) {
    for (const other of marked(body, mark)) {
      const text = JSON.stringify(other);
      yield text;
      if (text.startsWith("{")) yield `{"jane":1,"jane":2,${text.slice(1)}`;
      yield `${text}jane`;
    }
  }
}

function* searchesOf(params: Readonly<Record<string, string>>): Generator<string> {
  for (const mark of ["jane.doe@example.com", '"jane"', "-4915112345678"]) {
    for (const key of Object.keys(params)) {
      const all = new URLSearchParams({ ...params, [key]: mark });
      yield `?${all}`;
      yield `?${all}&${key}=${encodeURIComponent(mark)}&jane=jane&jane=1`;
      yield `?${all}&${key.toUpperCase()}=jane`;
    }
  }
}

describe.each([true, false])("details of bypasses, forwardCredentials: %s", (forwardCredentials) => {
  it.each(Object.entries(REQUESTS))("%s: nothing of the client's", (backend, requests) => {
    const options = { backend, forwardCredentials, ...(backend === "generic" && { generic }) };
    const dialect = createDialects(new Map([["goods", options]]), ALL_DIALECTS).get("goods")!;
    const details = new Set<string>();
    const plan = (request: ClientRequest, index: string | undefined): void => {
      const planned = dialect.plan(request, index);
      for (const { bypass } of planned.ok ? planned.value.searches : []) if (bypass !== undefined) details.add(bypass.detail);
    };
    for (const { path, index, body, search } of requests) {
      for (const text of body === undefined ? [] : bodiesOf(body)) {
        plan({ method: "POST", path, search: "", body: new TextEncoder().encode(text), contentType: "application/json" }, index);
        if (backend === "elasticsearch")
          plan({ method: "POST", path: "/goods/_msearch", search: "", body: new TextEncoder().encode(`{}\n${text}\n`) }, index);
      }
      for (const params of search === undefined ? [] : searchesOf(search)) {
        plan({ method: "GET", path, search: params, body: new Uint8Array() }, index);
        if (backend === "solr" || backend === "vespa")
          plan(
            {
              method: "POST",
              path,
              search: "",
              body: new TextEncoder().encode(params.slice(1)),
              contentType: "application/x-www-form-urlencoded",
            },
            index,
          );
        if (backend === "algolia" || backend === "vespa" || backend === "elasticsearch")
          plan(
            { method: "POST", path: backend === "algolia" ? `${path}/query` : path, search: params, body: new TextEncoder().encode("{}") },
            index,
          );
      }
    }
    // With the edge's key such requests are refused; what is refused leaves no detail.
    if (forwardCredentials) expect(details.size).toBeGreaterThan(1);
    expect([...details].filter((detail) => /jane|4915112345678/i.test(detail))).toEqual([]);
  });
});
