/** YQL, Vespa's query language. */

/**
 * A statement in YQL, Vespa's query language, as far as the edge reads it: outside of texts and comments only, because a shopper may type
 * `order by`.
 */
export interface Yql {
  /** `order by` */
  readonly isOrdered: boolean;
  /** `limit` or `offset` */
  readonly isPaged: boolean;
  /** `userQuery()`, which reads the parameter `query`. */
  readonly hasUserQuery: boolean;
  /** The first `userInput()` or `text()`: words, or a parameter of the request. */
  readonly input: { readonly words: string } | { readonly param: string } | undefined;
  /** `undefined` for all of them. */
  readonly fields: readonly string[] | undefined;
  /** Names after `from`, none for `*`; `undefined` where the statement is not one plain `select`. */
  readonly sources: readonly string[] | undefined;
}

/** `undefined` where a text or a comment has no end. */
export function readYql(yql: string): Yql | undefined {
  const outlined = outlineOf(yql);
  if (outlined === undefined) return undefined;
  const { outline, texts } = outlined;
  // After it comes grouping, which has words of its own.
  const [statement = ""] = outline.split("|", 1);
  return {
    isOrdered: /\border by\b/i.test(statement),
    isPaged: /\b(?:limit|offset)\b/i.test(statement),
    hasUserQuery: /\buserQuery ?\(/.test(statement),
    input: inputOf(statement, texts),
    fields: fieldsOf(statement),
    sources: sourcesOf(outline),
  };
}

/** Single spaces too. */
const PLAIN = /[^"'/\t\n\v\f\r\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]+/y;

/** The statement with each text, as it is written, as its number in quotes, each comment and all white space as one space. */
function outlineOf(yql: string): { readonly outline: string; readonly texts: readonly string[] } | undefined {
  const texts: string[] = [];
  const parts: string[] = [];
  for (let at = 0; at < yql.length;) {
    const char = yql.charAt(at);
    let end = at + 1;
    if (char === '"' || char === "'") {
      while (end < yql.length && yql.charAt(end) !== char) end += yql.charAt(end) === "\\" ? 2 : 1;
      if (end >= yql.length) return undefined;
      parts.push(`"${texts.length}"`);
      texts.push(yql.slice(at + 1, end));
      end++;
    } else if (yql.startsWith("/*", at)) {
      end = yql.indexOf("*/", at + 2) + 2;
      if (end < 2) return undefined;
      parts.push(" ");
    } else if (yql.startsWith("//", at)) {
      while (end < yql.length && !/[\n\r]/.test(yql.charAt(end))) end++;
      parts.push(" ");
    } else if (char !== " " && /\s/.test(char)) {
      parts.push(" ");
    } else {
      // The slash of no comment, or all up to the next character that means something here.
      PLAIN.lastIndex = at;
      end = PLAIN.test(yql) ? PLAIN.lastIndex : end;
      parts.push(yql.slice(at, end));
    }
    at = end;
  }
  return { outline: parts.join("").replaceAll(/ {2,}/g, " "), texts };
}

const ESCAPES: ReadonlyMap<string, string> = new Map(Object.entries({ b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" }));

function unescape(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escape: string) =>
    escape.length === 5 ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : (ESCAPES.get(escape) ?? escape),
  );
}

/** With settings of the call, `{grammar: "all"}`, inside its brackets. */
const INPUT = /\b(?:userInput|text) ?\( ?(?:\[? ?\{[^{}]{0,300}\} ?\]? ?)?(?:@ ?([\w.:-]+)|"(\d+)")/;

function inputOf(statement: string, texts: readonly string[]): Yql["input"] {
  const [, param, index] = INPUT.exec(statement) ?? [];
  if (param !== undefined) return { param };
  const words = index === undefined ? undefined : texts[Number(index)];
  return words === undefined ? undefined : { words: unescape(words) };
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
