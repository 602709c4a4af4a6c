/** Stages of the pipeline: those of any long run (cli/train/stages.ts), which run again when the sources that made their results change. */
import { join } from "node:path";
import { hashFiles, openStages as openAnyStages, type Stages } from "../../../cli/train/stages.ts";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";

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
  return hashFiles(
    SOURCES[sources].map((path) => join(PACKAGE_ROOT, path)),
    PACKAGE_ROOT,
  );
}

/** `fresh` repeats all stages. */
export function openStages(folder: string, options: { readonly fresh: boolean; readonly sources: Sources }): Stages {
  return openAnyStages(folder, { fresh: options.fresh, key: hashSources(options.sources) });
}
