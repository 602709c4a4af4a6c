/** The costs of a search that do not depend on the machine (bytes, reads, requests, allocations) stay within src/lab/bench/budget.json. */
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { countNodes } from "../../../src/lab/bench/counts.ts";
import type { Measurement } from "../../../src/lab/bench/measurement.ts";

const MAIN = fileURLToPath(new URL("../../../src/lab/main.ts", import.meta.url));

const schema = v.array(v.object({ name: v.string(), unit: v.picklist(["bytes", "count"]), p50: v.number(), p99: v.number() }));

const figure = (name: string, p50: number): Measurement => ({ name, unit: "count", p50, p99: p50 });

const PATH = "src/lab/bench/budget.json";

/** By name of the figure, as `bench --only counts` prints it. */
const budgetSchema = v.record(v.string(), v.object({ limit: v.number(), why: v.string() }));

function readBudget(): v.InferOutput<typeof budgetSchema> {
  return v.parse(budgetSchema, JSON.parse(readFileSync(new URL(`../../../${PATH}`, import.meta.url), "utf8")));
}

/** One sentence, with the fix, per figure that is over its limit, has none, or is no longer measured. */
function problemsWith(budget: v.InferOutput<typeof budgetSchema>, counts: readonly Measurement[]): string[] {
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

describe("budget", () => {
  it("is kept by bundle and search", { timeout: 300_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "bench", "--only", "counts", "--json"]);
    const counts = v.parse(schema, JSON.parse(stdout));
    expect(counts.length).toBeGreaterThan(10);
    expect(problemsWith(readBudget(), counts).join("\n")).toBe("");
  });

  it("names the fix for a figure that is over its limit, without one, or gone", () => {
    const budget = { reads: { limit: 3, why: "billed" }, nodes: { limit: 10, why: "kernels" }, old: { limit: 1, why: "then" } };
    const problems = problemsWith(budget, [figure("reads", 4), figure("nodes", 10), figure("new", 1)]);
    expect(problems).toEqual([
      expect.stringMatching(/^"reads" is 4 count, its limit is 3 \(billed\): .*raise the limit in .*budget\.json/),
      expect.stringMatching(/^"new" \(1\) has no limit: add it/),
      expect.stringMatching(/^"old" is no longer measured/),
    ]);
  });

  it("counts nodes of ONNX models only", () => {
    expect(() => countNodes(Uint8Array.of(8, 7))).toThrow("no graph");
    expect(() => countNodes(Uint8Array.of(7, 0))).toThrow("wire type 7");
  });
});
