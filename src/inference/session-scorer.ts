/**
 * A scorer over any runtime: one session, checked against its manifest, warmed up, run for one list at a time.
 *
 * Knows neither bindings nor requests. Whatever goes wrong is a `Bypass`; nothing here rejects.
 */
import type { InferenceSession } from "onnxruntime-web";
import type { ListTensors } from "../ranking/features.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores, warmUpList } from "./list-run.ts";
import type { ModelManifest } from "./manifest.ts";
import { parseManifest } from "./manifest.ts";
import type { Death, Graph, Runtime } from "./runtime.ts";
import { noteTrap } from "./runtime.ts";
import type { ListScores, Scorer } from "./scorer.ts";
import { errorText } from "../web.ts";

export interface ModelParts {
  /** student.onnx. */
  readonly model: Graph;
  /** Parsed JSON of manifest.json, not checked yet. */
  readonly manifest: unknown;
}

/** For runtimes whose runs may hang. A run that is given up goes on inside the runtime, so giving one up ends the runtime. */
export interface Patience {
  /** Milliseconds that a run may take at the moment of asking, its waiting for other runs not counted; `undefined` is no limit. */
  readonly limitMs: () => number | undefined;
  /** Aborted when no answer will come any more. */
  readonly abandoned: AbortSignal;
}

export interface SessionScorerOptions extends ModelParts {
  readonly runtime: Runtime;
  readonly patience?: Patience | undefined;
}

export interface SessionScorer extends Scorer {
  /** Gives the session's memory back, unless the runtime is dead. Never rejects. Later lists get `model_unavailable`. */
  dispose(): Promise<void>;
}

/** The manifest, or why it does not fit this code or these bytes (`model_mismatch`); `model_unavailable` where nothing can be hashed. */
export async function checkModel({ model, manifest: json }: ModelParts): Promise<Result<ModelManifest, Bypass>> {
  const parsed = parseManifest(json);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  let sha256: string;
  try {
    sha256 = model instanceof ArrayBuffer ? await sha256Hex(model) : model.sha256;
  } catch (error) {
    return bypass("model_unavailable", `student.onnx cannot be hashed (${text(error)}): browsers do that on https and localhost only`);
  }
  if (sha256 === manifest.sha256) return parsed;
  return bypass("model_mismatch", `student.onnx has SHA-256 ${sha256}, the manifest of model ${manifest.version} says ${manifest.sha256}`);
}

/**
 * Refuses a manifest that does not fit this code or this graph (`model_mismatch`), then creates the session and runs it once, so that no
 * request pays for either.
 */
export async function createSessionScorer(options: SessionScorerOptions): Promise<Result<SessionScorer, Bypass>> {
  const { model, runtime, patience } = options;
  const { life } = runtime;
  const checked = await checkModel(options);
  if (!checked.ok) return checked;
  const manifest = checked.value;

  const opened = await life.takeTurn(() => openSession(model, manifest, options));
  if (!opened.ok) return opened;
  const session = opened.value;
  const fits = matchGraph(session, manifest);
  if (!fits.ok) return fits;

  let isDisposed = false;
  const scorer: SessionScorer = {
    manifest,
    async score(list) {
      const matches = matchList(list, manifest);
      if (!matches.ok) return matches;
      return life.takeTurn(async () => {
        if (isDisposed) return bypass("model_unavailable", `The session of model ${manifest.version} was closed`);
        return run(session, list, { runtime, patience });
      });
    },
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      try {
        if (life.death() === undefined) await life.takeTurn(() => session.release());
      } catch (error) {
        // Nobody will use the session again; only a trap matters to the others.
        noteTrap(life, error);
      }
    },
  };
  const warm = await scorer.score(warmUpList(manifest));
  return warm.ok ? ok(scorer) : warm;
}

type Setting = Pick<SessionScorerOptions, "runtime" | "patience">;

async function openSession(
  model: Graph,
  manifest: ModelManifest,
  { runtime, patience }: Setting,
): Promise<Result<InferenceSession, Bypass>> {
  const gone = runtime.life.death();
  if (gone !== undefined) return dead(runtime, gone);
  try {
    return ok(await settle(() => runtime.createSession(model), { runtime, patience }));
  } catch (error) {
    return deadBy(runtime, error) ?? bypass("model_unavailable", `Cannot create a session for model ${manifest.version}: ${text(error)}`);
  }
}

async function run(session: InferenceSession, list: ListTensors, { runtime, patience }: Setting): Promise<Result<ListScores, Bypass>> {
  const gone = runtime.life.death();
  if (gone !== undefined) return dead(runtime, gone);
  const used: InferenceSession.OnnxValueMapType[] = [];
  try {
    const feeds = createFeeds(list, runtime.TensorOf);
    used.push(feeds);
    const outputs = await settle(() => session.run(feeds), { runtime, patience });
    used.push(outputs);
    return readScores(outputs, list);
  } catch (error) {
    return deadBy(runtime, error) ?? bypass("model_failed", text(error));
  } finally {
    for (const tensor of used.flatMap((values) => Object.values(values))) tensor.dispose();
  }
}

/** As `start` settles, unless patience ends first: then the runtime's life ends, and this rejects. */
async function settle<T>(start: () => Promise<T>, { runtime, patience }: Setting): Promise<T> {
  if (patience === undefined) return start();
  const { abandoned } = patience;
  const limitMs = patience.limitMs();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (death: Death): void => {
      runtime.life.end(death);
      reject(new Error(death.detail));
    };
    const onAbandoned = (): void => giveUp({ cause: "abandoned", detail: String(abandoned.reason) });
    if (abandoned.aborted) {
      // Nothing was started, so the runtime is as it was.
      reject(new Error(String(abandoned.reason)));
      return;
    }
    const onLimit = (): void => giveUp({ cause: "timeout", detail: `A run took more than ${limitMs} ms` });
    const timer = limitMs === undefined ? undefined : setTimeout(onLimit, limitMs);
    abandoned.addEventListener("abort", onAbandoned);
    const done = (): void => {
      clearTimeout(timer);
      abandoned.removeEventListener("abort", onAbandoned);
    };
    start().then(resolve, reject).finally(done);
  });
}

/** The bypass of a runtime that `error` has ended or that was ended meanwhile; `undefined` while it lives. */
function deadBy(runtime: Runtime, error: unknown): Result<never, Bypass> | undefined {
  noteTrap(runtime.life, error);
  const death = runtime.life.death();
  return death === undefined ? undefined : dead(runtime, death);
}

function dead({ remedy }: Runtime, { cause, detail }: Death): Result<never, Bypass> {
  const what = cause === "trap" ? `onnxruntime trapped (${detail})` : `onnxruntime was given up (${detail})`;
  return bypass("model_trapped", `${what}. It stays off ${remedy}`);
}

async function sha256Hex(bytes: ArrayBuffer): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function text(error: unknown): string {
  return errorText(error);
}
