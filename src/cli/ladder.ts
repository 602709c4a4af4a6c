/** `armmt ladder`: a model's trust in a catalogue grows by evidence of its shoppers, and shrinks by it. Safe to run from cron. */
import { resolve } from "node:path";
import { Command } from "commander";
import * as v from "valibot";
import { parseExperiments } from "../config/experiments.ts";
import { findMetric } from "../report/metrics.ts";
import type { Log } from "../report/log.ts";
import { errorText, UserError } from "../web.ts";
import { climb, experimentKey, type LadderOptions, type LadderReport, NO_EVIDENCE, undo } from "./ladder/store.ts";
import { type Evidence, MOST_VOTES, STEPS, TUNING } from "./ladder/moves.ts";
import { type SimulatedRun, simulateLadder, simulateWatch, summarise, summariseWatch, type WatchedRun } from "./ladder/simulate.ts";
import { above, whole } from "./numbers.ts";
import { type Namespace, openFolderNamespace, openLocalNamespace, openWranglerNamespace } from "./publish/namespace.ts";
import { followedBySet } from "./publish/order.ts";
import { readRanking, rollBackRanking } from "./publish/ranking.ts";
import { addPlaces, type LogFlags } from "./places.ts";
import { openLog, reportOn } from "./report.ts";
import { loadWrangler } from "./wrangler.ts";

/** The exit code of a run that has found a model worse, or would have. */
const HARM = 3;

interface LadderFlags extends LogFlags {
  readonly catalog: string;
  readonly kvBinding: string;
  readonly share: number;
  readonly model?: string;
  readonly folder?: string;
  readonly again?: true;
  readonly undo?: true;
  readonly dryRun?: true;
  readonly simulate?: number | true;
  readonly json?: true;
}

const EXAMPLES = `
Trust grows ${["0", ...STEPS].join(" → ")}. Each step is interleaved with what is live for a share of the shoppers; an interval over their votes that
may be read at any time decides. A step that loses is not taken; whatever serves then, the model or the one before, is watched against the order by
meaning for as long as it serves, and loses its trust where it is worse. After ${MOST_VOTES} votes without an answer what is live stays.

Examples:
  armmt ladder --model shop-2                                   starts, and from cron every hour: goes on
  armmt ladder --dry-run                                        what it would do
  armmt ladder --database data/events.sqlite --folder data/kv   of a Node or Deno server
  armmt ladder --undo                                           ends it; the catalogue follows what it followed before
  armmt ladder --simulate 200                                   how it fares in simulated shops

Exit codes: 0 went on or waits, 1 failed, 2 wrong usage, ${HARM} a model was found worse, or would be`;

export function createLadderCommand(): Command {
  const command = new Command("ladder")
    .description(
      "Let a catalogue's trust in a model grow by the votes of its shoppers, step by step, and end it where they vote against it",
    )
    .option("--catalog <name>", "the catalogue", "products")
    .option("--model <version>", "of a model that was published or deployed (default: the one that climbs already)")
    .option("--share <share>", "of the shoppers whose lists are interleaved", above(0), 0.2)
    .option("--again", "try a model again whose ladder has ended")
    .option("--dry-run", "write nothing")
    .option("--undo", "end the ladder, and follow what was followed before");
  return addPlaces(command, { log: "any", keys: "--kv-binding" })
    .option("--simulate [shops]", "good, useless and harmful models in simulated shops (default: 200), and nothing else", whole(1))
    .option("--json", "print the result as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: LadderFlags) => {
      if (flags.simulate === undefined) await look(flags);
      else await simulate(flags.simulate === true ? 200 : flags.simulate, flags.json === true);
    });
}

async function look(flags: LadderFlags): Promise<void> {
  const { catalog, model, share, json, dryRun } = flags;
  if (share > 1) throw new UserError(`--share is ${share}: use a share of the shoppers, above 0 and up to 1`);
  const settings = await configured(flags.config);
  const missing = (["LIVE_MODELS", "LIVE_EXPERIMENTS"] as const).filter((name) => !settings.isTrue(name));
  if (missing.length > 0 && dryRun !== true) {
    throw new UserError(
      `${missing.join(" and ")} must be true in ${flags.config}, or edges do not read what the ladder writes: set it and deploy once`,
    );
  }
  const indexes = settings.indexes.filter((index) => index.catalog === catalog).map(({ name }) => name);
  if (indexes.length === 0)
    throw new UserError(`No index of ${flags.config} searches the catalogue "${catalog}": name another with --catalog`);
  const options: LadderOptions = {
    catalog,
    model,
    share,
    indexes,
    configured: settings.experiments,
    isAgain: flags.again === true,
    isTrial: dryRun === true,
    at: new Date(),
    votes: (variant, since) => readVotes(flags, variant, since),
  };
  const store = await openStore(flags);
  let report: LadderReport;
  try {
    report =
      flags.undo === true ? await takeBack(store, options) : await climb(store, { ...options, bySet: await followedBySet(store, catalog) });
  } finally {
    await store.close();
  }
  if (report.isHarm) process.exitCode = HARM;
  process.stdout.write(
    json === true ? `${JSON.stringify({ ...report, isTrial: options.isTrial }, undefined, 2)}\n` : describe(report, options.isTrial),
  );
}

async function takeBack(store: Namespace, options: LadderOptions): Promise<LadderReport> {
  const { catalog, at, isTrial } = options;
  const ranking = await readRanking(store, catalog);
  if (isTrial || ranking === undefined) return undo(store, options, ranking?.trust ?? 0);
  return undo(store, options, (await rollBackRanking(store, catalog, at)).trust);
}

function openStore({ config, kvBinding: binding, folder, local, persistTo }: LadderFlags): Promise<Namespace> {
  if (folder !== undefined) return Promise.resolve(openFolderNamespace(folder));
  if (local === true) return openLocalNamespace({ config, binding, stateDir: resolve(persistTo) });
  return Promise.resolve(openWranglerNamespace({ config, binding, where: ["--remote"] }));
}

const indexesSchema = v.record(v.string(), v.object({ catalog: v.optional(v.string()) }));

/** As the edge has them. The environment goes before the file, as on a server. */
async function configured(config: string) {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  const { vars } = readConfig({ config });
  const valueOf = (name: string): unknown => {
    const value = process.env[name] ?? vars[name];
    try {
      return typeof value === "string" ? JSON.parse(value) : value;
    } catch (cause) {
      throw new UserError(`${name} of ${config} is not JSON: ${errorText(cause)}`, { cause });
    }
  };
  const experiments = parseExperiments(JSON.stringify(valueOf("EXPERIMENTS") ?? []));
  if (!experiments.ok) throw new UserError(`EXPERIMENTS of ${config}: ${experiments.error.join("; ")}`);
  const indexes = v.safeParse(indexesSchema, valueOf("INDEXES") ?? {});
  if (!indexes.success) throw new UserError(`INDEXES of ${config} is no table of indexes`);
  return {
    experiments: experiments.value,
    indexes: Object.entries(indexes.output).map(([name, { catalog = name }]) => ({ name, catalog })),
    isTrue: (name: "LIVE_MODELS" | "LIVE_EXPERIMENTS") => String(valueOf(name)) === "true",
  };
}

/** Of shoppers that are known: one without an id could have many votes. */
async function readVotes(flags: LadderFlags, variant: string, since: string): Promise<Evidence> {
  const log: Log = await openLog(flags);
  const experiment = experimentKey(flags.catalog);
  try {
    // Of a trial that has just begun nobody has searched yet.
    if (!(await log.experiments()).has(experiment)) return NO_EVIDENCE;
    const report = await reportOn(log, {
      range: { experiment, since, until: undefined },
      weights: undefined,
      config: flags.config,
      control: undefined,
      metric: findMetric("click-through")!,
      lift: 0.03,
      power: 0.8,
      alpha: 0.05,
      tuning: TUNING,
      json: flags.json,
    });
    const arm = report.interleaving.find((each) => each.variant === variant);
    if (arm === undefined) return NO_EVIDENCE;
    const votes = (by: string) => arm.votes.find((each) => each.by === by)?.shoppers ?? NO_EVIDENCE.clicks;
    return { clicks: votes("clicks"), purchases: votes("purchases") };
  } finally {
    await log.close();
  }
}

function describe({ catalog, model, did, trust, trying, phase, live, evidence, history }: LadderReport, isTrial: boolean): string {
  const votes =
    evidence === null ? "" : `: clicks of shoppers ${evidence.clicks.b} for it, ${evidence.clicks.a} against, ${evidence.clicks.ties} ties`;
  const next =
    trying === null ? "Nothing is tried any more (--again tries it once more)" : `${phase === "watch" ? "Watches" : "Tries"} ${trying}`;
  const other = live === null || live.model === model ? "" : ` (${live.model} serves with trust ${live.trust})`;
  const last = did === "ended" ? `, since ${history.at(-1)?.at ?? "?"}: ${history.at(-1)?.evidence ?? ""}` : "";
  return `${catalog}, ${model}: ${isTrial ? "would be: " : ""}${did}${votes}${last}. Trust ${trust}${other}. ${next}\n`;
}

async function simulate(shops: number, isJson: boolean): Promise<void> {
  const runs: SimulatedRun[] = [];
  for (let shop = 0; shop < shops; shop++) {
    const run = await simulateLadder(shop); // oxlint-disable-line no-await-in-loop
    runs.push(run);
    const said = `Simulated shop ${shop + 1}, ${run.kind} model: trust ${run.trust}, ${run.served.toFixed(4)} nDCG@10 against meaning`;
    if (!isJson) process.stderr.write(`${said}\n`);
  }
  const watched: Record<"good" | "spoilt", WatchedRun[]> = { good: [], spoilt: [] };
  for (let shop = 0; shop < shops; shop++) {
    watched.good.push(await simulateWatch(shop, false)); // oxlint-disable-line no-await-in-loop
    watched.spoilt.push(await simulateWatch(shop, true)); // oxlint-disable-line no-await-in-loop
  }
  /** The model that has served all along, once another has lost against it. */
  const afterLostTrial = { good: summariseWatch(watched.good), spoilt: summariseWatch(watched.spoilt) };
  process.stdout.write(`${JSON.stringify({ simulated: true, shops, rows: summarise(runs), afterLostTrial }, undefined, 2)}\n`);
}
