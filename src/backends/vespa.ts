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
import { type Body, bodyOf, digitsOf, type Param, paramsOf, unreadable, utf8Text } from "./json/request.ts";
import { elements, findAt, type JsonText, kindOf, members, numberAt, rawText, readString, type Span, spanAt } from "./json/spans.ts";
import { textOf } from "./json/values.ts";

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
    const readPart = (text: JsonText, from: Span) => partAt(text, from, index);
    return {
      name: "vespa",
      routes: ["/search/", "/search"].map((path) => ({ path, methods: METHODS })),
      probes: [],
      credentials: AUTHORIZATION,
      clientHeaders: [],
      plan(request) {
        const own = ownRequest(request, request.path.endsWith("/") ? "/search/" : "/search");
        const asked = readRequest(own);
        const refused = index.options.forwardCredentials === true ? undefined : asked.ok ? unsafeIn(asked.value) : asked.error;
        if (refused !== undefined) return unreadable(refused);
        if (!asked.ok) return ok(planOne(leftToEngine(index.name, asked.error), own, readPart));
        const plan = readSearch(index, asked.value);
        return ok(
          plan.ok
            ? planOne(plan.value, asked.value.own, readPart, (size) => widened(asked.value, size))
            : planOne(leftToEngine(index.name, plan.error), asked.value.own, readPart),
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

export interface VespaOptions extends IndexOptions, PageSizeOption {}

/**
 * A Vespa application. Its requests name no index, so an edge can have one.
 *
 * @example
 * const products = vespa({ url: "https://vespa.example.com", window: 100, idField: "fields.sku" });
 */
export function vespa(options: VespaOptions): IndexDefinition<VespaOptions> {
  return { ...options, dialect: VESPA, backend: "vespa" };
}

/** A parameter of the URL or of the body. */
interface Named extends Pick<Param, "key" | "value"> {
  /** In lower case, without aliases. */
  readonly name: string;
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

/** Aliases of parameters that the edge reads, in lower case. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["count", "hits"],
  ["start", "offset"],
  ["query", "model.querystring"],
  ["type", "model.type"],
  ["encoding", "model.encoding"],
  ["sorting", "ranking.sorting"],
  ["format", "presentation.format"],
  ["template", "presentation.format"],
]);
const PAGING: ReadonlySet<string> = new Set(["hits", "offset"]);

function nameOf(key: string): string {
  const lower = key.toLowerCase();
  return ALIASES.get(lower) ?? lower;
}

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

/**
 * Parameters with which `/search/` is more than the application's own search: other chains of components (which may leave out a filter),
 * chosen content nodes, traces, hidden fields, all rank features in six minutes. They are refused, because the request would carry the edge's
 * own credential. The application itself limits sources and schemas: `model.restrict` in a query profile that cannot be overridden.
 */
const UNSAFE =
  /^(?:searchchain|trace(?:level)?(?:\..*)?|explainlevel|profile|(?:model\.)?searchpath|path|rankfeatures|ranking\.listfeatures|renderer\.json\.debug)$/;

/** Why a request must not reach the engine; `undefined` for a search. */
function unsafeIn({ url, form, all }: Asked): string | undefined {
  // Jetty decodes `%u0041` too.
  const odd = [...url, ...form].find(({ key }) => !/^[ -~]*$/.test(key) || key.includes("%"));
  const named = odd ?? all.find(({ name }) => UNSAFE.test(name));
  return named === undefined ? undefined : `The parameter ${JSON.stringify(named.key)} is not passed on: take it out`;
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

/** Types of `query` that are words; the others are query languages. */
const TYPES: ReadonlySet<string> = new Set(["all", "any", "linguistics", "phrase", "tokenize", "weakand", "web"]);

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

/**
 * A statement in YQL, Vespa's query language, as far as the edge reads it: outside of texts and comments only, because a shopper may type
 * `order by`.
 */
interface Yql {
  /** `order by` */
  readonly isOrdered: boolean;
  /** `limit` or `offset` */
  readonly isPaged: boolean;
  /** `userQuery()`, which reads the parameter `query`. */
  readonly hasUserQuery: boolean;
  /** The first `userInput()` or `text()`: words, or a parameter of the request. */
  readonly input: { readonly words: string } | { readonly param: string } | undefined;
  /** `undefined` for all of them. */
  readonly fields: readonly string[] | undefined;
}

/** `undefined` where a text or a comment has no end. */
function readYql(yql: string): Yql | undefined {
  const outlined = outlineOf(yql);
  if (outlined === undefined) return undefined;
  const { outline, texts } = outlined;
  // After it comes grouping, which has words of its own.
  const [statement = ""] = outline.split("|", 1);
  return {
    isOrdered: /\border by\b/i.test(statement),
    isPaged: /\b(?:limit|offset)\b/i.test(statement),
    hasUserQuery: /\buserQuery ?\(/.test(statement),
    input: inputOf(statement, texts),
    fields: fieldsOf(statement),
  };
}

const PLAIN = /[^"'/\s]+/y;

/** The statement with each text as its number in quotes, each comment and all white space as one space. */
function outlineOf(yql: string): { readonly outline: string; readonly texts: readonly string[] } | undefined {
  const texts: string[] = [];
  const parts: string[] = [];
  for (let at = 0; at < yql.length;) {
    const char = yql.charAt(at);
    let end = at + 1;
    if (char === '"' || char === "'") {
      while (end < yql.length && yql.charAt(end) !== char) end += yql.charAt(end) === "\\" ? 2 : 1;
      if (end >= yql.length) return undefined;
      parts.push(`"${texts.length}"`);
      texts.push(unescape(yql.slice(at + 1, end)));
      end++;
    } else if (yql.startsWith("/*", at)) {
      end = yql.indexOf("*/", at + 2) + 2;
      if (end < 2) return undefined;
      parts.push(" ");
    } else if (yql.startsWith("//", at)) {
      while (end < yql.length && !/[\n\r]/.test(yql.charAt(end))) end++;
      parts.push(" ");
    } else if (/\s/.test(char)) {
      parts.push(" ");
    } else {
      // The slash of no comment, or all up to the next character that means something here.
      PLAIN.lastIndex = at;
      end = PLAIN.test(yql) ? PLAIN.lastIndex : end;
      parts.push(yql.slice(at, end));
    }
    at = end;
  }
  return { outline: parts.join("").replaceAll(/ +/g, " "), texts };
}

const ESCAPES: ReadonlyMap<string, string> = new Map(Object.entries({ b: "\b", t: "\t", n: "\n", f: "\f", r: "\r" }));

function unescape(text: string): string {
  return text.replaceAll(/\\(u[0-9a-fA-F]{4}|[\s\S])/g, (_, escape: string) =>
    escape.length === 5 ? String.fromCharCode(Number.parseInt(escape.slice(1), 16)) : (ESCAPES.get(escape) ?? escape),
  );
}

/** With settings of the call, `{grammar: "all"}`, inside its brackets. */
const INPUT = /\b(?:userInput|text) ?\( ?(?:\[? ?\{[^{}]{0,300}\} ?\]? ?)?(?:@ ?([\w.:-]+)|"(\d+)")/;

function inputOf(statement: string, texts: readonly string[]): Yql["input"] {
  const [, param, index] = INPUT.exec(statement) ?? [];
  if (param !== undefined) return { param };
  const words = index === undefined ? undefined : texts[Number(index)];
  return words === undefined ? undefined : { words };
}

function fieldsOf(statement: string): readonly string[] | undefined {
  const list = /^ ?select (.+?) from /i.exec(statement)?.[1];
  const fields = list?.split(",").map((field) => field.trim().split(" ")[0] ?? "");
  return fields?.includes("*") === true ? undefined : fields;
}
