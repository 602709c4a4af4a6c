/**
 * Simulated shoppers in a simulated experiment, as a log: for tests, and to see a report before there is one. Every row is marked as simulated.
 *
 * Nothing is ranked here: an arm's effect is a number. `armmt simulate` has shoppers who search through the real model.
 */
import { createHash } from "node:crypto";
import { createRandom, type Random } from "../../demo/catalogue/random.ts";
import { type ActionRow, countWords, isWithin, type Log, type SearchRow, type Team } from "../../report/log.ts";
import { DAY_MS } from "../../web.ts";

export const EXAMPLE = {
  experiment: "simulated",
  seed: "1",
  days: 28,
  /** About. */
  searchesPerDay: 1500,
  /** `weight`: any positive sum. `lift`: 0.05 is five percent more clicks, in an interleaved arm on items of b. */
  arms: [
    { variant: "control", weight: 0.4, lift: 0 },
    { variant: "armmt", weight: 0.4, lift: 0.08 },
    { variant: "interleave(control, armmt)", weight: 0.2, lift: 0.25 },
  ],
  /** Share of shoppers who consented to be counted. */
  consent: 0.8,
  /** Share of searches with a click. */
  clickThrough: 0.32,
  /** Share of the searches in every arm that cannot be re-ranked. */
  bypassed: 0.04,
};

export type SimulatedExperiment = typeof EXAMPLE;

export type SimulatedSearch = ReturnType<typeof drawSearch>;

const START_MS = Date.UTC(2026, 8, 7);
const PAGE = 10;
const WORDS = ["red", "mug", "chair", "summer", "dress", "lamp", "blue", "running", "shoes", "small"];
const REASONS = ["explicit_sort", "store_timeout", "too_few_hits", "over_budget"];

/** Rows are simulated again by each pass. */
export function openSimulatedLog(options: SimulatedExperiment): Log {
  const { experiment, days, searchesPerDay } = options;
  return {
    place: "the simulator",
    notes: [],
    experiments: () => Promise.resolve(new Map([[experiment, days * searchesPerDay]])),
    async *searches(range) {
      for (const { search } of simulateSearches(options)) {
        if (isWithin(range, search.atMs)) yield search;
      }
    },
    async *actions() {
      for (const { actions } of simulateSearches(options)) yield* actions;
    },
    liveExperiments: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

/** In the order of time, day by day. About a third of the searches are those of shoppers who come back. */
export function* simulateSearches(options: SimulatedExperiment): Generator<SimulatedSearch> {
  const { seed, days, searchesPerDay } = options;
  const random = createRandom(`report:${seed}`);
  const known: ReturnType<typeof drawShopper>[] = [];
  let number = 0;
  for (let day = 0; day < days; day++) {
    for (let left = searchesPerDay; left > 0;) {
      const shopper = known.length > 0 && random.chance(0.33) ? random.pick(known) : undefined;
      const searching = shopper ?? drawShopper(random, options, known.length);
      if (shopper === undefined) known.push(searching);
      const atMs = START_MS + day * DAY_MS + Math.floor(random.next() * (DAY_MS - 3_600_000));
      for (let more = true; more && left > 0; more = random.chance(0.4), left--) {
        yield drawSearch(searching, random, { options, atMs: atMs + left, number: number++ });
      }
    }
  }
}

function drawShopper(random: Random, { seed, arms, consent }: SimulatedExperiment, number: number) {
  return {
    arm: random.pickWeighted(arms, ({ weight }) => weight),
    unit: createHash("sha256").update(`${seed}:${number}`).digest("hex").slice(0, 32),
    hasConsent: random.chance(consent),
    /** Factor on the share of searches with a click; 1 on average. */
    taste: random.chance(0.5) ? 0.6 : 1.4,
  };
}

type Moment = Record<"atMs" | "number", number> & { readonly options: SimulatedExperiment };

function drawSearch(shopper: ReturnType<typeof drawShopper>, random: Random, { options, atMs, number }: Moment) {
  const { experiment, seed, clickThrough, bypassed } = options;
  const { arm } = shopper;
  const isInterleaved = arm.variant.startsWith("interleave(");
  const isBypassed = random.chance(bypassed);
  const bypass = isBypassed ? random.pick(REASONS) : arm.variant === "control" ? "engine_order" : undefined;
  const items = Array.from({ length: PAGE }, () => `item-${Math.floor(random.next() * 2400)}`);
  const teams = isInterleaved && bypass === undefined ? items.map((): Team => (random.chance(0.5) ? "a" : "b")) : undefined;
  const rate = Math.min(0.95, clickThrough * shopper.taste * (isInterleaved || isBypassed ? 1 : 1 + arm.lift));
  const queryId = `${seed}-${experiment}-${number}`;
  const actions: ActionRow[] = [];
  const add = (action: ActionRow["action"], index: number): void => {
    const isPurchase = action === "purchase";
    actions.push({
      eventId: `${queryId}-${actions.length}`,
      queryId,
      action,
      atMs,
      itemId: items[index] ?? "",
      quantity: isPurchase ? 1 : undefined,
      price: isPurchase ? Math.round(100 * Math.exp(3 + 0.6 * random.normal())) / 100 : undefined,
      currency: isPurchase ? "EUR" : undefined,
      team: teams?.[index],
    });
  };
  while (actions.length < 12 && random.chance(rate)) {
    const index = random.pickWeighted(
      items.map((_, i) => i),
      (i) => (1 / (i + 1)) * (teams?.[i] === "b" ? 1 + arm.lift : 1),
    );
    add("click", index);
    if (random.chance(0.25)) add("add_to_cart", index);
    if (random.chance(0.12)) add("purchase", index);
  }
  const query = Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => random.pick(WORDS)).join(" ");
  const search: SearchRow = {
    queryId,
    variant: arm.variant,
    atMs,
    application: "armmt-simulator",
    unit: shopper.hasConsent ? shopper.unit : undefined,
    words: countWords(query),
    bypass,
    teams: teams && new Map(teams.map((team, i) => [items[i] ?? "", team])),
    isSimulated: true,
  };
  return { query, search, actions };
}
