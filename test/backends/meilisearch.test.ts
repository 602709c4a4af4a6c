import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MEILISEARCH } from "../../src/backends/meilisearch.ts";
import { parseReply, planSearch } from "./one-search.ts";

const backend = MEILISEARCH.create(new Map([["products", {}]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const post = (body: unknown) => planSearch(backend, "products", { method: "POST", search: "", body: encode(JSON.stringify(body)) });
const get = (search: string) => planSearch(backend, "products", { method: "GET", search, body: new Uint8Array() });

describe("plan()", () => {
  it.each([
    [{ q: "red" }, 0, 20],
    [{ q: "red", offset: 40, limit: 10 }, 40, 10],
    [{ q: "red", page: 3, hitsPerPage: 10 }, 20, 10],
    [{ q: "red", page: 2 }, 20, 20],
    [{ q: "red", hitsPerPage: 5, offset: 7, limit: 3 }, 0, 5],
    [{ q: "red", page: null, hitsPerPage: null, sort: null, attributesToRetrieve: null }, 0, 20],
  ])("reads the page of %j", (body, offset, limit) => {
    const plan = post(body);
    expect([plan.offset, plan.limit, plan.bypass, plan.queryText]).toEqual([offset, limit, undefined, "red"]);
    expect(decode(plan.own.body)).toBe(JSON.stringify(body));
  });

  it("reads the same from a URL", () => {
    const plan = get("?q=red%20shoes&page=2&hitsPerPage=5&attributesToRetrieve=id,title");
    expect([plan.queryText, plan.offset, plan.limit, plan.bypass]).toEqual(["red shoes", 5, 5, undefined]);
    expect(plan.own).toEqual({
      method: "GET",
      path: "/indexes/products/search",
      search: "?q=red%20shoes&page=2&hitsPerPage=5&attributesToRetrieve=id,title",
      body: undefined,
    });
    const marks = "&showRankingScore=true&showRankingScoreDetails=true";
    expect(plan.widen(60).search).toBe(`?q=red%20shoes&attributesToRetrieve=id,title&page=1&hitsPerPage=60${marks}`);
    expect(get("?q=red&offset=5").widen(60).search).toBe(`?q=red&offset=0&limit=60${marks}`);
    expect(get("?q=red&showRankingScore=false&showRankingScoreDetails=true").widen(60).search).toBe(
      "?q=red&showRankingScoreDetails=true&offset=0&limit=60&showRankingScore=true",
    );
  });

  it("asks for the window in the way in which the page was asked for, and for scores and their details", () => {
    const marks = '"showRankingScore":true,"showRankingScoreDetails":true';
    expect(decode(post({ limit: 5, q: "red", offset: 10, facets: ["brand"] }).widen(60).body)).toBe(
      `{${marks},"limit":60,"q":"red","offset":0,"facets":["brand"]}`,
    );
    expect(decode(post({ q: "red" }).widen(60).body)).toBe(`{"limit":60,${marks},"q":"red"}`);
    expect(decode(post({ q: "red", page: 4 }).widen(60).body)).toBe(`{"hitsPerPage":60,${marks},"q":"red","page":1}`);
    expect(decode(post({ q: "red", showRankingScore: true, showRankingScoreDetails: false }).widen(60).body)).toBe(
      '{"limit":60,"q":"red","showRankingScore":true,"showRankingScoreDetails":true}',
    );
  });

  it.each([
    [{ q: "red", hybrid: { embedder: "e" } }, true],
    [{ q: "red", hybrid: { embedder: "e", semanticRatio: 0.55 } }, true],
    [{ q: "red", hybrid: { embedder: "e", semanticRatio: 0.6 } }, false],
    [{ q: "red", hybrid: { embedder: "e", semanticRatio: 0 } }, false],
    [{ q: "red", hybrid: null }, false],
    [{ q: "red", rankingScoreThreshold: 0.2 }, true],
    [{ q: "red", rankingScoreThreshold: 0.2, page: 1 }, false],
  ])("ranks a page within itself where a wider request would be another question: %j", (body, isCursored) => {
    const plan = post({ ...body, offset: 8, limit: 4 });
    expect([plan.isCursored, plan.bypass]).toEqual([isCursored, undefined]);
    const asked = JSON.parse(decode(plan.widen(60).body));
    expect(asked).toMatchObject({ showRankingScoreDetails: true, ...(isCursored && { offset: 8, limit: 4 }) });
    expect(post({ ...body, offset: 4, limit: 4 }).identity === plan.identity).toBe(!isCursored);
  });

  it("reads the same of a hybrid search in a URL", () => {
    expect(get("?q=red&hybridEmbedder=e").isCursored).toBe(true);
    expect(get("?q=red&hybridEmbedder=e&hybridSemanticRatio=0.9").isCursored).toBe(false);
  });

  it.each([
    ["usb cable", "usb cable"],
    [" usb -cable", "usb"],
    ['cable -"usb cable" red', "cable  red"],
    ["-cable", undefined],
    ["!?", undefined],
    ["*", undefined],
    ["usb-cable -- x", "usb-cable -- x"],
    ['"usb -cable" hub', '"usb -cable" hub'],
    ["a b c d e f g h i j k l", "a b c d e f g h i j"],
    ['"a b" c d e f g h i j k l', '"a b" c d e f g h i j k'],
    ["a b c -d e f g h i j k l -m", "a b c  e f g h i j k"],
    ["größe 🎧", "größe 🎧"],
    ["- cable", "- cable"],
  ])("takes of %j the words %j", (q, words) => {
    const plan = post({ q });
    expect([plan.queryText, plan.bypass?.reason]).toEqual([words, words === undefined ? "no_query_text" : undefined]);
  });

  it("leaves a repeated parameter of the URL to the engine", () => {
    expect(get("?q=red&q=blue").bypass?.reason).toBe("request_not_understood");
  });

  it.each([
    ["explicit_sort", { q: "red", sort: ["price:asc"] }],
    ["grouped", { q: "red", distinct: "sku" }],
    ["size_zero", { q: "red", limit: 0 }],
    ["size_zero", { q: "red", hitsPerPage: 0 }],
    ["size_zero", { q: "red", page: 0 }],
    ["no_query_text", { q: "  " }],
    ["no_query_text", { filter: "brand = x" }],
    ["request_not_understood", { q: "red", limit: "ten" }],
    ["request_not_understood", { q: "red", limit: null }],
    ["request_not_understood", { q: 5 }],
    ["request_not_understood", { q: "red", attributesToRetrieve: [] }],
    ["request_not_understood", { q: "red", attributesToRetrieve: ["title"] }],
  ])("%s: %j", (reason, body) => {
    expect(post(body).bypass?.reason).toBe(reason);
  });

  it.each(['{"q":"red","limit":5.0}', '{"q":"red","limit":1e1}', '{"q":"red","page":-0}'])("leaves %s to the engine", (body) => {
    const plan = planSearch(backend, "products", { method: "POST", search: "", body: encode(body) });
    expect(plan.bypass?.reason).toBe("request_not_understood");
  });

  it("leaves a search to a service that orders the hits itself", () => {
    const own = MEILISEARCH.create(new Map([["products", { forwardCredentials: true }]]));
    const body = encode('{"q":"red","personalize":{"userContext":"x"}}');
    expect(planSearch(own, "products", { method: "POST", search: "", body }).bypass?.reason).toBe("request_not_understood");
  });

  it("passes a list of no searches on", () => {
    const request = { method: "POST", path: "/multi-search", search: "", body: encode('{"queries":[]}') } as const;
    const plan = backend.plan(request, undefined);
    expect(plan.ok && [plan.value.searches[0]?.bypass?.reason, decode(plan.value.own.body)]).toEqual([
      "request_not_understood",
      '{"queries":[]}',
    ]);
    expect(backend.plan({ ...request, body: encode('{"queries":[],"x":{}}') }, undefined).ok).toBe(false);
  });

  it.each(['{"q":', "[]", '{"q":"a","q":"b"}'])("refuses %s, or leaves it to the engine with the client's own key", (body) => {
    const request = { method: "POST", path: "", search: "", body: encode(body) } as const;
    expect(backend.plan(request, "products")).toMatchObject({ ok: false, error: { status: 400, type: "bad_request" } });
    const plan = planSearch(MEILISEARCH.create(new Map([["products", { forwardCredentials: true }]])), "products", request);
    expect(plan.bypass?.reason).toBe("request_not_understood");
    expect(decode(plan.own.body)).toBe(body);
  });

  it.each<[object, string]>([
    [{ q: "red", media: { image: { url: "http://internal" } } }, "media is not a parameter"],
    [{ q: "red", hybrid: { embedder: "default", url: "http://internal" } }, "hybrid.url is not a parameter"],
    [{ q: "red", hybrid: ["default"] }, "hybrid is not an object"],
    [{ q: "red", filter: ["a = 1", ["_foreign(owner, email = x)"]] }, "filter reads another index (_foreign)"],
    [{ q: "red", filter: { a: 1 } }, "filter holds an object"],
    [{ q: "red", indexUid: "secrets" }, "indexUid names an index that is not configured"],
  ])("refuses %j with the edge's key, naming what it does not pass on", (body, problem) => {
    const request = { method: "POST", path: "", search: "", body: encode(JSON.stringify(body)) } as const;
    const plan = backend.plan(request, "products");
    expect(plan.ok ? undefined : plan.error).toMatchObject({ status: 400, message: expect.stringContaining(problem) });
    expect(plan.ok ? undefined : plan.error.message).toContain("forwardCredentials");
    expect(MEILISEARCH.create(new Map([["products", { forwardCredentials: true }]])).plan(request, "products").ok).toBe(true);
  });

  it("says whether two requests are pages of one search", () => {
    const one = post({ q: "red", offset: 0, limit: 5 }).identity;
    expect(post({ q: "red", page: 2, hitsPerPage: 50 }).identity).toBe(one);
    expect(post({ q: "red", filter: "a = 1" }).identity).not.toBe(one);
    expect(post({ q: "blue" }).identity).not.toBe(one);
  });
});

const detailed = (rules: object, id: number) => ({ id, _rankingScore: 0.5, _rankingScoreDetails: rules });

describe("parseReply()", () => {
  const plan = post({ q: "red" });
  const reasonOf = (body: string) => {
    const reply = parseReply(backend, encode(body), plan);
    return reply.ok ? undefined : reply.error.reason;
  };

  it("reads ids, also numbers that no double holds, and ranking scores", () => {
    const reply = parseReply(
      backend,
      encode('{"hits":[{"id":90071992547409931,"_rankingScore":0.5},{"id":"b"}],"offset":0,"limit":20,"processingTimeMs":1,"query":"red"}'),
      plan,
    );
    expect(reply.ok && reply.value.hits).toEqual([
      { itemId: "90071992547409931", score: 0.5, isPinned: false },
      { itemId: "b", score: undefined, isPinned: false },
    ]);
  });

  it("knows items by another primary key", () => {
    const other = MEILISEARCH.create(new Map([["products", { idField: "sku" }]]));
    const reply = parseReply(other, encode('{"hits":[{"id":1,"sku":"a"}],"processingTimeMs":1}'), plan);
    expect(reply.ok && reply.value.hits[0]?.itemId).toBe("a");
  });

  it.each([
    ["reply_not_json", '{"hits":[{"id":1}'],
    ["reply_not_search", '{"hits":{"hits":[]},"processingTimeMs":1}'],
    ["reply_not_search", '{"results":[]}'],
    ["reply_not_search", '{"hits":[]}'],
    ["reply_not_search", '{"hits":[{"title":"x"}],"processingTimeMs":1}'],
    ["duplicate_ids", '{"hits":[{"id":1},{"id":2},{"id":"1"}],"processingTimeMs":1}'],
  ])("%s for %s", (reason, body) => {
    expect(reasonOf(body)).toBe(reason);
  });

  const words = { words: { order: 0, score: 1 } };
  const readHits = (...hits: readonly object[]) => {
    const reply = parseReply(backend, encode(JSON.stringify({ hits, processingTimeMs: 1 })), plan);
    if (!reply.ok) throw new Error(reply.error.detail);
    return reply.value;
  };

  it("reads pins of dynamic search rules, and loses the marks that nobody asked for", () => {
    const read = readHits(detailed({ pin: { order: 0, position: 0 } }, 1), detailed(words, 2), detailed(words, 3));
    expect(read.hits.map((hit) => hit.isPinned)).toEqual([true, false, false]);
    expect(JSON.parse(decode(read.assemble([0, 2, 1]))).hits).toEqual([{ id: 1 }, { id: 3 }, { id: 2 }]);
  });

  const flag = (value: unknown, id: number) => detailed({ "stock:desc": { order: 0, value }, words: { order: 1, score: 1 } }, id);
  it.each<[string, readonly object[], string | undefined, readonly (number | undefined)[]]>([
    ["words", [detailed(words, 1), detailed(words, 2)], undefined, [undefined, undefined]],
    ["a flag", [flag(true, 1), flag(true, 2), flag(false, 3), flag(null, 4)], undefined, [0, 0, 1, 2]],
    ["a flag behind a pin", [detailed({ pin: { order: 0 } }, 1), flag(1, 2), flag(0, 3)], undefined, [0, 0, 1]],
    ["a price", [flag(3.5, 1), flag(4, 2)], "explicit_sort", [undefined, undefined]],
    ["a hidden rule", [detailed({ "<hidden-rule-0>": { order: 0, value: "<hidden>" } }, 1)], "explicit_sort", [undefined]],
    [
      "nothing in time",
      [detailed(words, 1), detailed({ ...words, skipped: { order: 1 } }, 2)],
      "engine_incomplete",
      [undefined, undefined],
    ],
  ])("reads ranking rules that begin with %s", (_, hits, reason, sections) => {
    const read = readHits(...hits);
    expect([read.bypass?.reason, read.hits.map((hit) => hit.section)]).toEqual([reason, sections]);
  });

  it("counts the shown hits that were found by their meaning", () => {
    const hits = [detailed({ vectorSort: { order: 0 } }, 1), detailed(words, 2), detailed({ vectorSort: { order: 0 } }, 3)];
    const semantic = post({ q: "red", limit: 2, hybrid: { embedder: "e", semanticRatio: 0.9 } });
    const reply = parseReply(backend, encode(JSON.stringify({ hits, processingTimeMs: 1, semanticHitCount: 2 })), semantic);
    expect(reply.ok && JSON.parse(decode(reply.value.assemble([2, 1])))).toMatchObject({
      semanticHitCount: 1,
      hits: [{ id: 3 }, { id: 2 }],
    });
  });

  it("cuts a page out of a wider reply that says what a reply for that page says", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.nat(40), size, fc.nat(6), fc.boolean(), fc.constantFrom(0, 2), (total, limit, page, isNumbered, indent) => {
        const asked = isNumbered ? { page: page + 1, hitsPerPage: limit } : { offset: page * limit, limit };
        const all = Array.from({ length: total }, (_, i) => ({ id: i, title: `hit ${i}`, tags: [1.0, "é"] }));
        const answer = (offset: number, count: number, numbers: object): string =>
          JSON.stringify(
            { hits: all.slice(offset, offset + count), query: "red", ...numbers, processingTimeMs: 3, facetStats: {} },
            undefined,
            indent,
          );
        const window = Math.max(20, page * limit + limit);
        const numbers = (first: number, count: number): object =>
          isNumbered
            ? { hitsPerPage: count, page: first / count + 1, totalPages: Math.ceil(total / count), totalHits: total }
            : { offset: first, limit: count, estimatedTotalHits: total };
        const wide = answer(0, window, numbers(0, window));
        const own = answer(page * limit, limit, numbers(page * limit, limit));
        const reply = parseReply(backend, encode(wide), post({ q: "red", ...asked }));
        if (!reply.ok) throw new Error(reply.error.detail);
        const shown = [...reply.value.hits.keys()].slice(page * limit, page * limit + limit);
        expect(JSON.parse(decode(reply.value.assemble(shown)))).toEqual(JSON.parse(own));
        if (indent === 0) expect(decode(reply.value.assemble(shown))).toBe(own);
      }),
    );
  });
});

describe("describeError()", () => {
  it("words errors as Meilisearch does", () => {
    expect(JSON.parse(backend.describeError(404, "index_not_found", "No such index").body)).toEqual({
      message: "No such index",
      code: "index_not_found",
      type: "invalid_request",
      link: "https://docs.meilisearch.com/errors#index_not_found",
    });
    expect(JSON.parse(backend.describeError(400, "illegal_argument_exception", "No").body)).toMatchObject({ code: "bad_request" });
    expect(JSON.parse(backend.describeError(504, "engine_timeout", "Too late").body)).toMatchObject({ type: "internal" });
  });
});
