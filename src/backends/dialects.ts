/**
 * Registry of dialects: their definitions, the indexes that a shop declares with them, and the dialects of one edge; and the reading of a hit:
 * the id by which the catalogue knows the item, and values that are fresher than the stored ones.
 *
 * The caller chooses the dialects, so that a Worker carries only those that it imports; all-dialects.ts has all of them.
 */
import type { ItemValues } from "../ranking/item-values.ts";
import { err, ok, type Result } from "../result.ts";
import type { CreateDialect, Dialect, DialectLimits, DialectOptions, Hit, Refusal } from "./dialect.ts";
import { withinLimits } from "./limits.ts";
import type { HitReader } from "./json/reply.ts";
import { elements, isTrue, type JsonText, kindOf, rawText, readNumber, readString, type Span, spanAt } from "./json/spans.ts";

/** A dialect before it knows its indexes. */
export interface DialectDefinition {
  /** Names in the configuration (`INDEXES.<name>.backend`); two engines may share one dialect. */
  readonly names: readonly string[];
  readonly create: CreateDialect;
  readonly limits: DialectLimits;
}

/** Name in the configuration → dialect. */
export type Dialects = ReadonlyMap<string, DialectDefinition>;

/** Options that the indexes of all dialects share: `INDEXES.<name>` of the environment, under the same names. */
export interface IndexOptions extends Pick<DialectOptions, "idField" | "hitFields" | "forwardCredentials" | "allowParams"> {
  /** Base URL of the engine, without a slash at its end: the engine's own paths are added to it. */
  readonly url: string;
  /** Whether `url` may be http:// to another machine: keys and searches are then readable on the way. For private networks. Default: false. */
  readonly allowInsecureHttp?: boolean | undefined;
  /** Whether the engine gets each shopper's IP address, which is personal data. Default: false. */
  readonly forwardClientAddress?: boolean | undefined;
  /** Where the engine takes events of its clients, as `url`: then those that this edge gets go there too. Default: nowhere. */
  readonly eventsUrl?: string | undefined;
  /** W: how many hits are re-ranked, from 2 to 1000; 0 passes searches of this index on as they are. */
  readonly window: number;
  /** Prefix of the published item vectors. Default: the name of the index. */
  readonly catalog?: string | undefined;
  /** Headers that go to the engine with every request; nothing secret. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** The edge's own key for the engine, sent in the header that its dialect names; a secret. */
  readonly authorization?: string | undefined;
}

/** Options of dialects in which the engine's settings, not the request, may decide how many hits a page has. */
export type PageSizeOption = Pick<DialectOptions, "pageSize">;

/** An index as a dialect's factory returns it: plain data, validated where the edge is opened. */
export type IndexDefinition<Options extends IndexOptions = IndexOptions> = Options & {
  readonly dialect: DialectDefinition;
  /** The name in `dialect.names` that the configuration would use. */
  readonly backend: string;
};

/**
 * A dialect for another engine. `armmt-edge/testing` has the checks that it should pass.
 *
 * @example
 * const acme = defineDialect({ names: ["acme"], create: createAcme, limits: { maxWindow: 100 } });
 * export const products = { dialect: acme, backend: "acme", url: "https://search.example.com", window: 100 };
 */
export function defineDialect(
  definition: Omit<DialectDefinition, "limits"> & { readonly limits?: Partial<DialectLimits> },
): DialectDefinition {
  // W is at most 1000 anyway.
  return { ...definition, limits: { maxWindow: 1000, maxIndexes: Number.POSITIVE_INFINITY, ...definition.limits } };
}

export function dialectsOf(definitions: readonly DialectDefinition[]): Dialects {
  return new Map(definitions.flatMap((definition) => definition.names.map((name) => [name, definition] as const)));
}

/** For parseConfig(). */
export function dialectLimits(dialects: Dialects): ReadonlyMap<string, DialectLimits> {
  return new Map([...dialects].map(([name, { limits }]) => [name, limits]));
}

/** Index name → its dialect: one object for all indexes that speak it, in the order of the configuration. Throws on an unknown name. */
export function createDialects(
  indexes: ReadonlyMap<string, DialectOptions & { readonly backend: string }>,
  dialects: Dialects,
): ReadonlyMap<string, Dialect> {
  const byDefinition = new Map<DialectDefinition, Map<string, DialectOptions>>();
  for (const [name, options] of indexes) {
    const definition = dialects.get(options.backend);
    if (definition === undefined) throw new Error(`Unknown backend "${options.backend}": use one of ${[...dialects.keys()].join(", ")}`);
    const own = byDefinition.get(definition) ?? new Map<string, DialectOptions>();
    byDefinition.set(definition, own.set(name, options));
  }
  return new Map<string, Dialect>(
    [...byDefinition].flatMap(([{ create }, own]) => {
      const dialect = withinLimits(create(own));
      return [...own.keys()].map((name) => [name, dialect] as const);
    }),
  );
}

export interface Index {
  readonly name: string;
  readonly options: DialectOptions;
  /** Member names with dots between them. */
  readonly idField: string;
  readonly readHit: HitReader;
}

/** Adds the engine's score and pins to an item. The error says why there is no hit. */
type CompleteHit = (text: JsonText, slot: Span, itemId: string, values: ItemValues | undefined) => Result<Hit, string>;

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

/** The edge's key, or none: the client's own is withheld. */
export const isWithOwnKey = ({ options }: Index): boolean => options.forwardCredentials !== true;

/** What requests for this index may name with the edge's key: the indexes of the same engine that it is configured for. */
export function ownIndexes(indexes: Indexes, { options: { url } }: Index): ReadonlySet<string> {
  const own = [...indexes.values()].filter((other) => isWithOwnKey(other) && other.options.url === url);
  return new Set(own.map(({ name }) => name));
}

/** Clients can name configured indexes only, one at a time and without patterns. `type` is the engine's name of the error. */
export function findIndex<T>(indexes: ReadonlyMap<string, T>, name: string, type: string): Result<T, Refusal> {
  const index = indexes.get(name);
  if (index !== undefined) return ok(index);
  const fix = "add it to INDEXES, with window = 0 to pass it on";
  return err({ status: 404, type, message: `No such index [${name.slice(0, 64)}]: ${fix}` });
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

/** The value at a path, or the only element of the list there: engines write a field that may have several values as a list. */
function valueAt(text: JsonText, hit: Span, path: readonly string[]): Span | undefined {
  const at = spanAt(text, path, hit);
  if (at === undefined || kindOf(text, at) !== "array") return at;
  const [only, ...more] = elements(text, at);
  return more.length === 0 ? only : undefined;
}

/** The digits of a number as written, because a double may not hold them; `undefined` for nothing or another kind. */
function readId(text: JsonText, hit: Span, path: readonly string[]): string | undefined {
  const at = valueAt(text, hit, path);
  if (at === undefined) return undefined;
  if (kindOf(text, at) === "number") return rawText(text, at);
  const id = readString(text, at);
  return id === "" ? undefined : id;
}

/** Numbers, numbers as text (prices of Shopify), and true or false. */
function readValue(text: JsonText, hit: Span, path: readonly string[]): number | undefined {
  const at = valueAt(text, hit, path);
  if (at === undefined) return undefined;
  if (kindOf(text, at) === "boolean") return isTrue(text, at) ? 1 : 0;
  const written = readString(text, at)?.trim();
  if (written === undefined) return readNumber(text, at);
  const value = written === "" ? Number.NaN : Number(written);
  return Number.isFinite(value) ? value : undefined;
}
