/** Types of one search: its dependencies, its context and its result. */
import type { Dialect, ClientRequest, Hit, RequestPlan, SearchPlan, SearchReply } from "../backends/dialect.ts";
import type { EngineClient, EngineReply } from "../backends/engine.ts";
import type { Client } from "../backends/headers.ts";
import type { ItemStore } from "../embeddings/store.ts";
import type { Counters } from "../events/counters.ts";
import type { AfterReply, ExposureSink } from "../events/sink.ts";
import type { RecentTokens } from "../events/searches.ts";
import type { EventTokens } from "../events/token.ts";
import type { UnitHash } from "../events/keys.ts";
import type { Experiment } from "../experiment/assign.ts";
import type { Treatment } from "../experiment/treatment.ts";
import type { CatalogRanking } from "../inference/ranking.ts";
import type { Scorers } from "../inference/scorer.ts";
import type { Team } from "../ranking/interleave.ts";
import type { RankedLists } from "../ranking/ranked-lists.ts";
import type { Bypass } from "../result.ts";
import type { Ruled } from "../rules/apply.ts";
import type { Matched } from "../rules/match.ts";
import type { Log } from "../web.ts";
import type { FlagSource } from "./flags.ts";
import type { Browsed, LiveBrowse } from "./live-browse.ts";
import type { LiveExperiments } from "./live-experiments.ts";
import type { LiveModels } from "./live-models.ts";
import type { LiveRules } from "./live-rules.ts";
import type { RankQueue } from "./rank-queue.ts";
import type { Reason } from "./why.ts";
import type { Windows } from "./windows.ts";

/** Needed to record events; both exist only with EVENT_SECRET. */
export interface EventDeps {
  readonly tokens: EventTokens;
  readonly recent: RecentTokens;
  readonly hashUnit: UnitHash;
}

/** Dependencies of all searches of an edge. */
export interface EdgeDeps {
  /** For all calls to the engine together. */
  readonly engineTimeoutMs: number;
  /** For item vectors and model together. */
  readonly rankBudgetMs: number;
  /** Called by every search: once a model has trapped, searches no longer ask for a window. */
  readonly scorer: Scorers;
  /** Models and trust that change without a deployment; absent: neither does. */
  readonly models?: LiveModels | undefined;
  readonly lists: RankedLists;
  readonly queue: RankQueue;
  readonly experiments: LiveExperiments;
  /** Decides instead of the experiments, where a shop has another flag system. */
  readonly flags: FlagSource | undefined;
  /** For searches outside the experiment. */
  readonly defaultVariant: string;
  readonly sink: ExposureSink;
  /** Absent where the edge takes no events: then searches have no tokens, and records no units. */
  readonly events?: EventDeps | undefined;
  readonly counters: Counters;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Milliseconds since any moment, of a clock that nobody sets: for limits. */
  readonly clock: () => number;
  readonly createId: () => string;
  readonly log: Log;
}

/** Dependencies of the searches of one index. */
export interface IndexDeps {
  readonly name: string;
  /** W: how many hits are re-ranked; 0 where this index is passed on as it is. */
  readonly window: number;
  readonly backend: Dialect;
  /** The same object for indexes of the same engine. */
  readonly engine: EngineClient;
  /** Where events of the engine's own clients go besides; absent: nowhere. */
  readonly eventsEngine?: EngineClient | undefined;
  /** That engine's. */
  readonly windows: Windows;
  readonly store: ItemStore;
  /** Which model its catalogue follows, and how far; absent: as the published set says. */
  readonly ranking?: (() => CatalogRanking | undefined) | undefined;
  /** Of its catalogue; absent without LIVE_RULES. */
  readonly rules?: LiveRules | undefined;
  /** Of its catalogue; absent where its searches without words are left alone. */
  readonly browse?: LiveBrowse | undefined;
}

/** Dependencies of one request. */
export interface SearchDeps extends EdgeDeps, Pick<IndexDeps, "backend" | "engine" | "windows"> {
  /** Parallel to the plan's searches. */
  readonly indexes: readonly IndexDeps[];
}

export interface SearchRequest extends ClientRequest, Client {
  /** As a proxy that can be believed says; `undefined` where it is unknown. */
  readonly country: string | undefined;
  /** Only with the admin token. */
  readonly isExplained: boolean;
  /** Only with the admin token. */
  readonly forcedVariant: string | undefined;
  readonly afterReply: AfterReply;
}

export interface Assignment {
  readonly variant: string;
  readonly treatment: Treatment;
  /** Key of the experiment that the unit takes part in. */
  readonly experiment: string | undefined;
  /** That experiment, where it is one of ours. */
  readonly running?: Experiment | undefined;
  /** Randomisation unit: the session or user id that the client sent. */
  readonly unit: string | undefined;
  /** A guardrail has switched the variant off: the search stays in its arm, in the engine's order. */
  readonly isSwitchedOff: boolean;
  /** A crawler: in no experiment, and recorded nowhere. */
  readonly isBot: boolean;
}

/** One search under way. */
export interface Search {
  readonly request: SearchRequest;
  readonly deps: EdgeDeps;
  readonly index: IndexDeps;
  readonly plan: SearchPlan;
  readonly assignment: Assignment;
  /** Item ids that the shopper viewed, most recent first. */
  readonly history: readonly string[];
  /** The shop's rules that fit it; `undefined` for none, and where it asked for the engine's order. */
  readonly rules?: Matched | undefined;
  /** Whether its catalogue has rules at all: then its reply is nobody else's. */
  readonly hasRules?: boolean | undefined;
  /** The page without words that it asks for, where its index ranks those. */
  readonly browsed?: Browsed | undefined;
  /** Joins the record of this search and the events that follow it. */
  readonly queryId: string;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The shopper agreed to be recorded under an id. */
  readonly hasConsent: boolean;
}

/** One per hit of a window. */
export interface WindowScores {
  readonly score: ArrayLike<number>;
}

/** The order of one window. */
export interface Ranking {
  /** Indices of the window's hits in the order to show. */
  readonly order: readonly number[];
  readonly listId: string;
  /** `semantic-<version of the published set>` where no model ran. */
  readonly modelVersion: string;
  readonly knownHistory: number;
  /** `undefined` when the order was remembered from another page. */
  readonly scores: WindowScores | undefined;
  /** Of each hit of the window, for explanations. */
  readonly why?: readonly (readonly Reason[])[] | undefined;
}

/** Re-ranked, or left in the engine's order for a reason. */
export type Outcome = { readonly ranking: Ranking } | { readonly bypass: Bypass };

/** One request under way, with the searches that travel in it. */
export interface Batch {
  readonly request: SearchRequest;
  readonly deps: SearchDeps;
  readonly plan: RequestPlan;
  /** Parallel to the plan's searches. */
  readonly searches: readonly Search[];
  /** By the clock that nobody sets. */
  readonly begunAt: number;
  /** So far, by the same clock: for the engine, and for other lists before the engine was asked, which the ranking's budget pays for. */
  readonly waited: { engineMs: number; listsMs: number };
}

export interface OrderNotes {
  /** Parallel to the shown hits: who placed each in an interleaved order. */
  readonly teams?: readonly Team[] | undefined;
  /** Parallel to the shown hits: the probability of each at its position. */
  readonly propensities?: readonly number[] | undefined;
  /** The order that was not shown, as indices of the window's hits. */
  readonly shadow?: readonly number[] | undefined;
}

export interface SearchRuled extends Ruled {
  /** The order if one rule were not there. Only where chance has swapped a pair, as the record needs it nowhere else. */
  readonly without?: ((rule: string) => readonly number[]) | undefined;
}

export interface SearchResult {
  readonly outcome: Outcome;
  /** For the analysis of an order that is not simply a model's. */
  readonly notes?: OrderNotes | undefined;
  /** What the shop's rules did; absent where none fits, or none could be applied. */
  readonly ruled?: SearchRuled | undefined;
  /** The edited page; `undefined` where the engine's reply stays as it is. */
  readonly page: Shown | undefined;
}

export interface Shown {
  /** The engine's, from `firstRank` on. */
  readonly hits: readonly Hit[];
  /** The shown ones, as indices of `hits`. */
  readonly indices: readonly number[];
  /** 0-based engine rank of the first of `hits`. */
  readonly firstRank: number;
  /** As of a SearchReply. */
  readonly queryId?: SearchReply["queryId"];
}

/** The engine's reply, and its edited body. */
export type BatchResult = {
  /** Parallel to the searches. */
  readonly results: readonly SearchResult[];
  /** The shown hits of each search; read once, when first asked for. */
  readonly shown: () => readonly Shown[];
} &
  /** With hits moved or cut. `isWidened`: `reply` answers another request than the shopper's. */
  (
    | { readonly kind: "edited"; readonly reply: EngineReply; readonly body: Uint8Array<ArrayBuffer>; readonly isWidened: boolean }
    /** Byte for byte. */
    | { readonly kind: "untouched"; readonly reply: EngineReply }
    /** The engine gave no reply. */
    | { readonly kind: "none"; readonly bypass: Bypass }
  );
