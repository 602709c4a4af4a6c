/**
 * One row of somebody's catalogue → a product: which field is which, and what a value may be. Problems name line, field, value and fix.
 *
 * Reads no files.
 */
import type { Product } from "../../demo/catalogue/catalogue.ts";
import { itemText } from "../../embeddings/text-encoder.ts";
import { UserError } from "../../web.ts";

/** Values as text, by field; a field without a value is not there. */
export interface Row {
  /** 1-based line of the file in which the row ends. */
  readonly line: number;
  readonly values: Readonly<Record<string, string>>;
}

/** Names of the fields, where the user gives them; otherwise the first of FIELD_NAMES that occurs. */
export interface FieldOptions {
  readonly idField?: string | undefined;
  readonly titleField?: string | undefined;
  readonly categoryField?: string | undefined;
  readonly imageField?: string | undefined;
  readonly priceField?: string | undefined;
  readonly ratingField?: string | undefined;
  readonly ratingCountField?: string | undefined;
  readonly popularityField?: string | undefined;
  readonly stockField?: string | undefined;
  readonly createdField?: string | undefined;
  /** Further fields whose text goes into the text vector, after title and category. */
  readonly textFields?: readonly string[] | undefined;
}

export type FieldRole = "id" | "title" | "category" | "image" | "price" | "rating" | "ratingCount" | "popularity" | "inStock" | "createdAt";

const FIELD_NAMES: Readonly<Record<FieldRole, readonly string[]>> = {
  id: ["id", "_id", "sku", "product_id", "productId", "item_id", "itemId", "objectID"],
  title: ["title", "name", "product_title", "productTitle", "product_name", "productName", "productDisplayName"],
  category: ["category", "articleType", "product_type", "productType", "categories", "type"],
  image: ["image", "image_url", "imageUrl", "image_link", "picture", "thumbnail"],
  price: ["price"],
  rating: ["rating", "average_rating", "averageRating"],
  ratingCount: ["ratingCount", "rating_count", "review_count", "reviewCount"],
  popularity: ["popularity", "sales", "views"],
  inStock: ["inStock", "in_stock"],
  createdAt: ["createdAt", "created_at", "created", "date_added"],
};

const OPTION_OF: Readonly<Record<FieldRole, keyof FieldOptions & `${string}Field`>> = {
  id: "idField",
  title: "titleField",
  category: "categoryField",
  image: "imageField",
  price: "priceField",
  rating: "ratingField",
  ratingCount: "ratingCountField",
  popularity: "popularityField",
  inStock: "stockField",
  createdAt: "createdField",
};

export type FieldMap = Readonly<Partial<Record<FieldRole, string>>> & { readonly text: readonly string[] };

/** The flag of a role: `--rating-count-field`. */
function flagOf(role: FieldRole): string {
  return `--${OPTION_OF[role].replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Decides which field is which, from the rows' own field names. Throws a UserError for a named field that no row has. */
export function mapFields(rows: readonly Row[], options: FieldOptions): FieldMap {
  const known = new Set(rows.flatMap((row) => Object.keys(row.values)));
  const list = [...known].toSorted().join(", ");
  const map: Partial<Record<FieldRole, string>> = {};
  for (const role of Object.keys(FIELD_NAMES).filter(isRole)) {
    const named = options[OPTION_OF[role]];
    if (named !== undefined && !known.has(named)) {
      throw new UserError(`No product has a field "${named}" (${flagOf(role)}): the catalogue has ${list}`);
    }
    const found = named ?? FIELD_NAMES[role].find((name) => known.has(name));
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
  return Object.hasOwn(OPTION_OF, name);
}

/** What a row says, or what is wrong with it. `image` is the field's value as it stands, "" without one. */
export type ParsedRow = { readonly product: Product; readonly text: string } | { readonly problem: string };

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
  /** Sets one optional value, or notes what is wrong with it. */
  const take = <T>(role: FieldRole, read: (text: string) => T | undefined, expected: string, put: (found: T) => void): void => {
    const given = value(role);
    if (given === undefined) return;
    const found = read(given);
    if (found === undefined)
      problems.push(`line ${row.line}: ${map[role]} is "${given}", expected ${expected}: correct it or leave it empty`);
    else put(found);
  };
  take("price", positive, "a number above 0", (price) => (product.price = price));
  take(
    "rating",
    (text) => numberIn(text, 0, 5),
    "a number from 0 to 5",
    (rating) => (product.rating = rating),
  );
  take("ratingCount", atLeastZero, "a number from 0 on", (count) => (product.ratingCount = count));
  take("popularity", atLeastZero, "a number from 0 on", (popularity) => (product.popularity = popularity));
  take("inStock", truth, "true or false", (inStock) => (product.inStock = inStock));
  take("createdAt", day, "a date such as 2026-03-31", (createdAt) => (product.createdAt = createdAt));
  if (problems.length > 0) return { problem: problems.join("; ") };
  const further = map.text.filter((field) => field !== map.category).flatMap((field) => row.values[field] ?? []);
  return { product, text: itemText(product, further) };
}

function numberIn(text: string, least: number, most: number): number | undefined {
  const number = Number(text);
  return Number.isFinite(number) && number >= least && number <= most ? number : undefined;
}

function positive(text: string): number | undefined {
  return numberIn(text, Number.MIN_VALUE, Number.MAX_VALUE);
}

function atLeastZero(text: string): number | undefined {
  return numberIn(text, 0, Number.MAX_VALUE);
}

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
