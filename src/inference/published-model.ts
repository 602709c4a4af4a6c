/**
 * A model that was published without a deployment: what lies under `models/<version>/` in the namespace of the item vectors, and how an edge
 * opens it. Parts stand under names that hold their checksum, so that a description and its parts always belong together.
 */
import * as v from "valibot";
import { type Bypass, bypass, err, ok, type Result } from "../result.ts";
import { errorText, sha256Hex } from "../web.ts";
import { parseGolden } from "./golden.ts";
import { type ManifestIdentity } from "./manifest.ts";
import type { ListScores, Scorer } from "./scorer.ts";
import type { GoldenCase } from "./golden.ts";

/** KV takes 25 MiB per value, and an isolate has 128 MB for everything. */
export const MAX_PART_BYTES = 24 * 1024 * 1024;

const partSchema = v.object({
  bytes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_PART_BYTES, `a part has at most ${MAX_PART_BYTES} bytes`)),
  sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
});

const schema = v.object({
  format: v.literal(1),
  version: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,63}$/)),
  publishedAt: v.string(),
  /** manifest.json as it is; whoever opens the model checks it. */
  manifest: v.unknown(),
  parts: v.object({
    /** student.onnx, for servers. */
    graph: partSchema,
    /** golden.json: lists with known scores. */
    golden: partSchema,
    /** Its session on the runtime of a Worker, laid out as `edge.bin`. Absent in a server's folder. */
    edge: v.optional(partSchema),
  }),
});

export type PublishedModel = v.InferOutput<typeof schema>;

export type PartName = keyof PublishedModel["parts"];

export type Part = v.InferOutput<typeof partSchema>;

/** The description; written last. */
export function modelKey(version: string): string {
  return `models/${version}/model`;
}

export function partKey(version: string, name: PartName, { sha256 }: Part): string {
  return `models/${version}/${name}-${sha256.slice(0, 16)}`;
}

/** The error names the field and what was expected. */
export function parsePublishedModel(text: string): Result<PublishedModel, string> {
  try {
    const parsed = v.safeParse(schema, JSON.parse(text));
    if (parsed.success) return ok(parsed.output);
    return err(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "value"}: ${issue.message}`).join("; "));
  } catch {
    return err(`not JSON: ${JSON.stringify(text.slice(0, 40))}`);
  }
}

/** A model that is open. */
export interface OpenedModel {
  readonly scorer: Scorer;
  /** Held in memory for it. */
  readonly bytes: number;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Reads a part whose length and checksum are right, or says why there is none. */
export type ReadPart = (name: PartName) => Promise<Result<ArrayBuffer, Bypass>>;

/** How a runtime opens a published model: never rejects; `model_mismatch` where trying again would change nothing. */
export type OpenPublished = (model: PublishedModel, read: ReadPart) => Promise<Result<OpenedModel, Bypass>>;

/** A part as it was described. */
export async function checkPart(key: string, bytes: ArrayBuffer | null, part: Part): Promise<Result<ArrayBuffer, Bypass>> {
  if (bytes === null) return bypass("model_unavailable", `Key ${key} does not exist: publish the model again`);
  if (bytes.byteLength !== part.bytes) {
    return bypass(
      "model_mismatch",
      `Key ${key} has ${bytes.byteLength} bytes, its description says ${part.bytes}: publish the model again`,
    );
  }
  const sha256 = await sha256Hex(new Uint8Array(bytes));
  if (sha256 === part.sha256) return ok(bytes);
  return bypass("model_mismatch", `Key ${key} has SHA-256 ${sha256}, its description says ${part.sha256}: publish the model again`);
}

/** Whether the model reproduces the scores of its training side. */
export async function proveGolden(scorer: Scorer, bytes: ArrayBuffer): Promise<Result<true, Bypass>> {
  const { version, sha256 }: ManifestIdentity & { readonly sha256: string } = scorer.manifest;
  const refused = (problem: string) => bypass("model_mismatch", `golden.json of model ${version}: ${problem}`);
  let golden: ReturnType<typeof parseGolden>;
  try {
    golden = parseGolden(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    return refused(errorText(cause));
  }
  if (golden.sha256 !== sha256) return refused(`it belongs to a graph with SHA-256 ${golden.sha256}, the model's is ${sha256}`);
  for (const wanted of golden.cases) {
    const scored = await scorer.score(wanted.list); // oxlint-disable-line no-await-in-loop
    if (!scored.ok) return scored.error.reason === "model_trapped" ? refused(`case ${wanted.name} traps`) : scored;
    const off = errorOf(scored.value, wanted);
    if (!(off <= golden.tolerance)) return refused(`case ${wanted.name} is off by ${off}, at most ${golden.tolerance} is allowed`);
  }
  return ok(true);
}

/** Largest; of what is masked nothing counts. */
function errorOf(found: ListScores, { list, score, gate }: GoldenCase): number {
  let worst = 0;
  for (let i = 0; i < list.k; i++) {
    if (list.mask[i] === 0) continue;
    worst = Math.max(worst, Math.abs(found.score[i]! - score[i]!));
    for (const side of [2 * i, 2 * i + 1]) worst = Math.max(worst, Math.abs(found.gate[side]! - gate[side]!));
  }
  return worst;
}
