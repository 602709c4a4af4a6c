/**
 * Events in the form of Metarank's feedback API (`POST /feedback`): one event or a list of them.
 *
 * Only interactions: `ranking` holds the token of the search (header `x-armmt-events`), or a query id whose token comes in that header of
 * this request. Items and users are not described to the edge in this way, and what was shown the edge knows itself.
 */
import * as v from "valibot";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { BatchReader, ClientEvent } from "./client-batch.ts";
import { amount, currencyCode, describe, identifier, itemIdentifier, MAX_EVENTS, money, time } from "./client-batch.ts";
import { queryIdOf } from "./token.ts";

const batchSchema = v.union([
  v.pipe(v.array(v.unknown()), v.maxLength(MAX_EVENTS, `at most ${MAX_EVENTS} events in one request`)),
  v.pipe(
    v.looseObject({ event: v.string() }),
    v.transform((event): unknown[] => [event]),
  ),
]);

const eventSchema = v.object({
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
const ACTIONS: Readonly<Record<string, string>> = { cart: "add_to_cart", addToCart: "add_to_cart" };

export const readMetarankBatch: BatchReader = (body) => {
  const batch = v.safeParse(batchSchema, body);
  if (!batch.success) return err(describe(batch.issues));
  return ok({
    sentAtMs: undefined,
    hasConsent: false,
    clientId: undefined,
    tokens: [],
    events: batch.output.map((event, index) => ({ index, event: readEvent(event) })),
  });
};

function readEvent(value: unknown): Result<ClientEvent, string> {
  const parsed = v.safeParse(eventSchema, value);
  if (!parsed.success) return err(describe(parsed.issues));
  const { id = "", ranking, timestamp, user, type, item, fields } = parsed.output;
  const isToken = ranking !== undefined && queryIdOf(ranking) !== undefined;
  const field = <T extends v.GenericSchema>(names: readonly string[], schema: T): v.InferOutput<T> | undefined => {
    const read = v.safeParse(schema, fields.find(({ name }) => names.includes(name))?.value);
    return read.success ? read.output : undefined;
  };
  return ok({
    token: isToken ? ranking : undefined,
    queryId: isToken ? undefined : ranking,
    action: ACTIONS[type] ?? type,
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
