/** `_msearch`: several searches as lines of JSON. */
import { describe, expect, it } from "vitest";
import type { RequestPlan } from "../../src/backends/dialect.ts";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";

const elasticsearch = ELASTICSEARCH.create(
  new Map([
    ["products", {}],
    ["brands", { idField: "_source.sku" }],
  ]),
);
/** With the client's own key nothing is refused. */
const open = ELASTICSEARCH.create(new Map([["products", { forwardCredentials: true }]]));
const encode = (text: string) => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const MATCH = '{"query":{"match":{"title":"red"}}}';

function send(body: string, index?: string, search = "", dialect = elasticsearch) {
  const path = index === undefined ? "/_msearch" : `/${index}/_msearch`;
  return dialect.plan({ method: "POST", path, search, body: encode(body) }, index);
}

function planOf(body: string, index?: string, dialect = elasticsearch): RequestPlan {
  const plan = send(body, index, "", dialect);
  if (!plan.ok) throw new Error(plan.error.message);
  return plan.value;
}

describe("plan() of _msearch", () => {
  it("reads each search on its own, and widens those that are asked for", () => {
    const body = `{"index":"products"}\n${MATCH}\n{"index":["brands"],"preference":"x"}\n{"query":{"match":{"name":"acme"}},"from":4,"size":2}\n`;
    const plan = planOf(body);
    expect(plan.isMulti).toBe(true);
    expect(plan.searches.map(({ index, queryText, offset, limit }) => [index, queryText, offset, limit])).toEqual([
      ["products", "red", 0, 10],
      ["brands", "acme", 4, 2],
    ]);
    expect(decode(plan.own.body)).toBe(body);
    expect(plan.own).toMatchObject({ method: "POST", path: "/_msearch", search: "" });
    expect(decode(plan.widen([undefined, 60]).body)).toBe(
      `{"index":"products"}\n${MATCH}\n{"index":["brands"],"preference":"x"}\n{"query":{"match":{"name":"acme"}},"from":0,"size":60}\n`,
    );
    expect(decode(plan.widen([60, undefined]).body)).toContain('\n{"size":60,"query":{"match":{"title":"red"}}}\n');
  });

  it("takes the path's index where a header names none, and headers that are empty lines", () => {
    const plan = planOf(`\n${MATCH}\n{}\n${MATCH}`, "products");
    expect(plan.searches.map(({ index }) => index)).toEqual(["products", "products"]);
    expect(plan.own.path).toBe("/products/_msearch");
    expect(decode(plan.widen([5, undefined]).body)).toBe(`{}\n{"size":5,"query":{"match":{"title":"red"}}}\n{}\n${MATCH}`);
  });

  it.each(["null", "[]", "[null]", "{}", "1"])("takes %s in a header for no index, whatever the path says", (index) => {
    expect(send(`{"index":${index}}\n${MATCH}\n`, "products")).toMatchObject({ ok: false, error: { status: 400 } });
  });

  it("leaves to the engine what it does not understand, and only that, with the client's own key", () => {
    const plan = planOf(`{}\n${MATCH}\n{}\n{"size":-1}\n{}\n{"query":\n`, "products", open);
    expect(plan.searches.map(({ bypass }) => bypass?.reason)).toEqual([undefined, "request_not_understood", "request_not_understood"]);
  });

  it("cuts ext.armmt out of every body", () => {
    const plan = planOf(`{}\n{"query":{"match":{"title":"red"}},"ext":{"armmt":{"history":["a"]}}}\n`, "products");
    expect(plan.searches[0]!.history).toEqual(["a"]);
    expect(decode(plan.own.body)).toBe(`{}\n${MATCH}\n`);
  });

  it.each<[lines: string, searches: number, sent: string]>([
    [`\n{}\n${MATCH}\n`, 1, `\n{}\n${MATCH}\n`],
    [`{}\n${MATCH}\n\n`, 1, `{}\n${MATCH}\n`],
    [`\n{}\n${MATCH}\n\n`, 1, `\n{}\n${MATCH}\n`],
    [`{}\r\n${MATCH}\r\n\r\n`, 1, `{}\n${MATCH}\r\n`],
    [`{}\n${MATCH}\n  \n${MATCH}\n`, 2, `{}\n${MATCH}\n{}\n${MATCH}\n`],
    [`{}\n${MATCH}\n{"index":"orders"}\n`, 1, `{}\n${MATCH}\n`],
  ])("reads the lines of %j as the engine does", (body, searches, sent) => {
    const plan = planOf(body, "products");
    expect(plan.searches.length).toBe(searches);
    expect(decode(plan.own.body)?.replaceAll("\r", "")).toBe(sent.replaceAll("\r", ""));
  });

  it.each(["orders", "products,brands", "prod*", ""])("asks for no index in place of %j, and for the others as they are", (index) => {
    const plan = planOf(`{"index":${JSON.stringify(index)}}\n${MATCH}\n{"index":"products"}\n${MATCH}\n`);
    expect(plan.searches.map(({ bypass }) => bypass?.reason)).toEqual(["request_not_understood", undefined]);
    expect(decode(plan.widen([undefined, 50]).body)).toBe(
      `{"index":"not_configured#"}\n{}\n{"index":"products"}\n{"size":50,"query":{"match":{"title":"red"}}}\n`,
    );
  });

  it("reads searches that are in the URL", () => {
    const source = encodeURIComponent(`{"index":"products"}\n${MATCH}\n`);
    const read = elasticsearch.plan(
      { method: "GET", path: "/_msearch", search: `?source=${source}&source_content_type=application/json`, body: new Uint8Array() },
      undefined,
    );
    expect(read.ok && [read.value.own.search, decode(read.value.own.body)]).toEqual(["", `{"index":"products"}\n${MATCH}\n`]);
  });

  it.each<[string, string, number, RegExp]>([
    ["a last header that is no JSON", `{"index":"products"}\n${MATCH}\nxx\n`, 400, /Line 3: The body is not JSON/],
    ["an index that is not configured", `{"index":"orders"}\n${MATCH}\n`, 404, /\[orders\].*INDEXES/],
    ["a list of indexes", `{"index":["products","brands"]}\n${MATCH}\n`, 400, /Line 1: name one index/],
    ["a list in one text", `{"index":"products,brands"}\n${MATCH}\n`, 404, /\[products,brands\]/],
    ["no index at all", `{}\n${MATCH}\n`, 400, /Line 1: name one index/],
    ["a header that is no JSON", `{"index":\n${MATCH}\n`, 400, /Line 1: The body is not JSON/],
    ["a missing body", `{"index":"products"}\n`, 400, /1 lines/],
    ["nothing", "", 400, /0 lines/],
  ])("refuses %s", (_, body, status, message) => {
    const plan = send(body);
    expect(plan.ok ? undefined : [plan.error.status, message.test(plan.error.message)]).toEqual([status, true]);
  });
});

describe("parseReply() of _msearch", () => {
  const plan = planOf(`{"index":"products"}\n${MATCH}\n{"index":"brands"}\n${MATCH}\n`);
  const HITS = '{"hits":{"hits":[{"_id":"a","_source":{"sku":1}},{"_id":"b","_source":{"sku":2}}]},"status":200}';

  it("reads each part by its own index, and edits one without the other", () => {
    const reply = plan.parseReply(encode(`{"took":1,"responses":[${HITS} , ${HITS}]}`));
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.searches.map((one) => (one.ok ? one.value.hits.map(({ itemId }) => itemId) : one.error))).toEqual([
      ["a", "b"],
      ["1", "2"],
    ]);
    const turned = '{"hits":{"hits":[{"_id":"b","_source":{"sku":2}},{"_id":"a","_source":{"sku":1}}]},"status":200}';
    expect(decode(reply.value.assemble([undefined, [1, 0]]))).toBe(`{"took":1,"responses":[${HITS} , ${turned}]}`);
    expect(decode(reply.value.assemble([undefined, undefined]))).toBe(`{"took":1,"responses":[${HITS} , ${HITS}]}`);
  });

  it("knows the parts that failed", () => {
    const reply = plan.parseReply(encode(`{"responses":[${HITS},{"error":{"type":"x"},"status":404}]}`));
    expect(reply.ok && reply.value.searches.map((one) => (one.ok ? "read" : one.error.reason))).toEqual(["read", "engine_status"]);
  });

  it.each(['{"responses":[]}', `{"responses":{}}`, HITS])("does not take %s for the reply", (body) => {
    const reply = plan.parseReply(encode(body));
    expect(reply.ok ? "read" : reply.error.reason).toBe("reply_not_search");
  });
});
