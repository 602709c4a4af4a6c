/**
 * `armmt evaluate`: a shop's own judgments say what re-ranking would do to its searches, before any traffic: the engine's order against what the
 * edge would serve, through the functions that serve.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Command, Option } from "commander";
import { addFieldFlags } from "./catalog/fields.ts";
import { type Catalog, type CatalogOptions, readCatalog } from "./catalog/file.ts";
import { progressBar } from "./command.ts";
import { judgedByBm25 } from "./evaluate/judged.ts";
import { type Judgments, readJudgments } from "./evaluate/judgments.ts";
import { type NamedLists, readLists } from "./evaluate/lists.ts";
import { createOrderMaker, type EmbeddedSet } from "./evaluate/orders.ts";
import { openModelFolder } from "./evaluate/model.ts";
import { embeddingsFolder, readSet } from "./embed/pack.ts";
import { evaluate, type Evaluation, relevantOf } from "./evaluate/report.ts";
import { headline, sectionsOf } from "./evaluate/sections.ts";
import { whole } from "./numbers.ts";
import { formatSections } from "../report/blocks.ts";
import { errorText, UserError } from "../web.ts";

export interface EvaluateOptions extends CatalogOptions {
  readonly judgments: string;
  /** What `armmt embed` has written. Default: the catalogue's folder. */
  readonly from?: string | undefined;
  /** Folder of the model. Default: that of the package. */
  readonly model?: string | undefined;
  /** What engines found. Default: the judged products, by BM25. */
  readonly lists?: readonly string[] | undefined;
  /** The configured index that is asked instead. */
  readonly index?: string | undefined;
  readonly config: string;
  /** With `index`: a file with the application's own search. */
  readonly search?: string | undefined;
  readonly window: number;
  readonly skipUnknown?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** Throws a UserError. */
export async function evaluateCatalog(options: EvaluateOptions): Promise<{ evaluation: Evaluation; titleOf: (id: string) => string }> {
  const { json, skipUnknown = false } = options;
  if (options.search !== undefined && options.index === undefined) {
    throw new UserError(`--search ${options.search} needs --index <name>: the index whose engine is asked`);
  }
  const catalog = readCatalog(options);
  const titles = new Map(catalog.items.map(({ product }) => [product.id, product.title]));
  const isKnown = (id: string): boolean => titles.has(id);
  const judgments = readJudgments(options.judgments, { isKnown, skipUnknown });
  const embedded = readEmbedded(options, catalog);
  const { found, notes } = await findLists(options, catalog, judgments, embedded);
  const scorer = await openModelFolder(options.model);
  const orders = createOrderMaker(embedded, scorer);
  const bar = progressBar("Ranking", found.length * relevantOf(judgments).size, { json });
  const evaluation = await evaluate({
    catalog: catalog.name,
    source: catalog.source,
    judgments,
    found,
    orders,
    products: catalog.items.map(({ product }) => product),
    isKnown,
    // A list that is asked for is as long as its window.
    window: options.lists === undefined ? Infinity : options.window,
    notes,
    onQuery: () => bar.increment(),
  });
  bar.stop();
  return { evaluation, titleOf: (id) => titles.get(id) ?? `(${id}, not in the catalogue)` };
}

function readEmbedded({ from, catalog: source }: EvaluateOptions, { name }: Catalog): EmbeddedSet {
  const folder = from === undefined ? embeddingsFolder(name) : resolve(from);
  if (existsSync(join(folder, "set.json"))) return readSet(folder);
  throw new UserError(`Nothing embedded in ${folder}: run armmt embed --catalog ${source} first, or name its folder with --from`);
}

/** Judged products, lists from files, or what the configured engine finds now. */
async function findLists(
  { lists, index, ...options }: EvaluateOptions,
  catalog: Catalog,
  judgments: Judgments,
  embedded: EmbeddedSet,
): Promise<{ found: readonly NamedLists[]; notes: readonly string[] }> {
  if (lists !== undefined) return { found: readLists(lists), notes: [] };
  if (index === undefined) return { found: [judgedByBm25(catalog, judgments)], notes: [] };
  const { askEngine } = await import("./evaluate/ask-engine.ts");
  const { notes, ...found } = await askEngine([...relevantOf(judgments).keys()], embedded, { ...options, index });
  return { found: [found], notes };
}

const EXAMPLES = `
The judgments are a CSV file with the columns query, product_id and rating: 0 for irrelevant, then as many grades as you have, at most 10.
A lists file has one JSON object per line, what your engine finds for a query, best first, with its scores where it has them:
  {"query": "usb c hub", "hits": [{"id": "4711", "score": 12.5}, {"id": "4712", "score": 11.9}]}
With --index, the search of your application has the form of the doctor's searches:
  {"path": "/products/_search", "body": {"query": {"multi_match": {"query": "{query}", "fields": ["title^3", "brand"]}}, "size": 24}}

Examples:
  armmt evaluate --catalog products.csv --judgments judgments.csv                       your judged products, by BM25
  armmt evaluate --catalog products.csv --judgments judgments.csv --lists found.jsonl   what your engine found
  armmt evaluate --catalog products.csv --judgments judgments.csv --index products      what it finds now
  armmt evaluate --catalog products.csv --judgments judgments.csv --html quality.html`;

export function createEvaluateCommand(): Command {
  const command = new Command("evaluate")
    .description("Your engine's order against what the edge would serve, by your own judgments, before any traffic")
    .requiredOption("--catalog <source>", 'a folder with products.jsonl or products.csv, such a file, or "drawn"')
    .requiredOption("--judgments <file>", "query, product_id and rating, as .csv, .tsv or .jsonl (.gz too)")
    .option("--from <folder>", "what armmt embed has written (default: .armmt/embeddings/<catalogue's name>)")
    .option("--model <folder>", "model that would serve: student.onnx and manifest.json (default: the package's)")
    .option(
      "--lists <files...>",
      "what an engine found, one query per line; several files are compared (default: the judged products, by BM25)",
    )
    .addOption(new Option("--index <name>", "ask the engine of this index of the configuration, through the edge").conflicts("lists"))
    .option("--config <file>", "with --index: wrangler.toml whose [vars] are the configuration", "wrangler.toml")
    .option("--search <file>", 'with --index: your application\'s search as one line of JSON, "{query}" for the words')
    .option("--window <hits>", "with --lists: hits of a list that are re-ranked", whole(2), 100)
    .option("--skip-unknown", "leave judgments of products that the catalogue lacks out, instead of stopping")
    .option("--html <file>", "write the figures as one HTML page too")
    .option("--json", "print the figures as JSON and no progress")
    .addHelpText("after", EXAMPLES);
  return addFieldFlags(command).action(async ({ html, ...options }: EvaluateOptions & { readonly html?: string }) => {
    const { evaluation, titleOf } = await evaluateCatalog(options);
    if (html !== undefined) {
      const { drawEvaluation } = await import("./evaluate/page.ts");
      writePage(html, drawEvaluation(evaluation, titleOf));
    }
    const { judgments: _, ...figures } = evaluation;
    process.stdout.write(
      options.json === true
        ? `${JSON.stringify(figures, undefined, 2)}\n`
        : `${headline(evaluation)}\n\n${formatSections(sectionsOf(evaluation, titleOf))}`,
    );
    if (html !== undefined && options.json !== true) process.stderr.write(`Wrote ${html}\n`);
  });
}

function writePage(file: string, page: string): void {
  try {
    writeFileSync(file, page);
  } catch (error) {
    throw new UserError(`Cannot write the page (${errorText(error)}): name a file in a folder that exists with --html`, { cause: error });
  }
}
