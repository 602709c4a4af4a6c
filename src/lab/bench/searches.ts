/**
 * The time that re-ranking adds to a search, seen from outside: every round sends the same search in turn as passthrough, as control, to
 * be re-ranked, once more (its order is remembered now), and as a passthrough of the whole window; all on one keep-alive connection.
 *
 * Differences are taken within a round, so that a slow moment of the machine is on both sides. Every few rounds the model runs alone in a
 * workerd beside it: the yardstick for what is added.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { requireOutcome, searchPath, unitOf } from "./edge.ts";
import { PAGE_SIZE } from "./load.ts";
import type { Measurement } from "./measurement.ts";
import { differences, measured, median, placed } from "./measurement.ts";
import { searchBody } from "./products.ts";
import { RUNS_PER_SAMPLE, withRunWorker } from "./runs.ts";
import type { RunWorker } from "./runs.ts";
import { withShop } from "./shop.ts";

/** The exposure record is written after the reply; the bench lets it finish before it sends the next request. */
const SETTLE_MS = 4;

const ROUNDS_PER_RUN = 5;

export interface SearchOptions {
  readonly index: Index;
  readonly rounds: number;
  /** Sent first and not measured. */
  readonly warmUpRounds: number;
  /** On a slow machine it ends early, but never before a tenth of the rounds. */
  readonly maxSeconds: number;
  readonly nextQuery: () => string;
  /** Item ids of the shopper's history. */
  readonly history: readonly string[];
  readonly onRound: () => void;
  /** Called every few rounds. */
  readonly between?: () => Promise<void>;
}

/** ms per round. */
export interface SearchTimes {
  readonly passthrough: readonly number[];
  readonly control: readonly number[];
  readonly reranked: readonly number[];
  readonly remembered: readonly number[];
  /** Passthrough with a page as large as the window. */
  readonly wide: readonly number[];
}

type Kind = keyof SearchTimes;

export async function benchSearches(bench: Bench): Promise<Measurement[]> {
  const { plan } = bench;
  const indexes = plan.sizes.map((window): Index => ({ window }));
  return withRunWorker(bench, (runs) =>
    withShop(bench, indexes, async ({ client, nextQuery, history }) => {
      const found: Measurement[] = [];
      for (const index of indexes) {
        const k = index.window;
        const progress = bench.progress(`Searches, K = ${k}`, plan.rounds + plan.warmUpRounds);
        const alone = timeAlone(runs, k);
        const { rounds, warmUpRounds } = plan;
        const maxSeconds = plan.maxSeconds / plan.sizes.length;
        const onRound = () => progress.increment();
        const between = alone.sample;
        const times = await timeSearches(client, { index, rounds, warmUpRounds, maxSeconds, nextQuery, history, onRound, between });
        progress.stop();
        bench.note(`K = ${k}: ${times.passthrough.length} rounds of 5 searches, after ${warmUpRounds} rounds of warm-up`);
        found.push(...describeSearches(k, times, alone.perRun()));
      }
      return found;
    }),
  );
}

/** Runs of the model alone, taken between the rounds. */
function timeAlone(worker: RunWorker, k: number): { readonly sample: () => Promise<void>; readonly perRun: () => number[] } {
  const empty: number[] = [];
  const batches: number[] = [];
  return {
    async sample() {
      empty.push(await worker.ask(k, 0));
      batches.push(await worker.ask(k, RUNS_PER_SAMPLE));
    },
    perRun: () => batches.map((ms) => (ms - median(empty)) / RUNS_PER_SAMPLE),
  };
}

export async function timeSearches(client: Client, options: SearchOptions): Promise<SearchTimes> {
  const { index, history, nextQuery } = options;
  const path = searchPath(index);
  const shopper = { "x-armmt-history": history.map(encodeURIComponent).join(",") };
  const armmt = { ...shopper, "x-armmt-user": unitOf("armmt") };
  const control = { ...shopper, "x-armmt-user": unitOf("control") };
  const off = { ...armmt, "x-armmt": "off" };
  const requests: Readonly<Record<Kind, { size: number; headers: Readonly<Record<string, string>>; outcome: string }>> = {
    passthrough: { size: PAGE_SIZE, headers: off, outcome: "bypass; reason=off" },
    control: { size: PAGE_SIZE, headers: control, outcome: "bypass; reason=engine_order" },
    reranked: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    remembered: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    wide: { size: index.window, headers: off, outcome: "bypass; reason=off" },
  };
  const ask = async (kind: Kind, query: string): Promise<number> => {
    const { size, headers, outcome } = requests[kind];
    const answer = await client.post(path, searchBody(query, size), headers);
    requireOutcome(answer, outcome);
    await sleep(SETTLE_MS);
    return answer.ms;
  };

  const times: Record<Kind, number[]> = { passthrough: [], control: [], reranked: [], remembered: [], wide: [] };
  const turns: readonly (readonly Kind[])[] = [["passthrough"], ["control"], ["reranked", "remembered"], ["wide"]];
  const deadline = performance.now() + options.maxSeconds * 1000;
  for (let round = -options.warmUpRounds; round < options.rounds; round++) {
    if (round >= options.rounds / 10 && performance.now() > deadline) break;
    const query = nextQuery();
    // Another one begins each round, so that no kind always follows the same other.
    const shift = (round + options.warmUpRounds) % turns.length;
    for (const kind of [...turns.slice(shift), ...turns.slice(0, shift)].flat()) {
      const ms = await ask(kind, query);
      if (round >= 0) times[kind].push(ms);
    }
    if (round % ROUNDS_PER_RUN === 0) await options.between?.();
    options.onRound();
  }
  return times;
}

/** `alone`: ms per run of the model. */
export function describeSearches(window: number, times: SearchTimes, alone: readonly number[]): Measurement[] {
  const { passthrough, control, reranked, remembered, wide } = times;
  const peer = { peer: "passthrough, same round", p50: median(passthrough) };
  const added = differences(reranked, passthrough);
  const runs = { peer: "the model's run alone in workerd, same rounds", p50: median(alone) };
  const x = String(window);
  const chart = "added-by-window";
  return [
    measured(`search, passthrough (x-armmt: off), K = ${window}`, "ms", passthrough),
    measured(`search, control, K = ${window}`, "ms", control, peer),
    measured(`search, re-ranked, K = ${window}`, "ms", reranked, peer),
    measured(`search, re-ranked, order remembered, K = ${window}`, "ms", remembered, peer),
    placed(measured(`added time per search, K = ${window}`, "ms", added, runs), chart, "added, 1 connection", x),
    placed(measured(`the model's run alone beside it, K = ${window}`, "ms", alone), chart, "the model's run alone", x),
    measured(`added time per search, order remembered, K = ${window}`, "ms", differences(remembered, passthrough)),
    measured(`of it: vectors, tensors and model, K = ${window}`, "ms", differences(reranked, remembered)),
    measured(`of it: the wider reply alone, K = ${window}`, "ms", differences(wide, passthrough)),
  ];
}
