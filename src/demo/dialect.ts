/**
 * The parts of Elasticsearch's HTTP interface that the shop's engine implements: errors, fields, and readers that turn an unknown JSON value
 * into a typed one or throw an error that names it.
 */
import type { Product } from "./catalogue/catalogue.ts";

/** A field of the mapping. `_source` has those with `shown`. */
export interface Field {
  readonly kind: "text" | "keyword" | "number" | "boolean" | "date";
  readonly shown: boolean;
  readonly of: (product: Product) => string | number | boolean | undefined;
}

export const FIELDS: ReadonlyMap<string, Field> = new Map<string, Field>([
  ["title", { kind: "text", shown: true, of: (product) => product.title }],
  ["category", { kind: "keyword", shown: true, of: (product) => product.category }],
  ["price", { kind: "number", shown: true, of: (product) => product.price }],
  ["rating", { kind: "number", shown: true, of: (product) => product.rating }],
  ["rating_count", { kind: "number", shown: true, of: (product) => product.ratingCount }],
  ["popularity", { kind: "number", shown: true, of: (product) => product.popularity }],
  ["in_stock", { kind: "boolean", shown: true, of: (product) => product.inStock }],
  ["image", { kind: "keyword", shown: true, of: (product) => product.image }],
  ["created_at", { kind: "date", shown: false, of: (product) => product.createdAt }],
  ["_id", { kind: "keyword", shown: false, of: (product) => product.id }],
]);

/** A refused request, in Elasticsearch's words. */
export class ElasticError extends Error {
  override readonly name = "ElasticError";
  readonly status: number;
  readonly type: string;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(status: number, type: string, reason: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(reason);
    this.status = status;
    this.type = type;
    this.detail = detail;
  }
}

/** The JSON body of an error reply. */
export function errorBody(error: ElasticError): unknown {
  const cause = { type: error.type, reason: error.message, ...error.detail };
  return { error: { root_cause: [cause], ...cause }, status: error.status };
}

export function illegal(reason: string): ElasticError {
  return new ElasticError(400, "illegal_argument_exception", reason);
}

export function unparsable(reason: string): ElasticError {
  return new ElasticError(400, "parsing_exception", reason);
}

/** A field by its name; the `.keyword` that dynamic mappings add is dropped. */
export function fieldOf(name: string, purpose: string): Field {
  const field = FIELDS.get(name.replace(/\.keyword$/, ""));
  if (field === undefined)
    throw illegal(`No mapping found for [${name}] in order to ${purpose}; the fields are ${[...FIELDS.keys()].join(", ")}`);
  return field;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value for an error message, shortened. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function readObject(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (!isObject(value)) throw unparsable(`[${name}] must be an object, found ${quote(value)}`);
  return value;
}

export function readText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw unparsable(`[${name}] must be text, found ${quote(value)}`);
}

/** A whole number of at least 0, also from text as URLs carry it. */
export function readCount(value: unknown, name: string): number {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof number !== "number" || !Number.isInteger(number))
    throw illegal(`Failed to parse parameter [${name}]: expected a whole number, found ${quote(value)}`);
  if (number < 0) throw illegal(`[${name}] parameter cannot be negative, found [${number}]; use 0 or more`);
  return number;
}

/** The one key and value of an object such as `{"match": {...}}`. */
export function readOnly(value: unknown, name: string): readonly [key: string, value: unknown] {
  const entries = Object.entries(readObject(value, name));
  const [first] = entries;
  if (first === undefined || entries.length > 1) {
    throw unparsable(
      `[${name}] must have exactly one key, found ${entries.length === 0 ? "none" : entries.map(([key]) => key).join(", ")}`,
    );
  }
  return first;
}

/** An object with no keys outside `known`, so that a typing error is not silently ignored. */
export function readOptions(value: unknown, known: readonly string[], name: string): Readonly<Record<string, unknown>> {
  const options = readObject(value, name);
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) throw unparsable(`Unknown key [${key}] in [${name}]; this engine knows ${known.join(", ")}`);
  }
  return options;
}
