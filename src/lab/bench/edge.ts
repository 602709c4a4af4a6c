/** The edge Worker as the bench runs it: indexes that differ in window, catalogue and reply, all in front of the stand-in engine. */
import * as v from "valibot";
import { assignVariant } from "../../experiment/assign.ts";
import type { Answer, Client } from "./client.ts";
import type { Vars } from "./workerd.ts";
import { UserError } from "../../web.ts";

/** As many as the drawn catalogue has. */
export const DRAWN_ITEMS = 2400;

export interface Index {
  /** Hits that are re-ranked, K. */
  readonly window: number;
  /** In the catalogue; default DRAWN_ITEMS. */
  readonly items?: number;
  /** Of one hit in the engine's reply; by default as the product is, some 300. */
  readonly hitBytes?: number;
}

const ADMIN_TOKEN = "bench-only-not-a-secret";

const EXPERIMENT = { key: "bench", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 } as const;

export function indexName({ window, items = DRAWN_ITEMS, hitBytes = 0 }: Index): string {
  return `window-${window}-items-${items}-bytes-${hitBytes}`;
}

export function searchPath(index: Index): string {
  return `/${indexName(index)}/_search`;
}

export function catalogOf({ items = DRAWN_ITEMS }: Index): string {
  return `bench-${items}`;
}

/** Where the stand-in engine (`address` is host:port) answers for an index. */
export function engineUrl(address: string, { items = DRAWN_ITEMS, hitBytes = 0 }: Index): string {
  return `http://${address}/${items}/${hitBytes}`;
}

export function edgeVars(engine: string, indexes: readonly Index[]): Vars {
  const table = indexes.map(
    (index) =>
      [
        indexName(index),
        { backend: "elasticsearch", url: engineUrl(engine, index), window: index.window, catalog: catalogOf(index) },
      ] as const,
  );
  return {
    INDEXES: Object.fromEntries(table),
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
  throw new UserError(`The edge answered ${answer.status} "${found}", the bench expected "${expected}"; see the edge's log above`);
}

const statusSchema = v.object({ searches: v.record(v.string(), v.record(v.string(), v.number())) });

/** outcome → searches of this variant since the edge started. */
export async function countOutcomes(client: Client, variant: string): Promise<Readonly<Record<string, number>>> {
  const answer = await client.get("/armmt/status", { authorization: `Bearer ${ADMIN_TOKEN}` });
  return v.parse(statusSchema, JSON.parse(answer.body.toString("utf8"))).searches[variant] ?? {};
}
