import { describe, expect, it } from "vitest";
import { SOLR } from "../../src/backends/solr.ts";
import { OVERRIDES } from "../../src/backends/solr/server.ts";
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

const fieldsOf = (search: string) => new URLSearchParams(get(search).widen(60).search).get("json.fields");
const wordsOf = (params: Readonly<Record<string, string>>) => get(`?${new URLSearchParams(params).toString()}`).queryText;

describe("plan()", () => {
  it("reads words and page from the URL and asks for the window there", () => {
    const plan = get("?q=red+shoes&start=20&rows=5&fq=stock:true&fq=brand:x");
    expect([plan.queryText, plan.offset, plan.limit, plan.bypass]).toEqual(["red shoes", 20, 5, undefined]);
    expect(plan.own.path + plan.own.search).toBe("/solr/products/select?q=red+shoes&start=20&rows=5&fq=stock:true&fq=brand:x");
    const own = plan.own.search;
    expect(plan.widen(60).search.startsWith(`${own}&`)).toBe(true);
    expect(new URLSearchParams(plan.widen(60).search.slice(own.length))).toEqual(
      new URLSearchParams({
        "${armmtb17u:start}": "0",
        "${armmthip:rows}": "60",
        "${armmtgkkb:echoParams}": "all",
        "${armmtxis:omitHeader}": "false",
        "armmt.own": "${echoParams:}|${omitHeader:}|${start:}|${rows:}",
        "json.fields": '["${fl:*}","[elevated]","score","id"]',
      }),
    );
  });

  it("asks for more by names that come last in Java's hash tables, so that they win", () => {
    for (const name of Object.values(OVERRIDES)) {
      let hash = 0;
      for (const char of name) hash = (Math.imul(31, hash) + char.charCodeAt(0)) | 0;
      expect((hash ^ (hash >>> 16)) & 0xffff).toBe(0xffff);
    }
  });

  it("adds to the fields that are asked for", () => {
    expect(fieldsOf("?q=red&fl=title")).toBe('["[elevated]","score","id"]');
    expect(fieldsOf("?q=red&fl=&fl=+")).toBe('["[elevated]","score","id"]');
    expect(fieldsOf("?q=red&fl=")).toBe('["*","[elevated]","score","id"]');
  });

  it("reads a form, beside parameters of the URL", () => {
    const plan = post("q=red&rows=5", "?fq=a:b");
    expect([plan.queryText, plan.limit, plan.bypass]).toEqual(["red", 5, undefined]);
    expect(decode(plan.own.body)).toBe("q=red&rows=5");
    const wide = plan.widen(60);
    expect([wide.search.startsWith("?fq=a:b&%24%7B"), decode(wide.body)]).toEqual([true, "q=red&rows=5"]);
  });

  it("reads a form in ISO-8859-1", () => {
    const plan = planSearch(backend, "products", {
      method: "POST",
      search: "",
      body: new Uint8Array([...encode("q=caf%E9+"), 0xe9]),
      contentType: "application/x-www-form-urlencoded; charset=ISO-8859-1",
    });
    expect([plan.queryText, decode(plan.own.body), plan.own.contentType]).toEqual([
      "café é",
      "q=caf%C3%A9+%C3%A9",
      "application/x-www-form-urlencoded",
    ]);
  });

  it.each([
    ["title:red shoes", "red shoes"],
    ["{!edismax qf='title brand'}red shoes", "red shoes"],
    ["+title:red -brand:(acme)", "red"],
    ["12:30 clock", "30 clock"],
    ["*:*", undefined],
    ["", undefined],
    ["*", undefined],
    ["title:*", undefined],
    ["[* TO *]", undefined],
    ["price:[1 TO 5] red", "red"],
    ["price:{1 TO *] AND mug", "mug"],
    ["*:* -brand:HP", undefined],
    ["-brand:HP NOT cheap", undefined],
    ["red NOT (blue OR green) mug", "red mug"],
    ["red !blue mug", "red mug"],
    ["red^2 mug~1", "red mug"],
    ['"leather bag"~9^2', "leather bag"],
    ["(title:red^5 OR category:red) AND (title:mug^5 OR category:mug)", "red mug"],
    ["red* mug?", "red mug"],
    ["t-shirt men's", "t-shirt men's"],
    ["C\\+\\+ \\(book\\)", "C++ (book)"],
    ["id:p0001", undefined],
    ["id:(p0001 OR p0002) red", "red"],
    ["in_stock:true AND red", "red"],
    ["/re[dx]/ mug", "mug"],
    ["red && mug || bag", "red mug bag"],
    ["{!func}div(1000,sum(price,1))", undefined],
    ["{!knn f=v topK=10}[1.0, 2.0]", undefined],
    ["{!terms f=id}1,2,3", undefined],
    ["{!join from=a to=b}title:red", undefined],
    ["{!parent which='t:p' score=max}title:red", undefined],
    ["{!boost b=log(popularity)}red mug", "red mug"],
    ["{!boost b=log(popularity) v='red mug'}", "red mug"],
    ["{!type=edismax qf='title'}red mug", "red mug"],
    ["{!edismax qf=title v='it\\'s red'}", "it's red"],
    ["{!bool must='title:red' must_not='title:mug' should=bag}", "red bag"],
    ['_query_:"{!dismax v=\'red mug\'}" _val_:"log(price)"', "red mug"],
    ['_query_:"{!func}price" red', "red"],
    ["red AND {!prefix f=cat}ele", "red"],
    ["red mug {!edismax v=bag}", "red mug bag"],
    [" {!func}price red", "red"],
  ])("takes the words of %s", (q, words) => {
    expect(get(`?q=${encodeURIComponent(q)}`).queryText).toBe(words);
  });

  it("follows v=$name", () => {
    expect(wordsOf({ q: "{!edismax v=$qq}", qq: "red" })).toBe("red");
    expect(wordsOf({ q: '_query_:"{!dismax v=$qq}"', qq: "red" })).toBe("red");
    // SAP Commerce.
    expect(
      wordsOf({ q: "{!boost}(+{!lucene v=$yq})", yq: "_query_:\"{!multiMaxScore tie=0.0 v='(name:red^100.0) OR (name:mug^20)'}\"" }),
    ).toBe("red mug");
    expect(wordsOf({ q: "{!v=$a}", a: "{!v=$a}{!v=$a}" })).toBeUndefined();
    expect(wordsOf({ q: "price", defType: "func" })).toBeUndefined();
    expect(wordsOf({ q: "mug - red", defType: "edismax" })).toBe("mug red");
    expect(wordsOf({ q: "mug - red" })).toBe("mug red");
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
    ["request_not_understood", "?q=red&fl=id:title,price"],
    ["request_not_understood", "?q=red&fl=title,score:price"],
    ["request_not_understood", "?q=red&fl=x:[subquery]&x.q=a"],
    ["request_not_understood", "?q=red&minExactCount=5"],
    ["explicit_sort", "?q=red&sort=score+asc"],
    ["explicit_sort", "?q=red&sort=in_stock+desc,score+desc"],
    ["explicit_sort", "?q=red&sort=sum(a,b)+desc,score+desc"],
    ["grouped", "?q=red&group=trueish&group.field=sku"],
    ["grouped", "?q=red&fq=%7B!tag%3Dx+type%3Dcollapse+field%3Dsku%7D"],
    ["grouped", "?q=red&fq=%7B!+collapse+field%3Dsku%7D"],
    ["grouped", "?q=red&fq=%7B!v%3D$c%7D&c=%7B!collapse+field%3Dsku%7D"],
    ["grouped", "?q=red&expand=true&expand.field=sku"],
    ["grouped", "?q=red&tv=on"],
    ["request_not_understood", "?q=red&rows=ten"],
    ["request_not_understood", "?q=red&rows=1&rows=2"],
  ])("%s: %s", (reason, search) => {
    expect(get(search).bypass?.reason).toBe(reason);
  });

  it.each([
    "?q=red&sort=score%20desc&fl=id,title&fl=score",
    "?q=red&fl=title,price",
    "?q=red&sort=score+desc,price+asc",
    "?q=red&sort=score+DESC,",
    "?q=red&sort=",
    "?q=red&sort=in_stock+desc,score+desc&fq=in_stock:true",
    "?q=red&json.nl=flat&json.facet=%7B%7D&json.facet.a=%7B%7D",
    "?q=red&group=false&mlt=off&wt=standard",
    "?q=red&debugQuery=false",
  ])("leaves the order of %s to the model", (search) => {
    expect(get(search).bypass).toBeUndefined();
  });
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
    ["a macro that is no list of fields", { fq: "${a}" }, /"fq" holds \${…}/],
    ["a list of fields out of the request", { qf: "${q}", q: "red" }, /"qf" holds \${…}/],
    ["a list of fields out of a text that another value refers to", { qf: "${a}", fq: "{!term f=b v=$a}", a: "c" }, /"qf" holds \${…}/],
    ["a macro with a text of its own", { qf: "${a:b}" }, /"qf" holds \${…}/],
    ["more than a macro", { qf: "${a} b" }, /"qf" holds \${…}/],
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

  it.each<[string, Record<string, string>]>([
    ["a gap", { "facet.range": "price", "facet.range.start": "0", "facet.range.end": "1000000000", "facet.range.gap": "0.1" }],
    ["a gap of a field", { "facet.range": "price", "facet.range.start": "0", "facet.range.end": "1e9", "f.price.facet.range.gap": "1" }],
    ["a gap beside the field", { "facet.range": "{!facet.range.start=0 facet.range.end=$e facet.range.gap=1}price", e: "1e9" }],
    ["dates", { "facet.range": "d", "facet.range.start": "NOW/DAY-30YEARS", "facet.range.end": "NOW", "facet.range.gap": "+1MINUTE" }],
    ["no numbers", { "facet.range": "d", "facet.range.start": "x", "facet.range.end": "NOW", "facet.range.gap": "+1MINUTE" }],
    ["JSON", { "json.facet": '{"a":{"type":"range","field":"price","start":0,"end":1e9,"gap":1}}' }],
    ["its other form", { "json.facet": '{"a":{"range":{"field":"price","start":0,"end":1e9,"gap":"1"}}}' }],
    [
      "JSON inside of JSON",
      {
        "json.facet":
          '{"c":{"type":"terms","field":"c","limit":1000,"facet":{"a":{"type":"range","field":"price","start":0,"end":100,"gap":1}}}}',
      },
    ],
    ["loose JSON", { "json.facet": "{a:{type:range,field:price,start:0,end:1e9,gap:1}}" }],
    ["JSON with comments", { "json.facet": "{a:{type:range,field:price,start/**/:0,end:1e9,gap/**/:1}}" }],
    ["JSON with escapes", { "json.facet": '{"a":{"type":"range","field":"price","start":0,"end":1e9,"g\\u0061p":1},}' }],
    ["JSON by paths", { "json.facet.a.type": "range", "json.facet.a.start": "0", "json.facet.a.end": "1e9", "json.facet.a.gap": "1" }],
    ["a pivot of all with all", { "facet.pivot": "a,b", "facet.pivot.mincount": "0" }],
  ])("more buckets than a node holds: %s", (_, params) => {
    expect(refuse(searchOf({ q: "red", facet: "true", ...params }))).toMatch(/REQUEST_LIMITS|cannot be counted|mincount/);
  });

  it.each<Record<string, string>>([
    { "facet.range": "price", "facet.range.start": "0", "facet.range.end": "1000", "facet.range.gap": "0.5" },
    { "facet.range": "price", "facet.range.start": "0.00,USD", "facet.range.end": "1000.00,USD", "facet.range.gap": "100.00,USD" },
    { "facet.range": "d", "facet.range.start": "NOW/YEAR-10YEARS", "facet.range.end": "NOW/DAY+1DAY", "facet.range.gap": "+1MONTH" },
    { "facet.range": "d", "facet.range.start": "2020-01-01T00:00:00Z", "facet.range.end": "NOW", "facet.range.gap": "+1DAY" },
    { "facet.pivot": "a,b", "facet.limit": "-1" },
    { "json.facet": '{"a":{"type":"range","field":"price","start":0,"end":1000,"gap":10},"b":{"type":"terms","field":"c","limit":-1}}' },
    { "json.facet": "{a:{type:range,field:price,start:0,end:1000,gap:10},d:'avg(gap)'}" },
  ])("as few as shops ask for: %s", (params) => {
    expect(refuse(searchOf({ q: "red", facet: "true", ...params }))).toBeUndefined();
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
      "application/x-www-form-urlencoded; charset=UTF-16",
      'application/x-www-form-urlencoded; charset="ISO-8859-1"',
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

/** As Solr would answer to widen(60) of a request with these parameters, behind a handler with these. */
const wideOf = (docs: readonly object[], own: string, params: Record<string, string | readonly string[]>, more: object = {}): string =>
  JSON.stringify({
    responseHeader: { status: 0, QTime: 1, params: { ...params, echoParams: "all", rows: "60", "armmt.own": own, "json.fields": "[]" } },
    response: { numFound: 40, start: 0, maxScore: 2.5, numFoundExact: true, docs },
    ...more,
  });
const docOf = (id: string, isPinned = false) => ({ id, title: `t ${id}`, "[elevated]": isPinned, score: 2.5 });
const highlightingOf = (ids: readonly string[]) => ({
  highlighting: Object.fromEntries(ids.map((id) => [id, { title: [`<em>${id}</em>`] }])),
});
const hidden = ["[elevated]", "score", "id"];
const assembled = (search: string, body: string, order: readonly number[]): unknown => {
  const read = parseReply(backend, encode(body), get(search));
  if (!read.ok) throw new Error(read.error.detail);
  return JSON.parse(decode(read.value.assemble(order)));
};
const five = ["a", "b", "c", "d", "e"].map((id) => docOf(id));

describe("parseReply()", () => {
  it("reads ids, scores and what was elevated", () => {
    const body = '{"responseHeader":{},"response":{"start":0,"docs":[{"id":7,"score":2.5},{"id":["b"]}]}}';
    const own = parseReply(backend, encode(body), get("?q=red"));
    expect(own.ok && own.value.hits).toEqual([
      { itemId: "7", score: 2.5, isPinned: false },
      { itemId: "b", score: undefined, isPinned: false },
    ]);
    const wide = wideOf([docOf("a", true), docOf("b")], "|||", { q: "red", fl: ["*", ...hidden] });
    const read = parseReply(backend, encode(wide), get("?q=red"));
    expect(read.ok && read.value.hits).toEqual([
      { itemId: "a", score: 2.5, isPinned: true },
      { itemId: "b", score: 2.5, isPinned: false },
    ]);
  });

  it("cuts a page that looks like one that was asked for", () => {
    const wide = wideOf(
      five,
      "explicit||2|2",
      { q: "red", df: "title", fl: ["id,title", ...hidden] },
      highlightingOf(["a", "b", "c", "d", "e"]),
    );
    expect(assembled("?q=red&start=2&rows=2&fl=id,title", wide, [4, 0])).toEqual({
      responseHeader: { status: 0, QTime: 1, params: { q: "red", start: "2", rows: "2", fl: "id,title" } },
      response: {
        numFound: 40,
        start: 2,
        numFoundExact: true,
        docs: [
          { id: "e", title: "t e" },
          { id: "a", title: "t a" },
        ],
      },
      ...highlightingOf(["e", "a"]),
    });
  });

  it("takes out what the shopper would not have got, and keeps what the handler gives", () => {
    const none = wideOf(five, "|||", { q: "red", fl: ["*", ...hidden] });
    expect(assembled("?q=red", none, [1])).toMatchObject({
      responseHeader: { status: 0, QTime: 1 },
      response: { docs: [{ id: "b", title: "t b" }] },
    });
    expect(JSON.stringify(assembled("?q=red", none, [1]))).not.toMatch(/params|maxScore|elevated/);
    const omitted = wideOf(five, "|true||", { q: "red", fl: ["title,score", "title,score", ...hidden] });
    expect(assembled("?q=red", omitted, [1])).toEqual({
      response: { numFound: 40, start: 0, maxScore: 2.5, numFoundExact: true, docs: [{ title: "t b", score: 2.5 }] },
    });
  });

  it("keeps highlighting by position where its names are not the catalogue's ids", () => {
    const wide = wideOf(five, "|||", { q: "red", fl: ["*", ...hidden] }, highlightingOf(["k1", "k2", "k3", "k4", "k5"]));
    expect(assembled("?q=red", wide, [3, 0])).toMatchObject(highlightingOf(["k4", "k1"]));
  });

  it.each<[string, string, Record<string, string | readonly string[]>]>([
    ["explicit_sort", "|||", { sort: "price asc" }],
    ["grouped", "|||", { fq: ["a:b", "{!collapse field=sku}"] }],
    ["grouped", "|||", { group: "true", "group.main": "true" }],
    ["no_query_text", "|||", { defType: "func" }],
    ["request_not_understood", "|||", { q: "other" }],
  ])("%s: the handler's configuration", (reason, own, params) => {
    const read = parseReply(backend, encode(wideOf(five, own, { q: "red", fl: ["*", ...hidden], ...params })), get("?q=red"));
    expect(read.ok && read.value.bypass?.reason).toBe(reason);
  });

  it.each<[string, string, Record<string, string | readonly string[]>]>([
    ["other rows", "|||24", {}],
    ["another start", "||5|", {}],
    ["similar documents", "|||", { mlt: "true" }],
    ["a count that follows rows", "|||", { minExactCount: "5" }],
    ["macros as they were sent", "${echoParams:}|${omitHeader:}|${start:}|${rows:}", {}],
  ])("does not cut from a reply with %s", (_, own, params) => {
    const read = parseReply(backend, encode(wideOf(five, own, { q: "red", fl: ["*", ...hidden], ...params })), get("?q=red"));
    expect(read.ok).toBe(false);
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
