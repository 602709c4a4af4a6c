/** A judgments file (query, product id, rating) → the ratings by query. Problems name line, value and fix. */
import { rowsOf } from "../catalog/file.ts";
import { UserError } from "../../web.ts";
import { readText, refuse } from "../text-files.ts";

/** Gains are 2^rating - 1: a scale of percent would leave the best products alone to count. */
const MAX_RATING = 10;

/** Ratings by product id. */
export type Ratings = ReadonlyMap<string, number>;

export interface Judgments {
  /** In the order of the file. */
  readonly queries: ReadonlyMap<string, Ratings>;
  /** Judgments of products that the catalogue lacks. */
  readonly unknown: number;
}

/** Names that a column may have, in any case, the usual one first. */
const COLUMNS = {
  query: ["query", "query_text", "search", "keywords", "q"],
  product: ["product_id", "productid", "product", "docid", "doc_id", "item_id", "object_id", "sku", "id"],
  rating: ["rating", "grade", "relevance", "judgment", "judgement", "label"],
} as const;

interface JudgmentOptions {
  /** Whether the catalogue has this product. */
  readonly isKnown: (id: string) => boolean;
  /** Leave judgments of other products out and count them, instead of stopping. */
  readonly skipUnknown: boolean;
}

/** Throws a UserError. */
export function readJudgments(file: string, { isKnown, skipUnknown }: JudgmentOptions): Judgments {
  const rows = rowsOf(readText(file), file);
  if (rows.length === 0)
    throw new UserError(`${file} has no judgment: it needs lines of query,product_id,rating below a line with these names`);
  const found = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))];
  const column = (role: keyof typeof COLUMNS): string => {
    const named = COLUMNS[role].flatMap((known) => found.find((name) => name.toLowerCase() === known) ?? [])[0];
    if (named !== undefined) return named;
    throw new UserError(
      `${file} has no column ${COLUMNS[role][0]}: it has ${found.join(", ")}. Let its first line be query,product_id,rating`,
    );
  };
  const names = { query: column("query"), product: column("product"), rating: column("rating") };

  const queries = new Map<string, Map<string, number>>();
  const firstLine = new Map<string, number>();
  const problems: string[] = [];
  let unknown = 0;
  for (const { line, values } of rows) {
    const [query = "", id = "", given = ""] = [names.query, names.product, names.rating].map((name) =>
      values[name]?.trim().normalize("NFC"),
    );
    const missing = query === "" ? names.query : id === "" ? names.product : given === "" ? names.rating : undefined;
    if (missing !== undefined) {
      problems.push(`line ${line}: ${missing} is empty: give it, or take the line out`);
      continue;
    }
    const rating = Number(given);
    if (!(rating >= 0 && rating <= MAX_RATING)) {
      problems.push(`line ${line}: ${names.rating} is "${given}", expected a number from 0 (irrelevant) to ${MAX_RATING}`);
      continue;
    }
    const key = JSON.stringify([query, id]);
    const earlier = firstLine.get(key);
    if (earlier !== undefined) {
      problems.push(
        `line ${line}: product "${id}" is judged for "${query}" in line ${earlier} already: keep one line per query and product (of several judges, the mean)`,
      );
      continue;
    }
    firstLine.set(key, line);
    if (!isKnown(id)) {
      unknown++;
      if (!skipUnknown) problems.push(`line ${line}: product "${id}" is not in the catalogue: correct it, or run with --skip-unknown`);
      continue;
    }
    let ratings = queries.get(query);
    if (ratings === undefined) queries.set(query, (ratings = new Map()));
    ratings.set(id, rating);
  }
  refuse(file, problems);
  if (queries.size === 0) throw new UserError(`${file} judges no product of the catalogue: is it another catalogue's?`);
  return { queries, unknown };
}
