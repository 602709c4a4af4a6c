/**
 * Lists of pages without words → how much more is bought of each item than of others that are looked at as much, page by page. Empirical Bayes in three
 * steps: clicks per look, carts per click, purchases per cart. Carts come more often than purchases, so they say more of an item that few have bought;
 * where a shop records none, a purchase is a cart, and the last step says nothing. Then what each shopper's taste adds (taste.ts).
 *
 * Of an item i on a page p, with looks corrected for position (gate/click-model.ts): E is the number of clicks that an average item of its pages
 * would have had for as many looks, C the number that it had, both halved every half-life. C ~ Poisson(E · r), r ~ Gamma with the mean of what is known
 * without this page, and weight k: r = (C + k · r without p) / (E + k). What is known without any page is the engine's order: level · rank^-decline,
 * fitted on the same log. So an item without events keeps its place, and few events move it little. The weights k have the largest marginal
 * likelihood (negative binomial; Casella 1985, "An Introduction to Empirical Bayes Data Analysis"). Carts per click and purchases per cart in the same way, around 1.
 */
import { type BrowseHead, formatBrowseTable, type PageFilters, parseBrowseTable, type Rates, type Taught } from "../../browse/table.ts";
import { DAY_MS } from "../../web.ts";
import { type Curve, lookAt, measureLooks } from "../gate/click-model.ts";
import type { BrowsedList } from "./lists.ts";
import { fitPrior, fitWeight, type Observed } from "./fit.ts";
import { type ItemVectors, learnTaste } from "./taste.ts";

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
  /** Carts that an average item would have had for these clicks. */
  expectedCarts: number;
  carts: number;
  /** Purchases that an average item would have had for these carts. */
  expectedPurchases: number;
  purchases: number;
  /** Σ expected · rank^-decline, to know what the engine's order made expect. */
  prior: number;
}

const NOTHING: Counts = { expected: 0, clicks: 0, expectedCarts: 0, carts: 0, expectedPurchases: 0, purchases: 0, prior: 0 };

/** Lists are read again and again: pages, looks, counts, taste. Without `vectors` nothing is learned of taste. */
export function learnBrowse(lists: () => readonly BrowsedList[], options: LearnOptions = LEARN_DEFAULTS, vectors?: ItemVectors) {
  const survey = surveyPages(lists(), options);
  const curve = measureLooks(lists());
  const pages = createPages(survey.pages);
  const weightOf = ({ atMs }: BrowsedList): number => 0.5 ** ((survey.lastMs - atMs) / (options.halfLifeDays * DAY_MS));
  const means = pageMeans(lists(), pages, curve, weightOf);
  const byRank = clicksByRank(lists(), pages, curve, weightOf, means);
  const prior = fitPrior(byRank);
  const counts = countItems(lists(), pages, curve, weightOf, means, prior.decline);
  const rates = createRates(counts, pages.parents, prior.level);
  const taste =
    vectors &&
    learnTaste(lists(), vectors, (list) => {
      const own = pages.pageFor(list.filters);
      const taught = list.itemIds.map((item) => rates.of(own, item));
      const perClick = means[own]!.cart * means[own]!.purchase;
      return {
        clicks: taught.map(({ kept, sold }, i) => {
          const rate = kept * prior.level * list.ranks[i]! ** -prior.decline + sold;
          return lookAt(curve.looks, list.positions[i]!) * means[own]!.click * rate;
        }),
        purchases: taught.map((item, i) => (list.clicks[i]! > 0 ? perClick * item.perClick : 0)),
      };
    });
  const head: BrowseHead = {
    format: 1,
    trust: 1,
    prior: { level: rounded(prior.level), decline: rounded(prior.decline) },
    ...(taste?.taste && { taste: taste.taste }),
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
    taste,
    /** P(click | looked at) of an average item, by page. */
    clickRates: means.map(({ click }) => click),
    perClick: means[0]!.cart * means[0]!.purchase,
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

/** Clicks per look, carts per click and purchases per cart of each page, those of small pages near the ones above. */
function pageMeans(lists: Iterable<BrowsedList>, { pageFor, parents }: Pages, { looks }: Curve, weightOf: WeightOf) {
  const sums = parents.map(() => ({ looks: 0, clicks: 0, carts: 0, purchases: 0 }));
  for (const list of lists) {
    const weight = weightOf(list);
    for (const page of pathOf(pageFor(list.filters), parents)) {
      const sum = sums[page]!;
      for (const [i, position] of list.positions.entries()) {
        sum.looks += weight * lookAt(looks, position);
        sum.clicks += weight * list.clicks[i]!;
        if (list.clicks[i] === 0) continue;
        sum.carts += weight * list.carts[i]!;
        sum.purchases += weight * list.purchases[i]!;
      }
    }
  }
  const means: { click: number; cart: number; purchase: number }[] = [];
  const order = [...parents.keys()].toSorted((a, b) => [...pathOf(a, parents)].length - [...pathOf(b, parents)].length);
  for (const page of order) {
    const { looks: looked, clicks, carts, purchases } = sums[page]!;
    const above = means[parents[page]!];
    means[page] =
      above === undefined
        ? {
            click: Math.max(LEAST_RATE, clicks / looked),
            cart: Math.max(LEAST_RATE, carts / clicks || 0),
            purchase: Math.max(LEAST_RATE, purchases / carts || 0),
          }
        : {
            click: (clicks + PAGE_CLICKS) / (looked + PAGE_CLICKS / above.click),
            cart: (carts + PAGE_PURCHASES) / (clicks + PAGE_PURCHASES / above.cart),
            purchase: (purchases + PAGE_PURCHASES) / (carts + PAGE_PURCHASES / above.purchase),
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
    const { click, cart, purchase } = means[own]!;
    const path = [...pathOf(own, parents)];
    for (const [i, position] of list.positions.entries()) {
      if (position === 0) continue;
      const expected = weight * lookAt(looks, position) * click;
      const clicks = weight * list.clicks[i]!;
      const [carts, purchases] = clicks > 0 ? [weight * list.carts[i]!, weight * list.purchases[i]!] : [0, 0];
      const item = list.itemIds[i]!;
      for (const page of path) {
        const known = counts[page]!.get(item) ?? { ...NOTHING };
        counts[page]!.set(item, known);
        known.expected += expected;
        known.clicks += clicks;
        known.expectedCarts += clicks * cart;
        known.carts += carts;
        known.expectedPurchases += carts * purchase;
        known.purchases += purchases;
        known.prior += expected * list.ranks[i]! ** -decline;
      }
    }
  }
  return counts;
}

/** What follows a click. */
const STEPS = [
  {
    all: "allCarts",
    page: "pageCarts",
    expected: ({ expectedCarts }: Counts) => expectedCarts,
    happened: ({ carts }: Counts) => carts,
  },
  {
    all: "allPurchases",
    page: "pagePurchases",
    expected: ({ expectedPurchases }: Counts) => expectedPurchases,
    happened: ({ purchases }: Counts) => purchases,
  },
] as const;
type Step = (typeof STEPS)[number];

/** Sums of the same numbers in another order differ in their last digits. */
const left = (a: number, b: number): number => Math.max(0, a - b);

function createRates(counts: readonly ReadonlyMap<string, Counts>[], parents: readonly number[], level: number) {
  const of = (page: number, item: string): Counts => counts[page]?.get(item) ?? NOTHING;
  const weights = { all: 0, page: 0, allCarts: 0, pageCarts: 0, allPurchases: 0, pagePurchases: 0 };

  /** [kept, sold] by clicks. `without`: counts of a page below that are left out. */
  const byClicks = (page: number, item: string, without: Counts): Taught => {
    const own = of(page, item);
    const [expected, clicks] = [left(own.expected, without.expected), left(own.clicks, without.clicks)];
    if (page === 0) return [weights.all / (expected + weights.all), clicks / (expected + weights.all)];
    const [kept, sold] = byClicks(parents[page]!, item, own);
    const k = weights.page;
    return [(k * kept) / (expected + k), (clicks + k * sold) / (expected + k)];
  };
  /** Carts per click or purchases per cart, relative to the mean. */
  const byStep = (step: Step, page: number, item: string, without: Counts): number => {
    const own = of(page, item);
    const [expected, happened] = [left(step.expected(own), step.expected(without)), left(step.happened(own), step.happened(without))];
    const k = weights[page === 0 ? step.all : step.page];
    const above = page === 0 ? 1 : byStep(step, parents[page]!, item, own);
    return (happened + k * above) / (expected + k);
  };
  const priorOf = ({ prior, expected }: Counts): number => (level * prior) / expected;
  const pairs = counts.flatMap((items, page) => [...items].map(([item, own]) => ({ page, item, own })));
  const [first, others] = [pairs.filter(({ page }) => page === 0), pairs.filter(({ page }) => page > 0)];
  const clicked = (pair: (typeof pairs)[number], mean: number): Observed => ({
    expected: pair.own.expected,
    observed: pair.own.clicks,
    mean,
  });
  weights.all = fitWeight(first.map((pair) => clicked(pair, priorOf(pair.own))));
  weights.page = fitWeight(
    others.map((pair) => {
      const [kept, sold] = byClicks(parents[pair.page]!, pair.item, pair.own);
      return clicked(pair, kept * priorOf(pair.own) + sold);
    }),
  );
  for (const step of STEPS) {
    const observed = ({ page, item, own }: (typeof pairs)[number]): Observed => ({
      expected: step.expected(own),
      observed: step.happened(own),
      mean: page === 0 ? 1 : byStep(step, parents[page]!, item, own),
    });
    weights[step.all] = fitWeight(first.map(observed));
    weights[step.page] = fitWeight(others.map(observed));
  }
  const ofItem = (page: number, item: string) => {
    const [kept, sold] = byClicks(page, item, NOTHING);
    return { kept, sold, perClick: STEPS.reduce((product, step) => product * byStep(step, page, item, NOTHING), 1) };
  };
  const taughtOf = (page: number, item: string): Taught => {
    const { kept, sold, perClick } = ofItem(page, item);
    return [kept * perClick, sold * perClick];
  };
  return {
    weights: { ...weights },
    of: ofItem,
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
