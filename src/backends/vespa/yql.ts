/** YQL, Vespa's query language. */
import { filtersOfYql } from "./filters.ts";
import { type Clause, type Words, wordsOfClauses } from "./words.ts";

/**
 * A statement in YQL, Vespa's query language, as far as the edge reads it: outside of texts and comments only, because a shopper may type
 * `order by`.
 */
export interface Yql {
  /** `order by` */
  readonly isOrdered: boolean;
  /** `limit` or `offset`: they beat the parameters `hits` and `offset`. */
  readonly isPaged: boolean;
  /** Where the page can be read. */
  readonly page: YqlPage | undefined;
  /** `userQuery()`, which reads the parameter `query`. */
  readonly hasUserQuery: boolean;
  /** The first `userInput()` or `text()`: words, or a parameter of the request. */
  readonly input: Words | undefined;
  /** Of `contains`. */
  readonly words: Words | undefined;
  /** `undefined` for all of them. */
  readonly fields: readonly string[] | undefined;
  /** Names after `from`, none for `*`; `undefined` where the statement is not one plain `select`. */
  readonly sources: readonly string[] | undefined;
  /** Conditions on fields; `undefined` where they cannot be read. */
  readonly filters: () => ReturnType<typeof filtersOfYql>;
}

export interface YqlPage {
  readonly offset: number;
  readonly limit: number;
  /** The statement for hits [0, size). */
  readonly widened: (size: number) => string;
}

/** `undefined` where a text or a comment has no end. */
export function readYql(yql: string): Yql | undefined {
  const pieces = piecesOf(yql);
  if (pieces === undefined) return undefined;
  const { outline, texts } = outlineOf(yql, pieces);
  // After it comes grouping, which has words of its own.
  const [statement = ""] = outline.split("|", 1);
  const isPaged = /\b(?:limit|offset)\b/i.test(statement);
  return {
    isOrdered: /\border by\b/i.test(statement),
    isPaged,
    page: isPaged ? pageOf(yql, pieces) : undefined,
    hasUserQuery: /\buserQuery ?\(/.test(statement),
    input: inputOf(statement, texts),
    words: / contains /i.test(statement) ? wordsOfClauses(clausesOf(statement, texts)) : undefined,
    fields: fieldsOf(statement),
    sources: sourcesOf(outline),
    filters: () => filtersOfYql(statement, (number) => unescape(texts[number] ?? "")),
  };
}

/** A text with its quotes, or a comment or white space, or anything between. */
interface Piece {
  readonly kind: "text" | "gap" | "plain";
  readonly start: number;
  readonly end: number;
}

/** Single spaces too. */
const PLAIN = /[^"'/#\t\n\v\f\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/y;

function piecesOf(yql: string): Piece[] | undefined {
  const pieces: Piece[] = [];
  for (let at = 0; at < yql.length;) {
    const char = yql.charAt(at);
    let kind: Piece["kind"] = "gap";
    let end = at + 1;
    if (char === '"' || char === "'") {
      while (end < yql.length && yql.charAt(end) !== char) end += yql.charAt(end) === "\\" ? 2 : 1;
      if (end >= yql.length) return undefined;
      end++;
      kind = "text";
    } else if (yql.startsWith("/*", at)) {
      end = yql.indexOf("*/", at + 2) + 2;
      if (end < 2) return undefined;
    } else if (char === "#" || yql.startsWith("//", at)) {
      while (end < yql.length && !/[\n\r]/.test(yql.charAt(end))) end++;
    } else if (char === " " || !/\s/.test(char)) {
      // The slash of no comment, or all up to the next character that means something here.
      PLAIN.lastIndex = at;
      end = PLAIN.test(yql) ? PLAIN.lastIndex : end;
      kind = "plain";
    }
    pieces.push({ kind, start: at, end });
    at = end;
  }
  return pieces;
}

/** The statement with each text, as it is written, as its number in quotes, each comment and all white space as one space. */
function outlineOf(yql: string, pieces: readonly Piece[]): { readonly outline: string; readonly texts: readonly string[] } {
  const texts: string[] = [];
  const parts = pieces.map(({ kind, start, end }) => {
    if (kind === "plain") return yql.slice(start, end);
    if (kind === "gap") return " ";
    texts.push(yql.slice(start + 1, end - 1));
    return `"${texts.length - 1}"`;
  });
  return { outline: parts.join("").replaceAll(/ {2,}/g, " "), texts };
}

/** What Vespa gives where a statement names the first hit only. */
const DEFAULT_HITS = 10;
const PAGE = /\blimit +(\d{1,9})(?: +offset +(\d{1,9}))?(?= *(?:;|$)| +timeout\b)|\boffset +(\d{1,9})(?= *(?:;|$)| +timeout\b)/i;

/** In a copy of the statement of which each text and comment is blank, so that positions stay. `limit` counts from the first hit, not `offset`. */
function pageOf(yql: string, pieces: readonly Piece[]): YqlPage | undefined {
  const blank = pieces.map(({ kind, start, end }) => {
    if (kind === "plain") return yql.slice(start, end);
    return kind === "text" ? `"${"_".repeat(end - start - 2)}"` : " ".repeat(end - start);
  });
  const [statement = ""] = blank.join("").split("|", 1);
  const found = PAGE.exec(statement);
  if (found === null) return undefined;
  const [whole, limit, after, only] = found;
  // The limit is a parameter.
  if (limit === undefined && /\blimit\b/i.test(statement)) return undefined;
  const offset = Number(after ?? only ?? 0);
  const { index } = found;
  return {
    offset,
    limit: limit === undefined ? DEFAULT_HITS : Number(limit) - offset,
    widened: (size) => `${yql.slice(0, index)}limit ${size}${yql.slice(index + whole.length)}`,
  };
}

const ESCAPES: ReadonlyMap<string, string> = new Map(Object.entries({ b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" }));

function unescape(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escape: string) =>
    escape.length === 5 ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : (ESCAPES.get(escape) ?? escape),
  );
}

/** With settings of the call, `{grammar: "all"}`, inside its brackets. */
const INPUT = /\b(?:userInput|text) ?\( ?(?:\[? ?\{[^{}]{0,300}\} ?\]? ?)?(?:@ ?([\w.:-]+)|"(\d+)")/;

function inputOf(statement: string, texts: readonly string[]): Words | undefined {
  const [, param, index] = INPUT.exec(statement) ?? [];
  if (param !== undefined) return { param };
  const words = index === undefined ? undefined : texts[Number(index)];
  return words === undefined ? undefined : { words: unescape(words) };
}

/** A field, settings, and what it must hold. The words of `uri` are none of a shopper. */
const CONTAINS =
  /(?<![\w.])([\w.]{1,256}) contains (?:\(? ?\[? ?\{([^{}]{0,300})\} ?\]? ?|\( ?)?(?:(uri)\b|\w+ ?\( ?((?:\{? ?"\d+"(?: ?: ?[\d.]+)? ?,? ?){1,100})|"(\d+)"|@ ?([\w-]+))/gi;

function clausesOf(statement: string, texts: readonly string[]): Clause[] {
  return [...withoutNegated(statement).matchAll(CONTAINS)].flatMap(([, field = "", settings, excluded, several, one, param]): Clause[] => {
    if (excluded !== undefined || (settings !== undefined && FILTER.test(withTexts(settings, texts)))) return [];
    if (param !== undefined) return [{ field, param }];
    const numbers = several === undefined ? [one ?? ""] : [...several.matchAll(/"(\d+)"/g)].map(([, number = ""]) => number);
    return [{ field, words: numbers.map((number) => unescape(texts[Number(number)] ?? "")).join(" ") }];
  });
}

/** Settings of what only chooses among the hits: a category, a site. */
const FILTER = /\bfilter\W+true\b|\branked\W+false\b/;

/** Names of settings may stand in quotes. */
function withTexts(outline: string, texts: readonly string[]): string {
  return outline.replaceAll(/"(\d+)"/g, (_, number: string) => texts[Number(number)] ?? "");
}

/** What is excluded, and conditions of one element of a field, such as the key and value of an attribute. */
const NO_WORDS = /!|\bsameElement\b/gi;

/** Without `!(…)` and `sameElement(…)`. */
function withoutNegated(statement: string): string {
  const parts: string[] = [];
  let from = 0;
  for (const { index, 0: sign } of statement.matchAll(NO_WORDS)) {
    if (index < from) continue;
    parts.push(statement.slice(from, index));
    let depth = 0;
    let end = index + sign.length;
    for (; end < statement.length; end++) {
      const char = statement.charAt(end);
      if (char === "(") depth++;
      else if (char === ")" && --depth <= 0) break;
      // `!=`, or a condition without brackets.
      else if (depth === 0 && char !== " ") break;
    }
    from = end + 1;
  }
  return parts.join("") + statement.slice(from);
}

function fieldsOf(statement: string): readonly string[] | undefined {
  const list = /^ ?select (.+?) from /i.exec(statement)?.[1];
  const fields = list?.split(",").map((field) => field.trim().split(" ")[0] ?? "");
  return fields?.includes("*") === true ? undefined : fields;
}

/** One `select` with names after `from`, and nothing before it. */
const SELECT =
  /^ ?select (?:\*|[\w.-]+(?: ?, ?[\w.-]+)*) from (?:sources )?(\*|[\w.-]+(?: ?, ?[\w.-]+)*)(?= ?(?:;|\||$)| (?:where|order|limit|offset|timeout)\b)/i;

function sourcesOf(outline: string): readonly string[] | undefined {
  const [select, names] = SELECT.exec(outline) ?? [];
  if (select === undefined || names === undefined) return undefined;
  const rest = outline.slice(select.length);
  // Of a second statement, or an escape that somebody might still read.
  if (/\b(?:select|from|sources)\b|%/i.test(rest)) return undefined;
  return names === "*" ? [] : names.split(/ ?, ?/);
}
