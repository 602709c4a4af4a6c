/** Searches per second under constant load from autocannon: re-ranked (no two searches alike) against passthrough. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import autocannon from "autocannon";
import { CommandError } from "../command.ts";
import type { Client } from "./client.ts";
import { countOutcomes, indexFor, unitOf } from "./edge.ts";
import { searchBody } from "./engine.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";

const PAGE_SIZE = 20;

/** Rates are counted in intervals of this length. */
const INTERVAL_MS = 250;

/** Searches that autocannon no longer waits for end in this time, before the next load counts. */
const SETTLE_MS = 500;

/** Not measured, at the beginning of every load. */
const WARM_UP_INTERVALS = 2;

export interface LoadOptions {
  readonly url: string;
  /** For the edge's own counters. */
  readonly client: Client;
  readonly window: number;
  readonly connections: readonly number[];
  /** At least 1. */
  readonly seconds: number;
  readonly nextQuery: () => string;
  readonly onLoad: () => void;
}

export async function timeLoads(options: LoadOptions): Promise<Measurement[]> {
  const results: Measurement[] = [];
  for (const connections of options.connections) {
    const passthrough = await load(options, { connections, isReranked: false });
    options.onLoad();
    const reranked = await load(options, { connections, isReranked: true });
    options.onLoad();
    const at = `${connections} connection${connections === 1 ? "" : "s"}, K = ${options.window}`;
    results.push(
      measured(`searches per second, passthrough, ${at}`, "requests/s", passthrough),
      measured(`searches per second, re-ranked, ${at}`, "requests/s", reranked, { peer: "passthrough", p50: median(passthrough) }),
    );
  }
  return results;
}

/** Searches per second, one number per interval. Throws when any search did not end as it should. */
async function load(options: LoadOptions, { connections, isReranked }: { connections: number; isReranked: boolean }): Promise<number[]> {
  const headers: Record<string, string> = { "content-type": "application/json", "x-armmt-user": unitOf("armmt") };
  if (!isReranked) headers["x-armmt"] = "off";
  const outcome = isReranked ? "applied" : "off";
  const before = await countOutcomes(options.client, "armmt");

  /** Searches per interval; one without any has no entry. */
  const counts: number[] = [];
  const startedAt = performance.now();
  const instance = autocannon({
    url: options.url,
    connections,
    duration: options.seconds,
    requests: [
      {
        setupRequest: (request) => ({
          ...request,
          method: "POST",
          path: `/${indexFor(options.window)}/_search`,
          headers,
          body: searchBody(options.nextQuery(), PAGE_SIZE),
        }),
      },
    ],
  });
  instance.on("response", () => {
    const interval = Math.floor((performance.now() - startedAt) / INTERVAL_MS);
    counts[interval] = (counts[interval] ?? 0) + 1;
  });
  const result = await instance;
  await sleep(SETTLE_MS);

  const after = await countOutcomes(options.client, "armmt");
  const unexpected = Object.entries(after).filter(([name, count]) => name !== outcome && count !== (before[name] ?? 0));
  if (result.non2xx + result.errors + result.timeouts > 0 || unexpected.length > 0) {
    const seen = unexpected.map(([name, count]) => `${name} ${count - (before[name] ?? 0)}`).join(", ");
    throw new CommandError(
      `Under load ${result.non2xx} searches failed, ${result.errors + result.timeouts} connections broke, other outcomes: ${seen || "none"}`,
    );
  }
  const intervals = Math.floor((options.seconds * 1000) / INTERVAL_MS);
  // The last one is left out: autocannon may stop a little early.
  return Array.from({ length: intervals - 1 }, (_, i) => (counts[i] ?? 0) * (1000 / INTERVAL_MS)).slice(WARM_UP_INTERVALS);
}
