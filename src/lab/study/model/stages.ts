/**
 * Stages of the pipeline: each runs once for given settings and sources, says how long it took, and is skipped when nothing it depends on
 * has changed since. A stage that fails leaves those before it done.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import * as v from "valibot";
import { ROOT } from "../../../cli/embed/encoder.ts";

const FILE = "stages.json";
const stagesSchema = v.record(v.string(), v.object({ key: v.string(), seconds: v.number() }));

export interface StageTime {
  readonly stage: string;
  readonly seconds: number;
  /** True when the result of an earlier run was used; `seconds` is then that run's. */
  readonly reused: boolean;
}

export interface Stages {
  /** Runs `work` unless it was done before with the same settings, sources and earlier stages. */
  run(stage: string, settings: unknown, work: () => Promise<void> | void): Promise<void>;
  readonly times: readonly StageTime[];
  /** Changes with the settings and sources of all stages so far. */
  key(): string;
}

/** What pictures, searches and training lists are made by. */
const DATA_SOURCES = [
  "src/ranking/features.ts",
  "src/ranking/tokenizer.ts",
  "src/cli/embed/colour.ts",
  "src/embeddings/format.ts",
  "src/embeddings/text-encoder.ts",
  "src/demo/catalogue",
  "src/demo/drawing",
  "src/demo/engine.ts",
  "src/lab/study/simulate",
  "src/lab/study/lists",
  "src/lab/study/model/pictures.ts",
];
const TRAINING_SOURCES = ["model/armmt", "model/pyproject.toml"];

/** Of which sources a change makes a result worthless: those that make data, or those that train on them too. */
export type Sources = "data" | "training";

/** Hash of every source that may change what is made. */
export function hashSources(sources: Sources): string {
  const hash = createHash("sha256");
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).toSorted()) if (name !== "__pycache__") add(join(path, name));
      return;
    }
    // Paths with forward slashes, so that the key is the same everywhere.
    hash.update(relative(ROOT, path).replaceAll("\\", "/")).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const path of sources === "data" ? DATA_SOURCES : [...TRAINING_SOURCES, ...DATA_SOURCES]) add(join(ROOT, path));
  return hash.digest("hex");
}

/** `fresh` forgets what was done before. */
export function openStages(folder: string, options: { readonly fresh: boolean; readonly sources: Sources }): Stages {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, FILE);
  const known = existsSync(path) && !options.fresh ? v.parse(stagesSchema, JSON.parse(readFileSync(path, "utf8"))) : {};
  const times: StageTime[] = [];
  let key = hashSources(options.sources);
  return {
    times,
    key: () => key,
    async run(stage, settings, work) {
      key = createHash("sha256")
        .update(JSON.stringify([key, stage, settings]))
        .digest("hex");
      const before = known[stage];
      if (before?.key === key) {
        times.push({ stage, seconds: before.seconds, reused: true });
        process.stderr.write(`— ${stage}: done before (${before.seconds.toFixed(0)} s)\n`);
        return;
      }
      process.stderr.write(`— ${stage}\n`);
      const started = performance.now();
      await work();
      const seconds = (performance.now() - started) / 1000;
      times.push({ stage, seconds, reused: false });
      known[stage] = { key, seconds };
      writeFileSync(path, `${JSON.stringify(known, undefined, 2)}\n`);
    },
  };
}
