/**
 * The fashion products of `../shared/data/fashion`: real photographs and the shop's own labels, without repeats. Read where they lie;
 * their licence does not allow a copy.
 */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import * as v from "valibot";
import { createRandom } from "../../../../demo/catalogue/random.ts";
import { DAY_MS, UserError } from "../../../../web.ts";

const rowSchema = v.object({
  id: v.pipe(v.string(), v.nonEmpty()),
  title: v.pipe(v.string(), v.nonEmpty()),
  gender: v.string(),
  masterCategory: v.string(),
  subCategory: v.string(),
  articleType: v.string(),
  baseColour: v.string(),
  usage: v.string(),
});

export type FashionRow = v.InferOutput<typeof rowSchema>;

export interface FashionItem extends FashionRow {
  /** Path of the photograph. */
  readonly image: string;
}

/** The labels' word for "unknown". */
const UNKNOWN = "NA";

/**
 * Rows whose colour and usage are known, without those that repeat an earlier row's title or are byte for byte an earlier row's picture.
 * Throws a UserError that names the file and the fix.
 */
export function readFashion(folder: string): FashionItem[] {
  const file = join(folder, "products.csv");
  if (!existsSync(file)) {
    throw new UserError(
      `No catalogue at ${folder}: give "drawn", or the folder of the fashion photographs with products.csv and images in it`,
    );
  }
  const rows = v.safeParse(v.array(rowSchema), parse(readFileSync(file), { columns: true, skip_empty_lines: true }));
  if (!rows.success) {
    const [issue] = rows.issues;
    throw new UserError(`${file} is not the fashion catalogue: ${v.getDotPath(issue) ?? "row"}: ${issue.message}`);
  }
  const titles = new Set<string>();
  const pictures = new Set<string>();
  return rows.output.flatMap((row): FashionItem[] => {
    const title = row.title.toLowerCase();
    if (row.baseColour === UNKNOWN || row.usage === UNKNOWN || titles.has(title)) return [];
    const image = join(folder, "images", `${row.id}.jpg`);
    if (!existsSync(image)) throw new UserError(`The photograph ${image} is missing: the folder needs one for every row`);
    const digest = hash("sha256", readFileSync(image));
    if (pictures.has(digest)) return [];
    titles.add(title);
    pictures.add(digest);
    return [{ ...row, image }];
  });
}

interface Trade {
  readonly price: number;
  readonly rating: number;
  readonly ratingCount: number;
  readonly popularity: number;
  readonly inStock: boolean;
  readonly createdAt: string;
}

/** The day before the first simulated search. */
const LAST_DAY = Date.UTC(2026, 10, 15);

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}

/**
 * Invented trade figures: the data have no prices, ratings, sales, stock or age. They follow from id, kind and brand by chance, not from the
 * picture, and must be called invented wherever they are shown.
 */
export function inventTrade(id: string, kind: string, brand: string): Trade {
  const typical = Math.exp(3.3 + 0.6 * createRandom(`fashion:price:${kind}`).normal());
  const premium = Math.exp(0.3 * createRandom(`fashion:premium:${brand}`).normal());
  const trade = createRandom(`fashion:${id}:trade`);
  const quality = trade.normal();
  const ageDays = Math.floor(900 * trade.next() ** 1.6);
  // As in the drawn shop: popularity is long-tailed, grows with quality and fades with age.
  const popularity = Math.round(Math.exp(3.2 + 1.1 * trade.normal() + 0.35 * quality - ageDays / 900));
  const ratingCount = Math.round(popularity * (0.2 + ageDays / 200) * trade.between(0.3, 1.2));
  return {
    price: Math.max(3, Math.floor(typical * premium * Math.exp(0.3 * trade.normal()))) + trade.pick([0, 0.5, 0.9, 0.95]),
    rating: round(Math.min(5, Math.max(1.6, 4.05 + 0.4 * quality + 0.2 * trade.normal())), 1),
    ratingCount,
    popularity,
    inStock: trade.chance(0.93),
    createdAt: new Date(LAST_DAY - ageDays * DAY_MS).toISOString().slice(0, 10),
  };
}
