/**
 * A search engine's dialect: how a request names its page and its query, how the request for the whole window is written, where a reply
 * holds its hits, and how the engine words an error.
 *
 * One file per engine implements this. A dialect reads and edits bytes: it sends nothing, knows no variant and no model, and never rejects.
 */
import type { ItemValue, ItemValues } from "../ranking/item-values.ts";
import type { Bypass, Result } from "../result.ts";

/** The most that one request may hold. Beyond it the request is refused. */
export interface RequestLimits {
  /** Of the body: 413. */
  readonly bodyBytes: number;
  /** Searches that travel together. */
  readonly searches: number;
  /** Members and elements of the body, on all levels together. */
  readonly members: number;
  /** Levels of objects and lists. */
  readonly depth: number;
  /** Of the URL or of a form. */
  readonly params: number;
  /** Of range facets, for which an engine sets memory aside without a bound of its own. */
  readonly buckets: number;
}

/** The shopper's request, already limited in size. */
export interface ClientRequest {
  readonly method: "GET" | "POST";
  /** As in the URL, not decoded. */
  readonly path: string;
  /** With its question mark, or empty: as in the URL, not decoded. */
  readonly search: string;
  /** Empty when there is none. */
  readonly body: Uint8Array;
  /** Default: those of REQUEST_LIMITS. */
  readonly limits?: RequestLimits | undefined;
  /** Of the body, as the client names it. */
  readonly contentType?: string | undefined;
  /** The types of reply that the client takes. */
  readonly accept?: string | undefined;
}

export type CallMethod = "GET" | "HEAD" | "POST" | "DELETE";

/** A request to the engine: a path and query below its configured URL. */
export interface EngineRequest {
  readonly method: CallMethod;
  /** Begins with a slash. */
  readonly path: string;
  readonly search: string;
  readonly body: Uint8Array | undefined;
  /** The type as which the body was read, where the engine must not read it as another one. Default: the client's. */
  readonly contentType?: string | undefined;
  /** The type of reply that the dialect reads, where the engine would answer clients that prefer another one in it. Default: the client's. */
  readonly accept?: string | undefined;
}

/** One search, as far as its dialect can tell. */
export interface SearchPlan {
  /** A name from the configuration. */
  readonly index: string;
  /** The words that the shopper typed; `undefined` when the request names none. */
  readonly queryText: string | undefined;
  /** First wanted hit, 0-based. */
  readonly offset: number;
  /** Only the engine knows how many hits come before this page: `offset` is a guess, or 0. Default: false. See placeOf(). */
  readonly isPlaceUnknown?: boolean | undefined;
  /** Wanted hits, at least 1 where there is no bypass. */
  readonly limit: number;
  /** Cursor pagination. Cursors are opaque, so the request cannot be widened: re-rank this page only. */
  readonly isCursored: boolean;
  /**
   * The widened request asks for more than hits (for marks of pins, say, which the reply loses again), so it is sent too where it would ask for the
   * shopper's own. Of a cursored search, it keeps the page. Default: false.
   */
  readonly isAlwaysWidened?: boolean | undefined;
  /** Why this search must not be re-ranked. */
  readonly bypass: Bypass | undefined;
  /** Item ids from the body's own extension field, most recent first. */
  readonly history: readonly string[];
  /** Field → values of the request's filters, all of which hold; `undefined` where they are written in a way that the dialect does not read. */
  readonly filters?: (() => ReadonlyMap<string, readonly string[]> | undefined) | undefined;
  /** Fields of UBI's `ext.ubi` that the exposure record repeats. */
  readonly ubi: Readonly<Record<"queryId" | "clientId" | "application" | "objectIdField", string | undefined>>;
  /** The request without paging and tracking: equal for all pages of one search, and for no other search. */
  readonly identity: string;
}

/** Requests of which the edge does not know where in the whole list their page begins. */
const PLACELESS: ReadonlySet<string> = new Set(["cursor", "request_not_understood"]);

/** 0-based place of the page's first hit in the whole list; `undefined` where only the engine knows it. */
export function placeOf({ offset, isPlaceUnknown, bypass }: SearchPlan): number | undefined {
  return isPlaceUnknown === true || (bypass !== undefined && PLACELESS.has(bypass.reason)) ? undefined : offset;
}

/** One request: a search, or several that travel together. */
export interface RequestPlan {
  /** At least one, in the order of the request. */
  readonly searches: readonly SearchPlan[];
  /** The request could hold several, even if it holds one. */
  readonly isMulti: boolean;
  /** The shopper's own request, without parts that are meant for the edge. */
  readonly own: EngineRequest;
  /** The request to be re-ranked, with search i asking for hits [0, sizes[i]); everything else, and searches without a size, as in `own`. */
  widen(sizes: readonly (number | undefined)[]): EngineRequest;
  /** Reads the engine's reply to `own` or to a widened request. Reasons: reply_not_json, reply_not_search. */
  parseReply(bytes: Uint8Array): Result<RequestReply, Bypass>;
}

/** A call beside the searches, already limited in size. */
export interface CallRequest extends Omit<ClientRequest, "method" | "path"> {
  readonly method: CallMethod;
  /** Parts of the path that its pattern names, decoded. */
  readonly names: Readonly<Record<string, string>>;
}

export interface PlannedCall {
  /** At least one: whose engine is asked. They must share it. */
  readonly indexes: readonly string[];
  readonly request: EngineRequest;
}

/** A call that stock pages make beside their searches: it goes on as it is (calls.ts). */
export interface SideCall {
  readonly methods: readonly CallMethod[];
  /** A pattern of Hono. */
  readonly path: string;
  /** Whether it passes with the edge's own key. */
  readonly isOpen: boolean;
  /** A shop may have a page at this path, which goes before (STOREFRONT_URL). Default: false. */
  readonly isShops?: boolean | undefined;
  plan(request: CallRequest): Result<PlannedCall, Refusal>;
}

/** A request that must not reach the engine. */
export interface Refusal {
  readonly status: 400 | 403 | 404;
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
  /** Of a list that the engine sorts before it looks at relevance (in stock first, say): from 0, never falling, and no hit leaves its own. */
  readonly section?: number | undefined;
  /** Fresher than the stored ones, where the configuration says where. */
  readonly values: ItemValues | undefined;
}

/** One search in a reply. */
export interface SearchReply {
  readonly hits: readonly Hit[];
  /** The engine has so many hits, or more. Absent where it does not say, or only guesses. */
  readonly total?: number | undefined;
  /** Why the engine's order must stay, where only the reply shows it: a redirect, a curated list. */
  readonly bypass: Bypass | undefined;
  /** The engine's own name of this search, which its clients' events repeat. Default: it has none. */
  readonly queryId?: (() => string | undefined) | undefined;
  /** The texts, numbers and flags that a hit has at a path (dots between levels), for rules that name a field. Default: nothing is known. */
  readonly valuesOf?: ((hit: number, path: string) => readonly FieldValue[]) | undefined;
}

export type FieldValue = string | number | boolean;

export interface RequestReply {
  /** Parallel to the plan's searches. Reasons: engine_status, reply_not_search, duplicate_ids. */
  readonly searches: readonly Result<SearchReply, Bypass>[];
  /**
   * The reply with, for each search, exactly these hits (indexes of its `hits`), in this order; all other bytes, and fields that echo
   * paging, as for `plan.own`. A search without an order stays as it is, byte for byte.
   */
  assemble(orders: readonly (readonly number[] | undefined)[]): Uint8Array<ArrayBuffer>;
}

/** On which site a page is: a key may be good on some only, so they go where the client's own key goes. */
export const SITE_HEADERS = ["origin", "referer"] as const;

/** The credentials of engines that take `authorization`. */
export const AUTHORIZATION = { header: "authorization", clientHeaders: ["authorization", ...SITE_HEADERS], clientParams: [] } as const;

/** The header in which most servers take the address of a client that they do not see themselves. */
export const FORWARDED_FOR = "x-forwarded-for";

/** A parameter that keeps the engine's order when it is given, unless with one of these values. */
export interface LeaveCondition {
  readonly name: string;
  readonly unless: readonly string[];
}

/**
 * An engine without a dialect here, whose search is one path with JSON. Names in a request are parameters of the URL (GET) or members of
 * the JSON body (POST), names in a reply are members, both with dots between levels.
 */
export interface GenericOptions {
  /** Where clients send searches, and the path of the engine below its URL. */
  readonly path: string;
  readonly methods: readonly ClientRequest["method"][];
  /** The shopper's words: the first of these that is given. `*` is any element of a list. */
  readonly query: readonly string[];
  /** First wanted hit, 0-based: this or `page`. */
  readonly offset?: string | undefined;
  readonly page?: string | undefined;
  /** Number of the first page. */
  readonly firstPage: number;
  readonly limit: string;
  /** For rules: the parameter whose text or list filters, or by field the parameter with its values. */
  readonly filters?: string | Readonly<Record<string, string>> | undefined;
  /** The most hits that the engine gives at once, for engines that silently give fewer than asked for. */
  readonly maxLimit?: number | undefined;
  /** The list of hits; `$` for a reply that is the list. */
  readonly hits: string;
  /** Member of a hit: the engine's score. */
  readonly score?: string | undefined;
  /** Member of a hit: keeps its position unless this is false, null, zero or empty. */
  readonly pinned?: string | undefined;
  /** Member of a reply: the engine redirects the shopper. */
  readonly redirect?: string | undefined;
  /** Member of a reply: hits may be missing, unless it is false, null, zero or empty. */
  readonly incomplete?: string | undefined;
  /** Member of a reply: a token or a link that leads to the next page. It is the engine's own, so each page is re-ranked within itself. */
  readonly cursor?: string | undefined;
  /** Parameters, and members of a reply, that only sound like paging or sorting. */
  readonly harmless: readonly string[];
  /** The header in which the engine takes a key. Default: `authorization`. */
  readonly keyHeader?: string | undefined;
  readonly leaveAlone: Readonly<Partial<Record<LeaveReason, readonly LeaveCondition[] | undefined>>>;
  /**
   * Numbers of a reply that repeat the page: `begin` and `end` of the shown hits, and `next`, `previous` and `last`, in the way in which requests
   * count; `more`: whether there is a next page, true or false. `total` is only read, to compute `pages` and `last`.
   */
  readonly echo: Readonly<Partial<Record<(typeof ECHOED_NUMBERS)[number], string | undefined>>>;
}

export const LEAVE_REASONS = ["explicit_sort", "cursor", "grouped", "federated", "request_not_understood"] as const;
export type LeaveReason = (typeof LEAVE_REASONS)[number];

export const ECHOED_NUMBERS = [
  "offset",
  "page",
  "limit",
  "count",
  "begin",
  "end",
  "pages",
  "last",
  "next",
  "previous",
  "more",
  "total",
] as const;

/** The configuration of one index, as far as its dialect uses it. */
export interface DialectOptions {
  /** Of the engine: indexes at another address are no indexes of this one. */
  readonly url?: string | undefined;
  /** Member of a hit that holds the id by which the catalogue knows the item, with dots between levels. Default: the engine's own id. */
  readonly idField?: string | undefined;
  /** Members of a hit that hold fresher values than the published ones, with dots between levels. */
  readonly hitFields?: Readonly<Partial<Record<ItemValue, string | undefined>>> | undefined;
  /** Hits of a page for which a request names no number, from 1 to 1000, where the engine's settings decide it. */
  readonly pageSize?: number | undefined;
  /** The number of hits that pages can reach, where the engine's settings decide it: for the backend "algolia". */
  readonly paginationLimitedTo?: number | undefined;
  /** Schemas that searches may read with the edge's key: for the backend "vespa". */
  readonly schemas?: readonly string[] | undefined;
  /** Names in requests and replies: for the backend "generic", which needs them. */
  readonly generic?: GenericOptions | undefined;
  /** Whether the engine gets the client's own key: then the client may do here whatever its key allows there. Default: false. */
  readonly forwardCredentials?: boolean | undefined;
  /**
   * Parameters that clients may send besides those that the edge understands, with the edge's own key too: whatever the engine does with them,
   * the shop allows it. Default: none; for the backend "generic", all.
   */
  readonly allowParams?: readonly string[] | undefined;
}

/** `headers` include the content type. */
export function jsonError(body: object, headers: Readonly<Record<string, string>> = {}): ReturnType<Dialect["describeError"]> {
  return { headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
}

export interface Route {
  readonly path: string;
  readonly methods: readonly ClientRequest["method"][];
  /** For people, where the path is unclear. */
  readonly label?: string | undefined;
  /** With a slash at its end the path is another one. */
  readonly isExact?: boolean | undefined;
}

export interface Dialect {
  readonly name: string;
  /**
   * Paths on which searches arrive, with and without a slash at their end, as patterns of Hono: `:index` is the name of a configured index.
   */
  readonly routes: readonly Route[];
  /** What else stock clients ask. Nothing but this and searches has a route. */
  readonly calls: readonly SideCall[];
  /** Where keys are: `header` takes the edge's own; clients send theirs in headers, or in parameters of the URL. */
  readonly credentials: { readonly header: string } & Readonly<Record<"clientHeaders" | "clientParams", readonly string[]>>;
  /** Headers of clients that go to this engine, besides those that go to all engines. */
  readonly clientHeaders: readonly string[];
  /** In which its clients name their shopper: a randomisation unit where nothing of the edge's own is sent. Default: none. */
  readonly shopperHeaders?: readonly string[] | undefined;
  /** Where the engine takes events of its clients. Default: nowhere. */
  readonly eventsPath?: string | undefined;
  /** In which the engine takes the client's address, where the configuration sends it. Default: FORWARDED_FOR. */
  readonly addressHeader?: string | undefined;
  /** `index`: the name in the path, decoded; `undefined` where the route has none. */
  plan(request: ClientRequest, index: string | undefined): Result<RequestPlan, Refusal>;
  /** An error of the edge in the engine's words, so that its client libraries understand it. `type` is snake_case. */
  describeError(
    status: number,
    type: string,
    message: string,
  ): { readonly headers: Readonly<Record<string, string>>; readonly body: string };
}

/** Limits of an engine that no configuration can lift, but for `usualWindow`. */
export interface DialectLimits {
  /** The most hits that the engine gives at once. */
  readonly maxWindow: number;
  /** The most that it gives unless its own settings say otherwise. */
  readonly usualWindow?: number | undefined;
  /** 1 for engines whose requests name no index. */
  readonly maxIndexes: number;
}

/** A dialect with the indexes that speak it, by name. */
export type CreateDialect = (indexes: ReadonlyMap<string, DialectOptions>) => Dialect;
