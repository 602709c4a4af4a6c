/** Bundled for Chromium: the same questions answered in a page, a dedicated worker and a service worker. */
import { parseGolden } from "../../src/inference/golden.ts";
import { openWebWasm } from "../../src/inference/web.ts";
import { openWebWebgpu } from "../../src/inference/web-webgpu.ts";
import { type Fault, runFault } from "../inference/faults.ts";
import { scoreGolden } from "../inference/golden-table.ts";

export type Question =
  | { readonly kind: "golden"; readonly preference: "wasm" | "webgpu"; readonly names: readonly string[]; readonly runs: number }
  | { readonly kind: "fault"; readonly fault: Fault };

async function bytes(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
}

async function json(path: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await bytes(path)));
}

async function answer(question: Question): Promise<object> {
  const [model, manifest, golden] = await Promise.all([bytes("/student.onnx"), json("/manifest.json"), json("/golden.json")]);
  const setup = { model, manifest, golden: parseGolden(golden), gpu: "gpu" in navigator ? navigator.gpu : undefined };
  const wasm = () => openWebWasm({ wasmBinary: () => bytes("/ort-wasm-simd-threaded.wasm") });
  const webgpu = (gpu: { readonly adapter: GPUAdapter; readonly device: GPUDevice }) =>
    openWebWebgpu({ ...gpu, wasmBinary: () => bytes("/ort-wasm-simd-threaded.asyncify.wasm") });
  if (question.kind === "fault") {
    return runFault(question.fault, { ...setup, small: await bytes("/small.onnx"), openWasm: wasm, openWebgpu: webgpu });
  }
  return scoreGolden({ ...setup, ...question, runtimes: { wasm, webgpu } });
}

if ("document" in globalThis) {
  Object.assign(globalThis, { answer });
} else {
  addEventListener("message", (event) => {
    const done = answer(event.data).catch((cause: unknown) => ({ problem: String(cause) }));
    const told = done.then((reply) => event.ports[0]?.postMessage(reply));
    if ("waitUntil" in event && typeof event.waitUntil === "function") event.waitUntil(told);
  });
}
