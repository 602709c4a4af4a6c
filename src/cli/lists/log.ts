/**
 * A log of searches and events → searches with what became of each item and what the shopper had looked at before. Computes no feature. Which
 * action belongs to which search, orders, refunds and money follow the report's own rules (report/stage.ts).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import type { ItemValues } from "../../ranking/item-values.ts";
import { countWords } from "../../report/log.ts";
import type { OrderOptions } from "../../report/orders.ts";
import { createStage, loadSqlite } from "../../report/stage.ts";
import { readAction } from "../../report/ubi-log.ts";
import { UserError } from "../../web.ts";
import type { ListTreatment } from "./columns.ts";
import { createArmCounts } from "./arms.ts";
import { createLooks } from "./looks.ts";
import { joinPages } from "./pages.ts";
import { actionOf, hashUnit, type PageRecord, queryIdOf, readLook, readPage, treatmentOf, withOwnName } from "./records.ts";
import type { FoundRecord, RecordKind, RecordSource } from "./rows.ts";
import { openSource, type SourceOptions } from "./sources.ts";
import { type Split, splitOf } from "./split.ts";

/** Actions that are labels. */
export type LabelAction = "click" | "add_to_cart" | "purchase";

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
  readonly scores: readonly (number | undefined)[] | undefined;
  /** Parallel to `itemIds`: 1-based engine ranks. Default: as they stand. */
  readonly ranks?: readonly number[] | undefined;
  /** That the hits brought: fresher than the catalogue's. */
  readonly values?: ReadonlyMap<string, ItemValues> | undefined;
  readonly servedIds: readonly string[];
  /** Parallel to `servedIds`: 1-based, in the whole list. Default: as they stand. */
  readonly positions?: readonly number[] | undefined;
  readonly actions: Readonly<Record<LabelAction, ReadonlySet<string>>>;
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
  /** Why the edge left the search as it was; absent where it did not, or the log does not say. */
  readonly bypass?: string | undefined;
  /** Of shown items; absent where nothing was explored. */
  readonly propensities?: ReadonlyMap<string, number> | undefined;
  /** The filters of a page without words, by field. */
  readonly page?: Readonly<Record<string, readonly string[]>> | undefined;
  /** 1: a, 2: b. */
  readonly teams?: ReadonlyMap<string, number> | undefined;
  readonly revenue?: ReadonlyMap<string, number> | undefined;
  readonly orders?: number | undefined;
}

export interface LogOptions extends Omit<SourceOptions, "from">, OrderOptions {
  readonly from: string | readonly string[];
  /** Only searches of these indexes. Default: all. */
  readonly indexes?: ReadonlySet<string> | undefined;
  /** ISO 8601: only searches from then on, and before. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** In which an action counts for its search. Default: as long as a token lives. */
  readonly windowMs?: number | undefined;
}

/** What is left out, and how often: in the order of the table. */
export type Reasons = ReadonlyMap<string, number>;

function createReasons() {
  const counts = new Map<string, number>();
  return {
    counts,
    add: (reason: string, by = 1): void => void (by > 0 && counts.set(reason, (counts.get(reason) ?? 0) + by)),
  };
}

const idSchema = v.object({ query_id: v.string() });
const pageSchema = v.object({ record: v.pipe(v.string(), v.parseJson()) });

export type Log = Awaited<ReturnType<typeof openLog>>;

/** Reads the log once; `close` removes what it kept in temporary files. Throws a UserError where no search of it can be read. */
export async function openLog(options: LogOptions) {
  const { indexes, since, until, windowMs, rates, suspectPrices } = options;
  const sources = await Promise.all([options.from].flat().map((from) => openSource({ ...options, from })));
  const place = sources.map((source) => source.place).join(", ");
  const { DatabaseSync: Database } = await loadSqlite();
  const folder = mkdtempSync(join(tmpdir(), "armmt-lists-"));
  const database = new Database(join(folder, "log.sqlite"));
  const stage = await createStage({ windowMs, rates, suspectPrices });
  const close = (): void => {
    stage.close();
    database.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const [leftOut, ignored] = [createReasons(), createReasons()];
  let [records, events, simulated, unmarked, firstUnreadable] = [0, 0, 0, 0, ""];
  /** Query ids of searches that are no shopper's. */
  const forced = new Set<string>();
  const unreadable = (of: typeof leftOut, { where }: FoundRecord, problem: string): void => {
    firstUnreadable ||= `${where}: ${problem}`;
    of.add("cannot be read");
  };
  async function* each(kind: RecordKind): AsyncGenerator<FoundRecord> {
    for (const source of sources) yield* source.records(kind);
  }
  try {
    database.exec(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE page (query_id TEXT NOT NULL, record TEXT NOT NULL) STRICT; BEGIN",
    );
    const addPage = database.prepare("INSERT INTO page VALUES (?, ?)");
    const looks = createLooks(database);
    const arms = createArmCounts(database);
    const [from, to] = [since === undefined ? -Infinity : Date.parse(since), until === undefined ? Infinity : Date.parse(until)];
    for await (const found of each("queries")) {
      if (actionOf(found.record) !== undefined) continue; // an event, in the same file
      records++;
      const page = readPage(found.record);
      if (!page.ok) {
        unreadable(leftOut, found, page.error);
        continue;
      }
      const { value } = page;
      const atMs = Date.parse(value.timestamp);
      if (Number.isNaN(atMs)) unreadable(leftOut, found, `timestamp: "${value.timestamp}" is not ISO 8601, such as 2026-11-16T09:30:00Z`);
      else if (indexes !== undefined && !indexes.has(value.armmt.index ?? value.application ?? "")) leftOut.add("of another index");
      else if (atMs < from || atMs >= to) leftOut.add("outside the time range");
      else if (isForced(value)) {
        forced.add(value.query_id);
        leftOut.add(FORCED);
      } else {
        const row = searchRowOf(value, atMs);
        if (row.isSimulated) simulated++;
        if (saysNotWhetherForced(value)) unmarked++;
        arms.add(value, atMs);
        stage.addSearch(row);
        addPage.run(value.query_id, JSON.stringify({ ...value, query_attributes: { armmt: value.armmt } }));
      }
    }
    for await (const found of each("events")) {
      const record = withOwnName(found.record);
      const action = actionOf(record);
      if (action === undefined) continue;
      events++;
      if (forced.has(queryIdOf(record))) {
        ignored.add("of a search forced by an admin");
        continue;
      }
      const look = readLook(record);
      if (look !== undefined) looks.add(look);
      if (!COUNTED.has(action)) {
        if (look === undefined) ignored.add(`"${action}", which is no label`);
        continue;
      }
      const read = readAction(record);
      if (read.ok) stage.addAction(read.value);
      else unreadable(ignored, found, read.error);
    }
    database.exec("COMMIT; CREATE INDEX page_query ON page (query_id)");
    stage.seal();
    if (records === 0 || leftOut.counts.get("cannot be read") === records) {
      const why = firstUnreadable === "" ? "" : `; the first record that cannot be read: ${firstUnreadable}`;
      throw new UserError(`${place} holds no search${why}`);
    }
    const experiments = await arms.describe({ live: () => liveExperiments(sources), config: options.config ?? "wrangler.toml" });
    const historyOf = looks.reader();
    const { strayActions, outside } = stage.counts();
    const money = stage.money();
    ignored.add("no search of these lists", strayActions);
    ignored.add("outside the attribution window", outside.actions);
    ignored.add("order lines that came again", money.again);
    ignored.add("refunds and cancellations of nothing in this log", money.unmatched);
    ignored.add("order lines that were cancelled", money.cancelled);
    return {
      place,
      /** Query records and events read. */
      counts: { records, events, simulated, unmarked },
      /** Each at each time that its records tell apart. */
      experiments,
      currency: money.currency,
      /** Records that make no search; `searches` adds those that make no list. */
      leftOut: leftOut.counts,
      /** Events that are no label. */
      ignored: ignored.counts,
      firstUnreadable,
      /** In the order of last pages. `without` is told of each search that makes no list. */
      *searches(without: (reason: string) => void = () => undefined): Generator<LoggedSearch> {
        const all = database.prepare("SELECT query_id FROM page GROUP BY query_id ORDER BY MAX(rowid)");
        const pagesOf = database.prepare("SELECT record FROM page WHERE query_id = ? ORDER BY rowid");
        for (const row of all.iterate()) {
          const pages = pagesOf.all(v.parse(idSchema, row).query_id).flatMap((page) => storedPage(v.parse(pageSchema, page).record));
          const joined = joinPages(pages);
          const [first] = pages;
          if (first === undefined) continue;
          if (!joined.ok) without(joined.error);
          else yield { ...describe(first, pages), ...joined.value, ...outcomeOf(first.query_id), history: historyBefore(first, pages) };
        }
      },
      close,
    };

    function historyBefore({ unit }: PageRecord, pages: readonly PageRecord[]): readonly string[] {
      return unit === undefined ? [] : historyOf(unit, timeOf(pages));
    }
  } catch (error) {
    close();
    throw error;
  } finally {
    await Promise.all(sources.map((source) => source.close()));
  }

  function outcomeOf(queryId: string): Pick<LoggedSearch, "actions" | "revenue" | "orders"> {
    const outcomes = stage.outcomes.itemsOf(queryId);
    const itemsWith = (name: "clicks" | "carts" | "purchases"): ReadonlySet<string> =>
      new Set(outcomes.flatMap((outcome) => (outcome[name] > 0 ? [outcome.item] : [])));
    return {
      actions: { click: itemsWith("clicks"), add_to_cart: itemsWith("carts"), purchase: itemsWith("purchases") },
      revenue: new Map(outcomes.flatMap(({ item, revenue }) => (revenue > 0 ? [[item, revenue] as const] : []))),
      orders: stage.outcomes.ordersOf(queryId),
    };
  }
}

/** Actions that a report counts, and so may become labels. */
const COUNTED: ReadonlySet<string> = new Set(["click", "add_to_cart", "purchase", "refund", "cancel"]);

const FORCED = "forced by an admin";

/** An admin forced the variant, or asked for an explanation. */
const isForced = ({ armmt: { admin } }: PageRecord): boolean => admin === true || admin === 1;

/** An edge of ours wrote it before it marked such searches. Others' logs have no variant. */
const saysNotWhetherForced = ({ armmt: { format, variant } }: PageRecord): boolean => (format ?? 0) < 2 && Boolean(variant);

/** The first source that has some: one edge wrote them all, or nobody could tell whose experiment it was. */
async function liveExperiments(sources: readonly RecordSource[]): Promise<string | undefined> {
  for (const source of sources) {
    const found = await source.liveExperiments?.(); // oxlint-disable-line no-await-in-loop
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What this file stored itself. */
function storedPage(stored: unknown): readonly PageRecord[] {
  const page = readPage(stored);
  return page.ok ? [page.value] : [];
}

const timeOf = (pages: readonly PageRecord[]): number => Math.min(...pages.map(({ timestamp }) => Date.parse(timestamp)));

function describe(first: PageRecord, pages: readonly PageRecord[]) {
  const { query_id: queryId, user_query: query, unit, application, armmt } = first;
  return {
    queryId,
    query,
    split: unit === undefined ? splitOf("search", queryId) : splitOf("shopper", unit),
    atMs: timeOf(pages),
    randomised: armmt.variant === "shuffle",
    unit: unit === undefined ? undefined : hashUnit(unit),
    index: armmt.index ?? application,
    experiment: armmt.experiment ?? undefined,
    variant: armmt.variant ?? undefined,
    model: armmt.model ?? undefined,
    treatment: treatmentOf(armmt),
    bypass: armmt.bypass ?? undefined,
    page: armmt.page ?? undefined,
  };
}

/** The stage never holds the words of a query. */
function searchRowOf({ query_id: queryId, application, unit, user_query: query, armmt }: PageRecord, atMs: number) {
  return {
    queryId,
    variant: armmt.variant ?? "",
    atMs,
    application,
    unit,
    words: countWords(query),
    bypass: undefined,
    model: undefined,
    ms: undefined,
    isEmpty: undefined,
    teams: undefined,
    isSimulated: armmt.simulated === true || armmt.simulated === 1 || /simulat/i.test(application),
  };
}

/** All searches of a log that make a list, or those of one split. */
export async function readLog(from: string, only?: Split): Promise<LoggedSearch[]> {
  const log = await openLog({ from });
  try {
    return [...log.searches()].filter(({ split }) => only === undefined || split === only);
  } finally {
    log.close();
  }
}
