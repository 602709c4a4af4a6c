/** A small shop with judgments, written to a folder. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

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
  const line = ([query, ids]: readonly [string, readonly string[]]) => {
    const hits = ids.map((id, i) => ({ id, score: ids.length - i }));
    return JSON.stringify({ query, hits });
  };
  return Object.entries(lists).map(line).join("\n");
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
