/**
 * Events as clients send them, in three formats, and their common form: UBI 1.3 records in a batch with tokens (`/events`), Algolia's Insights
 * API (`POST /1/events`) and Metarank's feedback API (`POST /feedback`, one event or a list).
 *
 * Reads shapes only: ingest.ts decides whether a token is ours, an item was served or a time makes sense. Positions are not read: the token
 * knows them. Events about filters, items, users, or after no search, are refused: they belong to no served list.
 */
import * as v from "valibot";
import { userTokenOf } from "../protocol.ts";
import { err, ok, type Result } from "../result.ts";
import { readAs } from "./envelope.ts";
import { isToken, queryIdOf } from "./token.ts";

/** Events of one request. */
export const MAX_EVENTS = 100;

/** Events of one request after an event about several items has become several. */
export const MAX_ITEMS = 500;

/** Different tokens of one request. */
export const MAX_TOKENS = 100;

/** Price times quantity, in any currency. */
export const MAX_MONEY = 1e9;

/** Whoever waited longer had closed the machine. */
const MOST_WAIT_MS = 60_000;

/** Of a line. */
export const MAX_QUANTITY = 10_000;

export interface ClientEvent {
  /** One token, or those of a request with several searches, with commas between them. */
  readonly token?: string | undefined;
  /** Names the token among those of the batch. */
  readonly queryId?: string | undefined;
  /** The client's name, or ours where it is unambiguous. */
  readonly action: string;
  /** Absent where a refund or a cancellation is about a whole order. */
  readonly itemId?: string | undefined;
  /** By the client's clock, in milliseconds since 1970. */
  readonly happenedAtMs?: number | undefined;
  readonly clientId?: string | undefined;
  /** The event itself says that the shopper agreed to be recorded under an id. */
  readonly isConsented?: boolean | undefined;
  /** The shopper as the shop's searches may name them, as a search itself is assigned: its session, user, else client. Read where the shop's server signs. */
  readonly unitIds?: readonly (string | undefined)[] | undefined;
  /** Which search box or shop; read where the shop's server signs. */
  readonly application?: string | undefined;
  readonly quantity?: number | undefined;
  readonly price?: number | undefined;
  readonly currency?: string | undefined;
  /** The shop's number of the order: what an order is told by, whatever way it comes. */
  readonly orderId?: string | undefined;
  /** Tells two lines of one order with the same item apart. */
  readonly line?: string | undefined;
  /** Tells two refunds of the same thing apart, such as two returns of one piece each. */
  readonly refundId?: string | undefined;
  readonly eventName?: string | undefined;
}

/** What takes back a purchase; about a whole order, where it names no item. */
export const REVERSALS: ReadonlySet<string> = new Set(["refund", "cancel"]);

export interface ClientBatch {
  /** By the client's clock, in milliseconds since 1970. */
  readonly sentAtMs?: number | undefined;
  readonly hasConsent: boolean;
  /** For events without one of their own. */
  readonly clientId?: string | undefined;
  readonly tokens: readonly string[];
  /** Milliseconds that the page waited for its last search, by its own clock. */
  readonly waitedMs?: number | undefined;
  /** Index of the event in the request, and its content or why it could not be read. */
  readonly events: readonly { readonly index: number; readonly event: Result<ClientEvent, string> }[];
}

/** UBI's own example data has nulls for missing values. */
export const optional = <T extends v.GenericSchema>(schema: T) =>
  v.pipe(
    v.nullish(schema),
    v.transform((value) => value ?? undefined),
  );

export const identifier = v.pipe(
  v.string(),
  v.maxLength(256),
  v.transform((text) => text.toWellFormed()),
);

/** A shop may number its customers. */
export const shopperIdentifier = v.union([identifier, v.pipe(v.number(), v.safeInteger(), v.transform(String))]);

/** UBI lets ids be numbers. */
export const itemIdentifier = v.union([
  v.pipe(identifier, v.nonEmpty("an id is not empty")),
  v.pipe(
    v.number(),
    v.integer(),
    v.transform((id) => String(id)),
  ),
]);

/** What templates print where a value is missing: taken for an id, it would make one order of all. */
const NO_ORDER = /^(|0|-|undefined|null|nan|none|\(not set\)|\[object object\]|[{<$%]+.*[}>%]+)$/i;

/** Of an order, a line or a refund. A number beyond 2^53 has lost its last digits before we see it: two orders would be one. */
export const orderIdentifier = v.pipe(
  v.union(
    [v.pipe(v.string(), v.maxLength(256)), v.pipe(v.number(), v.safeInteger())],
    "an id of an order is text, at most 256 characters, or a whole number below 2^53",
  ),
  v.transform((id) => {
    const text = String(id).trim().toWellFormed();
    return NO_ORDER.test(text) ? undefined : text;
  }),
);

/** Of a line in its order: the first may well be 0. */
const lineIdentifier = v.pipe(
  v.union([v.pipe(v.string(), v.maxLength(256)), v.pipe(v.number(), v.safeInteger())]),
  v.transform((line) => String(line).trim().toWellFormed() || undefined),
);

/** Seconds have ten digits until the year 2286, milliseconds have had twelve since 1973. */
const SECONDS_BELOW = 1e11;

/** ISO 8601, or milliseconds or seconds since 1970 as a number or digits. */
export const time = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform((value) => {
    const number = typeof value === "string" && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof number === "string") return Date.parse(number);
    return Math.round(number < SECONDS_BELOW ? number * 1000 : number);
  }),
  v.check((ms) => ms >= 0 && ms < 8.64e15, "a time is ISO 8601, or milliseconds since 1970"),
);

/** Algolia's may be text. */
export const money = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?$/), v.transform(Number))]),
  v.minValue(0),
  v.maxValue(MAX_MONEY),
);

/** May be a fraction, for what is sold by weight or length. */
export const amount = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+(\.\d+)?$/), v.transform(Number))]),
  v.gtValue(0),
  v.maxValue(MAX_QUANTITY),
);

export const currencyCode = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z]{3}$/, "a currency has three letters"),
  v.transform((code) => code.toUpperCase()),
);

export const sentEvents = v.pipe(v.array(v.unknown()), v.maxLength(MAX_EVENTS, `at most ${MAX_EVENTS} events in one request`));

const ubiBatch = v.union([
  v.pipe(
    sentEvents,
    v.transform((events) => ({
      events,
      sent_at: undefined,
      consent: undefined,
      client_id: undefined,
      tokens: undefined,
      waited_ms: undefined,
    })),
  ),
  v.object({
    events: sentEvents,
    sent_at: optional(time),
    consent: optional(v.boolean()),
    client_id: optional(identifier),
    tokens: optional(v.pipe(v.array(v.string()), v.maxLength(MAX_TOKENS, `at most ${MAX_TOKENS} tokens in one request`))),
    // No event is lost for what is only measured.
    waited_ms: v.fallback(optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(MOST_WAIT_MS))), undefined),
  }),
]);

/** In the object, or beside it. */
const ubiOrderLine = {
  quantity: optional(amount),
  price: optional(money),
  currency: optional(currencyCode),
  order_id: optional(orderIdentifier),
  line: optional(lineIdentifier),
  refund_id: optional(orderIdentifier),
};

const ubiEvent = v.object({
  action_name: identifier,
  /** The token, or its index in the batch's list. */
  token: optional(v.union([v.string(), v.number()])),
  query_id: optional(v.string()),
  client_id: optional(shopperIdentifier),
  user_id: optional(shopperIdentifier),
  session_id: optional(shopperIdentifier),
  application: optional(identifier),
  timestamp: optional(time),
  message_type: optional(v.string()),
  event_attributes: v.object({ ...ubiOrderLine, object: optional(v.object({ ...ubiOrderLine, object_id: optional(itemIdentifier) })) }),
});

function readUbiEvent(value: unknown, tokens: readonly string[]): Result<ClientEvent, string> {
  const read = readAs(ubiEvent, value, "The request");
  if (!read.ok) return read;
  const { action_name: action, token, query_id: queryId, client_id: clientId, timestamp: happenedAtMs } = read.value;
  const { object, ...beside } = read.value.event_attributes;
  const orderId = object?.order_id ?? beside.order_id;
  const itemId = object?.object_id;
  if (itemId === undefined && !(REVERSALS.has(action) && orderId !== undefined)) {
    return err("event_attributes.object.object_id: name the item; only a refund or a cancel may name an order_id instead");
  }
  return ok({
    token: typeof token === "number" ? tokens[token] : token,
    queryId,
    action,
    itemId,
    happenedAtMs,
    clientId,
    unitIds: [read.value.session_id, read.value.user_id, clientId],
    application: read.value.application,
    quantity: object?.quantity ?? beside.quantity,
    price: object?.price ?? beside.price,
    currency: object?.currency ?? beside.currency,
    orderId,
    line: object?.line ?? beside.line,
    refundId: object?.refund_id ?? beside.refund_id,
  });
}

const algoliaBatch = v.object({ events: sentEvents });

const algoliaEvent = v.pipe(
  v.object({
    eventType: identifier,
    eventSubtype: v.optional(identifier),
    eventName: v.optional(identifier),
    objectIDs: v.optional(v.pipe(v.array(itemIdentifier), v.maxLength(20, "at most 20 objectIDs in one event")), []),
    queryID: v.optional(v.string()),
    userToken: v.optional(identifier),
    authenticatedUserToken: v.optional(identifier),
    timestamp: v.optional(time),
    currency: v.optional(currencyCode),
    /** Not Algolia's: it has no place for an order's number. */
    orderID: optional(orderIdentifier),
    objectData: v.optional(
      v.array(v.object({ queryID: v.optional(v.string()), price: v.optional(money), quantity: v.optional(amount) })),
      [],
    ),
  }),
  v.check(
    ({ objectIDs, objectData }) => objectData.length === 0 || objectData.length === objectIDs.length,
    "objectData has an entry for each objectID",
  ),
);

function readAlgoliaEvent(value: unknown): readonly Result<ClientEvent, string>[] {
  const read = readAs(algoliaEvent, value, "The request");
  if (!read.ok) return [read];
  const { objectIDs, objectData, queryID, timestamp, currency, eventName, orderID: orderId } = read.value;
  const { id: clientId, isConsented } = userTokenOf(read.value.userToken);
  const unitIds = [read.value.authenticatedUserToken, clientId];
  if (objectIDs.length === 0) return [err("objectIDs: the event is about no item")];
  const action = actionOf(read.value);
  const lines = linesOf(objectIDs);
  return objectIDs.map((itemId, i) => {
    const { queryID: own, price, quantity } = objectData[i] ?? {};
    const reference = referenceOf(own ?? queryID);
    const order = { orderId, line: lines[i] };
    const shopper = { clientId, unitIds, isConsented };
    return ok({ ...reference, action, itemId, happenedAtMs: timestamp, ...shopper, quantity, price, currency, ...order, eventName });
  });
}

/** For an order that comes as a whole: an item's second line is its line "2", so that the same order sent again has the same lines. */
export function linesOf(itemIds: readonly string[]): readonly (string | undefined)[] {
  const seen = new Map<string, number>();
  return itemIds.map((itemId) => {
    const count = (seen.get(itemId) ?? 0) + 1;
    seen.set(itemId, count);
    return count === 1 ? undefined : String(count);
  });
}

/** Unknown actions stay as they are, and are refused by their own name. */
function actionOf({ eventType, eventSubtype }: v.InferOutput<typeof algoliaEvent>): string {
  if (eventType === "view") return "impression";
  if (eventType !== "conversion") return eventType;
  if (eventSubtype === "addToCart") return "add_to_cart";
  // Algolia has no refunds: a subtype of that name is nothing that its documentation explains.
  return eventSubtype !== undefined && REVERSALS.has(eventSubtype) ? `conversion ${eventSubtype}` : (eventSubtype ?? "conversion");
}

const metarankBatch = v.union([
  sentEvents,
  v.pipe(
    v.looseObject({ event: v.string() }),
    v.transform((event): unknown[] => [event]),
  ),
]);

const metarankEvent = v.object({
  event: v.literal("interaction", "only interactions are taken"),
  ranking: v.optional(v.string()),
  timestamp: v.optional(time),
  user: v.optional(identifier),
  session: v.optional(identifier),
  type: identifier,
  item: itemIdentifier,
  fields: v.optional(v.array(v.object({ name: v.string(), value: v.unknown() })), []),
});

/** Metarank leaves the names of types to its configuration; these are in its documentation and have one meaning. */
const METARANK_ACTIONS: Readonly<Record<string, string>> = { cart: "add_to_cart", addToCart: "add_to_cart" };

function readMetarankEvent(value: unknown): Result<ClientEvent, string> {
  const read = readAs(metarankEvent, value, "The request");
  if (!read.ok) return read;
  const { ranking, timestamp, user: clientId, type, item: itemId, fields } = read.value;
  const field = <T extends v.GenericSchema>(names: readonly string[], schema: T): v.InferOutput<T> | undefined => {
    const found = v.safeParse(schema, fields.find(({ name }) => names.includes(name))?.value);
    return found.success ? found.output : undefined;
  };
  return ok({
    ...referenceOf(ranking),
    action: METARANK_ACTIONS[type] ?? type,
    itemId,
    happenedAtMs: timestamp,
    clientId,
    unitIds: [read.value.session, clientId],
    quantity: field(["quantity", "count"], amount),
    price: field(["price"], money),
    currency: field(["currency"], currencyCode),
    orderId: field(["order_id", "order"], orderIdentifier),
    line: field(["line"], lineIdentifier),
    refundId: field(["refund_id"], orderIdentifier),
  });
}

/** A token (header `x-armmt-events`), or a query id whose token comes in that header of this request. */
export function referenceOf(reference: string | undefined): Pick<ClientEvent, "token" | "queryId"> {
  const hasForm = reference !== undefined && queryIdOf(reference) !== undefined;
  return hasForm ? { token: reference } : { queryId: reference };
}

/**
 * The first that names a search, in an item or in its event: a token under its own name, the id of a list where that is a token, a query id. Each
 * list holds the item's first.
 */
export function firstReference(named: Readonly<Record<"tokens" | "lists" | "queryIds", readonly (string | undefined)[]>>) {
  const lists = named.lists.filter((id) => id !== undefined && isToken(id));
  const found = [...named.tokens, ...lists, ...named.queryIds].find((text) => text !== undefined);
  return found === undefined ? {} : referenceOf(found);
}

export function eventsOf(
  values: readonly unknown[],
  readEvent: (value: unknown) => readonly Result<ClientEvent, string>[],
): ClientBatch["events"] {
  return values.flatMap((value, index) => readEvent(value).map((event) => ({ index, event })));
}

/** The errors are for the client's developer. */
export const CLIENT_READERS: Readonly<Record<"ubi" | "algolia" | "metarank", (body: unknown) => Result<ClientBatch, string>>> = {
  ubi(body) {
    const batch = readAs(ubiBatch, body, "The request");
    if (!batch.ok) return batch;
    const { events, sent_at: sentAtMs, consent, client_id: clientId, waited_ms: waitedMs, tokens = [] } = batch.value;
    const read = eventsOf(events, (event) => [readUbiEvent(event, tokens)]);
    return ok({ sentAtMs, hasConsent: consent === true, clientId, waitedMs, tokens, events: read });
  },
  algolia(body) {
    const batch = readAs(algoliaBatch, body, "The request");
    return batch.ok ? ok({ hasConsent: false, tokens: [], events: eventsOf(batch.value.events, readAlgoliaEvent) }) : batch;
  },
  metarank(body) {
    const batch = readAs(metarankBatch, body, "The request");
    if (!batch.ok) return batch;
    return ok({ hasConsent: false, tokens: [], events: eventsOf(batch.value, (event) => [readMetarankEvent(event)]) });
  },
};
