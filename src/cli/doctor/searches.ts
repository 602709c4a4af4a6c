/** The searches that the doctor tries: an application's own from a file, else one in each engine's simplest words. */
import { readFileSync } from "node:fs";
import * as v from "valibot";
import { usualSearch } from "../../backends/usual-searches.ts";
import type { IndexConfig } from "../../config/config.ts";
import { UserError, errorText } from "../../web.ts";
import type { Engine } from "./settings.ts";

export interface TriedSearch {
  /** For people. */
  readonly label: string;
  readonly method: "GET" | "POST";
  /** With its query. */
  readonly path: string;
  readonly body: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

const line = v.strictObject({
  method: v.optional(v.picklist(["GET", "POST"])),
  path: v.pipe(v.string(), v.startsWith("/")),
  body: v.optional(v.unknown()),
  headers: v.optional(v.record(v.string(), v.string()), {}),
});

/** Throws a UserError that names the line. */
export function readSearches(file: string): TriedSearch[] {
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw new UserError(`Cannot read ${file}: ${errorText(error)}`, { cause: error });
  }
  return content.split("\n").flatMap((written, i) => (written.trim() === "" ? [] : [readLine(written, `${file}, line ${i + 1}`)]));
}

function readLine(written: string, where: string): TriedSearch {
  let json: unknown;
  try {
    json = JSON.parse(written);
  } catch (error) {
    throw new UserError(`${where} is not JSON: ${errorText(error)}`, { cause: error });
  }
  const parsed = v.safeParse(line, json);
  if (!parsed.success) throw new UserError(`${where}: ${v.summarize(parsed.issues)}. Give {"path":"/…","method":"POST","body":{…}}`);
  const { path, body, headers, method = body === undefined ? "GET" : "POST" } = parsed.output;
  const sent = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  return { label: where, method, path, body: sent, headers: { ...(typeof body === "object" && JSON_TYPE), ...headers } };
}

const JSON_TYPE = { "content-type": "application/json" };

/** `undefined` where only an application knows how its searches look. */
export function composeSearch(index: string, config: IndexConfig, words: string, hits = 10): TriedSearch | undefined {
  const compose = usualSearch(config.backend);
  if (compose === undefined) return undefined;
  const { path, json } = compose(encodeURIComponent(index), words, hits);
  const label = `"${words}" in ${index}`;
  if (json === undefined) return { label, method: "GET", path, body: undefined, headers: {} };
  return { label, method: "POST", path, body: JSON.stringify(json), headers: JSON_TYPE };
}

/** By backend: some hits, whatever they are. */
const BROWSE: Readonly<Record<string, (index: string) => { readonly path: string; readonly json?: object }>> = {
  elasticsearch: (index) => ({ path: `/${index}/_search`, json: { size: 20 } }),
  solr: (index) => ({ path: `/solr/${index}/select?q=*:*&rows=20&wt=json` }),
  algolia: (index) => ({ path: `/1/indexes/${index}/query`, json: { query: "", hitsPerPage: 20 } }),
  meilisearch: (index) => ({ path: `/indexes/${index}/search`, json: { q: "", limit: 20 } }),
};

const MAX_WORDS = 3;

/** Two words of three products' longest short texts, which are most likely their names; none where they cannot be read. */
export async function wordsOf({ index, config, headers }: Engine): Promise<string[]> {
  const { path, json } = BROWSE[config.backend === "opensearch" ? "elasticsearch" : config.backend]?.(encodeURIComponent(index)) ?? {};
  if (path === undefined) return [];
  try {
    const response = await fetch(`${config.url}${path}`, {
      headers: { ...headers, ...(json && JSON_TYPE) },
      ...(json && { method: "POST", body: JSON.stringify(json) }),
      signal: AbortSignal.timeout(10_000),
    });
    const names = hitsIn(await response.json()).flatMap((hit) => nameIn(hit) ?? []);
    return [...new Set(names)].slice(0, MAX_WORDS);
  } catch {
    return [];
  }
}

const lists = v.union([
  v.object({ hits: v.object({ hits: v.array(v.looseObject({ _source: v.optional(v.unknown()) })) }) }),
  v.object({ hits: v.array(v.unknown()) }),
  v.object({ response: v.object({ docs: v.array(v.unknown()) }) }),
]);

function hitsIn(json: unknown): unknown[] {
  const parsed = v.safeParse(lists, json);
  if (!parsed.success) return [];
  if ("response" in parsed.output) return parsed.output.response.docs;
  const { hits } = parsed.output;
  return Array.isArray(hits) ? hits : hits.hits.map(({ _source }) => _source);
}

function nameIn(hit: unknown): string | undefined {
  const fields = v.safeParse(v.record(v.string(), v.unknown()), hit);
  if (!fields.success) return undefined;
  const texts = Object.values(fields.output).flatMap((value) =>
    typeof value === "string" ? [value] : Array.isArray(value) && typeof value[0] === "string" ? [value[0]] : [],
  );
  const names = texts.map((text) => text.match(/[\p{L}][\p{L}\p{N}-]{2,}/gu) ?? []).filter(({ length }) => length >= 2 && length <= 15);
  return names
    .toSorted((a, b) => b.length - a.length)[0]
    ?.slice(0, 2)
    .join(" ");
}
