/** Vespa: what its clients and documentation send, and where it reads names. */
import { VESPA } from "../../../src/backends/vespa.ts";
import { type ForeignRequest, get, post, type Surface } from "./surface.ts";

const PATH = "/search/";
const url = (params: string | Readonly<Record<string, string>>): ForeignRequest => get(PATH, params);
const json = (body: unknown, search = ""): ForeignRequest => post(PATH, body, { search });
const form = (params: Readonly<Record<string, string>>, search = ""): ForeignRequest =>
  post(PATH, new URLSearchParams(params).toString(), { contentType: "application/x-www-form-urlencoded", search });

const USER = "select * from products where userInput(@q)";

const ordinary: readonly ForeignRequest[] = [
  url({ query: "red mug" }),
  url({ query: "red", hits: "5", offset: "10", type: "all", filter: "+brand:acme" }),
  url({ query: "red", count: "5", start: "10", "default-index": "title", language: "en", timeout: "1s" }),
  url({ yql: USER, q: "red" }),
  url({ yql: "select * from sources * where userQuery()", query: "red", ranking: "bm25", "presentation.timing": "true" }),
  url({ yql: "select title, price from sources products where title contains 'from orders' limit 5" }),
  url({ yql: "select * from products, brands where true order by price desc" }),
  url({ query: "red", sources: "products", restrict: "products,brands", "presentation.summary": "short", bolding: "false" }),
  url({ query: "red", sorting: "-price", nocache: "true", collapsefield: "brand", collapsesize: "2" }),
  url({ query: "red", format: "json", "presentation.format.tensors": "short", jsoncallback: "f" }),
  url({ query: "red", "pos.ll": "63.4;10.4", "pos.radius": "5km", "pos.attribute": "location" }),
  form({ yql: USER, q: "red", hits: "5" }),
  form({ query: "red", offset: "5" }, "?timeout=500ms"),
  // pyvespa.
  json({ yql: "select * from sources * where userQuery()", query: "red", ranking: "default", hits: 10 }),
  json({
    yql: "select * from sources * where ({targetHits:100}nearestNeighbor(embedding,e))",
    "input.query(e)": [0.1, 0.2],
    ranking: "semantic",
    timeout: 5,
    "presentation.timing": true,
  }),
  json({
    yql: "select * from products where rank({targetHits: 10}nearestNeighbor(v, e), userInput(@query))",
    query: "red",
    "input.query(e)": "embed(e5, @query)",
    "ranking.profile": "hybrid",
  }),
  json({
    yql: USER,
    q: "red",
    input: { "query(user)": { cells: [{ address: { d0: "0" }, value: 1 }] } },
    ranking: { profile: "a", features: { "query(alpha)": 0.3 }, matching: { numThreadsPerSearch: 2 }, softtimeout: { enable: false } },
  }),
  json({
    select: {
      where: { and: [{ contains: ["title", "red"] }, { range: ["price", { "<": 10 }] }] },
      grouping: [{ all: { group: "brand", each: { output: "count()" } } }],
    },
  }),
  json({ yql: `${USER} | all(group(brand) max(5) order(-count()) each(output(count())))`, q: "red" }),
  json({ yql: `${USER} and brand in (@brands)`, q: "red", brands: "acme,other", presentation: { bolding: true, summary: "short" } }),
  json({ yql: "select id,title from products where weakAnd(title contains 'a', body contains 'b') timeout 100", hits: 3 }),
  json({ yql: "select * from sources * where wand(tags, @interests)", interests: '{"a":1,"b":2}' }),
  json({
    yql: 'select * from products where userInput("red // mug /* from orders */")',
    model: { language: "en", locale: "en-US", defaultIndex: "default", type: "weakAnd" },
  }),
  json({ yql: "select * from products where ({defaultIndex:'title', grammar:'all'}userInput(@q)) and price > 10;", q: "red" }),
  json({ query: "red", model: { queryString: "red", restrict: "products" } }),
  json({
    yql: "select * from products where title contains phrase('a','b') or title contains near('a', 'b') or dotProduct(f, {'a':1})",
    hits: 2,
  }),
  json({
    yql: "select * from products where geoLocation(l, 63.5, 10.5, '200 km')",
    ranking: { sorting: "+price", freshness: "now", matchPhase: { attribute: "p", maxHits: 100 } },
  }),
  json({ yql: "select * from products where title matches 'r.d' and !(brand contains 'x')", "ranking.globalPhase.rerankCount": 50 }),
  json({ yql: "select * from products where sameElement(a contains 'b') and predicate(t, {'g':'m'}, {'a':20L})" }),
  json({ yql: USER, q: "red", "rankfeature.query(x)": 1, "rankproperty.x.y": "2", "rules.off": true, "weakAnd.replace": true }),
  json({ yql: USER, q: "red", groupingSessionCache: true, "dispatch.topKProbability": 0.999 }),
];

const attacks = (marker: string): readonly ForeignRequest[] => {
  const named: Readonly<Record<string, string>>[] = [
    { sources: marker },
    { sources: `products,${marker}` },
    { search: marker },
    { "model.sources": marker },
    { restrict: marker },
    { "model.restrict": `products ${marker}` },
    { Restrict: marker },
    { queryProfile: marker },
    { searchChain: marker },
    { "streaming.groupname": marker },
    { "streaming.userid": marker },
    { "streaming.selection": `user.${marker}` },
    { searchpath: marker },
    { "model.searchPath": marker },
    { sourceName: marker },
    { provider: marker },
    { "trace.level": marker },
    { "source.products.restrict": marker },
    { "ranking.listFeatures": marker },
    { "ranking.properties.vespa.matching.x": marker },
    { documenttype: marker },
    { yql: `select * from ${marker} where true` },
    { yql: `select * from sources ${marker} where true` },
    { yql: `select * from products, ${marker} where true` },
    { yql: `select * from sources products,${marker} where true` },
    { yql: `select * from/**/${marker} where true` },
    { yql: `select * /* from products */ from ${marker} where true` },
    { yql: `SELECT * FROM ${marker} WHERE true` },
    { yql: `select * from sources @s where true`, s: marker },
    { yql: `select * from products where true; select * from ${marker} where true` },
    { yql: `select a // from products\nfrom ${marker} where true` },
    { yql: `[{"x":"select * from products "}] select * from ${marker} where true` },
    { yql: `select "a from products " from ${marker} where true` },
    { yql: `select * from "${marker}" where true` },
    { yql: `select * from products%u002c${marker} where true` },
    { query: `select * from ${marker} where true`, type: "yql" },
    { query: `select * from ${marker} where true`, "model.type": "yql" },
    { query: `select * from ${marker} where true`, "model.type.syntax": "yql" },
    { yql: "select * from %{s} where true", s: marker },
    { "input.query(%{x})": `%{${marker}}` },
  ];
  return [
    ...named.flatMap((params) => [url({ hits: "5", ...params }), form({ hits: "5", ...params }), json({ hits: 5, ...params })]),
    url(`query=red&s%6furces=${marker}`),
    url(`query=red&%25u0073ources=${marker}`),
    url(`yql=select+*+from+products%u002c${marker}+where+true`),
    json({ model: { sources: [marker] } }),
    json({ model: { sources: "products", restrict: marker } }),
    json(`{"restrict":"products","restrict":"${marker}"}`),
    json(`{"model":{"restrict":"products","restrict":"${marker}"}}`),
    json(`{"model":{"restrict":"products"},"model.restrict":"${marker}"}`),
    json(`{"yql":"select * from \\u007a${marker} where true"}`),
    json(`{'restrict':'${marker}'}`),
  ];
};

const NAMES =
  /(?:^|\.)(?:sources?|search|restrict|queryprofile|searchchain|streaming|searchpath|sourcename|provider|trace|listfeatures|documenttype|vespa|s)(?:$|\.)/i;

export const VESPA_SURFACE: Surface = {
  indexes: new Map([["products", { schemas: ["products", "brands"] }]]),
  definition: VESPA,
  ordinary,
  attacks,
  isText(path, value) {
    // A list is the text of its name.
    const list = path.findIndex((key, i) => i > 0 && /^\d+$/.test(key));
    const name = path.slice(0, list < 0 ? path.length : list).join(".");
    // What stands below these is the ranking's or the query's own.
    if (/^(?:select|input|rankfeature|ranking\.(?!listfeatures|properties\.vespa))\b/i.test(name)) return true;
    return !NAMES.test(name) && !(/^yql$/i.test(name) && /\bfrom\b/i.test(value));
  },
};
