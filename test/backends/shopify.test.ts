import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dialect, DialectOptions, RequestPlan } from "../../src/backends/dialect.ts";
import { SHOPIFY } from "../../src/backends/shopify.ts";
import { parseReply, type PlannedSearch, planSearch } from "./one-search.ts";

const PATH = "/api/2026-07/graphql.json";
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

const create = (options: DialectOptions = {}): Dialect => SHOPIFY.create(new Map([["products", options]]));
const backend = create();
/** Of an index that forwards the client's own credential. */
const open = create({ forwardCredentials: true });

const planBody = (body: string, on: Dialect = backend, path = PATH, search = "") =>
  on.plan({ method: "POST", path, search, body: encode(body) }, undefined);
const bodyOf = (query: string, variables?: object): string => JSON.stringify({ query, variables });
const plan = (query: string, variables?: object, on: Dialect = backend): PlannedSearch =>
  planSearch(on, undefined, { method: "POST", path: PATH, search: "", body: encode(bodyOf(query, variables)) });

function planAll(query: string, variables?: object, on: Dialect = backend): RequestPlan {
  const planned = planBody(bodyOf(query, variables), on);
  if (!planned.ok) throw new Error(planned.error.message);
  return planned.value;
}

const NODES = "nodes { ... on Product { id } }";
const search = (args: string, below = NODES): string => `search(query: "red", types: PRODUCT, ${args}) { ${below} }`;
const SEARCH = `query Q($q: String!, $first: Int = 8, $after: String, $types: [SearchType!] = [PRODUCT]) {
  search(query: $q, first: $first, after: $after, types: $types) { ${NODES} }
}`;

describe("plan()", () => {
  it.each([
    [{ q: "red" }, 8],
    [{ q: " red ", first: 20, after: null }, 20],
    [{ q: "red", types: ["ARTICLE", "PRODUCT"] }, 8],
  ])("reads a search with %j, sends the same bytes, and never asks for a wider page", (variables, limit) => {
    const read = plan(SEARCH, variables);
    expect([read.queryText, read.offset, read.limit, read.isCursored, read.bypass]).toEqual(["red", 0, limit, true, undefined]);
    expect(read.own).toEqual({
      method: "POST",
      path: PATH,
      search: "",
      body: encode(bodyOf(SEARCH, variables)),
      contentType: "application/json",
    });
    expect(read.widen(60)).toBe(read.own);
    expect(read.by(backend).isMulti).toBe(false);
  });

  it("reads predictive searches", () => {
    const read = plan('{ predictiveSearch(query: "re") { products { id } queries { text } } }');
    expect([read.queryText, read.limit, read.isCursored, read.bypass]).toEqual(["re", 10, true, undefined]);
    expect(plan('query($n: Int) { predictiveSearch(query: "re", limit: $n) { products { id } } }', { n: 4 }).limit).toBe(4);
  });

  it("reads a document that is sent as it is", () => {
    const read = planSearch(backend, undefined, { method: "POST", path: PATH, search: "", body: encode(`{ ${search("first: 5")} }`) });
    expect([read.queryText, read.limit, read.bypass, read.own.contentType]).toEqual(["red", 5, undefined, "application/graphql"]);
  });

  it.each<[string, string, object?]>([
    ["cursor", SEARCH, { q: "red", after: "abc" }],
    ["cursor", `{ ${search('last: 5, before: "abc"')} }`],
    ["cursor", `{ ${search("last: 5")} }`],
    ["explicit_sort", `{ ${search("first: 5, sortKey: PRICE")} }`],
    ["explicit_sort", `query($s: SearchSortKeys = PRICE) { ${search("first: 5, sortKey: $s")} }`],
    ["explicit_sort", `{ ${search("first: 5, reverse: true")} }`],
    ["size_zero", `{ ${search("first: 0")} }`],
    ["size_zero", `{ ${search("first: 5", "totalCount")} }`],
    ["size_zero", `{ ${search("first: 5", "edges { cursor }")} }`],
    ["no_query_text", SEARCH, { q: " " }],
    // Without a size, of the wrong kind, without ids, with two operations, in parts.
    ["request_not_understood", `{ ${search("sortKey: RELEVANCE")} }`],
    ["request_not_understood", SEARCH, { q: "red", first: "8" }],
    ["request_not_understood", `{ ${search("first: 5", "nodes { ... on Product { title } }")} }`],
    ["request_not_understood", `{ ${search("first: 5", "nodes { ... on Article { id } }")} }`],
    ["request_not_understood", `query A { ${search("first: 5")} } query B { __typename }`],
    ["request_not_understood", `{ ${search("first: 5", "... @defer { nodes { ... on Product { id } } }")} }`],
    // No search for products.
    ["request_not_understood", SEARCH, { q: "red", types: ["ARTICLE", "PAGE"] }],
    ["request_not_understood", '{ predictiveSearch(query: "re") { queries { text } } }'],
    ["request_not_understood", '{ predictiveSearch(query: "re", types: [COLLECTION]) { products { id } } }'],
    ["request_not_understood", "{ __typename }"],
    // Products among others, and nothing that says which is which.
    ["request_not_understood", '{ search(query: "red", first: 5) { nodes { ... on Product { handle } } } }'],
  ])("%s: %s %j", (reason, query, variables) => {
    const options = query.includes("handle") ? { idField: "handle" } : {};
    expect(plan(query, variables, create(options)).bypass?.reason).toBe(reason);
  });

  it.each<[string, object, string | undefined]>([
    ["@include(if: $yes)", { yes: true }, undefined],
    ["@skip(if: $yes)", { yes: false }, undefined],
    ["@include(if: $no)", {}, "No search in it"],
    ["@skip(if: true)", {}, "No search in it"],
    ["@include(if: $yes)", { yes: "true" }, "…"],
    ["@include(if: $yes)", {}, "…"],
    ["@defer", {}, "With @defer the reply comes in parts"],
  ])("a search with %s %j: %s", (directive, variables, detail) => {
    const args = "first: 5";
    for (const field of [
      search(args).replace(" {", ` ${directive} {`),
      `... ${directive} { ${search(args)} }`,
      `... on QueryRoot ${directive} { ${search(args)} }`,
      `...F ${directive}`,
    ]) {
      const fragment = field.startsWith("...F") ? `fragment F on QueryRoot { ${search(args)} }` : "";
      const query = `query($yes: Boolean!, $no: Boolean = false) { ${field} } ${fragment}`;
      expect(plan(query, variables).bypass?.detail).toBe(detail);
    }
    const inside = search("first: 5", `nodes { ... on Product ${directive} { id } }`);
    const bypass = plan(`query($yes: Boolean!, $no: Boolean = false) { ${inside} }`, variables).bypass;
    expect(bypass?.reason).toBe(detail === undefined ? undefined : "request_not_understood");
  });

  it("takes the operation that the request names", () => {
    const query = `query A { ${search("first: 5")} } query B { ${search("first: 6")} }`;
    const named = (operationName: string) => planBody(JSON.stringify({ query, operationName }));
    for (const [name, limit] of [
      ["A", 5],
      ["B", 6],
    ] as const) {
      const planned = named(name);
      expect(planned.ok && planned.value.searches.map((one) => one.limit)).toEqual([limit]);
    }
    const other = named("C");
    expect(other.ok && other.value.searches[0]?.bypass?.reason).toBe("request_not_understood");
  });

  it("reads several searches, and none where articles are searched for", () => {
    const planned = planAll(
      `query($q: String!) {
        a: search(query: $q, first: 5, types: [PRODUCT]) { ${NODES} }
        articles: search(query: $q, first: 5, types: [ARTICLE]) { nodes { ... on Article { id } } }
        ...More
      }
      fragment More on QueryRoot { b: search(query: "blue", first: 6, types: PRODUCT, sortKey: PRICE) { ${NODES} } predictiveSearch(query: $q) { products { id } } }`,
      { q: "red" },
    );
    expect(planned.isMulti).toBe(true);
    expect(planned.searches.map(({ queryText, limit, bypass }) => [queryText, limit, bypass?.reason])).toEqual([
      ["red", 5, undefined],
      ["blue", 6, "explicit_sort"],
      ["red", 10, undefined],
    ]);
    expect(planned.widen([60, 60, 60])).toBe(planned.own);
  });

  it("says whether two requests are pages of one search", () => {
    const contextual = SEARCH.replace(") {", ", $c: CountryCode) @inContext(country: $c) {");
    const of = (variables: object, query = SEARCH) => plan(query, { q: "red", ...variables }).identity;
    const one = of({});
    expect(of({ first: 50 })).toBe(one);
    expect(of({ first: 50, after: "abc", unused: 1 })).toBe(one);
    expect(of({ q: "blue" })).not.toBe(one);
    expect(of({ types: ["PAGE", "PRODUCT"] })).not.toBe(one);
    expect(of({}, SEARCH.replace("first: $first", "first: $first, productFilters: [{ available: true }]"))).not.toBe(one);
    expect(of({ c: "CA" }, contextual)).not.toBe(of({ c: "US" }, contextual));
  });
});

describe("with the edge's own key", () => {
  it.each([
    ["mutation { cartCreate { cart { id } } }", "A mutation is not passed on"],
    ["subscription { x }", "A subscription is not passed on"],
    [`query A { ${search("first: 5")} } mutation B { cartCreate { cart { id } } }`, "A mutation is not passed on"],
    ["{ products(first: 5) { nodes { id } } }", "The field products is not passed on"],
    [`{ ${search("first: 5")} search2: shop { name } }`, "The field shop is not passed on"],
    [
      `{ ${search("first: 5")} ... @include(if: false) { ...F } } fragment F on QueryRoot { ... { search: node(id: 1) { id } } }`,
      "The field node",
    ],
    [`query @inContext(buyer: { customerAccessToken: "t" }) { ${search("first: 5")} }`, "The argument buyer of @inContext"],
    [`{ ${search("first: 5", "nodes { ... on Product { id @of(key: 1) } }")} }`, "The directive @of is not passed on"],
    [`query($x: Int @of) { ${search("first: 5")} }`, "The directive @of is not passed on"],
    [`{ ${search("first: 5, shop: 1")} }`, "The argument shop of search is not passed on"],
    ["{ __schema { types { name } } }", "The field __schema is not passed on"],
    ["{ ...Missing }", "The field ...Missing is not passed on"],
    ["fragment F on QueryRoot { search } fragment F on QueryRoot { shop } { ...F }", 'The fragment "F" is repeated'],
    ["{ search(", "Syntax Error"],
    ["type Query { a: Int }", "ObjectTypeDefinition cannot be executed"],
    ["fragment F on QueryRoot { shop }", "The document holds no operation"],
    [`{ ${"a ".repeat(20_000)} }`, "Syntax Error"],
    [`{ search ${"{ a ".repeat(4999)}`, ""],
    [`{ ${"... { ".repeat(3000)} shop ${"}".repeat(3000)} }`, ""],
  ])("refuses %s", (query, message) => {
    const planned = planBody(bodyOf(query));
    expect(planned.ok ? "passed" : planned.error).toMatchObject({
      status: 400,
      type: "bad_request",
      message: expect.stringContaining(message),
    });
  });

  it.each([
    ["", "The body is empty"],
    ["{", "The body is not JSON"],
    ["[]", "The body is not an object"],
    ['{"query":"{ shop }","query":"{ search }"}', 'The key "query" is repeated'],
    ['{"id":"x"}', "query is not a text"],
    ['{"query":"{ __typename }","variables":"{}"}', "variables is not an object"],
    ['{"query":"{ __typename }","operationName":1}', "operationName is not a text"],
    ['{"query":"{ __typename }","id":"x"}', "The member id is not passed on"],
    ['{"query":"{ __typename }","extensions":{"persistedQuery":{}}}', "The member extensions.persistedQuery is not passed on"],
    ['{"query":"{ __typename }","extensions":{"other":1}}', "The member extensions.other is not passed on"],
    ['{"query":"{ __typename }","extensions":"persistedQuery"}', 'The member extensions."persistedQuery" is not passed on'],
    ["query=mutation%7BcartCreate%7D", "The body is not JSON"],
  ])("refuses the body %s", (body, message) => {
    const planned = planBody(body);
    expect(planned.ok ? "passed" : planned.error.message).toContain(message);
  });

  it("passes what clients say of themselves, and the buyer's country and language", () => {
    const query = `query($c: CountryCode) @inContext(country: $c, language: EN) { ${search("first: 5")} }`;
    expect(planBody(JSON.stringify({ query, extensions: { clientLibrary: { name: "@apollo/client" } } })).ok).toBe(true);
  });

  it("refuses bytes that are not UTF-8", () => {
    const body = encode(`{ ${search("first: 5")} #? }`).map((byte) => (byte === 0x3f ? 0xc3 : byte));
    expect(backend.plan({ method: "POST", path: PATH, search: "", body }, undefined).ok).toBe(false);
  });

  it("refuses parameters, and other paths in any case", () => {
    const body = bodyOf(`{ ${search("first: 5")} }`);
    const refused = planBody(body, backend, PATH, "?query=mutation%7Ba%7D&armmt_explain");
    expect(refused.ok ? "passed" : refused.error.message).toContain("The parameter query=mutation%7Ba%7D is not passed on");
    expect(planBody(body, backend, PATH, "?armmt_explain").ok).toBe(true);
    expect(planBody(body, backend, "/api/unstable/graphql").ok).toBe(true);
    for (const path of ["/api/..%2fadmin/graphql.json", "/api/2026-07/graphql.json/x", "/admin/api/2026-07/graphql.json"]) {
      expect(planBody(body, open, path)).toMatchObject({ ok: false, error: { status: 404 } });
    }
  });
});

describe("where only the client's key goes to the engine", () => {
  it.each([
    bodyOf("mutation { cartCreate { cart { id } } }"),
    bodyOf("{ products(first: 5) { nodes { id } } __schema { types { name } } }"),
    bodyOf("{ search("),
    '{"id":"persisted"}',
    "[]",
    "",
  ])("passes %s on as it is", (body) => {
    const planned = planBody(body, open, PATH, "?a=b");
    if (!planned.ok) throw new Error(planned.error.message);
    expect(planned.value.searches.map(({ bypass }) => bypass?.reason)).toEqual(["request_not_understood"]);
    expect(planned.value.own).toEqual({ method: "POST", path: PATH, search: "?a=b", body: encode(body) });
  });

  it("finds searches among other fields", () => {
    expect(plan(`{ shop { name } ${search("first: 5")} }`, {}, open).bypass).toBeUndefined();
  });
});

const reply = (data: object) => encode(JSON.stringify({ data }));
const gid = (type: string, position: number) => `gid://shopify/${type}/${position}`;
const product = (position: number) => ({ id: gid("Product", position), title: `product ${position}` });
/** Of products, articles and pages. */
const mixed = (below: string): string => `{ search(query: "red", first: 5) { nodes { ${below} } } }`;

describe("parseReply()", () => {
  const both = plan(`{ ${search("first: 5", "list: edges { cursor item: node { ... on Node { key: id } } } same: nodes { ...P }")} }
    fragment P on Product { title }`);

  it("moves nodes, in edges and beside them, and leaves cursors where they are", () => {
    const edges = [0, 1, 2].map((position) => ({ cursor: `c${position}`, item: { key: `gid://shopify/Product/${position}` } }));
    const nodes = [0, 1, 2].map((position) => ({ title: `product ${position}` }));
    const read = parseReply(backend, reply({ search: { list: edges, same: nodes } }), both);
    if (!read.ok) throw new Error(read.error.detail);
    expect(read.value.hits.map(({ itemId, score, isPinned }) => [itemId, score, isPinned])).toEqual(
      edges.map(({ item }) => [item.key, undefined, false]),
    );
    expect(JSON.parse(decode(read.value.assemble([2, 0, 1])))).toEqual({
      data: {
        search: {
          list: [2, 0, 1].map((position, i) => ({ cursor: `c${i}`, item: edges[position]?.item })),
          same: [2, 0, 1].map((position) => nodes[position]),
        },
      },
    });
    expect(decode(read.value.assemble([0, 1, 2]))).toBe(decode(reply({ search: { list: edges, same: nodes } })));
  });

  it.each<[string, object]>([
    ["another length", { list: [], same: [{}] }],
    ["one list alone", { list: [] }],
    ["an edge without its node", { list: [{ cursor: "c" }], same: [{}] }],
    ["a node that is null", { list: [{ item: { key: "gid://shopify/Product/1" } }], same: [null] }],
    ["a list that is none", { list: {}, same: {} }],
  ])("reply_not_search: %s", (_, part) => {
    const read = parseReply(backend, reply({ search: part }), both);
    expect(read.ok ? "read" : read.error.reason).toBe("reply_not_search");
  });

  it.each<[string, string]>([
    ["reply_not_json", '{"data":{"search":{"nodes":['],
    ["reply_not_search", '{"data":null,"errors":[{"message":"no"}]}'],
    ["reply_not_search", '{"errors":[{"message":"Throttled","extensions":{"code":"THROTTLED"}}]}'],
    ["reply_not_search", '{"data":{"search":{"nodes":[]}},"errors":[{"path":["search","nodes",1,"title"]}]}'],
    ["reply_not_search", '{"data":{"search":null}}'],
    ["reply_not_search", '{"data":{"products":{"nodes":[]}}}'],
    ["reply_not_search", '{"data":{"search":{"nodes":[{"title":"a"}]}}}'],
    ["reply_not_search", '{"data":{"search":{"nodes":[{"id":""}]}}}'],
    ["duplicate_ids", '{"data":{"search":{"nodes":[{"id":"a"},{"id":"a"}]}}}'],
  ])("%s for %s", (reason, body) => {
    const read = parseReply(backend, encode(body), plan(`{ ${search("first: 5")} }`));
    expect(read.ok ? "read" : read.error.reason).toBe(reason);
  });

  it("keeps articles and pages where they are, whatever is known of them", () => {
    for (const [below, nodes, hits] of [
      // By their global ids.
      [
        "... on Node { id }",
        [{ id: gid("Article", 1) }, { id: gid("Product", 1) }],
        [
          [gid("Article", 1), true],
          [gid("Product", 1), false],
        ],
      ],
      // By their types.
      ["__typename ... on Product { id }", [{ __typename: "Page" }, { __typename: "Product", id: "a" }], [["a", false]]],
      // Nothing at all was asked of them.
      ["... on Product { id }", [{}, { id: gid("Product", 1) }], [[gid("Product", 1), false]]],
    ] as const) {
      const read = parseReply(backend, reply({ search: { nodes } }), plan(mixed(below)));
      expect(read.ok && read.value.hits.map(({ itemId, isPinned }) => [itemId, isPinned])).toEqual(hits);
    }
    const read = parseReply(
      backend,
      reply({ search: { nodes: [product(1), {}, product(2), product(3)] } }),
      plan(mixed("... on Product { id title }")),
    );
    expect(read.ok && JSON.parse(decode(read.value.assemble([2, 1, 0])))).toEqual({
      data: { search: { nodes: [product(3), {}, product(2), product(1)] } },
    });
  });

  it("knows items by another field, an alias or a metafield, and reads fresh values", () => {
    const nodes = [{ slug: "a", sku: { value: "s1" }, p: { min: { amount: "24.5" } }, availableForSale: true }];
    const below = `nodes { ... on Product {
      slug: handle sku: metafield(namespace: "x", key: "sku") { value } p: priceRange { min: minVariantPrice { amount } } availableForSale
    } }`;
    const hitFields = { price: "priceRange.minVariantPrice.amount", inStock: "availableForSale", rating: "metafields.rating" };
    for (const [idField, itemId] of [
      ["handle", "a"],
      ["sku.value", "s1"],
    ] as const) {
      const other = create({ idField, hitFields });
      const read = parseReply(other, reply({ search: { nodes } }), plan(`{ ${search("first: 5", below)} }`, {}, other));
      expect(read.ok && read.value.hits).toEqual([
        { itemId, score: undefined, isPinned: false, values: { price: 24.5, inStock: 1, rating: undefined } },
      ]);
    }
  });

  it("reads each of several searches, and a doubtful one not at all", () => {
    const planned = planAll(`query($x: Boolean) {
      a: search(query: "red", first: 5, types: PRODUCT) { ${NODES} }
      b: search(query: "blue", first: 5, types: PRODUCT) @include(if: $x) { ${NODES} }
      c: predictiveSearch(query: "r") { products { id } }
    }`);
    const nodes = [product(1), product(2)];
    const read = planned.parseReply(reply({ a: { nodes }, b: { nodes }, c: { products: nodes } }));
    if (!read.ok) throw new Error(read.error.detail);
    expect(read.value.searches.map((one) => (one.ok ? one.value.hits.length : one.error.reason))).toEqual([2, "reply_not_search", 2]);
    expect(JSON.parse(decode(read.value.assemble([undefined, undefined, [1, 0]])))).toEqual({
      data: { a: { nodes }, b: { nodes }, c: { products: nodes.toReversed() } },
    });
  });

  it("finds the products of any document, and changes nothing but their positions", () => {
    const name = fc.constantFrom("x", "y", "node", "edges", "id", "zz");
    const shape = fc.record({
      search: name,
      list: name,
      node: name,
      id: fc.constantFrom("x", "key", "id"),
      isEdges: fc.boolean(),
      isSpread: fc.boolean(),
      count: fc.integer({ min: 1, max: 9 }),
      indent: fc.constantFrom(0, 2),
    });
    fc.assert(
      fc.property(shape, fc.infiniteStream(fc.nat()), ({ search: key, list, node, id, isEdges, isSpread, count, indent }, random) => {
        const item = isSpread ? "...Item" : `__typename ... on Product { ${id}: id title }`;
        const below = isEdges ? `${list}: edges { cursor ${node}: node { ${item} } }` : `${list}: nodes { ${item} }`;
        const query = `query($q: String!) { ...Root }
          fragment Root on QueryRoot { ${key}: search(query: $q, first: 9) { totalCount ...List pageInfo { endCursor } } }
          fragment List on SearchResultItemConnection { ${below} }
          fragment Item on Product { __typename ${id}: id title }`;
        const items = Array.from({ length: count }, (_, i) => ({
          __typename: "Product",
          [id]: `gid://shopify/Product/${i}`,
          title: `é ${i}`,
        }));
        const answer = (order: readonly number[]): string => {
          const elements = order.map((position, i) => (isEdges ? { cursor: `c${i}`, [node]: items[position] } : items[position]));
          const part = { totalCount: count, [list]: elements, pageInfo: { endCursor: `c${count - 1}` } };
          return JSON.stringify({ data: { [key]: part } }, undefined, indent);
        };
        const own = [...items.keys()];
        const order = own
          .map((position) => [random.next().value, position] as const)
          .toSorted(([a], [b]) => a - b)
          .map(([, position]) => position);
        const read = parseReply(backend, encode(answer(own)), plan(query, { q: "red" }));
        if (!read.ok) throw new Error(read.error.detail);
        expect(decode(read.value.assemble(order))).toBe(answer(order));
      }),
    );
  });
});

describe("describeError()", () => {
  it("words errors as GraphQL servers do", () => {
    const { headers, body } = backend.describeError(504, "engine_timeout", "Too late");
    expect(headers).toEqual({ "content-type": "application/json" });
    expect(JSON.parse(body)).toEqual({ errors: [{ message: "Too late", extensions: { code: "ENGINE_TIMEOUT" } }] });
  });
});

describe("SHOPIFY.create()", () => {
  it("needs an index", () => {
    expect(() => SHOPIFY.create(new Map())).toThrow("No index");
  });
});
