/**
 * Backend name of the configuration → dialect. A new engine is one file and one line here.
 */
import type { Backend, BackendLimits, BackendOptions, CreateBackend } from "./backend.ts";
import { createAlgolia } from "./algolia.ts";
import { createElasticsearch } from "./elasticsearch.ts";
import { createGeneric } from "./generic.ts";
import { createMeilisearch } from "./meilisearch.ts";
import { createShopify } from "./shopify.ts";
import { createSolr } from "./solr.ts";
import { createVespa } from "./vespa.ts";
import { createTypesense } from "./typesense.ts";

interface Dialect {
  readonly create: CreateBackend;
  readonly limits: BackendLimits;
}

/** W is at most 1000 anyway. */
const NO_LIMITS: BackendLimits = { maxWindow: 1000, maxIndexes: Number.POSITIVE_INFINITY };

const DIALECTS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ["elasticsearch", { create: createElasticsearch, limits: NO_LIMITS }],
  ["opensearch", { create: createElasticsearch, limits: NO_LIMITS }],
  ["meilisearch", { create: createMeilisearch, limits: NO_LIMITS }],
  ["solr", { create: createSolr, limits: NO_LIMITS }],
  ["shopify", { create: createShopify, limits: { maxWindow: 250, maxIndexes: 1 } }],
  ["algolia", { create: createAlgolia, limits: NO_LIMITS }],
  // Vespa's own limit is 400 hits, unless a query profile sets another maxHits.
  ["vespa", { create: createVespa, limits: { ...NO_LIMITS, maxIndexes: 1 } }],
  ["typesense", { create: createTypesense, limits: { ...NO_LIMITS, maxWindow: 250 } }],
  ["generic", { create: createGeneric, limits: NO_LIMITS }],
]);

/** For parseConfig(). */
export const BACKEND_LIMITS: ReadonlyMap<string, BackendLimits> = new Map([...DIALECTS].map(([name, { limits }]) => [name, limits]));

/** Index name → its backend: one per dialect, in the order of the configuration. Throws on a name that parseConfig() should have refused. */
export function createBackends(indexes: ReadonlyMap<string, BackendOptions & { readonly backend: string }>): ReadonlyMap<string, Backend> {
  const byDialect = new Map<CreateBackend, Map<string, BackendOptions>>();
  for (const [name, options] of indexes) {
    const create = DIALECTS.get(options.backend)?.create;
    if (create === undefined) throw new Error(`Unknown backend "${options.backend}": use one of ${[...DIALECTS.keys()].join(", ")}`);
    const own = byDialect.get(create) ?? new Map<string, BackendOptions>();
    byDialect.set(create, own.set(name, options));
  }
  return new Map<string, Backend>(
    [...byDialect].flatMap(([create, own]) => {
      const backend = create(own);
      return [...own.keys()].map((name) => [name, backend] as const);
    }),
  );
}
