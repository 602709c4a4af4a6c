/**
 * A shop's log → searches with what was clicked and what the shopper had looked at before. Reads UBI lines; computes no feature.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { MAX_HISTORY } from "../../ranking/features.ts";
import { CommandError } from "../command.ts";
import { type EventRecord, eventRecordSchema, type QueryRecord, queryRecordSchema } from "../simulate/records.ts";
import { type Split, splitOf } from "../simulate/split.ts";

/** Actions that say what a shopper has looked at. */
const LOOKED_AT: ReadonlySet<string> = new Set(["view", "click", "add_to_cart", "purchase"]);

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
  readonly servedIds: readonly string[];
  readonly actions: Readonly<Record<"click" | "add_to_cart" | "purchase", ReadonlySet<string>>>;
  /** What the shopper looked at before this search, most recent first, each once, at most MAX_HISTORY. */
  readonly history: readonly string[];
}

/** Reads a file of JSON lines through a schema; the error names file, line and field. */
export async function* readRecords<T extends v.GenericSchema>(path: string, schema: T): AsyncGenerator<v.InferOutput<T>> {
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number++;
      if (line.trim() === "") continue;
      const parsed = v.safeParse(schema, JSON.parse(line));
      if (!parsed.success) {
        const issue = parsed.issues[0];
        throw new CommandError(`${path}, line ${number}: ${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
      }
      yield parsed.output;
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new CommandError(`${path}, line ${number} is not JSON: ${error.message}`);
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new CommandError(`${path} does not exist: give a folder that holds queries.ndjson and events.ndjson`);
    }
    throw error;
  }
}

function timeOf(record: { readonly timestamp: string }, what: string): number {
  const ms = Date.parse(record.timestamp);
  if (Number.isNaN(ms))
    throw new CommandError(`${what} has timestamp "${record.timestamp}": expected ISO 8601, such as 2026-11-16T09:30:00Z`);
  return ms;
}

interface Look {
  readonly itemId: string;
  readonly atMs: number;
}

/** Looks before `atMs`, most recent first, each item once. `looks` is in time order. */
export function historyBefore(looks: readonly Look[], atMs: number): string[] {
  const found = new Set<string>();
  for (let i = looks.length - 1; i >= 0 && found.size < MAX_HISTORY; i--) {
    const look = looks[i];
    if (look !== undefined && look.atMs < atMs) found.add(look.itemId);
  }
  return [...found];
}

interface EventIndex {
  /** By client, in time order. */
  readonly looks: ReadonlyMap<string, readonly Look[]>;
  /** By query, then action. */
  readonly actions: ReadonlyMap<string, ReadonlyMap<string, ReadonlySet<string>>>;
}

export function indexEvents(events: readonly EventRecord[]): EventIndex {
  const looks = new Map<string, Look[]>();
  const actions = new Map<string, Map<string, Set<string>>>();
  for (const event of events) {
    const itemId = event.event_attributes.object.object_id;
    if (event.client_id !== undefined && LOOKED_AT.has(event.action_name)) {
      const list = looks.get(event.client_id) ?? [];
      list.push({ itemId, atMs: timeOf(event, `An event of client "${event.client_id}"`) });
      looks.set(event.client_id, list);
    }
    if (event.query_id === undefined) continue;
    const byAction = actions.get(event.query_id) ?? new Map<string, Set<string>>();
    byAction.set(event.action_name, (byAction.get(event.action_name) ?? new Set()).add(itemId));
    actions.set(event.query_id, byAction);
  }
  for (const list of looks.values()) list.sort((a, b) => a.atMs - b.atMs);
  return { looks, actions };
}

const NONE: ReadonlySet<string> = new Set();

/**
 * One search with its clicks and history. `undefined` when shopper and query belong to different splits: such a list would let a test query
 * or a test shopper into training.
 */
export function searchOf(record: QueryRecord, index: EventIndex): LoggedSearch | undefined {
  const { armmt } = record.query_attributes;
  const split = splitOf("query", record.user_query);
  if (record.client_id !== undefined && splitOf("shopper", record.client_id) !== split) return undefined;
  const atMs = timeOf(record, `Query "${record.query_id}"`);
  const { original_scores: scores, original_ids: itemIds } = armmt;
  if (scores !== undefined && scores.length !== itemIds.length) {
    throw new CommandError(
      `Query "${record.query_id}" has ${scores.length} original_scores for ${itemIds.length} original_ids: they must be parallel`,
    );
  }
  const byAction = index.actions.get(record.query_id);
  return {
    queryId: record.query_id,
    query: record.user_query,
    split,
    atMs,
    randomised: armmt.variant === "shuffle",
    itemIds,
    scores,
    servedIds: armmt.served_ids,
    actions: {
      click: byAction?.get("click") ?? NONE,
      add_to_cart: byAction?.get("add_to_cart") ?? NONE,
      purchase: byAction?.get("purchase") ?? NONE,
    },
    history: record.client_id === undefined ? [] : historyBefore(index.looks.get(record.client_id) ?? [], atMs),
  };
}

/** All searches of a folder with queries.ndjson and events.ndjson, and how many were left out because their split is not clear. */
export async function readLog(folder: string): Promise<{ searches: LoggedSearch[]; leftOut: number }> {
  const events: EventRecord[] = [];
  for await (const event of readRecords(`${folder}/events.ndjson`, eventRecordSchema)) events.push(event);
  const index = indexEvents(events);
  const searches: LoggedSearch[] = [];
  let leftOut = 0;
  for await (const record of readRecords(`${folder}/queries.ndjson`, queryRecordSchema)) {
    const search = searchOf(record, index);
    if (search === undefined) leftOut++;
    else searches.push(search);
  }
  return { searches, leftOut };
}
