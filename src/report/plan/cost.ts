/**
 * Cost of a million searches at Cloudflare, in US dollars. Each figure names its source. The amounts that the plan includes every month are
 * not subtracted.
 */

/** Month in which the documented prices were read. */
const PRICES_SEEN = "November 2026";
const SOURCES = ["workers", "kv", "d1"].map((product) => `https://developers.cloudflare.com/${product}/platform/pricing/`);

/** Workers Paid, a month; includes 10 M requests, 30 M ms of CPU, 10 M KV reads, 1 M KV writes, 50 M D1 rows written. */
const PLAN_PER_MONTH = 5;

const PER_MILLION = {
  requests: 0.3,
  cpuMs: 0.02,
  /** Per key. */
  kvReads: 0.5,
  kvWrites: 5,
  /** Each index entry counts as a row. */
  d1RowsWritten: 1,
} as const;

/** KV, a gigabyte for a month. */
const KV_GB_PER_MONTH = 0.5;

/**
 * docs/performance.md, re-ranked, p50 in ms by K: wall time in local workerd on loopback, with the record of the search. CPU time at Cloudflare was
 * not measured; it is less where waiting is part of the wall time, more on a slower core.
 */
export const MS_BY_WINDOW: ReadonlyMap<number, number> = new Map([
  [20, 5.4],
  [50, 5.6],
  [100, 6.5],
  [200, 9.3],
]);

/** docs/reference/storage.md */
const BYTES_PER_ITEM = 175;
/** src/cli/embed/pack.ts */
export const SHARD_BYTES = 512 * 1024;
/** Default of SHARD_CACHE_BYTES. */
const CACHE_BYTES = 33_554_432;
/** A row of ubi_queries and its two indexes (src/events/d1.ts). */
const ROWS_PER_SEARCH = 3;

export interface CostOptions {
  /** W, how many hits are re-ranked. */
  readonly window: number;
  /** Products in the catalogue. */
  readonly items: number;
  /** Per search; `undefined`: from MS_BY_WINDOW. */
  readonly cpuMs?: number | undefined;
  /** Searches that an isolate serves in its life. */
  readonly searchesPerIsolate: number;
}

export function costOf({ window, items, cpuMs, searchesPerIsolate }: CostOptions) {
  const cpu = cpuMs ?? cpuMsOf(window);
  const bytes = items * BYTES_PER_ITEM;
  const shards = Math.max(1, Math.ceil(bytes / SHARD_BYTES));
  const cached = Math.min(1, CACHE_BYTES / bytes);
  // Expected shards of the window's items if they are spread at random (balls into bins), less those in the isolate's cache.
  const touched = shards * (1 - (1 - 1 / shards) ** window);
  const missed = cached === 1 ? 0 : touched * (1 - cached);
  // A new isolate reads pointer, set and the shards that fit into its cache.
  const cold = (2 + shards * cached) / searchesPerIsolate;
  const kvReadsPerSearch = 1 + cold + missed;
  const perMillion = {
    requests: PER_MILLION.requests,
    cpu: cpu * PER_MILLION.cpuMs,
    /** At most. */
    kvReads: kvReadsPerSearch * PER_MILLION.kvReads,
    exposures: ROWS_PER_SEARCH * PER_MILLION.d1RowsWritten,
  };
  return {
    pricesSeen: PRICES_SEEN,
    sources: SOURCES,
    assumptions: [
      cpuMs === undefined
        ? `${round(cpu)} ms of CPU per search: the p50 in docs/performance.md of a re-ranked search with a window of ${window}, wall time in local workerd. Measure yours (tail, cpuTime) and give --cpu-ms.`
        : `${round(cpu)} ms of CPU per search, as given.`,
      "An isolate that sees less than one search a minute reads the KV pointer for each of them (1 read per search); a busy one reads it once a minute.",
      `An isolate serves ${searchesPerIsolate.toLocaleString("en")} searches before it ends, then another reads ${shards} ${shards === 1 ? "shard" : "shards"} anew (--searches-per-isolate).`,
      ...(cached < 1
        ? [
            `${Math.round(cached * 100)} % of the catalogue fits into an isolate (SHARD_CACHE_BYTES); the rest is read from KV search by search.`,
          ]
        : []),
      "Each search writes one row and two index entries to D1; clicks, carts and purchases add a request and three rows each.",
      "What the plan includes every month is not subtracted.",
    ],
    cpuMsPerSearch: cpu,
    kvReadsPerSearch,
    /** US dollars. */
    perMillionSearches: { ...perMillion, total: Object.values(perMillion).reduce((sum, dollars) => sum + dollars, 0) },
    perMonth: { plan: PLAN_PER_MONTH, kvStorage: (bytes / 1e9) * KV_GB_PER_MONTH },
    /** KV writes of one `armmt publish`. */
    perPublish: ((shards + 2) * PER_MILLION.kvWrites) / 1e6,
  };
}

/** Of the next larger measured window; proportional beyond the largest. */
export function cpuMsOf(window: number): number {
  const measured = [...MS_BY_WINDOW];
  const [k, ms] = measured.find(([size]) => size >= window) ?? measured.at(-1)!;
  return ms * Math.max(1, window / k);
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
