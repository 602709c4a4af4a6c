/**
 * An Elasticsearch or OpenSearch `_search` request, from `ClientRequest` to `SearchPlan`: which page, which words, whether it may be
 * re-ranked, and the same request for the whole window.
 *
 * Parameters of the URL win over the body, as in the engine. Where a request is not understood it is left to the engine, whose own error
 * is the best answer.
 */
import type { BypassReason, Bypass } from "../result.ts";
import type { ClientRequest, EngineRequest, SearchPlan, UbiFields } from "./backend.ts";
import type { JsonObject } from "./elasticsearch-query.ts";
import { isObject, member, queryTextOf, textOf } from "./elasticsearch-query.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, cutMember } from "./json-edits.ts";
import type { JsonText } from "./json-scan.ts";
import { scanJson } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { members } from "./json-spans.ts";

/** The engine's own page when a request names none. */
const DEFAULT_LIMIT = 10;

/** Parameters that only the edge reads; the engine would refuse them as unknown. */
const EDGE_PARAMS = new Set(["armmt_explain", "armmt_variant"]);

const PAGING = new Set(["from", "size"]);

/** Sections of `ext` that do not change what is found: ours, and tracking that differs from page to page. */
const EXT_WITHOUT_EFFECT = new Set(["armmt", "ubi"]);

interface Param {
  readonly key: string;
  readonly value: string;
  /** As it stood in the URL. */
  readonly raw: string;
}

/** A body that could be read: its spans for editing, its values for deciding. */
interface Body {
  readonly text: JsonText;
  readonly members: readonly Member[];
  readonly values: JsonObject;
}

export function planSearch(index: string, request: ClientRequest): SearchPlan {
  const params = paramsOf(request.search).filter((param) => !EDGE_PARAMS.has(param.key));
  const body = bodyOf(request.body);
  if (typeof body === "string") return untouched(index, params, request, body);

  const values = body?.values;
  const offset = pagingOf("from", params, values, 0);
  const limit = pagingOf("size", params, values, DEFAULT_LIMIT);
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
    search: search.length === 0 ? "" : `?${search.join("&")}`,
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
        if (!has("size")) changes.push(setSize(body, size, cut?.isWholeExt ?? false));
      }
      return requestTo(search, changes);
    },
  };
}

/** A request that the edge does not understand: it goes to the engine as it came. */
function untouched(index: string, params: readonly Param[], request: ClientRequest, detail: string): SearchPlan {
  const hasBody = request.body.length > 0;
  return {
    queryText: undefined,
    offset: 0,
    limit: DEFAULT_LIMIT,
    bypass: { reason: "request_not_understood", detail },
    history: [],
    ubi: ubiOf(undefined),
    own: {
      method: hasBody ? "POST" : request.method,
      path: `/${encodeURIComponent(index)}/_search`,
      search: params.length === 0 ? "" : `?${params.map((param) => param.raw).join("&")}`,
      body: hasBody ? request.body : undefined,
    },
    identity: "",
    widen() {
      return this.own;
    },
  };
}

function paramsOf(search: string): Param[] {
  return search
    .replace(/^\?/, "")
    .split("&")
    .filter((raw) => raw !== "")
    .map((raw) => {
      const [[key, value] = ["", ""]] = new URLSearchParams(raw);
      return { key, value, raw };
    });
}

function paramOf(params: readonly Param[], key: string): string | undefined {
  return params.find((param) => param.key === key)?.value;
}

/** `undefined` when there is no body, a text saying what is wrong when it cannot be read. */
function bodyOf(bytes: Uint8Array): Body | string | undefined {
  if (bytes.length === 0) return undefined;
  const text = scanJson(bytes);
  if (!text.ok) return `The body is not JSON: ${text.error.message} at byte ${text.error.offset}`;
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return "The body is not UTF-8";
  }
  if (!isObject(values)) return "The body is not an object";
  const all = members(text.value, text.value.root);
  const ext = all.find((one) => one.key === "ext");
  const twice = repeatedKey(all) ?? repeatedKey(ext === undefined ? [] : members(text.value, ext.value));
  if (twice !== undefined) return `The key "${twice}" stands twice`;
  return { text: text.value, members: all, values };
}

function repeatedKey(siblings: readonly Member[]): string | undefined {
  return siblings.find((one, i) => siblings.findIndex((other) => other.key === one.key) < i)?.key;
}

/** A whole number from 0, else a text that names the value. */
function pagingOf(key: "from" | "size", params: readonly Param[], values: JsonObject | undefined, fallback: number): number | string {
  const given = params.filter((param) => param.key === key);
  if (given.length > 1) return `The parameter ${key} stands twice`;
  const [param] = given;
  if (param !== undefined) return /^\d{1,9}$/.test(param.value) ? Number(param.value) : `${key} is ${JSON.stringify(param.value)}`;
  const value = member(values, key);
  if (value === undefined) return fallback;
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : `${key} is ${JSON.stringify(value)}`;
}

function leave(reason: BypassReason, detail: string): Bypass {
  return { reason, detail };
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

function stringsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === "string" && one !== "") : [];
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

/** Puts `size` in the place of the one there is, else first into the body. */
function setSize(body: Body, size: number, isExtCut: boolean): Edit {
  const own = body.members.find((one) => one.key === "size");
  if (own !== undefined) return { ...own.value, text: String(size) };
  const others = body.members.length - (isExtCut ? 1 : 0);
  const at = body.text.root.start + 1;
  return { start: at, end: at, text: `"size":${size}${others > 0 ? "," : ""}` };
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
