/** The card's plots, from `model/benchmark.json` alone. A plot whose rows are not there yet is left out. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPTH } from "../evaluate/worth.ts";
import type { Benchmark, Level, Row } from "./benchmark-file.ts";
import {
  ALL,
  bestBaseline,
  COST_K,
  ENGINE,
  ENSEMBLE,
  EXAMINATION_ERROR,
  examinationAt,
  FLOPS,
  HISTORY_SLICES,
  inTableOrder,
  isAblation,
  K_SLICES,
  PURCHASES,
  splitName,
  STUDENT,
  TEACHER,
  TRUE_CURVE,
} from "./names.ts";
import { intervalChart, lineChart, type Point, type Series } from "../../../report/charts.ts";

export interface PlotFile {
  readonly file: string;
  readonly title: string;
  readonly level: Level;
  /** The chapter it belongs to. */
  readonly about: "gain" | "examination" | "cost";
  readonly svg: string;
}

const SHOPPERS: Readonly<Partial<Record<Level, string>>> = {
  fashion: "simulated shoppers over real photographs",
  drawn: "simulated shoppers over the drawn catalogue",
};

const pointOf = (x: number, { mean, low, high }: Row): Point => ({ x, y: mean, low: low ?? undefined, high: high ?? undefined });

interface Sliced {
  readonly slices: readonly string[];
  readonly by: string;
  readonly xLabel: string;
}

function gainPlot(rows: readonly Row[], level: Level, { slices, by, xLabel }: Sliced): PlotFile[] {
  const table = rows.filter((row) => row.level === level && row.part.endsWith("table"));
  const models = [bestBaseline(table, PURCHASES, ALL), TEACHER, STUDENT].filter((model) => model !== undefined);
  const rowAt = (model: string, slice: string): Row | undefined =>
    table.find((row) => row.model === model && row.against === ENGINE && row.metric === PURCHASES && row.split === splitName(slice));
  const shown = slices.filter((slice) => models.some((model) => rowAt(model, slice) !== undefined));
  const series = models.flatMap((model): Series[] => {
    const points = shown.flatMap((slice, x) => {
      const row = rowAt(model, slice);
      return row === undefined ? [] : [pointOf(x, row)];
    });
    return points.length === 0 ? [] : [{ name: model, points }];
  });
  if (series.length === 0) return [];
  const title = `Gain by ${by}, ${SHOPPERS[level] ?? level}`;
  const svg = intervalChart({
    title,
    subtitle: "Expected purchases per search (PBM) over engine order, paired, 95 % bootstrap over queries",
    xLabel,
    yLabel: "purchases gained per search",
    names: shown.map((slice) => slice.replace(/^\w+ /, "")),
    series,
    isJoined: true,
  });
  return [{ file: `gain-by-${by.replace(" ", "-")}-${level}.svg`, title, level, about: "gain", svg }];
}

function examinationPlot(rows: readonly Row[], level: Level): PlotFile[] {
  const mine = rows.filter((row) => row.level === level && row.part === "position bias" && row.against === undefined);
  const learned = inTableOrder(mine.filter(({ metric }) => metric === EXAMINATION_ERROR).map(({ model }) => model));
  if (learned.length === 0) return [];
  const positions = Array.from({ length: DEPTH }, (_, i) => i + 1);
  const series = [TRUE_CURVE, ...learned].map((model): Series => {
    const points = positions.flatMap((position, x) => {
      const row = mine.find((one) => one.model === model && one.metric === examinationAt(position));
      return row === undefined ? [] : [pointOf(x, row)];
    });
    return {
      name: model === TRUE_CURVE ? "true (of the simulator)" : model.replace("position-tower", "learned by the tower"),
      points,
    };
  });
  const title = `Examination by position, ${SHOPPERS[level] ?? level}`;
  const svg = intervalChart({
    title,
    subtitle: "The simulator's own, what the tower learned from biased clicks (95 % over seeds), two estimates",
    xLabel: "position on the page",
    yLabel: "P(examined), relative to position 1",
    names: positions.map(String),
    series,
    isJoined: true,
  });
  return [{ file: `examination-${level}.svg`, title, level, about: "examination", svg }];
}

function costPlot(rows: readonly Row[], level: Level): PlotFile[] {
  const costs = rows.filter((row) => row.level === level && row.part === "cost" && row.metric === FLOPS && row.mean > 0);
  const quality = rows.filter(
    (row) =>
      row.level === level && row.part.endsWith("table") && row.metric === PURCHASES && row.split === ALL && row.against === undefined,
  );
  const pointsOf = (isOurs: boolean): Point[] =>
    costs
      .filter(({ model }) => !isAblation(model) && isOurs === [TEACHER, ENSEMBLE, STUDENT].some((name) => model.startsWith(name)))
      .flatMap(({ model, mean }) => {
        const row = quality.find((one) => one.model === model);
        return row === undefined ? [] : [{ ...pointOf(mean, row), label: model }];
      });
  const groups: readonly Series[] = [
    { name: "baselines", points: pointsOf(false) },
    { name: "teacher and student", points: pointsOf(true) },
  ];
  const series = groups.filter(({ points }) => points.length > 0);
  if (series.length === 0) return [];
  const title = `Quality against arithmetic, ${SHOPPERS[level] ?? level}`;
  const svg = lineChart({
    title,
    subtitle: "Expected purchases per search (PBM), mean and 95 % interval over seeds",
    xLabel: `FLOPs of one run over ${COST_K} candidates (logarithmic)`,
    yLabel: "purchases per search",
    series,
    isJoined: false,
    isLogarithmic: true,
  });
  return [{ file: `quality-by-flops-${level}.svg`, title, level, about: "cost", svg }];
}

export function plotsOf({ rows }: Benchmark): PlotFile[] {
  const levels: readonly Level[] = ["fashion", "drawn"];
  return levels.flatMap((level) => [
    ...gainPlot(rows, level, { slices: K_SLICES, by: "list length", xLabel: "candidates in the list (K)" }),
    ...gainPlot(rows, level, { slices: HISTORY_SLICES, by: "history", xLabel: "items in the shopper's history" }),
    ...examinationPlot(rows, level),
    ...costPlot(rows, level),
  ]);
}

/** Writes the plots and takes away those of an older benchmark. */
export function writePlots(folder: string, benchmark: Benchmark): void {
  const plots = plotsOf(benchmark);
  const kept = new Set(plots.map(({ file }) => file));
  if (plots.length > 0) mkdirSync(folder, { recursive: true });
  if (existsSync(folder)) for (const name of readdirSync(folder)) if (name.endsWith(".svg") && !kept.has(name)) rmSync(join(folder, name));
  for (const { file, svg } of plots) writeFileSync(join(folder, file), svg);
}
