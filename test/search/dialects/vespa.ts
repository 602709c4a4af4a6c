/** Vespa: `/search/` with parameters in the URL, in a form or in a JSON body. A form wins over the URL, which wins over JSON. */
import { type Ask, cut, type EngineStandIn, get, listOf, NotModelled, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

/** `{"a":{"b":1}}` is `a.b=1`. */
function flatten(object: Readonly<Record<string, unknown>>, prefix = ""): [string, string][] {
  return Object.entries(object).flatMap(([key, value]): [string, string][] =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? flatten(objectOf(value), `${prefix}${key}.`)
      : [[prefix + key, typeof value === "string" ? value : JSON.stringify(value)]],
  );
}

/** Of a name that is given twice the last counts. A body of another type is not looked at. */
async function parametersOf(request: Request): Promise<Parameters> {
  const url = [...new URL(request.url).searchParams];
  const [type = ""] = (request.headers.get("content-type") ?? "").toLowerCase().split(";");
  if (type === "application/json") return Object.fromEntries([...flatten(readJson(await request.text())), ...url]);
  const form = type === "application/x-www-form-urlencoded" ? [...new URLSearchParams(await request.text())] : [];
  return Object.fromEntries([...url, ...form]);
}

/** The engine reads more than JSON (single quotes, line breaks in texts), and numbers as they are written. */
function readJson(text: string): Readonly<Record<string, unknown>> {
  if (/"(?:hits|offset)"\s*:\s*\d+\./.test(text)) throw new NotModelled("a fraction");
  try {
    return objectOf(JSON.parse(text));
  } catch {
    throw new NotModelled("a body that is not JSON");
  }
}

const ILLEGAL = { code: 3, summary: "Illegal query" };

function refused(
  error: { readonly code: number; readonly summary: string; readonly source?: string; readonly message: string },
  status = 400,
) {
  return Response.json({ root: { id: "toplevel", relevance: 1, fields: { totalCount: 0 }, errors: [error] } }, { status });
}

const MAX_HITS = 400;
const MAX_OFFSET = 1000;

type Parameters = Readonly<Record<string, string | undefined>>;

/** Formats, and statements that only a parser can judge. */
function requireModelled(parameters: Parameters, yql: string): void {
  const format = parameters["format"] ?? parameters["presentation.format"] ?? "json";
  if (format !== "json" || parameters["jsoncallback"] !== undefined) throw new NotModelled(`format=${format}`);
  const unset = [...yql.matchAll(/@(\w+)/g)].find(([, name = ""]) => parameters[name] === undefined);
  const isOpen = yql.split("(").length !== yql.split(")").length;
  const vector = /nearestNeighbor\(\w+, *(\w+)\)/.exec(yql)?.[1];
  const isUnset = vector !== undefined && parameters[`input.query(${vector})`] === undefined;
  if (unset !== undefined || isUnset || isOpen || /limit @| in \(\d/.test(yql)) throw new NotModelled(yql);
}

/** One rank profile is not in its schema: `nope`. */
function refusalOf(parameters: Parameters, yql: string, { offset, limit }: ReturnType<typeof pageOf>): Response | undefined {
  if (!/^\d+$/.test(String(limit))) return refused({ ...ILLEGAL, message: `Could not set 'hits': '${limit}' is not a valid integer` });
  if (/^\d+\.\d*$/.test(parameters["hits"] ?? "")) return refused({ ...ILLEGAL, message: "Could not set 'hits'" });
  if (limit > MAX_HITS) return refused({ ...ILLEGAL, message: `${limit} hits requested, configured limit: ${MAX_HITS}.` });
  if (offset > MAX_OFFSET) return refused({ ...ILLEGAL, message: `Offset of ${offset} requested, configured limit: ${MAX_OFFSET}.` });
  if (/[a-z]{3,}/.test(parameters["timeout"] ?? "")) return refused({ ...ILLEGAL, message: "Could not set 'timeout'" });
  const { query = parameters["model.queryString"], ranking = parameters["ranking.profile"] } = parameters;
  const isSelected = parameters["select.where"] !== undefined || Object.keys(parameters).some((name) => name.startsWith("select.where."));
  if (query !== undefined && isSelected)
    return refused({ ...ILLEGAL, message: "Illegal query: Query contains both query and select parameter" });
  if (ranking === "nope")
    return refused({
      code: 4,
      summary: "Invalid query parameter",
      source: "shop",
      message: "schema 'products' has no such rank profile 'nope'",
    });
  const hasWords = query !== undefined && query !== "" && query !== "*";
  const isAsked = hasWords || isSelected || (yql !== "" && !/where userQuery\(\) *(?:$|limit|order)/.test(yql));
  return isAsked ? undefined : refused({ code: 1, summary: "Null query", source: "shop", message: "No query" }, 500);
}

/** A page in the statement beats the parameters. */
function pageOf(parameters: Parameters): { readonly offset: number; readonly limit: number } {
  const [, last, first] = /\blimit (\d+)(?: offset (\d+))?/.exec(parameters["yql"] ?? "") ?? [];
  if (last !== undefined) return { offset: Number(first ?? 0), limit: Number(last) - Number(first ?? 0) };
  return {
    offset: numberOf(parameters["offset"] ?? parameters["start"], 0),
    limit: numberOf(parameters["hits"] ?? parameters["count"], 10),
  };
}

const MATCH_PHASE = { "match-phase": true, timeout: false, "adaptive-timeout": false, anntimeout: false, "non-ideal-state": false };

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const parameters = await parametersOf(request);
  const yql = parameters["yql"] ?? "";
  requireModelled(parameters, yql);
  const page = pageOf(parameters);
  const refusal = refusalOf(parameters, yql, page);
  if (refusal !== undefined) return refusal;
  const { offset, limit } = page;
  const selected = /^select ([\w, ]+) from/.exec(yql)?.[1]?.split(/, */);
  const isShown = (name: string): boolean => selected === undefined || selected.includes(name);
  const isOrdered = /\border by\b/.test(yql) || (parameters["sorting"] ?? "") !== "";
  const hits = cut(items, offset, limit).map(({ id, title, price }, i) => {
    const documentid = `id:shop:product::${id}`;
    const isBold = parameters["bolding"] !== "false";
    const fields = { sddocname: "product", documentid, sku: id, title: isBold ? `<hi>${title}</hi>` : title, price };
    return {
      // Vespa's own, where the document's is not among the fields.
      id: isShown("documentid") ? documentid : `index:product/0/${id}`,
      relevance: isOrdered ? 0 : 0.9 - (offset + i) / 1000,
      source: "product",
      fields: Object.fromEntries(Object.entries(fields).filter(([name]) => isShown(name))),
    };
  });
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
  const children = [...groups, ...hits].toSorted((a, b) => b.relevance - a.relevance);
  const isCutOff = Number(parameters["ranking.matchPhase.maxHits"] ?? Infinity) < items.length;
  const reply = {
    ...((parameters["timing"] ?? parameters["presentation.timing"]) === "true" && {
      timing: { querytime: 0.001, summaryfetchtime: 0.001, searchtime: 0.002 },
    }),
    root: {
      id: "toplevel",
      relevance: 1,
      fields: { totalCount: items.length },
      coverage: isCutOff
        ? { coverage: 50, documents: items.length, degraded: MATCH_PHASE, full: false, nodes: 1, results: 1, resultsFull: 0 }
        : { coverage: 100, documents: items.length, full: true, nodes: 1, results: 1, resultsFull: 1 },
      ...(children.length > 0 && { children }),
    },
  };
  const text = JSON.stringify(reply).replaceAll(/"relevance":(\d+)([,}])/g, '"relevance":$1.0$2');
  return new Response(text, { headers: { "content-type": "application/json; charset=utf-8" } });
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
      outcomes: ["applied"],
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
