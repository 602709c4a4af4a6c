/**
 * User Behavior Insights 1.3: the query and event records that this project writes, with `armmt`'s additions. Schemas: github.com/o19s/ubi,
 * schema/1.3.0.
 */
import type { ItemValue } from "../ranking/item-values.ts";
import type { BypassReason } from "../result.ts";

/** The schema's limit for ids and names. */
const MAX_ID_LENGTH = 100;

export const ATTRIBUTES_FORMAT = 2;

/** `query_attributes.armmt`: the data of one search for reports and replays. */
export interface ArmmtAttributes {
  /** Of these attributes. Since 2 they have `arms` and `admin` where these apply; of a record without a format nobody can tell. */
  readonly format?: typeof ATTRIBUTES_FORMAT;
  /** Absent outside the experiment. */
  readonly experiment?: string;
  /** Of the experiment as it ran then: variation → its share of those who take part. Absent where another system decides (OpenFeature). */
  readonly arms?: Readonly<Record<string, number>>;
  /** By a holder of the admin token, who forced the variant or asked for an explanation: no shopper, and no lesson for a model. */
  readonly admin?: true;
  /** The assigned variant, also where re-ranking was bypassed (intention to treat). */
  readonly variant: string;
  /** Its name in the configuration. Absent in records from before. */
  readonly index?: string;
  /** Absent where no model was loaded. */
  readonly model?: string;
  /** W */
  readonly window: number;
  /** Engine order: the whole window where it was requested, else the page; empty where the engine gave none. */
  readonly original_ids: readonly string[];
  /** The engine's scores, parallel to original_ids, where it gives some: training lists need them. Null for a hit without. */
  readonly original_scores?: readonly (number | null)[];
  /** Price, stock and the like that the hits brought, each parallel to original_ids: fresher than the published ones, for the same reason. */
  readonly original_values?: Readonly<Partial<Record<ItemValue, readonly (number | null)[]>>>;
  /** As shown: the page, of which the first is at position `offset` + 1 of the whole list. */
  readonly served_ids: readonly string[];
  /** Hits before the page; null where only the engine knows their number (a cursor, say). Absent in records from before. */
  readonly offset?: number | null;
  /** The filters of a search without words, folded, by field: which category, collection or brand it shows. Absent unless its index ranks such pages. */
  readonly page?: Readonly<Record<string, readonly string[]>> | undefined;
  /** Parallel to served_ids, in an interleaved list: the team of each; null for a pinned one. */
  readonly teams?: readonly ("a" | "b" | null)[];
  /** Parallel to served_ids, where a pair may have been swapped: the probability of each at its position. */
  readonly propensities?: readonly number[];
  /** The model's order of the window, where the engine's was shown. */
  readonly shadow_ids?: readonly string[];
  /** Of the shop's rules; absent where none fits the search. */
  readonly rules?: RulesAttributes;
  /** The name of its token, by which events that name the search by its query id are told from events with the token. */
  readonly token?: string;
  /** Absent where the list was re-ranked. */
  readonly bypass?: BypassReason;
  /** Milliseconds until the reply was ready: those that the engine was waited for, and the others. In a Worker the clock stands while code computes. */
  readonly engine_ms?: number;
  readonly edge_ms?: number;
}

/** What the shop's rules did to one search. */
export interface RulesAttributes {
  /** Of the rules document. */
  readonly version: string;
  /** Ids of those that changed the order. */
  readonly applied: readonly string[];
  /** Those that fit the search and did nothing, or not for one of their items, and why; the first 20, each rule before the second item of any. */
  readonly idle?: readonly {
    readonly rule: string;
    readonly reason: string;
    readonly item?: string | undefined;
    readonly by?: string | undefined;
  }[];
  /** How many more there were. */
  readonly idle_more?: number;
  /** Those that fit, and have another share of the shoppers: the other arm of an experiment. */
  readonly held_back?: readonly string[];
  /** Of the rules with a share that fit, in it or not: the units from `from` up to `to` of the hash with this seed. For the price of a rule. */
  readonly shares?: readonly { readonly rule: string; readonly from: number; readonly to: number; readonly seed: string }[];
  /** Items of the page that stand in a slot (sponsored). */
  readonly slot_ids?: readonly string[];
  /**
   * Of an explored list: rule → the hits (indices of `original_ids`) that would stand in the first ten positions without it, before a swap. The first
   * five rules that change something there.
   */
  readonly without?: Readonly<Record<string, readonly number[]>>;
}

export interface UbiQueryRecord {
  readonly application: string;
  readonly query_id: string;
  /** Only with consent. */
  readonly client_id?: string;
  /** The experiment's unit as a keyed hash (unit.ts); only with consent. Not UBI's. */
  readonly unit?: string;
  readonly user_query: string;
  readonly query_attributes: { readonly armmt: ArmmtAttributes };
  /** ISO 8601 with a Z. */
  readonly timestamp: string;
  readonly query_response_hit_ids: readonly string[];
}

/** Names of UBI where it has one. A "conversion" is one of Algolia's without a subtype: nothing says that money was paid.
 * "refund" gives money back for what stays bought; "cancel" undoes an order or a line of it. "view" is a look at the item's own page and "watch" a
 * wish to be told about it: both are stored and belong to a shopper's history, and no metric counts them. */
export const ACTIONS = ["impression", "click", "add_to_cart", "purchase", "conversion", "refund", "cancel", "view", "watch"] as const;

/** Other names in UBI's samples and demo shops, of the same meaning. */
export const ACTION_NAMES: Readonly<Record<string, ActionName>> = {
  click_through: "click",
  product_click: "click",
  product_purchase: "purchase",
};

export type ActionName = (typeof ACTIONS)[number];

export interface UbiEventRecord extends Pick<UbiQueryRecord, "application" | "query_id" | "client_id" | "timestamp"> {
  readonly action_name: ActionName;
  readonly event_attributes: {
    /** "order": a refund or a cancellation of the whole order; the id is its `order_id`. */
    readonly object: { readonly object_id: string; readonly object_id_type: "product" | "order" };
    /** The ordinal is 0 for an order, which has no place in a list. */
    readonly position: Position;
  };
}

/** Of an item as shown, 1-based. */
export interface Position {
  /** In the whole list. */
  readonly ordinal?: number;
  /** On its page, where only the engine knows how many hits come before that. Not UBI's. */
  readonly page_ordinal?: number;
}

/** An event about an item that a token proves to be served; with the report's members beside UBI's own. */
export interface ServedEvent extends UbiEventRecord, Pick<UbiQueryRecord, "unit"> {
  /** The same for two deliveries of one event. */
  readonly event_id: string;
  readonly quantity?: number;
  /** Of one item. */
  readonly price?: number;
  /** ISO 4217, three capitals. */
  readonly currency?: string;
  /** A keyed hash of the shop's order number: orders can be told apart and found again, not looked up in the shop. */
  readonly order_id?: string;
  /** Tells two lines of one order with the same item apart. */
  readonly line?: string;
  /** The price is far from the published one (ingest.ts). */
  readonly price_suspect?: true;
  /** The item's team in an interleaved list. */
  readonly team?: "a" | "b";
  readonly event_attributes: UbiEventRecord["event_attributes"] & {
    /** `event_name`: the client's name for this kind of event. */
    readonly armmt: Partial<Pick<ArmmtAttributes, "experiment" | "variant">> & {
      readonly event_name?: string;
      /** An order from a server of the shop, by its signature: it goes before what comes of that order without one. Where no token names its search, the report finds it. */
      readonly is_signed?: true;
      /** The item stood in a slot of the shop's rules when it was served. */
      readonly is_sponsored?: true;
    };
  };
}

export interface QueryRecordOptions {
  /** Which search box or shop, at most 100 characters. */
  readonly application: string;
  /** At most 100 characters; the record is worth nothing without the whole id, so the caller makes a new one where it is longer. */
  readonly queryId: string;
  /** Given only where the shopper consented. An id longer than 100 characters is left out: cut, it would merge two shoppers. */
  readonly clientId?: string | undefined;
  /** Hashed, and given only where the shopper consented. */
  readonly unit?: string | undefined;
  readonly userQuery: string;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  readonly armmt: ArmmtAttributes;
}

export function createQueryRecord({ application, queryId, clientId, unit, userQuery, timeMs, armmt }: QueryRecordOptions): UbiQueryRecord {
  return {
    application,
    query_id: queryId,
    ...clientOf(clientId),
    ...(unit !== undefined && { unit }),
    user_query: userQuery,
    query_attributes: { armmt },
    timestamp: new Date(timeMs).toISOString(),
    query_response_hit_ids: armmt.served_ids,
  };
}

export interface EventRecordOptions extends Pick<QueryRecordOptions, "application" | "queryId" | "clientId" | "timeMs"> {
  readonly action: ActionName;
  readonly itemId: string;
  /** 1-based, as shown; `undefined` for an item whose place in no list is known. */
  readonly position: number | undefined;
  /** `position` is that on the page, not in the whole list. Default: false. */
  readonly isOnPage?: boolean | undefined;
  /** What `itemId` names; default "product". */
  readonly objectType?: "product" | "order";
}

export function createEventRecord(options: EventRecordOptions): UbiEventRecord {
  const { application, action, queryId, clientId, itemId, position, isOnPage = false, timeMs, objectType = "product" } = options;
  return {
    application,
    action_name: action,
    query_id: queryId,
    ...clientOf(clientId),
    timestamp: new Date(timeMs).toISOString(),
    event_attributes: {
      object: { object_id: itemId, object_id_type: objectType },
      position: position === undefined ? {} : isOnPage ? { page_ordinal: position } : { ordinal: position },
    },
  };
}

function clientOf(clientId: string | undefined): { client_id?: string } {
  return clientId === undefined || clientId === "" || clientId.length > MAX_ID_LENGTH ? {} : { client_id: clientId };
}
