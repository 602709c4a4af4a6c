/**
 * Reads a judged catalogue (products.jsonl.gz and judgments.csv, as in the data of the Chorus project) and puts every query's judged
 * products into BM25's order. Real ratings by people: nothing here is simulated.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CsvError, parse } from "csv-parse/sync";
import * as v from "valibot";
import { UserError } from "../../../web.ts";

const K1 = 1.2;
const B = 0.75;

/** Words of at most this many letters keep their final "s". */
const KEEPS_FINAL_S = 3;

/** Runs of a-z and 0-9 in lower case, singular in the roughest way. */
export function terms(text: string): string[] {
  const found = text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
  return found.map((word) => (word.length > KEEPS_FINAL_S && word.endsWith("s") ? word.slice(0, -1) : word));
}

/**
 * BM25 (Robertson & Zaragoza 2009) over one bag of words per document, with the constants of the judged catalogue's README:
 * idf = ln(1 + (N - df + 0.5) / (df + 0.5)).
 */
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

const productSchema = v.object({
  id: v.pipe(v.string(), v.minLength(1)),
  title: v.string(),
  supplier: v.string(),
  short_description: v.nullable(v.string()),
  price_cents: v.pipe(v.number(), v.integer(), v.minValue(1)),
});
export type JudgedProduct = v.InferOutput<typeof productSchema>;

const HIGHEST_RATING = 3;

const judgmentSchema = v.object({
  query: v.pipe(v.string(), v.minLength(1)),
  product_id: v.pipe(v.string(), v.minLength(1)),
  /** 0 = irrelevant .. 3 = best. */
  rating: v.pipe(v.string(), v.regex(/^\d$/, "expected a digit"), v.transform(Number), v.maxValue(HIGHEST_RATING)),
});
type Judgment = v.InferOutput<typeof judgmentSchema>;

/** The judged products of one query, in the engine's order: BM25 descending, equal scores in the catalogue's order. */
export interface JudgedList {
  readonly query: string;
  readonly products: readonly JudgedProduct[];
  /** BM25, parallel to `products`. */
  readonly scores: readonly number[];
  /** 0..3, parallel to `products`. */
  readonly ratings: readonly number[];
}

export interface JudgedCatalogue {
  /** In the file's order, which is that of the numeric ids. */
  readonly products: readonly JudgedProduct[];
  readonly engine: Bm25;
  /** By query, in the file's order. */
  readonly lists: readonly JudgedList[];
}

export const PRODUCTS_FILE = "products.jsonl.gz";
export const JUDGMENTS_FILE = "judgments.csv";

/** Which of the two files are not in the folder. */
export function missingFiles(folder: string): string[] {
  return [PRODUCTS_FILE, JUDGMENTS_FILE].map((name) => join(folder, name)).filter((path) => !existsSync(path));
}

function checked<T extends v.GenericSchema>(schema: T, value: unknown, where: string): v.InferOutput<T> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  const issue = parsed.issues[0];
  throw new UserError(`${where}: ${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
}

function readProducts(path: string): JudgedProduct[] {
  const lines = gunzipSync(readFileSync(path)).toString("utf8").split("\n");
  return lines.flatMap((line, i) => {
    if (line.trim() === "") return [];
    const where = `${path}, line ${i + 1}`;
    try {
      return checked(productSchema, JSON.parse(line), where);
    } catch (error) {
      if (error instanceof SyntaxError) throw new UserError(`${where} is not JSON: ${error.message}`);
      throw error;
    }
  });
}

function readJudgments(path: string): Judgment[] {
  try {
    const rows: unknown[] = parse(readFileSync(path), { columns: true, skip_empty_lines: true, bom: true });
    return rows.map((row, i) => checked(judgmentSchema, row, `${path}, judgment ${i + 1}`));
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`${path} cannot be read as CSV: ${error.message}`);
    throw error;
  }
}

/** The text that the engine searches. */
function searchedText({ title, short_description: description, supplier }: JudgedProduct): string {
  return `${title} ${description ?? ""} ${supplier}`;
}

/** Throws a UserError that names file, line and field. */
export function readJudgedCatalogue(folder: string): JudgedCatalogue {
  const missing = missingFiles(folder);
  if (missing.length > 0) throw new UserError(`${missing.join(" and ")} not found: name the folder of the judged catalogue`);
  const products = readProducts(join(folder, PRODUCTS_FILE));
  const indexOf = new Map(products.map(({ id }, index) => [id, index]));
  const byQuery = Map.groupBy(readJudgments(join(folder, JUDGMENTS_FILE)), ({ query }) => query);
  const engine = createBm25(products.map(searchedText));
  const lists = Array.from(byQuery, ([query, judgments]): JudgedList => {
    const scores = engine.score(query);
    const judged = judgments.map(({ product_id: id, rating }) => {
      const index = indexOf.get(id);
      if (index === undefined) throw new UserError(`Product ${id}, judged for "${query}", is not in ${join(folder, PRODUCTS_FILE)}`);
      return { index, rating, score: scores[index]! };
    });
    const inOrder = judged.toSorted((a, b) => b.score - a.score || a.index - b.index);
    return {
      query,
      products: inOrder.map(({ index }) => products[index]!),
      scores: inOrder.map(({ score }) => score),
      ratings: inOrder.map(({ rating }) => rating),
    };
  });
  return { products, engine, lists };
}
