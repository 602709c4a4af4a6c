/**
 * BM25 (Robertson & Zaragoza 2009) over one bag of words per document, as the README of the judged catalogue defines its baseline: k1 1.2,
 * b 0.75, idf = ln(1 + (N - df + 0.5) / (df + 0.5)). The engine of the judged lists, so it knows nothing of re-ranking.
 */

const K1 = 1.2;
const B = 0.75;

/** Words of at most this many letters keep their final "s". */
const KEEPS_FINAL_S = 3;

/** Runs of a-z and 0-9 in lower case, singular in the roughest way. */
export function terms(text: string): string[] {
  const found = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return found.map((word) => (word.length > KEEPS_FINAL_S && word.endsWith("s") ? word.slice(0, -1) : word));
}

export interface Bm25 {
  /** One score per document, in the order in which they were given; 0 where no word of the query occurs. */
  score(query: string): Float64Array;
}

interface Posting {
  readonly document: number;
  times: number;
}

export function createBm25(documents: readonly string[]): Bm25 {
  const postings = new Map<string, Posting[]>();
  const lengths = documents.map((text, document) => {
    const words = terms(text);
    for (const word of words) {
      const list = postings.get(word) ?? [];
      const last = list.at(-1);
      if (last?.document === document) last.times++;
      else list.push({ document, times: 1 });
      postings.set(word, list);
    }
    return words.length;
  });
  const count = documents.length;
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / count;
  return {
    score(query) {
      const scores = new Float64Array(count);
      for (const word of terms(query)) {
        const list = postings.get(word) ?? [];
        const idf = Math.log(1 + (count - list.length + 0.5) / (list.length + 0.5));
        for (const { document, times } of list) {
          const saturation = times + K1 * (1 - B + (B * lengths[document]!) / meanLength);
          scores[document]! += (idf * times * (K1 + 1)) / saturation;
        }
      }
      return scores;
    },
  };
}
