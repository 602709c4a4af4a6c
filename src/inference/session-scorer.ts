/**
 * A scorer over any runtime: one session, checked against its manifest, warmed up, run for one list at a time.
 *
 * Knows neither bindings nor requests. Every failure is a `Bypass`; nothing here rejects.
 */
import type { InferenceSession } from "onnxruntime-web";
import type { ListTensors } from "../ranking/features.ts";
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores, warmUpList } from "./list-run.ts";
import type { ModelManifest } from "./manifest.ts";
import { parseManifest } from "./manifest.ts";
import type { Graph, Runtime, RuntimeFailure } from "./runtime.ts";
import { noteTrap } from "./runtime.ts";
import type { ListScores, ModelFiles, Scorer } from "./scorer.ts";
import { errorText, sha256Hex } from "../web.ts";

/** For runtimes whose runs may hang. A run that timed out goes on inside the runtime, so the runtime has failed then. */
export interface RunTimeout {
  /** Milliseconds that the next run may take, without its time in the queue; `undefined`: no limit. */
  readonly limitMs: () => number | undefined;
  /** Aborted when no run can end any more. */
  readonly abandoned: AbortSignal;
}

export interface SessionScorerOptions extends ModelFiles {
  readonly runtime: Runtime;
  readonly timeout?: RunTimeout | undefined;
}

export interface SessionScorer extends Scorer {
  /** Frees the session's memory, unless the runtime has failed. Never rejects. Later lists get `model_unavailable`. */
  dispose(): Promise<void>;
}

/** The manifest, or why it does not fit this code or these bytes (`model_mismatch`); `model_unavailable` where nothing can be hashed. */
export async function checkModel({ model, manifest: json }: ModelFiles): Promise<Result<ModelManifest, Bypass>> {
  const parsed = parseManifest(json);
  if (!parsed.ok) return parsed;
  const manifest = parsed.value;
  let sha256: string;
  try {
    sha256 = model instanceof ArrayBuffer ? await sha256Hex(new Uint8Array(model)) : model.sha256;
  } catch (error) {
    return bypass("model_unavailable", `student.onnx cannot be hashed (${errorText(error)}): browsers do that on https and localhost only`);
  }
  if (sha256 === manifest.sha256) return parsed;
  return bypass("model_mismatch", `student.onnx has SHA-256 ${sha256}, the manifest of model ${manifest.version} says ${manifest.sha256}`);
}

/**
 * Refuses a manifest that does not fit this code or this graph (`model_mismatch`), then creates the session and runs it once, so that no
 * request waits for either.
 */
export async function createSessionScorer(options: SessionScorerOptions): Promise<Result<SessionScorer, Bypass>> {
  const { model, runtime, timeout } = options;
  const { lock } = runtime;
  const checked = await checkModel(options);
  if (!checked.ok) return checked;
  const manifest = checked.value;

  const opened = await lock.runExclusive(() => openSession(model, manifest, options));
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
      return lock.runExclusive(async () => {
        if (isDisposed) return bypass("model_unavailable", `The session of model ${manifest.version} was closed`);
        return run(session, list, { runtime, timeout });
      });
    },
    async dispose() {
      if (isDisposed) return;
      isDisposed = true;
      try {
        if (lock.failure() === undefined) await lock.runExclusive(() => session.release());
      } catch (error) {
        // The session is not used again; only a trap concerns other sessions.
        noteTrap(lock, error);
      }
    },
  };
  const warm = await scorer.score(warmUpList(manifest));
  return warm.ok ? ok(scorer) : warm;
}

type Setting = Pick<SessionScorerOptions, "runtime" | "timeout">;

async function openSession(
  model: Graph,
  manifest: ModelManifest,
  { runtime, timeout }: Setting,
): Promise<Result<InferenceSession, Bypass>> {
  const failure = runtime.lock.failure();
  if (failure !== undefined) return failed(runtime, failure);
  try {
    return ok(await settle(() => runtime.createSession(model), { runtime, timeout }));
  } catch (error) {
    return (
      failedBy(runtime, error) ?? bypass("model_unavailable", `Cannot create a session for model ${manifest.version}: ${errorText(error)}`)
    );
  }
}

async function run(session: InferenceSession, list: ListTensors, { runtime, timeout }: Setting): Promise<Result<ListScores, Bypass>> {
  const failure = runtime.lock.failure();
  if (failure !== undefined) return failed(runtime, failure);
  const used: InferenceSession.OnnxValueMapType[] = [];
  try {
    const feeds = createFeeds(list, runtime.TensorOf);
    used.push(feeds);
    const outputs = await settle(() => session.run(feeds), { runtime, timeout });
    used.push(outputs);
    return readScores(outputs, list);
  } catch (error) {
    return failedBy(runtime, error) ?? bypass("model_failed", errorText(error));
  } finally {
    for (const tensor of used.flatMap((values) => Object.values(values))) tensor.dispose();
  }
}

/** Settles as `start` does; on a timeout the runtime has failed, and this rejects. */
async function settle<T>(start: () => Promise<T>, { runtime, timeout }: Setting): Promise<T> {
  if (timeout === undefined) return start();
  const { abandoned } = timeout;
  const limitMs = timeout.limitMs();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (failure: RuntimeFailure): void => {
      runtime.lock.fail(failure);
      reject(new Error(failure.detail));
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

/** The bypass of a runtime that `error` has broken or that has failed meanwhile; `undefined` while it works. */
function failedBy(runtime: Runtime, error: unknown): Result<never, Bypass> | undefined {
  noteTrap(runtime.lock, error);
  const failure = runtime.lock.failure();
  return failure === undefined ? undefined : failed(runtime, failure);
}

function failed({ remedy }: Runtime, { cause, detail }: RuntimeFailure): Result<never, Bypass> {
  const problem = cause === "trap" ? `onnxruntime trapped (${detail})` : `onnxruntime was given up (${detail})`;
  return bypass("model_trapped", `${problem}. It stays off ${remedy}`);
}
