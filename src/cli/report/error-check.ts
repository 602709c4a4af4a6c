/**
 * How often the report errs: simulated experiments without an effect, read on every day, through the rules of the report (caps.ts, verdict.ts).
 * And its power against a plain t-test, where there is an effect.
 *
 * Shoppers are drawn one by one but kept as sums: those who are alike are one entry with a count.
 */
import { createLongRandom, type Random } from "../../demo/catalogue/random.ts";
import { type Caps, createCapCounts } from "../../report/caps.ts";
import { addToCell, type ArmSums, CELL_SIZE, type Counted, emptyExtremes, noteExtremes, readCell } from "../../report/cells.ts";
import { METRICS, spreadOf, type Totals } from "../../report/metrics.ts";
import type { SequenceOptions } from "../../report/statistics/sequential.ts";
import { callPlanned, looksOf, mayCall, type Plan } from "../../report/planned.ts";
import { informationOf, judge, type Judgment } from "../../report/verdict.ts";
import { DAY_MS } from "../../web.ts";

export interface Cell {
  readonly name: string;
  readonly perDay: number;
  /** Of the variant. */
  readonly share: number;
  /** Share of the shoppers who are known. */
  readonly consent: number;
  /** Share of the shoppers who search once; the others search 1 + a negative binomial number of times. */
  readonly once: number;
  /** Mean of the shoppers' own click rates; 0: nobody clicks. */
  readonly clickRate: number;
  /** Share of the visits with an order. */
  readonly buyRate: number;
  /** Of the logarithm of an order's value. */
  readonly sigma: number;
  /** Of the variant, on the share of visits with an order; 0 without an effect. */
  readonly lift: number;
}

const USUAL = { perDay: 400, share: 0.5, consent: 1, once: 1, clickRate: 0, buyRate: 0.03, sigma: 1, lift: 0 };
const CORRELATED = { ...USUAL, perDay: 200, once: 0, clickRate: 0.3 };
const split = (share: number): string => `${(1 - share) * 100}:${share * 100}`;

/** Without an effect. */
export const CELLS: readonly Cell[] = [
  ...[0.5, 0.1].flatMap((share) =>
    [1, 1.5, 2, 2.5].map((sigma) => ({ ...USUAL, share, sigma, name: `orders σ ${sigma}, ${split(share)}` })),
  ),
  ...[0.5, 0.1].map((share) => ({ ...CORRELATED, share, name: `correlated searches, ${split(share)}` })),
  ...[0, 0.1, 0.5].map((consent) => ({ ...CORRELATED, consent, name: `… with ${consent === 0 ? "no" : `${consent * 100} %`} consent` })),
  { ...CORRELATED, perDay: 15, name: "15 shoppers a day" },
  ...[0.5, 0.1].map((share) => ({ ...USUAL, perDay: 1500, share, buyRate: 0.001, name: `conversion 0.1 %, ${split(share)}` })),
];

/** With an effect that a plain t-test finds in about four of five. */
export const POWER_CELL: Cell = { ...USUAL, lift: 0.5, name: "orders σ 1, 50 % more buyers" };

export const CHECK_DAYS = 28;

/** Share of the shoppers who come back within ten days. */
const RETURNING = 0.3;

export interface CheckOptions extends SequenceOptions {
  readonly cap: number;
  /** Other experiments by another seed. */
  readonly seed: string;
}

/** Shoppers who are alike, or searches of unknown ones. */
interface Entry {
  readonly totals: Totals;
  readonly isKnown: boolean;
  /** Parallel to METRICS; `undefined` where the entry is not part of one. */
  readonly counted: readonly (Counted | undefined)[];
  times: number;
}

/** Of one arm; shoppers without an order by what they did, the others each for itself. */
interface Arm {
  readonly alike: Map<number, Entry>;
  readonly buyers: Set<Entry>;
  /** Of both arms. */
  readonly counts: ReturnType<typeof createCapCounts>;
}

/** `squares`: Σ of the squared totals of single searches, by which a sum of squares follows for every metric. */
interface Sums {
  readonly totals: Totals;
  readonly squares: Totals;
}

interface Visitor {
  sums: Sums | undefined;
  readonly arm: Arm;
  readonly isKnown: boolean;
  readonly buyRate: number;
  readonly clickRate: number;
  /** Besides the first of a visit. */
  readonly moreSearches: number;
  entry: Entry | undefined;
}

/** Gamma-like around 2.8, with a long tail: shoppers differ much. */
function drawMore(random: Random): number {
  return 1.4 * (random.normal() ** 2 - Math.log(1 - random.next()));
}

/** Knuth's, below a mean of 40. */
function drawPoisson(random: Random, mean: number): number {
  const least = Math.exp(-Math.min(mean, 40));
  let count = 0;
  for (let product = random.next(); product > least; product *= random.next()) count++;
  return count;
}

const TASTES = [0.2, 0.6, 1, 2.2];

function drawVisitor(random: Random, arms: readonly [Arm, Arm], { share, consent, once, clickRate, buyRate, lift }: Cell): Visitor {
  const isVariant = random.chance(share);
  return {
    arm: arms[isVariant ? 1 : 0],
    isKnown: consent === 1 || random.chance(consent),
    buyRate: isVariant ? buyRate * (1 + lift) : buyRate,
    clickRate: clickRate === 0 ? 0 : clickRate * random.pick(TASTES),
    moreSearches: once === 1 || random.chance(once) ? 0 : drawMore(random),
    sums: undefined,
    entry: undefined,
  };
}

/** One or more searches, each with one click or none, and perhaps orders in the first of them. */
function visit(random: Random, visitor: Visitor, sigma: number): void {
  const { arm, isKnown, entry, clickRate, moreSearches } = visitor;
  let purchases = 0;
  let revenue = 0;
  if (random.chance(visitor.buyRate)) {
    do {
      purchases++;
      revenue += 50 * Math.exp(sigma * random.normal());
    } while (random.chance(0.2));
  }
  const searches = 1 + (moreSearches > 0 ? drawPoisson(random, moreSearches) : 0);
  let [clicks, carts] = [0, 0];
  for (let i = 0; i < searches; i++) {
    const isClicked = clickRate > 0 && random.chance(clickRate);
    const isCart = isClicked && random.chance(0.25);
    if (isClicked) clicks++;
    if (isCart) carts++;
    if (!isKnown) addEntry(arm, alone(isClicked, isCart, i === 0 ? purchases : 0, revenue), false);
  }
  if (!isKnown) return;
  const mine =
    searches === 1
      ? alone(clicks > 0, carts > 0, purchases, revenue)
      : together({ searches, clicked: clicks, clicks, carts }, purchases, revenue);
  visitor.sums =
    visitor.sums === undefined
      ? mine
      : { totals: addTotals(visitor.sums.totals, mine.totals), squares: addTotals(visitor.sums.squares, mine.squares) };
  if (entry !== undefined) removeEntry(arm, entry);
  visitor.entry = addEntry(arm, visitor.sums, true);
}

/** Orders are in one of the searches, each of which has one click or none, and one cart or none. */
function together(counted: Pick<Totals, "searches" | "clicked" | "clicks" | "carts">, purchases: number, revenue: number): Sums {
  return { totals: { ...counted, ...sold(purchases, revenue) }, squares: { ...counted, ...sold(purchases ** 2, revenue ** 2) } };
}

/** Most searches are one of these; by clicks and carts. */
const WITHOUT_ORDER = [0, 1, 2].map((n) =>
  together({ searches: 1, clicked: Math.min(1, n), clicks: Math.min(1, n), carts: Math.max(0, n - 1) }, 0, 0),
);

/** A single search. */
function alone(isClicked: boolean, isCart: boolean, purchases: number, revenue: number): Sums {
  const [clicks, carts] = [isClicked ? 1 : 0, isCart ? 1 : 0];
  return purchases === 0 ? WITHOUT_ORDER[clicks + carts]! : together({ searches: 1, clicked: clicks, clicks, carts }, purchases, revenue);
}

/** One order with so many lines of one item each, and nothing sent back. */
function sold(purchases: number, revenue: number): Pick<Totals, "orders" | "purchases" | "items" | "gross" | "revenue"> {
  return { orders: Math.min(1, purchases), purchases, items: purchases, gross: revenue, revenue };
}

function addTotals(a: Totals, b: Totals): Totals {
  return {
    searches: a.searches + b.searches,
    clicked: a.clicked + b.clicked,
    clicks: a.clicks + b.clicks,
    carts: a.carts + b.carts,
    orders: a.orders + b.orders,
    purchases: a.purchases + b.purchases,
    items: a.items + b.items,
    gross: a.gross + b.gross,
    revenue: a.revenue + b.revenue,
  };
}

function addEntry({ alike, buyers, counts }: Arm, { totals, squares }: Sums, isKnown: boolean): Entry {
  counts.add({ totals, isKnown });
  const key = totals.purchases === 0 ? keyOf(totals, isKnown) : undefined;
  const known = key === undefined ? undefined : alike.get(key);
  if (known !== undefined) {
    known.times++;
    return known;
  }
  const counted = METRICS.map((metric): Counted | undefined => {
    if (!isKnown && metric.per === "shopper") return undefined;
    return { y: metric.sumOf(totals), x: spreadOf(metric, totals), isKnown, squares: metric.per === "search" ? metric.sumOf(squares) : 0 };
  });
  const entry = { totals, isKnown, counted, times: 1 };
  if (key === undefined) buyers.add(entry);
  else alike.set(key, entry);
  return entry;
}

function removeEntry({ alike, buyers, counts }: Arm, entry: Entry): void {
  counts.add({ ...entry, times: -1 });
  entry.times--;
  if (entry.times > 0) return;
  if (!buyers.delete(entry)) alike.delete(keyOf(entry.totals, entry.isKnown));
}

function keyOf({ searches, clicks, carts }: Totals, isKnown: boolean): number {
  return ((searches * 1000 + clicks) * 1000 + carts) * 2 + (isKnown ? 1 : 0);
}

/** What a report on that day would go by: an arm's sums, parallel to METRICS. Shopper by shopper, which is how they lie in memory. */
function sumsOf({ alike, buyers }: Arm, isAsked: readonly boolean[], caps: Caps): readonly ArmSums[] {
  const cells = new Float64Array(METRICS.length * CELL_SIZE);
  const extremes = METRICS.map(emptyExtremes);
  const add = ({ counted, times }: Entry): void => {
    for (let m = 0; m < counted.length; m++) {
      const mine = counted[m];
      if (mine === undefined || !isAsked[m]!) continue;
      addToCell(cells, m * CELL_SIZE, caps, m, mine, times);
      noteExtremes(extremes[m]!, caps, m, mine);
    }
  };
  for (const entry of alike.values()) add(entry);
  for (const entry of buyers) add(entry);
  return extremes.map(({ heaviest, widest }, m) =>
    readCell(
      cells,
      m * CELL_SIZE,
      [heaviest, widest].flatMap((extreme) => extreme ?? []),
    ),
  );
}

/** What a report would go by on a day; `arms` and `judged` are parallel to METRICS, `undefined` where nobody does such a thing. */
export interface CheckDay {
  readonly arms: readonly [readonly ArmSums[], readonly ArmSums[]];
  readonly judged: readonly (Judgment | undefined)[];
}

/** One experiment, day by day. */
export function* simulateDays(cell: Cell, seed: string, options: CheckOptions): Generator<CheckDay> {
  const random = createLongRandom(seed);
  const counts = createCapCounts();
  const emptyArm = (): Arm => ({ alike: new Map(), buyers: new Set(), counts });
  const [control, variant] = [emptyArm(), emptyArm()];
  const expected: Visitor[][] = Array.from({ length: CHECK_DAYS + 11 }, () => []);
  const isAsked = METRICS.map(({ id }) => cell.clickRate > 0 || !/^(?:click|cart)/.test(id));
  for (let day = 0; day < CHECK_DAYS; day++) {
    for (let i = 0; i < cell.perDay; i++) {
      const visitor = drawVisitor(random, [control, variant], cell);
      visit(random, visitor, cell.sigma);
      if (random.chance(RETURNING)) expected[day + 1 + Math.floor(random.next() * 10)]?.push(visitor);
    }
    for (const visitor of expected[day] ?? []) visit(random, visitor, cell.sigma);
    const caps = counts.caps(options.cap);
    const arms = [sumsOf(control, isAsked, caps), sumsOf(variant, isAsked, caps)] as const;
    yield { arms, judged: METRICS.map((_, m) => (isAsked[m]! ? judgeArms(m, arms, { ...options, share: cell.share }) : undefined)) };
  }
}

function judgeArms(m: number, [control, variant]: CheckDay["arms"], options: Parameters<typeof judge>[3]): Judgment {
  return judge(METRICS[m]!, control[m]!, variant[m]!, options);
}

/** As many shoppers as most likely come, and an end where fewer have come; so some experiments end early, and some at the last day. */
function planOf({ perDay, share, consent }: Cell): Plan {
  const lastDay = new Date((CHECK_DAYS - 1) * DAY_MS).toISOString().slice(0, 10);
  return { unitsPerArm: Math.max(1, perDay * CHECK_DAYS * consent * 2 * share * (1 - share)), lastDay };
}

const SHOPPERS = METRICS.findIndex(({ id }) => id === "conversion-per-shopper");

/** Verdicts of an experiment with a planned end, by metric, other than open. */
function plannedVerdicts(days: readonly CheckDay[], cell: Cell, options: CheckOptions): ReadonlyMap<string, "lower" | "higher"> {
  const shoppersAt = (day: number) => {
    const [theirs, mine] = days[day]!.arms.map((arm) => arm[SHOPPERS]!.raw.known.clusters);
    return [theirs!, mine!] as const;
  };
  const looks = looksOf(planOf(cell), { firstDayMs: 0, days: days.length, asOfMs: Infinity, alpha: options.alpha }, shoppersAt);
  const called = METRICS.flatMap(({ id }, m) => {
    if (days[0]!.judged[m] === undefined) return [];
    const judging = {
      informationAt: (day: number) => informationOf(days[day]!.arms[0][m]!, days[day]!.arms[1][m]!, days[day]!.judged[m]!.effect),
      judgeAt: (day: number, factor: number) => judgeArms(m, days[day]!.arms, { ...options, share: cell.share, factor }),
    };
    const verdict = mayCall(looks, judging) ? callPlanned(looks, judging)?.verdict : undefined;
    return verdict === undefined || verdict === "open" ? [] : [[id, verdict] as const];
  });
  return new Map(called);
}

/** What a number of experiments found. Adds up over parts of the runs. */
export interface Found {
  readonly runs: number;
  /** Metric → experiments with a verdict on any day, without a planned end (confidence sequence) and with one (boundaries). */
  readonly called: Readonly<Record<string, number>>;
  readonly planned: Readonly<Record<string, number>>;
  /** Experiments with an alarm on any day. */
  readonly alarms: number;
  /** Of revenue per shopper, at the end: by a plain t-test of the difference without caps, by the report's fixed intervals, and by its verdict. */
  readonly plain: number;
  readonly fixed: number;
  readonly atEnd: number;
}

/** The runs `from` … `to` − 1 of a cell: the same ones every time. */
export function runCell(cell: Cell, options: CheckOptions, [from, to]: readonly [number, number]): Found {
  const [called, planned] = [new Map<string, number>(), new Map<string, number>()];
  let [alarms, plain, fixed, atEnd] = [0, 0, 0, 0];
  for (let run = from; run < to; run++) {
    const days = [...simulateDays(cell, `${options.seed}:${cell.name}:${run}`, options)];
    METRICS.forEach(({ id }, m) => {
      if (days.some(({ judged }) => judged[m] !== undefined && judged[m].verdict !== "open")) addTo(called, id);
    });
    for (const id of plannedVerdicts(days, cell, options).keys()) addTo(planned, id);
    if (days.some(({ judged }) => judged.some((each) => each?.alarm !== undefined))) alarms++;
    const last = days.at(-1)?.judged[POWER];
    if (last === undefined) continue;
    if (typeof last.raw !== "string" && last.raw.difference.p.fixed < options.alpha) plain++;
    if (typeof last.capped !== "string" && last.capped.p.fixed < options.alpha) fixed++;
    if (last.verdict !== "open") atEnd++;
  }
  return { runs: to - from, called: Object.fromEntries(called), planned: Object.fromEntries(planned), alarms, plain, fixed, atEnd };
}

/** The metric whose power is compared. */
export const POWER_METRIC = "revenue-per-shopper";
const POWER = METRICS.findIndex(({ id }) => id === POWER_METRIC);

function addTo(counts: Map<string, number>, id: string, by = 1): void {
  counts.set(id, (counts.get(id) ?? 0) + by);
}

export function addFound(a: Found, b: Found): Found {
  const sum = (of: "called" | "planned"): Readonly<Record<string, number>> => {
    const counts = new Map(Object.entries(a[of]));
    for (const [id, by] of Object.entries(b[of])) addTo(counts, id, by);
    return Object.fromEntries(counts);
  };
  return {
    runs: a.runs + b.runs,
    called: sum("called"),
    planned: sum("planned"),
    alarms: a.alarms + b.alarms,
    plain: a.plain + b.plain,
    fixed: a.fixed + b.fixed,
    atEnd: a.atEnd + b.atEnd,
  };
}
