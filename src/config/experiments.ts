/** Experiments in the shape of GrowthBook, from the configuration or from a KV key. */
import * as v from "valibot";
import { isObject } from "../backends/json/values.ts";
import { assignVariant, type Condition, type Experiment } from "../experiment/assign.ts";
import { parseTreatment } from "../experiment/treatment.ts";
import { err, ok, type Result } from "../result.ts";
import { describeIssue, NAME, table } from "./fields.ts";

/** The issue names the problem of a variant's name, and the forms of names. */
export const variant = v.pipe(
  v.string("name a variant"),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return;
    const parsed = parseTreatment(dataset.value);
    if (!parsed.ok) addIssue({ message: parsed.error.replace(/^".*?" /, "") });
  }),
);

const share = v.pipe(v.number("use a number"), v.minValue(0, "use 0 to 1"), v.maxValue(1, "use 0 to 1"));
const experimentName = v.pipe(v.string("give it a name"), v.regex(NAME, "use letters, digits, dots, dashes and underscores"));

const experiment = v.pipe(
  v.strictObject({
    key: experimentName,
    status: v.optional(v.picklist(["draft", "running", "stopped"], 'use "draft", "running" or "stopped"')),
    seed: v.optional(v.string("use text")),
    hashVersion: v.optional(v.picklist([1, 2], "use 1 or 2")),
    hashAttribute: v.optional(v.string("name an attribute")),
    variations: v.pipe(
      v.array(variant, "list variants"),
      v.minLength(2, "list two variations"),
      v.check((list) => new Set(list).size === list.length, "list each variation once"),
    ),
    weights: v.optional(v.array(v.pipe(v.number("use numbers"), v.minValue(0, "use weights from 0 to 1")))),
    coverage: v.optional(share),
    namespace: v.optional(v.tuple([v.string("name the namespace"), share, share], "give a name, a start and an end")),
    ranges: v.optional(v.array(v.tuple([share, share], "give a start and an end"))),
    condition: v.optional(v.custom<Condition>(isObject, "give a table of attributes")),
    off: v.optional(v.array(v.string("name a variation"), "list variations")),
    plan: v.optional(
      v.pipe(
        v.strictObject({
          unitsPerArm: v.optional(v.pipe(v.number("use a number"), v.minValue(1, "use a number of shoppers"))),
          lastDay: v.optional(v.pipe(v.string("use a day"), v.isoDate('use a day such as "2026-12-24"'))),
        }),
        v.check(({ unitsPerArm, lastDay }) => unitsPerArm !== undefined || lastDay !== undefined, "give unitsPerArm, lastDay or both"),
      ),
    ),
  }),
  v.check(({ weights, variations }) => weights === undefined || weights.length === variations.length, "give one weight per variation"),
  v.check(
    ({ weights }) => weights === undefined || Math.abs(weights.reduce((sum, weight) => sum + weight, 0) - 1) < 1e-6,
    "let the weights add up to 1",
  ),
  v.check(({ off = [], variations }) => off.every((name) => variations.includes(name)), "let off name variations of the experiment"),
  v.check(({ ranges, variations }) => ranges === undefined || ranges.length === variations.length, "give one range per variation"),
  v.check(({ namespace }) => namespace === undefined || namespace[1] < namespace[2], "let the namespace begin before it ends"),
  v.check((value) => isEvaluable(value), "let the condition be one of GrowthBook's: it cannot be evaluated"),
);

export const experimentList = v.pipe(
  table(v.array(experiment, "list experiments")),
  v.check((list) => new Set(list.map(({ key }) => key)).size === list.length, "give each experiment a key of its own"),
);

/** Some invalid conditions make the SDK throw. */
function isEvaluable(value: Experiment): boolean {
  try {
    assignVariant(value, { id: "anybody" });
    return true;
  } catch {
    return false;
  }
}

/** The text of the KV key that changes experiments without a deployment. Each problem is one line. */
export function parseExperiments(text: string): Result<readonly Experiment[], readonly string[]> {
  const parsed = v.safeParse(v.object({ EXPERIMENTS: experimentList }), { EXPERIMENTS: text });
  return parsed.success ? ok(parsed.output.EXPERIMENTS) : err(parsed.issues.map(describeIssue));
}
