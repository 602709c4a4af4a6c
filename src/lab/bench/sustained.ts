/**
 * Searches for a long time: latency to the last one in a thousand, what failed, and whether memory grows. `load` holds 1, 8 and 64
 * connections for a minute each, `soak` holds 8 for ten minutes, `isolate` holds 64 where V8 has little room.
 */
import { performance } from "node:perf_hooks";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { countOutcomes } from "./edge.ts";
import type { Load, Target } from "./load.ts";
import { load, loadOrThrow, passedBy, rerankedBy } from "./load.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median, placed, withP999 } from "./measurement.ts";
import { residentMb } from "./resident.ts";
import type { Shop } from "./shop.ts";
import { withShop } from "./shop.ts";

/** The window that wrangler.toml sets. */
const INDEX: Index = { window: 100 };

const SOAK_CONNECTIONS = 8;

const MEMORY_INTERVAL_MS = 500;

/** Resident memory goes up and down with every garbage collection: the middle of so many seconds counts. */
const MEMORY_SECONDS = 10;

interface MemorySample {
  /** Since the load began. */
  readonly second: number;
  readonly mb: number;
}

interface Sustained {
  readonly load: Load;
  readonly memory: readonly MemorySample[];
}

export async function benchLoad(bench: Bench): Promise<Measurement[]> {
  const { loadConnections, loadSeconds: seconds, passthroughSeconds } = bench.plan;
  return withShop(bench, [INDEX], async ({ edge, client, nextQuery }) => {
    const at = { ...edge, client };
    const found: Measurement[] = [];
    await loadOrThrow(rerankedBy(at, INDEX), { connections: 8, seconds: Math.min(3, seconds), nextQuery });
    for (const connections of loadConnections) {
      const options = { connections, seconds, nextQuery };
      const name = `${connections} connection${connections === 1 ? "" : "s"}`;
      const passthrough = await loadOrThrow(passedBy(at, INDEX), { ...options, seconds: passthroughSeconds });
      const sustained = await sustain(bench, name, rerankedBy(at, INDEX), options);
      found.push(...describeLoad(name, sustained, passthrough), ...describeGrowth(`${seconds} s on ${name}`, sustained, seconds / 4));
    }
    return found;
  });
}

export async function benchSoak(bench: Bench): Promise<Measurement[]> {
  const { soakSeconds: seconds, soakSettledSeconds: settled } = bench.plan;
  return withShop(bench, [INDEX], async (shop) => {
    const at = { ...shop.edge, client: shop.client };
    const options = { connections: SOAK_CONNECTIONS, seconds, nextQuery: shop.nextQuery };
    const passthrough = await loadOrThrow(passedBy(at, INDEX), { ...options, seconds: bench.plan.passthroughSeconds });
    const sustained = await sustain(bench, "soak", rerankedBy(at, INDEX), options);
    const name = `soak of ${seconds} s, ${SOAK_CONNECTIONS} connections`;
    return [
      ...describeLoad(name, sustained, passthrough),
      ...describeGrowth(name, sustained, settled),
      ...(await describeExposures(name, shop)),
      ...memoryByTime(sustained.memory),
    ];
  });
}

/**
 * Cloudflare ends an isolate at 128 MB, V8's heap and everything beside it; local workerd sets no limit, and V8 then lets the heap grow as
 * the machine allows. The runtime's memory (17 MB) and `edge.bin` (7) lie beside the heap, which gets 64 of the 104 that are left: the rest is for
 * bodies on their way, and to spare. Where more is needed the process ends, and every search after that fails.
 */
const ISOLATE_HEAP_MB = 64;

const ISOLATE_CONNECTIONS = 64;

export async function benchIsolate(bench: Bench): Promise<Measurement[]> {
  const under = (seconds: number, heapMb?: number) =>
    withShop(
      bench,
      [INDEX],
      async ({ edge, client, nextQuery }) =>
        sustain(bench, heapMb === undefined ? "unlimited heap" : `heap of ${heapMb} MB`, rerankedBy({ ...edge, client }, INDEX), {
          connections: ISOLATE_CONNECTIONS,
          seconds,
          nextQuery,
        }),
      heapMb,
    );
  const unlimited = await under(bench.plan.passthroughSeconds);
  const limited = await under(bench.plan.loadSeconds, ISOLATE_HEAP_MB);
  const name = `heap of at most ${ISOLATE_HEAP_MB} MB, ${ISOLATE_CONNECTIONS} connections`;
  return [
    withP999(measured(`search, ${name}`, "ms", limited.load.ms, beside(median(unlimited.load.ms))), limited.load.ms),
    ...(limited.load.cpuMs === undefined || unlimited.load.cpuMs === undefined
      ? []
      : [measured(`processor time per search, ${name}`, "ms CPU", [limited.load.cpuMs], beside(unlimited.load.cpuMs))]),
    measured(`resident memory of the process, ${name}`, "MB", mbOf(limited), beside(median(mbOf(unlimited)))),
    measured(`failed searches of ${limited.load.ms.length}, ${name}`, "count", [limited.load.failed]),
  ];
}

const beside = (p50: number) => ({ peer: "unlimited heap", p50 });

const mbOf = ({ memory }: Sustained): number[] => memory.map(({ mb }) => mb);

async function sustain(bench: Bench, name: string, target: Target, options: Parameters<typeof load>[1]): Promise<Sustained> {
  const memory: MemorySample[] = [];
  const startedAt = performance.now();
  const progress = bench.progress(`Load, ${name}`, options.seconds);
  const timer = setInterval(() => {
    const second = (performance.now() - startedAt) / 1000;
    memory.push({ second, mb: residentMb(target.pid) });
    progress.update(Math.min(options.seconds, Math.floor(second)));
  }, MEMORY_INTERVAL_MS);
  try {
    const found = await load(target, options);
    return { load: found, memory: memory.filter(({ second }) => second <= options.seconds) };
  } finally {
    clearInterval(timer);
    progress.stop();
  }
}

function describeLoad(name: string, { load: reranked }: Sustained, passthrough: Load): Measurement[] {
  const chart = "latency-by-connections";
  const x = name.replace(/ connections?$/, "");
  const peer = { peer: "passthrough before it", p50: median(passthrough.ms) };
  const rate = { peer: "passthrough before it", p50: median(passthrough.perSecond) };
  return [
    placed(withP999(measured(`search under load, passthrough, ${name}`, "ms", passthrough.ms), passthrough.ms), chart, "passthrough", x),
    placed(withP999(measured(`search under load, re-ranked, ${name}`, "ms", reranked.ms, peer), reranked.ms), chart, "re-ranked", x),
    measured(`searches per second under load, re-ranked, ${name}`, "requests/s", reranked.perSecond, rate),
    ...cpuOf(name, reranked, passthrough),
    measured(`failed searches of ${reranked.ms.length}, ${name}`, "count", [reranked.failed]),
  ];
}

function cpuOf(name: string, reranked: Load, passthrough: Load): Measurement[] {
  if (reranked.cpuMs === undefined || passthrough.cpuMs === undefined) return [];
  const peer = { peer: "passthrough before it", p50: passthrough.cpuMs };
  return [measured(`processor time per re-ranked search under load, ${name}`, "ms CPU", [reranked.cpuMs], peer)];
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

/** The record of every search that the edge has counted must have arrived. */
async function describeExposures(name: string, { client, stores }: Shop): Promise<Measurement[]> {
  const counted = Object.values(await countOutcomes(client, "armmt")).reduce((sum, count) => sum + count, 0);
  const { statements } = await stores.counts();
  return [measured(`exposure records written, ${name}`, "count", [statements], { peer: "searches that the edge counted", p50: counted })];
}

/** The middle of every minute (of every second in a short soak). */
function memoryByTime(memory: readonly MemorySample[]): Measurement[] {
  const last = memory.at(-1)?.second ?? 0;
  const [step, unit] = last > 120 ? [60, "min"] : [1, "s"];
  return Array.from({ length: Math.ceil(last / step) }, (_, i) => {
    const mbs = memory.filter(({ second }) => second >= i * step && second < (i + 1) * step).map(({ mb }) => mb);
    const figure = measured(`resident memory, soak, ${unit} ${i + 1}`, "MB", mbs.length === 0 ? [0] : mbs);
    return placed(figure, "memory-in-soak", "resident memory", String(i + 1));
  });
}
