/** Names that stand twice in an object: parsers differ on which of them counts. */
import { repeatedKey } from "./request.ts";
import { elements, type JsonText, members, type Span } from "./spans.ts";

/** The path of a name that is repeated anywhere in a body. */
export function repeatedIn({ text, values }: { readonly text: JsonText; readonly values: unknown }): readonly string[] | undefined {
  // JSON.parse() keeps one of them.
  return namesIn(values) === text.names ? undefined : repeatedBelow(text, text.root);
}

function namesIn(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let names = 0;
  if (Array.isArray(value)) {
    for (const element of value) names += namesIn(element);
    return names;
  }
  const own = Object.values(value);
  for (const inner of own) names += namesIn(inner);
  return names + own.length;
}

function repeatedBelow(text: JsonText, span: Span): readonly string[] | undefined {
  for (const each of elements(text, span)) {
    const found = repeatedBelow(text, each);
    if (found !== undefined) return found;
  }
  const all = members(text, span);
  const repeated = repeatedKey(all);
  if (repeated !== undefined) return [repeated];
  for (const { key, value } of all) {
    const found = repeatedBelow(text, value);
    if (found !== undefined) return [key, ...found];
  }
  return undefined;
}
