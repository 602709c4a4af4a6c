/**
 * The indexes of a dialect: their options, and the reading of a hit besides its score: the id by which the catalogue knows the item, and
 * values that are fresher than the stored ones.
 */
import type { ItemValues } from "../ranking/item-values.ts";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { DialectOptions, Hit, Refusal } from "./dialect.ts";
import type { HitReader } from "./json/reply.ts";
import type { JsonText, Span } from "./json/scan.ts";
import { isTrue, kindOf, rawText, readNumber, readString, spanAt } from "./json/spans.ts";

export interface Index {
  readonly name: string;
  readonly options: DialectOptions;
  /** Member names with dots between them. */
  readonly idField: string;
  readonly readHit: HitReader;
}

/** Adds the engine's score and pins to an item. The error says why there is no hit. */
export type CompleteHit = (text: JsonText, slot: Span, itemId: string, values: ItemValues | undefined) => Result<Hit, string>;

export type Indexes = ReadonlyMap<string, Index>;

/** `defaultIdField` is the engine's own id. */
export function readIndexes(indexes: ReadonlyMap<string, DialectOptions>, defaultIdField: string, complete: CompleteHit): Indexes {
  return new Map(
    [...indexes].map(([name, options]) => {
      const idField = options.idField ?? defaultIdField;
      return [name, { name, options, idField, readHit: hitReader({ ...options, idField }, complete) }];
    }),
  );
}

/** Clients can name configured indexes only, one at a time and without patterns. `type` is the engine's name of the error. */
export function findIndex<T>(indexes: ReadonlyMap<string, T>, name: string, type: string): Result<T, Refusal> {
  const index = indexes.get(name);
  if (index !== undefined) return ok(index);
  return err({ status: 404, type, message: `No such index [${name}]: this edge serves ${[...indexes.keys()].join(", ")}` });
}

/** The error of a hit names the field in which no id can be read. */
export function hitReader(
  { idField, hitFields = {} }: { readonly idField: string; readonly hitFields?: DialectOptions["hitFields"] },
  complete: CompleteHit,
): HitReader {
  const idPath = idField.split(".");
  const fields = Object.entries(hitFields).flatMap(([name, path]) => (path === undefined ? [] : [[name, path.split(".")] as const]));
  const valuesOf = (text: JsonText, hit: Span): ItemValues =>
    Object.fromEntries(fields.map(([name, path]) => [name, readValue(text, hit, path)]));
  const missing = err(`no readable ${idField}`);
  return (text, hit) => {
    const itemId = readId(text, hit, idPath);
    if (itemId === undefined) return missing;
    return complete(text, hit, itemId, fields.length === 0 ? undefined : valuesOf(text, hit));
  };
}

/** The digits of a number as written, because a double may not hold them; `undefined` for nothing or another kind. */
function readId(text: JsonText, hit: Span, path: readonly string[]): string | undefined {
  const at = spanAt(text, path, hit);
  if (at === undefined) return undefined;
  if (kindOf(text, at) === "number") return rawText(text, at);
  const id = readString(text, at);
  return id === "" ? undefined : id;
}

/** Numbers, numbers as text (prices of Shopify), and true or false. */
function readValue(text: JsonText, hit: Span, path: readonly string[]): number | undefined {
  const at = spanAt(text, path, hit);
  if (at === undefined) return undefined;
  if (kindOf(text, at) === "boolean") return isTrue(text, at) ? 1 : 0;
  const written = readString(text, at)?.trim();
  if (written === undefined) return readNumber(text, at);
  const value = written === "" ? Number.NaN : Number(written);
  return Number.isFinite(value) ? value : undefined;
}
