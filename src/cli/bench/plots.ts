/** Charts of the figures that have a place in one. A chart whose figures were not measured is left out. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawChart } from "../benchmark/svg.ts";
import type { Point, Series } from "../benchmark/svg.ts";
import type { Measurement } from "./measurement.ts";

interface Words {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** What the whisker above a mark is. */
  readonly whisker: "p99" | "none";
}

const K = "candidates in the list (K)";
const MS = "ms, p50, whisker up to p99";

const CHARTS: Readonly<Record<string, Words>> = {
  "added-by-window": { title: "Time added per search", xLabel: K, yLabel: MS, whisker: "p99" },
  "run-by-list": { title: "One run of the model, and its peers", xLabel: K, yLabel: MS, whisker: "p99" },
  "latency-by-connections": { title: "A search under sustained load, K = 100", xLabel: "connections", yLabel: MS, whisker: "p99" },
  "searches-per-cpu-second": {
    title: "Searches per second of processor time",
    xLabel: "",
    yLabel: "searches per CPU second",
    whisker: "none",
  },
  "scaling-catalogue": { title: "A search by size of the catalogue, K = 100", xLabel: "items", yLabel: MS, whisker: "p99" },
  "scaling-window": { title: "A search by window", xLabel: K, yLabel: MS, whisker: "p99" },
  "scaling-reply": { title: "A search by size of a hit, K = 100", xLabel: "bytes of one hit", yLabel: MS, whisker: "p99" },
  "memory-in-soak": {
    title: "Resident memory of workerd under load",
    xLabel: "minute (second in a short run)",
    yLabel: "MB",
    whisker: "none",
  },
};

/** Under the axis there is room for so much per place. */
const MAX_PLACE_LETTERS = 22;

/** Writes one file per chart into `folder`, which is made; returns their names. `machine`: what the figures were measured on. */
export function writePlots(folder: string, measurements: readonly Measurement[], machine: string): string[] {
  mkdirSync(folder, { recursive: true });
  return Object.entries(CHARTS).flatMap(([chart, words]) => {
    const placed = measurements.flatMap((one) => (one.place?.chart === chart ? [{ ...one, place: one.place }] : []));
    if (placed.length === 0) return [];
    const places = [...new Set(placed.map(({ place }) => place.x))];
    const series = [...new Set(placed.map(({ place }) => place.series))].map((name): Series => {
      const points = placed
        .filter(({ place }) => place.series === name)
        .map(({ place, p50, p99 }): Point => ({
          x: places.indexOf(place.x),
          y: p50,
          ...(words.whisker === "p99" && { low: p50, high: p99 }),
        }));
      return { name, points, isLine: words.xLabel !== "" };
    });
    const { title, xLabel, yLabel } = words;
    const shown = places.map((place) => (place.length > MAX_PLACE_LETTERS ? `${place.slice(0, MAX_PLACE_LETTERS)}…` : place));
    const subtitle = machine.split(",").slice(0, 2).join(",");
    writeFileSync(join(folder, `${chart}.svg`), drawChart({ title, subtitle, xLabel, yLabel, places: shown, series, fromZero: true }));
    return [`${chart}.svg`];
  });
}
