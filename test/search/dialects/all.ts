/** Every dialect, in the order of the README's matrix. */
import type { Dialect } from "./dialect.ts";
import { elasticsearch } from "./elasticsearch.ts";
import { meilisearch } from "./meilisearch.ts";
import { solr } from "./solr.ts";

export const DIALECTS: readonly Dialect[] = [elasticsearch, meilisearch, solr];
