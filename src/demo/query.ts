/**
 * Elasticsearch's query language, as far as a shop's search box, filters and facets use it: unknown JSON → a small tree, which the engine
 * scores. Unknown parts are refused by name.
 */
import type { Product } from "./catalogue/catalogue.ts";
import { fieldOf, illegal, isObject, quote, readObject, readOnly, readText, readOptions, unparsable } from "./dialect.ts";

export type Query =
  | { readonly kind: "all"; readonly boost: number }
  | { readonly kind: "none" }
  | {
      readonly kind: "text";
      readonly text: string;
      /** Field → weight. */
      readonly fields: Readonly<Record<string, number>>;
      readonly operator: "and" | "or";
      /** Edits allowed per term; "AUTO" is 0 up to 2 letters, 1 up to 5, else 2. */
      readonly fuzziness: number | "AUTO";
      readonly boost: number;
    }
  | { readonly kind: "filter"; readonly accepts: (product: Product) => boolean; readonly boost: number }
  | {
      readonly kind: "bool";
      readonly must: readonly Query[];
      readonly should: readonly Query[];
      readonly filter: readonly Query[];
      readonly mustNot: readonly Query[];
      readonly minimumShould: number;
      readonly boost: number;
    };

/** Fields that hold words, and their weight when a request names none (`?q=` and `fields` left out). */
export const TEXT_FIELDS: Readonly<Record<string, number>> = { title: 2, category: 1 };

function readBoost(value: unknown): number {
  if (value === undefined) return 1;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw illegal(`[boost] must be a number of at least 0, found ${quote(value)}`);
  return value;
}

function readOperator(value: unknown): "and" | "or" {
  if (value === undefined) return "or";
  const operator = readText(value, "operator").toLowerCase();
  if (operator !== "and" && operator !== "or") throw illegal(`[operator] must be "and" or "or", found ${quote(value)}`);
  return operator;
}

function readFuzziness(value: unknown): number | "AUTO" {
  if (value === undefined) return 0;
  if (typeof value === "string" && value.toUpperCase() === "AUTO") return "AUTO";
  const edits = Number(value);
  if (edits !== 0 && edits !== 1 && edits !== 2) throw illegal(`[fuzziness] must be "AUTO", 0, 1 or 2, found ${quote(value)}`);
  return edits;
}

function textField(spec: string): readonly [name: string, weight: number] {
  const [name = "", weight] = spec.split("^");
  const plain = name.replace(/\.keyword$/, "");
  if (!(plain in TEXT_FIELDS))
    throw illegal(`Field [${name}] holds no words to match; match on ${Object.keys(TEXT_FIELDS).join(" or ")}, or use [term]`);
  const factor = weight === undefined ? 1 : Number(weight);
  if (!Number.isFinite(factor) || factor < 0) throw illegal(`Field [${spec}] has no usable weight; write for example ${plain}^2`);
  return [plain, factor];
}

/** A search for words in any field, as `?q=` and the simulator send. */
export function textQuery(text: string): Query {
  return { kind: "text", text, fields: TEXT_FIELDS, operator: "or", fuzziness: 0, boost: 1 };
}

function readMatch(value: unknown): Query {
  const [field, given] = readOnly(value, "match");
  const options = readOptions(isObject(given) ? given : { query: given }, ["query", "operator", "fuzziness", "boost"], `match.${field}`);
  const [name, weight] = textField(field);
  return {
    kind: "text",
    text: readText(options["query"], `match.${field}.query`),
    fields: { [name]: weight },
    operator: readOperator(options["operator"]),
    fuzziness: readFuzziness(options["fuzziness"]),
    boost: readBoost(options["boost"]),
  };
}

function readMultiMatch(value: unknown): Query {
  // `type` chooses how fields combine; MiniSearch has one way, so the usual three mean the same.
  const options = readOptions(value, ["query", "fields", "type", "operator", "fuzziness", "boost"], "multi_match");
  const type = options["type"] ?? "best_fields";
  if (type !== "best_fields" && type !== "most_fields" && type !== "cross_fields") {
    throw illegal(`[multi_match] type ${quote(type)} is not supported; use best_fields, most_fields or cross_fields`);
  }
  const fields = options["fields"];
  if (fields !== undefined && !Array.isArray(fields)) throw unparsable(`[multi_match.fields] must be a list, found ${quote(fields)}`);
  const named = fields?.map((field) => textField(readText(field, "multi_match.fields")));
  return {
    kind: "text",
    text: readText(options["query"], "multi_match.query"),
    fields: named === undefined || named.length === 0 ? TEXT_FIELDS : Object.fromEntries(named),
    operator: readOperator(options["operator"]),
    fuzziness: readFuzziness(options["fuzziness"]),
    boost: readBoost(options["boost"]),
  };
}

/** Term queries compare whole values; numbers and booleans may come as text. */
function readTerms(values: readonly unknown[], field: string, boost: unknown): Query {
  const { of } = fieldOf(field, "filter on");
  const wanted = new Set(values.map((value) => readText(value, field)));
  return { kind: "filter", accepts: (product) => wanted.has(String(of(product))), boost: readBoost(boost) };
}

function readTermQuery(value: unknown): Query {
  const [field, given] = readOnly(value, "term");
  const options = readOptions(isObject(given) ? given : { value: given }, ["value", "boost"], `term.${field}`);
  return readTerms([options["value"]], field, options["boost"]);
}

function readTermsQuery(value: unknown): Query {
  const { boost, ...rest } = readObject(value, "terms");
  const [field, given] = readOnly(rest, "terms");
  if (!Array.isArray(given)) throw unparsable(`[terms.${field}] must be a list, found ${quote(given)}`);
  return readTerms(given, field, boost);
}

function readIds(value: unknown): Query {
  const options = readOptions(value, ["values", "boost"], "ids");
  const values = options["values"];
  if (!Array.isArray(values)) throw unparsable(`[ids.values] must be a list, found ${quote(values)}`);
  return readTerms(values, "_id", options["boost"]);
}

const BOUNDS: Readonly<Record<string, (value: number | string, bound: number | string) => boolean>> = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
};

function readRange(value: unknown): Query {
  const [name, given] = readOnly(value, "range");
  const { boost, ...bounds } = readObject(given, `range.${name}`);
  const field = fieldOf(name, "filter on");
  if (field.kind !== "number" && field.kind !== "date") throw illegal(`Field [${name}] has no order; [range] works on numbers and dates`);
  const tests = Object.entries(bounds).map(([key, bound]) => {
    const test = BOUNDS[key];
    if (test === undefined) throw unparsable(`[range] query does not support [${key}]; use ${Object.keys(BOUNDS).join(", ")}`);
    if (field.kind === "date") {
      const day = readText(bound, `range.${name}.${key}`);
      if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw illegal(`[range.${name}.${key}] must be a day as YYYY-MM-DD, found ${quote(bound)}`);
      return (known: number | string) => test(known, day);
    }
    const limit = typeof bound === "boolean" || bound === null || bound === "" ? Number.NaN : Number(bound);
    if (!Number.isFinite(limit)) throw illegal(`[range.${name}.${key}] must be a number, found ${quote(bound)}`);
    return (known: number | string) => test(known, limit);
  });
  return {
    kind: "filter",
    accepts: (product) => {
      const known = field.of(product);
      return known !== undefined && typeof known !== "boolean" && tests.every((test) => test(known));
    },
    boost: readBoost(boost),
  };
}

function readClauses(value: unknown): Query[] {
  if (value === undefined) return [];
  return (Array.isArray(value) ? value : [value]).map((clause) => parseQuery(clause));
}

function readBool(value: unknown): Query {
  const options = readOptions(value, ["must", "should", "filter", "must_not", "minimum_should_match", "boost"], "bool");
  const must = readClauses(options["must"]);
  const filter = readClauses(options["filter"]);
  const minimum = options["minimum_should_match"];
  const count = minimum === undefined ? (must.length + filter.length > 0 ? 0 : 1) : Number(minimum);
  if (!Number.isInteger(count) || count < 0)
    throw illegal(`[minimum_should_match] must be a whole number from 0 on, found ${quote(minimum)}`);
  return {
    kind: "bool",
    must,
    should: readClauses(options["should"]),
    filter,
    mustNot: readClauses(options["must_not"]),
    minimumShould: count,
    boost: readBoost(options["boost"]),
  };
}

const READERS: Readonly<Record<string, (value: unknown) => Query>> = {
  match_all: (value) => ({ kind: "all", boost: readBoost(readObject(value, "match_all")["boost"]) }),
  match_none: () => ({ kind: "none" }),
  match: readMatch,
  multi_match: readMultiMatch,
  term: readTermQuery,
  terms: readTermsQuery,
  ids: readIds,
  range: readRange,
  bool: readBool,
};

/** Throws an ElasticError that names the value and what to use instead. */
export function parseQuery(value: unknown): Query {
  const [name, given] = readOnly(value, "query");
  const reader = Object.hasOwn(READERS, name) ? READERS[name] : undefined;
  if (reader === undefined) throw unparsable(`unknown query [${name}]; this engine knows ${Object.keys(READERS).join(", ")}`);
  return reader(given);
}
