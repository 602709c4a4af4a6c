/**
 * What the edge needs to know of a search engine's dialect: how a request names its page and its query, how the request for the whole
 * window looks, where the hits stand in a reply, and how the engine words an error.
 *
 * One file per engine fills this; `create.ts` maps names to factories. A backend reads and edits bytes: it sends nothing, knows no
 * variant and no model, and never rejects.
 */
import type { Bypass, Result } from "../result.ts";

/** What the shopper sent, limited in size before it comes here. */
export interface ClientRequest {
  readonly method: "GET" | "POST";
  /** With its question mark, or empty: as in the URL, not decoded. */
  readonly search: string;
  /** Empty when there is none. */
  readonly body: Uint8Array;
}

/** What goes to the engine: a path and query below its configured URL. */
export interface EngineRequest {
  readonly method: "GET" | "POST";
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
  /** What the shopper typed; `undefined` when the request does not say. */
  readonly queryText: string | undefined;
  /** First wanted hit, 0-based. */
  readonly offset: number;
  /** Wanted hits, at least 1 where there is no bypass. */
  readonly limit: number;
  /** Why this request must not be re-ranked. */
  readonly bypass: Bypass | undefined;
  /** Item ids from the body's own extension field, most recent first. */
  readonly history: readonly string[];
  readonly ubi: UbiFields;
  /** The shopper's own request; only what was meant for the edge is cut out. */
  readonly own: EngineRequest;
  /** The same for all pages of one search, and for no other search: the request without paging and without tracking. */
  readonly identity: string;
  /** The request for hits [0, size); everything else as in `own`. */
  widen(size: number): EngineRequest;
}

/** One hit of a reply, in the engine's order. */
export interface Hit {
  readonly itemId: string;
  /** The engine's own score, where it gives a finite one that compares with the others. */
  readonly score: number | undefined;
  /** Promoted by the engine or the merchandiser: keeps its slot. */
  readonly isPinned: boolean;
}

export interface SearchReply {
  readonly hits: readonly Hit[];
  /** The reply with exactly these hits (places in `hits`), in this order; all other bytes, and fields that echo paging, as for `plan`. */
  assemble(places: readonly number[]): Uint8Array<ArrayBuffer>;
}

export interface EngineErrorBody {
  readonly contentType: string;
  readonly body: string;
}

/** Where searches of a dialect arrive. */
export interface Route {
  /** As Hono writes it; `:index` is the name of a configured index. */
  readonly path: string;
  readonly methods: readonly ClientRequest["method"][];
}

export interface BackendOptions {
  /** Where a hit holds the id by which the catalogue knows the item: member names with dots between them. Default: the engine's own id. */
  readonly idField?: string | undefined;
}

export interface Backend {
  readonly name: string;
  readonly routes: readonly Route[];
  /** The engine's own code for an index that is not there; the clients tell it from other errors. */
  readonly indexNotFound: string;
  /** Why a request must not reach the engine at all: it asks for something else than a search. `undefined` for a search. */
  refuse(request: ClientRequest): string | undefined;
  /** `index` is a name from the configuration. */
  plan(index: string, request: ClientRequest): SearchPlan;
  /** Reasons: reply_not_json, reply_not_search, duplicate_ids. */
  parseReply(bytes: Uint8Array, plan: SearchPlan): Result<SearchReply, Bypass>;
  /** Adds one last top-level member to a reply of this engine; the same bytes where that cannot be done. */
  annotate(bytes: Uint8Array<ArrayBuffer>, key: string, value: unknown): Uint8Array<ArrayBuffer>;
  /** An error of the edge in the engine's words, so that its client libraries understand it. `type` is snake_case. */
  describeError(status: number, type: string, message: string): EngineErrorBody;
}
