/** Real photographs and the shop's own labels, without repeats. Read in their folder: their licence does not allow a copy. */
import { hash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import sharp from "sharp";
import * as v from "valibot";
import { setUpSharp } from "../../../../cli/embed/pictures.ts";
import type { Product } from "../../../../demo/catalogue/catalogue.ts";
import { createRandom } from "../../../../demo/catalogue/random.ts";
import { DAY_MS, UserError } from "../../../../web.ts";

const LABELS = ["gender", "masterCategory", "subCategory", "articleType", "baseColour", "usage"] as const;
const text = v.pipe(v.string(), v.nonEmpty());
const rowSchema = v.object({ id: text, title: text, ...v.entriesFromList(LABELS, v.string()) });

export type FashionRow = v.InferOutput<typeof rowSchema>;

/** `image`: path of the photograph. */
export type FashionItem = FashionRow & Readonly<{ image: string }>;

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

/** The day before the first simulated search. */
const LAST_DAY = Date.UTC(2026, 10, 15);

/**
 * Invented trade figures: the data have no prices, ratings, sales, stock or age. They follow from id, kind and brand by chance, not from the
 * picture, and must be called invented wherever they are shown.
 */
export function inventTrade(id: string, kind: string, brand: string): Omit<Required<Product>, "id" | "title" | "category" | "image"> {
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
    rating: Number(Math.min(5, Math.max(1.6, 4.05 + 0.4 * quality + 0.2 * trade.normal())).toFixed(1)),
    ratingCount,
    popularity,
    inStock: trade.chance(0.93),
    createdAt: new Date(LAST_DAY - ageDays * DAY_MS).toISOString().slice(0, 10),
  };
}

/** From the calmest third of a kind's photographs to the busiest. */
export const PATTERNS = ["plain", "textured", "busy"] as const;

const SIZE = 128;
/** Studio photographs have an empty rim. */
const RIM = 24;
const AT_ONCE = 64;

/**
 * Busyness of a photograph, a statistic that no encoder shares: part of the shoppers' taste follows it, so that some preferences are visible
 * and named nowhere. Mean of |horizontal| + |vertical| step of brightness (0..255) inside the rim; `grey` is
 * [SIZE, SIZE].
 */
export function edgeEnergy(grey: Uint8Array): number {
  let sum = 0;
  for (let y = RIM; y < SIZE - RIM; y++) {
    for (let x = RIM; x < SIZE - RIM; x++) {
      const at = y * SIZE + x;
      sum += Math.abs(grey[at + 1]! - grey[at]!) + Math.abs(grey[at + SIZE]! - grey[at]!);
    }
  }
  return sum / (SIZE - 2 * RIM) ** 2;
}

/** One pattern per item: the third of its kind's photographs by edge energy. Parallel to `items`. */
export async function readPatterns(items: readonly FashionItem[]): Promise<string[]> {
  setUpSharp();
  const energies: number[] = [];
  for (let i = 0; i < items.length; i += AT_ONCE) {
    const greys = items
      .slice(i, i + AT_ONCE)
      .map(({ image }) => sharp(image).resize(SIZE, SIZE, { fit: "fill" }).greyscale().raw().toBuffer());
    energies.push(...(await Promise.all(greys)).map(edgeEnergy));
  }
  const kinds = items.map(({ articleType }) => articleType);
  return thirds(kinds, energies);
}

/** Ranks within each group, cut into as many equal parts as there are patterns. */
export function thirds(groups: readonly string[], values: readonly number[]): string[] {
  const patterns: string[] = [];
  for (const indices of Map.groupBy(groups.keys(), (i) => groups[i]).values()) {
    const inOrder = indices.toSorted((a, b) => values[a]! - values[b]! || a - b);
    for (const [rank, index] of inOrder.entries()) patterns[index] = PATTERNS[Math.floor((rank * PATTERNS.length) / inOrder.length)]!;
  }
  return patterns;
}
