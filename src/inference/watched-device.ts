/**
 * A GPU device that says when it can no longer be trusted, and that keeps its failures from onnxruntime.
 */
import type { Fallback } from "./adapter.ts";
import { errorText } from "../web.ts";

/** Milliseconds: where the device is lost, its calls fail a little before it says so. */
const LOSS_TOLD_MS = 100;

/**
 * Calls `end` when the device is lost, when an error is caught by nobody, and when a pipeline cannot be made or a result cannot be read.
 * Install it before a session uses the device; `end` may be called more than once.
 *
 * The last two never reach onnxruntime-web (1.30.0): behind a promise of WebGPU that rejects while a run is suspended, its C++ side waits
 * for a lock that nobody gives back, and the whole thread stands still: no timer fires, no request is answered. So such a call is left open,
 * and whoever waits for the run has to give it up.
 */
export function watchDevice(device: GPUDevice, end: (fallback: Fallback) => void): void {
  device.addEventListener("uncapturederror", (event) => {
    event.preventDefault();
    end({ reason: "run_failed", detail: `GPU error: ${event.error.message}` });
  });
  device.lost.then(
    ({ reason, message }) => end({ reason: "device_lost", detail: `${message || "The GPU device was lost"} (${reason})` }),
    (cause: unknown) => end({ reason: "device_lost", detail: text(cause) }),
  );

  const leaveOpen = async <T>(what: string, call: Promise<T>): Promise<T> => {
    try {
      return await call;
    } catch (cause) {
      setTimeout(() => end({ reason: "run_failed", detail: `${what}: ${text(cause)}` }), LOSS_TOLD_MS);
      return new Promise(() => undefined);
    }
  };
  // The prototypes' own methods at the time of the call: Node's package replaces some of them.
  device.createComputePipelineAsync = (descriptor) =>
    leaveOpen("A pipeline cannot be made", GPUDevice.prototype.createComputePipelineAsync.call(device, descriptor));
  device.popErrorScope = () => leaveOpen("The GPU's errors cannot be read", GPUDevice.prototype.popErrorScope.call(device));
  device.createBuffer = (descriptor) => {
    const buffer = GPUDevice.prototype.createBuffer.call(device, descriptor);
    buffer.mapAsync = (...range) => leaveOpen("A result cannot be read from the GPU", GPUBuffer.prototype.mapAsync.apply(buffer, range));
    return buffer;
  };
}

function text(cause: unknown): string {
  return errorText(cause);
}
