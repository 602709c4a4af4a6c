/** Stages of the pipeline: each runs once for given settings and sources, is timed, and is skipped while its inputs are unchanged. */
import { createHash, hash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import * as v from "valibot";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { UserError } from "../../../web.ts";

const stagesSchema = v.record(v.string(), v.object({ key: v.string(), seconds: v.number() }));

/** Throws a UserError that names the file and the field. */
export function readJson<T extends v.GenericSchema>(path: string, schema: T): v.InferOutput<T> {
  const parsed = v.safeParse(schema, JSON.parse(readFileSync(path, "utf8")));
  if (!parsed.success) throw new UserError(`${path} is not valid: ${v.summarize(parsed.issues)}`);
  return parsed.output;
}

/** The code that makes pictures, searches and training lists. */
const DATA_SOURCES = [
  "src/ranking/features.ts",
  "src/ranking/tokenizer.ts",
  "src/cli/embed/colour.ts",
  "src/embeddings/format.ts",
  "src/embeddings/text-encoder.ts",
  "src/demo/catalogue",
  "src/demo/drawing",
  "src/demo/engine.ts",
  "src/demo/query.ts",
  "src/lab/study/simulate",
  "src/cli/lists",
  "src/lab/study/pipeline/pictures.ts",
];
const TRAINING_SOURCES = [...DATA_SOURCES, "model/armmt", "model/pyproject.toml"];
const STUDY_SOURCES = [...TRAINING_SOURCES, "src/lab/study/assess", "src/lab/study/compare/judge.ts"];

const SOURCES = { data: DATA_SOURCES, training: TRAINING_SOURCES, study: STUDY_SOURCES };
/** The sources that invalidate a result when they change: those that make data, train on them, or compare what was trained too. */
type Sources = keyof typeof SOURCES;

/** Hash of every source that may change a result. */
export function hashSources(sources: Sources): string {
  const sum = createHash("sha256");
  const add = (path: string): void => {
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).toSorted()) if (name !== "__pycache__") add(join(path, name));
      return;
    }
    // Paths with forward slashes, so that the key is the same everywhere.
    sum.update(relative(PACKAGE_ROOT, path).replaceAll("\\", "/")).update("\0").update(readFileSync(path)).update("\0");
  };
  for (const path of SOURCES[sources]) add(join(PACKAGE_ROOT, path));
  return sum.digest("hex");
}

export type Stages = ReturnType<typeof openStages>;

/** `fresh` repeats all stages. */
export function openStages(folder: string, options: { readonly fresh: boolean; readonly sources: Sources }) {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "stages.json");
  const known = existsSync(path) && !options.fresh ? readJson(path, stagesSchema) : {};
  const times: { stage: string; seconds: number; reused: boolean }[] = [];
  let key = hashSources(options.sources);
  return {
    /** Of a `reused` stage the seconds of the earlier run. */
    times,
    /** Changes with the settings and sources of all stages so far. */
    key: () => key,
    /** Runs `work` unless it was done before with the same settings, sources and earlier stages. */
    async run(stage: string, settings: unknown, work: () => Promise<void> | void): Promise<void> {
      key = hash("sha256", JSON.stringify([key, stage, settings]));
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
