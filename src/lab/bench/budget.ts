/** The limits of budget.json, and which figures are over them. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import type { Measurement } from "./measurement.ts";

const budgetSchema = v.record(v.string(), v.object({ limit: v.number(), why: v.string() }));

/** By name of the figure, as `bench --only counts` prints it. */
export type Budget = v.InferOutput<typeof budgetSchema>;

export function readBudget(): Budget {
  return v.parse(budgetSchema, JSON.parse(readFileSync(new URL("./budget.json", import.meta.url), "utf8")));
}

/** One sentence per figure that is over its limit, or has none, or is no longer measured; each says what to do. */
export function problemsWith(budget: Budget, counts: readonly Measurement[]): string[] {
  const over = counts.flatMap(({ name, unit, p50 }) => {
    const line = budget[name];
    if (line === undefined) return [`"${name}" (${p50}) has no limit: add it to src/lab/bench/budget.json with the reason`];
    if (p50 <= line.limit) return [];
    const excess = `"${name}" is ${p50} ${unit}, its limit is ${line.limit} (${line.why})`;
    return [
      `${excess}: make it cheaper (npm run bench -- --only counts), or raise the limit in src/lab/bench/budget.json and say why there`,
    ];
  });
  const names = new Set(counts.map(({ name }) => name));
  const gone = Object.keys(budget).filter((name) => !names.has(name));
  return [...over, ...gone.map((name) => `"${name}" is no longer measured: take it out of src/lab/bench/budget.json`)];
}
