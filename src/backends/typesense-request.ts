/**
 * Typesense requests, a single search and `multi_search`, from `ClientRequest` to `RequestPlan`: which page, which words, whether a search
 * may be re-ranked, and the same request for the whole window.
 *
 * The engine turns every parameter into text, and those of the URL win over the body's, name by name. `collection` of the URL even wins
 * over the one in the path: the URL must not name another one.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "./dialect.ts";
import type { Index, Indexes } from "./indexes.ts";
import { findIndex } from "./indexes.ts";
import type { Edit } from "./json/edits.ts";
import { applyEdits } from "./json/edits.ts";
import type { PartReader } from "./json/reply.ts";
import { parseSeveral } from "./json/reply.ts";
import type { Body, Param } from "./json/request.ts";
import {
  digitsOf,
  EDGE_PARAMS,
  identityOf,
  leave,
  leftToEngine,
  listedObjects,
  member,
  memberAt,
  plainPlan,
  planOne,
  replaceParams,
  searchOf,
  textOf,
  unreadable,
} from "./json/request.ts";
import type { Span } from "./json/scan.ts";
import { kindOf, rawText, readString } from "./json/spans.ts";

export const MULTI_PATH = "/multi_search";
export const API_KEY = "x-typesense-api-key";
/** A header or a parameter. */
export const USER_ID = "x-typesense-user-id";
export const DEFAULT_ID_FIELD = "document.id";

const DEFAULT_LIMIT = 10;
const NOT_FOUND = "not_found";

/** Parameters that name the page. `limit_hits` does not: it ends the list for every page. */
const PAGING: ReadonlySet<string> = new Set(["page", "per_page", "offset", "limit"]);

/** Parameters that do not change the list of hits from which pages are cut. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([...PAGING, USER_ID]);

/** `$brands(…)`: in a filter, at the beginning of an expression; elsewhere, anywhere. */
const JOINS: ReadonlyMap<string, RegExp> = new Map([
  ["filter_by", /(?:^|[(){}\]&|])\s*(?:!\s*)?\$([^($]*)\(/g],
  ...["sort_by", "facet_by", "group_by", "query_by", "include_fields", "exclude_fields"].map((key) => [key, /\$([^($]*)\(/g] as const),
]);

/** `sort_by` whose first key leaves the order to relevance. */
const BY_RELEVANCE = /^\s*(?:_text_match\s*(?:\([^)]*\)\s*)?:\s*desc|_vector_distance\s*(?:\([^)]*\)\s*)?:\s*asc)\s*(?:,|$)/i;

/** The parameters of one search. */
interface Asked {
  readonly url: readonly Param[];
  readonly body: Body | undefined;
  /** The parameters of both as texts, repeated ones too. */
  readonly given: readonly Pick<Param, "key" | "value">[];
  /** As the engine merges them. */
  readonly values: ReadonlyMap<string, string>;
  /** A member of the body that cannot be a text: the engine refuses the request. */
  readonly unusable: string | undefined;
}

/** Reads the reply to one search of an index. */
export type ReaderOf = (index: Index, page: Result<AskedPage, string>) => PartReader;

/** `GET /collections/<collection>/documents/search`. Errors: collections that the path or the configuration does not name. */
export function planSearch(name: string, request: ClientRequest, indexes: Indexes, readerOf: ReaderOf): Result<RequestPlan, Refusal> {
  const index = findIndex(indexes, name, NOT_FOUND);
  if (!index.ok) return index;
  const url = splitParams(request.search);
  const other = collectionsIn(url).find((collection) => collection !== name);
  if (other !== undefined) return unreadable(`collection is ${JSON.stringify(other)}, and the path says ${name}: take the parameter out`);
  const asked = askedOf(url, undefined);
  const stranger = strangerIn(asked, index.value, indexes);
  if (stranger !== undefined) return err(stranger);
  const own = requestOf("GET", `/collections/${encodeURIComponent(name)}/documents/search`, url);
  const page = pageOf(asked.values);
  const plan = readSearch(index.value, asked, page);
  return ok(planOne(plan, own, readerOf(index.value, page), (size) => ({ ...own, search: widenedUrl(url, size) })));
}

function requestOf(method: "GET" | "POST", path: string, url: readonly Param[], body?: Uint8Array): EngineRequest {
  return { method, path, search: searchOf(url.map(({ raw }) => raw)), body };
}

/** `POST /multi_search`. Errors: a request that cannot be sent on. */
export function planSearches(request: ClientRequest, indexes: Indexes, readerOf: ReaderOf): Result<RequestPlan, Refusal> {
  const url = splitParams(request.search);
  if (url.some(({ key }) => key === "preset")) return unreadable("preset takes the place of the body: send the searches themselves");
  const read = listedObjects(request.body, "searches");
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const isUnion = member(body.values, "union") === true;
  // A union has one page, which only the URL can name.
  const unionPage = pageOf(new Map(pagingOf(url)));
  const searches: { readonly index: Index; readonly plan: SearchPlan; readonly readPart: PartReader }[] = [];
  for (const [i, object] of objects.entries()) {
    const inBody = member(object.values, "collection");
    const [name, ...more] = new Set([...collectionsIn(url), ...(inBody === undefined ? [] : [inBody])]);
    if (typeof name !== "string" || more.length > 0) return unreadable(`searches[${i}]: name one collection, as text`);
    const index = findIndex(indexes, name, NOT_FOUND);
    if (!index.ok) return index;
    const asked = askedOf(url, object);
    const stranger = strangerIn(asked, index.value, indexes);
    if (stranger !== undefined) return err(stranger);
    const page = isUnion ? unionPage : pageOf(asked.values);
    searches.push({ index: index.value, plan: readSearch(index.value, asked, page), readPart: readerOf(index.value, page) });
  }
  const own = requestOf("POST", MULTI_PATH, url, request.body);
  const plans = searches.map(({ plan }) => plan);
  const readParts = searches.map(({ readPart }) => readPart);
  if (isUnion) {
    return ok(planOne(unionOf(body, plans), own, readParts[0]!, (size) => ({ ...own, search: widenedUrl(url, size) })));
  }
  return ok({
    searches: plans,
    isMulti: true,
    own,
    widen: (sizes) => widened(own, url, objects, sizes),
    parseReply: (bytes) => parseSeveral(bytes, "results", readParts),
  });
}

/** One list out of several: one search, where all of them ask one collection for the same words. */
function unionOf(body: Body, searches: readonly SearchPlan[]): SearchPlan {
  const first = searches[0]!;
  const isOne = searches.every(({ index, queryText }) => index === first.index && queryText === first.queryText);
  const left = searches.find(({ bypass }) => bypass !== undefined)?.bypass;
  const rest = body.members.filter(({ key }) => key !== "searches").map(({ span }) => rawText(body.text, span));
  return {
    ...first,
    bypass: isOne ? left : leave("federated", "One list out of several collections or of several texts"),
    identity: JSON.stringify([searches.map(({ identity }) => identity), rest]),
  };
}

/** As the engine splits: `&&` is part of a value, and names are not decoded. */
function splitParams(search: string): Param[] {
  return search
    .replace(/^\?/, "")
    .split(/(?<!&)&(?!&)/)
    .filter((raw) => raw !== "")
    .map((raw) => {
      const [key = "", ...rest] = raw.split("=");
      const [value = ""] = new URLSearchParams(`v=${rest.join("=").replaceAll("&", "%26")}`).values();
      return { key, value, raw };
    })
    .filter(({ key }) => !EDGE_PARAMS.has(key));
}

function collectionsIn(url: readonly Param[]): string[] {
  return url.filter(({ key }) => key === "collection").map(({ value }) => value);
}

/** A join reads another collection without a check of the key: with the edge's key, only configured ones. */
function strangerIn({ given }: Asked, { options }: Index, indexes: Indexes): Refusal | undefined {
  if (options.forwardCredentials === true) return undefined;
  const joined = given.flatMap(({ key, value }) => {
    const pattern = JOINS.get(key);
    return pattern === undefined ? [] : [...value.matchAll(pattern)].map(([, name = ""]) => name.trim());
  });
  const stranger = joined.find((name) => !indexes.has(name));
  if (stranger === undefined) return undefined;
  const message = `The request joins [${stranger}]: this edge serves ${[...indexes.keys()].join(", ")}; name it in INDEXES too`;
  return { status: 404, type: NOT_FOUND, message };
}

function askedOf(url: readonly Param[], body: Body | undefined): Asked {
  const texts = body?.members.map(({ key, value }) => ({ key, value: textAt(body, value) })) ?? [];
  const given = [...texts.flatMap(({ key, value }) => (value === undefined ? [] : [{ key, value }])), ...url];
  const values = new Map(given.map(({ key, value }) => [key, value]));
  return { url, body, given, values, unusable: texts.find(({ value }) => value === undefined)?.key };
}

function textAt(body: Body, value: Span): string | undefined {
  const kind = kindOf(body.text, value);
  return kind === "number" || kind === "boolean" ? rawText(body.text, value) : readString(body.text, value);
}

export interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** As in the request; 0 where it names none. */
  readonly page: number;
  /** The reply repeats the offset, not the page. */
  readonly isOffset: boolean;
}

/** Errors name the value that is not a number. */
function pageOf(values: ReadonlyMap<string, string>): Result<AskedPage, string> {
  for (const key of PAGING) {
    const read = digitsOf(key, values.get(key) ?? "0");
    if (!read.ok) return read;
  }
  // A search for values of a facet has no hits, unless `per_page` asks for them.
  const fallback = (values.get("facet_query") ?? "") === "" ? (values.get("limit") ?? DEFAULT_LIMIT) : 0;
  const limit = Number(values.get("per_page") ?? fallback);
  const page = Number(values.get("page") ?? 0);
  const offset = Number(values.get("offset") ?? 0);
  const isOffset = page === 0 && offset !== 0;
  return ok({ offset: isOffset ? offset : (Math.max(page, 1) - 1) * limit, limit, page, isOffset });
}

function pagingOf(url: readonly Param[]): (readonly [string, string])[] {
  return url.filter(({ key }) => PAGING.has(key)).map(({ key, value }) => [key, value] as const);
}

function readSearch(index: Index, asked: Asked, page: Result<AskedPage, string>): SearchPlan {
  if (!page.ok) return leftToEngine(index.name, page.error);
  const { offset, limit } = page.value;
  const typed = textOf(asked.values.get("q"));
  const queryText = typed === "*" ? undefined : typed;
  return plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(asked, limit, queryText, index.idField),
    identity: identityOf(asked.url, asked.body, (key) => WITHOUT_EFFECT.has(key)),
  });
}

function reasonToLeave(
  { values, body, unusable }: Asked,
  limit: number,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  if (unusable !== undefined) return leave("request_not_understood", `No text can be made of ${unusable}`);
  // A scoped key can set any parameter without the request showing it.
  if (member(body?.values, API_KEY) !== undefined) return leave("request_not_understood", `A search with its own ${API_KEY}`);
  for (const key of ["preset", "voice_query"]) if (values.has(key)) return leave("request_not_understood", `${key} hides what is asked`);
  for (const key of ["conversation", "nl_query"]) if (values.get(key) === "true") return leave("request_not_understood", key);
  const sort = textOf(values.get("sort_by"));
  if (sort !== undefined && !BY_RELEVANCE.test(sort)) return leave("explicit_sort", "sort_by");
  if (textOf(values.get("group_by")) !== undefined) return leave("grouped", "group_by");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "q is empty or stands for everything");
  if (isLeftOut(values, idField)) return leave("request_not_understood", `The fields leave out ${idField}, by which items are known`);
  return undefined;
}

/** Whether the hits are sure to come without the field. Patterns and joins may bring it. */
function isLeftOut(values: ReadonlyMap<string, string>, idField: string): boolean {
  if (!idField.startsWith("document.")) return false;
  const name = idField.slice("document.".length);
  const namesIn = (key: string): readonly string[] => {
    const list = values.get(key) ?? "";
    return list.includes("$") ? [] : list.split(",").flatMap((field) => textOf(field) ?? []);
  };
  const holds = (field: string): boolean => field === name || name.startsWith(`${field}.`);
  const included = namesIn("include_fields");
  return namesIn("exclude_fields").some(holds) || (included.length > 0 && !included.some((field) => holds(field) || field.includes("*")));
}

/** The paging for hits [0, size), by all names that are given, so that no two disagree. */
function widePage(given: readonly { readonly key: string }[], size: number): Map<string, number> {
  const names = given.map(({ key }) => key).filter((key) => PAGING.has(key));
  const isSized = names.some((key) => key === "per_page" || key === "limit");
  const wide = (key: string): number => (key === "page" ? 1 : key === "offset" ? 0 : size);
  return new Map([...names, ...(isSized ? [] : ["per_page"])].map((key) => [key, wide(key)]));
}

function widenedUrl(url: readonly Param[], size: number): string {
  const wide = widePage(url, size);
  const added = [...wide].filter(([name]) => url.every(({ key }) => key !== name));
  return searchOf([...replaceParams(url, wide), ...added.map(([key, value]) => `${key}=${value}`)]);
}

/** Paging in the URL goes for all searches: it moves into each search of the body. */
function widened(
  own: EngineRequest,
  url: readonly Param[],
  bodies: readonly Body[],
  sizes: readonly (number | undefined)[],
): EngineRequest {
  const common = new Map(pagingOf(url));
  const edits = bodies.flatMap((body, i) => {
    const size = sizes[i];
    return setMembers(body, size === undefined ? common : widePage(body.members, size));
  });
  const search = searchOf(url.filter(({ key }) => !PAGING.has(key)).map(({ raw }) => raw));
  return { ...own, search, body: applyEdits(own.body ?? new Uint8Array(), edits) };
}

/** Replaces the values of members, and adds missing ones as the first. */
function setMembers(body: Body, values: ReadonlyMap<string, string | number>): Edit[] {
  const edits: Edit[] = [];
  const added: string[] = [];
  for (const [key, value] of values) {
    const own = memberAt(body, key);
    if (own === undefined) added.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    else edits.push({ ...own.value, text: JSON.stringify(value) });
  }
  if (added.length === 0) return edits;
  const at = body.span.start + 1;
  return [{ start: at, end: at, text: `${added.join(",")}${body.members.length === 0 ? "" : ","}` }, ...edits];
}
