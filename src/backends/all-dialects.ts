/** Every dialect. A new engine is one file and one line here. */
import { createAlgolia } from "./algolia.ts";
import type { Dialects } from "./dialects.ts";
import { NO_LIMITS } from "./dialects.ts";
import { createElasticsearch } from "./elasticsearch.ts";
import { createGeneric } from "./generic.ts";
import { createMeilisearch } from "./meilisearch.ts";
import { createShopify } from "./shopify.ts";
import { createSolr } from "./solr.ts";
import { createTypesense } from "./typesense.ts";
import { createVespa } from "./vespa.ts";

export const ALL_DIALECTS: Dialects = new Map([
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
