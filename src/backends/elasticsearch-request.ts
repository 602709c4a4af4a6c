/**
 * Elasticsearch and OpenSearch requests, `_search` and `_msearch`, from `ClientRequest` to `RequestPlan`: which page, which words, whether
 * a search may be re-ranked, and the same request for the whole window.
 *
 * Parameters of the URL win over the body, as in the engine. Where a request is not understood it is left to the engine, whose own error
 * is the best answer.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan, UbiFields } from "./dialect.ts";
import { queryTextOf } from "./elasticsearch-query.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits, cutMember } from "./json-edits.ts";
import type { Body, Param } from "./json-request.ts";
import {
  bodyOf,
  leave,
  leftToEngine,
  paramOf,
  paramsOf,
  planOne,
  repeatedKey,
  searchOf,
  setMember,
  unreadable,
  wholeNumberOf,
} from "./json-request.ts";
import type { Span } from "./json-scan.ts";
import type { Member } from "./json-spans.ts";
import { members } from "./json-spans.ts";
import type { JsonObject } from "./json-values.ts";
import { isObject, member, stringsOf, textOf } from "./json-values.ts";

/** The engine's own page when a request names none. */
const DEFAULT_LIMIT = 10;

const NEW_LINE = 0x0a;

const PAGING = new Set(["from", "size"]);

/** Sections of `ext` that do not change what is found: ours, and tracking that differs from page to page. */
const EXT_WITHOUT_EFFECT = new Set(["armmt", "ubi"]);

/** One search as it stands in a request. */
interface AskedSearch {
  readonly plan: SearchPlan;
  /** Its parameters and its body, asking for hits [0, size), or for the shopper's own page. */
  write(size: number | undefined): { readonly params: readonly string[]; readonly body: Uint8Array | undefined };
}

/** `POST|GET /<index>/_search` */
export function planSearch(index: string, request: ClientRequest): RequestPlan {
  const params = paramsOf(request.search);
  const asked = readSearch(index, params, request.body);
  const write = (size: number | undefined): EngineRequest => {
    const written = asked.write(size);
    return {
      // fetch cannot send a body with GET.
      method: written.body === undefined ? request.method : "POST",
      path: `/${encodeURIComponent(index)}/_search`,
      search: searchOf(written.params),
      body: written.body,
    };
  };
  return planOne(asked.plan, write(undefined), write);
}

/**
 * `POST|GET /_msearch` and `/<index>/_msearch`: lines of JSON, a header (which may be empty) before each body. Errors say what makes the
 * request none that could be sent on.
 */
export function planSearches(
  path: string,
  request: ClientRequest,
  pathIndex: string | undefined,
  indexOf: (name: string) => string | Refusal,
): Result<RequestPlan, Refusal> {
  const params = paramsOf(request.search);
  if (paramOf(params, "source") !== undefined) return err(unreadable("The searches stand in the parameter source: send them as the body"));
  const lines = linesOf(request.body);
  if (lines.length === 0 || lines.length % 2 === 1) {
    return err(unreadable(`The body has ${lines.length} lines: send a header line and a body line for each search`));
  }
  const searches: { readonly line: Span; readonly asked: AskedSearch }[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const line = lines[i + 1]!;
    const header = bodyOf(request.body.slice(lines[i]!.start, lines[i]!.end));
    if (typeof header === "string") return err(unreadable(`Line ${i + 1}: ${header}`));
    const named = member(header?.values, "index") ?? pathIndex;
    const [only, ...more] = Array.isArray(named) ? named : [named];
    if (typeof only !== "string" || more.length > 0) return err(unreadable(`Line ${i + 1}: name one index, as text`));
    const index = indexOf(only);
    if (typeof index !== "string") return err(index);
    // Which page is in the body alone; of the parameters, only the format of the reply concerns a search.
    const shared = params.filter(({ key }) => key === "format");
    searches.push({ line, asked: readSearch(index, shared, request.body.slice(line.start, line.end)) });
  }
  const write = (sizes: readonly (number | undefined)[]): EngineRequest => {
    const edits = searches.map(({ line, asked }, i) => ({ ...line, text: asked.write(sizes[i]).body ?? "{}" }));
    const search = searchOf(params.map(({ raw }) => raw));
    return { method: "POST", path, search, body: applyEdits(request.body, edits) };
  };
  return ok({ searches: searches.map(({ asked }) => asked.plan), isMulti: true, own: write([]), widen: write });
}

/** Lines without their ends. The one after the last line end is none. */
function linesOf(bytes: Uint8Array): Span[] {
  const lines: Span[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(NEW_LINE, start);
    const end = found < 0 ? bytes.length : found;
    lines.push({ start, end });
    start = end + 1;
  }
  return lines;
}

function readSearch(index: string, params: readonly Param[], bytes: Uint8Array): AskedSearch {
  const rawParams = params.map((param) => param.raw);
  const left = (detail: string): AskedSearch => ({
    plan: leftToEngine(index, detail),
    write: () => ({ params: rawParams, body: bytes.length === 0 ? undefined : bytes }),
  });
  const body = bodyOf(bytes);
  if (typeof body === "string") return left(body);
  const twice = repeatedKey(sectionsOf(body));
  if (twice !== undefined) return left(`The key "${twice}" stands twice in ext`);

  const values = body?.values;
  const offset = wholeNumberOf("from", params, values, 0);
  const limit = wholeNumberOf("size", params, values, DEFAULT_LIMIT);
  if (typeof offset === "string") return left(offset);
  if (typeof limit === "string") return left(limit);

  const ext = member(values, "ext");
  const queryText =
    textOf(member(member(ext, "ubi"), "user_query")) ??
    textOf(member(member(ext, "armmt"), "query")) ??
    textOf(paramOf(params, "q")) ??
    queryTextOf(member(values, "query"));
  const cut = body === undefined ? undefined : cutOwnSection(body);
  const edits = cut === undefined ? [] : [cut.edit];

  return {
    plan: {
      index,
      queryText,
      offset,
      limit,
      isCursored: false,
      bypass: reasonToLeave(params, values, limit, queryText),
      history: stringsOf(member(member(ext, "armmt"), "history")),
      ubi: ubiOf(member(ext, "ubi")),
      identity: identityOf(params, body, queryText),
    },
    write(size) {
      if (size === undefined) return { params: rawParams, body: body && applyEdits(body.text.bytes, edits) };
      const search = params.map((param) => (param.key === "from" ? "from=0" : param.key === "size" ? `size=${size}` : param.raw));
      const has = (key: string) => params.some((param) => param.key === key);
      const changes = [...edits];
      if (body === undefined) {
        if (!has("size")) search.push(`size=${size}`);
        return { params: search, body: undefined };
      }
      const from = body.members.find((one) => one.key === "from");
      if (from !== undefined && !has("from")) changes.push({ ...from.value, text: "0" });
      if (!has("size")) changes.push(setMember(body, "size", size, body.members.length === (cut?.isWholeExt === true ? 1 : 0)));
      return { params: search, body: applyEdits(body.text.bytes, changes) };
    },
  };
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
