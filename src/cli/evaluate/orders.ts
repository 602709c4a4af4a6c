/** The orders that are compared: the engine's, and what the edge would make of it, by the functions that serve. */
import type { FoundHit } from "./lists.ts";

export interface OrderMaker {
  /** The engine's first, then what is served without a model, then models. */
  readonly names: readonly string[];
  /** What cannot be compared, and why. */
  readonly notes: readonly string[];
  readonly set: { readonly version: string; readonly textEncoder: string } | undefined;
  readonly model: { readonly version: string } | undefined;
  /** By name: indices of `hits`, best first. */
  order(query: string, hits: readonly FoundHit[]): Promise<ReadonlyMap<string, readonly number[]>>;
}

export function engineOnly(): OrderMaker {
  return {
    names: ["engine"],
    notes: [],
    set: undefined,
    model: undefined,
    order: async (_query, hits) => new Map([["engine", [...hits.keys()]]]),
  };
}
