/** BM25 of bags of words: the order to beat where a shop gives no list of its engine. */

const K1 = 1.2;
const B = 0.75;

/** Words of at most this many letters keep their final "s". */
const KEEPS_FINAL_S = 3;

/** Scripts that are written without spaces. */
const UNSPACED = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;

/** Runs of letters and digits in lower case, without accents and, in the roughest way, singular; of scripts without spaces, pairs of letters. */
export function terms(text: string): string[] {
  const plain = text.normalize("NFKD").replaceAll(/\p{M}/gu, "").normalize("NFKC").toLowerCase();
  const spaced = plain.replaceAll(UNSPACED, (run) => ` ${pairsOf(run).join(" ")} `);
  return (spaced.match(/[\p{L}\p{N}]+/gu) ?? []).map(singular);
}

function pairsOf(run: string): string[] {
  const letters = Array.from(run);
  return letters.length === 1 ? letters : letters.slice(1).map((letter, i) => `${letters[i]}${letter}`);
}

export function singular(word: string): string {
  return word.length > KEEPS_FINAL_S && word.endsWith("s") ? word.slice(0, -1) : word;
}

/** BM25 (Robertson & Zaragoza 2009), k1 1.2 and b 0.75; idf = ln(1 + (N - df + 0.5) / (df + 0.5)). */
export function createBm25(documents: readonly string[], split: (text: string) => readonly string[] = terms) {
  /** By word: how often it occurs in which documents. */
  const postings = new Map<string, Map<number, number>>();
  const lengths = documents.map((text, document) => {
    const words = split(text);
    for (const word of words) {
      let times = postings.get(word);
      if (times === undefined) postings.set(word, (times = new Map()));
      times.set(document, (times.get(document) ?? 0) + 1);
    }
    return words.length;
  });
  const count = documents.length;
  const meanLength = lengths.reduce((sum, length) => sum + length, 0) / count;
  return {
    /** One score per document, in the order in which they were given; 0 where no word of the query occurs. */
    score(query: string): Float64Array {
      const scores = new Float64Array(count);
      for (const word of split(query)) {
        const found = postings.get(word) ?? new Map<number, number>();
        const idf = Math.log(1 + (count - found.size + 0.5) / (found.size + 0.5));
        for (const [document, times] of found) {
          const saturation = times + K1 * (1 - B + (B * lengths[document]!) / meanLength);
          scores[document]! += (idf * times * (K1 + 1)) / saturation;
        }
      }
      return scores;
    },
  };
}
