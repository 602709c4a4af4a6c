/** `armmt lists`: any log of searches and events, and embedded items → training lists. Every feature is computed by the code that serves. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command, Option } from "commander";
import { rawFeatures } from "../ranking/features.ts";
import type { OrderOptions } from "../report/orders.ts";
import { TOKEN_TTL_MS } from "../events/token.ts";
import { readSettings, StartError } from "../runtimes/node/settings.ts";
import { DAY_MS, UserError } from "../web.ts";
import { printTable, progressBar } from "./command.ts";
import { secretsBeside } from "./doctor/secrets.ts";
import { embeddingsFolder } from "./embed/pack.ts";
import { judgeArms, NO_EXPERIMENT } from "./lists/arms.ts";
import { createListWriter, createScalingFit, isUsable, listInputOf, openItems, rowMaker, writeItems } from "./lists/dataset.ts";
import { type Log, type LogOptions, openLog } from "./lists/log.ts";
import { SPLITS } from "./lists/split.ts";
import { above } from "./numbers.ts";
import { parseTime } from "./report.ts";
import { parseRates } from "./report/rates.ts";
import { addPlaces } from "./places.ts";

export interface ListsOptions extends LogOptions {
  /** That `armmt embed` wrote for the catalogue that was searched. */
  readonly embeddings: string;
  readonly out: string;
  readonly json?: boolean | undefined;
}

type Counts = Readonly<Record<string, number>>;

const REASONS = {
  browsed: "of a page without words, for armmt browse learn",
  short: "fewer than two candidates in the window",
  stray: "on an item that is no candidate of its list",
} as const;

function count(reasons: Map<string, number>, reason: string): void {
  reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
}

/** The most frequent first. */
function sorted(reasons: ReadonlyMap<string, number>): Counts {
  return Object.fromEntries([...reasons].toSorted(([a, of], [b, other]) => other - of || a.localeCompare(b)));
}

/** The first pass: which items the searches name (their table is in the order of ids), and the scaling of the training split's features. */
function survey(log: Log, { embeddings }: ListsOptions) {
  const embedded = openItems(embeddings);
  const named = new Set<string>();
  const units = new Set<string>();
  const fit = createScalingFit();
  const [leftOut, ignored] = [new Map(log.leftOut), new Map(log.ignored)];
  let [lists, clicked, training] = [0, 0, 0];
  for (const search of log.searches((reason) => count(leftOut, reason))) {
    if (!isUsable(search)) {
      count(leftOut, search.page === undefined ? REASONS.short : REASONS.browsed);
      continue;
    }
    lists++;
    const candidates = new Set(search.itemIds);
    const { click, add_to_cart: cart, purchase } = search.actions;
    for (const items of [click, cart, purchase]) for (const item of items) if (!candidates.has(item)) count(ignored, REASONS.stray);
    if (search.itemIds.some((itemId) => click.has(itemId))) clicked++;
    if (search.unit !== undefined) units.add(search.unit);
    for (const itemId of [...search.itemIds, ...search.history]) named.add(itemId);
    if (search.split !== "train") continue;
    training++;
    fit.add(rawFeatures(listInputOf(search, embedded)));
  }
  const reasons = { searches: sorted(leftOut), events: sorted(ignored) };
  if (training === 0) {
    throw new UserError(
      `${log.place} holds ${lists} lists and none of them is for training: more searches are needed${explain(reasons.searches)}`,
    );
  }
  const items = [...named].toSorted().flatMap((itemId) => embedded.find(itemId) ?? []);
  if (items.length === 0) throw new UserError(`No item of ${log.place} is in ${embeddings}: embed the catalogue that was searched`);
  const table = { identity: embedded.identity, items, queries: embedded.queries };
  return { lists, clicked, units: units.size, scaling: fit.scaling(), table, unknownItems: named.size - items.length, leftOut: reasons };
}

const explain = (reasons: Counts): string => {
  const parts = Object.entries(reasons).map(([reason, times]) => `${times} ${reason}`);
  return parts.length === 0 ? "" : ` (left out: ${parts.join(", ")})`;
};

/**
 * Reads the log once and its searches twice: memory holds one row group. `leftOut` says of what makes no list how often and why: of searches
 * (records that cannot be used, and query ids) and of events; `unknownItems` are those without an embedded record.
 */
export async function makeLists(options: ListsOptions) {
  if (options.json !== true) process.stderr.write(`Reading ${[options.from].flat().join(", ")}\n`);
  const log = await openLog(options);
  try {
    const { lists, clicked, units, scaling, table, unknownItems, leftOut } = survey(log, options);
    mkdirSync(options.out, { recursive: true });
    const bar = progressBar("Building lists", lists, options);
    const counts = { train: 0, validation: 0, test: 0 };
    const rowOf = rowMaker(table, scaling);
    const writer = createListWriter(options.out);
    for (const search of log.searches()) {
      if (!isUsable(search)) continue;
      bar.increment();
      await writer.add(rowOf(search)); // oxlint-disable-line no-await-in-loop
      counts[search.split]++;
    }
    await writer.close();
    bar.stop();
    writeItems(options.out, table, scaling);
    const { counts: read, firstUnreadable, currency, experiments } = log;
    const report = {
      lists,
      ...counts,
      clicked,
      units,
      items: table.items.length,
      unknownItems,
      records: read.records,
      events: read.events,
      simulated: read.simulated,
      unmarked: read.unmarked,
      currency: currency ?? null,
      leftOut,
      experiments,
      ...(firstUnreadable !== "" && { firstUnreadable }),
    };
    // Where the lists come from goes with them: a model that simulated shoppers taught must say so.
    writeFileSync(join(options.out, "lists.json"), `${JSON.stringify(report, undefined, 2)}\n`);
    return report;
  } finally {
    log.close();
  }
}

interface Flags {
  readonly from: readonly string[];
  readonly catalog?: string;
  readonly index?: readonly string[];
  readonly embeddings?: string;
  readonly out: string;
  readonly window: number;
  readonly rates?: string;
  readonly suspectPrices: NonNullable<OrderOptions["suspectPrices"]>;
  readonly config: string;
  readonly persistTo: string;
  readonly local?: true;
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

/** The indexes that search a catalogue, by the configuration of the edge. Throws a UserError where there is none. */
export function indexesOf(catalog: string, config: string): ReadonlySet<string> {
  try {
    const { indexes } = readSettings({ file: config, env: { ...secretsBeside(config), ...process.env } }).config;
    const names = [...indexes].flatMap(([name, index]) => (index.catalog === catalog ? [name] : []));
    if (names.length > 0) return new Set(names);
    const known = [...new Set([...indexes.values()].map((index) => index.catalog))].join(", ");
    throw new UserError(`No index of ${config} searches catalog "${catalog}" (it knows ${known}): name the indexes with --index`);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    throw new UserError(`Which indexes search "${catalog}", ${config} does not say (${error.problems.join("; ")}): name them with --index`);
  }
}

/** Of the flags that say which searches; `undefined` for all. */
function wanted({ index, catalog, config }: Pick<Flags, "index" | "catalog" | "config">): ReadonlySet<string> | undefined {
  if (index !== undefined) return new Set(index);
  return catalog === undefined ? undefined : indexesOf(catalog, config);
}

const EXAMPLES = `
Examples:
  armmt lists --catalog products                         D1 at Cloudflare, binding EVENTS
  armmt lists --catalog products --local                 the D1 of wrangler dev
  armmt lists --catalog products --from data/events.sqlite
  armmt lists --from ubi/ --embeddings .armmt/embeddings/products
  armmt lists --from r2://shop/ubi --catalog products

The log: docs/guide/training-lists.md`;

export function createListsCommand(): Command {
  const command = new Command("lists")
    .description("A log of searches and events → training lists (Parquet), through the features that serve")
    .addOption(
      new Option(
        "--from <log...>",
        "D1 database, .sqlite file, .ndjson files or folder, .parquet files or folder, s3://…, r2://…, iceberg:<place>; several are read as one",
      ).default(["EVENTS"], "D1, binding EVENTS"),
    );
  return addPlaces(command, { log: "d1" })
    .option("--catalog <name>", "only searches of the indexes that search this catalogue, with its vectors")
    .option("--index <name...>", "only searches of these indexes instead")
    .option("--embeddings <folder>", "that armmt embed wrote for it (default: .armmt/embeddings/<catalogue, or products>)")
    .option("--out <folder>", "where to write", ".armmt/lists")
    .option("--since <time>", "only searches from then on, ISO 8601", parseTime)
    .option("--until <time>", "only searches before, ISO 8601", parseTime)
    .option("--window <days>", "what comes later after its search is no label", above(0), TOKEN_TTL_MS / DAY_MS)
    .option("--rates <rates>", "currencies in that of the report, such as EUR=1,USD=0.92, or a JSON file of them")
    .addOption(
      new Option("--suspect-prices <how>", "prices far from the published ones in revenue")
        .choices(["leave-out", "count"])
        .default("leave-out"),
    )
    .option("--json", "print the figures as JSON, and no progress")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Flags) => {
      const { catalog = "products", embeddings = embeddingsFolder(catalog), window, rates, ...options } = flags;
      const indexes = wanted(flags);
      const report = await makeLists({
        ...options,
        embeddings,
        indexes,
        windowMs: window * DAY_MS,
        ...(rates !== undefined && { rates: parseRates(rates) }),
      });
      if (flags.json === true) process.stdout.write(`${JSON.stringify({ out: flags.out, ...report })}\n`);
      else print(report);
    });
}

function print({ leftOut, firstUnreadable, experiments, ...figures }: Awaited<ReturnType<typeof makeLists>>): void {
  const shares = SPLITS.map((split) => `${split} ${((100 * figures[split]) / figures.lists).toFixed(0)} %`).join(", ");
  printTable(
    ["lists", "count"],
    Object.entries(figures).map(([name, value]) => [name, value ?? "none"]),
  );
  process.stdout.write(`Split by shopper: ${shares}\n`);
  for (const [what, reasons] of Object.entries(leftOut)) {
    const rows = Object.entries(reasons);
    if (rows.length === 0) process.stdout.write(`No ${what} were left out.\n`);
    else printTable([`${what} left out`, "count"], rows);
  }
  for (const { state, detail } of experiments.map(judgeArms)) process.stdout.write(`Sample ratio ${state}: ${detail}\n`);
  if (experiments.length === 0) process.stdout.write(`Sample ratio not checked, because ${NO_EXPERIMENT}\n`);
  if (firstUnreadable !== undefined) process.stdout.write(`The first record that cannot be read: ${firstUnreadable}\n`);
}
