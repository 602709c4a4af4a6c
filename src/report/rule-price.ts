/**
 * The price of one rule of the shop: what shoppers whom it acts for come to, against shoppers from whom chance has held it back.
 *
 * Chance decides by shopper (`share` of a rule), and only shoppers with a search that the rule fits count: whether they have one, their first such
 * search decides, before the rule can have done anything (a triggered analysis). All of them stay on their side, also where the rule then found
 * nothing to do (intention to treat). The arithmetic is the report's: caps, sequences, exact counts (verdict.ts).
 */
import { type Cluster, createCapCounts } from "./caps.ts";
import { addToCell, type ArmSums, CELL_SIZE, emptyExtremes, noteExtremes, readCell } from "./cells.ts";
import { type Metric, METRICS, spreadOf } from "./metrics.ts";
import { expectedError } from "./plan/few-events.ts";
import type { Interval } from "./statistics/compare.ts";
import { daysUntil, type Wanted } from "./statistics/power.ts";
import { mergeSums } from "./statistics/ratio.ts";
import type { SequenceOptions } from "./statistics/sequential.ts";
import { judge, type Verdict } from "./verdict.ts";

const PRICED: ReadonlySet<string> = new Set(["clicks-per-shopper", "purchases-per-shopper", "revenue-per-shopper"]);

export const PRICED_METRICS: readonly Metric[] = METRICS.filter(({ id }) => PRICED.has(id));

/** "none": a change as large as `lift` is ruled out. "open": nothing can be said yet. */
export type Price = "costs" | "none" | "open" | "brings";

export interface PriceOptions extends SequenceOptions, Wanted {
  readonly cap: number;
  /** Relative change that shall be seen. */
  readonly lift: number;
  /** Rules that are priced together: the error is that of all their verdicts. */
  readonly rules: number;
  /** Why nothing is said of money; null where something may be. */
  readonly withheld?: string | null;
}

/** Shoppers of one side, those who come to the same as one. */
export type Side = readonly Cluster[];

const PRICES: Readonly<Record<Exclude<Verdict, "open">, Price>> = { lower: "costs", higher: "brings" };

/** `share`: of those on either side, who the rule acts for. */
export function priceOf(held: Side, acted: Side, share: number, options: PriceOptions) {
  const { alpha, tuning, power, lift, cap, rules, withheld = null } = options;
  const counts = createCapCounts();
  for (const cluster of [...held, ...acted]) counts.add(cluster);
  const caps = counts.caps(cap);
  const [theirs, mine] = [held, acted].map((side) => sumsOf(side, caps));
  const shoppers = acted.reduce((sum, { times = 1 }) => sum + times, 0);
  return PRICED_METRICS.map((metric, i) => {
    const [control, variant] = [theirs![i]!, mine![i]!];
    const judgment = judge(metric, control, variant, { alpha, tuning, share });
    const { capped } = judgment;
    const [result, why] = typeof capped === "string" ? [undefined, capped] : [capped, null];
    const strict = { alpha: alpha / rules, tuning };
    const { verdict } = judge(metric, control, variant, { ...strict, share });
    const known =
      result ?? expectedError(mergeSums(control.capped.known, control.capped.alone), mergeSums(variant.capped.known, variant.capped.alone));
    const isFlat = result !== undefined && result.lift.always.low > -lift && result.lift.always.high < lift;
    const left = metric.kind === "money" ? withheld : null;
    const price: Price = left !== null ? "open" : verdict !== "open" ? PRICES[verdict] : isFlat ? "none" : "open";
    return {
      metric: metric.id,
      title: metric.title,
      kind: metric.kind,
      /** Per shopper, every shopper capped. */
      held: meanOf(control),
      acted: meanOf(variant),
      /** Of one shopper; null where too little has happened. */
      difference: result?.difference ?? null,
      lift: result?.lift ?? null,
      /** Of all shoppers whom the rule has acted for so far. */
      total: result === undefined ? null : result.difference.value * shoppers,
      price,
      why: left ?? why,
      /** Shoppers of both sides together until that lift can be told; null where nothing has happened yet. */
      needed:
        known === undefined || !(known.standardError > 0)
          ? null
          : Math.ceil(
              daysUntil(
                lift,
                { standardError: known.standardError, clusters: known.clusters, days: known.clusters },
                { alpha: strict.alpha, power },
                strict,
              ),
            ),
    };
  });
}

export type RulePrice = ReturnType<typeof priceOf>[number];

/** By the pairs that `explore` swaps: of searches, not of shoppers. */
export interface ExploredPrice {
  /** Explored searches in which the rule changed something. */
  readonly searches: number;
  /** Of the places that it changes: the part that chance could have filled as without it. Below nearly all of them there are no metrics. */
  readonly possible: number;
  readonly metrics: readonly {
    readonly metric: string;
    readonly title: string;
    readonly kind: Metric["kind"];
    /** With the rule. */
    readonly perSearch: number;
    /** With the interval for one look; null where too little has happened. */
    readonly difference: ({ readonly value: number } & Interval) | null;
    readonly price: Price;
    /** Explored searches until the report's lift can be told. */
    readonly needed: number | null;
  }[];
}

/** Parallel to PRICED_METRICS. */
function sumsOf(side: Side, caps: ReturnType<ReturnType<typeof createCapCounts>["caps"]>): readonly ArmSums[] {
  return PRICED_METRICS.map((metric) => {
    const m = METRICS.indexOf(metric);
    const cells = new Float64Array(CELL_SIZE);
    const extremes = emptyExtremes();
    for (const { totals, isKnown, times = 1 } of side) {
      const counted = { y: metric.sumOf(totals), x: spreadOf(metric, totals), isKnown, squares: 0 };
      addToCell(cells, 0, caps, m, counted, times);
      noteExtremes(extremes, caps, m, counted);
    }
    return readCell(
      cells,
      0,
      [extremes.heaviest, extremes.widest].flatMap((extreme) => extreme ?? []),
    );
  });
}

function meanOf({ capped: { known } }: ArmSums): number | null {
  return known.x > 0 ? known.y / known.x : null;
}
