/** Metrics, as sums over clusters (a shopper, or a search of an unknown shopper), and the segments that searches fall into. */
import { DAY_MS } from "../web.ts";
import type { StagedSearch } from "./stage.ts";

/** Sums of one cluster; `clicked`: searches with a click. */
export const emptyTotals = () => ({
  searches: 0,
  clicked: 0,
  clicks: 0,
  carts: 0,
  purchases: 0,
  orders: 0,
  items: 0,
  gross: 0,
  revenue: 0,
});

export type Totals = ReturnType<typeof emptyTotals>;

export interface Metric {
  /** For `--metric` and `--json`. */
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly meaning: string;
  readonly per: "search" | "shopper" | "order";
  /** A share prints in per cent. */
  readonly kind: "share" | "count" | "money";
  readonly sumOf: (totals: Totals) => number;
  /** Less of it may be good or bad. */
  readonly isNeutral?: true;
}

/** `of`: before "per search" or "per shopper". */
const SUMS: readonly (Pick<Metric, "id" | "title" | "kind" | "sumOf"> & { readonly of: string; readonly onlyPer?: Metric["per"] })[] = [
  { id: "clicks", title: "Clicks", of: "Clicks", kind: "count", sumOf: ({ clicks }) => clicks },
  { id: "carts", title: "Carts", of: "Items put into the cart,", kind: "count", sumOf: ({ carts }) => carts },
  {
    id: "orders",
    title: "Orders",
    of: "Orders that were not cancelled, each with the search of its first line,",
    kind: "count",
    sumOf: ({ orders }) => orders,
  },
  {
    id: "purchases",
    title: "Purchases",
    of: "Lines of orders (an item, whatever its quantity) that were not cancelled,",
    kind: "count",
    sumOf: ({ purchases }) => purchases,
  },
  {
    id: "items",
    title: "Items",
    of: "Items bought, with their quantities,",
    kind: "count",
    sumOf: ({ items }) => items,
    onlyPer: "shopper",
  },
  {
    id: "revenue",
    title: "Revenue",
    of: "Revenue without what was cancelled or refunded,",
    kind: "money",
    sumOf: ({ revenue }) => revenue,
  },
  {
    id: "gross-revenue",
    title: "Gross revenue",
    of: "Revenue before refunds,",
    kind: "money",
    sumOf: ({ gross }) => gross,
    onlyPer: "shopper",
  },
];

function sumsPer(per: Metric["per"]): Metric[] {
  return SUMS.filter(({ onlyPer = per }) => onlyPer === per).map(({ id, title, kind, sumOf, of }) => ({
    id: per === "search" ? id : `${id}-per-shopper`,
    title,
    meaning: `${of} per ${per}.`,
    per,
    kind,
    sumOf,
  }));
}

export const METRICS: readonly Metric[] = [
  {
    id: "click-through",
    title: "Click-through",
    meaning: "Share of searches with a click.",
    per: "search",
    kind: "share",
    sumOf: ({ clicked }) => clicked,
  },
  ...sumsPer("search"),
  {
    id: "conversion-per-shopper",
    title: "Conversion",
    meaning: "Share of shoppers who bought something after a search and did not cancel it.",
    per: "shopper",
    kind: "share",
    sumOf: ({ purchases }) => (purchases > 0 ? 1 : 0),
  },
  ...sumsPer("shopper"),
  {
    id: "searches-per-shopper",
    title: "Searches",
    meaning: "Searches per shopper: more may mean that they like it, or that they do not find it.",
    per: "shopper",
    kind: "count",
    sumOf: ({ searches }) => searches,
    isNeutral: true,
  },
  {
    id: "order-value",
    title: "Average order value",
    meaning: "Revenue without what was cancelled or refunded, per order.",
    per: "order",
    kind: "money",
    sumOf: ({ revenue }) => revenue,
    isNeutral: true,
  },
];

/** The denominator: the sum is divided by it. */
export function spreadOf(metric: Metric, totals: Totals): number {
  if (metric.per === "shopper") return 1;
  return metric.per === "search" ? totals.searches : totals.orders;
}

/** `undefined` for an unknown id. */
export function findMetric(id: string): Metric | undefined {
  return METRICS.find((metric) => metric.id === id);
}

/** `undefined` for a search that is in no segment of the dimension. `first`: the shopper's first search. */
export type SegmentOf = (search: StagedSearch, first: StagedSearch) => string | undefined;

const QUERY_LENGTHS = ["no words", "1 word", "2 words", "3 words", "4 words or more"];
const HOURS = ["0 to 5 h", "6 to 11 h", "12 to 17 h", "18 to 23 h"];
const VISITS = ["first day", "came back"] as const;
const ORDER: readonly string[] = [...QUERY_LENGTHS, ...HOURS, ...VISITS];

/** Dimension → segment. `applications`: those with a segment of their own; the rest are "others". */
export function createSegments(applications: readonly string[]): ReadonlyMap<string, SegmentOf> {
  const named = new Set(applications);
  return new Map<string, SegmentOf>([
    ["query length", ({ words }) => QUERY_LENGTHS[Math.min(words, 4)]],
    ["hour (UTC)", ({ atMs }) => HOURS[Math.floor(((atMs % DAY_MS) / DAY_MS) * HOURS.length)]],
    [
      "shopper",
      ({ unit, atMs }, first) =>
        unit === undefined ? undefined : VISITS[Math.floor(atMs / DAY_MS) === Math.floor(first.atMs / DAY_MS) ? 0 : 1],
    ],
    ["application", ({ application }) => (named.has(application) ? application : "others")],
  ]);
}

/** For sorting the segments of a table; those without an order come last. */
export function segmentRank(segment: string): number {
  const rank = ORDER.indexOf(segment);
  return rank < 0 ? ORDER.length : rank;
}
