/**
 * `armmt browsing`: simulated shoppers on category pages and a home page. A table is learned from the simulated log alone; held-out shoppers then
 * buy from its order, from the engine's (popularity), from plain best sellers of the same log, and from tables that know less.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { type BrowseTable, parseBrowseTable } from "../../browse/table.ts";
import { judgeBrowse, orderBrowsed } from "../../cli/browse/judge.ts";
import { LEARN_DEFAULTS, learnBrowse } from "../../cli/browse/learn.ts";
import type { BrowsedList } from "../../cli/browse/lists.ts";
import { printTable, progressBar } from "../../cli/command.ts";
import { bootstrapMeans, orderByScore } from "../../cli/evaluate/metrics.ts";
import { whole } from "../../cli/numbers.ts";
import { createRandom } from "../../demo/catalogue/random.ts";
import { DEPTH } from "../../cli/gate/exposure.ts";
import { embedWorld, expectedClicks, expectedPurchases, logVisit, openWorld } from "./browse/world.ts";

interface Options {
  readonly seeds: number;
  readonly first: number;
  readonly shoppers: number;
  readonly visits: number;
  readonly heldOut: number;
  readonly vectors: string;
  readonly table?: string;
  readonly json?: true;
}

const DRAWS = 2000;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** What is compared, each learned from the same log. `sold`: as if the shop recorded no carts and knew no vectors. */
const ARMS = ["sold", "carts", "taste"] as const;
type Sums = Record<"engine" | "sellers" | (typeof ARMS)[number], number>;

/** One simulated shop. Gains are shares of what the engine's order sells to the same held-out shoppers. */
export async function studySeed(seed: number, { shoppers, visits, heldOut, vectors: folder }: Omit<Options, "seeds" | "first">) {
  const world = openWorld(seed);
  const vectors = await embedWorld({ seed }, join(folder, String(seed)));
  const taught = [...world.visits("train", shoppers, visits)].map(logVisit);
  const learned = learnBrowse(() => taught, LEARN_DEFAULTS, vectors);
  const withoutCarts = taught.map((list) => ({ ...list, carts: list.purchases }));
  const tables = {
    sold: tableOf(learnBrowse(() => withoutCarts).text),
    carts: tableOf(learnBrowse(() => taught).text),
    taste: tableOf(learned.text),
  };
  const sold = bestSellers(taught);
  const byShopper = new Map<string, Sums>();
  const judged: BrowsedList[] = [];
  const clicks = { engine: 0, learned: 0 };
  for (const visit of world.visits("test", heldOut, visits)) {
    const list = logVisit(visit);
    judged.push(list);
    const sums = byShopper.get(visit.shopper.id) ?? { engine: 0, sellers: 0, sold: 0, carts: 0, taste: 0 };
    byShopper.set(visit.shopper.id, sums);
    const engine = [...list.itemIds.keys()];
    sums.engine += expectedPurchases(visit, engine);
    sums.sellers += expectedPurchases(visit, orderByScore(list.itemIds.map((id) => sold.get(id) ?? 0)));
    for (const arm of ARMS) sums[arm] += expectedPurchases(visit, orderBrowsed(tables[arm], list, vectors));
    clicks.engine += expectedClicks(visit, engine, DEPTH);
    clicks.learned += expectedClicks(visit, orderBrowsed(tables.taste, list, vectors), DEPTH);
  }
  const verdict = judgeBrowse(learned, judged, vectors);
  const estimate = verdict.evidence.comparisons.find(({ figure }) => figure === "clicks");
  const all = [...byShopper.values()];
  const base = all.reduce((sum, { engine }) => sum + engine, 0) / all.length;
  const less = (a: keyof Sums, b: keyof Sums): number[] => all.map((sums) => (sums[a] - sums[b]) / base);
  const [gain, overSellers, before, byCarts, byTaste] = bootstrapMeans(
    [less("taste", "engine"), less("taste", "sellers"), less("sold", "engine"), less("carts", "sold"), less("taste", "carts")],
    createRandom(`browse ${seed}`).next,
    DRAWS,
  );
  return {
    seed,
    lists: taught.length,
    carts: countOf(taught, "carts"),
    purchases: countOf(taught, "purchases"),
    gain: gain!,
    overSellers: overSellers!,
    /** Without carts and taste. */
    before: before!,
    byCarts: byCarts!,
    byTaste: byTaste!,
    taste: learned.taste,
    /** More clicks on the first positions: the truth, and what the log of the held-out shoppers says of it. */
    clicks: clicks.learned / clicks.engine - 1,
    estimated: estimate && { mean: estimate.mean / estimate.base, low: estimate.low / estimate.base, high: estimate.high / estimate.base },
    verdict: verdict.verdict,
    decline: learned.prior.decline,
    bytes: learned.text.length,
    items: new Set(taught.flatMap(({ itemIds }) => itemIds)).size,
  };
}

function tableOf(text: string): BrowseTable {
  const parsed = parseBrowseTable(text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.value;
}

const countOf = (lists: readonly BrowsedList[], what: "carts" | "purchases"): number =>
  lists.reduce((sum, list) => sum + list[what].reduce((all, one) => all + one, 0), 0);

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
    .option("--vectors <folder>", "where the vectors of their products are kept", ".armmt/browsing")
    .option("--table <file>", "write a table for the demo's own shop instead, learned in the same way")
    .option("--json", "print the figures as JSON")
    .action(async ({ json, seeds, first, table, ...options }: Options) => {
      if (table !== undefined) {
        const visits = openWorld(first, {}).visits("train", options.shoppers, options.visits);
        const lists = [...visits].map(logVisit);
        const vectors = await embedWorld({}, join(options.vectors, "demo"));
        writeFileSync(table, learnBrowse(() => lists, LEARN_DEFAULTS, vectors).text.replace("{", '{"simulated":true,'));
        process.stdout.write(`Wrote ${table}, of ${lists.length} simulated lists\n`);
        return;
      }
      const bar = progressBar("Simulated shops", seeds, { json });
      const found: Awaited<ReturnType<typeof studySeed>>[] = [];
      for (let i = 0; i < seeds; i++) {
        found.push(await studySeed(first + i, options)); // oxlint-disable-line no-await-in-loop
        bar.increment();
      }
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
          "without carts and taste",
          "by carts",
          "by taste",
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
          ...[one.gain, one.before, one.byCarts, one.byTaste, one.overSellers].map(
            ({ mean, low, high }) => `${percent(mean)} (${percent(low)} .. ${percent(high)})`,
          ),
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
