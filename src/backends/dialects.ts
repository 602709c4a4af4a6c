/**
 * Registry of dialects: their definitions, the indexes that a shop declares with them, and the dialects of one edge.
 *
 * The caller chooses the dialects, so that a Worker carries only those that it imports; all-dialects.ts has all of them.
 */
import type { CreateDialect, Dialect, DialectLimits, DialectOptions } from "./dialect.ts";

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
export interface IndexOptions extends Pick<DialectOptions, "idField" | "hitFields" | "forwardCredentials"> {
  /** Base URL of the engine, without a slash at its end: the engine's own paths are added to it. */
  readonly url: string;
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

/** W is at most 1000 anyway. */
const NO_LIMITS: DialectLimits = { maxWindow: 1000, maxIndexes: Number.POSITIVE_INFINITY };

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
  return { ...definition, limits: { ...NO_LIMITS, ...definition.limits } };
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
      const dialect = create(own);
      return [...own.keys()].map((name) => [name, dialect] as const);
    }),
  );
}
