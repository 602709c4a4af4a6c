/**
 * A scorer on WebGPU that reproduces known scores before it is used, and that ends, once, when the device is lost, on an error outside a
 * run, and when a run hangs. providers.ts chooses its successor.
 */
import { err, ok, type Result } from "../result.ts";
import { type ChosenAdapter, type Fallback, requestDevice, watchDevice } from "./gpu.ts";
import type { GoldenCase } from "./golden.ts";
import type { Runtime } from "./runtime.ts";
import type { ModelFiles, Scorer } from "./scorer.ts";
import { createSessionScorer, type RunTimeout } from "./session-scorer.ts";
import { errorText } from "../web.ts";

/** A list with known scores from the training side. */
export type Proof = Pick<GoldenCase, "list" | "score">;

/** GPUs round differently from processors; the error of a wrong kernel is far larger. */
const PROOF_TOLERANCE = 1e-3;

export interface Gpu extends ChosenAdapter {
  readonly device: GPUDevice;
}

export interface WebgpuScorerOptions extends ModelFiles {
  readonly chosen: ChosenAdapter;
  readonly openRuntime: (gpu: Gpu) => Promise<Runtime>;
  readonly proof: Proof;
  /** Milliseconds for the device, and again for session, shaders and proof. Loading the runtime does not count. */
  readonly startTimeoutMs: number;
  /** Milliseconds of one run. */
  readonly runTimeoutMs: number;
  /** Called once, when the scorer ends after its start, but not by dispose(). */
  readonly onEnd: (why: Fallback) => void;
}

export interface WebgpuScorer extends Scorer {
  /** Why it ended; `undefined` while it works. */
  ended(): Fallback | undefined;
  /** Frees session and device. Never rejects. */
  dispose(): Promise<void>;
}

/** The scorer, or why this machine's WebGPU cannot be used. Never rejects; an unused device is destroyed. */
export async function startWebgpuScorer(options: WebgpuScorerOptions): Promise<Result<WebgpuScorer, Fallback>> {
  const { chosen, startTimeoutMs, runTimeoutMs } = options;
  const over = new AbortController();
  let why: Fallback | undefined;
  let isStarting = true;
  let device: GPUDevice | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const end = (fallback: Fallback): void => {
    if (over.signal.aborted) return;
    why = fallback;
    over.abort(fallback.detail);
    clearTimeout(timer);
    device?.destroy();
    if (!isStarting) options.onEnd(fallback);
  };
  const endByDevice = (fallback: Fallback): void => {
    end(isStarting && fallback.reason === "run_failed" ? { ...fallback, reason: "session_failed" } : fallback);
  };
  const expectSoon = (): void => {
    const detail = `WebGPU did not start within ${startTimeoutMs} ms`;
    timer = setTimeout(() => end({ reason: "session_failed", detail }), startTimeoutMs);
  };

  const timeout: RunTimeout = { limitMs: () => (isStarting ? undefined : runTimeoutMs), abandoned: over.signal };

  const start = async (): Promise<Result<WebgpuScorer, Fallback>> => {
    expectSoon();
    device = await requestDevice(chosen.adapter);
    clearTimeout(timer);
    if (over.signal.aborted) device.destroy();
    watchDevice(device, endByDevice);
    const runtime = await options.openRuntime({ ...chosen, device });
    expectSoon();
    const created = await createSessionScorer({ ...options, runtime, timeout });
    if (!created.ok) return err({ reason: "session_failed", detail: created.error.detail });
    const scorer = created.value;
    const wrong = await prove(scorer, options.proof);
    if (wrong !== undefined) return err(wrong);
    return ok({
      manifest: scorer.manifest,
      async score(list, isWanted) {
        const scored = await scorer.score(list, isWanted);
        const failure = runtime.lock.failure();
        if (failure !== undefined) end({ reason: failure.cause === "timeout" ? "run_timeout" : "run_failed", detail: failure.detail });
        return scored;
      },
      ended: () => why,
      async dispose() {
        if (over.signal.aborted) return;
        await scorer.dispose();
        over.abort("The scorer was closed");
        device?.destroy();
      },
    });
  };

  // When it ends while starting, a pending call may never return.
  const cut = new Promise<"cut">((resolve) => over.signal.addEventListener("abort", () => resolve("cut"), { once: true }));
  const started = await Promise.race([
    start().catch((cause: unknown) => err({ reason: "session_failed" as const, detail: errorText(cause) })),
    cut,
  ]);
  clearTimeout(timer);
  if (started !== "cut" && !started.ok) end(started.error);
  if (started === "cut" || !started.ok) return err(why ?? { reason: "session_failed", detail: "WebGPU ended while it started" });
  isStarting = false;
  return started;
}

/** The fault of its scores, or `undefined`. */
async function prove(scorer: Scorer, { list, score }: Proof): Promise<Fallback | undefined> {
  const scored = await scorer.score(list);
  if (!scored.ok) return { reason: "session_failed", detail: scored.error.detail };
  const error = scored.value.score.reduce(
    (worst, value, i) => (list.mask[i] === 0 ? worst : Math.max(worst, Math.abs(value - score[i]!))),
    0,
  );
  if (error <= PROOF_TOLERANCE) return undefined;
  return { reason: "scores_differ", detail: `Scores of the proof case are off by ${error}, expected at most ${PROOF_TOLERANCE}` };
}
