/** One model run in onnxruntime's terms: named tensors in, checked tensors out. The caller supplies the runtime's tensor class. */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web";
import { emptyTensors, type ListTensors } from "../ranking/features.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import { differenceOf, type ModelManifest } from "./manifest.ts";
import type { ListScores } from "./scorer.ts";

/** Name of each input, its member of ListTensors, and its shape after the batch dimension of 1: numbers, and names of dimensions. */
export const INPUTS = [
  ["query_token_ids", "queryTokenIds", "lq"],
  ["query_mask", "queryMask", "lq"],
  ["image", "image", "k", "imageDim"],
  ["text", "text", "k", "textDim"],
  ["features", "features", "k", "f"],
  ["presence", "presence", "k", 2],
  ["history_image", "historyImage", "h", "imageDim"],
  ["history_text", "historyText", "h", "textDim"],
  ["history_mask", "historyMask", "h"],
  ["mask", "mask", "k"],
] as const;

const OUTPUTS = ["score", "gate"] as const;

/** Fusion weights come from a softmax in float32. */
const GATE_TOLERANCE = 1e-3;

/** Refuses a graph whose inputs, outputs or dimensions are not those of the contract and the manifest; the detail names them. */
export function matchGraph(session: InferenceSession, manifest: ModelManifest): Result<true, Bypass> {
  const inputs = INPUTS.map(([name]) => name);
  const difference = differenceOf(inputs, session.inputNames, " inputs");
  if (difference !== undefined) return bypass("model_mismatch", `The graph of model ${manifest.version} ${difference}`);
  const absent = OUTPUTS.filter((name) => !session.outputNames.includes(name));
  if (absent.length > 0) return bypass("model_mismatch", `The graph of model ${manifest.version} lacks outputs [${absent.join(", ")}]`);

  const widths: Readonly<Record<string, number>> = {
    imageDim: manifest.dims.image,
    textDim: manifest.dims.text,
    f: manifest.features.length,
  };
  for (const metadata of session.inputMetadata) {
    const last = INPUTS.find(([name]) => name === metadata.name)?.at(-1);
    const width = typeof last === "number" ? last : widths[last ?? ""];
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
  if (list.f !== manifest.features.length) {
    return bypass("model_mismatch", `Model ${manifest.version} reads ${manifest.features.length} features, the list has ${list.f}`);
  }
  if (list.imageDim === image && list.textDim === text) return ok(true);
  return bypass(
    "model_mismatch",
    `Model ${manifest.version} needs image dim ${image} and text dim ${text}, the list has ${list.imageDim} and ${list.textDim}`,
  );
}

/** Throws onnxruntime's error where an array does not have the length of its dimensions. */
export function createFeeds(list: ListTensors, TensorOf: TensorConstructor): Record<string, Tensor> {
  const feeds: Record<string, Tensor> = {};
  for (const [name, member, ...shape] of INPUTS) {
    const values = list[member];
    const dims = [1, ...shape.map((dim) => (typeof dim === "number" ? dim : list[dim]))];
    feeds[name] = values instanceof Int32Array ? new TensorOf("int32", values, dims) : new TensorOf("float32", values, dims);
  }
  return feeds;
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

/** Enough to run every operator once. */
export function warmUpList({ dims, features }: ModelManifest): ListTensors {
  return emptyTensors({ k: 2, f: features.length, lq: 1, h: 1, imageDim: dims.image, textDim: dims.text });
}
