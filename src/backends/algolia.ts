/**
 * Algolia: `POST /1/indexes/<index>/query`, `GET /1/indexes/<index>`, and several searches at once by `queries` of the index `*`. Requests are
 * read in `algolia-request.ts`, replies here.
 *
 * Three things stand in an index's settings alone, where the edge cannot see them:
 * - How many hits a page has for which a request names no number. Such a page is re-ranked within itself, unless `pageSize` in the
 *   configuration says what the settings say.
 * - Which hits a rule promotes: only `getRankingInfo` makes the engine tell, so without it they are hits like others.
 * - Groups (`distinct` above 1): seen by their surplus of hits, and left as they are.
 */
import type { Bypass, Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { Dialect, DialectOptions, EngineError, Hit, Refusal, RequestPlan, RequestReply, SearchPlan } from "./dialect.ts";
import type { IndexDefinition, IndexOptions, PageSizeOption } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import { DEFAULT_ID_FIELD, givenNames, MULTI_PATH, planSearch, planSearches } from "./algolia-request.ts";
import type { HitItemReader } from "./hit-fields.ts";
import { hitItemReader } from "./hit-fields.ts";
import type { Edit } from "./json-edits.ts";
import { refill } from "./json-edits.ts";
import type { ReplyPart } from "./json-reply.ts";
import { annotateReply, numberAt, readHits, replyTo, scanReply, spanAt } from "./json-reply.ts";
import { leave, unknownIndex } from "./json-request.ts";
import type { JsonText, Span } from "./json-scan.ts";
import { kindOf, members, readNumber, readString } from "./json-spans.ts";

/** `paginationLimitedTo` of an index whose settings say nothing else. */
const DEFAULT_PAGINATION_LIMIT = 1000;

const NOT_FOUND = "not_found";

export const ALGOLIA = defineDialect({ names: ["algolia"], create: createAlgolia });

export interface AlgoliaOptions extends IndexOptions, PageSizeOption {}

/**
 * An index in Algolia. The application id goes into `headers`, the search key into `authorization`.
 *
 * @example
 * const headers = { "x-algolia-application-id": "APPID" };
 * const products = algolia({ url: "https://APPID-dsn.algolia.net", window: 100, headers, authorization: env.ALGOLIA_KEY });
 */
export function algolia(options: AlgoliaOptions): IndexDefinition<AlgoliaOptions> {
  return { ...options, dialect: ALGOLIA, backend: "algolia" };
}

export function createAlgolia(indexes: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexOf = (name: string): string | Refusal => (indexes.has(name) ? name : unknownIndex(name, indexes, NOT_FOUND));
  const optionsOf = (index: string): DialectOptions => indexes.get(index) ?? {};
  const readers = new Map([...indexes].map(([name, options]) => [name, hitItemReader(options, DEFAULT_ID_FIELD)]));
  return {
    name: "algolia",
    routes: [
      { path: "/1/indexes/:index/query", methods: ["POST"] },
      { path: "/1/indexes/:index", methods: ["GET"] },
      // The index is a star.
      { path: "/1/indexes/:index/queries", methods: ["POST"], label: "/1/indexes/*/queries" },
    ],
    probes: [],
    credentials: { header: "x-algolia-api-key", clientHeaders: ["x-algolia-api-key"], clientParams: ["x-algolia-api-key"] },
    // The application's id opens nothing: it goes to the engine wherever the client puts it, and the configuration's own header wins.
    clientHeaders: ["x-algolia-application-id", "x-algolia-usertoken", "x-algolia-agent"],
    plan(request, name = "") {
      const isMulti = request.method === "POST" && request.path.endsWith("/queries");
      if (isMulti && name === "*") return planSearches(request, indexOf, optionsOf);
      if (isMulti) {
        const message = `No route for ${request.path}: several searches go to ${MULTI_PATH}, each with its indexName`;
        return err({ status: 404, type: NOT_FOUND, message });
      }
      const index = indexOf(name);
      return typeof index === "string" ? ok(planSearch(index, request, optionsOf(index))) : err(index);
    },
    parseReply: (bytes, plan) => parseReply(bytes, plan, readers),
    annotate: annotateReply,
    describeError,
  };
}

function parseReply(bytes: Uint8Array, plan: RequestPlan, readers: ReadonlyMap<string, HitItemReader>): Result<RequestReply, Bypass> {
  const scanned = scanReply(bytes);
  if (!scanned.ok) return scanned;
  const text = scanned.value;
  let given: readonly ReadonlySet<string>[] | undefined;
  const partOf = (from: Span, i: number): Result<ReplyPart, Bypass> => {
    const search = plan.searches[i]!;
    const namesOf = (): ReadonlySet<string> => (given ??= givenNames(plan))[i] ?? new Set();
    return partAt(text, from, search, namesOf, readers.get(search.index)!);
  };
  return replyTo(text, plan, ["results"], partOf);
}

function partAt(
  text: JsonText,
  from: Span,
  search: SearchPlan,
  namesOf: () => ReadonlySet<string>,
  readItem: HitItemReader,
): Result<ReplyPart, Bypass> {
  const read = readHits(text, from, ["hits"], (_, slot) => hitOf(text, slot, readItem));
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const nbHits = numberAt(text, from, ["nbHits"]);
  const size = numberAt(text, from, ["hitsPerPage"]) ?? numberAt(text, from, ["length"]);
  if (nbHits === undefined || size === undefined) return bypass("reply_not_search", "The reply does not say nbHits and hitsPerPage");
  if (search.bypass === undefined) {
    if (hits.length > Math.min(size, nbHits)) return bypass("reply_not_search", "More hits than asked for: distinct is above 1");
    // A rule can set these too.
    if (!search.isCursored && size !== search.limit && size < search.offset + search.limit) {
      return bypass("reply_not_search", `The reply is a page of ${size} hits, not of those asked for`);
    }
  }
  const redirect = spanAt(text, ["renderingContent", "redirect"], from);
  return ok({
    hits,
    bypass:
      typeof redirect === "object" && kindOf(text, redirect) === "object" ? leave("redirected", "renderingContent.redirect") : undefined,
    edits(places) {
      const moved = refill(text, array, slots, places);
      // Of a page that has its own size, nothing was asked for but that page.
      return search.isCursored || size === search.limit
        ? moved
        : [...moved, ...ownPage(text, from, search, namesOf(), { nbHits, size, shown: hits.length })];
    },
  });
}

function hitOf(text: JsonText, slot: Span, readItem: HitItemReader): Hit | string {
  const item = readItem(text, slot);
  if (typeof item === "string") return item;
  const promoted = spanAt(text, ["_rankingInfo", "promoted"], slot);
  const isPinned = typeof promoted === "object" && text.bytes[promoted.start] === 0x74; // true
  return { ...item, score: undefined, isPinned };
}

/** What a wider reply says of itself. */
interface Wider {
  readonly nbHits: number;
  /** Hits asked for. */
  readonly size: number;
  /** Hits in it. */
  readonly shown: number;
}

/** The numbers that a reply repeats and the parameters that it was asked with, as for the page that was asked for. */
function ownPage(text: JsonText, from: Span, { offset, limit }: SearchPlan, given: ReadonlySet<string>, wider: Wider): Edit[] {
  const own: Readonly<Record<string, number>> = given.has("offset")
    ? { offset, length: limit }
    : { page: offset / limit, hitsPerPage: limit };
  return members(text, from).flatMap(({ key, value }): Edit[] => {
    if (key === "params") return ownParams(text, value, own, given);
    const said = readNumber(text, value);
    if (said === undefined) return [];
    const wanted = key === "nbPages" ? Math.ceil(reachable(said, wider) / limit) : Object.hasOwn(own, key) ? own[key] : undefined;
    return wanted === undefined || said === wanted ? [] : [{ ...value, text: String(wanted) }];
  });
}

/**
 * How many hits can be paged to: what `nbPages` counts. That is `nbHits`, up to the setting `paginationLimitedTo`, which no reply names; the
 * wider reply's own `nbPages` tells it up to one of its pages. Assumed: the default of 1000 where that fits, else no limit where that
 * fits, else the roundest number that fits, because people set such limits.
 */
function reachable(nbPages: number, { nbHits, size, shown }: Wider): number {
  // All of them are here.
  if (nbPages <= 1) return shown;
  const fits = (count: number): boolean => Math.ceil(count / size) === nbPages;
  const known = [Math.min(nbHits, DEFAULT_PAGINATION_LIMIT), nbHits].find(fits);
  if (known !== undefined) return known;
  const most = nbPages * size;
  const rounded = [5000, 1000, 500, 100, 50, 10].map((step) => Math.floor(most / step) * step);
  return rounded.find(fits) ?? most;
}

/** Parameters of the URL's kind, in one text. What the shopper did not send is not to be there. */
function ownParams(text: JsonText, at: Span, own: Readonly<Record<string, number>>, given: ReadonlySet<string>): Edit[] {
  const said = readString(text, at);
  if (said === undefined) return [];
  const wanted = said
    .split("&")
    .flatMap((raw) => {
      const [key = ""] = raw.split("=", 1);
      if (!Object.hasOwn(own, key)) return [raw];
      return given.has(key) ? [`${key}=${own[key]}`] : [];
    })
    .join("&");
  return wanted === said ? [] : [{ ...at, text: JSON.stringify(wanted) }];
}

function describeError(status: number, _type: string, message: string): EngineError {
  return { headers: { "content-type": "application/json" }, body: JSON.stringify({ message, status }) };
}
