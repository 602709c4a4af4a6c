/** The shopper's words in what Vespa is asked. */
import { isObject, member } from "../json/values.ts";

/** Words, or a parameter of the request that holds them. */
export type Words = { readonly words: string } | { readonly param: string };

/** A field must contain words. */
export type Clause = Words & { readonly field: string };

/** Fields that hold texts; filters name others, such as a brand. */
const TEXT_FIELD = /default|title|name|text|body|descr|content|all/i;

/** Those of the field that looks most like the shopper's: each word once. */
export function wordsOfClauses(clauses: readonly Clause[]): Words | undefined {
  const byField = Map.groupBy(clauses, ({ field }) => field);
  const rank = ([field, own]: readonly [string, readonly Clause[]]): number => (TEXT_FIELD.test(field) ? 1000 : 0) + own.length;
  const [best] = [...byField].toSorted((a, b) => rank(b) - rank(a));
  if (best === undefined) return undefined;
  const param = best[1].find((clause) => "param" in clause);
  if (param !== undefined) return param;
  return { words: [...new Set(best[1].flatMap((clause) => ("words" in clause ? [clause.words] : [])))].join(" ") };
}

/** Of `select.where`, the same in JSON. */
export function wordsOfWhere(json: string): Words | undefined {
  try {
    return wordsOfClauses(clausesIn(JSON.parse(json)));
  } catch {
    return undefined;
  }
}

function clausesIn(condition: unknown): Clause[] {
  if (!isObject(condition)) return [];
  return Object.entries(condition).flatMap(([operator, value]): Clause[] => {
    const parts = partsOf(value);
    if (operator === "contains") {
      const settings = member(value, "attributes");
      // What only chooses among the hits: a category, a site.
      if (member(settings, "filter") === true || member(settings, "ranked") === false) return [];
      const [field, words] = parts;
      return typeof field === "string" ? [{ field, words: textsIn(words).join(" ") }] : [];
    }
    if (operator === "and_not" || operator === "rank") return clausesIn(parts[0]);
    return ["and", "or", "weakAnd", "equiv"].includes(operator) ? parts.flatMap(clausesIn) : [];
  });
}

/** A list, or the list in an object with attributes. */
function partsOf(value: unknown): readonly unknown[] {
  const list = member(value, "children") ?? value;
  return Array.isArray(list) ? list : [];
}

function textsIn(operand: unknown): string[] {
  if (typeof operand === "string") return [operand];
  if (!isObject(operand)) return [];
  return Object.entries(operand).flatMap(([operator, value]) =>
    operator === "sameElement" || operator === "uri" ? [] : partsOf(value).filter((word) => typeof word === "string"),
  );
}

/** `embed(e5, @q)`, `embed("red mug")`: what nearest neighbours are near to. */
const EMBED = /^\s*embed\(\s*(?:[\w-]+\s*,\s*)?(?:@\s*([\w-]+)|"([^"]*)"|'([^']*)'|([^"'@)][^)]*))/;

export function wordsOfEmbed(value: string): Words | undefined {
  const [, param, ...texts] = EMBED.exec(value) ?? [];
  if (param !== undefined) return { param };
  const words = texts.find((text) => text !== undefined);
  return words === undefined ? undefined : { words };
}

/** Words that are excluded, ranges and numbers of a field, lone wildcards. */
const NO_WORDS =
  /(?<=^|[\s(])-(?:"[^"]*"?|\([^()]*\)?|\S+)|(?<=^|[\s+(])[\w.]+:(?:[<>][\d.]+|\[[^\]]*\]?|[<>=]?-?\d[\d.]*(?=\s|$))|(?<=^|\s)[<>][\d.]+|(?<=^|\s)\*+(?=\s|$)/g;
/** A field's name, a weight, and signs that only mean something to the engine. */
const SIGNS = /(?<=^|[\s+(])[a-z_][\w.]*:(?=[\w"(])|(?<!!)!+\d*(?=\s|$)|(?<=^|[\s(])\+|["()[\]]|\*(?=\s|$)/gi;

/** What is left of a query in Vespa's simple language; `undefined` for nothing. */
export function plainWords(query: string): string | undefined {
  const plain = /[-+:"()[\]<>*!]/.test(query) ? query.replaceAll(NO_WORDS, " ").replaceAll(SIGNS, " ") : query;
  const words = plain.replaceAll(/\s+/g, " ").trim();
  return words === "" ? undefined : words;
}
