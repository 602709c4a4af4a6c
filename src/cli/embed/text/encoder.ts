/**
 * `--text-encoder` → a sentence encoder in onnxruntime-node. Runs offline only (`armmt embed`), never at the edge.
 *
 * Texts are encoded one by one: an 8-bit graph scales its activations over all that runs with them, so in a batch a text's vector would
 * depend on its neighbours, and a resumed run would give another version. On two cores that costs little: nothing is padded.
 */
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import type { InferenceSession } from "onnxruntime-node";
import * as v from "valibot";
import type { QueryTokenizer } from "../../../embeddings/query-table.ts";
import { createWordpiece } from "../../../ranking/wordpiece.ts";
import { errorText, sha256Hex, UserError } from "../../../web.ts";
import { fetchFromHub, fetchNamed, type FetchOptions } from "./fetch.ts";
import { handlingOf, NAMED_TEXT_ENCODERS, TEXT_ENCODER_CHOICES, type TextHandling } from "./named.ts";
import { parseWordpiece } from "./pieces.ts";

export type TextKind = "query" | "document";

export interface SentenceEncoder {
  /** Names files and handling; vectors of different fingerprints do not compare. */
  readonly fingerprint: string;
  readonly dim: number;
  /** Its own, where the edge can split a query as it does. */
  readonly tokenizer: QueryTokenizer | undefined;
  /** A text has one vector, be it a query or a document. */
  readonly isSymmetric: boolean;
  /** A unit vector. Rejects when the graph does not run. */
  encode(text: string, kind: TextKind): Promise<Float32Array>;
  /** The same of one piece of its tokenizer, alone. */
  encodePiece(id: number): Promise<Float32Array>;
}

/** Throws a UserError that names the encoder, the reason and the fix. */
export async function loadTextEncoder(name: string, options: FetchOptions = {}): Promise<SentenceEncoder> {
  const named = Object.hasOwn(NAMED_TEXT_ENCODERS, name) ? NAMED_TEXT_ENCODERS[name] : undefined;
  if (named !== undefined) {
    const folder = await fetchNamed(name, named, options);
    return open({ name, folder, graph: join(folder, "model.onnx"), handling: named, fingerprint: named.fingerprint });
  }
  if (name.startsWith("hf:")) {
    const model = name.slice("hf:".length);
    if (!/^[\w.-]+\/[\w.-]+$/.test(model)) throw new UserError(`"${name}" names no hub model: expected hf:<owner>/<model>`);
    const folder = await fetchFromHub(model, options);
    return open({ name, folder, graph: join(folder, "model.onnx"), handling: handlingOf(model) });
  }
  if (!name.endsWith(".onnx")) throw new UserError(`Unknown text encoder "${name}": expected ${TEXT_ENCODER_CHOICES}`);
  return open({ name, folder: dirname(name), graph: name, handling: handlingOf(name) });
}

/** Names of outputs, best first; otherwise the graph's first. */
const SENTENCE_OUTPUTS = ["sentence_embedding", "last_hidden_state"];
const WORD_HALF_OUTPUTS = ["text_embeds", "pooler_output"];

const wordHalfSchema = v.pipe(
  v.string(),
  v.parseJson(),
  v.object({
    text_config: v.optional(
      v.object({
        model_type: v.optional(v.string(), ""),
        max_position_embeddings: v.optional(v.number()),
        pad_token_id: v.optional(v.number(), 1),
      }),
    ),
  }),
);

/** As CLIP has it. */
const WORD_HALF_TOKENS = 77;
/** SigLIP learned on texts that were filled up to this length, and reads no others. */
const SIGLIP_TOKENS = 64;

/** The half of a joint encoder that reads words, its tokenizer.json and, where there is one, its config.json beside it. Throws a UserError. */
export async function loadWordHalf(name: string, graph: string): Promise<SentenceEncoder> {
  const folder = dirname(graph);
  if (!existsSync(join(folder, "tokenizer.json"))) {
    throw new UserError(
      `Image encoder ${name}: ${graph} reads words by a tokenizer.json beside it, and there is none: put it there, or take the graph away`,
    );
  }
  const path = join(folder, "config.json");
  const parsed = existsSync(path) ? v.safeParse(wordHalfSchema, readFileSync(path, "utf8")) : undefined;
  if (parsed?.success === false) throw new UserError(`${path} is no configuration of an encoder: correct it or take it away`);
  const { model_type = "", max_position_embeddings, pad_token_id } = parsed?.output.text_config ?? {};
  const isFilled = model_type.startsWith("siglip");
  const maxTokens = max_position_embeddings ?? (isFilled ? SIGLIP_TOKENS : WORD_HALF_TOKENS);
  const handling = { queryPrefix: "", documentPrefix: "", maxTokens };
  return open({
    name: `${name}, its words`,
    folder,
    graph,
    handling,
    outputs: WORD_HALF_OUTPUTS,
    fill: isFilled ? pad_token_id : undefined,
  });
}

interface Files {
  readonly name: string;
  readonly folder: string;
  readonly graph: string;
  readonly handling: TextHandling;
  /** Default: from the content of the files. */
  readonly fingerprint?: string;
  /** Default: those of sentence encoders. */
  readonly outputs?: readonly string[];
  /** Id with which short texts are filled up. */
  readonly fill?: number | undefined;
}

/** The parts of a tensor's metadata and data that are read. */
interface Output {
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** A text is too small for more. */
const MAX_THREADS = 4;

type Pooling = "mean" | "first";

async function open({ name, folder, graph, handling, fingerprint, outputs = SENTENCE_OUTPUTS, fill }: Files): Promise<SentenceEncoder> {
  const [bytes, tokenizerText] = [readNeeded(name, graph), readNeeded(name, join(folder, "tokenizer.json"))];
  const json = parseTokenizer(name, tokenizerText);
  const wordpiece = parseWordpiece(json);
  const tokenizer = await loadTokenizer(name, json, wordpiece);
  const ort = await import("onnxruntime-node");
  let session: InferenceSession;
  try {
    // Threads that wait by spinning would take the cores from the others.
    const extra = { session: { intra_op: { allow_spinning: "0" } } };
    session = await ort.InferenceSession.create(bytes, {
      intraOpNumThreads: Math.min(MAX_THREADS, availableParallelism()),
      extra,
      logSeverityLevel: 3,
    });
  } catch (cause) {
    throw new UserError(`Cannot load text encoder ${name}: ${errorText(cause)}. Give an ONNX file of a sentence encoder`);
  }
  const wanted = new Set(["input_ids", "attention_mask", "token_type_ids"]);
  if (!session.inputNames.includes("input_ids") || session.inputNames.some((input) => !wanted.has(input))) {
    throw new UserError(
      `Text encoder ${name} has inputs [${session.inputNames.join(", ")}], expected input_ids, attention_mask and, if any, token_type_ids`,
    );
  }
  const pooling = readPooling(folder);
  const output = outputs.find((known) => session.outputNames.includes(known)) ?? session.outputNames[0]!;

  const encodeIds = async (ids: readonly number[]): Promise<Float32Array> => {
    const shape = [1, ids.length];
    const tensors: Readonly<Record<string, () => BigInt64Array>> = {
      input_ids: () => BigInt64Array.from(ids, BigInt),
      attention_mask: () => new BigInt64Array(ids.length).fill(1n),
      token_type_ids: () => new BigInt64Array(ids.length),
    };
    const feeds = Object.fromEntries(session.inputNames.map((input) => [input, new ort.Tensor("int64", tensors[input]!(), shape)]));
    const found = (await session.run(feeds, [output]))[output];
    if (found === undefined || !(found.data instanceof Float32Array)) throw new Error(`output ${output} is no float32`);
    const vector = pooled({ data: found.data, dims: found.dims }, pooling);
    found.dispose();
    return vector;
  };
  const encode = (text: string, kind: TextKind) =>
    encodeIds(
      filled(
        cut(tokenizer(`${kind === "query" ? handling.queryPrefix : handling.documentPrefix}${text}`), handling.maxTokens),
        handling.maxTokens,
        fill,
      ),
    );
  const [first, last] = [tokenizer("")[0]!, tokenizer("").at(-1)!];
  try {
    const probe = await encode("red shoes", "query");
    if (!probe.every(Number.isFinite) || probe.length < 2) throw new Error("it gives no usable vector for a short text");
    const hash =
      fingerprint ??
      `${name.startsWith("hf:") ? name.slice(3).replaceAll("/", "-") : "onnx"}-${await shortHash([bytes, tokenizerText, JSON.stringify(fill === undefined ? [handling, pooling] : [handling, pooling, fill])])}`;
    return {
      fingerprint: hash,
      dim: probe.length,
      tokenizer: wordpiece,
      isSymmetric: handling.queryPrefix === handling.documentPrefix,
      encode,
      encodePiece: (id) => encodeIds([first, id, last]),
    };
  } catch (cause) {
    throw new UserError(`Text encoder ${name} does not run: ${errorText(cause)}. Give a sentence encoder of the BERT family as ONNX`);
  }
}

function parseTokenizer(name: string, bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    throw new UserError(`Text encoder ${name}: its tokenizer.json is no JSON: fetch it again`);
  }
}

function readNeeded(name: string, path: string): Buffer {
  if (!existsSync(path)) throw new UserError(`Text encoder ${name} needs ${path}, which does not exist: expected ${TEXT_ENCODER_CHOICES}`);
  return readFileSync(path);
}

/** Text → ids with the special tokens around them; longer texts keep the last of them. */
type Tokenizer = (text: string) => readonly number[];

/** WordPiece by the edge's own code, which is checked against the reference; any other by the hub's library. */
async function loadTokenizer(name: string, json: unknown, wordpiece: QueryTokenizer | undefined): Promise<Tokenizer> {
  const [first, last] = ["[CLS]", "[SEP]"].map((piece) => wordpiece?.vocabulary.indexOf(piece) ?? -1);
  if (wordpiece !== undefined && first! >= 0 && last! >= 0) {
    const split = createWordpiece(wordpiece);
    return (text) => [first!, ...split(text), last!];
  }
  const hub = await import("@huggingface/transformers").catch((cause: unknown) => {
    throw new UserError(
      `Text encoder ${name} needs the package @huggingface/transformers for its tokenizer: npm install --save-dev @huggingface/transformers (${errorText(cause)})`,
    );
  });
  hub.env.logLevel = hub.LogLevel.ERROR;
  try {
    const tokenizer = new hub.PreTrainedTokenizer(json, {});
    return (text) => tokenizer.encode(text);
  } catch (cause) {
    throw new UserError(`Text encoder ${name}: its tokenizer.json cannot be read: ${errorText(cause)}`);
  }
}

function cut(ids: readonly number[], most: number): readonly number[] {
  return ids.length <= most ? ids : [...ids.slice(0, most - 1), ids.at(-1)!];
}

function filled(ids: readonly number[], length: number, fill: number | undefined): readonly number[] {
  return fill === undefined ? ids : [...ids, ...Array.from({ length: Math.max(0, length - ids.length) }, () => fill)];
}

const poolingSchema = v.pipe(v.string(), v.parseJson(), v.object({ pooling_mode_cls_token: v.optional(v.boolean(), false) }));

/** As sentence-transformers writes it; without one the mean, which most encoders want. */
function readPooling(folder: string): Pooling {
  for (const path of [join(folder, "pooling.json"), join(folder, "1_Pooling/config.json")]) {
    if (!existsSync(path)) continue;
    const parsed = v.safeParse(poolingSchema, readFileSync(path, "utf8"));
    if (!parsed.success) throw new UserError(`${path} is no pooling configuration: correct it or take it away`);
    return parsed.output.pooling_mode_cls_token ? "first" : "mean";
  }
  return "mean";
}

/** [1, dim] as it is; of [1, tokens, dim] the mean or the first. A unit vector. */
function pooled({ data, dims }: Output, pooling: Pooling): Float32Array {
  const dim = dims.at(-1)!;
  const rows = pooling === "first" ? 1 : data.length / dim;
  const sum = new Float32Array(dim);
  for (let row = 0; row < rows; row++) for (let d = 0; d < dim; d++) sum[d]! += data[row * dim + d]!;
  return unit(sum);
}

export function unit(vector: Float32Array): Float32Array {
  const norm = Math.hypot(...vector);
  return norm === 0 ? vector : vector.map((value) => value / norm);
}

async function shortHash(parts: readonly (Uint8Array | string)[]): Promise<string> {
  return (await sha256Hex(Uint8Array.from(Buffer.concat(parts.map((part) => Buffer.from(part)))))).slice(0, 12);
}
