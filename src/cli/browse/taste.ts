/**
 * Lists of pages without words → how much more a shopper clicks and buys what is like the items that they looked at before.
 *
 * Two Poisson regressions with what is known of the items as offset: of clicks on the likeness of picture and text (clicks that all shoppers together
 * would have made), and of purchases on the same (purchases of these clicks). A part counts only where its Wald statistic, robust to many clicks of one
 * shopper (sandwich, clustered; Liang & Zeger 1986), is beyond the 99th percentile: most logs are too small to tell.
 */
import { likenessTo, type Taste } from "../../browse/taste.ts";
import type { ShardSetIdentity } from "../../inference/manifest.ts";
import type { ListItem } from "../../ranking/candidate.ts";
import { solve } from "../../report/statistics/solve.ts";
import type { BrowsedList } from "./lists.ts";

/** Of the catalogue, as `armmt embed` wrote them. */
export interface ItemVectors {
  readonly identity: ShardSetIdentity;
  readonly find: (itemId: string) => ListItem | undefined;
}

/** Parallel to the items of a list. */
export interface Expected {
  /** Without taste: 0 of what was not shown. */
  readonly clicks: readonly number[];
  /** Of the clicks that there were. */
  readonly purchases: readonly number[];
}

/** The last ones: a strength needs no more. */
const MOST_LISTS = 30_000;

/** One item of a list. */
export interface LikenessRow {
  /** Of the shopper. */
  readonly unit: number;
  readonly expected: number;
  readonly observed: number;
  readonly near: readonly number[];
}

export function likenessIn({ history, itemIds }: Pick<BrowsedList, "history" | "itemIds">, { find, identity }: ItemVectors) {
  const looked = history.map(find);
  if (looked.every((item) => item === undefined)) return undefined;
  return likenessTo(looked, itemIds.map(find), identity);
}

/** `taste` is absent where the log does not say that there is one. */
export function learnTaste(lists: readonly BrowsedList[], vectors: ItemVectors, expectedOf: (list: BrowsedList) => Expected) {
  const [clicks, purchases]: [LikenessRow[], LikenessRow[]] = [[], []];
  const units = new Map<string, number>();
  const own = lists.filter(({ history }) => history.length > 0).slice(-MOST_LISTS);
  let used = 0;
  for (const list of own) {
    const near = likenessIn(list, vectors);
    if (near === undefined) continue;
    used++;
    const unit = units.get(list.unit) ?? units.size;
    units.set(list.unit, unit);
    const expected = expectedOf(list);
    for (let i = 0; i < list.itemIds.length; i++) {
      if (list.positions[i] === 0) continue;
      const row = { unit, near: [near.picture[i]!, near.text[i]!] };
      const click = list.clicks[i]!;
      clicks.push({ ...row, expected: expected.clicks[i]!, observed: click });
      if (click > 0) purchases.push({ ...row, expected: expected.purchases[i]!, observed: list.purchases[i]! });
    }
  }
  const parts = { clicks: fitLikeness(clicks), purchases: fitLikeness(purchases) };
  const sure = Object.values(parts).filter(({ isSure }) => isSure);
  const [picture, text] = [0, 1].map((side) => rounded(sure.reduce((sum, { strengths }) => sum + strengths[side]!, 0)));
  const { imageEncoder: image, textEncoder } = vectors.identity;
  const taste: Taste | undefined =
    sure.length === 0 ? undefined : { encoders: { image, text: textEncoder }, picture: picture!, text: text! };
  return { taste, lists: used, shoppers: units.size, ...parts };
}

export type LearnedTaste = ReturnType<typeof learnTaste>;

/** As far as a table takes them. */
const MOST_STRENGTH = 100;
const rounded = (value: number): number => Number(Math.max(-MOST_STRENGTH, Math.min(MOST_STRENGTH, value)).toPrecision(3));

/** The sandwich says too little of its own error below: as many shoppers, at least. */
const FEWEST_SHOPPERS = 30;

/** χ² of one and two degrees of freedom, 99 %. */
const CRITICAL = [Infinity, 6.634896601, 9.210340372];

/** A weak belief in none, worth a hundredth of a click of an item that is as near as can be. */
const RIDGE = 0.01;

/** log E(observed) = log expected + intercept + strengths · near. */
export function fitLikeness(rows: readonly LikenessRow[], fewest = FEWEST_SHOPPERS) {
  const told = rows.filter(({ expected }) => expected > 0);
  const width = told[0]?.near.length ?? 2;
  const sides = Array.from({ length: width }, (_, side) => side).filter((side) => told.some(({ near }) => near[side] !== 0));
  const none = { strengths: Array.from({ length: width }, () => 0), wald: 0, isSure: false };
  if (sides.length === 0 || !told.some(({ observed }) => observed > 0)) return none;
  const beta = [Math.log(sum(told, ({ observed }) => observed) / sum(told, ({ expected }) => expected)), ...sides.map(() => 0)];
  let information = zeros(beta.length);
  for (let round = 0; round < 50; round++) {
    information = zeros(beta.length);
    const score = beta.map((value, a) => (a === 0 ? 0 : -RIDGE * value));
    for (let a = 1; a < beta.length; a++) information[a]![a] = RIDGE;
    for (const row of told) {
      const x = [1, ...sides.map((side) => row.near[side]!)];
      const mean = meanOf(row, x, beta);
      for (let a = 0; a < x.length; a++) {
        score[a]! += (row.observed - mean) * x[a]!;
        for (let b = 0; b < x.length; b++) information[a]![b]! += mean * x[a]! * x[b]!;
      }
    }
    const change = solve(information, score);
    if (change === undefined || !change.every(Number.isFinite)) return none;
    // Cosines differ by little, so strengths are large: half a step of e at the most.
    const longest = Math.max(...change.map(Math.abs));
    for (let a = 0; a < beta.length; a++) beta[a]! += change[a]! * Math.min(1, 5 / longest);
    if (longest < 1e-9) break;
  }
  const shoppers = new Set(told.map(({ unit }) => unit)).size;
  const wald = waldOf(told, sides, beta, information);
  const strengths = none.strengths.map((_, side) => (sides.includes(side) ? beta[1 + sides.indexOf(side)]! : 0));
  return { strengths, wald, isSure: shoppers >= fewest && wald > CRITICAL[sides.length]! && strengths.every(Number.isFinite) };
}

const meanOf = ({ expected }: LikenessRow, x: readonly number[], beta: readonly number[]): number =>
  expected * Math.exp(x.reduce((all, value, a) => all + value * beta[a]!, 0));

/** Of all but the intercept: β' V⁻¹ β with V = H⁻¹ (Σ over shoppers g g') H⁻¹. */
function waldOf(rows: readonly LikenessRow[], sides: readonly number[], beta: readonly number[], information: readonly number[][]): number {
  const scores = new Map<number, number[]>();
  for (const row of rows) {
    const x = [1, ...sides.map((side) => row.near[side]!)];
    const left = row.observed - meanOf(row, x, beta);
    const score = scores.get(row.unit) ?? x.map(() => 0);
    scores.set(row.unit, score);
    for (let a = 0; a < x.length; a++) score[a]! += left * x[a]!;
  }
  // H⁻¹ g of each shopper: the outer products of these are the sandwich.
  const variance = zeros(sides.length);
  for (const score of scores.values()) {
    const moved = solve(information, score);
    if (moved === undefined) return 0;
    for (let a = 0; a < sides.length; a++) for (let b = 0; b < sides.length; b++) variance[a]![b]! += moved[a + 1]! * moved[b + 1]!;
  }
  const strengths = beta.slice(1);
  return solve(variance, strengths)?.reduce((all, value, a) => all + value * strengths[a]!, 0) ?? 0;
}

const zeros = (size: number): number[][] => Array.from({ length: size }, () => Array.from({ length: size }, () => 0));
const sum = <T>(items: readonly T[], of: (item: T) => number): number => items.reduce((all, item) => all + of(item), 0);
