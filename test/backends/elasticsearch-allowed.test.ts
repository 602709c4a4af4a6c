/** With the edge's key: what is understood goes to the engine, anything else is refused and named. */
import { describe, expect, it } from "vitest";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";
import { strangeInScript } from "../../src/backends/elasticsearch/script.ts";

const elasticsearch = ELASTICSEARCH.create(
  new Map([
    ["products", {}],
    ["offers", {}],
    ["orders", { forwardCredentials: true }],
  ]),
);
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const MATCH = '{"query":{"match":{"title":"red"}}}';

function ask(body: string, more: { readonly index?: string; readonly search?: string; readonly contentType?: string } = {}) {
  const { index = "products", search = "", contentType } = more;
  return elasticsearch.plan({ method: "POST", path: `/${index}/_search`, search, body: encode(body), contentType }, index);
}

function askSeveral(body: string, index?: string, search = "") {
  const path = index === undefined ? "/_msearch" : `/${index}/_msearch`;
  return elasticsearch.plan({ method: "POST", path, search, body: encode(body) }, index);
}

const refusal = (plan: ReturnType<typeof ask>): string => (plan.ok ? "passed on" : `${plan.error.status} ${plan.error.message}`);

const scoredBy = (length: number) => ({
  script_score: { query: { match: { t: "red" } }, script: { source: "1+".repeat(length / 2 - 1) + "10" } },
});

const twoScripts = (length: number) => JSON.stringify({ query: { bool: { must: [scoredBy(length), scoredBy(length)] } } });

describe("a body", () => {
  it.each<[object, RegExp]>([
    [
      { query: { bool: { filter: [{ terms: { user: { index: "secret", id: "1", path: "x" } } }] } } },
      /^400 query\.bool\.filter\.terms\.user\.index names another index than products, offers:/,
    ],
    [{ query: { terms: { user: { id: "1", path: "x" } } } }, /^400 query\.terms\.user\.index is missing/],
    [{ query: { geo_shape: { l: { indexed_shape: { id: "1" } } } } }, /indexed_shape\.index is missing/],
    [{ query: { terms: { user: { index: ["products", "secret"], id: "1", path: "x" } } } }, /user\.index names another index/],
    [{ query: { terms: { user: { index: "orders", id: "1", path: "x" } } } }, /names another index than products, offers/],
    [{ query: { terms: { user: { index: "", id: "1", path: "x" } } } }, /names another index/],
    [{ query: { terms: { user: { index: 7, id: "1", path: "x" } } } }, /names another index/],
    [{ runtime_mappings: { x: { type: "lookup", target_index: "secret" } } }, /runtime_mappings\.x\.type must be one of boolean, /],
    [{ query: { wrapper: { query: "e30=" } } }, /^400 query\.wrapper is not passed on with the edge's key: take it out, or let/],
    [{ indices_boost: [{ secret: 2 }] }, /indices_boost\.secret names another index/],
    [{ query: { script_score: { query: { match_all: {} }, script: { id: "stored" } } } }, /script\.id is not passed on/],
    [{ script_fields: { x: { script: { source: "while (true) {}" } } } }, /source must be one expression, without "while"/],
    [{ query: { match_all: {} }, profile: true }, /^400 profile is not passed on/],
    [{ query: { match_all: {} }, pit: { id: "x" } }, /^400 pit is not passed on/],
    [{ aggs: { a: { filters: { filters: [{ wrapper: {} }] } } } }, /aggs\.a\.filters\.filters\.wrapper/],
    [{ aggs: { a: { terms: { field: "a" }, aggs: { b: { scripted_metric: {} } } } } }, /aggs\.a\.aggs\.b\.scripted_metric/],
    [{ knn: { field: "v", query_vector_builder: { text_embedding: { model_id: "m" } } } }, /knn\.query_vector_builder/],
    [{ query: { match: { title: { query: "x", analyzer: { a: 1 } } } } }, /analyzer is not passed on as an object/],
  ])("%j", (body, message) => {
    expect(refusal(ask(JSON.stringify(body)))).toMatch(message);
  });

  it("may name the indexes that the edge's key is for", () => {
    const body = { query: { terms: { user: { index: "offers", id: "1", path: "x" } } }, indices_boost: { products: 2 } };
    expect(refusal(ask(JSON.stringify(body)))).toBe("passed on");
  });

  it("may not name an index of another engine", () => {
    const two = ELASTICSEARCH.create(
      new Map([
        ["products", { url: "https://a.example" }],
        ["offers", { url: "https://b.example" }],
      ]),
    );
    const body = encode('{"query":{"terms":{"user":{"index":"offers","id":"1","path":"x"}}}}');
    const plan = two.plan({ method: "POST", path: "/products/_search", search: "", body }, "products");
    expect(refusal(plan)).toMatch(/names another index than products:/);
  });

  it("may say anything with the client's own key", () => {
    const body = '{"query":{"terms":{"user":{"index":"secret","id":"1","path":"x"}}},"profile":true}';
    const plan = ask(body, { index: "orders", search: "?scroll=1m&search_pipeline=x" });
    expect(plan.ok && [decode(plan.value.own.body), plan.value.own.search]).toEqual([body, "?scroll=1m&search_pipeline=x"]);
  });

  it.each<[string, RegExp]>([
    ['{"query":', /not JSON/],
    ["{query:{}}", /not JSON/],
    ['{"size":1}{"size":2}', /not JSON/],
    ['{"size":NaN}', /not JSON/],
    ['{"size":1 /* */}', /not JSON/],
    ['{"size":1,"siz\\u0065":2}', /repeated/],
    ['{"query":{"bool":{"must":[{"match":{"a":1,"a":2}}]}}}', /^400 query\.bool\.must\.match\.a is repeated/],
    ['{"script_fields":{"x":{"script":{"source":"1","params":{"a":1,"a":2}}}}}', /params\.a is repeated/],
    ["[]", /not an object/],
  ])("%s is refused, because parsers could differ on it", (body, message) => {
    expect(refusal(ask(body))).toMatch(message);
  });

  it.each([
    "application/cbor",
    "application/smile",
    "application/yaml",
    "text/plain",
    "application/json; charset=utf-16",
    "application/json, application/cbor",
  ])("of the type %s is not read here", (contentType) => {
    expect(refusal(ask(MATCH, { contentType }))).toMatch(/^400 The content type .* is not passed on/);
  });

  it.each([
    "application/json",
    "Application/JSON; charset=UTF-8",
    "application/vnd.elasticsearch+json; compatible-with=8",
    "application/x-ndjson",
  ])("of the type %s is", (contentType) => {
    expect(refusal(ask(MATCH, { contentType }))).toBe("passed on");
  });
});

describe("parameters of the URL", () => {
  it.each([
    "?index=secret",
    "?scroll=1m",
    "?source=%7B%7D",
    "?search_pipeline=x",
    "?stats=a",
    "?error_trace",
    "?Q=red",
    "?%69ndex=secret",
    "?pretty;index=secret",
  ])("%s is refused", (search) => {
    expect(refusal(ask("", { search }))).toMatch(/^400 The parameter .* is not passed on with the edge's key/);
  });

  it("may not be two for an engine and one here", () => {
    expect(refusal(ask("", { search: "?q=red;index=secret" }))).toMatch(/The parameter "index" is not passed on/);
    expect(refusal(ask("", { search: "?q=red;size=2" }))).toBe("passed on");
    expect(refusal(ask("", { search: "?q=red%3Bindex=secret" }))).toBe("passed on");
  });
});

describe("the header of a multi-search", () => {
  it.each([
    '{"index":"products","indices":["secret"]}',
    '{"indices":"secret"}',
    '{"index":"products","indic\\u0065s":["secret"]}',
    '{"index":"products","search_pipeline":"x"}',
    '{"index":"products","index":"secret"}',
    '{"index":"products","preference":{"a":1}}',
    '{"index":"products","project_routing":"x"}',
    '{"index":"products","__proto__":"x"}',
  ])("%s is refused", (header) => {
    expect(refusal(askSeveral(`${header}\n${MATCH}\n`))).toMatch(/^400 Line 1: /);
    expect(refusal(askSeveral(`{}\n${MATCH}\n${header}\n${MATCH}\n`, "offers"))).toMatch(/^400 Line 3: /);
  });

  it.each(["cluster:products", "<products-{now/d}>", "prod*", "_all", "*", "", "-offers"])("index %j is refused", (index) => {
    expect(refusal(askSeveral(`${JSON.stringify({ index })}\n${MATCH}\n`))).toMatch(/^40[04] /);
  });

  it("is written anew", () => {
    const plan = askSeveral(`{ "index" : "prod\\u0075cts",\t"preference":"a" }\r\n${MATCH}\n{}\n${MATCH}\n`, "offers");
    expect(plan.ok && decode(plan.value.own.body)).toBe(`{"index":"products","preference":"a"}\n${MATCH}\n{}\n${MATCH}\n`);
    // An engine could skip an empty first line, and take the next one for a header.
    const empty = askSeveral(`\n${MATCH}\n`, "offers");
    expect(empty.ok && decode(empty.value.own.body)).toBe(`{}\n${MATCH}\n`);
  });

  it("stays as it is with the client's own key, search by search", () => {
    const header = '{"indices":["a"],"index": "orders"}';
    const plan = askSeveral(`${header}\n${MATCH}\n{ "index":"products" }\n${MATCH}\n`);
    expect(plan.ok && decode(plan.value.own.body)).toBe(`${header}\n${MATCH}\n{"index":"products"}\n${MATCH}\n`);
    expect(refusal(askSeveral(`${header}\n${MATCH}\n{"indices":["a"],"index":"products"}\n${MATCH}\n`))).toMatch(/^400 Line 3: "indices"/);
  });

  it("stands beside parameters that are understood", () => {
    expect(refusal(askSeveral(`{"index":"products"}\n${MATCH}\n`, undefined, "?index=secret"))).toMatch(/^400 The parameter "index"/);
    expect(refusal(askSeveral(`{"index":"products"}\n${MATCH}\n`, undefined, "?max_concurrent_searches=2&typed_keys"))).toBe("passed on");
  });
});

describe("a script", () => {
  it("all scripts of a search together are limited", () => {
    expect(refusal(ask(twoScripts(32_000)))).toBe("passed on");
    expect(refusal(ask(twoScripts(34_000)))).toMatch(/is longer, with other scripts, than 65535 characters/);
  });

  it.each([
    "cosineSimilarity(params.query_vector, 'v') + 1.0",
    "doc['a'].value * params['f'] / (doc['n'].size() > 0 ? 2 : 1e3)",
    '_score * Math.log10(2 + doc["n"].value);',
    "return doc['d'].empty ? 0 : doc['d'].value.toInstant().toEpochMilli() / 1000",
    "MovingFunctions.unweightedAvg(values)",
    "emit(doc['it\\'s'].value)",
    "knn_score",
  ])("%s is an expression", (source) => {
    expect(strangeInScript(source)).toBeUndefined();
  });

  it.each<[string, string]>([
    ["for (int i = 0; i < 9; i++) {}", "for"],
    ["while(true);", "while"],
    ["int f(int n) { f(n) } f(1)", "int"],
    ["def a = 'x'; a += a", "def"],
    ["params.a += params.a", "="],
    ["'x'.replace('x', 'xx')", "replace"],
    ["params.s.splitOnToken('a')", "splitOnToken"],
    ["params.l.stream(x -> x)", "stream"],
    ["1; 2", ";"],
    ["doc.forEach(a::b)", "forEach"],
    ["/* ' */ for(;;) /* ' */ 1", "/*"],
    ["1 // '\n; for(;;) //'", "//"],
    ["/'/.pattern() + '/'", "/"],
    ["return /'/; for(;;) /'/", "/"],
    ["[/[']/, for(;;) '", "/"],
    ["new int[9]", "new"],
    ["1.toString().replace('a', 'b')", "toString"],
    ["'\\u0027 for'", "'"],
    ["ｆor(1)", "ｆ"],
  ])("%s is none: %s", (source, strange) => {
    expect(strangeInScript(source)).toBe(strange);
  });
});
