/** The words of a query in Lucene's syntax: names of fields, operators, ranges, patterns and what is excluded are none. Linear in the text. */

/** Fields whose values are ids, or whether there is a value at all. */
const NO_TEXT: ReadonlySet<string> = new Set(["_exists_", "_missing_", "_id", "id", "ids", "_index", "_routing"]);

const OPERATORS: ReadonlySet<string> = new Set(["AND", "OR", "&&", "||"]);

/** A phrase, an expression, a range, a bracket, an operator with a sign, or what stands between them. */
const TOKEN =
  /\s+|"(?:[^"\\]|\\[^])*"?(?:~[\d.]*)?(?:\^[\d.]*)?|\/(?:[^/\\]|\\[^])*\/|[[{][^\]}]*[\]}]?(?:\^[\d.]*)?|[()](?:\^[\d.]*)?|[+!-](?=\S)|&&|\|\||(?:[^\s"()[\]{}\\]|\\[^])+|[^]/g;

/** A name before a colon. */
const FIELD = /^((?:[^\s:"()\\]|\\[^])+):(.*)$/s;

/** `undefined` where nothing is left. `isSimple`: of `simple_query_string`, which has neither names nor operators in words. */
export function luceneWords(query: string, isSimple: boolean = false): string | undefined {
  if (!/[^\p{L}\p{N}\s]|\b(?:AND|OR|NOT)\b/u.test(query)) return query.trim() || undefined;
  const words: string[] = [];
  /** Of the brackets that are open: whether what they hold is left out. */
  const skipped: boolean[] = [];
  /** The next clause is left out. */
  let isLeftOut = false;
  const take = (word: string): void => {
    if (!isLeftOut && skipped.at(-1) !== true && /[\p{L}\p{N}]/u.test(word)) words.push(word);
    isLeftOut = false;
  };
  for (let token of query.match(TOKEN) ?? []) {
    if (token.trim() === "") continue;
    if (!isSimple) {
      if (OPERATORS.has(token)) continue;
      if (token === "NOT") {
        isLeftOut = true;
        continue;
      }
      const [, field, value = ""] = FIELD.exec(token) ?? [];
      if (field !== undefined && !token.startsWith('"')) {
        if (NO_TEXT.has(field)) isLeftOut = true;
        if (value === "") continue;
        token = value;
      }
    }
    const first = token[0]!;
    if (token.length === 1 && (first === "-" || first === "!" || first === "+")) {
      if (first !== "+") isLeftOut = true;
    } else if (first === "(") {
      skipped.push(isLeftOut || skipped.at(-1) === true);
      isLeftOut = false;
    } else if (first === ")") skipped.pop();
    else if (first === '"') take(unescaped(token.replace(/^"|"?(?:~[\d.]*)?(?:\^[\d.]*)?$/g, "")));
    else if (!isSimple && (first === "[" || first === "{" || /^[<>]=?/.test(token) || /^\/.*\/$/s.test(token))) isLeftOut = false;
    else take(unescaped(token.replaceAll(isSimple ? /(?<!\*)\*+$|~\d*$|^\|+|(?<!\|)\|+$/g : /(?<!\\)[*?]|[~^][\d.]*(?=[~^]|$)/g, "")));
  }
  return words.length === 0 ? undefined : words.join(" ");
}

const unescaped = (text: string): string => text.replaceAll(/\\(.)/gs, "$1");
