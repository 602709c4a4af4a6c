/**
 * The student's run beside what else one could run on the same list: LambdaMART in JavaScript, and a cross-encoder of MiniLM-L6's size on
 * the same wasm runtime. All in Node, on one thread; peers for time, with random weights.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { createFeeds } from "../../inference/list-run.ts";
import type { Runtime } from "../../inference/runtime.ts";
import { openWebWasm } from "../../inference/web-wasm.ts";
import { FEATURES } from "../../ranking/features.ts";
import type { Bench } from "./context.ts";
import { createCrossEncoder, CROSS_ENCODER_INPUT, PAIR_TOKENS, parametersOf, WORDS } from "./cross-encoder.ts";
import type { Forest } from "./forest.ts";
import { createForest, scoreForest } from "./forest.ts";
import { createList, xorshift } from "../../cli/build/sample-list.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median, placed } from "./measurement.ts";
import { writeGraph } from "./onnx-graph.ts";
import { readManifest } from "./shop.ts";

const FOREST = { trees: 100, leaves: 31, features: FEATURES.length } as const;

/** A walk takes microseconds: so many per sample. */
const WALKS = 20;

type Session = Awaited<ReturnType<Runtime["createSession"]>>;

export async function benchRankers(bench: Bench): Promise<Measurement[]> {
  const { sizes, runSamples, warmUpRunSamples, pairSizes, pairBatch, pairSamples } = bench.plan;
  const runtime = await openWebWasm({
    wasmBinary: async () => readFileSync(createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm")),
  });
  const student = await runtime.createSession(
    Uint8Array.from(readFileSync(new URL("../../../model/student.onnx", import.meta.url))).buffer,
  );
  const { dims } = readManifest();
  const timeStudent = (k: number, samples: number): Promise<number[]> => {
    const list = createList(k, dims);
    return timed(samples, warmUpRunSamples, () => runOnce(student, createFeeds(list, runtime.TensorOf)));
  };

  const forest = createForest(FOREST, 1);
  const found: Measurement[] = [];
  const progress = bench.progress("Rankers", sizes.length + pairSizes.length);
  for (const k of sizes) {
    const samples = await timeStudent(k, runSamples);
    found.push(...describeForest(k, samples, await timed(runSamples, warmUpRunSamples, async () => walk(forest, k))));
    progress.increment();
  }

  const graph = createCrossEncoder();
  const encoder = await runtime.createSession(writeGraph(graph).buffer);
  const millions = (parametersOf(graph) / 1e6).toFixed(1);
  for (const k of pairSizes) {
    const samples = await timeStudent(k, Math.max(pairSamples, 10));
    await scorePairs(encoder, runtime, { k: pairBatch, batch: pairBatch });
    const pairs = await timed(pairSamples, 0, () => scorePairs(encoder, runtime, { k, batch: pairBatch }));
    const peer = { peer: "student, same runtime", p50: median(samples) };
    const name = `cross-encoder of MiniLM-L6's size (${millions} M, random), ${PAIR_TOKENS} tokens a pair, wasm in Node, K = ${k}`;
    found.push(measured(name, "ms", pairs, peer));
    progress.increment();
  }
  progress.stop();
  await encoder.release();
  await student.release();
  return found;
}

async function timed(samples: number, warmUpSamples: number, work: () => Promise<void>): Promise<number[]> {
  const times: number[] = [];
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    const startedAt = performance.now();
    await work();
    if (sample >= 0) times.push(performance.now() - startedAt);
  }
  return times;
}

async function runOnce(session: Session, feeds: Parameters<Session["run"]>[0]): Promise<void> {
  const outputs = await session.run(feeds);
  for (const tensor of Object.values(outputs)) tensor.dispose();
}

function walk(forest: Forest, k: number): void {
  const { features } = createListOnce(k);
  for (let n = 0; n < WALKS; n++) scoreForest(forest, features, FOREST.features);
}

const lists = new Map<number, ReturnType<typeof createList>>();

function createListOnce(k: number): ReturnType<typeof createList> {
  const list = lists.get(k) ?? createList(k, readManifest().dims);
  lists.set(k, list);
  return list;
}

async function scorePairs(session: Session, { TensorOf }: Runtime, { k, batch }: { k: number; batch: number }): Promise<void> {
  const next = xorshift(k);
  for (let start = 0; start < k; start += batch) {
    const size = Math.min(batch, k - start);
    const ids = Int32Array.from({ length: size * PAIR_TOKENS }, () => Math.floor(next() * WORDS));
    await runOnce(session, { [CROSS_ENCODER_INPUT]: new TensorOf("int32", ids, [size, PAIR_TOKENS]) });
  }
}

function describeForest(k: number, student: readonly number[], walks: readonly number[]): Measurement[] {
  const perWalk = walks.map((ms) => ms / WALKS);
  const peer = { peer: "student, wasm in Node", p50: median(student) };
  const name = `LambdaMART in JavaScript (${FOREST.trees} trees of ${FOREST.leaves} leaves, random), K = ${k}`;
  return [
    measured(`student beside the rankers, wasm in Node, K = ${k}`, "ms", student),
    placed(measured(name, "ms", perWalk, peer), "run-by-list", "LambdaMART in JS", String(k)),
  ];
}
