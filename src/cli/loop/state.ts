/** Where a loop stands, in one file beside its folders. Written after every step, whole or not at all. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { readJson, writeJson } from "../train/stages.ts";

/** In order. Nothing before `publish` touches what is served. */
export const STEPS = ["lists", "train", "gate", "publish", "ladder"] as const;
export type Step = (typeof STEPS)[number];

/** `waiting`: the step ran, and its work is not at its end (a ladder climbs for days). */
const recordSchema = v.object({
  state: v.picklist(["done", "waiting", "failed"]),
  at: v.string(),
  seconds: v.number(),
  detail: v.optional(v.string()),
});

/** How a round ended. A new one begins with the next run. */
const OUTCOMES = ["live", "refused", "too_few", "stopped"] as const;
export type Outcome = (typeof OUTCOMES)[number];

const roundSchema = v.object({
  number: v.number(),
  startedAt: v.string(),
  steps: v.record(v.picklist(STEPS), v.optional(recordSchema)),
  /** Version of its model. */
  model: v.optional(v.string()),
  outcome: v.optional(v.picklist(OUTCOMES)),
});
export type Round = v.InferOutput<typeof roundSchema>;

const stateSchema = v.object({
  /** A round belongs to the options it began with. */
  settings: v.string(),
  round: roundSchema,
  /** Rounds before it, newest first. */
  before: v.array(roundSchema),
});
export type LoopState = v.InferOutput<typeof stateSchema>;

const KEPT_ROUNDS = 50;

const FILE = "loop.json";

export function readState(folder: string): LoopState | undefined {
  const path = join(folder, FILE);
  return existsSync(path) ? readJson(path, stateSchema) : undefined;
}

export function writeState(folder: string, state: LoopState): void {
  mkdirSync(folder, { recursive: true });
  writeJson(join(folder, FILE), state);
}

/** The state with a new round on top of what was before. */
export function nextRound(settings: string, last: LoopState | undefined, now: Date): LoopState {
  const before = last === undefined ? [] : [last.round, ...last.before].slice(0, KEPT_ROUNDS);
  return { settings, round: { number: (before[0]?.number ?? 0) + 1, startedAt: now.toISOString(), steps: {} }, before };
}
