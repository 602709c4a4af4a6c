import { describe, expect, it } from "vitest";
import { SOLR } from "../../src/backends/solr.ts";
import { parseReply, planSearch } from "./one-search.ts";

const backend = SOLR.create(
  new Map([
    ["products", {}],
    ["offers", {}],
    ["orders", { forwardCredentials: true }],
  ]),
);
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const get = (search: string) => planSearch(backend, "products", { method: "GET", search, body: new Uint8Array() });
const post = (form: string, search = "") => planSearch(backend, "products", { method: "POST", search, body: encode(form) });

describe("plan()", () => {
  it("reads words and page from the URL and asks for the window there", () => {
    const plan = get("?q=red+shoes&start=20&rows=5&fq=stock:true&fq=brand:x");
    expect([plan.queryText, plan.offset, plan.limit, plan.bypass]).toEqual(["red shoes", 20, 5, undefined]);
    expect(plan.own.path + plan.own.search).toBe("/solr/products/select?q=red+shoes&start=20&rows=5&fq=stock:true&fq=brand:x");
    expect(plan.widen(60).search).toBe("?q=red+shoes&start=0&rows=60&fq=stock:true&fq=brand:x");
    expect(get("?q=red").widen(60).search).toBe("?q=red&rows=60");
  });

  it("reads a form, beside parameters of the URL", () => {
    const plan = post("q=red&rows=5", "?fq=a:b");
    expect([plan.queryText, plan.limit, plan.bypass]).toEqual(["red", 5, undefined]);
    expect(decode(plan.own.body)).toBe("q=red&rows=5");
    const wide = plan.widen(60);
    expect([wide.search, decode(wide.body)]).toEqual(["?fq=a:b", "q=red&rows=60"]);
  });

  it.each([
    ["title:red shoes", "red shoes"],
    ["{!edismax qf='title brand'}red shoes", "red shoes"],
    ["+title:red -brand:(acme)", "+red -(acme)"],
    ["12:30 clock", "30 clock"],
    ["*:*", undefined],
    ["", undefined],
  ])("takes the words of %s", (q, words) => {
    expect(get(`?q=${encodeURIComponent(q)}`).queryText).toBe(words);
  });

  it("follows v=$name", () => {
    expect(get(`?q=${encodeURIComponent("{!edismax v=$qq}")}&qq=red`).queryText).toBe("red");
  });

  it.each([
    ["explicit_sort", "?q=red&sort=price+asc"],
    ["cursor", "?q=red&cursorMark=*&sort=score+desc"],
    ["grouped", "?q=red&group=true&group.field=sku"],
    ["grouped", "?q=red&fq=%7B!collapse+field%3Dsku%7D"],
    ["size_zero", "?q=red&rows=0"],
    ["no_query_text", "?q=*:*"],
    ["request_not_understood", "?q=red&wt=xml"],
    ["request_not_understood", "?q=red&json.wrf=f"],
    ["request_not_understood", "?q=red&fl=title,price"],
    ["request_not_understood", "?q=red&rows=ten"],
    ["request_not_understood", "?q=red&rows=1&rows=2"],
  ])("%s: %s", (reason, search) => {
    expect(get(search).bypass?.reason).toBe(reason);
  });

  it("takes sort=score desc and fl with the id for what they are", () => {
    expect(get("?q=red&sort=score%20desc&fl=id,title&fl=score").bypass).toBeUndefined();
  });
});

const reply = (ids: readonly string[], header: object, start: number, highlighted: readonly string[] = ids): string =>
  JSON.stringify({
    responseHeader: { status: 0, QTime: 1, params: header },
    response: { numFound: 40, start, numFoundExact: true, docs: ids.map((id) => ({ id, title: `t ${id}` })) },
    highlighting: Object.fromEntries(highlighted.map((id) => [id, { title: [`<em>${id}</em>`] }])),
  });

const refuse = (search: string, form = "") => {
  const plan = backend.plan(
    { method: form === "" ? "GET" : "POST", path: "/solr/products/select", search, body: encode(form) },
    "products",
  );
  return plan.ok ? undefined : plan.error.message;
};

const searchOf = (params: Readonly<Record<string, string>>): string => `?${new URLSearchParams(params).toString()}`;

const planForm = (contentType: string | undefined) =>
  backend.plan({ method: "POST", path: "/solr/products/select", search: "", body: encode("q=red"), contentType }, "products");

describe("plan() refuses", () => {
  // Of each, one request ends Solr or holds a thread.
  it.each([
    "?q=red&expand=true&expand.rows=100000000",
    "?q=red&hl=true&hl.snippets=100000000",
    "?q=red&hl=true&f.title.hl.snippets=%2B100000000",
    "?q=red&fl=id,x:sleep(60000,1)",
    "?q=red&sort=sleep(%24ms,1)+asc&ms=60000",
    "?q=red&facet=true&facet.field=brand&facet.matches=(x%3F)(.%2B)%2B%23%5C1",
    "?q=red&facet=true&facet.field=brand&facet.matches=(.*)(.*)(.*)(.*)%23",
  ])("%s", (search) => {
    expect(refuse(search)).toBeDefined();
    expect(refuse("", search.slice(1))).toBeDefined();
  });

  it.each([
    "?q=red&qt=/update",
    "?q=red&shards=10.0.0.1:8983/solr/other",
    "?q=red&shards.qt=/update",
    "?q=red&stream.url=http://10.0.0.1",
    "?q=red&stream%2Ebody=x",
    "?q=red&v.template.custom=x",
    "?q=red&wt=velocity",
    "?q=red&json.params.qt=/update",
    "?q=red&json=%7B%7D",
    "?q=red&ie=UTF-16&%00q%00t=x",
  ])("%s does more than search", (search) => {
    expect(refuse(search)).toMatch(/not passed on/);
    expect(refuse("", search.slice(1))).toMatch(/not passed on/);
  });

  it.each(['{"params":{"qt":"/update"}}', " {query:red}", '--x\r\nContent-Disposition: form-data; name="qt"'])("so may %s", (body) => {
    expect(refuse("", body)).toMatch(/must be a form/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["another collection", { collection: "orders" }, /"collection" is "orders"/],
    [
      "another core in a join",
      { fq: "{!join from=a to=b fromIndex=orders}c" },
      /fromIndex=orders}, which names another core than products, offers/,
    ],
    ["one that a parameter names", { fq: "{!join from=a to=b fromIndex=$x}c", x: "orders" }, /fromIndex=\$x/],
    ["one inside of a quoted query", { fq: '_query_:"{\\!join from=a to=b fromIndex=orders}c"' }, /fromIndex=orders/],
    ["one behind an escape", { fq: '_query_:"\\u007b!join from=a to=b fromIndex=orders}c"' }, /fromIndex=orders/],
    ["one in a value that only looks quoted", { fq: "_query_:\"{!lucene v='\\' fromIndex=orders df=\\''}\"" }, /fromIndex=orders/],
    ["one in a text of JSON", { "json.facet": '{"a":{"type":"query","q":"\\u007b!join fromIndex=orders}"}}' }, /fromIndex=orders/],
    ["a subquery's core", { fl: "x:[subquery fromIndex=orders]" }, /fromIndex=orders/],
    [
      "a list of fields that a parameter names",
      { fl: "[child parentFilter=a:b fl=$kids]", kids: "x:[subquery fromIndex=orders]" },
      /fl=\$kids/,
    ],
    ["a subquery's collection", { fl: "x:[subquery]", "x.q": "a", "x.collection": "orders" }, /"x\.collection" is "orders"/],
    ["a subquery's shards", { fl: "x:[subquery]", "x.shards": "10.0.0.1" }, /"x\.shards" is not passed on/],
    ["a macro", { fq: "${a}", a: "b" }, /holds \${…}/],
    ["a parser of XML", { fq: "{!xmlparser v=$x}", x: "<a/>" }, /type=xmlparser/],
    ["a name that nothing refers to", { foo: "1" }, /"foo" is not passed on/],
    [
      "a name of Solr's own, although something refers to it",
      { shards: "10.0.0.1", fq: "{!term f=a v=$shards}" },
      /"shards" is not passed on/,
    ],
    ["a build", { "suggest.build": "true" }, /"suggest\.build"/],
    ["an unknown transformer", { fl: "[shard]" }, /type=shard/],
    ["more signs than are read", { fq: "\\-".repeat(50_001) }, /more than 50000 backslashes/],
    ["a section with two types", { fq: "{!term frange f=a}" }, /two types/],
    ["too many escapes", { fq: `{${"\\".repeat(200)}` }, /escaped too often/],
  ])("%s", (_, params, message) => {
    const form = new URLSearchParams({ q: "red", ...params }).toString();
    expect(refuse(`?${form}`)).toMatch(message);
    expect(refuse("", form)).toMatch(message);
  });

  it("neither a core that is configured with the edge's key, nor escapes of the shopper's words", () => {
    expect(refuse(searchOf({ q: "red", fq: "{!join from=a to=b fromIndex=offers}c" }))).toBeUndefined();
    expect(refuse(searchOf({ q: "{!edismax qf='a b' v='it\\'s \\\\ 3\\\" pipe'}" }))).toBeUndefined();
    expect(refuse(searchOf({ q: "red", collection: "products" }))).toBeUndefined();
  });

  it("nothing that clients ask with their own key", () => {
    const open = SOLR.create(new Map([["products", { forwardCredentials: true }]]));
    const plan = (search: string, body: string) =>
      planSearch(open, "products", { method: body === "" ? "GET" : "POST", search, body: encode(body), contentType: "application/json" });
    expect(plan("?q=red&collection=orders", "").own.search).toBe("?q=red&collection=orders");
    const json = plan("", '{"query":"red"}');
    expect([json.bypass?.reason, decode(json.own.body), json.own.contentType]).toEqual([
      "request_not_understood",
      '{"query":"red"}',
      undefined,
    ]);
  });

  it("bodies that are not forms in UTF-8, by their type", () => {
    for (const type of [
      "application/json",
      "text/xml",
      "multipart/form-data; boundary=x",
      "application/x-www-form-urlencoded; charset=ISO-8859-1",
    ]) {
      expect(planForm(type).ok).toBe(false);
    }
    const read = planForm("application/x-www-form-urlencoded; charset=UTF-8");
    expect(read.ok && read.value.own.contentType).toBe("application/x-www-form-urlencoded");
    expect(planForm(undefined).ok).toBe(true);
  });

  it("takes a search for a search", () => {
    const search = "?q={!edismax v=$qq}&qq=red&f.title.hl.fragsize=50&facet.field=brand&bf=x&wt=xml&json.nl=map&armmt_explain";
    expect(refuse(search)).toBeUndefined();
    expect(refuse("", "q=red&rows=5")).toBeUndefined();
  });
});

describe("parseReply()", () => {
  it("reads ids, scores and what was elevated", () => {
    const body = '{"response":{"start":0,"docs":[{"id":7,"score":2.5,"[elevated]":true},{"id":"b","[elevated]":false}]}}';
    const read = parseReply(backend, encode(body), get("?q=red"));
    expect(read.ok && read.value.hits).toEqual([
      { itemId: "7", score: 2.5, isPinned: true },
      { itemId: "b", score: undefined, isPinned: false },
    ]);
  });

  it("cuts a page that looks like one that was asked for", () => {
    const plan = get("?q=red&start=2&rows=2");
    const wide = reply(["a", "b", "c", "d", "e"], { q: "red", start: "0", rows: "60" }, 0);
    const read = parseReply(backend, encode(wide), plan);
    if (!read.ok) throw new Error(read.error.detail);
    expect(decode(read.value.assemble([4, 0]))).toBe(reply(["e", "a"], { q: "red", start: "2", rows: "2" }, 2));
  });

  it("takes an echo out that the shopper would not have got, and highlighting that no document has", () => {
    const read = parseReply(backend, encode(reply(["a", "b"], { q: "red", rows: "60", fq: "x" }, 0, ["b"])), get("?q=red&fq=x"));
    if (!read.ok) throw new Error(read.error.detail);
    expect(decode(read.value.assemble([1, 0]))).toBe(reply(["b", "a"], { q: "red", fq: "x" }, 0, ["b"]));
    expect(JSON.parse(decode(read.value.assemble([0])))).toMatchObject({ highlighting: {} });
  });

  it.each([
    ["reply_not_json", '{"response":{"docs":['],
    ["reply_not_search", '{"grouped":{}}'],
    ["reply_not_search", '{"response":{"docs":[{"title":"x"}]}}'],
    ["duplicate_ids", '{"response":{"docs":[{"id":"a"},{"id":"a"}]}}'],
  ])("%s for %s", (reason, body) => {
    const read = parseReply(backend, encode(body), get("?q=red"));
    expect(read.ok ? undefined : read.error.reason).toBe(reason);
  });
});

describe("describeError()", () => {
  it("words errors as Solr does", () => {
    expect(JSON.parse(backend.describeError(404, "not_found", "No such index").body)).toMatchObject({
      responseHeader: { status: 404 },
      error: { msg: "No such index", code: 404 },
    });
  });
});
