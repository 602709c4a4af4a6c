/**
 * Lists of pages without words → how much more is bought of each item than of others that are looked at as much, page by page. Empirical Bayes in two
 * steps: clicks per look, then purchases per click.
 *
 * Of an item i on a page p, with looks corrected for position (gate/click-model.ts): E is the number of clicks that an average item of its pages
 * would have had for as many looks, C the number that it had, both halved every half-life. C ~ Poisson(E · r), r ~ Gamma with the mean of what is known
 * without this page, and weight k: r = (C + k · r without p) / (E + k). What is known without any page is the engine's order: level · rank^-decline,
 * fitted on the same log. So an item without events keeps its place, and few events move it little. The weights k have the largest marginal
 * likelihood (negative binomial; Casella 1985, "An Introduction to Empirical Bayes Data Analysis"). Purchases per click in the same way, around 1.
 */
import { type BrowseHead, formatBrowseTable, type PageFilters, parseBrowseTable, type Rates, type Taught } from "../../browse/table.ts";
import { logBeta } from "../../report/statistics/distributions.ts";
import { solve } from "../../report/statistics/solve.ts";
import { DAY_MS } from "../../web.ts";
import { type Curve, lookAt, measureLooks, type ShownList } from "../gate/click-model.ts";

/** One list of a page without words. Arrays are by item, in the engine's order. */
export interface BrowsedList extends ShownList {
  readonly queryId: string;
  /** Empty: unknown. */
  readonly unit: string;
  readonly atMs: number;
  readonly filters: PageFilters;
  readonly itemIds: readonly string[];
  /** 1-based, of the engine. */
  readonly ranks: readonly number[];
  readonly purchases: readonly number[];
}

export interface LearnOptions {
  /** An event counts half after so many days. */
  readonly halfLifeDays: number;
  /** A page with fewer lists is a part of the page that it refines. */
  readonly fewestLists: number;
  readonly mostPages: number;
}

export const LEARN_DEFAULTS: LearnOptions = { halfLifeDays: 30, fewestLists: 50, mostPages: 1000 };

interface Counts {
  /** Clicks that an average item would have had. */
  expected: number;
  clicks: number;
  /** Purchases that an average item would have had for these clicks. */
  expectedPurchases: number;
  purchases: number;
  /** Σ expected · rank^-decline, to know what the engine's order made expect. */
  prior: number;
}

const NOTHING: Counts = { expected: 0, clicks: 0, expectedPurchases: 0, purchases: 0, prior: 0 };

/** Lists are read three times: pages, looks, counts. */
export function learnBrowse(lists: () => Iterable<BrowsedList>, options: LearnOptions = LEARN_DEFAULTS) {
  const survey = surveyPages(lists(), options);
  const curve = measureLooks(lists());
  const pages = createPages(survey.pages);
  const weightOf = ({ atMs }: BrowsedList): number => 0.5 ** ((survey.lastMs - atMs) / (options.halfLifeDays * DAY_MS));
  const means = pageMeans(lists(), pages, curve, weightOf);
  const byRank = clicksByRank(lists(), pages, curve, weightOf, means);
  const prior = fitPrior(byRank);
  const counts = countItems(lists(), pages, curve, weightOf, means, prior.decline);
  const rates = createRates(counts, pages.parents, prior.level);
  const head: BrowseHead = {
    format: 1,
    trust: 1,
    prior: { level: rounded(prior.level), decline: rounded(prior.decline) },
    pages: survey.pages,
    lists: survey.lists,
    weights: rates.weights,
  };
  const taught = pages.parents.map((_, page) => rates.taughtBy(page));
  return {
    text: formatBrowseTable(head, taught),
    curve,
    lists: survey.lists,
    pages: survey.pages.length,
    entries: taught.reduce((sum, { size }) => sum + size, 0),
    prior: head.prior,
    weights: rates.weights,
    /** P(click | looked at) of an average item, by page. */
    clickRates: means.map(({ click }) => click),
    perClick: means[0]!.purchase,
  };
}

export type Learned = ReturnType<typeof learnBrowse>;

const rounded = (value: number): number => Number(value.toPrecision(3));

function surveyPages(lists: Iterable<BrowsedList>, { fewestLists, mostPages }: LearnOptions) {
  const known = new Map<string, { readonly filters: Readonly<Record<string, string[]>>; lists: number }>();
  let [count, lastMs] = [0, -Infinity];
  for (const { filters, atMs } of lists) {
    count++;
    lastMs = Math.max(lastMs, atMs);
    if (filters.size === 0) continue;
    const written = Object.fromEntries(
      [...filters].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([field, values]) => [field, [...values].toSorted()]),
    );
    const key = JSON.stringify(written);
    const page = known.get(key) ?? { filters: written, lists: 0 };
    known.set(key, page);
    page.lists++;
  }
  const kept = [...known.values()].filter((page) => page.lists >= fewestLists).toSorted((a, b) => b.lists - a.lists);
  return { lists: count, lastMs, pages: [{}, ...kept.slice(0, mostPages - 1).map(({ filters }) => filters)] };
}

/** The pages as a tree: above each the one with most of its filters. */
function createPages(filters: readonly Readonly<Record<string, string[]>>[]) {
  const head: BrowseHead = { format: 1, trust: 1, prior: { level: 1, decline: 1 }, pages: [...filters] };
  const parsed = parseBrowseTable(
    formatBrowseTable(
      head,
      filters.map(() => new Map()),
    ),
  );
  if (!parsed.ok) throw new Error(parsed.error);
  const { pageFor } = parsed.value;
  const parents = filters.map((page, number) => {
    if (number === 0) return -1;
    const above = Object.keys(page).map((field) => pageFor(filtersWithout(page, field)));
    return above.toSorted((a, b) => Object.keys(filters[b]!).length - Object.keys(filters[a]!).length || a - b)[0]!;
  });
  return { pageFor, parents };
}

function filtersWithout(page: Readonly<Record<string, readonly string[]>>, left: string): PageFilters {
  return new Map(Object.entries(page).flatMap(([field, values]) => (field === left ? [] : [[field, new Set(values)] as const])));
}

type Pages = ReturnType<typeof createPages>;
type WeightOf = (list: BrowsedList) => number;

function* pathOf(page: number, parents: readonly number[]): Generator<number> {
  for (let at = page; at >= 0; at = parents[at]!) yield at;
}

/** Clicks per look and purchases per click of each page, those of small pages near the ones above. */
function pageMeans(lists: Iterable<BrowsedList>, { pageFor, parents }: Pages, { looks }: Curve, weightOf: WeightOf) {
  const sums = parents.map(() => ({ looks: 0, clicks: 0, purchases: 0 }));
  for (const list of lists) {
    const weight = weightOf(list);
    for (const page of pathOf(pageFor(list.filters), parents)) {
      const sum = sums[page]!;
      for (const [i, position] of list.positions.entries()) {
        sum.looks += weight * lookAt(looks, position);
        sum.clicks += weight * list.clicks[i]!;
        sum.purchases += weight * (list.clicks[i]! > 0 ? list.purchases[i]! : 0);
      }
    }
  }
  const means: { click: number; purchase: number }[] = [];
  const order = [...parents.keys()].toSorted((a, b) => [...pathOf(a, parents)].length - [...pathOf(b, parents)].length);
  for (const page of order) {
    const { looks: looked, clicks, purchases } = sums[page]!;
    const above = means[parents[page]!];
    means[page] =
      above === undefined
        ? { click: Math.max(LEAST_RATE, clicks / looked), purchase: Math.max(LEAST_RATE, purchases / clicks || 0) }
        : {
            click: (clicks + PAGE_CLICKS) / (looked + PAGE_CLICKS / above.click),
            purchase: (purchases + PAGE_PURCHASES) / (clicks + PAGE_PURCHASES / above.purchase),
          };
  }
  return means;
}

/** Without events nothing is expected, so nothing is learned. */
const LEAST_RATE = 1e-9;

/** As many as these weigh as much as the page above. */
const PAGE_CLICKS = 20;
const PAGE_PURCHASES = 10;

type Means = ReturnType<typeof pageMeans>;

function clicksByRank(lists: Iterable<BrowsedList>, { pageFor }: Pages, { looks }: Curve, weightOf: WeightOf, means: Means) {
  const byRank = new Map<number, { expected: number; clicks: number }>();
  for (const list of lists) {
    const weight = weightOf(list);
    const { click } = means[pageFor(list.filters)]!;
    for (const [i, position] of list.positions.entries()) {
      if (position === 0) continue;
      const rank = list.ranks[i]!;
      const at = byRank.get(rank) ?? { expected: 0, clicks: 0 };
      byRank.set(rank, at);
      at.expected += weight * lookAt(looks, position) * click;
      at.clicks += weight * list.clicks[i]!;
    }
  }
  return byRank;
}

/** Of a log of hardly any clicks. */
const LEVELS = [0.05, 20] as const;

/** A steeper or flatter order than these cannot be told from a log of few lists. */
const LEAST_DECLINE = 0.02;
const MOST_DECLINE = 2;

/** Poisson regression of clicks on ln rank, with the expected ones as offset: Newton's method. */
export function fitPrior(byRank: ReadonlyMap<number, { readonly expected: number; readonly clicks: number }>) {
  let [level, slope] = [0, -0.1];
  for (let round = 0; round < 50; round++) {
    const score = [0, 0];
    // A weak belief in a decline of a tenth, as much as ten clicks: without it, one rank would have no slope.
    const information = [
      [1e-6, 0],
      [0, 10],
    ];
    score[1]! -= 10 * (slope + 0.1);
    for (const [rank, { expected, clicks }] of byRank) {
      const x = Math.log(rank);
      const mean = expected * Math.exp(level + slope * x);
      score[0]! += clicks - mean;
      score[1]! += (clicks - mean) * x;
      information[0]![0]! += mean;
      information[0]![1]! += mean * x;
      information[1]![0]! += mean * x;
      information[1]![1]! += mean * x * x;
    }
    const change = solve(information, score);
    if (change === undefined || !change.every(Number.isFinite)) break;
    level += Math.max(-1, Math.min(1, change[0]!));
    slope += Math.max(-1, Math.min(1, change[1]!));
    if (Math.max(...change.map(Math.abs)) < 1e-9) break;
  }
  return {
    level: Math.min(LEVELS[1], Math.max(LEVELS[0], Math.exp(level))),
    decline: Math.min(MOST_DECLINE, Math.max(LEAST_DECLINE, -slope)),
  };
}

function countItems(
  lists: Iterable<BrowsedList>,
  { pageFor, parents }: Pages,
  { looks }: Curve,
  weightOf: WeightOf,
  means: Means,
  decline: number,
): readonly ReadonlyMap<string, Counts>[] {
  const counts = parents.map(() => new Map<string, Counts>());
  for (const list of lists) {
    const weight = weightOf(list);
    const own = pageFor(list.filters);
    const { click, purchase } = means[own]!;
    const path = [...pathOf(own, parents)];
    for (const [i, position] of list.positions.entries()) {
      if (position === 0) continue;
      const expected = weight * lookAt(looks, position) * click;
      const clicks = weight * list.clicks[i]!;
      const item = list.itemIds[i]!;
      for (const page of path) {
        const known = counts[page]!.get(item) ?? { ...NOTHING };
        counts[page]!.set(item, known);
        known.expected += expected;
        known.clicks += clicks;
        known.expectedPurchases += clicks * purchase;
        known.purchases += list.clicks[i]! > 0 ? weight * list.purchases[i]! : 0;
        known.prior += expected * list.ranks[i]! ** -decline;
      }
    }
  }
  return counts;
}

interface Observed {
  readonly expected: number;
  readonly observed: number;
  /** Of the gamma distribution. */
  readonly mean: number;
}

/** As many expected events as what was known weighs: from one, so that a single event never outweighs it, to 10 000. */
const WEIGHTS = Array.from({ length: 49 }, (_, i) => 10 ** (i / 12));

/** The weight with the largest marginal likelihood: `observed` ~ negative binomial with shape k · mean. */
export function fitWeight(all: readonly Observed[]): number {
  let [best, most] = [WEIGHTS.at(-1)!, -Infinity];
  for (const k of WEIGHTS) {
    let sum = 0;
    for (const { expected, observed, mean } of all) {
      const shape = k * mean;
      // ln Γ(observed + shape) - ln Γ(shape), but for what does not depend on k.
      sum += (observed > 0 ? -logBeta(shape, observed) : 0) + shape * Math.log(k / (k + expected)) - observed * Math.log(k + expected);
    }
    if (sum > most) [best, most] = [k, sum];
  }
  return best;
}

/** Sums of the same numbers in another order differ in their last digits. */
const left = (a: number, b: number): number => Math.max(0, a - b);

function createRates(counts: readonly ReadonlyMap<string, Counts>[], parents: readonly number[], level: number) {
  const of = (page: number, item: string): Counts => counts[page]?.get(item) ?? NOTHING;
  const weights = { all: 0, page: 0, allPurchases: 0, pagePurchases: 0 };

  /** [kept, sold] by clicks. `without`: counts of a page below that are left out. */
  const byClicks = (page: number, item: string, without: Counts): Taught => {
    const own = of(page, item);
    const [expected, clicks] = [left(own.expected, without.expected), left(own.clicks, without.clicks)];
    if (page === 0) return [weights.all / (expected + weights.all), clicks / (expected + weights.all)];
    const [kept, sold] = byClicks(parents[page]!, item, own);
    const k = weights.page;
    return [(k * kept) / (expected + k), (clicks + k * sold) / (expected + k)];
  };
  /** Purchases per click, relative to the mean. */
  const byPurchases = (page: number, item: string, without: Counts): number => {
    const own = of(page, item);
    const expected = left(own.expectedPurchases, without.expectedPurchases);
    const purchases = left(own.purchases, without.purchases);
    const k = page === 0 ? weights.allPurchases : weights.pagePurchases;
    const above = page === 0 ? 1 : byPurchases(parents[page]!, item, own);
    return (purchases + k * above) / (expected + k);
  };
  const priorOf = ({ prior, expected }: Counts): number => (level * prior) / expected;
  const pairs = counts.flatMap((items, page) => [...items].map(([item, own]) => ({ page, item, own })));
  const [first, others] = [pairs.filter(({ page }) => page === 0), pairs.filter(({ page }) => page > 0)];
  const clicked = (pair: (typeof pairs)[number], mean: number): Observed => ({
    expected: pair.own.expected,
    observed: pair.own.clicks,
    mean,
  });
  const bought = ({ own }: (typeof pairs)[number], mean: number): Observed => ({
    expected: own.expectedPurchases,
    observed: own.purchases,
    mean,
  });
  weights.all = fitWeight(first.map((pair) => clicked(pair, priorOf(pair.own))));
  weights.allPurchases = fitWeight(first.map((pair) => bought(pair, 1)));
  weights.page = fitWeight(
    others.map((pair) => {
      const [kept, sold] = byClicks(parents[pair.page]!, pair.item, pair.own);
      return clicked(pair, kept * priorOf(pair.own) + sold);
    }),
  );
  weights.pagePurchases = fitWeight(others.map((pair) => bought(pair, byPurchases(parents[pair.page]!, pair.item, pair.own))));
  const taughtOf = (page: number, item: string): Taught => {
    const [kept, sold] = byClicks(page, item, NOTHING);
    const perClick = byPurchases(page, item, NOTHING);
    return [kept * perClick, sold * perClick];
  };
  return {
    weights: { ...weights },
    /** Items of which it says something else than the page above. */
    taughtBy(page: number): Rates {
      const rates = new Map<string, Taught>();
      for (const item of counts[page]!.keys()) {
        const [kept, sold] = taughtOf(page, item);
        const [otherKept, otherSold] = page === 0 ? [1, 0] : taughtOf(parents[page]!, item);
        if (Math.abs(kept - otherKept) + Math.abs(sold - otherSold) < LEAST_NEWS) continue;
        rates.set(item, [rounded(kept), rounded(sold)]);
      }
      return rates;
    },
  };
}

/** Of a mean rate of 1: what says less is left out of the table. */
const LEAST_NEWS = 0.02;
