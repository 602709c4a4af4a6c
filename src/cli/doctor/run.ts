/**
 * The doctor: the edge of the configuration, in this process and without vectors, in front of the shop's own engine. A search that gets as far
 * as the missing vectors would be re-ranked. The requests that the edge sends are kept, and sent again to be timed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import * as v from "valibot";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { AUTHORIZATION } from "../../backends/dialect.ts";
import { createDialects } from "../../backends/dialects.ts";
import type { Config } from "../../config/config.ts";
import { openEdge } from "../../edge.ts";
import type { KvReader } from "../../embeddings/store.ts";
import type { Scorers } from "../../inference/scorer.ts";
import { OFF, OUTCOME_HEADER, parseOutcomes } from "../../protocol.ts";
import { err, isBypassReason, ok, REASONS } from "../../result.ts";
import { NODE, nodeScorer } from "../../runtimes/node/node.ts";
import { folderKv } from "../../runtimes/node/folder-kv.ts";
import { readSettings, StartError, type Vars } from "../../runtimes/node/settings.ts";
import { UserError } from "../../web.ts";
import { printTable, progressBar } from "../command.ts";
import type { Finding } from "./finding.ts";
import { type Price, priceOf, type SentRequest } from "./price.ts";
import { secretsBeside } from "./secrets.ts";
import { composeSearch, readSearches, type TriedSearch, wordsOf } from "./searches.ts";
import { checkSettings, type Engine } from "./settings.ts";

export interface DoctorFlags {
  readonly config: string;
  readonly index?: readonly string[];
  readonly words?: readonly string[];
  readonly searches?: string;
  readonly window?: readonly number[];
  readonly afford: number;
  readonly repeat: number;
  readonly data: string;
  readonly json?: true;
}

const USUAL_WINDOWS = [50, 100, 200];

/** Time is not what is looked at. */
const LIMITS = {
  RANK_BUDGET_MS: 5000,
  ENGINE_TIMEOUT_MS: 30_000,
  DEFAULT_VARIANT: "armmt",
  EXPERIMENTS: [],
  LIVE_EXPERIMENTS: false,
  LIVE_MODELS: false,
  LIVE_RULES: false,
};

/** Searches whose windows are timed: the first that would be re-ranked. */
const TIMED = 3;

const RERANKED = "re-ranked";

interface Tried {
  readonly search: TriedSearch;
  /** RERANKED or the reason. */
  readonly outcome: string;
  readonly detail: string;
  readonly requests: readonly SentRequest[];
}

/** Prints the findings; resolves to the exit code. */
export async function runDoctor(flags: DoctorFlags): Promise<0 | 1 | 2> {
  let vars: Vars;
  let config: Config;
  try {
    ({ vars, config } = readSettings({ file: flags.config, env: { ...secretsBeside(flags.config), ...process.env } }));
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    for (const problem of error.problems) process.stderr.write(`Error: ${problem}\n`);
    return error.exitCode;
  }
  const { index: wanted = [], words = [], window: asked = [] } = flags;
  const unknown = wanted.find((name) => !config.indexes.has(name));
  if (unknown !== undefined)
    throw new UserError(`--index "${unknown}" is not in INDEXES, which has ${[...config.indexes.keys()].join(", ")}`);

  const findings: Finding[] = [];
  const engines = enginesOf(config, wanted, findings);
  const searches = flags.searches === undefined ? await composedSearches(engines, words) : readSearches(flags.searches);
  const windows = [...new Set(asked.length > 0 ? asked : [...USUAL_WINDOWS, ...engines.map(({ config: { window } }) => window)])]
    .filter((window) => window > 0)
    .toSorted((a, b) => a - b);

  for (const engine of engines) await checkSettings(engine); // oxlint-disable-line no-await-in-loop
  const model = await nodeScorer({ provider: "wasm", log: () => undefined });
  const practice = { vars, kv: openVectors(flags.data), scorer: model.scorer };
  const tried = await trySearches(practice, searches, flags.json === true);
  findings.push(...tried.map(findingOf));
  const timed = tried.filter(({ outcome, requests }) => outcome === RERANKED && requests.length === 1).slice(0, TIMED);
  const prices = await pricesOf(practice, flags, timed, windows);
  await model.close();

  if (flags.json === true) {
    const outcomes = tried.map(({ search: { label }, outcome, detail }) => ({ search: label, outcome, detail }));
    const widest = affordable(prices, flags.afford) ?? null;
    process.stdout.write(`${JSON.stringify({ findings, searches: outcomes, prices, affordableWindow: widest }, undefined, 2)}\n`);
  } else print(findings, prices, flags);
  return findings.some(({ level }) => level === "problem") ? 1 : 0;
}

function enginesOf({ indexes, engineAuthorizations }: Config, wanted: readonly string[], findings: Finding[]): Engine[] {
  const dialects = createDialects(indexes, ALL_DIALECTS);
  return [...indexes]
    .filter(([name, { window }]) => (wanted.length === 0 ? window > 0 : wanted.includes(name)))
    .map(([index, config]) => {
      const key = engineAuthorizations.get(index);
      const header = config.generic?.keyHeader ?? dialects.get(index)?.credentials.header ?? AUTHORIZATION.header;
      const headers = { ...config.headers, ...(key !== undefined && { [header]: key }) };
      return { index, config, headers, say: (level, text) => void findings.push({ level, index, text }) };
    });
}

async function composedSearches(engines: readonly Engine[], given: readonly string[]): Promise<TriedSearch[]> {
  const perEngine = engines.map(async (engine) => {
    const words = given.length > 0 ? given : await wordsOf(engine);
    const composed = words.flatMap((text) => composeSearch(engine.index, engine.config, text) ?? []);
    if (composed.length > 0) return composed;
    const fix = given.length === 0 ? "--words <text> or --searches <file>" : "--searches <file>";
    engine.say("advice", `No searches were tried: the doctor knows none for this ${engine.config.backend}. Give ${fix}`);
    return [];
  });
  return (await Promise.all(perEngine)).flat();
}

/** Keys are as published, or there are none: then each search ends where its vectors would be looked up. */
function openVectors(data: string): KvReader {
  const folder = join(data, "kv");
  if (existsSync(folder)) return folderKv(folder);
  return { get: async () => null };
}

/** What stays the same for all edges of one visit. */
interface Practice {
  readonly vars: Vars;
  readonly kv: KvReader;
  readonly scorer: Scorers;
}

/** The edge as configured, or with all windows at `window`. `sent` and `details`: what it asks the engine, and why it leaves searches alone. */
function openPatient({ vars, kv, scorer }: Practice, window?: number) {
  const sent: SentRequest[] = [];
  const details: string[] = [];
  const edge = openEdge({
    env: { ...vars, ...LIMITS, ...(window !== undefined && { INDEXES: withWindow(vars["INDEXES"], window) }) },
    kv,
    sinks: { write: () => Promise.resolve(ok(true)), writeEvents: () => Promise.resolve(err("The doctor takes no events")) },
    scorer,
    dialects: ALL_DIALECTS,
    log: ({ event, detail }) => {
      if (event === "bypass") details.push(String(detail));
    },
    fetch: (url, init) => {
      sent.push({ url, init });
      return NODE.fetch(url, init);
    },
  });
  return { edge, sent, details };
}

const indexTable = v.record(v.string(), v.looseObject({ window: v.optional(v.number()) }));

function withWindow(indexes: unknown, window: number): unknown {
  const table = v.safeParse(indexTable, typeof indexes === "string" ? JSON.parse(indexes) : indexes);
  if (!table.success) return indexes;
  return Object.fromEntries(Object.entries(table.output).map(([name, index]) => [name, index.window === 0 ? index : { ...index, window }]));
}

async function trySearches(practice: Practice, searches: readonly TriedSearch[], json: boolean): Promise<Tried[]> {
  const { edge, sent, details } = openPatient(practice);
  const progress = progressBar("Searches", searches.length, { json });
  const tried: Tried[] = [];
  for (const search of searches) {
    sent.length = details.length = 0;
    const response = await edge.request(search.path, askedAs(search)); // oxlint-disable-line no-await-in-loop
    const text = await response.text(); // oxlint-disable-line no-await-in-loop
    const header = response.headers.get(OUTCOME_HEADER);
    const [outcome] = header === null ? [] : parseOutcomes(header);
    const reason = outcome?.kind === "bypass" ? outcome.reason : outcome?.kind;
    const refused = `${response.status} of the edge: ${text.slice(0, 300)}`;
    tried.push({
      search,
      // Before the vectors everything went well.
      outcome: reason === "applied" || reason === "nothing_published" ? RERANKED : (reason ?? "refused"),
      detail: reason === undefined ? refused : (details[0] ?? ""),
      requests: [...sent],
    });
    progress.increment();
  }
  progress.stop();
  return tried;
}

const askedAs = ({ method, body, headers }: TriedSearch): RequestInit => ({ method, headers, ...(body !== undefined && { body }) });

/** Nothing is wrong where the request itself asks for the engine's order. */
function findingOf({ search: { label }, outcome, detail, requests }: Tried): Finding {
  const twice = requests.length > 1 ? `, after ${requests.length} requests to the engine` : "";
  if (outcome === RERANKED)
    return { level: requests.length > 1 ? "problem" : "ok", index: "", text: `${label}: would be re-ranked${twice}` };
  const about = isBypassReason(outcome) ? REASONS[outcome].about : "the request is refused";
  const isChoice = isBypassReason(outcome) && REASONS[outcome].expected;
  return { level: isChoice ? "advice" : "problem", index: "", text: `${label}: ${outcome}${twice} (${about}). ${detail}`.trim() };
}

/** The windows of the searches, each timed beside the shopper's own request. */
async function pricesOf(
  practice: Practice,
  { repeat, json }: Pick<DoctorFlags, "repeat" | "json">,
  timed: readonly Tried[],
  windows: readonly number[],
): Promise<Price[]> {
  if (timed.length === 0) return [];
  const progress = progressBar("Windows", windows.length * timed.length, { json });
  const prices: Price[] = [];
  for (const window of windows) {
    const { edge, sent } = openPatient(practice, window);
    for (const { search } of timed) {
      sent.length = 0;
      await (await edge.request(search.path, askedAs(search))).text(); // oxlint-disable-line no-await-in-loop
      const [wide] = sent;
      await (await edge.request(search.path, { ...askedAs(search), headers: { ...search.headers, [OUTCOME_HEADER]: OFF } })).text(); // oxlint-disable-line no-await-in-loop
      const own = sent.at(-1);
      if (wide !== undefined && own !== undefined) prices.push(await priceOf(search.label, window, { own, wide }, repeat)); // oxlint-disable-line no-await-in-loop
      progress.increment();
    }
  }
  progress.stop();
  return prices;
}

/** The widest window that costs no more, for every search that was timed. */
export function affordable(prices: readonly Price[], ms: number): number | undefined {
  const windows = [...new Set(prices.map(({ window }) => window))].toSorted((a, b) => b - a);
  return windows.find((window) => prices.every((price) => price.window !== window || price.wide.ms - price.own.ms <= ms));
}

const SIGNS = { problem: "✗", advice: "!", ok: "✓" } as const;

function print(findings: readonly Finding[], prices: readonly Price[], { afford }: Pick<DoctorFlags, "afford">): void {
  for (const level of ["problem", "advice", "ok"] as const) {
    for (const { index, text } of findings.filter((finding) => finding.level === level)) {
      process.stdout.write(`${SIGNS[level]} ${index === "" ? "" : `${index}: `}${text}\n`);
    }
  }
  if (prices.length === 0) return;
  process.stdout.write("\nA window beside the shopper's own request, medians\n");
  const rows = prices.map(({ label, window, own, wide }) => [
    label,
    String(window),
    own.tookMs === undefined || wide.tookMs === undefined ? undefined : `${format(own.tookMs)} → ${format(wide.tookMs)}`,
    `${format(own.ms)} → ${format(wide.ms)}`,
    `${format(own.kB)} → ${format(wide.kB)}`,
  ]);
  printTable(["search", "window", "engine's own ms", "ms until the whole reply is here", "kB"], rows);
  const widest = affordable(prices, afford);
  process.stdout.write(
    widest === undefined
      ? `No window costs at most ${afford} ms: ask for fewer fields, or set window = 0\n`
      : `window = ${widest} is the widest that costs at most ${afford} ms from here (--afford)\n`,
  );
}

const format = (value: number): string => value.toFixed(value < 10 ? 1 : 0);
