/**
 * What an order is told by. A purchase with an order number is the same purchase whatever way it comes (reloaded page, second tab, another
 * search in between, two doors), so its identity holds neither the token nor the query.
 *
 * Numbers are stored as keyed hashes: who has the shop's database could otherwise look up whose searches these were, without their consent.
 */
import { sha256Hex } from "../web.ts";
import { type ClientEvent, REVERSALS } from "./client-batch.ts";
import type { UnitHash } from "./keys.ts";
import type { ActionName, ServedEvent } from "./ubi.ts";

interface OrderedEvent extends Pick<ClientEvent, "orderId" | "line" | "itemId" | "refundId"> {
  readonly action: ActionName;
  readonly application: string;
  /** By the shop's server. */
  readonly isSigned: boolean;
}

/** Lines are few: 32 bits. */
const LINE_DIGITS = 8;

/**
 * `undefined` for an event without an order number, or whose kind belongs to none. Two applications may count their orders alike, so the
 * application is part of the identity; the price is not: the first delivery counts. A signed purchase, refund or cancellation is another event than an unsigned one, which
 * anybody could have sent before it; the report counts it once.
 */
export async function orderNumbersOf(
  { orderId, line, itemId, refundId, action, application, isSigned }: OrderedEvent,
  hashUnit: UnitHash = unkeyedHash,
): Promise<(Pick<ServedEvent, "event_id" | "order_id"> & { readonly line: string | undefined }) | undefined> {
  if (orderId === undefined || !(action === "purchase" || REVERSALS.has(action))) return undefined;
  const order = await hashUnit(`order ${orderId}`);
  const stored = line === undefined ? undefined : (await hashUnit(`line ${orderId} ${line}`)).slice(0, LINE_DIGITS);
  const identity = [action, application, order, itemId ?? null, stored ?? null, refundId ?? null, ...(isSigned ? ["signed"] : [])];
  return { event_id: (await sha256Hex(JSON.stringify(identity))).slice(0, 32), order_id: order, line: stored };
}

/** For an edge without a secret of its own: such an edge takes no events, tests do. */
async function unkeyedHash(text: string): Promise<string> {
  return (await sha256Hex(text)).slice(0, 32);
}
