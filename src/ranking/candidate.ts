/** Types of one list: a candidate is a hit in the engine's window, an item is its catalogue entry. */

export interface Candidate {
  readonly itemId: string;
  /** 1-based, in the engine's order. */
  readonly rank: number;
  /** The engine's own score (unbounded), where it gives one. */
  readonly score: number | undefined;
}

/**
 * Numeric features stored with an item, in the order they have in a shard. Raw logs and counts, not normalised:
 * `price_log` = ln(price), `popularity_log` = ln(1 + sales or views), `rating` = 0..5, `rating_count_log` = ln(1 + count),
 * `in_stock` = 0 or 1, `created_day` = days since 1970-01-01.
 */
export const ITEM_FEATURES = ["price_log", "popularity_log", "rating", "rating_count_log", "in_stock", "created_day"] as const;

/** A vector inside a shard: component d is `components[start + d] * scale`, rounded to float32. */
export interface PackedVector {
  readonly components: Int8Array;
  readonly start: number;
  readonly scale: number;
}

/** Hashes of an item's words inside a shard, ascending. */
export interface PackedWords {
  readonly hashes: Uint16Array;
  readonly start: number;
  readonly end: number;
}

/** One item as a list needs it. Vectors may still be packed: a search copies each of them once, into the tensor. */
export interface ListItem {
  readonly itemId: string;
  /** [imageDim], about unit length. */
  readonly image: Float32Array | PackedVector | undefined;
  /** [textDim], about unit length. */
  readonly text: Float32Array | PackedVector | undefined;
  /** One entry per ITEM_FEATURES. */
  readonly features: readonly (number | undefined)[];
  /** What it answers to (ranking/words.ts). */
  readonly words?: Uint16Array | PackedWords | undefined;
}

/** The stored record of one item, as float32: a missing picture or text has an `undefined` vector, an unknown feature is `undefined`. */
export interface ItemRecord extends ListItem {
  readonly image: Float32Array | undefined;
  readonly text: Float32Array | undefined;
  readonly words?: Uint16Array;
}
