/**
 * An Elasticsearch or OpenSearch `_search` request, from `ClientRequest` to `SearchPlan`: which page, which words, whether it may be
 * re-ranked, and the same request for the whole window.
 *
 * Parameters of the URL win over the body, as in the engine. Where a request is not understood it is left to the engine, whose own error
 * is the best answer.
 */
import type { Bypass } from "../result.ts";
import type { ClientRequest, EngineRequest, SearchPlan, UbiFields } from "./backend.ts";
import { queryTextOf } from "./elasticsearch-query.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, cutMember } from "./json-edits.ts";
import type { Body, Param } from "./json-request.ts";
import { bodyOf, leave, leaveToEngine, paramOf, paramsOf, repeatedKey, searchOf, setMember, wholeNumberOf } from "./json-request.ts";
import type { Member } from "./json-spans.ts";
import { members } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member, stringsOf, textOf } from "./json-values.ts";

/** The engine's own page when a request names none. */
const DEFAULT_LIMIT = 10;

const PAGING = new Set(["from", "size"]);

/** Sections of `ext` that do not change what is found: ours, and tracking that differs from page to page. */
const EXT_WITHOUT_EFFECT = new Set(["armmt", "ubi"]);

export function planSearch(index: string, request: ClientRequest): SearchPlan {
  const params = paramsOf(request.search);
  const body = bodyOf(request.body);
  if (typeof body === "string") return untouched(index, params, request, body);
  const twice = repeatedKey(sectionsOf(body));
  if (twice !== undefined) return untouched(index, params, request, `The key "${twice}" stands twice in ext`);

  const values = body?.values;
  const offset = wholeNumberOf("from", params, values, 0);
  const limit = wholeNumberOf("size", params, values, DEFAULT_LIMIT);
  if (typeof offset === "string") return untouched(index, params, request, offset);
  if (typeof limit === "string") return untouched(index, params, request, limit);

  const ext = member(values, "ext");
  const queryText =
    textOf(member(member(ext, "ubi"), "user_query")) ??
    textOf(member(member(ext, "armmt"), "query")) ??
    textOf(paramOf(params, "q")) ??
    queryTextOf(member(values, "query"));
  const cut = body === undefined ? undefined : cutOwnSection(body);
  const edits = cut === undefined ? [] : [cut.edit];

  const requestTo = (search: readonly string[], changes: readonly Edit[]): EngineRequest => ({
    method: body === undefined ? request.method : "POST",
    path: `/${encodeURIComponent(index)}/_search`,
    search: searchOf(search),
    body: body === undefined ? undefined : applyEdits(body.text.bytes, changes),
  });
  const rawParams = params.map((param) => param.raw);

  return {
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(params, values, limit, queryText),
    history: stringsOf(member(member(ext, "armmt"), "history")),
    ubi: ubiOf(member(ext, "ubi")),
    own: requestTo(rawParams, edits),
    identity: identityOf(params, body, queryText),
    widen(size) {
      const search = params.map((param) => (param.key === "from" ? "from=0" : param.key === "size" ? `size=${size}` : param.raw));
      const has = (key: string) => params.some((param) => param.key === key);
      const changes = [...edits];
      if (body === undefined) {
        if (!has("size")) search.push(`size=${size}`);
      } else {
        const from = body.members.find((one) => one.key === "from");
        if (from !== undefined && !has("from")) changes.push({ ...from.value, text: "0" });
        if (!has("size")) changes.push(setMember(body, "size", size, body.members.length === (cut?.isWholeExt === true ? 1 : 0)));
      }
      return requestTo(search, changes);
    },
  };
}

/** A request that the edge does not understand: it goes to the engine as it came. */
function untouched(index: string, params: readonly Param[], request: ClientRequest, detail: string): SearchPlan {
  const hasBody = request.body.length > 0;
  const own: EngineRequest = {
    method: hasBody ? "POST" : request.method,
    path: `/${encodeURIComponent(index)}/_search`,
    search: searchOf(params.map((param) => param.raw)),
    body: hasBody ? request.body : undefined,
  };
  return leaveToEngine(own, detail);
}

function reasonToLeave(
  params: readonly Param[],
  values: JsonObject | undefined,
  limit: number,
  queryText: string | undefined,
): Bypass | undefined {
  if (paramOf(params, "source") !== undefined) return leave("request_not_understood", "The body stands in the parameter source");
  if ((paramOf(params, "format") ?? "json") !== "json")
    return leave("request_not_understood", "The reply is asked for in another format than JSON");
  if (paramOf(params, "scroll") !== undefined) return leave("cursor", "scroll");
  for (const key of ["search_after", "pit", "slice"]) if (member(values, key) !== undefined) return leave("cursor", key);
  if (!isByScore(params, values)) return leave("explicit_sort", "sort");
  if (member(values, "collapse") !== undefined) return leave("grouped", "collapse");
  if (limit === 0) return leave("size_zero", "size is 0");
  if (queryText === undefined) return leave("no_query_text", "No full-text clause, no q, no ext.ubi.user_query");
  return undefined;
}

/** Whether hits come in descending order of `_score` and of nothing else. */
function isByScore(params: readonly Param[], values: JsonObject | undefined): boolean {
  const param = paramOf(params, "sort");
  if (param !== undefined) return param === "_score" || param === "_score:desc";
  const sort = member(values, "sort");
  if (sort === undefined) return true;
  const keys: readonly unknown[] = Array.isArray(sort) ? sort : [sort];
  return keys.length <= 1 && keys.every(isScoreDescending);
}

function isScoreDescending(key: unknown): boolean {
  if (key === "_score") return true;
  const order = member(key, "_score");
  if (!isObject(key) || Object.keys(key).length !== 1 || order === undefined) return false;
  return order === "desc" || (isObject(order) && (member(order, "order") ?? "desc") === "desc");
}

function ubiOf(ubi: unknown): UbiFields {
  const text = (key: string) => {
    const value = member(ubi, key);
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  return {
    queryId: text("query_id"),
    clientId: text("client_id"),
    application: text("application"),
    objectIdField: text("object_id_field"),
  };
}

/** Members of the body's `ext`. */
function sectionsOf(body: Body | undefined): Member[] {
  const ext = body?.members.find((one) => one.key === "ext");
  return body === undefined || ext === undefined ? [] : members(body.text, ext.value);
}

/** Cuts `ext.armmt`; and all of `ext` where nothing else is in it. */
function cutOwnSection(body: Body): { readonly edit: Edit; readonly isWholeExt: boolean } | undefined {
  const place = body.members.findIndex((one) => one.key === "ext");
  const ext = body.members[place];
  if (ext === undefined) return undefined;
  const sections = members(body.text, ext.value);
  const own = sections.findIndex((one) => one.key === "armmt");
  if (own < 0) return undefined;
  const isWholeExt = sections.length === 1;
  return { edit: isWholeExt ? cutMember(body.members, place) : cutMember(sections, own), isWholeExt };
}

function identityOf(params: readonly Param[], body: Body | undefined, queryText: string | undefined): string {
  const decoder = new TextDecoder();
  const slice = (one: Member): string => (body === undefined ? "" : decoder.decode(body.text.bytes.subarray(one.span.start, one.span.end)));
  const kept = (body?.members ?? []).flatMap((one) => {
    if (PAGING.has(one.key)) return [];
    if (one.key !== "ext" || body === undefined) return [slice(one)];
    const sections = members(body.text, one.value);
    return sections.filter((section) => !EXT_WITHOUT_EFFECT.has(section.key)).map(slice);
  });
  const search = params.filter((param) => !PAGING.has(param.key)).map((param) => param.raw);
  return JSON.stringify([queryText ?? "", search, kept]);
}
