/** The bench from beginning to end: bundles, start-up, the model alone, searches, load. What is started is stopped, whatever happens. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { drawCatalogue } from "../../demo/catalogue.ts";
import { progressBar } from "../command.ts";
import type { Bundle } from "./bundle.ts";
import { bundleWorker, sizesOf } from "./bundle.ts";
import { publishCatalogue } from "./catalogue.ts";
import { createClient } from "./client.ts";
import { CATALOG, edgeVars } from "./edge.ts";
import { createQueries, startEngine } from "./engine.ts";
import { memoryAfterSearches } from "./memory.ts";
import type { Measurement } from "./measurement.ts";
import { measured } from "./measurement.ts";
import { openPeers } from "./peers.ts";
import { benchProviders } from "./providers.ts";
import { describeReference, timeAgainstReference } from "./reference.ts";
import { timeReplies } from "./replies.ts";
import { runBundle } from "./running.ts";
import { describeRuns, RUNS_PER_SAMPLE, timeRuns } from "./runs.ts";
import { describeSearches, timeSearches } from "./searches.ts";
import type { Start } from "./start-up.ts";
import { describeStarts, startOnce, writeWorkerdConfig } from "./start-up.ts";
import { timeLoads } from "./throughput.ts";

/** Candidates in one model run, and hits in one window. */
const SIZES = [20, 50, 100, 200] as const;

/** The window that wrangler.toml sets. */
const LOAD_WINDOW = 100;

export interface Plan {
  readonly starts: number;
  readonly runSamples: number;
  readonly warmUpRunSamples: number;
  readonly rounds: number;
  readonly warmUpRounds: number;
  readonly loadSeconds: number;
  readonly memorySearches: number;
  /** For all searches, and for all runs of the model; a quarter of it per size. */
  readonly maxSeconds: number;
}

export const FULL: Plan = {
  starts: 15,
  runSamples: 200,
  warmUpRunSamples: 20,
  rounds: 500,
  warmUpRounds: 100,
  loadSeconds: 6,
  memorySearches: 300,
  maxSeconds: 80,
};
export const QUICK: Plan = {
  starts: 2,
  runSamples: 5,
  warmUpRunSamples: 2,
  rounds: 5,
  warmUpRounds: 3,
  loadSeconds: 1,
  memorySearches: 20,
  maxSeconds: 20,
};

interface Workers {
  readonly edge: Bundle;
  readonly run: Bundle;
  readonly empty: Bundle;
}

/** Ctrl-C ends a process without its `finally`; an exit of our own runs what is registered for it, here and in miniflare. */
const leave = (): never => process.exit(130);

/** `isQuiet`: no progress on stderr. */
export async function runBench(plan: Plan, isQuiet: boolean): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), "armmt-bench-"));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clean).once("SIGINT", leave).once("SIGTERM", leave);
  try {
    const workers = await bundleAll(folder, isQuiet);
    const { raw, gzip } = sizesOf(workers.edge);
    return [
      ...(await benchSearches(workers, plan, isQuiet)),
      ...(await benchRuns(workers, plan, isQuiet)),
      ...timeReplies({ products: drawCatalogue(), samples: plan.runSamples, warmUpSamples: plan.warmUpRunSamples }),
      measured("edge Worker, raw", "bytes", [raw]),
      measured("edge Worker, gzip", "bytes", [gzip]),
      ...(await benchStarts(workers, { plan, folder, isQuiet })),
    ];
  } finally {
    clean();
    process.removeListener("exit", clean).removeListener("SIGINT", leave).removeListener("SIGTERM", leave);
  }
}

/** The student beside the graph at `path`; see model/armmt/reference.py. */
export async function runReference(plan: Plan, path: string): Promise<Measurement[]> {
  const reference = Uint8Array.from(readFileSync(path));
  const student = Uint8Array.from(readFileSync(new URL("../../../model/student.onnx", import.meta.url)));
  const { runSamples: samples, warmUpRunSamples: warmUpSamples } = plan;
  const times = await timeAgainstReference({ graphs: { reference, student }, sizes: [20, 50, 100], samples, warmUpSamples });
  return times.flatMap(describeReference);
}

/** The model on wasm and, where this machine has an adapter, on WebGPU. */
export async function runProviders(plan: Plan, isQuiet: boolean): Promise<Measurement[]> {
  const { runSamples: samples, warmUpRunSamples: warmUpSamples, maxSeconds } = plan;
  const providerPlan = { sizes: SIZES, samples, warmUpSamples, maxSeconds: maxSeconds / SIZES.length };
  return benchProviders(providerPlan, isQuiet, (text) => process.stderr.write(`${text}\n`));
}

function note(isQuiet: boolean, text: string): void {
  if (!isQuiet) process.stderr.write(`${text}\n`);
}

async function bundleAll(folder: string, isQuiet: boolean): Promise<Workers> {
  const progress = progressBar("Building Workers", 3, { json: isQuiet });
  const build = async (config: string, name: string): Promise<Bundle> => {
    const bundle = await bundleWorker(fileURLToPath(new URL(config, import.meta.url)), join(folder, name));
    progress.increment();
    return bundle;
  };
  try {
    return {
      edge: await build("../../../wrangler.toml", "edge"),
      run: await build("./run-worker.wrangler.toml", "run"),
      empty: await build("./empty-worker.wrangler.toml", "empty"),
    };
  } finally {
    progress.stop();
  }
}

async function benchSearches(workers: Workers, plan: Plan, isQuiet: boolean): Promise<Measurement[]> {
  const products = drawCatalogue();
  const nextQuery = createQueries(products);
  const history = [3, 333, 1033, 1733, 2133].map((place) => products[place % products.length]!.id);
  const engine = await startEngine();
  try {
    const edge = await runBundle(workers.edge, edgeVars(engine.url, SIZES));
    const client = createClient(edge.url);
    try {
      await publishCatalogue(await edge.embeddings(), CATALOG, { products, manifest: (await openPeers()).native.manifest });
      const found = await memoryAfterSearches(edge, workers.empty, {
        client,
        window: LOAD_WINDOW,
        searches: plan.memorySearches,
        nextQuery,
      });
      for (const window of SIZES) {
        const progress = progressBar(`Searches, K = ${window}`, plan.rounds + plan.warmUpRounds, { json: isQuiet });
        const { rounds, warmUpRounds } = plan;
        const maxSeconds = plan.maxSeconds / SIZES.length;
        const times = await timeSearches(client, {
          window,
          rounds,
          warmUpRounds,
          maxSeconds,
          nextQuery,
          history,
          onRound: () => progress.increment(),
        });
        progress.stop();
        note(isQuiet, `K = ${window}: ${times.passthrough.length} rounds of 5 searches, after ${warmUpRounds} rounds of warm-up`);
        found.push(...describeSearches(window, times));
      }
      const progress = progressBar("Load", 4, { json: isQuiet });
      const loads = await timeLoads({
        url: edge.url,
        client,
        window: LOAD_WINDOW,
        connections: [1, 8],
        seconds: plan.loadSeconds,
        nextQuery,
        onLoad: () => progress.increment(),
      });
      progress.stop();
      return [...found, ...loads];
    } finally {
      client.close();
      await edge.stop();
    }
  } finally {
    engine.stop();
  }
}

async function benchRuns(workers: Workers, plan: Plan, isQuiet: boolean): Promise<Measurement[]> {
  const peers = await openPeers();
  const worker = await runBundle(workers.run);
  const client = createClient(worker.url);
  try {
    const found: Measurement[] = [];
    for (const k of SIZES) {
      const progress = progressBar(`Model alone, K = ${k}`, plan.runSamples + plan.warmUpRunSamples, { json: isQuiet });
      const { runSamples: samples, warmUpRunSamples: warmUpSamples } = plan;
      const maxSeconds = plan.maxSeconds / SIZES.length;
      const times = await timeRuns(client, peers, { k, samples, warmUpSamples, maxSeconds, onSample: () => progress.increment() });
      progress.stop();
      note(isQuiet, `K = ${k}: ${times.native.length} samples of ${RUNS_PER_SAMPLE} runs, after ${warmUpSamples} samples of warm-up`);
      found.push(...describeRuns(k, times));
    }
    return found;
  } finally {
    client.close();
    await worker.stop();
  }
}

async function benchStarts(
  workers: Workers,
  { plan, folder, isQuiet }: { plan: Plan; folder: string; isQuiet: boolean },
): Promise<Measurement[]> {
  const edge = writeWorkerdConfig(join(folder, "start-edge"), workers.edge, edgeVars("http://127.0.0.1:9", SIZES));
  const empty = writeWorkerdConfig(join(folder, "start-empty"), workers.empty, {});
  const progress = progressBar("Start-up", plan.starts, { json: isQuiet });
  const starts: { readonly empty: Start; readonly edge: Start }[] = [];
  for (let n = 0; n < plan.starts; n++) {
    starts.push({ empty: await startOnce(empty, "/"), edge: await startOnce(edge, "/armmt/status") });
    progress.increment();
  }
  progress.stop();
  return describeStarts(starts);
}
