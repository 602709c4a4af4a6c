/** The model card and its plots say what model/benchmark.json says, and nothing else. */
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { type Benchmark, type Level, mergePart, PARTS, readBenchmark, type Row } from "../../../../src/lab/study/compare/benchmark-file.ts";
import {
  EXAMINATION_ERROR,
  examinationAt,
  FLOPS,
  HISTORY_SLICES,
  K_SLICES,
  NDCG,
  PURCHASES,
  recoveryOf,
  splitName,
  TRAIN_CLICKS,
  TRUE_CURVE,
} from "../../../../src/lab/study/compare/names.ts";
import { plotsOf, writePlots } from "../../../../src/lab/study/compare/plots.ts";
import { cardWithBenchmark, describeBenchmark, writeBenchmarkCard } from "../../../../src/lab/study/compare/card.ts";

const MODEL = fileURLToPath(new URL("../../../../model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armmt-card-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const EMPTY: Benchmark = { format: 1, parts: [], rows: [] };

describe("the committed card", () => {
  const benchmark = readBenchmark(join(MODEL, "benchmark.json"));

  it("is the one that benchmark.json makes", () => {
    const path = join(MODEL, "RESULTS.md");
    expect(readFileSync(path, "utf8")).toBe(cardWithBenchmark(path, benchmark));
  });

  it("has the plots that benchmark.json makes, and no others", () => {
    const plots = plotsOf(benchmark);
    const at = join(MODEL, "plots");
    expect(existsSync(at) ? readdirSync(at).toSorted() : []).toEqual(plots.map(({ file }) => file).toSorted());
    for (const { file, svg } of plots) expect(readFileSync(join(at, file), "utf8")).toBe(svg);
  });
});

const finished = { key: "k", sources: "s", seconds: 3, finished: "2026-11-21" };
const level: Level = "fashion";

function row(more: Partial<Row>): Row {
  return {
    part: "fashion table",
    level,
    model: "teacher",
    metric: PURCHASES,
    mean: 0.25,
    low: 0.24,
    high: 0.26,
    seeds: 5,
    split: "test",
    ...more,
  };
}

/** A table with one strong and one weak baseline. */
function tableOf(teacher: number, prm: number): Benchmark {
  const gains = ["teacher", "prm", "student"].flatMap((model, m) =>
    [...K_SLICES, ...HISTORY_SLICES].map((slice) =>
      row({ model, against: "engine", mean: 0.1 - 0.01 * m, low: 0.05, high: 0.12, split: splitName(slice) }),
    ),
  );
  return mergePart(EMPTY, { name: "fashion table", ...finished }, [
    row({ mean: teacher, low: teacher - 0.01, high: teacher + 0.01 }),
    row({ model: "prm", mean: prm, low: prm - 0.01, high: prm + 0.01 }),
    row({ model: "pointwise", mean: 0.1, low: 0.09, high: 0.11 }),
    row({ against: "prm", mean: 0.0321, low: 0.03, high: 0.0342, p: 0.0042 }),
    row({ against: "pointwise", mean: 0.15, low: 0.14, high: 0.16 }),
    row({ model: "student", metric: recoveryOf("teacher", PURCHASES), mean: 0.985, low: 0.97, high: 1.002 }),
    row({ model: "teacher", metric: "ECE clicks", mean: 0.0123, low: 0.01, high: 0.0146 }),
    ...gains,
  ]);
}

const outside = (card: string): string => card.replace(/<!-- benchmark[^]*<!-- end of benchmark -->/, "");

describe("the card's text", () => {
  it("says of every part without rows that it has not been run, and how to run it", () => {
    const text = describeBenchmark(EMPTY);
    for (const part of PARTS) expect(text).toContain(`Not run yet: \`npm run model -- --benchmark --only "${part}"\`.`);
    expect(text).not.toContain("plots/");
  });

  it("shows means with their spread, the difference to the strongest baseline, and that shoppers are simulated", () => {
    const text = describeBenchmark(tableOf(0.25, 0.22));
    expect(text).toContain("0.2500 ± 0.0100");
    expect(text).toContain(`The strongest baseline by its own test mean of ${PURCHASES} is **prm**.`);
    expect(text).toMatch(/teacher - prm\s+–\s+\+0\.0321 \(\+0\.0300 \.\. \+0\.0342\)\s+–\s+\.004/);
    expect(text).not.toContain("teacher - pointwise");
    expect(text).toContain("**Simulated shoppers over real photographs** (level `fashion`)");
    expect(text).toMatch(/student\s+teacher\s+.*0\.9850 \(0\.9700 \.\. 1\.0020\)/);
    expect(text).toContain("0.0123 ± 0.0023");
    expect(text).not.toContain('--only "fashion table"');
    expect(text).toContain('--only "drawn table"');
  });

  it("changes when a number of the file changes", () => {
    expect(describeBenchmark(tableOf(0.2501, 0.22))).not.toBe(describeBenchmark(tableOf(0.25, 0.22)));
  });

  it("lists the rows of parts that the study itself reports", () => {
    const rows = [
      row({
        part: "chorus",
        level: "chorus",
        model: "lambdamart",
        against: "bm25",
        metric: NDCG,
        mean: 0.0123,
        low: -0.001,
        high: 0.03,
        split: "cross-validated",
      }),
    ];
    const text = describeBenchmark(mergePart(EMPTY, { name: "chorus", ...finished }, rows));
    expect(text).toContain("**Real human judgments (Chorus)** (level `chorus`)");
    expect(text).toMatch(/lambdamart - bm25\s+nDCG@10\s+cross-validated\s+5\s+\+0\.0123 \(-0\.0010 \.\. \+0\.0300\)/);
  });

  it("says how many clicks each way of dealing with position bias had to learn from, once they were counted", () => {
    const biased = { part: "position bias", level: "drawn", low: null, high: null } as const;
    const means = ["naive", "thinned"].map((way) => row({ ...biased, model: `position-${way}`, mean: 0.3 }));
    const part = { name: "position bias", ...finished } as const;
    expect(describeBenchmark(mergePart(EMPTY, part, means))).not.toContain(TRAIN_CLICKS);
    const clicks = row({ ...biased, model: "position-thinned", metric: TRAIN_CLICKS, split: "train", mean: 2.5, low: 2.4, high: 2.6 });
    expect(describeBenchmark(mergePart(EMPTY, part, [...means, clicks]))).toMatch(
      /clicks per training list\n.*\nposition-thinned +5 +2\.5000 ± 0\.1000/,
    );
  });

  it("replaces its own section of the card and leaves the rest alone", () => {
    const path = join(folder, "RESULTS.md");
    copyFileSync(join(MODEL, "RESULTS.md"), path);
    const before = readFileSync(path, "utf8");
    writeBenchmarkCard(path, tableOf(0.25, 0.22));
    const after = readFileSync(path, "utf8");
    expect(outside(after)).toBe(outside(before));
    expect(after).toContain("0.2500 ± 0.0100");
    writeFileSync(path, "# A card without markers\n");
    expect(() => writeBenchmarkCard(path, EMPTY)).toThrow(/lacks the lines/);
  });
});

describe("plots", () => {
  const curve = (model: string, start: number): Row[] =>
    Array.from({ length: 10 }, (_, i) =>
      row({ part: "position bias", model, metric: examinationAt(i + 1), mean: start - i / 20, split: "train" }),
    );
  const withBias = mergePart(tableOf(0.25, 0.22), { name: "position bias", ...finished }, [
    ...curve(TRUE_CURVE, 1),
    ...curve("teacher", 1.01),
    row({ part: "position bias", metric: EXAMINATION_ERROR, mean: 0.01, split: "train" }),
  ]);
  const whole = mergePart(withBias, { name: "cost", ...finished }, [
    row({ part: "cost", metric: FLOPS, mean: 5e7, low: null, high: null, split: "none" }),
    row({ part: "cost", model: "prm", metric: FLOPS, mean: 2e7, low: null, high: null, split: "none" }),
  ]);

  it("are there when their rows are, say that shoppers are simulated, name their axes and draw every interval", () => {
    const plots = plotsOf(whole);
    expect(plots.map(({ file }) => file)).toEqual([
      "gain-by-list-length-fashion.svg",
      "gain-by-history-fashion.svg",
      "examination-fashion.svg",
      "quality-by-flops-fashion.svg",
    ]);
    for (const { svg, title } of plots) {
      expect(title).toContain("simulated");
      expect(svg).toContain(`>${title}</text>`);
      expect(svg).toContain("prefers-color-scheme:dark");
      expect(svg).not.toContain("NaN");
    }
    const whiskers = (file: string): number => {
      const { svg } = plots.find((plot) => plot.file === file)!;
      return /class="[^"]*interval">(.*?)<\/g>/.exec(svg)![1]!.split("<line").length - 1;
    };
    expect(whiskers("gain-by-list-length-fashion.svg")).toBe(3 * K_SLICES.length);
    expect(whiskers("quality-by-flops-fashion.svg")).toBe(2);
    expect(describeBenchmark(whole)).toContain("](plots/quality-by-flops-fashion.svg)");
  });

  it("go when their rows go", () => {
    const at = join(folder, "plots");
    writePlots(at, whole);
    expect(readdirSync(at)).toHaveLength(4);
    writePlots(at, EMPTY);
    expect(readdirSync(at)).toEqual([]);
  });
});
