/**
 * The benchmark after training: the judge on a small simulated scenario with scores of known quality, and the file of finished parts. The
 * statistics are in Python (model/tests/test_compare.py).
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
} from "../../../src/lab/study/compare/benchmark-file.ts";
import { engineScores, judge, judgeFolder, openTestLists, shuffledScores, type TestLists } from "../../../src/lab/study/compare/judge.ts";
import { COLD_SLICES, K_SLICES, NDCG, NEW_ITEMS, pairsOf, PURCHASES } from "../../../src/lab/study/compare/names.ts";
import { judgeRuns, type Part, STUDY } from "../../../src/lab/study/compare/parts.ts";
import { findRuns, readRows, timeGraphs } from "../../../src/lab/study/compare/runs.ts";
import { type Progress, runBenchmark, runParts } from "../../../src/lab/study/compare.ts";
import { embedCatalog } from "../../../src/cli/embed.ts";
import { PACKAGE_ROOT } from "../../../src/runtimes/node/package-root.ts";
import { makeLists } from "../../../src/cli/lists.ts";
import { type Matrix, readMatrix, writeNpy } from "../../../src/cli/lists/npy.ts";
import { writeSimulation } from "../../../src/lab/study/simulate.ts";
import { drawCatalogue } from "../../../src/demo/catalogue/catalogue.ts";
import { createRandom } from "../../../src/demo/catalogue/random.ts";
import { itemText } from "../../../src/embeddings/text-encoder.ts";
import { mean } from "../../../src/cli/evaluate/metrics.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-benchmark-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

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
    expect(() => readMatrix(path)).toThrow(/not an \.npy file/);
  });
});

const scenario = join(folder, "scenario");
const runs = join(folder, "runs");
let test: TestLists;

/** Scores that are the true utilities with noise of a size, padded wider than needed. */
function noisyScores(model: string, noise: number): Matrix {
  const random = createRandom(model);
  const columns = Math.max(...test.truths.map(({ ids }) => ids.length)) + 3;
  const values = new Float32Array(test.truths.length * columns);
  test.truths.forEach(({ utility }, i) => utility.forEach((u, index) => (values[i * columns + index] = u + noise * random.normal())));
  return { values, rows: test.truths.length, columns };
}

const meanOf = (figures: ReadonlyMap<string, Float32Array>, name: string): number =>
  mean([...(figures.get(name) ?? [])].filter((value) => !Number.isNaN(value)));

beforeAll(async () => {
  const count = 300;
  writeSimulation({ out: join(scenario, "simulation"), items: count, shoppers: 150, searches: 1200, json: true });
  const items = drawCatalogue({ count, seed: 3 }).map((product) => ({ product, text: itemText(product), image: undefined }));
  const embeddings = join(scenario, "embeddings");
  await embedCatalog({
    catalog: "small",
    items: { name: "small", source: "drawn", items },
    textEncoder: "builtin",
    out: embeddings,
    json: true,
  });
  await makeLists({ from: join(scenario, "simulation"), embeddings, out: join(scenario, "lists"), json: true });
  test = await openTestLists(scenario);
});

describe("the judge", () => {
  it("joins lists and truth of the test split", () => {
    expect(test.truths.length).toBeGreaterThan(50);
    expect(test.truths.every(({ split, ids, utility }) => split === "test" && ids.length === utility.length)).toBe(true);
  });

  it("gives the order of the true utilities an nDCG of 1, and engine order less", () => {
    const best = judge(noisyScores("best", 0), test);
    const engine = judge(engineScores(test), test);
    expect(meanOf(best, NDCG)).toBeCloseTo(1, 6);
    expect(meanOf(engine, NDCG)).toBeLessThan(0.8);
    expect(meanOf(best, PURCHASES)).toBeGreaterThan(meanOf(engine, PURCHASES));
    expect(meanOf(judge(noisyScores("worse", 2), test), NDCG)).toBeLessThan(meanOf(judge(noisyScores("better", 1), test), NDCG));
  });

  it("gives scores of chance the nDCG of shuffling, and counts new items of the engine's order whatever the scores", () => {
    const [chance, ...shuffles] = [99, 1, 2, 3, 4, 5].map((seed) => judge(shuffledScores(test, seed), test));
    const usual = shuffles.map((figures) => meanOf(figures, NDCG));
    expect(meanOf(chance!, NDCG)).toBeGreaterThan(Math.min(...usual) - 0.04);
    expect(meanOf(chance!, NDCG)).toBeLessThan(Math.max(...usual) + 0.04);
    expect(chance!.get(NEW_ITEMS)).toEqual(judge(engineScores(test), test).get(NEW_ITEMS));
    expect(meanOf(chance!, NEW_ITEMS)).toBeGreaterThan(0);
  });

  it("judges the runs of a part beside engine order and shuffles, and says how they are compared", async () => {
    for (const [model, noise] of [
      ["teacher", 0],
      ["prm", 1],
      ["pointwise", 2],
    ] as const) {
      const { values, rows, columns } = noisyScores(model, noise);
      mkdirSync(join(runs, model, "seed-1"), { recursive: true });
      writeNpy(join(runs, model, "seed-1/scores.npy"), values, [rows, columns]);
      writeFileSync(join(runs, model, "seed-1/run.json"), JSON.stringify({ model, seed: 1 }));
    }
    expect(findRuns(runs).map(({ model }) => model)).toEqual(["pointwise", "prm", "teacher"]);
    const plan = await judgeRuns("drawn table", "drawn", (model) => model !== "pointwise", scenario, runs);
    expect(plan.models).toEqual(["engine", "semantic", "shuffle", "prm", "teacher"]);
    expect(plan.quality?.pairs).toContainEqual(["teacher", "prm"]);
    expect(plan.quality?.slices).toEqual(expect.arrayContaining([...K_SLICES, ...COLD_SLICES]));
    const figures = readMatrix(join(runs, "teacher/seed-1/judged.npy"));
    expect(figures.columns).toBe(test.truths.length);
    expect(figures.values.subarray(0, figures.columns)).toEqual(judge(noisyScores("teacher", 0), test).get(NDCG));
    expect(readMatrix(join(runs, "shuffle/seed-5/judged.npy")).columns).toBe(test.truths.length);
    expect((await judgeRuns("drawn controls", "drawn", () => true, scenario, runs)).quality?.slices).toEqual([]);
  });

  it("refuses scores that are not of these lists", () => {
    const at = join(folder, "foreign");
    mkdirSync(at);
    writeNpy(join(at, "scores.npy"), new Float32Array(8), [2, 4]);
    expect(() => judgeFolder(at, test)).toThrow(/scores 2 lists/);
    const scores = engineScores(test);
    scores.values[0] = Number.NaN;
    expect(() => judge(scores, test)).toThrow(/finite/);
  });
});

describe("comparison of models", () => {
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
});

describe("cost", () => {
  it("is bytes and wasm time of each model's own graph", async () => {
    const at = join(folder, "costs", "student", "seed-1");
    mkdirSync(at, { recursive: true });
    copyFileSync(join(PACKAGE_ROOT, "model/student.onnx"), join(at, "model.onnx"));
    writeFileSync(join(at, "run.json"), JSON.stringify({ model: "student", seed: 1 }));
    // The committed graph reads the features of its own manifest.
    const features = JSON.parse(readFileSync(join(scenario, "lists/features.json"), "utf8"));
    const manifest = JSON.parse(readFileSync(join(PACKAGE_ROOT, "model/manifest.json"), "utf8"));
    const lists = join(folder, "costs-lists");
    mkdirSync(lists);
    writeFileSync(join(lists, "features.json"), JSON.stringify({ ...features, features: manifest.features }));
    const { student } = await timeGraphs(join(folder, "costs"), lists);
    expect(student?.bytes).toBe(readFileSync(join(at, "model.onnx")).length);
    expect(student?.milliseconds.length).toBeGreaterThan(10);
    expect(Math.min(...student!.milliseconds)).toBeGreaterThan(0);
    writeFileSync(join(at, "model.onnx"), "not a graph");
    await expect(timeGraphs(join(folder, "costs"), lists)).rejects.toThrow();
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
