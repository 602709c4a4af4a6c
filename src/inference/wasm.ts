/**
 * The scorer that serves: one session of onnxruntime-web in this isolate, checked against its manifest, run for one list at a time.
 *
 * Knows neither bindings nor requests. Whatever goes wrong is a `Bypass`; nothing here rejects.
 */
import type { InferenceSession } from "onnxruntime-web";
import type { ListTensors } from "../ranking/features.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores, warmUpList } from "./list-run.ts";
import { parseManifest } from "./manifest.ts";
import type { ListScores, Scorer } from "./scorer.ts";
import { createSession, noteTrap, runtimeTrap, Tensor } from "./session.ts";

export interface WasmScorerOptions {
  /** Bytes of student.onnx. */
  readonly model: ArrayBuffer;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
}

/**
 * Refuses a manifest that does not fit this code or this graph (`model_mismatch`), then creates the session and runs it once, so that no
 * request pays for either. Works at module scope.
 */
export async function createWasmScorer({ model, manifest: json }: WasmScorerOptions): Promise<Result<Scorer, Bypass>> {
  const parsed = parseManifest(json);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  const sha256 = await sha256Hex(model);
  if (sha256 !== manifest.sha256) {
    return bypass(
      "model_mismatch",
      `student.onnx has SHA-256 ${sha256}, the manifest of model ${manifest.version} says ${manifest.sha256}`,
    );
  }

  if (runtimeTrap() !== undefined) return trapped();
  let session: InferenceSession;
  try {
    session = await createSession(model);
  } catch (error) {
    return noteTrap(error)
      ? trapped()
      : bypass("model_unavailable", `Cannot create a session for model ${manifest.version}: ${text(error)}`);
  }
  const fits = matchGraph(session, manifest);
  if (!fits.ok) return fits;

  const runNext = oneAtATime();
  const scorer: Scorer = {
    manifest,
    async score(list) {
      const matches = matchList(list, manifest);
      return matches.ok ? runNext(() => run(session, list)) : matches;
    },
  };
  const warm = await scorer.score(warmUpList(manifest));
  return warm.ok ? ok(scorer) : warm;
}

async function run(session: InferenceSession, list: ListTensors): Promise<Result<ListScores, Bypass>> {
  if (runtimeTrap() !== undefined) return trapped();
  const used: InferenceSession.OnnxValueMapType[] = [];
  try {
    const feeds = createFeeds(list, Tensor);
    used.push(feeds);
    const outputs = await session.run(feeds);
    used.push(outputs);
    return readScores(outputs, list);
  } catch (error) {
    return noteTrap(error) ? trapped() : bypass("model_failed", text(error));
  } finally {
    for (const tensor of used.flatMap((values) => Object.values(values))) tensor.dispose();
  }
}

function trapped(): Result<never, Bypass> {
  return bypass(
    "model_trapped",
    `onnxruntime trapped (${runtimeTrap()}). It stays off until this isolate is replaced: deploy again, and check that student.onnx and the onnxruntime-web version belong together`,
  );
}

/**
 * Two runs must not overlap: onnxruntime-web saves and restores the wasm stack pointer around awaits. Once nothing is running the chain is
 * let go, so that a request does not wait on a promise of one that has ended.
 */
function oneAtATime(): <T>(task: () => Promise<T>) => Promise<T> {
  let tail: Promise<unknown> | undefined;
  return async (task) => {
    const mine = tail === undefined ? task() : tail.then(task);
    tail = mine;
    try {
      return await mine;
    } finally {
      if (tail === mine) tail = undefined;
    }
  };
}

async function sha256Hex(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
