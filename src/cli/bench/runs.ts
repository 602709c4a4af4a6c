/**
 * The model alone: in workerd (timed from outside, an empty answer subtracted) against onnxruntime's native build and the same wasm in
 * Node, one thread each, on the same lists. The three take turns, so that a slow moment of the machine meets all of them.
 */
import { performance } from "node:perf_hooks";
import type { Scorer } from "../../inference/scorer.ts";
import { CommandError } from "../command.ts";
import type { Client } from "./client.ts";
import { createList } from "./list.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import type { RunPeers } from "./peers.ts";

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

export async function timeRuns(client: Client, peers: RunPeers, options: RunOptions): Promise<RunTimes> {
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
  const inWorkerd = async (runs: number): Promise<number> => {
    const answer = await client.get(`/?k=${k}&runs=${runs}`);
    if (answer.status !== 200) throw new CommandError(`The model cannot run in workerd: ${answer.body.toString("utf8")}`);
    return answer.ms;
  };

  const empty: number[] = [];
  const batches: number[] = [];
  const native: number[] = [];
  const nodeWasm: number[] = [];
  const deadline = performance.now() + options.maxSeconds * 1000;
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    if (sample >= samples / 10 && performance.now() > deadline) break;
    const times = [await inWorkerd(0), await inWorkerd(RUNS_PER_SAMPLE), await inNode(peers.native), await inNode(peers.nodeWasm)] as const;
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
  return [
    measured(`model run, onnxruntime-node native, 1 thread, K = ${k}`, "ms", native),
    measured(`model run, onnxruntime-web wasm in Node, K = ${k}`, "ms", nodeWasm),
    measured(`model run, workerd, K = ${k}`, "ms", workerd, against("onnxruntime-node native, 1 thread", native)),
    measured(`model run, workerd against Node, K = ${k}`, "ms", workerd, against("onnxruntime-web wasm in Node", nodeWasm)),
  ];
}
