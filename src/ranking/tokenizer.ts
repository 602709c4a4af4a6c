/**
 * Text → ids of a fixed hash table, for queries (at the edge) and titles (offline).
 *
 * The table has no vocabulary file: any language and any catalogue works, at the price of collisions. Training and serving use this
 * one file; Python receives ids, never text.
 */

/** Names the rules below. A model trained with other rules is refused by name. */
export const TOKENIZER = "nfkc-words-trigrams-fnv1a-4096/1";

/** Rows of the token table; row 0 is padding. */
export const TOKEN_TABLE_ROWS = 4096;

/** A query longer than this keeps its first tokens; words come before their trigrams, so words survive longest. */
export const MAX_QUERY_TOKENS = 64;

/** Of a query, so far as it is read and recorded. Nobody types more, and a text may be as long as a request: normal forms of marks over marks take quadratic time. */
export const MAX_CHARACTERS = 4000;

const WORD = /[\p{L}\p{N}]+/gu;

/** Lower-cased NFKC words, in order, repeats kept. */
export function words(text: string): string[] {
  return text.normalize("NFKC").toLowerCase().match(WORD) ?? [];
}

/** FNV-1a, 32 bit, over UTF-16 code units' low and high bytes. Range 0..2^32-1. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193);
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193);
  }
  return hash >>> 0;
}

function tokenId(token: string): number {
  return 1 + (fnv1a(token) % (TOKEN_TABLE_ROWS - 1));
}

/**
 * Token ids of a text: one per word, then one per character trigram of every word (with `^` and `$` at its ends, so that "shoe" and
 * "shoes" share most of theirs). Ids are 1..4095. At most `maxTokens`.
 */
export function tokenize(text: string, maxTokens: number = MAX_QUERY_TOKENS): Int32Array {
  const ids: number[] = [];
  const found = words(text.slice(0, MAX_CHARACTERS));
  for (const word of found) ids.push(tokenId(`w:${word}`));
  for (const word of found) {
    const characters = Array.from(`^${word}$`);
    for (let i = 0; i + 3 <= characters.length; i++) ids.push(tokenId(`t:${characters.slice(i, i + 3).join("")}`));
  }
  return Int32Array.from(ids.slice(0, maxTokens));
}
