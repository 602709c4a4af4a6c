/**
 * A catalogue from outside: the drawn one, a JSONL or CSV file, or a folder with one of them and an `images` folder.
 *
 * Locates each picture but opens none (embed/pictures.ts does). Throws a UserError that names line, field, value and fix.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { CsvError, parse } from "csv-parse/sync";
import { drawCatalogue, type Product } from "../../demo/catalogue/catalogue.ts";
import { drawPicture } from "../../demo/drawing/picture.ts";
import { itemText } from "../../embeddings/text-encoder.ts";
import { type FieldOptions, type ItemTexts, mapFields, parseRow, type Row } from "./fields.ts";
import { parseWithIds, readText } from "../text-files.ts";
import { UserError } from "../../web.ts";

export type ImageSource =
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "svg"; readonly svg: () => string }
  | { readonly kind: "url"; readonly url: string };

export interface CatalogItem {
  /** `image` is the path or URL under which a shop shows the picture, "" without one. */
  readonly product: Product;
  /** Text of the text vector: title, category, and the fields of --text-fields. */
  readonly text: string;
  /** Further texts, of a catalogue that has them. */
  readonly about?: ItemTexts | undefined;
  readonly image: ImageSource | undefined;
}

export interface Catalog {
  /** Short name for folders and keys: "products" when drawn, else from the folder or file. */
  readonly name: string;
  readonly source: string;
  /** At least one, with distinct ids. */
  readonly items: readonly CatalogItem[];
}

export interface CatalogOptions extends FieldOptions {
  /** "drawn", a folder, or a .jsonl, .csv or .tsv file (also .gz). */
  readonly catalog: string;
}

const FOLDER_FILES = ["products.jsonl", "products.csv", "products.tsv", "products.jsonl.gz", "products.csv.gz"];

const IMAGE_EXTENSIONS = [".svg", ".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif"];

const PROBLEMS_SHOWN = 5;

export function readCatalog(options: CatalogOptions): Catalog {
  if (options.catalog === "drawn") return drawnCatalog();
  const given = resolve(options.catalog);
  if (!existsSync(given)) throw new UserError(`No catalogue at ${options.catalog}: give "drawn", a folder, or a .jsonl or .csv file`);
  const isFolder = statSync(given).isDirectory();
  const file = isFolder ? FOLDER_FILES.map((name) => join(given, name)).find((path) => existsSync(path)) : given;
  if (file === undefined) throw new UserError(`No catalogue in ${options.catalog}: expected one of ${FOLDER_FILES.join(", ")} in it`);
  const rows = rowsOf(readText(file), file);
  if (rows.length === 0) throw new UserError(`The catalogue ${file} is empty: it needs at least one product`);
  const items = itemsOf(rows, file, options);
  return { name: slug(basename(isFolder ? given : file)), source: file, items };
}

function drawnCatalog(): Catalog {
  const items = drawCatalogue().map((product) => ({
    product,
    text: itemText(product),
    image: { kind: "svg" as const, svg: () => drawPicture(product) },
  }));
  return { name: "products", source: "drawn", items };
}

/** `Fashion 2026.csv.gz` → `fashion-2026` */
function slug(name: string): string {
  const stem = name.replace(/(\.(jsonl|ndjson|csv|tsv|gz))+$/i, "");
  const plain = stem
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]+/g, "-")
    .replaceAll(/^[-.]+|[-.]+$/g, "");
  return plain.slice(0, 64) || "catalog";
}

function itemsOf(rows: readonly Row[], file: string, options: CatalogOptions): CatalogItem[] {
  const map = mapFields(rows, options);
  const pictures = pictureFiles(dirname(file));
  const firstLine = new Map<string, number>();
  const problems: string[] = [];
  const items: CatalogItem[] = [];
  for (const row of rows) {
    const parsed = parseRow(row, map);
    if ("problem" in parsed) {
      problems.push(parsed.problem);
      continue;
    }
    const { product, text, about } = parsed;
    const earlier = firstLine.get(product.id);
    if (earlier !== undefined) {
      problems.push(`line ${row.line}: ${map.id} "${product.id}" is also in line ${earlier}: give every product its own id`);
      continue;
    }
    firstLine.set(product.id, row.line);
    const image = imageSource(product.image, product.id, dirname(file), pictures);
    items.push({ product: { ...product, image: shownAs(image, product.id) }, text, about, image });
  }
  if (problems.length > 0) {
    const more = problems.length > PROBLEMS_SHOWN ? `\n  and ${problems.length - PROBLEMS_SHOWN} more` : "";
    throw new UserError(`Cannot use the catalogue ${file}:\n  ${problems.slice(0, PROBLEMS_SHOWN).join("\n  ")}${more}`);
  }
  return items;
}

/** Paths of `images/<id>.<extension>` by id. One folder listing instead of several look-ups per product. */
function pictureFiles(folder: string): ReadonlyMap<string, string> {
  const images = join(folder, "images");
  if (!existsSync(images)) return new Map();
  const files = readdirSync(images).filter((name) => IMAGE_EXTENSIONS.includes(extname(name).toLowerCase()));
  return new Map(files.map((name) => [basename(name, extname(name)), join(images, name)]));
}

function imageSource(value: string, id: string, folder: string, pictures: ReadonlyMap<string, string>): ImageSource | undefined {
  if (/^https?:\/\//i.test(value)) return { kind: "url", url: value };
  if (value.startsWith("<svg") || value.startsWith("<?xml")) return { kind: "svg", svg: () => value };
  // A leading slash is a path of the shop's site, here of the folder. A file that is missing is reported when it is opened.
  if (value !== "") return { kind: "file", path: join(folder, value) };
  const path = pictures.get(id);
  return path === undefined ? undefined : { kind: "file", path };
}

function shownAs(image: ImageSource | undefined, id: string): string {
  if (image === undefined) return "";
  if (image.kind === "url") return image.url;
  return `/images/${encodeURIComponent(id)}${image.kind === "svg" ? ".svg" : extname(image.path).toLowerCase()}`;
}

/** The rows of a text that was read from `file`, whose name says whether it is JSONL, CSV or TSV. Throws a UserError that names the line. */
export function rowsOf(text: string, file: string): Row[] {
  const name = file.replace(/\.gz$/, "").toLowerCase();
  if (name.endsWith(".jsonl") || name.endsWith(".ndjson")) return jsonRows(text, file);
  if (name.endsWith(".csv") || name.endsWith(".tsv")) return csvRows(text, file);
  throw new UserError(`Cannot read ${file}: expected a name ending in .jsonl, .ndjson, .csv or .tsv`);
}

function jsonRows(text: string, file: string): Row[] {
  const rows: Row[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    if (line.trim() === "") continue;
    let json: unknown;
    try {
      json = parseWithIds(line, () => true);
    } catch {
      throw new UserError(`Cannot read ${file} line ${i + 1}: ${JSON.stringify(line.slice(0, 60))} is no JSON: one object per line`);
    }
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      throw new UserError(`Cannot read ${file} line ${i + 1}: ${JSON.stringify(line.slice(0, 60))} is no JSON object: one object per line`);
    }
    const values = Object.entries(json).flatMap(([field, value]) => {
      const shown = textOf(value);
      return shown === "" ? [] : [[field, shown] as const];
    });
    rows.push({ line: i + 1, values: Object.fromEntries(values) });
  }
  return rows;
}

/** A JSON value as CSV would hold it; a list is its joined texts, an object is empty. */
function textOf(value: unknown): string {
  if (typeof value === "string") return value.trim();
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  if (Array.isArray(value)) return value.map(textOf).join(" ").trim();
  return "";
}

function csvRows(text: string, file: string): Row[] {
  const header = text.slice(0, text.indexOf("\n"));
  const delimiter = [",", ";", "\t"].toSorted((a, b) => header.split(b).length - header.split(a).length)[0]!;
  try {
    const parsed = parse<{ record: Record<string, string>; info: { lines: number } }>(text, {
      columns: true,
      info: true,
      delimiter,
      trim: true,
      skip_empty_lines: true,
    });
    return parsed.map(({ record, info }) => ({
      line: info.lines,
      values: Object.fromEntries(Object.entries(record).filter(([, value]) => value !== "")),
    }));
  } catch (error) {
    if (error instanceof CsvError) throw new UserError(`Cannot read ${file}: ${error.message}: correct the line or quote the value`);
    throw error;
  }
}
