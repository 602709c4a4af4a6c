/** `armmt browse`: what sells on category, collection, brand and home pages, from the shop's own log to the edge. */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { TOKEN_TTL_MS } from "../events/token.ts";
import { errorText, DAY_MS, UserError } from "../web.ts";
import { type BrowseVerdict, judgeBrowse } from "./browse/judge.ts";
import { LEARN_DEFAULTS, learnBrowse, type LearnOptions } from "./browse/learn.ts";
import { type BrowsedList, browsedList } from "./browse/lists.ts";
import { publishBrowse, readBrowseHistory, rollBackBrowse } from "./browse/store.ts";
import { printTable } from "./command.ts";
import { embeddingsFolder } from "./embed/pack.ts";
import { indexesOf } from "./lists.ts";
import { openItems } from "./lists/dataset.ts";
import { type LogOptions, openLog } from "./lists/log.ts";
import { above, partOfOne, whole } from "./numbers.ts";
import { addNamespaceFlags, type NamespaceFlags, withNamespace } from "./publish.ts";
import { addPlaces } from "./places.ts";
import { parseTime } from "./report.ts";

/** Refused, or too little evidence. */
const NOT_PASSED = 3;

/** Of a table that held-out shoppers have not spoken against: it proves itself with little first. */
const FIRST_TRUST = 0.3;

export interface LearnBrowseOptions extends LogOptions, LearnOptions {
  readonly out: string;
  /** That `armmt embed` wrote; absent: nothing is learned of taste. */
  readonly embeddings?: string | undefined;
}

/** Reads the log, writes the table, and judges it by shoppers whose lists taught nothing. Throws a UserError where there is no list. */
export async function learnFromLog({ out, embeddings, ...options }: LearnBrowseOptions) {
  const vectors = embeddings === undefined ? undefined : openItems(embeddings);
  const log = await openLog(options);
  try {
    const leftOut = new Map(log.leftOut);
    const [taught, heldOut]: [BrowsedList[], BrowsedList[]] = [[], []];
    let withWords = 0;
    for (const search of log.searches((reason) => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + 1))) {
      const list = browsedList(search);
      if (list === undefined) withWords++;
      else (search.split === "test" ? heldOut : taught).push(list);
    }
    if (taught.length === 0)
      throw new UserError(
        `${log.place} holds no list of a page without words (${withWords} other searches): set browse = true for the index, so that records name the page, and serve explore(armmt) to a share of the shoppers`,
      );
    const learned = learnBrowse(() => taught, options, vectors);
    const judged = judgeBrowse(learned, heldOut, vectors);
    const trust = judged.verdict === "passes" ? FIRST_TRUST : 0;
    const [head = "", ...lines] = learned.text.split("\n");
    const text = [
      JSON.stringify({ ...JSON.parse(head), trust, verdict: judged.verdict, simulated: log.counts.simulated > 0 }),
      ...lines,
    ].join("\n");
    writeFileSync(out, text);
    return {
      ...summaryOf(learned.text, taught, heldOut),
      ...figuresOf(learned),
      ...judged,
      trust,
      withWords,
      leftOut: Object.fromEntries(leftOut),
    };
  } finally {
    log.close();
  }
}

function summaryOf(text: string, taught: readonly BrowsedList[], heldOut: readonly BrowsedList[]) {
  const bytes = new TextEncoder().encode(text).length;
  const items = new Set(taught.flatMap(({ itemIds }) => itemIds)).size;
  return { taught: taught.length, heldOut: heldOut.length, items, bytes, bytesPerItem: Math.round(bytes / Math.max(1, items)) };
}

const figuresOf = ({ pages, entries, prior, weights, curve, taste }: ReturnType<typeof learnBrowse>) => ({
  pages,
  entries,
  prior,
  weights,
  looks: curve.looks.map((look) => Number(look.toFixed(3))),
  exploredClicks: curve.clicks,
  /** `null`: no embeddings were given. */
  taste: taste === undefined ? null : { ...taste, taste: taste.taste ?? null },
});

const EXAMPLES = `
Examples:
  armmt browse learn --catalog products --out browse.txt        D1 at Cloudflare, binding EVENTS
  armmt browse learn --from data/events.sqlite --out browse.txt
  armmt browse publish browse.txt --catalog products            live within a minute, where an index has browse = true
  armmt browse publish browse.txt --trust 1                     after an experiment
  armmt browse rollback --catalog products
  armmt browse history --catalog products                       versions, since when, how far and by which verdict

How to begin: docs/guide/browse.md`;

export function createBrowseCommand(): Command {
  return new Command("browse")
    .description("What sells on category, brand and home pages: learn it from your log, publish it, roll back")
    .addHelpText("after", EXAMPLES)
    .addCommand(learnCommand())
    .addCommand(publishCommand())
    .addCommand(rollbackCommand())
    .addCommand(historyCommand());
}

interface LearnFlags extends LearnOptions {
  readonly from: readonly string[];
  readonly catalog?: string;
  readonly index?: readonly string[];
  readonly out: string;
  readonly embeddings?: string;
  readonly window: number;
  readonly config: string;
  readonly persistTo: string;
  readonly local?: true;
  readonly since?: string;
  readonly until?: string;
  readonly json?: boolean;
}

function learnCommand(): Command {
  const command = new Command("learn")
    .description("Your log → a table of what sells on which page, judged by shoppers held out from it")
    .option("--from <log...>", "as for armmt lists: D1 database, .sqlite file, .ndjson files or folder, .parquet …", ["EVENTS"]);
  return addPlaces(command, { log: "d1" })
    .option("--catalog <name>", "only pages of the indexes that search this catalogue")
    .option("--index <name...>", "only pages of these indexes instead")
    .option("--out <file>", "where to write the table", "browse.txt")
    .option(
      "--embeddings <folder>",
      "that armmt embed wrote, for the shopper's taste (default: .armmt/embeddings/<catalogue, or products>, where there are some)",
    )
    .option("--since <time>", "only lists from then on, ISO 8601", parseTime)
    .option("--until <time>", "only lists before, ISO 8601", parseTime)
    .option("--window <days>", "what comes later after its list does not count", above(0), TOKEN_TTL_MS / DAY_MS)
    .option("--half-life-days <days>", "an event counts half after so many", above(0), LEARN_DEFAULTS.halfLifeDays)
    .option("--fewest-lists <n>", "pages with fewer are a part of the page that they refine", whole(1), LEARN_DEFAULTS.fewestLists)
    .option("--most-pages <n>", "keep the pages with the most lists", whole(1), LEARN_DEFAULTS.mostPages)
    .option("--json", "print the figures as JSON")
    .addHelpText(
      "after",
      "\nExit codes: 0 the table passes, 1 failed, 2 wrong usage, 3 it does not pass: worse than the engine's order, or the log is too small to tell",
    )
    .action(async ({ window, json, ...flags }: LearnFlags) => {
      const { index, catalog, config } = flags;
      const indexes = index !== undefined ? new Set(index) : catalog === undefined ? undefined : indexesOf(catalog, config);
      const usual = embeddingsFolder(catalog ?? "products");
      const embeddings = flags.embeddings ?? (existsSync(usual) ? usual : undefined);
      const report = await learnFromLog({ ...flags, embeddings, indexes, windowMs: window * DAY_MS });
      if (json === true) process.stdout.write(`${JSON.stringify({ out: flags.out, ...report })}\n`);
      else print(flags.out, report);
      if (report.verdict !== "passes") process.exitCode = NOT_PASSED;
    });
}

const VERDICTS: Readonly<Record<BrowseVerdict["verdict"], string>> = {
  passes: "passes",
  refused: "is REFUSED: worse than the engine's order",
  cannot_tell: "does not pass: we cannot tell",
};

function print(out: string, report: Awaited<ReturnType<typeof learnFromLog>>): void {
  const {
    verdict,
    missing,
    evidence,
    trust,
    taught,
    heldOut,
    withWords,
    items,
    pages,
    entries,
    bytes,
    bytesPerItem,
    prior,
    exploredClicks,
    taste,
  } = report;
  printTable(
    ["lists", "count"],
    [
      ["that taught", taught],
      ["of shoppers held out", heldOut],
      ["other searches, left out", withWords],
      ["items", items],
      ["pages", pages],
      ["rates", entries],
      ["bytes", bytes],
      ["bytes an item", bytesPerItem],
      ["clicks on explored positions", exploredClicks],
      ["the engine's order falls with rank ^ -", prior.decline],
    ],
  );
  printTable(
    ["learned − engine, a list", "mean", "low", "high", "of the engine's"],
    evidence.comparisons.map(({ figure, mean, low, high, base }) => [
      figure,
      ...[mean, low, high].map((value) => value.toFixed(4)),
      base > 0 ? `${((100 * mean) / base).toFixed(1)} %` : "–",
    ]),
  );
  process.stdout.write(`${describeTaste(taste)}\n`);
  process.stdout.write(
    `The table ${VERDICTS[verdict]}${missing.length > 0 ? ` (${missing.join("; ")})` : ""}. It is in ${out} with trust ${trust}.\n`,
  );
}

/** For a tenth of a cosine. */
const more = (strength: number): string => `${(100 * Math.expm1(strength / 10)).toFixed(0)} %`;

function describeTaste(taste: Awaited<ReturnType<typeof learnFromLog>>["taste"]): string {
  if (taste === null) return "Taste: not learned, for want of embeddings (armmt embed, then --embeddings)";
  const of = `${taste.lists} lists of ${taste.shoppers} shoppers with a known history`;
  if (taste.taste === null) return `Taste: none, as ${of} do not say that there is one`;
  const { picture, text } = taste.taste;
  return `Taste: ${more(picture)} more is bought of an item whose picture is 0.1 nearer than the page's mean to those looked at before, ${more(text)} where its text is (${of})`;
}

function publishCommand(): Command {
  const command = new Command("publish")
    .description("Put a learned table into KV and make it live")
    .argument("<file>", "that armmt browse learn wrote")
    .option("--trust <share>", "how far the variant armmt follows it, 0 to 1 (default: as learned)", partOfOne);
  return addNamespaceFlags(command).action(async (file: string, flags: NamespaceFlags & { readonly trust?: number }) => {
    const text = readText(file);
    const report = await withNamespace(flags, (namespace) =>
      publishBrowse(namespace, { catalog: flags.catalog, text, name: file, trust: flags.trust, at: new Date() }),
    );
    const { catalog, version, pages, trust, bytes, changed, place } = report;
    const words = `${catalog}: browse rates ${version} (${pages} pages, ${bytes} bytes, trust ${trust}) ${changed ? "are live" : "are live already"} in ${place}`;
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : `${words}\nIndexes with browse = true follow within a minute\n`,
    );
  });
}

function rollbackCommand(): Command {
  return addNamespaceFlags(
    new Command("rollback")
      .description("Make the table published before live again; a second rollback undoes this")
      .argument("[version]", "another one, of armmt browse history"),
  ).action(async (version: string | undefined, flags: NamespaceFlags) => {
    const { catalog } = flags;
    const report = await withNamespace(flags, (namespace) => rollBackBrowse(namespace, { catalog, version, at: new Date() }));
    const words = `${catalog}: browse rates ${report.version} (trust ${report.trust}) are live again in ${report.place}, ${report.previous} are not`;
    process.stdout.write(flags.json === true ? `${JSON.stringify(report, undefined, 2)}\n` : `${words}\n`);
  });
}

function historyCommand(): Command {
  return addNamespaceFlags(new Command("history").description("Which tables were live, newest first")).action(
    async (flags: NamespaceFlags) => {
      const changes = await withNamespace(flags, (namespace) => readBrowseHistory(namespace, flags.catalog));
      if (flags.json === true) process.stdout.write(`${JSON.stringify(changes, undefined, 2)}\n`);
      else
        printTable(
          ["live since", "by", "version", "trust", "verdict of learn"],
          changes.toReversed().map(({ at, what, version, trust, verdict }) => [at, what, version, trust, verdict ?? "–"]),
        );
    },
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UserError(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}
