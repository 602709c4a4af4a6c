/** The stand-ins of all engines, in the order of the README's matrix. */
import { algolia } from "./algolia.ts";
import type { EngineStandIn } from "./stand-in.ts";
import { elasticsearch } from "./elasticsearch.ts";
import { commercetools, generic, retail } from "./generic.ts";
import { meilisearch } from "./meilisearch.ts";
import { shopify } from "./shopify.ts";
import { solr } from "./solr.ts";
import { typesense } from "./typesense.ts";
import { vespa } from "./vespa.ts";

export const STAND_INS: readonly EngineStandIn[] = [
  elasticsearch,
  algolia,
  typesense,
  meilisearch,
  solr,
  vespa,
  shopify,
  generic,
  commercetools,
  retail,
];
