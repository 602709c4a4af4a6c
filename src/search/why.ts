/**
 * Why a hit stands where it stands: the list is scored again without one part of what the model reads, and the places that a hit then loses are
 * what that part gave it. For explanations only: it takes a run of the model per part.
 */
import { FEATURES, type Feature, type ListTensors } from "../ranking/features.ts";
import { rerank } from "../ranking/rerank.ts";
import type { Scorer } from "../inference/scorer.ts";

/** "taste": what the shopper looked at before. */
export const PARTS = ["words", "picture", "price", "ratings", "taste"] as const;

export type Part = (typeof PARTS)[number];

/** Places that a part lifts a hit by; below 0, by which it lowers it. */
export interface Reason {
  readonly part: Part;
  readonly places: number;
}

/** The most that one hit gets. */
const MOST_REASONS = 2;

const PRICE: readonly Feature[] = ["price_log", "price_percentile", "price_gap", "has_price"];
const RATINGS: readonly Feature[] = [
  "popularity_log",
  "popularity_percentile",
  "has_popularity",
  "rating",
  "rating_gap",
  "rating_count_log",
  "has_rating",
];

/** As if the shop had not known that part of any hit: unknown values are zeros, the training mean. */
export function without(list: ListTensors, part: Part): ListTensors {
  const { presence, features } = list;
  const absent = (at: 0 | 1): Float32Array => presence.map((value, i) => (i % 2 === at ? 0 : value));
  const unknown = (names: readonly Feature[]): Float32Array => {
    const columns = new Set(names.map((name) => FEATURES.indexOf(name)));
    return features.map((value, i) => (columns.has(i % FEATURES.length) ? 0 : value));
  };
  const zeros = (values: Float32Array): Float32Array => new Float32Array(values.length);
  switch (part) {
    case "words":
      return { ...list, text: zeros(list.text), presence: absent(1) };
    case "picture":
      return { ...list, image: zeros(list.image), presence: absent(0) };
    case "price":
      return { ...list, features: unknown(PRICE) };
    case "ratings":
      return { ...list, features: unknown(RATINGS) };
    case "taste":
      return { ...list, historyMask: zeros(list.historyMask) };
  }
}

/**
 * The parts that moved each hit most, parallel to the list's hits, most places first. `order` is the one that is shown. Empty where a run fails or
 * nothing moved.
 */
export async function reasonsFor(
  list: ListTensors,
  scorer: Pick<Scorer, "score">,
  order: readonly number[],
  isPinned: readonly boolean[],
  sections: readonly number[] | undefined,
): Promise<readonly (readonly Reason[])[]> {
  const reasons: Reason[][] = order.map(() => []);
  const places = placesOf(order);
  for (const part of PARTS) {
    const scores = await scorer.score(without(list, part)); // oxlint-disable-line no-await-in-loop -- one model, one run at a time
    const left = scores.ok ? rerank(scores.value.score, isPinned, sections) : scores;
    if (!left.ok) continue;
    for (const [hit, place] of placesOf(left.value).entries()) {
      const lost = place - places[hit]!;
      if (lost !== 0) reasons[hit]!.push({ part, places: lost });
    }
  }
  return reasons.map((of) => of.toSorted((a, b) => Math.abs(b.places) - Math.abs(a.places)).slice(0, MOST_REASONS));
}

/** Of each hit, 0-based. */
function placesOf(order: readonly number[]): readonly number[] {
  const places: number[] = [];
  for (const [place, hit] of order.entries()) places[hit] = place;
  return places;
}
