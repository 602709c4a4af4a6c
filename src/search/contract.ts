/**
 * The words of one search: what it needs of the outside world, what is known before the engine is asked, and how it ended.
 *
 * Types only.
 */
import type { Dialect, ClientRequest, Hit, RequestPlan, SearchPlan } from "../backends/dialect.ts";
import type { EngineClient, EngineReply } from "../backends/engine.ts";
import type { ItemStore } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { ExposureSink } from "../events/sink.ts";
import type { EventTokens } from "../events/token.ts";
import type { UnitHash } from "../events/unit.ts";
import type { Treatment } from "../experiment/treatment.ts";
import type { ListScores } from "../inference/scorer.ts";
import type { Scorers } from "../inference/scorer.ts";
import type { Team } from "../ranking/interleave.ts";
import type { RankedLists } from "../ranking/ranked-lists.ts";
import type { Bypass } from "../result.ts";
import type { FlagSource } from "./flags.ts";
import type { LiveExperiments } from "./live-experiments.ts";

/** What events hang on; both need the edge's secret. */
export interface EventDeps {
  readonly tokens: EventTokens;
  readonly hashUnit: UnitHash;
}

/** What all searches of an edge need of the outside world. */
export interface EdgeDeps {
  /** For all calls to the engine together. */
  readonly engineTimeoutMs: number;
  /** For item vectors and model together. */
  readonly rankBudgetMs: number;
  /** Asked anew by every search: a model that died stays away without costing a wider request. */
  readonly scorer: Scorers;
  readonly lists: RankedLists;
  readonly experiments: LiveExperiments;
  /** Decides in the place of the experiments, where a shop has another flag system. */
  readonly flags: FlagSource | undefined;
  /** For searches outside the experiment. */
  readonly defaultVariant: string;
  readonly sink: ExposureSink;
  /** Absent where the edge takes no events: then searches have no tokens, and records no units. */
  readonly events?: EventDeps | undefined;
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly createId: () => string;
  readonly log: (entry: Readonly<Record<string, unknown>>) => void;
}

/** What the searches of one index need besides. */
export interface IndexDeps {
  readonly name: string;
  /** W: how many hits are re-ranked; 0 where this index is passed on as it is. */
  readonly window: number;
  readonly backend: Dialect;
  /** The same object for indexes of the same engine. */
  readonly engine: EngineClient;
  readonly store: ItemStore;
}

/** What one request needs. */
export interface SearchDeps extends EdgeDeps {
  readonly backend: Dialect;
  readonly engine: EngineClient;
  /** Parallel to the plan's searches. */
  readonly indexes: readonly IndexDeps[];
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
  readonly treatment: Treatment;
  /** Key of the experiment that the unit takes part in. */
  readonly experiment: string | undefined;
  /** What the variant hangs on: an id that the client gave, of a shopper or a session. */
  readonly unit: string | undefined;
  /** Searched by a crawler: in no experiment, and recorded nowhere. */
  readonly isBot: boolean;
}

/** One search under way. */
export interface Search {
  readonly request: SearchRequest;
  readonly deps: EdgeDeps;
  readonly index: IndexDeps;
  readonly plan: SearchPlan;
  readonly arm: Arm;
  /** Item ids that the shopper looked at, most recent first. */
  readonly history: readonly string[];
  /** Joins the record of this search and the events that follow it. */
  readonly queryId: string;
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

/** One request under way, with the searches that travel in it. */
export interface Batch {
  readonly request: SearchRequest;
  readonly deps: SearchDeps;
  readonly plan: RequestPlan;
  /** Parallel to the plan's searches. */
  readonly searches: readonly Search[];
  readonly startedAt: number;
}

export interface OrderNotes {
  /** Parallel to the shown places: who placed each in an interleaved order. */
  readonly teams?: readonly Team[] | undefined;
  /** Parallel to the shown places: the chance with which each stands where it does. */
  readonly propensities?: readonly number[] | undefined;
  /** Places of the window in the order that was not shown. */
  readonly shadow?: readonly number[] | undefined;
}

/** How one search ended. */
export interface SearchResult {
  readonly outcome: Outcome;
  /** What an analysis needs of an order that is not simply a model's. */
  readonly notes?: OrderNotes | undefined;
  /** What is shown of it; `undefined` where the engine's reply stays as it is. */
  readonly shown: Shown | undefined;
}

export interface Shown {
  /** The engine's, from `firstRank` on. */
  readonly hits: readonly Hit[];
  /** As places in `hits`. */
  readonly places: readonly number[];
  /** 0-based engine rank of the first of `hits`. */
  readonly firstRank: number;
}

/** What the shopper gets. `results` are parallel to the searches. */
export type BatchResult =
  /** The engine's reply with hits moved or cut. */
  | {
      readonly kind: "edited";
      readonly results: readonly SearchResult[];
      readonly reply: EngineReply;
      readonly body: Uint8Array<ArrayBuffer>;
    }
  /** The engine's reply, byte for byte. */
  | { readonly kind: "untouched"; readonly results: readonly SearchResult[]; readonly reply: EngineReply }
  /** The engine gave none. */
  | { readonly kind: "none"; readonly results: readonly SearchResult[]; readonly bypass: Bypass };
