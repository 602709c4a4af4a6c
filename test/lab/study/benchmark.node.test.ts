/**
 * What follows training in the benchmark: its statistics against independently computed numbers and by simulation, the judge on a small
 * simulated world with scores whose worth is known, and the file that keeps what is finished.
 */
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  type Benchmark,
  mergePart,
  PARTS,
  readBenchmark,
  type Row,
  writeBenchmark,
} from "../../../src/lab/study/benchmark/benchmark-file.ts";
import { compareModels, DATA, K_SLICES, NDCG, PURCHASES, recoveryOf, splitName } from "../../../src/lab/study/benchmark/compare.ts";
import { costRows, FLOPS, GRAPH_BYTES, PARAMETERS, WASM_MS } from "../../../src/lab/study/benchmark/cost.ts";
import { EXAMINATION_ERROR, examinationRows } from "../../../src/lab/study/benchmark/examination.ts";
import { COLUMNS, gaucOf, judge, type Judged, judgeOnce, weightsOf } from "../../../src/lab/study/benchmark/judge.ts";
import { auc, calibrationError } from "../../../src/lab/study/benchmark/labels.ts";
import { bestBaseline, pairsOf } from "../../../src/lab/study/benchmark/models.ts";
import type { Part } from "../../../src/lab/study/benchmark/part.ts";
import { judgeWorld, STUDY } from "../../../src/lab/study/benchmark/parts.ts";
import { readRows } from "../../../src/lab/study/benchmark/reported.ts";
import { readMatrix } from "../../../src/lab/study/benchmark/read-npy.ts";
import { engineScores, findRuns, readScores, shuffledScores } from "../../../src/lab/study/benchmark/runs.ts";
import { createClusterBootstrap, meanOverSeeds, studentQuantile } from "../../../src/lab/study/benchmark/statistics.ts";
import { openTestLists, type TestLists } from "../../../src/lab/study/benchmark/test-lists.ts";
import { logTicks, niceTicks } from "../../../src/lab/study/benchmark/ticks.ts";
import { trainClickRows } from "../../../src/lab/study/benchmark/train-clicks.ts";
import { type Progress, runBenchmark, runParts } from "../../../src/lab/study/benchmark.ts";
import { embedCatalog } from "../../../src/cli/embed.ts";
import { ROOT } from "../../../src/cli/embed/encoder.ts";
import { makeLists } from "../../../src/lab/study/lists.ts";
import { writeNpy } from "../../../src/lab/study/model/npy.ts";
import { writeSimulation } from "../../../src/lab/study/simulate.ts";
import { attraction } from "../../../src/lab/study/simulate/attraction.ts";
import { examination } from "../../../src/lab/study/simulate/clicks.ts";
import { drawCatalogue } from "../../../src/demo/catalogue/catalogue.ts";
import { createRandom } from "../../../src/demo/catalogue/random.ts";
import { itemText } from "../../../src/embeddings/text-encoder.ts";
import { mean } from "../../../src/lab/study/metrics.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-benchmark-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("Student's interval over seeds", () => {
  it("has the quantiles that SciPy gives", () => {
    const known = [
      [1, 12.706204736, 6.313751515],
      [2, 4.30265273, 2.91998558],
      [3, 3.182446305, 2.353363435],
      [4, 2.776445105, 2.131846786],
      [9, 2.262157163, 1.833112933],
      [30, 2.042272456, 1.697260887],
    ] as const;
    for (const [df, wide, narrow] of known) {
      expect(studentQuantile(df, 0.95)).toBeCloseTo(wide, 6);
      expect(studentQuantile(df, 0.9)).toBeCloseTo(narrow, 6);
    }
  });

  it("is SciPy's for five seeds, and absent for one", () => {
    const { mean: middle, low, high } = meanOverSeeds([0.61, 0.64, 0.6, 0.66, 0.63]);
    expect(middle).toBeCloseTo(0.628, 10);
    expect(low).toBeCloseTo(0.5983556783, 8);
    expect(high).toBeCloseTo(0.6576443217, 8);
    expect(meanOverSeeds([0.4])).toEqual({ mean: 0.4, low: undefined, high: undefined });
  });

  it("covers the truth in about 95 of 100 experiments of five seeds", () => {
    const random = createRandom("t coverage");
    let covered = 0;
    for (let i = 0; i < 2000; i++) {
      const { low = 1, high = -1 } = meanOverSeeds(Array.from({ length: 5 }, () => random.normal()));
      if (low <= 0 && high >= 0) covered++;
    }
    expect(covered / 2000).toBeGreaterThan(0.935);
    expect(covered / 2000).toBeLessThan(0.965);
  });
});

/** 40 queries of 6 lists; what a query adds to all its lists is as large as what a list adds for itself. */
function clusteredLists(seed: number): { values: Float64Array; clusterOf: Int32Array } {
  const random = createRandom(`lists ${seed}`);
  const clusterOf = Int32Array.from({ length: 240 }, (_, i) => Math.floor(i / 6));
  const ofQuery = Array.from({ length: 40 }, () => random.normal());
  return { values: Float64Array.from(clusterOf, (cluster) => (ofQuery[cluster] ?? 0) + random.normal()), clusterOf };
}

describe("bootstrap of whole queries", () => {
  const ones = new Float64Array(240).fill(1);
  const coverage = (clustersOf: (clusterOf: Int32Array) => Int32Array): number => {
    let covered = 0;
    for (let seed = 0; seed < 300; seed++) {
      const { values, clusterOf } = clusteredLists(seed);
      const random = createRandom(`draws ${seed}`);
      const bootstrap = createClusterBootstrap({ clusterOf: clustersOf(clusterOf), resamples: 300, random: () => random.next() });
      const { low, high } = bootstrap.ratio(values, ones);
      if (low <= 0 && high >= 0) covered++;
    }
    return covered / 300;
  };

  it("covers the truth where lists of a query go together, which resampling lists one by one does not", () => {
    expect(coverage((clusterOf) => clusterOf)).toBeGreaterThan(0.9);
    expect(coverage((clusterOf) => Int32Array.from(clusterOf, (_, i) => i))).toBeLessThan(0.8);
  });

  it("gives the weighted mean, leaves out lists without a figure, and says when nothing is left", () => {
    const random = createRandom("weights");
    const bootstrap = createClusterBootstrap({ clusterOf: Int32Array.of(0, 0, 1, 2), resamples: 500, random: () => random.next() });
    const weighted = bootstrap.ratio([2 * 1, 1 * 4, 5 * 2, Number.NaN], [2, 1, 5, Number.NaN]);
    expect(weighted.mean).toBeCloseTo(16 / 8, 12);
    // Only queries 0 and 1 count: their own means bound every resample.
    expect(weighted.low).toBeCloseTo(2, 12);
    expect(weighted.high).toBeCloseTo(2, 12);
    expect(bootstrap.ratio([Number.NaN, Number.NaN, Number.NaN, Number.NaN], [1, 1, 1, 1]).mean).toBeNaN();
  });
});

describe("figures over logged labels", () => {
  it("has SciPy's AUC, ties counting half", () => {
    const values = [0.5, 1, 0.1, 0.9, 0.3, 0.4, 0.8, 0.4, 0.5, 0, 0.8, 0.5, 0.3, 0.8, 0.3, 0.5, 0.1, 0.4, 0.2, 0.3, 0.8, 0.3, 0.5, 1];
    const labels = [0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];
    expect(auc({ values, labels })).toBeCloseTo(0.7587412587, 9);
    expect(auc({ values, labels: labels.map(() => 1) })).toBeNaN();
  });

  it("has NumPy's calibration error over ten bins of equal mass", () => {
    const values = [
      0.148, 0.82, 0.683, 0.787, 0.192, 0.802, 0.191, 0.082, 0.855, 0.861, 0.877, 0.472, 0.274, 0.007, 0.646, 0.72, 0.836, 0.282, 0.215,
      0.639, 0.805, 0.964, 0.151, 0.482, 0.895, 0.423, 0.59, 0.024, 0.673, 0.919, 0.827, 0.886, 0.66, 0.246, 0.769, 0.212, 0.831, 0.063,
      0.825, 0.165,
    ];
    const labels = [0, 1, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 1, 0];
    expect(calibrationError({ values, labels })).toBeCloseTo(0.196625, 9);
  });

  it("calls a constant at the base rate calibrated, in whatever order the labels come", () => {
    const labels = Array.from({ length: 100 }, (_, i) => (i < 30 ? 1 : 0));
    expect(calibrationError({ values: labels.map(() => 0.3), labels })).toBeCloseTo(0, 12);
    expect(calibrationError({ values: labels.map(() => 0.5), labels })).toBeCloseTo(0.2, 12);
  });
});

describe("scores on disk", () => {
  it("read back as NumPy writes them; a file of another kind or length is refused by name", () => {
    const path = join(folder, "matrix.npy");
    writeNpy(path, Float32Array.of(1, 2.5, -3, 4, 5, 6), [2, 3]);
    expect(readMatrix(path)).toEqual({ values: Float32Array.of(1, 2.5, -3, 4, 5, 6), rows: 2, columns: 3 });
    const bytes = readFileSync(path);
    writeFileSync(path, bytes.subarray(0, -4));
    expect(() => readMatrix(path)).toThrow(/matrix\.npy is cut off/);
    writeNpy(path, Int32Array.of(1, 2), [1, 2]);
    expect(() => readMatrix(path)).toThrow(/float32/);
    writeFileSync(path, "not an array");
    expect(() => readMatrix(path)).toThrow(/no \.npy file/);
  });
});

const world = join(folder, "world");
const runs = join(folder, "runs");
let test: TestLists;

/** Writes a run whose scores are the true utilities with noise of a size. */
function writeRun(model: string, seed: number, noise: number): void {
  const random = createRandom(`${model}:${seed}`);
  const at = join(runs, model, `seed-${seed}`);
  mkdirSync(at, { recursive: true });
  const columns = Math.max(...test.lists.map(({ k }) => k)) + 3; // padded wider than needed
  const scores = new Float32Array(test.lists.length * columns);
  const clicks = new Float32Array(test.lists.length * columns);
  test.lists.forEach(({ truth }, i) =>
    truth.utility.forEach((u, place) => {
      const score = u + noise * random.normal();
      scores[i * columns + place] = score;
      clicks[i * columns + place] = attraction(score) * examination(place + 1);
    }),
  );
  writeNpy(join(at, "scores.npy"), scores, [test.lists.length, columns]);
  writeNpy(join(at, "clicks.npy"), clicks, [test.lists.length, columns]);
  const run = { model, seed, parameters: 10, tokenTable: 4, options: {}, trainLists: 5, seconds: 1, history: [] };
  writeFileSync(join(at, "run.json"), JSON.stringify(run));
}

const judged = (model: string): Judged[] =>
  findRuns(runs)
    .filter((run) => run.model === model)
    .map((run) => judge(readScores(run, test), test));

const column = ({ columns }: Judged, name: string): number[] => [...(columns.get(name) ?? [])].filter((value) => !Number.isNaN(value));

beforeAll(async () => {
  const count = 300;
  writeSimulation({
    out: join(world, "simulation"),
    items: count,
    catalogSeed: 3,
    shoppers: 150,
    searches: 1200,
    clickModel: "pbm",
    seed: 1,
    withText: true,
    withPicture: true,
    withPersonal: true,
    withContext: true,
    json: true,
  });
  const items = drawCatalogue({ count, seed: 3 }).map((product) => ({ product, text: itemText(product), image: undefined }));
  const embeddings = join(world, "embeddings");
  await embedCatalog({ catalog: "small", items: { name: "small", source: "drawn", items }, out: embeddings, json: true });
  await makeLists({ events: join(world, "simulation"), embeddings, out: join(world, "lists"), json: true });
  test = await openTestLists(world);
  for (const seed of [1, 2, 3]) {
    writeRun("teacher", seed, 0);
    writeRun("student", seed, 0);
    writeRun("prm", seed, 1);
    writeRun("pointwise", seed, 2);
    writeRun("student-labels", seed, 4);
  }
});

describe("the judge", () => {
  it("joins lists and truth of the test split, candidate by candidate", () => {
    expect(test.lists.length).toBeGreaterThan(50);
    expect(test.queries).toBeLessThan(test.lists.length);
    expect(
      test.lists.every(({ truth, k, queryId }) => truth.split === "test" && truth.ids.length === k && truth.query_id === queryId),
    ).toBe(true);
    expect(test.lists.some(({ clicks }) => clicks.includes(1))).toBe(true);
  });

  it("gives the order of the true utilities an nDCG of 1, and engine order less", () => {
    const [best] = judged("teacher");
    const engine = judge(engineScores(test), test);
    expect(mean(column(best!, NDCG))).toBeCloseTo(1, 6);
    expect(mean(column(engine, NDCG))).toBeLessThan(0.8);
    expect(mean(column(best!, PURCHASES))).toBeGreaterThan(mean(column(engine, PURCHASES)));
    expect(engine.columns.size).toBe(COLUMNS.length);
  });

  it("gives scores of chance what shuffling gets, and an AUC of one half", () => {
    const shuffles = [1, 2, 3, 4, 5].map((seed) => judge(shuffledScores(test, seed), test));
    const chance = judge(shuffledScores(test, 99), test);
    const { low = 0, high = 0 } = meanOverSeeds(
      shuffles.map((one) => mean(column(one, NDCG))),
      0.999,
    );
    expect(mean(column(chance, NDCG))).toBeGreaterThan(low - 0.02);
    expect(mean(column(chance, NDCG))).toBeLessThan(high + 0.02);
    expect(chance.pooled["AUC clicks"]).toBeGreaterThan(0.44);
    expect(chance.pooled["AUC clicks"]).toBeLessThan(0.56);
  });

  it("weighs the AUC of each list by its impressions", () => {
    const { scores } = engineScores(test);
    const figures = judge({ scores }, test);
    let above = 0;
    let below = 0;
    for (const [i, { clicks, k }] of test.lists.entries()) {
      const pairs: number[] = [];
      for (let a = 0; a < k; a++) for (let b = 0; b < k; b++) if (clicks[a] === 1 && clicks[b] === 0) pairs.push(a < b ? 1 : 0);
      if (pairs.length === 0) continue;
      above += k * mean(pairs);
      below += k;
      expect(figures.columns.get(gaucOf("clicks"))?.[i]).toBeCloseTo(mean(pairs), 5);
    }
    const weights = weightsOf(gaucOf("clicks"), test);
    const values = figures.columns.get(gaucOf("clicks"))!;
    const has = weights.map((weight, i) => (Number.isNaN(values[i]) ? 0 : weight));
    const gauc =
      has.reduce((sum, weight, i) => sum + (weight === 0 ? 0 : weight * values[i]!), 0) / has.reduce((sum, weight) => sum + weight, 0);
    expect(gauc).toBeCloseTo(above / below, 5);
  });

  it("finds true probabilities well calibrated, and probabilities that forget the position less so", () => {
    const [run] = findRuns(runs).filter(({ model }) => model === "teacher");
    const { scores, clicks } = readScores(run!, test);
    const forgetful = { ...clicks!, values: scores.values.map((score) => attraction(score)) };
    const truly = judge({ scores, clicks }, test).pooled["ECE clicks"]!;
    expect(truly).toBeLessThan(0.02);
    expect(judge({ scores, clicks: forgetful }, test).pooled["ECE clicks"]).toBeGreaterThan(5 * truly);
  });

  it("judges once, and again when the scores change", () => {
    const at = join(folder, "kept");
    const first = judgeOnce(at, engineScores(test), test);
    const stamp = (): string => readFileSync(join(at, "judged.json"), "utf8");
    const before = stamp();
    const marked = readMatrix(join(at, "judged.npy"));
    marked.values[0] = 42;
    writeNpy(join(at, "judged.npy"), marked.values, [marked.rows, marked.columns]);
    expect(judgeOnce(at, engineScores(test), test).columns.get(COLUMNS[0]!)?.[0]).toBe(42);
    expect(stamp()).toBe(before);
    const other = judgeOnce(at, shuffledScores(test, 1), test);
    expect(stamp()).not.toBe(before);
    expect(mean(column(other, NDCG))).toBeLessThan(mean(column(first, NDCG)));
  });

  it("refuses scores that are not of these lists", () => {
    const [run] = findRuns(runs);
    const path = join(run!.folder, "scores.npy");
    const whole = readFileSync(path);
    writeNpy(path, new Float32Array(8), [2, 4]);
    expect(() => readScores(run!, test)).toThrow(/scores 2 lists/);
    writeFileSync(path, whole);
    const { scores } = engineScores(test);
    scores.values[0] = Number.NaN;
    expect(() => judge({ scores }, test)).toThrow(/finite/);
  });
});

const find = (rows: readonly Row[], wanted: Partial<Row>): Row | undefined =>
  rows.find((row) =>
    (["model", "metric", "split", "against"] as const).every(
      (field) => row[field] === (wanted[field] ?? (field === "split" ? "test" : undefined)),
    ),
  );

const errorIn = (rows: readonly { readonly metric: string; readonly mean: number }[]): number | undefined =>
  rows.find(({ metric }) => metric === EXAMINATION_ERROR)?.mean;

describe("comparison of models", () => {
  it("has means over seeds, paired differences and slices of every model", async () => {
    const rows = await judgeWorld("drawn table", { level: "drawn" }, () => true, { data: world, runs });
    const [prm, teacher, engine] = ["prm", "teacher", "engine"].map((model) => find(rows, { model, metric: PURCHASES }));
    expect(prm?.seeds).toBe(3);
    expect(prm!.low!).toBeLessThan(prm!.mean);
    expect(engine?.low).toBeNull();
    expect(find(rows, { model: "shuffle", metric: NDCG })?.seeds).toBe(5);
    const difference = find(rows, { model: "teacher", against: "prm", metric: PURCHASES })!;
    expect(difference.mean).toBeCloseTo(teacher!.mean - prm!.mean, 6);
    expect(difference.low!).toBeGreaterThan(0);
    expect(bestBaseline(rows, PURCHASES, "test")).toBe("prm");

    const lists = K_SLICES.map((slice) => find(rows, { model: DATA, metric: "lists", split: splitName(slice) })?.mean ?? 0);
    expect(lists.reduce((sum, count) => sum + count, 0)).toBe(test.lists.length);
    expect(find(rows, { model: DATA, metric: "lists" })?.mean).toBe(test.lists.length);
    expect(find(rows, { model: "teacher", against: "engine", metric: PURCHASES, split: splitName("history 6+") })).toBeDefined();
    expect(rows.every(({ mean: value }) => Number.isFinite(value))).toBe(true);
  });

  it("finds no difference between models that score alike, and all of the gain kept", () => {
    const models = new Map([
      ["engine", [judge(engineScores(test), test)]],
      ["teacher", judged("teacher")],
      ["student", judged("student")],
      ["student-labels", judged("student-labels")],
    ]);
    const rows = compareModels({ part: "drawn table", level: "drawn", test, models, sliced: false });
    const alike = find(rows, { model: "student", against: "teacher", metric: PURCHASES })!;
    expect([alike.mean, alike.low, alike.high]).toEqual([0, 0, 0]);
    const kept = find(rows, { model: "student", metric: recoveryOf("teacher", PURCHASES) })!;
    expect(kept.mean).toBeCloseTo(1, 9);
    expect(find(rows, { model: "student-labels", metric: recoveryOf("teacher", PURCHASES) })!.high!).toBeLessThan(1);
    expect(find(rows, { model: "student", against: "student-labels", metric: PURCHASES })!.low!).toBeGreaterThan(0);
    expect(rows.some(({ split }) => split !== "test")).toBe(false);
  });

  it("compares wholes with their variants, ours with baselines, and all with the engine", () => {
    const pairs = pairsOf(["engine", "prm", "teacher", "teacher-no-image", "student", "student-labels"]).map((pair) => pair.join(" - "));
    expect(pairs).toEqual(
      expect.arrayContaining(["prm - engine", "teacher - prm", "student - prm", "teacher - teacher-no-image", "student - student-labels"]),
    );
    expect(pairs).not.toContain("prm - teacher");
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it("compares each way of dealing with position bias with as many clicks that have none", () => {
    const ways = ["tower", "naive", "known", "unbiased", "thinned"].map((way) => `position-${way}`);
    const pairs = pairsOf(ways).map((pair) => pair.join(" - "));
    for (const way of ways.slice(0, -1)) expect(pairs).toContain(`${way} - position-thinned`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it("counts the clicks that each model learned from, per list", () => {
    const run = { seed: 1, parameters: 1, tokenTable: 0, trainLists: 50, seconds: 1, folder: "" };
    const rows = trainClickRows([
      { ...run, model: "position-naive", trainClicks: 100 },
      { ...run, model: "position-thinned", trainClicks: 90 },
      { ...run, model: "position-thinned", seed: 2, trainClicks: 120 },
      { ...run, model: "teacher" },
    ]);
    expect(rows.map((row) => [row.model, row.mean, row.seeds])).toEqual([
      ["position-naive", 100 / 50, 1],
      ["position-thinned", (90 + 120) / 2 / 50, 2],
    ]);
  });

  it("measures a learned examination curve against the simulator's own, whatever its scale", () => {
    const curve = Array.from({ length: 10 }, (_, i) => examination(i + 1));
    const run = { model: "teacher", parameters: 1, tokenTable: 0, trainLists: 1, seconds: 1, folder: "" };
    expect(errorIn(examinationRows([{ ...run, seed: 1, examination: curve.map((value) => value * 3) }]))).toBeCloseTo(0, 12);
    const flat = curve.map(() => 1);
    const expected = mean(curve.slice(1).map((value) => 1 - value / curve[0]!)); // at the first both are 1 by construction
    expect(errorIn(examinationRows([{ ...run, seed: 1, examination: flat }]))).toBeCloseTo(expected, 12);
  });
});

describe("cost", () => {
  it("is size, arithmetic and wasm time of each model, from its own runs and graph", async () => {
    const at = join(folder, "costs", "student", "seed-1");
    mkdirSync(at, { recursive: true });
    copyFileSync(join(ROOT, "model/student.onnx"), join(at, "model.onnx"));
    const run = { model: "student", seed: 1, parameters: 462_374, tokenTable: 393_216, trainLists: 5, seconds: 7, flops: 5e7 };
    writeFileSync(join(at, "run.json"), JSON.stringify(run));
    const rows = await costRows("drawn", join(folder, "costs"), join(world, "lists"));
    const figures = new Map(rows.map((row) => [row.metric, row]));
    expect(figures.get(PARAMETERS)?.mean).toBe(462_374);
    expect(figures.get(FLOPS)?.mean).toBe(5e7);
    expect(figures.get(GRAPH_BYTES)?.mean).toBe(readFileSync(join(at, "model.onnx")).length);
    const time = figures.get(WASM_MS)!;
    expect(time.low!).toBeGreaterThan(0);
    expect(time.mean).toBeLessThanOrEqual(time.high!);
    writeFileSync(join(at, "model.onnx"), "not a graph");
    await expect(costRows("drawn", join(folder, "costs"), join(world, "lists"))).rejects.toThrow();
  });
});

const EMPTY: Benchmark = { format: 1, parts: [], rows: [] };
const rowOf = (more: Partial<Row>): Row => ({
  part: "cost",
  level: "drawn",
  model: "student",
  metric: "parameters",
  mean: 1,
  low: null,
  high: null,
  seeds: 1,
  split: "none",
  ...more,
});

describe("benchmark.json", () => {
  const path = join(folder, "benchmark.json");
  const day = { key: "a", sources: "s", seconds: 12.3, finished: "2026-11-21" };

  it("replaces a part's rows, keeps the others', sorts, rounds, and reads back as written", () => {
    const first = mergePart(EMPTY, { name: "cost", ...day }, [rowOf({ model: "teacher" }), rowOf({ mean: 123_456.789 })]);
    const second = mergePart(first, { name: "drawn table", ...day }, [
      rowOf({ part: "drawn table", mean: 0.123456789, low: 0.1, high: 0.2 }),
    ]);
    const third = mergePart(second, { name: "cost", ...day, key: "b" }, [rowOf({ mean: 2 })]);
    expect(third.rows.map(({ part, mean: value }) => [part, value])).toEqual([
      ["drawn table", 0.12346],
      ["cost", 2],
    ]);
    expect(second.rows.map(({ model, mean: value }) => [model, value])).toEqual([
      ["student", 0.12346],
      ["student", 123_460],
      ["teacher", 1],
    ]);
    expect(third.parts.map(({ name, key, seconds }) => [name, key, seconds])).toEqual([
      ["drawn table", "a", 12],
      ["cost", "b", 12],
    ]);
    writeBenchmark(path, third);
    expect(readBenchmark(path)).toEqual(third);
    expect(() => mergePart(EMPTY, { name: "cost", ...day }, [rowOf({ part: "chorus" })])).toThrow(/chorus/);
  });

  it("is empty where it is absent, and names the field that is wrong", () => {
    expect(readBenchmark(join(folder, "absent.json"))).toEqual(EMPTY);
    writeFileSync(path, JSON.stringify({ ...EMPTY, rows: [{ ...rowOf({}), level: "somewhere" }] }));
    expect(() => readBenchmark(path)).toThrow(/rows\.0\.level/);
    writeFileSync(path, JSON.stringify([rowOf({ part: "chorus" })]));
    expect(() => readRows(path, "open bandit")).toThrow(/of part "chorus"/);
    expect(readRows(path, "chorus")).toHaveLength(1);
  });
});

describe("the study", () => {
  it("has every part once, and knows no others", async () => {
    expect(STUDY.map(({ name }) => name).toSorted()).toEqual([...PARTS].toSorted());
    await expect(runBenchmark({ parts: ["everything"], folder })).rejects.toThrow(/Unknown part "everything"/);
  });

  it("runs a part once under a key, again when its settings change (changed sources alone are only said), and keeps what came before a failure", async () => {
    const path = join(folder, "study.json");
    const worked: string[] = [];
    const partOf = (name: Part["name"], settings: unknown, fails = false): Part => ({
      name,
      settings: () => settings,
      obstacle: () => undefined,
      work: () => {
        worked.push(name);
        return fails ? Promise.reject(new Error("power cut")) : Promise.resolve([rowOf({ part: name })]);
      },
    });
    const progress: Progress = { folder, json: true, path, sources: "1", isChosen: false, onRows: () => worked.push("written") };
    await expect(runParts([partOf("drawn table", 1), partOf("cost", 1, true)], progress)).rejects.toThrow("power cut");
    expect(worked.splice(0)).toEqual(["drawn table", "written", "cost"]);
    const reports = await runParts([partOf("drawn table", 1), partOf("cost", 1)], progress);
    expect(reports.map(({ outcome }) => outcome)).toEqual(["finished before", "run"]);
    expect(worked.splice(0)).toEqual(["cost", "written"]);
    await runParts([partOf("drawn table", 2), partOf("cost", 1)], progress);
    expect(worked.splice(0)).toEqual(["drawn table", "written"]);
    await runParts([partOf("drawn table", 2)], { ...progress, sources: "2" });
    expect(worked.splice(0)).toEqual([]);
    expect(readBenchmark(path).rows).toHaveLength(2);
  });

  it("passes over what this machine has no data for, unless it was asked for by name", async () => {
    const part: Part = {
      name: "chorus",
      settings: () => 0,
      obstacle: () => "the judgments are elsewhere",
      work: () => Promise.resolve([]),
    };
    const progress: Progress = {
      folder,
      json: true,
      path: join(folder, "none.json"),
      sources: "",
      isChosen: false,
      onRows: () => undefined,
    };
    expect((await runParts([part], progress)).map(({ outcome }) => outcome)).toEqual(["not possible here"]);
    await expect(runParts([part], { ...progress, isChosen: true })).rejects.toThrow(/the judgments are elsewhere/);
  });
});

describe("axes of plots", () => {
  it("have round ticks that enclose the data", () => {
    expect(niceTicks(0, 0.23)).toEqual([0, 0.05, 0.1, 0.15, 0.2, 0.25]);
    expect(niceTicks(-0.031, 0.12)).toEqual([-0.05, 0, 0.05, 0.1, 0.15]);
    expect(logTicks(3e5, 4e7)).toEqual([1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7, 2e7, 5e7, 1e8]);
    expect(logTicks(30, 4e7)).toEqual([10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]);
  });
});
