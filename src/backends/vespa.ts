/**
 * Vespa: `GET|POST /search/` with parameters in the URL, in a form or in a JSON body. Its requests name no index: one can be configured.
 *
 * Vespa flattens a JSON body to parameters (`{"ranking":{"profile":"a"}}` is `ranking.profile`), lets the URL win over it, and takes many
 * of them by other names in any case. Its reply repeats nothing of the paging, but may hold groups and errors beside its hits. What a query
 * profile of the application sets is not in the request: one that sets another number of hits than 10 belongs into `pageSize`.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { Dialect, DialectOptions, ClientRequest, EngineError, EngineRequest, Hit, RequestPlan, RequestReply } from "./dialect.ts";
import type { IndexDefinition, IndexOptions, PageSizeOption } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, cutMember, refill } from "./json-edits.ts";
import { annotateReply, numberAt, readHits, replyOfOne, scanReply, spanAt } from "./json-reply.ts";
import type { Body, Param } from "./json-request.ts";
import { bodyOf, leave, leftToEngine, NO_UBI, paramsOf, planOne, searchOf, unreadable } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { elements, kindOf, members, readString } from "./json-spans.ts";
import { textOf } from "./json-values.ts";
import type { Yql } from "./vespa-yql.ts";
import { readYql } from "./vespa-yql.ts";

const DEFAULT_HITS = 10;
const METHODS = ["GET", "POST"] as const;
const DEFAULT_ID_FIELD = "id";

/** Vespa's own limit is 400 hits, unless a query profile sets another `maxHits`. */
export const VESPA = defineDialect({ names: ["vespa"], create: createVespa, limits: { maxIndexes: 1 } });

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

/** Throws unless there is exactly one index. */
export function createVespa(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const [[index, options] = ["", {}], ...more] = indexes;
  if (index === "" || more.length > 0) throw new Error(`Vespa's requests name no index: configure one, not ${indexes.size}`);
  const { idField = DEFAULT_ID_FIELD, pageSize = DEFAULT_HITS, forwardCredentials = false } = options;
  const readItem = hitItemReader(options, DEFAULT_ID_FIELD);
  return {
    name: "vespa",
    routes: ["/search/", "/search"].map((path) => ({ path, methods: METHODS })),
    probes: [],
    credentials: { header: "authorization", clientHeaders: ["authorization"], clientParams: [] },
    clientHeaders: [],
    plan(request) {
      const own = ownRequest(request);
      const asked = readRequest(own);
      const refused = forwardCredentials ? undefined : typeof asked === "string" ? asked : unsafeIn(asked);
      if (refused !== undefined) return err(unreadable(refused));
      return ok(typeof asked === "string" ? planOne(leftToEngine(index, asked), own) : planSearch(index, asked, idField, pageSize));
    },
    parseReply: (bytes) => parseReply(bytes, readItem),
    annotate: annotateReply,
    describeError,
  };
}

/** A parameter, wherever it stood. */
interface Named {
  readonly key: string;
  /** Its one name, in lower case. */
  readonly name: string;
  readonly value: string;
}

interface Asked {
  readonly own: EngineRequest;
  readonly url: readonly Param[];
  /** Empty where the body is none. */
  readonly form: readonly Param[];
  readonly body: Body | undefined;
  /** All of them; those of the URL, which win, first. */
  readonly all: readonly Named[];
}

/** Other names of parameters that the edge reads, in lower case. */
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

function ownRequest({ method, path, search, body }: ClientRequest): EngineRequest {
  return {
    method,
    path: path.endsWith("/") ? "/search/" : "/search",
    search: searchOf(paramsOf(search).map(({ raw }) => raw)),
    body: method === "POST" && body.length > 0 ? body : undefined,
  };
}

/** A text says why it cannot be read. */
function readRequest(own: EngineRequest): Asked | string {
  const url = paramsOf(own.search);
  if (own.body === undefined) return { own, url, form: [], body: undefined, all: namedIn(url) };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(own.body);
  } catch {
    return "The body is not UTF-8: send JSON or a form";
  }
  if (!text.trimStart().startsWith("{")) {
    const form = paramsOf(text);
    const contentType = "application/x-www-form-urlencoded";
    return { own: { ...own, contentType }, url, form, body: undefined, all: namedIn([...url, ...form]) };
  }
  const body = bodyOf(own.body);
  if (typeof body !== "object") return body ?? "The body is empty";
  const all = [...namedIn(url), ...flatten(body.text, body.members)];
  return { own: { ...own, contentType: "application/json" }, url, form: [], body, all };
}

function namedIn(params: readonly Param[]): Named[] {
  return params.map(({ key, value }) => ({ key, name: nameOf(key), value }));
}

/** No parameter that the edge reads has more parts to its name. */
const MAX_PARTS = 4;

/** Members as Vespa names them. From the spans, so that no name is hidden by another that is the same. */
function flatten(text: JsonText, siblings: Body["members"], prefix: string = "", depth: number = 1): Named[] {
  const decoder = new TextDecoder();
  return siblings.flatMap((one) => {
    const key = prefix + one.key;
    if (kindOf(text, one.value) === "object" && depth < MAX_PARTS) return flatten(text, members(text, one.value), `${key}.`, depth + 1);
    const value = readString(text, one.value) ?? decoder.decode(text.bytes.subarray(one.value.start, one.value.end));
    return [{ key, name: nameOf(key), value }];
  });
}

/**
 * Parameters with which `/search/` does something else than search as the application means it: other chains of components (which may
 * leave out a filter that belongs to all searches), chosen content nodes, the way a query was run and how the application is configured,
 * fields that are hidden, all rank features at six minutes' time. They stay out, because the request would carry the edge's own credential.
 * What may be read at all (sources, schemas) is for the application to say: `model.restrict` in a query profile that cannot be overridden.
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

function planSearch(index: string, asked: Asked, idField: string, pageSize: number): RequestPlan {
  const offset = pageNumber(asked, "offset", 0);
  const limit = pageNumber(asked, "hits", pageSize);
  if (typeof offset === "string") return planOne(leftToEngine(index, offset), asked.own);
  if (typeof limit === "string") return planOne(leftToEngine(index, limit), asked.own);
  const statement = valueOf(asked, "yql");
  const yql = statement === undefined ? undefined : readYql(statement);
  if (statement !== undefined && yql === undefined)
    return planOne(leftToEngine(index, "yql has a text or a comment without end"), asked.own);
  const queryText = queryTextOf(asked, yql);
  const search = {
    index,
    queryText,
    offset,
    limit,
    isCursored: false,
    bypass: reasonToLeave(asked, yql, limit, queryText, idField),
    history: [],
    ubi: NO_UBI,
    identity: identityOf(asked),
  };
  return planOne(search, asked.own, (size) => widened(asked, size));
}

function valueOf({ all }: Asked, name: string): string | undefined {
  return all.find((one) => one.name === name)?.value;
}

/** A whole number from 0; a text that says why it is none, or which of several counts is not to be known. */
function pageNumber({ url, form, all }: Asked, name: string, fallback: number): number | string {
  const given = all.filter((one) => one.name === name);
  const [first] = given;
  if (first === undefined) return fallback;
  const { key, value } = first;
  if (given.some((one) => one.key !== key)) return `${name} is asked for by two names`;
  if ([...url, ...form].filter((one) => one.key === key).length > 1) return `The parameter ${key} stands twice`;
  // Only other names are taken in any case.
  if (key !== name && key.toLowerCase() === name) return `The parameter ${key} is not ${name}`;
  return /^\d{1,9}$/.test(value) ? Number(value) : `${key} is ${JSON.stringify(value)}`;
}

/** What the shopper typed: the parameter `query`, or what the statement reads of another one or holds itself. */
function queryTextOf(asked: Asked, yql: Yql | undefined): string | undefined {
  const query = textOf(valueOf(asked, "model.querystring"));
  if (yql?.input === undefined || (yql.hasUserQuery && query !== undefined)) return query;
  return textOf("param" in yql.input ? valueOf(asked, nameOf(yql.input.param)) : yql.input.words);
}

/** Types of `query` that are words; the others are languages. */
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
  if (format !== "json" && format !== "default") return leave("request_not_understood", `The reply is asked for as ${format}, not as JSON`);
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

/** What is not there is added to the URL, which wins over the body. */
function widened({ own, url, form, body, all }: Asked, size: number): EngineRequest {
  const numbers: ReadonlyMap<string, number> = new Map([
    ["hits", size],
    ["offset", 0],
  ]);
  const rewrite = (params: readonly Param[]): string[] =>
    params.map(({ key, raw }) => {
      const number = numbers.get(nameOf(key));
      return number === undefined ? raw : `${raw.split("=", 1)[0] ?? key}=${number}`;
    });
  const edits = (body?.members ?? []).flatMap(({ key, value }): Edit[] => {
    const number = numbers.get(nameOf(key));
    return number === undefined ? [] : [{ ...value, text: String(number) }];
  });
  const added = all.some(({ name }) => name === "hits") ? [] : [`hits=${size}`];
  const search = searchOf([...rewrite(url), ...added]);
  if (own.body === undefined) return { ...own, search };
  return { ...own, search, body: body === undefined ? new TextEncoder().encode(rewrite(form).join("&")) : applyEdits(own.body, edits) };
}

function identityOf({ url, form, body }: Asked): string {
  const decoder = new TextDecoder();
  const params = [...url, ...form].filter(({ key }) => !PAGING.has(nameOf(key)));
  const rest = (body?.members ?? []).filter(({ key }) => !PAGING.has(nameOf(key)));
  const slices = rest.map(({ span }) => decoder.decode(body?.text.bytes.subarray(span.start, span.end)));
  return JSON.stringify([params.map(({ raw }) => raw), slices]);
}

function parseReply(bytes: Uint8Array, readItem: HitItemReader): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const root = spanAt(text, ["root"]);
  if (typeof root !== "object") return bypass("reply_not_search", root ?? "The reply has no root");
  if (typeof spanAt(text, ["relevance"], root) !== "object") return bypass("reply_not_search", "The reply has no root.relevance");
  const isIncomplete = spanAt(text, ["errors"], root) !== undefined;
  const left = isIncomplete ? leave("engine_incomplete", "The reply has root.errors") : undefined;

  const siblings = members(text, root);
  const place = siblings.findIndex(({ key }) => key === "children");
  // Without hits there are no children.
  if (place < 0) return replyOfOne(text, ok({ hits: [], bypass: left, edits: () => [] }));
  const read = readHits(text, root, ["children"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const isAllHits = slots.length > 0 && slots.length === elements(text, array).length;
  const edits = (places: readonly number[]): Edit[] =>
    places.length === 0 && isAllHits ? [cutMember(siblings, place)] : refill(text, array, slots, places);
  return replyOfOne(text, ok({ hits, bypass: left, edits }));
}

/** Results of grouping are children too; they are no hits, and stay. */
function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string | undefined {
  const id = spanAt(text, ["id"], slot);
  if (typeof id === "object" && readString(text, id)?.startsWith("group:") === true) return undefined;
  if (spanAt(text, ["children"], slot) !== undefined) return "a list of its own, as sources that are not blended have";
  const item = readItem(text, slot);
  return typeof item === "string" ? item : { ...item, score: numberAt(text, slot, ["relevance"]), isPinned: false };
}

/** Vespa's own numbers of what went wrong. */
const CODES: ReadonlyMap<number, number> = new Map([
  [400, 3],
  [401, 14],
  [403, 15],
  [404, 16],
  [405, 17],
  [413, 2],
  [429, 17],
  [502, 10],
  [504, 12],
]);
const INTERNAL_SERVER_ERROR = 18;

function describeError(status: number, type: string, message: string): EngineError {
  const error = { code: CODES.get(status) ?? INTERNAL_SERVER_ERROR, summary: type, message };
  const root = { id: "toplevel", relevance: 1, fields: { totalCount: 0 }, errors: [error] };
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ root }) };
}
