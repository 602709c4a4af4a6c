/** All dialects, by name. */
import { ALGOLIA_SURFACE } from "./algolia.ts";
import { GENERIC_SURFACE } from "./generic.ts";
import { MEILISEARCH_SURFACE } from "./meilisearch.ts";
import { SHOPIFY_SURFACE } from "./shopify.ts";
import type { Surface } from "./surface.ts";
import { TYPESENSE_SURFACE } from "./typesense.ts";

export const SURFACES: readonly (readonly [name: string, surface: Surface])[] = [
  ["algolia", ALGOLIA_SURFACE],
  ["typesense", TYPESENSE_SURFACE],
  ["meilisearch", MEILISEARCH_SURFACE],
  ["shopify", SHOPIFY_SURFACE],
  ["generic", GENERIC_SURFACE],
];
