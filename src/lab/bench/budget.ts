/** The limits of budget.json, and the figures that exceed them. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import type { Measurement } from "./measurement.ts";

const PATH = "src/lab/bench/budget.json";

const budgetSchema = v.record(v.string(), v.object({ limit: v.number(), why: v.string() }));

/** By name of the figure, as `bench --only counts` prints it. */
export type Budget = v.InferOutput<typeof budgetSchema>;

export function readBudget(): Budget {
  return v.parse(budgetSchema, JSON.parse(readFileSync(new URL("./budget.json", import.meta.url), "utf8")));
}

/** One sentence, with the fix, per figure that is over its limit, has none, or is no longer measured. */
export function problemsWith(budget: Budget, counts: readonly Measurement[]): string[] {
  const problems = counts.flatMap(({ name, unit, p50 }) => {
    const line = budget[name];
    if (line === undefined) return [`"${name}" (${p50}) has no limit: add it to ${PATH} with the reason`];
    if (p50 <= line.limit) return [];
    const excess = `"${name}" is ${p50} ${unit}, its limit is ${line.limit} (${line.why})`;
    return [`${excess}: make it cheaper (npm run bench -- --only counts), or raise the limit in ${PATH} and say why there`];
  });
  const names = new Set(counts.map(({ name }) => name));
  const gone = Object.keys(budget).filter((name) => !names.has(name));
  return [...problems, ...gone.map((name) => `"${name}" is no longer measured: remove it from ${PATH}`)];
}
