/** GrowthBook's own conformance cases, which every SDK has to pass. */
import { existsSync, readFileSync } from "node:fs";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { assignVariant, bucketRanges, chooseVariation, equalWeights, hash } from "../../src/experiment/assign.ts";

const FILE = new URL("../../../shared/data/fixtures/growthbook/cases.json", import.meta.url);
const isPresent = existsSync(FILE);
if (!isPresent) console.warn("GrowthBook's cases.json is not beside this checkout (../shared/data): its cases are skipped");

const range = v.tuple([v.number(), v.number()]);
const schema = v.object({
  hash: v.array(v.tuple([v.string(), v.string(), v.number(), v.nullable(v.number())])),
  getBucketRange: v.array(v.tuple([v.string(), v.tuple([v.number(), v.number(), v.nullable(v.array(v.number()))]), v.array(range)])),
  chooseVariation: v.array(v.tuple([v.string(), v.number(), v.array(range), v.number()])),
  getEqualWeights: v.array(v.tuple([v.number(), v.array(v.number())])),
  run: v.array(v.looseTuple([v.string(), v.unknown(), v.unknown(), v.unknown(), v.boolean()])),
});

const none = { hash: [], getBucketRange: [], chooseVariation: [], getEqualWeights: [], run: [] };
const cases = isPresent ? v.parse(schema, JSON.parse(readFileSync(FILE, "utf8"))) : none;

/** Those `run` cases that use only what this module has: one id, no targeting. */
const runSchema = v.tuple([
  v.string(),
  v.strictObject({ attributes: v.strictObject({ id: v.string() }) }),
  v.strictObject({
    key: v.string(),
    variations: v.array(v.number()),
    weights: v.optional(v.array(v.number())),
    coverage: v.optional(v.number()),
    seed: v.optional(v.string()),
    hashVersion: v.optional(v.picklist([1, 2]), 1),
  }),
  v.unknown(),
  v.boolean(),
]);

/** GrowthBook compares ranges and weights to eight digits. */
const rounded = (values: readonly number[]) => values.map((value) => Math.round(value * 1e8) / 1e8);

describe.skipIf(!isPresent)("GrowthBook cases", () => {
  it("are all there", () => {
    expect([cases.hash.length, cases.getBucketRange.length, cases.chooseVariation.length, cases.getEqualWeights.length]).toEqual([
      15, 13, 13, 6,
    ]);
  });

  it.each(cases.hash)("hash(%j, %j, %i)", (seed, value, version, expected) => {
    expect(hash(seed, value, version) ?? null).toBe(expected);
  });

  it.each(cases.getBucketRange)("getBucketRange: %s", (_name, [count, coverage, weights], expected) => {
    const ranges = bucketRanges(count, { coverage, weights: weights ?? undefined });
    expect(ranges.map(rounded)).toEqual(expected.map(rounded));
  });

  it.each(cases.chooseVariation)("chooseVariation: %s", (_name, bucket, ranges, expected) => {
    expect(chooseVariation(bucket, ranges)).toBe(expected);
  });

  it.each(cases.getEqualWeights)("getEqualWeights(%i)", (count, expected) => {
    expect(rounded(equalWeights(count))).toEqual(expected);
  });

  const runs = cases.run.flatMap((one) => {
    const parsed = v.safeParse(runSchema, one);
    return parsed.success ? [parsed.output] : [];
  });
  it("include whole assignments", () => {
    expect(runs.length).toBeGreaterThanOrEqual(40);
  });

  it.each(runs)("run: %s", (_name, { attributes }, { variations, ...experiment }, expected, isIncluded) => {
    const assigned = assignVariant({ ...experiment, variations: variations.map(String) }, attributes.id);
    expect(assigned !== undefined).toBe(isIncluded);
    if (isIncluded) expect(assigned?.variant).toBe(String(expected));
  });
});
