/** `armmt plan`: units, days and cost of an experiment before it starts, as an A/B test or interleaved. */
import { Command } from "commander";
import { DEFAULT_TUNING } from "../report/statistics/sequential.ts";
import { costOf, type CostOptions } from "../report/plan/cost.ts";
import { sizeOf, type SizeOptions } from "../report/plan/size.ts";
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

type PlanFlags = SizeOptions & CostOptions & { readonly perDay?: number; readonly json?: true };

const EXAMPLES = `
Examples:
  armmt plan --base 0.03 --lift 0.03 --per-day 50000                      of shoppers, 3 % buy; is it 3.09 %?
  armmt plan --base 0.3 --lift 0.01 --json                                 click-through per search
  armmt plan --base 4.2 --variance 300 --lift 0.02 --searches-per-unit 2.5 revenue per shopper`;

export function createPlanCommand(): Command {
  return new Command("plan")
    .description("Sample size, days and cost of an experiment, before it starts")
    .requiredOption("--base <x>", "value of control: a share of units, or with --variance a mean", above(0))
    .requiredOption("--lift <x>", "relative change to see: 0.03 is three percent more, -0.03 less", change)
    .option("--variance <x>", "of one unit: the base is a mean", above(0))
    .option("--power <x>", "probability of detecting it", share, 0.8)
    .option("--alpha <x>", "two-sided error rate", share, 0.05)
    .option("--arms <n>", "arms of the same size, control included", whole(2), 2)
    .option("--coverage <x>", "share of units that take part", upToOne, 1)
    .option("--per-day <n>", "searches a day, for the number of days", above(0))
    .option("--searches-per-unit <x>", "searches of one randomisation unit; 1 where a search is the unit", above(0), 1)
    .option("--tuning <n>", "units at which the confidence sequence is tightest", above(0), DEFAULT_TUNING)
    .option("--sensitivity <x>", "of interleaving, in A/B tests; 10 to 100 are published", above(0), 10)
    .option("--votes-per-search <x>", "share of interleaved searches in which one team wins", share, 0.25)
    .option("--window <n>", "hits that are re-ranked", whole(2), 100)
    .option("--items <n>", "products in the catalogue", whole(1), 100_000)
    .option("--cpu-ms <x>", "CPU of one search (default: by window, from the table in docs/performance.md)", above(0))
    .option("--searches-per-isolate <n>", "that an isolate serves before it ends", above(0), 1000)
    .option("--json", "print the plan as JSON")
    .addHelpText("after", EXAMPLES)
    .action((flags: PlanFlags) => {
      const plan = planFor({ ...flags, searchesPerDay: flags.perDay });
      process.stdout.write(flags.json === true ? `${JSON.stringify(plan, undefined, 2)}\n` : formatPlan(plan));
    });
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
    `By the rule of thumb 2 (z₁ + z₂)² σ² / δ²: ${format.wholeNumber(ab.unitsPerArmByRuleOfThumb)} units per arm.`,
    `Interleaving: ${interleaving.sensitivity} times as sensitive is an assumption. With ${format.wholeNumber(interleaving.votes)} votes a preference of ${format.share(interleaving.tellsShare)} can be told from a coin.`,
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
