/**
 * Made-up shoppers in a made-up experiment, written into the tables that the edge writes: for tests, and to see what a report looks like
 * before there is one. Every row says that it is simulated.
 *
 * Nothing is ranked here: an arm's effect is a number. Shoppers who search through the real model are `armmt simulate`.
 */
import { createHash } from "node:crypto";
import { type Random, createRandom } from "../../demo/catalogue/random.ts";
import { loadSqlite } from "../../report/sqlite.ts";
import { DAY_MS } from "../../web.ts";

export interface SimulatedArm {
  readonly variant: string;
  /** Any positive sum over the arms. */
  readonly weight: number;
  /** Relative: 0.05 is five percent more clicks. In an interleaved arm, how much more often b's items are clicked. */
  readonly lift: number;
}

export interface SimulatedExperiment {
  readonly experiment: string;
  readonly seed: string;
  readonly days: number;
  /** Searches a day, about. */
  readonly searchesPerDay: number;
  readonly arms: readonly SimulatedArm[];
  /** Share of shoppers who consented to be counted. */
  readonly consent: number;
  /** Share of searches with a click. */
  readonly clickThrough: number;
  /** Share of the searches in every arm that cannot be re-ranked. */
  readonly bypassed: number;
}

export const EXAMPLE: SimulatedExperiment = {
  experiment: "simulated",
  seed: "1",
  days: 28,
  searchesPerDay: 1500,
  arms: [
    { variant: "control", weight: 0.4, lift: 0 },
    { variant: "armmt", weight: 0.4, lift: 0.08 },
    { variant: "interleave(control, armmt)", weight: 0.2, lift: 0.25 },
  ],
  consent: 0.8,
  clickThrough: 0.32,
  bypassed: 0.04,
};

/** One row of ubi_queries with its rows of ubi_events. */
export interface SimulatedSearch {
  readonly timestamp: string;
  readonly application: string;
  readonly queryId: string;
  readonly unit: string | null;
  readonly userQuery: string;
  readonly experiment: string;
  readonly variant: string;
  readonly bypass: string | null;
  readonly attributes: { readonly armmt: Readonly<Record<string, unknown>> };
  readonly servedIds: readonly string[];
  readonly events: readonly SimulatedEvent[];
}

export interface SimulatedEvent {
  readonly eventId: string;
  readonly timestamp: string;
  readonly action: "click" | "add_to_cart" | "purchase";
  readonly itemId: string;
  /** 1-based. */
  readonly position: number;
  readonly price: number | null;
  readonly team: "a" | "b" | null;
}

const START_MS = Date.UTC(2026, 8, 7);
const PAGE = 10;
const WORDS = ["red", "mug", "chair", "summer", "dress", "lamp", "blue", "running", "shoes", "small"];
const REASONS = ["explicit_sort", "store_timeout", "too_few_hits", "over_budget"];

interface SimulatedShopper {
  readonly arm: SimulatedArm;
  readonly unit: string;
  readonly hasConsent: boolean;
  /** How readily this one clicks: 1 on average. */
  readonly taste: number;
}

/** In the order of time, day by day. About a third of the searches are those of shoppers who come back. */
export function* simulateSearches(options: SimulatedExperiment): Generator<SimulatedSearch> {
  const { seed, days, searchesPerDay, arms, consent } = options;
  const random = createRandom(`report:${seed}`);
  const known: SimulatedShopper[] = [];
  let number = 0;
  for (let day = 0; day < days; day++) {
    for (let left = searchesPerDay; left > 0;) {
      const shopper = known.length > 0 && random.chance(0.33) ? random.pick(known) : undefined;
      const searching = shopper ?? drawShopper(random, { arms, consent, name: `${seed}:${known.length}` });
      if (shopper === undefined) known.push(searching);
      const atMs = START_MS + day * DAY_MS + Math.floor(random.next() * (DAY_MS - 3_600_000));
      for (let more = true; more && left > 0; more = random.chance(0.4), left--) {
        yield drawSearch(searching, random, { options, atMs: atMs + left, number: number++ });
      }
    }
  }
}

interface Drawing {
  readonly arms: readonly SimulatedArm[];
  readonly consent: number;
  readonly name: string;
}

function drawShopper(random: Random, { arms, consent, name }: Drawing): SimulatedShopper {
  return {
    arm: random.pickWeighted(arms, ({ weight }) => weight),
    unit: createHash("sha256").update(name).digest("hex").slice(0, 32),
    hasConsent: random.chance(consent),
    taste: random.chance(0.5) ? 0.6 : 1.4,
  };
}

interface Moment {
  readonly options: SimulatedExperiment;
  readonly atMs: number;
  readonly number: number;
}

function drawSearch(shopper: SimulatedShopper, random: Random, { options, atMs, number }: Moment): SimulatedSearch {
  const { experiment, seed, clickThrough, bypassed } = options;
  const { arm } = shopper;
  const isInterleaved = arm.variant.startsWith("interleave(");
  const isBypassed = random.chance(bypassed);
  const bypass = isBypassed ? random.pick(REASONS) : arm.variant === "control" ? "engine_order" : null;
  const servedIds = Array.from({ length: PAGE }, () => `item-${Math.floor(random.next() * 2400)}`);
  const teams = isInterleaved && bypass === null ? servedIds.map(() => (random.chance(0.5) ? ("a" as const) : ("b" as const))) : undefined;
  const rate = Math.min(0.95, clickThrough * shopper.taste * (isInterleaved || isBypassed ? 1 : 1 + arm.lift));
  const queryId = `${seed}-${experiment}-${number}`;
  const events: SimulatedEvent[] = [];
  const add = (action: SimulatedEvent["action"], position: number): void => {
    events.push({
      eventId: `${queryId}-${events.length}`,
      timestamp: new Date(atMs + 5000 * (events.length + 1)).toISOString(),
      action,
      itemId: servedIds[position - 1] ?? "",
      position,
      price: action === "purchase" ? Math.round(100 * Math.exp(3 + 0.6 * random.normal())) / 100 : null,
      team: teams?.[position - 1] ?? null,
    });
  };
  while (events.length < 12 && random.chance(rate)) {
    const position = random.pickWeighted(
      servedIds.map((_, i) => i + 1),
      (place) => (1 / place) * (teams?.[place - 1] === "b" ? 1 + arm.lift : 1),
    );
    add("click", position);
    if (random.chance(0.25)) add("add_to_cart", position);
    if (random.chance(0.12)) add("purchase", position);
  }
  return {
    timestamp: new Date(atMs).toISOString(),
    application: "armmt-simulator",
    queryId,
    unit: shopper.hasConsent ? shopper.unit : null,
    userQuery: Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => random.pick(WORDS)).join(" "),
    experiment,
    variant: arm.variant,
    bypass,
    attributes: {
      armmt: {
        experiment,
        variant: arm.variant,
        window: PAGE,
        original_ids: servedIds,
        served_ids: servedIds,
        simulated: true,
        ...(teams !== undefined && { teams }),
        ...(bypass !== null && { bypass }),
      },
    },
    servedIds,
    events,
  };
}

/** As the edge makes them (src/events/d1.ts). */
export const TABLES: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS ubi_queries (
    id INTEGER PRIMARY KEY, timestamp TEXT NOT NULL, application TEXT NOT NULL, query_id TEXT NOT NULL, client_id TEXT, unit TEXT,
    user_query TEXT NOT NULL, experiment TEXT, variant TEXT NOT NULL, model TEXT, bypass TEXT,
    query_attributes TEXT NOT NULL CHECK (json_valid(query_attributes)), hit_ids TEXT NOT NULL CHECK (json_valid(hit_ids))
  ) STRICT`,
  "CREATE INDEX IF NOT EXISTS ubi_queries_report ON ubi_queries (experiment, variant, timestamp)",
  "CREATE INDEX IF NOT EXISTS ubi_queries_query_id ON ubi_queries (query_id)",
  `CREATE TABLE IF NOT EXISTS ubi_events (
    id INTEGER PRIMARY KEY, event_id TEXT NOT NULL UNIQUE, timestamp TEXT NOT NULL, application TEXT NOT NULL, action_name TEXT NOT NULL,
    query_id TEXT NOT NULL, client_id TEXT, unit TEXT, object_id TEXT NOT NULL, position INTEGER, quantity INTEGER, price REAL, currency TEXT,
    team TEXT, event_attributes TEXT NOT NULL CHECK (json_valid(event_attributes))
  ) STRICT`,
];

const INSERT_QUERY = `INSERT INTO ubi_queries
  (timestamp, application, query_id, unit, user_query, experiment, variant, bypass, query_attributes, hit_ids)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const INSERT_EVENT = `INSERT INTO ubi_events
  (event_id, timestamp, application, action_name, query_id, unit, object_id, position, quantity, price, currency, team, event_attributes)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}')`;

/** Adds the searches to a SQLite file, which is made where there is none. Returns how many. */
export async function writeSimulatedDatabase(path: string, searches: Iterable<SimulatedSearch>): Promise<number> {
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(path);
  try {
    for (const table of TABLES) database.exec(table);
    database.exec("BEGIN");
    const [addQuery, addEvent] = [database.prepare(INSERT_QUERY), database.prepare(INSERT_EVENT)];
    let count = 0;
    for (const one of searches) {
      const { application, unit, queryId } = one;
      const [attributes, hits] = [JSON.stringify(one.attributes), JSON.stringify(one.servedIds)];
      addQuery.run(one.timestamp, application, queryId, unit, one.userQuery, one.experiment, one.variant, one.bypass, attributes, hits);
      for (const { eventId, timestamp, action, itemId, position, price, team } of one.events) {
        const [quantity, currency] = price === null ? [null, null] : [1, "EUR"];
        addEvent.run(eventId, timestamp, application, action, queryId, unit, itemId, position, quantity, price, currency, team);
      }
      count++;
    }
    database.exec("COMMIT");
    return count;
  } finally {
    database.close();
  }
}
