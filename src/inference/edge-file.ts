/**
 * `edge.bin`: the models that a Worker carries, as `armmt build` writes them beside `runtime.wasm`. Either their graphs, for onnxruntime's
 * own wasm file, or their sessions as a snapshot of that `runtime.wasm`.
 *
 * Layout, little-endian: length of the head (uint32), head (JSON, UTF-8, padded with spaces to a multiple of 4 bytes), then the concatenated
 * graphs, or the snapshot: its runs (uint32) and its bytes. Large parts are not JSON, because a Worker reads the file before it can start.
 */
import * as v from "valibot";
import { joinBytes } from "../web.ts";
import type { ModelFiles } from "./scorer.ts";
import { type Snapshot, snapshotSchema } from "./snapshot.ts";

const size = v.pipe(v.number(), v.integer(), v.minValue(0));

const headSchema = v.variant("kind", [
  v.object({ kind: v.literal("stock"), models: v.array(v.object({ manifest: v.unknown(), bytes: size })) }),
  v.object({
    kind: v.literal("snapshot"),
    models: v.array(v.object({ manifest: v.unknown(), sha256: v.string() })),
    snapshot: snapshotSchema,
    runtime: v.object({
      /** SHA-256 of onnxruntime-web's own wasm file. */
      stock: v.string(),
      /** Numbers of its functions: those that `runtime.wasm` keeps; in a published model those that the model uses. */
      functions: v.array(size),
      /** Of the models' graphs: for whoever reads why a model is refused. */
      operators: v.array(v.string()),
    }),
    /** Length of the snapshot's `runs`. */
    runs: size,
  }),
]);

type Head = v.InferOutput<typeof headSchema>;

export type RuntimeIdentity = Extract<Head, { kind: "snapshot" }>["runtime"];

/** The live model first. */
export type EdgeFile =
  | { readonly kind: "stock"; readonly models: readonly { readonly manifest: unknown; readonly graph: Uint8Array }[] }
  | {
      readonly kind: "snapshot";
      /** One per session of the snapshot, in the same order; `sha256` of its graph. */
      readonly models: readonly { readonly manifest: unknown; readonly sha256: string }[];
      readonly snapshot: Snapshot;
      readonly runtime: RuntimeIdentity;
    };

export function encodeEdgeFile(file: EdgeFile): Uint8Array {
  const payload = file.kind === "stock" ? file.models.map(({ graph }) => graph) : [bytesOf(file.snapshot.runs), file.snapshot.bytes];
  const head: Head =
    file.kind === "stock"
      ? { kind: file.kind, models: file.models.map(({ manifest, graph }) => ({ manifest, bytes: graph.length })) }
      : { kind: file.kind, models: [...file.models], snapshot: file.snapshot.head, runtime: file.runtime, runs: file.snapshot.runs.length };
  const text = new TextEncoder().encode(JSON.stringify(head));
  const padding = new Uint8Array(-text.length & (WORD_BYTES - 1)).fill(SPACE);
  return joinBytes([bytesOf(Uint32Array.of(text.length + padding.length)), text, padding, ...payload]);
}

const HEAD_AT = 4;
const WORD_BYTES = 4;
const SPACE = 0x20;

function bytesOf(words: Uint32Array): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

interface DecodedEdgeFile {
  readonly models: readonly ModelFiles[];
  /** Absent in a file of graphs. */
  readonly snapshot: Snapshot | undefined;
  readonly runtime: RuntimeIdentity | undefined;
}

/** Throws an Error that names the fault of the file. */
export function decodeEdgeFile(file: ArrayBuffer): DecodedEdgeFile {
  const head = readHead(file);
  const payload = HEAD_AT + new DataView(file).getUint32(0, true);
  if (head.kind === "snapshot") {
    if (head.models.length !== head.snapshot.sessions.length) {
      throw new Error(`edge.bin has ${head.models.length} models and ${head.snapshot.sessions.length} sessions: run armmt build`);
    }
    const bytesAt = payload + head.runs * WORD_BYTES;
    if (bytesAt > file.byteLength) throw new Error(`edge.bin has ${file.byteLength} bytes, expected more than ${bytesAt}: run armmt build`);
    return {
      models: head.models.map(({ manifest, sha256 }, index) => ({ manifest, model: { index, sha256 } })),
      snapshot: { head: head.snapshot, runs: new Uint32Array(file, payload, head.runs), bytes: new Uint8Array(file, bytesAt) },
      runtime: head.runtime,
    };
  }
  let at = payload;
  const models = head.models.map(({ manifest, bytes }) => {
    const model = file.slice(at, at + bytes);
    at += bytes;
    return { manifest, model };
  });
  if (at !== file.byteLength) throw new Error(`edge.bin has ${file.byteLength} bytes, expected ${at}: run armmt build`);
  return { models, snapshot: undefined, runtime: undefined };
}

function readHead(file: ArrayBuffer): Head {
  try {
    const length = new DataView(file).getUint32(0, true);
    return v.parse(headSchema, JSON.parse(new TextDecoder().decode(new Uint8Array(file, HEAD_AT, length))));
  } catch (cause) {
    throw new Error(`edge.bin cannot be read (${String(cause)}): run armmt build`, { cause });
  }
}
