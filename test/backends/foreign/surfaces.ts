/** All dialects, by name. */
import { ALGOLIA_SURFACE } from "./algolia.ts";
import { ELASTICSEARCH_SURFACE } from "./elasticsearch.ts";
import { GENERIC_SURFACE } from "./generic.ts";
import { MEILISEARCH_SURFACE } from "./meilisearch.ts";
import { SHOPIFY_SURFACE } from "./shopify.ts";
import { SOLR_SURFACE } from "./solr.ts";
import type { Surface } from "./surface.ts";
import { TYPESENSE_SURFACE } from "./typesense.ts";
import { VESPA_SURFACE } from "./vespa.ts";

export const SURFACES: readonly (readonly [name: string, surface: Surface])[] = [
  ["elasticsearch", ELASTICSEARCH_SURFACE],
  ["algolia", ALGOLIA_SURFACE],
  ["typesense", TYPESENSE_SURFACE],
  ["meilisearch", MEILISEARCH_SURFACE],
  ["shopify", SHOPIFY_SURFACE],
  ["solr", SOLR_SURFACE],
  ["vespa", VESPA_SURFACE],
  ["generic", GENERIC_SURFACE],
];
