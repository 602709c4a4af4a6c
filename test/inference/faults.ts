/**
 * WebGPU that fails in the real thing, in Chromium and in Node alike: what is broken is the platform under onnxruntime, never the code under
 * test. One fault per page or process. Not a test of its own.
 */
import { type Golden, type GoldenCase, proofOf } from "../../src/inference/golden.ts";
import { openProviderScorer, type ProviderScorer, type ProviderScorerOptions, type ProviderState } from "../../src/inference/providers.ts";
import type { Runtime } from "../../src/inference/runtime.ts";
import type { ModelFiles, Scorer } from "../../src/inference/scorer.ts";
import type { ListTensors } from "../../src/ranking/features.ts";
import { sha256Hex } from "../../src/web.ts";
import type { WebgpuRuntimeOptions } from "../../src/inference/web-webgpu.ts";

export interface FaultSetup extends ModelFiles {
  readonly golden: Golden;
  /** Bytes of small.onnx: the student's inputs and outputs, and two operators. A score is the mean of the candidate's features. */
  readonly small: ArrayBuffer;
  readonly gpu: GPU | undefined;
  readonly openWasm: () => Promise<Runtime>;
  readonly openWebgpu: (gpu: Omit<WebgpuRuntimeOptions, "wasmBinary">) => Promise<Runtime>;
}

export interface FaultReport {
  /** Of the provider before the fault, where it came while serving. */
  readonly before?: ProviderState;
  readonly after: ProviderState;
  /** Of every list that was in flight or came later, against the golden file; a list without scores is Infinity. */
  readonly maxError: number;
  /** Names of the log's events. */
  readonly events: readonly unknown[];
  /** Milliseconds from the fault to the last of those scores. */
  readonly ms: number;
}

/** SwiftShader compiles for half a minute on a busy machine, and a run takes seconds. */
const PATIENCE_MS = 240_000;
/** What hangs is given up sooner. */
export const HANG_MS = 8000;

/** Small ones, because a software GPU runs them, but of different shapes. */
const CASES = ["two candidates", "padded list", "empty history"];

export const FAULTS = [
  "lost_device",
  "gpu_error",
  "broken_pipeline",
  "broken_run",
  "failed_read",
  "hung_run",
  "hung_start",
  "wrong_scores",
  "late_wasm",
  "bad_list",
] as const;

export type Fault = (typeof FAULTS)[number];

/** What is computed does not matter to them, and a software GPU compiles the student for most of half a minute. */
const IS_SMALL: ReadonlySet<Fault> = new Set<Fault>(["lost_device", "failed_read", "hung_run", "wrong_scores"]);

async function withSmallGraph(setup: FaultSetup): Promise<FaultSetup> {
  const sha256 = await sha256Hex(new Uint8Array(setup.small));
  const cases = setup.golden.cases.map((one) => ({ ...one, score: meansOf(one.list) }));
  return { ...setup, model: setup.small, manifest: { ...Object(setup.manifest), sha256 }, golden: { ...setup.golden, cases } };
}

function meansOf({ k, f, features }: ListTensors): Float32Array {
  return Float32Array.from({ length: k }, (_, i) => features.subarray(i * f, (i + 1) * f).reduce((sum, value) => sum + value, 0) / f);
}

/** Throws where something fails that the fault does not explain. */
export async function runFault(fault: Fault, given: FaultSetup): Promise<FaultReport> {
  const setup = IS_SMALL.has(fault) ? await withSmallGraph(given) : given;
  const { golden, openWasm, openWebgpu } = setup;
  const events: unknown[] = [];
  let device: GPUDevice | undefined;
  let isWasmThere = fault !== "late_wasm";
  const options: ProviderScorerOptions = {
    ...setup,
    preference: "webgpu",
    proof: proofOf(golden),
    runtimes: {
      wasm: async () => {
        if (!isWasmThere) throw new Error("offline");
        return openWasm();
      },
      webgpu: async (gpu) => {
        device = gpu.device;
        return openWebgpu(gpu);
      },
    },
    log: ({ event }) => events.push(event),
    startTimeoutMs: fault === "hung_start" ? HANG_MS : PATIENCE_MS,
    runTimeoutMs: fault === "hung_run" ? HANG_MS : PATIENCE_MS,
  };
  const cases = golden.cases.filter(({ name }) => CASES.includes(name));
  const report = async (scorer: ProviderScorer, startedAt: number, maxError: number, before?: ProviderState): Promise<FaultReport> => {
    const ms = performance.now() - startedAt;
    const after = scorer.state();
    await scorer.dispose();
    return { ...(before === undefined ? {} : { before }), after, maxError, events, ms };
  };

  const startedAt = performance.now();
  if (fault === "broken_pipeline") breakShaders();
  if (fault === "hung_start") hangReads();
  if (fault === "wrong_scores") {
    const { list, score } = options.proof;
    const scorer = await open({ ...options, proof: { list, score: score.map((value) => value + 0.01) } });
    return report(scorer, startedAt, await worstOf(scorer, cases));
  }
  const scorer = await open(options);
  if (fault === "broken_pipeline" || fault === "hung_start") return report(scorer, startedAt, await worstOf(scorer, cases));

  const before = scorer.state();
  const faultAt = performance.now();
  if (fault === "bad_list") {
    const { list } = options.proof;
    const refused = await scorer.score({ ...list, image: list.image.map(() => NaN) });
    if (refused.ok || refused.error.reason !== "scores_not_finite") throw new Error(`Scored NaN: ${JSON.stringify(refused)}`);
    return report(scorer, faultAt, await worstOf(scorer, cases), before);
  }
  if (fault === "hung_run") hangReads();
  if (fault === "failed_read") failReads();
  // Lists of other shapes than the proof need shaders of their own.
  if (fault === "broken_run") breakShaders();
  const inFlight = worstOf(scorer, cases);
  if (fault === "lost_device" || fault === "late_wasm") device?.destroy();
  if (fault === "gpu_error") device?.createBuffer({ size: 4, usage: 0 });
  const first = await inFlight;
  if (fault === "late_wasm") {
    if (first !== Infinity) throw new Error("Lists were scored while neither provider was there");
    isWasmThere = true;
    return report(scorer, faultAt, await worstOf(scorer, cases), before);
  }
  return report(scorer, faultAt, Math.max(first, await worstOf(scorer, cases)), before);
}

async function open(options: ProviderScorerOptions): Promise<ProviderScorer> {
  const opened = await openProviderScorer(options);
  if (!opened.ok) throw new Error(opened.error.detail);
  return opened.value;
}

/** All at once. */
async function worstOf(scorer: Scorer, cases: readonly GoldenCase[]): Promise<number> {
  const errors = cases.map(async ({ list, score }) => {
    const scored = await scorer.score(list);
    if (!scored.ok) return Infinity;
    return score.reduce((worst, value, i) => (list.mask[i] === 0 ? worst : Math.max(worst, Math.abs(value - scored.value.score[i]!))), 0);
  });
  return Math.max(...(await Promise.all(errors)));
}

/** The real driver gets shaders that it must refuse. */
function breakShaders(): void {
  const original = Object.getOwnPropertyDescriptor(GPUDevice.prototype, "createShaderModule")?.value;
  GPUDevice.prototype.createShaderModule = function (this: GPUDevice, descriptor) {
    return Reflect.apply(original, this, [{ ...descriptor, code: `${descriptor.code}\nfn broken( {` }]);
  };
}

/** Results are computed and never arrive, as with a driver that hangs. */
function hangReads(): void {
  GPUBuffer.prototype.mapAsync = () => new Promise(() => undefined);
}

/** Results are computed and cannot be read, as when the driver runs out of memory. */
function failReads(): void {
  GPUBuffer.prototype.mapAsync = async () => Promise.reject(new DOMException("Out of memory", "OperationError"));
}
