/** Local parameters: what stands in `{!…}` before a query and in `[…]` in a list of fields. */
import { err, ok, type Result } from "../../result.ts";

export interface Section {
  /** In their order; the name of a parser or transformer is called `type`. */
  readonly pairs: readonly (readonly [name: string, value: string])[];
  /** Behind the closing bracket. */
  readonly end: number;
}

const SPACE = /[ \t\r\n]*/y;
const NAME = /[A-Za-z_][\w.-]*/y;
const QUOTED = /"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'/y;

/** As QueryParsing.parseLocalParams() of Solr reads it, from behind the opening bracket. Errors: a section that is not understood. */
export function readSection(text: string, from: number, end: string): Result<Section, string> {
  const pairs: [string, string][] = [];
  let at = from;
  let isTyped = false;
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at;
    const [taken = ""] = pattern.exec(text) ?? [];
    at += taken.length;
    return taken;
  };
  // Java's white space is not JavaScript's: any but the usual ends what is understood, and so does a second name in a value.
  const unquoted = end === "}" ? /[^\s}=\p{Cc}\p{Cf}]+/uy : /[^\s\]=\p{Cc}\p{Cf}]+/uy;
  for (;;) {
    take(SPACE);
    if (text.startsWith(end, at)) return ok({ pairs, end: at + 1 });
    const name = take(NAME);
    if (name === "") return err(`holds a section that is not understood: ${JSON.stringify(text.slice(from, from + 60))}`);
    take(SPACE);
    if (!text.startsWith("=", at)) {
      if (isTyped) return err(`holds a section with two types: ${JSON.stringify(name)} is the second`);
      isTyped = true;
      pairs.push(["type", name]);
      continue;
    }
    at++;
    take(SPACE);
    const sign = text.startsWith("$", at) ? "$" : "";
    at += sign.length;
    if (sign !== "") take(SPACE);
    const quoted = take(QUOTED);
    pairs.push([name, sign + (quoted === "" ? take(unquoted) : quoted.slice(1, -1))]);
  }
}

/** Values hold sections, which hold others: real ones are this deep at most. */
const MAX_NESTING = 6;

/**
 * All sections that begin with `start`, wherever they stand, from `from` on. One may begin inside of another, and so may all: a text that would
 * be read more often than MAX_NESTING times ends with an error, as does one with a section that is not understood.
 */
export function* sectionsIn(text: string, start: string, end: string, from = 0): Generator<Result<Section, string>, void> {
  let left = MAX_NESTING * text.length;
  for (let at = text.indexOf(start, from); at >= 0; at = text.indexOf(start, at + 1)) {
    const read = readSection(text, at + start.length, end);
    left -= read.ok ? read.value.end - at : text.length;
    yield left < 0 && read.ok ? err(`holds sections inside of each other, more than ${MAX_NESTING} deep`) : read;
    if (!read.ok || left < 0) return;
  }
}
