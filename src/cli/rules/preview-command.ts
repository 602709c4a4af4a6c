/** `armmt rules preview`: a draft over the searches of a log, or over queries that the engine is asked now. */
import { hash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { Command, Option } from "commander";
import * as v from "valibot";
import { CONTEXT_HEADER } from "../../protocol.ts";
import { formatSections } from "../../report/blocks.ts";
import type { BypassReason } from "../../result.ts";
import { errorText, UserError } from "../../web.ts";
import { addFieldFlags, mapFields } from "../catalog/fields.ts";
import { type CatalogOptions, readCatalog, rowsOf } from "../catalog/file.ts";
import { progressBar } from "../command.ts";
import { readSet } from "../embed/pack.ts";
import { composerOf, settingsOf } from "../evaluate/ask-engine.ts";
import { openLog } from "../lists/log.ts";
import { whole } from "../numbers.ts";
import { parseTime } from "../report.ts";
import { findConfig, LOCAL_STATE } from "../wrangler.ts";
import { createPreview, type PreviewedSearch } from "./preview.ts";
import {
  openPreviewEdge,
  type PreviewEdge,
  type PreviewRequest,
  type ReplayedList,
  REPLAYED_CATALOG,
  replayFetch,
  replayRequest,
  replaySettings,
  sharedFetch,
} from "./preview-edge.ts";
import { type DescribedPreview, drawPreview, previewSections, type ShownItem } from "./preview-page.ts";
import { requireRules } from "../../search/rules-store.ts";

export interface PreviewFlags extends Omit<CatalogOptions, "catalog"> {
  readonly from?: readonly string[] | undefined;
  readonly queries?: string | undefined;
  readonly against?: string | undefined;
  readonly catalog?: string | undefined;
  readonly embeddings?: string | undefined;
  readonly index?: readonly string[] | undefined;
  readonly search?: string | undefined;
  readonly config: string;
  readonly local?: true | undefined;
  readonly persistTo?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly most: number;
  readonly page: number;
  readonly at?: Date | undefined;
  readonly context?: string | undefined;
  readonly country?: string | undefined;
  readonly json?: true | undefined;
}

interface Known {
  readonly fields: Readonly<Record<string, unknown>>;
  readonly shown: ShownItem;
}

interface Found {
  readonly searches: AsyncIterable<PreviewedSearch>;
  readonly total: number;
  /** Read when all searches are. */
  readonly notes: () => readonly string[];
  readonly close: () => void;
}

/** Throws a UserError. */
export async function previewRules(file: string, flags: PreviewFlags) {
  if ((flags.from === undefined) === (flags.queries === undefined))
    throw new UserError("Name the searches to look at: either --from <log> or --queries <file>");
  const [draftText, liveText] = [readText(file), flags.against === undefined ? undefined : readText(flags.against)];
  const draft = requireRules(draftText, file);
  if (liveText !== undefined && flags.against !== undefined) requireRules(liveText, flags.against);
  const at = flags.at ?? new Date();
  const known = readKnown(flags);
  const found = await (flags.from === undefined ? askedSearches : loggedSearches)(flags, { draftText, liveText, known, at });
  try {
    const preview = createPreview({ draft, page: flags.page, at });
    const bar = progressBar("Previewing", found.total, flags);
    for await (const search of found.searches) {
      preview.add(search);
      bar.increment();
    }
    bar.stop();
    const result = preview.result();
    const notes = found.notes();
    if (result.searches === 0) throw new UserError(`No search could be looked at: ${notes.join("; ")}`);
    const before = flags.against === undefined ? "no rules" : flags.against;
    const title = `Preview of ${file} against ${before}`;
    return { described: { preview: result, title, notes } satisfies DescribedPreview, itemOf: (id: string) => known.get(id)?.shown };
  } finally {
    found.close();
  }
}

interface Inputs {
  readonly draftText: string;
  readonly liveText: string | undefined;
  readonly known: ReadonlyMap<string, Known>;
  readonly at: Date;
}

type EdgeParts = Pick<Parameters<typeof openPreviewEdge>[0], "vars" | "catalog" | "fetch">;

/** Both edges, and what they need of the flags. */
function openBoth(parts: EdgeParts, { embeddings, context, country }: PreviewFlags, { draftText, liveText, at }: Inputs) {
  const embedded = embeddings === undefined ? undefined : readSet(embeddings);
  const vars = { ...parts.vars, CLIENT_COUNTRY_HEADER: COUNTRY };
  const open = (rules: string | undefined) => openPreviewEdge({ ...parts, vars, rules, embedded, at });
  const [before, after] = [open(liveText), open(draftText)];
  const headers = { ...(context !== undefined && { [CONTEXT_HEADER]: context }), ...(country !== undefined && { [COUNTRY]: country }) };
  return { before, after, headers };
}

const COUNTRY = "x-preview-country";

async function compare(before: PreviewEdge, after: PreviewEdge, request: PreviewRequest) {
  const was = await before.ask(request);
  return typeof was === "string" ? was : { before: was, after: await after.ask(request) };
}

const BASE = (flags: PreviewFlags): string =>
  flags.embeddings === undefined
    ? "Rules act on the engine's order: a model's or meaning's order is another (meaning's: --embeddings)"
    : "Rules act on the order by meaning: a model's order is another";

/** What the edge left alone for these has no window in its record, or one that no rule may touch. */
const NOT_REPLAYED: ReadonlySet<string> = new Set<BypassReason>([
  "off",
  "cursor",
  "grouped",
  "federated",
  "redirected",
  "index_excluded",
  "size_zero",
  "beyond_window",
  "request_not_understood",
  "engine_unreachable",
  "engine_timeout",
  "engine_status",
  "engine_incomplete",
  "engine_refused_window",
  "window_timeout",
  "window_short",
  "window_paused",
  "reply_too_large",
  "reply_encoded",
  "reply_not_json",
  "reply_not_search",
  "duplicate_ids",
  "aborted",
]);

/** As a configuration names indexes; records of others may have any text there. */
const INDEX_NAME = /^[A-Za-z0-9.-][A-Za-z0-9._-]*$/;
const DEFAULT_INDEX = "products";

async function loggedSearches(flags: PreviewFlags, inputs: Inputs): Promise<Found> {
  const { index, from = [], most, since, until, local, config, persistTo } = flags;
  const indexes = index && new Set(index);
  const log = await openLog({ from, indexes, since, until, local, config, persistTo });
  const leftOut = new Map<string, number>();
  const leave = (reason: string, by = 1): void => void leftOut.set(reason, (leftOut.get(reason) ?? 0) + by);
  for (const [reason, searches] of log.leftOut) leave(reason, searches);
  const lists: ReplayedList[] = [];
  // By the hash of their ids, the same searches in each run: as many as wanted, from all of the log.
  const share = most / Math.max(1, log.counts.records);
  let taken = 0;
  for (const search of log.searches((reason) => leave(reason))) {
    const { queryId, query, itemIds, values, unit, bypass } = search;
    if (bypass !== undefined && NOT_REPLAYED.has(bypass)) leave(`no rule could change it (${bypass})`);
    else if (!INDEX_NAME.test(search.index || DEFAULT_INDEX)) leave(`"${search.index}" is no name of an index`);
    else if (itemIds.length === 0) leave("it found nothing");
    else if (share < 1 && hashOf(queryId) >= share) taken++;
    else
      lists.push({
        index: search.index || DEFAULT_INDEX,
        query,
        queryId,
        ids: itemIds,
        values,
        unit,
        isSorted: bypass === "explicit_sort",
      });
  }
  log.close();
  let current: ReplayedList | undefined;
  const answer = replayFetch(
    () => {
      if (current === undefined) throw new Error("No list is replayed");
      return current;
    },
    (id) => inputs.known.get(id)?.fields,
  );
  if (lists.length === 0) {
    const reasons = [...leftOut].map(([reason, searches]) => `${searches} left out: ${reason}`);
    throw new UserError(`No search of ${log.place} could be looked at: ${reasons.join("; ")}`);
  }
  const vars = replaySettings([...new Set(lists.map((list) => list.index))]);
  const { before, after, headers } = openBoth({ vars, catalog: REPLAYED_CATALOG, fetch: answer }, flags, inputs);
  return {
    total: lists.length,
    searches: (async function* replay() {
      for (const list of lists) {
        current = list;
        const compared = await compare(before, after, replayRequest(list, headers));
        const failed = typeof compared === "string" ? compared : typeof compared.after === "string" ? compared.after : undefined;
        if (failed !== undefined) leave(`it cannot be replayed (${failed})`);
        else if (typeof compared !== "string" && typeof compared.after !== "string")
          yield { query: list.query, index: list.index, before: compared.before, after: compared.after };
      }
    })(),
    notes: () => [
      BASE(flags),
      "A log holds neither filters, contexts, countries, sponsored ids nor the engine's own pins: rules that ask for these are not shown as they act",
      ...(inputs.known.size === 0
        ? ["Conditions on fields see price, stock and the like only where hits brought them: give the products with --catalog"]
        : []),
      ...(log.counts.simulated > 0 ? [`${log.counts.simulated} of these searches are simulated`] : []),
      ...(taken > 0 ? [`${lists.length} searches, drawn by the hash of their ids; ${taken} others were not looked at (--most)`] : []),
      ...[...leftOut].map(([reason, searches]) => `${searches} left out: ${reason}`),
    ],
    close: () => undefined,
  };
}

function hashOf(text: string): number {
  return Number.parseInt(hash("sha256", `armmt preview ${text}`).slice(0, 8), 16) / 2 ** 32;
}

async function askedSearches(flags: PreviewFlags, inputs: Inputs): Promise<Found> {
  const [index, second] = flags.index ?? [];
  if (index === undefined || second !== undefined)
    throw new UserError("--queries asks the engine of one index: name it with --index <name>");
  const { vars, config } = settingsOf(flags.config);
  const compose = composerOf({ ...flags, index }, config);
  const { fetch, forget } = sharedFetch();
  const catalog = config.indexes.get(index)?.catalog ?? index;
  const { before, after, headers } = openBoth({ vars, catalog, fetch }, flags, inputs);
  const queries = readQueries(flags.queries ?? "").slice(0, flags.most);
  const failed: string[] = [];
  return {
    total: queries.length,
    searches: (async function* ask() {
      for (const query of queries) {
        const composed = compose(query);
        forget();
        const compared = await compare(before, after, { ...composed, headers: { ...composed.headers, ...headers } });
        if (typeof compared === "string") failed.push(`"${query}": ${compared}`);
        else if (typeof compared.after === "string") failed.push(`"${query}": ${compared.after}`);
        else yield { query, index, before: compared.before, after: compared.after };
      }
    })(),
    notes: () => [
      BASE(flags),
      ...(failed.length === 0 ? [] : [`${failed.length} queries that ${index} did not answer: left out (${failed[0]})`]),
    ],
    close: forget,
  };
}

/** One query per line; an empty line is a search without words nowhere. */
function readQueries(file: string): readonly string[] {
  const queries = readText(file)
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "");
  if (queries.length === 0) throw new UserError(`${file} holds no query: write one per line`);
  return queries;
}

const jsonRow = v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown()));

/** Fields as the catalogue's file has them, with the shop's values under the names that rules use. */
function readKnown({ catalog: source, ...options }: PreviewFlags): ReadonlyMap<string, Known> {
  if (source === undefined) return new Map();
  const { items, source: file } = readCatalog({ ...options, catalog: source });
  const raw = file === "drawn" ? new Map<string, Readonly<Record<string, unknown>>>() : rawFields(file, options);
  return new Map(
    items.map(({ product, image }) => {
      const picture = image?.kind === "url" ? image.url : undefined;
      return [product.id, { fields: { ...raw.get(product.id), ...product }, shown: { title: product.title, picture } }] as const;
    }),
  );
}

function rawFields(file: string, options: Omit<CatalogOptions, "catalog">): ReadonlyMap<string, Readonly<Record<string, unknown>>> {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8").replace(/^\uFEFF/, "");
  const rows = rowsOf(text, file);
  const { id } = mapFields(rows, options);
  const lines = /\.(jsonl|ndjson)(\.gz)?$/i.test(file) ? text.split("\n") : [];
  return new Map(
    rows.flatMap(({ line, values }) => {
      // Lists and objects of JSON stay what they are: rules read them.
      const object = v.safeParse(jsonRow, lines[line - 1]);
      const own = id === undefined ? undefined : values[id];
      return own === undefined ? [] : [[own, object.success ? object.output : values] as const];
    }),
  );
}

function readText(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    throw new UserError(`Cannot read ${file}: ${errorText(cause)}`, { cause });
  }
}

const EXAMPLES = `
Examples:
  armmt rules export --catalog products --out live.json                          what is live now, to compare with
  armmt rules preview draft.json --against live.json --from EVENTS --catalog products.csv --html preview.html
  armmt rules preview draft.json --from ubi/ --since 2026-11-01T00:00:00Z
  armmt rules preview draft.json --queries queries.txt --index products           asks the engine of wrangler.toml now`;

export function createPreviewCommand(): Command {
  const command = new Command("preview")
    .description("What a draft would change, by the code that serves: over the searches of a log, or over queries")
    .argument("<file>", "the draft, a rules document")
    .option(
      "--from <log...>",
      "searches: D1 database, .sqlite file, .ndjson files or folder, .parquet files or folder, s3://…, r2://…, iceberg:<place>",
    )
    .addOption(new Option("--queries <file>", "queries instead, one per line: the engine is asked, through the edge").conflicts("from"))
    .option("--against <file>", "the rules of now (default: none)")
    .option("--catalog <source>", "products: fields, titles and pictures; a folder, or a .jsonl, .csv or .tsv file");
  return addFieldFlags(command)
    .option("--embeddings <folder>", "what armmt embed has written: rules act on the order by meaning, and can diversify")
    .option("--index <name...>", "only searches of these indexes; with --queries, the one that is asked")
    .option("--search <file>", 'with --queries: your application\'s search as one line of JSON, "{query}" for the words')
    .option("--config <file>", "wrangler.toml of the edge", findConfig())
    .option("--local", "with --from: the D1 of wrangler dev on this machine")
    .option("--persist-to <folder>", "with --local: where wrangler dev keeps its state", LOCAL_STATE)
    .option("--since <time>", "with --from: only searches from then on, ISO 8601", parseTime)
    .option("--until <time>", "with --from: only searches before, ISO 8601", parseTime)
    .option("--most <searches>", "look at no more", whole(1), 10_000)
    .option("--page <hits>", "positions of a first page", whole(1), 10)
    .option("--at <time>", "the moment of all searches, ISO 8601 (default: now)", (text) => new Date(parseTime(text)))
    .option("--context <words>", "x-armmt-context of all searches, with commas")
    .option("--country <code>", "the country of all searches, two letters")
    .option("--html <file>", "write the preview as a page, the lists side by side")
    .option("--json", "print it as JSON, and no progress")
    .addHelpText("after", EXAMPLES)
    .action(async (file: string, { html, ...flags }: PreviewFlags & { readonly html?: string }) => {
      const { described, itemOf } = await previewRules(file, flags);
      if (html !== undefined) writeFileSync(html, drawPreview(described, itemOf));
      const { preview, notes, title } = described;
      process.stdout.write(
        flags.json === true
          ? `${JSON.stringify({ title, ...preview, notes }, undefined, 2)}\n`
          : `${formatSections(previewSections(described))}\n`,
      );
      if (html !== undefined) process.stderr.write(`Written to ${html}\n`);
    });
}
