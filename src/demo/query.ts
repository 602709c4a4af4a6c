/**
 * Elasticsearch's query language, as far as a shop's search box, filters and facets use it: unknown JSON → a function that scores the
 * catalogue. Unknown parts are refused by name.
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

/** Fields that hold words, and their weight when a request names none (`?q=` and `fields` left out). */
export const TEXT_FIELDS: Readonly<Record<string, number>> = { title: 2, category: 1 };

/** Synonyms of a title's words: matched wherever the title is, for half its weight. In no mapping, as an engine's synonyms are. */
export const OTHER_NAMES = "otherNames";

/** A refused request, in Elasticsearch's words. */
export class ElasticError extends Error {
  override readonly name = "ElasticError";
  readonly status: number;
  /** JSON of the reply. */
  readonly body: unknown;

  constructor(status: number, type: string, reason: string, detail: Readonly<Record<string, unknown>> = {}) {
    super(reason);
    const cause = { type, reason, ...detail };
    this.status = status;
    this.body = { error: { root_cause: [cause], ...cause }, status };
  }
}

export const illegal = (reason: string): ElasticError => new ElasticError(400, "illegal_argument_exception", reason);

export const unparsable = (reason: string): ElasticError => new ElasticError(400, "parsing_exception", reason);

/** A field by its name; the `.keyword` that dynamic mappings add is dropped. */
export function fieldOf(name: string, purpose: string): Field {
  const field = FIELDS.get(name.replace(/\.keyword$/, ""));
  if (field === undefined)
    throw illegal(`No mapping found for [${name}] in order to ${purpose}; the fields are ${[...FIELDS.keys()].join(", ")}`);
  return field;
}

type Json = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value for an error message, shortened. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

export function readObject(value: unknown, name: string): Json {
  if (!isObject(value)) throw unparsable(`[${name}] must be an object, found ${quote(value)}`);
  return value;
}

function readList(value: unknown, name: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw unparsable(`[${name}] must be a list, found ${quote(value)}`);
}

/** A list, or a single value in place of one; undefined is none. */
export const listOf = (value: unknown): readonly unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [value]);

export function readText(value: unknown, name: string): string {
  if (typeof value === "string") return value;
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  throw unparsable(`[${name}] must be text, found ${quote(value)}`);
}

/** The only key and value of an object such as `{"match": {...}}`. */
export function readOnly(value: unknown, name: string): readonly [key: string, value: unknown] {
  const entries = Object.entries(readObject(value, name));
  const [first] = entries;
  if (first !== undefined && entries.length === 1) return first;
  throw unparsable(`[${name}] must have exactly one key, found ${entries.map(([key]) => key).join(", ") || "none"}`);
}

/** An object with no keys outside `known`, so that a typing error is not silently ignored. */
export function readOptions(value: unknown, known: readonly string[], name: string): Json {
  const options = readObject(value, name);
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown !== undefined) throw unparsable(`Unknown key [${unknown}] in [${name}]; this engine knows ${known.join(", ")}`);
  return options;
}

/** The searched products, and MiniSearch's index of their words, whose ids are indexes in the catalogue. */
interface Corpus {
  readonly products: readonly Product[];
  readonly texts: {
    search(
      text: string,
      options: { fields: string[]; boost: Record<string, number>; combineWith: "AND" | "OR"; fuzzy: (term: string) => number },
    ): { id: unknown; score: number; queryTerms: string[] }[];
  };
}

/** Index in the catalogue → score, of all matches. */
export type Scores = ReadonlyMap<number, number>;

export type Query = (corpus: Corpus) => Scores;

function readBoost(value: unknown): number {
  if (value === undefined) return 1;
  if (typeof value !== "number" || !Number.isFinite(value) || value < 0)
    throw illegal(`[boost] must be a number of at least 0, found ${quote(value)}`);
  return value;
}

function readOperator(value: unknown): "AND" | "OR" {
  const operator = readText(value === undefined ? "or" : value, "operator").toUpperCase();
  if (operator !== "AND" && operator !== "OR") throw illegal(`[operator] must be "and" or "or", found ${quote(value)}`);
  return operator;
}

/** "AUTO" is 0 up to 2 letters, 1 up to 5, else 2; "AUTO:4,8" is 0 below 4 letters, 1 below 8, else 2. */
function readFuzziness(value: unknown): (term: string) => number {
  const [, low = 3, high = 6] = (typeof value === "string" && /^AUTO(?::(\d+),(\d+))?$/i.exec(value)) || [];
  if (typeof value === "string" && /^AUTO/i.test(value)) return ({ length }) => (length < Number(low) ? 0 : length < Number(high) ? 1 : 2);
  const edits = value === undefined ? 0 : Number(value);
  if (edits !== 0 && edits !== 1 && edits !== 2) throw illegal(`[fuzziness] must be "AUTO", 0, 1 or 2, found ${quote(value)}`);
  return () => edits;
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

/** Of the mapping, times what a request asks for: whoever names a kind of thing wants no other kind. */
const CATEGORY_BOOST = 5;

function weightsOf(fields: Readonly<Record<string, number>>): Record<string, number> {
  const { title, category, ...others } = fields;
  return {
    ...others,
    ...(title !== undefined && { title, [OTHER_NAMES]: title / 2 }),
    ...(category !== undefined && { category: CATEGORY_BOOST * category }),
  };
}

/** A search for words in fields with weights; by default as `?q=` and the simulator send it. What matches all words stands first. */
export function textQuery(text: string, fields: Readonly<Record<string, number>> = TEXT_FIELDS, options: Json = {}): Query {
  const combineWith = readOperator(options["operator"]);
  const fuzzy = readFuzziness(options["fuzziness"]);
  const boost = readBoost(options["boost"]);
  return ({ texts }) => {
    const weights = weightsOf(fields);
    const found = texts.search(text, { fields: Object.keys(weights), boost: weights, combineWith, fuzzy });
    const [most, best] = [Math.max(...found.map(({ queryTerms }) => queryTerms.length)), Math.max(...found.map(({ score }) => score))];
    return new Map(found.map(({ id, score, queryTerms }) => [Number(id), (queryTerms.length === most ? score + best : score) * boost]));
  };
}

function readMatch(value: unknown): Query {
  const [field, given] = readOnly(value, "match");
  const options = readOptions(isObject(given) ? given : { query: given }, ["query", "operator", "fuzziness", "boost"], `match.${field}`);
  const fields = Object.fromEntries([textField(field)]);
  return textQuery(readText(options["query"], `match.${field}.query`), fields, options);
}

/** How fields and words combine. MiniSearch has one way, so all mean the same here, but for phrases, which this shop's titles do not need. */
const MATCH_TYPES = ["best_fields", "most_fields", "cross_fields", "bool_prefix", "phrase", "phrase_prefix"] as const;

function readMultiMatch(value: unknown): Query {
  const options = readOptions(value, ["query", "fields", "type", "operator", "fuzziness", "boost", "lenient"], "multi_match");
  const { type = "best_fields", fields = [] } = options;
  if (!MATCH_TYPES.some((known) => known === type))
    throw illegal(`[multi_match] type ${quote(type)} is not supported; use ${MATCH_TYPES.join(", ")}`);
  const list = readList(fields, "multi_match.fields").map((field) => readText(field, "multi_match.fields"));
  // "*": as where no field is named.
  const named = list.includes("*") ? [] : list.map(textField);
  const text = readText(options["query"], "multi_match.query");
  return textQuery(text, named.length === 0 ? undefined : Object.fromEntries(named), options);
}

export function filterQuery(accepts: (product: Product) => boolean, boost?: unknown): Query {
  const score = readBoost(boost);
  return ({ products }) => new Map([...products.entries()].filter(([, product]) => accepts(product)).map(([index]) => [index, score]));
}

/** Term queries compare whole values; numbers and booleans may come as text. */
function termQuery(values: readonly unknown[], field: string, boost: unknown): Query {
  const { of } = fieldOf(field, "filter on");
  const wanted = new Set(values.map((value) => readText(value, field)));
  return filterQuery((product) => wanted.has(String(of(product))), boost);
}

const BOUNDS: Readonly<Record<string, (value: number | string, bound: number | string) => boolean>> = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
};

function readBound(bound: unknown, isDay: boolean, name: string): number | string {
  if (isDay) {
    const day = readText(bound, name);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw illegal(`[${name}] must be a day as YYYY-MM-DD, found ${quote(bound)}`);
    return day;
  }
  const limit = typeof bound === "boolean" || bound === null || bound === "" ? Number.NaN : Number(bound);
  if (!Number.isFinite(limit)) throw illegal(`[${name}] must be a number, found ${quote(bound)}`);
  return limit;
}

function readRange(value: unknown): Query {
  const [name, given] = readOnly(value, "range");
  const { boost, ...bounds } = readObject(given, `range.${name}`);
  const { kind, of } = fieldOf(name, "filter on");
  if (kind !== "number" && kind !== "date") throw illegal(`Field [${name}] has no order; [range] works on numbers and dates`);
  const tests = Object.entries(bounds).map(([key, bound]) => {
    const test = BOUNDS[key];
    if (test === undefined) throw unparsable(`[range] query does not support [${key}]; use ${Object.keys(BOUNDS).join(", ")}`);
    const limit = readBound(bound, kind === "date", `range.${name}.${key}`);
    return (known: number | string) => test(known, limit);
  });
  return filterQuery((product) => {
    const known = of(product);
    return known !== undefined && typeof known !== "boolean" && tests.every((test) => test(known));
  }, boost);
}

function readBool(value: unknown): Query {
  const options = readOptions(value, ["must", "should", "filter", "must_not", "minimum_should_match", "boost"], "bool");
  const read = (name: string): Query[] => listOf(options[name]).map(parseQuery);
  const [must, should, filter, mustNot] = [read("must"), read("should"), read("filter"), read("must_not")];
  const { minimum_should_match: given = must.length + filter.length > 0 ? 0 : 1 } = options;
  const minimum = Number(given);
  if (!Number.isInteger(minimum) || minimum < 0)
    throw illegal(`[minimum_should_match] must be a whole number from 0 on, found ${quote(given)}`);
  const boost = readBoost(options["boost"]);
  return (corpus) => {
    const evaluate = (clauses: readonly Query[]) => clauses.map((clause) => clause(corpus));
    const [scoring, optional, unscored, banned] = [evaluate(must), evaluate(should), evaluate(filter), evaluate(mustNot)];
    const required = [...scoring, ...unscored];
    const scores = new Map<number, number>();
    for (const index of corpus.products.keys()) {
      if (required.some((clause) => !clause.has(index)) || banned.some((clause) => clause.has(index))) continue;
      const matching = optional.filter((clause) => clause.has(index));
      if (optional.length > 0 && matching.length < minimum) continue;
      const sum = [...scoring, ...matching].reduce((total, clause) => total + (clause.get(index) ?? 0), 0);
      scores.set(index, sum * boost);
    }
    return scores;
  };
}

const READERS: Readonly<Record<string, (value: unknown) => Query>> = {
  match_all: (value) => filterQuery(() => true, readObject(value, "match_all")["boost"]),
  match_none: () => () => new Map(),
  match: readMatch,
  multi_match: readMultiMatch,
  term: (value) => {
    const [field, given] = readOnly(value, "term");
    const options = readOptions(isObject(given) ? given : { value: given }, ["value", "boost"], `term.${field}`);
    return termQuery([options["value"]], field, options["boost"]);
  },
  terms: (value) => {
    const { boost, ...rest } = readObject(value, "terms");
    const [field, given] = readOnly(rest, "terms");
    return termQuery(readList(given, `terms.${field}`), field, boost);
  },
  ids: (value) => {
    const options = readOptions(value, ["values", "boost"], "ids");
    return termQuery(readList(options["values"], "ids.values"), "_id", options["boost"]);
  },
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
