/** The edge Worker as `armmt bench` runs it: one index per window size, all in front of the stand-in engine and over one catalog. */
import type { Json } from "miniflare";
import * as v from "valibot";
import { assignVariant } from "../../experiment/assign.ts";
import { CommandError } from "../command.ts";
import type { Answer, Client } from "./client.ts";

export const CATALOG = "bench";

const ADMIN_TOKEN = "bench-only-not-a-secret";

const EXPERIMENT = { key: "bench", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 } as const;

export const indexFor = (window: number) => `window-${window}`;

export function edgeVars(engineUrl: string, windows: readonly number[]): Record<string, Json> {
  const indexes = windows.map(
    (window) => [indexFor(window), { backend: "elasticsearch", url: engineUrl, window, catalog: CATALOG }] as const,
  );
  return {
    INDEXES: Object.fromEntries(indexes),
    EXPERIMENTS: [{ ...EXPERIMENT, variations: [...EXPERIMENT.variations], weights: [...EXPERIMENT.weights] }],
    // The bench wants to know how long it takes, so nothing is cut off.
    RANK_BUDGET_MS: 5000,
    ENGINE_TIMEOUT_MS: 10_000,
    ADMIN_TOKEN,
  };
}

/** A unit that the experiment puts into the variant. */
export function unitOf(variant: (typeof EXPERIMENT.variations)[number]): string {
  for (let n = 0; ; n++) {
    const unit = `bench-${n}`;
    if (assignVariant(EXPERIMENT, { id: unit })?.variant === variant) return unit;
  }
}

/** Throws unless the answer is what the bench believes to measure. */
export function requireOutcome(answer: Answer, expected: string): void {
  if (answer.status === 200 && answer.armmt.startsWith(expected)) return;
  const found = answer.armmt === "" ? answer.body.toString("utf8").slice(0, 300) : answer.armmt;
  throw new CommandError(`The edge answered ${answer.status} "${found}", the bench expected "${expected}"; see the edge's log above`);
}

const statusSchema = v.object({ searches: v.record(v.string(), v.record(v.string(), v.number())) });

/** outcome → searches of this variant since the edge started. */
export async function countOutcomes(client: Client, variant: string): Promise<Readonly<Record<string, number>>> {
  const answer = await client.get("/armmt/status", { authorization: `Bearer ${ADMIN_TOKEN}` });
  return v.parse(statusSchema, JSON.parse(answer.body.toString("utf8"))).searches[variant] ?? {};
}
