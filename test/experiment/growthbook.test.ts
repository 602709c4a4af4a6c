/**
 * GrowthBook's own conformance cases, which every SDK has to pass, here inside workerd: hash, ranges, weights and namespaces as they show in
 * assignments, and whole runs.
 */
import { type Experiment as InlineExperiment, GrowthBookClient } from "@growthbook/growthbook";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { assignVariant } from "../../src/experiment/assign.ts";

const files: Readonly<Record<string, unknown>> = import.meta.glob("../../../shared/data/fixtures/growthbook/cases.json", {
  eager: true,
  import: "default",
});
const [file] = Object.values(files);
const isPresent = file !== undefined;
if (!isPresent) console.warn("GrowthBook's cases.json is not beside this checkout (../shared/data): its cases are skipped");

const range = v.tuple([v.number(), v.number()]);
const inline = v.looseObject({ key: v.string(), variations: v.array(v.unknown()) });
const schema = v.object({
  hash: v.array(v.tuple([v.string(), v.string(), v.number(), v.nullable(v.number())])),
  getBucketRange: v.array(v.tuple([v.string(), v.tuple([v.number(), v.number(), v.nullable(v.array(v.number()))]), v.array(range)])),
  chooseVariation: v.array(v.tuple([v.string(), v.number(), v.array(range), v.number()])),
  getEqualWeights: v.array(v.tuple([v.number(), v.array(v.number())])),
  inNamespace: v.array(v.tuple([v.string(), v.string(), v.tuple([v.string(), v.number(), v.number()]), v.boolean()])),
  run: v.array(
    v.tuple([
      v.string(),
      v.looseObject({ attributes: v.optional(v.record(v.string(), v.unknown())) }),
      inline,
      v.unknown(),
      v.boolean(),
      v.boolean(),
    ]),
  ),
});

/** Whatever the case holds: it is the SDK that is tried. */
const inlineExperiment = v.custom<InlineExperiment<unknown>>((value) => v.is(inline, value));

const none = { hash: [], getBucketRange: [], chooseVariation: [], getEqualWeights: [], inNamespace: [], run: [] };
const cases = isPresent ? v.parse(schema, file) : none;

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));

/** Where a unit falls, whatever the variations. The seed is the key where there is none. */
const bucketOf = (unit: string, seed: string, hashVersion: 1 | 2 = 2): number | undefined =>
  assignVariant({ key: seed, seed, hashVersion, variations: ["0", "1"] }, { id: unit })?.bucket;

/** Units of every hundredth of the buckets. */
const units = Array.from({ length: 400 }, (_, i) => `unit-${i}`);

const within = (bucket: number, ranges: readonly (readonly [number, number])[]): string | undefined => {
  // GrowthBook compares ranges and weights to eight digits; a bucket has four.
  const found = ranges.findIndex(([start, end]) => bucket >= start - 1e-9 && bucket < end - 1e-9);
  return found < 0 ? undefined : String(found);
};

describe.skipIf(!isPresent)("GrowthBook cases", () => {
  it("are all there", () => {
    const { hash, getBucketRange, chooseVariation, getEqualWeights, inNamespace, run } = cases;
    expect([hash, getBucketRange, chooseVariation, getEqualWeights, inNamespace, run].map(({ length }) => length)).toEqual([
      15, 13, 13, 6, 16, 73,
    ]);
  });

  it.each(cases.hash)("hash(%j, %j, %i)", (seed, value, version, expected) => {
    if (version === 1 || version === 2) expect(bucketOf(value, seed, version) ?? null).toBe(value === "" ? null : expected);
    else expect(expected).toBeNull();
  });

  it.each(cases.getBucketRange)("getBucketRange: %s", (_name, [count, coverage, weights], expected) => {
    if (count < 2) return;
    for (const unit of units) {
      const assigned = assignVariant({ key: "k", variations: names(count), coverage, weights: weights ?? undefined }, { id: unit });
      expect(assigned?.variant).toBe(within(bucketOf(unit, "k")!, expected));
    }
  });

  it.each(cases.chooseVariation)("chooseVariation: %s", (_name, wanted, ranges, expected) => {
    if (ranges.length < 2) return;
    // The unit that falls there.
    let unit = 0;
    while (bucketOf(`u${unit}`, "k") !== wanted && unit < 60_000) unit++;
    const assigned = assignVariant({ key: "k", variations: names(ranges.length), ranges }, { id: `u${unit}` });
    expect(assigned?.variant).toBe(expected < 0 ? undefined : String(expected));
  });

  it.each(cases.getEqualWeights)("getEqualWeights(%i)", (count, expected) => {
    if (count < 2) return;
    const starts = expected.map((_, i) => expected.slice(0, i).reduce((sum, weight) => sum + weight, 0));
    const ranges = expected.map((weight, i): [number, number] => [
      starts[i]!,
      starts[i]! + weight + (i === expected.length - 1 ? 1e-3 : 0),
    ]);
    for (const unit of units) {
      expect(assignVariant({ key: "k", variations: names(count) }, { id: unit })?.variant).toBe(within(bucketOf(unit, "k")!, ranges));
    }
  });

  it.each(cases.inNamespace)("inNamespace: %s", (_name, unit, namespace, expected) => {
    expect(assignVariant({ key: "k", variations: ["0", "1"], namespace }, { id: unit }) !== undefined).toBe(expected);
  });

  it.each(cases.run)("run: %s", (_name, context, experiment, value, inExperiment, hashUsed) => {
    const { attributes = {}, ...rest } = context;
    const features = v.optional(v.record(v.string(), v.looseObject({})), {});
    const savedGroups = v.optional(v.record(v.string(), v.array(v.union([v.string(), v.number()]))), {});
    const client = new GrowthBookClient().initSync({
      payload: { features: v.parse(features, rest["features"]), savedGroups: v.parse(savedGroups, rest["savedGroups"]) },
    });
    const user = v.parse(
      v.object({
        enabled: v.optional(v.boolean(), true),
        qaMode: v.optional(v.boolean(), false),
        url: v.optional(v.string(), ""),
        forcedVariations: v.optional(v.record(v.string(), v.number()), {}),
      }),
      rest,
    );
    const result = client.runInlineExperiment(v.parse(inlineExperiment, experiment), { ...user, attributes });
    expect([result.value, result.inExperiment, result.hashUsed]).toEqual([value, inExperiment, hashUsed]);
  });
});
