/**
 * The model alone: in workerd, on the same wasm in Node, and on onnxruntime's native build, one thread each, on the same lists. All three
 * answer over HTTP, an empty answer subtracted, so that nothing but the runtime differs; they take turns, so that a slow moment of the
 * machine meets all of them.
 */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median, placed } from "./measurement.ts";
import { startRunProcess } from "./stand-ins.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";
import { UserError } from "../../web.ts";

/** Runs per sample: enough that the empty answer that is subtracted is small beside them. */
export const RUNS_PER_SAMPLE = 10;

export interface RunOptions {
  readonly k: number;
  readonly samples: number;
  /** Taken first and not measured. */
  readonly warmUpSamples: number;
  /** On a slow machine it ends early, but never before a tenth of the samples. */
  readonly maxSeconds: number;
  readonly onSample: () => void;
}

/** ms per run, one mean of RUNS_PER_SAMPLE runs per sample. */
export interface RunTimes {
  readonly native: readonly number[];
  readonly nodeWasm: readonly number[];
  readonly workerd: readonly number[];
}

/** Where the model runs alone, behind HTTP. */
export interface RunWorker {
  /** ms of one answer that runs the model so often on a list of k. */
  ask(k: number, runs: number): Promise<number>;
}

function askerOf(client: Client, where: string, more = ""): RunWorker {
  return {
    async ask(k, runs) {
      const answer = await client.get(`/?k=${k}&runs=${runs}${more}`);
      if (answer.status !== 200) throw new UserError(`The model cannot run ${where}: ${answer.body.toString("utf8")}`);
      return answer.ms;
    },
  };
}

let configs = 0;

/** In a workerd of its own. */
export async function withRunWorker<T>(bench: Bench, work: (worker: RunWorker) => Promise<T>): Promise<T> {
  const worker = await startWorkerd(writeWorkerdConfig(join(bench.folder, `run-${configs++}`), await bench.bundle("run")));
  const client = createClient(worker.url);
  try {
    return await work(askerOf(client, "in workerd"));
  } finally {
    client.close();
    worker.stop();
  }
}

export async function benchRuns(bench: Bench): Promise<Measurement[]> {
  const { plan } = bench;
  const node = await startRunProcess();
  const client = createClient(`http://${node.address}`);
  try {
    return await withRunWorker(bench, async (workerd) => {
      const places = {
        workerd,
        nodeWasm: askerOf(client, "on wasm in Node"),
        native: askerOf(client, "natively in Node", "&runtime=native"),
      };
      const found: Measurement[] = [];
      for (const k of plan.sizes) {
        const progress = bench.progress(`Model alone, K = ${k}`, plan.runSamples + plan.warmUpRunSamples);
        const { runSamples: samples, warmUpRunSamples: warmUpSamples } = plan;
        const maxSeconds = plan.maxSeconds / plan.sizes.length;
        const times = await timeRuns(places, { k, samples, warmUpSamples, maxSeconds, onSample: () => progress.increment() });
        progress.stop();
        bench.note(`K = ${k}: ${times.native.length} samples of ${RUNS_PER_SAMPLE} runs, after ${warmUpSamples} samples of warm-up`);
        found.push(...describeRuns(k, times));
      }
      return found;
    });
  } finally {
    client.close();
    node.stop();
  }
}

const PLACES = ["workerd", "nodeWasm", "native"] as const;
type Place = (typeof PLACES)[number];

async function timeRuns(places: Readonly<Record<Place, RunWorker>>, options: RunOptions): Promise<RunTimes> {
  const { k, samples, warmUpSamples } = options;
  const empty: Record<Place, number[]> = { workerd: [], nodeWasm: [], native: [] };
  const batches: Record<Place, number[]> = { workerd: [], nodeWasm: [], native: [] };
  const deadline = performance.now() + options.maxSeconds * 1000;
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    if (sample >= samples / 10 && performance.now() > deadline) break;
    // Another one begins each time, so that none always follows the same other's leavings in the caches.
    const shift = (sample + warmUpSamples) % PLACES.length;
    for (const place of [...PLACES.slice(shift), ...PLACES.slice(0, shift)]) {
      const answerMs = await places[place].ask(k, 0);
      const ms = await places[place].ask(k, RUNS_PER_SAMPLE);
      if (sample < 0) continue;
      empty[place].push(answerMs);
      batches[place].push(ms);
    }
    options.onSample();
  }
  const perRun = (place: Place): number[] => batches[place].map((ms) => (ms - median(empty[place])) / RUNS_PER_SAMPLE);
  return { workerd: perRun("workerd"), nodeWasm: perRun("nodeWasm"), native: perRun("native") };
}

const against = (peer: string, samples: readonly number[]) => ({ peer, p50: median(samples) });

export function describeRuns(k: number, { native, nodeWasm, workerd }: RunTimes): Measurement[] {
  const chart = "run-by-list";
  const x = String(k);
  return [
    placed(measured(`model run, onnxruntime-node native, 1 thread, K = ${k}`, "ms", native), chart, "native, one thread", x),
    placed(measured(`model run, onnxruntime-web wasm in Node, K = ${k}`, "ms", nodeWasm), chart, "wasm in Node", x),
    placed(
      measured(`model run, workerd, K = ${k}`, "ms", workerd, against("onnxruntime-node native, 1 thread", native)),
      chart,
      "wasm in workerd",
      x,
    ),
    measured(`model run, workerd against Node, K = ${k}`, "ms", workerd, against("onnxruntime-web wasm in Node", nodeWasm)),
  ];
}
