/**
 * `armmt gate --check`: does the gate let good models pass, and no bad ones? Simulated logs, simulated models (functions of a candidate) whose true
 * worth is known, and the same code that judges a shop's model.
 */
import { createRandom, type Random } from "../../demo/catalogue/random.ts";
import * as format from "../../report/format.ts";
import { printTable, progressBar } from "../command.ts";
import { orderByScore } from "../evaluate/metrics.ts";
import { type Curve, fitAttraction, measureLooks } from "./click-model.ts";
import { gatherEvidence, type GateList, MODEL } from "./evidence.ts";
import { QUALITIES, type Qualities, type Reader, simulateLists, type SimulatedList, truthOf, WIDTH } from "./simulate.ts";
import { DEFAULT_MARGIN, judge } from "./verdict.ts";

/** A model as a function: weights of qualities, and noise that hangs on the candidate alone. */
export interface SimulatedModel {
  readonly weights: Qualities;
  readonly noise: number;
  /** True change against the better of engine and meaning, as a share. */
  readonly gain: number;
}

export interface CheckCell {
  readonly name: string;
  readonly reader: Reader;
  /** Searches of the test split, and as many for training. */
  readonly searches: number;
  readonly explored: number;
  readonly interleaved: number;
}

/** Good: at least so much better than both. Bad: at least so much worse than one of them, which is the margin. */
const GOOD = 0.03;
const BAD = DEFAULT_MARGIN;
const TRUTH_LISTS = 1500;

/** The gate must let pass at most, and at least. */
export const MOST_BAD = 0.05;
export const LEAST_GOOD = 0.8;

const BASE: Qualities = { engine: 1, words: 0.6, picture: 0.4, price: 0, hidden: 0 };
const NONE: Qualities = { engine: 0, words: 0, picture: 0, price: 0, hidden: 0 };

/** Kinds of models: from what is served, away in a direction and so far. */
const DIRECTIONS: readonly (readonly [Qualities, number])[] = [
  // What shoppers like, and what no feature of the click model knows.
  [{ engine: -0.5, words: 0.1, picture: 0.2, price: -0.2, hidden: 0.6 }, 1],
  [{ ...NONE, hidden: 1 }, 1],
  [{ engine: -0.4, words: 0.1, picture: 0.3, price: -0.3, hidden: 0 }, 1],
  // Away from it.
  [{ ...NONE, hidden: -1 }, 0.6],
  [{ ...NONE, price: 1 }, 0.6],
  [{ ...NONE, engine: 1.5 }, 1],
  [{ engine: -1.2, words: -0.8, picture: -0.6, price: 0, hidden: 0 }, 1],
];

function drawModel(random: Random): Omit<SimulatedModel, "gain"> {
  const [direction, most] = random.pick(DIRECTIONS);
  const far = most * random.between(0, 1.2);
  const weights = Object.fromEntries(QUALITIES.map((name) => [name, BASE[name] + far * direction[name]]));
  return { weights: { ...NONE, ...weights }, noise: random.chance(0.5) ? random.between(0, 1.5) : random.between(0, 0.3) };
}

export function orderOf({ weights, noise }: Omit<SimulatedModel, "gain">, { candidates, queryId }: SimulatedList): number[] {
  const random = createRandom(`noise:${queryId}`);
  return orderByScore(
    candidates.map((each) => QUALITIES.reduce((sum, name) => sum + weights[name] * each[name], 0) + noise * random.normal()),
  );
}

/** Models until there are `count` good and as many bad ones, each kind of size among them. */
export function drawModels(
  count: number,
  reader: Reader,
  seed: string,
  truthLists = TRUTH_LISTS,
): { readonly good: SimulatedModel[]; readonly bad: SimulatedModel[] } {
  const random = createRandom(`models:${seed}`);
  const lists = [...simulateLists({ seed: `truth ${seed}`, searches: truthLists, reader, explored: 0, interleaved: 0 })];
  const clicksOf = (orderFor: (list: SimulatedList) => readonly number[]): number =>
    lists.reduce((sum, list) => sum + truthOf(list, orderFor(list), reader).clicks, 0);
  const best = Math.max(
    clicksOf(({ engine }) => engine),
    clicksOf(({ semantic }) => semantic),
  );
  const [good, bad]: [SimulatedModel[], SimulatedModel[]] = [[], []];
  while (good.length < count || bad.length < count) {
    const model = drawModel(random);
    const gain = clicksOf((list) => orderOf(model, list)) / best - 1;
    const into = gain >= GOOD ? good : gain <= -BAD ? bad : undefined;
    if (into !== undefined && into.length < count) into.push({ ...model, gain });
  }
  return { good, bad };
}

export interface SimulatedLog {
  readonly curve: Curve;
  readonly perClick: number;
  readonly test: readonly SimulatedList[];
  readonly attractionOf: (list: SimulatedList) => ArrayLike<number>;
}

export function simulateLog({ searches, ...cell }: Omit<CheckCell, "name">, seed: string): SimulatedLog {
  const lists = [...simulateLists({ ...cell, searches: 2 * searches, seed })];
  const train = lists.filter(({ isTest }) => !isTest);
  const curve = measureLooks(train);
  const attraction = fitAttraction(train, WIDTH, curve.looks);
  const known = new Map(lists.filter(({ isTest }) => isTest).map((list) => [list, attraction(list.features)]));
  const sum = (of: (list: SimulatedList) => readonly number[]): number =>
    train.reduce((all, list) => all + of(list).reduce((total, value) => total + value, 0), 0);
  return {
    curve,
    perClick:
      sum(({ purchases }) => purchases) /
      Math.max(
        1,
        sum(({ clicks }) => clicks),
      ),
    test: [...known.keys()],
    attractionOf: (list) => known.get(list)!,
  };
}

/** What the gate says of a model, by a log. */
export function judgeSimulated(log: SimulatedLog, orderFor: (list: SimulatedList) => readonly number[], draws?: number) {
  const lists = log.test.map((list): GateList => ({
    ...list,
    attraction: log.attractionOf(list),
    orders: new Map([
      ["engine", list.engine],
      ["semantic", list.semantic],
      [MODEL, orderFor(list)],
    ]),
  }));
  const evidence = gatherEvidence({ lists, curve: log.curve, perClick: log.perClick, ...(draws !== undefined && { draws }) });
  return { evidence, ...judge(evidence, DEFAULT_MARGIN) };
}

/** Log sizes of the curve: searches of held-out shoppers. */
const SIZES = [250, 500, 1000, 2000, 4000] as const;
/** At which the gate must hold. */
const DECIDING_SIZE = 2000;
const LOGS = 4;
const DRAWS = 400;

const ARMS = { explored: 0.2, interleaved: 0.2 } as const;

const CELLS: readonly CheckCell[] = [
  ...SIZES.map((searches): CheckCell => ({ ...ARMS, name: "looks by place", reader: "pbm", searches })),
  { ...ARMS, name: "reads down, stops after a click", reader: "dcm", searches: DECIDING_SIZE },
  { name: "explored only", reader: "pbm", searches: DECIDING_SIZE, explored: 1, interleaved: 0 },
];

export interface CheckRow {
  readonly cell: string;
  readonly searches: number;
  /** Shares of each kind. */
  readonly bad: Readonly<Record<"passes" | "refused", number>>;
  readonly good: Readonly<Record<"passes" | "refused", number>>;
}

/** `count` good and as many bad models, over several logs. */
export function checkCell(
  cell: CheckCell,
  count: number,
  onModel: () => void = () => undefined,
  { logCount = LOGS, truthLists = TRUTH_LISTS } = {},
): CheckRow {
  const models = drawModels(count, cell.reader, "gate", truthLists);
  const logs = Array.from({ length: Math.min(logCount, count) }, (_, i) => simulateLog(cell, `${i}`));
  const shares = (of: readonly SimulatedModel[]) => {
    const found = { passes: 0, refused: 0 };
    for (const [i, model] of of.entries()) {
      const { judgments, missing } = judgeSimulated(logs[i % logs.length]!, (list) => orderOf(model, list), DRAWS);
      const isEnough = missing.length === 0;
      if (isEnough && judgments.every(({ outcome }) => outcome === "better" || outcome === "not_worse")) found.passes++;
      if (isEnough && judgments.some(({ outcome }) => outcome === "worse")) found.refused++;
      onModel();
    }
    return { passes: found.passes / of.length, refused: found.refused / of.length };
  };
  return { cell: cell.name, searches: cell.searches, bad: shares(models.bad), good: shares(models.good) };
}

/** Prints the table, or JSON. Returns whether the gate holds at the size that decides. */
export async function printGateCheck(count: number, json: boolean): Promise<boolean> {
  const bar = progressBar("Judging simulated models", CELLS.length * count * 2, { json });
  const rows = CELLS.map((cell) => checkCell(cell, count, () => bar.increment()));
  bar.stop();
  const deciding = rows.filter(({ searches, cell }) => searches >= DECIDING_SIZE && cell === CELLS[0]!.name);
  const holds = rows.every(({ bad }) => bad.passes <= MOST_BAD) && deciding.every(({ good }) => good.passes >= LEAST_GOOD);
  if (json) {
    process.stdout.write(`${JSON.stringify({ simulated: true, models: count, good: GOOD, bad: BAD, holds, rows }, undefined, 2)}\n`);
    return holds;
  }
  process.stdout.write(
    `Simulated: ${count} good models (at least ${format.share(GOOD)} more clicks than engine and meaning) and ${count} bad ones (at least ${format.share(BAD)} fewer than one of them) in each row.\n\n`,
  );
  printTable(
    ["Shoppers", "Searches held out", "Bad passing", "Bad refused", "Good passing", "Good refused"],
    rows.map(({ cell, searches, bad, good }) => [
      cell,
      searches,
      ...[bad.passes, bad.refused, good.passes, good.refused].map(format.share),
    ]),
  );
  process.stdout.write(
    `\n${holds ? "The gate holds" : "THE GATE DOES NOT HOLD"}: at most ${format.share(MOST_BAD)} of the bad may pass, and from ${DECIDING_SIZE} searches on at least ${format.share(LEAST_GOOD)} of the good must.\n`,
  );
  return holds;
}
