/**
 * `armmt report --rules --check`: simulated rules whose price is known, and how often the report's interval holds it.
 *
 * The rules are real ones (rules/apply.ts) on simulated lists; shoppers click by the position-based model and differ in how much they search and
 * click. What a rule brings is then a sum that needs no simulation.
 */
import { EXPLORED_POSITIONS, randomBits, randomFrom, swapNeighbours } from "../../ranking/interleave.ts";
import type { ItemOutcome } from "../../report/item-outcomes.ts";
import { fnv1a } from "../../ranking/tokenizer.ts";
import * as format from "../../report/format.ts";
import { emptyTotals, type Totals } from "../../report/metrics.ts";
import { type Price, PRICED_METRICS, type PriceOptions, priceOf, type Side } from "../../report/rule-price.ts";
import { applyRules } from "../../rules/apply.ts";
import { parseRules, type RuleAction } from "../../rules/document.ts";
import { compileRules } from "../../rules/match.ts";
import { UserError } from "../../web.ts";
import { printTable, progressBar } from "../command.ts";
import { type ExploredList, priceExplored } from "./explore.ts";

const ITEMS = 12;
const SHARES = [0.5, 0.5, 0.9, 0.1];
/** Of both sides together. */
const SHOPPERS = { least: 300, most: 30_000 };
const KINDS = ["pin", "boost", "bury", "last", "slots"] as const;

type Random = () => number;
type Kind = (typeof KINDS)[number];

/** Of an item that is looked at. */
interface Item {
  readonly click: number;
  /** Of a click. */
  readonly buy: number;
  readonly price: number;
}

export interface SimulatedRule {
  readonly kind: Kind;
  readonly share: number;
  readonly held: Side;
  readonly acted: Side;
  /** What the rule brings per shopper, parallel to PRICED_METRICS, and what they come to without it. */
  readonly truth: readonly { readonly difference: number; readonly base: number }[];
}

/** Mean 1. */
const KEENNESS = [0.4, 0.8, 1, 1.8];
/** Of a further search that the rule fits. */
const AGAIN = 0.35;

const look = (position: number): number => (1 + position) ** -0.7;

export function simulateRule(seed: string): SimulatedRule {
  const bits = randomBits(fnv1a(seed));
  const random: Random = () => bits() / 2 ** 32;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const items = Array.from({ length: ITEMS }, (): Item => ({
    click: 0.02 + 0.38 * random() ** 2,
    buy: 0.05 + 0.25 * random(),
    price: Math.exp(2.5 + 1.2 * (random() + random() + random() - 1.5)),
  }));
  // The engine knows a part of it.
  const order = [...items.keys()]
    .map((item) => ({ item, worth: items[item]!.click + 0.25 * random() }))
    .toSorted((a, b) => b.worth - a.worth)
    .map(({ item }) => items[item]!);
  const kind = pick(KINDS);
  const ruled = orderWith(actionOf(kind, random, pick)).map((hit) => order[hit]!);
  const share = pick(SHARES);
  const count = Math.round(SHOPPERS.least * (SHOPPERS.most / SHOPPERS.least) ** random());
  const [held, acted]: [Cluster[], Cluster[]] = [[], []];
  for (let i = 0; i < count; i++) {
    const isIn = random() < share;
    (isIn ? acted : held).push({ totals: shop(isIn ? ruled : order, random, pick), isKnown: true });
  }
  const [base, changed] = [order, ruled].map((list) => expected(list));
  const truth = PRICED_METRICS.map((metric) => ({ difference: metric.sumOf(changed!) - metric.sumOf(base!), base: metric.sumOf(base!) }));
  return { kind, share, held, acted, truth };
}

type Cluster = Side[number];

function actionOf(kind: Kind, random: Random, pick: <T>(list: readonly T[]) => T): RuleAction {
  const ids = [`item-${Math.floor(random() * ITEMS)}`, `item-${Math.floor(random() * ITEMS)}`].slice(0, 1 + Math.floor(random() * 2));
  const unique = [...new Set(ids)];
  if (kind === "pin") return { do: "pin", items: unique.map((id, i) => ({ id, position: i + 1 })) };
  if (kind === "slots") return { do: "slots", positions: pick([[1], [2, 5], [3]]), ids: unique };
  if (kind === "last") return { do: "last", match: [{ ids: unique }] };
  return { do: kind, match: [{ ids: unique }], places: pick([1, 2, 4, 8]) };
}

/** Indices of the engine's list. */
function orderWith(action: RuleAction): readonly number[] {
  const parsed = parseRules(JSON.stringify({ format: 1, rules: [{ id: "rule", action }] }));
  const compiled = parsed.ok ? compileRules(parsed.value, "simulated") : parsed;
  if (!compiled.ok) throw new UserError(compiled.error.join("\n"));
  const hits = Array.from({ length: ITEMS }, (_, i) => ({ itemId: `item-${i}`, isPinned: false }));
  const asked = { index: "", queryText: undefined, filters: () => undefined, context: new Set<string>(), country: undefined, now: 0 };
  return applyRules(compiled.value.match({ ...asked, unit: undefined })?.rules ?? [], {
    hits,
    order: [...hits.keys()],
    isNamed: () => false,
    valuesOf: () => [],
    likeness: () => undefined,
    slotIds: [],
    isSorted: false,
    isFromTop: true,
    mayDrop: false,
  }).order;
}

/** What one shopper comes to. */
function shop(list: readonly Item[], random: Random, pick: <T>(list: readonly T[]) => T): Totals {
  const totals = emptyTotals();
  const keenness = pick(KEENNESS);
  do {
    totals.searches++;
    const before = totals.clicks;
    for (let position = 0; position < list.length; position++) {
      const item = list[position]!;
      if (random() >= look(position) * item.click * keenness) continue;
      totals.clicks++;
      if (random() < item.buy) sell(totals, item.price);
    }
    if (totals.clicks > before) totals.clicked++;
  } while (random() < AGAIN);
  return totals;
}

function sell(totals: Totals, price: number, times = 1): void {
  totals.purchases += times;
  totals.orders += times;
  totals.items += times;
  totals.gross += times * price;
  totals.revenue += times * price;
}

function expected(list: readonly Item[]): Totals {
  const totals = emptyTotals();
  const searches = 1 / (1 - AGAIN);
  for (const [position, { click, buy, price }] of list.entries()) {
    const clicks = searches * look(position) * click;
    totals.clicks += clicks;
    sell(totals, price, clicks * buy);
  }
  return totals;
}

/** Explored searches of one rule that moves a hit by one place, and what the rule brings per search. */
export function simulateExplored(
  seed: string,
  count?: number,
): { readonly lists: readonly ExploredList[]; readonly truth: readonly number[] } {
  const random = randomFrom(seed);
  const items = Array.from({ length: ITEMS }, () => ({
    click: 0.05 + 0.3 * random(),
    buy: 0.1 + 0.3 * random(),
    price: 5 + 60 * random(),
  }));
  const ids = items.map((_, i) => `item-${i}`);
  const engine = [...ids.keys()];
  const kind = random() < 0.5 ? "boost" : "bury";
  const moved = Math.floor((EXPLORED_POSITIONS - 1) * random()) + (kind === "boost" ? 1 : 0);
  const ruled = orderWith({ do: kind, match: [{ ids: [`item-${moved}`] }], places: 1 });
  const without = { rule: engine.slice(0, EXPLORED_POSITIONS) };
  const isStill = ids.map(() => false);
  const drawn = 1000 * 10 ** random();
  const lists = Array.from({ length: count ?? Math.round(drawn) }, (_, n): ExploredList => {
    const { order, propensities } = swapNeighbours(ruled, isStill, `${seed} ${n}`);
    const outcomes = order.flatMap((hit, position): ItemOutcome[] => {
      const { click, buy, price } = items[hit]!;
      if (random() >= look(position) * click) return [];
      const purchases = Number(random() < buy);
      return [{ item: ids[hit]!, clicks: 1, carts: 0, purchases, revenue: purchases * price }];
    });
    return {
      unit: `shopper ${Math.floor(n / 2)}`,
      originalIds: ids,
      servedIds: order.map((hit) => ids[hit]!),
      propensities,
      without,
      outcomes,
    };
  });
  const worth = (order: readonly number[]): readonly number[] =>
    order.reduce(
      (sums, hit, position) => {
        const { click, buy, price } = items[hit]!;
        return [1, buy, buy * price].map((each, m) => sums[m]! + look(position) * click * each);
      },
      [0, 0, 0],
    );
  const [mine, theirs] = [worth(ruled), worth(engine)];
  return { lists, truth: mine.map((value, m) => value - theirs[m]!) };
}

interface Checking {
  readonly runs: number;
  readonly seed: string;
  readonly json: boolean;
}

/** Of the intervals. */
const LEAST_HELD = 0.93;

/** Thousands of lists take a while. */
const EXPLORED_EVERY = 4;

type Options = Omit<PriceOptions, "rules">;

export function checkRules(options: Options, { runs, seed, json }: Checking) {
  const found = PRICED_METRICS.map(({ id, title }) => ({
    metric: id,
    title,
    intervals: 0,
    held: 0,
    always: 0,
    untold: 0,
    wrong: 0,
    prices: noPrices(),
  }));
  const explored = PRICED_METRICS.map(({ id, title }) => ({
    metric: id,
    title,
    intervals: 0,
    held: 0,
    wrong: 0,
    prices: noPrices(),
    /** Searches until the lift can be told, of each rule. */
    needed: new Array<number>(),
    /** The rule's true difference as a share of what a search has. */
    lifts: new Array<number>(),
  }));
  const kinds = new Map<Kind, number>();
  const bar = progressBar("Simulating rules", runs, { json });
  for (let run = 0; run < runs; run++) {
    const rule = simulateRule(`rule price ${seed} ${run}`);
    kinds.set(rule.kind, (kinds.get(rule.kind) ?? 0) + 1);
    for (const [m, { difference, price }] of priceOf(rule.held, rule.acted, rule.share, { ...options, rules: 1 }).entries()) {
      const [into, truth] = [found[m]!, rule.truth[m]!];
      into.prices[price]++;
      if (isWrong(price, truth, options.lift)) into.wrong++;
      if (difference === null) {
        into.untold++;
        continue;
      }
      into.intervals++;
      if (difference.fixed.low <= truth.difference && truth.difference <= difference.fixed.high) into.held++;
      if (difference.always.low <= truth.difference && truth.difference <= difference.always.high) into.always++;
    }
    if (run % EXPLORED_EVERY !== 0) {
      bar.increment();
      continue;
    }
    const { lists, truth } = simulateExplored(`explored ${seed} ${run}`);
    for (const [m, { difference, price, needed, perSearch }] of priceExplored(lists, { ...options, rules: 1 })
      .get("rule")!
      .metrics.entries()) {
      const into = explored[m]!;
      if (needed !== null) into.needed.push(needed);
      if (perSearch > 0) into.lifts.push(Math.abs(truth[m]!) / perSearch);
      into.prices[price]++;
      if (isWrong(price, { difference: truth[m]!, base: 1 }, options.lift)) into.wrong++;
      if (difference === null) continue;
      into.intervals++;
      if (difference.low <= truth[m]! && truth[m]! <= difference.high) into.held++;
    }
    bar.increment();
  }
  bar.stop();
  const holds = [...found, ...explored].every(({ intervals, held }) => held >= LEAST_HELD * intervals);
  const described = explored.map(({ needed, lifts, ...others }) => ({ ...others, needed: median(needed), trueLift: median(lifts) }));
  return { simulated: true, runs, seed, ...options, kinds: Object.fromEntries(kinds), holds, metrics: found, explored: described };
}

const median = (values: readonly number[]): number | null => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? null;

const noPrices = (): Record<Price, number> => ({ costs: 0, none: 0, open: 0, brings: 0 });

/** What is said is not so. */
function isWrong(price: Price, { difference, base }: { readonly difference: number; readonly base: number }, lift: number): boolean {
  if (price === "brings") return difference <= 0;
  if (price === "costs") return difference >= 0;
  return price === "none" && Math.abs(difference) >= lift * base;
}

/** Returns whether the intervals hold what they say. */
export function printRuleCheck(options: Options, checking: Checking): boolean {
  const report = checkRules(options, checking);
  if (checking.json) {
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return report.holds;
  }
  const { runs, seed, kinds, metrics, explored, holds } = report;
  process.stdout.write(
    `Simulated: ${runs} rules (${Object.entries(kinds).map(([kind, count]) => `${count} ${kind}`).join(", ")}; seed ${seed}), each with ${SHOPPERS.least} to ${format.wholeNumber(SHOPPERS.most)} shoppers, held back from a tenth, a half or nine tenths.\n\n`, // prettier-ignore
  );
  printTable(
    [
      "Per shopper",
      "Interval of 95 % holds the truth",
      "Sequence holds it",
      "Too little for an interval",
      "Brings",
      "Costs",
      "No change",
      "Cannot tell",
      "Wrong",
    ],
    metrics.map(({ title, intervals, held, always, untold, prices, wrong }) => [
      title,
      format.share(held / Math.max(1, intervals)),
      format.share(always / Math.max(1, intervals)),
      untold,
      prices.brings,
      prices.costs,
      prices.none,
      prices.open,
      wrong,
    ]),
  );
  process.stdout.write(
    `\nSimulated: ${Math.ceil(runs / EXPLORED_EVERY)} rules that move a hit by one place, by the pairs that explore swaps in 1,000 to 10,000 searches.\n\n`,
  );
  printTable(
    [
      "Per search",
      "Interval of 95 % holds the truth",
      "Brings",
      "Costs",
      "Cannot tell",
      "Wrong",
      `Searches needed for ${format.chance(options.lift)}, median`,
      "True change, median",
    ],
    explored.map(({ title, intervals, held, prices, wrong, needed, trueLift }) => [
      title,
      format.share(held / Math.max(1, intervals)),
      prices.brings,
      prices.costs,
      prices.open,
      wrong,
      needed === null ? format.NONE : format.wholeNumber(needed),
      trueLift === null ? format.NONE : format.chance(trueLift),
    ]),
  );
  process.stdout.write(
    `\n${holds ? "Each holds in" : "AT LEAST ONE HOLDS IN LESS THAN"} ${format.chance(LEAST_HELD)}${holds ? " or more" : ""}.\n`,
  );
  return holds;
}
