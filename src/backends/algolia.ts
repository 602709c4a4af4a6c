/**
 * Algolia: `POST /1/indexes/<index>/query`, `GET /1/indexes/<index>`, and several searches at once by `queries` of the index `*`. Requests are
 * read in `algolia-request.ts`, replies here.
 *
 * Three settings of an index are hidden from the edge:
 * - The size of a page for which a request names no number. Such a page is re-ranked within itself, unless `pageSize` in the configuration
 *   repeats the setting.
 * - Hits that a rule promotes: they are marked only with `getRankingInfo`, and are like other hits without it.
 * - Groups (`distinct` above 1): noticed by their surplus of hits, and left as they are.
 */
import type { Result } from "../result.ts";
import { bypass, err, ok } from "../result.ts";
import type { ReaderOf } from "./algolia-request.ts";
import { DEFAULT_ID_FIELD, MULTI_PATH, planSearch, planSearches } from "./algolia-request.ts";
import type { Dialect, DialectOptions, Refusal, SearchPlan } from "./dialect.ts";
import { jsonError } from "./dialect.ts";
import type { IndexDefinition, IndexOptions, PageSizeOption } from "./dialects.ts";
import { defineDialect } from "./dialects.ts";
import type { Index } from "./indexes.ts";
import { findIndex, readIndexes } from "./indexes.ts";
import type { Edit } from "./json/edits.ts";
import { partOf, readHits } from "./json/reply.ts";
import { leave } from "./json/request.ts";
import type { JsonText, Span } from "./json/scan.ts";
import { isTrueAt, kindOf, members, numberAt, readNumber, readString, spanAt } from "./json/spans.ts";

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

function createAlgolia(options: ReadonlyMap<string, DialectOptions>): Dialect {
  const indexes = readIndexes(options, DEFAULT_ID_FIELD, (text, slot, itemId, values) =>
    ok({ itemId, score: undefined, isPinned: isTrueAt(text, ["_rankingInfo", "promoted"], slot), values }),
  );
  const indexOf = (name: string): Result<Index, Refusal> => findIndex(indexes, name, NOT_FOUND);
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
    // The application's id is not a secret: it goes to the engine wherever the client puts it, and the configuration's own header wins.
    clientHeaders: ["x-algolia-application-id", "x-algolia-usertoken", "x-algolia-agent"],
    plan(request, name = "") {
      const isMulti = request.method === "POST" && request.path.endsWith("/queries");
      if (isMulti && name === "*") return planSearches(request, indexOf, readerOf);
      if (isMulti) {
        const message = `No route for ${request.path}: several searches go to ${MULTI_PATH}, each with its indexName`;
        return err({ status: 404, type: NOT_FOUND, message });
      }
      const index = indexOf(name);
      return index.ok ? ok(planSearch(index.value, request, readerOf)) : index;
    },
    describeError: (status, _, message) => jsonError({ message, status }),
  };
}

const readerOf: ReaderOf = (index, search, given) => (text, from) => {
  const read = readHits(text, ["hits"], from, index.readHit);
  if (!read.ok) return read;
  const shown = read.value.hits.length;
  const nbHits = numberAt(text, ["nbHits"], from);
  const size = numberAt(text, ["hitsPerPage"], from) ?? numberAt(text, ["length"], from);
  if (nbHits === undefined || size === undefined) return bypass("reply_not_search", "The reply has no nbHits or no hitsPerPage");
  if (search.bypass === undefined) {
    if (shown > Math.min(size, nbHits)) return bypass("reply_not_search", "More hits than asked for: distinct is above 1");
    // A rule can set these too.
    if (!search.isCursored && size !== search.limit && size < search.offset + search.limit) {
      return bypass("reply_not_search", `The reply is a page of ${size} hits, not of those asked for`);
    }
  }
  const redirect = spanAt(text, ["renderingContent", "redirect"], from);
  const isRedirect = redirect !== undefined && kindOf(text, redirect) === "object";
  // A page of its own size is the page that was asked for.
  const isOwn = search.isCursored || size === search.limit;
  return partOf(text, read.value, {
    bypass: isRedirect ? leave("redirected", "renderingContent.redirect") : undefined,
    edits: () => (isOwn ? [] : ownPage(text, from, search, given, { nbHits, size, shown })),
  });
};

/** The numbers of a wider reply. */
interface Wider {
  readonly nbHits: number;
  /** Hits asked for. */
  readonly size: number;
  /** Hits in it. */
  readonly shown: number;
}

/** The numbers and parameters that a reply repeats, as for the page that was asked for. */
function ownPage(text: JsonText, from: Span, { offset, limit }: SearchPlan, given: ReadonlySet<string>, wider: Wider): Edit[] {
  const own: Readonly<Record<string, number>> = given.has("offset")
    ? { offset, length: limit }
    : { page: offset / limit, hitsPerPage: limit };
  return members(text, from).flatMap(({ key, value }): Edit[] => {
    if (key === "params") return ownParams(text, value, own, given);
    const repeated = readNumber(text, value);
    if (repeated === undefined) return [];
    const wanted = key === "nbPages" ? Math.ceil(reachable(repeated, wider) / limit) : Object.hasOwn(own, key) ? own[key] : undefined;
    return wanted === undefined || repeated === wanted ? [] : [{ ...value, text: String(wanted) }];
  });
}

/**
 * The number of hits that `nbPages` counts: `nbHits`, up to the setting `paginationLimitedTo`, which no reply names. The wider reply's own
 * `nbPages` bounds it to one of its pages. Assumed: the default of 1000 where that fits, else no limit where that fits, else the roundest
 * number that fits, because people set such limits.
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

/** Parameters as in a URL, in one text. Those that the shopper did not send are left out. */
function ownParams(text: JsonText, at: Span, own: Readonly<Record<string, number>>, given: ReadonlySet<string>): Edit[] {
  const written = readString(text, at);
  if (written === undefined) return [];
  const wanted = written
    .split("&")
    .flatMap((raw) => {
      const [key = ""] = raw.split("=", 1);
      if (!Object.hasOwn(own, key)) return [raw];
      return given.has(key) ? [`${key}=${own[key]}`] : [];
    })
    .join("&");
  return wanted === written ? [] : [{ ...at, text: JSON.stringify(wanted) }];
}
