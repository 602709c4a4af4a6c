/**
 * Three click models (and one reference), each as a sampler (for logs) and as exact expectations (to judge an order without drawing clicks).
 *
 * PBM: examination depends on the position alone (constants of ULTRA's pbm example, to the power of a severity).
 * DCM: reads downwards; after a click goes on with probability 1 - STOP.
 * UBM: examination depends on the position and on the distance to the last click (table of this file, ours).
 *
 * Full: every shown position is examined. No shop has such a log; it is the upper reference for work on position bias.
 */
import type { Random } from "../../../demo/catalogue/random.ts";

export const CLICK_MODELS = ["pbm", "dcm", "ubm"] as const;

/** The click models of a log; "full" has no position bias. */
export const LOG_MODELS = [...CLICK_MODELS, "full"] as const;
export type LogModel = (typeof LOG_MODELS)[number];

/** ULTRA (ULTR-Community), example/ClickModel/pbm: P(examined) at positions 1..10, then constant. */
const EXAMINATION = [0.68, 0.61, 0.48, 0.34, 0.28, 0.2, 0.11, 0.1, 0.08, 0.06] as const;
/** Shop pages are grids of pictures and read further down than text results: the root of ULTRA's constants. */
const SEVERITY = 0.5;
const STOP = 0.25;
/** UBM: a click this many positions above still draws the eye. */
const CARRY = 3;

/** PBM's P(examined) at a position (1-based). */
export const examination = (position: number): number => (EXAMINATION[Math.min(position, EXAMINATION.length) - 1] ?? 0) ** SEVERITY;

/** UBM's P(examined) at a position whose last click was `distance` above; without a click the distance is the position itself. */
function examinationAfter(position: number, distance: number): number {
  const base = examination(position);
  return base + (1 - base) * 0.6 * Math.exp(-(distance - 1) / CARRY) * (distance < position ? 1 : 0);
}

/**
 * Which positions are clicked, given P(click | examined) per position. Takes two numbers per position from `random` whatever the model, so
 * that later draws do not depend on it.
 */
export function drawClicks(model: LogModel, attractions: readonly number[], random: Random): boolean[] {
  let reading = true;
  let last = 0;
  return attractions.map((attraction, i) => {
    const position = i + 1;
    const chance = random.next();
    const isExamined: Readonly<Record<LogModel, boolean>> = {
      pbm: chance < examination(position),
      dcm: reading,
      ubm: chance < examinationAfter(position, position - last),
      full: true,
    };
    if (!random.chance(attraction) || !isExamined[model]) return false;
    last = position;
    if (chance < STOP) reading = false;
    return true;
  });
}

/** P(click) per position, exactly. */
export function clickProbabilities(model: LogModel, attractions: readonly number[]): number[] {
  if (model === "full") return [...attractions];
  if (model === "pbm") return attractions.map((attraction, i) => attraction * examination(i + 1));
  if (model === "dcm") {
    let reading = 1;
    return attractions.map((attraction) => {
      const clicked = reading * attraction;
      reading -= clicked * STOP;
      return clicked;
    });
  }
  // last[j] = P(the last click so far was at position j); j = 0: none yet.
  const last = [1];
  return attractions.map((attraction, i) => {
    const position = i + 1;
    let clicked = 0;
    for (let j = 0; j < position; j++) {
      const here = (last[j] ?? 0) * examinationAfter(position, position - j) * attraction;
      last[j] = (last[j] ?? 0) - here;
      clicked += here;
    }
    last.push(clicked);
    return clicked;
  });
}
