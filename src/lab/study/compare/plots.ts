/** The card's plots, from `model/benchmark.json` alone. A plot whose rows are not there yet is left out. */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DEPTH } from "../assess/worth.ts";
import type { Benchmark, Level, Row } from "./benchmark-file.ts";
import { ALL, ENGINE, ENSEMBLE, PURCHASES, STUDENT, TEACHER, TRUE_CURVE } from "./names.ts";
import * as names from "./names.ts";
import { withSeeds } from "./seeds.ts";
import { intervalChart, lineChart, type Point, type Series } from "../../../report/charts.ts";

export interface PlotFile {
  readonly file: string;
  readonly title: string;
  readonly level: Level;
  /** The chapter it belongs to. */
  readonly about: "gain" | "examination" | "cost";
  readonly svg: string;
}

const pointOf = (x: number, { mean, low, high }: Row): Point => ({ x, y: mean, low: low ?? undefined, high: high ?? undefined });

/** The rows that are there, each at its index on the axis. */
const pointsOf = (rows: readonly (Row | undefined)[]): Point[] => rows.flatMap((row, x) => (row === undefined ? [] : [pointOf(x, row)]));

function gainPlot(rows: readonly Row[], level: Level, by: string, xLabel: string, slices: readonly string[]): PlotFile[] {
  const table = rows.filter(({ part }) => part.endsWith("table"));
  const gains = table.filter(({ against, metric }) => against === ENGINE && metric === PURCHASES);
  const models = [names.bestBaseline(table), TEACHER, STUDENT].filter((model) => model !== undefined);
  const rowAt = (name: string, slice: string): Row | undefined =>
    gains.find(({ model, split }) => model === name && split === names.splitName(slice));
  const shown = slices.filter((slice) => models.some((model) => rowAt(model, slice) !== undefined));
  if (shown.length === 0) return [];
  const series = models.map((name): Series => ({ name, points: pointsOf(shown.map((slice) => rowAt(name, slice))) }));
  const title = `Gain by ${by}, ${names.levelName(level)}`;
  const svg = intervalChart({
    title,
    subtitle: "Expected purchases per search (PBM) over engine order, paired, 95 % over seeds and queries",
    xLabel,
    yLabel: "purchases gained per search",
    names: shown.map((slice) => slice.replace(/^\w+ /, "")),
    series: series.filter(({ points }) => points.length > 0),
    isJoined: true,
  });
  return [{ file: `gain-by-${by.replace(" ", "-")}-${level}.svg`, title, level, about: "gain", svg }];
}

function examinationPlot(rows: readonly Row[], level: Level): PlotFile[] {
  const mine = rows.filter(({ part, against }) => part === "position bias" && against === undefined);
  const learned = names.inTableOrder(mine.filter(({ metric }) => metric === names.EXAMINATION_ERROR).map(({ model }) => model));
  if (learned.length === 0) return [];
  const positions = Array.from({ length: DEPTH }, (_, i) => i + 1);
  const series = [TRUE_CURVE, ...learned].map((name): Series => {
    const curve = positions.map((position) => mine.find(({ model, metric }) => model === name && metric === names.examinationAt(position)));
    const label = name === TRUE_CURVE ? "true (of the simulator)" : name.replace("position-tower", "learned by the tower");
    return { name: label, points: pointsOf(curve) };
  });
  const title = `Examination by position, ${names.levelName(level)}`;
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
  const costs = rows.filter(({ part, metric, mean }) => part === "cost" && metric === names.FLOPS && mean > 0);
  const means = rows.filter(({ part, against }) => part.endsWith("table") && against === undefined);
  const quality = means.filter(({ metric, split }) => metric === PURCHASES && split === ALL);
  const pointsIn = (areOurs: boolean): Point[] =>
    costs
      .filter(({ model }) => !names.isAblation(model) && areOurs === [TEACHER, ENSEMBLE, STUDENT].some((name) => model.startsWith(name)))
      .flatMap(({ model, mean }) => {
        const found = quality.find((row) => row.model === model);
        return found === undefined ? [] : [{ ...pointOf(mean, found), label: model }];
      });
  const groups = { baselines: pointsIn(false), "teacher and student": pointsIn(true) };
  const series = Object.entries(groups).flatMap(([name, points]): Series[] => (points.length === 0 ? [] : [{ name, points }]));
  if (series.length === 0) return [];
  const title = `Quality against arithmetic, ${names.levelName(level)}`;
  const svg = lineChart({
    title,
    subtitle: "Expected purchases per search (PBM), mean and 95 % interval over seeds",
    xLabel: `FLOPs of one run over ${names.COST_K} candidates (logarithmic)`,
    yLabel: "purchases per search",
    series,
    isJoined: false,
    isLogarithmic: true,
  });
  return [{ file: `quality-by-flops-${level}.svg`, title, level, about: "cost", svg }];
}

export function plotsOf(benchmark: Benchmark): PlotFile[] {
  const all = withSeeds(benchmark.rows);
  return (["fashion", "drawn"] as const).flatMap((level) => {
    const rows = all.filter((row) => row.level === level);
    return [
      ...gainPlot(rows, level, "list length", "candidates in the list (K)", names.K_SLICES),
      ...gainPlot(rows, level, "history", "items in the shopper's history", names.HISTORY_SLICES),
      ...examinationPlot(rows, level),
      ...costPlot(rows, level),
    ];
  });
}

/** Writes the plots and takes away those of an older benchmark. */
export function writePlots(folder: string, benchmark: Benchmark): void {
  const plots = plotsOf(benchmark);
  const kept = new Set(plots.map(({ file }) => file));
  if (plots.length > 0) mkdirSync(folder, { recursive: true });
  if (existsSync(folder)) for (const name of readdirSync(folder)) if (name.endsWith(".svg") && !kept.has(name)) rmSync(join(folder, name));
  for (const { file, svg } of plots) writeFileSync(join(folder, file), svg);
}
