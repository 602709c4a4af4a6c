/**
 * Meilisearch: `POST|GET /indexes/<index>/search` and `POST /multi-search`, federated or not.
 *
 * A page is named in two ways: `offset` and `limit`, or `page` and `hitsPerPage`, which win where one of them is given. The reply repeats
 * what was asked for, so a page that was cut from a wider reply gets its own numbers back.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type {
  Dialect,
  DialectOptions,
  ClientRequest,
  EngineError,
  EngineRequest,
  Hit,
  Refusal,
  RequestPlan,
  RequestReply,
  SearchPlan,
} from "./dialect.ts";
import type { IndexDefinition, IndexOptions } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, refill } from "./json-edits.ts";
import type { ReplyPart } from "./json-reply.ts";
import { annotateReply, numberAt, readHits, replyTo, scanReply, spanAt } from "./json-reply.ts";
import type { Body, Param } from "./json-request.ts";
import {
  bodyOf,
  leave,
  leftToEngine,
  namedObjects,
  NO_UBI,
  paramOf,
  paramsOf,
  planOne,
  planSeveral,
  searchOf,
  setMember,
  unknownIndex,
  wholeNumberOf,
  withoutNulls,
} from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { members, readNumber } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member, stringsOf, textOf } from "./json-values.ts";

const DEFAULT_LIMIT = 20;
/** Every name that says which page. */
const PAGING: ReadonlySet<string> = new Set(["offset", "limit", "page", "hitsPerPage"]);
const MULTI_PATH = "/multi-search";
const INDEX_NOT_FOUND = "index_not_found";

/** The primary key of an index has no fixed name. */
const DEFAULT_ID_FIELD = "id";

export const MEILISEARCH = defineDialect({ names: ["meilisearch"], create: createMeilisearch });

/**
 * An index in Meilisearch.
 *
 * @example
 * const products = meilisearch({ url: "https://search.example.com:7700", window: 100, idField: "sku" });
 */
export function meilisearch(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: MEILISEARCH, backend: "meilisearch" };
}

export function createMeilisearch(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexOf = (name: string): string | Refusal => (indexes.has(name) ? name : unknownIndex(name, indexes, INDEX_NOT_FOUND));
  const idFieldOf = (index: string): string => indexes.get(index)?.idField ?? DEFAULT_ID_FIELD;
  const readers = new Map([...indexes].map(([name, options]) => [name, hitItemReader(options, DEFAULT_ID_FIELD)]));
  return {
    name: "meilisearch",
    routes: [
      { path: "/indexes/:index/search", methods: ["GET", "POST"] },
      { path: MULTI_PATH, methods: ["POST"] },
    ],
    probes: [{ path: "/health", method: "GET" }],
    credentials: { header: "authorization", clientHeaders: ["authorization"], clientParams: [] },
    clientHeaders: ["x-ms-user-id"],
    plan(request, name) {
      if (name === undefined) return planSearches(request, indexOf, idFieldOf);
      const index = indexOf(name);
      return typeof index === "string" ? ok(planSearch(index, request, idFieldOf(index))) : err(index);
    },
    parseReply: (bytes, plan) => parseReply(bytes, plan, readers),
    annotate: annotateReply,
    describeError,
  };
}

/** What a request says of one search, wherever it says it: null is as good as nothing in a body. */
interface Asked {
  readonly params: readonly Param[];
  readonly body: Body | undefined;
  readonly values: JsonObject | undefined;
}

/** One search as it stands in a request. */
interface AskedSearch {
  readonly plan: SearchPlan;
  /** Changes to its body and its parameters with which it asks for hits [0, size). */
  readonly edits: (size: number) => readonly Edit[];
  readonly search: (size: number) => string;
}

function planSearch(index: string, request: ClientRequest, idField: string): RequestPlan {
  const params = paramsOf(request.search);
  const read = request.method === "POST" ? bodyOf(request.body) : undefined;
  const own: EngineRequest = {
    method: request.method,
    path: `/indexes/${encodeURIComponent(index)}/search`,
    search: searchOf(params.map((param) => param.raw)),
    body: request.method === "POST" && request.body.length > 0 ? request.body : undefined,
  };
  if (typeof read === "string") return planOne(leftToEngine(index, read), own);
  const asked = readSearch(
    index,
    { params: request.method === "GET" ? params : [], body: read, values: read && withoutNulls(read.values) },
    idField,
  );
  return planOne(asked.plan, own, (size) =>
    own.body === undefined ? { ...own, search: asked.search(size) } : { ...own, body: applyEdits(own.body, asked.edits(size)) },
  );
}

function planSearches(
  request: ClientRequest,
  indexOf: (name: string) => string | Refusal,
  idFieldOf: (index: string) => string,
): Result<RequestPlan, Refusal> {
  const read = namedObjects(bodyOf(request.body), { list: "queries", name: "indexUid", indexOf });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const params = paramsOf(request.search);
  const own = { method: "POST", path: MULTI_PATH, search: searchOf(params.map(({ raw }) => raw)), body: request.body } as const;
  const asked = objects.map(({ index, object }) =>
    readSearch(index, { params: [], body: object, values: withoutNulls(object.values) }, idFieldOf(index)),
  );
  const federation = member(body.values, "federation");
  return ok(federation === undefined || federation === null ? planSeveral(asked, own) : planFederated(own, body, asked));
}

/** One list out of several: a search of its own where all of them ask one index for the same words. */
function planFederated(own: EngineRequest, body: Body, asked: readonly AskedSearch[]): RequestPlan {
  const [first] = asked.map(({ plan }) => plan);
  const span = body.members.find(({ key }) => key === "federation")?.value;
  const values = member(body.values, "federation");
  if (first === undefined || span === undefined || !isObject(values)) {
    return planOne(leftToEngine(first?.index ?? "", "federation is not an object"), own);
  }
  const federation: Body = { text: body.text, span, members: members(body.text, span), values: withoutNulls(values) };
  const list: Asked = { params: [], body: federation, values: federation.values };
  const page = pageOf(list);
  if (typeof page === "string") return planOne(leftToEngine(first.index, `federation: ${page}`), own);
  const isOne = asked.every(({ plan }) => plan.index === first.index && plan.queryText === first.queryText);
  const left = asked.find(({ plan }) => plan.bypass !== undefined)?.plan.bypass;
  const distinct = textOf(member(federation.values, "distinct"));
  const decoder = new TextDecoder();
  const rest = body.members
    .filter(({ key }) => key !== "federation")
    .map(({ span: at }) => decoder.decode(body.text.bytes.subarray(at.start, at.end)));
  const search: SearchPlan = {
    ...first,
    offset: page.offset,
    limit: page.limit,
    bypass: !isOne
      ? leave("federated", "One list out of several indexes or of several texts")
      : distinct !== undefined
        ? leave("grouped", "federation.distinct")
        : page.limit === 0
          ? leave("size_zero", "No hits are asked for")
          : left,
    identity: JSON.stringify([rest, identityOf(list)]),
  };
  return planOne(search, own, (size) => ({ ...own, body: applyEdits(body.text.bytes, widened(federation, page.isNumbered, size)) }));
}

function readSearch(index: string, asked: Asked, idField: string): AskedSearch {
  const page = pageOf(asked);
  if (typeof page === "string") return { plan: leftToEngine(index, page), edits: () => [], search: () => "" };
  const queryText = textOf(paramOf(asked.params, "q")) ?? textOf(member(asked.values, "q"));
  return {
    plan: {
      index,
      queryText,
      offset: page.offset,
      limit: page.limit,
      isCursored: false,
      bypass: reasonToLeave(asked, page.limit, queryText, idField),
      history: [],
      ubi: NO_UBI,
      identity: identityOf(asked),
    },
    edits: (size) => (asked.body === undefined ? [] : widened(asked.body, page.isNumbered, size)),
    search: (size) => widenedParams(asked.params, page.isNumbered, size),
  };
}

interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** Asked for by `page` and `hitsPerPage`. */
  readonly isNumbered: boolean;
}

/** A text that names the value where a number is none. */
function pageOf({ params, values }: Asked): AskedPage | string {
  const given = (key: string): boolean => paramOf(params, key) !== undefined || member(values, key) !== undefined;
  const isNumbered = given("page") || given("hitsPerPage");
  const first = isNumbered ? wholeNumberOf("page", params, values, 1) : wholeNumberOf("offset", params, values, 0);
  const limit = wholeNumberOf(isNumbered ? "hitsPerPage" : "limit", params, values, DEFAULT_LIMIT);
  if (typeof first === "string") return first;
  if (typeof limit === "string") return limit;
  // Page 0 is answered without hits.
  if (isNumbered && first === 0) return { offset: 0, limit: 0, isNumbered };
  return { offset: isNumbered ? (first - 1) * limit : first, limit, isNumbered };
}

function reasonToLeave({ params, values }: Asked, limit: number, queryText: string | undefined, idField: string): Bypass | undefined {
  const listOf = (key: string): readonly string[] => paramOf(params, key)?.split(",") ?? stringsOf(member(values, key));
  if (listOf("sort").some((one) => one !== "")) return leave("explicit_sort", "sort");
  if ((textOf(paramOf(params, "distinct")) ?? textOf(member(values, "distinct"))) !== undefined) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "q is empty");
  const fields = listOf("attributesToRetrieve");
  if (fields.length > 0 && !fields.includes("*") && !fields.includes(idField)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  return undefined;
}

const namesOf = (isNumbered: boolean) => (isNumbered ? (["page", 1, "hitsPerPage"] as const) : (["offset", 0, "limit"] as const));

function widenedParams(params: readonly Param[], isNumbered: boolean, size: number): string {
  const [first, value, count] = namesOf(isNumbered);
  const kept = params.filter(({ key }) => key !== first && key !== count).map(({ raw }) => raw);
  return searchOf([...kept, `${first}=${value}`, `${count}=${size}`]);
}

function widened(body: Body, isNumbered: boolean, size: number): Edit[] {
  const [first, value, count] = namesOf(isNumbered);
  const own = body.members.find(({ key }) => key === first);
  return [setMember(body, count, size), ...(own === undefined ? [] : [{ ...own.value, text: String(value) }])];
}

function identityOf({ params, body }: Asked): string {
  const decoder = new TextDecoder();
  const kept = (body?.members ?? []).filter(({ key }) => !PAGING.has(key));
  return JSON.stringify([
    params.filter(({ key }) => !PAGING.has(key)).map(({ raw }) => raw),
    kept.map(({ span }) => decoder.decode(body?.text.bytes.subarray(span.start, span.end))),
  ]);
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, readers: ReadonlyMap<string, HitItemReader>): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  const partOf = (from: Span, i: number): Result<ReplyPart, Bypass> => {
    const search = plan.searches[i]!;
    return partAt(text, from, search, readers.get(search.index)!);
  };
  return replyTo(text, plan, ["results"], partOf);
}

function partAt(text: JsonText, from: Span, search: SearchPlan, readItem: HitItemReader): Result<ReplyPart, Bypass> {
  const read = readHits(text, from, ["hits"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  // Another engine may have a list of that name too.
  if (typeof spanAt(text, ["processingTimeMs"], from) !== "object") return bypass("reply_not_search", "The reply has no processingTimeMs");
  return ok({ hits, bypass: undefined, edits: (places) => [...refill(text, array, slots, places), ...ownPage(text, from, search)] });
}

/** The score is 0..1, where the request has `showRankingScore`, and in every federated list. */
function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  if (typeof item === "string") return item;
  const score = numberAt(text, slot, ["_federation", "weightedRankingScore"]) ?? numberAt(text, slot, ["_rankingScore"]);
  return { ...item, score, isPinned: false };
}

/** The numbers that a reply repeats, as for the page that was asked for. */
function ownPage(text: JsonText, from: Span, plan: SearchPlan): Edit[] {
  const all = members(text, from);
  const numberOf = (key: string): number | undefined => {
    const value = all.find((one) => one.key === key)?.value;
    return value === undefined ? undefined : readNumber(text, value);
  };
  const totalHits = numberOf("totalHits");
  const wanted: Readonly<Record<string, number | undefined>> = {
    offset: plan.offset,
    limit: plan.limit,
    page: plan.offset / plan.limit + 1,
    hitsPerPage: plan.limit,
    totalPages: totalHits === undefined ? undefined : Math.ceil(totalHits / plan.limit),
  };
  return all.flatMap(({ key, value }) => {
    const own = Object.hasOwn(wanted, key) ? wanted[key] : undefined;
    return own === undefined || readNumber(text, value) === own ? [] : [{ ...value, text: String(own) }];
  });
}

function describeError(status: number, type: string, message: string): EngineError {
  const kind = status >= 500 ? "internal" : status === 401 || status === 403 ? "auth" : "invalid_request";
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ message, code: type, type: kind, link: "" }) };
}
