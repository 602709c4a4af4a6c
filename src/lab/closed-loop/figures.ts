/** What the parts have left → the figures of the story. Parts that were not told yet are absent. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { bootstrapMeans } from "../../cli/evaluate/metrics.ts";
import { readJson } from "../../cli/train/stages.ts";
import { createRandom } from "../../demo/catalogue/random.ts";
import { SIZES } from "./plan.ts";
import { storySchema } from "./run.ts";
import { climbSchema, guardSchema, variantOf } from "./story.ts";

/** What is judged by the truth. */
const WORTHS = ["clicks", "purchases", "revenue"] as const;
type Worth = (typeof WORTHS)[number];
const DRAWS = 1000;

const interval = v.object({ low: v.number(), high: v.number() });

const reportSchema = v.object({
  control: v.string(),
  trusted: v.boolean(),
  sampleRatio: v.object({ verdict: v.string() }),
  alarms: v.array(v.unknown()),
  exposures: v.object({ searches: v.number() }),
  metrics: v.array(
    v.object({
      metric: v.string(),
      comparisons: v.array(
        v.object({
          variant: v.string(),
          verdict: v.string(),
          raw: v.object({ difference: v.nullable(v.object({ value: v.number(), fixed: interval, always: interval })) }),
        }),
      ),
    }),
  ),
  interleaving: v.array(
    v.object({
      variant: v.string(),
      teams: v.object({ a: v.string(), b: v.string() }),
      searches: v.number(),
      votes: v.array(
        v.object({
          by: v.string(),
          a: v.number(),
          b: v.number(),
          ties: v.number(),
          verdict: v.string(),
          result: v.nullable(v.object({ shareOfB: v.number(), fixed: interval, always: interval })),
        }),
      ),
    }),
  ),
});
type Report = v.InferOutput<typeof reportSchema>;

const worthSchema = v.object(v.entriesFromList(WORTHS, v.number()));
const truthSchema = v.object({ shopper: v.string(), shown: worthSchema, arms: v.record(v.string(), worthSchema) });
type Truth = v.InferOutput<typeof truthSchema>;

const simulationSchema = v.object({
  ...v.entriesFromList(["searches", "clicks", "carts", "purchases", "returns", "untold", "unjudged"], v.number()),
  rejected: v.record(v.string(), v.number()),
});

const gateSchema = v.object({
  verdict: v.string(),
  refused: v.array(v.string()),
  missing: v.array(v.string()),
  judgments: v.array(v.object({ against: v.string(), outcome: v.string(), lost: v.array(v.string()) })),
  evidence: v.nullable(
    v.object({
      lists: v.number(),
      clicked: v.number(),
      comparisons: v.array(
        v.object({ against: v.string(), figure: v.string(), mean: v.number(), low: v.number(), high: v.number(), base: v.number() }),
      ),
    }),
  ),
});

const roundSchema = v.object({
  number: v.number(),
  model: v.optional(v.string()),
  outcome: v.optional(v.string()),
  steps: v.record(v.string(), v.optional(v.object({ state: v.string(), seconds: v.number(), detail: v.optional(v.string()) }))),
});

const manifestSchema = v.object({
  version: v.string(),
  training: v.object({ lists: v.number(), clicked: v.number(), bySplit: v.record(v.string(), v.number()) }),
});

const sensitivitySchema = v.object({
  interleaved: v.string(),
  arm: v.string(),
  by: v.string(),
  value: v.nullable(v.number()),
  interval: v.nullable(interval),
  why: v.nullable(v.string()),
});
const planSchema = v.object({ log: v.nullable(v.object({ sensitivities: v.array(sensitivitySchema) })) });

const looksSchema = v.array(
  v.object({
    searches: v.number(),
    outcomes: v.array(v.object({ variant: v.string(), bypass: v.nullable(v.string()), searches: v.number() })),
    ...guardSchema.entries,
  }),
);

const stagesSchema = v.record(v.string(), v.object({ seconds: v.number() }));

export type Figures = ReturnType<typeof readFigures>;

export function readFigures(home: string) {
  const { size, begun } = readJson(join(home, "story.json"), storySchema);
  const stages = existsSync(join(home, "stages.json")) ? readJson(join(home, "stages.json"), stagesSchema) : {};
  /** `undefined` where the part was not told to its end. */
  const told = <T>(part: string, read: (folder: string) => T): T | undefined => (part in stages ? read(join(home, part)) : undefined);
  const variant = (which: "first" | "second"): string => variantOf(home, which);
  return {
    simulated: true,
    size,
    sizes: Object.entries(SIZES).find(([name]) => name === size)?.[1],
    begun,
    seconds: Object.fromEntries(Object.entries(stages).map(([part, { seconds }]) => [part, Math.round(seconds)])),
    log: told("log", (folder) => readJson(join(folder, "traffic/simulation.json"), simulationSchema)),
    firstModel: told("first-model", (folder) => readTeaching(home, folder, "first")),
    firstClimb: told("first-climb", (folder) => readJson(join(folder, "climb.json"), climbSchema).steps),
    alike: told("alike", (folder) => readAlike(join(folder, "report.json"))),
    first: told("first", (folder) => ({
      ...readTest(folder, "report.json"),
      truth: compareTruths(readTruths(join(folder, "traffic")), [
        ["control", variant("first")],
        ["semantic", variant("first")],
      ]),
      sensitivities: readJson(join(folder, "plan.json"), planSchema).log?.sensitivities ?? [],
    })),
    reversed: told("reversed", readReversed),
    secondModel: told("second-model", (folder) => readTeaching(home, folder, "second")),
    secondClimb: told("second-climb", (folder) => readJson(join(folder, "climb.json"), climbSchema).steps),
    second: told("second", (folder) => ({
      againstSemantic: readTest(folder, "against-semantic.json"),
      againstFirst: readTest(folder, "against-first.json"),
      truth: compareTruths(readTruths(join(folder, "traffic")), [
        ["control", "semantic"],
        ["semantic", variant("first")],
        ["semantic", variant("second")],
        [variant("first"), variant("second")],
      ]),
    })),
  };
}

/** Whether shoppers clicked in lists into which the new model was interleaved, and the ladder has read that. */
function hasVotes(steps: Figures["firstClimb"] = []): boolean {
  return steps.some(({ evidence }) => evidence !== null && Object.values(evidence.clicks).some((votes) => votes > 0));
}

/** What must hold in any story, however short; in words. */
export function faultsOf({
  size,
  log,
  firstModel,
  firstClimb,
  alike,
  reversed,
}: Pick<Figures, "size" | "log" | "firstModel" | "firstClimb" | "alike" | "reversed">): string[] {
  const rejected = Object.keys(log?.rejected ?? {});
  const clicks = reversed?.truth.find(({ figure }) => figure === "clicks")?.difference;
  const claims: readonly (readonly [boolean, string])[] = [
    [size !== "quick" || hasVotes(firstClimb), `No shopper voted in the ladder's trial: ${JSON.stringify(firstModel?.round.steps)}`],
    [rejected.length === 0, `The edge rejected actions of simulated shoppers: ${rejected.join(", ")}`],
    [(alike?.called ?? 0) === 0, `${alike?.called} metrics of two arms that show the same have a verdict`],
    [(alike?.alarms ?? 0) === 0, `${alike?.alarms} alarms about two arms that show the same`],
    [reversed?.gate.verdict !== "passes", "The gate lets the reversed model pass"],
    [clicks === undefined || clicks.high < 0, "The reversed model is not worse than the engine by the truth"],
    [
      (reversed?.switchedOffAfterwards ?? 1) === 1,
      `After the guard's stop ${reversed?.switchedOffAfterwards} of the arm's searches saw the engine's order`,
    ],
  ];
  return claims.flatMap(([holds, fault]) => (holds ? [] : [fault]));
}

function readTeaching(home: string, folder: string, which: "first" | "second") {
  const gate = join(folder, "gate.json");
  const { version, training } = readJson(join(home, "models", which, "manifest.json"), manifestSchema);
  return {
    model: version,
    lists: training.lists,
    clicked: training.clicked,
    taught: training.bySplit["train"] ?? 0,
    round: readRound(join(folder, "loop.json"), home),
    gate: existsSync(gate) ? readJson(gate, gateSchema) : undefined,
  };
}

/** Without the paths of this machine. */
function readRound(file: string, home: string) {
  const { steps, ...round } = readJson(file, roundSchema);
  const named = Object.entries(steps).flatMap(([step, each]) =>
    each === undefined ? [] : [{ step, ...each, detail: each.detail?.replaceAll(`${home}/`, "") }],
  );
  return { ...round, steps: named };
}

function readAlike(file: string) {
  const { metrics, ...report } = readJson(file, reportSchema);
  const compared = metrics.flatMap(({ metric, comparisons }) => comparisons.map((each) => ({ metric, ...each })));
  return {
    searches: report.exposures.searches,
    sampleRatio: report.sampleRatio.verdict,
    alarms: report.alarms.length,
    metrics: compared.map(({ metric, verdict, raw }) => ({ metric, verdict, difference: raw.difference })),
    called: compared.filter(({ verdict }) => verdict !== "open").length,
  };
}

/** Every metric that the truth knows, against the truth. */
function readTest(folder: string, file: string) {
  const report = readJson(join(folder, file), reportSchema);
  const truths = readTruths(join(folder, "traffic"));
  return {
    control: report.control,
    searches: report.exposures.searches,
    sampleRatio: report.sampleRatio.verdict,
    alarms: report.alarms.length,
    comparisons: WORTHS.flatMap((worth) => compareWith(report, worth, truths)),
    interleaving: report.interleaving,
  };
}

function compareWith({ metrics, control }: Report, worth: Worth, truths: readonly Truth[]) {
  const found = metrics.find(({ metric }) => metric === worth)?.comparisons ?? [];
  return found
    .filter(({ variant }) => !variant.startsWith("interleave"))
    .map(({ variant, verdict, raw: { difference } }) => {
      const truth = compareTruths(truths, [[control, variant]]).find((each) => each.figure === worth)?.difference;
      const holds =
        difference === null || truth === undefined ? null : difference.fixed.low <= truth.mean && truth.mean <= difference.fixed.high;
      return { variant, metric: worth, verdict, difference, truth, holds };
    });
}

function readReversed(folder: string) {
  const looks = readJson(join(folder, "looks.json"), looksSchema);
  const truths = readdirSync(folder)
    .filter((name) => name.startsWith("batch-"))
    .flatMap((name) => readTruths(join(folder, name)));
  const stop = looks.find(({ switchedOff }) => switchedOff.length > 0);
  const afterwards = looks.at(-1)?.outcomes.filter(({ variant }) => variant !== "control") ?? [];
  const all = afterwards.reduce((sum, { searches }) => sum + searches, 0);
  const off = afterwards.filter(({ bypass }) => bypass === "switched_off").reduce((sum, { searches }) => sum + searches, 0);
  return {
    gate: readJson(join(folder, "gate.json"), gateSchema),
    truth: compareTruths(truths, [["control", "armmt@reversed:1"]]),
    looks: looks.map(({ searches, switchedOff, guardrails }) => ({
      searches,
      switchedOff,
      harm: guardrails.filter(({ state }) => state === "harm").map(({ guardrail }) => guardrail),
    })),
    stoppedAfter: stop?.searches ?? null,
    /** Of the arm's searches in the batch after that: as many saw the engine's order. */
    switchedOffAfterwards: stop === undefined || all === 0 ? null : off / all,
  };
}

/** Searches for which the worth of each arm's order is known. */
function readTruths(folder: string): readonly Truth[] {
  const file = join(folder, "truth.ndjson");
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  const truths = lines.filter((line) => line !== "").map((line) => v.parse(truthSchema, JSON.parse(line)));
  return truths.filter(({ arms }) => Object.keys(arms).length > 0);
}

/** Per search, of expected figures on the same searches; intervals resample shoppers. */
export function compareTruths(truths: readonly Truth[], pairs: readonly (readonly [against: string, arm: string])[]) {
  return pairs.flatMap(([against, arm]) =>
    WORTHS.flatMap((figure) => {
      const known = truths.filter(({ arms }) => arm in arms && against in arms);
      if (known.length === 0) return [];
      const shoppers = new Map<string, { sum: number; searches: number }>();
      let base = 0;
      for (const { shopper, arms } of known) {
        const own = shoppers.get(shopper) ?? { sum: 0, searches: 0 };
        own.sum += arms[arm]![figure] - arms[against]![figure];
        own.searches++;
        base += arms[against]![figure] / known.length;
        shoppers.set(shopper, own);
      }
      // One value per shopper whose mean is the ratio of the sums, and varies as it does (delta method).
      const values = [...shoppers.values()];
      const mean = values.reduce((sum, each) => sum + each.sum, 0) / known.length;
      const size = known.length / values.length;
      const column = values.map(({ sum, searches }) => mean + (sum - mean * searches) / size);
      const [difference] = bootstrapMeans([column], createRandom(`closed loop ${arm} ${against} ${figure}`).next, DRAWS);
      return [{ arm, against, figure, searches: known.length, base, difference: difference! }];
    }),
  );
}
