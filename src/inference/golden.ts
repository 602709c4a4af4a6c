/**
 * `golden.json`: inputs and expected outputs of the student, computed by the training side. WebGPU must reproduce them before it is used,
 * and every runtime in the tests.
 */
import * as v from "valibot";
import { emptyTensors, type ListTensors } from "../ranking/features.ts";
import { INPUTS } from "./list-run.ts";

/** Arrays are base64, of four bytes per entry, little-endian, as on every supported machine. */
const schema = v.object({
  format: v.literal(1),
  /** Version of the model. */
  model: v.string(),
  /** SHA-256 of its graph. */
  sha256: v.string(),
  /** Largest error of wasm. */
  tolerance: v.pipe(v.number(), v.maxValue(1e-4)),
  cases: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        ...v.entriesFromList(["k", "lq", "h", "imageDim", "textDim"], v.pipe(v.number(), v.integer(), v.minValue(1))),
        inputs: v.object(
          v.entriesFromList(
            INPUTS.map(([name]) => name),
            v.string(),
          ),
        ),
        /** Of a model of form "delta": the order by engine and meaning, and that with the delta. */
        prior: v.optional(v.string()),
        expected: v.object({ score: v.string(), gate: v.string(), total: v.optional(v.string()) }),
      }),
    ),
    v.minLength(1),
  ),
});

export interface GoldenCase {
  readonly name: string;
  readonly list: ListTensors;
  readonly score: Float32Array; // [k]
  readonly gate: Float32Array; // [k, 2]
  /** Of a model of form "delta": what its score is added to, and the sum. */
  readonly served: { readonly prior: Float32Array; readonly total: Float32Array } | undefined; // [k] each
}

export type Golden = ReturnType<typeof parseGolden>;

/** At least one case. Throws a ValiError that names the field, or an Error where an array does not have the length of its dimensions. */
export function parseGolden(json: unknown) {
  const { cases, ...model } = v.parse(schema, json);
  return { ...model, cases: cases.map(readCase) };
}

function readCase({ name, inputs, prior, expected, ...dims }: v.InferOutput<typeof schema>["cases"][number]): GoldenCase {
  const list = emptyTensors({ ...dims, f: bytesOf(inputs.features).length / 4 / dims.k });
  for (const [input, member] of INPUTS) fill(list[member], inputs[input]);
  const [score, gate] = [new Float32Array(dims.k), new Float32Array(dims.k * 2)];
  fill(score, expected.score);
  fill(gate, expected.gate);
  return { name, list, score, gate, served: prior === undefined ? undefined : readServed(dims.k, prior, expected.total ?? "") };
}

function readServed(k: number, prior: string, total: string): GoldenCase["served"] {
  const served = { prior: new Float32Array(k), total: new Float32Array(k) };
  fill(served.prior, prior);
  fill(served.total, total);
  return served;
}

/** A case with the length of a usual window, where there is one: it runs every shader. */
export function proofOf({ cases }: Golden): GoldenCase {
  return cases.find(({ list }) => list.k >= 50) ?? cases[0]!;
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

function fill({ buffer }: Float32Array | Int32Array, base64: string): void {
  const bytes = bytesOf(base64);
  if (bytes.length !== buffer.byteLength) throw new Error(`golden.json: ${bytes.length} bytes where ${buffer.byteLength} were expected`);
  new Uint8Array(buffer).set(bytes);
}
