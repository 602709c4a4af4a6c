/** The id of a hit, found by a path of member names. */
import type { JsonText, Span } from "./json-scan.ts";
import { find, kindOf, readString } from "./json-spans.ts";

const decoder = new TextDecoder();

/**
 * `path`: member names with dots between them. A number is its own digits, whatever a double makes of them; `undefined` where there is
 * nothing, something else, or a name that stands twice.
 */
export function readId(text: JsonText, hit: Span, path: string): string | undefined {
  let at: Span | undefined = hit;
  for (const name of path.split(".")) {
    const found = find(text, at, name);
    if (!found.ok || found.value === undefined) return undefined;
    at = found.value;
  }
  if (kindOf(text, at) === "number") return decoder.decode(text.bytes.subarray(at.start, at.end));
  const id = readString(text, at);
  return id === "" ? undefined : id;
}
