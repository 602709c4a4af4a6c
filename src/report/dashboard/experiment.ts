/** An experiment of the overview → its arms, the facts of its sentence, and the bands of its chart. */
import { ALARMS, type ArmFacts, type Effect, sentenceOf, verdictsOf } from "../summary.ts";
import type { DayRow, ExperimentRow, OverviewRows } from "./rows.ts";
import { compareShares, daysLeft, isMismatch, isMissing, LIFT, type Share } from "./effect.ts";

export interface Band {
  readonly day: string;
  readonly lift: number;
  readonly low: number;
  readonly high: number;
}

export interface ArmView {
  readonly variant: string;
  readonly isControl: boolean;
  readonly weight: number | undefined;
  readonly searches: number;
  readonly bought: Share;
  readonly clicked: Share;
  readonly effect: Effect | undefined;
  /** Of the share that bought something, after each day on which it was known. */
  readonly bands: readonly Band[];
}

export interface ExperimentView {
  readonly key: string;
  readonly days: readonly string[];
  readonly arms: readonly ArmView[];
  /** `undefined`: nothing to compare, or the configuration does not know the experiment. */
  readonly hasMismatch: boolean | undefined;
  /** `undefined` for an experiment that is only looked at from somewhere in its middle. */
  readonly sentence: string | undefined;
  readonly tone: "alarm" | "open" | "fine";
}

const SALES = "buyers per shopper";
const CLICKS = "shoppers who click";

export function viewExperiment(
  { experiment: key, first, last, searches: rowCount }: ExperimentRow,
  rows: readonly DayRow[],
  { configured, most }: Pick<OverviewRows, "configured" | "most">,
): ExperimentView {
  const isWhole = rowCount <= most;
  const weights = weightsOf(configured.find((known) => known.key === key));
  const counted = rows.filter(({ what }) => what !== "simulated");
  const days = daysBetween(isWhole ? first : (counted[0]?.day ?? first), last);
  const names = [...new Set([...Object.keys(weights ?? {}), ...counted.map(({ variant }) => variant)])];
  const control = names.includes("control") ? "control" : (names[0] ?? "control");
  const sum = (what: DayRow["what"], variant: string, until = "9"): number =>
    rows.reduce((all, row) => all + (row.what === what && row.variant === variant && row.day <= until ? row.n : 0), 0);
  const share = (what: "clicked" | "bought", variant: string, until?: string): Share => ({
    n: sum(what, variant, until),
    of: sum("seen", variant, until),
  });
  const compare = (what: "clicked" | "bought", variant: string, until?: string) =>
    compareShares(share(what, control, until), share(what, variant, until));

  const arms = names.map((variant): ArmView & { readonly facts: ArmFacts } => {
    const [sales, clicks] = variant === control ? [] : [compare("bought", variant), compare("clicked", variant)];
    const mine = weights?.[variant] ?? 0;
    const split = mine / (mine + (weights?.[control] ?? 0));
    const lacks = (what: "clicked" | "bought"): boolean =>
      split > 0 && split < 1 && sum(what, variant) === 0 && isMissing(sum(what, control), split);
    const nothing = { of: variant, isHalved: false };
    const effect: Effect | undefined = sales && { name: SALES, verdict: sales.verdict, always: sales.always };
    return {
      variant,
      isControl: variant === control,
      weight: weights?.[variant],
      searches: sum("searches", variant),
      bought: share("bought", variant),
      clicked: share("clicked", variant),
      effect,
      bands:
        variant === control
          ? []
          : days.flatMap((day) => {
              const then = compare("bought", variant, day);
              return then === undefined ? [] : [{ day, lift: then.lift, ...then.always }];
            }),
      facts: {
        variant,
        kind: kindOf(variant),
        alarm: lacks("bought") ? { ...nothing, what: "purchases" } : lacks("clicked") ? { ...nothing, what: "clicks" } : undefined,
        sales: effect,
        clicks: clicks && { name: CLICKS, verdict: clicks.verdict, always: clicks.always },
        daysLeft: sales && daysLeft(sales, days.length),
      },
    };
  });
  const total = (of: (arm: ArmView) => number): number => arms.reduce((all, arm) => all + of(arm), 0);
  const weighed = arms.filter(({ variant }) => weights?.[variant] !== undefined);
  const hasMismatch = isMismatch(
    weighed.map(({ bought }) => bought.of),
    weighed.map(({ weight }) => weight ?? 0),
  );
  const facts = {
    experiment: key,
    control,
    simulated: rows.some(({ what, n }) => what === "simulated" && n > 0),
    days: days.length,
    searches: total(({ searches }) => searches),
    shoppers: total(({ bought }) => bought.of),
    clicks: total(({ clicked }) => clicked.n),
    purchases: total(({ bought }) => bought.n),
    hasMismatch: hasMismatch === true,
    lift: LIFT,
    arms: arms.filter(({ variant }) => variant !== control).map((arm) => arm.facts),
  };
  const [verdict] = verdictsOf(facts);
  return {
    key,
    days,
    arms,
    hasMismatch,
    sentence: isWhole ? sentenceOf(verdict, facts) : undefined,
    tone:
      hasMismatch === true || (isWhole && ALARMS.has(verdict.kind))
        ? "alarm"
        : !isWhole || verdict.kind === "open" || verdict.kind === "no_searches"
          ? "open"
          : "fine",
  };
}

/** `undefined` where the configuration does not know the experiment. */
function weightsOf(experiment: OverviewRows["configured"][number] | undefined): Readonly<Record<string, number>> | undefined {
  if (experiment === undefined) return undefined;
  const { variations, weights, ranges } = experiment;
  const weightAt = (i: number): number =>
    ranges?.[i] === undefined ? (weights?.[i] ?? 1 / variations.length) : ranges[i][1] - ranges[i][0];
  return Object.fromEntries(variations.map((name, i) => [name, weightAt(i)]));
}

/** By the names of variants: the parser of the edge would not fit into a page. */
function kindOf(variant: string): ArmFacts["kind"] {
  if (variant.startsWith("interleave(")) return "interleaved";
  return variant === "control" || variant.startsWith("shadow(") ? "unchanged" : "ranked";
}

const DAY_MS = 86_400_000;

/** Every day of the period, also one without a search. */
function daysBetween(first: string, last: string): readonly string[] {
  const days: string[] = [];
  for (let at = Date.parse(first.slice(0, 10)); at <= Date.parse(last); at += DAY_MS) days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}
