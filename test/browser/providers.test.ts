/**
 * The golden cases in every runtime that serves them, as one table: workerd, Node, Deno, and Chromium's page, worker and service worker.
 * Then WebGPU that fails, in Chromium. GPUs here are software: the scores count, the times do not.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { type Browser, chromium, type Page } from "playwright-core";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "../../src/lab/harness/bundle.ts";
import { runBundle } from "../harness/running.ts";
import { type Fault, FAULTS, HANG_MS } from "../inference/faults.ts";
import { modelFiles } from "../inference/model-files.ts";
import { missing, reportSchema, type Row, rowSchema, runScript, softwareGpu } from "../inference/processes.ts";
import { findChromium } from "./demo.ts";
import type { Question } from "./providers-entry.ts";

const TIMEOUT_MS = 400_000;
/** A software GPU's times say nothing. */
const RUNS = { wasm: 30, webgpu: 1 } as const;
/** GPUs round otherwise. */
const WEBGPU_TOLERANCE = 1e-3;

const IS_ALL = process.env["ARMMT_FAULTS"] === "all";

/** In workers, on a GPU that is the page's: every further shape of lists is seconds of compiling for a software GPU. */
const FEW_CASES = ["two candidates", "padded list", "a hundred candidates"];

/** Of their own kind, but a quarter of a minute of a software GPU each: with `ARMMT_FAULTS=all`. */
const IS_RARE: ReadonlySet<Fault> = new Set<Fault>(["gpu_error", "failed_read", "hung_start", "late_wasm", "bad_list"]);

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");
const noDeno = await missing("deno");
if (noDeno !== undefined) console.warn(`Skipped: ${noDeno}`);
const gpu = softwareGpu();
if ("missing" in gpu) console.warn(`Skipped on WebGPU in Node and Deno: ${gpu.missing}`);

const { golden } = modelFiles();
const PROVIDERS = ["wasm", "webgpu"] as const;
const root = new URL("../../", import.meta.url);
const ORT = "node_modules/onnxruntime-web/dist";

function startServer(script: string): Promise<Server> {
  const files: Readonly<Record<string, readonly [type: string, path: string]>> = {
    "/student.onnx": ["application/octet-stream", "model/student.onnx"],
    "/small.onnx": ["application/octet-stream", "test/inference/small.onnx"],
    "/manifest.json": ["application/json", "model/manifest.json"],
    "/golden.json": ["application/json", "model/golden.json"],
    "/ort-wasm-simd-threaded.wasm": ["application/wasm", `${ORT}/ort-wasm-simd-threaded.wasm`],
    "/ort-wasm-simd-threaded.asyncify.wasm": ["application/wasm", `${ORT}/ort-wasm-simd-threaded.asyncify.wasm`],
  };
  const server = createServer((request, response) => {
    const file = files[request.url ?? ""];
    if (request.url === "/entry.js") response.setHeader("content-type", "text/javascript").end(script);
    else if (file !== undefined) response.setHeader("content-type", file[0]).end(readFileSync(new URL(file[1], root)));
    else response.setHeader("content-type", "text/html").end('<!doctype html><script src="/entry.js"></script>');
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

/** As a service worker needs it: one classic script that imports nothing. */
async function bundleEntry(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("providers-entry.ts", import.meta.url))],
    bundle: true,
    format: "iife",
    write: false,
    // onnxruntime-web imports it in Node only.
    external: ["module"],
    logOverride: { "empty-import-meta": "silent" },
  });
  return outputFiles[0]?.text ?? "";
}

async function ask(page: Page, where: "page" | "worker" | "service worker", question: Question): Promise<unknown> {
  const reply: unknown = await page.evaluate(
    async ([place, asked]) => {
      if (place === "page") return Reflect.get(globalThis, "answer")(asked);
      const { port1, port2 } = new MessageChannel();
      const replied = new Promise<unknown>((resolve) => {
        port1.addEventListener("message", (event) => resolve(event.data));
        port1.start();
      });
      if (place === "worker") new Worker("/entry.js").postMessage(asked, [port2]);
      else {
        await navigator.serviceWorker.register("/entry.js");
        const { active } = await navigator.serviceWorker.ready;
        active?.postMessage(asked, [port2]);
      }
      return replied;
    },
    [where, question] as const,
  );
  return reply;
}

async function scoreInWorkerd(): Promise<Row> {
  const folder = mkdtempSync(join(tmpdir(), "armmt-golden-"));
  try {
    const config = fileURLToPath(new URL("../inference/golden-worker/wrangler.toml", import.meta.url));
    const worker = await runBundle(await bundleWorker(config, folder));
    try {
      const first: unknown = await (await fetch(worker.url)).json();
      // Clocks stand still in workerd: timed from outside, an empty answer subtracted.
      const timed = async (runs: number): Promise<number> => {
        const startedAt = performance.now();
        await (await fetch(`${worker.url}/?runs=${runs}`)).text();
        return performance.now() - startedAt;
      };
      await timed(RUNS.wasm);
      const emptyMs = await timed(0);
      return v.parse(rowSchema, { ...Object(first), msPerRun: ((await timed(RUNS.wasm)) - emptyMs) / RUNS.wasm });
    } finally {
      await worker.stop();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const launch = (...flags: string[]) => chromium.launch({ executablePath: executablePath ?? "", args: ["--no-sandbox", ...flags] });

describe.skipIf(executablePath === undefined)("golden cases", () => {
  const table: Record<string, string | number>[] = [];
  let server: Server;
  let browser: Browser;
  let origin: string;

  /** A page of a profile of its own. */
  async function withPage<T>(use: (page: Page) => Promise<T>, from = browser): Promise<T> {
    const context = await from.newContext();
    try {
      const page = await context.newPage();
      await page.goto(origin);
      return await use(page);
    } finally {
      await context.close();
    }
  }

  beforeAll(async () => {
    server = await startServer(await bundleEntry());
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    browser = await launch("--enable-unsafe-webgpu");
  });

  afterAll(async () => {
    await browser.close();
    server.close();
    console.log("Golden cases of the student; run times on a hundred candidates. A software GPU's times say nothing of a real one.");
    console.table(table);
  });

  function check(
    runtime: string,
    provider: "wasm" | "webgpu",
    { adapter, cases, maxError, msPerRun, ...row }: Row,
    wanted = golden.cases.length,
  ): void {
    const name = adapter === undefined ? "" : `${adapter.description || adapter.architecture}${adapter.isSoftware ? " (software)" : ""}`;
    table.push({
      runtime,
      provider: row.provider,
      adapter: name,
      cases,
      "max error": maxError,
      "ms per run": Math.round(msPerRun * 100) / 100,
    });
    expect(row).toEqual({ provider });
    expect(cases).toBe(wanted);
    expect(maxError).toBeLessThanOrEqual(provider === "wasm" ? golden.tolerance : WEBGPU_TOLERANCE);
  }

  it("in workerd on wasm", { timeout: TIMEOUT_MS }, async () => check("workerd", "wasm", await scoreInWorkerd()));

  for (const runtime of ["node", "deno"] as const) {
    for (const provider of PROVIDERS) {
      const cannot = (runtime === "deno" && noDeno !== undefined) || (provider === "webgpu" && "missing" in gpu);
      it.skipIf(cannot)(`in ${runtime} on ${provider}`, { timeout: TIMEOUT_MS }, async () => {
        const env = provider === "webgpu" && "env" in gpu ? gpu.env : {};
        const row = await runScript(runtime, ["golden-process.ts", provider, String(RUNS[provider])], env);
        check(runtime, provider, v.parse(rowSchema, row));
      });
    }
  }

  for (const where of ["page", "worker", "service worker"] as const) {
    for (const preference of PROVIDERS) {
      it(`in Chromium's ${where} on ${preference}`, { timeout: TIMEOUT_MS }, async () => {
        const names = where !== "page" && preference === "webgpu" && !IS_ALL ? FEW_CASES : golden.cases.map(({ name }) => name);
        const row = await withPage((page) => ask(page, where, { kind: "golden", preference, names, runs: RUNS[preference] }));
        check(`Chromium ${where}`, preference, v.parse(rowSchema, row), names.length);
      });
    }
  }

  it("on wasm with reason no_adapter in a Chromium that has no adapter", { timeout: TIMEOUT_MS }, async () => {
    const plain = await launch();
    try {
      const asked = await withPage((page) => ask(page, "page", { kind: "golden", preference: "webgpu", names: FEW_CASES, runs: 1 }), plain);
      const row = v.parse(rowSchema, asked);
      expect(row).toMatchObject({ provider: "wasm", fallback: { reason: "no_adapter" } });
      expect(row.maxError).toBeLessThanOrEqual(golden.tolerance);
    } finally {
      await plain.close();
    }
  });

  const reasons = {
    lost_device: "device_lost",
    gpu_error: "run_failed",
    broken_pipeline: "session_failed",
    broken_run: "run_failed",
    failed_read: "run_failed",
    hung_run: "run_timeout",
    hung_start: "session_failed",
    wrong_scores: "scores_differ",
    late_wasm: "device_lost",
    bad_list: undefined,
  } as const;
  for (const fault of FAULTS) {
    const reason = reasons[fault];
    it.skipIf(IS_RARE.has(fault) && !IS_ALL)(`${fault} in Chromium: ${reason ?? "WebGPU goes on"}`, { timeout: TIMEOUT_MS }, async () => {
      const { after, maxError, events, ms } = v.parse(reportSchema, await withPage((page) => ask(page, "page", { kind: "fault", fault })));
      const expected = reason === undefined ? { provider: "webgpu" } : { provider: "wasm", fallback: { reason } };
      expect(after).toMatchObject(expected);
      expect(maxError).toBeLessThanOrEqual(reason === undefined ? WEBGPU_TOLERANCE : golden.tolerance);
      expect(events).toEqual(reason === undefined ? [] : ["webgpu_fallback"]);
      // One limit for all three lists that hang, not one for each.
      if (fault === "hung_run") expect(ms).toBeLessThan(3 * HANG_MS);
    });
  }
});
