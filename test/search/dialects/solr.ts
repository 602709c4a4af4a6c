/** Solr: `select`, which repeats its parameters and keeps highlighting apart from the documents. */
import { cut, type EngineStandIn, get, listOf, NotModelled, numberOf, objectOf, type StandInItem } from "./stand-in.ts";
import { readSolrRequest, shown } from "./solr-request.ts";

/** For these words two documents are pinned, as by elevate.xml: no parameter asks for it. */
const ELEVATED_WORDS = "gift";
const ELEVATED = 2;

/** A parameter's switch, as Solr reads it: whatever begins so. */
const isOn = (value: string | undefined): boolean => /^(?:true|on|yes|1)/i.test(value ?? "");

/** What the stand-in has no answer to: formats, and parts that a search asks for beside its documents. */
const NOT_MODELLED = ["stats", "spellcheck", "mlt", "json.facet"];

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const asked = await readSolrRequest(request, { echoParams: "explicit" });
  const query = asked.get("q") ?? "";
  const format = asked.get("wt") ?? "";
  if (/^(?:xml|csv|javabin|cbor|smile|python|ruby|php|phps|geojson)$/.test(format)) throw new NotModelled(`wt=${format}`);
  const part = [...asked.all].find(
    ([name, [value]]) => NOT_MODELLED.some((of) => name === of || name.startsWith("json.facet.")) && value !== "false",
  );
  if (part !== undefined) throw new NotModelled(part[0]);
  if (query.split("(").length > query.split(")").length) return refused(asked.header());
  const start = numberOf(asked.get("start"), 0);
  const rows = numberOf(asked.get("rows"), 10);
  const elevated = query === ELEVATED_WORDS && asked.get("enableElevation") !== "false" ? ELEVATED : 0;
  const page = cut(items, start, rows);
  const docs = page.map(({ id, title, price }, i) =>
    shown(asked, { id, title, price, _version_: 1234567890123456 }, { "[elevated]": start + i < elevated, score: 9 - i / 100 }),
  );
  const header = asked.header();
  const isScored = docs.length > 0 && (asked.all.get("fl") ?? []).some((list) => /(?:^|[\s,:])score(?:$|[\s,])/.test(list));
  const list = { numFound: items.length, start, ...(isScored && { maxScore: 9 }), numFoundExact: true, docs };
  const group = isOn(asked.get("group")) && !isOn(asked.get("group.main")) ? asked.get("group.field") : undefined;
  return Response.json({
    ...(header !== undefined && { responseHeader: header }),
    ...(group === undefined
      ? { response: list }
      : { grouped: { [group]: { matches: items.length, groups: [{ groupValue: "all", doclist: list }] } } }),
    ...(asked.get("cursorMark") !== undefined && { nextCursorMark: "AoE" }),
    ...(isOn(asked.get("facet")) && { facet_counts: { facet_queries: {}, facet_fields: { brand: ["acme", items.length] } } }),
    ...(isOn(asked.get("hl")) && {
      highlighting: Object.fromEntries(page.map(({ id, title }) => [id, { title: [`<em>${title}</em>`] }])),
    }),
  });
}

/** Parentheses that nobody closes: what its parser says to that. */
function refused(header: object | undefined): Response {
  const error = {
    metadata: ["error-class", "org.apache.solr.common.SolrException"],
    msg: "org.apache.solr.search.SyntaxError: Cannot parse",
    code: 400,
  };
  return Response.json({ ...(header !== undefined && { responseHeader: { ...header, status: 400 } }), error }, { status: 400 });
}

const PATH = "/solr/products/select";

export const solr: EngineStandIn = {
  title: "Solr",
  backend: "solr",
  index: "products",
  pages: [
    { name: "start, rows", ask: (q, { offset, limit }) => get(PATH, { q, start: offset, rows: limit }) },
    {
      name: "a form",
      ask: (q, { offset, limit }) => ({
        path: `${PATH}?wt=json`,
        init: {
          method: "POST",
          headers: { "content-type": "application/x-www-form-urlencoded" },
          body: new URLSearchParams({ q, start: String(offset), rows: String(limit) }).toString(),
        },
      }),
    },
  ],
  answer,
  read(reply) {
    const { response, highlighting, ...rest } = objectOf(reply);
    const { docs, ...totals } = objectOf(response);
    const ids = listOf(docs).map((doc) => String(objectOf(doc)["id"]));
    if (highlighting === undefined) return [{ ids, rest: { ...rest, ...totals } }];
    // Beside the documents: it must be of those that are shown, and in their order.
    return [{ ids, rest: { ...rest, ...totals, isHighlighted: Object.keys(objectOf(highlighting)).join() === ids.join() } }];
  },
  cases: [
    { feature: "search", title: "`select`", ask: get(PATH, { q: "red" }), outcomes: ["applied"] },
    { feature: "facets", title: "`facet`", ask: get(PATH, { q: "red", facet: "true", "facet.field": "brand" }), outcomes: ["applied"] },
    { feature: "highlighting", title: "`hl`", ask: get(PATH, { q: "red", hl: "true", rows: 6 }), outcomes: ["applied"] },
    { feature: "sort", title: "`sort`", ask: get(PATH, { q: "red", sort: "price asc" }), outcomes: ["explicit_sort"] },
    { feature: "grouping", title: "`group`", ask: get(PATH, { q: "red", group: "true", "group.field": "brand" }), outcomes: ["grouped"] },
    {
      feature: "grouping",
      title: "`{!collapse}`",
      ask: get(PATH, { q: "red", fq: "{!collapse field=sku}" }),
      outcomes: ["grouped"],
    },
    {
      feature: "pinned hits",
      title: "elevation, with or without `fl=[elevated]`",
      ask: get(PATH, { q: ELEVATED_WORDS, fl: "id,title" }),
      outcomes: ["applied"],
      pinned: [0, 1],
    },
    {
      feature: "cursor",
      title: "`cursorMark`",
      ask: get(PATH, { q: "red", cursorMark: "*", sort: "score desc,id asc" }),
      outcomes: ["cursor"],
    },
    { feature: "no hits", title: "`rows=0`", ask: get(PATH, { q: "red", rows: 0 }), outcomes: ["size_zero"] },
  ],
};
