/**
 * `golden.json`: inputs and expected outputs of the student, computed by the training side. WebGPU must reproduce them before it is used,
 * and every runtime in the tests.
 */
import * as v from "valibot";
import { FEATURES } from "../ranking/features.ts";
import type { ListTensors } from "../ranking/features.ts";

const count = v.pipe(v.number(), v.integer(), v.minValue(1));

const schema = v.object({
  format: v.literal(1),
  model: v.string(),
  sha256: v.string(),
  tolerance: v.pipe(v.number(), v.maxValue(1e-4)),
  cases: v.pipe(
    v.array(
      v.object({
        name: v.string(),
        k: count,
        lq: count,
        h: count,
        imageDim: count,
        textDim: count,
        inputs: v.object({
          query_token_ids: v.string(),
          query_mask: v.string(),
          image: v.string(),
          text: v.string(),
          features: v.string(),
          presence: v.string(),
          history_image: v.string(),
          history_text: v.string(),
          history_mask: v.string(),
          mask: v.string(),
        }),
        expected: v.object({ score: v.string(), gate: v.string() }),
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
}

export interface Golden {
  /** Version of the model. */
  readonly model: string;
  /** SHA-256 of its graph. */
  readonly sha256: string;
  /** Largest error of wasm. */
  readonly tolerance: number;
  /** At least one. */
  readonly cases: readonly GoldenCase[];
}

/** Throws a ValiError that names the field, or an Error where an array does not have the length of its dimensions. */
export function parseGolden(json: unknown): Golden {
  const { model, sha256, tolerance, cases } = v.parse(schema, json);
  return {
    model,
    sha256,
    tolerance,
    cases: cases.map(({ name, k, lq, h, imageDim, textDim, inputs, expected }) => ({
      name,
      list: {
        k,
        lq,
        h,
        imageDim,
        textDim,
        queryTokenIds: new Int32Array(bytes(inputs.query_token_ids, lq)),
        queryMask: floats(inputs.query_mask, lq),
        image: floats(inputs.image, k * imageDim),
        text: floats(inputs.text, k * textDim),
        features: floats(inputs.features, k * FEATURES.length),
        presence: floats(inputs.presence, k * 2),
        historyImage: floats(inputs.history_image, h * imageDim),
        historyText: floats(inputs.history_text, h * textDim),
        historyMask: floats(inputs.history_mask, h),
        mask: floats(inputs.mask, k),
      },
      score: floats(expected.score, k),
      gate: floats(expected.gate, k * 2),
    })),
  };
}

/** A case with the length of a usual window, where there is one: it runs every shader. */
export function proofOf({ cases }: Golden): GoldenCase {
  return cases.find(({ list }) => list.k >= PROOF_CANDIDATES) ?? cases[0]!;
}

const PROOF_CANDIDATES = 50;

const floats = (base64: string, length: number) => new Float32Array(bytes(base64, length));

/** Four bytes per entry, little-endian, as on every supported machine. */
function bytes(base64: string, length: number): ArrayBuffer {
  const decoded = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  if (decoded.length !== length * 4) throw new Error(`golden.json: ${decoded.length} bytes where ${length * 4} were expected`);
  return decoded.buffer;
}
