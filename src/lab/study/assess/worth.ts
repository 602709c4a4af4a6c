/** The worth of an order of one search's candidates under the simulation's truth, and the interval of a difference. */
import { bootstrapMeans, mean, type MeanInterval, ndcg } from "../../../cli/evaluate/metrics.ts";
import { attraction, conversion, type Parts, utilitiesInOrder } from "../simulate/attraction.ts";
import { CLICK_MODELS, clickProbabilities } from "../simulate/clicks.ts";
import type { Truth } from "../simulate/truth.ts";

const RESAMPLES = 2000;

/** 95 % interval of one mean. */
export function bootstrapMean(values: readonly number[], random: () => number): MeanInterval {
  return bootstrapMeans([values], random, RESAMPLES)[0]!;
}

/** Positions that count. */
export const DEPTH = 10;
const SHORT_DEPTH = 5;
/** An item of at least this true grade (0..4: P(click | examined) of 0.6 and more) is what the shopper was looking for. */
const RELEVANT_GRADE = 3;

/** Expected sums over the first DEPTH positions, per click model; revenue is price x P(purchase), in whole currency units. */
const EXPECTED = ["clicks", "purchases", "revenue"] as const;

/** Names of a worth's figures, for tables and manifests. MRR is 1 / position of the first item of RELEVANT_GRADE in the whole order. */
export const FIGURES: readonly string[] = [
  `nDCG@${DEPTH}`,
  `nDCG@${SHORT_DEPTH}`,
  "MRR",
  ...EXPECTED.flatMap((what) => CLICK_MODELS.map((model) => `${what}@${DEPTH} ${model}`)),
];

/** By figure, in the order of FIGURES; `undefined` where nothing is relevant. */
export type Worth = ReadonlyMap<string, number | undefined>;

/** `order` holds indices of the candidates (engine order), best first. */
export function worthOf(truth: Truth, order: readonly number[], parts: Parts): Worth {
  const top = order.slice(0, DEPTH);
  const width = truth.look.length / truth.ids.length;
  const kinds = top.map((index) => truth.look.slice(index * width, (index + 1) * width));
  const apart = top.map((index) => truth.utility[index]!);
  const u = utilitiesInOrder(apart, kinds, parts);
  const attractions = u.map(attraction);
  const conversions = u.map((value, i) => conversion(value, truth.in_stock[top[i]!]!));
  const weights: Readonly<Record<(typeof EXPECTED)[number], (i: number) => number>> = {
    clicks: () => 1,
    purchases: (i) => conversions[i]!,
    revenue: (i) => conversions[i]! * truth.price[top[i]!]!,
  };
  const clicked = CLICK_MODELS.map((model) => clickProbabilities(model, attractions));
  const expected = EXPECTED.flatMap((what) => clicked.map((chances) => chances.reduce((sum, p, i) => sum + p * weights[what](i), 0)));
  const grades = order.map((index) => truth.grade[index]!);
  const first = grades.findIndex((grade) => grade >= RELEVANT_GRADE);
  const figures = [ndcg(grades, DEPTH), ndcg(grades, SHORT_DEPTH), first < 0 ? undefined : 1 / (first + 1), ...expected];
  return new Map(FIGURES.map((name, i) => [name, figures[i]]));
}

/** Mean of a figure over the searches that have it. */
export const meanOf = (worths: readonly Worth[], figure: string): number => mean(worths.flatMap((worth) => worth.get(figure) ?? []));
