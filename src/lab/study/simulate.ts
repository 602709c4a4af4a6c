/** `armmt simulate`: simulated shoppers in the drawn or the fashion shop → UBI events as a real shop has them, and the truth behind them. */
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { printTable, progressBar } from "../../cli/command.ts";
import { partOfOne, whole } from "../../cli/numbers.ts";
import { ALL_PARTS, type PART_NAMES } from "./simulate/attraction.ts";
import { LOG_MODELS } from "./simulate/clicks.ts";
import { drawnShop } from "./simulate/drawn-shop.ts";
import { openFashionShop } from "./simulate/fashion/shop.ts";
import { honestShop, USUAL_DOSE } from "./simulate/honest/shop.ts";
import { lookCodes, type Shop } from "./simulate/shop.ts";
import { simulateOverHttp } from "./simulate/over-http.ts";
import { type ScenarioOptions, simulate } from "./simulate/scenario.ts";
import { type PeopledShop, type WorldNumber, WORLDS } from "./simulate/world.ts";
import { DRAWN_COUNT } from "../../demo/catalogue/catalogue.ts";

/** Shop of the simulated shoppers: drawn like the demo's catalogue, from another seed, so that the demo shows products never trained on. */
export const SIMULATED_SHOP = { seed: 3, count: 3000 };

/** Fewest that a study over the fashion shop should have; the drawn shop's are smaller because they train within minutes. */
const DEFAULTS = { drawn: { shoppers: 4000, searches: 20_000 }, fashion: { shoppers: 20_000, searches: 200_000 } } as const;

/** Which world, default 1; `dose`: of world 2, the pictures' share of what decides. */
export interface WorldOptions {
  readonly world?: WorldNumber | undefined;
  readonly dose?: number | undefined;
}

/** The shop as shoppers of that world see it. */
export function inWorld(shop: Shop, { world = 1, dose = USUAL_DOSE, seed }: WorldOptions & { readonly seed: number }): PeopledShop {
  return world === 1 ? shop : honestShop(shop, { dose, seed });
}

/** Defaults: the drawn shop of `items` and `catalogSeed` (which are ignored for another shop), "pbm", seed 1, all parts. */
interface SimulateOptions
  extends Pick<ScenarioOptions, "shoppers" | "searches">, Partial<Pick<ScenarioOptions, "clickModel" | "seed" | "parts">>, WorldOptions {
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
  const { shoppers, searches, world = 1, dose = USUAL_DOSE } = options;
  const shop = inWorld(options.shop ?? drawnShop({ count: items, seed: catalogSeed }), { world, dose, seed });
  const catalog = shop.level === "drawn" ? { catalog: "drawn", items, catalogSeed } : { catalog: shop.level, items: shop.products.length };
  writeFileSync(
    join(options.out, "simulation.json"),
    `${JSON.stringify({ ...catalog, ...(world !== 1 && { world, dose }), shoppers, searches, clickModel, seed, parts, look: lookCodes(shop) }, undefined, 2)}\n`,
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
interface Flags extends Omit<SimulateOptions, "shop" | "parts" | "shoppers" | "searches" | "world">, Partial<Record<Without, true>> {
  readonly catalog: string;
  readonly world: string;
  readonly shoppers?: number;
  readonly searches?: number;
  readonly edge?: string;
  readonly index: string;
  readonly arms: readonly string[];
  readonly adminToken?: string;
  readonly judgeEvery: number;
  readonly page: number;
  readonly atOnce: number;
}

/** Over HTTP a search takes some milliseconds, and three with the truth. */
const HTTP_DEFAULTS = { shoppers: 200, searches: 1000 };

const EXAMPLES = `
Examples:
  armmt simulate --out .armmt/simulation                       a log in files
  armmt simulate --edge http://localhost:8787 --admin-token T  shoppers at a running edge; then armmt report <experiment> --local

With --edge the catalogue is the demo shop's, unless --items and --catalog-seed name another, and the edge decides who is in which arm: it needs
EVENT_SECRET, and an experiment such as ["control", "armmt"] with equal weights. A seed is for one log: its units and query ids follow from it.`;

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
    .addOption(new Option("--world <n>", "how shoppers choose: 1, or 2 (docs/design/worlds.md)").choices(WORLDS.map(String)).default("1"))
    .option("--dose <share>", "in world 2: the pictures' share of what decides", partOfOne, USUAL_DOSE)
    .option("--without-text", "words do not attract")
    .option("--without-picture", "pictures do not attract")
    .option("--without-personal", "all shoppers like the same")
    .option("--without-context", "neither neighbours' prices nor what stands above matter")
    .option("--edge <url>", "search at this running edge, over HTTP, and send it the events")
    .option("--index <name>", "with --edge: one that speaks Elasticsearch's language", "products")
    .option("--arms <variants...>", "with --edge: whose worth the truth holds, the control first", ["control", "armmt"])
    .option("--admin-token <token>", "with --edge: its ADMIN_TOKEN, to ask for each arm's order: without it there is no truth about arms")
    .option("--judge-every <n>", "with --edge: the truth of every so many searches", whole(1), 1)
    .option("--page <n>", "with --edge: hits of a page", whole(1), 24)
    .option("--at-once <n>", "with --edge: shoppers at the same time", whole(1), 4)
    .option("--json", "print the figures as JSON")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags, command: Command) => {
      const parts = {
        text: flags.withoutText !== true,
        picture: flags.withoutPicture !== true,
        personal: flags.withoutPersonal !== true,
        context: flags.withoutContext !== true,
      };
      const shop = flags.catalog === "drawn" ? undefined : await openFashionShop(flags.catalog);
      if (flags.edge !== undefined) {
        const isGiven = (name: string): boolean => command.getOptionValueSource(name) === "cli";
        const count = isGiven("items") ? flags.items : DRAWN_COUNT;
        const drawn = { ...(count !== undefined && { count }), ...(isGiven("catalogSeed") && { seed: flags.catalogSeed }) };
        const { edge, adminToken, clickModel = "pbm", seed = 1 } = flags;
        const told = { ...HTTP_DEFAULTS, ...flags, edge, adminToken, clickModel, seed, parts, shop: shop ?? drawnShop(drawn) };
        const report = await simulateOverHttp(told);
        process.stdout.write(`${JSON.stringify({ out: flags.out, ...report }, undefined, flags.json === true ? 0 : 2)}\n`);
        return;
      }
      const world = flags.world === "2" ? 2 : 1;
      const report = writeSimulation({ ...DEFAULTS[shop === undefined ? "drawn" : "fashion"], ...flags, world, shop, parts });
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ out: flags.out, ...report })}\n`);
      else printTable(["simulated", "count"], Object.entries(report));
    });
}
