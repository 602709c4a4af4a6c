/**
 * `armmt guard <experiment>`: judges every arm by the guardrails, and switches off the one that does harm, for running edges within a minute and without a
 * deployment. Made for a schedule: a second run changes nothing.
 */
import { resolve } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { parseExperiments } from "../config/experiments.ts";
import type { Experiment } from "../experiment/assign.ts";
import type { ReportData } from "../report/analyse.ts";
import { guardTable } from "../report/checks-sections.ts";
import * as format from "../report/format.ts";
import { GUARDRAILS, type GuardRow, STOP_ALPHA } from "../report/guardrails.ts";
import { findMetric } from "../report/metrics.ts";
import type { Weights } from "../report/sample-ratio.ts";
import { DEFAULT_TUNING } from "../report/statistics/sequential.ts";
import { UserError } from "../web.ts";
import { simulateGuard, type SimulatedRow } from "./guard/simulate.ts";
import { type Change, experimentIn, readExperiments, readHistory, switchedOnAt, switchVariants } from "./guard/switch.ts";
import { above, whole } from "./numbers.ts";
import { type Namespace, openFolderNamespace, openLocalNamespace, openWranglerNamespace } from "./publish/namespace.ts";
import { addPlaces, type LogFlags } from "./places.ts";
import { openLog, parseTime, reportOn, weightsOption } from "./report.ts";
import { weightsIn } from "./report/weights.ts";
import { loadWrangler } from "./wrangler.ts";

/** The exit code of a run that has switched a variant off, or would. */
const STOPPED = 3;

interface GuardFlags extends LogFlags {
  readonly kvBinding: string;
  readonly tuning: number;
  readonly folder?: string;
  readonly since?: string;
  readonly control?: string;
  readonly weights?: Weights;
  readonly allow?: ReadonlyMap<string, number>;
  readonly simulate?: number | true;
  readonly dryRun?: true;
  readonly undo?: true;
  readonly json?: true;
}

const EXAMPLES = `
Guardrails (for --allow): ${GUARDRAILS.map(({ id, allowed, kind }) => `${id} (${allowed}${kind === "ms" ? " ms" : ""})`).join(", ")}

Examples:
  armmt guard rerank --dry-run                                  what it would do
  armmt guard rerank                                            from cron, every hour; exit code ${STOPPED} when it has switched an arm off
  armmt guard rerank --database data/events.sqlite --folder data/kv     of a Node or Deno server
  armmt guard rerank --undo                                     on again: only searches from then on count
  armmt guard --simulate                                        how often it errs, in simulated experiments

Exit codes: 0 nothing to switch off, 1 failed (a sample-ratio mismatch too: nothing can be judged), 2 wrong usage, ${STOPPED} an arm was switched off, or would be`;

export function createGuardCommand(): Command {
  const command = new Command("guard")
    .description("Switch off a variant that makes a guardrail worse: searches without result, bypasses, latency, buyers, revenue")
    .argument("[experiment]", "its key")
    .option("--dry-run", "write nothing")
    .option("--undo", "switch the experiment's variants on again")
    .option("--allow <harm>", "how much worse is allowed, such as latency=100,bypass=0.1 (shares and milliseconds)", parseAllowed);
  addPlaces(command, { log: "any", keys: "--kv-binding" })
    .option("--since <time>", "only searches from then on, ISO 8601", parseTime)
    .option("--control <variant>", 'arm that the others are compared with (default: "control")')
    .option("--weights <weights>", "shares of the arms, such as control=0.5,armmt=0.5 (default: the edge's configuration)", weightsOption)
    .option("--tuning <n>", "shoppers at which the bounds are tightest; choose it before the start", above(0), DEFAULT_TUNING)
    .option("--simulate [experiments]", "false and true stops in simulated experiments (default: 2000), and nothing else", whole(1))
    .option("--json", "print the result as JSON and no progress")
    .addHelpText("after", EXAMPLES);
  return command.action(async (experiment: string | undefined, flags: GuardFlags) => {
    if (flags.simulate !== undefined) printSimulation(flags.simulate === true ? 2000 : flags.simulate, flags.json === true);
    else if (experiment === undefined) command.error("error: missing required argument 'experiment'", { exitCode: 2 });
    else if (flags.undo === true) await undo(experiment, flags);
    else await guard(experiment, flags);
  });
}

function parseAllowed(text: string): ReadonlyMap<string, number> {
  return new Map(
    text.split(",").map((part) => {
      const [, id = "", value = ""] = /^([a-z-]+)=(\d+(?:\.\d+)?)$/.exec(part.trim()) ?? [];
      if (!GUARDRAILS.some((guardrail) => guardrail.id === id))
        throw new InvalidArgumentError(
          `"${part}" names no guardrail; write such as latency=100, with one of ${GUARDRAILS.map((each) => each.id).join(", ")}.`,
        );
      return [id, Number(value)];
    }),
  );
}

/** `undefined`: there is a log but no place to write to, in a trial. */
async function openStore(flags: GuardFlags): Promise<Namespace | undefined> {
  const { config, kvBinding: binding, folder, local, database, queries, persistTo, dryRun } = flags;
  if (folder !== undefined) return openFolderNamespace(folder);
  if (local === true) return openLocalNamespace({ config, binding, stateDir: resolve(persistTo) });
  if (dryRun === true && (database !== undefined || queries !== undefined)) return undefined;
  return openWranglerNamespace({ config, binding, where: ["--remote"] });
}

/** As the edge has them without the key. The environment goes before the file, as on a server. */
async function configured(config: string) {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const { vars } = readConfig({ config });
  const valueOf = (name: string): unknown => process.env[name] ?? vars[name];
  const list = valueOf("EXPERIMENTS") ?? [];
  const parsed = parseExperiments(typeof list === "string" ? list : JSON.stringify(list));
  if (!parsed.ok) throw new UserError(`EXPERIMENTS of ${config}: ${parsed.error.join("; ")}`);
  return { experiments: parsed.value, isLive: String(valueOf("LIVE_EXPERIMENTS")) === "true" };
}

interface Opened {
  readonly store: Namespace | undefined;
  readonly config: readonly Experiment[];
  readonly experiments: readonly Experiment[];
  readonly history: readonly Change[];
  readonly place: string;
}

/** Checks all that can be wrong before a log is read. Closes the store after `work`. */
async function withStore(experiment: string, flags: GuardFlags, work: (opened: Opened) => Promise<void>): Promise<void> {
  const { experiments: config, isLive } = await configured(flags.config);
  if (!isLive && flags.dryRun !== true)
    throw new UserError(
      `LIVE_EXPERIMENTS is not true in ${flags.config}, so the edge does not read the key that is written: set it and deploy once, or look with --dry-run`,
    );
  const store = await openStore(flags);
  try {
    const experiments = store === undefined ? config : await readExperiments(store, config);
    const history = store === undefined ? [] : await readHistory(store);
    const place = store?.place ?? flags.config;
    experimentIn(experiments, experiment, place);
    await work({ store, config, experiments, history, place });
  } finally {
    await store?.close();
  }
}

async function undo(experiment: string, flags: GuardFlags): Promise<void> {
  await withStore(experiment, flags, async ({ store, config, experiments, place }) => {
    const { off = [] } = experimentIn(experiments, experiment, place);
    const isTrial = flags.dryRun === true || store === undefined;
    const change = { configured: config, experiment, variants: off, now: "on" as const, evidence: [], at: new Date() };
    const on = isTrial ? off : await switchVariants(store, change);
    if (flags.json === true) print({ experiment, place, isTrial, on });
    else if (on.length === 0) process.stdout.write(`${experiment}: nothing is switched off in ${place}\n`);
    else process.stdout.write(`${experiment}: ${isTrial ? "would switch" : "switched"} ${on.join(", ")} on again in ${place}\n`);
  });
}

async function guard(experiment: string, flags: GuardFlags): Promise<void> {
  await withStore(experiment, flags, async ({ store, config, experiments, history, place }) => {
    const since = [flags.since, switchedOnAt(history, experiment)]
      .filter((time) => time !== undefined)
      .toSorted()
      .at(-1);
    const weights = flags.weights ?? weightsIn(experiments, experiment, place);
    const report = await read(experiment, { ...flags, weights }, since);
    const rows = report.checks.guardrails;
    const { off = [], variations } = experimentIn(experiments, experiment, place);
    const harmful = [...new Set(rows.flatMap(({ variant, state }) => (state === "harm" ? variant : [])))];
    const due = report.trusted ? harmful.filter((variant) => variations.includes(variant) && !off.includes(variant)) : [];
    const isTrial = flags.dryRun === true || store === undefined;
    const evidence = rows.filter(({ variant, state }) => state === "harm" && due.includes(variant));
    const change = { configured: config, experiment, variants: due, now: "off" as const, evidence, at: new Date() };
    const switchedOff = isTrial || due.length === 0 ? due : await switchVariants(store, change);
    if (flags.json === true) {
      const { trusted, simulated, control } = report;
      print({ experiment, place, since: since ?? null, isTrial, trusted, simulated, control, guardrails: rows, switchedOff, wereOff: off });
    } else process.stdout.write(describe(experiment, report, { place, rows, switchedOff, wereOff: off, isTrial }));
    if (!report.trusted) process.exitCode = 1;
    else if (switchedOff.length > 0) process.exitCode = STOPPED;
  });
}

type Read = Omit<GuardFlags, "weights"> & { readonly weights: Weights | undefined };

async function read(experiment: string, flags: Read, since: string | undefined): Promise<ReportData> {
  const log = await openLog(flags);
  const metric = findMetric("click-through")!;
  try {
    return await reportOn(log, {
      range: { experiment, since, until: undefined },
      weights: flags.weights,
      config: flags.config,
      control: flags.control,
      metric,
      lift: 0.03,
      power: 0.8,
      alpha: 0.05,
      tuning: flags.tuning,
      allowed: flags.allow,
      json: flags.json,
    });
  } finally {
    await log.close();
  }
}

interface Outcome {
  readonly place: string;
  readonly rows: readonly GuardRow[];
  readonly switchedOff: readonly string[];
  readonly wereOff: readonly string[];
  readonly isTrial: boolean;
}

function describe(experiment: string, report: ReportData, { place, rows, switchedOff, wereOff, isTrial }: Outcome): string {
  const { headings, rows: cells } = guardTable(rows);
  const lines = [
    ...(report.simulated ? ["Simulated rows are among these."] : []),
    rows.length === 0 ? `${experiment}: no search yet, or no arm to compare` : format.formatTable(headings, cells).trimEnd(),
    ...(report.trusted ? [] : [report.sampleRatio.verdict, "Nothing is switched off on figures that cannot be trusted."]),
    ...(wereOff.length > 0 ? [`Off already: ${wereOff.join(", ")} (armmt guard ${experiment} --undo switches it on again)`] : []),
    switchedOff.length === 0
      ? `${experiment}: nothing to switch off`
      : `${experiment}: ${isTrial ? "would switch off" : `switched off in ${place}:`} ${switchedOff.join(", ")}. Its shoppers ${isTrial ? "would keep" : "keep"} their arm and see the engine's order` +
        (isTrial ? "" : `, within a minute. Back: armmt guard ${experiment} --undo`),
  ];
  return `${lines.join("\n")}\n`;
}

function printSimulation(experiments: number, isJson: boolean): void {
  const rows: SimulatedRow[] = [];
  for (const row of simulateGuard(experiments)) {
    rows.push(row);
    if (!isJson) process.stderr.write(`${row.world}, harm: ${row.harm}: ${row.stopped} of ${row.experiments}\n`);
  }
  if (isJson) return print({ simulated: true, alpha: STOP_ALPHA, days: 28, rows });
  const cells = rows.map(({ world, harm, stopped, experiments: all, medianDay }) => [
    world,
    harm,
    all,
    stopped,
    format.share(stopped / all),
    medianDay ?? undefined,
  ]);
  process.stdout.write(
    `Simulated experiments of 28 days, judged every day by all guardrails together. Without harm at most ${format.share(STOP_ALPHA)} may be stopped.\n\n` +
      format.formatTable(["Simulated shop", "Harm by the variant", "Experiments", "Stopped", "Share", "Median day"], cells),
  );
}

function print(value: object): void {
  process.stdout.write(`${JSON.stringify(value, undefined, 2)}\n`);
}
