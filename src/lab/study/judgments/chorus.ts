/** products.jsonl.gz and judgments.csv (of the Chorus project) → each query's products in BM25's order. Real ratings, not simulated. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { CsvError, parse } from "csv-parse/sync";
import * as v from "valibot";
import { createBm25, singular } from "../../../cli/evaluate/bm25.ts";
import { UserError } from "../../../web.ts";

/** Runs of a-z and 0-9 in lower case, singular in the roughest way: as the data's README defines it. */
export function terms(text: string): string[] {
  return (text.toLowerCase().match(/[a-z0-9]+/g) ?? []).map(singular);
}

/** One line of JSON. */
const productSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    id: v.pipe(v.string(), v.minLength(1)),
    title: v.string(),
    supplier: v.string(),
    short_description: v.nullable(v.string()),
    price_cents: v.pipe(v.number(), v.integer(), v.minValue(1)),
  }),
);
type JudgedProduct = v.InferOutput<typeof productSchema>;

const judgmentSchema = v.object({
  query: v.pipe(v.string(), v.minLength(1)),
  product_id: v.pipe(v.string(), v.minLength(1)),
  /** 0 = irrelevant .. 3 = best. */
  rating: v.pipe(v.string(), v.regex(/^\d$/, "expected a digit"), v.transform(Number), v.maxValue(3)),
});

/** A query's judged products by BM25, equal scores in the catalogue's order, with BM25 scores and ratings (0..3) in parallel. */
export type JudgedList = Readonly<{ query: string; products: JudgedProduct[]; scores: number[]; ratings: number[] }>;

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
  return lines.flatMap((line, i) => (line.trim() === "" ? [] : checked(productSchema, line, `${path}, line ${i + 1}`)));
}

function readJudgments(path: string): v.InferOutput<typeof judgmentSchema>[] {
  try {
    const rows: unknown[] = parse(readFileSync(path), { columns: true, skip_empty_lines: true, bom: true });
    return rows.map((row, i) => checked(judgmentSchema, row, `${path}, judgment ${i + 1}`));
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`${path} cannot be read as CSV: ${error.message}`);
    throw error;
  }
}

export type JudgedCatalogue = ReturnType<typeof readJudgedCatalogue>;

/** Products and, by query, lists in the order of their files. Throws a UserError that names file, line and field. */
export function readJudgedCatalogue(folder: string) {
  const missing = missingFiles(folder);
  if (missing.length > 0) throw new UserError(`${missing.join(" and ")} not found: name the folder of the judged catalogue`);
  const products = readProducts(join(folder, PRODUCTS_FILE));
  const indexOf = new Map(products.map(({ id }, index) => [id, index]));
  const byQuery = Map.groupBy(readJudgments(join(folder, JUDGMENTS_FILE)), ({ query }) => query);
  const texts = products.map((product) => `${product.title} ${product.short_description ?? ""} ${product.supplier}`);
  const engine = createBm25(texts, terms);
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
