/**
 * What the edge needs to know of a search engine's dialect: how a request names its page and its query, how the request for the whole
 * window looks, where the hits stand in a reply, and how the engine words an error.
 *
 * One file per engine fills this; `create.ts` maps names to factories. A backend reads and edits bytes: it sends nothing, knows no
 * variant and no model, and never rejects.
 */
import type { ItemValue, ItemValues } from "../ranking/item-values.ts";
import type { Bypass, Result } from "../result.ts";

/** What the shopper sent, limited in size before it comes here. */
export interface ClientRequest {
  readonly method: "GET" | "POST";
  /** As in the URL, not decoded. */
  readonly path: string;
  /** With its question mark, or empty: as in the URL, not decoded. */
  readonly search: string;
  /** Empty when there is none. */
  readonly body: Uint8Array;
}

/** What goes to the engine: a path and query below its configured URL. */
export interface EngineRequest {
  readonly method: "GET" | "HEAD" | "POST";
  /** Begins with a slash. */
  readonly path: string;
  readonly search: string;
  readonly body: Uint8Array | undefined;
}

/** Fields of UBI's `ext.ubi` that the exposure record repeats. */
export interface UbiFields {
  readonly queryId: string | undefined;
  readonly clientId: string | undefined;
  readonly application: string | undefined;
  readonly objectIdField: string | undefined;
}

/** One search, as far as its dialect can tell. */
export interface SearchPlan {
  /** A name from the configuration. */
  readonly index: string;
  /** What the shopper typed; `undefined` when the request does not say. */
  readonly queryText: string | undefined;
  /** First wanted hit, 0-based. */
  readonly offset: number;
  /** Wanted hits, at least 1 where there is no bypass. */
  readonly limit: number;
  /** Cursors tell nobody but the engine where they point: such a search is re-ranked within its page, never within a wider one. */
  readonly isCursored: boolean;
  /** Why this search must not be re-ranked. */
  readonly bypass: Bypass | undefined;
  /** Item ids from the body's own extension field, most recent first. */
  readonly history: readonly string[];
  readonly ubi: UbiFields;
  /** The same for all pages of one search, and for no other search: the request without paging and without tracking. */
  readonly identity: string;
}

/** One request: a search, or several that travel together. */
export interface RequestPlan {
  /** At least one, in the order of the request. */
  readonly searches: readonly SearchPlan[];
  /** The request has room for several, however many there are. */
  readonly isMulti: boolean;
  /** The shopper's own request; only what was meant for the edge is cut out. */
  readonly own: EngineRequest;
  /** The request with search i asking for hits [0, sizes[i]); everything else, and searches without a size, as in `own`. */
  widen(sizes: readonly (number | undefined)[]): EngineRequest;
}

/** A request that must not reach the engine. */
export interface Refusal {
  readonly status: 400 | 404;
  /** snake_case, or the dialect's own code. */
  readonly type: string;
  /** Names the value and the fix. */
  readonly message: string;
}

/** One hit of a reply, in the engine's order. */
export interface Hit {
  readonly itemId: string;
  /** The engine's own score, where it gives a finite one that compares with the others. */
  readonly score: number | undefined;
  /** Promoted by the engine or the merchandiser, or no product: keeps its slot. */
  readonly isPinned: boolean;
  /** Fresher than the stored ones, where the configuration says where. */
  readonly values: ItemValues | undefined;
}

/** What a reply holds of one search. */
export interface SearchReply {
  readonly hits: readonly Hit[];
  /** Why the engine's order must stay, where only the reply tells: a redirect, a list that was put together by hand. */
  readonly bypass: Bypass | undefined;
}

export interface RequestReply {
  /** Parallel to the plan's searches. Reasons: engine_status, reply_not_search, duplicate_ids. */
  readonly searches: readonly Result<SearchReply, Bypass>[];
  /**
   * The reply with, for each search, exactly these hits (places in its `hits`), in this order; all other bytes, and fields that echo
   * paging, as for `plan.own`. A search without places stays as it is, byte for byte.
   */
  assemble(places: readonly (readonly number[] | undefined)[]): Uint8Array<ArrayBuffer>;
}

export interface EngineError {
  /** With the content type. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where searches of a dialect arrive. */
export interface Route {
  /** As Hono writes it; `:index` is the name of a configured index. */
  readonly path: string;
  readonly methods: readonly ClientRequest["method"][];
}

/** What clients ask besides searches, to see whether the engine is there. Passed on and back as it is. */
export interface Probe {
  /** Exact. */
  readonly path: string;
  readonly method: "GET" | "HEAD";
}

/** How a dialect names who asks. */
export interface Credentials {
  /** The header in which the engine takes the edge's own key. */
  readonly header: string;
  /** Headers in which clients send theirs. */
  readonly clientHeaders: readonly string[];
  /** Parameters of the URL in which clients send theirs. */
  readonly clientParams: readonly string[];
}

/** What the configuration says of one index to its backend. */
export interface BackendOptions {
  /** Where a hit holds the id by which the catalogue knows the item: member names with dots between them. Default: the engine's own id. */
  readonly idField?: string | undefined;
  /** Where a hit holds values that are fresher than the stored ones: paths as above. */
  readonly hitFields?: Readonly<Partial<Record<ItemValue, string | undefined>>> | undefined;
}

export interface Backend {
  readonly name: string;
  readonly routes: readonly Route[];
  readonly probes: readonly Probe[];
  readonly credentials: Credentials;
  /** Headers of clients that go to the engine besides those that go to all. */
  readonly clientHeaders: readonly string[];
  /** `index` is what the path names, decoded; `undefined` where the route has no such part. */
  plan(request: ClientRequest, index: string | undefined): Result<RequestPlan, Refusal>;
  /** Reasons: reply_not_json, reply_not_search. */
  parseReply(bytes: Uint8Array, plan: RequestPlan): Result<RequestReply, Bypass>;
  /** Adds one last top-level member to a reply of this engine; the same bytes where that cannot be done. */
  annotate(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer>;
  /** An error of the edge in the engine's words, so that its client libraries understand it. `type` is snake_case. */
  describeError(status: number, type: string, message: string): EngineError;
}

/** What a dialect cannot do, whatever the configuration says. */
export interface BackendLimits {
  /** The engine gives no more hits at once. */
  readonly maxWindow: number;
  /** Without an index in its requests, a dialect can serve one. */
  readonly maxIndexes: number;
}

/** A dialect with the indexes that speak it, by name. */
export type CreateBackend = (indexes: ReadonlyMap<string, BackendOptions>) => Backend;
