/** What a million searches cost at Cloudflare. Pure arithmetic over `prices.ts`. */
import {
  BYTES_PER_ITEM,
  CACHE_BYTES,
  KV_GB_PER_MONTH,
  MS_BY_WINDOW,
  PER_MILLION,
  PLAN_PER_MONTH,
  PRICES_SEEN,
  ROWS_PER_SEARCH,
  SHARD_BYTES,
  SOURCES,
} from "./prices.ts";

export interface CostOptions {
  /** W, how many hits are re-ranked. */
  readonly window: number;
  /** Products in the catalogue. */
  readonly items: number;
  /** Of one search; `undefined`: from the README's table. */
  readonly cpuMs: number | undefined;
  /** How many searches an isolate serves before it is gone. */
  readonly searchesPerIsolate: number;
}

export interface Cost {
  readonly pricesSeen: string;
  readonly sources: readonly string[];
  readonly assumptions: readonly string[];
  readonly cpuMsPerSearch: number;
  readonly kvReadsPerSearch: number;
  /** US dollars for a million searches. */
  readonly perMillionSearches: {
    readonly requests: number;
    readonly cpu: number;
    /** At most. */
    readonly kvReads: number;
    /** Exposures in D1. */
    readonly exposures: number;
    readonly total: number;
  };
  readonly perMonth: { readonly plan: number; readonly kvStorage: number };
  /** KV writes of one `armmt publish`. */
  readonly perPublish: number;
}

export function costOf({ window, items, cpuMs, searchesPerIsolate }: CostOptions): Cost {
  const cpu = cpuMs ?? cpuMsOf(window);
  const bytes = items * BYTES_PER_ITEM;
  const shards = Math.max(1, Math.ceil(bytes / SHARD_BYTES));
  const held = Math.min(1, CACHE_BYTES / bytes);
  // The shards in which the window's items lie, if they lie anywhere (balls into bins), less those that the isolate holds.
  const touched = shards * (1 - (1 - 1 / shards) ** window);
  const missed = held === 1 ? 0 : touched * (1 - held);
  // A new isolate reads pointer, set and the shards that it will hold.
  const cold = (2 + shards * held) / searchesPerIsolate;
  const kvReadsPerSearch = 1 + cold + missed;
  const perMillion = {
    requests: PER_MILLION.requests,
    cpu: cpu * PER_MILLION.cpuMs,
    kvReads: kvReadsPerSearch * PER_MILLION.kvReads,
    exposures: ROWS_PER_SEARCH * PER_MILLION.d1RowsWritten,
  };
  return {
    pricesSeen: PRICES_SEEN,
    sources: SOURCES,
    assumptions: [
      cpuMs === undefined
        ? `${round(cpu)} ms of CPU per search: the README's p50 of a re-ranked search with a window of ${window}, wall time in local workerd. Measure yours (tail, cpuTime) and give --cpu-ms.`
        : `${round(cpu)} ms of CPU per search, as given.`,
      "An isolate that sees less than one search a minute reads the KV pointer for each of them (1 read per search); a busy one reads it once a minute.",
      `An isolate serves ${searchesPerIsolate.toLocaleString("en")} searches before it is gone, then another reads ${shards} ${shards === 1 ? "shard" : "shards"} anew (--searches-per-isolate).`,
      ...(held < 1
        ? [
            `${Math.round(held * 100)} % of the catalogue fits into an isolate (SHARD_CACHE_BYTES); the rest is read from KV search by search.`,
          ]
        : []),
      "Each search writes one row and two index entries to D1; clicks, carts and purchases add a request and three rows each.",
      "What the plan includes every month is not subtracted.",
    ],
    cpuMsPerSearch: cpu,
    kvReadsPerSearch,
    perMillionSearches: { ...perMillion, total: Object.values(perMillion).reduce((sum, dollars) => sum + dollars, 0) },
    perMonth: { plan: PLAN_PER_MONTH, kvStorage: (bytes / 1e9) * KV_GB_PER_MONTH },
    perPublish: ((shards + 2) * PER_MILLION.kvWrites) / 1e6,
  };
}

/** Of the next larger window that was measured; beyond the largest in proportion. */
export function cpuMsOf(window: number): number {
  const measured = [...MS_BY_WINDOW];
  const found = measured.find(([k]) => k >= window);
  if (found !== undefined) return found[1];
  const [largest, ms] = measured.at(-1) ?? [1, 0];
  return (ms * window) / largest;
}

function round(value: number): number {
  return Number(value.toFixed(2));
}
