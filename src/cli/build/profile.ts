/**
 * Everything that a Worker asks of its models, once: lists of every length up to 256 and some longer, gaps of every kind, requests that the
 * runtime refuses, and a clock that jumps. Which functions of onnxruntime it calls is the profile; what it answers is the proof.
 */
import { createHash } from "node:crypto";
import type { InferenceSession, Tensor } from "../../inference/workerd.ts";
import { createFeeds } from "../../inference/list-run.ts";
import type { ModelManifest } from "../../inference/manifest.ts";
import type { Runtime } from "../../inference/runtime.ts";
import type { ListTensors } from "../../ranking/features.ts";
import { MAX_HISTORY } from "../../ranking/features.ts";
import { MAX_QUERY_TOKENS, TOKEN_TABLE_ROWS } from "../../ranking/tokenizer.ts";
import { createList } from "./sample-list.ts";
import { DAY_MS } from "../../web.ts";

export interface Rehearsal {
  readonly sessions: readonly { readonly session: InferenceSession; readonly manifest: ModelManifest }[];
  readonly TensorOf: Runtime["TensorOf"];
  /** Milliseconds since 1970 from now on. */
  readonly setClock: (ms: number) => void;
  readonly onRun: () => void;
}

const LENGTHS = [...Array.from({ length: 256 }, (_, i) => i + 1), 300, 384, 512, 1000];

/** Runs of one model, for a progress bar. */
export const RUNS_PER_MODEL = LENGTHS.length;

const HOUR_MS = 3_600_000;
/** From the clock of a Worker that starts, to one that has served for a year, and back. */
const CLOCK_MS = [0, 1000, HOUR_MS, DAY_MS, 31 * DAY_MS, Date.UTC(2026, 0), Date.UTC(2027, 1), 0];

/** SHA-256 over all outputs, to the bit, and over the words of all refusals. */
export async function rehearse({ sessions, TensorOf, setClock, onRun }: Rehearsal): Promise<string> {
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
      // The session must be as it was.
      await answer(hash, () => session.run(createFeeds(listFor(5, manifest), TensorOf)));
    }
  }
  return hash.digest("hex");
}

/** Queries and histories of changing length; every kind of gap in turn. */
function listFor(k: number, { dims }: ModelManifest): ListTensors {
  const list = createList(k, dims, { queryTokens: 1 + ((k * 7) % MAX_QUERY_TOKENS), historyItems: 1 + (k % MAX_HISTORY) });
  if (k % 3 === 1) list.mask.fill(0, Math.ceil((k * 2) / 3));
  if (k % 4 === 2) withhold(list.image, list.presence, 0);
  if (k % 5 === 3) withhold(list.text, list.presence, 1);
  if (k % 6 === 4) list.historyMask.fill(0);
  if (k % 7 === 5) list.queryMask.fill(0);
  if (k % 11 === 6) list.features.fill(0);
  return list;
}

/** Of every other item. */
function withhold(vectors: Float32Array, presence: Float32Array, column: 0 | 1): void {
  const width = vectors.length / (presence.length / 2);
  for (let i = 0; i < presence.length / 2; i += 2) {
    presence[i * 2 + column] = 0;
    vectors.fill(0, i * width, (i + 1) * width);
  }
}

type Feeds = Record<string, Tensor>;

/** What no list of ours looks like: shapes, types and numbers that the runtime itself must refuse, or survive. */
function brokenFeeds(list: ListTensors, TensorOf: Runtime["TensorOf"]): Feeds[] {
  const good: Feeds = createFeeds(list, TensorOf);
  const { k, imageDim, lq } = list;
  const floats = (...dims: number[]) => new TensorOf("float32", new Float32Array(dims.reduce((all, one) => all * one, 1)), dims);
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
    if (!(data instanceof Float32Array)) throw new Error(`Output ${name} is no float32`);
    hash.update(`${name} ${dims.join(" ")} `).update(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  }
  for (const value of Object.values(outputs)) value.dispose();
}
