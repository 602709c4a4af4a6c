/** How far a catalogue follows a model: an order that no shopper of a shop has taught it is no order for that shop. */
import { type ManifestIdentity, matchShards, type ShardSetIdentity } from "./manifest.ts";

export interface TrustedSet extends ShardSetIdentity {
  readonly version: string;
  readonly queryTable?: unknown;
  readonly trust?: number | undefined;
  /** Who says so; begins a sentence. Default: the published set. */
  readonly trustedBy?: string | undefined;
}

/** The order that the variant `armmt` serves of a catalogue. */
export interface ServedOrder {
  readonly order: "model" | "blend" | "semantic" | "engine";
  /** 0 to 1: the model's part of it. */
  readonly trust: number;
  /** One sentence, for whoever runs the shop. */
  readonly why: string;
}

const ORDERS: Readonly<Record<ServedOrder["order"], string>> = {
  model: "the model's order",
  blend: "engine, meaning and the model's order",
  semantic: "engine and meaning (semantic)",
  engine: "the engine's order",
};

/** One line for a terminal or a log. */
export function describeOrder({ order, trust, why }: ServedOrder): string {
  return `armmt serves ${ORDERS[order]}, trust ${trust}: ${why}`;
}

/** The name of the order by meaning, where a model's version stands. */
export function semanticVersion({ version }: Pick<TrustedSet, "version">): string {
  return `semantic-${version}`;
}

export function servedOrder(model: ManifestIdentity, set: TrustedSet): ServedOrder {
  const last = decided.get(set);
  if (last?.model === model) return last.order;
  const order = decide(model, set);
  decided.set(set, { model, order });
  return order;
}

/** Every search asks, and a set in use and its model stay the same objects. */
const decided = new WeakMap<TrustedSet, { readonly model: ManifestIdentity; readonly order: ServedOrder }>();

function decide(model: ManifestIdentity, set: TrustedSet): ServedOrder {
  const hasMeaning = set.queryTable !== undefined;
  const untaught = hasMeaning ? ("semantic" as const) : ("engine" as const);
  const fit = matchShards(model, set);
  if (!fit.ok) return { order: untaught, trust: 0, why: fit.error.detail };
  if (set.trust !== undefined && set.trust > 0) {
    return {
      order: set.trust < 1 ? "blend" : "model",
      trust: set.trust,
      why: `${set.trustedBy ?? "the published set"} trusts it by ${set.trust}`,
    };
  }
  if (set.trust === undefined && !hasMeaning)
    return { order: "model", trust: 1, why: "the published set has no query table to follow instead" };
  return {
    order: untaught,
    trust: 0,
    why: `model ${model.version} learned elsewhere (${model.trainedOn}), and no evidence of this shop has earned it trust`,
  };
}
