/**
 * How often the guardrails stop a variant that changes nothing, and how often one that does harm: simulated shoppers, day by day, through the same
 * judgement as `armmt guard`. Every figure of it is simulated.
 */
import { createRandom, type Random } from "../../demo/catalogue/random.ts";
import { percentile, roundUp } from "../../report/caps.ts";
import { GUARDRAILS, judge, STOP_ALPHA, designEffectOf } from "../../report/guardrails.ts";
import { addCluster, readSums, SUM_COUNT } from "../../report/statistics/ratio.ts";
import { DEFAULT_TUNING } from "../../report/statistics/sequential.ts";

export interface World {
  readonly name: string;
  readonly shoppersPerDay: number;
  /** Of the variant in the split. */
  readonly share: number;
  /** Share of shoppers who buy. */
  readonly conversion: number;
  /** Of the lognormal orders. */
  readonly sigma: number;
  /** Share of shoppers who are known. */
  readonly consent: number;
}

const USUAL: World = { name: "usual: 150 shoppers a day", shoppersPerDay: 150, share: 0.5, conversion: 0.03, sigma: 1, consent: 1 };

const withShoppers = (shoppersPerDay: number): World => ({ ...USUAL, name: `${shoppersPerDay} shoppers a day`, shoppersPerDay });

export const WORLDS: readonly World[] = [
  USUAL,
  { ...USUAL, name: "90:10", share: 0.1 },
  { ...USUAL, name: "orders with a heavy tail (σ 2.5)", sigma: 2.5 },
  { ...USUAL, name: "90:10 and a heavy tail", share: 0.1, sigma: 2.5 },
  { ...USUAL, name: "conversion 0.1 %", conversion: 0.001 },
  { ...USUAL, name: "10 shoppers a day", shoppersPerDay: 10 },
  { ...USUAL, name: "nobody is known", consent: 0 },
  { ...USUAL, name: "half are known", consent: 0.5 },
];

export interface Harm {
  readonly name: string;
  /** Factors on what the variant's shoppers do. */
  readonly conversion: number;
  readonly extraBypass: number;
  readonly extraEmpty: number;
  readonly extraMs: number;
}

const NONE: Harm = { name: "none", conversion: 1, extraBypass: 0, extraEmpty: 0, extraMs: 0 };

const HARMS: readonly (readonly [Harm, World])[] = [
  ...[500, 1000, 2000, 4000, 8000].map(
    (perDay) => [{ ...NONE, name: "20 % fewer buyers", conversion: 0.8 }, withShoppers(perDay)] as const,
  ),
  [{ ...NONE, name: "half as many buyers", conversion: 0.5 }, withShoppers(500)],
  [{ ...NONE, name: "20 % of searches more are not re-ranked", extraBypass: 0.2 }, USUAL],
  [{ ...NONE, name: "200 ms slower", extraMs: 200 }, USUAL],
  [{ ...NONE, name: "5 % of searches more without result", extraEmpty: 0.05 }, USUAL],
];

const DAYS = 28;

function indexOf(id: string): number {
  return GUARDRAILS.findIndex((guardrail) => guardrail.id === id);
}

/** The day on which the variant is stopped, from 1; `undefined` where it never is. */
export function runExperiment(random: Random, world: World, harm: Harm = NONE): number | undefined {
  const sums = [0, 1].map(() => new Float64Array(GUARDRAILS.length * SUM_COUNT));
  const counts = [0, 1].map(() => ({ searches: 0, shopperSearches: 0, squaredShopperSearches: 0 }));
  const orders: [number[], number[]] = [[], []];
  const [empty, bypass, latency, buyers, revenue] = ["without-result", "bypass", "latency", "buyers", "revenue"].map(indexOf);
  for (let day = 1; day <= DAYS; day++) {
    for (let n = 0; n < world.shoppersPerDay; n++) {
      const arm = random.next() < world.share ? 1 : 0;
      const isHarmed = arm === 1;
      const isKnown = random.next() < world.consent;
      // Some search much, and what happens to the searches of one shopper hangs together.
      let searches = 1;
      for (const more = random.next() < 0.2 ? 0.85 : 0.4; random.next() < more && searches < 60;) searches++;
      const emptyRate = (random.next() < 0.1 ? 0.2 : 0.01) + (isHarmed ? harm.extraEmpty : 0);
      const bypassRate = (random.next() < 0.1 ? 0.5 : 0.02) + (isHarmed ? harm.extraBypass : 0);
      const slow = Math.exp(0.5 * random.normal());
      const [known, block] = [counts[arm]!, sums[arm]!];
      known.searches += searches;
      if (isKnown) {
        known.shopperSearches += searches;
        known.squaredShopperSearches += searches ** 2;
      }
      let [empties, bypasses, ms] = [0, 0, 0];
      for (let s = 0; s < searches; s++) {
        const isEmpty = random.next() < emptyRate ? 1 : 0;
        const isBypassed = random.next() < bypassRate ? 1 : 0;
        const took = Math.min(5000, 80 * slow * (0.6 + 0.8 * random.next()) + (isHarmed ? harm.extraMs : 0));
        if (isKnown) [empties, bypasses, ms] = [empties + isEmpty, bypasses + isBypassed, ms + took];
        else for (const [g, y] of [[empty, isEmpty], [bypass, isBypassed], [latency, took]] as const) addCluster(block, g! * SUM_COUNT, y, 1); // prettier-ignore
      }
      const hasBought = random.next() < world.conversion * (isHarmed ? harm.conversion : 1);
      const paid = hasBought ? Math.exp(3.5 + world.sigma * random.normal()) : 0;
      if (!isKnown) continue;
      for (const [g, y] of [[empty, empties], [bypass, bypasses], [latency, ms]] as const) addCluster(block, g! * SUM_COUNT, y, searches); // prettier-ignore
      addCluster(block, buyers! * SUM_COUNT, hasBought ? 1 : 0, 1);
      addCluster(block, revenue! * SUM_COUNT, 0, 1);
      if (paid > 0) orders[arm].push(paid);
    }
    if (isStopped(sums, counts, orders, revenue!)) return day;
  }
  return undefined;
}

function isStopped(
  sums: readonly Float64Array[],
  counts: Parameters<typeof designEffectOf>[0],
  orders: readonly (readonly number[])[],
  revenue: number,
): boolean {
  const found = new Map<number, number>();
  for (const paid of orders.flat()) found.set(roundUp(paid), (found.get(roundUp(paid)) ?? 0) + 1);
  const cap = percentile(found, 0.99);
  const effect = designEffectOf(counts);
  return GUARDRAILS.some((guardrail, g) => {
    const [control, variant] = sums.map((block, arm) => {
      const read = readSums(block, g * SUM_COUNT);
      if (g !== revenue) return read;
      const capped = orders[arm]!.map((paid) => Math.min(paid, cap));
      const y = capped.reduce((sum, paid) => sum + paid, 0);
      return { ...read, active: capped.length, y, yy: capped.reduce((sum, paid) => sum + paid ** 2, 0), xy: y };
    });
    const options = {
      alpha: STOP_ALPHA,
      tuning: DEFAULT_TUNING,
      tests: GUARDRAILS.length,
      allowed: guardrail.allowed,
      designEffect: guardrail.per === "search" ? effect : 1,
    };
    return judge(guardrail, control!, variant!, options).state === "harm";
  });
}

export interface SimulatedRow {
  readonly world: string;
  readonly harm: string;
  readonly experiments: number;
  readonly stopped: number;
  /** Of those that were stopped; null where none was. */
  readonly medianDay: number | null;
}

/** `experiments`: without an effect, in each world; a twentieth as many with each harm. */
export function* simulateGuard(experiments: number, seed = "1"): Generator<SimulatedRow> {
  for (const world of WORLDS) yield simulateWorld(world, NONE, experiments, seed);
  for (const [harm, world] of HARMS) yield simulateWorld(world, harm, Math.max(1, Math.round(experiments / 20)), seed);
}

export function simulateWorld(world: World, harm: Harm, experiments: number, seed: string): SimulatedRow {
  const random = createRandom(`guard:${seed}:${world.name}:${harm.name}`);
  const days = Array.from({ length: experiments }, () => runExperiment(random, world, harm)).flatMap((day) => day ?? []);
  const medianDay = days.toSorted((a, b) => a - b)[Math.floor(days.length / 2)] ?? null;
  return { world: world.name, harm: harm.name, experiments, stopped: days.length, medianDay };
}
