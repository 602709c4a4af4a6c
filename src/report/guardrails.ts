/**
 * Guardrails: figures that no variant may make worse, whatever it wins elsewhere. Each is the difference of two arms in the direction that is
 * good, with the upper bound of a confidence sequence: where even that lies below what is allowed, the variant does harm, at whatever moment one
 * looks.
 *
 * STOP_ALPHA bounds the chance that a variant without any effect is ever stopped, all guardrails and all arms together (Bonferroni).
 */
import type { Caps } from "./caps.ts";
import { emptyTotals, findMetric, type Totals } from "./metrics.ts";
import type { StagedSearch } from "./stage.ts";
import { FEWEST_ACTIVE } from "./statistics/compare.ts";
import { addCluster, type ClusterSums, estimateRatio, readSums, SUM_COUNT } from "./statistics/ratio.ts";
import { sequenceFactor } from "./statistics/sequential.ts";

export interface Guardrail {
  /** For `--allow` and `--json`. */
  readonly id: string;
  readonly title: string;
  readonly per: "search" | "shopper";
  readonly kind: "share" | "ms" | "money";
  /** 1: more is good. */
  readonly good: 1 | -1;
  /** How much worse than control is still allowed by default, in the unit of the figure. */
  readonly allowed: number;
  /** What one cluster adds to sum and denominator; `undefined` where the log does not say. */
  readonly of: (cluster: readonly StagedSearch[], totals: Totals, limits: Limits) => readonly [y: number, x: number] | undefined;
}

/** A search that took longer counts as that long. */
const MOST_MS = 5000;

/** Bypasses that a variant is meant to have, or that a guardrail has made. */
const MEANT: ReadonlySet<string> = new Set(["engine_order", "switched_off"]);

const perSearch = (of: (search: StagedSearch) => number | undefined) => (cluster: readonly StagedSearch[]) => {
  const values = cluster.flatMap((search) => of(search) ?? []);
  return values.length === 0 ? undefined : ([values.reduce((sum, value) => sum + value, 0), values.length] as const);
};

const perShopper =
  (of: (totals: Totals, limits: Limits) => number): Guardrail["of"] =>
  (cluster, totals, limits) =>
    cluster[0]?.unit === undefined ? undefined : [of(totals, limits), 1];

export const GUARDRAILS: readonly Guardrail[] = [
  {
    id: "without-result",
    title: "Searches without result",
    per: "search",
    kind: "share",
    good: -1,
    allowed: 0,
    of: perSearch(({ isEmpty }) => isEmpty ?? undefined),
  },
  {
    id: "bypass",
    title: "Searches not re-ranked, against the arm's intent",
    per: "search",
    kind: "share",
    good: -1,
    // A variant that asks for a model can fail where control cannot: its shoppers see the engine's order then.
    allowed: 0.05,
    of: perSearch(({ bypass }) => (bypass === undefined || MEANT.has(bypass) ? 0 : 1)),
  },
  {
    id: "latency",
    title: "Time until the reply",
    per: "search",
    kind: "ms",
    good: -1,
    // A window of the engine's hits and a model take some time by design.
    allowed: 50,
    of: perSearch(({ ms }) => (ms === null ? undefined : Math.min(ms, MOST_MS))),
  },
  {
    id: "buyers",
    title: "Shoppers who bought something",
    per: "shopper",
    kind: "share",
    good: 1,
    allowed: 0,
    of: perShopper(({ purchases }) => (purchases > 0 ? 1 : 0)),
  },
  {
    id: "revenue",
    title: "Revenue",
    per: "shopper",
    kind: "money",
    good: 1,
    allowed: 0,
    of: perShopper(({ revenue }, limits) => Math.min(revenue, limits.revenue)),
  },
];

/** What one shopper weighs at most; the same for all arms. */
export interface Limits {
  readonly revenue: number;
}

/** Chance of ever stopping a variant that changes nothing. */
export const STOP_ALPHA = 0.01;

/** Searches or shoppers in each arm, below which nothing is judged. */
const FEWEST_CLUSTERS = 100;

/** Where no search names its shopper: how much more their searches vary together than apart. High on purpose. */
const ASSUMED_DESIGN_EFFECT = 10;

export interface GuardOptions {
  readonly alpha: number;
  readonly tuning: number;
  /** Comparisons in all: guardrails times arms. */
  readonly tests: number;
  readonly allowed: number;
  /** Factor on the variance, where searches of one shopper count apart. */
  readonly designEffect: number;
}

/** `open`: the figure may be as good as control's, as far as is known; `unknown`: too little, or nothing, to judge by. */
export type GuardState = "open" | "harm" | "unknown";

export type Judgement = ReturnType<typeof judge>;

/**
 * The variance is the larger one of two: of the arms as they are, and of both as if they were one, so that an arm in which nothing happened yet is
 * not taken for one in which nothing can happen.
 */
export function judge(guardrail: Pick<Guardrail, "good">, control: ClusterSums, arm: ClusterSums, options: GuardOptions) {
  const { alpha, tuning, tests, allowed } = options;
  const [a, b] = [estimateRatio(control), estimateRatio(arm)];
  const unknown = { state: "unknown" as GuardState, control: a?.value ?? null, value: b?.value ?? null, change: null, bound: null };
  if (a === undefined || b === undefined) return unknown;
  if (Math.min(a.clusters, b.clusters) < FEWEST_CLUSTERS || a.active + b.active < FEWEST_ACTIVE) return unknown;
  const together = estimateRatio(sumOf(control, arm))!;
  const ofOne = together.variance * together.clusters;
  const variance = Math.max(a.variance + b.variance, ofOne * (1 / a.clusters + 1 / b.clusters)) * options.designEffect;
  const change = guardrail.good * (b.value - a.value);
  // Only the upper bound counts: half of a two-sided sequence of twice the error.
  const factor = sequenceFactor((a.clusters + b.clusters) / options.designEffect, { alpha: (2 * alpha) / tests, tuning });
  const bound = change + factor * Math.sqrt(variance);
  const state: GuardState = bound + allowed < 0 ? "harm" : "open";
  return { state, control: a.value, value: b.value, /** In the good direction. */ change, /** Always valid. */ bound };
}

function sumOf(a: ClusterSums, b: ClusterSums): ClusterSums {
  const add = (name: keyof ClusterSums): number => a[name] + b[name];
  return {
    clusters: add("clusters"),
    active: add("active"),
    y: add("y"),
    x: add("x"),
    yy: add("yy"),
    xx: add("xx"),
    xy: add("xy"),
  };
}

export type GuardSums = ReturnType<typeof createGuardSums>;

export function createGuardSums(caps: Caps) {
  const revenue = findMetric("revenue-per-shopper");
  const limits: Limits = { revenue: revenue === undefined ? Infinity : caps.sumOf(revenue) };
  const sums: Float64Array[] = [];
  const blockOf = (arm: number): Float64Array => (sums[arm] ??= new Float64Array(GUARDRAILS.length * SUM_COUNT));
  return {
    add(arm: number, cluster: readonly StagedSearch[], addSearch: (totals: Totals, search: StagedSearch) => void): void {
      const totals = emptyTotals();
      for (const search of cluster) addSearch(totals, search);
      GUARDRAILS.forEach((guardrail, g) => {
        const added = guardrail.of(cluster, totals, limits);
        if (added !== undefined) addCluster(blockOf(arm), g * SUM_COUNT, added[0], added[1]);
      });
    },
    of: (arm: number, guardrail: Guardrail): ClusterSums => readSums(blockOf(arm), GUARDRAILS.indexOf(guardrail) * SUM_COUNT),
  };
}

interface ArmCounts {
  readonly searches: number;
  readonly shopperSearches: number;
  readonly squaredShopperSearches: number;
}

/** Of the whole log: 1 where every search names its shopper. */
export function designEffectOf(arms: readonly ArmCounts[]): number {
  const sum = (of: (arm: ArmCounts) => number): number => arms.reduce((all, arm) => all + of(arm), 0);
  const [searches, known] = [sum((arm) => arm.searches), sum((arm) => arm.shopperSearches)];
  if (searches === known) return 1;
  // As of searches of one shopper that all end alike (Kish 1965).
  const effect = known === 0 ? ASSUMED_DESIGN_EFFECT : sum((arm) => arm.squaredShopperSearches) / known;
  return 1 + ((effect - 1) * (searches - known)) / searches;
}

export interface GuardrailOptions {
  readonly tuning: number;
  readonly alpha?: number | undefined;
  /** Guardrail → allowed harm, instead of its default. */
  readonly allowed?: ReadonlyMap<string, number> | undefined;
  /** Whether nothing can be said of an arm's money (money.ts). Default: of none. */
  readonly isMoneyWithheld?: ((variant: string) => boolean) | undefined;
}

/** Every arm but control (index `base`), against it. */
export function judgeArms(
  sums: GuardSums,
  arms: readonly (ArmCounts & { readonly variant: string })[],
  base: number,
  { tuning, alpha = STOP_ALPHA, allowed, isMoneyWithheld }: GuardrailOptions,
) {
  const effect = designEffectOf(arms);
  const tests = GUARDRAILS.length * Math.max(1, arms.length - 1);
  return arms.flatMap(({ variant }, arm) =>
    arm === base || base < 0
      ? []
      : GUARDRAILS.map((guardrail) => {
          const { id, title, per, kind, good } = guardrail;
          const options = {
            alpha,
            tuning,
            tests,
            allowed: allowed?.get(id) ?? guardrail.allowed,
            designEffect: per === "search" ? effect : 1,
          };
          const judged = judge(guardrail, sums.of(base, guardrail), sums.of(arm, guardrail), options);
          const state: GuardState = kind === "money" && isMoneyWithheld?.(variant) === true ? "unknown" : judged.state;
          return { variant, guardrail: id, title, per, kind, good, allowed: options.allowed, ...judged, state };
        }),
  );
}

export type GuardRow = ReturnType<typeof judgeArms>[number];
