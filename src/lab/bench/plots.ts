/** Charts of the figures that belong to one. A chart whose figures were not measured is left out. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { intervalChart, type Point, type Series } from "../../report/charts.ts";
import type { Measurement } from "./measurement.ts";

interface Words {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** The x axis holds names instead of sizes, so marks are not joined. */
  readonly hasNames?: true;
}

const K = "candidates in the list (K)";

/** Marks of these charts have whiskers. */
const MS = "ms, p50, whisker up to p99";

const CHARTS: Readonly<Record<string, Words>> = {
  "added-by-window": { title: "Time added per search", xLabel: K, yLabel: MS },
  "run-by-list": { title: "One run of the model, and its peers", xLabel: K, yLabel: MS },
  "latency-by-connections": { title: "A search under sustained load, K = 100", xLabel: "connections", yLabel: MS },
  "searches-per-cpu-second": {
    title: "Searches per second of processor time",
    xLabel: "who answers, on 8 connections",
    yLabel: "searches per CPU second",
    hasNames: true,
  },
  "memory-in-soak": { title: "Resident memory of workerd under load", xLabel: "minute (second in a short run)", yLabel: "MB" },
};

/** Writes one file per chart into `folder`, which is made; returns their names. `machine`: what the figures were measured on. */
export function writePlots(folder: string, measurements: readonly Measurement[], machine: string): string[] {
  mkdirSync(folder, { recursive: true });
  return Object.entries(CHARTS).flatMap(([chart, words]) => {
    const placed = measurements.flatMap(({ place, ...figure }) => (place?.chart === chart ? [{ ...figure, place }] : []));
    if (placed.length === 0) return [];
    const names = [...new Set(placed.map(({ place }) => place.x))];
    const series = [...new Set(placed.map(({ place }) => place.series))].map((name): Series => {
      const points = placed
        .filter(({ place }) => place.series === name)
        .map(({ place, p50, p99 }): Point => ({
          x: names.indexOf(place.x),
          y: p50,
          ...(words.yLabel === MS && { low: p50, high: p99 }),
        }));
      return { name, points };
    });
    const { title, xLabel, yLabel } = words;
    const subtitle = machine.split(",").slice(0, 2).join(",");
    const svg = intervalChart({ title, subtitle, xLabel, yLabel, names, series, isJoined: words.hasNames !== true });
    writeFileSync(join(folder, `${chart}.svg`), svg);
    return [`${chart}.svg`];
  });
}
