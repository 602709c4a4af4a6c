/** Where records of a shopper may stand that no row of D1 shows, by what the edge's wrangler.toml binds: places that `armmt forget` cannot reach. */
import * as v from "valibot";
import { loadWrangler } from "../wrangler.ts";

const bindings = v.optional(v.array(v.looseObject({ binding: v.optional(v.string()) })), []);

const configSchema = v.looseObject({
  r2_buckets: bindings,
  kv_namespaces: bindings,
  pipelines: bindings,
  analytics_engine_datasets: bindings,
  queues: v.optional(v.looseObject({ producers: bindings }), {}),
});

/** One line each. `config`: path of the edge's wrangler.toml. */
export async function placesElsewhere(config: string): Promise<readonly string[]> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const {
    r2_buckets,
    kv_namespaces,
    pipelines,
    analytics_engine_datasets: datasets,
    queues,
  } = v.parse(configSchema, readConfig({ config }));
  const places: readonly (readonly [boolean, string])[] = [
    [isBound(queues.producers, "EVENTS_QUEUE"), "Queue (EVENTS_QUEUE): records under way; run this again when it is empty"],
    [
      isBound(kv_namespaces, "DEAD_LETTERS") || isBound(r2_buckets, "DEAD_LETTERS"),
      "DEAD_LETTERS: records that wait for a sink; run this again when there are none",
    ],
    [
      isBound(r2_buckets, "EVENTS_BUCKET"),
      "R2 (EVENTS_BUCKET): lines of ubi_queries/ and ubi_events/ that are written; delete or rewrite those objects",
    ],
    [pipelines.length > 0, "Pipelines (EVENTS_PIPELINE): files or tables that it has written; delete there by client_id and unit"],
    [datasets.length > 0, "Analytics Engine (EVENTS_ANALYTICS): nothing to remove, no shopper is written there"],
    [true, "D1 Time Travel: the database as it was can be restored for 7 days (30 on a paid plan)"],
    [true, "Copies that you made: exports, lists of armmt lists, reports"],
  ];
  return places.flatMap(([isThere, place]) => (isThere ? [place] : []));
}

function isBound(list: readonly { readonly binding?: string | undefined }[], name: string): boolean {
  return list.some(({ binding }) => binding === name);
}
