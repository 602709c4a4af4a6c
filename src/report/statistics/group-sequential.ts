/**
 * Group-sequential boundaries: looks at fixed times before a planned end, all together with an error of α.
 *
 * Lan & DeMets 1983, "Discrete sequential boundaries for clinical trials": at each look so much of α may be used up as a function of the fraction of
 * the plan says, here the one that resembles O'Brien & Fleming's boundaries (half of α for either side): next to nothing early, nearly all of it at
 * the end, where the boundary is only a little wider than that of a test with one look. Between looks the statistic moves like a Brownian motion
 * in its information, and the boundaries follow by numerical integration, look by look (Armitage, McPherson & Rowe 1969; Jennison & Turnbull 2000,
 * chapter 19). The fraction by which α is used up and the information may differ (Lan & DeMets 1989, "calendar versus information time").
 */
import { normalQuantile, normalTail } from "./distributions.ts";

export interface Look {
  /** Of α, used up by this look and those before it; never less than at the one before. */
  readonly spent: number;
  /** Anything that grows like the variance of the sum whose mean is compared; above 0, never less than at the look before. */
  readonly information: number;
}

/** α that may be used up at a fraction of the plan, 0..1; two-sided. */
export function spentAt(fraction: number, alpha: number): number {
  if (fraction >= 1) return alpha;
  if (!(fraction > 0)) return 0;
  const spent = 4 * normalTail(normalQuantile(1 - alpha / 4) / Math.sqrt(fraction));
  return spent < LEAST_SPENT ? 0 : spent;
}

/** Less cannot be told from nothing: such a look calls no effect, however large. */
const LEAST_SPENT = 1e-10;

/** Looks with less new information count as if they had so much: a step that is too large widens boundaries, by next to nothing. */
const LEAST_STEP = 1 / 400;

/** Standard errors beyond which nothing of the distribution lies. */
const WIDEST = 8.5;

/** Boundaries in standard errors of the estimate, parallel to the looks; Infinity where nothing may be called. */
export function boundariesOf(looks: readonly Look[]): readonly number[] {
  return integrate(looks).boundaries;
}

/**
 * By how much longer an experiment with a planned end and so many looks at equal times has to be than one with a single look, for the same power.
 * Jennison & Turnbull's inflation factor. `used`: error of all looks together, where it is less than that of the single look.
 */
export function inflationOf(looks: number, { alpha, power }: Record<"alpha" | "power", number>, used = alpha): number {
  const at = (i: number): number => (i + 1) / looks;
  const plan = Array.from({ length: looks }, (_, i) => ({ spent: spentAt(at(i), used), information: at(i) }));
  const { boundaries, last } = integrate(plan);
  const edge = boundaries.at(-1)!;
  /** The density of a motion with a drift is that without one, times a likelihood ratio. */
  const missed = (drift: number): number => {
    const sum = nodesUpTo(edge, 64).reduce((total, { at: z, weight }) => total + weight * last(z) * 2 * Math.cosh(drift * z), 0);
    return sum * Math.exp((-drift * drift) / 2);
  };
  const single = normalQuantile(1 - alpha / 2) + normalQuantile(power);
  let [low, high] = [single, 2 * single];
  for (let step = 0; step < 40; step++) {
    const middle = (low + high) / 2;
    if (missed(middle) > 1 - power) low = middle;
    else high = middle;
  }
  return (high / single) ** 2;
}

interface Node {
  readonly at: number;
  readonly weight: number;
}

/** `last`: density of the statistic at the last look, of experiments in which nothing was called before it. By symmetry all of it is about |z|. */
function integrate(looks: readonly Look[]) {
  const boundaries: number[] = [];
  let current: Motion = { density: (z) => bell(z) / ROOT, tail: (z) => 2 * normalTail(z) };
  let [spent, information] = [0, looks[0]?.information ?? 0];
  looks.forEach((look, k) => {
    const left = look.spent - spent;
    const boundary = left < LEAST_SPENT ? Infinity : findBoundary(left, look.spent, current);
    if (boundary < Infinity) spent = look.spent;
    boundaries.push(boundary);
    const next = looks[k + 1];
    if (next === undefined) return;
    const grown = Math.max(next.information, information * (1 + LEAST_STEP));
    current = move(current, boundary, Math.sqrt(information / grown));
    information = grown;
  });
  return { boundaries, last: current.density };
}

interface Motion {
  /** Of z at a look, where nothing was called before. */
  readonly density: (z: number) => number;
  /** P(|Z| > z and nothing was called before) */
  readonly tail: (z: number) => number;
}

const ROOT = Math.sqrt(2 * Math.PI);

const bell = (z: number): number => (Math.abs(z) > 9 ? 0 : Math.exp((-z * z) / 2));

/** From one look, where what lies beyond the boundary is called, to the next, whose statistic is `keeps` times this one and a normal step. */
function move({ density }: Motion, boundary: number, keeps: number): Motion {
  const step = Math.sqrt(1 - keeps * keeps);
  const most = Math.min(boundary, WIDEST);
  const nodes = nodesUpTo(most, 10 + (1.7 * most * keeps) / step);
  const places = Float64Array.from(nodes, ({ at }) => at * keeps);
  const masses = Float64Array.from(nodes, ({ at, weight }) => weight * density(at));
  const sum = (of: (z: number) => number, z: number): number => {
    let total = 0;
    for (let i = 0; i < places.length; i++) total += masses[i]! * (of((z - places[i]!) / step) + of((z + places[i]!) / step));
    return total;
  };
  return { density: (z) => sum(bell, z) / (step * ROOT), tail: (z) => 2 * sum(normalTail, z) };
}

/** The z with tail(z) = `left`, between what no and full dependence on the looks before say: Newton's steps on the logarithm, or halves. */
function findBoundary(left: number, spent: number, { tail, density }: Motion): number {
  let [low, high] = [normalQuantile(1 - spent / 2), normalQuantile(1 - left / 2)];
  let z = low;
  for (let round = 0; round < 100 && high - low > 1e-9; round++) {
    const found = tail(z);
    if (found > left) low = z;
    else high = z;
    const by = (Math.log(found / left) * found) / (2 * density(z));
    if (Math.abs(by) < 1e-10) break;
    const next = z + by;
    z = next > low && next < high ? next : (low + high) / 2;
  }
  return z;
}

const known = new Map<number, readonly Node[]>();

/** Gauss and Legendre's nodes and weights for an integral from 0 to `most`. */
function nodesUpTo(most: number, count: number): readonly Node[] {
  // A few sizes, each found once.
  const n = Math.min(512, Math.ceil(count / 8) * 8);
  let unit = known.get(n);
  if (unit === undefined) known.set(n, (unit = legendre(n)));
  return unit.map(({ at, weight }) => ({ at: (most / 2) * (1 + at), weight: (most / 2) * weight }));
}

/** On −1..1: roots of the Legendre polynomial of degree n by Newton's steps, weights 2 / ((1 − x²) P′(x)²). DLMF 3.5.v. */
function legendre(n: number): readonly Node[] {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let round = 0; round < 8; round++) {
      let [before, value] = [1, x];
      for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
      slope = (n * (x * value - before)) / (x * x - 1);
      x -= value / slope;
    }
    return { at: x, weight: 2 / ((1 - x * x) * slope * slope) };
  });
}
