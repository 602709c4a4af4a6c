/** Elasticsearch and OpenSearch: `_search` and `_msearch`. */
import { type Ask, cut, type EngineStandIn, get, listOf, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

const match = (query: string) => ({ query: { match: { title: query } } });

const ndjson = (path: string, lines: readonly unknown[]): Ask => ({
  path,
  init: {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  },
});

function searchReply(body: Readonly<Record<string, unknown>>, items: readonly StandInItem[]): object {
  const offset = numberOf(body["from"], 0);
  const limit = numberOf(body["size"], 10);
  const pinned = JSON.stringify(body).includes("pinned") ? 2 : 0;
  const hits = cut(items, offset, limit).map(({ id, title, price }, i) => ({
    _index: "products",
    _id: id,
    // What the pinned query gives its documents.
    _score: offset + i < pinned ? 1.7014122e38 : 50 - offset - i,
    _source: { title, price },
    ...("highlight" in body && { highlight: { title: [`<em>${title}</em>`] } }),
  }));
  return {
    took: 1,
    timed_out: false,
    _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
    hits: { total: { value: items.length, relation: "eq" }, max_score: 50, hits },
    ...("aggs" in body && { aggregations: { brands: { buckets: [{ key: "acme", doc_count: items.length }] } } }),
  };
}

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const headers = { "content-type": "application/json", "x-elastic-product": "Elasticsearch" };
  const url = new URL(request.url);
  if (url.pathname === "/") return new Response(null, { headers });
  const text = await request.text();
  if (!url.pathname.endsWith("/_msearch")) {
    const body = text === "" ? {} : objectOf(JSON.parse(text));
    return Response.json(searchReply({ ...body, ...Object.fromEntries(url.searchParams) }, items), { headers });
  }
  const lines = text.trimEnd().split("\n");
  const bodies = lines.filter((_, i) => i % 2 === 1).map((line) => objectOf(JSON.parse(line)));
  const responses = bodies.map((body) => ({ ...searchReply(body, items), status: 200 }));
  return Response.json({ took: 3, responses }, { headers });
}

function readSearch(part: unknown) {
  const { hits, ...rest } = objectOf(part);
  const { hits: list, ...totals } = objectOf(hits);
  return { ids: listOf(list).map((hit) => String(objectOf(hit)["_id"])), rest: { ...rest, ...totals } };
}

export const elasticsearch: EngineStandIn = {
  title: "Elasticsearch, OpenSearch",
  backend: "elasticsearch",
  index: "products",
  pages: [
    { name: "from, size", ask: (query, { offset, limit }) => post("/products/_search", { ...match(query), from: offset, size: limit }) },
    {
      name: "?from, ?size",
      ask: (query, { offset, limit }) => get("/products/_search", { q: query, from: offset, size: limit }),
    },
    {
      name: "_msearch",
      ask: (query, { offset, limit }) => ndjson("/_msearch", [{ index: "products" }, { ...match(query), from: offset, size: limit }]),
    },
  ],
  answer,
  read(reply) {
    const { responses } = objectOf(reply);
    return responses === undefined ? [readSearch(reply)] : listOf(responses).map(readSearch);
  },
  cases: [
    { feature: "search", title: "`_search`", ask: post("/products/_search", match("red")), outcomes: ["applied"] },
    {
      feature: "multi-search",
      title: "`_msearch`",
      ask: ndjson("/products/_msearch", [{}, match("red"), {}, { ...match("blue"), size: 3 }, {}, { ...match("red"), sort: ["price"] }]),
      outcomes: ["applied", "applied", "explicit_sort"],
    },
    {
      feature: "facets",
      title: "`aggs`",
      ask: post("/products/_search", { ...match("red"), aggs: { brands: { terms: { field: "brand" } } } }),
      outcomes: ["applied"],
    },
    {
      feature: "highlighting",
      title: "`highlight`",
      ask: post("/products/_search", { ...match("red"), highlight: { fields: { title: {} } } }),
      outcomes: ["applied"],
    },
    { feature: "sort", title: "`sort`", ask: post("/products/_search", { ...match("red"), sort: ["price"] }), outcomes: ["explicit_sort"] },
    {
      feature: "grouping",
      title: "`collapse`",
      ask: post("/products/_search", { ...match("red"), collapse: { field: "sku" } }),
      outcomes: ["grouped"],
    },
    {
      feature: "pinned hits",
      title: "`pinned` query",
      ask: post("/products/_search", { query: { pinned: { ids: ["a", "b"], organic: match("red").query } } }),
      outcomes: ["applied"],
      pinned: [0, 1],
    },
    {
      feature: "cursor",
      title: "`search_after`",
      ask: post("/products/_search", { ...match("red"), search_after: [1], sort: ["_score"] }),
      outcomes: ["cursor"],
    },
    { feature: "no hits", title: "`size: 0`", ask: post("/products/_search", { ...match("red"), size: 0 }), outcomes: ["size_zero"] },
  ],
};
