import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dialect, RequestPlan } from "../../src/backends/dialect.ts";
import { TYPESENSE } from "../../src/backends/typesense.ts";
import { parseReply, planSearch } from "./one-search.ts";

const backend = TYPESENSE.create(
  new Map([
    ["products", {}],
    ["pages", {}],
  ]),
);
const NO_BODY = new Uint8Array();
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const get = (search: string, of: Dialect = backend) => planSearch(of, "products", { method: "GET", search, body: NO_BODY });
const multi = (body: unknown, search = "") =>
  backend.plan(
    { method: "POST", path: "/multi_search", search, body: encode(typeof body === "string" ? body : JSON.stringify(body)) },
    undefined,
  );
const planned = (body: unknown, search = ""): RequestPlan => {
  const plan = multi(body, search);
  if (!plan.ok) throw new Error(plan.error.message);
  return plan.value;
};
const query = (q: string, more: object = {}) => ({ collection: "products", q, ...more });

describe("plan() of one search", () => {
  it.each([
    ["", 0, 10],
    ["&page=3", 20, 10],
    ["&page=3&per_page=7", 14, 7],
    ["&offset=15&limit=5", 15, 5],
    ["&offset=15", 15, 10],
    ["&page=2&offset=15&limit=5", 5, 5],
    ["&page=0&offset=15", 15, 10],
    ["&page=0", 0, 10],
    ["&limit=5&per_page=8&page=2", 8, 8],
    ["&page=9&page=2", 10, 10],
    ["&facet_query=brand:a&per_page=4", 0, 4],
  ])("reads the page of ?q=red%s", (more, offset, limit) => {
    const plan = get(`?q=red+shoes${more}`);
    expect([plan.offset, plan.limit, plan.bypass, plan.queryText]).toEqual([offset, limit, undefined, "red shoes"]);
    expect(plan.own).toEqual({
      method: "GET",
      path: "/collections/products/documents/search",
      search: `?q=red+shoes${more}`,
      body: undefined,
    });
  });

  it.each([
    ["?q=red&query_by=title", "?q=red&query_by=title&per_page=60"],
    ["?q=red&page=4&query_by=title&per_page=5", "?q=red&page=1&query_by=title&per_page=60"],
    ["?offset=20&q=red&limit=5", "?offset=0&q=red&limit=60"],
    ["?page=2&offset=20&limit=5&per_page=7&q=red", "?page=1&offset=0&limit=60&per_page=60&q=red"],
    ["?q=red&page=2", "?q=red&page=1&per_page=60"],
    ["?q=red&filter_by=price:%3E5&&stock:true&page=2", "?q=red&filter_by=price:%3E5&&stock:true&page=1&per_page=60"],
  ])("asks for the window by the names of %s", (search, wide) => {
    expect(get(search).widen(60).search).toBe(wide);
  });

  it.each([
    ["explicit_sort", "?q=red&sort_by=price:asc"],
    ["explicit_sort", "?q=red&sort_by=_text_match:asc"],
    ["explicit_sort", "?q=red&sort_by=_eval(in_stock:true):asc,_text_match:desc"],
    ["explicit_sort", "?q=red&sort_by=_eval(in_stock:true):desc,price:asc"],
    ["explicit_sort", "?q=red&sort_by=_eval([ (in_stock:true):3, (new:true):1 ]):desc,_text_match:desc"],
    ["explicit_sort", "?q=red&sort_by=_rand():asc"],
    ["grouped", "?q=red&group_by=brand"],
    ["size_zero", "?q=red&per_page=0"],
    ["size_zero", "?q=red&limit=0"],
    ["size_zero", "?q=red&facet_query=brand:a&limit=5"],
    ["no_query_text", "?q=*"],
    ["no_query_text", "?q=-cable"],
    ["no_query_text", "?q="],
    ["no_query_text", "?query_by=title"],
    ["request_not_understood", "?q=red&per_page=ten"],
    ["request_not_understood", "?q=red&page=-1"],
    ["request_not_understood", "?q=red&include_fields=title,price"],
    ["request_not_understood", "?q=red&exclude_fields=price,%20id"],
  ])("%s: %s", (reason, search) => {
    expect(get(search).bypass?.reason).toBe(reason);
  });

  it.each([
    "?q=red&sort_by=_text_match:desc",
    "?q=red&sort_by=_text_match(buckets:%2010):DESC,popularity:desc",
    "?q=red&sort_by=_text_match(bucket_size:3):desc",
    "?q=red&sort_by=%20_vector_distance:asc",
    "?q=red&sort_by=",
    "?q=red&group_by=",
    "?q=red&conversation=false",
    "?q=red&include_fields=title,id",
    "?q=red&include_fields=title,i*",
    "?q=red&include_fields=$pages(name,%20id),title",
    "?q=red&exclude_fields=embedding,out_of",
  ])("re-ranks %s", (search) => {
    expect(get(search).bypass).toBeUndefined();
  });

  it.each(["preset=listing", "voice_query=UklGR", "conversation=true", "nl_query=true"])(
    "refuses %s, or leaves it to the engine with the client's own key or where the shop allows it",
    (param) => {
      const request = { method: "GET", path: "", search: `?q=red&${param}`, body: NO_BODY } as const;
      const refused = backend.plan(request, "products");
      const [name = ""] = param.split("=");
      expect(refused.ok ? undefined : refused.error).toMatchObject({
        status: 400,
        message: expect.stringMatching(`^${name} .*forwardCredentials`),
      });
      for (const options of [{ forwardCredentials: true }, { allowParams: [name] }]) {
        const plan = get(`?q=red&${param}`, TYPESENSE.create(new Map([["products", options]])));
        expect(plan.bypass?.reason).toBe("request_not_understood");
      }
    },
  );

  // The engine reads `$secrets(a:1)`.
  it("refuses escapes that it would read in another way than the engine", () => {
    const request = { method: "GET", path: "", search: "?q=red&filter_by=%y4secrets(a:1)", body: NO_BODY } as const;
    const plan = backend.plan(request, "products");
    expect(plan.ok ? undefined : plan.error).toMatchObject({ status: 400, message: expect.stringMatching(/^filter_by has a %/) });
    expect(get("?q=100%25").queryText).toBe("100%");
  });

  it("withholds a key in the URL, whatever stands in its value", () => {
    expect(get("?q=red&x-typesense-api-key=a&&collection=secrets").own.search).toBe("?q=red");
  });

  it("knows items by another field, which may be left out too", () => {
    const other = TYPESENSE.create(new Map([["products", { idField: "document.codes.sku" }]]));
    expect(get("?q=red&include_fields=codes", other).bypass).toBeUndefined();
    expect(get("?q=red&include_fields=id", other).bypass?.reason).toBe("request_not_understood");
    expect(get("?q=red&exclude_fields=codes", other).bypass?.reason).toBe("request_not_understood");
    const read = parseReply(other, encode('{"found":1,"hits":[{"document":{"id":"1","codes":{"sku":"a"}}}]}'), get("?q=red", other));
    expect(read.ok && read.value.hits[0]?.itemId).toBe("a");
  });

  it("keeps the edge's own parameters from the engine", () => {
    expect(get("?q=red&armmt_explain=1&per_page=5").own.search).toBe("?q=red&per_page=5");
  });

  it("says whether two requests are pages of one search", () => {
    const one = get("?q=red&query_by=title").identity;
    expect(get("?q=red&query_by=title&page=2&per_page=50").identity).toBe(one);
    expect(get("?offset=5&q=red&query_by=title&limit=3").identity).toBe(one);
    expect(get("?q=red&query_by=title&filter_by=a:1").identity).not.toBe(one);
    expect(get("?q=red&query_by=title&limit_hits=30").identity).not.toBe(one);
    expect(get("?q=red&query_by=title&x-typesense-user-id=7").identity).not.toBe(one);
    expect(get("?q=blue&query_by=title").identity).not.toBe(one);
  });

  // The engine searches the collection of the parameter, and looks at the key's rights for the other one.
  it.each(["?q=red&collection=secrets", "?q=red&collection=products&collection=secrets", "?collection=pages&q=red"])(
    "refuses another collection in %s",
    (search) => {
      const plan = backend.plan({ method: "GET", path: "/collections/products/documents/search", search, body: NO_BODY }, "products");
      expect(plan.ok ? undefined : plan.error.status).toBe(400);
    },
  );

  it.each([
    "filter_by=$orders(id:*)",
    "filter_by=price:%3E5%20%26%26%20!$%20orders%20(id:1)",
    "filter_by=a:1)$pages(x:1)%20||%20$orders(x:1)",
    "include_fields=title,$orders(*)",
    "include_fields=$pages(x,%20$orders(*))",
    "exclude_fields=$orders(id)",
    "sort_by=$orders(paid:desc)",
    "facet_by=brand,$orders(customer)",
    "filter_by=$orders(id:*)&filter_by=price:5",
  ])("refuses to join a collection that is not configured, unless the client's own key is at work: %s", (more) => {
    const request = { method: "GET", path: "", search: `?q=red&${more}`, body: NO_BODY } as const;
    const plan = backend.plan(request, "products");
    expect(plan.ok ? undefined : plan.error).toMatchObject({ status: 404, message: expect.stringContaining("[orders]") });
    const open = TYPESENSE.create(new Map([["products", { forwardCredentials: true }]]));
    expect(open.plan(request, "products").ok).toBe(true);
    const [first = []] = new URLSearchParams(more);
    expect(multi({ searches: [query("red", Object.fromEntries([first]))] }).ok).toBe(false);
  });

  it.each([
    "filter_by=$pages(shop:3)%20%26%26%20price:%3C5",
    "filter_by=range:=[`$50%20-%20$100`,$5]%20%26%26%20brand:=[`Acme%20(US)`]",
    "q=$orders(1)",
  ])("has no objection to %s", (more) => {
    expect(get(`?q=red&${more}`).bypass).toBeUndefined();
  });

  it("refuses a collection that is not configured", () => {
    const plan = backend.plan({ method: "GET", path: "/collections/secrets/documents/search", search: "?q=red", body: NO_BODY }, "secrets");
    expect(plan.ok ? undefined : plan.error).toMatchObject({ status: 404, message: expect.stringContaining("[secrets]") });
  });
});

describe("plan() of several searches", () => {
  it("reads each, with the URL's parameters over its own", () => {
    const body = {
      searches: [
        query("red", { page: 2, per_page: 5 }),
        { collection: "pages", q: "blue", offset: "7", sort_by: "date:desc" },
        query("*", { limit: 4 }),
        query("red", { page: null }),
      ],
    };
    const { searches, isMulti, own } = planned(body);
    expect(searches.map(({ index, queryText, offset, limit, bypass }) => [index, queryText, offset, limit, bypass?.reason])).toEqual([
      ["products", "red", 5, 5, undefined],
      ["pages", "blue", 7, 10, "explicit_sort"],
      ["products", undefined, 0, 4, "no_query_text"],
      ["products", "red", 0, 10, "request_not_understood"],
    ]);
    expect([isMulti, own.method, own.path, decode(own.body)]).toEqual([true, "POST", "/multi_search", JSON.stringify(body)]);
    const common = planned({ searches: [query("red", { per_page: 5, limit: 9 }), query("red", { page: 3 })] }, "?q=green&limit=6&page=2");
    expect(common.searches.map(({ queryText, offset, limit }) => [queryText, offset, limit])).toEqual([
      ["green", 5, 5],
      ["green", 6, 6],
    ]);
  });

  it("asks for the windows that are wanted and changes nothing else", () => {
    const body =
      '{"searches": [ {"q":"a", "collection":"products","page":3} ,{"collection":"products","q":"b","limit":5}, {"collection":"pages","q":"c"}]}';
    const wide = planned(body, "?query_by=title").widen([60, undefined, 50]);
    expect(wide.search).toBe("?query_by=title");
    expect(decode(wide.body)).toBe(
      '{"searches": [ {"per_page":60,"q":"a", "collection":"products","page":1} ,{"collection":"products","q":"b","limit":5}, {"per_page":50,"collection":"pages","q":"c"}]}',
    );
  });

  it("tells each search its own page where the URL named one for all", () => {
    const body = { searches: [query("a", { per_page: 5 }), query("b", { page: 9 }), {}] };
    const wide = planned(body, "?page=2&collection=products&per_page=3").widen([60, undefined, undefined]);
    expect(wide.search).toBe("?collection=products");
    expect(decode(wide.body)).toBe(
      '{"searches":[{"collection":"products","q":"a","per_page":60},{"per_page":"3","collection":"products","q":"b","page":"2"},{"page":"2","per_page":"3"}]}',
    );
  });

  it("is one search where one list comes of one collection and one text; pages are in the URL", () => {
    const body = { union: true, searches: [query("red", { page: 5, per_page: 9 }), query("red", { filter_by: "a:1" })] };
    const plan = planned(body, "?offset=4&limit=2");
    expect(plan.isMulti).toBe(false);
    expect(plan.searches).toMatchObject([{ queryText: "red", offset: 4, limit: 2, bypass: undefined }]);
    expect(plan.widen([60])).toEqual({ ...plan.own, search: "?offset=0&limit=60" });
    expect(planned(body, "?page=1").searches[0]?.identity).toBe(plan.searches[0]?.identity);
    expect(planned({ ...body, remove_duplicates: false }).searches[0]?.identity).not.toBe(plan.searches[0]?.identity);
  });

  it.each([
    ["federated", [query("red"), query("blue")]],
    ["federated", [query("red"), { collection: "pages", q: "red" }]],
    ["grouped", [query("red", { group_by: "brand" }), query("red", { group_by: "brand" })]],
    ["explicit_sort", [query("red", { sort_by: "price:asc" }), query("red", { sort_by: "price:asc" })]],
    ["no_query_text", [query("*"), query("*")]],
  ])("a union is left alone: %s", (reason, searches) => {
    expect(planned({ union: true, searches }).searches.map(({ bypass }) => bypass?.reason)).toEqual([reason]);
  });

  it("takes no other value than true for a union, like the engine", () => {
    expect(planned({ union: "true", searches: [query("red")] }).isMulti).toBe(true);
  });

  it.each([
    [400, "", ""],
    [400, "[]", ""],
    [400, '{"searches":[],"collections":[]}', ""],
    [400, '{"searches":["red"]}', ""],
    [400, '{"searches":[{"collection":"products","collection":"secrets","q":"red"}]}', ""],
    [400, { searches: [{ q: "red" }] }, ""],
    [400, { searches: [{ q: "red", collection: 7 }] }, ""],
    [400, { searches: [query("red")] }, "?collection=pages"],
    [400, { searches: [query("red")] }, "?preset=listing"],
    [400, { searches: [query("red", { "x-typesense-api-key": "scoped" })] }, ""],
    [400, { searches: [query("red", { filter_by: ["a:1"] })] }, ""],
    [400, { searches: [query("red")], collection: "secrets" }, ""],
    [404, { searches: [query("red"), { q: "red", collection: "secrets" }] }, ""],
    [404, { searches: [{ q: "red" }] }, "?collection=secrets"],
    [404, { union: true, searches: [query("red"), { q: "red", collection: "secrets" }] }, ""],
  ])("refuses with %i: %j %s", (status, body, search) => {
    const plan = multi(body, search);
    expect(plan.ok ? undefined : plan.error.status).toBe(status);
  });
});

const reasonOf = (body: string, search = "?q=red") => {
  const reply = parseReply(backend, encode(body), get(search));
  return reply.ok ? undefined : reply.error.reason;
};

describe("what a query excludes", () => {
  it.each([
    ["usb -cable", "usb"],
    ['usb -"long cable" hub', "usb  hub"],
    ["usb-c", "usb-c"],
  ])("is no word: %s", (q, words) => {
    expect(get(`?q=${encodeURIComponent(q)}`).queryText).toBe(words);
  });
});

const listOf = (count: number, more: object = {}) =>
  JSON.stringify({ found: 130, hits: Array.from({ length: count }, (_, i) => ({ document: { id: `${i}` }, text_match: 9 })), ...more });

describe("limit_hits", () => {
  it("ends the window too, so that the engine is asked once", () => {
    const plan = get("?q=red&per_page=10&limit_hits=40");
    expect(plan.widen(100).search).toBe("?q=red&per_page=40&limit_hits=40");
    expect(plan.widen(20).search).toBe("?q=red&per_page=20&limit_hits=40");
    const read = plan.by(backend).parseReply(encode(listOf(40)));
    expect(read.ok && read.value.searches[0]).toMatchObject({ ok: true, value: { total: 40 } });
  });

  it("cuts the last page", () => {
    const wide = listOf(45, { request_params: { per_page: 45 }, page: 1 });
    const read = parseReply(backend, encode(wide), get("?q=red&per_page=10&page=5&limit_hits=45"));
    expect(read.ok && JSON.parse(decode(read.value.assemble([40, 41, 42, 43, 44])))).toMatchObject({
      page: 5,
      request_params: { per_page: 10 },
    });
  });
});

describe("a hybrid search", () => {
  it.each([
    ["?q=red&vector_query=v:([])", 200, "?q=red&vector_query=v%3A(%5B%5D%2C%20k%3A%20100)&per_page=200"],
    [
      "?q=red&vector_query=v:([],alpha:0.8)&page=13",
      200,
      "?q=red&vector_query=v%3A(%5B%5D%2Calpha%3A0.8%2C%20k%3A%20130)&page=1&per_page=200",
    ],
    ["?q=red&vector_query=v:([])", 100, "?q=red&vector_query=v:([])&per_page=100"],
    ["?q=red&vector_query=v:([],%20k:40)", 200, "?q=red&vector_query=v:([],%20k:40)&per_page=200"],
  ])("looks for no more neighbours than the own request: %s for %d", (search, size, wide) => {
    expect(get(search).widen(size).search).toBe(wide);
  });
});

const hit = (id: string, more: object) => ({ document: { id, ...more }, text_match: 5 });
const readIn = (search: string, ...hits: readonly object[]) => {
  const read = parseReply(backend, encode(JSON.stringify({ found: hits.length, hits })), get(search));
  if (!read.ok) throw new Error(read.error.detail);
  return [read.value.bypass?.reason, read.value.hits.map(({ section }) => section)];
};

describe("the order of a reply", () => {
  it.each<[string, readonly unknown[], string | undefined, readonly (number | undefined)[]]>([
    ["in_stock:true", [true, true, false, undefined], undefined, [0, 0, 1, 1]],
    ["in_stock:=true", [false, false], undefined, [1, 1]],
    ["in_stock:>0", [12, 1, 0], undefined, [0, 0, 1]],
    ["in_stock:true", [true, false, true], "explicit_sort", [undefined, undefined, undefined]],
    ["in_stock:true", [undefined, undefined], "explicit_sort", [undefined, undefined]],
  ])("keeps what meets %s in front: %j", (condition, values, reason, sections) => {
    const search = `?q=red&sort_by=_eval(${encodeURIComponent(condition)}):desc,_text_match:desc`;
    expect(get(search).bypass).toBeUndefined();
    expect(readIn(search, ...values.map((in_stock, i) => hit(`${i}`, { in_stock })))).toEqual([reason, sections]);
  });

  it("keeps a pinned hit out of its sections", () => {
    const pinned = { ...hit("p", { in_stock: false }), curated: true };
    const search = "?q=red&sort_by=_eval(in_stock:true):desc";
    expect(readIn(search, pinned, hit("a", { in_stock: true }), hit("b", { in_stock: false }))).toEqual([undefined, [0, 0, 1]]);
  });

  it.each<[string, readonly number[], string | undefined]>([
    ["", [9, 7, 7, 1], undefined],
    ["&sort_by=_text_match:desc,price:asc", [9, 8], undefined],
    ["", [7, 9], "explicit_sort"],
    ["&sort_by=_text_match(buckets:%2010):desc,price:asc", [7, 9], undefined],
    ["&vector_query=v:([])", [7, 9], undefined],
  ])("is the engine's own where a curation sorts: %s %j", (more, scores, reason) => {
    expect(readIn(`?q=red${more}`, ...scores.map((text_match, i) => ({ document: { id: `${i}` }, text_match })))[0]).toBe(reason);
  });
});

describe("parseReply()", () => {
  it("reads ids, scores of every kind, and what is pinned", () => {
    const hits = [
      '{"curated":true,"document":{"id":"1172"},"highlights":[]}',
      '{"document":{"id":"b"},"hybrid_search_info":{"rank_fusion_score":0.7},"text_match":1,"vector_distance":0.2}',
      '{"document":{"id":"c"},"text_match":578730123365187705}',
      '{"document":{"id":"d"},"vector_distance":0.25}',
      '{"document":{"id":"e"}}',
    ];
    const reply = parseReply(backend, encode(`{"found":96,"hits":[${hits.join(",")}],"page":1}`), get("?q=red"));
    expect(reply.ok && reply.value.hits.map(({ itemId, score, isPinned }) => [itemId, score, isPinned])).toEqual([
      ["1172", undefined, true],
      ["b", 0.7, false],
      ["c", 578730123365187700, false],
      ["d", -0.25, false],
      ["e", undefined, false],
    ]);
  });

  it.each([
    ["reply_not_json", '{"found":1,"hits":[{"document":{"id":"a"}}'],
    ["reply_not_search", '{"hits":[{"id":"a"}],"processingTimeMs":1}'],
    ["reply_not_search", '{"found":250,"grouped_hits":[],"page":1}'],
    ["reply_not_search", '{"found":1,"hits":[{"document":{"title":"x"}}]}'],
    ["duplicate_ids", '{"found":2,"hits":[{"document":{"id":"a"}},{"document":{"id":"a"}}]}'],
    ["engine_status", '{"code":400,"error":"Expected size of `sort_by` parameter of all searches to be equal."}'],
  ])("%s for %s", (reason, body) => {
    expect(reasonOf(body)).toBe(reason);
  });

  it.each([
    [undefined, "?q=red&page=3", 3, 10],
    [undefined, "?q=red&page=3", 1, 60],
    [undefined, "?q=red&page=3", 1, 30],
    // A scoped key says per_page: 10, whatever the request says.
    ["reply_not_search", "?q=red&page=3", 1, 10],
    ["reply_not_search", "?q=red&per_page=20", 1, 10],
  ])("%s for %s where the reply is page %i of %i hits", (reason, search, page, perPage) => {
    expect(reasonOf(`{"found":96,"hits":[],"page":${page},"request_params":{"per_page":${perPage},"q":"red"}}`, search)).toBe(reason);
  });

  it("reads each result for itself", () => {
    const plan = planned({ searches: [query("red"), query("red"), query("red", { group_by: "brand" })] });
    const hits = '{"found":2,"hits":[{"document":{"id":"a"}},{"document":{"id":"b"}}],"page":1}';
    const bytes = encode(`{"results":[{"code":404,"error":"Not found."},${hits},{"found":2,"grouped_hits":[]}]}`);
    const reply = plan.parseReply(bytes);
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.searches.map((one) => (one.ok ? one.value.hits.map(({ itemId }) => itemId) : one.error.reason))).toEqual([
      "engine_status",
      ["a", "b"],
      "reply_not_search",
    ]);
    expect(decode(reply.value.assemble([undefined, [1, 0], undefined]))).toBe(
      decode(bytes).replace('{"document":{"id":"a"}},{"document":{"id":"b"}}', '{"document":{"id":"b"}},{"document":{"id":"a"}}'),
    );
    expect(plan.parseReply(encode(`{"results":[${hits}]}`))).toMatchObject({ ok: false, error: { reason: "reply_not_search" } });
  });

  it("cuts a page out of a wider reply that says what a reply for that page says", () => {
    const styles = fc.constantFrom("page", "offset", "union page", "union offset");
    fc.assert(
      fc.property(fc.nat(40), fc.integer({ min: 1, max: 12 }), fc.nat(6), styles, (total, limit, pageIndex, style) => {
        const isUnion = style.startsWith("union");
        const isOffset = style.endsWith("offset") && pageIndex > 0;
        const offset = pageIndex * limit;
        const hits = Array.from({ length: total }, (_, i) => ({
          document: { id: `${i}`, title: `hit ${i}`, tags: [1.5, "é"] },
          ...(isUnion && { search_index: i % 2 }),
        }));
        const answer = (first: number, count: number, named: object): string => {
          const shown = hits.slice(first, first + count);
          const words = { first_q: first === 0 ? "redder" : "red" };
          const params = [0, 1].map((i) => ({
            collection_name: "products",
            ...((!isUnion || shown.some(({ search_index }) => search_index === i)) && words),
            per_page: count,
            q: "red",
          }));
          const echo = isUnion ? { union_request_params: params } : { request_params: params[0] };
          return JSON.stringify({ found: total, hits: shown, ...named, out_of: 99, ...echo, search_time_ms: 3 });
        };
        const search = isOffset ? `offset=${offset}&limit=${limit}` : `page=${pageIndex + 1}&per_page=${limit}`;
        const wide = answer(0, Math.max(20, offset + limit), { page: isUnion && isOffset ? 0 : 1 });
        const named = isOffset ? (isUnion ? { page: 0 } : { offset }) : { page: pageIndex + 1 };
        const plan = isUnion
          ? planned({ union: true, searches: [query("red"), query("red")] }, `?${search}`)
          : get(`?q=red&${search}`).by(backend);
        const reply = plan.parseReply(encode(wide));
        if (!reply.ok) throw new Error(reply.error.detail);
        const shown = [...hits.keys()].slice(offset, offset + limit);
        expect(decode(reply.value.assemble([shown]))).toBe(answer(offset, limit, named));
      }),
    );
  });
});

describe("describeError()", () => {
  it("words errors as Typesense does", () => {
    expect(backend.describeError(404, "not_found", "No such index")).toEqual({
      headers: { "content-type": "application/json" },
      body: '{"message":"No such index"}',
    });
  });
});
