/**
 * One run of the loop: takes its round up where it stands and goes on to the first step that fails, refuses or waits. Each step is a command of its
 * own in a process of its own, and is done again as a whole where it was interrupted: they are all built to be run twice.
 */
import { cpSync, existsSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import type { Ended, RunCommand } from "../child.ts";
import { gateConfig } from "../train/judge.ts";
import { requireEnough, surveyLists } from "../train/survey.ts";
import { readJson } from "../train/stages.ts";
import { nextRound, type LoopState, type Outcome, readState, type Step, STEPS, writeState } from "./state.ts";
import { DAY_MS, errorText, UserError } from "../../web.ts";

export interface LoopOptions {
  readonly catalog: string;
  readonly from: readonly string[];
  readonly embeddings: string;
  readonly out: string;
  /** The model that served before the loop's own. */
  readonly live?: string | undefined;
  /** Further options of each step's command. */
  readonly more: Readonly<Partial<Record<Step, readonly string[] | undefined>>>;
  /** Begins a new round. */
  readonly fresh?: boolean | undefined;
  readonly fewest?: number | undefined;
}

/** Exit codes that mean the same in every step. */
const REFUSED = 3;

/** A round that was interrupted before anything was published begins again with what the log holds by then. */
const RESUMED_WITHIN_MS = DAY_MS;

type StepResult = Readonly<{ state: "done" | "waiting"; model?: string; detail?: string } | { outcome: Outcome; detail: string }>;

const trainedSchema = v.object({ version: v.string() });
const gateSchema = v.object({
  refused: v.array(v.string()),
  missing: v.array(v.string()),
});
const checksSchema = v.object({ checks: v.optional(v.array(v.object({ name: v.string(), state: v.string(), detail: v.string() })), []) });
const ladderSchema = v.object({
  did: v.string(),
  trust: v.number(),
  trying: v.nullable(v.string()),
  phase: v.nullable(v.picklist(["trial", "watch"])),
});
const manifestSchema = v.object({ version: v.string() });

/** Throws a UserError that names the step that failed; the state says where to go on. */
export async function runLoop(options: LoopOptions, run: RunCommand, now = () => new Date()): Promise<LoopState> {
  const { out } = options;
  const state = takeUp(options, now());
  const pending = STEPS.filter((step) => state.round.steps[step]?.state !== "done");
  await requireSteps(pending, run);
  writeState(out, state);
  await watchServed(state, options, run);
  for (const step of pending) {
    process.stderr.write(`— round ${state.round.number}: ${step}\n`);
    const started = performance.now();
    const record = (recorded: "done" | "waiting" | "failed", detail?: string): void => {
      const seconds = Math.round((performance.now() - started) / 1000);
      state.round.steps[step] = { state: recorded, at: now().toISOString(), seconds, ...(detail !== undefined && { detail }) };
      writeState(out, state);
    };
    let result: StepResult;
    try {
      result = await WORK[step](options, run, state.round.model); // oxlint-disable-line no-await-in-loop -- in order
    } catch (error) {
      record("failed", errorText(error));
      const served = step === "ladder" ? "The model is published; its trust is as the ladder left it" : "What is served is as it was";
      throw new UserError(`Step ${step} failed: ${errorText(error)}\n${served}. Run the same command again: it goes on with ${step}`, {
        cause: error,
      });
    }
    if ("outcome" in result) {
      state.round.outcome = result.outcome;
      record("done", result.detail);
      return state;
    }
    if (result.model !== undefined) state.round.model = result.model;
    record(result.state, result.detail);
    if (result.state === "waiting") return state;
  }
  state.round.outcome = "live";
  writeState(out, state);
  return state;
}

/** The unfinished round, or a new one. */
function takeUp(options: LoopOptions, now: Date): LoopState {
  const { out, fresh, catalog, from, embeddings } = options;
  const settings = JSON.stringify({ catalog, from, embeddings });
  const last = readState(out);
  if (last === undefined || fresh === true || last.round.outcome !== undefined) return nextRound(settings, last, now);
  if (last.settings !== settings) {
    throw new UserError(
      `Round ${last.round.number} in ${out} is not finished and began with ${last.settings}: give the same options, another --out, or --fresh for a new round`,
    );
  }
  const isPublished = last.round.steps.publish?.state === "done";
  const isOld = now.getTime() - Date.parse(last.round.startedAt) > RESUMED_WITHIN_MS;
  return isOld && !isPublished ? nextRound(settings, last, now) : last;
}

/** While a round trains, the model of an earlier one serves: the ladder takes its trust away where it has become worse than meaning. */
async function watchServed({ round }: LoopState, options: LoopOptions, run: RunCommand): Promise<void> {
  const served = versionIn(foldersOf(options).serving);
  if (served === undefined || round.steps.publish?.state === "done") return;
  const result = await climb(options, run, served);
  process.stderr.write(`— model ${served}, ${result.detail}\n`);
}

/** Before hours of training: is every command there that the round will need? */
async function requireSteps(steps: readonly Step[], run: RunCommand): Promise<void> {
  const { code, stdout } = await run(["--help"]);
  const missing = steps.filter((step) => !new RegExp(`^ {2}${step}\\b`, "m").test(stdout));
  if (code === 0 && missing.length === 0) return;
  throw new UserError(`This version of armmt has no command ${missing.join(", ")}, which the loop needs: update it. Nothing was done`);
}

const WORK: Readonly<Record<Step, (options: LoopOptions, run: RunCommand, model?: string) => Promise<StepResult>>> = {
  async lists(options, run) {
    const { catalog, from, embeddings, more, fewest } = options;
    const { lists } = foldersOf(options);
    const draft = `${lists}.new`;
    rmSync(draft, { recursive: true, force: true });
    await expectDone(run, [
      "lists",
      "--from",
      ...from,
      "--catalog",
      catalog,
      "--embeddings",
      embeddings,
      "--out",
      draft,
      ...(more.lists ?? []),
    ]);
    rmSync(lists, { recursive: true, force: true });
    renameSync(draft, lists);
    try {
      requireEnough(await surveyLists(lists), fewest);
    } catch (error) {
      if (error instanceof UserError) return { outcome: "too_few", detail: error.message };
      throw error;
    }
    return { state: "done" };
  },
  async train(options, run) {
    const { lists, training } = foldersOf(options);
    const { catalog, embeddings, more } = options;
    const where = ["--lists", lists, "--embeddings", embeddings, "--out", training];
    const { stdout } = await expectDone(run, ["train", "--catalog", catalog, ...where, "--no-gate", "--json", ...(more.train ?? [])]);
    return { state: "done", model: parsePrinted(stdout, trainedSchema, "train").version };
  },
  async gate(options, run) {
    const { lists, model, serving } = foldersOf(options);
    const live = existsSync(serving) ? serving : options.live;
    const against = live === undefined ? [] : ["--live", live];
    const { gate: own = [], lists: listsOptions } = options.more;
    const ratio = own.some((option) => option === "--report" || option === "--config") ? [] : gateConfig(listsOptions);
    const { code, stdout } = await run(["gate", "--model", model, "--lists", lists, ...against, "--json", ...ratio, ...own]);
    if (code === REFUSED) {
      const { refused, missing } = parsePrinted(stdout, gateSchema, "gate");
      const why = [...refused, ...missing].join("; ") || "its log cannot tell; the gate prints what would";
      return { outcome: "refused", detail: `armmt gate does not let the model in ${model} pass: ${why}` };
    }
    if (code !== 0) throw new UserError(`armmt gate ended with ${code}, see above`);
    const skipped = parsePrinted(stdout, checksSchema, "gate").checks.flatMap(({ name, state, detail }) =>
      state === "skipped" ? [`${name}: ${detail}`] : [],
    );
    return { state: "done", ...(skipped.length > 0 && { detail: `gate: ${skipped.join("; ")}` }) };
  },
  async publish(options, run) {
    const { model } = foldersOf(options);
    await expectDone(run, ["publish", "--model", model, "--catalog", options.catalog, ...(options.more.publish ?? [])]);
    return { state: "done" };
  },
  ladder: climb,
};

/** The model of the round climbs; with `model` another one, which serves until then, is watched. */
async function climb(options: LoopOptions, run: RunCommand, model?: string): Promise<StepResult> {
  const { catalog, more } = options;
  const which = model === undefined ? [] : ["--model", model];
  const { code, stdout } = await run(["ladder", "--catalog", catalog, ...which, "--json", ...(more.ladder ?? [])]);
  if (code !== REFUSED && code !== 0) throw new UserError(`armmt ladder ended with ${code}, see above`);
  const { did, trust, trying, phase } = parsePrinted(stdout, ladderSchema, "ladder");
  const detail = `ladder: ${did}, trust ${trust}${trying === null ? "" : `, ${trying}`}`;
  // Before a model's first votes the trust is that of another one.
  if (did !== "started") noteServing(options, model, trust);
  if (phase === "trial") return { state: "waiting", detail };
  return trust > 0 ? { state: "done", detail } : { outcome: "stopped", detail };
}

function foldersOf({ out }: LoopOptions) {
  const training = join(out, "train");
  return { lists: join(out, "lists"), training, model: join(training, "model"), serving: join(out, "serving") };
}

/** `undefined` where there is no model. */
function versionIn(folder: string): string | undefined {
  const file = join(folder, "manifest.json");
  return existsSync(file) ? readJson(file, manifestSchema).version : undefined;
}

/** Keeps a copy of the model that serves, by which the next one is judged: training replaces its folder. One that has lost its trust is none. */
function noteServing(options: LoopOptions, version: string | undefined, trust: number): void {
  const { model, serving } = foldersOf(options);
  const served = versionIn(serving);
  if (trust === 0) {
    if (served === version) rmSync(serving, { recursive: true, force: true });
    return;
  }
  if (served === version || versionIn(model) !== version) return;
  const draft = `${serving}.new`;
  rmSync(draft, { recursive: true, force: true });
  cpSync(model, draft, { recursive: true });
  rmSync(serving, { recursive: true, force: true });
  renameSync(draft, serving);
}

async function expectDone(run: RunCommand, args: readonly string[]): Promise<Ended> {
  const ended = await run(args);
  if (ended.code === 0) return ended;
  throw new UserError(`armmt ${args[0]} ended with ${ended.code}, see above`);
}

function parsePrinted<T extends v.GenericSchema>(stdout: string, schema: T, step: Step): v.InferOutput<T> {
  try {
    return v.parse(schema, JSON.parse(stdout));
  } catch (error) {
    throw new UserError(`armmt ${step} --json printed something else than expected (${errorText(error)})`, { cause: error });
  }
}
