/**
 * The filters of a request as field → values, as far as rules compare them: fields with one value or a list of values, all of which hold together.
 * Reads the filter languages of Algolia, Typesense, Meilisearch and Solr, which differ in signs only; lists of filters; Elasticsearch's
 * clauses, Shopify's product filters, and parameters of a field each.
 *
 * A field that is compared in another way (a range, say) is left out, for no set of values says the same; where it is not clear which
 * field a part is about, nothing is read.
 */
import { isObject, type JsonObject, member } from "./json/values.ts";

type Filters = Map<string, readonly string[]>;

/** Longer ones are not read: nobody writes them for a rule. */
const MOST_CHARACTERS = 4000;

/** Around all of a filter. */
const MOST_BRACKETS = 20;

/** Several texts are limited as one. */
const isShort = (texts: readonly unknown[]): boolean =>
  texts.reduce<number>((sum, text) => sum + (typeof text === "string" ? text.length : 0), 0) <= MOST_CHARACTERS;

const FIELD = /^([A-Za-z_][\w.@-]*)(\s*(?::=|:|==|=(?!=)|!=|:!=|>=?|<=?)|\s+IN\s+(?=\[)|\s+(?:NOT|TO|EXISTS|IS|CONTAINS|STARTS)\b)\s*/i;

/** `undefined` where it cannot be read. */
export function readFilters(text: string): Filters | undefined {
  if (text.length > MOST_CHARACTERS) return undefined;
  const clauses = splitAt(text, /^(?:\s+AND\s+|\s*&&\s*)/i);
  return clauses && joined(clauses.map(readClause));
}

/** Lists of lists: the outer ones hold together, of an inner one any (Algolia's facetFilters, Meilisearch's filter). */
export function readFilterList(given: unknown): Filters | undefined {
  if (given === undefined || given === null || given === "") return new Map();
  if (typeof given === "string") return readFilters(given);
  if (!Array.isArray(given) || !isShort(given.flat())) return undefined;
  return joined(
    given.map((one: unknown) => {
      const any: readonly unknown[] = Array.isArray(one) ? one : [one];
      if (any.some((text) => typeof text !== "string")) return undefined;
      return any.length === 1 ? readWhole(String(any[0])) : sameField(any.map((text) => readClause(String(text))));
    }),
  );
}

/** An entry of a list may be a filter of several parts. */
function readWhole(text: string): readonly Clause[] | undefined {
  return joint(splitAt(text, /^(?:\s+AND\s+|\s*&&\s*)/i)?.map(readClause) ?? [undefined]);
}

/** `undefined` where one of them is. */
function joint(read: readonly ReadClauses[]): ReadClauses {
  const known = read.filter((clauses) => clauses !== undefined);
  return known.length === read.length ? known.flat() : undefined;
}

interface Clause {
  readonly field: string;
  /** `undefined`: compared in another way. */
  readonly values: readonly string[] | undefined;
}

/** Two clauses on one field are no set of values. */
function joined(read: readonly (readonly Clause[] | undefined)[]): Filters | undefined {
  const found: Filters = new Map();
  const left = new Set<string>();
  for (const clauses of read) {
    if (clauses === undefined) return undefined;
    for (const { field, values } of clauses) {
      if (values === undefined || found.has(field)) left.add(field);
      else found.set(field, values);
    }
  }
  for (const field of left) found.delete(field);
  return found;
}

/** `undefined` where it is not clear which field it is about. */
function readClause(text: string): readonly Clause[] | undefined {
  const trimmed = unwrapped(text.trim());
  if (trimmed === "") return [];
  const any = splitAt(trimmed, /^(?:\s+OR\s+|\s*\|\|\s*)/i);
  if (any === undefined) return undefined;
  if (any.length > 1) return sameField(any.map(readClause));
  const negative = /^(?:NOT\s+|[-!+])/i.exec(trimmed)?.[0];
  const rest = negative === undefined || negative === "+" ? trimmed.replace(/^\+/, "") : trimmed.slice(negative.length);
  const [whole, field, sign] = FIELD.exec(rest) ?? [];
  if (whole === undefined || field === undefined || sign === undefined) return undefined;
  const isPlain = (negative === undefined || negative === "+") && [":", ":=", "=", "=="].includes(sign.trim());
  if (!isPlain && !/^\s+IN\s+$/i.test(sign)) return [{ field, values: undefined }];
  if (negative !== undefined && negative !== "+") return [{ field, values: undefined }];
  return [{ field, values: valuesIn(rest.slice(whole.length).trim()) }];
}

function sameField(read: readonly (readonly Clause[] | undefined)[]): readonly Clause[] | undefined {
  const clauses = read.flatMap((one) => one ?? [UNCLEAR]);
  const [first] = clauses;
  if (first === undefined || clauses.some(({ field }) => field !== first.field) || first === UNCLEAR) return undefined;
  const isPlain = clauses.every(({ values }) => values !== undefined);
  return [{ field: first.field, values: isPlain ? clauses.flatMap(({ values }) => values ?? []) : undefined }];
}

const UNCLEAR: Clause = { field: "", values: undefined };

/** One value, or those of a list. `undefined` for ranges and patterns. */
function valuesIn(text: string): readonly string[] | undefined {
  const bare = text.replace(/^=\s*/, "");
  const inner = /^\[([\s\S]*)\]$/.exec(bare)?.[1] ?? (bare.startsWith("(") ? unwrapped(bare) : undefined);
  if (inner === undefined) return oneOf(bare);
  const parts = splitAt(inner, bare.startsWith("(") ? /^\s+OR\s+/i : /^\s*,\s*/);
  const values = parts?.flatMap((part) => valuesOf(part) ?? []);
  return values === undefined || values.length === 0 || values.length !== parts?.length ? undefined : values;
}

function oneOf(text: string): readonly string[] | undefined {
  const value = valuesOf(text);
  return value === undefined ? undefined : [value];
}

function valuesOf(text: string): string | undefined {
  const trimmed = text.trim();
  const quoted = /^(["'`])([\s\S]*)\1$/.exec(trimmed);
  if (quoted !== null) return quoted[2]!.replaceAll(/\\(.)/g, "$1");
  // A range, a comparison, a pattern, or several words that a language reads as several clauses.
  return trimmed === "" || /^[<>!*]|\.\.|[*?]$|\sTO\s|[[\](){}]/i.test(trimmed) ? undefined : trimmed;
}

/** Without brackets around all of it. */
function unwrapped(text: string): string {
  let inner = text;
  for (let depth = 0; depth < MOST_BRACKETS && inner.startsWith("(") && closing(inner) === inner.length - 1; depth++)
    inner = inner.slice(1, -1).trim();
  return inner;
}

/** Where the bracket at 0 is closed. */
function closing(text: string): number {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const end = skipQuoted(text, at);
    if (end !== at) at = end - 1;
    else if ("([".includes(text[at]!)) depth++;
    else if (")]".includes(text[at]!) && --depth === 0) return at;
  }
  return -1;
}

function skipQuoted(text: string, at: number): number {
  const quote = text[at]!;
  if (!`"'\``.includes(quote)) return at;
  for (let end = at + 1; end < text.length; end++) {
    if (text[end] === "\\") end++;
    else if (text[end] === quote) return end + 1;
  }
  return text.length;
}

/** At separators outside of quotes and brackets; `undefined` where brackets do not pair. */
function splitAt(text: string, separator: RegExp): readonly string[] | undefined {
  const parts: string[] = [];
  let depth = 0;
  let from = 0;
  for (let at = 0; at < text.length;) {
    const end = skipQuoted(text, at);
    if (end !== at) {
      at = end;
      continue;
    }
    const sign = text[at]!;
    if ("([".includes(sign)) depth++;
    if (")]".includes(sign) && --depth < 0) return undefined;
    // Separators begin with a space or a sign.
    const found = depth === 0 && /[\s&|,]/.test(sign) ? separator.exec(text.slice(at, at + 12)) : null;
    if (found === null) at++;
    else {
      parts.push(text.slice(from, at));
      at += found[0].length;
      from = at;
    }
  }
  return depth === 0 ? [...parts, text.slice(from)] : undefined;
}

/** Local parameters that change nothing of what a filter says. */
const ABOUT_FILTER = /^\s*\{!(?:\s*(?:tag|cache|cost)=(?:"[^"]*"|'[^']*'|[^\s}"'=]+))+\s*\}/;
const ONE_TERM = /^\s*\{!term\s+f=([\w.-]+)\s*\}(.+)$/s;

/** Several filters that hold together, each as one text. */
export function readAllFilters(texts: readonly string[]): Filters | undefined {
  if (!isShort(texts)) return undefined;
  const clauses = texts.map((given): readonly Clause[] | undefined => {
    const text = given.replace(ABOUT_FILTER, "");
    const [, field, value] = ONE_TERM.exec(text) ?? [];
    if (field !== undefined && value !== undefined) return [{ field, values: [value] }];
    return /^\s*\{!/.test(text) ? undefined : readWhole(text);
  });
  return joined(clauses);
}

const IDS: ReadonlySet<string> = new Set(["id", "_id", "ids", "objectid", "documentid"]);

/** Those of a page of the shop: not where items are asked for by their ids, which is a list that somebody chose (a wishlist, say). */
export function pageFilters(filters: Filters | undefined, { idField }: { readonly idField: string }): Filters | undefined {
  const own = idField.slice(idField.lastIndexOf(".") + 1);
  return [...(filters?.keys() ?? [])].some((field) => field === own || IDS.has(field.toLowerCase())) ? undefined : filters;
}

/** The filters of both. */
export function mergedFilters(...all: readonly (Filters | undefined)[]): Filters | undefined {
  return joined(all.map((one) => one && [...one].map(([field, values]) => ({ field, values }))));
}

/** Shopify's `productFilters`: those of one field are alternatives, and fields hold together. */
export function productFilters(given: unknown): Filters | undefined {
  if (given === undefined || given === null) return new Map();
  if (!Array.isArray(given) || !given.every(isObject)) return undefined;
  const clauses = given.flatMap((filter) =>
    Object.entries(filter).flatMap(([name, value]) => (value === null ? [] : [productClause(name, value)])),
  );
  const fields = Map.groupBy(clauses, ({ field }) => field);
  return joined([...fields.values()].map((own) => sameField(own.map((one) => [one]))));
}

/** Members of a filter that name the field beside the value. */
function productClause(name: string, value: unknown): Clause {
  if (!isObject(value)) return { field: name, values: textsOf(value) };
  const { name: option, namespace, key, id } = value;
  if (name === "variantOption" && typeof option === "string") return { field: `${name}.${option}`, values: textsOf(value["value"]) };
  if (typeof namespace === "string" && typeof key === "string")
    return { field: `${name}.${namespace}.${key}`, values: textsOf(value["value"]) };
  return { field: name, values: name === "category" ? textsOf(id) : undefined };
}

/** Values of one field each, as a request's own parameters give them. */
export function valueFilters(fields: readonly (readonly [field: string, given: readonly unknown[]])[]): Filters {
  const found: Filters = new Map();
  for (const [field, given] of fields) {
    const values = textsOf(given.flat().filter((one) => one !== "" && one !== null));
    if (values !== undefined) found.set(field, values);
  }
  return found;
}

/** `bool.filter` and `post_filter` of a body of Elasticsearch. */
export function queryFilters(values: JsonObject | undefined): Filters | undefined {
  return joined([...clausesIn(member(values, "query"), false, 0), ...clausesIn(member(values, "post_filter"), true, 0)]);
}

/** The filters of a body of Elasticsearch that looks for no words: then every clause filters. */
export function listFilters(values: JsonObject | undefined): Filters | undefined {
  return joined([...clausesIn(member(values, "query"), true, 0), ...clausesIn(member(values, "post_filter"), true, 0)]);
}

const MOST_LEVELS = 10;

type ReadClauses = readonly Clause[] | undefined;

const comparedOtherwise = (clauses: ReadClauses): ReadClauses => clauses?.map(({ field }) => ({ field, values: undefined }));

/** Alternatives: a field with the values of all, where they are of one field. */
function alternatives(should: readonly unknown[], options: unknown, others: number, depth: number): readonly ReadClauses[] {
  const least = member(options, "minimum_should_match") ?? (others === 0 ? 1 : 0);
  if (least !== 1 && least !== "1") return [undefined];
  return [sameField(should.map((one) => joint(clausesIn(one, true, depth + 1))))];
}

/** `isFilter`: every clause filters. Beside it, clauses look for words. */
function clausesIn(query: unknown, isFilter: boolean, depth: number): readonly (readonly Clause[] | undefined)[] {
  if (!isObject(query)) return [];
  if (depth > MOST_LEVELS) return [undefined];
  return Object.entries(query).flatMap(([kind, options]): readonly (readonly Clause[] | undefined)[] => {
    const inner = (name: string): readonly unknown[] => [member(options, name) ?? []].flat();
    if (kind === "bool") {
      const others = inner("filter").length + inner("must").length;
      return [
        ...inner("filter").flatMap((one) => clausesIn(one, true, depth + 1)),
        ...inner("must").flatMap((one) => clausesIn(one, isFilter, depth + 1)),
        ...(isFilter ? inner("must_not").flatMap((one) => clausesIn(one, true, depth + 1).map(comparedOtherwise)) : []),
        // Beside others, none of them need hold: they score.
        ...(isFilter && inner("should").length > 0 ? alternatives(inner("should"), options, others, depth) : []),
      ];
    }
    if (["constant_score", "function_score", "script_score"].includes(kind))
      return [
        ...inner("filter").flatMap((one) => clausesIn(one, true, depth + 1)),
        ...inner("query").flatMap((one) => clausesIn(one, isFilter, depth + 1)),
      ];
    if (!isFilter) return [];
    if (kind === "nested") return inner("query").flatMap((one) => clausesIn(one, true, depth + 1));
    if (!isObject(options)) return [undefined];
    const fields = Object.entries(options).filter(([name]) => name !== "boost" && name !== "_name");
    if (kind === "term" || kind === "terms")
      return fields.map(([name, value]) => [
        { field: name.replace(/\.keyword$/, ""), values: textsOf(isObject(value) ? value["value"] : value) },
      ]);
    if (kind === "range" || kind === "prefix" || kind === "wildcard") return fields.map(([field]) => [{ field, values: undefined }]);
    return kind === "exists" || kind === "match_all" ? [] : [undefined];
  });
}

function textsOf(value: unknown): readonly string[] | undefined {
  const list: readonly unknown[] = [value].flat();
  const texts = list.flatMap((one) => (["string", "number", "boolean"].includes(typeof one) ? [String(one)] : []));
  return texts.length === list.length && texts.length > 0 ? texts : undefined;
}
