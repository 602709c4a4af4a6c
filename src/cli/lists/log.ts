/** A shop's UBI log → searches with their clicks and the shopper's earlier views. Computes no feature. */
import { MAX_HISTORY } from "../../ranking/features.ts";
import { type EventRecord, eventRecordSchema, type QueryRecord, queryRecordSchema, readRecords } from "../../report/ubi-log.ts";
import type { ListTreatment } from "./columns.ts";
import { createPageHolder, joinPages } from "./pages.ts";
import { type Split, splitOf } from "./split.ts";
import { UserError } from "../../web.ts";

const ACTIONS = ["click", "add_to_cart", "purchase"] as const;
type Action = (typeof ACTIONS)[number];

/** Actions that add an item to the shopper's history. */
const LOOKED_AT: ReadonlySet<string> = new Set(["view", ...ACTIONS]);

/** One served list as logged. */
export interface LoggedSearch {
  readonly queryId: string;
  readonly query: string;
  readonly split: Split;
  readonly atMs: number;
  readonly randomised: boolean;
  /** Engine order. */
  readonly itemIds: readonly string[];
  /** Parallel to `itemIds`; absent where the log has none. */
  readonly scores: readonly number[] | undefined;
  /** Parallel to `itemIds`: 1-based engine ranks. Default: as they stand. */
  readonly ranks?: readonly number[] | undefined;
  readonly servedIds: readonly string[];
  /** Parallel to `servedIds`: 1-based, in the whole list. Default: as they stand. */
  readonly positions?: readonly number[] | undefined;
  readonly actions: Readonly<Record<Action, ReadonlySet<string>>>;
  /** Items that the shopper looked at before this search, most recent first, each once, at most MAX_HISTORY. */
  readonly history: readonly string[];
  /** Hash of the shopper's pseudonym; absent without consent. */
  readonly unit?: string | undefined;
  readonly index?: string | undefined;
  readonly experiment?: string | undefined;
  readonly variant?: string | undefined;
  readonly model?: string | undefined;
  /** Default: "engine". */
  readonly treatment?: ListTreatment | undefined;
  /** Of shown items; absent where nothing was explored. */
  readonly propensities?: ReadonlyMap<string, number> | undefined;
  /** 1: a, 2: b. */
  readonly teams?: ReadonlyMap<string, number> | undefined;
  readonly revenue?: ReadonlyMap<string, number> | undefined;
  readonly orders?: number | undefined;
}

function timeOf(record: { readonly timestamp: string }, what: string): number {
  const ms = Date.parse(record.timestamp);
  if (Number.isNaN(ms)) throw new UserError(`${what} has timestamp "${record.timestamp}": expected ISO 8601, such as 2026-11-16T09:30:00Z`);
  return ms;
}

type Look = Readonly<{ itemId: string; atMs: number }>;

/** The items of looks before `atMs`, most recent first, each once. `looks` is in time order. */
export function historyBefore(looks: readonly Look[], atMs: number): string[] {
  const before = looks.flatMap((look) => (look.atMs < atMs ? [look.itemId] : []));
  return [...new Set(before.toReversed())].slice(0, MAX_HISTORY);
}

function append<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key) ?? [];
  list.push(value);
  lists.set(key, list);
}

/** Takes events in any order, keeps about 100 bytes of each: a log may be far larger than memory. `index`, called last, sorts the looks. */
export function createEventIndex() {
  const looks = new Map<string, Look[]>();
  const actions = new Map<string, { action: Action; itemId: string }[]>();
  const itemIds = new Map<string, string>(); // one copy of each id, not one per event
  return {
    add(event: EventRecord): void {
      const given = event.event_attributes.object.object_id;
      const itemId = itemIds.get(given) ?? given;
      itemIds.set(itemId, itemId);
      if (event.client_id !== undefined && LOOKED_AT.has(event.action_name)) {
        append(looks, event.client_id, { itemId, atMs: timeOf(event, `An event of client "${event.client_id}"`) });
      }
      const action = ACTIONS.find((name) => name === event.action_name);
      if (event.query_id !== undefined && action !== undefined) append(actions, event.query_id, { action, itemId });
    },
    /** Looks by client, in time order, and actions by query, in the log's order. */
    index() {
      for (const list of looks.values()) list.sort((a, b) => a.atMs - b.atMs);
      return { looks, actions };
    },
  };
}

/**
 * A search with clicks and history; `undefined` when shopper and query are of different splits, which would leak the test into training, and where
 * its pages make no list (pages.ts).
 */
export function searchOf(
  record: QueryRecord,
  index: ReturnType<ReturnType<typeof createEventIndex>["index"]>,
  pages: readonly QueryRecord[] = [record],
): LoggedSearch | undefined {
  const { armmt } = record.query_attributes;
  const split = splitOf("query", record.user_query);
  if (record.client_id !== undefined && splitOf("shopper", record.client_id) !== split) return undefined;
  const atMs = timeOf(record, `Query "${record.query_id}"`);
  for (const { query_attributes } of pages) {
    const { original_scores: scores, original_ids: ids } = query_attributes.armmt;
    if (scores === undefined || scores.length === ids.length) continue;
    throw new UserError(
      `Query "${record.query_id}" has ${scores.length} original_scores for ${ids.length} original_ids: they must be parallel`,
    );
  }
  const joined = joinPages(pages);
  if (joined === undefined) return undefined;
  const acted = index.actions.get(record.query_id) ?? [];
  const itemsOf = (action: Action) => new Set(acted.flatMap((event) => (event.action === action ? [event.itemId] : [])));
  return {
    queryId: record.query_id,
    query: record.user_query,
    split,
    atMs,
    randomised: armmt.variant === "shuffle",
    ...joined,
    actions: { click: itemsOf("click"), add_to_cart: itemsOf("add_to_cart"), purchase: itemsOf("purchase") },
    history: record.client_id === undefined ? [] : historyBefore(index.looks.get(record.client_id) ?? [], atMs),
  };
}

export type Log = Awaited<ReturnType<typeof openLog>>;

/** Reads the events of a folder with queries.ndjson and events.ndjson; neither file needs to be in order. */
export async function openLog(folder: string) {
  const events = createEventIndex();
  for await (const event of readRecords(`${folder}/events.ndjson`, eventRecordSchema)) events.add(event);
  const index = events.index();
  const pages = new Map<string, number>();
  for await (const { query_id: id } of readRecords(`${folder}/queries.ndjson`, queryRecordSchema)) pages.set(id, (pages.get(id) ?? 0) + 1);
  return {
    /** Reads queries.ndjson anew, in the order of last pages; `undefined` for a search that is left out. */
    async *searches(): AsyncGenerator<LoggedSearch | undefined> {
      const collect = createPageHolder(pages);
      for await (const record of readRecords(`${folder}/queries.ndjson`, queryRecordSchema)) {
        const all = collect(record);
        if (all !== undefined) yield searchOf(all[0] ?? record, index, all);
      }
    },
  };
}

/** All searches at once, or those of one split, without those that are left out. */
export async function readLog(folder: string, only?: Split): Promise<LoggedSearch[]> {
  const found: LoggedSearch[] = [];
  for await (const search of (await openLog(folder)).searches()) {
    if (search !== undefined && (only === undefined || search.split === only)) found.push(search);
  }
  return found;
}
