/**
 * The stages of `armmt train`. Lists are made once per run and kept until it has finished: a log grows, and a run that was killed must go on with
 * what it had. Everything after them is keyed by their content, so lists that are the same give the same model and cost nothing.
 */
import { createHash, hash } from "node:crypto";
import { createReadStream, cpSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import * as v from "valibot";
import type { PublishedSet } from "../../embeddings/store.ts";
import { type RunCommand, runCommand } from "../child.ts";
import { readSet } from "../embed/pack.ts";
import { countGpus, preparePython, PYTHON_SOURCES, runPython } from "./python.ts";
import { passesOver, type Recipe, RECIPE } from "./recipe.ts";
import { teacherStages } from "./teachers.ts";
import { hashFiles, openStages, readJson, writeJson } from "./stages.ts";
import { requireEnough, type Survey, surveyLists } from "./survey.ts";
import { DAY_MS, errorText, UserError } from "../../web.ts";
import { findConfig } from "../wrangler.ts";

export interface TrainOptions {
  readonly catalog: string;
  /** One of `from` and `lists`. */
  readonly from?: readonly string[] | undefined;
  readonly lists?: string | undefined;
  readonly embeddings: string;
  readonly out: string;
  readonly processes?: number | undefined;
  readonly fresh?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Further options of `armmt lists`. */
  readonly more?: readonly string[] | undefined;
  /** Clicked lists below which nothing is trained. */
  readonly fewest?: number | undefined;
  /** How long to train. Default: as for every shop. */
  readonly recipe?: Recipe | undefined;
  /** Training lists above which only the newest are used. */
  readonly most?: number | undefined;
}

export type Trained = Awaited<ReturnType<typeof trainModel>>;

/** Files of a model, in the order in which they are copied. */
const PRODUCTS = ["student.onnx", "golden.json", "manifest.json"] as const;
const LIST_FILES = ["lists.parquet", "features.json", "image.npy", "text.npy", "presence.npy", "tokens.npy"] as const;

/** What of a run must survive it: until it has finished, its lists are those of these settings. */
const runSchema = v.object({ settings: v.string(), madeAt: v.number(), finished: v.boolean() });
/** A run that nobody took up for so long begins with what the log holds by then. */
const RESUMED_WITHIN_MS = DAY_MS;

/** Throws a UserError, having changed nothing, where the options or the catalogue do not do; and one that counts, where the log is too short. */
export async function trainModel(options: TrainOptions) {
  const { catalog, embeddings, out, fresh = false, recipe = RECIPE } = options;
  if (!/^[\w-]+$/.test(catalog)) throw new UserError(`Cannot name a model after the catalogue "${catalog}": use letters, digits, _ and -`);
  const { set } = readSet(embeddings);
  const lists = await prepareLists(options);
  requireSameVectors(lists, set, embeddings);
  const isSimulated = hasSimulated(lists);
  const survey = await surveyLists(lists);
  try {
    requireEnough(survey, options.fewest);
  } catch (error) {
    finish(options); // the next run looks at the log again
    throw error;
  }
  process.stderr.write(`${survey.lists} lists, ${survey.clicked} with a click${survey.from ? `, ${survey.from} to ${survey.to}` : ""}\n`);

  const work = join(out, "work");
  mkdirSync(work, { recursive: true });
  await preparePython();
  const gpus = await countGpus();
  const processes = options.processes ?? Math.max(1, gpus);
  const key = hash("sha256", JSON.stringify([await hashLists(lists), hashFiles(PYTHON_SOURCES.folders, PYTHON_SOURCES.root), set.version]));
  const stages = openStages(out, { fresh, key });
  const version = `${catalog.replaceAll("_", "-")}-${hash("sha256", JSON.stringify([key, recipe])).slice(0, 8)}`;
  const { most = recipe.mostLists } = options;
  const newest = join(out, "newest");
  const isLong = survey.bySplit.train > most;
  if (isLong) {
    process.stderr.write(`Of ${survey.bySplit.train} training lists the newest ${most} are used\n`);
    await stages.run("newest", { most }, (signal) =>
      runPython("armmt.training.newest", ["--lists", lists, "--out", newest, "--most", String(most)], { signal }),
    );
  }
  const taught = Math.min(most, survey.bySplit.train);
  const netEpochs = passesOver(taught, recipe.netEpochs, recipe);
  const studentEpochs = passesOver(taught, recipe.studentEpochs, recipe);

  const used = isLong ? newest : lists;
  const teachers = teacherStages({ lists: used, out: work, treeRounds: recipe.treeRounds, nets: recipe.nets, netEpochs, processes });
  // On a GPU, and under torchrun, each net has all there is.
  await stages.runAll(teachers, gpus > 0 || processes > 1 ? 1 : availableParallelism());
  const newer = isLong ? `, the newest ${most} of ${survey.bySplit.train} for training` : "";
  const trainedOn = `${describe(catalog, survey, isSimulated)}${newer}`;
  await stages.run("student", { epochs: studentEpochs, version, trainedOn }, (signal) => {
    const settings = ["--epochs", String(studentEpochs), "--version", version, "--trained-on", trainedOn];
    return runPython("armmt.training.train_student", ["--lists", used, "--out", work, ...settings], { signal });
  });
  const model = join(out, "model");
  await stages.run("model", { catalog }, () => {
    const training = {
      catalog,
      catalogVersion: set.version,
      ...survey,
      taughtLists: taught,
      recipe,
      processes,
      device: gpus > 0 ? "GPU" : "CPU",
    };
    exportModel(work, model, training);
  });
  finish(options);
  return { version, model, lists, survey, times: stages.times };
}

const featuresSchema = v.object({ identity: v.object({ imageEncoder: v.string(), textEncoder: v.string() }) });

/** A model refuses vectors of another encoder: better before an hour of training than after. */
function requireSameVectors(lists: string, set: PublishedSet, embeddings: string): void {
  const file = join(lists, "features.json");
  if (!existsSync(file)) throw new UserError(`${file} does not exist: make the lists with armmt lists`);
  const { identity } = readJson(file, featuresSchema);
  for (const kind of ["imageEncoder", "textEncoder"] as const) {
    if (identity[kind] === set[kind]) continue;
    throw new UserError(
      `The lists in ${lists} have vectors of ${identity[kind]}, the catalogue in ${embeddings} those of ${set[kind]}: make the lists again`,
    );
  }
}

/** One sentence for manifest.json; the fields beside it are for programs. */
function describe(catalog: string, { lists, clicked, from, to }: Survey, isSimulated: boolean): string {
  const days = from === undefined ? "" : `, ${from} to ${to}`;
  return `${isSimulated ? "SIMULATED shoppers" : "shoppers"} of catalogue ${catalog}: ${lists} lists, ${clicked} with a click${days}`;
}

/** The whole model or none: a folder beside it is filled first. */
function exportModel(work: string, model: string, training: object): void {
  const draft = `${model}.new`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  for (const name of PRODUCTS) cpSync(join(work, name), join(draft, name));
  const manifest = readJson(join(draft, "manifest.json"), v.looseObject({}));
  writeFileSync(join(draft, "manifest.json"), `${JSON.stringify({ ...manifest, training }, undefined, 2)}\n`);
  rmSync(model, { recursive: true, force: true });
  renameSync(draft, model);
}

const settingsOf = ({ catalog, from, lists, embeddings, more }: TrainOptions): string =>
  JSON.stringify({ catalog, from, lists, embeddings, more });

const madeSchema = v.object({ simulated: v.number() });

/** Whether simulated shoppers are in them, as `armmt lists` has written beside them. Lists of an older release say nothing. */
function hasSimulated(lists: string): boolean {
  const file = join(lists, "lists.json");
  return existsSync(file) && readJson(file, madeSchema).simulated > 0;
}

/** The folder of the lists. */
async function prepareLists(options: TrainOptions, run: RunCommand = runCommand): Promise<string> {
  const { from, lists: given, more = [], out, embeddings, fresh } = options;
  if ((from === undefined) === (given === undefined)) {
    throw new UserError("Give the log with --from, or the lists that armmt lists has made with --lists: one of both");
  }
  if (given !== undefined) return resolve(given);
  const lists = join(out, "lists");
  const record = join(out, "run.json");
  const settings = settingsOf(options);
  const before = existsSync(record) && fresh !== true ? readJson(record, runSchema) : undefined;
  const isYoung = before !== undefined && Date.now() - before.madeAt < RESUMED_WITHIN_MS;
  if (isYoung && !before.finished && before.settings === settings && existsSync(lists)) {
    process.stderr.write("— lists: those of the unfinished run (--fresh makes them anew)\n");
    return lists;
  }
  process.stderr.write("— lists\n");
  const draft = `${lists}.new`;
  rmSync(draft, { recursive: true, force: true });
  const { code, stdout } = await run([
    "lists",
    "--from",
    ...(from ?? []),
    ...ofCatalog(options),
    "--embeddings",
    embeddings,
    "--out",
    draft,
    ...more,
  ]);
  process.stderr.write(stdout);
  if (code !== 0) throw new UserError(`armmt lists ended with ${code}, see above: nothing was trained`);
  // From here on a run that is killed goes on with them.
  rmSync(lists, { recursive: true, force: true });
  writeJson(record, { settings, madeAt: Date.now(), finished: false });
  renameSync(draft, lists);
  return lists;
}

/** Only searches of this catalogue, where a configuration says which these are. */
function ofCatalog({ catalog, more = [] }: TrainOptions): readonly string[] {
  if (existsSync(findConfig()) || more.includes("--config") || more.includes("--index")) return ["--catalog", catalog];
  process.stderr.write("There is no wrangler.toml here that says which indexes search the catalogue: searches of all indexes are used\n");
  return [];
}

function finish(options: TrainOptions): void {
  const record = join(options.out, "run.json");
  if (options.lists === undefined) writeJson(record, { ...readJson(record, runSchema), finished: true });
}

async function hashLists(folder: string): Promise<string> {
  const sum = createHash("sha256");
  for (const name of LIST_FILES) {
    sum.update(`${name}\0`);
    try {
      // oxlint-disable-next-line no-await-in-loop -- one after another, into one sum
      await pipeline(createReadStream(join(folder, name)), async (chunks) => {
        for await (const chunk of chunks) sum.update(chunk);
      });
    } catch (error) {
      throw new UserError(`Cannot read ${join(folder, name)} (${errorText(error)}): make the lists again with armmt lists`, {
        cause: error,
      });
    }
  }
  return sum.digest("hex");
}
