/**
 * From `navigator.gpu` to a device: which adapters are worth it, and what is asked of them.
 *
 * Feature detection is by asking: a browser may have `navigator.gpu` and no adapter.
 */
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import { errorText } from "../web.ts";

/** Why a model runs on wasm where WebGPU was wanted. Codes are shown and stored: added, never renamed. */
export type FallbackReason =
  | "no_webgpu" // the platform has no navigator.gpu
  | "no_adapter" // it has, and gives no adapter
  | "software_adapter" // the "GPU" is the processor
  | "session_failed" // device, session or pipelines could not be made, or not in time
  | "scores_differ" // the proof case came out wrong
  | "run_failed" // a run that wasm could do
  | "run_timeout"
  | "device_lost";

export interface Fallback {
  readonly reason: FallbackReason;
  /** For the log. */
  readonly detail: string;
}

/** As the platform describes it; browsers leave out what would tell users apart. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  /** The name of the device, where the platform tells. */
  readonly description: string;
  /** Shaders run on the processor: right scores, but more than a hundred times slower than wasm. */
  readonly isSoftware: boolean;
}

/** The part of `navigator.gpu` that is used. */
export type Gpu = Pick<GPU, "requestAdapter">;

export interface ChosenAdapter {
  readonly adapter: GPUAdapter;
  readonly description: AdapterDescription;
}

/** SwiftShader (Chromium), lavapipe and llvmpipe (Mesa), WARP (Windows). */
const SOFTWARE = /swiftshader|lavapipe|llvmpipe|softpipe|microsoft basic render|\bwarp\b/i;

/** The platform's adapter, or why there is none; what has not come within `timeoutMs` does not come. Never rejects. */
export async function requestAdapter(gpu: Gpu | undefined, timeoutMs: number): Promise<Result<ChosenAdapter, Fallback>> {
  if (gpu === undefined) return err({ reason: "no_webgpu", detail: "This platform has no navigator.gpu" });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<"late">((resolve) => {
    timer = setTimeout(() => resolve("late"), timeoutMs);
  });
  try {
    const adapter = await Promise.race([gpu.requestAdapter(), late]);
    if (adapter === null) return err({ reason: "no_adapter", detail: "navigator.gpu.requestAdapter() gave null" });
    if (adapter === "late") return err({ reason: "no_adapter", detail: `navigator.gpu.requestAdapter() gave none within ${timeoutMs} ms` });
    return ok({ adapter, description: describeAdapter(adapter) });
  } catch (cause) {
    return err({
      reason: "no_adapter",
      detail: `navigator.gpu.requestAdapter(): ${errorText(cause)}`,
    });
  } finally {
    clearTimeout(timer);
  }
}

function describeAdapter({ info }: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description, isFallbackAdapter } = info;
  const name = description || device;
  return { vendor, architecture, description: name, isSoftware: isFallbackAdapter || SOFTWARE.test(`${vendor} ${architecture} ${name}`) };
}

/**
 * Rejects as `requestDevice()` may. The limits are those that onnxruntime raises for a device of its own, as far up as the adapter goes.
 * No features: the graph is float32, and shader-f16, subgroups and timestamps serve others.
 */
export async function requestDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const { limits } = adapter;
  return adapter.requestDevice({
    requiredLimits: {
      maxBindGroups: limits.maxBindGroups,
      maxBufferSize: limits.maxBufferSize,
      maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
      maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
      maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
      maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
      maxComputeWorkgroupSizeY: limits.maxComputeWorkgroupSizeY,
      maxComputeWorkgroupSizeZ: limits.maxComputeWorkgroupSizeZ,
      maxComputeWorkgroupsPerDimension: limits.maxComputeWorkgroupsPerDimension,
    },
  });
}
