/**
 * The variant of a unit, by GrowthBook's own SDK, so that every isolate, every language and GrowthBook itself agree on hash, ranges,
 * namespaces and targeting.
 *
 * Stateless: the same unit in the same experiment gets the same variant as long as key, weights and coverage stay.
 */
import { type ConditionInterface, GrowthBookClient } from "@growthbook/growthbook";

/** Targeting, in GrowthBook's condition language. */
export type Condition = ConditionInterface;

/** In the shape of GrowthBook's inline experiments. */
export interface Experiment {
  /** Another key gives the same units another split. */
  readonly key: string;
  /** Only a running experiment assigns units. Default running. */
  readonly status?: "draft" | "running" | "stopped" | undefined;
  /** Of the hash; default the key. To go on with an experiment under another name. */
  readonly seed?: string | undefined;
  /** Default 2, as in new GrowthBook experiments. */
  readonly hashVersion?: 1 | 2 | undefined;
  /** Which attribute is the unit; default `id`. */
  readonly hashAttribute?: string | undefined;
  /** In bucket order; appending keeps earlier ranges only if the weights do. */
  readonly variations: readonly string[];
  /** One per variation, adding up to 1; equal where left out. */
  readonly weights?: readonly number[] | undefined;
  /** Share of units that take part, 0..1; default 1. Raising it keeps the variants of earlier participants. */
  readonly coverage?: number | undefined;
  /** Name, start and end: experiments with the same name and disjoint ranges share no unit. */
  readonly namespace?: readonly [name: string, start: number, end: number] | undefined;
  /** Explicit bucket ranges, one per variation: instead of weights and coverage. */
  readonly ranges?: readonly (readonly [start: number, end: number])[] | undefined;
  /** On attributes. */
  readonly condition?: Condition | undefined;
  /** Variations that a guardrail has switched off: their units keep their arm, and see the engine's order. Not GrowthBook's. */
  readonly off?: readonly string[] | undefined;
  /** When it ends, stated before the start: `armmt report` goes by it, the edge does not. Not GrowthBook's. */
  readonly plan?: { readonly unitsPerArm?: number | undefined; readonly lastDay?: string | undefined } | undefined;
}

/** Facts of a request: `id` is the unit unless an experiment names another attribute. */
export type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface VariantChoice {
  readonly experiment: string;
  readonly variant: string;
  /** The value that was hashed. */
  readonly unit: string;
  /** 0 <= bucket < 1; `undefined` where another system decided. */
  readonly bucket: number | undefined;
  /** The experiment has switched the variant off. */
  readonly isSwitchedOff?: boolean;
}

let client: GrowthBookClient | undefined;

/** `undefined` for a unit that does not take part, and for fewer than two variations. */
export function assignVariant(experiment: Experiment, attributes: Attributes): VariantChoice | undefined {
  const { key, status = "running", hashVersion = 2, variations, weights, namespace, ranges, off, plan: _, ...rest } = experiment;
  const [first, second, ...others] = variations;
  if (status !== "running" || first === undefined || second === undefined) return undefined;
  client ??= new GrowthBookClient();
  const result = client.runInlineExperiment(
    {
      ...withoutMissing(rest),
      key,
      hashVersion,
      variations: [first, second, ...others],
      ...(weights !== undefined && { weights: [...weights] }),
      ...(namespace !== undefined && { namespace: [...namespace] }),
      ...(ranges !== undefined && { ranges: ranges.map(([start, end]): [number, number] => [start, end]) }),
    },
    { attributes: withoutMissing(attributes) },
  );
  if (!result.inExperiment || result.bucket === undefined) return undefined;
  const isSwitchedOff = off?.includes(result.value) === true;
  return { experiment: key, variant: result.value, unit: result.hashValue, bucket: result.bucket, ...(isSwitchedOff && { isSwitchedOff }) };
}

/** Variation → its share of the units that take part, to six digits. */
export function armsOf({
  variations,
  weights,
  ranges,
}: Pick<Experiment, "variations" | "weights" | "ranges">): Readonly<Record<string, number>> {
  const sizes = ranges?.map(([start, end]) => end - start) ?? weights ?? variations.map(() => 1);
  const whole = sizes.reduce((sum, size) => sum + size, 0);
  return Object.fromEntries(variations.map((name, i) => [name, Math.round((1e6 * (sizes[i] ?? 0)) / whole) / 1e6]));
}

/** The first experiment in which the unit takes part: experiments that must not share units need namespaces. */
export function chooseVariant(experiments: readonly Experiment[], attributes: Attributes): VariantChoice | undefined {
  for (const experiment of experiments) {
    const assigned = assignVariant(experiment, attributes);
    if (assigned !== undefined) return assigned;
  }
  return undefined;
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** The SDK distinguishes a missing member from an undefined one. */
function withoutMissing<T extends object>(values: T): Partial<Defined<T>> {
  const kept: Partial<Defined<T>> = {};
  for (const [name, value] of Object.entries(values)) if (value !== undefined) Reflect.set(kept, name, value);
  return kept;
}
