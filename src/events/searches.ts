/**
 * Searches that events name by a query id alone, as the engines' own clients do: found among the tokens that this process handed out last, else
 * in the event database.
 *
 * A query id counts alone only if nobody can guess it, this edge has recorded its search, and no longer than a token would: who knows it saw the
 * reply.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../result.ts";
import { DAY_MS, errorText, withTimeout } from "../web.ts";
import type { ClientBatch } from "./client-batch.ts";
import type { Query, ReadEvents } from "./read.ts";
import { type OpenToken, TOKEN_TTL_MS } from "./token.ts";

/** Engines' ids and UUIDs, not numbers and words of a page. */
export function isHardToGuess(queryId: string): boolean {
  return /^[\w-]{22,100}$/.test(queryId) && new Set(queryId).size >= 8;
}

/** Each takes half a kilobyte. */
const MOST_RECENT = 2000;

export type RecentTokens = ReturnType<typeof createRecentTokens>;

/** The last tokens of this process, by query id: of a search that was made a moment ago, the database may not know yet. */
export function createRecentTokens(most = MOST_RECENT) {
  const tokens = new Map<string, string>();
  return {
    note(queryId: string, token: string): void {
      // A search of the same id that came before goes to the end.
      tokens.delete(queryId);
      tokens.set(queryId, token);
      if (tokens.size > most) for (const oldest of tokens.keys()) return void tokens.delete(oldest);
    },
    tokenOf: (queryId: string): string | undefined => tokens.get(queryId),
  };
}

/** Query id → its searches, of which each page is one; not those that nobody has recorded. Rejects where the database gives no answer. */
export type FindSearches = (queryIds: readonly string[]) => Promise<ReadonlyMap<string, readonly OpenToken[]>>;

/** Of one request: each is looked up in the database. */
const MAX_LOOKUPS = 50;

/** Adds the tokens of recent searches to `byQuery`, and finds the others that events name without a token. */
export async function findNamed(
  { events }: Pick<ClientBatch, "events">,
  byQuery: Map<string, readonly string[]>,
  { recent, findSearches }: { readonly recent?: RecentTokens | undefined; readonly findSearches?: FindSearches | undefined },
): Promise<
  Result<ReadonlyMap<string, readonly OpenToken[]>, { readonly code: "malformed" | "sink_unavailable"; readonly message: string }>
> {
  const wanted = new Set<string>();
  for (const { event } of events) {
    if (!event.ok) continue;
    const { token, queryId } = event.value;
    if (token !== undefined || queryId === undefined || byQuery.has(queryId) || !isHardToGuess(queryId)) continue;
    const known = recent?.tokenOf(queryId);
    if (known === undefined) wanted.add(queryId);
    else byQuery.set(queryId, [known]);
  }
  if (wanted.size === 0 || findSearches === undefined) return ok(new Map());
  if (wanted.size > MAX_LOOKUPS) return err({ code: "malformed", message: `More than ${MAX_LOOKUPS} query ids: send less at once` });
  try {
    return ok(await findSearches([...wanted]));
  } catch {
    return err({ code: "sink_unavailable", message: "The searches of these events cannot be looked up now: send them again later" });
  }
}

const ROWS_OF_ONE = 20;
const FIND_MS = 2000;

const SQL = `SELECT query_id, timestamp, application, experiment, variant, unit, query_attributes, hit_ids FROM ubi_queries
  WHERE query_id IN (SELECT value FROM json_each(?1)) ORDER BY id DESC LIMIT ?2`;

const list = v.pipe(v.string(), v.parseJson(), v.array(v.string()));

const row = v.object({
  query_id: v.string(),
  timestamp: v.string(),
  application: v.string(),
  experiment: v.nullable(v.string()),
  variant: v.string(),
  unit: v.nullable(v.string()),
  query_attributes: v.pipe(
    v.string(),
    v.parseJson(),
    v.object({
      armmt: v.object({
        token: v.optional(v.string()),
        offset: v.optional(v.nullable(v.number())),
        teams: v.optional(v.array(v.nullable(v.picklist(["a", "b"])))),
        rules: v.optional(v.object({ slot_ids: v.optional(v.array(v.string())) })),
      }),
    }),
  ),
  hit_ids: list,
});

export function createFindSearches(read: ReadEvents): FindSearches {
  return async (queryIds) => {
    const query: Query = { sql: SQL, values: [JSON.stringify(queryIds), ROWS_OF_ONE * queryIds.length] };
    let rows: readonly unknown[];
    try {
      const late = () => Promise.reject(new Error(`The event database gave no answer within ${FIND_MS} ms`));
      const [found] = await withTimeout(read([query]), FIND_MS, late);
      rows = found ?? [];
    } catch (cause) {
      // Nothing is recorded yet.
      if (!/no such (?:table|column)/i.test(errorText(cause))) throw cause;
      rows = [];
    }
    const searches = rows.flatMap((one) => {
      const parsed = v.safeParse(row, one);
      return parsed.success ? [searchOf(parsed.output)] : [];
    });
    return Map.groupBy(searches, ({ queryId }) => queryId);
  };
}

function searchOf({
  query_id: queryId,
  timestamp,
  experiment,
  unit,
  query_attributes: { armmt },
  hit_ids: ids,
  ...rest
}: v.InferOutput<typeof row>): OpenToken {
  const slots = new Set(armmt.rules?.slot_ids);
  return {
    ...rest,
    id: armmt.token ?? `query ${queryId} ${timestamp}`,
    queryId,
    experiment: experiment ?? undefined,
    unit: unit ?? undefined,
    issuedAtMs: Date.parse(timestamp),
    offset: armmt.offset ?? undefined,
    positionOf: async (itemId) => ids.indexOf(itemId) + 1 || undefined,
    teamAt: (position) => armmt.teams?.[position - 1] ?? undefined,
    isSlot: (position) => slots.has(ids[position - 1] ?? ""),
  };
}

export const isExpired = ({ issuedAtMs }: OpenToken, nowMs: number): boolean =>
  !(nowMs - issuedAtMs < TOKEN_TTL_MS && issuedAtMs - nowMs < DAY_MS);
