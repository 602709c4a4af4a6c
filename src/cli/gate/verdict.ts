/** Evidence → one verdict per comparison, and for the model. */
import type { Comparison, Evidence, Figure } from "./evidence.ts";

/** Below these the gate says "cannot tell", whatever the intervals say: a bootstrap of few shoppers knows too little. */
export const FEWEST = {
  /** Lists of test shoppers with a click. */
  clickedLists: 300,
  /** Known shoppers, or searches of unknown ones. */
  shoppers: 200,
  /** Clicks that are left of them under the model's order, by Kish's effective size. */
  effectiveClicks: 100,
  /** Clicks on randomised candidates of the training split, for the curve of looks. */
  curveClicks: 200,
} as const;

/** What may be lost, as a share of the other order's clicks, so that a model that is as good can pass. */
export const DEFAULT_MARGIN = 0.01;

/** Decides whether a model may pass. The others below can refuse it. */
const PASSING: Figure = "clicks";
const REFUSING: readonly Figure[] = ["clicks", "purchases", "clicks DR"];

export type Outcome = "better" | "not_worse" | "cannot_tell" | "worse";

export interface Judgment {
  readonly against: string;
  readonly outcome: Outcome;
  /** Figures whose upper bound lies below 0. */
  readonly lost: readonly Figure[];
  /** Of clicks. */
  readonly allowed: number;
}

export function judge(
  evidence: Evidence,
  margin: number,
): { readonly judgments: readonly Judgment[]; readonly missing: readonly string[] } {
  const names = [...new Set(evidence.comparisons.map(({ against }) => against))];
  return { judgments: names.map((name) => judgeAgainst(evidence.comparisons, name, margin)), missing: missingOf(evidence) };
}

function judgeAgainst(all: readonly Comparison[], against: string, margin: number): Judgment {
  const find = (figure: Figure): Comparison | undefined => all.find((each) => each.against === against && each.figure === figure);
  const lost = REFUSING.filter((figure) => (find(figure)?.high ?? 0) < 0);
  const { low = -Infinity, base = 0 } = find(PASSING) ?? {};
  const allowed = margin * Math.max(0, base);
  const outcome = lost.length > 0 ? "worse" : low > 0 ? "better" : low >= -allowed ? "not_worse" : "cannot_tell";
  return { against, outcome, lost, allowed };
}

/** What the log lacks; empty where there is enough of everything. */
function missingOf({ clicked, shoppers, withoutShopper, curve, orders }: Evidence): string[] {
  const effective = Math.min(...orders.map(({ effectiveClicks }) => effectiveClicks));
  const needs: readonly (readonly [number, number, string])[] = [
    [clicked, FEWEST.clickedLists, "searches with a click of shoppers held out from training"],
    [shoppers + withoutShopper, FEWEST.shoppers, "shoppers held out from training"],
    [Math.floor(effective), FEWEST.effectiveClicks, "clicks once they are weighted (effective sample size)"],
    [
      curve.clicks,
      FEWEST.curveClicks,
      "clicks on randomised positions in the training split: serve explore(…) or interleave(…) to a share of the shoppers",
    ],
  ];
  return needs.flatMap(([has, needed, what]) => (has < needed ? [`${has} of at least ${needed} ${what}`] : []));
}
