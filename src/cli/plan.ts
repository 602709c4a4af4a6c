/** `armmt plan`: units, days and cost of an experiment before it starts, as an A/B test or interleaved. */
import { Command } from "commander";
import { DEFAULT_TUNING } from "../report/statistics/sequential.ts";
import { costOf, type CostOptions } from "../report/plan/cost.ts";
import { sizeOf, type SizeOptions } from "../report/plan/size.ts";
import { METRICS } from "../report/metrics.ts";
import { type Sensitivity, sensitivitiesOf } from "../report/plan/sensitivity.ts";
import { addPlaces, type LogFlags } from "./places.ts";
import { openLog, reportOn } from "./report.ts";
import { EXAMPLE } from "./report/simulated.ts";
import { above, change, share, upToOne, whole } from "./numbers.ts";
import * as format from "../report/format.ts";
import { UserError } from "../web.ts";

/** Throws a UserError for a base that is not a proportion. */
export function planFor(options: SizeOptions & CostOptions) {
  const { base, lift, power, alpha, arms, searchesPerDay } = options;
  try {
    const { ab, interleaving } = sizeOf(options);
    const cost = costOf(options);
    const priceOf = (searches: number): number => (searches / 1e6) * cost.perMillionSearches.total;
    return {
      base,
      lift,
      power,
      alpha,
      arms,
      searchesPerDay: searchesPerDay ?? null,
      ab,
      interleaving,
      cost: { ...cost, ofExperiment: { ab: priceOf(ab.searches), interleaving: priceOf(interleaving.searches) } },
    };
  } catch (error) {
    if (error instanceof RangeError) {
      throw new UserError(`${error.message}: give a --base between 0 and 1 that stays there with --lift, or --variance <x> for a mean`, {
        cause: error,
      });
    }
    throw error;
  }
}

type Plan = ReturnType<typeof planFor>;

type Optional = "base" | "searchesPerUnit" | "sensitivity" | "votesPerSearch";

type PlanFlags = Omit<SizeOptions, Optional | "searchesPerDay"> &
  Partial<Pick<SizeOptions, Optional>> &
  CostOptions &
  LogFlags & { readonly perDay?: number; readonly experiment?: string; readonly json?: true };

const EXAMPLES = `
Examples:
  armmt plan --base 0.03 --lift 0.03 --per-day 50000                      of shoppers, 3 % buy; is it 3.09 %?
  armmt plan --base 0.3 --lift 0.01 --json                                 click-through per search
  armmt plan --lift 0.03 --experiment first-look                           what your own log says: conversion, searches, interleaving
  armmt plan --base 4.2 --variance 300 --lift 0.02 --searches-per-unit 2.5 revenue per shopper`;

export function createPlanCommand(): Command {
  const command = new Command("plan")
    .description("Sample size, days and cost of an experiment, before it starts")
    .option("--base <x>", "value of control: a share of units, or with --variance a mean (default: conversion in the log)", above(0))
    .requiredOption("--lift <x>", "relative change to see: 0.03 is three percent more, -0.03 less", change)
    .option("--variance <x>", "of one unit: the base is a mean", above(0))
    .option("--power <x>", "probability of detecting it", share, 0.8)
    .option("--alpha <x>", "two-sided error rate", share, 0.05)
    .option("--arms <n>", "arms of the same size, control included", whole(2), 2)
    .option("--coverage <x>", "share of units that take part", upToOne, 1)
    .option("--per-day <n>", "searches a day, for the number of days (default: as in the log)", above(0))
    .option(
      "--searches-per-unit <x>",
      "searches of one randomisation unit; 1 where a search is the unit (default: as in the log)",
      above(0),
    )
    .option("--tuning <n>", "units at which the confidence sequence is tightest", above(0), DEFAULT_TUNING)
    .option("--sensitivity <x>", "of interleaving, in A/B tests (default: from the log, else 10; 10 to 100 are published)", above(0))
    .option("--votes-per-search <x>", "share of interleaved searches in which one team wins (default: from the log, else 0.25)", share)
    .option("--window <n>", "hits that are re-ranked", whole(2), 100)
    .option("--items <n>", "products in the catalogue", whole(1), 100_000)
    .option("--cpu-ms <x>", "CPU of one search (default: by window, from the table in docs/performance.md)", above(0))
    .option("--searches-per-isolate <n>", "that an isolate serves before it ends", above(0), 1000)
    .option("--experiment <key>", "an earlier experiment of yours: its log gives what is not given here");
  addPlaces(command, { log: "simulated" }).option("--json", "print the plan as JSON").addHelpText("after", EXAMPLES);
  return command.action(async (flags: PlanFlags) => {
    const experiment = flags.experiment ?? (flags.simulated === true ? EXAMPLE.experiment : undefined);
    const names = ["local", "database", "queries", "events"] as const;
    const stray = names.find((name) => experiment === undefined && flags[name] !== undefined);
    if (stray !== undefined) command.error(`error: --${stray} needs --experiment <key>: whose log to read`, { exitCode: 2 });
    const known = experiment === undefined ? undefined : await readOwn(experiment, flags);
    const base = flags.base ?? known?.base;
    if (base === undefined)
      command.error("error: required option '--base <x>' not specified: the log, if any, has no conversion", { exitCode: 2 });
    else print(planFor({ ...withDefaults(flags, known), base }), known, flags.json === true);
  });
}

function print(plan: Plan, known: Own | undefined, isJson: boolean): void {
  if (isJson) process.stdout.write(`${JSON.stringify({ ...plan, log: known ?? null }, undefined, 2)}\n`);
  else process.stdout.write(`${known === undefined ? "" : `${describeOwn(known)}\n\n`}${formatPlan(plan)}`);
}

type Own = Awaited<ReturnType<typeof readOwn>>;

/** What an earlier experiment says about the next one. */
async function readOwn(experiment: string, flags: PlanFlags) {
  const log = await openLog(flags);
  try {
    const range = { experiment, since: undefined, until: undefined };
    const { lift, power, alpha, tuning, config, json } = flags;
    const options = {
      range,
      weights: undefined,
      config,
      control: undefined,
      metric: METRICS[0]!,
      lift: Math.abs(lift),
      power,
      alpha,
      tuning,
      json,
    };
    const report = await reportOn(log, options);
    const { exposures, control, metrics } = report;
    const shoppers = exposures.arms.reduce((sum, arm) => sum + arm.shoppers, 0);
    const known = exposures.arms.reduce((sum, arm) => sum + arm.searches - arm.searchesWithoutShopper, 0);
    const conversion = metrics
      .find(({ metric }) => metric === "conversion-per-shopper")
      ?.arms.find(({ variant }) => variant === control)?.value;
    const sensitivities = sensitivitiesOf(report);
    const told = sensitivities.filter(({ value }) => value !== null).toSorted((x, y) => (x.value ?? 0) - (y.value ?? 0));
    return {
      experiment,
      place: log.place,
      simulated: report.simulated,
      /** Conversion of control's shoppers; `undefined` without one. */
      base: conversion === null || !(Number(conversion) > 0) ? undefined : conversion,
      searchesPerDay: exposures.searchesPerDay > 0 ? exposures.searchesPerDay : undefined,
      searchesPerUnit: shoppers > 0 ? known / shoppers : undefined,
      sensitivities,
      /** The smallest one that the log can tell: the cautious end. */
      sensitivity: told[0],
    };
  } finally {
    await log.close();
  }
}

function withDefaults(flags: PlanFlags, known: Own | undefined) {
  const own = flags.sensitivity === undefined ? known?.sensitivity : undefined;
  return {
    ...flags,
    searchesPerDay: flags.perDay ?? known?.searchesPerDay,
    searchesPerUnit: flags.searchesPerUnit ?? known?.searchesPerUnit ?? 1,
    sensitivity: flags.sensitivity ?? own?.value ?? 10,
    votesPerSearch: flags.votesPerSearch ?? own?.votesPerSearch ?? 0.25,
    sensitivityFrom: own && `Interleaving's sensitivity is that of ${known?.experiment} in ${known?.place}: ${describeSensitivity(own)}`,
  };
}

function describeSensitivity({ interleaved, arm, by, value, interval, why }: Sensitivity): string {
  const between = `${interleaved} against the A/B test of ${arm}, by ${by}`;
  if (value === null) return `${between}: it cannot tell, ${why}`;
  return `${between}: ${value.toFixed(1)} times (95 % interval ${interval.low.toFixed(1)} to ${interval.high.toFixed(1)})`;
}

function figure(value: number | undefined, text: (known: number) => string): string {
  return value === undefined ? format.NONE : text(value);
}

function describeOwn({ experiment, place, simulated, base, searchesPerDay, searchesPerUnit, sensitivities }: Own): string {
  return [
    `From ${experiment} in ${place}${simulated ? ", SIMULATED" : ""}: conversion of control ${figure(base, format.share)}, ` +
      `${figure(searchesPerDay, format.wholeNumber)} searches a day, ${figure(searchesPerUnit, (n) => n.toFixed(2))} of each shopper.`,
    ...sensitivities.map((each) => `- ${describeSensitivity(each)}`),
    ...(sensitivities.length === 0 ? ["- No interleaved arm: how sensitive interleaving is here, it cannot tell."] : []),
  ].join("\n");
}

function formatPlan(plan: Plan): string {
  const { base, lift: wanted, power, alpha, ab, interleaving, cost } = plan;
  const sizeRow = (name: string, size: Pick<Plan["ab"], "unitsPerArm" | "units" | "searches" | "days">) => [
    name,
    ...[size.unitsPerArm, size.units, size.searches].map(format.wholeNumber),
    size.days === null ? undefined : format.days(size.days),
  ];
  const days = interleaving.days === null ? undefined : format.days(interleaving.days);
  const sizes = format.formatTable(
    ["", "units per arm", "units", "searches", "days"],
    [
      sizeRow("A/B, one look at the end", ab),
      sizeRow("A/B, planned end, read every day", ab.planned),
      sizeRow("A/B, confidence sequence, at most", ab.alwaysValid),
      sizeRow(`… with --tuning ${ab.alwaysValidTuned.tuning}`, ab.alwaysValidTuned),
      ["interleaving", undefined, undefined, format.wholeNumber(interleaving.searches), days],
    ],
  );
  const { perMillionSearches: million, perMonth } = cost;
  const prices = format.formatTable(
    ["US dollars", "per million searches"],
    [
      ["requests", dollars(million.requests)],
      [`CPU, ${Number(cost.cpuMsPerSearch.toFixed(2))} ms per search`, dollars(million.cpu)],
      [`KV, at most ${cost.kvReadsPerSearch.toFixed(2)} reads per search`, dollars(million.kvReads)],
      ["exposures in D1", dollars(million.exposures)],
      ["together", dollars(million.total)],
    ],
  );
  return [
    `To see ${format.lift(wanted)} on ${base} with a power of ${format.chance(power)} at a two-sided error of ${format.chance(alpha)}`,
    "",
    sizes,
    `Planned end: state it before the start, with the experiment in EXPERIMENTS: "plan": { "unitsPerArm": ${ab.planned.unitsPerArm} }.`,
    `By the rule of thumb 2 (z₁ + z₂)² σ² / δ²: ${format.wholeNumber(ab.unitsPerArmByRuleOfThumb)} units per arm.`,
    `Interleaving: ${Number(interleaving.sensitivity.toFixed(1))} times as sensitive is ${interleaving.isAssumed ? "assumed" : "estimated from the log"}. With ${format.wholeNumber(interleaving.votes)} votes a preference of ${format.share(interleaving.tellsShare)} can be told from a coin.`,
    interleaving.assumption,
    "",
    prices,
    `This A/B test: ${dollars(cost.ofExperiment.ab)}; interleaved: ${dollars(cost.ofExperiment.interleaving)}.`,
    `Besides: the plan ${dollars(perMonth.plan)} and KV storage ${dollars(perMonth.kvStorage)} a month, ${dollars(cost.perPublish)} per publish.`,
    `Cloudflare's list prices, seen in ${cost.pricesSeen}. Assumptions:`,
    ...cost.assumptions.map((assumption) => `- ${assumption}`),
    "",
  ].join("\n");
}

function dollars(value: number): string {
  return `$${value < 0.01 ? value.toFixed(4) : value.toFixed(2)}`;
}
