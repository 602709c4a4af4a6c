/**
 * Events in the formats of other products, so that their clients can send them here: Algolia's Insights API (`POST /1/events`) and Metarank's
 * feedback API (`POST /feedback`, one event or a list).
 *
 * `queryID` or `ranking` holds the token of the search (header `x-armmt-events`), or a query id whose token comes in that header of this
 * request. Positions are not read: the token knows them. Events about filters, items, users, or after no search, are refused: they belong to
 * no served list.
 */
import * as v from "valibot";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { BatchReader, ClientBatch, ClientEvent, ReadEvent } from "./client-batch.ts";
import { amount, currencyCode, describe, identifier, itemIdentifier, money, sentEvents, time } from "./client-batch.ts";
import { queryIdOf } from "./token.ts";

function batchOf(events: readonly ReadEvent[]): ClientBatch {
  return { sentAtMs: undefined, hasConsent: false, clientId: undefined, tokens: [], events };
}

function referenceOf(reference: string | undefined): Pick<ClientEvent, "token" | "queryId"> {
  const isToken = reference !== undefined && queryIdOf(reference) !== undefined;
  return isToken ? { token: reference, queryId: undefined } : { token: undefined, queryId: reference };
}

const algoliaBatchSchema = v.object({
  events: sentEvents,
});

const algoliaEventSchema = v.pipe(
  v.object({
    eventType: identifier,
    eventSubtype: v.optional(identifier),
    eventName: v.optional(identifier),
    objectIDs: v.optional(v.pipe(v.array(itemIdentifier), v.maxLength(20, "at most 20 objectIDs in one event")), []),
    queryID: v.optional(v.string()),
    userToken: v.optional(identifier),
    timestamp: v.optional(time),
    currency: v.optional(currencyCode),
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

type AlgoliaEvent = v.InferOutput<typeof algoliaEventSchema>;

export const readAlgoliaBatch: BatchReader = (body) => {
  const batch = v.safeParse(algoliaBatchSchema, body);
  if (!batch.success) return err(describe(batch.issues));
  return ok(batchOf(batch.output.events.flatMap(readAlgoliaEvent)));
};

function readAlgoliaEvent(value: unknown, index: number): readonly ReadEvent[] {
  const parsed = v.safeParse(algoliaEventSchema, value);
  if (!parsed.success) return [{ index, event: err(describe(parsed.issues)) }];
  const { objectIDs } = parsed.output;
  if (objectIDs.length === 0) return [{ index, event: err("objectIDs: the event is about no item") }];
  return objectIDs.map((itemId, i) => ({ index, event: ok(itemEvent(parsed.output, itemId, i)) }));
}

function itemEvent(event: AlgoliaEvent, itemId: string, i: number): ClientEvent {
  const { queryID, price, quantity } = event.objectData[i] ?? {};
  return {
    ...referenceOf(queryID ?? event.queryID),
    action: actionOf(event),
    itemId,
    // Algolia's events have no ids; the same event sent twice has the same time.
    eventId: event.timestamp === undefined ? "" : String(event.timestamp),
    happenedAtMs: event.timestamp,
    clientId: event.userToken,
    quantity,
    price,
    currency: event.currency,
    eventName: event.eventName,
  };
}

/** Unknown actions stay as they are, and are refused by their own name. */
function actionOf({ eventType, eventSubtype }: AlgoliaEvent): string {
  if (eventType === "view") return "impression";
  if (eventType !== "conversion") return eventType;
  if (eventSubtype === "addToCart") return "add_to_cart";
  return eventSubtype ?? "conversion";
}

const metarankBatchSchema = v.union([
  sentEvents,
  v.pipe(
    v.looseObject({ event: v.string() }),
    v.transform((event): unknown[] => [event]),
  ),
]);

const metarankEventSchema = v.object({
  event: v.literal("interaction", "only interactions are taken"),
  id: v.optional(identifier),
  ranking: v.optional(v.string()),
  timestamp: v.optional(time),
  user: v.optional(identifier),
  type: identifier,
  item: itemIdentifier,
  fields: v.optional(v.array(v.object({ name: v.string(), value: v.unknown() })), []),
});

const quantityNames = ["quantity", "count"];

/** Metarank leaves the names of types to its configuration; these are in its documentation and have one meaning. */
const METARANK_ACTIONS: Readonly<Record<string, string>> = { cart: "add_to_cart", addToCart: "add_to_cart" };

export const readMetarankBatch: BatchReader = (body) => {
  const batch = v.safeParse(metarankBatchSchema, body);
  if (!batch.success) return err(describe(batch.issues));
  return ok(batchOf(batch.output.map((event, index) => ({ index, event: readMetarankEvent(event) }))));
};

function readMetarankEvent(value: unknown): Result<ClientEvent, string> {
  const parsed = v.safeParse(metarankEventSchema, value);
  if (!parsed.success) return err(describe(parsed.issues));
  const { id = "", ranking, timestamp, user, type, item, fields } = parsed.output;
  const field = <T extends v.GenericSchema>(names: readonly string[], schema: T): v.InferOutput<T> | undefined => {
    const read = v.safeParse(schema, fields.find(({ name }) => names.includes(name))?.value);
    return read.success ? read.output : undefined;
  };
  return ok({
    ...referenceOf(ranking),
    action: METARANK_ACTIONS[type] ?? type,
    itemId: item,
    eventId: id,
    happenedAtMs: timestamp,
    clientId: user,
    quantity: field(quantityNames, amount),
    price: field(["price"], money),
    currency: field(["currency"], currencyCode),
    eventName: undefined,
  });
}
