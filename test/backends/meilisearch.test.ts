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
    [{ q: "red", offset: null, limit: null, sort: null }, 0, 20],
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
    expect(plan.widen(60).search).toBe("?q=red%20shoes&attributesToRetrieve=id,title&page=1&hitsPerPage=60");
    expect(get("?q=red&offset=5").widen(60).search).toBe("?q=red&offset=0&limit=60");
  });

  it("asks for the window in the way in which the page was asked for, and changes nothing else", () => {
    expect(decode(post({ limit: 5, q: "red", offset: 10, facets: ["brand"] }).widen(60).body)).toBe(
      '{"limit":60,"q":"red","offset":0,"facets":["brand"]}',
    );
    expect(decode(post({ q: "red" }).widen(60).body)).toBe('{"limit":60,"q":"red"}');
    expect(decode(post({ q: "red", page: 4 }).widen(60).body)).toBe('{"hitsPerPage":60,"q":"red","page":1}');
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
    ["request_not_understood", { q: "red", attributesToRetrieve: ["title"] }],
  ])("%s: %j", (reason, body) => {
    expect(post(body).bypass?.reason).toBe(reason);
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
      link: "",
    });
    expect(JSON.parse(backend.describeError(504, "engine_timeout", "Too late").body)).toMatchObject({ type: "internal" });
  });
});
