/** Charts of the figures that belong to one. A chart whose figures were not measured is left out. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { intervalChart, type Point, type Series } from "../../report/charts.ts";
import type { Measurement } from "./measurement.ts";

const K = "candidates in the list (K)";

/** Marks of these charts have whiskers. */
const MS = "ms, p50, whisker up to p99";

/** Its x axis holds names instead of sizes, so marks are not joined. */
const RATES = "searches-per-cpu-second";

const CHARTS: Readonly<Record<string, readonly [title: string, xLabel: string, yLabel: string]>> = {
  "added-by-window": ["Time added per search", K, MS],
  "run-by-list": ["One run of the model, and its peers", K, MS],
  "latency-by-connections": ["A search under sustained load, K = 100", "connections", MS],
  [RATES]: ["Searches per second of processor time", "who answers, on 8 connections", "searches per CPU second"],
  "latency-by-offered-load": ["A search under offered load, K = 100", "searches per second", MS],
  "share-by-offered-load": ["Searches that are re-ranked in time", "searches per second", "% of the searches"],
  "memory-in-soak": ["Resident memory of workerd under load", "minute (second in a short run)", "MB"],
};

/** Writes one file per chart into `folder`, which is made; returns their names. `machine`: what the figures were measured on. */
export function writePlots(folder: string, measurements: readonly Measurement[], machine: string): string[] {
  mkdirSync(folder, { recursive: true });
  return Object.entries(CHARTS).flatMap(([chart, [title, xLabel, yLabel]]) => {
    const placed = measurements.flatMap(({ place, ...figure }) => (place?.chart === chart ? [{ ...figure, place }] : []));
    if (placed.length === 0) return [];
    const names = [...new Set(placed.map(({ place }) => place.x))];
    const series = [...new Set(placed.map(({ place }) => place.series))].map((name): Series => {
      const points = placed
        .filter(({ place }) => place.series === name)
        .map(({ place, p50, p99 }): Point => ({
          x: names.indexOf(place.x),
          y: p50,
          ...(yLabel === MS && { low: p50, high: p99 }),
        }));
      return { name, points };
    });
    const subtitle = machine.split(",").slice(0, 2).join(",");
    const svg = intervalChart({ title, subtitle, xLabel, yLabel, names, series, isJoined: chart !== RATES });
    writeFileSync(join(folder, `${chart}.svg`), svg);
    return [`${chart}.svg`];
  });
}
