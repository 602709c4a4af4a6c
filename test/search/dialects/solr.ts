/** Solr: `select`, which repeats its parameters and keeps highlighting apart from the documents. */
import { cut, type EngineStandIn, get, listOf, numberOf, objectOf, type StandInItem } from "./stand-in.ts";
import { readSolrRequest, shown } from "./solr-request.ts";

/** For these words two documents are pinned, as by elevate.xml: no parameter asks for it. */
const ELEVATED_WORDS = "gift";
const ELEVATED = 2;

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const asked = await readSolrRequest(request, { echoParams: "explicit" });
  const start = numberOf(asked.get("start"), 0);
  const rows = numberOf(asked.get("rows"), 10);
  const elevated = asked.get("q") === ELEVATED_WORDS && asked.get("enableElevation") !== "false" ? ELEVATED : 0;
  const page = cut(items, start, rows);
  const docs = page.map(({ id, title, price }, i) =>
    shown(asked, { id, title, price, _version_: 1234567890123456 }, { "[elevated]": start + i < elevated, score: 9 - i / 100 }),
  );
  const header = asked.header();
  const isScored = docs.some((doc) => "score" in doc);
  return Response.json({
    ...(header !== undefined && { responseHeader: header }),
    response: { numFound: items.length, start, ...(isScored && { maxScore: 9 }), numFoundExact: true, docs },
    ...(asked.get("facet") === "true" && { facet_counts: { facet_queries: {}, facet_fields: { brand: ["acme", items.length] } } }),
    ...(asked.get("hl") === "true" && {
      highlighting: Object.fromEntries(page.map(({ id, title }) => [id, { title: [`<em>${title}</em>`] }])),
    }),
  });
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
    { feature: "grouping", title: "`group`", ask: get(PATH, { q: "red", group: "true" }), outcomes: ["grouped"] },
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
    { feature: "cursor", title: "`cursorMark`", ask: get(PATH, { q: "red", cursorMark: "*", sort: "score desc" }), outcomes: ["cursor"] },
    { feature: "no hits", title: "`rows=0`", ask: get(PATH, { q: "red", rows: 0 }), outcomes: ["size_zero"] },
  ],
};
