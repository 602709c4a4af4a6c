/**
 * The cost of a Worker before and with its first search, in fresh workerd processes beside those of an empty Worker: time until it listens,
 * processor time of the start and of the first search, and memory.
 *
 * Seen from outside: workerd runs the module's top level before it listens, so the processor time until then is the start's.
 */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { startWorkerd, writeWorkerdConfig } from "../harness/workerd.ts";
import { type Client, createClient } from "./client.ts";
import { searchBody } from "./engine.ts";
import { against, differences, type Measurement, measured, median, type Unit } from "./measurement.ts";
import { canReadCpu, cpuTime, residentMb } from "./processes.ts";
import type { Bench } from "./run.ts";
import { PAGE_SIZE, requireOutcome, searchPath, unitOf, WINDOW, openSurroundings } from "./shop.ts";
import { sleep } from "../../web.ts";
import { USER_HEADER } from "../../protocol.ts";

const EMPTY = `export default { fetch: () => new Response("done") };`;
const IDLE_STEP_MS = 30;
const IDLE_CPU_MS = 0.1;
const MAX_IDLE_WAIT_MS = 3000;

/** Of one process. CPU times are of all threads or the main one: of the start, of the first request, of a warm one. */
type Life = Awaited<ReturnType<typeof live>>;

export async function benchCold(bench: Bench): Promise<Measurement[]> {
  const edgeBundle = await bench.bundle("edge");
  const modules = [{ name: "empty.js", type: "ESModule", bytes: Buffer.from(EMPTY) }] as const;
  const { stores, vars, nextQuery } = await openSurroundings(bench, [WINDOW]);
  const edgeConfig = writeWorkerdConfig(join(bench.folder, "cold-edge"), edgeBundle, { vars, stores: stores.address });
  const emptyConfig = writeWorkerdConfig(join(bench.folder, "cold-empty"), { ...edgeBundle, modules });
  const headers = { [USER_HEADER]: unitOf("armmt") };
  const search = async (client: Client): Promise<void> => {
    requireOutcome(await client.ask(searchPath(WINDOW), { headers, body: searchBody(nextQuery(), PAGE_SIZE) }), "applied");
  };
  const progress = bench.progress("Start-up", bench.plan.starts);
  const [empty, edge]: [Life[], Life[]] = [[], []];
  for (let n = 0; n < bench.plan.starts; n++) {
    empty.push(await live(bench, emptyConfig, async (client) => void (await client.ask("/"))));
    edge.push(await live(bench, edgeConfig, search));
    progress.increment();
  }
  progress.stop();
  return describe(empty, edge, bench.plan.warmSearches);
}

async function live({ plan }: Bench, config: string, ask: (client: Client) => Promise<void>) {
  const { url, pid, spawnedAt, stop } = await startWorkerd(config);
  const listenMs = performance.now() - spawnedAt;
  const client = createClient(url);
  try {
    const start = await idle(pid);
    const startedMb = residentMb(pid);
    await ask(client);
    const first = await idle(pid);
    const firstMb = residentMb(pid);
    for (let n = 0; n < plan.warmSearches; n++) await ask(client);
    const warmMb = residentMb(pid);
    const times = [await idle(pid)];
    for (let n = 0; n < plan.countedSearches; n++) {
      await ask(client);
      times.push(await idle(pid));
    }
    const warm = (key: "allMs" | "mainMs") => median(times.slice(1).map((time, n) => time[key] - times[n]![key]));
    return {
      /** From spawn until it listens. */
      listenMs,
      startAll: start.allMs,
      startMain: start.mainMs,
      firstAll: first.allMs - start.allMs,
      firstMain: first.mainMs - start.mainMs,
      warmAll: warm("allMs"),
      warmMain: warm("mainMs"),
      startedMb,
      firstMb,
      warmMb,
    };
  } finally {
    client.close();
    stop();
  }
}

/** Waits until the process is idle: after a reply records are written, garbage is collected and code compiled. */
async function idle(pid: number): Promise<ReturnType<typeof cpuTime>> {
  if (!canReadCpu) return { mainMs: 0, allMs: 0, waitedMs: 0 };
  const until = performance.now() + MAX_IDLE_WAIT_MS;
  for (let last = cpuTime(pid); ;) {
    await sleep(IDLE_STEP_MS);
    const now = cpuTime(pid);
    if (now.allMs - last.allMs < IDLE_CPU_MS || performance.now() > until) return now;
    last = now;
  }
}

function describe(emptyLives: readonly Life[], edgeLives: readonly Life[], warmSearches: number): Measurement[] {
  const edge = (key: keyof Life): number[] => edgeLives.map((life) => life[key]);
  const empty = (key: keyof Life): number[] => emptyLives.map((life) => life[key]);
  const pair = (unit: Unit, name: string, key: keyof Life, when = "") => [
    measured(`${name}, empty Worker${when}`, unit, empty(key)),
    measured(`${name}, edge Worker${when}`, unit, edge(key), against("empty Worker", empty(key))),
  ];
  const over = (unit: Unit, name: string, key: keyof Life) => measured(name, unit, differences(edge(key), empty(key)));
  const memory = (when: string, key: keyof Life): Measurement[] => [
    ...pair("MB", "resident memory of workerd", key, `, ${when}`),
    over("MB", `resident memory over an empty Worker, ${when}`, key),
  ];
  const cpu = "ms CPU";
  const after = `a search after ${warmSearches}`;
  return [
    ...pair("ms", "workerd from spawn to listening", "listenMs"),
    ...(canReadCpu
      ? [
          measured("processor time of the start, empty Worker", cpu, empty("startAll")),
          over(cpu, "processor time of the start over an empty Worker, all threads", "startAll"),
          over(cpu, "processor time of the start over an empty Worker, main thread", "startMain"),
          measured("processor time of the first request, empty Worker", cpu, empty("firstAll")),
          measured("processor time of the first search, all threads", cpu, edge("firstAll"), against(after, edge("warmAll"))),
          measured("processor time of the first search, main thread", cpu, edge("firstMain"), against(after, edge("warmMain"))),
          measured(`processor time of ${after}, all threads`, cpu, edge("warmAll")),
        ]
      : []),
    ...memory("before any request", "startedMb"),
    ...memory("after the first", "firstMb"),
    ...memory(`after ${warmSearches + 1}`, "warmMb"),
  ];
}
