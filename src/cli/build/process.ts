/**
 * One copy of onnxruntime in its own process (a process can have one): takes a snapshot, or runs the profile. edge-build.ts forks it, sends
 * one job, and gets one answer.
 *
 * It resembles a Worker: onnxruntime detects no Node, the clock stands still, and random numbers are always the same, so that the same inputs
 * give the same snapshot.
 */
import { type InferenceSession, memoryFor, openSession, Tensor } from "../../inference/workerd.ts";
import { createFeeds, warmUpList } from "../../inference/list-run.ts";
import type { ModelManifest } from "../../inference/manifest.ts";
import { graphOfSession, memoryOf, restore, type Snapshot } from "../../inference/snapshot.ts";
import { xorshift } from "./sample-list.ts";
import { clearFreed, type ExportNames, takeImage } from "./image.ts";
import { HIT } from "./module.ts";
import { runProfile } from "./profile.ts";
import { errorStack } from "../../web.ts";

export interface JobModel {
  readonly manifest: ModelManifest;
  readonly graph: Uint8Array;
}

interface Setting {
  readonly wasm: Uint8Array;
  readonly models: readonly JobModel[];
}

export type Job =
  | ({ readonly kind: "record"; readonly names: ExportNames; readonly globals: readonly string[] } & Setting)
  | ({ readonly kind: "profile"; readonly snapshot: Snapshot | undefined; readonly hasOwnMemory: boolean } & Setting);

export type Answer =
  | { readonly kind: "progress" }
  | { readonly kind: "recorded"; readonly snapshot: Snapshot }
  /** `used`: numbers of the called functions, where the wasm reports them. */
  | { readonly kind: "profiled"; readonly digest: string; readonly used: readonly number[] };

let clockMs = 0;
const used = new Set<number>();

function becomeWorker(): void {
  const next = xorshift(1);
  // onnxruntime-web takes a process of this type for a browser.
  replace(process, "type", "renderer");
  replace(globalThis, "navigator", { language: "en", languages: ["en"], hardwareConcurrency: 1 });
  replace(globalThis, "performance", { timeOrigin: 0, now: () => clockMs });
  replace(Date, "now", () => clockMs);
  replace(Math, "random", next);
  replace(crypto, "getRandomValues", (values: Uint8Array) => values.map(() => Math.floor(next() * 256)));
}

function replace(target: object, name: string, value: unknown): void {
  Object.defineProperty(target, name, { value, configurable: true, writable: true });
}

/** With the function that a reporting module calls. */
function complete(imports: WebAssembly.Imports): WebAssembly.Imports {
  return { ...imports, [HIT.module]: { [HIT.name]: (i: number) => void used.add(i) } };
}

async function record({ wasm, models, names, globals }: Job & { kind: "record" }): Promise<Snapshot> {
  const module = await WebAssembly.compile(new Uint8Array(wasm));
  let running: { exports: WebAssembly.Exports; memory: WebAssembly.Memory } | undefined;
  const sessions: number[] = []; // in the order in which they were created
  const instantiate = async (imports: WebAssembly.Imports) => {
    const instance = await WebAssembly.instantiate(module, complete(imports));
    const create = functionOf(instance.exports, names.done.createSession);
    running = { exports: instance.exports, memory: memoryOf(imports) };
    const noted = (...given: unknown[]): unknown => {
      const handle = create(...given);
      sessions.push(Number(handle));
      return handle;
    };
    return { module, instance: { exports: { ...instance.exports, [names.done.createSession]: noted } } };
  };
  for (const { graph, manifest } of models) {
    const session = await openSession({ instantiate, memory: memoryFor(undefined, false) }, new Uint8Array(graph));
    // The first run allocates, too.
    for (const value of Object.values(await session.run(createFeeds(warmUpList(manifest), Tensor)))) value.dispose();
  }
  if (running === undefined) throw new Error("There is no model: name one in models.json");
  const { exports, memory } = running;
  const malloc = functionOf(exports, names.malloc);
  const free = functionOf(exports, names.free);
  clearFreed({ memory, malloc: (bytes) => Number(malloc(bytes)), free: (at) => void free(at) });
  const { runs, bytes } = takeImage(memory);
  const values = Object.fromEntries(globals.map((name) => [name, globalOf(exports, name)]));
  return { head: { memoryBytes: memory.buffer.byteLength, globals: values, sessions, exports: names.done }, runs, bytes };
}

async function perform({ wasm, models, snapshot, hasOwnMemory }: Job & { kind: "profile" }): Promise<Answer> {
  const module = await WebAssembly.compile(new Uint8Array(wasm));
  const instantiate = async (imports: WebAssembly.Imports) => {
    const instance = await WebAssembly.instantiate(module, complete(imports));
    return { module, instance: snapshot === undefined ? instance : restore(instance, imports, snapshot).instance };
  };
  const open = (graph: Uint8Array, index: number) =>
    openSession(
      { instantiate, memory: memoryFor(snapshot, hasOwnMemory) },
      snapshot === undefined ? new Uint8Array(graph) : graphOfSession(index),
    );
  const sessions: { session: InferenceSession; manifest: ModelManifest }[] = [];
  for (const [index, { graph, manifest }] of models.entries()) {
    // A Worker may open a model twice, and close one.
    if (snapshot !== undefined) await (await open(graph, index)).release();
    sessions.push({ session: await open(graph, index), manifest });
  }
  const digest = await runProfile({
    sessions,
    TensorOf: Tensor,
    setClock: (ms) => (clockMs = ms),
    onRun: () => void process.send?.({ kind: "progress" } satisfies Answer),
  });
  return { kind: "profiled", digest, used: [...used] };
}

type WasmFunction = (...given: unknown[]) => unknown;

function functionOf(exports: WebAssembly.Exports, name: string): WasmFunction {
  const found = exports[name];
  if (!isFunction(found)) throw new Error(`onnxruntime's wasm exports no function ${name}`);
  return found;
}

function isFunction(value: unknown): value is WasmFunction {
  return typeof value === "function";
}

function globalOf(exports: WebAssembly.Exports, name: string): number {
  const found = exports[name];
  if (!(found instanceof WebAssembly.Global)) throw new Error(`onnxruntime's wasm exports no global ${name}`);
  return Number(found.value);
}

process.once("message", (job: Job) => {
  becomeWorker();
  const work = job.kind === "record" ? record(job).then((snapshot): Answer => ({ kind: "recorded", snapshot })) : perform(job);
  work.then(
    (answer) => process.send?.(answer, () => process.exit(0)),
    (cause: unknown) => {
      process.stderr.write(`${errorStack(cause)}\n`);
      process.exit(1);
    },
  );
});
