/** `model/benchmark.json` → the benchmark section of model/RESULTS.md. Nothing else is read. */
import { writeFileSync } from "node:fs";
import { replaceSection, table } from "../pipeline/card.ts";
import { type Benchmark, LEVELS, type PartName, PARTS } from "./benchmark-file.ts";
import { levelName, missing } from "./figures.ts";
import { ENGINE, SHUFFLE } from "./names.ts";
import { type PlotFile, plotsOf } from "./plots.ts";
import {
  ablationSection,
  calibrationSection,
  controlSection,
  costSection,
  examinationSection,
  levelSection,
  listSection,
  recoverySection,
  type Section,
} from "./sections.ts";

interface Chapter {
  readonly title: string;
  readonly parts: readonly PartName[];
  readonly section: (section: Section) => string[];
}

const TABLES: readonly PartName[] = ["fashion table", "drawn table"];
const CHAPTERS: readonly Chapter[] = [
  { title: "All models", parts: TABLES, section: levelSection },
  { title: "Ablations", parts: ["fashion ablations"], section: ablationSection },
  { title: "Negative controls", parts: ["fashion controls", "drawn controls"], section: controlSection },
  { title: "Distillation: share of the teacher's gain that the student keeps", parts: TABLES, section: recoverySection },
  { title: "Calibration", parts: TABLES, section: calibrationSection },
  { title: "Position bias", parts: ["position bias"], section: examinationSection },
  { title: "Estimators against known propensities (Open Bandit)", parts: ["open bandit"], section: listSection },
  { title: "Real judgments (Chorus)", parts: ["chorus"], section: listSection },
  { title: "Cost", parts: ["cost"], section: costSection },
];

function chapter({ title, parts, section }: Chapter, { rows }: Benchmark, plots: readonly PlotFile[]): string[] {
  const text = parts.flatMap((part) => {
    const mine = rows.filter((row) => row.part === part);
    if (mine.length === 0) return [missing(part)];
    return LEVELS.flatMap((level) => {
      const here = mine.filter((row) => row.level === level);
      if (here.length === 0) return [];
      return [
        `**${levelName(level)}** (level \`${level}\`)`,
        ...section({ rows: here, level, plots: plots.filter((plot) => plot.level === level) }),
      ];
    });
  });
  return [`### ${title}`, ...text];
}

const INTRODUCTION =
  "Written from `benchmark.json` alone. “±” is a 95 % t-interval over seeds (other seeds, same lists); a figure without it has a single seed. " +
  "“a - b (low .. high)” is a paired difference, averaged over seeds, with a 95 % percentile bootstrap that resamples queries: all lists of a " +
  `query stay together. \`${SHUFFLE}\` is ${ENGINE} order shuffled. Data levels are never mixed: each table says which one it is about.`;

/** The Markdown of the card's benchmark section. */
export function describeBenchmark(benchmark: Benchmark): string {
  const plots = plotsOf(benchmark);
  const finished = benchmark.parts.map(({ name, seconds, finished: day }) => [name, seconds, day]);
  return [
    INTRODUCTION,
    ...CHAPTERS.flatMap((entry) => chapter(entry, benchmark, plots)),
    "### Parts of the study",
    finished.length === 0 ? `None of ${PARTS.length} parts has been run yet.` : table(["part", "seconds", "finished"], finished),
  ].join("\n\n");
}

const START = "<!-- benchmark: written by `npm run model -- --benchmark`, do not edit -->";
const END = "<!-- end of benchmark -->";

/** The card with the section of a benchmark; throws a UserError when the markers are missing. */
export function cardWithBenchmark(path: string, benchmark: Benchmark): string {
  return replaceSection(path, START, END, describeBenchmark(benchmark));
}

export function writeBenchmarkCard(path: string, benchmark: Benchmark): void {
  writeFileSync(path, cardWithBenchmark(path, benchmark));
}
