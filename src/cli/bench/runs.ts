/**
 * The model alone: in workerd (timed from outside, an empty answer subtracted) against onnxruntime's native build and the same wasm in
 * Node, one thread each, on the same lists. The three take turns, so that a slow moment of the machine meets all of them.
 */
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import type { Scorer } from "../../inference/scorer.ts";
import { CommandError } from "../command.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import { createList } from "./list.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median, placed } from "./measurement.ts";
import type { RunPeers } from "./peers.ts";
import { openPeers } from "./peers.ts";
import { startWorkerd, writeWorkerdConfig } from "./workerd.ts";

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

/** The model alone in a workerd of its own. */
export interface RunWorker {
  /** ms of one answer that runs the model so often on a list of k. */
  ask(k: number, runs: number): Promise<number>;
}

let configs = 0;

export async function withRunWorker<T>(bench: Bench, work: (worker: RunWorker) => Promise<T>): Promise<T> {
  const worker = await startWorkerd(writeWorkerdConfig(join(bench.folder, `run-${configs++}`), await bench.bundle("run")));
  const client = createClient(worker.url);
  try {
    return await work({
      async ask(k, runs) {
        const answer = await client.get(`/?k=${k}&runs=${runs}`);
        if (answer.status !== 200) throw new CommandError(`The model cannot run in workerd: ${answer.body.toString("utf8")}`);
        return answer.ms;
      },
    });
  } finally {
    client.close();
    worker.stop();
  }
}

export async function benchRuns(bench: Bench): Promise<Measurement[]> {
  const { plan } = bench;
  const peers = await openPeers();
  return withRunWorker(bench, async (worker) => {
    const found: Measurement[] = [];
    for (const k of plan.sizes) {
      const progress = bench.progress(`Model alone, K = ${k}`, plan.runSamples + plan.warmUpRunSamples);
      const { runSamples: samples, warmUpRunSamples: warmUpSamples } = plan;
      const maxSeconds = plan.maxSeconds / plan.sizes.length;
      const times = await timeRuns(worker, peers, { k, samples, warmUpSamples, maxSeconds, onSample: () => progress.increment() });
      progress.stop();
      bench.note(`K = ${k}: ${times.native.length} samples of ${RUNS_PER_SAMPLE} runs, after ${warmUpSamples} samples of warm-up`);
      found.push(...describeRuns(k, times));
    }
    return found;
  });
}

export async function timeRuns(worker: RunWorker, peers: RunPeers, options: RunOptions): Promise<RunTimes> {
  const { k, samples, warmUpSamples } = options;
  const list = createList(k, peers.native.manifest.dims);
  const inNode = async (scorer: Scorer): Promise<number> => {
    const startedAt = performance.now();
    for (let run = 0; run < RUNS_PER_SAMPLE; run++) {
      const scores = await scorer.score(list);
      if (!scores.ok) throw new CommandError(`The model cannot run in Node: ${scores.error.detail}`);
    }
    return (performance.now() - startedAt) / RUNS_PER_SAMPLE;
  };

  const empty: number[] = [];
  const batches: number[] = [];
  const native: number[] = [];
  const nodeWasm: number[] = [];
  const deadline = performance.now() + options.maxSeconds * 1000;
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    if (sample >= samples / 10 && performance.now() > deadline) break;
    const times = [
      await worker.ask(k, 0),
      await worker.ask(k, RUNS_PER_SAMPLE),
      await inNode(peers.native),
      await inNode(peers.nodeWasm),
    ] as const;
    options.onSample();
    if (sample < 0) continue;
    empty.push(times[0]);
    batches.push(times[1]);
    native.push(times[2]);
    nodeWasm.push(times[3]);
  }
  const answerMs = median(empty);
  return { native, nodeWasm, workerd: batches.map((ms) => (ms - answerMs) / RUNS_PER_SAMPLE) };
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
