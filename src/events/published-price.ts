/**
 * A purchase's price against the published one of its item. A page that sends cents for euros, or a client that makes prices up, would decide the
 * revenue of an arm: such an event is taken and marked, and the report says what it does with it.
 */
import { ITEM_FEATURES } from "../ranking/candidate.ts";
import type { Result } from "../result.ts";
import type { ServedEvent } from "./ubi.ts";

/** Discounts, taxes and currencies of the neighbourhood lie within it; cents for euros do not. */
const FAR = 10;

/** Item → its published prices, in whatever catalogues it is; nothing for an item without one. Never rejects. */
export type PublishedPrices = (itemIds: readonly string[]) => Promise<ReadonlyMap<string, readonly number[]>>;

/** The part of an item store that is used. */
interface PriceStore {
  /** Features as ITEM_FEATURES; parallel to the ids. Never rejects. */
  lookup(
    itemIds: readonly string[],
  ): Promise<Result<{ readonly items: readonly ({ readonly features: readonly (number | undefined)[] } | undefined)[] }, unknown>>;
}

const PRICE_LOG = ITEM_FEATURES.indexOf("price_log");

/** `stores`: one per catalogue. What a store does not answer is not known. */
export function createPublishedPrices(stores: readonly PriceStore[]): PublishedPrices {
  return async (itemIds) => {
    const found = await Promise.all(stores.map((store) => store.lookup(itemIds)));
    return new Map(
      itemIds.map((itemId, i) => [
        itemId,
        found.flatMap((lookup) => {
          const log = lookup.ok ? lookup.value.items[i]?.features[PRICE_LOG] : undefined;
          return log === undefined || !Number.isFinite(log) ? [] : [Math.exp(log)];
        }),
      ]),
    );
  };
}

/** `unitPrice`: of a whole piece, a kilogram or a metre, as catalogues publish it; the event's own is of all that was weighed or measured off. */
export interface PricedEvent {
  readonly event: ServedEvent;
  readonly unitPrice: number | undefined;
}

/** The events; a purchase whose price is far from every published one of its item is marked. */
export async function markSuspects(
  events: readonly PricedEvent[],
  publishedPrices: PublishedPrices | undefined,
): Promise<readonly ServedEvent[]> {
  const priced = events.filter(({ event, unitPrice }) => event.action_name === "purchase" && unitPrice !== undefined);
  if (priced.length === 0 || publishedPrices === undefined) return events.map(({ event }) => event);
  const known = await publishedPrices([...new Set(priced.map(({ event }) => idOf(event)))]);
  return events.map(({ event, unitPrice }) => {
    const published = event.action_name === "purchase" && unitPrice !== undefined ? (known.get(idOf(event)) ?? []) : [];
    return published.length > 0 && published.every((usual) => isFar(unitPrice, usual)) ? { ...event, price_suspect: true } : event;
  });
}

function idOf({ event_attributes: attributes }: ServedEvent): string {
  return attributes.object.object_id;
}

function isFar(price: number | undefined, usual: number): boolean {
  return price !== undefined && (price > usual * FAR || price < usual / FAR);
}
