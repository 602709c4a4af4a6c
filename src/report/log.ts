/**
 * What a report reads of a log, wherever the log lies. Types only; `sql-log.ts` and `ubi-log.ts` fill them.
 */

/** One page of one search in one experiment. A later page of the same search has the same query id. */
export interface SearchRow {
  readonly queryId: string;
  readonly variant: string;
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly application: string;
  /** Who searched, without saying who: only with consent. */
  readonly unit: string | undefined;
  /** How many words were typed. The words themselves never leave the log. */
  readonly words: number;
  /** Why the list was not re-ranked. */
  readonly bypass: string | undefined;
  /** Of an interleaved list: item → the team that placed it. */
  readonly teams: ReadonlyMap<string, Team> | undefined;
  readonly isSimulated: boolean;
}

export type Team = "a" | "b";

export const ACTIONS = ["click", "add_to_cart", "purchase"] as const;
export type Action = (typeof ACTIONS)[number];

export interface ActionRow {
  /** The same for two deliveries of one event; `undefined` where the log holds each event once. */
  readonly eventId: string | undefined;
  readonly queryId: string;
  readonly action: Action;
  readonly itemId: string;
  readonly quantity: number | undefined;
  /** Of one item. */
  readonly price: number | undefined;
  readonly currency: string | undefined;
  /** Where the event says it; else it follows from the search. */
  readonly team: Team | undefined;
}

export interface LogRange {
  readonly experiment: string;
  /** ISO 8601, inclusive; a day is enough. */
  readonly since: string | undefined;
  /** ISO 8601, exclusive. */
  readonly until: string | undefined;
}

export interface Log {
  /** For messages: where this is. */
  readonly place: string;
  /** What the reader should know about the log itself. */
  readonly notes: readonly string[];
  /** Rows per experiment that the log knows. */
  experiments(): Promise<ReadonlyMap<string, number>>;
  searches(range: LogRange): AsyncIterable<SearchRow>;
  /** Of the experiment's searches at least; those of others do no harm. */
  actions(range: LogRange): AsyncIterable<ActionRow>;
  /** JSON text of the experiments that are changed without a deployment (KV key "experiments"), where there is one. */
  liveExperiments(): Promise<string | undefined>;
  close(): Promise<void>;
}

export function countWords(query: string): number {
  return query.trim() === "" ? 0 : query.trim().split(/\s+/).length;
}

/** The simulator's rows name it in `application`, or carry the flag. */
export function isSimulated(application: string, flag: unknown): boolean {
  return flag === true || flag === 1 || /simulat/i.test(application);
}

export function asTeam(value: unknown): Team | undefined {
  return value === "a" || value === "b" ? value : undefined;
}

/** `teams` is parallel to `items`; null for a pinned item, which is nobody's. `undefined` for a list that is not interleaved. */
export function teamsByItem(
  items: readonly string[] | null | undefined,
  teams: readonly unknown[] | null | undefined,
): ReadonlyMap<string, Team> | undefined {
  if (!Array.isArray(teams)) return undefined;
  const known = new Map<string, Team>();
  items?.forEach((item, i) => {
    const team = asTeam(teams[i]);
    if (team !== undefined) known.set(item, team);
  });
  return known;
}
