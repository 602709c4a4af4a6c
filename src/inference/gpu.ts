/**
 * From `navigator.gpu` to a device: the adapter and whether it is a real GPU, the device's limits, and its failures. A browser may have
 * `navigator.gpu` and no adapter, so an adapter is requested to find out.
 */
import { err, ok, type Result } from "../result.ts";
import { errorText, withTimeout } from "../web.ts";

/** Why a model runs on wasm although WebGPU was requested. Codes are shown and stored: they may be added, never renamed. */
export interface Fallback {
  readonly reason:
    | "no_webgpu" // the platform has no navigator.gpu
    | "no_adapter" // it has, and gives no adapter
    | "software_adapter" // the "GPU" is the processor
    | "session_failed" // device, session or pipelines could not be made, or not in time
    | "scores_differ" // the proof case came out wrong
    | "run_failed" // a run that wasm could do
    | "run_timeout"
    | "device_lost";
  readonly detail: string;
}

/** As the platform describes it; browsers leave out details that identify users. */
export interface AdapterDescription {
  readonly vendor: string;
  readonly architecture: string;
  /** Name of the device, where the platform gives it. */
  readonly description: string;
  /** Shaders run on the processor: correct scores, but more than a hundred times slower than wasm. */
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

/** The platform's adapter, or why there is none within `timeoutMs`. Never rejects. */
export async function requestAdapter(gpu: Gpu | undefined, timeoutMs: number): Promise<Result<ChosenAdapter, Fallback>> {
  if (gpu === undefined) return err({ reason: "no_webgpu", detail: "This platform has no navigator.gpu" });
  const call = "navigator.gpu.requestAdapter()";
  try {
    const adapter = await withTimeout(gpu.requestAdapter(), timeoutMs, () => "late" as const);
    if (adapter === null) return err({ reason: "no_adapter", detail: `${call} gave null` });
    if (adapter === "late") return err({ reason: "no_adapter", detail: `${call} gave none within ${timeoutMs} ms` });
    return ok({ adapter, description: describeAdapter(adapter) });
  } catch (cause) {
    return err({ reason: "no_adapter", detail: `${call}: ${errorText(cause)}` });
  }
}

function describeAdapter({ info }: GPUAdapter): AdapterDescription {
  const { vendor, architecture, device, description, isFallbackAdapter } = info;
  const name = description || device;
  return { vendor, architecture, description: name, isSoftware: isFallbackAdapter || SOFTWARE.test(`${vendor} ${architecture} ${name}`) };
}

/**
 * Rejects as `requestDevice()` does. Raises the limits that onnxruntime raises for its own devices, to the adapter's maximum. Requests no
 * features: the graph is float32 and needs neither shader-f16 nor subgroups nor timestamps.
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

/** The calls of a lost device fail a little before its `lost` promise resolves. */
const LOSS_DELAY_MS = 100;

/**
 * Calls `end` when the device is lost, on an uncaptured error, and when a pipeline cannot be made or a result cannot be read. Install it
 * before a session uses the device; `end` may be called more than once.
 *
 * The last two errors are kept from onnxruntime-web (1.30.0): when a promise of WebGPU rejects while a run is suspended, its C++ side waits
 * for a lock that is never released, and the whole thread hangs: no timer fires, no request is answered. So such a call stays pending, and
 * the caller of the run must abandon it.
 */
export function watchDevice(device: GPUDevice, end: (fallback: Fallback) => void): void {
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    end({ reason: "run_failed", detail: `GPU error: ${event.error.message}` });
  });
  device.lost.then(
    ({ reason, message }) => end({ reason: "device_lost", detail: `${message || "The GPU device was lost"} (${reason})` }),
    (cause: unknown) => end({ reason: "device_lost", detail: errorText(cause) }),
  );

  const leavePending = async <T>(problem: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (cause) {
      setTimeout(() => end({ reason: "run_failed", detail: `${problem}: ${errorText(cause)}` }), LOSS_DELAY_MS);
      return new Promise(() => undefined);
    }
  };
  // The prototypes' own methods at the time of the call: Node's package replaces some of them.
  device.createComputePipelineAsync = (descriptor) =>
    leavePending("A pipeline cannot be made", GPUDevice.prototype.createComputePipelineAsync.call(device, descriptor));
  device.popErrorScope = () => leavePending("The GPU's errors cannot be read", GPUDevice.prototype.popErrorScope.call(device));
  device.createBuffer = (descriptor) => {
    const buffer = GPUDevice.prototype.createBuffer.call(device, descriptor);
    buffer.mapAsync = (...range) => leavePending("A result cannot be read from the GPU", GPUBuffer.prototype.mapAsync.apply(buffer, range));
    return buffer;
  };
}
