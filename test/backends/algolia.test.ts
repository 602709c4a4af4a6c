import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ALGOLIA } from "../../src/backends/algolia.ts";
import type { DialectOptions, RequestPlan } from "../../src/backends/dialect.ts";
import { parseReply, type PlannedSearch, planSearch } from "./one-search.ts";

const backend = ALGOLIA.create(new Map([["products", {}]]));
const withOptions = (options: DialectOptions) => ALGOLIA.create(new Map([["products", options]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const postText = (body: string, search = "", to = backend) => planSearch(to, "products", { method: "POST", search, body: encode(body) });
const post = (body: unknown, to = backend) => postText(JSON.stringify(body), "", to);
const get = (search: string) =>
  planSearch(backend, "products", { method: "GET", path: "/1/indexes/products", search, body: new Uint8Array() });

const planned = (body: unknown, search = "", index = "*", path = "/1/indexes/*/queries") =>
  backend.plan({ method: "POST", path, search, body: encode(typeof body === "string" ? body : JSON.stringify(body)) }, index);

function queries(body: unknown, search = ""): RequestPlan {
  const plan = planned(body, search);
  if (!plan.ok) throw new Error(plan.error.message);
  return plan.value;
}

function refusalOf(body: unknown, to = backend): string | undefined {
  const plan = to.plan({ method: "POST", path: "/1/indexes/products/query", search: "", body: encode(JSON.stringify(body)) }, "products");
  return plan.ok ? undefined : plan.error.message;
}

describe("plan()", () => {
  it.each<[object, number, number]>([
    [{ query: "red", hitsPerPage: 10 }, 0, 10],
    [{ query: "red", page: 2, hitsPerPage: 10 }, 20, 10],
    [{ query: "red", offset: 7, length: 5 }, 7, 5],
    [{ query: "red", page: null, hitsPerPage: 10, offset: null }, 0, 10],
    [{ query: "red", hitsPerPage: 8, length: 3 }, 0, 8],
    [{ params: "query=red&page=3&hitsPerPage=8" }, 24, 8],
    [{ params: "offset=40&length=10", query: "red" }, 40, 10],
    [{ params: "query=red&page=1", hitsPerPage: 5 }, 5, 5],
  ])("reads the page of %j", (body, offset, limit) => {
    const plan = post(body);
    expect([plan.offset, plan.limit, plan.bypass, plan.queryText, plan.isCursored]).toEqual([offset, limit, undefined, "red", false]);
    expect(plan.own).toEqual({
      method: "POST",
      path: "/1/indexes/products/query",
      search: "",
      body: encode(JSON.stringify(body)),
    });
  });

  it("reads the same from a URL", () => {
    const plan = get("?query=red%20shoes&page=2&hitsPerPage=5&facets=%5B%22brand%22%5D&x-algolia-agent=me");
    expect([plan.queryText, plan.offset, plan.limit, plan.bypass]).toEqual(["red shoes", 10, 5, undefined]);
    expect([plan.own.method, plan.own.path, plan.own.body]).toEqual(["GET", "/1/indexes/products", undefined]);
    expect(plan.widen(60).search).toBe(
      "?query=red%20shoes&page=0&hitsPerPage=60&facets=%5B%22brand%22%5D&x-algolia-agent=me&getRankingInfo=true",
    );
    expect(get("?length=5&query=red&offset=5").widen(60).search).toBe("?length=60&query=red&offset=0&getRankingInfo=true");
    expect(get("?length=5&query=red&offset=5&getRankingInfo=false").widen(60).search).toBe(
      "?length=60&query=red&offset=0&getRankingInfo=true",
    );
  });

  it.each([
    ['{"query":"red", "page" : 4,"hitsPerPage":5}', '{"getRankingInfo":true,"query":"red", "page" : 0,"hitsPerPage":60}'],
    ['{"hitsPerPage":5,"query":"r\\u00e9d"}', '{"getRankingInfo":true,"hitsPerPage":60,"query":"r\\u00e9d"}'],
    ['{"query":"red","offset":10,"length":5}', '{"getRankingInfo":true,"query":"red","offset":0,"length":60}'],
    ['{"query":"red","hitsPerPage":5,"getRankingInfo":false}', '{"query":"red","hitsPerPage":60,"getRankingInfo":true}'],
    [
      '{ "params":"query=red&page=2&hitsPerPage=5&facets=%5B%22a%22%5D" }',
      '{ "params":"query=red&page=0&hitsPerPage=60&facets=%5B%22a%22%5D&getRankingInfo=true" }',
    ],
    ['{"params":"query=a\\"b&page=2","hitsPerPage":5}', '{"params":"query=a\\"b&page=0&getRankingInfo=true","hitsPerPage":60}'],
    ['{"params":"query=a\\u0026facets=b","hitsPerPage":5}', '{"params":"query=a&facets=b&getRankingInfo=true","hitsPerPage":60}'],
    ['{"params":"query=a\\u0026getRankingInfo=1","hitsPerPage":5}', '{"params":"query=a&getRankingInfo=true","hitsPerPage":60}'],
  ])("asks for the window in %s by changing the paging, asking for pins, and nothing else", (own, wide) => {
    const plan = postText(own);
    expect(decode(plan.own.body)).toBe(own);
    expect(decode(plan.widen(60).body)).toBe(wide);
  });

  it("leaves parameters about the client in the URL where they are", () => {
    const plan = postText('{"query":"red","hitsPerPage":5}', "?x-algolia-agent=a%20b&X-Algolia-API-Key=k");
    expect([plan.bypass, plan.own.search, plan.widen(60).search]).toEqual([
      undefined,
      "?x-algolia-agent=a%20b&X-Algolia-API-Key=k",
      "?x-algolia-agent=a%20b&X-Algolia-API-Key=k",
    ]);
  });

  it("re-ranks a page of unknown size within itself", () => {
    expect([post({ query: "red" }), post({ query: "red", page: 1 })].map((plan) => [plan.isCursored, plan.bypass, plan.offset])).toEqual([
      [true, undefined, 0],
      [true, undefined, 20],
    ]);
    expect(post({ query: "red", page: 1 }).identity).not.toBe(post({ query: "red" }).identity);
  });

  it("widens it where the configuration says its size", () => {
    const known = withOptions({ pageSize: 24 });
    const plan = post({ query: "red", page: 2 }, known);
    expect([plan.isCursored, plan.offset, plan.limit]).toEqual([false, 48, 24]);
    expect(decode(plan.widen(72).body)).toBe('{"hitsPerPage":72,"getRankingInfo":true,"query":"red","page":0}');
    expect(decode(post({ params: "query=red" }, known).widen(60).body)).toBe('{"params":"query=red&hitsPerPage=60&getRankingInfo=true"}');
    expect(decode(post({ query: "red", hitsPerPage: null }, known).widen(60).body)).toBe(
      '{"getRankingInfo":true,"query":"red","hitsPerPage":60}',
    );
    const unknown = post({ query: "red", page: 2 });
    expect([unknown.isCursored, decode(unknown.widen(20).body)]).toEqual([true, '{"getRankingInfo":true,"query":"red","page":2}']);
  });

  it("leaves pages behind the hits that the engine gives, where the configuration says how many", () => {
    const limited = withOptions({ paginationLimitedTo: 50 });
    expect(post({ query: "red", page: 2, hitsPerPage: 20 }, limited).bypass).toBeUndefined();
    expect(post({ query: "red", page: 3, hitsPerPage: 20 }, limited).bypass?.reason).toBe("beyond_window");
  });

  it.each<[string, object]>([
    ["explicit_sort", { query: "red", ranking: ["desc(price)", "typo"] }],
    ["explicit_sort", { params: "query=red&ranking=asc(price),typo" }],
    ["grouped", { query: "red", distinct: 2 }],
    ["grouped", { params: "query=red&distinct=3" }],
    ["size_zero", { query: "red", hitsPerPage: 0 }],
    ["size_zero", { query: "red", offset: 3, length: 0 }],
    ["size_zero", { params: "query=red&page=0&hitsPerPage=1&attributesToRetrieve=%5B%5D&facets=type" }],
    ["size_zero", { query: "red", type: "facet", facet: "brand" }],
    ["no_query_text", { query: "  " }],
    ["no_query_text", { filters: "brand:acme", hitsPerPage: 5 }],
    ["request_not_understood", { query: "red", hitsPerPage: "ten" }],
    ["request_not_understood", { query: "red", page: -1 }],
    ["request_not_understood", { query: "red", offset: 5 }],
    ["request_not_understood", { query: "red", offset: 5, length: 5, page: 0 }],
    ["request_not_understood", { query: "red", hitsPerPage: 5, params: "hitsPerPage=6" }],
    ["request_not_understood", { params: "query=red&page=1&page=2" }],
    ["request_not_understood", { query: "red", responseFields: ["nbHits", "hitsPerPage"] }],
    ["request_not_understood", { params: "query=red&responseFields=hits,nbHits" }],
    ["request_not_understood", { query: "red", responseFields: [] }],
    ["request_not_understood", { query: "red", offset: 0, length: 5, responseFields: ["hits", "nbHits", "hitsPerPage"] }],
    ["beyond_window", { query: "red", offset: 500, length: 501 }],
    ["beyond_window", { query: "red", hitsPerPage: 1001 }],
  ])("%s: %j", (reason, body) => {
    expect(post(body).bypass?.reason).toBe(reason);
  });

  it.each<object>([
    { distinct: true },
    { distinct: 1 },
    { ranking: ["typo", "custom"] },
    { responseFields: ["*"] },
    { responseFields: ["hits", "nbHits", "hitsPerPage"] },
    { attributesToRetrieve: ["title"] },
    { attributesToRetrieve: [] },
    { type: "default" },
  ])("re-ranks with %j", (more) => {
    expect(post({ query: "red", hitsPerPage: 5, ...more }).bypass).toBeUndefined();
  });

  it("looks for another id among the attributes", () => {
    const other = withOptions({ idField: "item.sku" });
    const reasonOf = (attributesToRetrieve: readonly string[]) =>
      post({ query: "red", hitsPerPage: 5, attributesToRetrieve }, other).bypass?.reason;
    for (const fields of [["*"], ["item"], ["item.sku", "title"], ["*", "-title"]]) expect(reasonOf(fields)).toBeUndefined();
    for (const fields of [["title"], ["sku"], ["*", "-item"], ["*", "-item.sku"]]) expect(reasonOf(fields)).toBe("request_not_understood");
  });

  it.each(['{"query":', "[]", '{"query":"a","query":"b"}', '{"params":{"query":"red"}}', '{"query":"red","type":"other"}'])(
    "refuses %s, or leaves it to the engine with the client's own key",
    (body) => {
      const request = { method: "POST", path: "/1/indexes/products/query", search: "", body: encode(body) } as const;
      expect(backend.plan(request, "products")).toMatchObject({ ok: false, error: { status: 400, type: "bad_request" } });
      const plan = postText(body, "", withOptions({ forwardCredentials: true }));
      expect(plan.bypass?.reason).toBe("request_not_understood");
      expect(decode(plan.own.body)).toBe(body);
    },
  );

  it("knows that a minus sign excludes only in advanced syntax", () => {
    expect(post({ query: "usb -cable", hitsPerPage: 5 }).queryText).toBe("usb -cable");
    expect(post({ query: "usb -cable", hitsPerPage: 5, advancedSyntax: true }).queryText).toBe("usb");
    expect(post({ query: "-cable", hitsPerPage: 5, advancedSyntax: true }).bypass?.reason).toBe("no_query_text");
  });

  it("names what it does not pass on with the edge's key, and the fix", () => {
    const fix = "take it out, or let the index forward the client's own key (forwardCredentials)";
    expect(refusalOf({ query: "red", beta: 1 })).toBe(`beta is not a parameter that this edge passes on with its own key: ${fix}`);
    expect(refusalOf({ params: "query=red&apiKey=k" })).toMatch(/^apiKey is not/);
    expect(refusalOf({ params: "query=red&restrictIndices=a" })).toMatch(/^restrictIndices is not/);
    expect(refusalOf({ semanticSearch: { eventSources: ["stock"] } })).toMatch(/^semanticSearch\.eventSources names an index that/);
    expect(refusalOf({ query: "red", beta: 1 }, withOptions({ forwardCredentials: true }))).toBeUndefined();
    expect(refusalOf({ query: "red", beta: { a: 1 } }, withOptions({ allowParams: ["beta"] }))).toBeUndefined();
  });

  it("leaves a search to the engine that has parameters in the URL of a POST", () => {
    expect(postText('{"query":"red"}', "?hitsPerPage=5").bypass).toEqual({
      reason: "request_not_understood",
      detail: "The parameter … is in the URL of a POST",
    });
  });

  it("says whether two requests are pages of one search", () => {
    const one = post({ query: "red", hitsPerPage: 5 }).identity;
    expect(post({ query: "red", page: 2, hitsPerPage: 50, clickAnalytics: true, analyticsTags: ["a"] }).identity).toBe(one);
    expect(post({ query: "red", offset: 2, length: 50 }).identity).toBe(one);
    expect(post({ query: "red", hitsPerPage: 5, filters: "a:1" }).identity).not.toBe(one);
    expect(post({ query: "blue", hitsPerPage: 5 }).identity).not.toBe(one);
    const text = post({ params: "query=red&hitsPerPage=5&page=0&analytics=false" }).identity;
    expect(post({ params: "query=red&hitsPerPage=5&page=7" }).identity).toBe(text);
    expect(post({ params: "query=red&hitsPerPage=5&filters=a:1" }).identity).not.toBe(text);
    const inUrl = get("?query=red&page=1&hitsPerPage=5").identity;
    // Browsers' clients name each request.
    for (const name of ["x-algolia-agent", "x-algolia-request-id"]) {
      expect(get(`?query=red&hitsPerPage=5&${name}=a`).identity).toBe(inUrl);
      expect(postText('{"query":"red","hitsPerPage":5}', `?${name}=a`).identity).toBe(one);
      const [first, second] = ["a", "b"].map((value) =>
        queries({ requests: [{ indexName: "products", query: "red" }] }, `?${name}=${value}`),
      );
      expect(second?.searches[0]?.identity).toBe(first?.searches[0]?.identity);
    }
    // Their holder may see other hits, or the same ones in another order.
    for (const name of ["x-algolia-api-key", "x-algolia-usertoken", "X-Algolia-Application-Id"]) {
      expect(get(`?query=red&hitsPerPage=5&${name}=a`).identity).not.toBe(inUrl);
    }
  });

  it("refuses an index that is not configured, and several searches of one index", () => {
    const refused = backend.plan({ method: "POST", path: "/1/indexes/stock/query", search: "", body: encode("{}") }, "stock");
    expect(refused).toEqual({
      ok: false,
      error: { status: 404, type: "not_found", message: "No such index [stock]: add it to INDEXES, with window = 0 to pass it on" },
    });
    expect(planned({ requests: [] }, "", "products", "/1/indexes/products/queries")).toMatchObject({ ok: false, error: { status: 404 } });
  });
});

describe("plan() of several searches", () => {
  const body =
    '{"requests": [{"indexName":"products","query":"red","page":1,"hitsPerPage":4}, {"params":"query=blue&hitsPerPage=3","indexName":"products"},' +
    '{"indexName":"products","type":"facet","facet":"brand"},{"indexName":"products","query":"red","hitsPerPage":0}],"strategy":"none"}';

  it("reads each and widens those that it is told to", () => {
    const plan = queries(body, "?x-algolia-agent=me");
    expect(plan.searches.map((one) => [one.queryText, one.offset, one.limit, one.bypass?.reason])).toEqual([
      ["red", 4, 4, undefined],
      ["blue", 0, 3, undefined],
      [undefined, 0, 1, "size_zero"],
      ["red", 0, 0, "size_zero"],
    ]);
    expect(plan.own).toEqual({ method: "POST", path: "/1/indexes/*/queries", search: "?x-algolia-agent=me", body: encode(body) });
    const wide = (...sizes: readonly (number | undefined)[]) => {
      const { requests } = JSON.parse(decode(plan.widen(sizes).body));
      return requests.map((asked: Readonly<Record<string, unknown>>) => ({ ...asked }));
    };
    const own: readonly object[] = JSON.parse(body).requests;
    const [first, second, ...others] = own;
    expect(wide(60)).toEqual([{ ...first, page: 0, hitsPerPage: 60, getRankingInfo: true }, second, ...others]);
    expect(wide(undefined, 60)[1].params).toMatch(/hitsPerPage=60.*&getRankingInfo=true$/);
  });

  it("takes the star in the way in which URLs encode it", () => {
    expect(planned(body, "", "*", "/1/indexes/%2A/queries")).toMatchObject({ ok: true, value: { own: { path: "/1/indexes/*/queries" } } });
  });

  it.each([
    [{ strategy: "stopIfEnoughMatches" }, ""],
    [{}, "?strategy=stopIfEnoughMatches"],
  ])("leaves all of them to the engine where a wider page would end the request: %j %s", (more, search) => {
    const plan = queries({ requests: [{ indexName: "products", query: "red", hitsPerPage: 5 }], ...more }, search);
    expect(plan.searches.map((one) => one.bypass)).toEqual([{ reason: "request_not_understood", detail: "strategy is another than none" }]);
  });

  it.each([
    [400, ""],
    [400, '{"requests":'],
    [400, '{"requests":[],"strategies":[]}'],
    [400, '{"requests":[{"query":"red"}]}'],
    [404, '{"requests":[{"indexName":"stock","query":"red"}]}'],
  ])("refuses with %i: %s", (status, text) => {
    expect(planned(text)).toMatchObject({ ok: false, error: { status } });
  });
});

const reply = (hits: unknown, more: object = {}) => JSON.stringify({ hits, nbHits: 2, page: 0, nbPages: 1, hitsPerPage: 5, ...more });

/** One of several results, wider than anybody asked for. */
const part = (params: string) => ({
  hits: [{ objectID: "a" }, { objectID: "b" }],
  nbHits: 2,
  page: 0,
  nbPages: 1,
  hitsPerPage: 9,
  params,
});

const textOf = (more: object) =>
  Object.entries({ query: "red", facets: "brand", ...more })
    .map(([k, v]) => `${k}=${v}`)
    .join("&");

describe("parseReply()", () => {
  const plan = post({ query: "red", hitsPerPage: 5 });
  const read = (body: string, asked: PlannedSearch = plan, by = backend) => parseReply(by, encode(body), asked);

  it("reads ids and promoted hits", () => {
    const answer = read(
      reply([
        { objectID: "a", _rankingInfo: { promoted: true } },
        { objectID: "b", _rankingInfo: { nbTypos: 0 } },
      ]),
    );
    expect(answer.ok && answer.value.hits).toEqual([
      { itemId: "a", score: undefined, isPinned: true },
      { itemId: "b", score: undefined, isPinned: false },
    ]);
  });

  it("knows items by another member", () => {
    const other = withOptions({ idField: "item.sku" });
    const answer = read(reply([{ objectID: "a", item: { sku: 7 } }]), plan, other);
    expect(answer.ok && answer.value.hits[0]?.itemId).toBe("7");
  });

  it("leaves the order where the engine sends the shopper elsewhere", () => {
    const answer = read(reply([{ objectID: "a" }], { renderingContent: { redirect: { url: "https://example.com" } } }));
    expect(answer.ok && answer.value.bypass?.reason).toBe("redirected");
    const other = read(reply([{ objectID: "a" }], { renderingContent: { facetOrdering: {} } }));
    expect(other.ok && other.value.bypass).toBeUndefined();
  });

  it.each([
    ["reply_not_json", '{"hits":[{"objectID":"a"}'],
    ["reply_not_search", '{"facetHits":[]}'],
    ["reply_not_search", '{"results":[]}'],
    ["reply_not_search", '{"hits":[],"processingTimeMs":1,"limit":20,"offset":0}'],
    ["reply_not_search", reply([{ id: "a" }])],
    ["duplicate_ids", reply([{ objectID: "a" }, { objectID: "a" }])],
    // Two of a group, for one page's slot.
    ["reply_not_search", reply([{ objectID: "a" }, { objectID: "b" }, { objectID: "c" }])],
    // A rule has set hitsPerPage.
    ["reply_not_search", reply([{ objectID: "a" }, { objectID: "b" }], { hitsPerPage: 2 })],
  ])("%s for %s", (reason, body) => {
    const answer = read(body);
    expect(answer.ok ? undefined : answer.error.reason).toBe(reason);
  });

  it("withholds a client's long key where it is in the body", () => {
    expect(decode(postText('{"apiKey":"k","query":"red"}').own.body)).toBe('{"query":"red"}');
    expect(decode(postText('{"query":"red","apiKey":"k"}').widen(9).body)).not.toContain("apiKey");
    const own = postText('{"query":"red","apiKey":"k"}', "", withOptions({ forwardCredentials: true })).own;
    expect(decode(own.body)).toBe('{"query":"red","apiKey":"k"}');
    expect(decode(queries({ apiKey: "k", requests: [{ indexName: "products", query: "red" }] }).own.body)).toBe(
      '{"requests":[{"indexName":"products","query":"red"}]}',
    );
  });

  it("keeps what a rule promotes, and loses what only the edge has asked for", () => {
    const marks = { serverUsed: "c1", indexUsed: "products", parsedQuery: "red", timeoutCounts: false, timeoutHits: false };
    const hits = [
      { objectID: "a", _rankingInfo: { promoted: true } },
      { objectID: "b", _rankingInfo: { words: 1 } },
    ];
    const numbers = { nbHits: 2, page: 0, nbPages: 1, hitsPerPage: 60 };
    const wide = { ...marks, hits, ...numbers, appliedRules: [{}], params: "query=red&hitsPerPage=60&getRankingInfo=true" };
    const seen = (asked: PlannedSearch) => {
      const answer = parseReply(backend, encode(JSON.stringify(wide)), asked);
      if (!answer.ok) throw new Error(answer.error.detail);
      expect(answer.value.hits.map(({ isPinned }) => isPinned)).toEqual([true, false]);
      return JSON.parse(decode(answer.value.assemble([0, 1])));
    };
    const plain = [{ objectID: "a" }, { objectID: "b" }];
    expect(seen(post({ query: "red", hitsPerPage: 5 }))).toEqual({
      hits: plain,
      ...numbers,
      hitsPerPage: 5,
      params: "query=red&hitsPerPage=5",
    });
    expect(seen(post({ query: "red", hitsPerPage: 5, getRankingInfo: false })).params).toBe("query=red&hitsPerPage=5&getRankingInfo=false");
    expect(seen(post({ query: "red", hitsPerPage: 5, getRankingInfo: true }))).toMatchObject({ ...marks, hits, appliedRules: [{}] });
  });

  it("leaves a page that the engine gives no hits of to the engine, which says why", () => {
    const answer = read(reply([{ objectID: "a" }], { nbHits: 90, hitsPerPage: 60 }), post({ query: "red", page: 3, hitsPerPage: 20 }));
    expect(answer.ok ? undefined : answer.error.reason).toBe("beyond_window");
  });

  it("moves hits of a page of unknown size, and changes nothing else", () => {
    const own = reply([{ objectID: "a" }, { objectID: "b" }], {
      hitsPerPage: 24,
      page: 1,
      nbPages: 4,
      nbHits: 90,
      params: "query=red&page=1",
    });
    const answer = read(own, post({ query: "red", page: 1 }));
    expect(answer.ok && decode(answer.value.assemble([1, 0]))).toBe(
      own.replace('{"objectID":"a"},{"objectID":"b"}', '{"objectID":"b"},{"objectID":"a"}'),
    );
  });

  it.each([
    // As recorded: 6582 hits, 125 pages of 8.
    ["up to the default", 6582, 17, 8, 125],
    ["up to a lower limit", 6582, 9, 8, 63],
    ["up to a higher limit", 6582, 34, 8, 250],
    ["all of few hits", 130, 3, 8, 17],
    ["all of many hits", 6582, 110, 8, 823],
    ["no more than are there", 6582, 1, 8, 8],
    ["none", 0, 0, 8, 0],
  ])("counts the pages that can be opened: %s", (_, nbHits, nbPages, limit, own) => {
    const hits = Array.from({ length: Math.min(nbHits, 60) }, (__, i) => ({ objectID: String(i) }));
    const wider = reply(hits, { nbHits, nbPages, hitsPerPage: 60 });
    const answer = read(wider, post({ query: "red", page: 0, hitsPerPage: limit }));
    if (!answer.ok) throw new Error(answer.error.detail);
    expect(JSON.parse(decode(answer.value.assemble([])))).toMatchObject({ nbHits, nbPages: own, hitsPerPage: limit, hits: [] });
  });

  it("reads several searches, each with its own parameters", () => {
    const asked = queries({
      requests: [
        { indexName: "products", query: "red", hitsPerPage: 1, page: 1 },
        { indexName: "products", type: "facet", facet: "brand" },
        { indexName: "products", params: "query=blue&hitsPerPage=1" },
      ],
    });
    const results = [part("query=red&hitsPerPage=9&page=0"), { facetHits: [] }, part("query=blue&hitsPerPage=9")];
    const answer = asked.parseReply(encode(JSON.stringify({ results })));
    if (!answer.ok) throw new Error(answer.error.detail);
    expect(answer.value.searches.map((one) => (one.ok ? one.value.hits.length : one.error.reason))).toEqual([2, "reply_not_search", 2]);
    expect(JSON.parse(decode(answer.value.assemble([[1], undefined, [0]])))).toEqual({
      results: [
        { hits: [{ objectID: "b" }], nbHits: 2, page: 1, nbPages: 2, hitsPerPage: 1, params: "query=red&hitsPerPage=1&page=1" },
        { facetHits: [] },
        { hits: [{ objectID: "a" }], nbHits: 2, page: 0, nbPages: 2, hitsPerPage: 1, params: "query=blue&hitsPerPage=1" },
      ],
    });
  });

  it("does not repeat to the shopper what only the edge has asked for", () => {
    const known = withOptions({ pageSize: 2 });
    const asked = post({ query: "red", facets: ["brand"] }, known);
    const wider = reply([{ objectID: "a" }, { objectID: "b" }], {
      hitsPerPage: 60,
      params: "hitsPerPage=60&query=red&facets=%5B%22brand%22%5D",
    });
    const answer = read(wider, asked, known);
    expect(answer.ok && JSON.parse(decode(answer.value.assemble([1, 0])))).toMatchObject({
      hitsPerPage: 2,
      params: "query=red&facets=%5B%22brand%22%5D",
    });
  });

  it("cuts a page out of a wider reply that says what a reply for that page says", () => {
    const forms = ["members", "text", "URL"] as const;
    fc.assert(
      fc.property(
        fc.oneof(fc.nat(60), fc.constantFrom(990, 1000, 1001, 1020, 2500)),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(6),
        fc.boolean(),
        fc.constantFrom(...forms),
        fc.constantFrom(0, 2),
        (total, limit, page, isRange, form, indent) => {
          const numbers = (first: number, count: number): object =>
            isRange ? { offset: first, length: count } : { page: first / count, hitsPerPage: count };
          const answer = (first: number, count: number): string =>
            JSON.stringify(
              {
                hits: Array.from({ length: Math.max(0, Math.min(count, total - first)) }, (_, i) => ({
                  title: "é",
                  objectID: String(first + i),
                })),
                nbHits: total,
                ...(!isRange && { nbPages: Math.ceil(Math.min(total, 1000) / count) }),
                ...numbers(first, count),
                facets: { brand: { acme: 1.0 } },
                params: textOf(numbers(first, count)),
                processingTimeMS: 3,
              },
              undefined,
              indent,
            );
          const asked = numbers(page * limit, limit);
          const own =
            form === "members"
              ? post({ query: "red", facets: "brand", ...asked })
              : form === "text"
                ? post({ params: textOf(asked) })
                : get(`?${textOf(asked)}`);
          const wide = parseReply(backend, encode(answer(0, Math.max(60, page * limit + limit))), own);
          if (!wide.ok) throw new Error(wide.error.detail);
          const shown = [...wide.value.hits.keys()].slice(page * limit, page * limit + limit);
          const served = decode(wide.value.assemble(shown));
          expect(JSON.parse(served)).toEqual(JSON.parse(answer(page * limit, limit)));
          if (indent === 0) expect(served).toBe(answer(page * limit, limit));
        },
      ),
    );
  });
});

describe("describeError()", () => {
  it("words errors as Algolia does", () => {
    const { headers, body } = backend.describeError(404, "not_found", "No such index");
    expect([headers, JSON.parse(body)]).toEqual([{ "content-type": "application/json" }, { message: "No such index", status: 404 }]);
  });
});

it("keeps the client's key here, and lets the application's id through", () => {
  expect(backend.credentials).toEqual({
    header: "x-algolia-api-key",
    clientHeaders: ["x-algolia-api-key", "origin", "referer"],
    clientParams: ["x-algolia-api-key"],
  });
  expect(backend.clientHeaders).toContain("x-algolia-application-id");
});
