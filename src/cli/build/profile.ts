/**
 * A profile of a Worker's work: lists of every length up to 256 and some longer, gaps of every kind, requests that the runtime refuses, and
 * jumps of the clock. The functions of onnxruntime that it calls are kept; its outputs must not change.
 */
import { createHash } from "node:crypto";
import type { InferenceSession, Tensor } from "../../inference/workerd.ts";
import { createFeeds } from "../../inference/list-run.ts";
import type { ModelManifest } from "../../inference/manifest.ts";
import type { Runtime } from "../../inference/runtime.ts";
import { type ListTensors, MAX_HISTORY } from "../../ranking/features.ts";
import { MAX_QUERY_TOKENS, TOKEN_TABLE_ROWS } from "../../ranking/tokenizer.ts";
import { createList } from "./sample-list.ts";
import { DAY_MS } from "../../web.ts";

interface ProfileOptions {
  readonly sessions: readonly { readonly session: InferenceSession; readonly manifest: ModelManifest }[];
  readonly TensorOf: Runtime["TensorOf"];
  /** Sets the clock: milliseconds since 1970. */
  readonly setClock: (ms: number) => void;
  readonly onRun: () => void;
}

const LENGTHS = [...Array.from({ length: 256 }, (_, i) => i + 1), 300, 384, 512, 1000];

/** Number of runs per model, for a progress bar. */
export const RUNS_PER_MODEL = LENGTHS.length;

const HOUR_MS = 3_600_000;
/** Clocks of a Worker that starts and of one that has run for a year, and back. */
const CLOCK_MS = [0, 1000, HOUR_MS, DAY_MS, 31 * DAY_MS, Date.UTC(2026, 0), Date.UTC(2027, 1), 0];

/** SHA-256 over the bits of all outputs and the messages of all errors. */
export async function runProfile({ sessions, TensorOf, setClock, onRun }: ProfileOptions): Promise<string> {
  const hash = createHash("sha256");
  for (const { session, manifest } of sessions) {
    for (const [i, k] of LENGTHS.entries()) {
      setClock(CLOCK_MS[Math.floor((i / LENGTHS.length) * CLOCK_MS.length)]!);
      const list = listFor(k, manifest);
      await answer(hash, () => session.run(createFeeds(list, TensorOf)));
      onRun();
    }
    for (const broken of brokenFeeds(listFor(7, manifest), TensorOf)) {
      await answer(hash, () => session.run(broken));
      // The session must not have changed.
      await answer(hash, () => session.run(createFeeds(listFor(5, manifest), TensorOf)));
    }
  }
  return hash.digest("hex");
}

/** Queries and histories of changing length; every kind of gap in turn. */
function listFor(k: number, manifest: ModelManifest): ListTensors {
  const list = createList(k, manifest, { queryTokens: 1 + ((k * 7) % MAX_QUERY_TOKENS), historyItems: 1 + (k % MAX_HISTORY) });
  if (k % 3 === 1) list.mask.fill(0, Math.ceil((k * 2) / 3));
  if (k % 4 === 2) removeVectors(list.image, list.presence, 0);
  if (k % 5 === 3) removeVectors(list.text, list.presence, 1);
  if (k % 6 === 4) list.historyMask.fill(0);
  if (k % 7 === 5) list.queryMask.fill(0);
  if (k % 11 === 6) list.features.fill(0);
  return list;
}

/** Removes the vectors of every other item. */
function removeVectors(vectors: Float32Array, presence: Float32Array, column: 0 | 1): void {
  const width = vectors.length / (presence.length / 2);
  for (let i = 0; i < presence.length / 2; i += 2) {
    presence[i * 2 + column] = 0;
    vectors.fill(0, i * width, (i + 1) * width);
  }
}

type Feeds = Record<string, Tensor>;

/** Invalid lists: shapes, types and numbers that the runtime must refuse or survive. */
function brokenFeeds(list: ListTensors, TensorOf: Runtime["TensorOf"]): Feeds[] {
  const good: Feeds = createFeeds(list, TensorOf);
  const { k, imageDim, lq } = list;
  const floats = (...dims: number[]) => new TensorOf("float32", new Float32Array(dims.reduce((product, dim) => product * dim, 1)), dims);
  const { mask: _mask, ...lacking } = good;
  return [
    { ...good, image: floats(1, k + 1, imageDim) },
    { ...good, image: floats(1, k, imageDim + 1) },
    { ...good, image: floats(k, imageDim) },
    { ...good, mask: floats(1, k - 1) },
    { ...good, history_mask: floats(1, list.h + 1) },
    { ...good, features: new TensorOf("int32", new Int32Array(list.features.length), [1, k, list.features.length / k]) },
    { ...good, query_token_ids: floats(1, lq) },
    { ...good, query_token_ids: new TensorOf("int32", new Int32Array(lq).fill(TOKEN_TABLE_ROWS + 5), [1, lq]) },
    { ...good, query_token_ids: new TensorOf("int32", new Int32Array(lq).fill(-TOKEN_TABLE_ROWS - 5), [1, lq]) },
    { ...good, image: new TensorOf("float32", new Float32Array(k * imageDim).fill(Number.NaN), [1, k, imageDim]) },
    { ...good, image: new TensorOf("float32", new Float32Array(k * imageDim).fill(Number.MAX_VALUE), [1, k, imageDim]) },
    { ...good, image: floats(1, 0, imageDim), text: floats(1, 0, list.textDim), mask: floats(1, 0) },
    lacking,
    { ...good, surplus: floats(1) },
  ];
}

async function answer(hash: ReturnType<typeof createHash>, run: () => Promise<InferenceSession.OnnxValueMapType>): Promise<void> {
  let outputs: InferenceSession.OnnxValueMapType;
  try {
    outputs = await run();
  } catch (cause) {
    if (cause instanceof WebAssembly.RuntimeError) throw cause;
    hash.update(String(cause));
    return;
  }
  for (const name of Object.keys(outputs).toSorted()) {
    const { data, dims } = outputs[name]!;
    if (!(data instanceof Float32Array)) throw new Error(`Output ${name} is not float32`);
    hash.update(`${name} ${dims.join(" ")} `).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  for (const value of Object.values(outputs)) value.dispose();
}
