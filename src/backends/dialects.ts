/**
 * The dialects that an edge speaks, and the indexes of a configuration → their dialects.
 *
 * Which dialects there are is the caller's choice, so that a Worker carries only those that it imports; all-dialects.ts has all of them.
 */
import type { CreateDialect, Dialect, DialectLimits, DialectOptions } from "./dialect.ts";

/** A dialect before it knows its indexes. */
export interface DialectDefinition {
  readonly create: CreateDialect;
  readonly limits: DialectLimits;
}

/** Name in the configuration → dialect. Two names may share one (`elasticsearch`, `opensearch`). */
export type Dialects = ReadonlyMap<string, DialectDefinition>;

/** W is at most 1000 anyway. */
export const NO_LIMITS: DialectLimits = { maxWindow: 1000, maxIndexes: Number.POSITIVE_INFINITY };

/** For parseConfig(). */
export function dialectLimits(dialects: Dialects): ReadonlyMap<string, DialectLimits> {
  return new Map([...dialects].map(([name, { limits }]) => [name, limits]));
}

/** Index name → its dialect: one object for all indexes that speak it, in the order of the configuration. Throws on an unknown name. */
export function createDialects(
  indexes: ReadonlyMap<string, DialectOptions & { readonly backend: string }>,
  dialects: Dialects,
): ReadonlyMap<string, Dialect> {
  const byDialect = new Map<CreateDialect, Map<string, DialectOptions>>();
  for (const [name, options] of indexes) {
    const create = dialects.get(options.backend)?.create;
    if (create === undefined) throw new Error(`Unknown backend "${options.backend}": use one of ${[...dialects.keys()].join(", ")}`);
    const own = byDialect.get(create) ?? new Map<string, DialectOptions>();
    byDialect.set(create, own.set(name, options));
  }
  return new Map<string, Dialect>(
    [...byDialect].flatMap(([create, own]) => {
      const dialect = create(own);
      return [...own.keys()].map((name) => [name, dialect] as const);
    }),
  );
}
