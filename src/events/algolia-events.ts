/**
 * Events in the form of Algolia's Insights API (`POST /1/events`), so that search-insights and Algolia's clients can send them here.
 *
 * `queryID` holds the token of the search (header `x-armmt-events`), or a query id whose token comes in that header of this request.
 * Positions are not read: the token knows them. Events about filters, and events after no search, are refused: they belong to no served list.
 */
import * as v from "valibot";
import { err, ok } from "../result.ts";
import type { BatchReader, ClientEvent, ReadEvent } from "./client-batch.ts";
import { amount, currencyCode, describe, identifier, itemIdentifier, MAX_EVENTS, money, time } from "./client-batch.ts";
import { queryIdOf } from "./token.ts";

const batchSchema = v.object({
  events: v.pipe(v.array(v.unknown()), v.maxLength(MAX_EVENTS, `at most ${MAX_EVENTS} events in one request`)),
});

const eventSchema = v.pipe(
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

type AlgoliaEvent = v.InferOutput<typeof eventSchema>;

export const readAlgoliaBatch: BatchReader = (body) => {
  const batch = v.safeParse(batchSchema, body);
  if (!batch.success) return err(describe(batch.issues));
  return ok({
    sentAtMs: undefined,
    hasConsent: false,
    clientId: undefined,
    tokens: [],
    events: batch.output.events.flatMap(readEvent),
  });
};

function readEvent(value: unknown, index: number): readonly ReadEvent[] {
  const parsed = v.safeParse(eventSchema, value);
  if (!parsed.success) return [{ index, event: err(describe(parsed.issues)) }];
  const { objectIDs } = parsed.output;
  if (objectIDs.length === 0) return [{ index, event: err("objectIDs: the event is about no item") }];
  return objectIDs.map((itemId, i) => ({ index, event: ok(itemEvent(parsed.output, itemId, i)) }));
}

function itemEvent(event: AlgoliaEvent, itemId: string, i: number): ClientEvent {
  const { queryID, price, quantity } = event.objectData[i] ?? {};
  const reference = queryID ?? event.queryID;
  const isToken = reference !== undefined && queryIdOf(reference) !== undefined;
  return {
    token: isToken ? reference : undefined,
    queryId: isToken ? undefined : reference,
    action: actionOf(event),
    itemId,
    // They have no ids; the same event sent twice has the same time.
    eventId: event.timestamp === undefined ? "" : String(event.timestamp),
    happenedAtMs: event.timestamp,
    clientId: event.userToken,
    quantity,
    price,
    currency: event.currency,
    eventName: event.eventName,
  };
}

/** What is not known stays as it is, and is refused by its own name. */
function actionOf({ eventType, eventSubtype }: AlgoliaEvent): string {
  if (eventType === "view") return "impression";
  if (eventType !== "conversion") return eventType;
  if (eventSubtype === "addToCart") return "add_to_cart";
  return eventSubtype ?? "conversion";
}
