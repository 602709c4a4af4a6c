/** Vespa: `/search/` with parameters in the URL, in a form or in a JSON body, which the URL wins over. */
import { type Ask, cut, type EngineStandIn, get, listOf, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

/** `{"a":{"b":1}}` is `a.b=1`. */
function flatten(object: Readonly<Record<string, unknown>>, prefix = ""): [string, string][] {
  return Object.entries(object).flatMap(([key, value]): [string, string][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(objectOf(value), `${prefix}${key}.`)
      : [[prefix + key, typeof value === "string" ? value : JSON.stringify(value)]],
  );
}

async function parametersOf(request: Request): Promise<Readonly<Record<string, string | undefined>>> {
  const url = [...new URL(request.url).searchParams];
  if (request.method === "GET") return Object.fromEntries(url);
  const text = await request.text();
  const isForm = request.headers.get("content-type")?.startsWith("application/x-www-form-urlencoded") === true;
  return Object.fromEntries([...(isForm ? new URLSearchParams(text) : flatten(objectOf(JSON.parse(text)))), ...url]);
}

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const parameters = await parametersOf(request);
  const yql = parameters["yql"] ?? "";
  const offset = numberOf(parameters["offset"] ?? parameters["start"], 0);
  const limit = numberOf(parameters["hits"] ?? parameters["count"], 10);
  const hits = cut(items, offset, limit).map(({ id, title, price }, i) => ({
    id: `id:shop:product::${id}`,
    relevance: 0.9 - (offset + i) / 100,
    source: "product",
    fields: {
      sddocname: "product",
      documentid: `id:shop:product::${id}`,
      sku: id,
      title: parameters["bolding"] === "true" ? `<hi>${title}</hi>` : title,
      price,
    },
  }));
  const groups = /\| ?all\(|^all\(/.test(yql + (parameters["select"] ?? ""))
    ? [
        {
          id: "group:root:0",
          relevance: 1,
          continuation: { this: "" },
          children: [
            {
              id: "grouplist:brand",
              relevance: 1,
              label: "brand",
              children: [{ id: "group:string:acme", relevance: 1, value: "acme", fields: { "count()": items.length } }],
            },
          ],
        },
      ]
    : [];
  const children = [...groups, ...hits];
  return Response.json({
    ...(parameters["presentation.timing"] === "true" && { timing: { querytime: 0.001, summaryfetchtime: 0.001, searchtime: 0.002 } }),
    root: {
      id: "toplevel",
      relevance: 1,
      fields: { totalCount: items.length },
      coverage: { coverage: 100, documents: items.length, full: true, nodes: 1, results: 1, resultsFull: 1 },
      ...(children.length > 0 && { children }),
    },
  });
}

const PATH = "/search/";
const SELECT = "select * from products where ";
const USER_INPUT = `${SELECT}{grammar: "all"}userInput(@q)`;

const form = (path: string, params: Readonly<Record<string, string>>): Ask => ({
  path,
  init: {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(params).toString(),
  },
});

export const vespa: EngineStandIn = {
  title: "Vespa",
  backend: "vespa",
  index: "products",
  config: { idField: "fields.sku" },
  pages: [
    { name: "?offset, ?hits", ask: (query, { offset, limit }) => get(PATH, { query, offset, hits: limit }) },
    { name: "?start, ?count", ask: (query, { offset, limit }) => get("/search", { query, start: offset, count: limit }) },
    { name: "offset, hits", ask: (q, { offset, limit }) => post(PATH, { yql: USER_INPUT, q, offset, hits: limit }) },
    {
      name: "?offset, hits",
      ask: (q, { offset, limit }) => post(`${PATH}?offset=${offset}`, { yql: USER_INPUT, q, hits: String(limit), offset: 999 }),
    },
    { name: "a form", ask: (query, { offset, limit }) => form(PATH, { query, offset: String(offset), hits: String(limit) }) },
  ],
  answer,
  read(reply) {
    const { root, ...more } = objectOf(reply);
    const { children, ...rest } = objectOf(root);
    const all = children === undefined ? [] : listOf(children).map(objectOf);
    const groups = all.filter(({ id }) => String(id).startsWith("group:"));
    const ids = all.filter((one) => !groups.includes(one)).map(({ fields }) => String(objectOf(fields)["sku"]));
    return [{ ids, rest: { more, rest, groups, hasChildren: children !== undefined } }];
  },
  cases: [
    { feature: "search", title: "`query`", ask: get(PATH, { query: "red" }), outcomes: ["applied"] },
    {
      feature: "search",
      title: "`userInput()`",
      ask: post(PATH, { yql: USER_INPUT, q: "red", ranking: { profile: "bm25" } }),
      outcomes: ["applied"],
    },
    {
      feature: "search",
      title: "`limit` in YQL",
      ask: post(PATH, { yql: `${USER_INPUT} limit 5`, q: "red" }),
      outcomes: ["request_not_understood"],
    },
    {
      feature: "facets",
      title: "grouping in YQL",
      ask: post(PATH, { yql: `${USER_INPUT} | all(group(brand) each(output(count())))`, q: "red", "presentation.timing": true }),
      outcomes: ["applied"],
    },
    {
      feature: "facets",
      title: "`select`",
      ask: get(PATH, { query: "red", select: "all(group(brand) each(output(count())))" }),
      outcomes: ["applied"],
    },
    { feature: "highlighting", title: "`bolding`", ask: get(PATH, { query: "red", bolding: "true" }), outcomes: ["applied"] },
    {
      feature: "sort",
      title: "`order by`",
      ask: post(PATH, { yql: `${USER_INPUT} order by price`, q: "red" }),
      outcomes: ["explicit_sort"],
    },
    { feature: "sort", title: "`sorting`", ask: get(PATH, { query: "red", sorting: "+price" }), outcomes: ["explicit_sort"] },
    { feature: "grouping", title: "`collapsefield`", ask: get(PATH, { query: "red", collapsefield: "sku" }), outcomes: ["grouped"] },
    { feature: "no hits", title: "`hits=0`", ask: get(PATH, { query: "red", hits: 0 }), outcomes: ["size_zero"] },
  ],
};
