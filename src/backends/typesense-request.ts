/**
 * Typesense requests, a single search and `multi_search`, from `ClientRequest` to `RequestPlan`: which page, which words, whether a search
 * may be re-ranked, and the same request for the whole window.
 *
 * The engine makes text of every parameter, and those of the URL win over the body's, name by name. That goes for `collection` too, even
 * over the one in the path: the URL must not name another one.
 */
import type { Bypass, Result } from "../result.ts";
import { err, ok } from "../result.ts";
import type { DialectOptions, ClientRequest, EngineRequest, Refusal, RequestPlan, SearchPlan } from "./dialect.ts";
import type { Edit } from "./json-edits.ts";
import { applyEdits } from "./json-edits.ts";
import type { Body, Param } from "./json-request.ts";
import {
  bodyOf,
  EDGE_PARAMS,
  leave,
  leftToEngine,
  NO_UBI,
  objectsOf,
  planOne,
  searchOf,
  unknownIndex,
  unreadable,
} from "./json-request.ts";
import type { Span } from "./json-scan.ts";
import { kindOf, readString } from "./json-spans.ts";
import { member, textOf } from "./json-values.ts";

export const MULTI_PATH = "/multi_search";
export const API_KEY = "x-typesense-api-key";
/** A header or a parameter. */
export const USER_ID = "x-typesense-user-id";
export const DEFAULT_ID_FIELD = "document.id";

const DEFAULT_LIMIT = 10;
const NOT_FOUND = "not_found";

/** Every name that says which page. `limit_hits` does not: it ends the list, wherever a page ends. */
const PAGING: ReadonlySet<string> = new Set(["page", "per_page", "offset", "limit"]);

/** What changes nothing in the list of hits that pages are cut from. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([...PAGING, USER_ID]);

/** `$brands(…)`: in a filter, where an expression begins; elsewhere, wherever it stands. */
const JOINS: ReadonlyMap<string, RegExp> = new Map([
  ["filter_by", /(?:^|[(){}\]&|])\s*(?:!\s*)?\$([^($]*)\(/g],
  ...["sort_by", "facet_by", "group_by", "query_by", "include_fields", "exclude_fields"].map((key) => [key, /\$([^($]*)\(/g] as const),
]);

/** `sort_by` whose first key leaves the order to relevance. */
const BY_RELEVANCE = /^\s*(?:_text_match\s*(?:\([^)]*\)\s*)?:\s*desc|_vector_distance\s*(?:\([^)]*\)\s*)?:\s*asc)\s*(?:,|$)/i;

/** One search as it stands in a request. */
interface Asked {
  readonly url: readonly Param[];
  readonly body: Body | undefined;
  /** The parameters of both as texts, where they stand twice too. */
  readonly given: readonly Pick<Param, "key" | "value">[];
  /** What the engine makes of them. */
  readonly values: ReadonlyMap<string, string>;
  /** A member of the body that no text can be made of: the engine refuses the request. */
  readonly unusable: string | undefined;
}

/** `GET /collections/<collection>/documents/search`. Errors: collections that the path or the configuration does not name. */
export function planSearch(
  name: string,
  request: ClientRequest,
  indexes: ReadonlyMap<string, DialectOptions>,
): Result<RequestPlan, Refusal> {
  const options = indexes.get(name);
  if (options === undefined) return err(unknownIndex(name, indexes, NOT_FOUND));
  const url = splitParams(request.search);
  const other = collectionsIn(url).find((one) => one !== name);
  if (other !== undefined)
    return err(unreadable(`collection is ${JSON.stringify(other)}, and the path says ${name}: take the parameter out`));
  const asked = askedOf(url, undefined);
  const stranger = strangerIn(asked, options, indexes);
  if (stranger !== undefined) return err(stranger);
  const path = `/collections/${encodeURIComponent(name)}/documents/search`;
  const own: EngineRequest = { method: "GET", path, search: searchOf(url.map(({ raw }) => raw)), body: undefined };
  const search = readSearch(name, asked, pageOf(asked.values), options);
  return ok(planOne(search, own, (size) => ({ ...own, search: widenedUrl(url, size) })));
}

/** `POST /multi_search`. Errors say what makes the request none that could be sent on. */
export function planSearches(request: ClientRequest, indexes: ReadonlyMap<string, DialectOptions>): Result<RequestPlan, Refusal> {
  const url = splitParams(request.search);
  if (url.some(({ key }) => key === "preset")) return err(unreadable("preset takes the place of the body: send the searches themselves"));
  const body = bodyOf(request.body);
  if (typeof body !== "object") return err(unreadable(body ?? 'The body is empty: send {"searches":[…]}'));
  const bodies = objectsOf(body, "searches");
  if (typeof bodies === "string") return err(unreadable(bodies));
  const own: EngineRequest = { method: "POST", path: MULTI_PATH, search: searchOf(url.map(({ raw }) => raw)), body: request.body };
  const pages = pagesOf(own);
  const searches: SearchPlan[] = [];
  for (const [place, one] of bodies.entries()) {
    const inBody = member(one.values, "collection");
    const [name, ...more] = new Set([...collectionsIn(url), ...(inBody === undefined ? [] : [inBody])]);
    if (typeof name !== "string" || more.length > 0) return err(unreadable(`searches[${place}]: name one collection, as text`));
    const options = indexes.get(name);
    if (options === undefined) return err(unknownIndex(name, indexes, NOT_FOUND));
    const asked = askedOf(url, one);
    const stranger = strangerIn(asked, options, indexes);
    if (stranger !== undefined) return err(stranger);
    searches.push(readSearch(name, asked, pages[place] ?? pages[0]!, options));
  }
  if (isUnion(body)) return ok(planUnion(url, body, searches, own));
  return ok({ searches, isMulti: true, own, widen: (sizes) => widened(own, url, bodies, sizes) });
}

/** One list out of several: a search of its own where all of them ask one collection for the same words. */
function planUnion(url: readonly Param[], body: Body, searches: readonly SearchPlan[], own: EngineRequest): RequestPlan {
  const first = searches[0]!;
  const isOne = searches.every(({ index, queryText }) => index === first.index && queryText === first.queryText);
  const left = searches.find((one) => one.bypass !== undefined)?.bypass;
  const rest = body.members.filter(({ key }) => key !== "searches").map(({ span }) => rawOf(body, span));
  const search: SearchPlan = {
    ...first,
    bypass: isOne ? left : leave("federated", "One list out of several collections or of several texts"),
    identity: JSON.stringify([searches.map(({ identity }) => identity), rest]),
  };
  return planOne(search, own, (size) => ({ ...own, search: widenedUrl(url, size) }));
}

function isUnion(body: Body): boolean {
  return member(body.values, "union") === true;
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

/** A join reads another collection without asking whether the key may: with the edge's key, only those of the configuration. */
function strangerIn({ given }: Asked, options: DialectOptions, indexes: ReadonlyMap<string, unknown>): Refusal | undefined {
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
  return kind === "number" || kind === "boolean" ? rawOf(body, value) : readString(body.text, value);
}

export interface AskedPage {
  readonly offset: number;
  readonly limit: number;
  /** As the request says; 0 where it names none. */
  readonly page: number;
  /** The reply repeats the offset, not the page. */
  readonly isOffset: boolean;
}

/** A text that names the value where a number is none. */
function pageOf(values: ReadonlyMap<string, string>): AskedPage | string {
  const wrong = [...PAGING].find((key) => !/^\d{1,9}$/.test(values.get(key) ?? "0"));
  if (wrong !== undefined) return `${wrong} is ${JSON.stringify(values.get(wrong))}`;
  // Who looks for values of a facet wants no hits, unless `per_page` says so.
  const fallback = (values.get("facet_query") ?? "") === "" ? (values.get("limit") ?? DEFAULT_LIMIT) : 0;
  const limit = Number(values.get("per_page") ?? fallback);
  const page = Number(values.get("page") ?? 0);
  const offset = Number(values.get("offset") ?? 0);
  const isOffset = page === 0 && offset !== 0;
  return { offset: isOffset ? offset : (Math.max(page, 1) - 1) * limit, limit, page, isOffset };
}

/** The page of each search in a request, or what is wrong with it; a union has one page, which only the URL can name. */
export function pagesOf({ search, body: bytes }: EngineRequest): readonly (AskedPage | string)[] {
  const url = splitParams(search);
  const body = bytes === undefined ? undefined : bodyOf(bytes);
  if (typeof body !== "object") return [pageOf(askedOf(url, undefined).values)];
  if (isUnion(body)) return [pageOf(new Map(pagingOf(url)))];
  const searches = objectsOf(body, "searches");
  return typeof searches === "string" ? [] : searches.map((one) => pageOf(askedOf(url, one).values));
}

function pagingOf(url: readonly Param[]): (readonly [string, string])[] {
  return url.filter(({ key }) => PAGING.has(key)).map(({ key, value }) => [key, value] as const);
}

function readSearch(index: string, asked: Asked, page: AskedPage | string, { idField = DEFAULT_ID_FIELD }: DialectOptions): SearchPlan {
  if (typeof page === "string") return leftToEngine(index, page);
  const typed = textOf(asked.values.get("q"));
  const queryText = typed === "*" ? undefined : typed;
  return {
    index,
    queryText,
    offset: page.offset,
    limit: page.limit,
    isCursored: false,
    bypass: reasonToLeave(asked, page.limit, queryText, idField),
    history: [],
    ubi: NO_UBI,
    identity: identityOf(asked),
  };
}

function reasonToLeave(
  { values, body, unusable }: Asked,
  limit: number,
  queryText: string | undefined,
  idField: string,
): Bypass | undefined {
  if (unusable !== undefined) return leave("request_not_understood", `No text can be made of ${unusable}`);
  // It decides what this shopper may see, and can set any parameter without the request showing it.
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

/** Whether the hits are sure to come without the field; what patterns and joins bring, only the engine knows. */
function isLeftOut(values: ReadonlyMap<string, string>, idField: string): boolean {
  if (!idField.startsWith("document.")) return false;
  const name = idField.slice("document.".length);
  const namesIn = (key: string): readonly string[] => {
    const list = values.get(key) ?? "";
    return list.includes("$") ? [] : list.split(",").flatMap((one) => textOf(one) ?? []);
  };
  const isOf = (one: string): boolean => one === name || name.startsWith(`${one}.`);
  const included = namesIn("include_fields");
  return namesIn("exclude_fields").some(isOf) || (included.length > 0 && !included.some((one) => isOf(one) || one.includes("*")));
}

function identityOf({ url, body }: Asked): string {
  const kept = body?.members.filter(({ key }) => !WITHOUT_EFFECT.has(key)).map(({ span }) => rawOf(body, span)) ?? [];
  return JSON.stringify([url.filter(({ key }) => !WITHOUT_EFFECT.has(key)).map(({ raw }) => raw), kept]);
}

function rawOf({ text }: Body, { start, end }: Span): string {
  return new TextDecoder().decode(text.bytes.subarray(start, end));
}

/** What says hits [0, size) in the place of names that say something else: all of them, so that no two disagree. */
function widePage(given: readonly { readonly key: string }[], size: number): Map<string, number> {
  const names = given.map(({ key }) => key).filter((key) => PAGING.has(key));
  const isSized = names.some((key) => key === "per_page" || key === "limit");
  const wide = (key: string): number => (key === "page" ? 1 : key === "offset" ? 0 : size);
  return new Map([...names, ...(isSized ? [] : ["per_page"])].map((key) => [key, wide(key)]));
}

function widenedUrl(url: readonly Param[], size: number): string {
  const wide = widePage(url, size);
  const added = [...wide].filter(([name]) => url.every(({ key }) => key !== name));
  return searchOf([
    ...url.map(({ key, raw }) => (wide.has(key) ? `${key}=${wide.get(key)}` : raw)),
    ...added.map(([key, value]) => `${key}=${value}`),
  ]);
}

/** The URL pages all searches at once: where it does, each search is told its own page instead. */
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

/** Each in the place of the member that is there, else first into the object. */
function setMembers(body: Body, values: ReadonlyMap<string, string | number>): Edit[] {
  const edits: Edit[] = [];
  const added: string[] = [];
  for (const [key, value] of values) {
    const own = body.members.find((one) => one.key === key);
    if (own === undefined) added.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
    else edits.push({ ...own.value, text: JSON.stringify(value) });
  }
  if (added.length === 0) return edits;
  const at = body.span.start + 1;
  return [{ start: at, end: at, text: `${added.join(",")}${body.members.length === 0 ? "" : ","}` }, ...edits];
}
