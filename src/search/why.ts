/**
 * Why a hit stands where it stands: the list is scored again without one part of what is known of its hits, and the places that a hit then loses
 * are what that part gave it. For explanations only: it takes a run of the ranking per part.
 */
import { ITEM_FEATURES, type ListItem } from "../ranking/candidate.ts";
import type { ListInput } from "../ranking/features.ts";

/** Of a search with words. "taste": what the shopper looked at before. */
export const PARTS = ["words", "picture", "price", "ratings", "taste"] as const;

/** Of a page without words. "sales": what was bought there, and on all such pages. */
export const BROWSED_PARTS = ["sales", "taste"] as const;

export type Part = (typeof PARTS)[number] | (typeof BROWSED_PARTS)[number];

/** Places that a part lifts a hit by; below 0, by which it lowers it. */
export interface Reason {
  readonly part: Part;
  readonly places: number;
}

/** The most that one hit gets. */
const MOST_REASONS = 2;

const PRICE: ReadonlySet<string> = new Set<(typeof ITEM_FEATURES)[number]>(["price_log"]);
const RATINGS: ReadonlySet<string> = new Set<(typeof ITEM_FEATURES)[number]>(["popularity_log", "rating", "rating_count_log"]);

/** As if the shop had not known that part of any hit. */
export function without(list: ListInput, part: (typeof PARTS)[number]): ListInput {
  const change = (changeOf: (item: ListItem) => Partial<ListItem>): ListInput => ({
    ...list,
    items: list.items.map((item) => item && { ...item, ...changeOf(item) }),
  });
  const unknown = (names: ReadonlySet<string>) =>
    change(({ features }) => ({ features: features.map((value, i) => (names.has(ITEM_FEATURES[i] ?? "") ? undefined : value)) }));
  const changed: Readonly<Record<typeof part, () => ListInput>> = {
    words: () => change(() => ({ text: undefined, words: undefined })),
    picture: () => change(() => ({ image: undefined })),
    price: () => unknown(PRICE),
    ratings: () => unknown(RATINGS),
    taste: () => ({ ...list, history: [] }),
  };
  return changed[part]();
}

/**
 * The parts that moved each hit most, parallel to the list's hits, most places first. `order` is the one that is shown; `orderWithout` a part is
 * `undefined` where it cannot be told. Empty where nothing moved.
 */
export async function reasonsFor<P extends Part>(
  order: readonly number[],
  parts: readonly P[],
  orderWithout: (part: P) => Promise<readonly number[] | undefined>,
): Promise<readonly (readonly Reason[])[]> {
  const reasons: Reason[][] = order.map(() => []);
  const places = placesOf(order);
  for (const part of parts) {
    const left = await orderWithout(part); // oxlint-disable-line no-await-in-loop -- one model, one run at a time
    if (left === undefined) continue;
    for (const [hit, place] of placesOf(left).entries()) {
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
