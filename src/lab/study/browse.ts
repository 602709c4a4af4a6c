/**
 * `armmt browsing`: simulated shoppers on category pages and a home page. A table is learned from the simulated log alone; held-out shoppers then
 * buy from its order, from the engine's (popularity) and from plain best sellers of the same log.
 */
import { writeFileSync } from "node:fs";
import { Command } from "commander";
import { parseBrowseTable } from "../../browse/table.ts";
import { judgeBrowse, orderBrowsed } from "../../cli/browse/judge.ts";
import { type BrowsedList, learnBrowse } from "../../cli/browse/learn.ts";
import { printTable, progressBar } from "../../cli/command.ts";
import { bootstrapMeans, orderByScore } from "../../cli/evaluate/metrics.ts";
import { whole } from "../../cli/numbers.ts";
import { createRandom } from "../../demo/catalogue/random.ts";
import { DEPTH } from "../../cli/gate/exposure.ts";
import { expectedClicks, expectedPurchases, logVisit, openWorld } from "./browse/world.ts";

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly shoppers: number;
  readonly visits: number;
  readonly heldOut: number;
  readonly table?: string;
  readonly json?: true;
}

const DRAWS = 2000;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** One simulated shop. Gains are shares of what the engine's order sells to the same held-out shoppers. */
export function studySeed(seed: number, { shoppers, visits, heldOut }: Omit<Options, "seeds" | "first">) {
  const world = openWorld(seed);
  const taught = [...world.visits("train", shoppers, visits)].map(logVisit);
  const learned = learnBrowse(() => taught);
  const parsed = parseBrowseTable(learned.text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  const table = parsed.value;
  const sold = bestSellers(taught);
  const byShopper = new Map<string, { engine: number; learned: number; sellers: number }>();
  const judged: BrowsedList[] = [];
  const clicks = { engine: 0, learned: 0 };
  for (const visit of world.visits("test", heldOut, visits)) {
    const list = logVisit(visit);
    judged.push(list);
    const sums = byShopper.get(visit.shopper.id) ?? { engine: 0, learned: 0, sellers: 0 };
    byShopper.set(visit.shopper.id, sums);
    const [engine, own] = [[...list.itemIds.keys()], orderBrowsed(table, list)];
    clicks.engine += expectedClicks(visit, engine, DEPTH);
    clicks.learned += expectedClicks(visit, own, DEPTH);
    sums.engine += expectedPurchases(visit, engine);
    sums.learned += expectedPurchases(visit, own);
    sums.sellers += expectedPurchases(visit, orderByScore(list.itemIds.map((id) => sold.get(id) ?? 0)));
  }
  const verdict = judgeBrowse(learned, judged);
  const estimate = verdict.evidence.comparisons.find(({ figure }) => figure === "clicks");
  const all = [...byShopper.values()];
  const base = all.reduce((sum, { engine }) => sum + engine, 0) / all.length;
  const [gain, overSellers] = bootstrapMeans(
    [all.map((sums) => (sums.learned - sums.engine) / base), all.map((sums) => (sums.learned - sums.sellers) / base)],
    createRandom(`browse ${seed}`).next,
    DRAWS,
  );
  return {
    seed,
    lists: taught.length,
    purchases: taught.reduce((sum, list) => sum + list.purchases.reduce((all_, one) => all_ + one, 0), 0),
    gain: gain!,
    overSellers: overSellers!,
    /** More clicks on the first positions: the truth, and what the log of the held-out shoppers says of it. */
    clicks: clicks.learned / clicks.engine - 1,
    estimated: estimate && { mean: estimate.mean / estimate.base, low: estimate.low / estimate.base, high: estimate.high / estimate.base },
    verdict: verdict.verdict,
    decline: learned.prior.decline,
    bytes: learned.text.length,
    items: new Set(taught.flatMap(({ itemIds }) => itemIds)).size,
  };
}

/** Purchases of each item, wherever and however high it stood. */
function bestSellers(lists: readonly BrowsedList[]): ReadonlyMap<string, number> {
  const sold = new Map<string, number>();
  for (const { itemIds, purchases } of lists)
    for (const [i, count] of purchases.entries()) if (count > 0) sold.set(itemIds[i]!, (sold.get(itemIds[i]!) ?? 0) + count);
  return sold;
}

export function createBrowsingCommand(): Command {
  return new Command("browsing")
    .description("Simulated shoppers on pages without words: what a table learned from their log sells to others")
    .option("--seeds <n>", "simulated shops", whole(1), 5)
    .option("--first <seed>", "the first of them", whole(0), 1)
    .option("--shoppers <n>", "who teach", whole(10), 1000)
    .option("--visits <n>", "pages that each looks through", whole(1), 10)
    .option("--held-out <n>", "other shoppers, who buy from the orders", whole(10), 400)
    .option("--table <file>", "write a table for the demo's own shop instead, learned in the same way")
    .option("--json", "print the figures as JSON")
    .action(({ json, seeds, first, table, ...options }: Options) => {
      if (table !== undefined) {
        const visits = openWorld(first, {}).visits("train", options.shoppers, options.visits);
        const lists = [...visits].map(logVisit);
        writeFileSync(table, learnBrowse(() => lists).text.replace("{", '{"simulated":true,'));
        process.stdout.write(`Wrote ${table}, of ${lists.length} simulated lists\n`);
        return;
      }
      const bar = progressBar("Simulated shops", seeds, { json });
      const found = Array.from({ length: seeds }, (_, i) => {
        const one = studySeed(first + i, options);
        bar.increment();
        return one;
      });
      bar.stop();
      if (json === true) {
        process.stdout.write(`${JSON.stringify(found)}\n`);
        return;
      }
      printTable(
        [
          "simulated shop",
          "lists",
          "purchases",
          "more bought than in the engine's order",
          "than by best sellers",
          "clicks@10",
          "by the log",
          "gate",
          "bytes an item",
        ],
        found.map((one) => [
          one.seed,
          one.lists,
          one.purchases,
          `${percent(one.gain.mean)} (${percent(one.gain.low)} .. ${percent(one.gain.high)})`,
          `${percent(one.overSellers.mean)} (${percent(one.overSellers.low)} .. ${percent(one.overSellers.high)})`,
          percent(one.clicks),
          one.estimated === undefined
            ? "–"
            : `${percent(one.estimated.mean)} (${percent(one.estimated.low)} .. ${percent(one.estimated.high)})`,
          one.verdict,
          Math.round(one.bytes / one.items),
        ]),
      );
    });
}
