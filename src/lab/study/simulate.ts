/** `armmt simulate`: simulated shoppers in the drawn or the fashion shop → UBI events as a real shop has them, and the truth behind them. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { printTable, progressBar } from "../../cli/command.ts";
import { whole } from "../../cli/numbers.ts";
import { ALL_PARTS, type PART_NAMES } from "./simulate/attraction.ts";
import { LOG_MODELS } from "./simulate/clicks.ts";
import { drawnShop } from "./simulate/drawn-shop.ts";
import { openFashionShop } from "./simulate/fashion/shop.ts";
import { lookCodes, type Shop } from "./simulate/shop.ts";
import { type ScenarioOptions, simulate } from "./simulate/scenario.ts";

/** Shop of the simulated shoppers: drawn like the demo's catalogue, from another seed, so that the demo shows products never trained on. */
export const SIMULATED_SHOP = { seed: 3, count: 3000 };

/** Fewest that a study over the fashion shop should have; the drawn shop's are smaller because they train within minutes. */
const DEFAULTS = { drawn: { shoppers: 4000, searches: 20_000 }, fashion: { shoppers: 20_000, searches: 200_000 } } as const;

/** Defaults: the drawn shop of `items` and `catalogSeed` (which are ignored for another shop), "pbm", seed 1, all parts. */
interface SimulateOptions
  extends Pick<ScenarioOptions, "shoppers" | "searches">, Partial<Pick<ScenarioOptions, "clickModel" | "seed" | "parts">> {
  readonly out: string;
  readonly shop?: Shop | undefined;
  readonly items?: number;
  readonly catalogSeed?: number;
  readonly json?: boolean | undefined;
}

/** Lines in memory before they are written. */
const BUFFERED_LINES = 500;

function lineWriter(path: string) {
  const file = openSync(path, "w");
  let lines: string[] = [];
  const flush = (): void => {
    writeSync(file, lines.join(""));
    lines = [];
  };
  return {
    write(value: unknown): void {
      lines.push(`${JSON.stringify(value)}\n`);
      if (lines.length >= BUFFERED_LINES) flush();
    },
    close(): void {
      flush();
      closeSync(file);
    },
  };
}

/** Writes queries.ndjson, events.ndjson (UBI 1.3), truth.ndjson and simulation.json (these options) into `out`. Returns counts. */
export function writeSimulation(options: SimulateOptions) {
  mkdirSync(options.out, { recursive: true });
  const queries = lineWriter(join(options.out, "queries.ndjson"));
  const events = lineWriter(join(options.out, "events.ndjson"));
  const truth = lineWriter(join(options.out, "truth.ndjson"));
  const report = { searches: 0, queries: 0, views: 0, clicks: 0, carts: 0, purchases: 0, train: 0, validation: 0, test: 0 };
  const texts = new Set<string>();
  const bar = progressBar("Simulating searches", options.searches, options);
  const { items = SIMULATED_SHOP.count, catalogSeed = SIMULATED_SHOP.seed, clickModel = "pbm", seed = 1, parts = ALL_PARTS } = options;
  const { shoppers, searches, shop = drawnShop({ count: items, seed: catalogSeed }) } = options;
  const catalog = shop.level === "drawn" ? { catalog: "drawn", items, catalogSeed } : { catalog: shop.level, items: shop.products.length };
  writeFileSync(
    join(options.out, "simulation.json"),
    `${JSON.stringify({ ...catalog, shoppers, searches, clickModel, seed, parts, look: lookCodes(shop) }, undefined, 2)}\n`,
  );
  for (const session of simulate({ shop, shoppers, searches, clickModel, seed, parts })) {
    queries.write(session.query);
    truth.write(session.truth);
    for (const event of [...session.views, ...session.events]) {
      events.write(event);
      if (event.action_name === "click") report.clicks++;
      else if (event.action_name === "add_to_cart") report.carts++;
      else if (event.action_name === "purchase") report.purchases++;
      else report.views++;
    }
    texts.add(session.query.user_query);
    report.searches++;
    report[session.truth.split]++;
    bar.increment();
  }
  bar.stop();
  for (const writer of [queries, events, truth]) writer.close();
  report.queries = texts.size;
  return report;
}

type Without = `without${Capitalize<(typeof PART_NAMES)[number]>}`;
interface Flags extends Omit<SimulateOptions, "shop" | "parts" | "shoppers" | "searches">, Partial<Record<Without, true>> {
  readonly catalog: string;
  readonly shoppers?: number;
  readonly searches?: number;
}

export function createSimulateCommand(): Command {
  return new Command("simulate")
    .description("Simulated shoppers → UBI events (queries.ndjson, events.ndjson) and the truth (truth.ndjson)")
    .option("--catalog <name>", 'the shop: "drawn", or the folder of the fashion photographs', "drawn")
    .option("--out <folder>", "where to write", ".armmt/simulation")
    .option("--items <n>", "products in the drawn shop", whole(100), SIMULATED_SHOP.count)
    .option("--catalog-seed <n>", "which drawn catalogue", whole(0), SIMULATED_SHOP.seed)
    .option("--shoppers <n>", "how many shoppers (default: 4,000 in the drawn shop, 20,000 in the fashion shop)", whole(1))
    .option("--searches <n>", "how many searches in all (default: 20,000 and 200,000)", whole(1))
    .addOption(new Option("--click-model <name>", "how shoppers read a list; full: all of it").choices(LOG_MODELS).default("pbm"))
    .option("--seed <n>", "another number, other shoppers", whole(0), 1)
    .option("--without-text", "words do not attract")
    .option("--without-picture", "pictures do not attract")
    .option("--without-personal", "all shoppers like the same")
    .option("--without-context", "neither neighbours' prices nor what stands above matter")
    .option("--json", "print the figures as JSON")
    .action(async (flags: Flags) => {
      const shop = flags.catalog === "drawn" ? undefined : await openFashionShop(flags.catalog);
      const report = writeSimulation({
        ...DEFAULTS[shop === undefined ? "drawn" : "fashion"],
        ...flags,
        shop,
        parts: {
          text: flags.withoutText !== true,
          picture: flags.withoutPicture !== true,
          personal: flags.withoutPersonal !== true,
          context: flags.withoutContext !== true,
        },
      });
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ out: flags.out, ...report })}\n`);
      else printTable(["simulated", "count"], Object.entries(report));
    });
}
