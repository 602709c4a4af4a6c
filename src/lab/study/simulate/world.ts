/**
 * A world: how simulated shoppers choose. Parts of the truth can be switched off one by one, so that each can be weighed: by what an oracle loses
 * without it (../world/), and by what a model can read of it.
 */
import type { Random } from "../../../demo/catalogue/random.ts";
import { PART_NAMES, type Parts, utilities } from "./attraction.ts";
import type { Shop, ShopProduct, Wish } from "./shop.ts";
import type { Shopper } from "./shopper.ts";

/** Numbers of the worlds, newest last. A number's shoppers never change: a setting of a log, and of every stage that made one. */
export const WORLDS = [1, 2] as const;
export type WorldNumber = (typeof WORLDS)[number];

/** What shoppers did with an item before their first search. */
export type Before = Readonly<{ product: ShopProduct; action: "view" | "add_to_cart" | "purchase" }>;

export interface World {
  /** What can be switched off alone. Of an `ofSearch` part the variable is one number per search, of the others one per candidate. */
  readonly parts: readonly { readonly name: string; readonly meaning: string; readonly ofSearch?: true }[];
  /** u of every candidate, apart from what stands above it. `off`: names of `parts`. */
  readonly utilities: (shopper: Shopper, wish: Wish, candidates: readonly ShopProduct[], off: ReadonlySet<string>) => number[];
  /** Names of `parts` that a log without some of attraction.ts's coarse parts lacks. */
  readonly offIn: (parts: Parts) => ReadonlySet<string>;
  /** The number behind a part of the search. */
  readonly variableOf: (part: string, shopper: Shopper, wish: Wish) => number;
  /** Codes in which two products are compared by shoppers who have just seen the one (attraction.ts, `utilitiesInOrder`). */
  readonly kindOf?: (product: ShopProduct) => number[];
  /** Weight of the picture for a shopper and a wish, 0..1. */
  readonly modalityOf: (shopper: Shopper, wish: Wish) => number;
  /** Oldest first. Default: views alone. */
  readonly before?: (shopper: Shopper, products: readonly ShopProduct[], random: Random) => Before[];
}

/** A shop, and how its shoppers choose. Default: world 1. */
export type PeopledShop = Shop & { readonly world?: World };

/** The part that depends on the shown order; utilitiesInOrder() takes it off. */
export const SAMENESS = "sameness";

const USUAL_MODALITY = 5 / 9; // mean of a uniform number to the power of 0.8

/** World 1: words and pictures weigh by shopper alone, and of the list only a percentile of prices matters, which is a feature. */
export const plainWorld: World = {
  parts: [
    { name: "text", meaning: "what the title says of the words asked for, makers" },
    { name: "picture", meaning: "what only the picture shows of the words asked for, looks" },
    { name: "personal", meaning: "the looks and makers that the shopper likes" },
    { name: "context", meaning: "price against the list" },
    { name: "modality", meaning: "the shopper's weight of looks against makers", ofSearch: true },
    { name: "thrift", meaning: "the shopper's weight of price", ofSearch: true },
    { name: SAMENESS, meaning: "likeness to what stands just above" },
  ],
  utilities(shopper, wish, candidates, off) {
    const on = { text: !off.has("text"), picture: !off.has("picture"), personal: !off.has("personal"), context: !off.has("context") };
    const usual = { ...shopper, ...(off.has("modality") && { modality: USUAL_MODALITY }), ...(off.has("thrift") && { thrift: 1 }) };
    return utilities(usual, wish, candidates, on);
  },
  offIn: (parts) => new Set<string>(PART_NAMES.filter((name) => !parts[name])),
  variableOf: (part, shopper) => (part === "thrift" ? shopper.thrift : shopper.modality),
  modalityOf: (shopper) => shopper.modality,
};
