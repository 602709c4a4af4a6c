import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { VESPA } from "../../src/backends/vespa.ts";
import { parseReply, planSearch } from "./one-search.ts";

const backend = VESPA.create(new Map([["products", {}]]));
/** With the client's own key nothing is refused. */
const open = VESPA.create(new Map([["products", { forwardCredentials: true }]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const get = (search: string) => planSearch(open, undefined, { method: "GET", search, body: new Uint8Array() });
const typeOf = (body: string) => (/^\s*[{'[]/.test(body) ? "application/json" : "application/x-www-form-urlencoded");
const postText = (text: string, search = "") =>
  planSearch(open, undefined, { method: "POST", search, body: encode(text), contentType: typeOf(text) });
const post = (body: unknown, search = "") => postText(JSON.stringify(body), search);
const yql = (where: string) => ({ yql: `select * from sources * where ${where}`, q: "red" });

describe("plan()", () => {
  it.each([
    ["?query=red", 0, 10],
    ["?query=red&hits=5&offset=20", 20, 5],
    ["?query=red&count=5&START=20", 20, 5],
    ["?query=red&hits=5&hitsPerPage=7", 0, 5],
    ["?query=red&HITS=5&hits=", 0, 1, "request_not_understood"],
    ["?query=red&hits=6&hits=5&offset=%2B3", 3, 5],
    ["?query=red&hits=", 0, 10],
    ["?QUERY=red&Start=05", 5, 10],
  ])("reads the page of %s", (search, offset, limit, reason?: string) => {
    const plan = get(search);
    expect([plan.offset, plan.limit, plan.bypass?.reason]).toEqual([offset, limit, reason]);
    expect(plan.queryText).toBe(reason === undefined ? "red" : undefined);
    expect(plan.own).toEqual({ method: "GET", path: "/search/", search, body: undefined });
  });

  it.each([
    [{ query: "red", hits: 5, offset: 20 }, "", 20, 5],
    [{ query: "red", hits: "5", count: 5 }, "", 0, 1],
    [{ model: { queryString: "red" }, "ranking.profile": "bm25", hits: "7" }, "", 0, 7],
    [{ query: "blue", hits: 5, offset: 3 }, "?query=red&hits=8", 3, 8],
  ])("reads the page of %j and %s: the URL wins", (body, search, offset, limit) => {
    const plan = post(body, search);
    expect([plan.offset, plan.limit]).toEqual([offset, limit]);
    expect(plan.queryText).toBe(plan.bypass === undefined ? "red" : undefined);
    expect(decode(plan.own.body)).toBe(JSON.stringify(body));
  });

  it("keeps the path with its slash or without", () => {
    for (const path of ["/search/", "/search"]) {
      const plan = planSearch(backend, undefined, { method: "GET", path, search: "?query=red", body: new Uint8Array() });
      expect([plan.own.path, plan.widen(60).path]).toEqual([path, path]);
    }
  });

  it("asks for the window where the page was asked for, else in the URL, and changes nothing else", () => {
    expect(get("?query=red%20shoes&start=20&yql=a%3db&count=5").widen(60).search).toBe("?query=red%20shoes&start=0&yql=a%3db&count=60");
    expect(get("?query=red").widen(60).search).toBe("?query=red&hits=60");
    const body = postText('{ "hits" : 5, "query":"red", "input.query(x)":[1.0,2],"offset":"10" }', "?timeout=1s").widen(60);
    expect(decode(body.body)).toBe('{ "hits" : 60, "query":"red", "input.query(x)":[1.0,2],"offset":0 }');
    expect(body).toMatchObject({ method: "POST", search: "?timeout=1s", accept: "application/json" });
    const added = postText('{"query":"red"}').widen(60);
    expect([added.search, decode(added.body)]).toEqual(["?hits=60", '{"query":"red"}']);
    const both = postText('{"query":"red","hits":5}', "?hits=8").widen(60);
    expect([both.search, decode(both.body)]).toEqual(["?hits=60", '{"query":"red","hits":60}']);
    const form = postText("query=red&hits=5&x=%20+", "?offset=5").widen(60);
    expect([form.search, decode(form.body)]).toEqual(["?offset=0", "query=red&hits=60&x=%20+"]);
  });

  it("knows how many hits a page has for which a query profile says that", () => {
    const profiled = VESPA.create(new Map([["products", { pageSize: 24 }]]));
    const plan = planSearch(profiled, undefined, { method: "GET", search: "?query=red", body: new Uint8Array() });
    expect(plan.limit).toBe(24);
  });

  it.each([
    ["userInput(@q)", "red"],
    ["({grammar: 'all', targetHits: 10}userInput(@q)) and price < 5", "red"],
    ['[{"grammar": "raw"}]userInput( @q )', "red"],
    ['userInput({language: "en"}@q)', "red"],
    ['userInput("it\'s \\"red\\" \\u00e9\\n")', "it's red é"],
    ["title contains ({language:'en'}text(@q))", "red"],
    ['title contains "userInput(@x)" or userInput(@q) /* userInput("c") */', "red"],
    ["rank(userInput(@q), title contains 'sofa')", "red"],
    ["userInput(@Query)", "blue"],
    ["userQuery()", "blue"],
    ["userQuery() or userInput(@q)", "blue"],
    ["true", "blue"],
  ])("finds what the shopper typed in %s", (where, words) => {
    expect(post({ ...yql(where), query: "blue" })).toMatchObject({ queryText: words, bypass: undefined });
  });

  it.each([
    ["no_query_text", "true"],
    ["no_query_text", 'brand contains uri("red")'],
    ["no_query_text", "userInput(@missing)"],
    ["explicit_sort", "userInput(@q) ORDER  BY price"],
    ["explicit_sort", "userInput(@q) order/**/by price desc"],
    [undefined, "userInput(@q) limit 5"],
    ["size_zero", "userInput(@q) limit 5 offset 5"],
    ["explicit_sort", 'userInput(@q) # "\n order by price # "'],
    ["request_not_understood", "userInput(@q) LIMIT @n offset 5"],
    ["request_not_understood", 'userInput("red)'],
    ["request_not_understood", "userInput(@q) /* limit 5"],
    [undefined, 'userInput(@q) and title contains "order by limit 5 offset 3" // limit 5'],
    [undefined, "userInput(@q) and title contains 'it\\'s order by'"],
    [undefined, "userInput(@q) timeout 500"],
    [undefined, "userInput(@q) and hitLimit > 5"],
    [undefined, "userInput(@q) | all(group(limit) order(-count()) each(output(count())))"],
  ])("%s: %s", (reason, where) => {
    expect(post(yql(where)).bypass?.reason).toBe(reason);
  });

  it("reads a statement of any length in time that grows with it", () => {
    for (const part of ["userInput({", "/*", '"\\', "order  ", "select a from "]) {
      expect(post(yql(part.repeat(900_000 / part.length))).bypass?.reason).toBeDefined();
    }
  });

  it.each([
    ["explicit_sort", "?query=red&sorting=-price"],
    ["explicit_sort", "?query=red&ranking.sorting=-price"],
    ["grouped", "?query=red&collapsefield=sku"],
    ["size_zero", "?query=red&hits=0"],
    ["no_query_text", "?query=+"],
    ["request_not_understood", "?query=red&format=xml"],
    ["request_not_understood", "?query=red&presentation.format=cbor"],
    ["request_not_understood", "?query=red&encoding=latin1"],
    ["request_not_understood", "?query=red&jsoncallback=f"],
    ["request_not_understood", "?query=select&type=yql"],
    ["request_not_understood", "?query=red&queryProfile=other"],
    ["request_not_understood", "?query=red&hits=ten"],
    [undefined, "?query=red&hits=5&hits=6"],
    ["request_not_understood", "?query=red&hits=5&count=6"],
    ["explicit_sort", "?query=red&SortSpec=-price"],
    ["explicit_sort", "?query=red&sorting=&sorting=-price"],
    [undefined, "?query=red&sorting=-price&sorting="],
    ["request_not_understood", "?query=red&trace.level=1"],
    ["request_not_understood", "?query=red&presentation.summaryFields=title,price"],
    [undefined, "?query=red&presentation.summaryFields=title,documentid"],
    ["request_not_understood", "?query=red&offset=-1"],
    [undefined, "?query=red&queryProfile=other&hits=5&format=json&type=all&select=all(group(a)each(output(count())))"],
  ])("%s: %s", (reason, search) => {
    expect(get(search).bypass?.reason).toBe(reason);
    expect(get(search).own.search).toBe(search);
  });

  it.each<[string | undefined, object]>([
    ["explicit_sort", { query: "red", ranking: { sorting: "-price" } }],
    ["request_not_understood", { query: "red", presentation: { format: "xml" } }],
    ["request_not_understood", { query: "red", hits: null }],
    [undefined, { query: "red", input: { "query(hits)": 5 }, ranking: { profile: "a", properties: { offset: 3 } } }],
  ])("%s: %j", (reason, body) => {
    expect(post(body).bypass?.reason).toBe(reason);
  });

  it("leaves a search alone that selects without the field by which items are known", () => {
    const bySku = VESPA.create(new Map([["products", { idField: "fields.sku", schemas: ["product"] }]]));
    const selecting = (fields: string) =>
      planSearch(bySku, undefined, {
        method: "POST",
        search: "",
        body: encode(JSON.stringify({ yql: `select ${fields} from product where userInput(@q)`, q: "red" })),
        contentType: "application/json",
      }).bypass?.reason;
    expect([selecting("*"), selecting("title, sku"), selecting("title,price")]).toEqual([undefined, undefined, "request_not_understood"]);
  });

  it.each([
    ["form beats URL", "?query=blue&hits=3&sorting=-price", "query=red&hits=5&sorting=", "application/x-www-form-urlencoded"],
    ["URL beats JSON", "?query=red&hits=5", '{"query":"blue","hits":3}', "application/json"],
    ["last member", "", '{"query":"blue","query":"red","hits":3,"hits":5}', "Application/JSON; charset=utf-8"],
    ["no JSON", "?query=red&hits=5", '{"query":"blue","sorting":"-price"}', "text/plain"],
    ["line breaks", "", '{"query":"red\n\t","hits":5}', "application/json"],
    ["single quotes", "", "{'query':'red','hits':5} rest", "application/json"],
    ["latin-1", "", "query=%72ed&hits=5&filter=caf%E9", "application/x-www-form-urlencoded; charset=ISO-8859-1"],
  ])("reads as Vespa does: %s", (_, search, body, contentType) => {
    const plan = planSearch(backend, undefined, { method: "POST", search, body: encode(body), contentType });
    expect([plan.queryText, plan.offset, plan.limit, plan.bypass]).toEqual(["red", 0, 5, undefined]);
  });

  it("sends what it has read where the body is no strict JSON", () => {
    const body = `\ufeff{'a"b':1,"query":"red\n\t\\'s","hits":5} and more`;
    const plan = planSearch(open, undefined, { method: "POST", search: "", body: encode(body), contentType: "application/json" });
    expect(JSON.parse(decode(plan.own.body))).toEqual({ 'a"b': 1, query: "red\n\t's", hits: 5 });
  });

  it("takes a body that Vespa does not look at out of requests with its own key", () => {
    const request = { method: "POST", search: "?query=red", body: encode('{"sources":"orders"}'), contentType: "text/plain" } as const;
    expect(planSearch(backend, undefined, request).own.body).toBeUndefined();
    expect(planSearch(open, undefined, request).own.body).toEqual(request.body);
  });

  it.each([
    ["select * from x where userInput(@q) limit 7 offset 2", [2, 5], "select * from x where userInput(@q) limit 60"],
    ["select * from x where userInput(@q) OFFSET /* a */ 3 timeout 9", [3, 10], "select * from x where userInput(@q) limit 60 timeout 9"],
    ["select * from x where userInput('limit 2') limit 7 | all(b)", [0, 7], "select * from x where userInput('limit 2') limit 60 | all(b)"],
  ])("reads and widens the page in %s", (statement, page, wide) => {
    const plan = post({ yql: statement, q: "red", hits: 99 });
    expect([plan.offset, plan.limit, plan.bypass]).toEqual([...page, undefined]);
    expect(JSON.parse(decode(plan.widen(60).body))).toMatchObject({ yql: wide, q: "red" });
    expect(post({ yql: wide, q: "red" }).identity).toBe(post({ yql: wide.replace("60", "70"), q: "red" }).identity);
  });

  it.each([
    ["red -blue +mug", "red mug"],
    ["title:red (mug) brand:acme* price:<10 size:[1;5] !200", "red mug acme"],
    ['"red mug"~2 usb-c', "red mug ~2 usb-c"],
    ['-"blue mug" -(a b) *', undefined],
    ["C++ 3.5 l", "C++ 3.5 l"],
  ])("leaves out what is no word of %s", (query, words) => {
    expect(get(`?query=${encodeURIComponent(query)}`).queryText).toBe(words);
  });

  it.each<[object, string | undefined]>([
    [{ yql: "select * from x where brand contains 'acme' and title contains 'red' and title contains ({stem:false}'mug')" }, "red mug"],
    [{ yql: "select * from x where title contains 'red' and title contains ({filter:true,stem:false}'mug')" }, "red"],
    [{ yql: `select * from x where categories contains ({"ranked":false}"mugs")` }, undefined],
    [{ select: { where: { contains: { children: ["title", "mug"], attributes: { ranked: false } } } } }, undefined],
    [{ yql: "select * from x where title contains @w or tag contains 'b'", w: "red" }, "red"],
    [{ yql: "select * from x where title contains phrase('red', 'mug') and !(title contains 'blue')" }, "red mug"],
    [{ yql: "select * from x where weakAnd(default contains 'red', default contains 'mug')" }, "red mug"],
    [{ yql: "select * from x where a contains sameElement(b contains 'c') or d contains uri('e')" }, undefined],
    [{ yql: "select * from x where ({targetHits:9}nearestNeighbor(v,e))", "input.query(e)": "embed(m, @w)", w: "red" }, "red"],
    [{ yql: "select * from x where nearestNeighbor(v,e)", input: { "query(e)": 'embed("red mug")' } }, "red mug"],
    [{ select: { where: { and: [{ contains: ["title", { phrase: ["red", "mug"] }] }, { range: ["price", { "<": 5 }] }] } } }, "red mug"],
    [{ select: { where: { and_not: [{ contains: ["title", "red"] }, { contains: ["title", "mug"] }] } } }, "red"],
    [{ select: { where: "{" } }, undefined],
  ])("finds the words of %j", (body, words) => {
    expect(post(body).queryText).toBe(words);
  });

  it("says whether two requests are pages of one search", () => {
    const one = get("?query=red&hits=5&offset=10").identity;
    expect(get("?query=red&count=50").identity).toBe(one);
    expect(get("?query=blue").identity).not.toBe(one);
    expect(get("?query=red&ranking=a").identity).not.toBe(one);
    const other = post({ ...yql("userInput(@q)"), hits: 5 }).identity;
    expect(post({ offset: 5, ...yql("userInput(@q)") }).identity).toBe(other);
    expect(post({ ...yql("userInput(@q)"), q: "blue" }).identity).not.toBe(other);
  });
});

const refuse = (search: string, body = "", of = backend) => {
  const method = body === "" ? "GET" : "POST";
  const plan = of.plan({ method, path: "/search/", search, body: encode(body), contentType: typeOf(body) }, undefined);
  return plan.ok ? undefined : plan.error.message;
};

describe("plan() refuses", () => {
  it.each([
    "searchChain=native",
    "tracelevel=5",
    "trace.level=1",
    "Trace.Profile=true",
    "profile=true",
    "explainlevel=1",
    "searchpath=7/3",
  ])("%s does more than search", (parameter) => {
    const [key = "", value] = parameter.split("=");
    const nested = key.split(".").reduceRight<unknown>((inner, part) => ({ [part]: inner }), value);
    expect(refuse(`?query=red&${parameter}`)).toMatch(/is not passed on/);
    expect(refuse("", `query=red&${parameter}`)).toMatch(/is not passed on/);
    expect(refuse("", JSON.stringify({ [key]: value }))).toMatch(/is not passed on/);
    expect(refuse("", JSON.stringify(nested))).toMatch(/is not passed on/);
  });

  it.each([
    ["?query=red&sources=orders", "model.sources", "orders"],
    ["?query=red&search=products,orders", "search", "products,orders"],
    ["?query=red&restrict=orders", "model.restrict", "orders"],
    ["?query=red&queryProfile=other", "queryProfile", "other"],
    ["?yql=select+*+from+orders+where+true", "yql", "select * from sources orders where true"],
    ["?yql=select+*+from+sources+products,+orders+where+true", "yql", "select * from products/**/, orders where true"],
    ["?yql=select+*+from+products+where+true;select+*+from+orders+where+true", "yql", "select a/*from products*/from orders where true"],
    ["?query=select+*+from+orders+where+true&type=yql", "model.type.syntax", "yql"],
    ["?query=red&streaming.groupname=another", "streaming.userid", "7"],
    ["?query=red&ranking.properties.vespa.matching.numthreadspersearch=64", "unknown", "1"],
  ])("%s and %s=%s name what is not the index's own", (search, key, value) => {
    expect(refuse(search)).toMatch(/The parameter .* (?:is|names)/);
    expect(refuse("?query=red", JSON.stringify({ [key]: value }))).toMatch(/The parameter .* (?:is|names)/);
    expect(refuse("?query=red", new URLSearchParams({ [key]: value }).toString())).toMatch(/The parameter .* (?:is|names)/);
  });

  it("restricts a search to the schemas of the configuration", () => {
    const shop = VESPA.create(new Map([["products", { schemas: ["product", "brand"] }]]));
    const ask = (search: string) => {
      const plan = planSearch(shop, undefined, { method: "GET", search, body: new Uint8Array() });
      return [plan.own.search, plan.widen(60).search];
    };
    const all = "model.restrict=product%2Cbrand";
    expect(ask("?query=red")).toEqual([`?query=red&${all}`, `?query=red&${all}&hits=60`]);
    expect(ask("?yql=select+*+from+product+where+userInput(@q)&q=red&hits=5")[1]).toMatch(/hits=60&model\.restrict=product%2Cbrand$/);
    expect(ask("?query=red&restrict=brand&hits=5")).toEqual(["?query=red&restrict=brand&hits=5", "?query=red&restrict=brand&hits=60"]);
    expect(refuse("?query=red&restrict=", "", shop)).toMatch(/names another source than product, brand/);
    expect(refuse("?query=red&sources=orders", "", shop)).toMatch(/the option schemas/);
  });

  it.each(["?query=red&%73earchChain=native", "?query=red&%25u0073earchChain=native", "?%C5%BF=1"])("%s may", (search) => {
    expect(refuse(search)).toMatch(/is not passed on/);
  });

  it.each(['{"query":', '{"query":"red","sources":"orders","sources":"products"}', '{"trace":{"a":{"level":1,"level":2}}}'])(
    "so may %s",
    (body) => {
      expect(refuse("", body)).toBeDefined();
    },
  );

  it("a body that is not text may too", () => {
    const body = new Uint8Array([0xa1, 0x61, 0x61, 1]);
    const plan = backend.plan({ method: "POST", path: "/search/", search: "", body, contentType: "application/json" }, undefined);
    expect(plan.ok ? undefined : plan.error.message).toMatch(/not UTF-8/);
  });

  it("takes a search for a search", () => {
    expect(
      refuse("?query=red&input.query(e)=[1]&rankfeature.query(x)=1&sources=products&presentation.timing=true&armmt_explain"),
    ).toBeUndefined();
    expect(refuse("", JSON.stringify({ query: "&tracelevel=5", "default-index": "x" }))).toBeUndefined();
  });

  it("nothing that clients ask with their own key", () => {
    expect(refuse("?query=red&tracelevel=5", "", open)).toBeUndefined();
    expect(refuse("", "{query:'red'}", open)).toBeUndefined();
    const plan = postText("{query:'red'}");
    expect([plan.bypass?.reason, decode(plan.own.body)]).toEqual(["request_not_understood", "{query:'red'}"]);
  });
});

const root = (children: readonly object[] | undefined, more: object = {}): string =>
  JSON.stringify({
    timing: { searchtime: 0.002 },
    root: {
      id: "toplevel",
      relevance: 1.0,
      fields: { totalCount: 40 },
      coverage: { coverage: 100, full: true },
      ...more,
      ...(children && { children }),
    },
  });

const group = { id: "group:root:0", relevance: 1, children: [{ id: "grouplist:a", relevance: 1, children: [] }] };
const hit = (id: number) => ({ id: `id:p:product::${id}`, relevance: 0.5 - id / 100, source: "product", fields: { product_id: id } });

const unfilled = (id: number) => ({ id: `index:shop/0/${id}`, relevance: 1 - id / 10, fields: { title: "a" } });
const source = (id: string, children: readonly object[]) => ({ id: `source:${id}`, relevance: 1, children });

describe("parseReply()", () => {
  const plan = get("?query=red");
  const read = (body: string) => {
    const reply = parseReply(backend, encode(body), plan);
    if (!reply.ok) throw new Error(reply.error.detail);
    return reply.value;
  };

  it("reads ids and relevance", () => {
    const infinite = { id: "b", relevance: "-Infinity" };
    expect(read(root([hit(1), infinite])).hits).toEqual([
      { itemId: "id:p:product::1", score: 0.49, isPinned: false },
      { itemId: "b", score: undefined, isPinned: false },
    ]);
    const byId = VESPA.create(new Map([["products", { idField: "fields.product_id" }]]));
    const reply = parseReply(byId, encode(root([hit(7)])), plan);
    expect(reply.ok && reply.value.hits[0]?.itemId).toBe("7");
  });

  it("keeps groups out of the hits and where they stand", () => {
    const reply = read(root([group, hit(1), hit(2), hit(3)]));
    expect(reply.hits.map(({ itemId }) => itemId)).toEqual(["id:p:product::1", "id:p:product::2", "id:p:product::3"]);
    expect(decode(reply.assemble([2, 0]))).toBe(root([group, hit(3), hit(1)]));
    expect(decode(reply.assemble([]))).toBe(root([group]));
  });

  it("has no children where there are no hits, as the engine", () => {
    expect(decode(read(root([hit(1)])).assemble([]))).toBe(root(undefined));
    const none = read(root(undefined));
    expect(none.hits).toEqual([]);
    expect(decode(none.assemble([]))).toBe(root(undefined));
    expect(decode(read(root([])).assemble([]))).toBe(root([]));
  });

  it("puts groups where the engine has them on that page", () => {
    const high = (id: number) => ({ ...hit(id), relevance: 3 - id / 10 });
    const wide = encode(root([high(1), high(2), group, hit(3), hit(4), hit(5)]));
    const cut = (search: string, order: readonly number[]): string => {
      const reply = parseReply(backend, wide, get(search));
      if (!reply.ok) throw new Error(reply.error.detail);
      return decode(reply.value.assemble(order));
    };
    expect(cut("?query=red&hits=3", [4, 1, 0])).toBe(root([hit(5), high(2), group, high(1)]));
    expect(cut("?query=red&hits=2&offset=1", [4, 0])).toBe(root([hit(5), group, high(1)]));
    expect(cut("?query=red&hits=2&offset=3", [0, 4])).toBe(root([group, high(1), hit(5)]));
  });

  it.each([
    ["explicit_sort", [1, 1]],
    ["explicit_sort", [0.5, 0.4, 0.6]],
    [undefined, [0.5, 0.5, 0.4]],
    [undefined, [0.5]],
  ])("%s for hits of the relevance %j", (reason, scores) => {
    const hits = scores.map((relevance, i) => ({ ...hit(i), relevance }));
    expect(read(root(hits)).bypass?.reason).toBe(reason);
  });

  it.each([
    [undefined, { full: false, degraded: { "match-phase": true, timeout: false } }],
    ["engine_incomplete", { full: false, degraded: { "match-phase": true, timeout: true } }],
    ["engine_incomplete", { full: false, degraded: { "non-ideal-state": true } }],
    ["engine_incomplete", { full: false }],
    [undefined, { full: true }],
  ])("%s for the coverage %j", (reason, coverage) => {
    expect(read(root([hit(1), hit(2)], { coverage })).bypass?.reason).toBe(reason);
  });

  it("cuts the page out of hits that it does not know, and says what is missing", () => {
    const reply = read(root([unfilled(1), unfilled(2), unfilled(3)]));
    expect(reply.bypass).toMatchObject({ reason: "reply_not_search", detail: expect.stringContaining("documentid") });
    expect(decode(reply.assemble([0, 1]))).toBe(root([unfilled(1), unfilled(2)]));
  });

  it("cuts the page out of each list of sources that are not blended", () => {
    const reply = read(root([source("a", [hit(1), hit(2), hit(3)]), source("b", [hit(1)])]));
    expect([reply.hits.length, reply.bypass?.reason]).toEqual([3, "federated"]);
    expect(decode(reply.assemble([0, 1]))).toBe(root([source("a", [hit(1), hit(2)]), source("b", [hit(1)])]));
    const { children: _, ...empty } = source("b", []);
    expect(decode(reply.assemble([1, 2]))).toBe(root([source("a", [hit(2), hit(3)]), empty]));
  });

  it("leaves the engine's order where the engine says that hits may be missing", () => {
    const errors = [{ code: 4, summary: "Invalid query parameter", source: "product", message: "schema 'order' has no such rank profile" }];
    const reply = read(root([hit(1), hit(2)], { errors }));
    expect([reply.hits.length, reply.bypass?.reason]).toEqual([2, "engine_incomplete"]);
    expect(decode(reply.assemble([1]))).toBe(root([hit(2)], { errors }));
  });

  it.each([
    ["reply_not_json", '{"root":{"relevance":1.0,"children":['],
    ["reply_not_search", '{"hits":{"hits":[]}}'],
    ["reply_not_search", '{"root":{"children":[]}}'],
    ["reply_not_search", '{"root":{"relevance":1.0,"children":{}}}'],
    ["reply_not_search", '{"root":{"relevance":1.0,"children":[{"relevance":0.5}]}}'],
    ["reply_not_search", '{"root":{"relevance":1.0,"children":[{"id":"source-a","relevance":0.5,"children":[{"id":"a"}]}]}}'],
    ["duplicate_ids", '{"root":{"relevance":1.0,"children":[{"id":"a"},{"id":"a"}]}}'],
  ])("%s for %s", (reason, body) => {
    const reply = parseReply(backend, encode(body), plan);
    expect(reply.ok ? undefined : reply.error.reason).toBe(reason);
  });

  it("cuts a page out of a wider reply that says what a reply for that page says", () => {
    fc.assert(
      fc.property(
        fc.nat(40),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(6),
        fc.boolean(),
        fc.constantFrom(0, 2),
        (total, limit, page, isGrouped, indent) => {
          const all = Array.from({ length: total }, (_, i) => hit(i));
          const answer = (offset: number, count: number): string => {
            const children = [...(isGrouped ? [group] : []), ...all.slice(offset, offset + count)];
            return JSON.stringify(JSON.parse(root(children.length > 0 ? children : undefined)), undefined, indent);
          };
          const offset = page * limit;
          const reply = parseReply(
            backend,
            encode(answer(0, Math.max(20, offset + limit))),
            get(`?query=red&offset=${offset}&hits=${limit}`),
          );
          if (!reply.ok) throw new Error(reply.error.detail);
          const shown = [...reply.value.hits.keys()].slice(offset, offset + limit);
          const cut = decode(reply.value.assemble(shown));
          expect(JSON.parse(cut)).toEqual(JSON.parse(answer(offset, limit)));
          if (indent === 0) expect(cut).toBe(answer(offset, limit));
        },
      ),
    );
  });
});

describe("VESPA.create()", () => {
  it("throws where a request could be for several indexes, or for none", () => {
    expect(() => VESPA.create(new Map())).toThrow(/configure one, not 0/);
    expect(() =>
      VESPA.create(
        new Map([
          ["a", {}],
          ["b", {}],
        ]),
      ),
    ).toThrow(/configure one, not 2/);
  });
});

describe("describeError()", () => {
  it("words errors as Vespa does", () => {
    expect(JSON.parse(backend.describeError(504, "engine_timeout", "Too late").body)).toEqual({
      root: {
        id: "toplevel",
        relevance: 1,
        fields: { totalCount: 0 },
        errors: [{ code: 12, summary: "Timed out", message: "Too late" }],
      },
    });
    expect(JSON.parse(backend.describeError(400, "x", "y").body)).toMatchObject({ root: { errors: [{ code: 3 }] } });
    expect(JSON.parse(backend.describeError(500, "x", "y").body)).toMatchObject({ root: { errors: [{ code: 18 }] } });
  });
});
