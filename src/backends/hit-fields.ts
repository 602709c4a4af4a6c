/**
 * What is read of a hit besides its score: the id by which the catalogue knows the item, and values that are fresher than the stored ones.
 * Both by paths of member names.
 */
import type { ItemValues } from "../ranking/item-values.ts";
import type { DialectOptions } from "./dialect.ts";
import { spanAt } from "./json-reply.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { kindOf, readNumber, readString } from "./json-spans.ts";

const decoder = new TextDecoder();

export interface HitItem {
  readonly itemId: string;
  readonly values: ItemValues | undefined;
}

/** A text says why there is no id. */
export type HitItemReader = (text: JsonText, hit: Span) => HitItem | string;

/** `defaultIdField` is the engine's own id, where the configuration names no other. */
export function hitItemReader({ idField, hitFields }: DialectOptions, defaultIdField: string): HitItemReader {
  const idName = idField ?? defaultIdField;
  const idPath = idName.split(".");
  const fields = Object.entries(hitFields ?? {}).flatMap(([name, path]) => (path === undefined ? [] : [[name, path.split(".")] as const]));
  return (text, hit) => {
    const itemId = readId(text, hit, idPath);
    if (itemId === undefined) return `no readable ${idName}`;
    if (fields.length === 0) return { itemId, values: undefined };
    const numbers = Object.fromEntries(fields.map(([name, path]) => [name, readValue(text, hit, path)]));
    return { itemId, values: numbers };
  };
}

/** A number is its own digits, whatever a double makes of them; `undefined` for nothing, something else, or a name that stands twice. */
function readId(text: JsonText, hit: Span, path: readonly string[]): string | undefined {
  const at = spanAt(text, path, hit);
  if (typeof at !== "object") return undefined;
  if (kindOf(text, at) === "number") return decoder.decode(text.bytes.subarray(at.start, at.end));
  const id = readString(text, at);
  return id === "" ? undefined : id;
}

/** Numbers, numbers as text (prices of Shopify), and true or false. */
function readValue(text: JsonText, hit: Span, path: readonly string[]): number | undefined {
  const at = spanAt(text, path, hit);
  if (typeof at !== "object") return undefined;
  if (kindOf(text, at) === "boolean") return text.bytes[at.start] === 0x74 ? 1 : 0; // true
  const written = readString(text, at)?.trim();
  if (written === undefined) return readNumber(text, at);
  const value = written === "" ? Number.NaN : Number(written);
  return Number.isFinite(value) ? value : undefined;
}
