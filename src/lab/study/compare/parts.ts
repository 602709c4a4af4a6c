/** The parts of the study: the scenarios on which each trains, its models, and how their runs become rows. */
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { PACKAGE_ROOT } from "../../../runtimes/node/package-root.ts";
import { fnv1a } from "../../../ranking/tokenizer.ts";
import { UserError } from "../../../web.ts";
import { DEPTH } from "../assess/worth.ts";
import { readModelFile } from "../assess/exported.ts";
import { FOLDS, makeJudgedLists } from "../judgments.ts";
import { missingFiles } from "../judgments/chorus.ts";
import { makeEnvironment, runPython } from "../../../cli/train/python.ts";
import { readJson } from "../../../cli/train/stages.ts";
import { examination } from "../simulate/clicks.ts";
import { type Benchmark, type Level, type PartName, type Row, TABLES } from "./benchmark-file.ts";
import { judgeFolder, judgeOrders, openTestLists } from "./judge.ts";
import * as names from "./names.ts";
import { compareRuns, type Comparing, findRuns, runForRows, timeGraphs } from "./runs.ts";
import { isPossible, makeScenario, type Scenario, SCENARIOS, SHARED, slugOf } from "./scenarios.ts";

/** `folder` holds everything that the study makes and keeps. */
type Work = Readonly<{ folder: string; json: boolean }>;

export interface Part {
  readonly name: PartName;
  /** Decides the part's rows besides the sources; goes into its key. */
  settings(benchmark: Benchmark): unknown;
  /** Why it cannot be run on this machine, if so. */
  obstacle?(): string | undefined;
  work(work: Work): Promise<Row[]>;
}

/** Parts on the same scenario share their runs, so that no run is trained twice. */
const runsOf = ({ folder }: Work, slug: string): string => join(folder, "runs", slug);

const WORKERS = ["--workers", String(availableParallelism())];
/** Share of the training lists, where a part takes fewer. */
const SHARES: Readonly<Partial<Record<PartName, number>>> = {
  "fashion ablations": names.ABLATIONS_SHARE,
  "fashion world 2 ablations": names.ABLATIONS_SHARE,
};

/** Trains the models that are not trained yet. A table searches all its models' settings; other parts, those that are not known. They are committed. */
async function train(part: PartName, { shop, world }: Scenario, lists: string, runs: string): Promise<void> {
  const tuning = join(PACKAGE_ROOT, "model/tuning", `${shop}${world === undefined ? "" : `-world-${world}`}.json`);
  const again = TABLES.includes(part) ? ["--again"] : [];
  const share = String(SHARES[part] ?? 1);
  const outsider = part.endsWith(OUTSIDER) ? ["--outsider", await outsiderPython()] : [];
  const settings = ["--tuning", tuning, ...again, "--share", share, ...WORKERS, ...outsider];
  await runPython("armmt.study.train_part", ["--part", part, "--lists", lists, "--runs", runs, ...settings]);
}

const OUTSIDER = " outsider";

/** The Python of allRank, whose requirements exclude those of our own. Made on first use: some GB, linked where the cache has them. */
async function outsiderPython(): Promise<string> {
  const folder = join(PACKAGE_ROOT, "model/outsider");
  return makeEnvironment(join(folder, ".venv"), join(folder, "requirements.txt"), (isCached) => {
    process.stderr.write(isCached ? "Linking allRank's Python\n" : "Making a Python for allRank (a download of some GB)\n");
  });
}

type Belongs = (model: string) => boolean;

/** Judges the runs of a part in `runs` on the test lists of a scenario's folder {simulation, lists}; they are then compared in Python. */
export async function judgeRuns(part: PartName, level: Level, belongs: Belongs, data: string, runs: string): Promise<Comparing> {
  const test = await openTestLists(data);
  const found = findRuns(runs).filter(({ model }) => belongs(model));
  for (const { folder } of found) judgeFolder(folder, test);
  const models = [...new Set([...judgeOrders(runs, test), ...found.map(({ model }) => model)])];
  const slices = TABLES.includes(part) ? [...names.K_SLICES, ...names.HISTORY_SLICES, ...names.COLD_SLICES] : [];
  const quality = { lists: join(data, "lists"), pairs: names.pairsOf(models), slices, seed: fnv1a(`bootstrap:${level}`) };
  return { part, level, runs, models, quality };
}

function trainedPart(name: PartName, scenarios: readonly Scenario[], belongs: Belongs): Part {
  return {
    name,
    settings: () => (name in SHARES ? [scenarios, SHARES[name]] : scenarios),
    obstacle: () => (scenarios.every(isPossible) ? undefined : `it needs the photographs and encoder in ${SHARED}`),
    async work(work) {
      const rows: Row[] = [];
      for (const scenario of scenarios) {
        const data = await makeScenario(scenario, join(work.folder, "data"), work.json);
        const runs = runsOf(work, slugOf(scenario));
        await train(name, scenario, join(data, "lists"), runs);
        rows.push(...(await compareRuns(await judgeRuns(name, scenario.level, belongs, data, runs), work.folder)));
      }
      return rows;
    },
  };
}

const inTable: Belongs = (model) => !names.isAblation(model) || model.endsWith("-no-image");
/** Where only the part's own models are in its folder of runs. */
const isAny: Belongs = () => true;
const inAblations: Belongs = (model) => names.isAblation(model) || model === names.TEACHER || model === names.STUDENT;

const inOutsider: Belongs = (model) => [names.STUDENT_LABELS, names.ALLRANK, "lambdamart"].includes(model);

const inDoses: Belongs = (model) => [names.TEACHER, "teacher-no-image", "teacher-no-matching-image"].includes(model);

/** Times and sizes of the runs that the tables left. */
const cost: Part = {
  name: "cost",
  // Measured again when a table was made again.
  settings: ({ parts }) => parts.filter(({ name }) => TABLES.includes(name)).map(({ key }) => key),
  async work(work) {
    const rows: Row[] = [];
    for (const scenario of [SCENARIOS.fashion, SCENARIOS.drawn]) {
      const { level } = scenario;
      const runs = runsOf(work, slugOf(scenario));
      const models = [...new Set(findRuns(runs).map(({ model }) => model))];
      if (models.length === 0) continue;
      const graphs = await timeGraphs(runs, join(work.folder, "data", slugOf(scenario), "lists"));
      rows.push(...(await compareRuns({ part: "cost", level, runs, models, cost: { candidates: names.COST_K, graphs } }, work.folder)));
    }
    if (rows.length === 0) throw new UserError(`${work.folder}/runs is empty: run the part "drawn table" or "fashion table" here first`);
    return rows;
  },
};

const SEEDS = 5;
const estimate = v.object({ share: v.array(v.number()) });
const examinationSchema = v.object({ randomised: estimate, regressionEm: estimate });

/**
 * The same teacher trained on biased clicks with the examination tower, without it, and weighted by the true propensities, and on the
 * clicks of the same searches with every position examined: all of them, or as many as the biased log has. All share their test lists.
 */
const positionBias: Part = {
  name: "position bias",
  // With the comparisons: rows of an edition that lacks one are not all of the part's rows.
  settings: () => [SCENARIOS.drawn, SCENARIOS.drawnFullLog, SEEDS, names.POSITION_PAIRS],
  async work(work) {
    const { level } = SCENARIOS.drawn;
    const data = await makeScenario(SCENARIOS.drawn, join(work.folder, "data"), work.json);
    const full = await makeScenario(SCENARIOS.drawnFullLog, join(work.folder, "data"), work.json);
    const out = runsOf(work, "position-bias");
    const truth = Array.from({ length: DEPTH }, (_, i) => examination(i + 1));
    const given = ["--lists", join(data, "lists"), "--unbiased", join(full, "lists"), "--out", out];
    await runPython("armmt.study.position_bias", [...given, "--seeds", String(SEEDS), ...WORKERS, "--true-curve", ...truth.map(String)]);
    const { randomised, regressionEm } = readJson(join(out, "examination.json"), examinationSchema);
    const estimates = { "randomised estimator": randomised.share, "regression EM": regressionEm.share };
    const judged = await judgeRuns("position bias", level, isAny, data, join(out, "runs"));
    return compareRuns({ ...judged, examination: { truth, estimates } }, work.folder);
  },
};

const OPEN_BANDIT = "fixtures/open-bandit";

/** Public logs with known propensities: Python computes all figures. */
const openBandit: Part = {
  name: "open bandit",
  settings: () => ["armmt.open_bandit", OPEN_BANDIT],
  obstacle: () => (existsSync(join(SHARED, OPEN_BANDIT)) ? undefined : `it needs ${join(SHARED, OPEN_BANDIT)}`),
  work(work) {
    const rows = join(runsOf(work, "open-bandit"), "rows.json");
    return runForRows("open bandit", "armmt.study.open_bandit", rows, ["--data", join(SHARED, OPEN_BANDIT)]);
  },
};

const CHORUS = join(SHARED, "chorus");
const MODEL = join(PACKAGE_ROOT, "model");

/** Real human judgments; the folds are the same for all models and seeds. */
const chorus: Part = {
  name: "chorus",
  // A new student is scored anew.
  settings: () => ({ folds: FOLDS, seeds: SEEDS, student: hash("sha256", readModelFile(MODEL, "student.onnx")) }),
  obstacle() {
    const missing = missingFiles(CHORUS);
    return missing.length === 0 ? undefined : `it needs ${missing.join(" and ")}`;
  },
  async work(work) {
    const lists = join(runsOf(work, "chorus"), "lists");
    await makeJudgedLists({ data: CHORUS, model: MODEL, out: lists });
    const args = ["--lists", lists, "--seeds", String(SEEDS)];
    return runForRows("chorus", "armmt.study.judgments", join(runsOf(work, "chorus"), "rows.json"), args);
  },
};

/** In the order in which they run: the parts that take hours come last. */
export const STUDY: readonly Part[] = [
  openBandit,
  chorus,
  trainedPart("drawn table", [SCENARIOS.drawn], inTable),
  positionBias,
  trainedPart("drawn controls", SCENARIOS.drawnControls, isAny),
  trainedPart("fashion table", [SCENARIOS.fashion], inTable),
  trainedPart("fashion ablations", [SCENARIOS.fashion], inAblations),
  trainedPart("fashion controls", SCENARIOS.fashionControls, isAny),
  trainedPart("drawn world 2 table", [SCENARIOS.drawnTwo], inTable),
  trainedPart("drawn world 2 doses", SCENARIOS.drawnDoses, inDoses),
  trainedPart("drawn world 2 outsider", [SCENARIOS.drawnTwo], inOutsider),
  trainedPart("drawn world 2 ablations", [SCENARIOS.drawnTwo], inAblations),
  trainedPart("fashion world 2 table", [SCENARIOS.fashionTwo], inTable),
  trainedPart("fashion world 2 doses", SCENARIOS.fashionDoses, inDoses),
  trainedPart("fashion world 2 ablations", [SCENARIOS.fashionTwo], inAblations),
  cost,
];
