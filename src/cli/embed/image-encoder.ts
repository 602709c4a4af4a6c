/**
 * Pictures → vectors through a frozen ONNX encoder in onnxruntime-node.
 *
 * Runs offline only (`armmt embed`), never at the edge. Decodes no picture files and reads no disk: the command line hands in pixels and
 * graph bytes. The runtime is imported when asked for.
 */
import type { InferenceSession } from "onnxruntime-node";
import * as v from "valibot";
import { err, ok, type Result } from "../../result.ts";
import { errorText, sha256Hex } from "../../web.ts";
import type { SentenceEncoder } from "./text/encoder.ts";

/** How a picture becomes the graph's input: resized as `kernel` says, then value / 255, minus mean, by std, per channel. */
export interface Preprocessing {
  /** Pixels a side of the square that the graph takes. */
  readonly size: number;
  /** When larger than `size`: resize the shortest edge to this and cut out the middle. Otherwise the picture is squeezed to the square. */
  readonly shortestEdge: number | undefined;
  readonly kernel: "nearest" | "linear" | "cubic" | "lanczos3";
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

export interface ImageEncoder {
  /** Names graph and preprocessing; vectors of different fingerprints do not compare. */
  readonly fingerprint: string;
  /** Trained on drawings, and a model was trained on its vectors. */
  readonly isBuiltin: boolean;
  /** Numbers per vector. */
  readonly dim: number;
  readonly preprocessing: Preprocessing;
  /** Where it is the picture half of a joint encoder (CLIP, SigLIP): the other half, whose vectors of words lie among those of pictures. */
  readonly words?: SentenceEncoder | undefined;
  /** Each picture is 8-bit RGB [size, size, 3]; each vector is a unit vector [dim]. Rejects when the graph does not run. */
  encode(pictures: readonly Uint8Array[]): Promise<Float32Array[]>;
}

/** What the builtin encoder was trained with; its graph normalises its output itself. */
const BUILTIN_PREPROCESSING: Preprocessing = { ...squeezed(64), kernel: "lanczos3" };

/** For a graph of dynamic size: the input of most mobile encoders. */
const DEFAULT_SIZE = 224;

/** Outputs by the names exporters give them, best first; otherwise the graph's first output. */
const EMBEDDING_OUTPUTS = ["embedding", "image_embeds", "pooler_output", "last_hidden_state"];

interface GraphEncoderOptions {
  /** The ONNX file. */
  readonly graph: Uint8Array;
  /** How the user names it, for messages. */
  readonly name: string;
  /** The builtin encoder has its own preprocessing and fingerprint. */
  readonly isBuiltin: boolean;
  /** Parsed `preprocessor_config.json` (Hugging Face image processor format), where there is one. */
  readonly preprocessor?: unknown;
}

/** An encoder from an ONNX file. The error names the file, the problem and the expected value. */
export async function createGraphEncoder(options: GraphEncoderOptions): Promise<Result<ImageEncoder, string>> {
  const { graph, name, isBuiltin, preprocessor } = options;
  const ort = await import("onnxruntime-node");
  let session: InferenceSession;
  try {
    // On two cores one thread is faster than two, because the next pictures are decoded on the other one.
    session = await ort.InferenceSession.create(graph, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  } catch (cause) {
    return err(`Cannot load image encoder ${name}: ${reasonOf(cause)}. Give an ONNX file with a float32 input [batch, 3, height, width]`);
  }
  const input = session.inputMetadata.find((value) => value.isTensor && value.shape.length === 4);
  if (input === undefined || !input.isTensor || session.inputNames.length !== 1) {
    return err(`Image encoder ${name} has inputs [${session.inputNames.join(", ")}], expected one: float32 [batch, 3, height, width]`);
  }
  const [batch, , height] = input.shape;
  const wanted = isBuiltin
    ? ok(BUILTIN_PREPROCESSING)
    : parsePreprocessing(preprocessor, typeof height === "number" ? height : DEFAULT_SIZE);
  if (!wanted.ok) return err(`Image encoder ${name}: preprocessor_config.json: ${wanted.error}`);
  const preprocessing = wanted.value;
  if (typeof height === "number" && height !== preprocessing.size) {
    return err(`Image encoder ${name} takes ${height} px, its preprocessor_config.json says ${preprocessing.size} px`);
  }
  const output = EMBEDDING_OUTPUTS.find((known) => session.outputNames.includes(known)) ?? session.outputNames[0] ?? "";
  const hash = await hashOf(isBuiltin ? [graph] : [graph, new TextEncoder().encode(JSON.stringify(preprocessing))]);
  return probed(name, {
    fingerprint: `${isBuiltin ? "builtin" : "onnx"}-${hash}`,
    isBuiltin,
    preprocessing,
    batch: typeof batch === "number" ? batch : undefined,
    async run(pixels, shape) {
      const found = (await session.run({ [input.name]: new ort.Tensor("float32", pixels, shape) }, [output]))[output];
      if (found === undefined) return err(`no output ${output}`);
      const { data, dims, type } = found;
      return data instanceof Float32Array ? ok({ data, dims }) : err(`output is ${type}, expected float32`);
    },
  });
}

interface Output {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

interface Graph {
  readonly fingerprint: string;
  readonly isBuiltin: boolean;
  readonly preprocessing: Preprocessing;
  /** Pictures per run where the graph fixes it. */
  readonly batch: number | undefined;
  /** pixels [b, 3, size, size] → the embedding output. */
  run(pixels: Float32Array, shape: number[]): Promise<Result<Output, string>>;
}

/** Runs one grey picture to learn the dim and to see that it works at all. */
async function probed(name: string, graph: Graph): Promise<Result<ImageEncoder, string>> {
  const { size } = graph.preprocessing;
  try {
    const [vector] = await encodeWith(graph, [new Uint8Array(size * size * 3).fill(128)]);
    const dim = vector?.length ?? 0;
    if (vector?.every(Number.isFinite) !== true || dim < 2) return err(`Image encoder ${name} gives no usable vector for a grey picture`);
    const { fingerprint, preprocessing } = graph;
    return ok({ fingerprint, isBuiltin: graph.isBuiltin, dim, preprocessing, encode: (pictures) => encodeWith(graph, pictures) });
  } catch (cause) {
    return err(`Image encoder ${name} does not run on a ${size} px picture: ${reasonOf(cause)}`);
  }
}

async function encodeWith(graph: Graph, pictures: readonly Uint8Array[]): Promise<Float32Array[]> {
  const perRun = graph.batch ?? Math.max(1, pictures.length);
  const vectors: Float32Array[] = [];
  for (let start = 0; start < pictures.length; start += perRun) {
    const part = pictures.slice(start, start + perRun);
    const { size } = graph.preprocessing;
    // A graph with a fixed batch gets its last run filled up with black.
    const count = graph.batch ?? part.length;
    // One run after the other: a run blocks this thread anyway.
    const output = await graph.run(toPixelValues(part, count, graph.preprocessing), [count, 3, size, size]); // oxlint-disable-line no-await-in-loop
    if (!output.ok) throw new Error(output.error);
    vectors.push(...pooled(output.value, count).slice(0, part.length));
  }
  return vectors;
}

/** 8-bit [size, size, 3] each → float32 [count, 3, size, size]. */
function toPixelValues(pictures: readonly Uint8Array[], count: number, preprocessing: Preprocessing): Float32Array {
  const { size, mean, std } = preprocessing;
  const plane = size * size;
  const pixels = new Float32Array(count * 3 * plane);
  pictures.forEach((picture, p) => {
    if (picture.length !== plane * 3) throw new Error(`A picture has ${picture.length} bytes, expected ${plane * 3} (${size} px, RGB)`);
    for (let channel = 0; channel < 3; channel++) {
      const scale = 1 / (255 * std[channel]!);
      const shift = mean[channel]! / std[channel]!;
      const at = (p * 3 + channel) * plane;
      for (let i = 0; i < plane; i++) pixels[at + i] = picture[i * 3 + channel]! * scale - shift;
    }
  });
  return pixels;
}

/** [b, d] as it is; [b, tokens, d] and [b, d, h, w] are averaged over positions. Unit vectors. */
function pooled({ data, dims }: Output, count: number): Float32Array[] {
  if (dims[0] !== count || dims.length < 2 || dims.length > 4) {
    throw new Error(`Output has shape [${dims.join(", ")}], expected [${count}, dim], [${count}, tokens, dim] or [${count}, dim, h, w]`);
  }
  const channelsFirst = dims.length === 4;
  const dim = channelsFirst ? dims[1]! : dims.at(-1)!;
  const positions = data.length / count / dim;
  return Array.from({ length: count }, (_, p) => {
    const sum = new Float32Array(dim);
    for (let i = 0; i < positions * dim; i++) {
      const d = channelsFirst ? Math.floor(i / positions) : i % dim;
      sum[d]! += data[p * positions * dim + i]!;
    }
    const norm = Math.hypot(...sum);
    return norm === 0 ? sum : sum.map((value) => value / norm);
  });
}

const edgeSchema = v.pipe(v.number(), v.integer(), v.minValue(8), v.maxValue(2048));
const sizeSchema = v.union([edgeSchema, v.object({ height: edgeSchema, width: edgeSchema }), v.object({ shortest_edge: edgeSchema })]);
const channelsSchema = v.tuple([v.number(), v.number(), v.number()]);
const preprocessorSchema = v.object({
  do_normalize: v.optional(v.boolean(), true),
  do_center_crop: v.optional(v.boolean(), false),
  size: v.optional(sizeSchema),
  crop_size: v.optional(sizeSchema),
  /** Pillow's filter numbers. */
  resample: v.optional(v.picklist([0, 1, 2, 3]), 2),
  image_mean: v.optional(channelsSchema, [0.5, 0.5, 0.5]),
  image_std: v.optional(channelsSchema, [0.5, 0.5, 0.5]),
});

const KERNELS = ["nearest", "lanczos3", "linear", "cubic"] as const;

/** Reads a `preprocessor_config.json`; without one, `size` px and values in [-1, 1]. */
export function parsePreprocessing(config: unknown, size: number): Result<Preprocessing, string> {
  if (config === undefined) return ok(squeezed(size));
  const parsed = v.safeParse(preprocessorSchema, config);
  if (!parsed.success) return err(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "file"}: ${issue.message}`).join("; "));
  const { do_normalize, do_center_crop, size: edges = size, crop_size, resample, image_mean, image_std } = parsed.output;
  const resized = edgeOf(edges);
  const cut = do_center_crop && crop_size !== undefined ? edgeOf(crop_size) : resized;
  const isShortestEdge = typeof edges === "object" && "shortest_edge" in edges;
  if (resized === undefined || cut === undefined) return err("size: height and width differ, expected a square");
  return ok({
    size: cut,
    shortestEdge: cut < resized || isShortestEdge ? resized : undefined,
    kernel: KERNELS[resample],
    mean: do_normalize ? image_mean : [0, 0, 0],
    std: do_normalize ? image_std : [1, 1, 1],
  });
}

function edgeOf(size: v.InferOutput<typeof sizeSchema>): number | undefined {
  if (typeof size === "number") return size;
  if ("shortest_edge" in size) return size.shortest_edge;
  return size.height === size.width ? size.height : undefined;
}

function squeezed(size: number): Preprocessing {
  return { size, shortestEdge: undefined, kernel: "linear", mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
}

/** First 12 hex digits of the SHA-256 of the parts, one after the other. */
async function hashOf(parts: readonly Uint8Array[]): Promise<string> {
  return (await sha256Hex(Uint8Array.from(Buffer.concat(parts)))).slice(0, 12);
}

function reasonOf(cause: unknown): string {
  return errorText(cause).trim().replace(/\.$/, "");
}
