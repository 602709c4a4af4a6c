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
const RUNS = 10;

export interface RunOptions {
  readonly k: number;
  readonly samples: number;
  /** Taken first and not measured. */
  readonly warmUpSamples: number;
  readonly onSample: () => void;
}

export async function timeRuns(client: Client, peers: RunPeers, options: RunOptions): Promise<Measurement[]> {
  const { k, samples, warmUpSamples } = options;
  const list = createList(k, peers.native.manifest.dims);
  const inNode = async (scorer: Scorer): Promise<number> => {
    const startedAt = performance.now();
    for (let run = 0; run < RUNS; run++) {
      const scores = await scorer.score(list);
      if (!scores.ok) throw new CommandError(`The model cannot run in Node: ${scores.error.detail}`);
    }
    return (performance.now() - startedAt) / RUNS;
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
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    const times = [await inWorkerd(0), await inWorkerd(RUNS), await inNode(peers.native), await inNode(peers.nodeWasm)] as const;
    options.onSample();
    if (sample < 0) continue;
    empty.push(times[0]);
    batches.push(times[1]);
    native.push(times[2]);
    nodeWasm.push(times[3]);
  }
  const answerMs = median(empty);
  const workerd = batches.map((ms) => (ms - answerMs) / RUNS);
  return [
    measured(`model run, onnxruntime-node native, 1 thread, K = ${k}`, "ms", native),
    measured(`model run, onnxruntime-web wasm in Node, K = ${k}`, "ms", nodeWasm),
    measured(`model run, workerd, K = ${k}`, "ms", workerd, { peer: "onnxruntime-node native, 1 thread", p50: median(native) }),
    measured(`model run, workerd against Node, K = ${k}`, "ms", workerd, { peer: "onnxruntime-web wasm in Node", p50: median(nodeWasm) }),
  ];
}
