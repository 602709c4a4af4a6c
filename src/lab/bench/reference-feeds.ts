/**
 * Inputs for the student and for its yardstick (model/armmt/reference.py): the same list of candidates in either contract. Kept once made,
 * so that a run pays for tensors but not for random numbers.
 *
 * Pure: the Worker of the bench imports it too.
 */
import { createFeeds } from "../../inference/list-run.ts";
import type { ListTensors } from "../../ranking/features.ts";
import { createList, xorshift } from "../../cli/build/sample-list.ts";

type TensorConstructor = Parameters<typeof createFeeds>[1];
type Tensor = ReturnType<typeof createFeeds>["mask"];

const DIMS = { image: 64, text: 64 } as const;
const QUERY_TOKENS = 12;
const HISTORY_ITEMS = 20;

const REFERENCE_FEATURES = 16;
const REFERENCE_CONTEXT = 32;

interface ReferenceList {
  readonly features: Float32Array<ArrayBuffer>;
  readonly context: Float32Array<ArrayBuffer>;
}

const lists = new Map<number, ListTensors>();
const references = new Map<number, ReferenceList>();

/** Feeds for a graph by its input names: `ctx` marks the yardstick, anything else is the student's contract. */
export function createRandomFeeds(inputNames: readonly string[], k: number, TensorOf: TensorConstructor): Record<string, Tensor> {
  const list = lists.get(k) ?? createList(k, DIMS, { queryTokens: QUERY_TOKENS, historyItems: HISTORY_ITEMS });
  lists.set(k, list);
  if (!inputNames.includes("ctx")) return createFeeds(list, TensorOf);
  const reference = references.get(k) ?? createReferenceList(k);
  references.set(k, reference);
  return {
    text: new TensorOf("float32", list.text, [1, k, DIMS.text]),
    image: new TensorOf("float32", list.image, [1, k, DIMS.image]),
    features: new TensorOf("float32", reference.features, [1, k, REFERENCE_FEATURES]),
    ctx: new TensorOf("float32", reference.context, [1, REFERENCE_CONTEXT]),
    mask: new TensorOf("float32", list.mask, [1, k]),
  };
}

function createReferenceList(k: number): ReferenceList {
  const next = xorshift(k + 2);
  const floats = (length: number) => Float32Array.from({ length }, () => next() * 2 - 1);
  return { features: floats(k * REFERENCE_FEATURES), context: floats(REFERENCE_CONTEXT) };
}
