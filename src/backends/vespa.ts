/**
 * Vespa: `GET|POST /search/` with parameters in the URL, in a form or in a JSON body. Its requests name no index: one can be configured.
 *
 * Vespa flattens a JSON body to parameters (`{"ranking":{"profile":"a"}}` is `ranking.profile`), lets the URL win over it, and takes many
 * of them by other names in any case. Its reply does not repeat the paging, but may hold groups and errors beside its hits. Settings of
 * the application's query profile are not in the request: a number of hits other than 10 belongs into `pageSize`.
 */
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type EngineRequest, jsonError, type SearchPlan } from "./dialect.ts";
import { defineDialect, type Index, type IndexDefinition, type IndexOptions, type PageSizeOption, readIndexes } from "./dialects.ts";
import { applyEdits, cutMember, type Edit, refill, replaceMembers, replaceParams, searchOf } from "./json/edits.ts";
import { identityOf, leave, leftToEngine, ownRequest, plainPlan, planOne } from "./json/plan.ts";
import { type HitReader, readHits, type ReplyPart } from "./json/reply.ts";
import { repeatedIn } from "./json/repeated.ts";
import { type Body, bodyOf, digitsOf, type Param, paramsOf, unreadable, utf8Text } from "./json/request.ts";
import { elements, findAt, type JsonText, kindOf, members, numberAt, rawText, readString, type Span, spanAt } from "./json/spans.ts";
import { textOf } from "./json/values.ts";
import { type Named, nameOf, strangeIn, TYPES } from "./vespa/allowed.ts";
import { readYql, type Yql } from "./vespa/yql.ts";

const METHODS = ["GET", "POST"] as const;

/** Vespa's own limit is 400 hits, unless a query profile sets another `maxHits`. */
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
    const readPart = (text: JsonText, from: Span) => partAt(text, from, index);
    return {
      name: "vespa",
      routes: ["/search/", "/search"].map((path) => ({ path, methods: METHODS })),
      probes: [],
      credentials: AUTHORIZATION,
      clientHeaders: [],
      plan(request) {
        const own = ownRequest(request, request.path.endsWith("/") ? "/search/" : "/search");
        const read = readRequest(own);
        const isOwn = index.options.forwardCredentials !== true;
        const refused = isOwn ? (read.ok ? strangeRequest(read.value, schemas ?? [index.name]) : read.error) : undefined;
        if (refused !== undefined) return unreadable(refused);
        if (!read.ok) return ok(planOne(leftToEngine(index.name, read.error), own, readPart));
        const asked = isOwn && schemas !== undefined ? restricted(read.value, schemas) : read.value;
        const plan = readSearch(index, asked);
        return ok(
          plan.ok
            ? planOne(plan.value, asked.own, readPart, (size) => widened(asked, size))
            : planOne(leftToEngine(index.name, plan.error), asked.own, readPart),
        );
      },
      describeError(status, type, message) {
        const error = { code: CODES[status] ?? INTERNAL_SERVER_ERROR, summary: type, message };
        return jsonError({ root: { id: "toplevel", relevance: 1, fields: { totalCount: 0 }, errors: [error] } });
      },
    };
  },
  limits: { maxIndexes: 1 },
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

interface Asked {
  readonly own: EngineRequest;
  readonly url: readonly Param[];
  /** Empty unless the body is a form. */
  readonly form: readonly Param[];
  readonly body: Body | undefined;
  /** All of them; those of the URL, which win, first. */
  readonly all: readonly Named[];
}

const PAGING: ReadonlySet<string> = new Set(["hits", "offset"]);

/** Errors say why it cannot be read. */
function readRequest(own: EngineRequest): Result<Asked, string> {
  const url = paramsOf(own.search);
  if (own.body === undefined) return ok({ own, url, form: [], body: undefined, all: namedIn(url) });
  const text = utf8Text(own.body);
  if (text === undefined) return err("The body is not UTF-8: send JSON or a form");
  if (!text.trimStart().startsWith("{")) {
    const form = paramsOf(text);
    const contentType = "application/x-www-form-urlencoded";
    return ok({ own: { ...own, contentType }, url, form, body: undefined, all: namedIn([...url, ...form]) });
  }
  const body = bodyOf(own.body);
  if (!body.ok) return body;
  if (body.value === undefined) return err("The body is empty");
  const all = [...namedIn(url), ...flatten(body.value.text, body.value.members)];
  return ok({ own: { ...own, contentType: "application/json" }, url, form: [], body: body.value, all });
}

/** Why a request must not reach the engine with the edge's key; `undefined` for a search. */
function strangeRequest(asked: Asked, schemas: readonly string[]): string | undefined {
  const repeated = asked.body && repeatedIn(asked.body);
  return repeated === undefined ? strangeIn(asked, schemas) : `The member ${repeated.join(".")} is repeated`;
}

function namedIn(params: readonly Param[]): Named[] {
  return params.map(({ key, value }) => ({ key, name: nameOf(key), value }));
}

/** No parameter that the edge reads has more parts to its name, or a longer one. */
const MAX_PARTS = 4;
const MAX_NAME = 256;

/** Members under the names that Vespa gives them. From the spans, so that a repeated name hides no other. */
function flatten(text: JsonText, siblings: Body["members"], prefix: string = "", depth: number = 1): Named[] {
  return siblings.flatMap(({ key: own, value: span }) => {
    const key = prefix + own;
    if (kindOf(text, span) === "object" && depth < MAX_PARTS && key.length <= MAX_NAME)
      return flatten(text, members(text, span), `${key}.`, depth + 1);
    return [{ key, name: nameOf(key), value: readString(text, span) ?? rawText(text, span) }];
  });
}

/** Errors say why the search is left to the engine. */
function readSearch(index: Index, asked: Asked): Result<SearchPlan, string> {
  const offset = pageNumber(asked, "offset", 0);
  if (!offset.ok) return offset;
  const limit = pageNumber(asked, "hits", index.options.pageSize ?? 10);
  if (!limit.ok) return limit;
  const statement = valueOf(asked, "yql");
  const yql = statement === undefined ? undefined : readYql(statement);
  if (statement !== undefined && yql === undefined) return err("yql has a text or a comment without end");
  const queryText = queryTextOf(asked, yql);
  return ok(
    plainPlan({
      index: index.name,
      queryText,
      offset: offset.value,
      limit: limit.value,
      bypass: reasonToLeave(asked, yql, limit.value, queryText, index.idField),
      identity: identityOf([...asked.url, ...asked.form], asked.body, (key) => PAGING.has(nameOf(key))),
    }),
  );
}

function valueOf({ all }: Asked, name: string): string | undefined {
  return all.find((param) => param.name === name)?.value;
}

/** The same request, asking the index's own schemas only. */
function restricted(asked: Asked, schemas: readonly string[]): Asked {
  // Checked where the client gives it.
  if (asked.all.some(({ name }) => name === "model.restrict")) return asked;
  const value = schemas.join(",");
  const added: Param = { key: "model.restrict", value, raw: `model.restrict=${encodeURIComponent(value)}` };
  const url = [...asked.url, added];
  return { ...asked, url, own: { ...asked.own, search: searchOf(url.map(({ raw }) => raw)) }, all: [...namedIn([added]), ...asked.all] };
}

/** A whole number from 0. Errors name the value, or say why several contradict each other. */
function pageNumber({ url, form, all }: Asked, name: string, fallback: number): Result<number, string> {
  const given = all.filter((param) => param.name === name);
  const [first] = given;
  if (first === undefined) return ok(fallback);
  const { key, value } = first;
  if (given.some((param) => param.key !== key)) return err(`${name} is asked for by two names`);
  if ([...url, ...form].filter((param) => param.key === key).length > 1) return err(`The parameter "${key}" is repeated`);
  // Vespa ignores the case of other names only.
  if (key !== name && key.toLowerCase() === name) return err(`The parameter "${key}" is not ${name}`);
  return digitsOf(key, value);
}

/** The parameter `query`, or the words that the statement reads from another parameter or holds itself. */
function queryTextOf(asked: Asked, yql: Yql | undefined): string | undefined {
  const query = textOf(valueOf(asked, "model.querystring"));
  if (yql?.input === undefined || (yql.hasUserQuery && query !== undefined)) return query;
  return textOf("param" in yql.input ? valueOf(asked, nameOf(yql.input.param)) : yql.input.words);
}

function reasonToLeave(
  asked: Asked,
  yql: Yql | undefined,
  limit: number,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  const given = (name: string): string | undefined => valueOf(asked, name)?.trim().toLowerCase() || undefined;
  const format = given("presentation.format") ?? "json";
  if (format !== "json" && format !== "default")
    return leave("request_not_understood", `The reply is asked for as "${format}", not as JSON`);
  if ((given("model.encoding") ?? "utf-8") !== "utf-8")
    return leave("request_not_understood", "The reply is asked for in another encoding than UTF-8");
  if (given("jsoncallback") !== undefined) return leave("request_not_understood", "The reply is asked for as a script (jsoncallback)");
  if (!TYPES.has(given("model.type") ?? "all")) return leave("request_not_understood", "query is not words but a language");
  if ((given("model.type.syntax") ?? "none") === "yql") return leave("request_not_understood", "query is not words but a language");
  if (given("queryprofile") !== undefined && given("hits") === undefined)
    return leave("request_not_understood", "hits is not given, and the query profile may set it");
  if (given("ranking.sorting") !== undefined) return leave("explicit_sort", "sorting");
  if (yql?.isOrdered === true) return leave("explicit_sort", "order by");
  if (yql?.isPaged === true) return leave("request_not_understood", "The page is named in yql");
  if (given("collapsefield") !== undefined) return leave("grouped", "collapsefield");
  if (limit === 0) return leave("size_zero", "hits is 0");
  if (queryText === undefined) return leave("no_query_text", "No query, no userInput() in yql");
  const [section, field = ""] = idField.split(".");
  if (section === "fields" && yql?.fields?.includes(field) === false) {
    return leave("request_not_understood", `yql selects without ${field}, by which items are known`);
  }
  return undefined;
}

/** A missing `hits` is added to the URL, which wins over the body. */
function widened({ own, url, form, body, all }: Asked, size: number): EngineRequest {
  const numbers = { hits: size, offset: 0 };
  const added = all.some(({ name }) => name === "hits") ? [] : [`hits=${size}`];
  const search = searchOf([...replaceParams(url, numbers, nameOf), ...added]);
  if (own.body === undefined) return { ...own, search };
  const encoded = (): Uint8Array => new TextEncoder().encode(replaceParams(form, numbers, nameOf).join("&"));
  return { ...own, search, body: body === undefined ? encoded() : applyEdits(own.body, replaceMembers(body, numbers, nameOf)) };
}

function partAt(text: JsonText, from: Span, { readHit }: Index): Result<ReplyPart, Bypass> {
  const found = findAt(text, ["root"], from);
  if (!found.ok) return bypass("reply_not_search", found.error.message);
  const root = found.value;
  if (root === undefined) return bypass("reply_not_search", "The reply has no root");
  if (spanAt(text, ["relevance"], root) === undefined) return bypass("reply_not_search", "The reply has no root.relevance");
  const errors = findAt(text, ["errors"], root);
  const full = spanAt(text, ["coverage", "full"], root);
  const coverage = full && rawText(text, full);
  const isWhole = errors.ok && errors.value === undefined && coverage !== "false";
  const left = isWhole ? undefined : leave("engine_incomplete", "The reply has root.errors, or root.coverage is not full");

  const siblings = members(text, root);
  const index = siblings.findIndex(({ key }) => key === "children");
  // Without hits there are no children.
  if (index < 0) return ok({ hits: [], bypass: left, edits: () => [] });
  const read = readHits(text, ["children"], root, childReader(readHit));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const isAllHits = slots.length > 0 && slots.length === elements(text, array).length;
  const edits = (order: readonly number[]): Edit[] =>
    order.length === 0 && isAllHits ? [cutMember(siblings, index)] : refill(text, array, slots, order);
  return ok({ hits, bypass: left, edits });
}

/** Results of grouping are children too, but not hits. */
function childReader(readHit: HitReader): HitReader {
  return (text, slot) => {
    const id = spanAt(text, ["id"], slot);
    if (id !== undefined && readString(text, id)?.startsWith("group:") === true) return ok(undefined);
    const children = findAt(text, ["children"], slot);
    if (!children.ok || children.value !== undefined) return err("a list of its own, as sources that are not blended have");
    return readHit(text, slot);
  };
}

/** Vespa's error codes by HTTP status. */
const CODES: Readonly<Record<number, number>> = { 400: 3, 401: 14, 403: 15, 404: 16, 405: 17, 413: 2, 429: 17, 502: 10, 504: 12 };
const INTERNAL_SERVER_ERROR = 18;
