/** What an oracle loses that does not know one part of the truth, and the part itself, candidate by candidate, for the probe. */
import { mean } from "../../../cli/evaluate/metrics.ts";
import { DEPTH, worthOf } from "../assess/worth.ts";
import { ALL_PARTS, passedOver } from "../simulate/attraction.ts";
import type { Searched } from "../simulate/scenario.ts";
import { type PeopledShop, plainWorld, SAMENESS, type World } from "../simulate/world.ts";

const FIGURE = `purchases@${DEPTH} pbm`;

type Kinds = readonly (readonly number[])[];

function kindsOf({ truth }: Searched): Kinds {
  const width = truth.look.length / truth.ids.length;
  return truth.ids.map((_, i) => truth.look.slice(i * width, (i + 1) * width));
}

/** The best next one again and again, down to DEPTH: nobody is sure that a better order exists, and no scorer of single items finds this one. */
export function greedyOrder(u: readonly number[], kinds: Kinds): number[] {
  const left = u.map((_, i) => i).toSorted((a, b) => u[b]! - u[a]! || a - b);
  const order: number[] = [];
  while (order.length < DEPTH && left.length > 0) {
    const above = order.map((i) => kinds[i]!);
    let [at, most] = [0, -Infinity];
    for (const [place, i] of left.entries()) {
      if (u[i]! <= most) break; // the rest can only be worse
      const value = u[i]! - passedOver(kinds[i]!, above);
      if (value > most) [at, most] = [place, value];
    }
    order.push(...left.splice(at, 1));
  }
  return [...order, ...left];
}

const byUtility = (u: readonly number[]): number[] => u.map((_, i) => i).toSorted((a, b) => u[b]! - u[a]! || a - b);

const centred = (values: readonly number[]): number[] => {
  const middle = mean(values);
  return values.map((value) => value - middle);
};

export interface Weighed {
  /** Purchases of the engine's order, of the oracle's, and of the oracle's without each part: for searches of the test split. */
  readonly worth: readonly number[] | undefined;
  /** Per part, one number per candidate: what the part adds, apart from the list's mean. */
  readonly targets: readonly (readonly number[])[];
}

export function weigh(search: Searched, shop: PeopledShop): Weighed {
  const world: World = shop.world ?? plainWorld;
  const { shopper, wish, candidates, truth } = search;
  const utilities = (off: readonly string[]): number[] => world.utilities(shopper, wish, candidates, new Set(off));
  const full = utilities([]);
  const kinds = kindsOf(search);
  const without = world.parts.map(({ name }) => (name === SAMENESS ? full : utilities([name])));
  const targets = world.parts.map(({ name, ofSearch }, p) => {
    if (ofSearch === true) return candidates.map(() => world.variableOf(name, shopper, wish));
    if (name === SAMENESS) return centred(kinds.map((kind, i) => passedOver(kind, kinds.slice(0, i))));
    return centred(full.map((u, i) => u - without[p]![i]!));
  });
  if (truth.split !== "test") return { worth: undefined, targets };
  const worth = (order: readonly number[]): number => worthOf(truth, order, ALL_PARTS).get(FIGURE) ?? 0;
  const oracles = world.parts.map(({ name }, p) => (name === SAMENESS ? byUtility(full) : greedyOrder(without[p]!, kinds)));
  return { worth: [full.map((_, i) => i), greedyOrder(full, kinds), ...oracles].map(worth), targets };
}
