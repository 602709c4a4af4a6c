/**
 * What the settings of an engine say about re-ranking: read with the engine's own settings endpoints, which may want a key that may do more
 * than search. What cannot be read is said, and nothing depends on it.
 */
import * as v from "valibot";
import type { IndexConfig } from "../../config/config.ts";
import { errorText } from "../../web.ts";
import type { Say } from "./finding.ts";

/** An engine with the edge's own headers and key. */
export interface Engine {
  readonly index: string;
  readonly config: IndexConfig;
  readonly headers: Readonly<Record<string, string>>;
  readonly say: Say;
}

const TIMEOUT_MS = 10_000;

/** The value at `path` as `schema` reads it; `undefined`, with a line that says why, where it cannot be had. */
async function read<T>({ config, headers, say }: Engine, path: string, schema: v.GenericSchema<unknown, T>): Promise<T | undefined> {
  const cannot = (why: string): undefined => {
    say("advice", `${path} cannot be read (${why}): look at these settings yourself`);
    return undefined;
  };
  try {
    const response = await fetch(`${config.url}${path}`, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) return cannot(`the engine answers ${response.status}`);
    const parsed = v.safeParse(schema, await response.json());
    return parsed.success ? parsed.output : cannot(v.summarize(parsed.issues));
  } catch (error) {
    return cannot(errorText(error));
  }
}

/** Says what each of the settings means for an index. */
export async function checkSettings(engine: Engine): Promise<void> {
  const { backend } = engine.config;
  if (backend === "elasticsearch" || backend === "opensearch") await elasticsearch(engine);
  else if (backend === "solr") await solr(engine);
  else if (backend === "meilisearch") await meilisearch(engine);
  else if (backend === "typesense") await typesense(engine);
  else if (backend === "algolia") await algolia(engine);
  else engine.say("advice", `The settings of ${backend} have no address: only searches are looked at`);
}

const text = v.optional(v.string());

const esSettings = v.record(
  v.string(),
  v.object({ settings: v.record(v.string(), v.unknown()), defaults: v.optional(v.record(v.string(), v.unknown()), {}) }),
);
const esMappings = v.record(
  v.string(),
  v.object({
    mappings: v.looseObject({ properties: v.optional(v.record(v.string(), v.unknown()), {}) }),
  }),
);

async function elasticsearch(engine: Engine): Promise<void> {
  const { index, config, say } = engine;
  const at = `/${encodeURIComponent(index)}`;
  const settings = await read(engine, `${at}/_settings?flat_settings=true&include_defaults=true`, esSettings);
  for (const [concrete, { settings: own, defaults }] of Object.entries(settings ?? {})) {
    const setting = (name: string): unknown => own[name] ?? defaults[name];
    const reach = Number(setting("index.max_result_window") ?? 10_000);
    if (reach < config.window) say("problem", `index.max_result_window of ${concrete} is ${reach}: set window to ${reach} or less`);
    const pipeline = setting("index.search.default_pipeline");
    if (typeof pipeline === "string" && pipeline !== "" && pipeline !== "_none") {
      say(
        "advice",
        `${concrete} has the search pipeline "${pipeline}", which the edge does not see: if it orders or cuts hits, set window = 0`,
      );
    }
  }
  const mappings = await read(engine, `${at}/_mapping`, esMappings);
  for (const [concrete, { mappings: own }] of Object.entries(mappings ?? {})) {
    const vectors = vectorFields(own.properties);
    if (vectors.length > 0 && !("_source" in own)) {
      say(
        "advice",
        `${concrete} has vectors (${vectors.join(", ")}): where they travel in _source, a window is several times as large. Leave them out (_source.excludes in the mapping or in the search)`,
      );
    }
  }
}

/** Names with dots, on all levels. */
function vectorFields(properties: Readonly<Record<string, unknown>>, prefix = ""): string[] {
  return Object.entries(properties).flatMap(([name, field]) => {
    const parsed = v.safeParse(v.object({ type: text, properties: v.optional(v.record(v.string(), v.unknown()), {}) }), field);
    if (!parsed.success) return [];
    const { type, properties: inner } = parsed.output;
    return /^(dense_vector|knn_vector|rank_vectors)$/.test(type ?? "") ? [prefix + name] : vectorFields(inner, `${prefix}${name}.`);
  });
}

const solrParams = v.optional(v.record(v.string(), v.unknown()), {});
const solrHandler = v.object({
  config: v.object({
    requestHandler: v.record(v.string(), v.looseObject({ defaults: solrParams, appends: solrParams, invariants: solrParams })),
  }),
});

/** Solr writes numbers, texts, and lists of repeated parameters. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(" ");
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean" ? String(value) : "";
}

async function solr(engine: Engine): Promise<void> {
  const { index, config, say } = engine;
  const at = `/solr/${encodeURIComponent(index)}`;
  const found = await read(engine, `${at}/config/requestHandler?componentName=/select&expandParams=true`, solrHandler);
  const handler = found?.config.requestHandler["/select"];
  if (handler !== undefined) {
    const server = { ...handler.defaults, ...handler.appends, ...handler.invariants };
    const given = (name: string): string => textOf(server[name]);
    const rows = given("rows");
    if (rows !== "" && Number(rows) !== (config.pageSize ?? 10))
      say("advice", `/select gives ${rows} documents where a request names no rows: set pageSize = ${rows}`);
    if (handler.invariants["rows"] !== undefined)
      say("problem", `rows of /select is an invariant (${rows}): no window can be asked for. Take it out of invariants, or set window = 0`);
    const sort = given("sort");
    if (sort !== "" && !/^score\s+desc\b/i.test(sort))
      say(
        "problem",
        `/select sorts by "${sort}" where a request names no sort: that is no order by relevance. Set window = 0 for an index that is only browsed so, or let searches send sort=score desc`,
      );
    for (const name of ["group", "group.main", "collapse"])
      if (given(name) !== "") say("advice", `/select has ${name} = ${given(name)}: such lists are grouped, and are left alone`);
    if (given("fq").includes("{!collapse")) say("advice", "/select collapses by fq: such lists are grouped, and are left alone");
    const wt = given("wt");
    if (wt !== "" && wt !== "json")
      say("advice", `/select answers as ${wt} where a request names no wt: only those with wt=json are re-ranked`);
    const timeAllowed = given("timeAllowed");
    if (timeAllowed !== "")
      say(
        "advice",
        `timeAllowed is ${timeAllowed} ms: a window that takes longer is incomplete, and the shopper's own request is sent after it`,
      );
  }
  const unique = await read(engine, `${at}/schema/uniquekey`, v.object({ uniqueKey: v.string() }));
  const idField = config.idField ?? "id";
  if (unique !== undefined && unique.uniqueKey !== idField) {
    say(
      "advice",
      `The uniqueKey is "${unique.uniqueKey}", and items are known by idField = "${idField}": right only if the catalogue has those ids`,
    );
  }
}

const meiliSettings = v.looseObject({
  rankingRules: v.array(v.string()),
  distinctAttribute: v.nullish(v.string()),
  searchCutoffMs: v.nullish(v.number()),
  pagination: v.optional(v.looseObject({ maxTotalHits: v.optional(v.number(), 1000) }), {}),
});

async function meilisearch(engine: Engine): Promise<void> {
  const { index, config, say } = engine;
  const at = `/indexes/${encodeURIComponent(index)}`;
  const about = await read(engine, at, v.looseObject({ primaryKey: v.nullable(v.string()) }));
  const idField = config.idField ?? "id";
  if (about !== undefined && about.primaryKey !== null && about.primaryKey !== idField) {
    say(
      "problem",
      `The primary key is "${about.primaryKey}", and items are known by "${idField}": set idField = "${about.primaryKey}", unless the catalogue has other ids`,
    );
  }
  const settings = await read(engine, `${at}/settings`, meiliSettings);
  if (settings === undefined) return;
  const [first = ""] = settings.rankingRules;
  if (/:(asc|desc)$/.test(first))
    say("problem", `The first ranking rule is "${first}": that is no order by relevance. Put "words" first, or set window = 0`);
  if (settings.pagination.maxTotalHits < config.window)
    say("problem", `pagination.maxTotalHits is ${settings.pagination.maxTotalHits}: set window to that or less`);
  if (settings.distinctAttribute != null)
    say("advice", `Lists are distinct by "${settings.distinctAttribute}": hits stand for others, which the model does not see`);
  if (settings.searchCutoffMs != null)
    say(
      "advice",
      `searchCutoffMs is ${settings.searchCutoffMs}: a window may end earlier than it should, and the shopper's own request is sent then`,
    );
}

const typesenseCollection = v.looseObject({
  fields: v.array(v.looseObject({ name: v.string(), type: v.string(), num_dim: v.optional(v.number()) })),
  default_sorting_field: text,
});

async function typesense(engine: Engine): Promise<void> {
  const { index, say } = engine;
  const collection = await read(engine, `/collections/${encodeURIComponent(index)}`, typesenseCollection);
  if (collection === undefined) return;
  const vectors = collection.fields.filter(({ type, num_dim: dims }) => type === "float[]" && dims !== undefined).map(({ name }) => name);
  if (vectors.length > 0)
    say(
      "advice",
      `Documents have vectors (${vectors.join(", ")}): let searches send exclude_fields=${vectors.join(",")}, or a window is several times as large`,
    );
}

const algoliaSettings = v.looseObject({
  hitsPerPage: v.optional(v.number()),
  paginationLimitedTo: v.optional(v.number(), 1000),
  ranking: v.optional(v.array(v.string()), []),
  distinct: v.optional(v.union([v.number(), v.boolean()])),
  replicas: v.optional(v.array(v.string()), []),
  enableReRanking: v.optional(v.boolean()),
});

async function algolia(engine: Engine): Promise<void> {
  const { index, config, say } = engine;
  const settings = await read(engine, `/1/indexes/${encodeURIComponent(index)}/settings`, algoliaSettings);
  if (settings === undefined) return;
  const { hitsPerPage, paginationLimitedTo, ranking, distinct } = settings;
  if (hitsPerPage !== undefined && hitsPerPage !== config.pageSize)
    say(
      "advice",
      `hitsPerPage is ${hitsPerPage}: set pageSize = ${hitsPerPage}, or searches that name none are re-ranked within their page only`,
    );
  if (paginationLimitedTo < config.window) say("problem", `paginationLimitedTo is ${paginationLimitedTo}: set window to that or less`);
  const [first = ""] = ranking;
  if (/^(asc|desc)\(/.test(first))
    say("problem", `The first criterion of ranking is "${first}": that is no order by relevance. Set window = 0 for this index`);
  if (typeof distinct === "number" ? distinct > 0 : distinct === true)
    say("advice", "Lists are distinct by attributeForDistinct: hits stand for others, which the model does not see");
}
