/**
 * What rules cost or bring by the pairs that `explore` swaps, without a share: the clicks of the order with the rule less those of the order without
 * it, each click weighted by the chance that its item stood where it stood (the item-position weights of the gate, cli/gate/estimate.ts; IPS of
 * Li et al. 2018).
 *
 * A swap moves an item by one place, and never one that a rule holds to a position. So an order without the rule that puts an item anywhere else
 * was never possible: nothing is said of such a rule, however many searches there are. It can be priced by a share of the traffic only.
 */
import type { ItemOutcome } from "../../report/item-outcomes.ts";
import type { ExploredSearch } from "../../report/log.ts";
import { type ExploredPrice, PRICED_METRICS } from "../../report/rule-price.ts";
import { FEWEST_ACTIVE, type Interval } from "../../report/statistics/compare.ts";
import { normalQuantile } from "../../report/statistics/distributions.ts";
import { alwaysValidFactor, type Wanted } from "../../report/statistics/power.ts";
import { sequenceFactor, type SequenceOptions } from "../../report/statistics/sequential.ts";
import { decide } from "../../report/verdict.ts";
import type { Stage } from "../../report/stage.ts";
import { addCluster, estimateRatio, readSums, SUM_COUNT } from "../../report/statistics/ratio.ts";
import { shownOrder, swapCells } from "../gate/exposure.ts";
import { match } from "../gate/estimate.ts";
import { STEPS } from "../gate/click-model.ts";

export interface ExploredList extends ExploredSearch {
  /** Of the shopper; `undefined` where it is not known. */
  readonly unit: string | undefined;
  readonly outcomes: readonly ItemOutcome[];
}

/** Of the places that a rule changes: fewer that chance could have filled otherwise, and the rest would be a guess. */
const LEAST_POSSIBLE = 0.95;

/** What happened where chance has put an item as without the rule, below which the normal distribution says nothing: as in compareArms(). */
const FEWEST_EVENTS = FEWEST_ACTIVE;

const NONE: readonly number[] = [];

/** No click model: IPS needs none. */
const NO_LOOKS: readonly number[] = Array.from({ length: STEPS }, () => 0);

interface RuleSums {
  lists: number;
  changed: number;
  possible: number;
  /** By metric: clusters of the difference, and of what the list with the rule has. */
  readonly differences: Float64Array;
  readonly base: number[];
  /** By metric: lists in which something happened where chance has put an item as without the rule. */
  readonly events: number[];
  /** Of the shopper who is read now. */
  readonly own: { y: number[]; x: number };
}

interface PriceOptions extends Wanted, SequenceOptions {
  readonly lift: number;
  /** Rules that are priced together; absent: those with an explored list. */
  readonly rules?: number;
}

/** Of a sealed stage. */
export function* exploredLists(stage: Pick<Stage, "explored" | "outcomes">): Generator<ExploredList> {
  for (const { queryId, ...list } of stage.explored()) yield { ...list, outcomes: stage.outcomes.itemsOf(queryId) };
}

/** `lists`: those of one shopper follow each other. Rules that changed nothing in an explored list are absent. */
export function priceExplored(lists: Iterable<ExploredList>, options: PriceOptions): ReadonlyMap<string, ExploredPrice> {
  const rules = new Map<string, RuleSums>();
  const closeShopper = (): void => {
    for (const { own, differences } of rules.values()) {
      if (own.x > 0) for (const [m, y] of own.y.entries()) addCluster(differences, m * SUM_COUNT, y, own.x);
      own.y.fill(0);
      own.x = 0;
    }
  };
  let last: string | undefined;
  for (const list of lists) {
    if (list.unit === undefined || list.unit !== last) closeShopper();
    last = list.unit;
    addList(rules, list);
  }
  closeShopper();
  return new Map([...rules].map(([rule, sums]) => [rule, describe(sums, { rules: rules.size, ...options })]));
}

function addList(rules: Map<string, RuleSums>, { originalIds, servedIds, propensities, without, outcomes }: ExploredList): void {
  const indexOf = new Map(originalIds.map((id, i) => [id, i]));
  const positions = originalIds.map(() => 0);
  const chances = originalIds.map(() => 1);
  for (const [i, id] of servedIds.entries()) {
    const hit = indexOf.get(id);
    if (hit === undefined) return;
    positions[hit] = i + 1;
    chances[hit] = propensities[i] ?? 1;
  }
  const cells = swapCells(positions, chances);
  if (cells === undefined) return;
  const values = valuesOf(outcomes, indexOf, originalIds.length);
  const at = shownOrder(positions);
  const order = cells.map(([base]) => base?.candidate ?? -1);
  for (const [rule, other] of Object.entries(without)) {
    const sums = rules.get(rule) ?? emptySums();
    rules.set(rule, sums);
    sums.lists++;
    sums.own.x++;
    const [mine, theirs] = [order, other].map((of) =>
      match({ positions, clicks: NONE, purchases: NONE, cells, attraction: NONE }, of, NO_LOOKS),
    );
    const events = PRICED_METRICS.map(() => 0);
    for (let k = 0; k < mine!.length; k++) {
      const [shown, isChanged] = [at[k] ?? -1, other[k] !== order[k]];
      const [own, others] = [mine![k]!.weight, theirs![k]!];
      if (isChanged) {
        sums.changed++;
        if (others.isPossible) sums.possible++;
      }
      for (const [m, value] of values.entries()) {
        const worth = value[shown] ?? 0;
        sums.own.y[m]! += (own - others.weight) * worth;
        sums.base[m]! += own * worth;
        if (isChanged && others.weight > 0 && worth > 0) events[m] = 1;
      }
    }
    for (const [m, happened] of events.entries()) sums.events[m]! += happened;
  }
}

function emptySums(): RuleSums {
  return {
    lists: 0,
    changed: 0,
    possible: 0,
    differences: new Float64Array(PRICED_METRICS.length * SUM_COUNT),
    base: PRICED_METRICS.map(() => 0),
    events: PRICED_METRICS.map(() => 0),
    own: { y: PRICED_METRICS.map(() => 0), x: 0 },
  };
}

/** By metric, then by hit: clicks, purchases, revenue. */
function valuesOf(outcomes: readonly ItemOutcome[], indexOf: ReadonlyMap<string, number>, count: number): readonly (readonly number[])[] {
  const values = PRICED_METRICS.map(() => Array.from({ length: count }, () => 0));
  for (const { item, clicks, purchases, revenue } of outcomes) {
    const hit = indexOf.get(item);
    if (hit !== undefined) for (const [m, value] of [clicks, purchases, revenue].entries()) values[m]![hit]! += value;
  }
  return values;
}

/** How many times as many searches, by the sequence that the verdict goes by: what one look would need is too few. */
function growthUntil(wanted: number, now: Record<"error" | "clusters", number>, strict: Wanted, tuning: number): number {
  const fixed = (((normalQuantile(1 - strict.alpha / 2) + normalQuantile(strict.power)) * now.error) / wanted) ** 2;
  return fixed * alwaysValidFactor(now.clusters * fixed, strict, tuning);
}

const WORDS = ["lower", "open", "higher"] as const;
const PRICES = { lower: "costs", open: "open", higher: "brings" } as const;

const around = (value: number, half: number): Interval => ({ low: value - half, high: value + half });

function describe(
  { lists, changed, possible, differences, base, events }: RuleSums,
  { alpha, tuning, power, lift, rules = 1 }: PriceOptions,
): ExploredPrice {
  const part = changed === 0 ? 0 : possible / changed;
  if (part < LEAST_POSSIBLE) return { searches: lists, possible: part, metrics: [] };
  const z = normalQuantile(1 - alpha / 2);
  const strict = { alpha: alpha / rules, power };
  const metrics = PRICED_METRICS.map(({ title, kind }, m) => {
    const estimate = estimateRatio(readSums(differences, m * SUM_COUNT));
    const mean = base[m]! / lists;
    const error = estimate === undefined ? 0 : Math.sqrt(estimate.variance);
    const isEnough = estimate !== undefined && events[m]! >= FEWEST_EVENTS && error > 0;
    const difference = isEnough ? { value: estimate.value, ...around(estimate.value, z * error) } : null;
    const wanted = lift * mean;
    return {
      metric: title.toLowerCase(),
      title,
      kind,
      perSearch: mean,
      difference,
      // Looked at whenever somebody looks, and with the others.
      price: isEnough
        ? PRICES[decide(around(estimate.value, error * sequenceFactor(estimate.clusters, { alpha: strict.alpha, tuning })), 0, WORDS)]
        : "open",
      needed:
        estimate !== undefined && error > 0 && wanted > 0
          ? Math.ceil(lists * growthUntil(wanted, { error, clusters: estimate.clusters }, strict, tuning))
          : null,
    };
  });
  return { searches: lists, possible: part, metrics };
}
