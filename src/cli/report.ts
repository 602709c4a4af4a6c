/**
 * `armmt report <experiment>`: exposures and sample ratio, then every metric against control with a fixed interval and a confidence sequence,
 * in the terminal, as JSON, or as one HTML page.
 */
import { writeFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import { DEFAULT_TUNING } from "../report/statistics/sequential.ts";
import { progressBar } from "./command.ts";
import { addPlaces, type LogFlags } from "./places.ts";
import { above, share, upToOne, whole } from "./numbers.ts";
import { DEFAULT_CAP } from "../report/caps.ts";
import { analyse, type AnalyseOptions, type ReportData } from "../report/analyse.ts";
import { openDatabaseFile, openLocalDatabase, openWranglerDatabase } from "./report/database.ts";
import type { Log, LogRange } from "../report/log.ts";
import { findMetric, type Metric, METRICS } from "../report/metrics.ts";
import type { Plan } from "../report/planned.ts";
import type { Weights } from "../report/sample-ratio.ts";
import { EXAMPLE, openSimulatedLog } from "./report/simulated.ts";
import { openSqlLog } from "../report/sql-log.ts";
import type { OrderOptions } from "../report/orders.ts";
import { summaryFacts } from "../report/summary-facts.ts";
import { summarise } from "../report/summary-steps.ts";
import { createStage } from "../report/stage.ts";
import { tally } from "../report/tally.ts";
import { formatReport } from "../report/sections.ts";
import { openUbiLog } from "../report/ubi-log.ts";
import { exploredLists, priceExplored } from "./rule-prices/explore.ts";
import { parseRates } from "./report/rates.ts";
import { configuredWeights, equalWeights, parseWeights, weightsIn } from "./report/weights.ts";
import { TOKEN_TTL_MS } from "../events/token.ts";
import { DAY_MS, UserError } from "../web.ts";

export interface ReportOptions
  extends Pick<AnalyseOptions, "control" | "metric" | "lift" | "power" | "alpha" | "tuning" | "cap" | "allowed" | "plan">, OrderOptions {
  /** Days in which an action counts for its search; default as long as a token lives. */
  readonly window?: number | undefined;
  readonly range: LogRange & { readonly experiment: string };
  /** Only searches without words (pages of a category, say), or only those with. Default: both. */
  readonly kind?: "browse" | "search" | undefined;
  /** `undefined`: from the configuration of the edge. */
  readonly weights: Weights | undefined;
  /** wrangler.toml of the edge. */
  readonly config: string;
  readonly json?: boolean | undefined;
}

/** Reads the log once, search by search. Throws a UserError for an experiment or a control that the log does not know. */
export async function reportOn(log: Log, options: ReportOptions): Promise<ReportData> {
  const { range, metric } = options;
  const { experiment } = range;
  const known = await log.experiments();
  if (known.size > 0 && !known.has(experiment)) {
    throw new UserError(`No search of experiment "${experiment}" in ${log.place}: it knows ${[...known.keys()].join(", ")}`);
  }
  const { window: windowDays = TOKEN_TTL_MS / DAY_MS, rates, suspectPrices } = options;
  const untilMs = range.until === undefined ? undefined : Date.parse(range.until);
  const stage = await createStage({ windowMs: windowDays * DAY_MS, untilMs, rates, suspectPrices });
  try {
    const bar = progressBar("Reading searches", known.get(experiment) ?? 0, { json: options.json });
    for await (const row of log.searches(range)) {
      if (options.kind !== undefined && (row.words === 0) !== (options.kind === "browse")) continue;
      stage.addSearch(row);
      bar.increment();
    }
    for await (const row of log.armsBefore?.(range) ?? []) stage.addEarlier(row);
    for await (const row of log.actions(range)) stage.addAction(row);
    bar.stop();
    stage.seal();
    await stage.earlier.read(log, range);
    const weights = options.weights ?? (await findWeights(log, options)) ?? equalWeights(stage.variants());
    const counted = tally(stage, [...weights.arms.keys()], metric, options.cap);
    const counts = stage.counts();
    // With a time range, actions on searches outside of it are expected.
    const isCut = range.since !== undefined || range.until !== undefined || options.kind !== undefined;
    return analyse(
      {
        tally: counted,
        counts: isCut ? { ...counts, strayActions: 0 } : counts,
        money: stage.money(),
        slots: stage.slots(),
        rules: stage.rules(),
        explored: priceExplored(exploredLists(stage), options),
      },
      {
        ...options,
        experiment,
        place: log.place,
        weights,
        plan: options.plan ?? weights.plan,
        asOfMs: Math.min(Date.now(), untilMs ?? Infinity),
        notes: [...log.notes, ...(log.lateNotes?.() ?? []), ...(options.kind === undefined ? [] : [KIND_NOTES[options.kind]])],
        attribution: { windowDays, until: range.until ?? null, rates: rates === undefined ? null : Object.fromEntries(rates) },
      },
    );
  } finally {
    stage.close();
  }
}

const KIND_NOTES = { browse: "Pages without words only (--kind browse)", search: "Searches with words only (--kind search)" } as const;

async function findWeights(
  log: Log,
  { range: { experiment }, config }: Pick<ReportOptions, "range" | "config">,
): Promise<Weights | undefined> {
  const live = await log.liveExperiments();
  return live === undefined ? configuredWeights(config, experiment) : weightsIn(live, experiment, 'KV key "experiments"');
}

type ReportFlags = Omit<ReportOptions, "range" | "weights" | "control" | "json" | "plan"> &
  LogFlags &
  Plan &
  Partial<Record<"since" | "until" | "control" | "html", string>> &
  Partial<Record<"json" | "check" | "rules", true>> & {
    readonly weights?: Weights;
    readonly runs: number;
    readonly seed: string;
    readonly save?: string;
  };

/** Of the flags that say where the log is. */
export async function openLog(flags: LogFlags): Promise<Log> {
  const { config, binding, persistTo, database, queries, events, simulated } = flags;
  if (simulated === true) return openSimulatedLog(EXAMPLE);
  if (queries !== undefined) return openUbiLog({ queries, events });
  if (events !== undefined) throw new UserError(`--events ${events} needs --queries <file>: the searches that the events belong to`);
  if (database !== undefined) return openSqlLog(await openDatabaseFile(database));
  if (flags.local === true) return openSqlLog(await openLocalDatabase({ config, binding, stateDir: persistTo }));
  return openSqlLog(openWranglerDatabase({ config, binding, where: ["--remote"] }));
}

const EXAMPLE_WEIGHTS: Weights = { arms: new Map(EXAMPLE.arms.map(({ variant, weight }) => [variant, weight])), from: "the simulator" };

/** The exit code for whoever watches an experiment from a schedule. */
const ALARM = 3;

const EXAMPLES = `
Exit code ${ALARM}: an alarm (an arm has nothing at all or has lost half, or the sample ratio does not fit). The report is printed all the same.

Examples:
  armmt report --simulated --html report.html       simulated shoppers: an example of a report
  armmt report rerank --local                       the log of npm start and wrangler dev
  armmt report --check --save check.json            how often the report errs, in half an hour
  armmt report rerank                               D1 at Cloudflare
  armmt report --rules                              the price of each rule with a share
  armmt report --rules --check                      how often intervals hold the price of simulated rules
  armmt report rerank --queries queries.ndjson --events events.ndjson`;

export function createReportCommand(): Command {
  const command = new Command("report")
    .description("An experiment: sample ratio, metrics with intervals, interleaving, time to an answer")
    .argument("[experiment]", "its key");
  addPlaces(command, { log: "simulated" })
    .option("--since <time>", "only searches from then on, ISO 8601", parseTime)
    .option("--until <time>", "only searches and what followed them before, ISO 8601; refunds count whenever they come", parseTime)
    .addOption(new Option("--kind <kind>", "only pages without words, or only searches with words").choices(["browse", "search"]))
    .option(
      "--window <days>",
      "what comes later after its search is left out; the edge takes no event after 7 days",
      above(0),
      TOKEN_TTL_MS / DAY_MS,
    )
    .option("--rates <rates>", "currencies in that of the report, such as EUR=1,USD=0.92, or a JSON file of them", ratesOption)
    .addOption(
      new Option("--suspect-prices <how>", "prices far from the published ones in revenue")
        .choices(["leave-out", "count"])
        .default("leave-out"),
    )
    .option("--control <variant>", 'arm that the others are compared with (default: "control")')
    .option("--weights <weights>", "shares of the arms, such as control=0.5,armmt=0.5 (default: the edge's configuration)", weightsOption)
    .option(
      "--units-per-arm <n>",
      "shoppers in each arm at which it ends, as planned before the start (default: plan of the experiment)",
      above(0),
    )
    .option("--last-day <day>", "on which it ends (UTC), as planned before the start (default: plan of the experiment)", parseDay)
    .option("--metric <id>", `for the segments: ${METRICS.map(({ id }) => id).join(", ")}`, parseMetric, METRICS[0])
    .option("--lift <x>", "relative lift to detect", above(0), 0.03)
    .option("--power <x>", "probability of detecting it", share, 0.8)
    .option("--alpha <x>", "two-sided error rate", share, 0.05)
    .option("--cap <x>", "share of the shoppers whose sums no cap touches, 1 for no caps; choose it before the start", upToOne, DEFAULT_CAP)
    .option("--tuning <n>", "shoppers at which the confidence sequence is tightest; choose it before the start", above(0), DEFAULT_TUNING)
    .option("--rules", "what each rule of the shop costs or brings, over all searches, instead of an experiment")
    .option("--html <file>", "write the report as one HTML page too")
    .addOption(
      new Option("--check", "how often the report errs: simulated experiments without an effect, read daily").conflicts([
        "local",
        "queries",
        "database",
        "html",
      ]),
    )
    .option("--runs <n>", "with --check: experiments of each kind", whole(1), 2000)
    .option("--seed <text>", "with --check: other experiments by another text", "1")
    .option("--save <file>", "with --check: JSON of what is found, part by part; named again, the check goes on where it was stopped")
    .option("--json", "print the report as JSON and no progress")
    .addHelpText("after", EXAMPLES);
  // Otherwise --help prints the whole object.
  command.options.find(({ long }) => long === "--metric")?.default(METRICS[0], METRICS[0]?.id);
  return command.action(async (experiment: string | undefined, flags: ReportFlags) => {
    if (flags.check === true && flags.rules === true) {
      const { printRuleCheck } = await import("./rule-prices/check.ts");
      const { alpha, tuning, cap = DEFAULT_CAP, lift, power, seed, json = false } = flags;
      const runs = command.getOptionValueSource("runs") === "default" ? 1000 : flags.runs;
      if (!printRuleCheck({ alpha, tuning, cap, lift, power }, { runs, seed, json })) process.exitCode = 1;
      return;
    }
    if (flags.check === true) {
      const { printCheck } = await import("./report/check.ts");
      const { alpha, tuning, cap = DEFAULT_CAP, seed, json = false, runs, save } = flags;
      if (!(await printCheck({ alpha, tuning, cap, seed }, { runs, json, save }))) process.exitCode = 1;
      return;
    }
    if (flags.rules === true) return printRulePrices(flags, experiment);
    const key = experiment ?? (flags.simulated === true ? EXAMPLE.experiment : undefined);
    if (key === undefined) command.error("error: missing required argument 'experiment'", { exitCode: 2 });
    else await printReport(key, flags);
  });
}

async function printReport(experiment: string, flags: ReportFlags): Promise<void> {
  const log = await openLog(flags);
  try {
    const { since, until, control, html, json, unitsPerArm, lastDay } = flags;
    const range = { experiment, since, until };
    const isPlanned = unitsPerArm !== undefined || lastDay !== undefined;
    const plan = isPlanned ? { unitsPerArm, lastDay } : flags.weights && (await findWeights(log, { range, config: flags.config }))?.plan;
    const weights = flags.weights ?? (flags.simulated === true ? EXAMPLE_WEIGHTS : undefined);
    const report = await reportOn(log, { ...flags, weights, control, range, plan });
    if (html !== undefined) {
      const { drawPage } = await import("../report/page.ts"); // brings the chart library
      writeFileSync(html, drawPage(report));
    }
    process.stdout.write(
      json === true ? `${JSON.stringify({ summary: summarise(summaryFacts(report)), ...report }, undefined, 2)}\n` : formatReport(report),
    );
    if (html !== undefined && json !== true) process.stderr.write(`Wrote ${html}\n`);
    if (report.alarms.length > 0 || !report.trusted) process.exitCode = ALARM;
  } finally {
    await log.close();
  }
}

/** `experiment`: only its searches. */
async function printRulePrices(flags: ReportFlags, experiment: string | undefined): Promise<void> {
  const { formatRulePrices, priceRules } = await import("./rule-prices/prices.ts");
  const log = await openLog(flags);
  try {
    const { since, until, json, window: windowDays = TOKEN_TTL_MS / DAY_MS } = flags;
    const prices = await priceRules(log, { ...flags, windowDays, range: { experiment, since, until } });
    process.stdout.write(json === true ? `${JSON.stringify(prices, undefined, 2)}\n` : formatRulePrices(prices));
  } finally {
    await log.close();
  }
}

export function parseTime(text: string): string {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new InvalidArgumentError(`"${text}" is not a time; give one such as 2026-11-16 or 2026-11-16T09:30:00Z.`);
  return new Date(ms).toISOString();
}

function parseDay(text: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || Number.isNaN(Date.parse(text)))
    throw new InvalidArgumentError(`"${text}" is not a day; give one such as 2026-12-24.`);
  return text;
}

function parseMetric(text: string): Metric {
  const metric = findMetric(text);
  if (metric === undefined) throw new InvalidArgumentError(`Use one of ${METRICS.map(({ id }) => id).join(", ")}.`);
  return metric;
}

export const weightsOption = (text: string): Weights => parsed(() => ({ arms: parseWeights(text), from: "--weights" }));

const ratesOption = (text: string): NonNullable<OrderOptions["rates"]> => parsed(() => parseRates(text));

function parsed<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw error instanceof UserError ? new InvalidArgumentError(error.message) : error;
  }
}
