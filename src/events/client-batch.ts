/**
 * The body of `/events`: UBI 1.3 event records in a batch, with tokens. And the common form of this and the other formats
 * (foreign-events.ts).
 *
 * Reads shapes only: ingest.ts decides whether a token is ours, an item was served or a time makes sense.
 */
import * as v from "valibot";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";

/** Events of one request. */
export const MAX_EVENTS = 100;

/** Events of one request after an event about several items has become several. */
export const MAX_ITEMS = 500;

/** Different tokens of one request. */
export const MAX_TOKENS = 100;

export interface ClientEvent {
  /** One token, or those of a request with several searches, with commas between them. */
  readonly token: string | undefined;
  /** Names the token among those of the batch. */
  readonly queryId: string | undefined;
  /** The client's name, or ours where it is unambiguous. */
  readonly action: string;
  readonly itemId: string;
  /** Distinguishes repeated deliveries from repeated events; empty where the client has none. */
  readonly eventId: string;
  /** By the client's clock, in milliseconds since 1970. */
  readonly happenedAtMs: number | undefined;
  readonly clientId: string | undefined;
  readonly quantity: number | undefined;
  readonly price: number | undefined;
  readonly currency: string | undefined;
  readonly eventName: string | undefined;
}

/** Index of the event in the request, and its content or why it could not be read. */
export interface ReadEvent {
  readonly index: number;
  readonly event: Result<ClientEvent, string>;
}

export interface ClientBatch {
  /** By the client's clock, in milliseconds since 1970. */
  readonly sentAtMs: number | undefined;
  readonly hasConsent: boolean;
  /** For events without one of their own. */
  readonly clientId: string | undefined;
  readonly tokens: readonly string[];
  readonly events: readonly ReadEvent[];
}

/** The error is for the client's developer. */
export type BatchReader = (body: unknown) => Result<ClientBatch, string>;

const trimmed = (maxLength: number) =>
  v.pipe(
    v.string(),
    v.maxLength(maxLength),
    v.transform((text) => text.toWellFormed()),
  );

/** UBI's own example data has nulls for missing values. */
const optional = <T extends v.GenericSchema>(schema: T) => v.optional(v.nullable(schema));

export const identifier = trimmed(256);

/** UBI lets ids be numbers. */
export const itemIdentifier = v.union([
  v.pipe(identifier, v.nonEmpty("an id is not empty")),
  v.pipe(
    v.number(),
    v.integer(),
    v.transform((id) => String(id)),
  ),
]);

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
  v.maxValue(1e9),
);

export const amount = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));

export const currencyCode = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z]{3}$/, "a currency has three letters"),
  v.transform((code) => code.toUpperCase()),
);

export const sentEvents = v.pipe(v.array(v.unknown()), v.maxLength(MAX_EVENTS, `at most ${MAX_EVENTS} events in one request`));

const batchSchema = v.union([
  v.pipe(
    sentEvents,
    v.transform((events) => ({ events, sent_at: undefined, consent: undefined, client_id: undefined, tokens: undefined })),
  ),
  v.object({
    events: sentEvents,
    sent_at: optional(time),
    consent: optional(v.boolean()),
    client_id: optional(identifier),
    tokens: optional(v.pipe(v.array(v.string()), v.maxLength(MAX_TOKENS, `at most ${MAX_TOKENS} tokens in one request`))),
  }),
]);

const eventSchema = v.object({
  action_name: identifier,
  event_id: optional(v.union([identifier, v.number()])),
  /** The token, or its index in the batch's list. */
  token: optional(v.union([v.string(), v.number()])),
  query_id: optional(v.string()),
  client_id: optional(identifier),
  timestamp: optional(time),
  message_type: optional(v.string()),
  event_attributes: v.object({
    object: v.object({
      object_id: itemIdentifier,
      quantity: optional(amount),
      price: optional(money),
      currency: optional(currencyCode),
    }),
  }),
});

export const readUbiBatch: BatchReader = (body) => {
  const batch = v.safeParse(batchSchema, body);
  if (!batch.success) return err(describe(batch.issues));
  const { events, sent_at: sentAt, consent, client_id: clientId, tokens } = batch.output;
  const list = tokens ?? [];
  return ok({
    sentAtMs: sentAt ?? undefined,
    hasConsent: consent === true,
    clientId: clientId ?? undefined,
    tokens: list,
    events: events.map((event, index) => ({ index, event: readUbiEvent(event, list) })),
  });
};

function readUbiEvent(value: unknown, tokens: readonly string[]): Result<ClientEvent, string> {
  const parsed = v.safeParse(eventSchema, value);
  if (!parsed.success) return err(describe(parsed.issues));
  const { action_name: action, event_id: eventId, token, query_id: queryId, client_id: clientId, timestamp } = parsed.output;
  const { object } = parsed.output.event_attributes;
  return ok({
    token: typeof token === "number" ? tokens[token] : (token ?? undefined),
    queryId: queryId ?? undefined,
    action,
    itemId: object.object_id,
    eventId: String(eventId ?? ""),
    happenedAtMs: timestamp ?? undefined,
    clientId: clientId ?? undefined,
    quantity: object.quantity ?? undefined,
    price: object.price ?? undefined,
    currency: object.currency ?? undefined,
    eventName: undefined,
  });
}

/** Path and message of the first issue. */
export function describe([issue]: readonly [v.BaseIssue<unknown>, ...v.BaseIssue<unknown>[]]): string {
  return `${v.getDotPath(issue) ?? "The request"}: ${issue.message}`;
}
