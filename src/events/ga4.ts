/**
 * Events of Google Analytics 4's e-commerce, in the three shapes in which shops have them: a request of the Measurement Protocol, pushes to the data
 * layer (`{ event, ecommerce }`) and calls of gtag (`["event", name, parameters]`), one or a list.
 *
 * GA4 knows no search token: it stands in the parameter `armmt_token` of an item or of the event, or in `item_list_id`, and `query_id` may name one
 * that comes with the request. Without one of them nothing says which search an event follows, and none is guessed.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../result.ts";
import {
  amount,
  type ClientBatch,
  type ClientEvent,
  currencyCode,
  eventsOf,
  firstReference,
  identifier,
  itemIdentifier,
  linesOf,
  MAX_TOKENS,
  money,
  optional,
  orderIdentifier,
  REVERSALS,
  sentEvents,
  shopperIdentifier,
} from "./client-batch.ts";
import { readAs } from "./envelope.ts";

/** Others are refused by their own name. GA4 has no cancellation. */
const ACTIONS: Readonly<Record<string, string>> = {
  view_item_list: "impression",
  select_item: "click",
  view_item: "view",
  add_to_cart: "add_to_cart",
  purchase: "purchase",
  refund: "refund",
};

/** Milliseconds have 14 digits from the year 5138 on; they are sent by mistake. */
const MICROS_FROM = 1e14;

const micros = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\d+$/), v.transform(Number))], "a time is microseconds since 1970"),
  v.transform((value) => Math.round(value >= MICROS_FROM ? value / 1000 : value)),
  v.check((ms) => ms >= 0 && ms < 8.64e15, "a time is microseconds since 1970"),
);

/** Where an item and an event may name their search. */
const reference = { armmt_token: optional(v.string()), item_list_id: optional(v.string()), query_id: optional(v.string()) };

const item = v.object({
  ...reference,
  item_id: itemIdentifier,
  price: optional(money),
  quantity: optional(amount),
  currency: optional(currencyCode),
});

const parameters = v.object({
  ...reference,
  currency: optional(currencyCode),
  transaction_id: optional(orderIdentifier),
  /** Of all items together; a wrong one is ignored, as prices go before it. */
  value: v.fallback(optional(money), undefined),
  /** Each is read for itself: a discount or a fee among them, which no search has shown, takes no order with it. */
  items: optional(v.pipe(v.array(v.unknown()), v.maxLength(200, "at most 200 items in one event"))),
});

const event = v.object({ name: identifier, timestamp_micros: optional(micros), params: optional(parameters) });

const batch = v.object({
  client_id: optional(identifier),
  app_instance_id: optional(identifier),
  user_id: optional(shopperIdentifier),
  timestamp_micros: optional(micros),
  /** Not GA4's. */
  tokens: optional(v.pipe(v.array(v.string()), v.maxLength(MAX_TOKENS, `at most ${MAX_TOKENS} tokens in one request`))),
  events: sentEvents,
});

const named = v.looseObject({ name: v.string() });
const pushed = v.looseObject({ event: v.string(), ecommerce: v.record(v.string(), v.unknown()) });
const called = v.union([
  v.pipe(
    v.looseTuple([v.literal("event"), v.string()]),
    v.transform(([, name, params]) => ({ name, params })),
  ),
  // `arguments` as JSON.
  v.pipe(
    v.looseObject({ 0: v.literal("event"), 1: v.string() }),
    v.transform(({ 1: name, 2: params }) => ({ name, params })),
  ),
]);

/** A push or a call in the form of the Measurement Protocol; `undefined` for anything else. */
function asEvent(value: unknown): object | undefined {
  if (v.is(pushed, value)) return { name: value.event, params: value.ecommerce };
  const call = v.safeParse(called, value);
  return call.success ? call.output : undefined;
}

const isNamed = (value: unknown): boolean => v.is(named, value) && !("action_name" in value);

/** What the Measurement Protocol would send; `undefined` for a body of another format. */
function requestOf(body: unknown): unknown {
  const one = asEvent(body);
  if (one !== undefined) return { events: [one] };
  if (Array.isArray(body))
    return body.some((value) => asEvent(value) !== undefined) ? { events: body.map((value) => asEvent(value) ?? value) } : undefined;
  const request = v.safeParse(v.looseObject({ events: v.array(v.unknown()) }), body);
  return request.success && request.output.events.some(isNamed) ? body : undefined;
}

export const isGa4 = (body: unknown): boolean => requestOf(body) !== undefined;

export function readGa4(body: unknown): Result<ClientBatch, string> {
  const read = readAs(batch, requestOf(body) ?? body, "The request");
  if (!read.ok) return read;
  const { client_id: browser, app_instance_id: device, user_id: user, timestamp_micros: atMs, tokens = [], events } = read.value;
  const clientId = browser ?? device;
  const common = { clientId, unitIds: [user, clientId] };
  return ok({ hasConsent: false, clientId, tokens, events: eventsOf(events, (value) => readEvent(value, atMs, common)) });
}

function readEvent(
  value: unknown,
  batchAtMs: number | undefined,
  common: Pick<ClientEvent, "clientId" | "unitIds">,
): readonly Result<ClientEvent, string>[] {
  const read = readAs(event, value, "The event");
  if (!read.ok) return [read];
  const { name, timestamp_micros: ownAtMs, params } = read.value;
  const { items = [], transaction_id: orderId, currency, value: worth } = params ?? {};
  const action = ACTIONS[name] ?? name;
  const shared = { ...common, action, happenedAtMs: ownAtMs ?? batchAtMs, orderId };
  if (items.length === 0) {
    const isWhole = REVERSALS.has(action) && orderId !== undefined;
    if (ACTIONS[name] !== undefined && !isWhole) return [err("params.items: the event is about no item")];
    return [ok({ ...shared, ...searchOf(params), currency })];
  }
  const given = items.map((one, i) => readAs(item, one, `params.items.${i}`));
  const lines = linesOf(given.map((one) => (one.ok ? one.value.item_id : "")));
  return given.map((one, i) => {
    if (!one.ok) return err(one.error.startsWith("params.") ? one.error : `params.items.${i}.${one.error}`);
    const { item_id: itemId, price, quantity, currency: own } = one.value;
    // GA4 asks for a value, and for no price of an item: where there is one item, the value is its own.
    const only = items.length === 1 && worth !== undefined ? worth / (quantity ?? 1) : undefined;
    return ok({
      ...shared,
      ...searchOf(one.value, params),
      itemId,
      price: price ?? only,
      quantity,
      currency: own ?? currency,
      line: lines[i],
    });
  });
}

type Named = { readonly [name in keyof typeof reference]?: string | undefined } | undefined;

function searchOf(...places: readonly Named[]): Pick<ClientEvent, "token" | "queryId"> {
  const find = (name: keyof typeof reference) => places.map((place) => place?.[name]);
  return firstReference({ tokens: find("armmt_token"), lists: find("item_list_id"), queryIds: find("query_id") });
}
