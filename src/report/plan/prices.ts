/**
 * Cloudflare's prices, in US dollars, and how long a search takes: the figures that a plan rests on, each with its source. The plan's included
 * amounts are not subtracted: what is printed is what one more million searches costs.
 */

/** When the prices were read: the newest documented values seen in November 2026. */
export const PRICES_SEEN = "November 2026";

export const SOURCES: readonly string[] = [
  "https://developers.cloudflare.com/workers/platform/pricing/",
  "https://developers.cloudflare.com/kv/platform/pricing/",
  "https://developers.cloudflare.com/d1/platform/pricing/",
];

/** Workers Paid, a month; includes 10 M requests, 30 M ms of CPU, 10 M KV reads, 1 M KV writes, 50 M D1 rows written. */
export const PLAN_PER_MONTH = 5;

export const PER_MILLION = {
  requests: 0.3,
  cpuMs: 0.02,
  /** Per key. */
  kvReads: 0.5,
  kvWrites: 5,
  /** An index is a row more. */
  d1RowsWritten: 1,
} as const;

/** KV, a gigabyte for a month. */
export const KV_GB_PER_MONTH = 0.5;

/**
 * README, "Speed", re-ranked, p50 in ms by K: wall time in local workerd on loopback, with the record of the search. CPU time at Cloudflare was
 * not measured; it is less where waiting is part of the wall time, more on a slower core.
 */
export const MS_BY_WINDOW: ReadonlyMap<number, number> = new Map([
  [20, 5.6],
  [50, 5.9],
  [100, 7.4],
  [200, 11],
]);

/** README, "What is stored". */
export const BYTES_PER_ITEM = 175;
/** src/cli/embed/pack.ts */
export const SHARD_BYTES = 512 * 1024;
/** Default of SHARD_CACHE_BYTES. */
export const CACHE_BYTES = 33_554_432;
/** A row of ubi_queries and its two indexes (src/events/d1.ts). */
export const ROWS_PER_SEARCH = 3;
