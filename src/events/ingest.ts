/**
 * One request with events, top to bottom: read → find the token → check that the item was served → correct the time → deduplicate → sink → an
 * answer for each event.
 *
 * Query, variant, item and position come from the token, not from the client; the time is corrected. Prices and quantities are the client's
 * own.
 */
import { err, ok, type Result } from "../result.ts";
import { type EventFormat, parseTokens, TOKENS_HEADER } from "../protocol.ts";
import { DAY_MS, sha256Hex } from "../web.ts";
import { type ClientBatch, type ClientEvent, MAX_ITEMS, MAX_MONEY, MAX_TOKENS, REVERSALS } from "./client-batch.ts";
import type { EventCounters } from "./counters.ts";
import type { AfterReply, RetryingSink } from "./sink.ts";
import type { UnitHash } from "./keys.ts";
import { findNamed, type FindSearches, isExpired, type RecentTokens } from "./searches.ts";
import { type EventTokens, type OpenToken, queryIdOf, type TokenProblem } from "./token.ts";
import { orderNumbersOf } from "./order.ts";
import { markSuspects, type PricedEvent, type PublishedPrices } from "./published-price.ts";
import { readEvents } from "./readers.ts";
import { ACTION_NAMES, ACTIONS, type ActionName, createEventRecord, type ServedEvent } from "./ubi.ts";

/** Public: clients read them, so a code is never renamed, only added. */
export type RejectionReason =
  | "malformed" // not of the form that the format asks for
  | "action_unknown"
  | "token_missing" // neither a token nor a query id of a token that came along
  | "search_unknown" // a query id without a token, of a search that is not recorded here
  | "token_invalid" // not one of ours, or changed
  | "token_expired"
  | "item_not_served" // none of the given tokens belongs to a list with this item
  | "timestamp_in_future"
  | "consent_missing" // a signed order that only names the shopper, who did not agree to be recorded
  | "bot";

export interface Rejection {
  /** Index of the event in the request, from 0. */
  readonly index: number;
  readonly reason: RejectionReason;
  readonly message: string;
}

export interface IngestDeps {
  readonly tokens: EventTokens;
  /** For events that name their search by a query id alone; absent: they need its token. */
  readonly recent?: RecentTokens | undefined;
  /** For those that `recent` does not know; absent where there is no database that can be asked. */
  readonly findSearches?: FindSearches | undefined;
  readonly sink: RetryingSink;
  readonly counters: EventCounters;
  /** That of the tokens' units. */
  readonly hashUnit?: UnitHash | undefined;
  readonly publishedPrices?: PublishedPrices | undefined;
  /** Of signed orders that name none; `undefined` where the edge has several. */
  readonly application?: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export interface IngestRequest {
  readonly format: EventFormat;
  /** Parsed JSON. */
  readonly body: unknown;
  /** The request's TOKENS_HEADER: tokens of the searches that the events follow. */
  readonly tokens: string | undefined;
  readonly hasConsent: boolean;
  readonly isBot: boolean;
  /** The shop's own server sent it (signature.ts). */
  readonly isSigned?: boolean | undefined;
  readonly afterReply: AfterReply;
}

/** `index` of a rejection is the event's; an event about several items can be rejected for some of them. */
export interface IngestReport {
  /** Written, or kept to be written. */
  readonly accepted: number;
  /** Counted before, as far as the sink knows. */
  readonly duplicates: number;
  readonly rejected: readonly Rejection[];
}

/** Nothing of the request was taken: the client mends it (`malformed`), or sends it again later (`sink_unavailable`). */
type IngestFailure = { readonly code: "malformed" | "sink_unavailable"; readonly message: string };

/** Shared by all events of a request. */
interface Context {
  readonly batch: ClientBatch;
  readonly hasConsent: boolean;
  readonly open: (token: string) => Promise<Result<OpenToken, TokenProblem>>;
  /** Query id → its tokens in this request. */
  readonly byQuery: ReadonlyMap<string, readonly string[]>;
  /** Query id → its searches, of those that events name without a token. */
  readonly recorded: ReadonlyMap<string, readonly OpenToken[]>;
  /** Those that came with the request, for events that name none. */
  readonly common: readonly string[];
  /** Whether query ids alone can be looked up. */
  readonly isLookedUp: boolean;
  readonly isSigned: boolean;
  readonly application: string | undefined;
  readonly hashUnit: UnitHash | undefined;
  /** By our clock, milliseconds since 1970. */
  readonly receivedAtMs: number;
}

/** Of an item with a token, in one request: each is an HMAC. */
const MAX_CHECKS = 5000;

type Refusal = Omit<Rejection, "index">;

export async function ingest(request: IngestRequest, deps: IngestDeps): Promise<Result<IngestReport, IngestFailure>> {
  const receivedAtMs = deps.now();
  const read = readEvents(request.format, request.body);
  if (!read.ok) return err({ code: "malformed", message: read.error });
  const batch = read.value;
  const common = parseTokens([request.tokens ?? "", ...batch.tokens].join());
  if (batch.events.length > MAX_ITEMS)
    return err({ code: "malformed", message: `Events about more than ${MAX_ITEMS} items: send less at once` });
  const known = new Set([...common, ...batch.events.flatMap(({ event }) => (event.ok ? parseTokens(event.value.token ?? "") : []))]);
  if (known.size > MAX_TOKENS) return err({ code: "malformed", message: `More than ${MAX_TOKENS} tokens: send less at once` });

  const byQuery = new Map<string, readonly string[]>(Map.groupBy(known, (token) => queryIdOf(token) ?? ""));
  const recorded = await findNamed(batch, byQuery, deps);
  if (!recorded.ok) return err(recorded.error);

  const context: Context = {
    batch,
    hasConsent: request.hasConsent || batch.hasConsent,
    open: openOnce(deps.tokens),
    byQuery,
    recorded: recorded.value,
    common,
    isLookedUp: deps.findSearches !== undefined || deps.recent !== undefined,
    isSigned: request.isSigned === true,
    application: deps.application,
    hashUnit: deps.hashUnit,
    receivedAtMs,
  };
  const checks = batch.events.reduce((sum, { event }) => sum + (event.ok ? candidatesOf(event.value, context).length : 0), 0);
  if (checks > MAX_CHECKS) return err({ code: "malformed", message: "Too many tokens for events that name none: name each event's token" });

  const checked = await Promise.all(
    batch.events.map(async ({ index, event }) => {
      if (request.isBot && !context.isSigned) return { index, result: refuse("bot", "Crawlers are not counted") };
      return { index, result: event.ok ? await checkEvent(event.value, context) : refuse("malformed", event.error) };
    }),
  );
  const rejected = checked.flatMap(({ index, result }) => (result.ok ? [] : [{ index, ...result.error }]));
  const served = checked.flatMap(({ result }) => (result.ok ? [result.value] : []));
  // The first of those that are the same, as in the store.
  const different = [...new Map(served.toReversed().map((each) => [each.event.event_id, each])).values()].toReversed();
  const events = await markSuspects(different, deps.publishedPrices);

  const written =
    events.length === 0 ? ok({ written: 0, duplicates: 0, deferred: 0 }) : await deps.sink.writeEvents(events, request.afterReply);
  if (!written.ok) return err({ code: "sink_unavailable", message: "The events could not be kept: send them again later" });
  const accepted = written.value.written + written.value.deferred;
  const duplicates = written.value.duplicates + served.length - events.length;
  deps.counters.countEvents("accepted", accepted);
  deps.counters.countEvents("duplicates", duplicates);
  // Only beside an event that a token proves.
  if (accepted > 0 && batch.waitedMs !== undefined) deps.counters.countWait(batch.waitedMs);
  deps.counters.countSuspectPrices(events.filter(({ price_suspect: isSuspect }) => isSuspect === true).length);
  for (const { reason } of rejected) deps.counters.countRejected(reason);
  return ok({ accepted, duplicates, rejected });
}

/** The same token is verified once. */
function openOnce(tokens: EventTokens): Context["open"] {
  const opened = new Map<string, Promise<Result<OpenToken, TokenProblem>>>();
  return (token) => {
    const known = opened.get(token) ?? tokens.open(token);
    opened.set(token, known);
    return known;
  };
}

function refuse(reason: RejectionReason, message: string): Result<never, Refusal> {
  return err({ reason, message });
}

async function checkEvent(event: ClientEvent, context: Context): Promise<Result<PricedEvent, Refusal>> {
  const named = ACTION_NAMES[event.action] ?? event.action;
  const action = ACTIONS.find((name) => name === named);
  if (action === undefined) return refuse("action_unknown", `"${event.action}" is not an action: use ${ACTIONS.join(", ")}`);
  if ((event.price ?? 0) * (event.quantity ?? 1) > MAX_MONEY) return refuse("malformed", `price times quantity is above ${MAX_MONEY}`);
  const { batch, receivedAtMs } = context;
  const hasConsent = context.hasConsent || event.isConsented === true;
  const found = await findSource(event, action, hasConsent, context);
  if (!found.ok) return found;
  const source = found.value;
  const { happenedAtMs } = event;
  const time = correctTime({ happenedAtMs, sentAtMs: batch.sentAtMs, receivedAtMs, notBeforeMs: source.issuedAtMs });
  if (!time.ok) return refuse(time.error, "The event lies in the future: send `sent_at` by the same clock");
  const unit = hasConsent ? source.unit : undefined;
  const namedId = hasConsent ? (event.clientId ?? batch.clientId) : undefined;
  // Never the id itself, under whatever name it came.
  const hashed = namedId === undefined || namedId === "" ? undefined : await context.hashUnit?.(namedId);
  const clientId = source.otherUnit ?? (hashed === unit ? undefined : hashed);
  const { application, queryId, experiment, variant, team, position, isOnPage, isSponsored } = source;
  const { currency } = event;
  const { quantity, price } = inPieces(event);
  const eventName = withoutIds(event.eventName, [event.clientId, ...(event.unitIds ?? []), batch.clientId]);
  const order = await orderNumbersOf({ ...event, action, application, isSigned: context.isSigned }, context.hashUnit);
  const { itemId = order?.order_id ?? "", itemId: ofItem } = event;
  const objectType = ofItem === undefined ? "order" : "product";
  const place = { position, isOnPage };
  const record = createEventRecord({ application, action, queryId, clientId, itemId, ...place, objectType, timeMs: time.value });
  const served: ServedEvent = {
    // 128 bits of SHA-256. Without an id of the client's, who could count an item as often as it makes up ids.
    event_id: order?.event_id ?? (await sha256Hex(JSON.stringify([source.id, action, itemId]))).slice(0, 32),
    ...record,
    ...(unit !== undefined && { unit }),
    ...(quantity !== undefined && { quantity }),
    ...(price !== undefined && { price }),
    ...(currency !== undefined && { currency }),
    ...(order !== undefined && { order_id: order.order_id, ...(order.line !== undefined && { line: order.line }) }),
    ...(team !== undefined && { team }),
    event_attributes: {
      ...record.event_attributes,
      armmt: {
        ...(experiment !== undefined && { experiment }),
        ...(variant !== undefined && { variant }),
        ...(context.isSigned && order !== undefined && { is_signed: true as const }),
        ...(eventName !== undefined && { event_name: eventName }),
        ...(isSponsored && { is_sponsored: true as const }),
      },
    },
  };
  return ok({ event: served, unitPrice: event.price });
}

/** The search that an event follows, as a token proves it, or as a server of the shop says. */
interface Source extends Pick<OpenToken, "application" | "queryId" | "experiment" | "unit" | "id" | "issuedAtMs"> {
  readonly variant: string | undefined;
  readonly position: number | undefined;
  readonly isOnPage: boolean;
  readonly team: ServedEvent["team"];
  readonly isSponsored: boolean;
  /** The shopper under another id, where it is not known by which one they searched. */
  readonly otherUnit?: string | undefined;
}

async function findSource(event: ClientEvent, action: ActionName, hasConsent: boolean, context: Context): Promise<Result<Source, Refusal>> {
  const found = await findToken(event, context);
  if (!found.ok) return context.isSigned ? signedSource(event, action, hasConsent, context, found.error) : found;
  const { token, position } = found.value;
  const { id, application, queryId, experiment, variant, unit, issuedAtMs, offset } = token;
  const isPlaced = event.itemId === undefined || offset !== undefined;
  return ok({
    id,
    application,
    queryId,
    experiment,
    variant,
    unit,
    issuedAtMs,
    position: event.itemId === undefined ? position : (offset ?? 0) + position,
    isOnPage: !isPlaced,
    team: token.teamAt(position),
    isSponsored: event.itemId !== undefined && token.isSlot(position),
  });
}

/**
 * An order that the shop's server signed: it names its search or its shopper, and the report finds the arm. `otherwise`: why no token does. An order
 * comes weeks later than its search, or from a page that lost the token; an item that the named search did not serve is the shopper's only.
 */
async function signedSource(
  { queryId, token, unitIds = [], orderId, application = "" }: ClientEvent,
  action: ActionName,
  hasConsent: boolean,
  context: Context,
  otherwise: Refusal,
): Promise<Result<Source, Refusal>> {
  if (orderId === undefined || !(action === "purchase" || REVERSALS.has(action))) {
    return refuse(otherwise.reason, `${otherwise.message}. Without one, a signed event is a purchase, refund or cancel with an order_id`);
  }
  const searchId = otherwise.reason === "item_not_served" ? undefined : (queryId ?? (token === undefined ? undefined : queryIdOf(token)));
  const named = unitIds.flatMap((id) => (id === undefined || id === "" ? [] : [id]));
  const [unit, otherUnit] = await Promise.all(hasConsent ? named.slice(0, 2).map(async (id) => context.hashUnit?.(id)) : []);
  if (searchId === undefined && unit === undefined) {
    if (named.length === 0)
      return refuse(otherwise.reason, `${otherwise.message}, or name its query_id, or the shopper (user_id) with consent`);
    return refuse(
      "consent_missing",
      "The order names its shopper only: say that they agreed to be recorded (consent), or name the query_id",
    );
  }
  const known = application === "" ? context.application : application;
  if (known === undefined) return refuse("malformed", "application: name the index or shop of the search, this edge has several");
  return ok({
    id: "",
    application: known,
    queryId: searchId ?? "",
    experiment: undefined,
    variant: undefined,
    unit,
    otherUnit: otherUnit === unit ? undefined : otherUnit,
    issuedAtMs: 0,
    position: undefined,
    isOnPage: false,
    team: undefined,
    isSponsored: false,
  });
}

/** What is sold by weight or length is one piece at its price. */
function inPieces({ quantity, price }: ClientEvent): Pick<ServedEvent, "quantity" | "price"> {
  const isWhole = quantity === undefined || Number.isInteger(quantity);
  const [pieces, each] = isWhole ? [quantity, price] : [1, price === undefined ? undefined : price * quantity];
  return { ...(pieces !== undefined && { quantity: pieces }), ...(each !== undefined && { price: each }) };
}

/** Shorter ones stand in any text. */
const LEAST_ID = 4;

/** A client's own text, unless an id of the shopper's stands in it. */
function withoutIds(text: string | undefined, ids: readonly (string | undefined)[]): string | undefined {
  return ids.some((id) => id !== undefined && id.length >= LEAST_ID && text?.includes(id) === true) ? undefined : text;
}

function candidatesOf({ token, queryId }: ClientEvent, { byQuery, common }: Context): readonly string[] {
  if (token !== undefined) return parseTokens(token);
  return queryId === undefined ? common : (byQuery.get(queryId) ?? []);
}

/** The first token that served the item. */
async function findToken(
  event: ClientEvent,
  context: Context,
): Promise<Result<{ readonly token: OpenToken; readonly position: number }, Refusal>> {
  const { queryId } = event;
  const candidates = candidatesOf(event, context);
  const recorded = (event.token === undefined && context.recorded.get(queryId ?? "")) || [];
  if (candidates.length === 0 && recorded.length === 0) {
    const token = `the token of the search: the header ${TOKENS_HEADER} of its reply`;
    if (queryId === undefined || !context.isLookedUp) return refuse("token_missing", `Send ${token}`);
    return refuse(
      "search_unknown",
      `No search of the query id ${shown(queryId)} is recorded here. Send one that came with a reply, or ${token}`,
    );
  }
  const current = recorded.filter((search) => !isExpired(search, context.receivedAtMs)).map((search) => ok(search));
  const expired: Result<OpenToken, TokenProblem> = { ok: false, error: "token_expired" };
  const opened = [
    ...(await Promise.all(candidates.map(context.open))),
    ...(recorded.length > 0 && current.length === 0 ? [expired] : current),
  ];
  const usable = opened.flatMap((result) =>
    result.ok && (queryId === undefined || result.value.queryId === queryId) ? [result.value] : [],
  );
  const { itemId } = event;
  // About a whole order: the shopper's own searches show where it came from.
  if (itemId === undefined && usable[0] !== undefined) return ok({ token: usable[0], position: 0 });
  for (const token of itemId === undefined ? [] : usable) {
    const position = await token.positionOf(itemId ?? ""); // oxlint-disable-line no-await-in-loop
    if (position !== undefined) return ok({ token, position });
  }
  if (usable.length > 0) return refuse("item_not_served", `The search served no item "${itemId}"`);
  if (opened.some((result) => !result.ok && result.error === "token_expired")) return refuse("token_expired", "The search is too long ago");
  return refuse("token_invalid", "The token is not one of this edge, or of another query than the event");
}

const shown = (queryId: string): string => JSON.stringify(queryId.slice(0, 64));

/** Tolerated, because clocks are set while pages are open. */
export const FUTURE_TOLERANCE_MS = 5 * 60 * 1000;

/** A clock that is wrong by more is not used at all. */
export const MAX_OFFSET_MS = DAY_MS;

interface ClientTimes extends Pick<Context, "receivedAtMs"> {
  /** By the client's clock. */
  readonly happenedAtMs: number | undefined;
  /** By the client's clock, when it sent the batch. Without it the client's clock is taken for ours. */
  readonly sentAtMs: number | undefined;
  /** By our clock: no event can be older than the search that it follows. */
  readonly notBeforeMs: number;
}

/**
 * The time of an event by our clock, between notBeforeMs and receivedAtMs. Clients' clocks are wrong by seconds, hours or years, but right
 * about how long ago an event was.
 */
export function correctTime({ happenedAtMs, sentAtMs, receivedAtMs, notBeforeMs }: ClientTimes): Result<number, "timestamp_in_future"> {
  if (happenedAtMs === undefined) return ok(receivedAtMs);
  const clientNowMs = sentAtMs ?? receivedAtMs;
  if (happenedAtMs > clientNowMs + FUTURE_TOLERANCE_MS) return err("timestamp_in_future");
  const offsetMs = receivedAtMs - clientNowMs;
  if (Math.abs(offsetMs) > MAX_OFFSET_MS) return ok(receivedAtMs);
  return ok(Math.max(notBeforeMs, Math.min(receivedAtMs, happenedAtMs + offsetMs)));
}
