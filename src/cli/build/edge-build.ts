/**
 * The two files of a Worker, `runtime.wasm` and `edge.bin` in the project's .armmt/edge, from the installed onnxruntime-web and the models
 * of models.json.
 *
 * The runtime is opened once with every model, and a Worker starts from a snapshot of its memory. The wasm file keeps the functions that a
 * restored runtime calls in a profile of a Worker's work; all others trap. The smaller file must reproduce the outputs of onnxruntime-web's
 * own file bit for bit; where anything differs or fails, that file is used instead.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { encodeEdgeFile } from "../../inference/edge-file.ts";
import { parseManifest } from "../../inference/manifest.ts";
import { MAX_GRAPH_BYTES } from "../../inference/scorer.ts";
import { progressBar } from "../command.ts";
import { operatorsOf } from "./graph.ts";
import { readExportNames } from "./image.ts";
import type { Answer, Job, JobModel } from "./process.ts";
import { RUNS_PER_MODEL } from "./profile.ts";
import { modulePath, PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { UserError, errorText } from "../../web.ts";

/** In the project: the Worker imports its files from there. */
export const EDGE_FOLDER = ".armmt/edge";

const RUNTIME_WASM = "onnxruntime-web/ort-wasm-simd-threaded.wasm";
const RUNTIME_GLUE = "onnxruntime-web/ort-wasm-simd-threaded.mjs";

/** Modules that the files depend on. */
const SOURCES = ["cli/build", "inference/edge-file.ts", "inference/snapshot.ts", "inference/workerd.ts"];

const reportSchema = v.object({
  /** Hash of all inputs. */
  key: v.string(),
  kind: v.picklist(["snapshot", "stock"]),
  /** Why onnxruntime-web's own file was used, where that was not requested. */
  reason: v.optional(v.string()),
  models: v.array(v.string()),
  runtimeBytes: v.number(),
  edgeBytes: v.number(),
  /** Functions of the runtime: kept, and before. */
  functions: v.optional(v.object({ kept: v.number(), all: v.number() })),
  seconds: v.number(),
});

export type BuildReport = v.InferOutput<typeof reportSchema>;

interface BuildOptions {
  /** Uses existing files, or else onnxruntime-web's own, which takes no time: for development. */
  readonly quick?: boolean;
  /** Builds even where nothing has changed. */
  readonly fresh?: boolean;
  /** No progress bar. */
  readonly json?: boolean;
  /** Output folder. Default: EDGE_FOLDER. */
  readonly folder?: string;
  /** JavaScript of onnxruntime-web. Default: the installed one's. */
  readonly glue?: string;
}

/** Throws a UserError where a model cannot be used. */
export async function buildEdge(options: BuildOptions = {}): Promise<BuildReport> {
  const { quick = false, fresh = false, json = false, folder = EDGE_FOLDER } = options;
  const started = performance.now();
  const models = readModels();
  const { stock, glue } = { ...installed(), ...(options.glue !== undefined && { glue: options.glue }) };
  const key = keyOf(models, stock, glue);
  const known = fresh ? undefined : readReport(folder);
  if (known?.key === key && (quick || known.kind === "snapshot" || known.reason !== undefined)) {
    if (!quick && known.reason !== undefined) warn(known.reason);
    return known;
  }

  const versions = models.map(({ manifest }) => manifest.version);
  const finish = (runtime: Uint8Array, edge: Uint8Array, rest: Pick<BuildReport, "kind" | "reason" | "functions">): BuildReport => {
    const seconds = Math.round((performance.now() - started) / 100) / 10;
    const report = { key, models: versions, runtimeBytes: runtime.length, edgeBytes: edge.length, seconds, ...rest };
    write(folder, { "runtime.wasm": runtime, "edge.bin": edge, "build.json": `${JSON.stringify(report, undefined, 2)}\n` });
    return report;
  };
  const stockEdge = () => encodeEdgeFile({ kind: "stock", models: models.map(({ manifest, graph }) => ({ manifest, graph })) });
  if (quick) return finish(stock, stockEdge(), { kind: "stock" });

  // Loaded here: Binaryen is large, and nothing else needs it.
  const { reportCalls } = await import("./module.ts");
  let slim: Awaited<ReturnType<typeof slimDown>>;
  try {
    slim = await slimDown({ stock, glue, models, json, reportCalls });
  } catch (cause) {
    const reason = errorText(cause);
    warn(reason);
    return finish(stock, stockEdge(), { kind: "stock", reason });
  }
  return finish(slim.wasm, fileOf(models, slim), { kind: "snapshot", functions: slim.functions });
}

function fileOf(
  models: readonly JobModel[],
  { snapshot, runtime }: Pick<Awaited<ReturnType<typeof openSessions>>, "snapshot" | "runtime">,
): Uint8Array {
  const carried = models.map(({ manifest }) => ({ manifest, sha256: manifest.sha256 }));
  return encodeEdgeFile({ kind: "snapshot", models: carried, snapshot, runtime });
}

/** Printed with every build until it succeeds, not only with the one that failed. */
function warn(reason: string): void {
  process.stderr.write(
    `Warning: the Worker gets onnxruntime-web's own file, which is larger and starts more slowly, because ${reason}\n` +
      `Try it again with: armmt build --fresh\n`,
  );
}

interface SlimOptions {
  readonly stock: Uint8Array;
  readonly glue: string;
  readonly models: readonly JobModel[];
  readonly json: boolean;
  readonly reportCalls: typeof import("./module.ts").reportCalls;
}

/** Throws where a step or the comparison fails. */
async function slimDown(options: SlimOptions) {
  const progress = progressBar("Building the runtime of the edge", 3 * RUNS_PER_MODEL * options.models.length, { json: options.json });
  const onProgress = () => progress.increment();
  try {
    const { reporting, expected, ...session } = await openSessions(options, onProgress);
    const wasm = reporting.strip(new Set(session.runtime.functions));
    const { models } = options;
    const proof = await runJob({ kind: "profile", wasm, models, snapshot: session.snapshot, hasOwnMemory: true }, onProgress);
    if (proof.kind !== "profiled" || proof.digest !== expected) throw new Error(DIFFERS);
    return { wasm, ...session, functions: { kept: session.runtime.functions.length, all: reporting.functions } };
  } finally {
    progress.stop();
  }
}

const DIFFERS = "the smaller runtime does not answer as onnxruntime-web's own does";

/** Sessions of the models as a snapshot, and the functions that their runs call. Throws where they do not answer as on onnxruntime-web's own file. */
async function openSessions({ stock, glue, models, reportCalls }: SlimOptions, onProgress: () => void) {
  const names = readExportNames(glue);
  const expected = await runJob({ kind: "profile", wasm: stock, models, snapshot: undefined, hasOwnMemory: false }, onProgress);
  const reporting = reportCalls(stock);
  const recorded = await runJob({ kind: "record", wasm: reporting.bytes, models, names, globals: reporting.globals }, onProgress);
  if (recorded.kind !== "recorded") throw new Error("no snapshot was taken");
  const { snapshot } = recorded;
  const profile = await runJob({ kind: "profile", wasm: reporting.bytes, models, snapshot, hasOwnMemory: false }, onProgress);
  if (expected.kind !== "profiled" || profile.kind !== "profiled" || profile.digest !== expected.digest) throw new Error(DIFFERS);
  const { used } = profile;
  const operators = [...new Set(models.flatMap(({ graph }) => operatorsOf(graph)))].toSorted();
  const runtime = { stock: createHash("sha256").update(stock).digest("hex"), functions: used.toSorted((a, b) => a - b), operators };
  return { reporting, expected: expected.digest, snapshot, runtime };
}

/** The session of a model for Workers that carry another, laid out as edge.bin. Throws an Error where it cannot be made. */
export async function buildSession(model: JobModel, json: boolean): Promise<Uint8Array> {
  const { reportCalls } = await import("./module.ts");
  const progress = progressBar("Opening the model as a Worker will", 2 * RUNS_PER_MODEL, { json });
  try {
    return fileOf([model], await openSessions({ ...installed(), models: [model], json, reportCalls }, () => progress.increment()));
  } finally {
    progress.stop();
  }
}

function installed() {
  return {
    stock: readFileSync(fileURLToPath(import.meta.resolve(RUNTIME_WASM))),
    glue: readFileSync(fileURLToPath(import.meta.resolve(RUNTIME_GLUE)), "utf8"),
  };
}

async function runJob(job: Job, onProgress: () => void): Promise<Answer> {
  const child = fork(modulePath("cli/build/process.ts"), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let stderr = "";
  child.stderr?.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((done, reject) => {
    let answered: Answer | undefined;
    child.on("message", (answer: Answer) => {
      if (answer.kind === "progress") onProgress();
      else answered = answer;
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (answered !== undefined && code === 0) done(answered);
      else reject(new Error(`onnxruntime ended with ${signal ?? `code ${code}`} (${job.kind}): ${stderr.trim().slice(0, 2000)}`));
    });
    child.send(job);
  });
}

/** Models of the project's models.json, or the package's own; the live one first. */
function readModels(): JobModel[] {
  const own = resolve("models.json");
  const list = existsSync(own) ? own : join(PACKAGE_ROOT, "models.json");
  const folders = v.safeParse(v.pipe(v.array(v.string()), v.minLength(1), v.maxLength(255)), readJson(list));
  if (!folders.success) throw new UserError(`${list} must be a list of folders, each with student.onnx and manifest.json: ["model"]`);
  const models = folders.output.map((folder) => readModel(resolve(dirname(list), folder)));
  const bytes = models.reduce((sum, { graph }) => sum + graph.length, 0);
  if (bytes > MAX_GRAPH_BYTES) {
    throw new UserError(`The graphs of ${list} have ${bytes} bytes together, at most ${MAX_GRAPH_BYTES} fit an isolate: take models out`);
  }
  return models;
}

/** A folder with student.onnx and manifest.json that belong together. Throws a UserError. */
export function readModel(path: string): JobModel {
  const manifest = parseManifest(readJson(join(path, "manifest.json")));
  if (!manifest.ok) throw new UserError(`${path}: ${manifest.error.detail}`);
  if (!existsSync(join(path, "student.onnx")))
    throw new UserError(`${path} has no student.onnx: put it there, or take it out of models.json`);
  const graph = readFileSync(join(path, "student.onnx"));
  const sha256 = createHash("sha256").update(graph).digest("hex");
  if (sha256 !== manifest.value.sha256) {
    throw new UserError(
      `${path}/student.onnx has SHA-256 ${sha256}, its manifest says ${manifest.value.sha256}: they do not belong together`,
    );
  }
  return { manifest: manifest.value, graph };
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    throw new UserError(`Cannot read ${path}: ${errorText(cause)}`);
  }
}

function keyOf(models: readonly JobModel[], stock: Uint8Array, glue: string): string {
  const hash = createHash("sha256").update(stock).update(glue);
  for (const { manifest } of models) hash.update(JSON.stringify(manifest));
  for (const path of SOURCES.flatMap(filesOf)) hash.update(readFileSync(path));
  return hash.digest("hex").slice(0, 16);
}

function filesOf(source: string): string[] {
  const path = modulePath(source);
  if (source.endsWith(".ts")) return [path];
  return readdirSync(path)
    .toSorted()
    .map((name) => join(path, name));
}

/** `undefined` where there is no usable build. */
function readReport(folder: string): BuildReport | undefined {
  const path = join(folder, "build.json");
  if (![path, join(folder, "runtime.wasm"), join(folder, "edge.bin")].every(existsSync)) return undefined;
  const parsed = v.safeParse(reportSchema, readJson(path));
  return parsed.success ? parsed.output : undefined;
}

/** Atomically per file, the report last: another process may read the files, or build the same. */
function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  mkdirSync(folder, { recursive: true });
  rmSync(join(folder, "build.json"), { force: true });
  for (const [name, content] of Object.entries(files)) {
    const draft = join(folder, `${name}.${process.pid}`);
    writeFileSync(draft, content);
    renameSync(draft, join(folder, name));
  }
}
