/** The examination curve that a tower learned from simulated clicks, beside the one by which the simulator's shoppers clicked. */
import { DEPTH } from "../evaluate/orders.ts";
import { examination } from "../simulate/clicks.ts";
import type { Row } from "./benchmark-file.ts";
import type { Run } from "./runs.ts";
import { meanOverSeeds } from "./statistics.ts";

/** Model name of the simulator's own curve. */
export const TRUE_CURVE = "true examination";
export const EXAMINATION_ERROR = "examination error";

export const POSITIONS = Array.from({ length: DEPTH }, (_, i) => i + 1);

export function examinationAt(position: number): string {
  return `examination@${position}`;
}

/** Relative to the first position: only ratios can be told from clicks. */
function relative(curve: readonly number[]): number[] {
  return curve.map((value) => value / (curve[0] ?? Number.NaN));
}

type CurveRow = Omit<Row, "part" | "level">;

/** Mean absolute error over positions 2 to DEPTH; at the first both are 1 by construction. */
function errorOf(curve: readonly number[], truth: readonly number[]): number {
  return curve.reduce((sum, value, i) => sum + Math.abs(value - (truth[i] ?? Number.NaN)), 0) / (DEPTH - 1);
}

/** A curve that was estimated without training, from all training lists at once. */
export function estimatedRows(model: string, estimated: readonly number[]): CurveRow[] {
  const truth = relative(POSITIONS.map(examination));
  const curve = relative(estimated.slice(0, DEPTH));
  const row = (metric: string, mean: number): CurveRow => ({ model, metric, split: "train", mean, low: null, high: null, seeds: 1 });
  return [...curve.map((value, i) => row(examinationAt(i + 1), value)), row(EXAMINATION_ERROR, errorOf(curve, truth))];
}

/** Each position's value, and per model the mean absolute error; the mean is over seeds. */
export function examinationRows(runs: readonly Run[]): CurveRow[] {
  const truth = relative(POSITIONS.map(examination));
  const rows: CurveRow[] = POSITIONS.map((position, i) => ({
    model: TRUE_CURVE,
    metric: examinationAt(position),
    split: "none",
    mean: truth[i] ?? Number.NaN,
    low: null,
    high: null,
    seeds: 1,
  }));
  const learned = runs.filter((run) => (run.examination?.length ?? 0) >= DEPTH);
  for (const model of new Set(learned.map((run) => run.model))) {
    const curves = learned.filter((run) => run.model === model).map((run) => relative(run.examination?.slice(0, DEPTH) ?? []));
    const add = (metric: string, values: readonly number[]): void => {
      const { mean, low, high } = meanOverSeeds(values);
      rows.push({ model, metric, split: "train", mean, low: low ?? null, high: high ?? null, seeds: curves.length });
    };
    POSITIONS.forEach((position, i) =>
      add(
        examinationAt(position),
        curves.map((curve) => curve[i] ?? Number.NaN),
      ),
    );
    add(
      EXAMINATION_ERROR,
      curves.map((curve) => errorOf(curve, truth)),
    );
  }
  return rows;
}
