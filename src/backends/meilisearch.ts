/**
 * Meilisearch: `POST|GET /indexes/<index>/search`. Requests and replies; `/multi-search` has no route.
 *
 * A page is named in two ways: `offset` and `limit`, or `page` and `hitsPerPage`, which win where one of them is given. The reply repeats
 * what was asked for, so a page that was cut from a wider reply gets its own numbers back.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, ok } from "../result.ts";
import type { Backend, BackendOptions, ClientRequest, EngineErrorBody, EngineRequest, SearchPlan, SearchReply } from "./backend.ts";
import { readId } from "./item-id.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, fillArray } from "./json-edits.ts";
import { annotateReply, readHits, spanAt } from "./json-reply.ts";
import type { Body, Param } from "./json-request.ts";
import { bodyOf, leave, leaveToEngine, NO_UBI, paramOf, paramsOf, searchOf, setMember, wholeNumberOf } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { find, members, readNumber } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { member, stringsOf, textOf } from "./json-values.ts";

const DEFAULT_LIMIT = 20;
/** Every name that says which page. */
const PAGING: ReadonlySet<string> = new Set(["offset", "limit", "page", "hitsPerPage"]);
const ROUTE = { path: "/indexes/:index/search", methods: ["GET", "POST"] } as const;

/** The primary key of an index has no fixed name. */
const DEFAULT_ID_FIELD = "id";

export function createMeilisearch({ idField = DEFAULT_ID_FIELD }: BackendOptions): Backend {
  return {
    name: "meilisearch",
    routes: [ROUTE],
    indexNotFound: "index_not_found",
    refuse: () => undefined,
    plan: (index, request) => planSearch(index, request, idField),
    parseReply: (bytes, plan) => parseReply(bytes, plan, idField),
    annotate: annotateReply,
    describeError,
  };
}

/** What a request says, wherever it says it: null is as good as nothing in a body. */
interface Asked {
  readonly params: readonly Param[];
  readonly body: Body | undefined;
  readonly values: JsonObject | undefined;
}

function planSearch(index: string, request: ClientRequest, idField: string): SearchPlan {
  const params = paramsOf(request.search);
  const read = request.method === "POST" ? bodyOf(request.body) : undefined;
  const path = `/indexes/${encodeURIComponent(index)}/search`;
  const rawParams = params.map((param) => param.raw);
  const own: EngineRequest = {
    method: request.method,
    path,
    search: searchOf(rawParams),
    body: request.method === "POST" && request.body.length > 0 ? request.body : undefined,
  };
  if (typeof read === "string") return leaveToEngine(own, read);
  const asked: Asked = { params: request.method === "GET" ? params : [], body: read, values: read && withoutNulls(read.values) };

  const page = pageOf(asked);
  if (typeof page === "string") return leaveToEngine(own, page);
  const queryText = textOf(paramOf(asked.params, "q")) ?? textOf(member(asked.values, "q"));
  return {
    queryText,
    offset: page.offset,
    limit: page.limit,
    bypass: reasonToLeave(asked, page.limit, queryText, idField),
    history: [],
    ubi: NO_UBI,
    own,
    identity: identityOf(asked),
    widen: (size) => ({ ...own, ...widened(asked, page.isNumbered, size) }),
  };
}

function withoutNulls(values: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null));
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

function widened({ params, body }: Asked, isNumbered: boolean, size: number): Partial<Pick<EngineRequest, "search" | "body">> {
  const [first, firstValue, count] = isNumbered ? (["page", 1, "hitsPerPage"] as const) : (["offset", 0, "limit"] as const);
  if (body === undefined) {
    const kept = params.filter(({ key }) => key !== first && key !== count).map(({ raw }) => raw);
    return { search: searchOf([...kept, `${first}=${firstValue}`, `${count}=${size}`]) };
  }
  const edits: Edit[] = [setMember(body, count, size, body.members.length === 0)];
  const own = body.members.find(({ key }) => key === first);
  if (own !== undefined) edits.push({ ...own.value, text: String(firstValue) });
  return { body: applyEdits(body.text.bytes, edits) };
}

function identityOf({ params, body }: Asked): string {
  const decoder = new TextDecoder();
  const kept = (body?.members ?? []).filter(({ key }) => !PAGING.has(key));
  return JSON.stringify([
    params.filter(({ key }) => !PAGING.has(key)).map(({ raw }) => raw),
    kept.map(({ span }) => decoder.decode(body?.text.bytes.subarray(span.start, span.end))),
  ]);
}

function parseReply(bytes: Uint8Array, plan: SearchPlan, idField: string): Result<SearchReply, Bypass> {
  const read = readHits(bytes, ["hits"], (text, slot) => {
    const itemId = readId(text, slot, idField);
    return itemId === undefined ? `no readable ${idField}` : { itemId, score: scoreOf(text, slot), isPinned: false };
  });
  if (!read.ok) return read;
  const { text, array, slots, hits } = read.value;
  // Another engine may have a list of that name too.
  if (typeof spanAt(text, ["processingTimeMs"]) !== "object") return bypass("reply_not_search", "The reply has no processingTimeMs");
  return ok({ hits, assemble: (places) => fillArray(text, array, slots, places, ownPage(text, plan)) });
}

/** 0..1, where the request has `showRankingScore`. */
function scoreOf(text: JsonText, slot: Span): number | undefined {
  const score = find(text, slot, "_rankingScore");
  return score.ok && score.value !== undefined ? readNumber(text, score.value) : undefined;
}

/** The numbers that a reply repeats, as for the page that was asked for. */
function ownPage(text: JsonText, plan: SearchPlan): Edit[] {
  const all = members(text, text.root);
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

function describeError(status: number, type: string, message: string): EngineErrorBody {
  const kind = status >= 500 ? "internal" : status === 401 || status === 403 ? "auth" : "invalid_request";
  return { contentType: "application/json", body: JSON.stringify({ message, code: type, type: kind, link: "" }) };
}
