/**
 * Vespa: `GET|POST /search/` with parameters in the URL, in a form or in a JSON body. Its requests name no index: one can be configured.
 *
 * Its reply does not repeat the paging, but may hold groups and errors beside its hits. Settings of the application's query profile are not in the
 * request: a number of hits other than 10 belongs into `pageSize`, and another order shows in the reply only.
 */
import { type Bypass, err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type EngineRequest, jsonError, type Refusal, type SearchPlan } from "./dialect.ts";
import { sideCalls } from "./calls.ts";
import { defineDialect, type Index, type IndexDefinition, type IndexOptions, type PageSizeOption, readIndexes } from "./dialects.ts";
import { identityOf, leave, leftToEngine, ownRequest, plainPlan, planOne } from "./json/plan.ts";
import { digitsOf, unreadable } from "./json/request.ts";
import { type JsonText, numberAt, type Span } from "./json/spans.ts";
import { textOf } from "./json/values.ts";
import { strangeIn, TYPES } from "./vespa/allowed.ts";
import { vespaCalls } from "./vespa/calls.ts";
import { nameOf } from "./vespa/names.ts";
import { partAt } from "./vespa/reply.ts";
import { type Asked, JSON_TYPE, readRequest, widened, withParam } from "./vespa/request.ts";
import { plainWords, type Words, wordsOfEmbed, wordsOfWhere } from "./vespa/words.ts";
import { readYql, type Yql } from "./vespa/yql.ts";

const METHODS = ["GET", "POST"] as const;
const PATHS = ["/search/", "/search"];

/** Query profiles may set another `maxHits` than 400. */
export const VESPA = defineDialect({
  names: ["vespa"],
  /** Throws unless there is exactly one index. */
  create(configured) {
    const indexes = readIndexes(configured, "id", (text, slot, itemId, values) =>
      ok({ itemId, score: numberAt(text, ["relevance"], slot), isPinned: false, values }),
    );
    const [index, ...more] = indexes.values();
    if (index === undefined || more.length > 0) throw new Error(`Vespa's requests name no index: configure one, not ${indexes.size}`);
    const { schemas } = index.options;
    const readPart = (offset: number) => (text: JsonText, from: Span) => partAt(text, from, index.readHit, offset);
    return {
      name: "vespa",
      routes: PATHS.map((path) => ({ path, methods: METHODS })),
      calls: sideCalls({ indexes: configured, notFound: "not_found" }, vespaCalls(schemas ?? [index.name])),
      credentials: AUTHORIZATION,
      clientHeaders: [],
      plan(request) {
        const path = request.path.endsWith("/") ? "/search/" : "/search";
        const isOwn = index.options.forwardCredentials !== true;
        const read = readRequest(request, path, !isOwn);
        if (!read.ok) {
          if (isOwn) return unreadable(read.error);
          return ok(planOne(leftToEngine(index.name, read.error), ownRequest(request, path), readPart(0)));
        }
        const strange = isOwn ? strangeIn(read.value, schemas ?? [index.name]) : undefined;
        if (strange !== undefined) return refusal(strange);
        const isOpen = !isOwn || schemas === undefined || read.value.all.some(({ name }) => name === "model.restrict");
        const asked = isOpen ? read.value : withParam(read.value, "model.restrict", schemas.join(","));
        const searched = readSearch(index, asked);
        if (!searched.ok) return ok(planOne(leftToEngine(index.name, searched.error), asked.own, readPart(0)));
        const { search, widen } = searched.value;
        const plan = planOne(search, asked.own, readPart(search.offset));
        return ok({ ...plan, widen: ([size]) => widen(size) });
      },
      describeError(status, type, message) {
        const [code, summary] = type === INVALID ? INVALID_PARAMETER : (ERRORS[status] ?? INTERNAL_SERVER_ERROR);
        const errors = [{ code, summary, message }];
        return jsonError({ root: { id: "toplevel", relevance: 1, fields: { totalCount: 0 }, errors } });
      },
    };
  },
  limits: { maxIndexes: 1, usualWindow: 400 },
});

export interface VespaOptions extends IndexOptions, PageSizeOption {
  /** Schemas that searches may read with the edge's key, and are restricted to. Default: requests may name the index's own name, or none. */
  readonly schemas?: readonly string[] | undefined;
}

/**
 * A Vespa application. Its requests name no index, so an edge can have one.
 *
 * @example
 * const products = vespa({ url: "https://vespa.example.com", window: 100, idField: "fields.sku" });
 */
export function vespa(options: VespaOptions): IndexDefinition<VespaOptions> {
  return { ...options, dialect: VESPA, backend: "vespa" };
}

/** For a parameter, not for the request as a whole. */
const INVALID = "invalid_query_parameter";

function refusal(message: string): Result<never, Refusal> {
  return err({ status: 400, type: INVALID, message });
}

interface Read {
  readonly search: SearchPlan;
  /** Without a size: the shopper's own page, to be re-ranked. */
  readonly widen: (size: number | undefined) => EngineRequest;
}

const PAGING: ReadonlySet<string> = new Set(["hits", "offset"]);

/** Errors say why the search is left to the engine. */
function readSearch(index: Index, asked: Asked): Result<Read, string> {
  const { values } = asked;
  if (asked.twice !== undefined) return err(`${asked.twice} is asked for by two names`);
  const statement = values.get("yql");
  const yql = statement === undefined ? undefined : readYql(statement);
  if (statement !== undefined && yql === undefined) return err("yql has a text or a comment without end");
  const page = pageOf(asked, yql, index.options.pageSize ?? DEFAULT_HITS);
  if (!page.ok) return page;
  const queryText = queryTextOf(asked, yql);
  const { offset, limit } = page.value;
  const paged = yql?.page;
  const inYql = paged === undefined || statement === undefined ? undefined : { from: statement, widened: paged.widened };
  const search = plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(asked, yql, limit, queryText, index.idField),
    filters: () =>
      FILTERED.some((name) => values.has(name)) ? undefined : (yql?.filters() ?? (yql === undefined ? new Map() : undefined)),
    identity: identityOf(
      [...asked.url, ...asked.form],
      asked.body,
      (key) => PAGING.has(nameOf(key)) || (inYql !== undefined && key === "yql"),
      ...(inYql === undefined ? [] : [inYql.widened(0)]),
    ),
  });
  return ok({
    search,
    widen: (size) =>
      size === undefined
        ? { ...asked.own, accept: JSON_TYPE }
        : widened(asked, size, inYql && { from: inYql.from, to: inYql.widened(size) }),
  });
}

const DEFAULT_HITS = 10;

/** Conditions in languages of their own. */
const FILTERED = ["select.where", "model.filter", "select"];

/** That of the statement beats the parameters. */
function pageOf({ values }: Asked, yql: Yql | undefined, pageSize: number): Result<Readonly<Record<"offset" | "limit", number>>, string> {
  if (yql?.isPaged === true) {
    const { page } = yql;
    return page === undefined || page.limit < 0 ? err("The page is named in yql") : ok(page);
  }
  const offset = wholeNumber("offset", values.get("offset"), 0, 0);
  if (!offset.ok) return offset;
  const limit = wholeNumber("hits", values.get("hits"), pageSize, DEFAULT_HITS);
  return limit.ok ? ok({ offset: offset.value, limit: limit.value }) : limit;
}

/** `empty`: for an empty text, which Vespa takes for no number. Errors name the value. */
function wholeNumber(name: string, written: string | undefined, missing: number, empty: number): Result<number, string> {
  if (written === undefined) return ok(missing);
  return written === "" ? ok(empty) : digitsOf(name, written.replace(/^\+/, ""));
}

/** Languages of queries that have no signs. */
const WITHOUT_SIGNS: ReadonlySet<string> = new Set(["phrase", "tokenize", "linguistics"]);

/**
 * The words that the statement reads from a parameter or holds itself, or the parameter `query`, also where the statement does not read it: what
 * is embedded, or what a searcher of the application reads.
 */
function queryTextOf({ values, all }: Asked, yql: Yql | undefined): string | undefined {
  const isPlain = WITHOUT_SIGNS.has((values.get("model.type") ?? "").toLowerCase());
  const read = (text: string | undefined): string | undefined => {
    const words = textOf(text);
    return words === undefined || isPlain ? words : plainWords(words);
  };
  const find = (words: Words | undefined): string | undefined =>
    words === undefined ? undefined : read("words" in words ? words.words : values.get(nameOf(words.param)));
  const query = read(values.get("model.queryString"));
  if (yql?.hasUserQuery === true && query !== undefined) return query;
  if (yql?.input !== undefined) return find(yql.input);
  const where = values.get("select.where");
  if (yql === undefined && where !== undefined) return find(wordsOfWhere(where));
  if (query !== undefined) return query;
  const embedded = all.find(({ value }) => value.includes("embed("));
  return find(yql?.words) ?? (embedded && find(wordsOfEmbed(embedded.value)));
}

function reasonToLeave(
  asked: Asked,
  yql: Yql | undefined,
  limit: number,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  const given = (name: string): string | undefined => asked.values.get(name)?.trim().toLowerCase() || undefined;
  const format = asked.values.get("presentation.format") ?? "json";
  if (format !== "json" && format !== "default")
    return leave("request_not_understood", `The reply is asked for as "${format}", not as JSON`);
  if ((given("model.encoding") ?? "utf-8") !== "utf-8")
    return leave("request_not_understood", "The reply is asked for in another encoding than UTF-8");
  if (given("jsoncallback") !== undefined) return leave("request_not_understood", "The reply is asked for as a script (jsoncallback)");
  if (isTraced(asked)) return leave("request_not_understood", "A trace of the search is asked for");
  if (!TYPES.has(given("model.type") ?? "all")) return leave("request_not_understood", "query is not words but a language");
  if ((given("model.type.syntax") ?? "none") === "yql") return leave("request_not_understood", "query is not words but a language");
  if (given("queryProfile") !== undefined && given("hits") === undefined && yql?.page === undefined)
    return leave("request_not_understood", "hits is not given, and the query profile may set it");
  if (given("ranking.sorting") !== undefined) return leave("explicit_sort", "sorting");
  if (yql?.isOrdered === true) return leave("explicit_sort", "order by");
  // Rank profiles that order by a price, say: `sort_by_price` of Vespa's own shop.
  if (/sort|order[_-]?by/.test(given("ranking.profile") ?? "")) return leave("explicit_sort", "A rank profile named for its order");
  if (given("collapsefield") !== undefined) return leave("grouped", "collapsefield");
  if (limit === 0) return leave("size_zero", "hits is 0");
  if (queryText === undefined) return leave("no_query_text", "No query, no userInput() or contains in yql");
  return leavesOutId(asked, yql, idField);
}

function isTraced({ values }: Asked): boolean {
  return [...values].some(([name, value]) => name.startsWith("trace.") && value !== "0" && value !== "false" && value !== "");
}

/** Where fields are named, the id is one of them: Vespa writes documentid into the id of a hit. */
function leavesOutId({ values }: Asked, yql: Yql | undefined, idField: string): Bypass | undefined {
  const [section, name = ""] = idField.split(".");
  const field = section === "fields" ? name : idField === "id" ? "documentid" : undefined;
  const given = values.get("presentation.summaryFields") ?? values.get("select.fields");
  const fields = yql?.fields ?? given?.match(/[\w.-]+/g) ?? undefined;
  if (field === undefined || fields === undefined || fields.includes(field)) return undefined;
  return leave("request_not_understood", `The request asks for fields without ${field}, by which items are known`);
}

/** Vespa's error codes and words by HTTP status. */
const ERRORS: Readonly<Record<number, readonly [code: number, summary: string]>> = {
  400: [3, "Illegal query"],
  401: [14, "Unauthorized"],
  403: [15, "Forbidden"],
  404: [16, "Resource not found"],
  405: [17, "Bad request."],
  413: [2, "Request too large"],
  429: [17, "Bad request."],
  502: [10, "Backend communication error"],
  504: [12, "Timed out"],
};
const INVALID_PARAMETER = [4, "Invalid query parameter"] as const;
const INTERNAL_SERVER_ERROR = [18, "Internal server error."] as const;
