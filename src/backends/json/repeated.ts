/** Names that stand twice in an object: parsers differ on which of them counts. */
import { repeatedKey } from "./request.ts";
import { elements, type JsonText, kindOf, members, type Span } from "./spans.ts";

const OPEN_OBJECT = 0x7b;

/** Whether an object stands in a list, without a look at its elements, because a vector has a thousand. */
export function holdsObject({ bytes, opens }: JsonText, { start, end }: Span): boolean {
  let low = 0;
  let high = opens.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (opens[middle]! <= start) low = middle + 1;
    else high = middle;
  }
  for (; low < opens.length && opens[low]! < end; low++) if (bytes[opens[low]!] === OPEN_OBJECT) return true;
  return false;
}

/** The path of a name that is repeated in this value, at any depth. */
export function repeatedPath(text: JsonText, span: Span): readonly string[] | undefined {
  const kind = kindOf(text, span);
  if (kind === "array" && holdsObject(text, span)) {
    for (const [i, each] of elements(text, span).entries()) {
      const found = repeatedPath(text, each);
      if (found !== undefined) return [String(i), ...found];
    }
  }
  if (kind !== "object") return undefined;
  const all = members(text, span);
  const repeated = repeatedKey(all);
  if (repeated !== undefined) return [repeated];
  for (const { key, value } of all) {
    const found = repeatedPath(text, value);
    if (found !== undefined) return [key, ...found];
  }
  return undefined;
}
