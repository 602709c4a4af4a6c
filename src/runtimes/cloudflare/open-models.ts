/** The two files that `armmt build` makes → the scorers of a Worker. */
import { decodeEdgeFile, type RuntimeIdentity } from "../../inference/edge-file.ts";
import type { OpenedModel, OpenPublished } from "../../inference/published-model.ts";
import { loadScorers, type ModelFiles, type Scorers, scorersOf } from "../../inference/scorer.ts";
import { createSessionScorer } from "../../inference/session-scorer.ts";
import { createWorkerdRuntime, type WorkerdRuntime } from "../../inference/workerd.ts";
import { type Bypass, bypass, ok, type Result } from "../../result.ts";
import { errorStack, errorText } from "../../web.ts";

/** What a Worker imports from `.armmt/edge`. */
export interface WorkerModels {
  /** `edge.bin`: sessions of the models, or their graphs. */
  readonly edge: ArrayBuffer;
  /** `runtime.wasm`: onnxruntime-web's own file, or the part of it that these models use. */
  readonly runtime: WebAssembly.Module;
}

/** An isolate has one onnxruntime. */
let opened: Promise<Scorers> | undefined;

/** `identity`: absent where it is onnxruntime-web's own file, which opens any graph. */
let running: { readonly runtime: WorkerdRuntime; readonly identity: RuntimeIdentity | undefined } | undefined;

/**
 * The models that a Worker carries: the first is live (`armmt`), others serve by their version (`armmt@<version>`). May be called at module
 * scope, so that no request waits for a model. Never rejects: where a model cannot be loaded, its searches pass through with that reason.
 *
 * @example
 * import edge from "./.armmt/edge/edge.bin";
 * import runtime from "./.armmt/edge/runtime.wasm";
 * const scorer = await openModels({ edge, runtime });
 */
export function openModels(models: WorkerModels): Promise<Scorers> {
  opened ??= open(models);
  return opened;
}

async function open({ edge, runtime: module }: WorkerModels): Promise<Scorers> {
  let files: readonly ModelFiles[];
  let runtime: WorkerdRuntime;
  try {
    const { models, snapshot, runtime: identity } = decodeEdgeFile(edge);
    files = models;
    runtime = createWorkerdRuntime({ module, image: snapshot && { snapshot, sha256: sessionsOf(models) } });
    running = { runtime, identity };
  } catch (cause) {
    return scorersOf([unavailable(cause)]);
  }
  return loadScorers(files, async (model) => {
    try {
      return await createSessionScorer({ ...model, runtime });
    } catch (cause) {
      return unavailable(cause);
    }
  });
}

function sessionsOf(models: readonly ModelFiles[]): readonly string[] {
  return models.map(({ model }) => (model instanceof ArrayBuffer ? "" : model.sha256));
}

/** Opens a published model on the runtime of openModels(), beside the models that were deployed. For `openPublished` of an edge. */
export const openPublished: OpenPublished = async ({ version, manifest }, read) => {
  if (running === undefined) return bypass("model_unavailable", "This Worker has no runtime");
  const { runtime, identity } = running;
  const part = await read(identity === undefined ? "graph" : "edge");
  if (!part.ok) return part;
  try {
    if (identity === undefined) return openedAs(await createSessionScorer({ model: part.value, manifest, runtime }), part.value.byteLength);
    const { models, snapshot, runtime: needed } = decodeEdgeFile(part.value);
    const [first] = models;
    if (snapshot === undefined || needed === undefined || first === undefined || first.model instanceof ArrayBuffer) {
      return bypass("model_mismatch", `Model ${version} was published without a session: publish it again`);
    }
    const problem = differenceOf(needed, identity);
    if (problem !== undefined) return bypass("model_mismatch", `Model ${version} ${problem}`);
    const view = runtime.withImage({ snapshot, sha256: sessionsOf(models) });
    return openedAs(await createSessionScorer({ model: first.model, manifest, runtime: view }), part.value.byteLength);
  } catch (cause) {
    return bypass("model_mismatch", `Model ${version} cannot be opened: ${errorText(cause)}`);
  }
};

function openedAs(created: Awaited<ReturnType<typeof createSessionScorer>>, bytes: number): Result<OpenedModel, Bypass> {
  // A trap of what was never served is the model's own fault.
  if (!created.ok) return created.error.reason === "model_trapped" ? bypass("model_mismatch", created.error.detail) : created;
  return ok({ scorer: created.value, bytes, close: () => created.value.dispose() });
}

const ELSEWHERE = "deploy with it in models.json";

/** Why a model does not run on this Worker's runtime. */
function differenceOf(needed: RuntimeIdentity, own: RuntimeIdentity): string | undefined {
  if (needed.stock !== own.stock) {
    return `was published for another onnxruntime-web than this Worker has: publish it again from the project that was deployed`;
  }
  const operators = needed.operators.filter((name) => !own.operators.includes(name));
  if (operators.length > 0) return `has operators [${operators.join(", ")}], which this Worker's runtime lacks: ${ELSEWHERE}`;
  const kept = new Set(own.functions);
  const lacking = needed.functions.filter((number) => !kept.has(number)).length;
  return lacking === 0 ? undefined : `uses ${lacking} functions of onnxruntime that this Worker's runtime lacks: ${ELSEWHERE}`;
}

function unavailable(cause: unknown) {
  return bypass("model_unavailable", errorStack(cause));
}
