/**
 * Attraction of an item for a simulated shopper, a sum of parts that can be switched off one by one:
 *
 *   u = text + picture + personal + price in the list + quality          (the true grade follows from u)
 *   at a position: u - sameness with the items just above                 (clicks follow from this)
 *
 * Without a picture part no image can help, without a shopper's modality weight no fusion gate can, and without a part that depends on the
 * list no list model can.
 */
import { type ShopProduct, titleWordsOf, type Wish } from "./shop.ts";
import { pictureLiking, type Shopper } from "./shopper.ts";

export const PART_NAMES = ["text", "picture", "personal", "context"] as const;
/** Which parts are on. */
export type Parts = Readonly<Record<(typeof PART_NAMES)[number], boolean>>;

export const ALL_PARTS: Parts = { text: true, picture: true, personal: true, context: true };

const MATCH = 2.6; // all asked-for words against none
const WRONG_CATEGORY = -3;
const PERSONAL = 1.8;
const PRICE = 1.2;
const OUT_OF_STOCK = -0.5;
const SAMENESS = 1;
/** Number of items above that the shopper still sees. */
const NEIGHBOURHOOD = 4;

/** Mid-rank share of each value, 0..1. */
function percentiles(values: readonly number[]): number[] {
  const rankOf = (value: number): number => values.reduce((sum, other) => sum + (other < value ? 1 : other === value ? 0.5 : 0), 0);
  return values.map((value) => rankOf(value) / values.length);
}

/** Counts the words of a wish that a product has: `named` in its title, or `seen` in its picture only. */
export function satisfied(wish: Wish, product: ShopProduct): { named: number; seen: number; asked: number } {
  const title = titleWordsOf(product);
  const matching = wish.asked.filter(({ part, word }) => product.look[part] === word);
  const named = matching.filter(({ typed }) => typed.every((spelling) => title.has(spelling))).length;
  return { named, seen: matching.length - named, asked: wish.asked.length };
}

/** Whether a product is of another kind than the wanted one, and whether its text or only its picture shows that. */
function mismatch({ kind, category }: Wish, product: ShopProduct): "none" | "named" | "seen" {
  if (kind !== undefined && product.look.kind === kind) return "none";
  if (product.category !== category) return "named";
  if (kind === undefined) return "none";
  return product.namesKind === false ? "seen" : "named";
}

/** u of every candidate; depends on the list through prices only. */
export function utilities(shopper: Shopper, wish: Wish, candidates: readonly ShopProduct[], parts: Parts): number[] {
  const cheapness = percentiles(candidates.map((product) => product.price));
  return candidates.map((product, i) => {
    let u = 0.4 * ((product.rating - 4) / 0.45) + 0.15 * (Math.log1p(product.popularity) - 3) + (product.inStock ? 0 : OUT_OF_STOCK);
    const { named, seen, asked } = satisfied(wish, product);
    const wrong = mismatch(wish, product);
    if ((wrong === "named" && parts.text) || (wrong === "seen" && parts.picture)) u += WRONG_CATEGORY;
    if (asked > 0) {
      const match = (parts.text ? named : 0) + (parts.picture ? seen : 0);
      u += MATCH * (match / asked - 0.5);
    }
    if (parts.personal) {
      const picture = parts.picture ? shopper.modality * pictureLiking(shopper, product) : 0;
      const text = parts.text ? (1 - shopper.modality) * shopper.brandLiking(product) : 0;
      u += PERSONAL * (picture + text);
    }
    if (parts.context) u -= PRICE * shopper.thrift * ((cheapness[i] ?? 0.5) - 0.5);
    return u;
  });
}

/** The parts of a look by which two products seem alike, in the shop's order: words, or codes that stand for them. */
export type Kind = readonly (string | number | undefined)[];

const alike = (a: Kind, b: Kind): number => a.reduce<number>((sum, word, i) => sum + (word === b[i] ? 1 / a.length : 0), 0);

/**
 * u at each position of a shown order: what looks like the items just above is passed over. Likeness is visual, so it counts only
 * where both the context part and the picture part are on; otherwise a picture would matter in the control without pictures.
 */
export function utilitiesInOrder(u: readonly number[], kinds: readonly Kind[], parts: Parts): number[] {
  if (!parts.context || !parts.picture) return [...u];
  return u.map((value, i) => value - passedOver(kinds[i]!, kinds.slice(Math.max(0, i - NEIGHBOURHOOD), i)));
}

/** What an item loses to those above it: only the nearest count, and what is alike in half or less costs nothing. */
export function passedOver(kind: Kind, above: readonly Kind[]): number {
  const most = Math.max(0, ...above.slice(-NEIGHBOURHOOD).map((other) => alike(other, kind)));
  return SAMENESS * Math.max(0, 2 * most - 1);
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** P(click | examined) */
export const attraction = (u: number): number => 0.02 + 0.93 * sigmoid(1.3 * (u - 1.2));

/** P(purchase | click); what is out of stock cannot be bought. */
export const conversion = (u: number, inStock: boolean): number => (inStock ? 0.02 + 0.4 * sigmoid(1.5 * (u - 2)) : 0);

/** P(cart | click), at least the purchases. */
export const carting = (u: number, inStock: boolean): number => (inStock ? Math.min(1, 2 * conversion(u, true)) : 0.02);

/** True grade 0..4: bands of P(click | examined) at 0.2, 0.4, 0.6, 0.8. */
export const gradeOf = (u: number): number => Math.min(4, Math.floor(attraction(u) * 5));
