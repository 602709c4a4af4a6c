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
      { path: ["root", "errors"], says: [[{ code: 12, message: "Timed out" }]], saysNot: [] },
    ],
  ],
  ["typesense", [flag("search_cutoff")]],
  ["meilisearch", [{ path: ["remoteErrors"], says: [{ ms_1: { code: "timeout" } }], saysNot: [{}, null] }]],
  ["algolia", [flag("timeoutHits"), { path: ["exhaustiveNbHits"], says: [], saysNot: [false, true] }]],
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
