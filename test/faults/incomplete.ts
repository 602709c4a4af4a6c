/** How each engine says that hits may be missing: members of a reply with values that say so, and with values that do not. */

export interface Sign {
  /** From the root of a reply of one search. */
  readonly path: readonly string[];
  readonly says: readonly unknown[];
  readonly saysNot: readonly unknown[];
}

const flag = (...path: readonly string[]): Sign => ({ path, says: [true], saysNot: [false, null] });
const count = (...path: readonly string[]): Sign => ({ path, says: [1, 30], saysNot: [0] });

/** By the name of the backend. */
export const SIGNS: ReadonlyMap<string, readonly Sign[]> = new Map<string, readonly Sign[]>([
  [
    "elasticsearch",
    [
      flag("timed_out"),
      flag("terminated_early"),
      count("_shards", "failed"),
      count("_clusters", "skipped"),
      count("_clusters", "partial"),
      count("_clusters", "failed"),
      count("_clusters", "running"),
      {
        path: ["_shards"],
        says: [
          { total: 2, successful: 1, skipped: 0, failed: 0 },
          { total: 5, successful: 4, skipped: 4, failed: 0 },
        ],
        saysNot: [{ total: 5, successful: 5, skipped: 4, failed: 0 }, { total: 0, successful: 0, failed: 0 }, {}],
      },
      { path: ["_shards", "skipped"], says: [], saysNot: [0, 3] },
      { path: ["_clusters", "successful"], says: [], saysNot: [0, 3] },
    ],
  ],
  [
    "solr",
    [
      { path: ["responseHeader", "partialResults"], says: [true, "omitted"], saysNot: [false] },
      count("responseHeader", "status"),
      flag("responseHeader", "segmentTerminatedEarly"),
      flag("responseHeader", "maxHitsTerminatedEarly"),
    ],
  ],
  [
    "vespa",
    [
      { path: ["root", "coverage", "full"], says: [false], saysNot: [true] },
      {
        path: ["root", "coverage"],
        says: [
          { coverage: 50, full: false, degraded: { timeout: true } },
          { coverage: 50, full: false, degraded: { "match-phase": true, timeout: true } },
          { coverage: 99, full: false, degraded: { "match-phase": false, timeout: false, "adaptive-timeout": true } },
          { coverage: 99, full: false, degraded: { "non-ideal-state": true } },
          { coverage: 99, full: false, degraded: {} },
        ],
        saysNot: [{ coverage: 100, full: true }],
      },
      { path: ["root", "errors"], says: [[{ code: 12, message: "Timed out" }]], saysNot: [] },
    ],
  ],
  ["typesense", [flag("search_cutoff")]],
  ["meilisearch", [flag("degraded"), { path: ["remoteErrors"], says: [{ ms_1: { code: "timeout" } }], saysNot: [{}, null] }]],
  [
    "algolia",
    [
      flag("timeoutHits"),
      flag("timeoutCounts"),
      { path: ["exhaustiveNbHits"], says: [], saysNot: [false, true] },
      { path: ["exhaustive"], says: [], saysNot: [{ nbHits: false, typo: false, facetsCount: false }] },
    ],
  ],
  ["generic", [flag("partial")]],
]);

/** The name in the option `incomplete` of the backend "generic". */
export const GENERIC_SIGN = "partial";

/** A copy of `reply` with `value` at `path`. */
export function withMember(reply: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const object = { ...Object(reply) };
  return { ...object, [name]: withMember(object[name], rest, value) };
}
