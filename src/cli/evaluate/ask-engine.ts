/**
 * What the configured engine finds for each judged query, asked through the edge of the configuration, in this process: the window and the scores
 * that would be re-ranked, and the order that the edge makes of them, with its pins, sections and fresh values.
 */
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import type { Config } from "../../config/config.ts";
import { openEdge } from "../../edge.ts";
import type { UbiQueryRecord } from "../../events/ubi.ts";
import { bypass, type BypassReason, err, ok } from "../../result.ts";
import { NODE } from "../../runtimes/node/node.ts";
import { readSettings, StartError } from "../../runtimes/node/settings.ts";
import { UserError } from "../../web.ts";
import { progressBar } from "../command.ts";
import { secretsBeside } from "../doctor/secrets.ts";
import { composeSearch, readSearches, type TriedSearch } from "../doctor/searches.ts";
import type { FoundHit, NamedLists } from "./lists.ts";
import { type EmbeddedSet, kvOfSet, SEMANTIC } from "./orders.ts";

export interface AskOptions {
  /** wrangler.toml of the edge. */
  readonly config: string;
  readonly index: string;
  /** A file with the application's own search, in which `{query}` stands for the words. */
  readonly search?: string | undefined;
  readonly json?: boolean | undefined;
}

/** Time is not what is looked at, and the engine's order is what is read. */
const SETTINGS = {
  RANK_BUDGET_MS: 5000,
  ENGINE_TIMEOUT_MS: 30_000,
  DEFAULT_VARIANT: `shadow(${SEMANTIC})`,
  EXPERIMENTS: [],
  LIVE_EXPERIMENTS: false,
  LIVE_MODELS: false,
  LIVE_RULES: false,
};

/** The whole window came, and was ranked (the engine's order is shown), or lacks vectors, a query table, or a second hit. */
const WHOLE: ReadonlySet<string> = new Set<BypassReason>(["engine_order", "no_item_vectors", "no_query_table", "too_few_hits"]);

const PLACE = "{query}";

/** Throws a UserError, and a StartError for a configuration that cannot be used. */
export async function askEngine(
  queries: readonly string[],
  embedded: EmbeddedSet,
  options: AskOptions,
): Promise<NamedLists & { readonly notes: readonly string[] }> {
  const { vars, config } = settingsOf(options.config);
  const compose = composerOf(options, config);
  const records: UbiQueryRecord[] = [];
  const details: string[] = [];
  const waiting: Promise<unknown>[] = [];
  const edge = openEdge({
    env: { ...vars, ...SETTINGS },
    kv: kvOfSet(embedded, config.indexes.get(options.index)?.catalog ?? options.index),
    sinks: {
      write: async (record) => {
        records.push(record);
        return ok(true);
      },
      writeEvents: async () => err("An evaluation takes no events"),
    },
    scorer: () => bypass("model_unavailable", "No model is asked for"),
    dialects: ALL_DIALECTS,
    log: ({ event, detail }) => {
      if (event === "bypass") details.push(String(detail));
    },
    afterReply: (work) => void waiting.push(work),
    fetch: (url, init) => NODE.fetch(url, init),
  });

  const lists = new Map<string, readonly FoundHit[]>();
  const fixed = new Set<string>();
  const served = new Map<string, readonly string[]>();
  const failed = new Map<string, string>();
  const bar = progressBar("Asking the engine", queries.length, options);
  for (const query of queries) {
    records.length = details.length = 0;
    const { path, method, body, headers } = compose(query);
    const response = await edge.request(path, { method, headers, ...(body !== undefined && { body }) }); // oxlint-disable-line no-await-in-loop
    const text = await response.text(); // oxlint-disable-line no-await-in-loop
    await Promise.all(waiting.splice(0)); // oxlint-disable-line no-await-in-loop
    const found = records[0]?.query_attributes.armmt;
    if (!response.ok || found === undefined) failed.set(query, `${response.status}: ${details[0] ?? text.slice(0, 200)}`);
    else {
      lists.set(
        query,
        found.original_ids.map((id, i) => ({ id, score: found.original_scores?.[i] ?? undefined })),
      );
      if (found.shadow_ids !== undefined) served.set(query, found.shadow_ids);
      if (found.bypass !== undefined && !WHOLE.has(found.bypass)) fixed.add(query);
    }
    bar.increment();
  }
  bar.stop();
  const [[query, why] = ["", ""]] = failed;
  if (lists.size === 0) throw new UserError(`${options.index} answered none of ${queries.length} queries; "${query}": ${why}`);
  return {
    name: options.index,
    lists,
    fixed,
    served,
    notes: [
      ...(failed.size === 0 ? [] : [`${failed.size} queries that ${options.index} did not answer: left out ("${query}": ${why})`]),
      ...(fixed.size === 0 ? [] : [`${fixed.size} queries that the edge leaves in the engine's order: so they stay here`]),
      ...([...lists.values()].some((hits) => hits.some(({ score }) => score === undefined))
        ? [`${options.index} gives hits without scores`]
        : []),
    ],
  };
}

/** Of the edge that is asked in this process. Throws a UserError. */
export function settingsOf(file: string) {
  try {
    return readSettings({ file, env: { ...secretsBeside(file), ...process.env } });
  } catch (error) {
    if (error instanceof StartError) throw new UserError(error.problems.join("\n"), { cause: error });
    throw error;
  }
}

/** From the words of a query to a search of the application's kind, or of the simplest. */
export function composerOf(
  { index, search, config: file }: AskOptions,
  { indexes }: Config,
  hits?: number,
): (query: string) => TriedSearch {
  const config = indexes.get(index);
  if (config === undefined)
    throw new UserError(`${file} has no index "${index}" (it has: ${[...indexes.keys()].join(", ")}): name one with --index`);
  if (search === undefined) {
    const fix = `give your application's search with --search <file>, ${PLACE} for the words`;
    return (query) => {
      const composed = composeSearch(index, config, query, hits);
      if (composed === undefined) throw new UserError(`No search of this ${config.backend} is known: ${fix}`);
      return composed;
    };
  }
  const [template, second] = readSearches(search);
  if (template === undefined || second !== undefined)
    throw new UserError(`${search} holds ${second === undefined ? "no search" : "several"}: give one`);
  const hasPlace =
    [template.path, template.body ?? ""].some((part) => part.includes(PLACE)) || template.path.includes(encodeURIComponent(PLACE));
  return (query) => {
    // A page without words has no place for them.
    if (!hasPlace && query !== "") throw new UserError(`${search} has no ${PLACE}: write it where the shopper's words stand`);
    return {
      ...template,
      path: template.path.replaceAll(PLACE, encodeURIComponent(query)).replaceAll(encodeURIComponent(PLACE), encodeURIComponent(query)),
      body: template.body?.replaceAll(PLACE, JSON.stringify(query).slice(1, -1)),
    };
  };
}
