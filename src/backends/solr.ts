/**
 * Solr: `GET|POST /solr/<core>/select` with parameters in the URL or in a form. With the edge's key, a request
 * that is not understood is refused (solr/allowed.ts).
 *
 * The reply names its page twice (`response.start` and the echoed parameters), and keeps highlighting apart from the documents, by id: a page
 * that is cut from a wider reply gets its own of each.
 */
import { err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, jsonError, type RequestPlan } from "./dialect.ts";
import { sideCalls } from "./calls.ts";
import {
  defineDialect,
  findIndex,
  type Index,
  type IndexDefinition,
  type IndexOptions,
  isWithOwnKey,
  ownIndexes,
  type PageSizeOption,
  readIndexes,
} from "./dialects.ts";
import { readAllFilters } from "./filters.ts";
import { searchOf } from "./json/edits.ts";
import { identityOf, leave, leftToEngine, ownRequest, plainPlan, planOne } from "./json/plan.ts";
import { pageNumbersOf, type Param, paramsOf, unreadable, utf8Text } from "./json/request.ts";
import { isTrueAt, numberAt } from "./json/spans.ts";
import { limitsOf } from "./limits.ts";
import { withJavabin } from "./solr/javabin.ts";
import { FORM_TYPE, strangeIn, strangeType } from "./solr/allowed.ts";
import { solrCalls } from "./solr/calls.ts";
import { formInUtf8 } from "./solr/charset.ts";
import { tooManyBuckets } from "./solr/facets.ts";
import { reasonNotToWiden, reasonToKeepOrder } from "./solr/leave.ts";
import { partReader, SIGN_IN } from "./solr/reply.ts";
import { ELEVATED, wideParams } from "./solr/server.ts";
import { queryTextOf } from "./solr/words.ts";

const PAGING: ReadonlySet<string> = new Set(["start", "rows"]);

/** Solr's own, where neither the request nor the handler says. */
const DEFAULT_ROWS = 10;

export const SOLR = defineDialect({
  names: ["solr"],
  create(options) {
    // The uniqueKey of a schema has no fixed name; this is the usual one.
    const indexes = readIndexes(options, "id", (text, slot, itemId, values) =>
      ok({ itemId, score: numberAt(text, ["score"], slot), isPinned: isTrueAt(text, [ELEVATED], slot), values }),
    );
    return {
      name: "solr",
      routes: ["/solr/:index/select", "/solr/:index/select/"].map((path) => ({ path, methods: ["GET", "POST"] })),
      calls: sideCalls(
        { indexes: options, notFound: "not_found", aboutClient: new Set(SIGN_IN) },
        solrCalls((name) => ({ own: name, all: ownIndexes(indexes, indexes.get(name)!) })),
      ),
      credentials: { ...AUTHORIZATION, clientParams: SIGN_IN },
      clientHeaders: [],
      plan(request, name = "") {
        const index = findIndex(indexes, name, "not_found");
        if (!index.ok) return index;
        const asked = readRequest(index.value, request);
        if (!isWithOwnKey(index.value))
          return ok(asked.ok ? planSearch(index.value, asked.value) : planLeft(index.value, request, asked.error));
        if (!asked.ok) return unreadable(asked.error);
        const strange = strangeIn([...asked.value.url, ...asked.value.form], { own: name, all: ownIndexes(indexes, index.value) });
        const refusal = strange ?? tooManyBuckets([...asked.value.url, ...asked.value.form], limitsOf(request).buckets);
        return refusal === undefined ? ok(planSearch(index.value, asked.value)) : unreadable(refusal);
      },
      describeError(status, type, message) {
        const error = { metadata: ["error-class", type], msg: message, code: status };
        return jsonError({ responseHeader: { status, QTime: 0 }, error });
      },
    };
  },
});

/**
 * A core or collection in Solr.
 *
 * @example
 * const products = solr({ url: "https://search.example.com:8983", window: 100 });
 */
export function solr(options: IndexOptions & PageSizeOption): IndexDefinition<IndexOptions & PageSizeOption> {
  return { ...options, dialect: SOLR, backend: "solr" };
}

/** Bodies that Solr reads without a content type that says so. */
const OTHER_BODY = /^\s*(?:[{<]|--)/;

interface Asked {
  readonly own: EngineRequest;
  readonly url: readonly Param[];
  /** Empty unless the body is a form. */
  readonly form: readonly Param[];
}

/** Errors say why the body cannot be read. */
function readRequest(index: Index, request: ClientRequest): Result<Asked, string> {
  const own = ownRequest(request, `/solr/${encodeURIComponent(index.name)}/select`);
  const url = paramsOf(request.search);
  if (own.body === undefined) return ok({ own, url, form: [] });
  const strange = strangeType(request.contentType);
  const body = strange === undefined ? formInUtf8(own.body, request.contentType) : own.body;
  const form = utf8Text(body);
  if (form === undefined || OTHER_BODY.test(form))
    return err("The body must be a form in UTF-8: JSON requests and multipart are not passed on");
  // As it was read.
  return strange === undefined ? ok({ own: { ...own, body, contentType: FORM_TYPE }, url, form: paramsOf(form) }) : err(strange);
}

/** With the client's own key: Solr reads more than forms. */
function planLeft(index: Index, request: ClientRequest, detail: string): RequestPlan {
  const own = ownRequest(request, `/solr/${encodeURIComponent(index.name)}/select`);
  return planOne(leftToEngine(index.name, detail), own, partReader(index, [], { offset: 0, limit: 0 }));
}

function planSearch(index: Index, { own, url, form }: Asked): RequestPlan {
  const params = [...url, ...form];
  const page = pageNumbersOf({ params, values: undefined }, ["start", 0], ["rows", index.options.pageSize ?? DEFAULT_ROWS]);
  if (!page.ok) return planOne(leftToEngine(index.name, page.error), own, partReader(index, params, { offset: 0, limit: 0 }));
  const { first: offset, limit } = page.value;
  const queryText = queryTextOf(params, index.idField);
  const plan = plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    isAlwaysWidened: true,
    bypass:
      reasonNotToWiden(params, index.idField) ??
      reasonToKeepOrder(params) ??
      (limit === 0 ? leave("size_zero", "rows is 0") : undefined) ??
      (queryText === undefined ? leave("no_query_text", "q is empty, asks for everything, or is no search for words") : undefined),
    filters: () => readAllFilters(params.flatMap(({ key, value }) => (key === "fq" ? [value] : []))),
    identity: identityOf(params, undefined, (key) => PAGING.has(key)),
  });
  const widen = (size: number): EngineRequest => ({
    ...own,
    search: searchOf([...url.map(({ raw }) => raw), ...wideParams(size, index.idField, params)]),
  });
  return withJavabin(planOne(plan, own, partReader(index, params, { offset, limit }), widen), index);
}
