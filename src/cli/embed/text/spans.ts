/**
 * Spans of the catalogue: short runs of its own words, which stand in for the queries that shoppers have not typed yet. Pure.
 *
 * Every product proposes spans by its own seed, and the lowest hashes win: the same catalogue gives the same spans in any order, and a changed
 * product changes few of them, so most stay cached.
 */
import { randomFrom } from "../../../ranking/interleave.ts";
import { fnv1a } from "../../../ranking/tokenizer.ts";

/** Words per span, each as likely as it is often here: as people search. */
const LENGTHS = [1, 2, 2, 3, 3, 4, 5];

/** Share of spans in another order than the catalogue's, as queries often are. */
const SHUFFLED = 0.3;

/** Proposals per wanted span: some are equal, and short texts have few. */
const SURPLUS = 3;

/** Letters and digits of any script, and what holds part numbers and sizes together. */
const WORD = /[\p{L}\p{N}][\p{L}\p{N}\p{M}_\-./"']*/gu;

/** Scripts that write no spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Khmer}\p{sc=Lao}\p{sc=Myanmar}]/u;

const segmenter = new Intl.Segmenter("en", { granularity: "word" });

/** The words of a text in order, as written. */
export function spanWords(text: string): string[] {
  return (text.match(WORD) ?? []).flatMap((word) =>
    UNSPACED.test(word) ? [...segmenter.segment(word)].flatMap(({ segment, isWordLike }) => (isWordLike === true ? segment : [])) : word,
  );
}

/** At most `count` different spans in lower case, sorted. */
export function catalogueSpans(texts: readonly string[], count: number): string[] {
  const proposals = Math.max(1, Math.ceil((count * SURPLUS) / Math.max(1, texts.length)));
  const hashes = new Map<string, number>();
  for (const text of texts) {
    const words = spanWords(text);
    if (words.length === 0) continue;
    const uniform = randomFrom(text);
    const below = (limit: number): number => Math.floor(uniform() * limit);
    for (let i = 0; i < proposals; i++) {
      const length = LENGTHS[below(LENGTHS.length)]!;
      const from = below(Math.max(1, words.length - length + 1));
      const chosen = words.slice(from, from + length);
      if (uniform() < SHUFFLED) for (let j = chosen.length - 1; j > 0; j--) swap(chosen, j, below(j + 1));
      const span = chosen.join(" ").toLowerCase();
      if (!hashes.has(span)) hashes.set(span, fnv1a(`span ${span}`));
    }
  }
  return [...hashes]
    .toSorted(([, a], [, b]) => a - b)
    .slice(0, count)
    .map(([span]) => span)
    .toSorted();
}

function swap(list: string[], a: number, b: number): void {
  [list[a], list[b]] = [list[b]!, list[a]!];
}
