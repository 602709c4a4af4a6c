/** What is measured: of each cluster (a shopper, or a search of an unknown one) a sum, and over what it is spread. */

/** What one cluster did. */
export interface Totals {
  searches: number;
  /** Searches with a click. */
  clicked: number;
  clicks: number;
  carts: number;
  purchases: number;
  revenue: number;
}

export type Per = "search" | "shopper";

export interface Metric {
  /** For `--metric` and `--json`. */
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly meaning: string;
  readonly per: Per;
  /** A share prints in per cent. */
  readonly kind: "share" | "count" | "money";
  readonly sumOf: (totals: Totals) => number;
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
  { id: "clicks", title: "Clicks", meaning: "Clicks per search.", per: "search", kind: "count", sumOf: ({ clicks }) => clicks },
  {
    id: "carts",
    title: "Carts",
    meaning: "Items put into the cart, per search.",
    per: "search",
    kind: "count",
    sumOf: ({ carts }) => carts,
  },
  {
    id: "purchases",
    title: "Purchases",
    meaning: "Items bought, per search.",
    per: "search",
    kind: "count",
    sumOf: ({ purchases }) => purchases,
  },
  { id: "revenue", title: "Revenue", meaning: "Revenue per search.", per: "search", kind: "money", sumOf: ({ revenue }) => revenue },
  {
    id: "conversion-per-shopper",
    title: "Conversion",
    meaning: "Share of shoppers who bought something after a search.",
    per: "shopper",
    kind: "share",
    sumOf: ({ purchases }) => (purchases > 0 ? 1 : 0),
  },
  {
    id: "clicks-per-shopper",
    title: "Clicks",
    meaning: "Clicks per shopper.",
    per: "shopper",
    kind: "count",
    sumOf: ({ clicks }) => clicks,
  },
  {
    id: "carts-per-shopper",
    title: "Carts",
    meaning: "Items put into the cart, per shopper.",
    per: "shopper",
    kind: "count",
    sumOf: ({ carts }) => carts,
  },
  {
    id: "purchases-per-shopper",
    title: "Purchases",
    meaning: "Items bought, per shopper.",
    per: "shopper",
    kind: "count",
    sumOf: ({ purchases }) => purchases,
  },
  {
    id: "revenue-per-shopper",
    title: "Revenue",
    meaning: "Revenue per shopper.",
    per: "shopper",
    kind: "money",
    sumOf: ({ revenue }) => revenue,
  },
  {
    id: "searches-per-shopper",
    title: "Searches",
    meaning: "Searches per shopper: more may mean that they like it, or that they do not find it.",
    per: "shopper",
    kind: "count",
    sumOf: ({ searches }) => searches,
  },
];

/** Over what the sum is spread. */
export function spreadOf(metric: Metric, totals: Totals): number {
  return metric.per === "search" ? totals.searches : 1;
}

/** `undefined` for a name that is none. */
export function findMetric(id: string): Metric | undefined {
  return METRICS.find((metric) => metric.id === id);
}
