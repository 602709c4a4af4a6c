/**
 * Meilisearch: `POST|GET /indexes/<index>/search` and `POST /multi-search`, federated or not.
 *
 * A page is named in two ways: `offset` and `limit`, or `page` and `hitsPerPage`, which win where one of them is given. The reply repeats
 * the page, so a page that is cut from a wider reply gets its own numbers. Scores and their details are asked for with each window, and cut from
 * its reply where the shopper has not asked for them (meilisearch/marks.ts).
 */
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { notPassedOn } from "./allowed.ts";
import { sideCalls } from "./calls.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, jsonError, type Refusal, type RequestPlan } from "./dialect.ts";
import { defineDialect, findIndex, type Index, type IndexDefinition, type Indexes, type IndexOptions, readIndexes } from "./dialects.ts";
import { readFilterList } from "./filters.ts";
import { applyEdits, type Edit, replaceMembers, replaceNumbers, searchOf, setMember } from "./json/edits.ts";
import { type HitList, incompleteBy, partOf, type PartReader, readHits } from "./json/reply.ts";
import {
  besides,
  forAll,
  identityOf,
  leave,
  leftToEngine,
  ownRequest,
  plainPlan,
  planListed,
  planNone,
  type PlannedSearch,
  planOne,
} from "./json/plan.ts";
import {
  type Asked,
  type Body,
  bodyOf,
  memberAt,
  namedObjects,
  pageNumbersOf,
  paramOf,
  paramsOf,
  repeatedKey,
  valueOf,
} from "./json/request.ts";
import { type JsonText, members, numberAt, rawText, type Span, spanAt, textAt } from "./json/spans.ts";
import { isObject, member, stringsOf, textOf, withoutNulls } from "./json/values.ts";
import { hasDetails, isPinned, isSemantic, MARKS, readOrder } from "./meilisearch/marks.ts";
import { type Checks, createChecks, meilisearchCalls } from "./meilisearch/params.ts";
import { wordsOf } from "./words.ts";

/** Parameters that name the page. */
const PAGING: ReadonlySet<string> = new Set(["offset", "limit", "page", "hitsPerPage"]);
const NO_PART_OF_IDENTITY: ReadonlySet<string> = new Set([...PAGING, ...MARKS.keys()]);
const MULTI_PATH = "/multi-search";
const NOT_FOUND = "index_not_found";
const USER_ID = "x-ms-user-id";

/** Members of a body that may be null, which is as good as nothing. Null is an error in any other. */
const OPTIONAL: ReadonlySet<string> = new Set(
  `q page hitsPerPage attributesToRetrieve attributesToCrop attributesToHighlight filter sort distinct facets attributesToSearchOn
  rankingScoreThreshold locales hybrid vector media personalize useNetwork federationOptions federation mergeFacets`.split(/\s+/),
);

/** Up to here the engine may do without the words' meaning, if as many hits as it is asked for have the words: of a wider request other hits. */
const WORDS_MAY_DO = 0.5501;
const DEFAULT_SEMANTIC_RATIO = 0.5;

/** Words and phrases of a query: the engine does not look for more. */
const MAX_TERMS = 10;

/** After `searchCutoffMs`; of a federation over several servers: those that did not answer. */
const INCOMPLETE = [["degraded"], ["remoteErrors"]];

/** Status of an error of the edge → the engine's code. */
const CODES: ReadonlyMap<number, string> = new Map([
  [404, "not_found"],
  [413, "payload_too_large"],
  [415, "invalid_content_type"],
  [503, "too_many_search_requests"],
]);

export const MEILISEARCH = defineDialect({
  names: ["meilisearch"],
  create(options) {
    // The score is 0 to 1, in every federated list a weighted one.
    // The primary key of an index has no fixed name.
    const indexes = readIndexes(options, "id", (text, slot, itemId, values) => {
      const score = numberAt(text, ["_federation", "weightedRankingScore"], slot) ?? numberAt(text, ["_rankingScore"], slot);
      return ok({ itemId, score, isPinned: isPinned(text, slot), values });
    });
    const checks = createChecks(options);
    return {
      name: "meilisearch",
      routes: [
        { path: "/indexes/:index/search", methods: ["GET", "POST"] },
        { path: MULTI_PATH, methods: ["POST"] },
      ],
      calls: sideCalls({ indexes: options, notFound: NOT_FOUND }, meilisearchCalls(options)),
      credentials: AUTHORIZATION,
      clientHeaders: [USER_ID, "meili-include-metadata"],
      shopperHeaders: [USER_ID],
      eventsPath: "/events",
      plan(request, name) {
        if (name === undefined) return planSearches(request, indexes, checks);
        const index = findIndex(indexes, name, NOT_FOUND);
        return index.ok ? planSearch(index.value, request, checks) : index;
      },
      describeError(status, code, message) {
        const type = status >= 500 ? "internal" : status === 401 || status === 403 ? "auth" : "invalid_request";
        const known = code === NOT_FOUND ? code : (CODES.get(status) ?? (status < 500 ? "bad_request" : "internal"));
        return jsonError({ message, code: known, type, link: `https://docs.meilisearch.com/errors#${known}` });
      },
    };
  },
});

/**
 * An index in Meilisearch.
 *
 * @example
 * const products = meilisearch({ url: "https://search.example.com:7700", window: 100, idField: "sku" });
 */
export function meilisearch(options: IndexOptions): IndexDefinition {
  return { ...options, dialect: MEILISEARCH, backend: "meilisearch" };
}

function askedIn(body: Body | undefined, params: Asked["params"] = []): Asked {
  return { params, body, values: body && withoutNulls(body.values) };
}

/** What the engine answers with an error, or reads in a way that is not known. */
function misfitIn({ params, body }: Asked): string | undefined {
  const repeated = repeatedKey(params);
  if (repeated !== undefined) return `The parameter "${repeated}" is repeated`;
  if (body === undefined) return undefined;
  const q = member(body.values, "q") ?? "";
  if (typeof q !== "string") return "q is no text";
  for (const { key, value } of body.members) {
    const written = rawText(body.text, value);
    if (written === "null" ? !OPTIONAL.has(key) : PAGING.has(key) && !/^\d+$/.test(written)) return `${key} is not a whole number from 0`;
  }
  return undefined;
}

/** Errors: what must not reach the engine with the edge's key. */
function planSearch(index: Index, request: ClientRequest, checks: Checks): Result<RequestPlan, Refusal> {
  const own = ownRequest(request, `/indexes/${encodeURIComponent(index.name)}/search`);
  const read = bodyOf(own.body ?? new Uint8Array());
  if (!read.ok && index.options.forwardCredentials !== true) return err(notPassedOn(read.error));
  if (!read.ok) return ok(planOne(leftToEngine(index.name, read.error), own, partReader(index)));
  const url = paramsOf(request.search);
  const refusal = checks.search(index.name, { params: url, body: read.value });
  if (refusal !== undefined) return err(refusal);
  const params = request.method === "GET" ? url : [];
  const { plan, edits, search, readPart } = readSearch(index, askedIn(read.value, params));
  return ok(
    planOne(request.method === "GET" ? plan : forAll(plan, own.search), own, readPart, (size) =>
      own.body === undefined ? { ...own, search: search(size) } : { ...own, body: applyEdits(own.body, edits(size)) },
    ),
  );
}

function planSearches(request: ClientRequest, indexes: Indexes, checks: Checks): Result<RequestPlan, Refusal> {
  const read = namedObjects(request, { list: "queries", name: "indexUid", indexOf: (name) => findIndex(indexes, name, NOT_FOUND) });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const own = { ...ownRequest(request, MULTI_PATH), body: request.body };
  const url = paramsOf(request.search);
  if (objects.length === 0)
    return planNone(
      indexes,
      own,
      (name) => checks.url(name, { params: url, body: undefined }) ?? checks.around(name, { params: [], body }),
    );
  for (const { index, object } of objects) {
    const refusal =
      checks.url(index.name, { params: url, body: undefined }) ??
      checks.around(index.name, { params: [], body }) ??
      checks.search(index.name, { params: [], body: object });
    if (refusal !== undefined) return err(refusal);
  }
  const said = own.search + besides(body, "queries");
  const searches = objects.map(({ index, object }) => {
    const asked = readSearch(index, askedIn(object));
    return { ...asked, plan: forAll(asked.plan, said) };
  });
  const [first] = objects;
  const isFederated = (member(body.values, "federation") ?? null) !== null && first !== undefined;
  return ok(isFederated ? planFederated(own, body, first.index, searches) : planListed(searches, own));
}

/** One list out of several: one search, where all of them ask one index for the same words. */
function planFederated(own: EngineRequest, body: Body, index: Index, searches: readonly ReadSearch[]): RequestPlan {
  const span = memberAt(body, "federation")?.value;
  const values = member(body.values, "federation");
  const left = (detail: string): RequestPlan => planOne(leftToEngine(index.name, detail), own, partReader(index));
  if (span === undefined || !isObject(values)) return left("federation is not an object");
  const list = askedIn({ text: body.text, span, members: members(body.text, span), values });
  const read = pageOf(list);
  if (!read.ok) return left(`federation: ${read.error}`);
  const { offset, limit, isNumbered } = read.value;
  const first = searches[0]?.plan;
  const unasked = searches[0]?.unasked ?? NOTHING;
  const isCursored = searches.some(({ asked }) => isOfPage(asked, isNumbered));
  const isOne = searches.every(({ plan }) => plan.index === index.name && plan.queryText === first?.queryText);
  const ownReason = (): Bypass | undefined => {
    if (!isOne) return leave("federated", "One list out of several indexes or of several texts");
    if (searches.some((search) => String([...search.unasked]) !== String([...unasked])))
      return leave("request_not_understood", "The queries ask for different scores");
    if (textOf(member(list.values, "distinct")) !== undefined) return leave("grouped", "federation.distinct");
    return limit === 0 ? leave("size_zero", "No hits are asked for") : undefined;
  };
  const rest = body.members.filter(({ key }) => key !== "federation").map((other) => rawText(body.text, other.span));
  const plan = plainPlan({
    index: index.name,
    queryText: first?.queryText,
    offset,
    limit,
    isCursored,
    isAlwaysWidened: unasked.size > 0,
    bypass: ownReason() ?? searches.find((search) => search.plan.bypass !== undefined)?.plan.bypass,
    identity: JSON.stringify([
      own.search,
      rest,
      identityOf([], list.body, (key) => PAGING.has(key)),
      ...(isCursored ? [offset, limit] : []),
    ]),
  });
  return planOne(plan, own, partReader(index, plan, unasked), (size) => {
    const marks = searches.flatMap((search) => marked(search.asked.body, search.unasked));
    const edits = isCursored ? marks : [...widened(list.body, isNumbered, size), ...marks];
    return { ...own, body: applyEdits(body.text.bytes, edits) };
  });
}

interface ReadSearch extends PlannedSearch {
  readonly search: (size: number) => string;
  readonly asked: Asked;
  /** Parameters of MARKS that only the edge wants. */
  readonly unasked: ReadonlySet<string>;
}

const NOTHING: ReadonlySet<string> = new Set();

function readSearch(index: Index, asked: Asked): ReadSearch {
  const misfit = misfitIn(asked);
  const read = misfit === undefined ? pageOf(asked) : err(misfit);
  if (!read.ok) {
    const plan = leftToEngine(index.name, read.error);
    return { plan, edits: () => [], search: () => "", readPart: partReader(index), asked, unasked: NOTHING };
  }
  const { offset, limit, isNumbered } = read.value;
  const q = valueOf(asked, "q");
  const queryText = typeof q === "string" ? wordsOf(q, MAX_TERMS) : undefined;
  const isCursored = isOfPage(asked, isNumbered);
  const unasked = new Set([...MARKS.keys()].filter((parameter) => ![true, "true"].some((shown) => valueOf(asked, parameter) === shown)));
  const plan = plainPlan({
    index: index.name,
    queryText,
    filters: () => readFilterList(valueOf(asked, "filter")),
    offset,
    limit,
    isCursored,
    isAlwaysWidened: unasked.size > 0,
    bypass: reasonToLeave(asked, limit, queryText, index.idField),
    identity: identityOf(asked.params, asked.body, (key) => NO_PART_OF_IDENTITY.has(key), ...(isCursored ? [offset, limit] : [])),
  });
  return {
    plan,
    edits: (size) => [...(isCursored ? [] : widened(asked.body, isNumbered, size)), ...marked(asked.body, unasked)],
    search: (size) => widenedParams(asked.params, isCursored ? undefined : namesOf(isNumbered), size, unasked),
    readPart: partReader(index, plan, unasked),
    asked,
    unasked,
  };
}

/** Whether hits or counts follow the number of hits that are asked for: then a page is re-ranked within itself. */
function isOfPage(asked: Asked, isNumbered: boolean): boolean {
  // Pages with numbers count all hits anyhow.
  if (!isNumbered && valueOf(asked, "rankingScoreThreshold") !== undefined) return true;
  const hybrid = member(asked.values, "hybrid");
  if (hybrid === undefined && paramOf(asked.params, "hybridEmbedder") === undefined) return false;
  const ratio = Number(paramOf(asked.params, "hybridSemanticRatio") ?? member(hybrid, "semanticRatio") ?? DEFAULT_SEMANTIC_RATIO);
  return ratio > 0 && ratio <= WORDS_MAY_DO;
}

/** `isNumbered`: asked for by `page` and `hitsPerPage`. Errors name the value that is not a number. */
function pageOf(asked: Asked): Result<{ readonly offset: number; readonly limit: number; readonly isNumbered: boolean }, string> {
  const isNumbered = ["page", "hitsPerPage"].some((key) => valueOf(asked, key) !== undefined);
  const [name, start, count] = namesOf(isNumbered);
  const read = pageNumbersOf(asked, [name, start], [count, 20]);
  if (!read.ok) return read;
  const { first, limit } = read.value;
  // Page 0 is answered without hits.
  if (isNumbered && first === 0) return ok({ offset: 0, limit: 0, isNumbered });
  return ok({ offset: isNumbered ? (first - 1) * limit : first, limit, isNumbered });
}

function reasonToLeave(asked: Asked, limit: number, queryText: string | undefined, idField: string): Bypass | undefined {
  const listOf = (key: string): readonly string[] => paramOf(asked.params, key)?.split(",") ?? stringsOf(member(asked.values, key));
  const service = ["personalize", "personalizeUserContext"].find((key) => valueOf(asked, key) !== undefined);
  if (service !== undefined) return leave("request_not_understood", `With ${service} another service orders the hits`);
  if (listOf("sort").some((key) => key !== "")) return leave("explicit_sort", "sort");
  if (textOf(valueOf(asked, "distinct")) !== undefined) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "q has no words to look for");
  const isKept = (field: string): boolean => field === "*" || field === idField || idField.startsWith(`${field}.`);
  if (valueOf(asked, "attributesToRetrieve") !== undefined && !listOf("attributesToRetrieve").some(isKept)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  return undefined;
}

const namesOf = (isNumbered: boolean) => (isNumbered ? (["page", 1, "hitsPerPage"] as const) : (["offset", 0, "limit"] as const));

/** `names`: of the page, where it changes. */
function widenedParams(
  params: Asked["params"],
  names: ReturnType<typeof namesOf> | undefined,
  size: number,
  unasked: ReadonlySet<string>,
): string {
  const [first, value, count] = names ?? [];
  const kept = params.filter(({ key }) => key !== first && key !== count && !unasked.has(key)).map(({ raw }) => raw);
  const page = names === undefined ? [] : [`${first}=${value}`, `${count}=${size}`];
  return searchOf([...kept, ...page, ...[...unasked].map((mark) => `${mark}=true`)]);
}

function widened(body: Body | undefined, isNumbered: boolean, size: number): Edit[] {
  const [first, value, count] = namesOf(isNumbered);
  return body === undefined ? [] : [setMember(body, count, size), ...replaceMembers(body, { [first]: value })];
}

const marked = (body: Body | undefined, unasked: ReadonlySet<string>): Edit[] =>
  body === undefined ? [] : [...unasked].map((mark) => setMember(body, mark, true));

/** Without a plan, the reply is not edited. `unasked`: parameters of MARKS that the shopper's own request does not name. */
function partReader(index: Index, plan?: PlannedSearch["plan"], unasked: ReadonlySet<string> = NOTHING): PartReader {
  const surplus = new Set([...unasked].map((parameter) => MARKS.get(parameter) ?? parameter));
  return (text, from) => {
    const read = readHits(text, ["hits"], from, index.readHit);
    if (!read.ok) return read;
    // Another engine may have a list of that name too.
    if (spanAt(text, ["processingTimeMs"], from) === undefined) return bypass("reply_not_search", "The reply has no processingTimeMs");
    const { bypass: left, sections } = readOrder(text, read.value);
    const hits = sections === undefined ? read.value.hits : read.value.hits.map((hit, i) => ({ ...hit, section: sections[i] }));
    return partOf(
      text,
      { ...read.value, hits },
      {
        queryId: () => textAt(text, ["metadata", "queryUid"], from),
        // estimatedTotalHits may be too high.
        total: numberAt(text, ["totalHits"], from),
        bypass: incompleteBy(text, INCOMPLETE, from) ?? left,
        edits:
          plan &&
          ((order) =>
            ownPage(
              text,
              from,
              plan,
              order.map((i) => read.value.slots[i]!),
            )),
        unasked: surplus,
      },
    );
  };
}

/** The numbers that a reply repeats, as for the page that was asked for. `shown`: its hits. */
function ownPage(text: JsonText, from: Span, { offset, limit, isCursored }: PlannedSearch["plan"], shown: HitList["slots"]): Edit[] {
  if (isCursored) return [];
  const totalHits = numberAt(text, ["totalHits"], from);
  const totalPages = totalHits === undefined ? undefined : Math.ceil(totalHits / limit);
  const isCounted = shown.length === 0 || hasDetails(text, shown[0]!);
  const semanticHitCount = isCounted ? shown.filter((slot) => isSemantic(text, slot)).length : undefined;
  return replaceNumbers(text, { offset, limit, page: offset / limit + 1, hitsPerPage: limit, totalPages, semanticHitCount }, from);
}
