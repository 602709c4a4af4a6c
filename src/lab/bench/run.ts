/** Runs parts of the bench one after the other, in a temporary folder. All child processes end with this one, also on Ctrl-C. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type Progress, progressBar } from "../../cli/command.ts";
import { type Bundle, bundleWorker } from "../harness/bundle.ts";
import type { Measurement } from "./measurement.ts";

/** Amounts of work: sample counts are per kind of sample, times are in seconds. */
export const FULL = {
  /** Candidates in one model run, and hits in one window. */
  sizes: [20, 50, 100, 200],
  /** Fresh processes. */
  starts: 10,
  /** Searches before one counts as warm; memory is read after them. */
  warmSearches: 300,
  /** Warm searches whose processor time is read one by one. */
  countedSearches: 20,
  runSamples: 200,
  warmUpRunSamples: 20,
  rounds: 500,
  warmUpRounds: 100,
  /** For all sizes together, of searches on one connection and of model runs. */
  maxSeconds: 80,
  /** Loads that take turns: slices per load, of which the warm-up is not counted. */
  slices: 6,
  warmUpSlices: 1,
  sliceSeconds: 3,
  /** More than the processor can re-rank: connections, and searches per second. */
  overloadConnections: [64, 256],
  overloadRates: [50, 100, 150, 200, 300, 450, 700],
  overloadRounds: 3,
  overloadSeconds: 5,
  /** Sustained load. */
  loadConnections: [1, 8, 64],
  loadSeconds: 60,
  passthroughSeconds: 15,
  soakSeconds: 600,
  /** From here on memory must not grow. */
  soakSettledSeconds: 60,
  /** In the middle of a soak the engine's process is ended for so long. */
  soakDownSeconds: 20,
};

type Plan = Readonly<typeof FULL>;

/** Just enough to see that everything runs. */
export const QUICK: Plan = {
  sizes: [50, 100],
  starts: 1,
  warmSearches: 10,
  countedSearches: 2,
  runSamples: 3,
  warmUpRunSamples: 1,
  rounds: 3,
  warmUpRounds: 2,
  maxSeconds: 20,
  slices: 1,
  warmUpSlices: 0,
  sliceSeconds: 1,
  overloadConnections: [64, 256],
  overloadRates: [50, 100],
  overloadRounds: 1,
  overloadSeconds: 1,
  loadConnections: [1, 8],
  loadSeconds: 1,
  passthroughSeconds: 1,
  soakSeconds: 4,
  soakSettledSeconds: 1,
  soakDownSeconds: 1,
};

/** Configurations for wrangler. */
const WORKERS = { edge: "../../../wrangler.toml", model: "./model-worker.wrangler.toml" } as const;

export interface Bench {
  readonly plan: Plan;
  /** Temporary, removed at the end. */
  readonly folder: string;
  /** The Worker that is deployed, or the one that only runs the model; built once. */
  bundle(worker: keyof typeof WORKERS): Promise<Bundle>;
  progress(label: string, total: number): Progress;
  /** One line on stderr. */
  note(text: string): void;
  /** `stop` is called when the part ends, also after an error; the last one first. */
  defer(stop: () => void): void;
}

type Part = Readonly<{ name: string; run: (bench: Bench) => Promise<Measurement[]> }>;

/** Ctrl-C ends a process without its `finally` blocks; process.exit() runs the exit handlers of everything that was started. */
const exit = (): never => process.exit(130);

/** `isQuiet`: no progress on stderr. */
export async function runBench({ parts, plan, isQuiet }: Readonly<{ parts: readonly Part[]; plan: Plan; isQuiet: boolean }>) {
  const folder = mkdtempSync(join(tmpdir(), "armmt-bench-"));
  const clean = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", clean).once("SIGINT", exit).once("SIGTERM", exit);
  const stops: (() => void)[] = [];
  const stopAll = () => {
    for (const stop of stops.splice(0).toReversed()) stop();
  };
  const bundles = new Map<string, Promise<Bundle>>();
  const note = (text: string): void => {
    if (!isQuiet) process.stderr.write(`${text}\n`);
  };
  const bench: Bench = {
    plan,
    folder,
    bundle(worker) {
      const known = bundles.get(worker);
      if (known !== undefined) return known;
      note(`Building Worker "${worker}"`);
      const building = bundleWorker(fileURLToPath(new URL(WORKERS[worker], import.meta.url)), join(folder, `bundle-${worker}`));
      bundles.set(worker, building);
      return building;
    },
    progress: (label, total) => progressBar(label, total, { json: isQuiet }),
    note,
    defer: (stop) => void stops.push(stop),
  };
  try {
    const found: Measurement[] = [];
    for (const { name, run } of parts) {
      const startedAt = performance.now();
      found.push(...(await run(bench).finally(stopAll))); // oxlint-disable-line no-await-in-loop
      note(`Part "${name}" took ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    }
    return found;
  } finally {
    clean();
    process.removeListener("exit", clean).removeListener("SIGINT", exit).removeListener("SIGTERM", exit);
  }
}

interface Turns<K> {
  readonly label: string;
  /** Kinds of samples; those of one inner list are taken one right after the other. */
  readonly kinds: readonly (readonly K[])[];
  readonly rounds: number;
  /** Taken first and not counted. */
  readonly warmUpRounds: number;
  /** A slow machine ends early, but never before a tenth of the rounds; default unlimited. */
  readonly maxSeconds?: number;
  readonly beforeRound?: (round: number) => Promise<void>;
}

/**
 * One sample of every kind per round, so that a slow moment of the machine meets all of them. Each round begins with another kind, so that
 * the caches are not always left by the same one. Returns the samples of a kind, in order.
 */
export async function inTurns<K, T>(bench: Bench, turns: Turns<K>, sample: (kind: K) => Promise<T>): Promise<(kind: K) => readonly T[]> {
  const { label, kinds, rounds, warmUpRounds, maxSeconds = Infinity, beforeRound } = turns;
  const samples = new Map(kinds.flat().map((kind) => [kind, new Array<T>()]));
  const progress = bench.progress(label, rounds + warmUpRounds);
  const deadline = performance.now() + maxSeconds * 1000;
  let round = -warmUpRounds;
  for (; round < rounds && (round < rounds / 10 || performance.now() < deadline); round++) {
    await beforeRound?.(round);
    const first = (round + warmUpRounds) % kinds.length;
    for (const kind of [...kinds.slice(first), ...kinds.slice(0, first)].flat()) {
      const taken = await sample(kind);
      if (round >= 0) samples.get(kind)?.push(taken);
    }
    progress.increment();
  }
  progress.stop();
  bench.note(`${label}: ${round} rounds after ${warmUpRounds} of warm-up`);
  return (kind) => samples.get(kind) ?? [];
}
