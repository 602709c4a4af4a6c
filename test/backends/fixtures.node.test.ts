/** Recorded and documented replies of real engines, where ../shared has them: read, taken apart and put together again. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createElasticsearch } from "../../src/backends/elasticsearch.ts";
import { createMeilisearch } from "../../src/backends/meilisearch.ts";
import { createShopify } from "../../src/backends/shopify.ts";
import { createSolr } from "../../src/backends/solr.ts";
import { parseReply, planSearch } from "./one-search.ts";

const FIXTURES = fileURLToPath(new URL("../../../shared/data/fixtures/backends/", import.meta.url));
const backend = createElasticsearch(new Map([["products", {}]]));
const plan = planSearch(backend, "products", { method: "GET", search: "?q=x", body: new Uint8Array() });

const read = (name: string) => new Uint8Array(readFileSync(FIXTURES + name));
const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

const isPresent = existsSync(FIXTURES);
if (!isPresent) console.warn("The recorded replies are not beside this checkout (../shared/data): the check against them is skipped");

describe.skipIf(!isPresent)("replies in ../shared/data/fixtures/backends", () => {
  it.each([
    ["elasticsearch.search.json", ["0"]],
    ["opensearch.search-aggregations.json", ["1", "2", "3", "4"]],
    ["opensearch.search-facets.json", ["2", "1"]],
  ])("%s: ids, the same bytes in the same order, whole hits in another", (name, ids) => {
    const bytes = read(name);
    const reply = parseReply(backend, bytes, plan);
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.hits.map((hit) => hit.itemId)).toEqual(ids);
    expect(decode(reply.value.assemble([...ids.keys()]))).toBe(decode(bytes));
    const original = JSON.parse(decode(bytes));
    const turned = JSON.parse(decode(reply.value.assemble([...ids.keys()].toReversed())));
    expect(turned).toEqual({ ...original, hits: { ...original.hits, hits: original.hits.hits.toReversed() } });
  });

  it.each([
    ["meilisearch.search.json", { q: "american ", limit: 2 }, ["2770", "190859"]],
    ["meilisearch.search-facets.json", { q: "classic", facets: ["genres", "rating", "language"] }, ["5"]],
  ])("%s: the same for Meilisearch", (name, asked, ids) => {
    const meilisearch = createMeilisearch(new Map([["movies", {}]]));
    const own = planSearch(meilisearch, "movies", { method: "POST", search: "", body: new TextEncoder().encode(JSON.stringify(asked)) });
    const bytes = read(name);
    const reply = parseReply(meilisearch, bytes, own);
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.hits.map((hit) => hit.itemId)).toEqual(ids);
    expect(decode(reply.value.assemble([...ids.keys()]))).toBe(decode(bytes));
    const original = JSON.parse(decode(bytes));
    expect(JSON.parse(decode(reply.value.assemble([...ids.keys()].toReversed())))).toEqual({
      ...original,
      hits: original.hits.toReversed(),
    });
  });

  it.each([
    "elasticsearch.search.json",
    "algolia.queries-phone.json",
    "solr.select.json",
    "typesense.multi-search.json",
    "vespa.search.json",
  ])("%s is not taken for a Meilisearch reply", (name) => {
    const reply = parseReply(createMeilisearch(new Map([["products", {}]])), read(name), plan);
    expect(reply.ok ? "understood" : reply.error.reason).toBe("reply_not_search");
  });

  it.each([
    ["solr.select.json", "?q=cat:electronics", ["SP2514N"]],
    ["solr.select-highlighting.json", "?q=apple", ["MA147LL/A"]],
  ])("%s: the same for Solr", (name, search, ids) => {
    const solr = createSolr(new Map([["techproducts", {}]]));
    const bytes = read(name);
    const reply = parseReply(solr, bytes, planSearch(solr, "techproducts", { method: "GET", search, body: new Uint8Array() }));
    if (!reply.ok) throw new Error(reply.error.detail);
    expect(reply.value.hits.map((hit) => hit.itemId)).toEqual(ids);
    expect(decode(reply.value.assemble([...ids.keys()]))).toBe(decode(bytes));
  });

  it("shopify-storefront.search.constructed.json: the same for Shopify, where cursors stay", () => {
    const shopify = createShopify(new Map([["products", {}]]));
    const query = `query($query: String!, $first: Int!) {
      search(query: $query, first: $first, types: [PRODUCT]) { edges { cursor node { __typename ... on Product { id } } } }
    }`;
    const body = new TextEncoder().encode(JSON.stringify({ query, variables: { query: "tote", first: 10 } }));
    const own = planSearch(shopify, undefined, { method: "POST", path: "/api/2026-04/graphql.json", search: "", body });
    const bytes = read("shopify-storefront.search.constructed.json");
    const reply = parseReply(shopify, bytes, own);
    if (!reply.ok) throw new Error(reply.error.detail);
    const original = JSON.parse(decode(bytes));
    const edges: readonly { readonly cursor: string; readonly node: { readonly id: string } }[] = original.data.search.edges;
    expect(reply.value.hits.map((hit) => hit.itemId)).toEqual(edges.map(({ node }) => node.id));
    expect(decode(reply.value.assemble([0, 1, 2, 3]))).toBe(decode(bytes));
    const turned = edges.map(({ cursor }, i) => ({ cursor, node: edges[3 - i]!.node }));
    expect(JSON.parse(decode(reply.value.assemble([3, 2, 1, 0])))).toEqual({
      ...original,
      data: { search: { ...original.data.search, edges: turned } },
    });
    const other = parseReply(shopify, read("shopify-storefront.products.json"), own);
    expect(other.ok ? "understood" : other.error.reason).toBe("reply_not_search");
  });

  it.each([
    "meilisearch.search.json",
    "algolia.queries-phone.json",
    "solr.select.json",
    "typesense.multi-search.json",
    "vespa.search.json",
  ])("%s is no Elasticsearch reply, and is not taken for one", (name) => {
    const reply = parseReply(backend, read(name), plan);
    expect(reply.ok ? "understood" : reply.error.reason).toBe("reply_not_search");
  });
});
