/** A small shop with judgments, written to a folder, and vectors in which each word of a title is a direction. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { packSet, writeSet } from "../../../src/cli/embed/pack.ts";
import { createRandom } from "../../../src/demo/catalogue/random.ts";
import { encodeQueryTable } from "../../../src/embeddings/query-table.ts";
import { ITEM_FEATURES } from "../../../src/ranking/candidate.ts";
import { basicWords } from "../../../src/ranking/wordpiece.ts";
import { hashWord, queryWords, wordHashes } from "../../../src/ranking/words.ts";

const TITLES: Readonly<Record<string, string>> = {
  m1: "Red mug of stoneware",
  m2: "Red cup",
  m3: "Blue plate",
  m4: "Mug, dark red",
  l1: "Blue lamp for the table",
  l2: "Lamp in blue glass",
  l3: "Lamp shade",
  c1: "Chair, olive green",
  c2: "Green chair of oak",
  c3: "Office chair",
  c4: "Green cushion",
  c5: "Folding chair in green",
  c6: "Chair cover",
  ...Object.fromEntries(Array.from({ length: 9 }, (_, i) => [`x${i + 1}`, `Scarf number ${i + 1}`])),
};

export const PRODUCTS = Object.entries(TITLES).map(([id, title]) => ({ id, title }));

export const RATINGS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  "red mug": { m1: 3, m2: 1, m3: 0, m4: 2 },
  "blue lamp": { l1: 2, l2: 2, l3: 0 },
  nothing: { m1: 0 },
  "green chair": { c1: 1, c2: 3, c3: 0, c4: 0, c5: 2, c6: 1 },
};

export const JUDGMENTS = [
  "query,product_id,rating",
  ...Object.entries(RATINGS).flatMap(([query, ratings]) => Object.entries(ratings).map(([id, rating]) => `${query},${id},${rating}`)),
].join("\n");

/** Best first. */
export const LISTS: Readonly<Record<string, readonly string[]>> = {
  "red mug": ["m3", "x1", "m2", "m1", "x2", "m4"],
  "blue lamp": ["x1", "x2", "x3", "x4", "x5", "l2", "l3", "l1"],
  "green chair": ["c3", "c4", "c1", "x9", "c6", "x8", "x7", "x6", "x5", "x4", "c2", "c5"],
};

export function listLines(lists: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(lists).map(listLine).join("\n");
}

function listLine([query, ids]: readonly [string, readonly string[]]): string {
  return JSON.stringify({ query, hits: ids.map((id, i) => ({ id, score: ids.length - i })) });
}

/** Paths of what is written into `folder`: products.jsonl, and the judgments and lists that are given. */
export function writeShop(
  folder: string,
  { judgments = JUDGMENTS, lists = listLines(LISTS) }: { judgments?: string; lists?: string } = {},
) {
  mkdirSync(folder, { recursive: true });
  const put = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  return {
    catalog: put("products.jsonl", PRODUCTS.map((product) => JSON.stringify(product)).join("\n")),
    judgments: put("judgments.csv", judgments),
    lists: put("lists.jsonl", lists),
  };
}

const TEXT_DIM = 64;
const FORM = { lowerCase: true, stripAccents: true };

export interface ShopVectors {
  /** Which product's vector each product gets. Default: its own. */
  readonly vectorOf?: (index: number) => number;
  /** The words' directions in the table; those of the items are of "words". Default: the same. */
  readonly tableSeed?: string;
  readonly hasTable?: boolean;
  readonly hasWords?: boolean;
  /** Default: those of no model. */
  readonly encoders?: { readonly image: string; readonly text: string };
}

/** Writes what `armmt embed` would, and returns the folder. */
export function embedShop(folder: string, options: ShopVectors = {}): string {
  const {
    vectorOf = (i) => i,
    tableSeed = "words",
    hasTable = true,
    hasWords = true,
    encoders = { image: "none", text: "words/1" },
  } = options;
  const vocabulary = ["[UNK]", ...new Set(PRODUCTS.flatMap(({ title }) => basicWords(title, FORM)))];
  const vectors = PRODUCTS.map(({ title }) => unit(sum(basicWords(title, FORM).map((word) => direction("words", word)))));
  const words = PRODUCTS.map(({ title }) => wordHashes([title]));
  const records = PRODUCTS.map(({ id }, i) => ({
    itemId: id,
    image: undefined,
    text: vectors[vectorOf(i)],
    features: ITEM_FEATURES.map(() => undefined),
    ...(hasWords && { words: words[i]! }),
  }));
  const wordCounts = new Map<number, number>();
  for (const hash of words.flatMap((each) => Array.from(each))) wordCounts.set(hash, (wordCounts.get(hash) ?? 0) + 1);
  const table = encodeQueryTable({
    textEncoder: encoders.text,
    tokenizer: { kind: "wordpiece", ...FORM, maxWordLength: 100, unknown: 0, vocabulary },
    textDim: TEXT_DIM,
    pictureDim: 0,
    pictureWeight: 0,
    pieceIds: Uint32Array.from(vocabulary.keys()).subarray(1),
    rows: Float32Array.from(vocabulary.slice(1).flatMap((word) => Array.from(direction(tableSeed, word)))),
    offset: new Float32Array(TEXT_DIM),
    itemCount: PRODUCTS.length,
    wordCounts,
    knownQueries: new Map(),
  });
  if (!table.ok) throw new Error(table.error);
  const identity = { imageDim: 64, textDim: TEXT_DIM, imageEncoder: encoders.image, textEncoder: encoders.text };
  writeSet(folder, packSet(records, identity, { queryTable: hasTable ? table.value : undefined }));
  return folder;
}

function direction(seed: string, word: string): Float32Array {
  const random = createRandom(`${seed}:${word}`);
  return Float32Array.from({ length: TEXT_DIM }, random.normal);
}

function sum(vectors: readonly Float32Array[]): Float32Array {
  return Float32Array.from({ length: TEXT_DIM }, (_, d) => vectors.reduce((total, vector) => total + vector[d]!, 0));
}

function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return vector.map((value) => value / norm);
}

function holding(hash: number): number {
  return PRODUCTS.filter(({ title }) => wordHashes([title]).includes(hash)).length;
}

/** score ÷ best score + cosine + coverage of the query's words, written out. */
export function expectedScores(query: string, hits: readonly { readonly id: string; readonly score: number }[]): number[] {
  const best = Math.max(...hits.map(({ score }) => score));
  const pieces = basicWords(query, FORM).filter((word) => PRODUCTS.some(({ title }) => basicWords(title, FORM).includes(word)));
  const asked = unit(sum(pieces.map((word) => direction("words", word))));
  const words = [...new Set(queryWords(query).map(hashWord))];
  const rarity = words.map((hash) => Math.log(1 + (PRODUCTS.length - holding(hash) + 0.5) / (holding(hash) + 0.5)));
  return hits.map(({ id, score }) => {
    const { title } = PRODUCTS.find((product) => product.id === id)!;
    const own = unit(sum(basicWords(title, FORM).map((word) => direction("words", word))));
    const cosine = own.reduce((total, value, d) => total + value * asked[d]!, 0);
    const held = words.map((hash, i) => (wordHashes([title]).includes(hash) ? rarity[i]! : 0));
    return score / best + cosine + held.reduce((a, b) => a + b, 0) / rarity.reduce((a, b) => a + b, 0);
  });
}
