/** The conditions of a YQL statement, in the signs that `readFilters` knows. What else it asks for (words, neighbours) filters nothing here. */
import { readFilters } from "../filters.ts";

const MOST_CHARACTERS = 4000;

/** Between `where` and what comes after it. */
const WHERE = /\bwhere (.*?)(?= order by | limit | offset | timeout |;|$)/is;
const SETTINGS = /\[? ?\{[^{}]{0,300}\} ?\]?/g;
/** Calls that look for hits. */
const FINDS = /\b(?:userQuery|userInput|text|nearestNeighbor|weakAnd|wand|dotProduct|weightedSet) ?\(/gi;
/** What a field holds in a way of its own, or in a parameter. */
const OTHERWISE = /(?<![\w.])([\w.]{1,256}) (?:contains|matches) (?:\( ?)?(?:\w+ ?\(|@)/gi;
const RANGE = /\brange ?\( ?([\w.]{1,256}) ?,[^()]*\)/gi;
const CONTAINS = /(?<![\w.])([\w.]{1,256}) contains ("\d+"|\( ?"\d+" ?\))/gi;
const IN = /(?<![\w.])([\w.]{1,256}) in ?\(([^()]*)\)/gi;
const TRUE = /(?<=^|\(| and ) ?true ?(?=$|\)| and )/gi;

/** `statement`: with texts as their numbers in quotes. `undefined` where it cannot be read. */
export function filtersOfYql(statement: string, textAt: (number: number) => string): ReturnType<typeof readFilters> {
  const where = WHERE.exec(statement)?.[1];
  if (where === undefined) return new Map();
  if (where.length > MOST_CHARACTERS) return undefined;
  // A condition inside `{filter: true}` says nothing else than without.
  let plain = where.replaceAll(SETTINGS, "");
  plain = withoutCalls(plain, FINDS, () => NOTHING);
  plain = withoutCalls(plain, OTHERWISE, (field) => `${field} > 0`);
  plain = plain
    .replaceAll(RANGE, "$1 > 0")
    .replaceAll(CONTAINS, (_, field: string, text: string) => `${field}:${text.replaceAll(/[() ]/g, "")}`)
    .replaceAll(IN, (_, field: string, list: string) => `${field} IN [${list}]`)
    .replaceAll(TRUE, NOTHING);
  // `and` binds more strongly, which the other languages do not need to know.
  const outside = plain.replaceAll(/\([^()]*\)/g, "");
  if ((/ or /i.test(outside) && / and /i.test(outside)) || / or \( ?\)|\( ?\) or /i.test(plain)) return undefined;
  return readFilters(plain.replaceAll(/"(\d+)"/g, (_, number: string) => JSON.stringify(textAt(Number(number)))).trim());
}

/** A condition that says nothing about a field: as an alternative to one that does, it says that this is not all. */
const NOTHING = "()";

/** Each call from its name to the bracket that closes it; a parameter (`@name`) to its end. */
function withoutCalls(text: string, calls: RegExp, instead: (name: string) => string): string {
  const parts: string[] = [];
  let from = 0;
  for (const { index, 0: call, 1: name = "" } of text.matchAll(calls)) {
    if (index < from) continue;
    parts.push(text.slice(from, index), instead(name));
    from = index + call.length;
    if (call.endsWith("@")) while (/[\w.:-]/.test(text.charAt(from))) from++;
    let depth = call.split("(").length - 1;
    for (; depth > 0 && from < text.length; from++) depth += text.charAt(from) === "(" ? 1 : text.charAt(from) === ")" ? -1 : 0;
  }
  return parts.join("") + text.slice(from);
}
