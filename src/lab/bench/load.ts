/** Searches from autocannon, all different, and the processor time of the server meanwhile. */
import { performance } from "node:perf_hooks";
import autocannon from "autocannon";
import { searchBody } from "./engine.ts";
import { canReadCpu, cpuTime } from "./processes.ts";
import { type Bench, inTurns } from "./run.ts";
import { countOutcomes, type Edge, PAGE_SIZE, searchPath, unitOf } from "./shop.ts";
import { sleep, UserError } from "../../web.ts";
import { OFF, OUTCOME_HEADER, USER_HEADER } from "../../protocol.ts";

/** Rates are counted in intervals of this length. */
const INTERVAL_MS = 250;

/** Searches that autocannon no longer waits for, and records that are written after replies, end in this time. */
const SETTLE_MS = 300;

/** The server and the search that it is asked for. */
export interface Target {
  /** Origin. */
  readonly url: string;
  readonly pid: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly pageSize: number;
  /** Of the edge: the outcome of every search, and a connection on which its counters are read. */
  readonly expected?: { readonly outcome: string; readonly client: Edge["client"] };
}

export interface LoadOptions {
  readonly connections: number;
  /** A whole number: autocannon's clock ticks in seconds. */
  readonly seconds: number;
  readonly nextQuery: () => string;
}

/** Samples of one load, or of several together. */
export type Load = Awaited<ReturnType<typeof load>>;

const HEADERS = { "content-type": "application/json", [USER_HEADER]: unitOf("armmt") } as const;

/** The search that the edge re-ranks. */
export function reranked({ url, pid, client }: Edge, window: number): Target {
  return { url, pid, path: searchPath(window), headers: HEADERS, pageSize: PAGE_SIZE, expected: { outcome: "applied", client } };
}

/** The search that the edge passes through. */
export function passedThrough({ url, pid, client }: Edge, window: number, pageSize: number = PAGE_SIZE): Target {
  const headers = { ...HEADERS, [OUTCOME_HEADER]: OFF };
  return { url, pid, path: searchPath(window), headers, pageSize, expected: { outcome: "off", client } };
}

/** Throws a UserError if no search ended in time. */
export async function load({ url, pid, path, headers, pageSize, expected }: Target, options: LoadOptions) {
  const { connections, seconds, nextQuery } = options;
  const outcomes = async (): ReturnType<typeof countOutcomes> => (expected === undefined ? {} : countOutcomes(expected.client));
  const before = await outcomes();
  const cpuBefore = canReadCpu ? cpuTime(pid) : undefined;

  const ms: number[] = [];
  /** Searches per interval; an interval without any has no entry. */
  const counts: number[] = [];
  const failedAt: number[] = [];
  const startedAt = performance.now();
  const setupRequest = (request: object) => ({
    ...request,
    method: "POST",
    path,
    headers: { ...headers },
    body: searchBody(nextQuery(), pageSize),
  });
  const instance = autocannon({ url, connections, duration: seconds, requests: [{ setupRequest }] });
  instance.on("response", (_client, status, _bytes, responseMs) => {
    ms.push(responseMs);
    if (status < 200 || status > 299) failedAt.push(performance.now());
    const interval = Math.floor((performance.now() - startedAt) / INTERVAL_MS);
    counts[interval] = (counts[interval] ?? 0) + 1;
  });
  const { non2xx, errors, timeouts } = await instance;
  if (ms.length === 0) throw new UserError(`No search ended within ${seconds} s on ${connections} connections: the machine is too busy`);
  await sleep(SETTLE_MS);

  const cpuAfter = canReadCpu ? cpuTime(pid) : undefined;
  const perSearch = (key: "allMs" | "waitedMs") => (cpuBefore && cpuAfter ? [(cpuAfter[key] - cpuBefore[key]) / ms.length] : []);
  const unexpected = Object.entries(await outcomes())
    .map(([name, count]) => ({ name, more: count - (before[name] ?? 0) }))
    .filter(({ name, more }) => name !== expected?.outcome && more > 0);
  const broken = errors + timeouts;
  const failed = non2xx + broken + unexpected.reduce((sum, { more }) => sum + more, 0);
  const seen = unexpected.map(({ name, more }) => `${name} ${more}`).join(", ") || "none";
  const failures = failed === 0 ? "" : `${non2xx} searches failed, ${broken} connections broke, other outcomes: ${seen}`;
  // The last interval may be cut short; a load of a second is one interval.
  const intervals = Math.floor((seconds * 1000) / INTERVAL_MS) - 1;
  const perSecond =
    intervals < 4 ? [ms.length / seconds] : Array.from({ length: intervals }, (_, i) => (counts[i] ?? 0) * (1000 / INTERVAL_MS));
  return {
    /** Per search, from the first byte sent to the last received. */
    ms,
    /** One number per interval. */
    perSecond,
    /** Processor time of the server per search, all threads; one number per load, none where it cannot be read. */
    cpuMs: perSearch("allMs"),
    /** Time that its main thread waited for a core, likewise. */
    waitedMs: perSearch("waitedMs"),
    /** When searches ended with another status than 2xx, by performance.now(). */
    failedAt,
    /** Searches with another status, broken connections, unexpected outcomes. */
    failed,
    /** For people; empty if nothing failed. */
    failures,
  };
}

/** Throws a UserError if any search failed: the figures would be of something else. */
export async function loadOrThrow(target: Target, options: LoadOptions): Promise<Load> {
  const found = await load(target, options);
  if (found.failed > 0) throw new UserError(`Under load ${found.failures}`);
  return found;
}

/** Loads that take turns in the plan's slices. By name of the target: its slices together. */
export async function loadInTurns<N extends string>(
  bench: Bench,
  targets: ReadonlyMap<N, Target>,
  options: Omit<LoadOptions, "seconds"> & { readonly label: string },
): Promise<ReadonlyMap<N, Load>> {
  const { slices: rounds, warmUpSlices: warmUpRounds, sliceSeconds: seconds } = bench.plan;
  const turns = { label: options.label, kinds: [...targets.keys()].map((name) => [name]), rounds, warmUpRounds };
  const loads = await inTurns(bench, turns, (name) => loadOrThrow(targets.get(name)!, { ...options, seconds }));
  return new Map([...targets.keys()].map((name) => [name, together(loads(name))]));
}

const together = (loads: readonly Load[]): Load => ({
  ms: loads.flatMap(({ ms }) => ms),
  perSecond: loads.flatMap(({ perSecond }) => perSecond),
  cpuMs: loads.flatMap(({ cpuMs }) => cpuMs),
  waitedMs: loads.flatMap(({ waitedMs }) => waitedMs),
  failedAt: loads.flatMap(({ failedAt }) => failedAt),
  failed: loads.reduce((sum, { failed }) => sum + failed, 0),
  failures: loads.map(({ failures }) => failures).join(""),
});
