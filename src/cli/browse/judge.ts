/** What lists of held-out shoppers say of a learned table against the engine's order: by the same estimators and limits as `armmt gate`. */
import { type BrowseTable, parseBrowseTable, scoreBrowsed } from "../../browse/table.ts";
import { likingOf } from "../../browse/taste.ts";
import { orderByScore } from "../evaluate/metrics.ts";
import { ENGINE } from "../gate/arms.ts";
import { gatherEvidence, type GateList, MODEL } from "../gate/evidence.ts";
import { DEFAULT_MARGIN, judge } from "../gate/verdict.ts";
import type { Learned } from "./learn.ts";
import type { BrowsedList } from "./lists.ts";
import { type ItemVectors, likenessIn } from "./taste.ts";

/** Exact probabilities would make a click impossible, or sure. */
const [LEAST, MOST] = [1e-4, 0.95];

/** `vectors`: for the shopper's taste, where the table has one. */
function scoresOf(table: BrowseTable, list: BrowsedList, vectors: ItemVectors | undefined): Float64Array {
  const { taste } = table.head;
  const near = taste && vectors && likenessIn(list, vectors);
  const hits = list.itemIds.map((itemId, i) => ({ itemId, rank: list.ranks[i]! }));
  return scoreBrowsed(hits, table, table.pageFor(list.filters), 1, taste && near && likingOf(taste, near));
}

export function orderBrowsed(table: BrowseTable, list: BrowsedList, vectors?: ItemVectors): number[] {
  return orderByScore(scoresOf(table, list, vectors));
}

export function judgeBrowse(learned: Learned, heldOut: readonly BrowsedList[], vectors?: ItemVectors, margin = DEFAULT_MARGIN) {
  const parsed = parseBrowseTable(learned.text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  const table = parsed.value;
  const lists = heldOut.map((list): GateList => {
    const rate = learned.clickRates[table.pageFor(list.filters)]!;
    const scores = scoresOf(table, list, vectors);
    const attraction = scores.map((score) => Math.min(MOST, Math.max(LEAST, rate * score)));
    const orders = new Map([
      [ENGINE, [...list.itemIds.keys()]],
      [MODEL, orderByScore(scores)],
    ]);
    return { ...list, attraction, orders };
  });
  const evidence = gatherEvidence({ lists, curve: learned.curve, perClick: learned.perClick });
  const { judgments, missing } = judge(evidence, margin);
  const outcome = judgments[0]?.outcome;
  const verdict =
    outcome === "worse" ? "refused" : missing.length > 0 || outcome === "cannot_tell" || outcome === undefined ? "cannot_tell" : "passes";
  return { verdict, outcome, missing, evidence } as const;
}

export type BrowseVerdict = ReturnType<typeof judgeBrowse>;
