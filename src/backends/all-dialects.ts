/** Every dialect, in the order in which errors list them. A new engine is one file and one line here. */
import { ALGOLIA } from "./algolia.ts";
import { type Dialects, dialectsOf } from "./dialects.ts";
import { ELASTICSEARCH } from "./elasticsearch.ts";
import { GENERIC } from "./generic.ts";
import { MEILISEARCH } from "./meilisearch.ts";
import { SHOPIFY } from "./shopify.ts";
import { SOLR } from "./solr.ts";
import { TYPESENSE } from "./typesense.ts";
import { VESPA } from "./vespa.ts";

export const ALL_DIALECTS: Dialects = dialectsOf([ELASTICSEARCH, MEILISEARCH, SOLR, SHOPIFY, ALGOLIA, VESPA, TYPESENSE, GENERIC]);
