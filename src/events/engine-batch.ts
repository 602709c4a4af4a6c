/** Events of the clients of Typesense (`POST /analytics/events`) and Meilisearch (`POST /events`), in the common form. Algolia's are in client-batch.ts. */
import * as v from "valibot";
import { userTokenOf } from "../protocol.ts";
import { ok, type Result } from "../result.ts";
import {
  type ClientBatch,
  type ClientEvent,
  eventsOf,
  identifier,
  itemIdentifier,
  optional,
  referenceOf,
  sentEvents,
  time,
} from "./client-batch.ts";
import { readAs } from "./envelope.ts";

const oneOrMore = v.union([
  sentEvents,
  v.pipe(
    v.looseObject({}),
    v.transform((event): unknown[] => [event]),
  ),
]);

const typesenseEvent = v.pipe(
  v.object({
    type: optional(identifier),
    event_type: optional(identifier),
    data: v.object({
      doc_id: optional(itemIdentifier),
      doc_ids: optional(v.pipe(v.array(itemIdentifier), v.maxLength(20, "at most 20 doc_ids in one event"))),
      user_id: optional(identifier),
      /** Not Typesense's, which names no search: the token, or a query id whose token comes along. */
      query_id: optional(v.string()),
    }),
  }),
  v.check(({ data }) => data.doc_id !== undefined || (data.doc_ids?.length ?? 0) > 0, "data.doc_id: the event is about no document"),
);

/** `visit`: of the document's own page. */
const TYPESENSE_ACTIONS: Readonly<Record<string, string>> = { visit: "view" };

function readTypesenseEvent(value: unknown): readonly Result<ClientEvent, string>[] {
  const read = readAs(typesenseEvent, value, "The request");
  if (!read.ok) return [read];
  const { type, event_type: eventType, data } = read.value;
  const named = eventType ?? type ?? "";
  return (data.doc_ids ?? [data.doc_id]).map((itemId) =>
    ok({ ...referenceOf(data.query_id), action: TYPESENSE_ACTIONS[named] ?? named, itemId, ...shopperOf(data.user_id) }),
  );
}

const meilisearchEvent = v.object({
  eventType: identifier,
  eventName: optional(identifier),
  objectId: itemIdentifier,
  userId: optional(identifier),
  queryUid: optional(v.string()),
  timestamp: optional(time),
});

/** No other format's events have such members. */
const looksLikeMeilisearch = v.looseObject({ eventType: v.string(), indexUid: v.string() });

export function isMeilisearch(body: unknown): boolean {
  const first: unknown = Array.isArray(body) ? body[0] : body;
  return v.is(looksLikeMeilisearch, first);
}

function readMeilisearchEvent(value: unknown): readonly Result<ClientEvent, string>[] {
  const read = readAs(meilisearchEvent, value, "The request");
  if (!read.ok) return [read];
  const { eventType: action, eventName, objectId: itemId, userId, queryUid, timestamp: happenedAtMs } = read.value;
  return [ok({ ...referenceOf(queryUid), action, eventName, itemId, happenedAtMs, ...shopperOf(userId) })];
}

function shopperOf(userId: string | undefined): Pick<ClientEvent, "clientId" | "unitIds" | "isConsented"> {
  const { id, isConsented } = userTokenOf(userId);
  return { clientId: id, unitIds: [id], isConsented };
}

const reader =
  (readEvent: (value: unknown) => readonly Result<ClientEvent, string>[]) =>
  (body: unknown): Result<ClientBatch, string> => {
    const batch = readAs(oneOrMore, body, "The request");
    return batch.ok ? ok({ hasConsent: false, tokens: [], events: eventsOf(batch.value, readEvent) }) : batch;
  };

/** The errors are for the client's developer. */
export const ENGINE_READERS: Readonly<Record<"typesense" | "meilisearch", (body: unknown) => Result<ClientBatch, string>>> = {
  typesense: reader(readTypesenseEvent),
  meilisearch: reader(readMeilisearchEvent),
};
