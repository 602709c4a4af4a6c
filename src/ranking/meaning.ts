/**
 * The order of the first day, which no shopper has taught: what the engine says of a hit, and how near its words and its picture are to the
 * query's. Pure: vectors, words and scores in, one number per candidate out.
 */
import type { Candidate, ListItem, PackedVector, PackedWords } from "./candidate.ts";
import { idSpelling, spellings } from "./words.ts";

/** A query as its catalogue's query table reads it. */
export interface MeaningQuery {
  /** Unit vectors. */
  readonly text: Float32Array | undefined;
  readonly picture: Float32Array | undefined;
  readonly words: readonly { readonly hash: number; readonly rarity: number }[];
  /** Codes that it names: each the hashes of its spelling and of its parts. */
  readonly codes: readonly (readonly number[])[];
}

export interface MeaningList {
  readonly queryText: string;
  readonly query: MeaningQuery;
  readonly pictureWeight: number;
  /** In the engine's order. */
  readonly candidates: readonly Candidate[];
  /** Parallel to the candidates; `undefined` for an unknown item. */
  readonly items: readonly (ListItem | undefined)[];
}

export interface MeaningParts {
  /** In the engine's order. */
  readonly engineScores: readonly (number | undefined)[];
  /** Parallel to the scores, NaN where nothing is known of the item, or of the query. */
  readonly textCosine: ArrayLike<number>;
  /** 0 to 1. */
  readonly coverage: ArrayLike<number>;
  readonly pictureCosine: ArrayLike<number>;
  readonly pictureWeight: number;
}

/** One score per candidate, and what it is made of. */
export interface MeaningScores extends MeaningParts {
  readonly scores: Float64Array;
}

/** An item that the query names stands above all that it only describes. */
const NAMED_ID = 1000;
const NAMED_CODE = 100;
const NAMED_FIRST = 50;

/** What reads queries: a catalogue's query table. */
export interface QueryReader {
  readonly pictureWeight: number;
  encodeQuery(text: string): MeaningQuery;
}

const UNREAD: MeaningQuery = { text: undefined, picture: undefined, words: [], codes: [] };

/** Without a table it is the engine's part alone. A pinned hit's score says nothing of the others. */
export function readByMeaning(
  { queryText, candidates, items }: Pick<MeaningList, "queryText" | "candidates" | "items">,
  table: QueryReader | undefined,
  isPinned?: readonly boolean[],
): MeaningScores {
  const unpinned =
    isPinned?.includes(true) === true
      ? candidates.map((candidate, i) => (isPinned[i] === true ? { ...candidate, score: undefined } : candidate))
      : candidates;
  const query = table?.encodeQuery(queryText) ?? UNREAD;
  return scoreByMeaning({ queryText, query, pictureWeight: table?.pictureWeight ?? 0, candidates: unpinned, items });
}

export function scoreByMeaning({ queryText, query, pictureWeight, candidates, items }: MeaningList): MeaningScores {
  const parts = {
    engineScores: candidates.map(({ score }) => score),
    textCosine: cosines(query.text, items, (item) => item.text),
    coverage: coverages(query.words, items),
    pictureCosine: cosines(pictureWeight === 0 ? undefined : query.picture, items, (item) => item.image),
    pictureWeight,
  };
  const scores = semanticScores(parts);
  raiseNamed(scores, { queryText, query, candidates, items });
  return { ...parts, scores };
}

/** Engine part + text cosine + coverage + weight × picture cosine. An item of which a part is unknown gets the mean of the others. */
export function semanticScores({ engineScores, textCosine, coverage, pictureCosine, pictureWeight }: MeaningParts): Float64Array {
  const scores = enginePart(engineScores);
  addKnown(scores, textCosine, 1);
  addKnown(scores, coverage, 1);
  if (pictureWeight > 0) addKnown(scores, pictureCosine, pictureWeight);
  return scores;
}

/** What a model that learned the difference to meaning (form "delta") makes of it: an untrained one, or trust 0, changes nothing. */
export function addDelta(prior: ArrayLike<number>, delta: ArrayLike<number>, trust: number): Float64Array {
  return Float64Array.from(prior, (score, i) => score + trust * delta[i]!);
}

/** The order of a model of its own beside that of meaning: `trust` 0 is the latter, 1 the model's. Both are brought to one scale. */
export function blend(meaning: ArrayLike<number>, model: ArrayLike<number>, trust: number): Float64Array {
  const [own, other] = [standardised(meaning), standardised(model)];
  return own.map((score, i) => (1 - trust) * score + trust * other[i]!);
}

/** The best score may be as many times the middle one; beyond, pins, boosts or a rescore decide, and the rest would all be 0. */
const MAX_SPREAD = 20;

/** Of the best score: less than this lies between the best and the last of scores that say nothing. */
const MIN_SPREAD = 0.02;

/** Of the best score: a list that falls in the engine's order and rises by more is several lists, or sorted by something else. */
const MAX_RISE = 0.01;

/** Share of the hits that may lack a score, as pinned ones do. */
const MAX_MISSING = 0.1;

/** Standard deviation of the engine part from ranks. Of .1 to 1, and of the form in which all parts are standardised, the best on the lists of
 * four engines (Chorus, development queries), all of which say more by their scores. */
const RANK_WEIGHT = 0.1;

/** Score ÷ best score, where scores can be trusted; else minus the logarithm of the rank. */
export function enginePart(scores: readonly (number | undefined)[]): Float64Array {
  const part = new Float64Array(scores.length);
  const best = trustedBest(scores);
  if (best === undefined) {
    for (let i = 0; i < part.length; i++) part[i] = -Math.log(i + 1);
    return standardised(part).map((score) => RANK_WEIGHT * score);
  }
  let last = best;
  for (let i = 0; i < part.length; i++) {
    last = scores[i] ?? last;
    part[i] = last / best;
  }
  return part;
}

/** The best score; `undefined` where scores cannot be trusted. */
function trustedBest(scores: readonly (number | undefined)[]): number | undefined {
  const given = new Float64Array(scores.length);
  let count = 0;
  let best = 0;
  let rise = 0;
  for (const score of scores) {
    if (score === undefined) continue;
    if (!(score >= 0 && score < Infinity)) return undefined;
    if (count > 0) rise = Math.max(rise, score - given[count - 1]!);
    best = Math.max(best, score);
    given[count++] = score;
  }
  if (count < 2 || scores.length - count > Math.max(1, MAX_MISSING * scores.length)) return undefined;
  const sorted = given.subarray(0, count).sort(); // oxlint-disable-line unicorn/no-array-sort
  if (!(best > 0) || best - sorted[0]! < MIN_SPREAD * best || rise > MAX_RISE * best) return undefined;
  return best > MAX_SPREAD * Math.min(sorted[count >>> 1]!, sorted[count - 2]!) ? undefined : best;
}

/** Mean 0, standard deviation 1; all 0 where the values are alike. */
function standardised(values: ArrayLike<number>): Float64Array {
  const result = Float64Array.from(values);
  const mean = result.reduce((sum, value) => sum + value, 0) / result.length;
  const deviation = Math.sqrt(result.reduce((sum, value) => sum + (value - mean) ** 2, 0) / result.length);
  return deviation > 1e-12 ? result.map((value) => (value - mean) / deviation) : result.fill(0);
}

function addKnown(scores: Float64Array, part: ArrayLike<number>, weight: number): void {
  let sum = 0;
  let known = 0;
  for (let i = 0; i < scores.length; i++) {
    const value = part[i]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    known++;
  }
  const mean = known === 0 ? 0 : sum / known;
  for (let i = 0; i < scores.length; i++) {
    const value = part[i]!;
    scores[i] = scores[i]! + weight * (Number.isNaN(value) ? mean : value);
  }
}

function cosines(
  query: Float32Array | undefined,
  items: readonly (ListItem | undefined)[],
  vectorOf: (item: ListItem) => ListItem["text"],
): Float64Array {
  const result = new Float64Array(items.length);
  if (query === undefined) return result.fill(Number.NaN);
  for (let i = 0; i < items.length; i++) {
    const item = items[i];
    const vector = item && vectorOf(item);
    result[i] = vector === undefined ? Number.NaN : dot(query, vector);
  }
  return result;
}

/** Stored vectors have about unit length, so this is the cosine. */
function dot(query: Float32Array, vector: Float32Array | PackedVector): number {
  if (!(vector instanceof Float32Array)) return packedDot(query, vector.components, vector.start) * vector.scale;
  let sum = 0;
  for (let d = 0; d < query.length; d++) sum += query[d]! * vector[d]!;
  return sum;
}

/** By itself, so that the compiler sees one type of array; in four sums, which do not wait for one another. */
function packedDot(query: Float32Array, components: Int8Array, start: number): number {
  const whole = query.length - (query.length % 4);
  let a = 0;
  let b = 0;
  let c = 0;
  let rest = 0;
  for (let d = 0; d < whole; d += 4) {
    a += query[d]! * components[start + d]!;
    b += query[d + 1]! * components[start + d + 1]!;
    c += query[d + 2]! * components[start + d + 2]!;
    rest += query[d + 3]! * components[start + d + 3]!;
  }
  for (let d = whole; d < query.length; d++) rest += query[d]! * components[start + d]!;
  return a + b + c + rest;
}

/** The share of the query's words that each item holds, weighted by rarity. */
function coverages(words: MeaningQuery["words"], items: readonly (ListItem | undefined)[]): Float64Array {
  const result = new Float64Array(items.length);
  const total = words.reduce((sum, { rarity }) => sum + rarity, 0);
  if (!(total > 0)) return result.fill(Number.NaN);
  for (let i = 0; i < items.length; i++) {
    const held = items[i]?.words;
    let sum = 0;
    if (held !== undefined) for (const { hash, rarity } of words) if (holds(held, hash)) sum += rarity;
    result[i] = held === undefined ? Number.NaN : sum / total;
  }
  return result;
}

function holds(words: Uint16Array | PackedWords, hash: number): boolean {
  const [hashes, start, end] = words instanceof Uint16Array ? [words, 0, words.length] : [words.hashes, words.start, words.end];
  for (let i = start; i < end; i++) {
    if (hashes[i]! >= hash) return hashes[i] === hash;
  }
  return false;
}

/**
 * A query that names an item by its id, its part number or its model gets it first: among those that hold one code, the first of the engine.
 */
function raiseNamed(scores: Float64Array, { queryText, query, candidates, items }: Omit<MeaningList, "pictureWeight">): void {
  const { ids, whole } = spellings(queryText);
  const isRaised = new Set<number>();
  for (let i = 0; i < candidates.length; i++) {
    const id = idSpelling(candidates[i]!.itemId);
    if (id !== "" && (id === whole || ids.has(id))) scores[i] = scores[i]! + NAMED_ID;
    const held = items[i]?.words;
    if (held === undefined || query.codes.length === 0) continue;
    for (const [c, code] of query.codes.entries()) {
      if (!code.every((hash) => holds(held, hash))) continue;
      scores[i] = scores[i]! + NAMED_CODE + (isRaised.has(c) ? 0 : NAMED_FIRST);
      isRaised.add(c);
    }
  }
}
