/**
 * The shopper's words in `q`, read as Solr's parsers read it: operators, field names, boosts, ranges and wildcards are no words, what a clause
 * excludes is none either, and a query of functions, vectors, ids or other documents has none.
 *
 * Linear: a request can refer to the same text from many places, so all texts together are limited.
 */
import { type Param, paramOf } from "../json/request.ts";
import { textOf } from "../json/values.ts";
import { readSection } from "./sections.ts";

/** Nobody types more. */
const MAX_CHARS = 10_000;
const MAX_LEVELS = 6;

/** Parsers of the shopper's words → how their text is written. The others order by something else, or look up a value as it is. */
const TEXT_PARSERS: ReadonlyMap<string, "syntax" | "forgiving" | "plain"> = new Map([
  ...["lucene", "lucenePlusSort", "complexphrase", "boost", "query", "maxscore", "multiMaxScore"].map((name) => [name, "syntax"] as const),
  ...["dismax", "edismax", "querqy", "simple"].map((name) => [name, "forgiving"] as const),
  ["field", "plain"],
]);

interface Reader {
  readonly params: readonly Param[];
  readonly idField: string;
  /** Characters that may still be read. */
  left: number;
  /** In their order, each once where the query names fields: applications repeat the words for each of them. */
  readonly words: string[];
  isFielded: boolean;
}

/** `undefined` for a query without words. `params`: those of the request, or all that the engine has added to them too. */
export function queryTextOf(params: readonly Param[], idField: string): string | undefined {
  const q = paramOf(params, "q") ?? "";
  const reader: Reader = { params, idField, left: MAX_CHARS, words: [], isFielded: false };
  readQuery(reader, q, paramOf(params, "defType") || "lucene", 0);
  return textOf((reader.isFielded ? unique(reader.words) : reader.words).join(" "));
}

function unique(words: readonly string[]): string[] {
  return [...new Map(words.map((word) => [word.toLowerCase(), word])).values()];
}

/** A text with its local parameters, if it has any. */
function readQuery(reader: Reader, text: string, parser: string, level: number): void {
  if (level > MAX_LEVELS || reader.left <= 0) return;
  // Behind a space they are a clause of the text.
  if (!text.startsWith("{!")) return readText(reader, text, parser, level);
  const section = readSection(text, 2, "}");
  if (!section.ok) return;
  // Sections can refer to each other many times over.
  reader.left -= section.value.end;
  const local = new Map(section.value.pairs);
  const followed = (value: string): string =>
    value.startsWith("$") ? (paramOf(reader.params, value.slice(1)) ?? "") : value.replaceAll(ESCAPE, "$1");
  const type = local.get("type") ?? parser;
  if (type === "bool") {
    const clauses = section.value.pairs.filter(([name]) => name === "must" || name === "should");
    for (const [, value] of clauses) readQuery(reader, followed(value), "lucene", level + 1);
    return;
  }
  const value = local.get("v");
  const inner = value === undefined ? text.slice(section.value.end) : followed(value);
  // These hand on to another parser, by default the usual one.
  if (["boost", "query"].includes(type)) return readQuery(reader, inner, "lucene", level + 1);
  readText(reader, inner, type, level + 1);
}

const ESCAPE = /\\([^])/g;
const SPACE = /\s+/y;
const PHRASE = /"((?:\\[^]|[^"\\])*)"?/y;
const RANGE = /[[{][^\][{}]*\sTO\s[^\][{}]*[\]}]/y;
const REGEX = /\/(?:\\[^]|[^/\\])+\//y;
const BOOST = /[\^~]=?[\d.]*/y;
const TERM = /(?:\\[^]|[^\s()"[\]{}^~:\\])+/y;
/** What follows local parameters inside of a text belongs to them. */
const EMBEDDED = /[^\s(){^]*/y;

const OPERATORS: ReadonlySet<string> = new Set(["AND", "OR", "&&", "||", "TO"]);

function readText(reader: Reader, text: string, parser: string, level: number): void {
  const style = TEXT_PARSERS.get(parser);
  if (style === undefined || reader.left <= 0) return;
  const source = text.slice(0, reader.left);
  reader.left -= source.length;
  if (style === "plain" || /^[\p{L}\p{N}\s]*$/u.test(source.replaceAll(/\b(?:AND|OR|NOT)\b/g, "-"))) {
    if (source.trim() !== "") reader.words.push(source.trim());
    return;
  }
  let at = 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const taken = pattern.exec(source);
    if (taken !== null) at += taken[0].length;
    return taken?.[1] ?? taken?.[0];
  };
  /** Of the groups around; what is excluded holds no words. */
  const around: boolean[] = [];
  let isOut = false;
  let isNextOut = false;
  let field: string | undefined;
  const endClause = (): boolean => {
    const isWord = !isOut && !isNextOut;
    isNextOut = false;
    field = undefined;
    return isWord;
  };
  const add = (word: string): void => {
    const isValue = field !== undefined && /^(?:true|false)$/i.test(word);
    const bare = word.replaceAll(/^[*?]+|[*?]+$/g, "");
    if (endClause() && !isValue && bare !== "") reader.words.push(bare);
  };

  while (at < source.length) {
    if (take(SPACE) !== undefined) continue;
    const char = source[at]!;
    if (char === "(") {
      around.push(isOut);
      isOut ||= isNextOut;
      isNextOut = false;
      at++;
    } else if (char === ")") {
      isOut = around.pop() ?? false;
      field = undefined;
      at++;
    } else if (char === '"') {
      const phrase = (take(PHRASE) ?? "").replaceAll(ESCAPE, "$1");
      if (field !== "_query_") add(phrase.trim());
      else if (endClause()) readQuery(reader, phrase, "lucene", level + 1);
    } else if (char === "[" || char === "{") {
      const section = source.startsWith("{!", at) ? readSection(source, at + 2, "}") : undefined;
      if (section?.ok === true) {
        const from = at;
        at = section.value.end;
        take(EMBEDDED);
        if (endClause()) readQuery(reader, source.slice(from, at), "lucene", level + 1);
      } else if (take(RANGE) === undefined) at++;
      else endClause();
    } else if (char === "^" || char === "~") {
      take(BOOST);
    } else if (char === "/" && style === "syntax" && take(REGEX) !== undefined) {
      endClause();
    } else if (char === "+") {
      at++;
    } else if (char === "-" || char === "!") {
      at++;
      // Dashes between spaces exclude nothing.
      isNextOut ||= /\S/.test(source[at] ?? " ");
    } else {
      const term = take(TERM);
      if (term === undefined) at++;
      else if (term === "NOT") isNextOut = true;
      else if (OPERATORS.has(term)) continue;
      else if (source[at] === ":" && /[\p{L}\p{N}_*]/u.test(term) && /[^\s:]/.test(source[at + 1] ?? " ")) {
        at++;
        field = term;
        reader.isFielded = true;
        isNextOut ||= field === "_val_" || field === "id" || field === reader.idField;
      } else add(term.replaceAll(ESCAPE, "$1"));
    }
  }
}
