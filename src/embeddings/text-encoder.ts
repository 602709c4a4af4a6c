/**
 * The builtin text encoder: a title becomes the normalised sum of fixed pseudo-random vectors of its tokens (random indexing, Kanerva
 * et al. 2000). No vocabulary, no download, any language; the more tokens two texts share, the closer they are.
 *
 * The student's token table starts from the same vectors, so a query and a title with the same words already meet before training.
 */
import { randomBits } from "../ranking/interleave.ts";
import { TOKENIZER, TOKEN_TABLE_ROWS, tokenize, words } from "../ranking/tokenizer.ts";

export const TEXT_DIM = 64;

/** Written into shards and manifests: both must name the same encoder. */
export const TEXT_ENCODER = `random-indexing-${TEXT_DIM}/2+${TOKENIZER}`;

/**
 * The text of an item: its title, its category, then further texts. Titles often lack the category ("tote" for a bag), and without it a
 * list-wise model cannot tell a bag from a shirt. Version 1 of the encoder had titles only.
 */
export function itemText(item: { readonly title: string; readonly category: string }, further: readonly string[] = []): string {
  return [item.title, item.category, ...further].filter((text) => text !== "").join(" ");
}

/** Longer texts are cut after this number of tokens. */
const MAX_TEXT_TOKENS = 256;

/** Weight of a trigram against a word: enough for "shoe" to match "shoes", too little to outweigh whole words. */
const TRIGRAM_WEIGHT = 0.3;

/** [TOKEN_TABLE_ROWS, TEXT_DIM] of ±1/sqrt(dim); row 0 (padding) is zero. Exact in float32, so training and serving agree. */
export function tokenTable(): Float32Array {
  const table = new Float32Array(TOKEN_TABLE_ROWS * TEXT_DIM);
  const unit = 1 / Math.sqrt(TEXT_DIM);
  for (let row = 1; row < TOKEN_TABLE_ROWS; row++) {
    const next = randomBits(row * 0x9e3779b1);
    let bits = 0;
    for (let d = 0; d < TEXT_DIM; d++) {
      if (d % 32 === 0) bits = next();
      table[row * TEXT_DIM + d] = (bits >>> (d % 32)) & 1 ? unit : -unit;
    }
  }
  return table;
}

/** One title (with attributes appended) → unit vector [TEXT_DIM]; `undefined` when the text has no word at all. */
export function createTextEncoder(): (text: string) => Float32Array | undefined {
  const table = tokenTable();
  return (text) => {
    const wordCount = words(text).length;
    const ids = tokenize(text, MAX_TEXT_TOKENS);
    if (ids.length === 0) return undefined;
    const sum = new Float32Array(TEXT_DIM);
    ids.forEach((id, i) => {
      const weight = i < wordCount ? 1 : TRIGRAM_WEIGHT;
      for (let d = 0; d < TEXT_DIM; d++) sum[d] = sum[d]! + weight * table[id * TEXT_DIM + d]!;
    });
    const norm = Math.hypot(...sum);
    return norm === 0 ? undefined : sum.map((value) => value / norm);
  };
}
