/**
 * The fashion products of `../shared/data/fashion`: real photographs and the shop's own labels, without repeats. Read where they lie;
 * their licence does not allow a copy.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import * as v from "valibot";
import { UserError } from "../../../../web.ts";

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

/** What labels say for "unknown". */
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
    const hash = createHash("sha256").update(readFileSync(image)).digest("hex");
    if (pictures.has(hash)) return [];
    titles.add(title);
    pictures.add(hash);
    return [{ ...row, image }];
  });
}
