/** A shop whose engine is Solr. */
import { beforeAll, describe, expect, it } from "vitest";
import { drawnItems, publish } from "./catalog.ts";
import { readSolrRequest, shown } from "./dialects/solr-request.ts";
import { type Engine, openEdge, outcomeOf, WINDOW } from "./edge.ts";

const CATALOG = "solr";
const KINDS = 45;

beforeAll(() => publish(CATALOG));

/** Answers from the drawn catalogue as Solr answers, with highlighting and an echo; any query finds the same documents. */
const stand: Engine = async (request) => {
  const asked = await readSolrRequest(request, { echoParams: "explicit" });
  const start = Number(asked.get("start") ?? 0);
  const page = drawnItems()
    .slice(0, KINDS)
    .map(({ itemId }, place) => ({ id: itemId, place }))
    .slice(start, start + Number(asked.get("rows") ?? 10));
  return Response.json({
    responseHeader: asked.header(),
    response: { numFound: KINDS, start, docs: page.map((doc) => shown(asked, doc, { "[elevated]": false, score: 1 })) },
    highlighting: Object.fromEntries(page.map(({ id }) => [id, { title: ["<em>x</em>"] }])),
  });
};

interface SolrReply {
  readonly responseHeader: { readonly params: Readonly<Record<string, string>> };
  readonly response: { readonly start: number; readonly docs: readonly { readonly id: string; readonly place: number }[] };
  readonly highlighting: Readonly<Record<string, unknown>>;
}

const open = (vars: object = {}) =>
  openEdge({
    catalog: CATALOG,
    engine: stand,
    vars: { INDEXES: { products: { backend: "solr", url: "http://127.0.0.1:8983", window: WINDOW, catalog: CATALOG } }, ...vars },
  });

describe("a Solr core", () => {
  it("has pages that add up to the engine's documents, each like one that was asked for", async () => {
    const edge = open();
    const places: number[] = [];
    for (let start = 0; start < KINDS; start += 7) {
      const response = await edge.send(`/solr/products/select?q=red+velvet+sofa&start=${start}&rows=7`);
      expect(outcomeOf(response)).toBe(start < WINDOW ? "applied" : "beyond_window");
      const { responseHeader, response: page, highlighting }: SolrReply = await response.json();
      expect(responseHeader.params).toEqual({ q: "red velvet sofa", start: String(start), rows: "7" });
      expect(page.start).toBe(start);
      expect(Object.keys(highlighting)).toEqual(page.docs.map(({ id }) => id));
      places.push(...page.docs.map(({ place }) => place));
    }
    expect(places.toSorted((a, b) => a - b)).toEqual([...Array(KINDS).keys()]);
    expect(places.slice(0, WINDOW)).not.toEqual([...Array(WINDOW).keys()]);
  });

  it("is the engine's own, byte for byte, where it is left alone", async () => {
    const edge = open();
    for (const [search, reason] of [
      ["?q=red&sort=price+asc", "explicit_sort"],
      ["?q=*:*", "no_query_text"],
      ["?q=red&wt=xml", "request_not_understood"],
    ]) {
      const response = await edge.send(`/solr/products/select${search}`);
      expect(outcomeOf(response)).toBe(reason);
      expect(await response.bytes()).toEqual(edge.exchanges.at(-1)!.reply);
    }
  });

  it("is not reached by what is no search", async () => {
    const edge = open();
    const response = await edge.send("/solr/products/select?q=red&shards=10.0.0.1:8983/solr/other");
    expect([response.status, edge.exchanges]).toEqual([400, []]);
    expect(await response.text()).toContain("shards");
  });

  it("errors in its own words", async () => {
    const response = await open().send("/solr/orders/select?q=red");
    expect([response.status, await response.json()]).toEqual([
      404,
      expect.objectContaining({ error: expect.objectContaining({ code: 404 }) }),
    ]);
  });
});
