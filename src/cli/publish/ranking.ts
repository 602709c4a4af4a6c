/** Which model a catalogue follows and how far, as the commands write it: the KV keys `<catalog>/ranking` and `<catalog>/ranking-history`. */
import * as v from "valibot";
import {
  type CatalogRanking,
  followed,
  rankingHistoryKey,
  rankingKey,
  type RankingRecord,
  rankingSchema,
} from "../../inference/ranking.ts";
import { UserError } from "../../web.ts";
import type { Namespace } from "./namespace.ts";

/** Changes that are kept. */
const MOST_CHANGES = 100;

export type RankingStore = Pick<Namespace, "place" | "get" | "put">;

async function readJson<T>(store: RankingStore, key: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  const text = await store.get(key);
  if (text === undefined) return undefined;
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), schema), text);
  if (parsed.success) return parsed.output;
  throw new UserError(
    `Key ${key} in ${store.place} is not as armmt writes it (${parsed.issues[0].message}): delete it, or put back what it was`,
  );
}

const readRecord = (store: RankingStore, catalog: string): Promise<RankingRecord | undefined> =>
  readJson(store, rankingKey(catalog), rankingSchema);

/** `undefined` where the catalogue follows what its published set says. */
export async function readRanking(store: RankingStore, catalog: string): Promise<CatalogRanking | undefined> {
  return followed(await readRecord(store, catalog));
}

/** Newest last; the last one is in force. */
export async function readRankingHistory(store: RankingStore, catalog: string): Promise<readonly RankingRecord[]> {
  return (await readJson(store, rankingHistoryKey(catalog), v.array(rankingSchema))) ?? [];
}

export interface RankingChange {
  readonly model: string;
  readonly trust: number;
  readonly evidence: string;
  readonly at: Date;
  /** `since` of what the change was decided on: it is not made where another command was quicker. */
  readonly expected?: string | undefined;
}

/** The ranking that is in force then, and whether it is this one. */
export async function writeRanking(store: RankingStore, catalog: string, { at, expected, ...change }: RankingChange) {
  const current = await readRanking(store, catalog);
  const isOther = expected !== undefined && current?.since !== expected;
  if (isOther || (current?.model === change.model && current.trust === change.trust)) return { ranking: current, changed: false };
  const ranking: CatalogRanking = { format: 1, ...change, since: at.toISOString() };
  await writeRecord(store, catalog, ranking);
  return { ranking, changed: true };
}

async function writeRecord(store: RankingStore, catalog: string, ranking: RankingRecord): Promise<void> {
  const history = [...(await readRankingHistory(store, catalog)), ranking].slice(-MOST_CHANGES);
  await store.put([{ key: rankingHistoryKey(catalog), value: JSON.stringify(history) }]);
  // What edges read last: a crash before leaves them as they were.
  await store.put([{ key: rankingKey(catalog), value: JSON.stringify(ranking) }]);
}

/** What was in force before, again; a second time undoes that. Before the first ranking it was what the published set says. Throws a UserError. */
export async function rollBackRanking(store: RankingStore, catalog: string, at: Date): Promise<RankingRecord> {
  const current = await readRecord(store, catalog);
  if (current === undefined)
    throw new UserError(`"${catalog}" follows no model by a ranking in ${store.place}: there is nothing to take back`);
  const history = await readRankingHistory(store, catalog);
  const last = history.findLastIndex(({ since }) => since === current.since);
  const { model, trust } = history[(last < 0 ? history.length : last) - 1] ?? { model: null, trust: 0 };
  const from = current.model === null ? "what the published set says" : `${current.model} at trust ${current.trust}`;
  const ranking = { format: 1, model, trust, evidence: `rolled back from ${from}`, since: at.toISOString() } as const;
  await writeRecord(store, catalog, ranking);
  return ranking;
}
