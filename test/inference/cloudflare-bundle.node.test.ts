/** What is uploaded to Cloudflare, as wrangler builds it: workerd has no WebGPU, so nothing of its runtime may be in there. */
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "../../src/lab/harness/bundle.ts";

const DIST = new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url);

/** Names that the WebGPU build of onnxruntime-web has and its plain build has not. */
const WEBGPU_ONLY = ["asyncify", "webgpuInit", "webgpuRegisterDevice"];

const folder = mkdtempSync(join(tmpdir(), "armmt-cloudflare-"));
let files: readonly string[] = [];

beforeAll(async () => {
  await bundleWorker(fileURLToPath(new URL("../../wrangler.toml", import.meta.url)), folder);
  files = readdirSync(folder, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true }));

const named = (end: string) => files.filter((file) => file.endsWith(end));

describe("the Cloudflare bundle", () => {
  it("has one wasm file, cut down to what the models use, and their sessions instead of their graphs", () => {
    // The runtime's memory, and the page of rules.
    expect([named(".wasm").length, named("edge.bin").length, named("rules-page.bin").length, named(".bin").length]).toEqual([1, 1, 1, 2]);
    expect(named(".onnx")).toEqual([]);
    const stock = statSync(new URL("ort-wasm-simd-threaded.wasm", DIST)).size;
    expect(statSync(named(".wasm")[0]!).size).toBeLessThan(Math.min(4_000_000, stock / 3));
  });

  it("has nothing of the WebGPU build", () => {
    // The words are in that build, so their absence says something.
    const webgpu = readFileSync(new URL("ort.webgpu.bundle.min.mjs", DIST), "utf8");
    expect(WEBGPU_ONLY.filter((word) => !webgpu.includes(word))).toEqual([]);
    const scripts = files.filter((file) => /\.m?js$/.test(file));
    expect(scripts.length).toBeGreaterThan(0);
    for (const file of scripts) {
      const text = readFileSync(file, "utf8");
      expect(WEBGPU_ONLY.filter((word) => text.includes(word))).toEqual([]);
    }
  });
});
