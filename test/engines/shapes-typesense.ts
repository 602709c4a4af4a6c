/** Requests to Typesense, and what becomes of each. The oldest version that is asked is 0.24.1. */
import type { Random } from "../../src/demo/catalogue/random.ts";
import type { Dialect, Shape } from "./judge.ts";

/** Of compose.yaml, and of the launcher. */
export const KEY = process.env["ARMMT_TEST_TYPESENSE_KEY"] ?? "test";

const HEADERS = { "x-typesense-api-key": KEY };
const PATH = "/collections/products/documents/search";
const MULTI = "/multi_search";

export const TYPESENSE: Dialect = {
  mask: (body) => body.replaceAll(/"search_time_ms": ?\d+/g, '"search_time_ms":0'),
  hits: ["hits"],
  several: { path: MULTI, replies: "results" },
  window: (shape, size) => {
    const [path = "", query = ""] = shape.path.split("?");
    const params = query.split("&").filter((param) => param !== "" && !/^(?:page|per_page|offset|limit)=/.test(param));
    return { ...shape, path: `${path}?${[...params, `per_page=${size}`].join("&")}` };
  },
};

/** As text behind the question mark, so that escapes are as written. */
export const search = (query: string): Omit<Shape, "label" | "outcome"> => ({ path: `${PATH}?${query}`, headers: HEADERS });

const multi = (body: unknown, query = ""): Omit<Shape, "label" | "outcome"> => ({
  path: `${MULTI}${query}`,
  body: typeof body === "string" ? body : JSON.stringify(body),
  headers: HEADERS,
});

const BASE = "q=red&query_by=title";

/** Beside `q=red&query_by=title` → outcome. */
const BESIDE: readonly (readonly [outcome: string, query: string])[] = [
  ["applied", ""],
  ["applied", "per_page=5"],
  ["applied", "page=2&per_page=7"],
  ["applied", "page=1"],
  ["applied", "per_page=5&per_page=7"],
  ["applied", "page=2&page=1&per_page=4"],
  ["applied", "facet_by=category"],
  ["applied", "facet_by=category&max_facet_values=2"],
  ["size_zero", "facet_by=category&facet_query=category:ba"],
  ["applied", "facet_by=category&facet_query=category:ba&per_page=5"],
  ["applied", "filter_by=price:>20"],
  ["applied", "filter_by=category:=bag"],
  ["applied", "filter_by=category:=[bag,mug]%26%26price:<1000"],
  ["applied", "filter_by=price:>20&&price:<50"],
  ["applied", "include_fields=id,title"],
  ["applied", "include_fields=id,title&exclude_fields=title"],
  ["applied", "exclude_fields=price"],
  ["applied", "highlight_fields=title"],
  ["applied", "highlight_full_fields=title"],
  ["applied", "highlight_full_fields=title&highlight_start_tag=<b>&highlight_end_tag=</b>"],
  ["applied", "snippet_threshold=1&highlight_affix_num_tokens=1"],
  ["applied", "sort_by=_text_match:desc"],
  ["applied", "sort_by=_text_match:desc,price:asc"],
  ["applied", "sort_by=_text_match(buckets:3):desc,popularity:desc"],
  ["applied", "query_by=title,category"],
  ["applied", "query_by=title,category&query_by_weights=2,1"],
  ["applied", "num_typos=0"],
  ["applied", "num_typos=2&typo_tokens_threshold=1"],
  ["applied", "drop_tokens_threshold=0"],
  ["applied", "prefix=false"],
  ["applied", "infix=off"],
  ["applied", "use_cache=true"],
  ["applied", "use_cache=true&cache_ttl=5"],
  ["applied", "exhaustive_search=true"],
  ["applied", "prioritize_exact_match=false"],
  ["applied", "prioritize_token_position=true"],
  ["applied", "search_cutoff_ms=3000"],
  ["any", "limit_hits=60&per_page=61"],
  ["applied", "limit_hits=200"],
  ["applied", "pinned_hits=p0005:1"],
  ["applied", "hidden_hits=p0005"],
  ["applied", "enable_overrides=false"],
  ["applied", "pre_segmented_query=true"],
  ["applied", "min_len_1typo=3&min_len_2typo=5"],
  ["applied", "split_join_tokens=always"],
  ["applied", "max_candidates=10"],
  ["applied", "text_match_type=max_weight"],
  ["applied", "enable_highlight_v1=false"],
  ["explicit_sort", "sort_by=price:asc"],
  ["explicit_sort", "sort_by=popularity:desc,_text_match:desc"],
  ["explicit_sort", "sort_by=_text_match:asc"],
  ["grouped", "group_by=category"],
  ["grouped", "group_by=category&group_limit=1"],
  ["size_zero", "per_page=0"],
  ["beyond_window", "page=7&per_page=10"],
  ["request_not_understood", "exclude_fields=id"],
  ["request_not_understood", "include_fields=title"],
  ["any", "page=-1"],
  ["any", "per_page=abc"],
  ["any", "per_page=251"],
  ["any", "page=1.5"],
  ["any", "filter_by=nothing:1"],
  ["any", "sort_by=nothing:asc"],
  ["any", "facet_by=nothing"],
  ["any", "per_page="],
  ["any", "page=+2"],
  ["any", "page=02&per_page=010"],
];

/** Whole queries. */
const QUERIES: readonly (readonly [outcome: string, query: string])[] = [
  ["applied", "q=leather+bag&query_by=title"],
  ["applied", "q=leather%20bag&query_by=title"],
  ["applied", "q=LEATHER&query_by=title"],
  ["applied", "q=bag+-red&query_by=title"],
  ["applied", 'q="leather+bag"&query_by=title'],
  ["applied", "q=blue&q=red&query_by=title"],
  ["any", "q=xyzzyx&query_by=title"],
  ["no_query_text", "q=*&query_by=title"],
  ["any", "q=&query_by=title"],
  ["any", "query_by=title"],
  ["any", "q=red"],
  ["any", "q=red&query_by=nothing"],
  ["any", "q=-red&query_by=title"],
  ["any", "q=%FF&query_by=title"],
  ["any", "q=r%C3%A9d&query_by=title"],
  ["any", "q=red%00bag&query_by=title"],
  ["any", "q=red&query_by=title&q"],
  ["any", "q=red&query%5Fby=title"],
  ["any", "q=red%26blue&query_by=title"],
  ["any", "&q=red&query_by=title&"],
];

const ONE = { collection: "products", q: "red", query_by: "title" };

const MULTIS: readonly (readonly [outcome: string, body: unknown, query?: string])[] = [
  ["applied", { searches: [ONE] }],
  ["applied, applied", { searches: [ONE, { ...ONE, q: "blue", per_page: 4 }] }],
  [
    "applied, size_zero",
    {
      searches: [
        { ...ONE, page: 2, per_page: 6 },
        { ...ONE, per_page: 0, facet_by: "category" },
      ],
    },
  ],
  ["applied, explicit_sort", { searches: [ONE, { ...ONE, sort_by: "price:asc" }] }],
  ["applied, applied", { searches: [{ q: "red" }, { q: "blue" }] }, "?collection=products&query_by=title&per_page=5"],
  ["applied, applied", { searches: [ONE, { ...ONE, q: "blue" }] }, "?page=2&per_page=5"],
  ["applied, no_query_text", { searches: [ONE, { ...ONE, q: "*" }] }],
  ["any", { searches: [ONE, { ...ONE, query_by: "nothing" }] }],
  ["any", { searches: [{ ...ONE, per_page: "5" }] }],
  ["any", { searches: [{ ...ONE, page: "2", per_page: 5 }] }],
  ["any", { searches: [{ ...ONE, prefix: true }] }],
  ["any", { searches: [{ ...ONE, per_page: 5.0 }] }],
  ["any", { searches: [] }],
  ["any", { searches: [{ ...ONE, q: 5 }] }],
];

/** The same parameters as members of a search in a body; what is given twice, or is any outcome, has no such form. */
const MEMBERS: readonly (readonly [outcome: string, body: unknown])[] = BESIDE.flatMap(([outcome, beside]) => {
  const params = [...new URLSearchParams(beside)];
  const isTwice = new Set(params.map(([name]) => name)).size < params.length;
  if (outcome === "any" || beside === "" || isTwice) return [];
  const members = params.map(([name, value]) => [name, /^\d+$/.test(value) ? Number(value) : value] as const);
  return [[outcome, { searches: [{ ...ONE, ...Object.fromEntries(members) }] }]];
});

/** A random query and the parts that it is made of. */
export function randomQuery(random: Random): string {
  const several = (from: readonly string[], most: number): string[] =>
    Array.from({ length: Math.floor(random.next() * (most + 1)) }, () => random.pick(from));
  return [random.pick(WORDS), "query_by=title", ...several(WORDS, 1), ...several(PARTS, 4)]
    .map((part) => ({ part, at: random.next() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ part }) => part)
    .join(random.pick(["&", "&", "&", "&&", ";"]));
}

const WORDS = [
  "q=red",
  "q=leather+bag",
  "q=leather%20bag",
  "q=leather%2Bbag",
  "q=bag+-red",
  'q="leather+bag"',
  "q=*",
  "q=",
  "q",
  "Q=blue",
  "q=%72ed",
  "%71=red",
  "q=red%",
  "q=red%zz",
  "q=r%C3%A9d",
  "q=red%26blue",
  "q=red=blue",
  "q=+red+",
  "q[]=red",
];

const PARTS = [
  ..."per_page=5 per_page=07 per_page=+6 per_page=%205 per_page= per_page=5.5 per_page=abc per_page=250 per_page=251 Per_Page=3 per%5Fpage=4".split(
    " ",
  ),
  ..."page=1 page=2 page=3 page=02 page=%2B2 page=2.0 page= page=x page=-1 PAGE=2".split(" "),
  ..."sort_by=price:asc sort_by=_text_match:desc sort_by= sort_by=price:ASC Sort_By=price:asc sort_by=_text_match(buckets:2):desc,price:asc".split(
    " ",
  ),
  ..."group_by=category group_by= Group_By=category facet_by=category filter_by=price:>10%26%26price:<900 include_fields=id exclude_fields=price".split(
    " ",
  ),
  ..."pinned_hits=p0005:1 hidden_hits=p0005 prefix=false num_typos=0 use_cache=true x-typesense-api-key=test unknown=1".split(" "),
];

const shape = (outcome: string, asked: Omit<Shape, "label" | "outcome">): Shape => ({
  label: `${asked.path.slice(asked.path.indexOf("?"))} ${asked.body ?? ""}`.trim(),
  ...asked,
  outcome,
});

export const SHAPES: readonly Shape[] = [
  ...BESIDE.map(([outcome, beside]) => shape(outcome, search(beside === "" ? BASE : `${BASE}&${beside}`))),
  ...QUERIES.map(([outcome, query]) => shape(outcome, search(query))),
  ...MEMBERS.map(([outcome, body]) => shape(outcome, multi(body))),
  ...MULTIS.map(([outcome, body, query]) => shape(outcome, multi(body, query))),
];
