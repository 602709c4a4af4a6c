/**
 * Solr: `GET|POST /solr/<core>/select` with parameters in the URL or in a form. What is more than a search is refused.
 *
 * The reply says twice which page it is (`response.start` and the echoed parameters), and keeps highlighting apart from the documents, by
 * id: a page that was cut from a wider reply gets its own of each.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { Dialect, DialectOptions, ClientRequest, EngineError, EngineRequest, Hit, RequestPlan, RequestReply } from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { cutMember, refill } from "./json-edits.ts";
import { annotateReply, numberAt, readHits, replyOfOne, scanReply, spanAt } from "./json-reply.ts";
import type { Param } from "./json-request.ts";
import {
  leave,
  leftToEngine,
  NO_UBI,
  paramOf,
  paramsOf,
  planOne,
  searchOf,
  unknownIndex,
  unreadable,
  wholeNumberOf,
} from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { kindOf, members, readNumber } from "./json-spans.ts";
import { textOf } from "./json-values.ts";

const DEFAULT_ROWS = 10;
const PAGING: ReadonlySet<string> = new Set(["start", "rows"]);
const ROUTE = { path: "/solr/:index/select", methods: ["GET", "POST"] } as const;

/** The uniqueKey of a schema has no fixed name; this is the usual one. */
const DEFAULT_ID_FIELD = "id";

/** `{!edismax qf=title v=$words}` */
const LOCAL_PARAMS = /^\s*\{!([^}]*)\}/;

export const SOLR = defineDialect({ names: ["solr"], create: createSolr });

/**
 * A core or collection in Solr.
 *
 * @example
 * const products = solr({ url: "https://search.example.com:8983", window: 100 });
 */
export function solr(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: SOLR, backend: "solr" };
}

export function createSolr(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const idFieldOf = (index: string): string => indexes.get(index)?.idField ?? DEFAULT_ID_FIELD;
  const readers = new Map([...indexes].map(([name, options]) => [name, hitItemReader(options, DEFAULT_ID_FIELD)]));
  return {
    name: "solr",
    routes: [ROUTE],
    probes: [],
    credentials: { header: "authorization", clientHeaders: ["authorization"], clientParams: [] },
    clientHeaders: [],
    plan(request, name = "") {
      if (!indexes.has(name)) return err(unknownIndex(name, indexes, "not_found"));
      const unsafe = unsafeIn(request);
      return unsafe === undefined ? ok(planSearch(name, request, idFieldOf(name))) : err(unreadable(unsafe));
    },
    parseReply: (bytes, plan) => parseReply(bytes, plan, readers.get(plan.searches[0]!.index)!),
    annotate: annotateReply,
    describeError,
  };
}

/** `form` is empty where the body holds none. */
interface Asked {
  readonly url: readonly Param[];
  readonly form: readonly Param[];
}

/**
 * Parameters with which `select` does something else than search this core: another handler, other servers, content from elsewhere,
 * templates that run. They stay out, because the request would carry the edge's own credential.
 */
const UNSAFE = /^(?:json\.params\.)?(?:qt|tr|shards(?:\..*)?|stream\..*|v\..*)$/i;
const UNSAFE_WRITERS: ReadonlySet<string> = new Set(["velocity", "xslt"]);

/** Why a request must not reach the engine; `undefined` for a search. */
function unsafeIn(request: ClientRequest): string | undefined {
  const body = request.method === "POST" ? new TextDecoder().decode(request.body).trimStart() : "";
  // Solr reads parameters from these too, in dialects of JSON and MIME that we do not.
  if (body.startsWith("{") || body.startsWith("--")) return "The body must be a form: JSON requests and multipart are not passed on";
  for (const { key, value } of [...paramsOf(request.search), ...paramsOf(body)]) {
    const isOdd = !/^[\w.:$@/ -]*$/.test(key) || key === "ie" || key === "json";
    if (isOdd || UNSAFE.test(key)) return `The parameter ${JSON.stringify(key)} is not passed on: take it out`;
    if (key === "wt" && UNSAFE_WRITERS.has(value.toLowerCase())) return `wt=${value} is not passed on: ask for json`;
  }
  return undefined;
}

function planSearch(index: string, request: ClientRequest, idField: string): RequestPlan {
  const path = `/solr/${encodeURIComponent(index)}/select`;
  const url = paramsOf(request.search);
  const body = request.method === "POST" && request.body.length > 0 ? request.body : undefined;
  const own: EngineRequest = { method: request.method, path, search: rawOf(url), body };
  const asked: Asked = { url, form: formOf(own) };
  const params = [...url, ...asked.form];
  const offset = wholeNumberOf("start", params, undefined, 0);
  const limit = wholeNumberOf("rows", params, undefined, DEFAULT_ROWS);
  if (typeof offset === "string") return planOne(leftToEngine(index, offset), own);
  if (typeof limit === "string") return planOne(leftToEngine(index, limit), own);
  const queryText = queryTextOf(params);
  const search = {
    index,
    queryText,
    offset,
    limit,
    isCursored: false,
    bypass: reasonToLeave(params, limit, queryText, idField),
    history: [],
    ubi: NO_UBI,
    identity: JSON.stringify(params.filter(({ key }) => !PAGING.has(key)).map(({ raw }) => raw)),
  };
  return planOne(search, own, (size) => widened(own, asked, size));
}

function formOf({ body }: EngineRequest): Param[] {
  return body === undefined ? [] : paramsOf(new TextDecoder().decode(body));
}

function rawOf(params: readonly Param[]): string {
  return searchOf(params.map(({ raw }) => raw));
}

function widened(own: EngineRequest, { url, form }: Asked, size: number): EngineRequest {
  const wanted = (params: readonly Param[]): string[] =>
    params.map(({ key, raw }) => (key === "start" ? "start=0" : key === "rows" ? `rows=${size}` : raw));
  const hasRows = [...url, ...form].some(({ key }) => key === "rows");
  const search = searchOf([...wanted(url), ...(hasRows ? [] : [`rows=${size}`])]);
  return { ...own, search, body: own.body === undefined ? undefined : new TextEncoder().encode(wanted(form).join("&")) };
}

/** What the shopper typed: `q` without local parameters and field names; nothing where it stands for everything. */
function queryTextOf(params: readonly Param[]): string | undefined {
  const q = paramOf(params, "q") ?? "";
  const local = LOCAL_PARAMS.exec(q);
  const named = /(?:^|\s)v=\$([\w.-]+)/.exec(local?.[1] ?? "")?.[1];
  const words = named === undefined ? q.slice(local?.[0].length ?? 0) : (paramOf(params, named) ?? "");
  if (words.trim() === "*:*" || words.trim() === "*") return undefined;
  return textOf(words.replaceAll(/(?:^|(?<=[\s(+-]))[\w.]+:(?=\S)/g, ""));
}

function reasonToLeave(params: readonly Param[], limit: number, queryText: string | undefined, idField: string): Bypass | undefined {
  const format = paramOf(params, "wt") ?? "json";
  if (format !== "json") return leave("request_not_understood", `The reply is asked for as ${format}, not as JSON`);
  if (paramOf(params, "json.wrf") !== undefined) return leave("request_not_understood", "The reply is asked for as a script (json.wrf)");
  if (params.some(({ key }) => key.startsWith("json."))) return leave("request_not_understood", "Parameters of the JSON request API");
  if (paramOf(params, "cursorMark") !== undefined) return leave("cursor", "cursorMark");
  const sort = textOf(paramOf(params, "sort"));
  if (sort !== undefined && !/^score\s+desc$/i.test(sort)) return leave("explicit_sort", "sort");
  if (/^(true|on|yes)$/i.test(paramOf(params, "group") ?? "")) return leave("grouped", "group");
  if (params.some(({ key, value }) => key === "fq" && value.includes("{!collapse"))) return leave("grouped", "collapse");
  if (limit === 0) return leave("size_zero", "rows is 0");
  if (queryText === undefined) return leave("no_query_text", "q is empty or stands for everything");
  const fields = params.filter(({ key }) => key === "fl").flatMap(({ value }) => value.split(/[\s,]+/));
  if (fields.length > 0 && !fields.includes("*") && !fields.includes(idField)) {
    return leave("request_not_understood", `fl leaves out ${idField}, by which items are known`);
  }
  return undefined;
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, readItem: HitItemReader): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const read = readHits(text, text.root, ["response", "docs"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const idsOf = (places: readonly number[]): string[] => places.map((place) => hits[place]!.itemId);
  const edits = (places: readonly number[]): Edit[] => [
    ...refill(text, array, slots, places),
    ...ownPage(text, plan),
    ...ownHighlighting(text, idsOf(places)),
  ];
  return replyOfOne(text, ok({ hits, bypass: undefined, edits }));
}

function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  if (typeof item === "string") return item;
  const elevated = spanAt(text, ["[elevated]"], slot);
  const isPinned = typeof elevated === "object" && text.bytes[elevated.start] === 0x74; // true
  return { ...item, score: numberAt(text, slot, ["score"]), isPinned };
}

/** `response.start` and the echoed parameters, as for the page that was asked for. */
function ownPage(text: JsonText, plan: RequestPlan): Edit[] {
  const edits: Edit[] = [];
  const offset = plan.searches[0]?.offset;
  const start = spanAt(text, ["response", "start"]);
  if (typeof start === "object" && readNumber(text, start) !== offset) edits.push({ ...start, text: String(offset) });
  const echo = spanAt(text, ["responseHeader", "params"]);
  if (typeof echo !== "object") return edits;
  const own = [...paramsOf(plan.own.search), ...formOf(plan.own)];
  const siblings = members(text, echo);
  siblings.forEach(({ key, value }, place) => {
    if (!PAGING.has(key)) return;
    const asked = paramOf(own, key);
    // Solr echoes what it was sent; what the shopper did not send is not to be there.
    edits.push(asked === undefined ? cutMember(siblings, place) : { ...value, text: JSON.stringify(asked) });
  });
  return edits;
}

/** Only of the shown documents, and in their order; with all of them in their order, the same bytes. */
function ownHighlighting(text: JsonText, ids: readonly string[]): Edit[] {
  const object = spanAt(text, ["highlighting"]);
  if (typeof object !== "object" || kindOf(text, object) !== "object") return [];
  const all = members(text, object);
  const [first, second] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return [];
  const decoder = new TextDecoder();
  const raw = (start: number, end: number): string => decoder.decode(text.bytes.subarray(start, end));
  const between = second === undefined ? "," : raw(first.span.end, second.span.start);
  const shown = ids.flatMap((id) => all.find(({ key }) => key === id) ?? []);
  const kept = shown.map(({ span }) => raw(span.start, span.end)).join(between);
  return [{ start: first.span.start, end: last.span.end, text: kept }];
}

function describeError(status: number, type: string, message: string): EngineError {
  const body = { responseHeader: { status, QTime: 0 }, error: { metadata: ["error-class", type], msg: message, code: status } };
  return { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
