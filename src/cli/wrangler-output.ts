/** What wrangler prints around its results: notes about secrets, updates and proxies come on the same stream, before and after. */
import { stripVTControlCharacters } from "node:util";
import * as v from "valibot";

/** Pieces that are tried: a long result has as many lines that could begin one. */
const MAX_TRIES = 500;

/** The JSON of this form in a command's output; `undefined` where there is none. */
export function findJson<T extends v.GenericSchema>(output: string, schema: T): v.InferOutput<T> | undefined {
  return search(output, (value) => v.safeParse(schema, value)).found;
}

/** The text of an object or a list in a command's output, else the output itself. */
export function jsonTextIn(output: string): string {
  return search(output, (value) => v.safeParse(v.union([v.array(v.unknown()), v.record(v.string(), v.unknown())]), value)).text ?? output;
}

/** The longest piece that is of the form: a note may be JSON too. */
function search<T>(output: string, read: (value: unknown) => { readonly success: boolean; readonly output: T }) {
  const lines = stripVTControlCharacters(output).split("\n");
  const starts = [...lines.keys()].filter((i) => /^\s*[[{]/.test(lines[i] ?? ""));
  const ends = [...lines.keys()].filter((i) => /[\]}]\s*$/.test(lines[i] ?? "")).toReversed();
  let best: { readonly found: T; readonly text: string } | undefined;
  let [tries, after] = [0, -1];
  for (const start of starts) {
    if (start <= after) continue;
    for (const end of ends) {
      if (end < start || ++tries > MAX_TRIES) break;
      const text = lines.slice(start, end + 1).join("\n");
      const value = parse(text);
      const parsed = value === undefined ? undefined : read(value);
      if (parsed?.success !== true) continue;
      if (best === undefined || text.length > best.text.length) best = { found: parsed.output, text: text.trim() };
      after = end;
      break;
    }
  }
  return best ?? { found: undefined, text: undefined };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
