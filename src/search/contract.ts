/**
 * The words of one search: what it needs of the outside world, what is known before the engine is asked, and how it ended.
 *
 * Types only.
 */
import type { Backend, ClientRequest, Hit, SearchPlan } from "../backends/backend.ts";
import type { Engine, EngineReply } from "../backends/engine.ts";
import type { ItemStore } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { ExposureSink } from "../events/sink.ts";
import type { Experiment } from "../experiment/assign.ts";
import type { ListScores, Scorer } from "../inference/scorer.ts";
import type { RankedLists } from "../ranking/ranked-lists.ts";
import type { Bypass, Result } from "../result.ts";

/** What the searches of one index need of the outside world. */
export interface SearchDeps {
  readonly index: string;
  /** W: how many hits are re-ranked. */
  readonly window: number;
  readonly backend: Backend;
  readonly engine: Engine;
  /** For all calls to the engine together. */
  readonly engineTimeoutMs: number;
  /** For item vectors and model together. */
  readonly rankBudgetMs: number;
  readonly store: ItemStore;
  /** Asked anew by every search: a model that died stays away without costing a wider request. */
  readonly scorer: () => Result<Scorer, Bypass>;
  readonly lists: RankedLists;
  readonly experiment: Experiment | undefined;
  /** For searches outside the experiment. */
  readonly defaultVariant: string;
  readonly sink: ExposureSink;
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly createId: () => string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

export interface SearchRequest extends ClientRequest {
  readonly headers: Headers;
  /** Asked for with the admin token. */
  readonly isExplained: boolean;
  /** Asked for with the admin token. */
  readonly forcedVariant: string | undefined;
  /** Keeps the isolate alive until `work` is done. */
  readonly afterReply: (work: Promise<unknown>) => void;
}

export interface Arm {
  readonly variant: string;
  readonly isInExperiment: boolean;
  /** What the variant hangs on: an id that the client gave, of a shopper or a session. */
  readonly unit: string | undefined;
}

/** One search under way. */
export interface Search {
  readonly request: SearchRequest;
  readonly deps: SearchDeps;
  readonly plan: SearchPlan;
  readonly arm: Arm;
  /** Item ids that the shopper looked at, most recent first. */
  readonly history: readonly string[];
  readonly startedAt: number;
}

/** The order of one window. */
export interface Ranking {
  /** Places of the window in the order to show. */
  readonly order: readonly number[];
  readonly listId: string;
  readonly modelVersion: string;
  readonly knownHistory: number;
  /** `undefined` when the order was remembered from another page. */
  readonly scores: ListScores | undefined;
}

/** Re-ranked, or left as it was for a reason. */
export type Outcome = { readonly ranking: Ranking } | { readonly bypass: Bypass };

/** What the shopper gets. */
export type Served =
  /** The engine's reply with hits moved or cut. */
  | {
      readonly kind: "edited";
      readonly outcome: Outcome;
      readonly reply: EngineReply;
      readonly body: Uint8Array<ArrayBuffer>;
      /** The engine's, from the first. */
      readonly hits: readonly Hit[];
      /** Shown ones, as places in `hits`. */
      readonly places: readonly number[];
    }
  /** The engine's reply, byte for byte. */
  | { readonly kind: "untouched"; readonly outcome: { readonly bypass: Bypass }; readonly reply: EngineReply }
  /** The engine gave none. */
  | { readonly kind: "none"; readonly outcome: { readonly bypass: Bypass } };
