/** The arms of an experiment and their intended sizes, from the command line or from the configuration of the edge. */
import * as v from "valibot";
import type { Weights } from "../../report/sample-ratio.ts";
import { loadWrangler } from "../wrangler.ts";
import { UserError } from "../../web.ts";

/** Required members only, so that a report can read the configuration of an older edge. */
const experimentsSchema = v.array(
  v.looseObject({
    key: v.string(),
    variations: v.array(v.string()),
    weights: v.nullish(v.array(v.number())),
    ranges: v.nullish(v.array(v.tuple([v.number(), v.number()]))),
    plan: v.nullish(v.looseObject({ unitsPerArm: v.optional(v.number()), lastDay: v.optional(v.string()) })),
  }),
);

const anySchema = v.union([experimentsSchema, v.pipe(v.string(), v.parseJson(), experimentsSchema)]);

/** `control=0.5,armmt=0.5`. Throws a UserError. */
export function parseWeights(text: string): ReadonlyMap<string, number> {
  // A variant's name may hold commas and brackets: interleave(control, armmt)=1
  const parts = text.split(/,(?![^(]*\))/).map((part) => /^(.+)=(\d+(?:\.\d+)?)$/.exec(part.trim()));
  const arms = new Map(parts.flatMap((part) => (part === null ? [] : [[part[1]!.trim(), Number(part[2])] as const])));
  const sum = [...arms.values()].reduce((total, weight) => total + weight, 0);
  if (parts.includes(null) || arms.size !== parts.length || arms.size < 2 || sum <= 0) {
    throw new UserError(`"${text}" gives no weights: write each arm once, such as control=0.5,armmt=0.5`);
  }
  return arms;
}

/** `undefined` for a list that is not valid or does not hold the experiment. */
export function weightsIn(experiments: unknown, key: string, from: string): Weights | undefined {
  const parsed = v.safeParse(anySchema, experiments);
  const found = parsed.success ? parsed.output.find((experiment) => experiment.key === key) : undefined;
  if (found === undefined) return undefined;
  const { variations, weights, ranges, plan } = found;
  const sizes = ranges?.map(([start, end]) => end - start) ?? weights ?? variations.map(() => 1 / variations.length);
  return { arms: new Map(variations.map((variant, i) => [variant, sizes[i] ?? 0])), from, plan: plan ?? undefined };
}

/** From the wrangler.toml of the edge; `undefined` where it does not know the experiment or cannot be read. */
export async function configuredWeights(config: string, key: string): Promise<Weights | undefined> {
  const { unstable_readConfig: readConfig } = await loadWrangler();
  try {
    const { vars } = readConfig({ config });
    return weightsIn(vars["EXPERIMENTS"], key, config);
  } catch {
    return undefined;
  }
}

/** Default without a configuration: arms of the same size. */
export function equalWeights(variants: readonly string[]): Weights {
  return {
    arms: new Map(variants.map((variant) => [variant, 1 / variants.length])),
    from: "equal weights, because no configuration names the experiment",
  };
}
