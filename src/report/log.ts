/** Rows that a report reads from a log: `sql-log.ts` reads them from tables, `ubi-log.ts` from files. */
import * as v from "valibot";
import { isBypassReason, REASONS } from "../result.ts";

/** One page of one search in one experiment. A later page of the same search has the same query id. */
export type SearchRow = Readonly<Omit<ReadSearch, LaterMember> & Partial<Pick<ReadSearch, LaterMember>>>;

type LaterMember = "index" | "slotIds" | "rules" | "explored";

/** A first page on which chance has swapped a pair, and the orders without rules. */
export interface ExploredSearch {
  readonly originalIds: readonly string[];
  readonly servedIds: readonly string[];
  /** Parallel to the served ids. */
  readonly propensities: readonly number[];
  /** Rule → indices of the original ids in the first positions. */
  readonly without: Readonly<Record<string, readonly number[]>>;
}

/** A rule of the shop that fits a search. */
export interface RuledSearch {
  readonly rule: string;
  /** The part of the shoppers that it acts for, by hash; `undefined` for all. */
  readonly share: { readonly from: number; readonly to: number; readonly seed: string } | undefined;
  /** False where chance holds it back. */
  readonly isIn: boolean;
  /** It changed the order. */
  readonly hasActed: boolean;
}

type ReadSearch = ReturnType<typeof toSearchRow>;

export type Team = "a" | "b";

/** The last two take back purchases: "cancel" undoes an order or a line of it, "refund" gives money back for what stays bought. */
export const ACTIONS = ["click", "add_to_cart", "purchase", "refund", "cancel"] as const;

type ReadAction = ReturnType<typeof toActionRow>;

/** What a log may not know. */
type Unsaid = "atMs" | "application" | "unit" | "otherUnit" | "orderId" | "line" | "isPriceSuspect" | "isSigned";

export type ActionRow = Readonly<Omit<ReadAction, Unsaid> & Partial<Pick<ReadAction, Unsaid>>>;

export interface LogRange {
  /** `undefined`: searches of all experiments, and of none. */
  readonly experiment: string | undefined;
  /** ISO 8601, inclusive; a day is enough. */
  readonly since: string | undefined;
  /** ISO 8601, exclusive. */
  readonly until: string | undefined;
}

/** ISO 8601: `from` bounds searches outside the experiment. */
export type EarlierSpan = Readonly<Record<"from" | "until", string>>;

export interface EarlierRows {
  searches(): AsyncIterable<EarlierSearch>;
  actions(): AsyncIterable<EarlierAction>;
}

interface EarlierSearch {
  readonly queryId: string;
  readonly unit: string;
  readonly atMs: number;
  /** In the experiment itself, before the report begins. */
  readonly variant: string | undefined;
}

type EarlierAction = ActionRow & { readonly atMs: number };

export function isWithin({ since, until }: LogRange, atMs: number): boolean {
  return (since === undefined || atMs >= Date.parse(since)) && (until === undefined || atMs < Date.parse(until));
}

export interface EarlierRow {
  readonly unit: string;
  readonly variant: string;
}

export interface Log {
  /** For messages. */
  readonly place: string;
  /** About the log itself, for the reader of the report. */
  readonly notes: readonly string[];
  /** What was found out while reading: known after the last row. */
  readonly lateNotes?: () => readonly string[];
  /** Experiment → rows. */
  experiments(): Promise<ReadonlyMap<string, number>>;
  searches(range: LogRange): AsyncIterable<SearchRow>;
  /** Who was in which arm of the experiment before the range; nothing without `since`. May repeat itself. */
  armsBefore?(range: LogRange): AsyncIterable<EarlierRow>;
  /** At least those of the experiment's searches, of any time, and all refunds and cancellations; others are ignored. */
  actions(range: LogRange): AsyncIterable<ActionRow>;
  /** What shoppers did before; absent where the log knows of nothing but the experiment. */
  earlier?(range: LogRange, span: EarlierSpan): EarlierRows;
  /** JSON text of the experiments that are changed without a deployment (KV key "experiments"), where there is one. */
  liveExperiments(): Promise<string | undefined>;
  close(): Promise<void>;
}

const optionalText = v.nullish(v.string());

/** As in events/ubi.ts; a record of an older edge has no shares. */
export const rawRules = v.object({
  applied: v.nullish(v.array(v.string()), []),
  held_back: v.nullish(v.array(v.string()), []),
  shares: v.nullish(v.array(v.object({ rule: v.string(), from: v.number(), to: v.number(), seed: v.string() })), []),
});

const itemIds = v.array(v.union([v.string(), v.pipe(v.number(), v.transform(String))]));

/** Of lists whose rules name orders without them. */
export const rawExplored = v.object({
  original_ids: itemIds,
  served_ids: itemIds,
  propensities: v.array(v.number()),
  without: v.record(v.string(), v.array(v.number())),
});

/** A search as UBI records hold it; in tables, lists are JSON text. */
export const rawSearch = v.object({
  query_id: v.string(),
  timestamp: v.string(),
  application: v.nullish(v.string(), ""),
  index: optionalText,
  unit: optionalText,
  user_query: v.nullish(v.string(), ""),
  variant: v.string(),
  bypass: optionalText,
  model: optionalText,
  engine_ms: v.nullish(v.number()),
  edge_ms: v.nullish(v.number()),
  /** How many hits were shown. */
  shown: v.nullish(v.number()),
  /** Parallel to `served_ids`; null for a pinned item, which is in no team. */
  teams: v.nullish(v.array(v.unknown())),
  served_ids: v.nullish(v.array(v.string())),
  /** Items of the page in slots of the shop's rules. */
  slot_ids: v.nullish(v.array(v.union([v.string(), v.pipe(v.number(), v.transform(String))]))),
  rules: v.nullish(rawRules),
  explored: v.nullish(rawExplored),
  /** The simulator's mark. */
  simulated: v.optional(v.unknown()),
});

function exploredSearch(raw: v.InferOutput<typeof rawExplored> | null | undefined): ExploredSearch | undefined {
  if (raw === null || raw === undefined) return undefined;
  return { originalIds: raw.original_ids, servedIds: raw.served_ids, propensities: raw.propensities, without: raw.without };
}

function ruledSearches(raw: v.InferOutput<typeof rawRules> | null | undefined): readonly RuledSearch[] | undefined {
  if (raw === null || raw === undefined) return undefined;
  const [applied, held, shared] = [new Set(raw.applied), new Set(raw.held_back), new Set(raw.shares.map(({ rule }) => rule))];
  return [
    ...raw.shares.map(({ rule, from, to, seed }) => ({
      rule,
      share: { from, to, seed },
      isIn: !held.has(rule),
      hasActed: applied.has(rule),
    })),
    ...raw.applied.flatMap((rule) => (shared.has(rule) ? [] : [{ rule, share: undefined, isIn: true, hasActed: true }])),
  ];
}

export function toSearchRow(raw: v.InferOutput<typeof rawSearch>) {
  const { application, teams, served_ids: items, simulated, engine_ms: engineMs, edge_ms: edgeMs, shown } = raw;
  const isUnread = raw.bypass !== undefined && raw.bypass !== null && isBypassReason(raw.bypass) && REASONS[raw.bypass].fault === "reply";
  return {
    queryId: raw.query_id,
    variant: raw.variant,
    /** Since 1970. */
    atMs: Date.parse(raw.timestamp),
    application,
    /** Its name in the edge's configuration, where that is known: the shop's server may name it so. */
    index: raw.index ?? undefined,
    /** Pseudonym of the shopper (the randomisation unit): only with consent. */
    unit: raw.unit ?? undefined,
    /** Their number; the words themselves never leave the log. */
    words: countWords(raw.user_query),
    /** Reason for not re-ranking. */
    bypass: raw.bypass ?? undefined,
    /** Version of the model that was live, whatever was shown. */
    model: raw.model ?? undefined,
    /** Until the reply was ready; `undefined` in logs of an older edge. */
    ms: typeof engineMs === "number" && typeof edgeMs === "number" ? engineMs + edgeMs : undefined,
    /** Nothing was shown: no hit, or an error of the engine; `undefined` where the edge could not read the reply. */
    isEmpty: isUnread || typeof shown !== "number" ? undefined : shown === 0,
    /** Of an interleaved list: item → its team. */
    teams: Array.isArray(teams) ? teamsByItem(items ?? [], teams) : undefined,
    /** Items of this page that were sponsored. */
    slotIds: raw.slot_ids ?? undefined,
    rules: ruledSearches(raw.rules),
    explored: exploredSearch(raw.explored),
    isSimulated: simulated === true || simulated === 1 || /simulat/i.test(application),
  };
}

const optionalAmount = v.nullish(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^\s*-?\d+(\.\d+)?\s*$/, "expected a number"), v.transform(Number))]),
);

/** Others may count their orders and lines. */
const orderNumber = v.nullish(
  v.pipe(
    v.union([v.string(), v.number()]),
    v.transform((id) => String(id).trim()),
  ),
);

/** An action as tables and UBI records hold it. */
export const rawAction = v.object({
  event_id: optionalText,
  /** None for a refund or a cancellation that the shop's server sends: it names its order. */
  query_id: v.nullish(v.string(), ""),
  timestamp: optionalText,
  application: optionalText,
  unit: optionalText,
  client_id: optionalText,
  action_name: v.picklist(ACTIONS),
  object_id: optionalText,
  quantity: optionalAmount,
  price: optionalAmount,
  currency: optionalText,
  team: optionalText,
  order_id: orderNumber,
  line: orderNumber,
  price_suspect: v.nullish(v.union([v.boolean(), v.number()])),
  is_signed: v.nullish(v.union([v.boolean(), v.number()])),
});

export function toActionRow(raw: v.InferOutput<typeof rawAction>) {
  const atMs = Date.parse(raw.timestamp ?? "");
  const isSigned = raw.is_signed === true || raw.is_signed === 1;
  const mayStandAlone = raw.action_name === "refund" || raw.action_name === "cancel" || raw.query_id === "" || isSigned;
  return {
    /** The same for two deliveries of one event; `undefined` where the log holds each event once. */
    eventId: raw.event_id ?? undefined,
    queryId: raw.query_id,
    action: raw.action_name,
    /** Since 1970; `undefined` where it cannot be read. */
    atMs: Number.isNaN(atMs) ? undefined : atMs,
    /** Of what may follow no search (a refund, a cancellation, a signed order); otherwise the search's hold. */
    application: mayStandAlone ? (raw.application ?? undefined) : undefined,
    unit: mayStandAlone ? (raw.unit ?? undefined) : undefined,
    /** The shopper under another id, for an order that names no search. */
    otherUnit: raw.query_id === "" ? (raw.client_id ?? undefined) : undefined,
    /** Empty for a whole order. */
    itemId: raw.object_id ?? "",
    quantity: raw.quantity ?? undefined,
    /** Of one item. */
    price: raw.price ?? undefined,
    currency: raw.currency?.trim().toUpperCase() || undefined,
    /** The shop's number of the order, or a hash of it. */
    orderId: raw.order_id || undefined,
    /** Tells two lines of one order with the same item apart. */
    line: raw.line || undefined,
    /** The edge's mark: the price is far from the published one. */
    isPriceSuspect: raw.price_suspect === true || raw.price_suspect === 1 || undefined,
    /** The shop's server sent it. */
    isSigned: isSigned || undefined,
    /** Where the event says it; else it follows from the search. */
    team: asTeam(raw.team),
  };
}

export function countWords(query: string): number {
  return query.trim() === "" ? 0 : query.trim().split(/\s+/).length;
}

function teamsByItem(items: readonly string[], teams: readonly unknown[]): ReadonlyMap<string, Team> {
  return new Map(
    items.flatMap((item, i) => {
      const team = asTeam(teams[i]);
      return team === undefined ? [] : [[item, team] as const];
    }),
  );
}

function asTeam(value: unknown): Team | undefined {
  return value === "a" || value === "b" ? value : undefined;
}
