/** Requests of Vespa → what the edge does with them. */
import type { Dialect, Shape } from "./judge.ts";

const PATH = "/search/";
const FORM = { "content-type": "application/x-www-form-urlencoded" };

export const VESPA: Dialect = {
  mask: (body) =>
    body.replaceAll(/"(querytime|summaryfetchtime|searchtime)":[\d.E-]+/g, '"$1":0').replaceAll(/[?&]model\.restrict=products/g, ""),
  hits: ["root", "children"],
  // Parameters of the URL win over JSON, those of a form over both; a page in YQL over all.
  window: (shape, size) => {
    const [path = "", query = ""] = shape.path.split("?");
    const type = shape.headers?.["content-type"] ?? "";
    const isForm = type.startsWith("application/x-www-form");
    const page = `hits=${size}&offset=0`;
    const paged = (text: string): string =>
      text.replaceAll(/limit(?: |%20|\+)\d+(?:(?: |%20|\+)offset(?: |%20|\+)\d+)?|offset(?: |%20|\+)\d+/gi, `limit ${size}`);
    const body =
      shape.body === undefined ? {} : { body: isForm ? `${without(paged(shape.body))}&${page}` : withoutPage(paged(shape.body)) };
    const headers = { ...shape.headers, accept: "application/json" };
    return { ...shape, path: `${path}?${without(paged(query))}&${page}`, ...body, headers };
  },
};

/** An equal value under another name would win by chance. */
const without = (text: string): string =>
  text
    .split("&")
    .filter((param) => !/^(?:hits|count|offset|start)(?:=|$)/i.test(param))
    .join("&");

function withoutPage(json: string): string {
  try {
    const { hits: _, HITS: _1, count: _2, Count: _3, offset: _4, start: _5, Start: _6, ...rest } = JSON.parse(json); // oxlint-disable-line no-unsafe-assignment
    return JSON.stringify(rest);
  } catch {
    return json;
  }
}

/** Parameters beside the words under which the list is re-ranked. */
const BESIDE: readonly (readonly [name: string, value: string | number | boolean][])[] = [
  [],
  [["hits", 5]],
  [
    ["hits", 7],
    ["offset", 5],
  ],
  [["hits", 80]],
  [["hits", 50]],
  [
    ["hits", 10],
    ["offset", 45],
  ],
  [
    ["count", 4],
    ["start", 3],
  ],
  [["hits", ""]],
  [["offset", ""]],
  [["hits", "+3"]],
  [["hits", "007"]],
  [["HITS", 3]],
  [
    ["Start", 12],
    ["Count", 6],
  ],
  [
    ["timeout", "5s"],
    ["hits", 6],
  ],
  [["ranking", "bm25"]],
  [
    ["ranking.profile", "bm25"],
    ["hits", 4],
  ],
  [
    ["ranking.matchPhase.maxHits", 20],
    ["ranking.matchPhase.attribute", "popularity"],
  ],
  [["ranking.rerankCount", 5]],
  [["ranking.secondPhase.rerankCount", 5]],
  [["ranking.softtimeout.enable", false]],
  [["ranking.properties.x.y", 1]],
  [["ranking.features.query(a)", 0.3]],
  [["input.query(a)", 0.3]],
  [["rankfeature.query(a)", 1]],
  [["presentation.timing", true]],
  [["timing", true]],
  [["bolding", true]],
  [["presentation.bolding", false]],
  [["format", "json"]],
  [["presentation.format", "default"]],
  [["summary", "known"]],
  [
    ["presentation.summary", "known"],
    ["hits", 4],
    ["offset", 9],
  ],
  [["presentation.summaryFields", "sku,price"]],
  [["select", "all(group(category) each(output(count())))"]],
  [
    ["select", "all(group(category) each(output(count())))"],
    ["hits", 3],
    ["offset", 1],
  ],
  [
    ["select", "all(group(category) max(3) order(-count()) each(output(count())))"],
    ["hits", 5],
    ["offset", 20],
  ],
  [["type", "all"]],
  [["type", "any"]],
  [["type", "weakAnd"]],
  [["type", "web"]],
  [["filter", "category:mug"]],
  [["language", "en"]],
  [
    ["lang", "en"],
    ["default-index", "default"],
  ],
  [["sources", "products"]],
  [["restrict", "products"]],
  [["sorting", ""]],
  [["trace.level", 0]],
  [
    ["nocache", true],
    ["groupingSessionCache", false],
  ],
  [["weakAnd.replace", false]],
];

const QUERY = "leather bag";

/** All parameters of the URL → outcome. */
const OTHERS: readonly (readonly [params: string, outcome: string])[] = [
  ["query=blue bag&sorting=-price", "explicit_sort"],
  ["query=blue bag&sortspec=-price", "explicit_sort"],
  ["query=blue bag&SortSpec=%2Bprice", "explicit_sort"],
  ["query=blue bag&ranking.sorting=-price", "explicit_sort"],
  ["query=blue bag&Ranking.sorting=-price", "applied"],
  ["query=blue bag&sorting=&sorting=-price", "explicit_sort"],
  ["query=blue bag&sorting=-price&sorting=", "applied"],
  ["query=blue bag&query=red mug", "applied"],
  ["query=blue bag&hits=3&hits=6", "applied"],
  ["query=blue bag&collapsefield=category", "grouped"],
  ["query=blue bag&hits=0", "size_zero"],
  ["query=blue bag&hits=0&select=all(group(category) each(output(count())))", "size_zero"],
  ["query=blue bag&offset=60", "beyond_window"],
  ["query=blue bag&ranking=even", "applied"],
  ["query=blue bag&ranking=unranked", "explicit_sort"],
  ["query=blue bag&ranking=nope", "engine_status"],
  ["query=xyzzy", "too_few_hits"],
  ["query=*", "engine_status"],
  ["query=", "engine_status"],
  ["hits=3", "engine_status"],
  ["query=-mug&restrict=products", "no_query_text"],
  ["query=blue -mug", "applied"],
  ["query=%2Bblue bag", "applied"],
  ['query="leather bag"', "applied"],
  ["query=title:blue", "applied"],
  ["query=(blue mug) bag", "applied"],
  ["query=blue!300 bag", "applied"],
  ["query=blue bag&format=xml", "request_not_understood"],
  ["query=blue bag&format=cbor", "request_not_understood"],
  ["query=blue bag&format=JSON", "request_not_understood"],
  ["query=blue bag&hits=ten", "request_not_understood"],
  ["query=blue bag&hits=1.0", "request_not_understood"],
  ["query=blue bag&hits=-1", "request_not_understood"],
  ["query=blue bag&hits=401", "engine_status"],
  ["query=blue bag&offset=1001", "engine_status"],
  ["query=blue bag&presentation.summary=short", "reply_not_search"],
  ["query=blue bag&presentation.summaryFields=title", "request_not_understood"],
  ["query=blue bag&jsoncallback=f", "request_not_understood"],
  ["query=blue bag&timeout=abc", "engine_status"],
];

/** Conditions, and what is behind them → outcome. `q` is "blue bag". */
const STATEMENTS: readonly (readonly [statement: string, outcome: string])[] = [
  ["select * from products where userInput(@q)", "applied"],
  ["select * from sources products where userInput(@q)", "applied"],
  ["select * from sources * where userInput(@q)", "applied"],
  ["SELECT * FROM products WHERE userInput(@q)", "applied"],
  ["select * from products where {grammar: 'all'}userInput(@q)", "applied"],
  ["select * from products where ({targetHits: 100, defaultIndex: 'title'}userInput(@q)) and price < 500", "applied"],
  ["select * from products where rank(userInput(@q), title contains 'bag')", "applied"],
  ["select * from products where userInput(@q) or userInput('red')", "applied"],
  ["select * from products where title contains 'blue'", "applied"],
  ["select * from products where title contains @q", "any"],
  ["select * from products where title contains (@q)", "any"],
  ["select * from products where title contains ({stem: false}'blue')", "applied"],
  ["select * from products where default contains 'blue' and title contains 'bag'", "applied"],
  ["select * from products where title contains phrase('leather', 'bag')", "applied"],
  ["select * from products where title contains equiv('blue', 'red')", "applied"],
  ["select * from products where weakAnd(title contains 'blue', title contains 'bag')", "applied"],
  ["select * from products where ({targetHits: 50}weakAnd(title contains 'blue', title contains 'bag'))", "applied"],
  ["select * from products where category contains 'bag' and title contains 'blue'", "applied"],
  ["select * from products where title contains 'blue' and !(title contains 'mug')", "applied"],
  ["select * from products where !(title contains 'mug')", "no_query_text"],
  ["select * from products where true", "no_query_text"],
  ["select * from products where price < 50", "no_query_text"],
  ["select * from products where userQuery()", "engine_status"],
  ["select * from products where userInput(@nope)", "engine_status"],
  ["select * from products where userInput(@q) order by price", "explicit_sort"],
  ["select * from products where userInput(@q) ORDER BY price desc", "explicit_sort"],
  ['select * from products where userInput(@q) # "\n order by price # "', "explicit_sort"],
  ["select * from products where userInput(@q) // order by price", "applied"],
  ["select * from products where userInput(@q) /* limit 2 */ limit 7", "applied"],
  ["select * from products where userInput(@q) limit 5", "applied"],
  ["select * from products where userInput(@q) limit 15 offset 5", "applied"],
  ["select * from products where userInput(@q) offset 3", "applied"],
  ["select * from products where userInput(@q) LIMIT\n 60;", "applied"],
  ["select * from products where userInput(@q) limit 5 timeout 5000", "applied"],
  ["select * from products where userInput(@q) limit 0", "size_zero"],
  ["select * from products where userInput(@q) limit 5 offset 5", "size_zero"],
  ["select * from products where userInput(@q) limit 70 offset 60", "beyond_window"],
  ["select * from products where userInput(@q) limit 2 offset 5", "request_not_understood"],
  ["select * from products where userInput(@q) limit @n", "request_not_understood"],
  ["select * from products where userInput('limit 5 bag')", "applied"],
  ["select sku, title from products where userInput(@q)", "applied"],
  ["select title from products where userInput(@q)", "request_not_understood"],
  ["select * from products where userInput(@q) | all(group(category) each(output(count())))", "applied"],
  ["select * from products where userInput(@q) limit 5 | all(group(category) each(output(count())))", "applied"],
  ["select * from products where ({targetHits: 30}nearestNeighbor(embedding, e))", "engine_status"],
  ["select * from products where ({targetHits: 30}nearestNeighbor(embedding, e)) or userInput(@q)", "engine_status"],
  ["select * from products where userInput(@q) and price in (1, 2)", "any"],
  ["select * from products where userInput(@q", "engine_status"],
];

const encode = (params: string): string =>
  params
    .split("&")
    .map((param) => {
      const [name = "", ...value] = param.split("=");
      const text = value.join("=");
      return param.includes("=") ? `${name}=${encodeURIComponent(decodeURIComponent(text))}` : name;
    })
    .join("&");

const paramsText = (params: (typeof BESIDE)[number]): string =>
  params.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join("&");

const jsonOf = (params: (typeof BESIDE)[number], more: object): string => JSON.stringify({ ...more, ...Object.fromEntries(params) });

const url = (label: string, params: string, outcome: string): Shape => ({ label, path: `${PATH}?${params}`, outcome });

/** Bodies as clients write them, URL and headers → outcome. */
const BODIES: readonly Shape[] = [
  ["a line break in a text", "", '{"yql":"select *\n\tfrom products where userInput(@q)","q":"blue bag","hits":5}', "applied"],
  ["single quotes", "", "{'query':'blue \"leather\" bag','hits':5}", "applied"],
  ["something after the object", "", '{"query":"blue bag","hits":5} and more', "applied"],
  ["a byte order mark", "", '\ufeff{"query":"blue bag","hits":5}', "applied"],
  ["white space before", "", ' \n {"query":"blue bag","hits":5}', "applied"],
  ["a repeated member", "", '{"query":"blue bag","hits":5,"hits":8}', "applied"],
  [
    "nested names",
    "",
    '{"model":{"queryString":"blue bag"},"ranking":{"profile":"bm25","softtimeout":{"enable":false}},"hits":4}',
    "applied",
  ],
  ["nested sorting", "", '{"query":"blue bag","ranking":{"sorting":"-price"}}', "explicit_sort"],
  ["the URL over JSON", "query=red mug&hits=4", '{"query":"blue bag","hits":5}', "applied"],
  ["sorting of the URL over that of JSON", "sorting=", '{"query":"blue bag","sorting":"-price"}', "applied"],
  ["numbers as texts", "", '{"query":"blue bag","hits":"5","offset":"5"}', "applied"],
  ["null", "", '{"query":"blue bag","hits":null}', "request_not_understood"],
  ["1.0", "", '{"query":"blue bag","hits":1.0}', "request_not_understood"],
  ["a list", "", '{"query":"blue bag","hits":[5]}', "request_not_understood"],
  ["select.where", "", '{"select":{"where":{"contains":["title","blue"]}},"hits":5}', "applied"],
  [
    "select.where, and",
    "",
    '{"select":{"where":{"and":[{"contains":["title","blue"]},{"range":["price",{"<":500}]}]}},"offset":5}',
    "applied",
  ],
  ["select.where as text", "", '{"select":{"where":"{\\"contains\\":[\\"title\\",\\"blue\\"]}"}}', "applied"],
  ["select.where, negated", "", '{"select":{"where":{"and_not":[{"contains":["title","blue"]},{"contains":["title","mug"]}]}}}', "applied"],
  [
    "select.grouping",
    "",
    '{"select":{"where":{"contains":["title","blue"]},"grouping":[{"all":{"group":"category","each":{"output":"count()"}}}]}}',
    "applied",
  ],
  ["select.where and query", "", '{"query":"red","select":{"where":{"contains":["title","blue"]}}}', "engine_status"],
  [
    "embed",
    "",
    '{"yql":"select * from products where ({targetHits: 40}nearestNeighbor(embedding, e))","input.query(e)":[0.1,0.2],"ranking":"semantic","query":"blue bag"}',
    "applied",
  ],
].map(([label = "", search = "", body = "", outcome = ""]) => ({
  label: `JSON: ${label}`,
  path: search === "" ? PATH : `${PATH}?${encode(search)}`,
  body,
  outcome,
}));

const TYPED: readonly Shape[] = [
  ["application/json; charset=utf-8", '{"query":"blue bag"}', "", "applied"],
  ["Application/JSON", '{"query":"blue bag"}', "", "applied"],
  ["text/plain", '{"query":"blue bag"}', "query=red mug", "applied"],
  ["application/vnd.api+json", '{"query":"blue bag","sorting":"-price"}', "query=red mug&hits=4", "applied"],
  ["text/plain", '{"query":"blue bag"}', "", "engine_status"],
  ["application/x-www-form-urlencoded", "query=blue bag&hits=5", "query=red mug&hits=3", "applied"],
  ["application/x-www-form-urlencoded", "query=blue bag&sorting=-price", "sorting=", "explicit_sort"],
  ["application/x-www-form-urlencoded", "query=blue bag&sorting=", "sorting=-price", "applied"],
  ["Application/X-WWW-Form-Urlencoded;charset=UTF-8", "query=red mug&query=blue bag", "", "applied"],
  ["application/x-www-form-urlencoded; charset=ISO-8859-1", "query=caf%E9 bag", "", "applied"],
].map(([type = "", body = "", search = "", outcome = ""]) => ({
  label: `${type}: ${body}, ?${search}`,
  path: search === "" ? PATH : `${PATH}?${encode(search)}`,
  body,
  headers: { "content-type": type },
  outcome,
}));

export const SHAPES: readonly Shape[] = [
  ...BESIDE.map((params) => url(`?${paramsText(params)}`, `query=${encodeURIComponent(QUERY)}&${paramsText(params)}`, "applied")),
  ...BESIDE.map((params): Shape => ({
    label: `JSON ${jsonOf(params, {})}`,
    path: PATH,
    body: jsonOf(params, { query: QUERY }),
    outcome: "applied",
  })),
  ...BESIDE.slice(0, 20).map((params): Shape => ({
    label: `form ${paramsText(params)}`,
    path: PATH,
    body: `query=${encodeURIComponent(QUERY)}&${paramsText(params)}`,
    headers: FORM,
    outcome: "applied",
  })),
  ...OTHERS.map(([params, outcome]) => url(`?${params}`, encode(params), outcome)),
  ...STATEMENTS.map(([yql, outcome]) => url(yql, `${yql.includes("@q") ? "q=blue%20bag&" : ""}yql=${encodeURIComponent(yql)}`, outcome)),
  ...STATEMENTS.map(([yql, outcome]): Shape => {
    const body = JSON.stringify({ yql, ...(yql.includes("@q") && { q: "blue bag" }) });
    return { label: `JSON: ${yql}`, path: PATH, body, outcome };
  }),
  ...BODIES,
  ...TYPED,
  { label: "without a slash", path: "/search?query=blue%20bag", outcome: "applied" },
  {
    label: "accept: application/cbor, format=json",
    path: `${PATH}?query=blue%20bag&format=json`,
    headers: { accept: "application/cbor" },
    outcome: "applied",
  },
];

/** Searches that the engine fails where more than a page is asked for. */
export const FAILING: readonly Shape[] = [
  url("half of the documents in time", "query=halfwide", "engine_incomplete"),
  url("half of the documents in time, second page", "query=halfwide&hits=5&offset=5", "engine_incomplete"),
  url("an error", "query=brokenwide", "engine_refused_window"),
];

/** Bodies under application/json that the engine refuses. */
export const BROKEN: readonly string[] = [
  "query=red",
  "[1]",
  '{"query":"red"',
  '{query:"red"}',
  '{"query":"red",}',
  '{/*a*/"query":"red"}',
  '"a"',
  "",
];
