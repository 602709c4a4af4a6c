/**
 * Switching variants off and on again: the KV key "experiments", which running edges read within a minute. A variant that is off keeps its shoppers
 * (the split does not move), and shows them the engine's order. Every change is added to a history.
 */
import * as v from "valibot";
import { parseExperiments } from "../../config/experiments.ts";
import type { Experiment } from "../../experiment/assign.ts";
import { EXPERIMENTS_KEY } from "../../search/live-experiments.ts";
import { UserError } from "../../web.ts";
import type { Namespace } from "../publish/namespace.ts";

/** In the same namespace. */
export const HISTORY_KEY = "experiments-history";

/** Changes that are kept. */
const MOST_CHANGES = 100;

const change = v.object({
  at: v.string(),
  experiment: v.string(),
  /** What became of the variants. */
  now: v.picklist(["off", "on"]),
  variants: v.array(v.string()),
  /** Rows of the guardrails, where they decided. */
  evidence: v.array(v.unknown()),
});

export type Change = v.InferOutput<typeof change>;

type Store = Pick<Namespace, "place" | "get" | "put">;

/** Newest last. */
export async function readHistory(store: Store): Promise<readonly Change[]> {
  const text = await store.get(HISTORY_KEY);
  if (text === undefined) return [];
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(change)), text);
  if (!parsed.success)
    throw new UserError(`Key ${HISTORY_KEY} in ${store.place} is no list of changes: delete it, or put back what it was`);
  return parsed.output;
}

/** `configured`: the list that the edge uses as long as there is no key. */
export async function readExperiments(store: Store, configured: readonly Experiment[]): Promise<readonly Experiment[]> {
  const text = await store.get(EXPERIMENTS_KEY);
  if (text === undefined) return configured;
  const parsed = parseExperiments(text);
  if (!parsed.ok) throw new UserError(`Key ${EXPERIMENTS_KEY} in ${store.place} is not valid: ${parsed.error.join("; ")}`);
  return parsed.value;
}

/** The experiment of that key. Throws a UserError. */
export function experimentIn(experiments: readonly Experiment[], key: string, place: string): Experiment {
  const found = experiments.find((experiment) => experiment.key === key);
  if (found !== undefined) return found;
  const known = experiments.map((experiment) => experiment.key).join(", ");
  throw new UserError(`No experiment "${key}" in ${place}: ${known === "" ? "there is none" : `it knows ${known}`}`);
}

interface Switching {
  readonly configured: readonly Experiment[];
  readonly experiment: string;
  readonly variants: readonly string[];
  readonly now: "off" | "on";
  readonly evidence: readonly unknown[];
  readonly at: Date;
}

/** Returns the variants that were changed; nothing is written where all are as they should be. */
export async function switchVariants(store: Store, { configured, experiment, variants, now, evidence, at }: Switching) {
  // Read again: somebody may have changed the weights while the log was read.
  const experiments = await readExperiments(store, configured);
  const { off = [] } = experimentIn(experiments, experiment, store.place);
  const changed = variants.filter((variant) => off.includes(variant) !== (now === "off"));
  if (changed.length === 0) return changed;
  const left = now === "off" ? [...off, ...changed] : off.filter((variant) => !changed.includes(variant));
  const list = experiments.map((each) => (each.key === experiment ? { ...each, off: left } : each));
  const text = JSON.stringify(list);
  const parsed = parseExperiments(text);
  if (!parsed.ok) throw new UserError(`The experiments would not be valid: ${parsed.error.join("; ")}`);
  const history = [
    ...(await readHistory(store)),
    { at: at.toISOString(), experiment, now, variants: [...changed], evidence: [...evidence] },
  ];
  await store.put([
    { key: EXPERIMENTS_KEY, value: text },
    { key: HISTORY_KEY, value: JSON.stringify(history.slice(-MOST_CHANGES)) },
  ]);
  return changed;
}

/** When the experiment's variants were last switched on by hand; what they did before was judged already. */
export function switchedOnAt(history: readonly Change[], experiment: string): string | undefined {
  return history.findLast((each) => each.experiment === experiment && each.now === "on")?.at;
}
