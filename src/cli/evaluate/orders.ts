/** One search, several orders, and what each is worth under the truth of the simulation. */
import { drawnProduct } from "../../demo/catalogue.ts";
import { mean, ndcg } from "../../ranking/metrics.ts";
import { attraction, conversion, kindOf, type Parts, utilitiesInOrder } from "../simulate/attraction.ts";
import { CLICK_MODELS, type ClickModel, clickProbabilities } from "../simulate/clicks.ts";
import type { Truth } from "../simulate/records.ts";

/** Positions that count. */
export const DEPTH = 10;

export interface Worth {
  /** `undefined` when nothing is relevant. */
  readonly ndcg: number | undefined;
  /** Expected clicks at the first DEPTH positions, per click model. */
  readonly clicks: Readonly<Record<ClickModel, number>>;
  readonly purchases: Readonly<Record<ClickModel, number>>;
}

/** Places (0-based, engine order) by score, best first; equal scores keep the engine's order. */
export function orderByScore(scores: ArrayLike<number>): number[] {
  return Array.from({ length: scores.length }, (_, i) => i).toSorted((a, b) => scores[b]! - scores[a]!);
}

/** What an order of the candidates is worth. `order` holds places in engine order, best first. */
export function worthOf(truth: Truth, order: readonly number[], parts: Parts): Worth {
  const top = order.slice(0, DEPTH);
  const kinds = top.map((place) => kindOf(drawnProduct(truth.ids[place]!)));
  const u = utilitiesInOrder(
    top.map((place) => truth.utility[place]!),
    kinds,
    parts,
  );
  const attractions = u.map(attraction);
  const conversions = u.map((value, i) => conversion(value, truth.in_stock[top[i]!]!));
  const expected = Object.fromEntries(CLICK_MODELS.map((model) => [model, clickProbabilities(model, attractions)]));
  const sumOf = (model: ClickModel, weight: (i: number) => number): number =>
    (expected[model] ?? []).reduce((sum, clicked, i) => sum + clicked * weight(i), 0);
  const perModel = (weight: (i: number) => number): Record<ClickModel, number> => ({
    pbm: sumOf("pbm", weight),
    dcm: sumOf("dcm", weight),
    ubm: sumOf("ubm", weight),
  });
  return {
    ndcg: ndcg(
      order.map((place) => truth.grade[place]!),
      DEPTH,
    ),
    clicks: perModel(() => 1),
    purchases: perModel((i) => conversions[i]!),
  };
}

/** A named figure of a worth, for tables and manifests. */
export const FIGURES: readonly { readonly name: string; readonly of: (worth: Worth) => number | undefined }[] = [
  { name: `nDCG@${DEPTH}`, of: (worth) => worth.ndcg },
  ...CLICK_MODELS.map((model) => ({ name: `clicks@${DEPTH} ${model}`, of: (worth: Worth) => worth.clicks[model] })),
  ...CLICK_MODELS.map((model) => ({ name: `purchases@${DEPTH} ${model}`, of: (worth: Worth) => worth.purchases[model] })),
];

/** Mean of a figure over the searches that have it. */
export function meanOf(worths: readonly Worth[], of: (worth: Worth) => number | undefined): number {
  return mean(worths.flatMap((worth) => of(worth) ?? []));
}
