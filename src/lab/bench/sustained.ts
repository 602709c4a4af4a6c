/** Sustained load: latency up to p99.9, failures, growth of memory (`load`: a minute each, `soak`: ten, `isolate`: a small heap). */
import { performance } from "node:perf_hooks";
import { type Load, load, type LoadOptions, loadOrThrow, passedThrough, reranked } from "./load.ts";
import { against, inChart, type Measurement, measured, measuredIfAny, measuredLoad, median } from "./measurement.ts";
import { residentMb } from "./processes.ts";
import type { Bench } from "./run.ts";
import { countOutcomes, type Edge, openShop, WINDOW } from "./shop.ts";
import { startStandIn } from "./stand-in.ts";
import { sleep } from "../../web.ts";

const SOAK_CONNECTIONS = 8;
const MEMORY_INTERVAL_MS = 500;

/** Resident memory goes up and down with every garbage collection: a figure is the median of this many seconds. */
const MEMORY_SECONDS = 10;

type Sustained = Awaited<ReturnType<typeof sustain>>;

export async function benchLoad(bench: Bench): Promise<Measurement[]> {
  const { loadConnections, loadSeconds: seconds, passthroughSeconds } = bench.plan;
  const { edge, nextQuery } = await openShop(bench, [WINDOW]);
  const found: Measurement[] = [];
  await loadOrThrow(reranked(edge, WINDOW), { connections: 8, seconds: Math.min(3, seconds), nextQuery });
  for (const connections of loadConnections) {
    const name = `${connections} connection${connections === 1 ? "" : "s"}`;
    const passthrough = await loadOrThrow(passedThrough(edge, WINDOW), { connections, seconds: passthroughSeconds, nextQuery });
    const sustained = await sustain(bench, name, edge, { connections, seconds, nextQuery });
    found.push(...describeLoad(name, sustained, passthrough), ...describeGrowth(`${seconds} s on ${name}`, sustained, seconds / 4));
  }
  return found;
}

export async function benchSoak(bench: Bench): Promise<Measurement[]> {
  const { soakSeconds: seconds, soakSettledSeconds, passthroughSeconds } = bench.plan;
  // Each search fails while the engine is down: the counts say so, and a line for each would say nothing more.
  const { edge, engine, stores, nextQuery } = await openShop(bench, [WINDOW], undefined, () => undefined);
  const options = { connections: SOAK_CONNECTIONS, seconds, nextQuery };
  const passthrough = await loadOrThrow(passedThrough(edge, WINDOW), { ...options, seconds: passthroughSeconds });
  const [sustained, { downAt, upAt }] = await Promise.all([sustain(bench, "soak", edge, options), interrupt(bench, engine)]);
  const name = `soak of ${seconds} s, ${SOAK_CONNECTIONS} connections`;
  // The record of every search that the edge has counted must have arrived.
  const counted = Object.values(await countOutcomes(edge.client)).reduce((sum, count) => sum + count, 0);
  const peer = { peer: "searches that the edge counted", p50: counted };
  const isWhileDown = (at: number): boolean => at >= downAt && at <= upAt;
  const later = sustained.failedAt.filter((at) => at > upAt);
  return [
    ...describeLoad(name, { ...sustained, failed: sustained.failedAt.filter((at) => !isWhileDown(at)).length }, passthrough),
    measured(`failed searches while the engine was down, ${name}`, "count", [sustained.failedAt.filter(isWhileDown).length]),
    measured(`time from the engine's start to the last failed search, ${name}`, "ms", [Math.max(0, ...later.map((at) => at - upAt))]),
    ...describeGrowth(name, sustained, soakSettledSeconds),
    measured(`exposure records written, ${name}`, "count", [await stores.statements()], peer),
    ...memoryByTime(sustained),
  ];
}

/** Ends the engine's process in the middle of the soak and starts another one at its address. Times by performance.now(). */
async function interrupt(bench: Bench, engine: Awaited<ReturnType<typeof startStandIn>>) {
  const { soakSeconds, soakDownSeconds } = bench.plan;
  await sleep((soakSeconds / 2) * 1000);
  const downAt = performance.now();
  engine.stop();
  await sleep(soakDownSeconds * 1000);
  bench.defer((await startStandIn("engine", { port: engine.port })).stop);
  return { downAt, upAt: performance.now() };
}

/**
 * Cloudflare ends an isolate at 128 MB, V8's heap and everything beside it; local workerd sets no limit. The runtime's memory (17 MB) and
 * `edge.bin` (7) are outside the heap, which gets 64 of the 104 that are left: the rest is for bodies in transit, and a reserve. A process
 * that needs more ends, and every later search fails.
 */
const ISOLATE_HEAP_MB = 64;
const ISOLATE_CONNECTIONS = 64;

export async function benchIsolate(bench: Bench): Promise<Measurement[]> {
  const sustainWith = async (seconds: number, heapMb?: number): Promise<Sustained> => {
    const { edge, nextQuery } = await openShop(bench, [WINDOW], heapMb);
    const label = heapMb === undefined ? "unlimited heap" : `heap of ${heapMb} MB`;
    const found = await sustain(bench, label, edge, { connections: ISOLATE_CONNECTIONS, seconds, nextQuery });
    edge.stop();
    return found;
  };
  const unlimited = await sustainWith(bench.plan.passthroughSeconds);
  const limited = await sustainWith(bench.plan.loadSeconds, ISOLATE_HEAP_MB);
  const at = `heap of at most ${ISOLATE_HEAP_MB} MB, ${ISOLATE_CONNECTIONS} connections`;
  const peer = "unlimited heap";
  return [
    measuredLoad(`search, ${at}`, "ms", limited.ms, against(peer, unlimited.ms)),
    ...measuredIfAny(`processor time per search, ${at}`, "ms CPU", limited.cpuMs, against(peer, unlimited.cpuMs)),
    measured(`resident memory of the process, ${at}`, "MB", mbsOf(limited), against(peer, mbsOf(unlimited))),
    measured(`failed searches of ${limited.ms.length}, ${at}`, "count", [limited.failed]),
  ];
}

const mbsOf = ({ memory }: Sustained): number[] => memory.map(({ mb }) => mb);

/** A load of re-ranked searches, with the memory of the edge's process sampled meanwhile. */
async function sustain(bench: Bench, name: string, edge: Edge, options: LoadOptions) {
  const memory: { second: number; mb: number }[] = [];
  const startedAt = performance.now();
  const progress = bench.progress(`Load, ${name}`, options.seconds);
  const timer = setInterval(() => {
    const second = (performance.now() - startedAt) / 1000;
    memory.push({ second, mb: residentMb(edge.pid) });
    progress.update(Math.min(options.seconds, Math.floor(second)));
  }, MEMORY_INTERVAL_MS);
  try {
    const found = await load(reranked(edge, WINDOW), options);
    return { ...found, memory: memory.filter(({ second }) => second <= options.seconds) };
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

function describeLoad(name: string, { ms, perSecond, cpuMs, failed }: Sustained, passthrough: Load): Measurement[] {
  const inLatency = (figure: Measurement, series: string) =>
    inChart(figure, "latency-by-connections", series, name.replace(/ connections?$/, ""));
  const peer = "passthrough before it";
  return [
    inLatency(measuredLoad(`search under load, passthrough, ${name}`, "ms", passthrough.ms), "passthrough"),
    inLatency(measuredLoad(`search under load, re-ranked, ${name}`, "ms", ms, against(peer, passthrough.ms)), "re-ranked"),
    measured(`searches per second under load, re-ranked, ${name}`, "requests/s", perSecond, against(peer, passthrough.perSecond)),
    ...measuredIfAny(`processor time per re-ranked search under load, ${name}`, "ms CPU", cpuMs, against(peer, passthrough.cpuMs)),
    measured(`failed searches of ${ms.length}, ${name}`, "count", [failed]),
  ];
}

/** From the seconds around `from` to the last ones. */
function describeGrowth(name: string, { memory }: Sustained, from: number): Measurement[] {
  const around = (at: number) => memory.filter(({ second }) => Math.abs(second - at) <= MEMORY_SECONDS / 2).map(({ mb }) => mb);
  const end = (memory.at(-1)?.second ?? 0) - MEMORY_SECONDS / 2;
  const [before, after] = [median(around(from)), median(around(end))];
  return [
    measured(`resident memory after ${Math.round(from)} s, ${name}`, "MB", [before]),
    measured(`resident memory at the end, ${name}`, "MB", [after], { peer: `after ${Math.round(from)} s`, p50: before }),
    measured(`growth of resident memory, ${name}`, "%", [(after / before - 1) * 100]),
  ];
}

/** The median of every minute (of every second in a short soak). */
function memoryByTime({ memory }: Sustained): Measurement[] {
  const last = memory.at(-1)?.second ?? 0;
  const [step, unit] = last > 120 ? [60, "min"] : [1, "s"];
  return Array.from({ length: Math.ceil(last / step) }, (_, i) => {
    const mbs = memory.filter(({ second }) => second >= i * step && second < (i + 1) * step).map(({ mb }) => mb);
    const figure = measured(`resident memory, soak, ${unit} ${i + 1}`, "MB", mbs.length === 0 ? [0] : mbs);
    return inChart(figure, "memory-in-soak", "resident memory", String(i + 1));
  });
}
