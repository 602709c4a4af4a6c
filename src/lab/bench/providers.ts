/**
 * The model on wasm and on WebGPU in Node, one list and several lists in one run: from which K and batch a GPU wins, and whether searches
 * should share a run.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { requestAdapter, requestDevice } from "../../inference/adapter.ts";
import { createFeeds } from "../../inference/list-run.ts";
import { parseManifest } from "../../inference/manifest.ts";
import { installNodeGpu } from "../../inference/node-gpu.ts";
import type { Runtime } from "../../inference/runtime.ts";
import { openWebWasm } from "../../inference/web-wasm.ts";
import { openWebWebgpu } from "../../inference/web-webgpu.ts";
import type { ListTensors } from "../../ranking/features.ts";
import type { Bench } from "./context.ts";
import { createList } from "../../cli/build/sample-list.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { UserError, errorText } from "../../web.ts";

const BATCHES = [1, 2, 4, 8] as const;

const ADAPTER_TIMEOUT_MS = 20_000;

/** A list alone and in company; between the two there is nothing but rounding. */
const TOLERANCE = 1e-3;

interface ProviderPlan {
  readonly sizes: readonly number[];
  readonly samples: number;
  readonly warmUpSamples: number;
  /** Per provider and K; ends early, but never before the first sample. */
  readonly maxSeconds: number;
}

type Session = Awaited<ReturnType<Runtime["createSession"]>>;
type Feeds = ReturnType<typeof createFeeds>;

/** ms per run by batch size, in the order of BATCHES. */
type BatchTimes = readonly (readonly number[])[];

/** Also told under --json: which adapter was found, or why there is none. */
const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Throws a UserError where the model does not run. */
export async function benchProviders(bench: Bench): Promise<Measurement[]> {
  const { sizes, runSamples: samples, warmUpRunSamples: warmUpSamples, maxSeconds } = bench.plan;
  const plan: ProviderPlan = { sizes, samples, warmUpSamples, maxSeconds: maxSeconds / sizes.length };
  const folder = new URL("../../../model/", import.meta.url);
  const model = Uint8Array.from(readFileSync(new URL("student.onnx", folder))).buffer;
  const manifest = parseManifest(JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8")));
  if (!manifest.ok) throw new UserError(manifest.error.detail);
  const { dims } = manifest.value;

  const webgpu = await openWebgpu();
  const runtimes = [await openWebWasm({ wasmBinary: readRuntime("ort-wasm-simd-threaded.wasm") }), ...(webgpu ? [webgpu.runtime] : [])];
  const progress = bench.progress("Providers", runtimes.length * plan.sizes.length * BATCHES.length * plan.samples);
  const found: Measurement[] = [];
  try {
    const onWasm = new Map<number, BatchTimes>();
    for (const runtime of runtimes) {
      const { provider } = runtime;
      const session = await runtime.createSession(model);
      for (const k of plan.sizes) {
        const times = await timeBatches(session, { runtime, list: createList(k, dims), plan, onRun: () => progress.increment() });
        found.push(...describe(provider, k, times));
        const peers = onWasm.get(k);
        if (provider === "wasm") onWasm.set(k, times);
        else if (peers !== undefined) found.push(...describeCrossover(k, times, peers));
      }
      await session.release();
    }
  } finally {
    progress.stop();
    webgpu?.device.destroy();
  }
  return found;
}

async function openWebgpu(): Promise<{ readonly runtime: Runtime; readonly device: GPUDevice } | undefined> {
  let gpu: GPU;
  try {
    gpu = await installNodeGpu();
  } catch (cause) {
    note(`No WebGPU: the npm package webgpu does not load (${errorText(cause)})`);
    return undefined;
  }
  const chosen = await requestAdapter(gpu, ADAPTER_TIMEOUT_MS);
  if (!chosen.ok) {
    note(`No WebGPU: ${chosen.error.detail}. Install a Vulkan, Metal or Direct3D 12 driver`);
    return undefined;
  }
  const { adapter, description } = chosen.value;
  const { vendor, architecture, description: name, isSoftware } = description;
  const warning = isSoftware ? ": software on the processor, its times say nothing of a GPU" : "";
  note(`WebGPU adapter: ${[vendor, architecture, name].filter((part) => part !== "").join(" ")}${warning}`);
  const device = await requestDevice(adapter);
  const wasmBinary = readRuntime("ort-wasm-simd-threaded.asyncify.wasm");
  return { runtime: await openWebWebgpu({ adapter, device, wasmBinary }), device };
}

function readRuntime(name: string): () => Promise<Uint8Array> {
  return async () => readFileSync(createRequire(import.meta.url).resolve(`onnxruntime-web/${name}`));
}

interface BatchOptions {
  readonly runtime: Runtime;
  readonly list: ListTensors;
  readonly plan: ProviderPlan;
  readonly onRun: () => void;
}

/** The batch sizes take turns, so that a slow moment of the machine meets all of them. */
async function timeBatches(session: Session, { runtime, list, plan, onRun }: BatchOptions): Promise<BatchTimes> {
  const { samples, warmUpSamples, maxSeconds } = plan;
  const batches = BATCHES.map((batch) => batchOf(batch, list, runtime));
  await compareBatches(session, batches, list.k);
  const times: number[][] = BATCHES.map(() => []);
  const deadline = performance.now() + maxSeconds * 1000;
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    const isLate = performance.now() > deadline;
    if (isLate && (times[0]?.length ?? 0) > 0) break;
    if (isLate && sample < 0) sample = 0;
    for (const [place, feeds] of batches.entries()) {
      const startedAt = performance.now();
      const outputs = await session.run(feeds);
      const ms = performance.now() - startedAt;
      for (const tensor of Object.values(outputs)) tensor.dispose();
      if (sample < 0) continue;
      times[place]!.push(ms);
      onRun();
    }
  }
  return times;
}

/** `batch` lists that differ in their features, as one run's inputs [batch, k, …]. */
function batchOf(batch: number, list: ListTensors, { TensorOf }: Runtime): Feeds {
  const members = Array.from({ length: batch }, (_, place) => ({ ...list, features: list.features.map((value) => value / (1 + place)) }));
  const alone = members.map((one) => createFeeds(one, TensorOf));
  const stacked = { ...alone[0]! };
  for (const name of Object.keys(stacked).filter((key): key is keyof Feeds => key in stacked)) {
    const rows = alone.map((feeds) => feeds[name]);
    const dims = [batch, ...rows[0]!.dims.slice(1)];
    const values = rows.flatMap(({ data }) => (data instanceof Float32Array || data instanceof Int32Array ? [...data] : []));
    const isIds = rows[0]!.type === "int32";
    stacked[name] = isIds ? new TensorOf("int32", Int32Array.from(values), dims) : new TensorOf("float32", Float32Array.from(values), dims);
  }
  return stacked;
}

/** Throws where a list's scores depend on the lists beside it: then there is nothing to measure. */
async function compareBatches(session: Session, batches: readonly Feeds[], k: number): Promise<void> {
  const scores: Float32Array[] = [];
  for (const feeds of batches) {
    const data = (await session.run(feeds))["score"]?.data;
    if (!(data instanceof Float32Array)) throw new UserError("The model gave no float32 output named score");
    scores.push(data);
  }
  const largest = scores.at(-1)!;
  for (const [place, data] of scores.entries()) {
    const isOff = data.some((value, i) => !(Math.abs(value - largest[i]!) <= TOLERANCE));
    if (isOff) throw new UserError(`At K = ${k} a batch of ${BATCHES[place]} scores otherwise than one of ${BATCHES.at(-1)}`);
  }
}

function describe(provider: string, k: number, times: BatchTimes): Measurement[] {
  const aloneMs = median(times[0]!);
  return BATCHES.map((batch, place) => {
    const peer = batch === 1 ? undefined : { peer: `${batch} runs of one list`, p50: batch * aloneMs };
    return measured(`model run in Node, ${provider}, K = ${k}, ${lists(batch)}`, "ms", times[place]!, peer);
  });
}

function describeCrossover(k: number, webgpu: BatchTimes, wasm: BatchTimes): Measurement[] {
  return BATCHES.map((batch, place) =>
    measured(`model run in Node, webgpu against wasm, K = ${k}, ${lists(batch)}`, "ms", webgpu[place]!, {
      peer: "wasm",
      p50: median(wasm[place]!),
    }),
  );
}

function lists(batch: number): string {
  return batch === 1 ? "1 list" : `${batch} lists`;
}
