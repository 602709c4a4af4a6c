/**
 * Meilisearch: `POST|GET /indexes/<index>/search` and `POST /multi-search`, federated or not.
 *
 * A page is named in two ways: `offset` and `limit`, or `page` and `hitsPerPage`, which win where one of them is given. The reply repeats
 * the page, so a page that is cut from a wider reply gets its own numbers.
 */
import { bypass, type Bypass, err, ok, type Result } from "../result.ts";
import { notPassedOn } from "./allowed.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, jsonError, type Refusal, type RequestPlan } from "./dialect.ts";
import { defineDialect, findIndex, type Index, type IndexDefinition, type IndexOptions, readIndexes } from "./dialects.ts";
import { applyEdits, type Edit, replaceMembers, replaceNumbers, searchOf, setMember } from "./json/edits.ts";
import {
  besides,
  forAll,
  identityOf,
  leave,
  leftToEngine,
  ownRequest,
  plainPlan,
  planListed,
  type PlannedSearch,
  planOne,
} from "./json/plan.ts";
import { incompleteBy, partOf, type PartReader, readHits } from "./json/reply.ts";
import { type Asked, type Body, bodyOf, memberAt, namedObjects, pageNumbersOf, paramOf, paramsOf, valueOf } from "./json/request.ts";
import { type JsonText, members, numberAt, rawText, type Span, spanAt } from "./json/spans.ts";
import { isObject, member, stringsOf, textOf, withoutNulls } from "./json/values.ts";
import { type Checks, createChecks } from "./meilisearch/params.ts";

/** Parameters that name the page. */
const PAGING: ReadonlySet<string> = new Set(["offset", "limit", "page", "hitsPerPage"]);
const MULTI_PATH = "/multi-search";

/** After `searchCutoffMs`; of a federation over several servers: those that did not answer. */
const INCOMPLETE = [["degraded"], ["remoteErrors"]];

export const MEILISEARCH = defineDialect({
  names: ["meilisearch"],
  create(options) {
    // The score is 0 to 1. It is given with `showRankingScore`, and in every federated list.
    // The primary key of an index has no fixed name.
    const indexes = readIndexes(options, "id", (text, slot, itemId, values) => {
      const score = numberAt(text, ["_federation", "weightedRankingScore"], slot) ?? numberAt(text, ["_rankingScore"], slot);
      return ok({ itemId, score, isPinned: false, values });
    });
    const indexOf = (name: string): Result<Index, Refusal> => findIndex(indexes, name, "index_not_found");
    const checks = createChecks(options);
    return {
      name: "meilisearch",
      routes: [
        { path: "/indexes/:index/search", methods: ["GET", "POST"] },
        { path: MULTI_PATH, methods: ["POST"] },
      ],
      probes: [{ path: "/health", method: "GET" }],
      credentials: AUTHORIZATION,
      clientHeaders: ["x-ms-user-id"],
      plan(request, name) {
        if (name === undefined) return planSearches(request, indexOf, checks);
        const index = indexOf(name);
        return index.ok ? planSearch(index.value, request, checks) : index;
      },
      describeError(status, code, message) {
        const type = status >= 500 ? "internal" : status === 401 || status === 403 ? "auth" : "invalid_request";
        return jsonError({ message, code, type, link: "" });
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

/** Null in a body is as good as nothing. */
function askedIn(body: Body | undefined, params: Asked["params"] = []): Asked {
  return { params, body, values: body && withoutNulls(body.values) };
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

function planSearches(
  request: ClientRequest,
  indexOf: (name: string) => Result<Index, Refusal>,
  checks: Checks,
): Result<RequestPlan, Refusal> {
  const read = namedObjects(request, { list: "queries", name: "indexUid", indexOf });
  if (!read.ok) return read;
  const { body, objects } = read.value;
  const own = { ...ownRequest(request, MULTI_PATH), body: request.body };
  const url = paramsOf(request.search);
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
function planFederated(own: EngineRequest, body: Body, index: Index, searches: readonly PlannedSearch[]): RequestPlan {
  const span = memberAt(body, "federation")?.value;
  const values = member(body.values, "federation");
  const left = (detail: string): RequestPlan => planOne(leftToEngine(index.name, detail), own, partReader(index));
  if (span === undefined || !isObject(values)) return left("federation is not an object");
  const list = askedIn({ text: body.text, span, members: members(body.text, span), values });
  const read = pageOf(list);
  if (!read.ok) return left(`federation: ${read.error}`);
  const { offset, limit, isNumbered } = read.value;
  const first = searches[0]?.plan;
  const isOne = searches.every(({ plan }) => plan.index === index.name && plan.queryText === first?.queryText);
  const ownReason = (): Bypass | undefined => {
    if (!isOne) return leave("federated", "One list out of several indexes or of several texts");
    if (textOf(member(list.values, "distinct")) !== undefined) return leave("grouped", "federation.distinct");
    return limit === 0 ? leave("size_zero", "No hits are asked for") : undefined;
  };
  const rest = body.members.filter(({ key }) => key !== "federation").map((other) => rawText(body.text, other.span));
  const plan = plainPlan({
    index: index.name,
    queryText: first?.queryText,
    offset,
    limit,
    bypass: ownReason() ?? searches.find((search) => search.plan.bypass !== undefined)?.plan.bypass,
    identity: JSON.stringify([own.search, rest, identityOf([], list.body, (key) => PAGING.has(key))]),
  });
  return planOne(plan, own, partReader(index, plan), (size) => ({
    ...own,
    body: applyEdits(body.text.bytes, widened(list.body, isNumbered, size)),
  }));
}

function readSearch(index: Index, asked: Asked): PlannedSearch & { readonly search: (size: number) => string } {
  const read = pageOf(asked);
  if (!read.ok) {
    return { plan: leftToEngine(index.name, read.error), edits: () => [], search: () => "", readPart: partReader(index) };
  }
  const { offset, limit, isNumbered } = read.value;
  const queryText = textOf(valueOf(asked, "q"));
  const plan = plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(asked, limit, queryText, index.idField),
    identity: identityOf(asked.params, asked.body, (key) => PAGING.has(key)),
  });
  return {
    plan,
    edits: (size) => widened(asked.body, isNumbered, size),
    search: (size) => widenedParams(asked.params, isNumbered, size),
    readPart: partReader(index, plan),
  };
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
  if (listOf("sort").some((key) => key !== "")) return leave("explicit_sort", "sort");
  if (textOf(valueOf(asked, "distinct")) !== undefined) return leave("grouped", "distinct");
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "q is empty");
  const fields = listOf("attributesToRetrieve");
  if (fields.length > 0 && !fields.includes("*") && !fields.includes(idField)) {
    return leave("request_not_understood", `attributesToRetrieve leaves out ${idField}, by which items are known`);
  }
  return undefined;
}

const namesOf = (isNumbered: boolean) => (isNumbered ? (["page", 1, "hitsPerPage"] as const) : (["offset", 0, "limit"] as const));

function widenedParams(params: Asked["params"], isNumbered: boolean, size: number): string {
  const [first, value, count] = namesOf(isNumbered);
  const kept = params.filter(({ key }) => key !== first && key !== count).map(({ raw }) => raw);
  return searchOf([...kept, `${first}=${value}`, `${count}=${size}`]);
}

function widened(body: Body | undefined, isNumbered: boolean, size: number): Edit[] {
  const [first, value, count] = namesOf(isNumbered);
  return body === undefined ? [] : [setMember(body, count, size), ...replaceMembers(body, { [first]: value })];
}

/** Without a plan, the reply is not edited. */
function partReader(index: Index, plan?: PlannedSearch["plan"]): PartReader {
  return (text, from) => {
    const read = readHits(text, ["hits"], from, index.readHit);
    if (!read.ok) return read;
    // Another engine may have a list of that name too.
    if (spanAt(text, ["processingTimeMs"], from) === undefined) return bypass("reply_not_search", "The reply has no processingTimeMs");
    // estimatedTotalHits may be too high.
    return partOf(text, read.value, {
      total: numberAt(text, ["totalHits"], from),
      bypass: incompleteBy(text, INCOMPLETE, from),
      edits: plan && (() => ownPage(text, from, plan)),
    });
  };
}

/** The numbers that a reply repeats, as for the page that was asked for. */
function ownPage(text: JsonText, from: Span, { offset, limit }: PlannedSearch["plan"]): Edit[] {
  const totalHits = numberAt(text, ["totalHits"], from);
  const totalPages = totalHits === undefined ? undefined : Math.ceil(totalHits / limit);
  return replaceNumbers(text, { offset, limit, page: offset / limit + 1, hitsPerPage: limit, totalPages }, from);
}
