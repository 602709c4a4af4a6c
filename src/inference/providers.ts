/**
 * One scorer over two providers: WebGPU where a GPU reproduces known scores, wasm everywhere else and after WebGPU has ended.
 *
 * The two are separate copies of onnxruntime, so a failure of one does not affect the other. After a hung run the WebGPU copy cannot run wasm
 * either, so the fallback is always the plain copy, which is loaded when it is first needed. WebGPU is tried again only by opening again.
 */
import type { ListTensors } from "../ranking/features.ts";
import { type Bypass, bypass, type BypassReason, err, ok, type Result } from "../result.ts";
import { type AdapterDescription, type Fallback, type Gpu as PlatformGpu, requestAdapter } from "./gpu.ts";
import type { Provider, Runtime } from "./runtime.ts";
import type { ListScores, ModelFiles, Scorer } from "./scorer.ts";
import { checkModel, createSessionScorer, type SessionScorer } from "./session-scorer.ts";
import { startWebgpuScorer, type WebgpuScorer, type WebgpuScorerOptions } from "./webgpu-scorer.ts";
import { errorText, type Log } from "../web.ts";

/**
 * `auto`: WebGPU on a hardware adapter, else wasm. `webgpu`: WebGPU on any adapter, software too, else wasm. `wasm`: never asks for an
 * adapter.
 */
export const PROVIDER_PREFERENCES = ["auto", "webgpu", "wasm"] as const;

export type ProviderPreference = (typeof PROVIDER_PREFERENCES)[number];

export interface ProviderScorerOptions
  extends
    ModelFiles,
    Pick<WebgpuScorerOptions, "proof">,
    /** Default 20000 for the start, 2000 for a run. */
    Partial<Pick<WebgpuScorerOptions, "startTimeoutMs" | "runTimeoutMs">> {
  readonly preference: ProviderPreference;
  /** `navigator.gpu`, where there is one. */
  readonly gpu: PlatformGpu | undefined;
  /** Open a copy of onnxruntime; see web.ts and web-webgpu.ts. Called when it is needed; a rejection counts as a failed load. */
  readonly runtimes: { readonly wasm: () => Promise<Runtime>; readonly webgpu: WebgpuScorerOptions["openRuntime"] };
  readonly log: Log;
}

export interface ProviderState {
  readonly provider: Provider;
  /** The requested adapter, also where it is not used (any more). */
  readonly adapter?: AdapterDescription;
  /** Why WebGPU is not used; absent where it is, and where it was not requested. */
  readonly fallback?: Fallback;
}

export interface ProviderScorer extends Scorer {
  state(): ProviderState;
  /** Frees sessions and device; later lists get `model_unavailable`. */
  dispose(): Promise<void>;
}

/** Of the list, or of nothing. */
const NO_FAILURES: ReadonlySet<BypassReason> = new Set<BypassReason>(["model_mismatch", "over_budget"]);

/** Reasons that depend on the machine only. */
const IS_PLATFORM: ReadonlySet<Fallback["reason"]> = new Set<Fallback["reason"]>(["no_webgpu", "no_adapter", "software_adapter"]);

/**
 * Opens the provider that fits `preference`, warmed up. A fallback is logged and kept in state(). The list on which WebGPU fails, and all
 * lists in the queue, are scored on wasm. Bypasses: `model_mismatch`, and `model_unavailable` where wasm does not start either.
 */
export async function openProviderScorer(options: ProviderScorerOptions): Promise<Result<ProviderScorer, Bypass>> {
  const { preference, log } = options;
  const checked = await checkModel(options);
  if (!checked.ok) return checked;
  const manifest = checked.value;
  let adapter: AdapterDescription | undefined;
  let fallback: Fallback | undefined;
  let webgpu: WebgpuScorer | undefined;
  let isDisposed = false;
  let wasm: Promise<Result<SessionScorer, Bypass>> | undefined;

  /** Tries again after a failure, because a failed download may succeed later. */
  const openWasm = async (): Promise<Result<SessionScorer, Bypass>> => {
    const current = (wasm ??= startWasm(options));
    const opened = await current;
    if (!opened.ok && wasm === current) wasm = undefined;
    return opened;
  };
  const fallBack = (why: Fallback): void => {
    if (fallback !== undefined || isDisposed) return;
    fallback = why;
    void webgpu?.dispose();
    webgpu = undefined;
    // With "auto", a machine without a GPU is not a fault.
    const level = preference === "auto" && IS_PLATFORM.has(why.reason) ? "info" : "warn";
    log({ level, event: "webgpu_fallback", model: manifest.version, ...why });
    // Loaded now, so that the next search does not wait for it.
    void openWasm();
  };

  const startWebgpu = async (): Promise<Result<WebgpuScorer, Fallback>> => {
    const { gpu, runtimes, startTimeoutMs = 20_000, runTimeoutMs = 2000 } = options;
    const chosen = await requestAdapter(gpu, startTimeoutMs);
    if (!chosen.ok) return chosen;
    adapter = chosen.value.description;
    if (adapter.isSoftware && preference === "auto") {
      const name = [adapter.vendor, adapter.architecture, adapter.description].filter((part) => part !== "").join(" ");
      return err({ reason: "software_adapter", detail: `The adapter (${name}) runs on the processor, where wasm is faster` });
    }
    const how = { chosen: chosen.value, openRuntime: runtimes.webgpu, startTimeoutMs, runTimeoutMs, onEnd: fallBack };
    return startWebgpuScorer({ ...options, ...how });
  };
  if (preference !== "wasm") {
    const started = await startWebgpu();
    if (started.ok) webgpu = started.value;
    else fallBack(started.error);
    // It may have ended before this assignment.
    if (fallback !== undefined) webgpu = undefined;
  }
  if (webgpu === undefined) {
    const opened = await openWasm();
    if (!opened.ok) return opened;
  }

  const scoreOnWasm = async (list: ListTensors, isWanted?: () => boolean): Promise<Result<ListScores, Bypass>> => {
    if (isDisposed) return bypass("model_unavailable", `The scorer of model ${manifest.version} was closed`);
    const opened = await openWasm();
    return opened.ok ? opened.value.score(list, isWanted) : opened;
  };
  return ok({
    manifest,
    async score(list, isWanted) {
      const tried = webgpu;
      if (tried === undefined) return scoreOnWasm(list, isWanted);
      const scored = await tried.score(list, isWanted);
      if (scored.ok || NO_FAILURES.has(scored.error.reason)) return scored;
      // A list that wasm refuses too is at fault itself.
      const again = await scoreOnWasm(list, isWanted);
      if (again.ok) fallBack(tried.ended() ?? { reason: "run_failed", detail: scored.error.detail });
      return again;
    },
    state: () => ({
      provider: webgpu === undefined ? "wasm" : "webgpu",
      ...(adapter !== undefined && { adapter }),
      ...(fallback !== undefined && { fallback }),
    }),
    async dispose() {
      isDisposed = true;
      const opened = await wasm;
      await Promise.all([webgpu?.dispose(), opened?.ok === true ? opened.value.dispose() : undefined]);
    },
  });
}

async function startWasm({ model, manifest, runtimes }: ProviderScorerOptions): Promise<Result<SessionScorer, Bypass>> {
  try {
    return await createSessionScorer({ model, manifest, runtime: await runtimes.wasm() });
  } catch (cause) {
    return bypass("model_unavailable", `onnxruntime's wasm build cannot be loaded: ${errorText(cause)}`);
  }
}
