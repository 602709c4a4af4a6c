/** The words that a query looks for, in engines where a minus sign excludes a word or a phrase in quotes. */
import { textOf } from "./json/values.ts";

/** A phrase (the last one may be open) or a word, with the minus sign that excludes it, which follows nothing or a space. */
const TERM = /((?<!\S)-)?("[^"]*"?|[\p{L}\p{M}\p{N}\p{So}]+)/gu;

const HAS_WORD = /[\p{L}\p{N}\p{So}]/u;

/**
 * Without terms that are excluded, and those after the first `maxTerms`, of which a phrase is one. `undefined` where nothing is left: the engine
 * then gives all its documents.
 */
export function wordsOf(q: string, maxTerms: number = Number.POSITIVE_INFINITY): string | undefined {
  let terms = 0;
  let kept = "";
  let from = 0;
  for (const { 1: minus, 2: term = "", 0: found, index } of q.matchAll(TERM)) {
    if (!HAS_WORD.test(term)) continue;
    if (minus === undefined && terms === maxTerms) return textOf(kept + q.slice(from, index));
    if (minus === undefined) {
      terms++;
      continue;
    }
    kept += q.slice(from, index);
    from = index + found.length;
  }
  return terms === 0 ? undefined : textOf(kept + q.slice(from));
}
