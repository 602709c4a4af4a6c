/**
 * The time that re-ranking adds to a search, seen from outside: every round sends the same search as passthrough, as control, to be
 * re-ranked, once more (its order is cached now), and as a passthrough of the whole window; all on one keep-alive connection.
 *
 * Differences are taken within a round, so that a slow moment of the machine is on both sides. Every few rounds the model runs alone in
 * another workerd: the peer of the added time.
 */
import { sleep } from "../../web.ts";
import { products, searchBody } from "./engine.ts";
import { against, differences, inChart, type Measurement, measured } from "./measurement.ts";
import { perRun, type RunSample, type SampleModel, startModelWorker } from "./model.ts";
import { type Bench, inTurns } from "./run.ts";
import { PAGE_SIZE, requireOutcome, searchPath, type Shop, unitOf, openShop } from "./shop.ts";
import { formatHistory, HISTORY_HEADER, OFF, OUTCOME_HEADER, USER_HEADER } from "../../protocol.ts";

/** The exposure record is written after the reply; the bench lets it finish before the next request. */
const SETTLE_MS = 4;
const ROUNDS_PER_RUN = 5;

/** `remembered` comes right after `reranked`; `wide` is a passthrough with a page as large as the window. */
const KINDS = [["passthrough"], ["control"], ["reranked", "remembered"], ["wide"]] as const;
type Kind = (typeof KINDS)[number][number];

/** Positions in the catalogue. */
const VIEWED = [3, 333, 1033, 1733, 2133] as const;

export async function benchSearches(bench: Bench): Promise<Measurement[]> {
  const sampleModel = await startModelWorker(bench);
  const shop = await openShop(bench, bench.plan.sizes);
  const found: Measurement[] = [];
  for (const window of bench.plan.sizes) found.push(...(await benchWindow(bench, shop, sampleModel, window)));
  return found;
}

async function benchWindow(bench: Bench, { edge, nextQuery }: Shop, sampleModel: SampleModel, window: number): Promise<Measurement[]> {
  const { sizes, rounds, warmUpRounds, maxSeconds } = bench.plan;
  const history = { [HISTORY_HEADER]: formatHistory(VIEWED.map((position) => products()[position]!.id)) };
  const armmt = { ...history, [USER_HEADER]: unitOf("armmt") };
  const control = { ...history, [USER_HEADER]: unitOf("control") };
  const off = { ...armmt, [OUTCOME_HEADER]: OFF };
  const requests: Readonly<Record<Kind, { size: number; headers: Readonly<Record<string, string>>; outcome: string }>> = {
    passthrough: { size: PAGE_SIZE, headers: off, outcome: "bypass; reason=off" },
    control: { size: PAGE_SIZE, headers: control, outcome: "bypass; reason=engine_order" },
    reranked: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    remembered: { size: PAGE_SIZE, headers: armmt, outcome: "applied" },
    wide: { size: window, headers: off, outcome: "bypass; reason=off" },
  };
  const runs: RunSample[] = [];
  let query = "";
  const turns = {
    label: `Searches, K = ${window}`,
    kinds: KINDS,
    rounds,
    warmUpRounds,
    maxSeconds: maxSeconds / sizes.length,
    async beforeRound(round: number) {
      query = nextQuery();
      if (round % ROUNDS_PER_RUN === 0) runs.push(await sampleModel(window));
    },
  };
  const times = await inTurns(bench, turns, async (kind: Kind) => {
    const { size, headers, outcome } = requests[kind];
    const answer = await edge.client.ask(searchPath(window), { headers, body: searchBody(query, size) });
    requireOutcome(answer, outcome);
    await sleep(SETTLE_MS);
    return answer.ms;
  });
  return describe(window, times, perRun(runs));
}

/** `times`: ms per round; `alone`: ms per run of the model. */
function describe(window: number, times: (kind: Kind) => readonly number[], alone: readonly number[]): Measurement[] {
  const at = (name: string) => `${name}, K = ${window}`;
  const passthrough = times("passthrough");
  const peer = against("passthrough, same round", passthrough);
  const added = differences(times("reranked"), passthrough);
  const runs = against("the model's run alone in workerd, same rounds", alone);
  const inAdded = (figure: Measurement, series: string) => inChart(figure, "added-by-window", series, String(window));
  return [
    measured(at("search, passthrough (x-armmt: off)"), "ms", passthrough),
    measured(at("search, control"), "ms", times("control"), peer),
    measured(at("search, re-ranked"), "ms", times("reranked"), peer),
    measured(at("search, re-ranked, order remembered"), "ms", times("remembered"), peer),
    inAdded(measured(at("added time per search"), "ms", added, runs), "added, 1 connection"),
    inAdded(measured(at("the model's run alone beside it"), "ms", alone), "the model's run alone"),
    measured(at("added time per search, order remembered"), "ms", differences(times("remembered"), passthrough)),
    measured(at("of it: vectors, tensors and model"), "ms", differences(times("reranked"), times("remembered"))),
    measured(at("of it: the wider reply alone"), "ms", differences(times("wide"), passthrough)),
  ];
}
