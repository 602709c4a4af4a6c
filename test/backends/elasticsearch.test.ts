import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { EngineRequest } from "../../src/backends/dialect.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { createDialects } from "../../src/backends/dialects.ts";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";
import { annotateReply } from "../../src/backends/json/reply.ts";
import { parseReply, planSearch } from "./one-search.ts";

const backend = ELASTICSEARCH.create(new Map([["products", {}]]));
/** With the client's own key nothing is refused. */
const open = ELASTICSEARCH.create(new Map([["products", { forwardCredentials: true }]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));

const post = (body: string, search = "") => ({ method: "POST", search, body: encode(body) }) as const;
const get = (search: string) => ({ method: "GET", search, body: new Uint8Array() }) as const;
const planOf = (request: Parameters<typeof planSearch>[2]) => planSearch(backend, "products", request);
const bodyOf = (request: EngineRequest) => decode(request.body);
const postJson = (body: unknown, search = "") => planOf(post(JSON.stringify(body), search));
const planOpen = (request: Parameters<typeof planSearch>[2]) => planSearch(open, "products", request);

const MATCH = { match: { title: "red shoes" } };

describe("createDialects()", () => {
  it("gives indexes of one dialect one backend", () => {
    const made = createDialects(
      new Map([
        ["a", { backend: "elasticsearch" }],
        ["b", { backend: "opensearch" }],
        ["c", { backend: "solr" }],
      ]),
      ALL_DIALECTS,
    );
    expect(made.get("a")).toBe(made.get("b"));
    expect(made.get("c")?.name).toBe("solr");
    expect(() => createDialects(new Map([["a", { backend: "lucene" }]]), ALL_DIALECTS)).toThrow(
      'Unknown backend "lucene": use one of elasticsearch, opensearch',
    );
  });
});

describe("plan(): query text", () => {
  it.each<[string, unknown, string | undefined]>([
    ["match", MATCH, "red shoes"],
    ["match with options", { match: { title: { query: " red shoes ", fuzziness: "AUTO" } } }, "red shoes"],
    ["match with a number", { match: { title: 42 } }, "42"],
    ["match_phrase", { match_phrase: { title: "red shoes" } }, "red shoes"],
    ["multi_match", { multi_match: { query: "red shoes", fields: ["title"] } }, "red shoes"],
    ["combined_fields", { combined_fields: { query: "red shoes", fields: ["title"] } }, "red shoes"],
    ["query_string", { query_string: { query: "red AND shoes" } }, "red shoes"],
    ["simple_query_string", { simple_query_string: { query: "red +shoes" } }, "red shoes"],
    ["bool.must as one clause", { bool: { must: MATCH, filter: { term: { category: "x" } } } }, "red shoes"],
    ["bool.must after a clause without text", { bool: { must: [{ match_all: {} }, MATCH] } }, "red shoes"],
    ["bool.should", { bool: { should: [MATCH] } }, "red shoes"],
    ["function_score", { function_score: { query: { bool: { must: [MATCH] } }, functions: [] } }, "red shoes"],
    ["dis_max", { dis_max: { queries: [MATCH, { match: { title: "other" } }] } }, "red shoes"],
    ["filters only", { bool: { filter: [MATCH], must_not: [MATCH] } }, undefined],
    ["match_all", { match_all: {} }, undefined],
    ["term", { term: { category: "shoes" } }, undefined],
    [
      "names, ranges and exclusions",
      { query_string: { query: "title:red AND brand:acme -old price:[1 TO 5] NOT (a b) _id:7 x:>5" } },
      "red acme",
    ],
    [
      "escapes, fuzziness, boosts and patterns",
      { query_string: { query: 'a\\:b mug~2^3 "leather bag"~9 /x.*y/ sho?s* (c OR d)' } },
      "a:b mug leather bag shos c d",
    ],
    ["a query string of everything", { query_string: { query: "*" } }, undefined],
    ["everything, written twice", { query_string: { query: "*:*" } }, undefined],
    ["a simple query string", { simple_query_string: { query: 'title:red | "mug cup" -old + (a b)* OR' } }, "title:red mug cup a b OR"],
    ["a star", { match: { title: "*" } }, undefined],
    [
      "several fields rather than one",
      { bool: { must: [{ match: { store_code: "de" } }, { multi_match: { query: "red mug", fields: ["t"] } }] } },
      "red mug",
    ],
    ["words rather than a code", { bool: { must: [{ match: { store_id: 3 } }, { match: { name: "red" } }] } }, "red"],
    [
      "what most fields are asked for",
      { bool: { should: [{ match: { a: "de" } }, { match: { b: "red" } }, { match_phrase: { c: "red" } }] } },
      "red",
    ],
    ["querqy", { querqy: { matching_query: { query: "red shoes" }, query_fields: ["title"] } }, "red shoes"],
    ["semantic", { semantic: { field: "s", query: "red shoes" } }, "red shoes"],
    ["sparse_vector", { sparse_vector: { field: "s", inference_id: "x", query: "red shoes" } }, "red shoes"],
    ["neural", { neural: { v: { query_text: "red shoes", k: 5 } } }, "red shoes"],
    ["neural_sparse", { neural_sparse: { v: { query_text: "red shoes" } } }, "red shoes"],
    ["knn of a text", { knn: { field: "v", query_vector_builder: { text_embedding: { model_text: "red shoes" } } } }, "red shoes"],
    ["rule", { rule: { organic: MATCH, ruleset_ids: ["r"], match_criteria: {} } }, "red shoes"],
    ["has_child", { has_child: { type: "offer", query: MATCH } }, "red shoes"],
    ["sltr", { sltr: { model: "m", params: { keywords: "red shoes" } } }, "red shoes"],
    ["more_like_this", { more_like_this: { fields: ["t"], like: ["red shoes", { _id: "1" }] } }, "red shoes"],
    ["more_like_this of a document", { more_like_this: { fields: ["t"], like: [{ _id: "1" }] } }, undefined],
    [
      "intervals",
      {
        intervals: {
          t: {
            all_of: {
              intervals: [
                { match: { query: "red" } },
                { any_of: { intervals: [{ match: { query: "shoes" } }, { match: { query: "boots" } }] } },
              ],
            },
          },
        },
      },
      "red shoes",
    ],
    ["white space", { match: { title: "   " } }, undefined],
  ])("from %s", (_, query, expected) => {
    const plan = planOpen(post(JSON.stringify({ query })));
    expect(plan.queryText).toBe(expected);
    expect(plan.bypass?.reason).toBe(expected === undefined ? "no_query_text" : undefined);
  });

  it("prefers what the client says the shopper typed, then q, then the query", () => {
    const ext = { ubi: { user_query: "from ubi" }, armmt: { query: "from armmt" } };
    expect(postJson({ query: MATCH, ext }, "?q=from+q").queryText).toBe("from ubi");
    expect(postJson({ query: MATCH, ext: { armmt: ext.armmt } }, "?q=from+q").queryText).toBe("from armmt");
    expect(postJson({ query: MATCH }, "?q=from%20q").queryText).toBe("from q");
    expect(planOf(get("?q=red+shoes")).queryText).toBe("red shoes");
  });

  it("does not overflow on a query nested without end", () => {
    const body = `{"query":${'{"bool":{"must":'.repeat(60)}{}${"}}".repeat(60)}}`;
    expect(planOf(post(body)).bypass?.reason).toBe("no_query_text");
  });
});

describe("plan(): bypass", () => {
  it.each<[string, unknown, string]>([
    ["explicit_sort", { query: MATCH, sort: [{ price: "asc" }] }, ""],
    ["explicit_sort", { query: MATCH, sort: ["price", "_score"] }, ""],
    ["explicit_sort", { query: MATCH, sort: ["price"] }, "?sort=_score"],
    ["explicit_sort", { query: MATCH }, "?sort=_score&sort=price:asc"],
    ["explicit_sort", { retriever: { standard: { query: MATCH, sort: ["price"] } } }, ""],
    ["grouped", { retriever: { standard: { query: MATCH, collapse: { field: "brand" } } } }, ""],
    ["no_query_text", { query: MATCH }, "?q="],
    ["no_query_text", { query: MATCH }, "?q=*"],
    ["explicit_sort", { query: MATCH, sort: [{ _score: "asc" }] }, ""],
    ["explicit_sort", { query: MATCH }, "?sort=price:asc"],
    ["cursor", { query: MATCH, search_after: [1.5], sort: ["_score"] }, ""],
    ["cursor", { query: MATCH, pit: { id: "x" } }, ""],
    ["cursor", { query: MATCH }, "?scroll=1m"],
    ["grouped", { query: MATCH, collapse: { field: "brand" } }, ""],
    ["size_zero", { query: MATCH, size: 0, aggs: {} }, ""],
    ["size_zero", { query: MATCH, size: 10 }, "?size=0"],
    ["request_not_understood", { query: MATCH, size: -1 }, ""],
    ["request_not_understood", { query: MATCH, from: "two" }, ""],
    ["request_not_understood", { query: MATCH, size: null }, ""],
    ["request_not_understood", { query: MATCH, size: "" }, ""],
    ["request_not_understood", { query: MATCH }, "?size=ten"],
    ["request_not_understood", { query: MATCH }, "?size=2.5"],
    ["request_not_understood", { query: MATCH }, "?size="],
    ["request_not_understood", { query: MATCH }, "?q=a%zz"],
    ["request_not_understood", { query: MATCH }, "?format=json&format=yaml"],
    ["request_not_understood", { query: MATCH, stored_fields: "_none_" }, ""],
    ["request_not_understood", { query: MATCH }, "?filter_path=-hits.hits"],
    ["size_zero", { query: MATCH }, "?filter_path=took,hits.total"],
    ["request_not_understood", { retriever: { rrf: { retrievers: [{ standard: { query: MATCH } }] } }, size: 20 }, ""],
    ["request_not_understood", { query: MATCH }, "?format=yaml"],
    ["request_not_understood", [1], ""],
  ])("%s for %j %s", (reason, body, search) => {
    const plan = planOpen(post(JSON.stringify(body), search));
    expect(plan.bypass?.reason).toBe(reason);
    expect(bodyOf(plan.own)).toBe(JSON.stringify(body));
    expect(plan.own.search).toBe(search);
  });

  it.each([
    "_score",
    ["_score"],
    [{ _score: "desc" }],
    { _score: { order: "desc" } },
    { _score: { order: "DESC" } },
    { _score: {} },
    [],
    ["_score", "_doc"],
    ["_score", { price: "asc" }],
    { _score: "desc", id: "asc" },
  ])("not for sort by score, %j", (sort) => {
    expect(postJson({ query: MATCH, sort }).bypass).toBe(undefined);
  });

  it.each(['{"query":', "null", '{"size":1,"size":2}', '{"ext":{"armmt":{},"armmt":{}}}', "query: x"])(
    "passes %s on as it came, with the client's own key",
    (body) => {
      const plan = planOpen(post(body));
      expect(plan.bypass?.reason).toBe("request_not_understood");
      expect(bodyOf(plan.own)).toBe(body);
    },
  );
});

describe("plan(): the shopper's own request", () => {
  it("is the request as it came", () => {
    const body = '{ "query" : {"match":{"title":"a\\u00e9"}},\n "size" : 24, "min_score":1.0, "big":12345678901234567890 }';
    const plan = planOpen(post(body, "?routing=a%2Fb&pretty"));
    expect(bodyOf(plan.own)).toBe(body);
    expect(plan.own).toMatchObject({ method: "POST", path: "/products/_search", search: "?routing=a%2Fb&pretty" });
  });

  it.each<[string, string]>([
    ['{"query":{},"ext":{"armmt":{"history":["a"]}},"size":1}', '{"query":{},"size":1}'],
    ['{"ext":{"armmt":{}},"query":{}}', '{"query":{}}'],
    ['{"ext":{"armmt":{}}}', "{}"],
    ['{"ext":{"armmt":{}, "ubi":{"query_id":"q"}},"query":{}}', '{"ext":{"ubi":{"query_id":"q"}},"query":{}}'],
    ['{"ext":{"ubi":{} , "armmt":{}},"query":{}}', '{"ext":{"ubi":{}},"query":{}}'],
  ])("loses ext.armmt from %s", (body, expected) => {
    expect(bodyOf(planOf(post(body)).own)).toBe(expected);
  });

  it("loses the edge's own parameters", () => {
    expect(planOf(get("?q=a&armmt_explain&size=2&armmt_variant=control")).own.search).toBe("?q=a&size=2");
    expect(planOf(get("?armmt_explain")).own.search).toBe("");
  });

  it("is sent as POST when a GET has a body, because fetch cannot send that", () => {
    expect(planOf({ ...post("{}"), method: "GET" }).own.method).toBe("POST");
    expect(planOf(get("?q=a")).own).toMatchObject({ method: "GET", body: undefined });
  });

  it.each<[body: object, search: string, offset: number, limit: number]>([
    [{ size: "4", from: "2" }, "", 2, 4],
    [{ size: "4.5" }, "", 0, 4],
    [{ size: 4.5 }, "", 0, 4],
    [{ size: " +4 " }, "", 0, 4],
    [{ size: 4 }, "?size=1&size=2", 0, 2],
    [{ size: 4 }, "?size=1;from=3", 3, 1],
    [{}, "?size=%2B3", 0, 3],
    [{ retriever: { rescorer: { retriever: { standard: { query: MATCH } }, rescore: { window_size: 15 } } } }, "", 0, 15],
    [
      { retriever: { rescorer: { retriever: { standard: { query: MATCH } }, rescore: [{ window_size: 15 }, { window_size: 12 }] } } },
      "",
      0,
      12,
    ],
    [{ retriever: { rrf: { retrievers: [{ standard: { query: MATCH } }] } } }, "", 0, 10],
  ])("has the page of %j %s", (body, search, offset, limit) => {
    const plan = postJson("retriever" in body ? body : { query: MATCH, ...body }, search);
    expect([plan.offset, plan.limit, plan.bypass]).toEqual([offset, limit, undefined]);
  });

  it("reads a body that is in the URL", () => {
    const plan = planOf(
      get(`?source=${encodeURIComponent(JSON.stringify({ query: MATCH, size: 3 }))}&source_content_type=application/json&from=2`),
    );
    expect([plan.queryText, plan.offset, plan.limit]).toEqual(["red shoes", 2, 3]);
    expect(plan.own).toMatchObject({ method: "POST", search: "?from=2", contentType: "application/json" });
    expect(bodyOf(plan.own)).toBe(JSON.stringify({ query: MATCH, size: 3 }));
  });

  it("carries history, tracking and paging to the plan", () => {
    const plan = postJson({
      query: MATCH,
      from: 20,
      size: 5,
      ext: { armmt: { history: ["a", 7, ""] }, ubi: { query_id: "q1", client_id: "c1" } },
    });
    expect(plan.history).toEqual(["a"]);
    expect(plan.ubi).toMatchObject({ queryId: "q1", clientId: "c1", application: undefined });
    expect([plan.offset, plan.limit]).toEqual([20, 5]);
    expect([postJson({ from: 3 }, "?from=7").offset, planOf(get("?q=a")).limit]).toEqual([7, 10]);
  });
});

describe("plan().widen()", () => {
  it.each<[string, string, string, string]>([
    ['{"query":{},"from":20,"size":10}', "", '{"query":{},"from":0,"size":100}', ""],
    ['{ "query":{} }', "", '{"size":100, "query":{} }', ""],
    ["{}", "", '{"size":100}', ""],
    ['{"from":5,"query":{}}', "?size=5", '{"from":0,"query":{}}', "?size=100"],
    ['{"from":5,"query":{}}', "?from=7&routing=x", '{"size":100,"from":5,"query":{}}', "?from=0&routing=x"],
    ['{"ext":{"armmt":{}},"query":{}}', "", '{"size":100,"query":{}}', ""],
    ['{"ext":{"armmt":{}}}', "", '{"size":100}', ""],
    ['{"size":3,"ext":{"armmt":{}},"from":4}', "", '{"size":100,"from":0}', ""],
    ['{"ext":{"armmt":{}},"size":3}', "", '{"size":100}', ""],
    ["", "?q=a&from=3", "", "?q=a&from=0&size=100"],
    ["", "?q=a%20b&size=3&pretty", "", "?q=a%20b&size=100&pretty"],
  ])("%s %s", (body, search, expectedBody, expectedSearch) => {
    const widened = planOf({ ...post(body, search), method: "GET" }).widen(100);
    expect(bodyOf(widened) ?? "").toBe(expectedBody);
    expect(widened.search).toBe(expectedSearch);
  });

  it("changes paging and nothing else, wherever the members stand", () => {
    const member = fc.constantFrom(
      '"query":{"match":{"t":"x"}}',
      '"from": 7',
      '"size" :3',
      '"ext":{"armmt":{"history":["a"]}}',
      '"min_score":1.0',
      '"big":12345678901234567890',
      '"é":"\\ud83d\\ude00"',
    );
    fc.assert(
      fc.property(fc.uniqueArray(member), fc.constantFrom(",", " , ", ",\n  "), (list, separator) => {
        const body = `{${list.join(separator)}}`;
        const plan = planOpen(post(body));
        const expected: Record<string, unknown> = { ...JSON.parse(body), size: 60 };
        if ("from" in expected) expected["from"] = 0;
        delete expected["ext"];
        const widened = bodyOf(plan.widen(60))!;
        expect(JSON.parse(widened)).toEqual(expected);
        if (list.includes('"big":12345678901234567890')) expect(widened).toContain('"big":12345678901234567890');
      }),
    );
  });
});

const identity = (body: unknown, search = "") => postJson(body, search).identity;

describe("plan().identity", () => {
  it("is one for all pages of a search", () => {
    const first = identity({ query: MATCH, aggs: {} });
    expect(identity({ from: 10, query: MATCH, size: 5, aggs: {} })).toBe(first);
    expect(identity({ query: MATCH, aggs: {} }, "?from=20&size=7")).toBe(first);
    expect(identity({ query: MATCH, aggs: {}, ext: { ubi: { query_id: "another" }, armmt: { history: ["a"] } } })).toBe(first);
  });

  it("differs when anything else differs", () => {
    const all = [
      identity({ query: MATCH }),
      identity({ query: { match: { title: "blue shoes" } } }),
      identity({ query: MATCH, min_score: 1 }),
      identity({ query: MATCH }, "?routing=x"),
      identity({ query: MATCH, ext: { rerank: {} } }),
      identity({ query: MATCH, ext: { armmt: { query: "shoes" } } }),
    ];
    expect(new Set(all).size).toBe(all.length);
  });
});

describe("parseReply()", () => {
  const plan = postJson({ query: MATCH });
  const parse = (body: string) => parseReply(backend, encode(body), plan);
  const reasonOf = (body: string) => {
    const reply = parse(body);
    return reply.ok ? undefined : reply.error.reason;
  };

  it("reads ids and scores, also where they stand twice in the reply but once in the hit", () => {
    const reply = parse(
      '{"hits":{"max_score":3,"hits":[{"_source":{"_id":"no","hits":[{}]},"_id":"a/1","_score":2.5},{"_id":"\\u0062","_score":null},{"_id":"c"}]}}',
    );
    expect(reply.ok && reply.value.hits).toEqual([
      { itemId: "a/1", score: 2.5, isPinned: false },
      { itemId: "b", score: undefined, isPinned: false },
      { itemId: "c", score: undefined, isPinned: false },
    ]);
  });

  it("takes the id from another field where the catalogue knows items by it", () => {
    const other = ELASTICSEARCH.create(new Map([["products", { idField: "_source.sku" }]]));
    const ids = (body: string) => {
      const reply = parseReply(other, encode(body), plan);
      return reply.ok ? reply.value.hits.map((hit) => hit.itemId) : reply.error.detail;
    };
    expect(ids('{"hits":{"hits":[{"_id":"1","_source":{"sku":"A-7"}},{"_id":"2","_source":{"sku":12345678901234567890}}]}}')).toEqual([
      "A-7",
      "12345678901234567890",
    ]);
    expect(ids('{"hits":{"hits":[{"_id":"1","_source":{}}]}}')).toBe("hits.hits[0]: no readable _source.sku");
  });

  it("knows hits that the pinned query promoted", () => {
    const reply = parse('{"hits":{"hits":[{"_id":"a","_score":1.7014122e38},{"_id":"b","_score":9.1}]}}');
    expect(reply.ok && reply.value.hits.map((hit) => [hit.isPinned, hit.score])).toEqual([
      [true, undefined],
      [false, 9.1],
    ]);
  });

  it.each([
    ["reply_not_json", ""],
    ["reply_not_json", "<html>"],
    ["reply_not_json", '{"hits":{"hits":[{"_id":"a"}'],
    ["reply_not_search", "[]"],
    ["reply_not_search", '{"error":{"type":"x"},"status":400}'],
    ["reply_not_search", '{"hits":{"total":3}}'],
    ["reply_not_search", '{"hits":{"hits":{}}}'],
    ["reply_not_search", '{"hits":{"hits":[{"_score":1}]}}'],
    ["reply_not_search", '{"hits":{"hits":[{"_id":[7,8]}]}}'],
    ["reply_not_search", '{"hits":{"hits":[{"_id":[]}]}}'],
    ["reply_not_search", '{"hits":{"hits":[null]}}'],
    ["reply_not_search", '{"hits":{"hits":[{"_id":"a","_id":"b"}]}}'],
    ["reply_not_search", '{"hits":{"hits":[]},"hits":{"hits":[]}}'],
    ["duplicate_ids", '{"hits":{"hits":[{"_id":"a"},{"_id":"b"},{"_id":"\\u0061"}]}}'],
  ])("%s for %s", (reason, body) => {
    expect(reasonOf(body)).toBe(reason);
  });

  it("assembles any choice of hits from whole hits, and the same bytes for the engine's order", () => {
    const source = fc.dictionary(fc.constantFrom("_id", "hits", "price", "titlé", '"'), fc.jsonValue({ maxDepth: 2 }));
    const reply = fc.record({
      hits: fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), source), { selector: ([id]) => id, maxLength: 15 }),
      indent: fc.constantFrom(0, 2),
    });
    fc.assert(
      fc.property(reply, fc.infiniteStream(fc.nat()), ({ hits, indent }, random) => {
        const all = hits.map(([id, fields], i) => ({ _index: "products", _id: id, _score: 10 - i, _source: fields }));
        const body = JSON.stringify(
          { took: 3, hits: { total: { value: 99 }, hits: all }, aggregations: { c: { n: 1 } } },
          undefined,
          indent,
        );
        const parsed = parse(body);
        if (!parsed.ok) throw new Error(parsed.error.detail);
        expect(decode(parsed.value.assemble([...all.keys()]))).toBe(body);

        const order = [...all.keys()].map((index) => ({ index, key: random.next().value })).toSorted((a, b) => a.key - b.key);
        const shown = order.map((hit) => hit.index).slice(0, Math.ceil(all.length / 2));
        const assembled: unknown = JSON.parse(decode(parsed.value.assemble(shown))!);
        expect(assembled).toEqual(
          JSON.parse(JSON.stringify({ ...JSON.parse(body), hits: { total: { value: 99 }, hits: shown.map((i) => all[i]) } })),
        );
      }),
    );
  });
});

describe("annotateReply() and describeError()", () => {
  it("adds one last member, and leaves alone what is no object", () => {
    expect(decode(annotateReply(encode('{"hits":{}}\n'), "armmt", { a: 1 }))).toBe('{"hits":{},"armmt":{"a":1}}\n');
    expect(decode(annotateReply(encode("oops"), "armmt", {}))).toBe("oops");
  });

  it("words errors as Elasticsearch does", () => {
    const { headers, body } = backend.describeError(504, "engine_timeout", "Too late");
    expect(headers).toEqual({ "content-type": "application/json", "x-elastic-product": "Elasticsearch" });
    expect(JSON.parse(body)).toEqual({
      error: { root_cause: [{ type: "engine_timeout", reason: "Too late" }], type: "engine_timeout", reason: "Too late" },
      status: 504,
    });
  });
});
