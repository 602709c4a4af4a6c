/** Elasticsearch and OpenSearch: `_search` and `_msearch`. */
import { type Ask, cut, type EngineStandIn, get, listOf, NotModelled, numberOf, objectOf, post, type StandInItem } from "./stand-in.ts";

const match = (query: string) => ({ query: { match: { title: query } } });

const ndjson = (path: string, lines: readonly unknown[]): Ask => ({
  path,
  init: {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  },
});

/** Parts of a hit that a request asks for: its member or parameter → what they hold. */
const HIT_PARTS: Readonly<Record<string, object>> = {
  version: { _version: 1 },
  seq_no_primary_term: { _seq_no: 0, _primary_term: 1 },
  explain: { _shard: "[products][0]", _node: "node", _explanation: { value: 1, description: "sum of:", details: [] } },
  fields: { fields: {} },
  docvalue_fields: { fields: {} },
  script_fields: { fields: {} },
  collapse: { fields: {} },
};

type Fields = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null && !Array.isArray(value);

/** By the score alone, best first: that is no sort, and gives no values. */
function isSorted({ sort }: Fields): boolean {
  const keys = [sort ?? []].flat().filter((key: unknown) => key !== "");
  return keys.length > 1 || keys.some((key: unknown) => !isByScore(key));
}

function isByScore(key: unknown): boolean {
  // Of the URL's words the engine knows "asc" in small letters only.
  if (!isObject(key)) return String(key).startsWith("_score") && key !== "_score:asc";
  const [[field, order] = []] = Object.entries(key);
  return field === "_score" && (isObject(order) ? objectOf(order)["order"] : order) !== "asc";
}

/** What a retriever asks for in place of the request, at whatever depth. */
function ofRetriever(value: unknown): Fields {
  if (!isObject(value)) return {};
  const { standard, ...others } = objectOf(value);
  if (isObject(standard)) return Object.fromEntries(Object.entries(standard).filter(([name]) => name === "sort" || name === "collapse"));
  return Object.assign({}, ...Object.values(others).map((inner) => (isObject(inner) ? ofRetriever(objectOf(inner)["retriever"]) : {})));
}

/** Of body and URL: lists that the engine puts together, and members of which the URL's count. */
function together(body: Fields, params: URLSearchParams): Fields {
  const sorts = [
    ...[body["sort"] ?? []].flat(),
    ...params
      .getAll("sort")
      .slice(-1)
      .flatMap((list) => list.split(",")),
  ];
  return { ...body, ...ofRetriever(body["retriever"]), ...Object.fromEntries(params), ...(sorts.length > 0 && { sort: sorts }) };
}

/** Why the engine refuses the search, with the cause where it names one. */
function refusalOf(asked: Fields, params: URLSearchParams): readonly [type: string, reason: string, cause?: string] | undefined {
  const size = params.get("size") ?? "10";
  if (!/^[+-]?\d+$/.test(size))
    return ["illegal_argument_exception", `Failed to parse int parameter [size] with value [${size}]`, `For input string: "${size}"`];
  const { query, knn, retriever } = asked;
  if (isObject(query) && "match" in query && Object.keys(objectOf(query.match)).length === 0)
    return ["parsing_exception", "No text specified for text query"];
  const wanted = numberOf(asked["size"], 10);
  for (const nearest of [knn ?? []].flat().filter(isObject).map(objectOf)) {
    if (numberOf(nearest["num_candidates"], Infinity) < numberOf(nearest["k"], wanted))
      return ["illegal_argument_exception", "[num_candidates] cannot be less than [k]"];
  }
  const rescorer = isObject(retriever) ? objectOf(retriever)["rescorer"] : undefined;
  const rescore = isObject(rescorer) ? [objectOf(rescorer)["rescore"] ?? []].flat() : [];
  if (rescore.filter(isObject).some((one) => numberOf(objectOf(one)["window_size"], 10) < wanted))
    return [
      "action_request_validation_exception",
      "Validation Failed: 1: [rescorer] requires a window_size that is no less than the size;",
    ];
  return undefined;
}

const isOff = (value: unknown): boolean => value === false || value === "false";

function searchReply(body: Fields, items: readonly StandInItem[]): object {
  const offset = numberOf(body["from"], 0);
  const limit = numberOf(body["size"], 10);
  const pinned = JSON.stringify(body).includes("pinned") ? 2 : 0;
  const hasSource = !isOff(body["_source"]) && (!("stored_fields" in body) || "_source" in body);
  const parts = Object.entries(HIT_PARTS).flatMap(([name, part]) => (name in body && !isOff(body[name]) ? [part] : []));
  const hits = cut(items, offset, limit).map(({ id, title, price }, i) => ({
    _index: "products",
    ...(String(body["stored_fields"]) !== "_none_" && { _id: id }),
    // What the pinned query gives its documents.
    _score: offset + i < pinned ? 1.7014122e38 : 50 - offset - i,
    ...(hasSource && { _source: { title, price } }),
    ...("highlight" in body && { highlight: { title: [`<em>${title}</em>`] } }),
    ...(isSorted(body) && { sort: [1] }),
    ...Object.assign({}, ...parts),
  }));
  const count = body["rest_total_hits_as_int"] === "true" ? items.length : { value: items.length, relation: "eq" };
  const total = isOff(body["track_total_hits"]) ? {} : { total: count };
  const reply = {
    took: 1,
    timed_out: false,
    ...("terminate_after" in body && { terminated_early: false }),
    _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
    hits: { ...total, max_score: 50, hits },
    ...("suggest" in body && { suggest: {} }),
    ...(("aggs" in body || "aggregations" in body) && {
      aggregations: { brands: { buckets: [{ key: "acme", doc_count: items.length }] } },
    }),
  };
  return "filter_path" in body ? objectOf(filtered(reply, String(body["filter_path"]).split(",")) ?? {}) : reply;
}

/** `filter_path`: of a value the parts that one of the paths names, or all but those that begin with a minus. `undefined`: nothing is left. */
function filtered(value: unknown, paths: readonly string[]): unknown {
  const [wanted, unwanted] = [paths.filter((path) => !path.startsWith("-")), paths.filter((path) => path.startsWith("-"))];
  const kept = wanted.length === 0 ? value : select(value, wanted.map(stepsOf), true);
  return unwanted.length === 0
    ? kept
    : select(
        kept,
        unwanted.map((path) => stepsOf(path.slice(1))),
        false,
      );
}

const stepsOf = (path: string): readonly string[] => path.trim().split(".");

function select(value: unknown, paths: readonly (readonly string[])[], isKept: boolean): unknown {
  if (Array.isArray(value)) {
    const left = value.map((one: unknown) => select(one, paths, isKept)).filter((one) => one !== undefined);
    return left.length === 0 ? undefined : left;
  }
  if (typeof value !== "object" || value === null) return isKept ? undefined : value;
  const left = Object.entries(value).flatMap(([name, inner]) => {
    const further = paths.flatMap((steps) => afterStep(steps, name));
    if (further.some((steps) => steps.length === 0)) return isKept ? [[name, inner] as const] : [];
    const part = select(inner, further, isKept);
    return part === undefined ? [] : [[name, part] as const];
  });
  return left.length === 0 ? undefined : Object.fromEntries(left);
}

/** What is left of a path behind a member; `**` stands for any number of members. */
function afterStep([first = "", ...rest]: readonly string[], name: string): readonly (readonly string[])[] {
  if (first === "**") return [[first, ...rest], ...afterStep(rest, name)];
  const pattern = first.split("*").map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${pattern.join(".*")}$`).test(name) ? [rest] : [];
}

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const headers = { "content-type": "application/json", "x-elastic-product": "Elasticsearch" };
  const url = new URL(request.url);
  if (url.pathname === "/") return new Response(null, { headers });
  const format = url.searchParams.getAll("format").at(-1) ?? request.headers.get("accept") ?? "json";
  if (/yaml|cbor|smile/.test(format)) throw new NotModelled(format);
  const refusal = (type: string, reason: string, cause?: string): Response => {
    const said = { type, reason, ...(type === "parsing_exception" && { line: 1, col: 1 }) };
    const caused = cause !== undefined && { caused_by: { type: "number_format_exception", reason: cause } };
    return Response.json({ error: { root_cause: [said], ...said, ...caused }, status: 400 }, { status: 400, headers });
  };
  const broken = /%(?![\da-f]{2})/i.exec(url.search);
  if (broken !== null) return refusal("bad_parameter_exception", "invalid escape sequence", "invalid escape sequence");
  const text = await request.text();
  if (!url.pathname.endsWith("/_msearch")) {
    const asked = together(text === "" ? {} : objectOf(JSON.parse(text)), url.searchParams);
    const refused = refusalOf(asked, url.searchParams);
    return refused === undefined ? Response.json(searchReply(asked, items), { headers }) : refusal(...refused);
  }
  const lines = text.trimEnd().split("\n");
  const bodies = lines.filter((_, i) => i % 2 === 1).map((line) => together(objectOf(JSON.parse(line)), new URLSearchParams()));
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
