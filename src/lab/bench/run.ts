/** The parts of the bench one after the other, in one folder that is removed in the end. What is started is stopped, whatever happens. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { progressBar } from "../../cli/command.ts";
import type { Bundle } from "./bundle.ts";
import { bundleSource, bundleWorker } from "./bundle.ts";
import type { Bench, WorkerName } from "./context.ts";
import type { Measurement } from "./measurement.ts";
import type { PartName } from "./part-names.ts";
import { PARTS } from "./parts.ts";
import type { Plan } from "./plan.ts";
import { benchReference } from "./reference.ts";

/** Configurations for wrangler, and sources of Workers that import nothing else than sources. */
const WORKERS: Readonly<Record<WorkerName, string>> = {
  edge: "../../../wrangler.toml",
  run: "./run-worker.wrangler.toml",
  reference: "./reference-worker.wrangler.toml",
  store: "./store-worker.ts",
  empty: "./empty-worker.ts",
  proxy: "./proxy-worker.ts",
};

export interface RunOptions {
  readonly parts: readonly PartName[];
  /** Path of a graph of model/armmt/reference.py, which is timed too. */
  readonly reference?: string | undefined;
  readonly plan: Plan;
  /** No progress on stderr. */
  readonly isQuiet: boolean;
}

/** Ctrl-C ends a process without its `finally`; an exit of our own runs what is registered for it, here and wherever something was started. */
const leave = (): never => process.exit(130);

export async function runBench({ parts, reference, plan, isQuiet }: RunOptions): Promise<Measurement[]> {
  const folder = mkdtempSync(join(tmpdir(), "armmt-bench-"));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clean).once("SIGINT", leave).once("SIGTERM", leave);
  const bench = createBench(folder, plan, isQuiet);
  try {
    const found: Measurement[] = [];
    for (const name of parts) {
      const startedAt = performance.now();
      found.push(...(await PARTS[name](bench))); // oxlint-disable-line no-await-in-loop
      bench.note(`Part "${name}" took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    }
    if (reference !== undefined) found.push(...(await benchReference(bench, reference)));
    return found;
  } finally {
    clean();
    process.removeListener("exit", clean).removeListener("SIGINT", leave).removeListener("SIGTERM", leave);
  }
}

function createBench(folder: string, plan: Plan, isQuiet: boolean): Bench {
  const bundles = new Map<WorkerName, Promise<Bundle>>();
  const note = (text: string): void => {
    if (!isQuiet) process.stderr.write(`${text}\n`);
  };
  const build = (name: WorkerName): Promise<Bundle> => {
    const path = fileURLToPath(new URL(WORKERS[name], import.meta.url));
    note(`Building Worker "${name}"`);
    return path.endsWith(".ts") ? bundleSource(path) : bundleWorker(path, join(folder, `bundle-${name}`));
  };
  return {
    plan,
    folder,
    bundle(name) {
      const known = bundles.get(name) ?? build(name);
      bundles.set(name, known);
      return known;
    },
    progress: (label, total) => progressBar(label, total, { json: isQuiet }),
    note,
  };
}
