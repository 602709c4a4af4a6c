/** What lists of held-out shoppers say of a learned table against the engine's order: by the same estimators and limits as `armmt gate`. */
import { type BrowseTable, parseBrowseTable, scoreBrowsed } from "../../browse/table.ts";
import { orderByScore } from "../evaluate/metrics.ts";
import { ENGINE } from "../gate/arms.ts";
import { gatherEvidence, type GateList, MODEL } from "../gate/evidence.ts";
import { DEFAULT_MARGIN, judge } from "../gate/verdict.ts";
import type { BrowsedList, Learned } from "./learn.ts";

/** Exact probabilities would make a click impossible, or sure. */
const [LEAST, MOST] = [1e-4, 0.95];

export function orderBrowsed(table: BrowseTable, { itemIds, ranks, filters }: BrowsedList, trust = 1): number[] {
  const hits = itemIds.map((itemId, i) => ({ itemId, rank: ranks[i]! }));
  return orderByScore(scoreBrowsed(hits, table, table.pageFor(filters), trust));
}

export function judgeBrowse(learned: Learned, heldOut: readonly BrowsedList[], margin = DEFAULT_MARGIN) {
  const parsed = parseBrowseTable(learned.text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  const table = parsed.value;
  const lists = heldOut.map((list): GateList => {
    const page = table.pageFor(list.filters);
    const rate = learned.clickRates[page]!;
    const hits = list.itemIds.map((itemId, i) => ({ itemId, rank: list.ranks[i]! }));
    const attraction = scoreBrowsed(hits, table, page, 1).map((score) => Math.min(MOST, Math.max(LEAST, rate * score)));
    const orders = new Map([
      [ENGINE, [...list.itemIds.keys()]],
      [MODEL, orderBrowsed(table, list)],
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
