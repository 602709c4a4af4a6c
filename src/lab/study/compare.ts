/**
 * `npm run model -- --benchmark`: the whole study. Each part makes its data, trains (in Python), is judged here by the simulation's truth,
 * compared (in Python), and written to model/benchmark.json before the next begins, so that an interrupted study resumes.
 */
import { hash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { mergePart, type PartName, PARTS, readBenchmark, writeBenchmark } from "./compare/benchmark-file.ts";
import { type Part, STUDY } from "./compare/parts.ts";
import { writePlots } from "./compare/plots.ts";
import { printTable } from "../../cli/command.ts";
import { PACKAGE_ROOT } from "../../runtimes/node/package-root.ts";
import { writeBenchmarkCard } from "./compare/card.ts";
import { preparePython } from "../../cli/train/python.ts";
import { hashSources } from "./pipeline/stages.ts";
import { UserError } from "../../web.ts";

/** `parts`: names, default all; `folder`: where data and runs are kept. */
type BenchmarkOptions = Readonly<{ parts?: readonly string[] | undefined; folder?: string; json?: boolean }>;

/**
 * Raise it when a change to the simulators, features, models, training or statistics makes finished rows wrong. It is raised by hand because
 * rows take hours and most edits leave them as they are; changed sources are reported.
 */
const EDITION = 2;

type Report = Readonly<{ part: PartName; outcome: "run" | "finished before" | "not possible here"; rows: number; seconds: number }>;

const MODEL = join(PACKAGE_ROOT, "model");

/** Writes the card's benchmark section and the plots from model/benchmark.json, without running anything. */
export function writeBenchmarkReport(): void {
  const benchmark = readBenchmark(join(MODEL, "benchmark.json"));
  writePlots(join(MODEL, "plots"), benchmark);
  writeBenchmarkCard(join(MODEL, "RESULTS.md"), benchmark);
}

export interface Progress {
  readonly folder: string;
  readonly json: boolean;
  /** benchmark.json */
  readonly path: string;
  /** Hash of all code on which rows depend; recorded, not part of the key. */
  readonly sources: string;
  /** The parts were asked for by name: one that cannot run is an error. */
  readonly isChosen: boolean;
  /** After a part's rows have been written. */
  readonly onRows: () => void;
}

async function runPart(part: Part, label: string, progress: Progress): Promise<Report> {
  const { folder, json, path, sources, isChosen, onRows } = progress;
  const benchmark = readBenchmark(path);
  const key = hash("sha256", JSON.stringify([EDITION, part.name, part.settings(benchmark)])).slice(0, 16);
  const before = benchmark.parts.find(({ name }) => name === part.name);
  const known = benchmark.rows.filter((row) => row.part === part.name).length;
  if (before?.key === key) {
    const since =
      before.sources === sources ? "" : ` on ${before.finished}; sources have changed since (take its line out of ${path} to repeat it)`;
    process.stderr.write(`${label}: finished before${since}\n`);
    return { part: part.name, outcome: "finished before", rows: known, seconds: before.seconds };
  }
  const obstacle = part.obstacle?.();
  if (obstacle !== undefined) {
    if (isChosen) throw new UserError(`Part "${part.name}" cannot be run here: ${obstacle}`);
    process.stderr.write(`${label}: left out, ${obstacle}\n`);
    return { part: part.name, outcome: "not possible here", rows: known, seconds: 0 };
  }
  process.stderr.write(`${label}\n`);
  const started = performance.now();
  const rows = await part.work({ folder, json });
  const seconds = (performance.now() - started) / 1000;
  const finished = new Date().toISOString().slice(0, 10);
  // Read again: another process may have finished another part meanwhile.
  writeBenchmark(path, mergePart(readBenchmark(path), { name: part.name, key, sources, seconds, finished }, rows));
  onRows();
  return { part: part.name, outcome: "run", rows: rows.length, seconds: Math.round(seconds) };
}

/** Runs the parts that are not finished under their present key. When one fails, the rows of those before it are kept. */
export async function runParts(parts: readonly Part[], progress: Progress): Promise<Report[]> {
  const reports: Report[] = [];
  for (const [i, part] of parts.entries()) {
    reports.push(await runPart(part, `Part ${i + 1} of ${parts.length}, ${part.name}`, progress));
  }
  return reports;
}

/** Runs all or the named parts; card and plots follow each. A part without its data here is skipped, or an error if it was named. */
export async function runBenchmark({
  parts,
  folder = join(PACKAGE_ROOT, ".armmt/benchmark"),
  json = false,
}: BenchmarkOptions): Promise<void> {
  const unknown = parts?.find((name) => !PARTS.some((part) => part === name));
  if (unknown !== undefined) throw new UserError(`Unknown part "${unknown}": expected one of "${PARTS.join('", "')}"`);
  const chosen = STUDY.filter(({ name }) => parts?.includes(name) ?? true);
  mkdirSync(folder, { recursive: true });
  await preparePython();
  const reports = await runParts(chosen, {
    folder,
    json,
    path: join(MODEL, "benchmark.json"),
    sources: hashSources("study").slice(0, 16),
    isChosen: parts !== undefined,
    onRows: writeBenchmarkReport,
  });
  const lines = reports.map(({ part, outcome, rows, seconds }) => [part, outcome, rows, seconds]);
  if (json) process.stdout.write(`${JSON.stringify(reports)}\n`);
  else printTable(["part", "outcome", "rows", "seconds"], lines);
}
