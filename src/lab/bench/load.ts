/** A load of searches from autocannon, no two alike, and what the server used meanwhile. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import type { Client } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { countOutcomes, searchPath, unitOf } from "./edge.ts";
import { searchBody } from "./products.ts";
import { canReadCpu, cpuTime } from "./cpu-time.ts";
import { UserError } from "../../web.ts";

/** What a shopper sees of one search. */
export const PAGE_SIZE = 20;

/** Rates are counted in intervals of this length. */
const INTERVAL_MS = 250;

/** Searches that autocannon no longer waits for, and records that are written after replies, end in this time. */
const SETTLE_MS = 300;

/** Who is asked, and for what. */
export interface Target {
  /** Origin. */
  readonly url: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pageSize: number;
  /** Of the server. */
  readonly pid: number;
  /** Of the edge: how every search has to end, and a connection on which its counters are read. */
  readonly outcome?: { readonly name: string; readonly client: Client };
}

export interface LoadOptions {
  readonly connections: number;
  /** Whole ones: autocannon's clock ticks so. */
  readonly seconds: number;
  readonly nextQuery: () => string;
}

export interface Load {
  /** Per search, from the first byte sent to the last received. */
  readonly ms: readonly number[];
  /** Searches per second, one number per interval. */
  readonly perSecond: readonly number[];
  /** Processor time of the server per search, all threads; absent where it cannot be read. */
  readonly cpuMs: number | undefined;
  /** What its main thread waited for a core, per search. */
  readonly waitedMs: number | undefined;
  /** Searches with another status, connections that broke, other outcomes than the wanted one. */
  readonly failed: number;
  /** In words; empty when nothing failed. */
  readonly failures: string;
}

interface Edge {
  readonly url: string;
  readonly pid: number;
  readonly client: Client;
}

const HEADERS = { "content-type": "application/json", "x-armmt-user": unitOf("armmt") } as const;

export function rerankedBy({ url, pid, client }: Edge, index: Index): Target {
  const outcome = { name: "applied", client };
  return { url, pid, path: searchPath(index), headers: HEADERS, pageSize: PAGE_SIZE, outcome };
}

export function passedBy({ url, pid, client }: Edge, index: Index, pageSize: number = PAGE_SIZE): Target {
  const outcome = { name: "off", client };
  return { url, pid, path: searchPath(index), headers: { ...HEADERS, "x-armmt": "off" }, pageSize, outcome };
}

export async function load(target: Target, options: LoadOptions): Promise<Load> {
  const { url, path, headers, pageSize, pid, outcome } = target;
  const before = outcome && (await countOutcomes(outcome.client, "armmt"));
  const cpuBefore = canReadCpu ? cpuTime(pid) : undefined;

  const ms: number[] = [];
  /** Searches per interval; one without any has no entry. */
  const counts: number[] = [];
  const startedAt = performance.now();
  const setupRequest = (request: object) => ({
    ...request,
    method: "POST",
    path,
    headers: { ...headers },
    body: searchBody(options.nextQuery(), pageSize),
  });
  const instance = autocannon({ url, connections: options.connections, duration: options.seconds, requests: [{ setupRequest }] });
  instance.on("response", (_client, _status, _bytes, responseMs) => {
    ms.push(responseMs);
    const interval = Math.floor((performance.now() - startedAt) / INTERVAL_MS);
    counts[interval] = (counts[interval] ?? 0) + 1;
  });
  const result = await instance;
  await sleep(SETTLE_MS);

  const cpuAfter = canReadCpu ? cpuTime(pid) : undefined;
  const cpuMs = cpuBefore && cpuAfter && (cpuAfter.allMs - cpuBefore.allMs) / ms.length;
  const waitedMs = cpuBefore && cpuAfter && (cpuAfter.waitedMs - cpuBefore.waitedMs) / ms.length;
  const after = outcome && (await countOutcomes(outcome.client, "armmt"));
  const others = Object.entries(after ?? {}).flatMap(([name, count]) => {
    const more = count - (before?.[name] ?? 0);
    return name === outcome?.name || more === 0 ? [] : [{ name, more }];
  });
  const broken = result.errors + result.timeouts;
  const failed = result.non2xx + broken + others.reduce((sum, { more }) => sum + more, 0);
  const seen = others.map(({ name, more }) => `${name} ${more}`).join(", ") || "none";
  const failures = failed === 0 ? "" : `${result.non2xx} searches failed, ${broken} connections broke, other outcomes: ${seen}`;
  // The last interval is left out: it may be cut short. A load of a moment is one interval.
  const intervals = Math.floor((options.seconds * 1000) / INTERVAL_MS) - 1;
  const isShort = intervals < 4;
  const perSecond = isShort
    ? [ms.length / options.seconds]
    : Array.from({ length: intervals }, (_, i) => (counts[i] ?? 0) * (1000 / INTERVAL_MS));
  return { ms, perSecond, cpuMs, waitedMs, failed, failures };
}

/** Throws a UserError when any search did not end as it should: then the figures are of something else. */
export async function loadOrThrow(target: Target, options: LoadOptions): Promise<Load> {
  const found = await load(target, options);
  if (found.failed > 0) throw new UserError(`Under load ${found.failures}`);
  return found;
}

export interface TurnOptions {
  readonly label: string;
  readonly connections: number;
  readonly nextQuery: () => string;
}

/**
 * Targets take turns in short slices, so that a slow moment of the machine meets all of them. One list of loads per target, in order; the
 * plan says how many slices of how many seconds.
 */
export async function loadInTurns(bench: Bench, targets: readonly Target[], options: TurnOptions): Promise<Load[][]> {
  const { slices, warmUpSlices, sliceSeconds: seconds } = bench.plan;
  const progress = bench.progress(options.label, targets.length * (slices + warmUpSlices));
  const loads = targets.map((): Load[] => []);
  for (let slice = -warmUpSlices; slice < slices; slice++) {
    for (const [i, target] of targets.entries()) {
      const found = await loadOrThrow(target, { ...options, seconds });
      progress.increment();
      if (slice >= 0) loads[i]!.push(found);
    }
  }
  progress.stop();
  return loads;
}
