/**
 * The time that re-ranking adds to a search, seen from outside: every round sends the same search in turn as passthrough, as control, to
 * be re-ranked, once more (its order is remembered now), and as a passthrough of the whole window; all on one keep-alive connection.
 *
 * Differences are taken within a round, so that a slow moment of the machine is on both sides.
 */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { indexFor, requireOutcome, unitOf } from "./edge.ts";
import { searchBody } from "./engine.ts";
import type { Measurement } from "./measurement.ts";
import { differences, measured, median } from "./measurement.ts";

/** What a shopper sees of one search. */
const PAGE_SIZE = 20;

/**
 * The exposure record is written after the reply; in production that is another machine's work, here the same thread's. The bench
 * lets it finish before it sends the next request.
 */
const SETTLE_MS = 4;

export interface SearchOptions {
  readonly window: number;
  readonly rounds: number;
  /** Sent first and not measured. */
  readonly warmUpRounds: number;
  /** On a slow machine it ends early, but never before a tenth of the rounds. */
  readonly maxSeconds: number;
  readonly nextQuery: () => string;
  /** Item ids of the shopper's history. */
  readonly history: readonly string[];
  readonly onRound: () => void;
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

export async function timeSearches(client: Client, options: SearchOptions): Promise<SearchTimes> {
  const { window, history, nextQuery } = options;
  const path = `/${indexFor(window)}/_search`;
  const shopper = { "x-armmt-history": history.map(encodeURIComponent).join(",") };
  const armmt = { ...shopper, "x-armmt-user": unitOf("armmt") };
  const control = { ...shopper, "x-armmt-user": unitOf("control") };
  const off = { ...armmt, "x-armmt": "off" };
  const requests: Readonly<Record<Kind, { size: number; headers: Readonly<Record<string, string>>; outcome: string }>> = {
    passthrough: { size: PAGE_SIZE, headers: off, outcome: "bypass; reason=off" },
    control: { size: PAGE_SIZE, headers: control, outcome: "bypass; reason=engine_order" },
    reranked: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    remembered: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    wide: { size: window, headers: off, outcome: "bypass; reason=off" },
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
    options.onRound();
  }
  return times;
}

export function describeSearches(window: number, times: SearchTimes): Measurement[] {
  const { passthrough, control, reranked, remembered, wide } = times;
  const peer = { peer: "passthrough, same round", p50: median(passthrough) };
  return [
    measured(`search, passthrough (x-armmt: off), K = ${window}`, "ms", passthrough),
    measured(`search, control, K = ${window}`, "ms", control, peer),
    measured(`search, re-ranked, K = ${window}`, "ms", reranked, peer),
    measured(`search, re-ranked, order remembered, K = ${window}`, "ms", remembered, peer),
    measured(`added time per search, K = ${window}`, "ms", differences(reranked, passthrough)),
    measured(`added time per search, order remembered, K = ${window}`, "ms", differences(remembered, passthrough)),
    measured(`of it: vectors, tensors and model, K = ${window}`, "ms", differences(reranked, remembered)),
    measured(`of it: the wider reply alone, K = ${window}`, "ms", differences(wide, passthrough)),
  ];
}
