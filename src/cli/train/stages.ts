/** Stages of a long run: each runs once for given settings and inputs, is timed, and is skipped while its inputs are unchanged. */
import { createHash, hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import * as v from "valibot";
import { errorText, UserError } from "../../web.ts";

const stagesSchema = v.record(v.string(), v.object({ key: v.string(), seconds: v.number() }));

/** Throws a UserError that names the file and the field. */
export function readJson<T extends v.GenericSchema>(path: string, schema: T): v.InferOutput<T> {
  const parsed = v.safeParse(schema, parseFile(path));
  if (!parsed.success) throw new UserError(`${path} is not valid: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}

function parseFile(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${errorText(error)}`, { cause: error });
  }
}

/** Whole or not at all: whoever is killed while writing leaves the file as it was. */
export function writeJson(path: string, value: unknown): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value, undefined, 2)}\n`);
  renameSync(`${path}.new`, path);
}

/** One part of a run. `signal` ends when a stage beside it has failed. */
export interface Stage {
  readonly stage: string;
  /** Another value makes the stage run again. */
  readonly settings: unknown;
  readonly work: (signal: AbortSignal) => Promise<void> | void;
}

export type Stages = ReturnType<typeof openStages>;

/** `key` names what all stages depend on; `fresh` repeats all of them. */
export function openStages(folder: string, options: { readonly fresh: boolean; readonly key: string }) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "stages.json");
  const known = existsSync(path) && !options.fresh ? readJson(path, stagesSchema) : {};
  const times: { stage: string; seconds: number; reused: boolean }[] = [];
  let key = options.key;

  async function runOne({ stage, work }: Stage, own: string, signal: AbortSignal): Promise<void> {
    const before = known[stage];
    if (before?.key === own) {
      times.push({ stage, seconds: before.seconds, reused: true });
      process.stderr.write(`— ${stage}: done before (${before.seconds.toFixed(0)} s)\n`);
      return;
    }
    process.stderr.write(`— ${stage}\n`);
    const started = performance.now();
    await work(signal);
    const seconds = (performance.now() - started) / 1000;
    times.push({ stage, seconds, reused: false });
    known[stage] = { key: own, seconds };
    writeJson(path, known);
  }

  /** Runs stages that need nothing of each other, `atOnce` side by side; where one fails, the others are told to end. */
  async function runAll(stages: readonly Stage[], atOnce: number): Promise<void> {
    const keyed = stages.map((stage) => ({ ...stage, own: hash("sha256", JSON.stringify([key, stage.stage, stage.settings])) }));
    key = keyed.length === 1 ? keyed[0]!.own : hash("sha256", JSON.stringify(keyed.map(({ own }) => own)));
    const others = new AbortController();
    const queue = keyed.values();
    const workers = Array.from({ length: Math.max(1, atOnce) }, async () => {
      for (const stage of queue) {
        if (others.signal.aborted) return;
        await runOne(stage, stage.own, others.signal); // oxlint-disable-line no-await-in-loop
      }
    });
    try {
      await Promise.all(workers);
    } catch (error) {
      others.abort();
      await Promise.allSettled(workers);
      throw error;
    }
  }

  return {
    /** Of a `reused` stage the seconds of the earlier run. */
    times,
    /** Changes with the settings and inputs of all stages so far. */
    key: () => key,
    runAll,
    /** Runs `work` unless it was done before with the same settings, inputs and earlier stages. */
    run: (stage: string, settings: unknown, work: Stage["work"]): Promise<void> => runAll([{ stage, settings, work }], 1),
  };
}

/** Hash of files and of everything in folders, by their paths below `root`: the same sources give the same hash everywhere. */
export function hashFiles(paths: readonly string[], root: string): string {
  const sum = createHash("sha256");
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).toSorted()) if (name !== "__pycache__") add(join(path, name));
      return;
    }
    // Paths with forward slashes, so that the key is the same everywhere.
    sum.update(relative(root, path).replaceAll("\\", "/")).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const path of paths) add(path);
  return sum.digest("hex");
}
