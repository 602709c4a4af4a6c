/** `manifest.json`: the description of a model, and the check that it fits this code and these shards, by name. */
import * as v from "valibot";
import { FEATURES } from "../ranking/features.ts";
import { TOKENIZER, TOKEN_TABLE_ROWS } from "../ranking/tokenizer.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";

const nameSchema = v.picklist(FEATURES, ({ received }) => `this code computes no feature ${received}; it has ${FEATURES.join(", ")}`);

const scalingSchema = v.object({ name: nameSchema, mean: v.pipe(v.number(), v.finite()), std: v.pipe(v.number(), v.minValue(1e-9)) });

const manifestSchema = v.object({
  /** Contract version of this file. */
  format: v.literal(1),
  /** Short name of the model, shown in the `x-armmt` header: letters, digits, dot, dash. */
  version: v.pipe(v.string(), v.regex(/^[A-Za-z0-9.-]{1,64}$/)),
  /** SHA-256 of student.onnx, lower-case hex. */
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  dims: v.object({ image: v.pipe(v.number(), v.integer(), v.minValue(1)), text: v.pipe(v.number(), v.integer(), v.minValue(1)) }),
  /** What the graph's score is: an order of its own (default), or what is to be added to that of engine and meaning. */
  form: v.optional(v.picklist(["score", "delta"])),
  /** Those of this code's features that the graph reads, in its order. */
  features: v.pipe(v.array(scalingSchema), v.minLength(1)),
  tokenizer: v.object({ name: v.string(), rows: v.number() }),
  /** Fingerprints of the encoders whose vectors the model was trained on; shards must carry the same. */
  encoders: v.object({ image: v.string(), text: v.string() }),
  /** Free text: which data, simulated or real. */
  trainedOn: v.string(),
  /** Figures by name, as printed in the model card. */
  metrics: v.record(v.string(), v.number()),
  parameters: v.object({ total: v.number(), tokenTable: v.number() }),
  licence: v.string(),
});

export type ModelManifest = v.InferOutput<typeof manifestSchema>;

/** What a catalogue needs to know of a model. */
export type ManifestIdentity = Pick<ModelManifest, "version" | "dims" | "encoders" | "trainedOn">;

/** Parses and checks against this code's feature list and tokenizer; the detail names what differs. */
export function parseManifest(json: unknown): Result<ModelManifest, Bypass> {
  const parsed = v.safeParse(manifestSchema, json);
  if (!parsed.success) {
    const problems = parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "manifest"}: ${issue.message}`);
    return bypass("model_mismatch", `manifest.json is not valid: ${problems.join("; ")}`);
  }
  const manifest = parsed.output;
  const names = manifest.features.map((feature) => feature.name);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined) return bypass("model_mismatch", `Model ${manifest.version} names feature ${twice} twice`);
  if (manifest.tokenizer.name !== TOKENIZER || manifest.tokenizer.rows !== TOKEN_TABLE_ROWS) {
    return bypass("model_mismatch", `Model ${manifest.version} uses tokenizer ${manifest.tokenizer.name}, this code has ${TOKENIZER}`);
  }
  return ok(manifest);
}

/** "lacks inputs [a] and has unknown inputs [b]", for the noun " inputs"; `undefined` where both hold the same names. */
export function differenceOf(expected: readonly string[], found: readonly string[], noun = ""): string | undefined {
  const missing = expected.filter((name) => !found.includes(name));
  const unknown = found.filter((name) => !expected.includes(name));
  if (missing.length + unknown.length === 0) return undefined;
  return `lacks${noun} [${missing.join(", ")}] and has unknown${noun} [${unknown.join(", ")}]`;
}

/** The part of a published set that must match the model. */
export interface ShardSetIdentity {
  readonly imageDim: number;
  readonly textDim: number;
  readonly imageEncoder: string;
  readonly textEncoder: string;
}

/** Refuses a model whose vectors are not those of the published set, naming both sides. */
export function matchShards(manifest: ManifestIdentity, shards: ShardSetIdentity): Result<true, Bypass> {
  // An encoder's numbers are in the order of what they say, so a model may read the first of them.
  if (manifest.dims.text > shards.textDim) {
    return bypass(
      "model_mismatch",
      `Model ${manifest.version} needs text dim ${manifest.dims.text} or more, the published set has ${shards.textDim}`,
    );
  }
  const pairs: readonly (readonly [string, string | number, string | number])[] = [
    ["image dim", manifest.dims.image, shards.imageDim],
    ["image encoder", manifest.encoders.image, shards.imageEncoder],
    ["text encoder", manifest.encoders.text, shards.textEncoder],
  ];
  for (const [name, model, published] of pairs) {
    if (model !== published) {
      return bypass("model_mismatch", `Model ${manifest.version} needs ${name} ${model}, the published set has ${published}`);
    }
  }
  return ok(true);
}
