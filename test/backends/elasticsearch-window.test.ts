/** What a wider request of Elasticsearch says besides its size, so that it is the same search, and what its reply loses again. */
import { describe, expect, it } from "vitest";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";
import { parseReply, type PlannedSearch, planSearch } from "./one-search.ts";

const open = (options = {}) => ELASTICSEARCH.create(new Map([["products", { forwardCredentials: true, ...options }]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => (bytes === undefined ? "" : new TextDecoder().decode(bytes));

function plan(body: object, search = "", options = {}, accept?: string): PlannedSearch {
  return planSearch(open(options), "products", { method: "POST", search, body: encode(JSON.stringify(body)), accept });
}
const widened = (body: object, search = ""): unknown => JSON.parse(decode(plan(body, search).widen(50).body));

const RED = { match: { title: "red" } };
const KNN = { field: "v", query_vector: [1, 2] };

describe("figures that follow the page", () => {
  it.each<[string, object, string, object]>([
    ["the size of the body", { query: RED, knn: KNN, size: 7 }, "", { knn: { k: 7, ...KNN }, size: 50 }],
    ["the default", { query: RED, knn: KNN }, "", { knn: { k: 10, ...KNN }, size: 50 }],
    ["the body's, not the URL's", { query: RED, knn: KNN, size: 4 }, "?size=7", { knn: { k: 4, ...KNN } }],
    [
      "several",
      { query: RED, knn: [KNN, { ...KNN, k: 3 }] },
      "",
      {
        knn: [
          { k: 10, ...KNN },
          { ...KNN, k: 3 },
        ],
      },
    ],
    [
      "inside of the query: the page's",
      { query: { bool: { should: [RED, { knn: KNN }] } }, size: 4 },
      "?size=7",
      { query: { bool: { should: [RED, { knn: { k: 7, ...KNN } }] } } },
    ],
    [
      "no more than there are candidates",
      { query: { bool: { should: [RED, { knn: { ...KNN, num_candidates: 5 } }] } } },
      "",
      { query: { bool: { should: [RED, { knn: { k: 5, ...KNN, num_candidates: 5 } }] } } },
    ],
    [
      "of an aggregation",
      { query: RED, aggs: { a: { filter: { knn: KNN } } } },
      "",
      { aggs: { a: { filter: { knn: { k: 10, ...KNN } } } } },
    ],
  ])("writes k into a search for neighbours: %s", (_, body, search, expected) => {
    expect(widened(body, search)).toMatchObject(expected);
  });

  it("leaves OpenSearch's neighbours alone, which say k", () => {
    const query = { bool: { should: [RED, { knn: { v: { vector: [1], k: 3 } } }] } };
    expect(widened({ query })).toEqual({ size: 50, query });
  });

  it("gives searches with other pages other lists where the hits depend on it", () => {
    const of = (size: number) => plan({ query: RED, knn: KNN, size }).identity;
    expect(of(5)).not.toBe(of(6));
    expect(plan({ query: RED, size: 5 }).identity).toBe(plan({ query: RED, size: 6 }).identity);
  });

  const standard = { standard: { query: RED } };
  it.each<[string, object, number]>([
    ["rrf", { rrf: { retrievers: [standard], rank_window_size: 30 } }, 30],
    ["rrf by default", { rrf: { retrievers: [standard] } }, 10],
    ["linear", { linear: { retrievers: [{ retriever: standard, weight: 2 }], rank_window_size: 20 } }, 20],
    ["rescorer", { rescorer: { retriever: standard, rescore: { window_size: 15, query: {} } } }, 15],
    ["text_similarity_reranker", { text_similarity_reranker: { retriever: standard, inference_text: "red", rank_window_size: 25 } }, 25],
    ["pinned", { pinned: { retriever: standard, ids: ["a"], rank_window_size: 12 } }, 12],
    ["standard", standard, 50],
  ])("asks %s for no more than its window", (_, retriever, size) => {
    const read = plan({ retriever, size: 5 });
    expect(read.queryText).toBe("red");
    expect(read.bypass).toBe(undefined);
    expect(JSON.parse(decode(read.widen(50).body))).toMatchObject({ size });
    const reply = parseReply(open(), encode('{"hits":{"total":{"value":900},"hits":[{"_id":"a"}]}}'), read);
    expect(reply.ok && "total" in reply.value && reply.value.total).toBe(Math.min(900, size === 50 ? 900 : size));
  });

  it.each<[string, object, string]>([
    ["terminate_after", { query: RED, terminate_after: 100 }, ""],
    ["terminate_after in the URL", { query: RED }, "?terminate_after=100"],
    ["semantic", { query: { bool: { should: [RED, { semantic: { field: "s", query: "red" } }] } } }, ""],
    ["hybrid without a depth", { query: { hybrid: { queries: [RED] } } }, ""],
    ["a service that reads the hits", { query: RED, ext: { rerank: { query_context: { query_text: "red" } } } }, ""],
    ["a pipeline", { query: RED }, "?search_pipeline=p"],
  ])("re-ranks the page within itself: %s", (_, body, search) => {
    const read = plan({ ...body, from: 10, size: 5 }, search);
    expect([read.isCursored, read.bypass]).toEqual([true, undefined]);
    expect(plan({ ...body, from: 15, size: 5 }, search).identity).not.toBe(read.identity);
  });

  it("asks a hybrid query for no more than its depth", () => {
    expect(widened({ query: { hybrid: { queries: [RED], pagination_depth: 20 } } })).toMatchObject({ size: 20 });
  });
});

describe("pins by a boost", () => {
  const pin = { constant_score: { filter: { ids: { values: ["a"] } }, boost: 1e6 } };
  const named = '"_name":"armmt-pin"';
  it.each<[string, object, string]>([
    ["a constant score", { bool: { must: [RED], should: [pin] } }, `"should":[{"constant_score":{${named},`],
    ["ids", { bool: { must: [RED], should: { ids: { values: ["a"], boost: 5000 } } } }, `"ids":{${named},`],
    ["terms", { dis_max: { queries: [RED, { terms: { sku: ["a"], boost: 5000 } }] } }, `"terms":{${named},`],
    ["the id itself", { bool: { must: [RED], should: [{ term: { _id: { value: "a", boost: 5000 } } }] } }, `"_id":{${named},`],
    [
      "the weight of a function",
      { function_score: { query: RED, functions: [{ filter: { term: { _id: "a" } }, weight: 100_000 }] } },
      `"filter":{"bool":{"filter":[{"term":{"_id":"a"}}],${named}}}`,
    ],
    [
      "boosts together",
      { bool: { must: [RED], should: [{ bool: { must: [{ ids: { values: ["a"], boost: 50 } }], boost: 100 } }] } },
      `"ids":{${named},`,
    ],
  ])("names %s", (_, query, expected) => {
    const read = plan({ query, size: 50 });
    expect(read.isAlwaysWidened).toBe(true);
    expect(decode(read.widen(50).body)).toContain(expected);
    expect(decode(read.own.body)).not.toContain("armmt-pin");
  });

  it.each<[string, object]>([
    ["small boosts", { bool: { must: [RED], should: [{ ids: { values: ["a"], boost: 10 } }] } }],
    [
      "texts",
      { bool: { should: [RED, { constant_score: { filter: RED, boost: 5000 } }, { match: { title: { query: "red", boost: 5000 } } }] } },
    ],
    [
      "what the text outweighs",
      { bool: { must: [{ match: { title: { query: "red", boost: 500 } } }], should: [{ ids: { values: ["a"], boost: 2000 } }] } },
    ],
    ["filters", { bool: { must: [RED], filter: [{ ids: { values: ["a"], boost: 5000 } }] } }],
  ])("knows %s for none", (_, query) => {
    expect(decode(plan({ query }).widen(50).body)).not.toContain("armmt-pin");
  });

  it("keeps what is pinned, and cuts the names that only it has asked for", () => {
    const read = plan({ query: { bool: { must: [RED], should: [pin] } } });
    const hits = '{"_id":"a","_score":1000003,"matched_queries":["armmt-pin"]},{"_id":"b","_score":9},{"_id":"c","_score":8}';
    const reply = parseReply(open(), encode(`{"hits":{"hits":[${hits}]}}`), read);
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.hits.map(({ isPinned, score }) => [isPinned, score])).toEqual([
      [true, undefined],
      [false, 9],
      [false, 8],
    ]);
    expect(decode(reply.value.assemble([0, 2]))).toBe('{"hits":{"hits":[{"_id":"a","_score":1000003},{"_id":"c","_score":8}]}}');
  });

  it("knows pins by the names that the client gives them", () => {
    const query = { bool: { must: [RED], should: [{ ids: { values: ["a"], boost: 5000, _name: "top" } }] } };
    const read = plan({ query });
    expect([read.isAlwaysWidened, read.bypass]).toEqual([false, undefined]);
    const body = '{"hits":{"hits":[{"_id":"a","_score":5003,"matched_queries":["top"]},{"_id":"b","_score":9}]}}';
    const reply = parseReply(open(), encode(body), read);
    expect(reply.ok && reply.value.hits.map(({ isPinned }) => isPinned)).toEqual([true, false]);
    expect(reply.ok && decode(reply.value.assemble([0, 1]))).toBe(body);
  });

  it("leaves a list alone whose other names it would change", () => {
    const query = { bool: { must: [{ match: { title: { query: "red", _name: "words" } } }], should: [pin] } };
    expect(plan({ query }).bypass?.reason).toBe("request_not_understood");
  });
});

describe("what the client wants to see", () => {
  it.each<[string, string | undefined]>([
    ["hits.hits._id", "hits.hits._id,hits.hits._score,timed_out,terminated_early,_shards,_clusters,hits.total"],
    ["took,hits", "took,hits,timed_out,terminated_early,_shards,_clusters"],
    ["-_shards", ""],
    ["-hits.hits._score,-took", "-took"],
    ["*", undefined],
    ["hits.*.*_id", "hits.*.*_id,hits.hits._score,timed_out,terminated_early,_shards,_clusters"],
    ["-took", undefined],
  ])("asks for more than filter_path=%s", (filter, expected) => {
    const read = plan({ query: RED }, `?filter_path=${filter}`);
    expect(read.bypass).toBe(undefined);
    expect(read.isAlwaysWidened).toBe(expected !== undefined);
    expect(new URLSearchParams(read.widen(50).search).get("filter_path")).toBe(expected ?? filter);
  });

  it("leaves more patterns than anybody writes to the engine", () => {
    const [few, many] = [99, 100].map((count) => plan({ query: RED }, `?filter_path=hits${",a.b".repeat(count)}`).bypass);
    expect(few).toBeUndefined();
    expect(many).toMatchObject({ reason: "request_not_understood" });
  });

  it.each(["hits.hits.", "took,hits.hits..", "hits.hits. ,took"])("leaves points at the end to the engine: filter_path=%s", (filter) => {
    expect(plan({ query: RED }, `?filter_path=${filter}`).bypass).toMatchObject({ reason: "request_not_understood" });
  });

  it("leaves a list alone of whose hits nothing is left", () => {
    const read = plan({ query: RED }, "?filter_path=hits.hits.highlight");
    const wide = '{"hits":{"total":{"value":2},"hits":[{"_id":"a","_score":2,"highlight":{}},{"_id":"b","_score":1}]}}';
    expect(parseReply(open(), encode(wide), read)).toMatchObject({ ok: false, error: { reason: "request_not_understood" } });
  });

  it.each(["hits.hits._source", "hits.hits._id,hits.hits._source"])("cuts it out of the reply again: filter_path=%s", (filter) => {
    const read = plan({ query: RED }, `?filter_path=${filter}`);
    const hit = (id: string, score: number) => {
      const asked = filter.includes("_id") ? `"_id":"${id}",` : "";
      return { wide: `{"_id":"${id}","_score":${score},"_source":{"a":1}}`, own: `{${asked}"_source":{"a":1}}` };
    };
    const hits = [hit("a", 9), hit("b", 8), hit("c", 7)];
    const wide = `{"timed_out":false,"_shards":{"total":1,"successful":1},"hits":{"total":{"value":3},"hits":[${hits.map((one) => one.wide).join()}]}}`;
    const reply = parseReply(open(), encode(wide), read);
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.hits.map(({ score }) => score)).toEqual([9, 8, 7]);
    expect(decode(reply.value.assemble([2, 0]))).toBe(`{"hits":{"hits":[${hits[2]!.own},${hits[0]!.own}]}}`);
    expect(decode(reply.value.assemble([]))).toBe("{}");
    const none = parseReply(open(), encode('{"timed_out":false,"_shards":{"total":1,"successful":1},"hits":{"total":{"value":0}}}'), read);
    expect(none.ok && decode(none.value.assemble([]))).toBe("{}");
  });

  it.each<[string, object, string, string | undefined, object]>([
    ["application/cbor", { query: RED }, "", "application/cbor", {}],
    ["application/yaml", { query: RED }, "", "application/yaml, */*", {}],
    ["vnd", { query: RED }, "", "application/vnd.elasticsearch+smile", {}],
    ["_source false", { query: RED, _source: false }, "", undefined, { idField: "_source.sku" }],
    ["_source list", { query: RED, _source: ["title", "sk"] }, "", undefined, { idField: "_source.sku" }],
    ["_source excludes", { query: RED, _source: { excludes: "s*" } }, "", undefined, { idField: "_source.sku" }],
    ["_source in the URL", { query: RED, _source: ["sku"] }, "?_source=title", undefined, { idField: "_source.sku" }],
    ["stored_fields", { query: RED, stored_fields: ["title"] }, "", undefined, { idField: "_source.sku" }],
    ["no field of its own", { query: RED, fields: ["title"] }, "", undefined, { idField: "fields.sku" }],
    ["filter_path", { query: RED }, "?filter_path=hits.hits._source.title", undefined, { idField: "_source.sku" }],
  ])("is left alone at once where it leaves the id out: %s", (_, body, search, accept, options) => {
    expect(plan(body, search, options, accept).bypass?.reason).toBe("request_not_understood");
  });

  it.each<[string, object, string, object]>([
    ["_source list", { query: RED, _source: ["title", "sku"] }, "", { idField: "_source.sku" }],
    ["_source pattern", { query: RED, _source: "s*" }, "", { idField: "_source.sku" }],
    ["_source of the object", { query: RED, _source: ["product"] }, "", { idField: "_source.product.sku" }],
    ["_source and stored_fields", { query: RED, stored_fields: ["title"], _source: true }, "", { idField: "_source.sku" }],
    ["fields", { query: RED, fields: [{ field: "s*" }] }, "", { idField: "fields.sku" }],
    ["format beats accept", { query: RED }, "?format=JSON", {}],
  ])("is re-ranked where the id is seen: %s", (_, body, search, options) => {
    expect(plan(body, search, options, "text/html, */*").bypass).toBe(undefined);
  });

  it("finds the id among the fields, where a catalogue asks for nothing else", () => {
    const read = plan({ query: RED, stored_fields: "_none_", docvalue_fields: ["_id", "_score"] });
    expect(read.bypass).toBe(undefined);
    const reply = parseReply(open(), encode('{"hits":{"hits":[{"_index":"i","_score":2,"fields":{"_id":["7"]}}]}}'), read);
    expect(reply.ok && reply.value.hits.map(({ itemId, score }) => [itemId, score])).toEqual([["7", 2]]);
  });
});

describe("a tie-breaker", () => {
  const read = plan({ query: RED, sort: ["_score", { price: "asc" }] });
  const replyOf = (...scores: number[]) => {
    const hits = scores.map((score, i) => `{"_id":"${i}","_score":${score},"sort":[${score},${i}]}`);
    return parseReply(open(), encode(`{"hits":{"hits":[${hits.join()}]}}`), read);
  };

  it("orders hits of one score only, unless all have one", () => {
    const [mixed, one] = [replyOf(3, 3, 2), replyOf(3, 3, 3)];
    expect([mixed.ok && mixed.value.bypass, one.ok && one.value.bypass?.reason]).toEqual([undefined, "explicit_sort"]);
  });
});

const ask = (path: string, body: object, dialect = open()) =>
  dialect.plan({ method: "POST", path, search: "", body: encode(JSON.stringify(body)) }, undefined);

describe("pages of scrolls and points in time", () => {
  it("pass with the client's own key", () => {
    const [scroll, point] = [ask("/_search/scroll", { scroll_id: "x" }), ask("/_search", { pit: { id: "x" }, query: RED })];
    expect([scroll, point].map((read) => read.ok && [read.value.own.path, read.value.searches[0]?.bypass?.reason])).toEqual([
      ["/_search/scroll", "cursor"],
      ["/_search", "cursor"],
    ]);
  });

  it("are refused otherwise, and so is a search of all indexes", () => {
    const own = ELASTICSEARCH.create(new Map([["products", {}]]));
    const two = ELASTICSEARCH.create(
      new Map([
        ["a", { forwardCredentials: true, url: "http://a" }],
        ["b", { forwardCredentials: true, url: "http://b" }],
      ]),
    );
    const refused = [
      ask("/_search/scroll", { scroll_id: "x" }, own),
      ask("/_search", { pit: { id: "x" } }, own),
      ask("/_search", { query: RED }),
      ask("/_search/scroll", { scroll_id: "x" }, two),
    ];
    expect(refused.map((read) => (read.ok ? "passed" : read.error.status))).toEqual([400, 400, 400, 400]);
  });
});
