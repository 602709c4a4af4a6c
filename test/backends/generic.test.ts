import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DialectOptions, GenericOptions } from "../../src/backends/dialect.ts";
import { GENERIC } from "../../src/backends/generic.ts";
import { parseReply, planSearch } from "./one-search.ts";

const PATH = "/v1/search";
const options: GenericOptions = {
  path: PATH,
  methods: ["GET", "POST"],
  query: ["q", "query.and.*.text"],
  offset: "from",
  firstPage: 1,
  limit: "size",
  hits: "results.items",
  score: "rank.score",
  pinned: "promoted",
  redirect: "redirect.url",
  harmless: [],
  leaveAlone: { explicit_sort: [{ name: "sort", unless: ["relevance"] }], grouped: [{ name: "group", unless: [] }] },
  echo: { offset: "paging.from", page: "paging.page", limit: "paging.size", count: "paging.count", pages: "paging.pages", total: "total" },
};

/** All that an engine may say of a page. */
const NEIGHBOURS = { begin: "shown.from", end: "shown.to", last: "last", next: "next", previous: "previous", more: "more" };

const open = (generic: Partial<GenericOptions> = {}, more: DialectOptions = {}) =>
  GENERIC.create(new Map([["products", { pageSize: 20, ...more, generic: { ...options, ...generic } }]]));
const numbered = { offset: undefined, page: "page" };
const backend = open();
const pages = open(numbered);

const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const get = (search: string, of = backend) => planSearch(of, undefined, { method: "GET", search, body: new Uint8Array() });
const postText = (text: string, of = backend, search = "") => planSearch(of, undefined, { method: "POST", search, body: encode(text) });
const post = (body: unknown, of = backend) => postText(JSON.stringify(body), of);

describe("names that are configured nowhere", () => {
  it.each(["?q=red&page=2", "?q=red&sortBy=price", "?q=red&per_page=5", "?q=red&ORDER_BY=price"])("leave %s alone", (search) => {
    expect(get(search).bypass).toMatchObject({
      reason: "request_not_understood",
      detail: expect.stringMatching(/is not in the index's generic$/),
    });
  });

  it("do no harm where the configuration says so, and where they only filter", () => {
    expect(get("?q=red&page=2", open({ harmless: ["page"] })).bypass).toBeUndefined();
    expect(get("?q=red&colour=red&brand=acme").bypass).toBeUndefined();
    expect(post({ q: "red", order: { by: "price" } }).bypass?.reason).toBe("request_not_understood");
  });
});

describe("plan()", () => {
  it.each([
    ["?q=red", 0, 20],
    ["?q=red&from=40&size=10", 40, 10],
    ["?size=10&q=red&colour=3", 0, 10],
  ])("reads the page of %s", (search, offset, limit) => {
    const plan = get(search);
    expect([plan.offset, plan.limit, plan.bypass, plan.queryText]).toEqual([offset, limit, undefined, "red"]);
    expect(plan.own).toEqual({ method: "GET", path: PATH, search, body: undefined });
    const body = Object.fromEntries([...new URLSearchParams(search)].map(([key, value]) => [key, key === "q" ? value : Number(value)]));
    expect(post(body)).toMatchObject({ offset, limit, bypass: undefined, queryText: "red" });
    expect(decode(post(body).own.body)).toBe(JSON.stringify(body));
  });

  it("reads numbered pages, from 1 or from 0", () => {
    expect(get("?q=red&page=3&size=10", pages)).toMatchObject({ offset: 20, limit: 10 });
    expect(get("?q=red", pages)).toMatchObject({ offset: 0, limit: 20 });
    expect(get("?q=red&page=0", pages).bypass?.reason).toBe("request_not_understood");
    expect(get("?q=red&page=3&size=10", open({ ...numbered, firstPage: 0 }))).toMatchObject({ offset: 30, limit: 10 });
  });

  it("leaves a request that names no number of hits, where the configuration does not either", () => {
    const unknown = open({}, { pageSize: undefined });
    expect([get("?q=red", unknown).bypass?.reason, post({ q: "red" }, unknown).bypass?.reason]).toEqual([
      "request_not_understood",
      "request_not_understood",
    ]);
    expect(get("?q=red&size=5", unknown)).toMatchObject({ limit: 5, bypass: undefined });
  });

  it("asks for the window where the page was asked for, and changes nothing else", () => {
    expect(get("?q=red%20shoes&size=5&x=1&from=10").widen(60).search).toBe("?q=red%20shoes&size=60&x=1&from=0");
    expect(get("?q=red").widen(60).search).toBe("?q=red&size=60");
    expect(get("?q=red&page=4", pages).widen(60).search).toBe("?q=red&page=1&size=60");
    expect(get("?q=red", open({ limit: "page[size]" })).widen(60).search).toBe("?q=red&page%5Bsize%5D=60");
    expect(decode(postText('{ "size" : 5, "q":"red", "id":90071992547409931,"from":10 }').widen(60).body)).toBe(
      '{ "size" : 60, "q":"red", "id":90071992547409931,"from":0 }',
    );
    expect(decode(postText('{"q":"red"}').widen(60).body)).toBe('{"size":60,"q":"red"}');
  });

  it.each([
    ['{"q":"red","paging":{"size":5,"from":10}}', '{"q":"red","paging":{"size":60,"from":0}}'],
    ['{"q":"red","paging":{"x":1}}', '{"q":"red","paging":{"size":60,"x":1}}'],
    ['{"q":"red","paging":{}}', '{"q":"red","paging":{"size":60}}'],
    ['{"q":"red"}', '{"paging":{"size":60},"q":"red"}'],
  ])("finds paging below the top of %s", (body, widened) => {
    const nested = open({ offset: "paging.from", limit: "paging.size" });
    expect(postText(body, nested).bypass).toBeUndefined();
    expect(decode(postText(body, nested).widen(60).body)).toBe(widened);
    const another = JSON.stringify({ ...JSON.parse(body), q: "blue" });
    expect(postText(widened, nested).identity).toBe(postText(body, nested).identity);
    expect(postText(another, nested).identity).not.toBe(postText(body, nested).identity);
  });

  it.each<[string | undefined, object]>([
    ["explicit_sort", { q: "red", sort: "price" }],
    ["explicit_sort", { q: "red", sort: [{ field: "price" }] }],
    ["grouped", { q: "red", group: { by: "sku" } }],
    ["grouped", { q: "red", group: true }],
    [undefined, { q: "red", sort: "relevance", group: null }],
    [undefined, { q: "red", sort: [], group: false }],
    [undefined, { q: "red", sort: "", group: {} }],
    ["size_zero", { q: "red", size: 0 }],
    ["no_query_text", { q: "  " }],
    ["no_query_text", { text: "red" }],
    [undefined, { query: { and: [{ brand: "x" }, { text: "red" }] } }],
    ["request_not_understood", { q: "red", size: "ten" }],
    ["request_not_understood", { q: "red", size: "10" }],
    ["request_not_understood", { q: "red", size: 10.5 }],
    ["request_not_understood", { q: "red", from: null }],
    ["request_not_understood", { q: "red", from: -1 }],
  ])("%s: %j", (reason, body) => {
    expect(post(body).bypass?.reason).toBe(reason);
  });

  it.each([
    ["explicit_sort", "?q=red&sort=price"],
    [undefined, "?q=red&sort=relevance"],
    ["explicit_sort", "?q=red&sort=relevance&sort=price"],
    ["grouped", "?q=red&group=sku"],
    ["request_not_understood", "?q=red&size=5&size=6"],
    ["request_not_understood", "?q=red&from=x"],
  ])("%s: %s", (reason, search) => {
    expect(get(search).bypass?.reason).toBe(reason);
  });

  it.each(['{"q":', "[]", '{"q":"a","q":"b"}', "", "q=red", '{"q":"red","paging":3}', '{"q":"red","paging":{"size":1,"size":2}}'])(
    "leaves the body %s to the engine",
    (body) => {
      const plan = postText(body, open({ offset: "paging.from", limit: "paging.size" }));
      expect(plan.bypass?.reason).toBe("request_not_understood");
      expect(decode(plan.own.body)).toBe(body);
    },
  );

  it("reads a POST's parameters for what makes it leave a search alone, and leaves one that is paged there", () => {
    expect(postText('{"q":"red"}', backend, "?sort=price").bypass?.reason).toBe("explicit_sort");
    expect(postText('{"q":"red"}', backend, "?size=5").bypass?.reason).toBe("request_not_understood");
    expect(postText('{"x":1}', backend, "?q=red").queryText).toBe("red");
  });

  it("leaves pages that end behind what the engine gives at once", () => {
    const narrow = open({ maxLimit: 100 });
    expect(get("?q=red&from=90&size=10", narrow).bypass).toBeUndefined();
    expect(get("?q=red&from=95&size=10", narrow).bypass?.reason).toBe("beyond_window");
  });

  it("says whether two requests are pages of one search", () => {
    const one = get("?q=red&from=0&size=5").identity;
    expect(get("?q=red&size=50&from=50").identity).toBe(one);
    expect(get("?q=red").identity).toBe(one);
    expect(get("?q=red&brand=x").identity).not.toBe(one);
    const other = post({ q: "red", from: 5 }).identity;
    expect(post({ size: 50, q: "red" }).identity).toBe(other);
    expect(post({ q: "blue" }).identity).not.toBe(other);
    expect(postText('{"q":"red"}', backend, "?brand=x").identity).not.toBe(other);
    expect(postText('{"q":"red","id":90071992547409931}').identity).not.toBe(postText('{"q":"red","id":90071992547409932}').identity);
  });

  it("knows indexes by their paths", () => {
    const two = GENERIC.create(
      new Map([
        ["products", { pageSize: 20, generic: options }],
        ["brands", { pageSize: 20, generic: { ...options, path: "/v1/brands", methods: ["POST"] } }],
      ]),
    );
    expect(two.routes).toEqual([
      { path: PATH, methods: ["GET", "POST"], isExact: true },
      { path: "/v1/brands", methods: ["POST"], isExact: true },
    ]);
    const plan = (path: string) => two.plan({ method: "GET", path, search: "?q=red", body: new Uint8Array() }, undefined);
    expect([plan(PATH), plan("/v1/brands")].map((one) => one.ok && one.value.searches[0]?.index)).toEqual(["products", "brands"]);
    expect(plan("/v1/other")).toMatchObject({ ok: false, error: { status: 404 } });
  });

  it("throws on what the configuration should have refused", () => {
    expect(() => GENERIC.create(new Map([["a", {}]]))).toThrow(/Index a has no generic/);
    expect(() =>
      GENERIC.create(
        new Map([
          ["a", { generic: options }],
          ["b", { generic: options }],
        ]),
      ),
    ).toThrow(/one path/);
  });
});

const paged = (paging: string, ...ids: readonly number[]): string =>
  `{"paging":${paging},"total":7,"results":{"items":${JSON.stringify(ids.map((id) => ({ id })))}}}`;

describe("parseReply()", () => {
  const plan = get("?q=red");
  const bare = open({ echo: {} });
  const read = (body: string, of = bare) => {
    const reply = parseReply(of, encode(body), plan);
    if (!reply.ok) throw new Error(reply.error.detail);
    return reply.value;
  };

  it("reads ids, scores and what is pinned", () => {
    const pins = ["true", "1", '"ad"', '{"by":"x"}', "[1]", "false", "0", '""', "null", "{}", "[]"];
    const items = pins.map((pin, i) => `{"id":${i},"rank":{"score":${i}.5},"promoted":${pin}}`);
    const { hits } = read(`{"results":{"items":[${items.join()},{"id":"x"}]}}`);
    expect(hits.map(({ isPinned }) => isPinned)).toEqual([...Array(5).fill(true), ...Array(7).fill(false)]);
    expect(hits[1]).toEqual({ itemId: "1", score: 1.5, isPinned: true });
    expect(hits.at(-1)).toEqual({ itemId: "x", score: undefined, isPinned: false });
  });

  it("knows items by another id", () => {
    const { hits } = read('{"results":{"items":[{"id":1,"document":{"sku":"a"}}]}}', open({ echo: {} }, { idField: "document.sku" }));
    expect(hits[0]?.itemId).toBe("a");
  });

  it("leaves the engine's order where the shopper is sent elsewhere", () => {
    expect(read('{"results":{"items":[]},"redirect":{"url":"/sale"}}').bypass?.reason).toBe("redirected");
    expect(read('{"results":{"items":[]},"redirect":{"url":""}}').bypass).toBeUndefined();
    expect(read('{"results":{"items":[]},"redirect":null}').bypass).toBeUndefined();
  });

  it("takes a reply that is the list", () => {
    const list = open({ hits: "$", echo: {} });
    const reply = read('[{"id":1}, {"id":2},{"id":3}]', list);
    expect(decode(reply.assemble([2, 0]))).toBe('[{"id":3}, {"id":1}]');
    const other = parseReply(list, encode('{"id":1}'), plan);
    expect(other.ok ? undefined : other.error).toEqual({ reason: "reply_not_search", detail: "The reply is of kind object" });
  });

  it("writes the numbers of the shopper's own page, as numbers or texts as the engine does, and only those", () => {
    const own = get("?q=red&from=6&size=3");
    const assembled = (paging: string) => {
      const parsed = parseReply(backend, encode(paged(paging, 1, 2)), own);
      return parsed.ok ? decode(parsed.value.assemble([1])) : parsed.error.detail;
    };
    expect(assembled('{"from":0,"size":"60","page":1,"count":2,"pages":1}')).toBe(
      paged('{"from":6,"size":"3","page":3,"count":1,"pages":3}', 2),
    );
    expect(assembled('{"from":null,"size":"all","page":[1],"count":{},"pages":3.0}')).toBe(
      paged('{"from":null,"size":"all","page":[1],"count":{},"pages":3.0}', 2),
    );
    expect(assembled("7")).toBe("The reply has no paging.from, where generic.echo.offset should be");
  });

  it("leaves the engine's numbers, right or wrong, in its reply to the shopper's own request", () => {
    const own = get("?q=red&from=6&size=3");
    for (const paging of ['{"from":0,"size":3,"page":9,"count":7,"pages":1}', '{"from":0,"size":"3","page":9,"count":7,"pages":1}']) {
      const parsed = parseReply(backend, encode(paged(paging, 1, 2)), own);
      expect(parsed.ok ? decode(parsed.value.assemble([1, 0])) : parsed.error.detail).toBe(paged(paging, 2, 1));
    }
  });

  it.each([
    ["reply_not_json", '{"results":{"items":['],
    ["reply_not_search", '{"items":[]}'],
    ["reply_not_search", '{"results":{"items":{}}}'],
    ["reply_not_search", '{"results":{"items":[{"title":"x"}]}}'],
    ["duplicate_ids", '{"results":{"items":[{"id":1},{"id":"1"}]}}'],
  ])("%s for %s", (reason, body) => {
    const reply = parseReply(backend, encode(body), plan);
    expect(reply.ok ? undefined : reply.error.reason).toBe(reason);
  });

  it("cuts a page out of a wider reply that says what a reply for that page says", () => {
    const size = fc.integer({ min: 1, max: 12 });
    fc.assert(
      fc.property(fc.nat(40), size, fc.nat(6), fc.boolean(), fc.constantFrom(0, 2), (total, limit, page, isNumbered, indent) => {
        const all = Array.from({ length: total }, (_, i) => ({ id: i, tags: [1, "é"] }));
        const nameOf = (first: number, count: number) => (isNumbered ? first / count + 1 : first);
        const answer = (offset: number, count: number): string => {
          const items = all.slice(offset, offset + count);
          const paging = { from: offset, page: offset / count + 1, size: count, count: items.length, pages: Math.ceil(total / count) };
          const isLast = offset + count >= total;
          const neighbours = {
            shown: { from: total === 0 ? 0 : offset + 1, to: total === 0 ? 0 : offset + items.length },
            last: nameOf((Math.ceil(total / count) - 1) * count, count),
            next: isLast ? null : nameOf(offset + count, count),
            previous: offset === 0 || total === 0 ? null : nameOf(offset - count, count),
            more: !isLast,
          };
          return JSON.stringify({ results: { items }, facets: {}, paging, ...neighbours, total }, undefined, indent);
        };
        const offset = page * limit;
        const echo = { ...options.echo, ...NEIGHBOURS };
        const of = open(isNumbered ? { ...numbered, echo } : { echo });
        const own = get(isNumbered ? `?q=red&page=${page + 1}&size=${limit}` : `?q=red&from=${offset}&size=${limit}`, of);
        const reply = parseReply(of, encode(answer(0, Math.max(20, offset + limit))), own);
        if (!reply.ok) throw new Error(reply.error.detail);
        const shown = [...reply.value.hits.keys()].slice(offset, offset + limit);
        const cut = decode(reply.value.assemble(shown));
        expect(JSON.parse(cut)).toEqual(JSON.parse(answer(offset, limit)));
        if (indent === 0) expect(cut).toBe(answer(offset, limit));
      }),
    );
  });
});

const replyWith = (more: object) =>
  parseReply(open({ echo: {} }), encode(JSON.stringify({ results: { items: [{ id: 1 }] }, ...more })), get("?q=red"));

describe("what leads to the next page", () => {
  it.each([
    [{ nextPageToken: "eyJ" }, "nextPageToken"],
    [{ next: "/search?q=red&limit=100&offset=100" }, "next"],
    [{ paging: { links: { next: "https://a/b" } } }, "paging.links.next"],
    [{ meta: { next_cursor: "abc" } }, "meta.next_cursor"],
    [{ cursor: 17 }, "cursor"],
    [{ hasMore: false }, "hasMore"],
    [{ scroll_id: "x" }, "scroll_id"],
  ])("is of the wider reply, so that one with %j is not cut before the configuration names it", (more, name) => {
    const read = replyWith(more);
    expect(read.ok ? undefined : read.error).toMatchObject({ reason: "reply_not_search", detail: expect.stringContaining(`has ${name}:`) });
  });

  it.each([{ next: null }, { nextPageToken: "" }, { links: [{ next: "x" }] }, { facets: { nextgen: 3 } }])("is not in %j", (more) => {
    expect(replyWith(more).ok).toBe(true);
  });

  it("is the engine's own where each page is ranked within itself", () => {
    const tokens = open({ cursor: "nextPageToken", echo: { limit: "size" } });
    const plan = get("?q=red&from=20&size=10", tokens);
    expect([plan.isCursored, plan.offset, plan.limit]).toEqual([true, 20, 10]);
    expect(get("?q=red&from=30&size=10", tokens).identity).not.toBe(plan.identity);
    const body = '{"results":{"items":[{"id":1},{"id":2}]},"nextPageToken":"eyJ","size":10}';
    const read = parseReply(tokens, encode(body), plan);
    expect(read.ok && decode(read.value.assemble([1, 0]))).toBe(body.replace('{"id":1},{"id":2}', '{"id":2},{"id":1}'));
  });

  it("is refused as a number where it is a link, or where the reply names no page that the shopper's has", () => {
    const numbers = open({ echo: { next: "next", previous: "previous" } });
    const read = (search: string, body: object) => parseReply(numbers, encode(JSON.stringify(body)), get(search, numbers));
    const items = Array.from({ length: 20 }, (_, id) => ({ id }));
    expect(read("?q=red&size=5", { results: { items }, next: "https://a/?page=2" })).toMatchObject({ ok: false });
    expect(read("?q=red&size=5", { results: { items } })).toMatchObject({ ok: false });
    expect(read("?q=red&size=20", { results: { items } })).toMatchObject({ ok: true });
  });
});

describe("describeError()", () => {
  it("is plain JSON", () => {
    expect(JSON.parse(backend.describeError(504, "engine_timeout", "Too late").body)).toEqual({
      error: { type: "engine_timeout", message: "Too late" },
      status: 504,
    });
  });
});
