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
  /** What the body was read as, where an engine that reads it as something else would do something else; else as the client says. */
  readonly contentType?: string | undefined;
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
  /** How people are told of it, where `path` alone says too little. */
  readonly label?: string;
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

/** What makes the edge leave a search alone: a parameter that is asked for, with any other value than these. */
export interface LeaveCondition {
  readonly name: string;
  readonly unless: readonly string[];
}

/**
 * An engine without a dialect of its own, whose search is one path with JSON. Names in a request are parameters of the URL (GET) or members
 * of the JSON body (POST), names in a reply are members; of those, with dots between the names of each level.
 */
export interface GenericOptions {
  /** Where clients send searches, and the path of the engine below its URL. */
  readonly path: string;
  readonly methods: readonly ClientRequest["method"][];
  /** What the shopper typed: the first of these that is there. `*` is any element of a list. */
  readonly query: readonly string[];
  /** First wanted hit, 0-based: this or `page`. */
  readonly offset?: string | undefined;
  readonly page?: string | undefined;
  /** Number of the first page. */
  readonly firstPage: number;
  readonly limit: string;
  /** An engine that gives fewer hits than it is asked for, and says nothing, would lose some: the most that it gives at once. */
  readonly maxLimit?: number | undefined;
  /** The list of hits; `$` for a reply that is the list. */
  readonly hits: string;
  /** Of a hit: the engine's own score. */
  readonly score?: string | undefined;
  /** Of a hit: whether it keeps its place. Anything but false, null, zero and what is empty. */
  readonly pinned?: string | undefined;
  /** Of a reply: where the engine sends the shopper elsewhere. */
  readonly redirect?: string | undefined;
  /** Parameters that only sound like paging or sorting. */
  readonly harmless: readonly string[];
  /** In which the engine takes a key; default `authorization`. */
  readonly keyHeader?: string | undefined;
  readonly leaveAlone: Readonly<Partial<Record<LeaveReason, readonly LeaveCondition[] | undefined>>>;
  /** Numbers of a reply that say which page it is. `total` is only read, to know how many `pages` there are. */
  readonly echo: Readonly<Partial<Record<EchoedNumber, string | undefined>>>;
}

export const LEAVE_REASONS = ["explicit_sort", "cursor", "grouped", "federated", "request_not_understood"] as const;
export type LeaveReason = (typeof LEAVE_REASONS)[number];

export const ECHOED_NUMBERS = ["offset", "page", "limit", "count", "pages", "total"] as const;
export type EchoedNumber = (typeof ECHOED_NUMBERS)[number];

/** What the configuration says of one index to its backend. */
export interface DialectOptions {
  /** Where a hit holds the id by which the catalogue knows the item: member names with dots between them. Default: the engine's own id. */
  readonly idField?: string | undefined;
  /** Where a hit holds values that are fresher than the stored ones: paths as above. */
  readonly hitFields?: Readonly<Partial<Record<ItemValue, string | undefined>>> | undefined;
  /** How many hits a page has for which a request names no number, where the engine keeps that in the index's settings (Algolia). */
  readonly pageSize?: number | undefined;
  /** For the backend "generic". */
  readonly generic?: GenericOptions | undefined;
  /** Whether the engine sees the client's own key and none of the edge's: such a client may do here whatever it may do there. */
  readonly forwardCredentials?: boolean | undefined;
}

export interface Dialect {
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
export interface DialectLimits {
  /** The engine gives no more hits at once. */
  readonly maxWindow: number;
  /** Without an index in its requests, a dialect can serve one. */
  readonly maxIndexes: number;
}

/** A dialect with the indexes that speak it, by name. */
export type CreateDialect = (indexes: ReadonlyMap<string, DialectOptions>) => Dialect;
