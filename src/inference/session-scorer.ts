/** A scorer over any runtime: one session, checked against its manifest, warmed up, run for one list at a time. Nothing here rejects. */
import type { InferenceSession } from "onnxruntime-web";
import type { ListTensors } from "../ranking/features.ts";
import { type Bypass, bypass, ok, type Result } from "../result.ts";
import { createFeeds, matchGraph, matchList, readScores, warmUpList } from "./list-run.ts";
import { type ModelManifest, parseManifest } from "./manifest.ts";
import { noteTrap, type Runtime, type RuntimeFailure, type Session } from "./runtime.ts";
import type { ListScores, ModelFiles, Scorer } from "./scorer.ts";
import { errorText, sha256Hex } from "../web.ts";

/** For runtimes whose runs may hang. A run that timed out goes on inside the runtime, so the runtime has failed then. */
export interface RunTimeout {
  /** Milliseconds that the next run may take, without its time in the queue; `undefined`: no limit. */
  readonly limitMs: () => number | undefined;
  /** Aborted when no run can end any more. */
  readonly abandoned: AbortSignal;
}

interface SessionScorerOptions extends ModelFiles {
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
  const { model, runtime } = options;
  const { lock } = runtime;
  const checked = await checkModel(options);
  if (!checked.ok) return checked;
  const manifest = checked.value;
  const refused = (problem: string) => bypass("model_unavailable", `Cannot create a session for model ${manifest.version}: ${problem}`);
  const opened = await attempt(options, async () => ok(await runtime.createSession(model)), refused);
  if (!opened.ok) return opened;
  const session = opened.value;
  const fits = matchGraph(session, manifest);
  if (!fits.ok) return fits;

  let isDisposed = false;
  const scorer: SessionScorer = {
    manifest,
    async score(list, isWanted) {
      const matches = matchList(list, manifest);
      if (!matches.ok) return matches;
      if (isDisposed) return bypass("model_unavailable", `The session of model ${manifest.version} was closed`);
      return attempt(options, async () => (isWanted?.() === false ? UNWANTED : run(session, list, runtime)), failed);
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

const UNWANTED = bypass("over_budget", "Nobody waited any more when the list's turn came");

const failed = (problem: string) => bypass("model_failed", problem);

async function run(session: Session, list: ListTensors, { TensorOf }: Runtime): Promise<Result<ListScores, Bypass>> {
  const used: InferenceSession.OnnxValueMapType[] = [];
  try {
    const feeds = createFeeds(list, TensorOf);
    used.push(feeds);
    const outputs = await session.run(feeds);
    used.push(outputs);
    return readScores(outputs, list);
  } finally {
    for (const tensor of used.flatMap((values) => Object.values(values))) tensor.dispose();
  }
}

type Setting = Pick<SessionScorerOptions, "runtime" | "timeout">;

/** Starts when no other run is in progress. `otherwise`: the bypass for an error after which the runtime still works. */
function attempt<T>(
  setting: Setting,
  start: () => Promise<Result<T, Bypass>>,
  otherwise: (problem: string) => Result<never, Bypass>,
): Promise<Result<T, Bypass>> {
  const { lock, remedy } = setting.runtime;
  return lock.runExclusive(async () => {
    let problem = "";
    try {
      if (lock.failure() === undefined) return await settle(start, setting);
    } catch (error) {
      noteTrap(lock, error);
      problem = errorText(error);
    }
    const failure = lock.failure();
    if (failure === undefined) return otherwise(problem);
    const what = failure.cause === "trap" ? "trapped" : "was given up";
    return bypass("model_trapped", `onnxruntime ${what} (${failure.detail}). It stays off ${remedy}`);
  });
}

/** Settles as `start` does; on a timeout the runtime has failed, and this rejects. */
async function settle<T>(start: () => Promise<T>, { runtime, timeout }: Setting): Promise<T> {
  if (timeout === undefined) return start();
  const { abandoned } = timeout;
  // Nothing was started, so the runtime is as it was.
  abandoned.throwIfAborted();
  const limitMs = timeout.limitMs();
  return new Promise<T>((resolve, reject) => {
    const giveUp = (cause: RuntimeFailure["cause"], detail: string): void => {
      runtime.lock.fail({ cause, detail });
      reject(new Error(detail));
    };
    const onAbandoned = (): void => giveUp("abandoned", String(abandoned.reason));
    const onLimit = (): void => giveUp("timeout", `A run took more than ${limitMs} ms`);
    const timer = limitMs === undefined ? undefined : setTimeout(onLimit, limitMs);
    abandoned.addEventListener("abort", onAbandoned);
    const done = (): void => {
      clearTimeout(timer);
      abandoned.removeEventListener("abort", onAbandoned);
    };
    start().then(resolve, reject).finally(done);
  });
}
