/** Rows of model/benchmark.json that Python computes, and the folder of trained runs, `<runs>/<model>/seed-<n>/`. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import * as v from "valibot";
import { UserError } from "../../../web.ts";
import { runPython } from "../pipeline/python.ts";
import { type Level, type PartName, type Row, rowSchema } from "./benchmark-file.ts";

/** Input of `armmt.study.compare`: which runs are compared, and how. */
export interface Comparing {
  readonly part: PartName;
  readonly level: Level;
  readonly runs: string;
  readonly models: readonly string[];
  /** Figures on the test lists: the folder that `armmt lists` wrote, and what is compared on which slices. */
  readonly quality?: {
    readonly lists: string;
    readonly pairs: readonly (readonly [string, string])[];
    readonly slices: readonly string[];
    /** Seed of the bootstrap's draws. */
    readonly seed: number;
  };
  /** P(examined) from position 1 on: the simulator's, and estimates without a ranker by name. */
  readonly examination?: { readonly truth: readonly number[]; readonly estimates: Readonly<Record<string, readonly number[]>> };
  /** Size and time of graphs by model, with `candidates` per run. */
  readonly cost?: { readonly candidates: number; readonly graphs: Readonly<Record<string, GraphCost>> };
}

export interface GraphCost {
  readonly bytes: number;
  /** Time of each run in wasm, one thread. */
  readonly milliseconds: readonly number[];
}

/** The rows of a plan. `work` is the study's folder, where plan and rows are left. */
export async function compareRuns(plan: Comparing, work: string): Promise<Row[]> {
  const folder = join(work, "compare", `${plan.part}, ${plan.level}`.replaceAll(/\W+/g, "-"));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "plan.json"), JSON.stringify(plan));
  return runForRows(plan.part, "armmt.study.compare", join(folder, "rows.json"), ["--plan", join(folder, "plan.json")]);
}

/** Runs a Python module that writes rows to `--out`. */
export async function runForRows(part: PartName, module: string, out: string, args: readonly string[]): Promise<Row[]> {
  mkdirSync(dirname(out), { recursive: true });
  await runPython(module, [...args, "--out", out]);
  return readRows(out, part);
}

const rowsSchema = v.array(rowSchema);

/** Rows that a Python module wrote; throws a UserError when they are missing, not valid, or of another part. */
export function readRows(path: string, part: PartName): Row[] {
  if (!existsSync(path)) throw new UserError(`${path} was not written`);
  const parsed = v.safeParse(rowsSchema, JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new UserError(`${path} is not valid: ${v.summarize(parsed.issues)}`);
  const foreign = parsed.output.find((row) => row.part !== part);
  if (foreign !== undefined) throw new UserError(`${path} holds a row of part "${foreign.part}", not of "${part}"`);
  return parsed.output;
}

interface Run {
  readonly model: string;
  readonly folder: string;
}

/** Finished runs, by model: a folder without run.json is not finished. */
export function findRuns(runs: string): Run[] {
  if (!existsSync(runs)) return [];
  const paths = readdirSync(runs, { recursive: true, encoding: "utf8" }).filter((path) => basename(path) === "run.json");
  return paths.toSorted().map((path) => ({ model: basename(dirname(dirname(path))), folder: join(runs, dirname(path)) }));
}
