/**
 * Where this page's searches are re-ranked: at the edge (`/`), or on this device (`/private/`). The same page, with another home for what
 * was viewed.
 */
import type { SearchOptions } from "./api.ts";
import { createLocalRecent, type RecentProducts } from "./recent.ts";
import type { Catalog } from "./reply.ts";

export interface Place {
  /** In a sentence: who re-ranks. */
  readonly name: "the edge" | "this device";
  readonly recent: RecentProducts;
  /** Under the strip while it is empty. */
  readonly recentNote: string;
  /** Resolves when the first search may begin. */
  start(): Promise<void>;
  /** What the re-ranked search is sent with; `viewed`: product ids, most recent first. */
  options(viewed: readonly string[], catalog: Catalog | undefined): SearchOptions;
  /** After each search. */
  searched(): void;
}

/** What was viewed goes to the edge in a header of each search. */
export function createEdgePlace(storage: Storage): Place {
  return {
    name: "the edge",
    recent: createLocalRecent(storage),
    recentNote: "Choose any product: the re-ranked list adapts at once. This stays in your browser.",
    start: async () => undefined,
    options: (viewed, catalog) => ({
      history: viewed,
      explain: catalog?.explainToken !== undefined,
      explainToken: catalog?.explainToken,
    }),
    searched: () => undefined,
  };
}
