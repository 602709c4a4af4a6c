/**
 * The scorer over two providers, in Node and Deno, with the real onnxruntime and the real Dawn (on Chromium's software GPU). The whole table
 * with workerd and Chromium is in test/browser/providers.test.ts.
 */
import { describe, expect, it } from "vitest";
import * as v from "valibot";
import { openProviderScorer } from "../../src/inference/providers.ts";
import { proofOf } from "../../src/inference/golden.ts";
import { openWebWasm } from "../../src/inference/web.ts";
import { modelFiles, wasmFile } from "./model-files.ts";
import { missing, reportSchema, rowSchema, runScript, softwareGpu } from "./processes.ts";

const TIMEOUT_MS = 400_000;

const noDeno = await missing("deno");
if (noDeno !== undefined) console.warn(`Skipped: ${noDeno}`);
const gpu = softwareGpu();
if ("missing" in gpu) console.warn(`Skipped on WebGPU: ${gpu.missing}`);
const gpuEnv = "env" in gpu ? gpu.env : {};

const { model, manifest, golden } = modelFiles();
const wasm = () => openWebWasm({ wasmBinary: wasmFile("ort-wasm-simd-threaded.wasm") });
const noWebgpu = (): never => expect.fail("WebGPU's runtime was loaded");
const options = {
  model,
  manifest,
  gpu: undefined,
  proof: proofOf(golden),
  log: () => undefined,
  runtimes: { wasm, webgpu: noWebgpu },
} as const;

const adapterOf = (info: Partial<GPUAdapterInfo>): Pick<GPU, "requestAdapter"> => ({
  // Only an adapter's description is looked at before it is refused; the real ones are in the table.
  requestAdapter: async () =>
    Object.assign(Object.create(null), { info: { vendor: "", architecture: "", device: "", description: "", ...info } }),
});

describe("openProviderScorer() without a usable GPU", () => {
  it("never asks for an adapter where wasm is wanted", async () => {
    const asked = { requestAdapter: () => expect.fail("An adapter was asked for") };
    const opened = await openProviderScorer({ ...options, preference: "wasm", gpu: asked });
    expect(opened.ok && opened.value.state()).toEqual({ provider: "wasm" });
  });

  it("says why it serves with wasm, once in the log and always in its state", async () => {
    const events: unknown[] = [];
    const log = (entry: object) => events.push(entry);
    const opened = await openProviderScorer({ ...options, preference: "auto", log });
    const fallback = { reason: "no_webgpu", detail: "This platform has no navigator.gpu" };
    expect(opened.ok && opened.value.state()).toEqual({ provider: "wasm", fallback });
    expect(events).toEqual([{ level: "info", event: "webgpu_fallback", model: golden.model, ...fallback }]);
  });

  it("takes no adapter that is null, that fails or that does not come", async () => {
    const adapters: readonly (readonly [() => Promise<null>, RegExp])[] = [
      [async () => null, /gave null/],
      [async () => Promise.reject(new Error("driver gone")), /driver gone/],
      [async () => new Promise(() => undefined), /none within 50 ms/],
    ];
    for (const [requestAdapter, detail] of adapters) {
      const opened = await openProviderScorer({ ...options, preference: "webgpu", gpu: { requestAdapter }, startTimeoutMs: 50 });
      const expected = { provider: "wasm", fallback: { reason: "no_adapter", detail: expect.stringMatching(detail) } };
      expect(opened.ok && opened.value.state()).toEqual(expected);
    }
  });

  it("leaves software adapters alone, by their flag or their name", async () => {
    const names: readonly Partial<GPUAdapterInfo>[] = [
      { vendor: "google", architecture: "swiftshader" },
      { description: "llvmpipe (LLVM 15.0.6, 256 bits)" },
      { device: "Microsoft Basic Render Driver" },
      { vendor: "unknown", isFallbackAdapter: true },
    ];
    for (const info of names) {
      const opened = await openProviderScorer({ ...options, preference: "auto", gpu: adapterOf(info) });
      expect(opened.ok && opened.value.state()).toMatchObject({ adapter: { isSoftware: true }, fallback: { reason: "software_adapter" } });
    }
  });

  it("gives a reason where wasm does not load either, and never rejects", async () => {
    const failing = { wasm: async () => Promise.reject(new Error("no such file")), webgpu: noWebgpu };
    const opened = await openProviderScorer({ ...options, preference: "auto", runtimes: failing });
    const detail = "onnxruntime's wasm build cannot be loaded: no such file";
    expect(opened).toEqual({ ok: false, error: { reason: "model_unavailable", detail } });
  });

  it("refuses a model that is not its manifest's before it asks for anything", async () => {
    const failing = { wasm: () => expect.fail("wasm was loaded"), webgpu: noWebgpu };
    const opened = await openProviderScorer({ ...options, model: new ArrayBuffer(8), preference: "auto", runtimes: failing });
    expect(opened).toMatchObject({ ok: false, error: { reason: "model_mismatch" } });
  });

  it("gives no scores after dispose()", async () => {
    const opened = await openProviderScorer({ ...options, preference: "wasm" });
    if (!opened.ok) throw new Error(opened.error.detail);
    const { list } = options.proof;
    expect(await opened.value.score(list)).toMatchObject({ ok: true });
    await opened.value.dispose();
    expect(await opened.value.score(list)).toMatchObject({ ok: false, error: { reason: "model_unavailable" } });
  });
});

describe("wasm agrees with the training side", () => {
  for (const runtime of ["node", "deno"] as const) {
    it.skipIf(runtime === "deno" && noDeno !== undefined)(`in ${runtime}`, { timeout: TIMEOUT_MS }, async () => {
      const row = v.parse(rowSchema, await runScript(runtime, ["golden-process.ts", "wasm", "5"]));
      expect(row).toMatchObject({ provider: "wasm", cases: golden.cases.length });
      expect(row.maxError).toBeLessThanOrEqual(golden.tolerance);
    });
  }
});

describe.skipIf("missing" in gpu)("WebGPU that fails in Node", () => {
  // What else can fail is the same code over the same runtime: Chromium has it (test/browser/providers.test.ts).
  it("lost_device: every list is scored on wasm, with reason device_lost", { timeout: TIMEOUT_MS }, async () => {
    const report = v.parse(reportSchema, await runScript("node", ["fault-process.ts", "lost_device"], gpuEnv));
    expect(report.before).toMatchObject({ provider: "webgpu", adapter: { isSoftware: true } });
    expect(report.after).toMatchObject({ provider: "wasm", adapter: { isSoftware: true }, fallback: { reason: "device_lost" } });
    expect(report.maxError).toBeLessThanOrEqual(golden.tolerance);
    expect(report.events).toEqual(["webgpu_fallback"]);
  });

  it("an absent driver: wasm, with reason no_adapter", { timeout: TIMEOUT_MS }, async () => {
    const row = v.parse(
      rowSchema,
      await runScript("node", ["golden-process.ts", "webgpu", "1"], { ...gpuEnv, VK_ICD_FILENAMES: "/nowhere.json" }),
    );
    expect(row).toMatchObject({ provider: "wasm", fallback: { reason: "no_adapter" } });
    expect(row.maxError).toBeLessThanOrEqual(golden.tolerance);
  });
});
