/**
 * One model run in onnxruntime's terms: named tensors in, checked tensors out. The same for the wasm and the native runtime.
 *
 * Creates no sessions and imports types of onnxruntime only: the caller supplies the runtime's tensor class.
 */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web";
import { FEATURES } from "../ranking/features.ts";
import type { ListTensors } from "../ranking/features.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { ModelManifest } from "./manifest.ts";
import type { ListScores } from "./scorer.ts";

/** Last dimension of each input: a number, or the name of a dimension of list or manifest. */
const INPUTS = {
  query_token_ids: "lq",
  query_mask: "lq",
  image: "image",
  text: "text",
  features: "features",
  presence: 2,
  history_image: "image",
  history_text: "text",
  history_mask: "h",
  mask: "k",
} as const;

const OUTPUTS = ["score", "gate"] as const;

/** Fusion weights come from a softmax in float32. */
const GATE_TOLERANCE = 1e-3;

/** Refuses a graph whose inputs, outputs or dimensions are not those of the contract and the manifest; the detail names them. */
export function matchGraph(session: InferenceSession, manifest: ModelManifest): Result<true, Bypass> {
  const names = Object.keys(INPUTS);
  const missing = names.filter((name) => !session.inputNames.includes(name));
  const unknown = session.inputNames.filter((name) => !names.includes(name));
  if (missing.length > 0 || unknown.length > 0) {
    return bypass(
      "model_mismatch",
      `The graph of model ${manifest.version} lacks inputs [${missing.join(", ")}] and has unknown inputs [${unknown.join(", ")}]`,
    );
  }
  const absent = OUTPUTS.filter((name) => !session.outputNames.includes(name));
  if (absent.length > 0) return bypass("model_mismatch", `The graph of model ${manifest.version} lacks outputs [${absent.join(", ")}]`);

  const expected: Readonly<Record<string, number>> = { ...manifest.dims, features: FEATURES.length };
  for (const metadata of session.inputMetadata) {
    const last = Object.entries(INPUTS).find(([name]) => name === metadata.name)?.[1];
    const width = typeof last === "number" ? last : expected[last ?? ""];
    const given = metadata.isTensor ? metadata.shape.at(-1) : undefined;
    if (width !== undefined && typeof given === "number" && given !== width) {
      return bypass("model_mismatch", `Input ${metadata.name} of model ${manifest.version} is ${given} wide, expected ${width}`);
    }
  }
  return ok(true);
}

/** Refuses a list that was built for other dimensions. */
export function matchList(list: ListTensors, manifest: ModelManifest): Result<true, Bypass> {
  const { image, text } = manifest.dims;
  if (list.imageDim === image && list.textDim === text) return ok(true);
  return bypass(
    "model_mismatch",
    `Model ${manifest.version} needs image dim ${image} and text dim ${text}, the list has ${list.imageDim} and ${list.textDim}`,
  );
}

/** Throws onnxruntime's error where an array does not have the length of its dimensions. */
export function createFeeds(list: ListTensors, TensorOf: TensorConstructor): Record<keyof typeof INPUTS, Tensor> {
  const { k, lq, h, imageDim, textDim } = list;
  const float = (values: Float32Array, ...dims: number[]) => new TensorOf("float32", values, [1, ...dims]);
  return {
    query_token_ids: new TensorOf("int32", list.queryTokenIds, [1, lq]),
    query_mask: float(list.queryMask, lq),
    image: float(list.image, k, imageDim),
    text: float(list.text, k, textDim),
    features: float(list.features, k, FEATURES.length),
    presence: float(list.presence, k, 2),
    history_image: float(list.historyImage, h, imageDim),
    history_text: float(list.historyText, h, textDim),
    history_mask: float(list.historyMask, h),
    mask: float(list.mask, k),
  };
}

/** Scores of a run, or why they cannot be trusted. Masked entries are not checked: they may hold anything. */
export function readScores(outputs: InferenceSession.OnnxValueMapType, list: ListTensors): Result<ListScores, Bypass> {
  const score = outputs["score"]?.data;
  const gate = outputs["gate"]?.data;
  if (!(score instanceof Float32Array)) return bypass("model_failed", "The run gave no float32 output named score");
  if (!(gate instanceof Float32Array)) return bypass("model_failed", "The run gave no float32 output named gate");
  if (score.length !== list.k) return bypass("scores_wrong_count", `${score.length} scores for ${list.k} candidates`);
  if (gate.length !== list.k * 2) return bypass("scores_wrong_count", `${gate.length} fusion weights for ${list.k} candidates`);
  for (let i = 0; i < list.k; i++) {
    if (list.mask[i] === 0) continue;
    const text = gate[i * 2]!;
    const image = gate[i * 2 + 1]!;
    if (!Number.isFinite(score[i]!)) return bypass("scores_not_finite", `Score ${i} of ${list.k} is ${score[i]}`);
    if (!Number.isFinite(text) || !Number.isFinite(image)) {
      return bypass("scores_not_finite", `Fusion weights ${i} of ${list.k} are ${text} and ${image}`);
    }
    if (Math.abs(text + image - 1) > GATE_TOLERANCE) {
      return bypass("model_failed", `Fusion weights ${i} of ${list.k} add up to ${text + image}, expected 1`);
    }
  }
  return ok({ score, gate });
}

/** A list of two equal candidates without query and history: enough to run every operator once. */
export function warmUpList(manifest: ModelManifest): ListTensors {
  const { image: imageDim, text: textDim } = manifest.dims;
  const k = 2;
  return {
    k,
    lq: 1,
    h: 1,
    imageDim,
    textDim,
    queryTokenIds: new Int32Array(1),
    queryMask: new Float32Array(1),
    image: new Float32Array(k * imageDim),
    text: new Float32Array(k * textDim),
    features: new Float32Array(k * FEATURES.length),
    presence: new Float32Array(k * 2),
    historyImage: new Float32Array(imageDim),
    historyText: new Float32Array(textDim),
    historyMask: new Float32Array(1),
    mask: new Float32Array(k).fill(1),
  };
}
