/**
 * Backend name of the configuration → backend. A new engine is one file and one line here.
 */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Backend, BackendOptions } from "./backend.ts";
import { createElasticsearch } from "./elasticsearch.ts";
import { createMeilisearch } from "./meilisearch.ts";
import { createSolr } from "./solr.ts";

const FACTORIES: ReadonlyMap<string, (options: BackendOptions) => Backend> = new Map([
  ["elasticsearch", createElasticsearch],
  ["opensearch", createElasticsearch],
  ["meilisearch", createMeilisearch],
  ["solr", createSolr],
]);

export const BACKEND_NAMES: readonly string[] = [...FACTORIES.keys()];

/** An unknown name is an error that lists the known ones. */
export function createBackend(name: string, options: BackendOptions = {}): Result<Backend, string> {
  const create = FACTORIES.get(name);
  return create === undefined ? err(`Unknown backend "${name}": use one of ${BACKEND_NAMES.join(", ")}`) : ok(create(options));
}
