/**
 * Track calls of Segment's e-commerce events (V2, and the names of V1), one or a batch, as its libraries send them.
 *
 * Segment knows no search token: it stands in the property `armmt_token` of the event or of a product, or in `list_id`, and `query_id` may name one that
 * comes with the request. Without one of them nothing says which search an event follows, and none is guessed. The write key
 * proves nothing, because it is in every page: see client-keys.ts.
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
  money,
  optional,
  orderIdentifier,
  REVERSALS,
  sentEvents,
  time,
} from "./client-batch.ts";
import { readAs } from "./envelope.ts";

/** In small letters; others are refused by their own name. */
const ACTIONS: Readonly<Record<string, string>> = {
  "product list viewed": "impression",
  "product list filtered": "impression",
  "viewed product category": "impression",
  "product clicked": "click",
  "clicked product": "click",
  "product viewed": "view",
  "viewed product": "view",
  "product added": "add_to_cart",
  "added product": "add_to_cart",
  "order completed": "purchase",
  "completed order": "purchase",
  "order refunded": "refund",
  "order cancelled": "cancel",
};

const TYPES = ["track", "identify", "page", "screen", "group", "alias"] as const;

const reference = { armmt_token: optional(v.string()), list_id: optional(v.string()), query_id: optional(v.string()) };

/** A shop's search knows its products by one of these. */
const product = {
  ...reference,
  product_id: optional(itemIdentifier),
  sku: optional(itemIdentifier),
  id: optional(itemIdentifier),
  price: optional(money),
  quantity: optional(amount),
};

const productSchema = v.object(product);

const properties = v.object({
  ...product,
  currency: optional(currencyCode),
  order_id: optional(orderIdentifier),
  orderId: optional(orderIdentifier),
  /** Each is read for itself: a discount or a fee among them, which no search has shown, takes no order with it. */
  products: optional(v.pipe(v.array(v.unknown()), v.maxLength(200, "at most 200 products in one event"))),
});

const call = v.object({
  type: optional(v.string()),
  event: optional(identifier),
  anonymousId: optional(identifier),
  userId: optional(v.union([identifier, v.pipe(v.number(), v.transform(String))])),
  timestamp: optional(time),
  originalTimestamp: optional(time),
  properties: optional(properties),
});

const batch = v.object({ sentAt: optional(time), batch: sentEvents });

const single = v.looseObject({ type: v.picklist(TYPES) });
const several = v.looseObject({ batch: v.array(v.unknown()) });

export const isSegment = (body: unknown): boolean => v.is(several, body) || v.is(single, body);

export function readSegment(body: unknown): Result<ClientBatch, string> {
  const whole = v.is(several, body) ? body : { ...(v.is(v.looseObject({}), body) && { sentAt: body["sentAt"] }), batch: [body] };
  const read = readAs(batch, whole, "The request");
  if (!read.ok) return read;
  return ok({ sentAtMs: read.value.sentAt, hasConsent: false, tokens: [], events: eventsOf(read.value.batch, readCall) });
}

function readCall(value: unknown): readonly Result<ClientEvent, string>[] {
  const called = readAs(call, value, "The call");
  if (!called.ok) return [called];
  const { type = "track", event = "", anonymousId, userId, timestamp, originalTimestamp, properties: given = {} } = called.value;
  const known = type === "track" ? ACTIONS[event.toLowerCase()] : undefined;
  const action = known ?? (type === "track" ? event : type);
  const orderId = given.order_id ?? given.orderId;
  const clientId = anonymousId ?? userId;
  const shared = { action, happenedAtMs: originalTimestamp ?? timestamp, clientId, unitIds: [userId, anonymousId], orderId };
  const products = given.products ?? (idOf(given) === undefined ? [] : [given]);
  if (products.length === 0) {
    const isWhole = REVERSALS.has(action) && orderId !== undefined;
    if (known !== undefined && !isWhole) return [err("properties.products: the event is about no product")];
    return [ok({ ...shared, ...searchOf(given), currency: given.currency })];
  }
  const read = products.map((one, i) => readAs(productSchema, one, `properties.products.${i}`));
  const ids = read.map((one) => (one.ok ? (idOf(one.value) ?? "") : ""));
  const lines = linesOf(ids);
  return read.map((one, i) => {
    if (!one.ok) return err(one.error.startsWith("properties.") ? one.error : `properties.products.${i}.${one.error}`);
    const itemId = ids[i] ?? "";
    if (itemId === "") return err(`properties.products.${i}: give product_id or sku`);
    const { price, quantity } = one.value;
    return ok({ ...shared, ...searchOf(one.value, given), itemId, price, quantity, currency: given.currency, line: lines[i] });
  });
}

type Product = Partial<Pick<v.InferOutput<typeof properties>, "product_id" | "sku" | "id" | keyof typeof reference>>;

const idOf = ({ product_id: id, sku, id: first }: Product): string | undefined => id ?? sku ?? first;

function searchOf(...places: readonly Product[]): Pick<ClientEvent, "token" | "queryId"> {
  const find = (name: keyof typeof reference) => places.map((place) => place[name]);
  return firstReference({ tokens: find("armmt_token"), lists: find("list_id"), queryIds: find("query_id") });
}
