/** The worth of an order of one search's candidates under the simulation's truth. */
import { mean, ndcg } from "./metrics.ts";
import { attraction, conversion, type Kind, type Parts, utilitiesInOrder } from "../simulate/attraction.ts";
import { CLICK_MODELS, type ClickModel, clickProbabilities } from "../simulate/clicks.ts";
import type { Truth } from "../simulate/records.ts";

/** Positions that count. */
export const DEPTH = 10;
const SHORT_DEPTH = 5;
/** An item of at least this true grade (0..4: P(click | examined) of 0.6 and more) is what the shopper was looking for. */
const RELEVANT_GRADE = 3;

type PerModel = Readonly<Record<ClickModel, number>>;

export interface Worth {
  /** At DEPTH; `undefined` when nothing is relevant. */
  readonly ndcg: number | undefined;
  /** At SHORT_DEPTH. */
  readonly ndcg5: number | undefined;
  /** 1 / position of the first item of RELEVANT_GRADE in the whole order; `undefined` when there is none. */
  readonly mrr: number | undefined;
  /** Expected clicks at the first DEPTH positions, per click model. */
  readonly clicks: PerModel;
  readonly purchases: PerModel;
  /** Sum of price x P(purchase), in whole currency units. */
  readonly revenue: PerModel;
}

/** Indices of the candidates by score, best first; equal scores keep the engine's order. */
export function orderByScore(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!);
}

function firstRelevant(grades: readonly number[]): number | undefined {
  const index = grades.findIndex((grade) => grade >= RELEVANT_GRADE);
  return index < 0 ? undefined : 1 / (index + 1);
}

/** The codes of one candidate's likeness parts. */
function kindAt(truth: Truth, index: number): Kind {
  const width = truth.look.length / truth.ids.length;
  return truth.look.slice(index * width, (index + 1) * width);
}

/** `order` holds indices of the candidates (engine order), best first. */
export function worthOf(truth: Truth, order: readonly number[], parts: Parts): Worth {
  const top = order.slice(0, DEPTH);
  const u = utilitiesInOrder(
    top.map((index) => truth.utility[index]!),
    top.map((index) => kindAt(truth, index)),
    parts,
  );
  const attractions = u.map(attraction);
  const conversions = u.map((value, i) => conversion(value, truth.in_stock[top[i]!]!));
  const expected = CLICK_MODELS.map((model) => clickProbabilities(model, attractions));
  const perModel = (weight: (i: number) => number): PerModel => {
    const [pbm = 0, dcm = 0, ubm = 0] = expected.map((clicked) => clicked.reduce((sum, p, i) => sum + p * weight(i), 0));
    return { pbm, dcm, ubm };
  };
  const grades = order.map((index) => truth.grade[index]!);
  return {
    ndcg: ndcg(grades, DEPTH),
    ndcg5: ndcg(grades, SHORT_DEPTH),
    mrr: firstRelevant(grades),
    clicks: perModel(() => 1),
    purchases: perModel((i) => conversions[i]!),
    revenue: perModel((i) => conversions[i]! * truth.price[top[i]!]!),
  };
}

/** A named figure of a worth, for tables and manifests. */
export const FIGURES: readonly { readonly name: string; readonly of: (worth: Worth) => number | undefined }[] = [
  { name: `nDCG@${DEPTH}`, of: (worth) => worth.ndcg },
  { name: `nDCG@${SHORT_DEPTH}`, of: (worth) => worth.ndcg5 },
  { name: "MRR", of: (worth) => worth.mrr },
  ...(["clicks", "purchases", "revenue"] as const).flatMap((what) =>
    CLICK_MODELS.map((model) => ({ name: `${what}@${DEPTH} ${model}`, of: (worth: Worth) => worth[what][model] })),
  ),
];

/** Mean of a figure over the searches that have it. */
export function meanOf(worths: readonly Worth[], of: (worth: Worth) => number | undefined): number {
  return mean(worths.flatMap((worth) => of(worth) ?? []));
}
