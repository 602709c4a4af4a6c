/** Simulated shoppers at the edge: their experiment in KV, their log in D1, the truth beside it. */
import type { Experiment } from "../../experiment/assign.ts";
import type { DrawnProduct } from "../../demo/catalogue/catalogue.ts";
import { OUTCOME_HEADER, USER_AGENT_HEADER, VARIANT_PARAM } from "../../protocol.ts";
import { sleep, UserError } from "../../web.ts";
import { ALL_PARTS } from "../study/simulate/attraction.ts";
import { drawnShop } from "../study/simulate/drawn-shop.ts";
import { simulateOverHttp } from "../study/simulate/over-http.ts";
import { ADMIN_TOKEN, forgetSeed, INDEX, putExperiments, readExperiments, type ShopServer, type Story, withEdge } from "./edge.ts";
import { CATALOG_SEED, SEARCHES_PER_SHOPPER } from "./plan.ts";

export interface Surroundings {
  readonly story: Story;
  readonly shop: ShopServer;
  readonly products: readonly DrawnProduct[];
}

export interface Visit {
  readonly seed: number;
  readonly searches: number;
  /** `undefined`: those that are in KV. */
  readonly experiments?: readonly Experiment[] | undefined;
  /** Whose orders the truth is about, the control first. */
  readonly arms: readonly string[];
  readonly judgeEvery: number;
  readonly out: string;
}

const PAGE = 24;
/** Few enough that the edge never leaves a list as it is for want of time. */
const AT_ONCE = 4;

/** Searches by each model before the first counted one. */
const WARM_UP = 5;
const POLL_MS = 300;
const MOST_WAIT_MS = 180_000;

export async function visitShop({ story, shop, products }: Surroundings, visit: Visit) {
  const { seed, searches, experiments, arms, judgeEvery, out } = visit;
  await forgetSeed(story, seed);
  if (experiments !== undefined) await putExperiments(story, experiments);
  const models = modelsIn(await readExperiments(story));
  return withEdge(story, shop.url, async (edge) => {
    const visitors = { edge, index: INDEX, shop: drawnShop({ count: products.length, seed: CATALOG_SEED }), clickModel: "pbm" as const };
    const options = { ...visitors, parts: ALL_PARTS, seed, adminToken: ADMIN_TOKEN, page: PAGE, atOnce: AT_ONCE, arms, judgeEvery, out };
    await warmUp(edge, models);
    return simulateOverHttp({ ...options, shoppers: Math.max(1, Math.round(searches / SEARCHES_PER_SHOPPER)), searches });
  });
}

/** Every model of the running experiments, as its arm names it. */
export function modelsIn(experiments: string): readonly string[] {
  return [...new Set(experiments.match(/armmt@[\w.-]+(?::[\d.]+)?/g) ?? [])];
}

/**
 * Waits until an isolate that has just started has taken up the models in KV: until then it shows the engine's order, and says so. Asked by a
 * crawler, who leaves no record.
 */
async function warmUp(edge: string, arms: readonly string[]): Promise<void> {
  const headers = {
    "content-type": "application/json",
    [USER_AGENT_HEADER]: "Googlebot/2.1 (closed loop)",
    authorization: `Bearer ${ADMIN_TOKEN}`,
  };
  const body = JSON.stringify({ query: { multi_match: { query: "black bag", fields: ["title^2", "category"] } }, size: PAGE });
  const deadline = performance.now() + MOST_WAIT_MS;
  for (const arm of arms) {
    const url = `${edge}/${INDEX}/_search?${VARIANT_PARAM}=${encodeURIComponent(arm)}`;
    for (let applied = 0; applied < WARM_UP;) {
      const reply = await fetch(url, { method: "POST", headers, body }); // oxlint-disable-line no-await-in-loop
      const [outcome, text] = [reply.headers.get(OUTCOME_HEADER) ?? "", await reply.text()]; // oxlint-disable-line no-await-in-loop
      if (outcome.startsWith("applied")) {
        applied++;
        continue;
      }
      if (performance.now() > deadline)
        throw new UserError(
          `The edge does not rank by ${arm}: it answers ${reply.status} "${outcome}" ${reply.ok ? "" : text.slice(0, 200)}`,
        );
      await sleep(POLL_MS); // oxlint-disable-line no-await-in-loop
    }
  }
}
