/**
 * What a Worker costs before and with its first search, in fresh workerd processes beside those of an empty Worker: time until it listens,
 * processor time of the start, processor time of the first search against a warm one, and memory.
 *
 * Seen from outside: workerd runs the module's top level before it listens, so what the start has used then is the start.
 */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient } from "./client.ts";
import type { Client } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { requireOutcome, searchPath, unitOf } from "./edge.ts";
import { PAGE_SIZE } from "./load.ts";
import type { Measurement } from "./measurement.ts";
import { differences, measured, median } from "./measurement.ts";
import type { CpuTime } from "./cpu-time.ts";
import { canReadCpu, cpuTime } from "./cpu-time.ts";
import { residentMb } from "./resident.ts";
import type { Plan } from "./plan.ts";
import { searchBody } from "./products.ts";
import { withSurroundings } from "./shop.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";

/** The window that wrangler.toml sets. */
const INDEX: Index = { window: 100 };

const IDLE_STEP_MS = 30;
const IDLE_CPU_MS = 0.1;
const MAX_IDLE_WAIT_MS = 3000;

interface Life {
  /** From spawn until it listens. */
  readonly startMs: number;
  readonly startCpu: CpuTime;
  /** Processor time of the first request, and of one request once warm. */
  readonly firstCpu: CpuTime;
  readonly warmCpu: CpuTime;
  readonly startedMb: number;
  readonly firstMb: number;
  readonly warmMb: number;
}

export async function benchCold(bench: Bench): Promise<Measurement[]> {
  const { plan } = bench;
  const [edgeBundle, emptyBundle] = [await bench.bundle("edge"), await bench.bundle("empty")];
  return withSurroundings([INDEX], async ({ stores, vars, nextQuery }) => {
    const edge = writeWorkerdConfig(join(bench.folder, "cold-edge"), edgeBundle, { vars, stores: stores.address });
    const empty = writeWorkerdConfig(join(bench.folder, "cold-empty"), emptyBundle);
    const headers = { "x-armmt-user": unitOf("armmt") };
    const search = async (client: Client): Promise<void> => {
      requireOutcome(await client.post(searchPath(INDEX), searchBody(nextQuery(), PAGE_SIZE), headers), "applied");
    };
    const progress = bench.progress("Start-up", plan.starts);
    const lives: { readonly empty: Life; readonly edge: Life }[] = [];
    for (let n = 0; n < plan.starts; n++) {
      lives.push({
        empty: await live(empty, knock, plan),
        edge: await live(edge, search, plan),
      });
      progress.increment();
    }
    progress.stop();
    return describe(lives, plan.warmSearches);
  });
}

async function knock(client: Client): Promise<void> {
  await client.get("/");
}

async function live(config: string, ask: (client: Client) => Promise<void>, plan: Plan): Promise<Life> {
  const running = await startWorkerd(config);
  const startMs = performance.now() - running.spawnedAt;
  const client = createClient(running.url);
  try {
    const startCpu = await idle(running.pid);
    const startedMb = residentMb(running.pid);
    await ask(client);
    const afterFirst = await idle(running.pid);
    const firstMb = residentMb(running.pid);
    for (let n = 0; n < plan.warmSearches; n++) await ask(client);
    const warmMb = residentMb(running.pid);
    let before = await idle(running.pid);
    const costs: CpuTime[] = [];
    for (let n = 0; n < plan.countedSearches; n++) {
      await ask(client);
      const after = await idle(running.pid);
      costs.push(between(before, after));
      before = after;
    }
    const middle = (of: (cost: CpuTime) => number): number => median(costs.map(of));
    const warmCpu = {
      mainMs: middle(({ mainMs }) => mainMs),
      allMs: middle(({ allMs }) => allMs),
      waitedMs: middle(({ waitedMs }) => waitedMs),
    };
    return { startMs, startCpu, firstCpu: between(startCpu, afterFirst), warmCpu, startedMb, firstMb, warmMb };
  } finally {
    client.close();
    running.stop();
  }
}

const between = (before: CpuTime, after: CpuTime): CpuTime => ({
  mainMs: after.mainMs - before.mainMs,
  allMs: after.allMs - before.allMs,
  waitedMs: after.waitedMs - before.waitedMs,
});

/** Waits until the process does nothing any more: records are written, garbage is collected and code compiled after a reply. */
async function idle(pid: number): Promise<CpuTime> {
  if (!canReadCpu) return { mainMs: 0, allMs: 0, waitedMs: 0 };
  const until = performance.now() + MAX_IDLE_WAIT_MS;
  for (let last = cpuTime(pid); ;) {
    await sleep(IDLE_STEP_MS);
    const now = cpuTime(pid);
    if (now.allMs - last.allMs < IDLE_CPU_MS || performance.now() > until) return now;
    last = now;
  }
}

function describe(lives: readonly { readonly empty: Life; readonly edge: Life }[], warmRequests: number): Measurement[] {
  const edge = (of: (life: Life) => number): number[] => lives.map((both) => of(both.edge));
  const empty = (of: (life: Life) => number): number[] => lives.map((both) => of(both.empty));
  const over = (of: (life: Life) => number): number[] => differences(edge(of), empty(of));
  const peer = (of: (life: Life) => number) => ({ peer: "empty Worker", p50: median(empty(of)) });
  const memory = (when: string, of: (life: Life) => number): Measurement[] => [
    measured(`resident memory of workerd, empty Worker, ${when}`, "MB", empty(of)),
    measured(`resident memory of workerd, edge Worker, ${when}`, "MB", edge(of), peer(of)),
    measured(`resident memory over an empty Worker, ${when}`, "MB", over(of)),
  ];
  return [
    measured(
      "workerd from spawn to listening, empty Worker",
      "ms",
      empty((life) => life.startMs),
    ),
    measured(
      "workerd from spawn to listening, edge Worker",
      "ms",
      edge((life) => life.startMs),
      peer((life) => life.startMs),
    ),
    ...(canReadCpu ? describeCpu({ edge, empty, over }, warmRequests) : []),
    ...memory("before any request", (life) => life.startedMb),
    ...memory("after the first", (life) => life.firstMb),
    ...memory(`after ${warmRequests + 1}`, (life) => life.warmMb),
  ];
}

type Column = (of: (life: Life) => number) => number[];

function describeCpu({ edge, empty, over }: Readonly<Record<"edge" | "empty" | "over", Column>>, warmRequests: number): Measurement[] {
  const warm = { peer: `a search after ${warmRequests}`, p50: median(edge((life) => life.warmCpu.allMs)) };
  const warmMain = { peer: `a search after ${warmRequests}`, p50: median(edge((life) => life.warmCpu.mainMs)) };
  return [
    measured(
      "processor time of the start, empty Worker",
      "ms CPU",
      empty((life) => life.startCpu.allMs),
    ),
    measured(
      "processor time of the start over an empty Worker, all threads",
      "ms CPU",
      over((life) => life.startCpu.allMs),
    ),
    measured(
      "processor time of the start over an empty Worker, main thread",
      "ms CPU",
      over((life) => life.startCpu.mainMs),
    ),
    measured(
      "processor time of the first request, empty Worker",
      "ms CPU",
      empty((life) => life.firstCpu.allMs),
    ),
    measured(
      "processor time of the first search, all threads",
      "ms CPU",
      edge((life) => life.firstCpu.allMs),
      warm,
    ),
    measured(
      "processor time of the first search, main thread",
      "ms CPU",
      edge((life) => life.firstCpu.mainMs),
      warmMain,
    ),
    measured(
      `processor time of a search after ${warmRequests}, all threads`,
      "ms CPU",
      edge((life) => life.warmCpu.allMs),
    ),
  ];
}
