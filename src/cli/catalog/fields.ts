/**
 * One row of a catalogue → a product: the roles of fields, and the range of values. Problems name line, field, value and fix.
 *
 * Reads no files.
 */
import type { Command } from "commander";
import type { Product } from "../../demo/catalogue/catalogue.ts";
import { itemText } from "../../embeddings/text-encoder.ts";
import { UserError } from "../../web.ts";

/** Values as text, by field; a field without a value is missing. */
export interface Row {
  /** 1-based line of the file in which the row ends. */
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

/** Each value of a product: its option, the names of fields that are tried without it, in order, and the help of its flag. */
const FIELDS = {
  id: ["idField", "id _id sku product_id productId item_id itemId objectID", "field with the product's id (default: id, sku, …)"],
  title: [
    "titleField",
    "title name product_title productTitle product_name productName productDisplayName",
    "field with the title (default: title, name, …)",
  ],
  category: [
    "categoryField",
    "category articleType product_type productType categories type",
    "field with the category (default: category, articleType, …)",
  ],
  brand: [
    "brandField",
    "brand brand_name brandName manufacturer supplier vendor",
    "field with the brand (default: brand, manufacturer, …)",
  ],
  description: [
    "descriptionField",
    "short_description shortDescription description summary body_html",
    "field with the description, the short one where there are two (default: short_description, description, …)",
  ],
  image: [
    "imageField",
    "image image_url imageUrl image_link picture thumbnail",
    "field with a path, URL or SVG (default: image, …; without one images/<id>.<extension>)",
  ],
  price: ["priceField", "price", "field with the price (default: price)"],
  rating: ["ratingField", "rating average_rating averageRating", "field with the mean rating, 0 to 5 (default: rating, …)"],
  ratingCount: [
    "ratingCountField",
    "ratingCount rating_count review_count reviewCount",
    "field with the number of ratings (default: ratingCount, …)",
  ],
  popularity: ["popularityField", "popularity sales views", "field with sales or views (default: popularity, …)"],
  inStock: ["stockField", "inStock in_stock", "field that says whether it is in stock (default: inStock, …)"],
  createdAt: ["createdField", "createdAt created_at created date_added", "field with the day it was added (default: createdAt, …)"],
} as const satisfies Readonly<Record<string, readonly [option: string, names: string, help: string]>>;

type FieldRole = keyof typeof FIELDS;

const ROLES = Object.keys(FIELDS).filter(isRole);

/** Names of the fields, where the user gives them. */
export type FieldOptions = { readonly [Option in (typeof FIELDS)[FieldRole][0]]?: string | undefined } & {
  /** Further fields whose text goes into the text vector, after title and category. */
  readonly textFields?: readonly string[] | undefined;
};

/** The flags that name fields; `embed` and `start` have them. */
export function addFieldFlags(command: Command): Command {
  for (const role of ROLES) command.option(`${flagOf(role)} <name>`, FIELDS[role][2]);
  const help = "further fields for the text vector, separated by commas";
  return command.option("--text-fields <names>", help, (names) => names.split(","));
}

type FieldMap = Readonly<Partial<Record<FieldRole, string>>> & { readonly text: readonly string[] };

/** The flag of a role: `--rating-count-field`. */
function flagOf(role: FieldRole): string {
  return `--${FIELDS[role][0].replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Finds the field of each role from the rows' field names. Throws a UserError for a named field that no row has. */
export function mapFields(rows: readonly Row[], options: FieldOptions): FieldMap {
  const known = new Set(rows.flatMap((row) => Object.keys(row.values)));
  const list = [...known].toSorted().join(", ");
  const map: Partial<Record<FieldRole, string>> = {};
  for (const role of ROLES) {
    const [option, names] = FIELDS[role];
    const named = options[option];
    if (named !== undefined && !known.has(named)) {
      throw new UserError(`No product has a field "${named}" (${flagOf(role)}): the catalogue has ${list}`);
    }
    const found = named ?? names.split(" ").find((name) => known.has(name));
    if (found !== undefined) map[role] = found;
  }
  for (const role of ["id", "title"] as const) {
    if (map[role] === undefined) {
      throw new UserError(`No field for the ${role}: the catalogue has ${list}. Name the right one with ${flagOf(role)}`);
    }
  }
  const text = options.textFields ?? [];
  const unknown = text.find((name) => !known.has(name));
  if (unknown !== undefined) throw new UserError(`No product has a field "${unknown}" (--text-fields): the catalogue has ${list}`);
  return { ...map, text };
}

function isRole(name: string): name is FieldRole {
  return Object.hasOwn(FIELDS, name);
}

/** The product of a row, or its problem. `image` is the field's value, "" without one. */
type ParsedRow = { readonly product: Product; readonly text: string; readonly about: ItemTexts | undefined } | { readonly problem: string };

/** What a sentence encoder and the words of an item are made from, besides the product's title and category. "" where there is none. */
export interface ItemTexts {
  readonly brand: string;
  readonly description: string;
  /** The fields of --text-fields. */
  readonly further: string;
}

export function parseRow(row: Row, map: FieldMap): ParsedRow {
  const value = (role: FieldRole): string | undefined => {
    const field = map[role];
    return field === undefined ? undefined : row.values[field];
  };
  const id = value("id");
  if (id === undefined) return { problem: `line ${row.line}: ${map.id} is empty: every product needs an id` };
  const title = value("title");
  if (title === undefined) return { problem: `line ${row.line}: ${map.title} of product "${id}" is empty: every product needs a title` };
  const product: Product = { id, title, category: value("category") ?? "", image: value("image") ?? "" };
  const problems: string[] = [];
  /** Sets one optional value, or adds a problem. */
  const take = <T>(role: FieldRole, read: (text: string) => T | undefined, expected: string, put: (found: T) => void): void => {
    const given = value(role);
    if (given === undefined) return;
    const found = read(given);
    if (found === undefined)
      problems.push(`line ${row.line}: ${map[role]} is "${given}", expected ${expected}: correct it or leave it empty`);
    else put(found);
  };
  take("price", numberIn(Number.MIN_VALUE), "a number above 0", (price) => (product.price = price));
  take("rating", numberIn(0, 5), "a number from 0 to 5", (rating) => (product.rating = rating));
  take("ratingCount", numberIn(0), "a number from 0 on", (count) => (product.ratingCount = count));
  take("popularity", numberIn(0), "a number from 0 on", (popularity) => (product.popularity = popularity));
  take("inStock", truth, "true or false", (inStock) => (product.inStock = inStock));
  take("createdAt", day, "a date such as 2026-03-31", (createdAt) => (product.createdAt = createdAt));
  if (problems.length > 0) return { problem: problems.join("; ") };
  const further = map.text.filter((field) => field !== map.category).flatMap((field) => row.values[field] ?? []);
  const about = { brand: value("brand") ?? "", description: value("description") ?? "", further: further.join(" ") };
  const hasMore = Object.values(about).some((more) => more !== "");
  return { product, text: itemText(product, further), about: hasMore ? about : undefined };
}

const numberIn =
  (least: number, most = Number.MAX_VALUE) =>
  (text: string): number | undefined => {
    const number = Number(text);
    return number >= least && number <= most ? number : undefined;
  };

function truth(text: string): boolean | undefined {
  if (/^(true|1|yes|in[ _]stock)$/i.test(text)) return true;
  if (/^(false|0|no|out[ _]of[ _]stock)$/i.test(text)) return false;
  return undefined;
}

/** The day of an ISO date or time. */
function day(text: string): string | undefined {
  const found = /^(\d{4}-\d{2}-\d{2})(?:$|[T ])/.exec(text)?.[1];
  // Date.parse takes 31 February for 3 March.
  if (found === undefined || Number.isNaN(Date.parse(found))) return undefined;
  return new Date(found).toISOString().startsWith(found) ? found : undefined;
}
