/**
 * Solr: `GET|POST /solr/<core>/select` with parameters in the URL or in a form. With the edge's key, a request
 * that is not understood is refused (solr/allowed.ts).
 *
 * The reply names its page twice (`response.start` and the echoed parameters), and keeps highlighting apart from the documents, by id: a page
 * that is cut from a wider reply gets its own of each.
 */
import { type Bypass, err, ok, type Result } from "../result.ts";
import { AUTHORIZATION, type ClientRequest, type EngineRequest, jsonError, type RequestPlan } from "./dialect.ts";
import {
  defineDialect,
  findIndex,
  type Index,
  type IndexDefinition,
  type IndexOptions,
  isWithOwnKey,
  ownIndexes,
  readIndexes,
} from "./dialects.ts";
import { cutMember, type Edit, replaceNumbers, replaceParams, searchOf } from "./json/edits.ts";
import { identityOf, leave, leftToEngine, ownRequest, plainPlan, planOne } from "./json/plan.ts";
import { incompleteBy, partOf, type PartReader, readHits } from "./json/reply.ts";
import { pageNumbersOf, type Param, paramOf, paramsOf, unreadable, utf8Text } from "./json/request.ts";
import { isTrueAt, type JsonText, kindOf, members, numberAt, rawText, spanAt } from "./json/spans.ts";
import { textOf } from "./json/values.ts";
import { withJavabin } from "./solr/javabin.ts";
import { FORM_TYPE, strangeIn, strangeType } from "./solr/allowed.ts";

/** `mlt` and `tv` add something for each hit of the page: for a wider page that is another answer, and can take seconds. */
const GROUPING = ["group", "expand", "mlt", "tv"];

const PAGING: ReadonlySet<string> = new Set(["start", "rows"]);

/** Of Hadoop's authentication: a token, a name, and the user for whom somebody searches. */
const SIGN_IN = ["delegation", "user.name", "doas"];

/** Shards that are down or out of time, and limits that ended the search. */
const INCOMPLETE = ["status", "partialResults", "segmentTerminatedEarly", "maxHitsTerminatedEarly"].map((name) => ["responseHeader", name]);

/** `{!edismax qf=title v=$words}` */
const LOCAL_PARAMS = /^\s*\{!([^}]*)\}/;

export const SOLR = defineDialect({
  names: ["solr"],
  create(options) {
    // The uniqueKey of a schema has no fixed name; this is the usual one.
    const indexes = readIndexes(options, "id", (text, slot, itemId, values) =>
      ok({ itemId, score: numberAt(text, ["score"], slot), isPinned: isTrueAt(text, ["[elevated]"], slot), values }),
    );
    return {
      name: "solr",
      routes: [{ path: "/solr/:index/select", methods: ["GET", "POST"] }],
      probes: [],
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
        return strange === undefined ? ok(planSearch(index.value, asked.value)) : unreadable(strange);
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
export function solr(options: IndexOptions): IndexDefinition {
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
  const form = utf8Text(own.body);
  if (form === undefined || OTHER_BODY.test(form))
    return err("The body must be a form in UTF-8: JSON requests and multipart are not passed on");
  const strange = strangeType(request.contentType);
  // As it was read.
  return strange === undefined ? ok({ own: { ...own, contentType: FORM_TYPE }, url, form: paramsOf(form) }) : err(strange);
}

/** With the client's own key: Solr reads more than forms. */
function planLeft(index: Index, request: ClientRequest, detail: string): RequestPlan {
  const own = ownRequest(request, `/solr/${encodeURIComponent(index.name)}/select`);
  return planOne(leftToEngine(index.name, detail), own, partReader(index, 0, []));
}

function planSearch(index: Index, { own, url, form }: Asked): RequestPlan {
  const params = [...url, ...form];
  const readPart = (offset: number): PartReader => partReader(index, offset, params);
  const page = pageNumbersOf({ params, values: undefined }, ["start", 0], ["rows", 10]);
  if (!page.ok) return planOne(leftToEngine(index.name, page.error), own, readPart(0));
  const { first: offset, limit } = page.value;
  const queryText = queryTextOf(params);
  const plan = plainPlan({
    index: index.name,
    queryText,
    offset,
    limit,
    bypass: reasonToLeave(params, limit, queryText, index.idField),
    identity: identityOf(params, undefined, (key) => PAGING.has(key)),
  });
  return withJavabin(
    planOne(plan, own, readPart(offset), (size) => widened(own, url, form, size)),
    index,
  );
}

function widened(own: EngineRequest, url: readonly Param[], form: readonly Param[], size: number): EngineRequest {
  const numbers = { start: 0, rows: size };
  const hasRows = [...url, ...form].some(({ key }) => key === "rows");
  const search = searchOf([...replaceParams(url, numbers), ...(hasRows ? [] : [`rows=${size}`])]);
  const body = own.body === undefined ? undefined : new TextEncoder().encode(replaceParams(form, numbers).join("&"));
  return { ...own, search, body };
}

/** Nobody types more. */
const MAX_WORDS_CHARS = 10_000;

/** The words in `q`, without local parameters and field names; `undefined` for a query of everything. */
function queryTextOf(params: readonly Param[]): string | undefined {
  const q = paramOf(params, "q") ?? "";
  const local = LOCAL_PARAMS.exec(q);
  const named = /(?:^|\s)v=\$([\w.-]+)/.exec(local?.[1] ?? "")?.[1];
  const words = named === undefined ? q.slice(local?.[0].length ?? 0) : (paramOf(params, named) ?? "");
  if (words.trim() === "*:*" || words.trim() === "*") return undefined;
  return textOf(words.slice(0, MAX_WORDS_CHARS).replaceAll(/(?:^|(?<=[\s(+-]))[\w.]+:(?=\S)/g, ""));
}

/** Those in which a page can be cut. */
const FORMATS: ReadonlySet<string> = new Set(["json", "javabin"]);

function reasonToLeave(params: readonly Param[], limit: number, queryText: string | undefined, idField: string): Bypass | undefined {
  const format = paramOf(params, "wt") ?? "json";
  if (!FORMATS.has(format)) return leave("request_not_understood", `The reply is asked for as "${format}", not as JSON or javabin`);
  if (paramOf(params, "json.wrf") !== undefined) return leave("request_not_understood", "The reply is asked for as a script (json.wrf)");
  if (params.some(({ key }) => key.startsWith("json."))) return leave("request_not_understood", "Parameters of the JSON request API");
  if (paramOf(params, "cursorMark") !== undefined) return leave("cursor", "cursorMark");
  const sort = textOf(paramOf(params, "sort"));
  if (sort !== undefined && !/^score\s+desc$/i.test(sort)) return leave("explicit_sort", "sort");
  const grouping = GROUPING.find((name) => /^(true|on|yes)$/i.test(paramOf(params, name) ?? ""));
  if (grouping !== undefined) return leave("grouped", grouping);
  if (params.some(({ key, value }) => key === "fq" && value.includes("{!collapse"))) return leave("grouped", "collapse");
  if (limit === 0) return leave("size_zero", "rows is 0");
  if (queryText === undefined) return leave("no_query_text", "q is empty or asks for everything");
  const fields = params.filter(({ key }) => key === "fl");
  if (fields.length > 0 && !fields.some(({ value }) => isListed(value, "*") || isListed(value, idField))) {
    return leave("request_not_understood", `fl leaves out ${idField}, by which items are known`);
  }
  return undefined;
}

const SEPARATORS: ReadonlySet<string> = new Set(["", ",", " ", "\t", "\n", "\r"]);

/** Without a split, which costs a text per name. */
function isListed(list: string, name: string): boolean {
  for (let at = list.indexOf(name); at >= 0; at = list.indexOf(name, at + 1)) {
    if (SEPARATORS.has(list.charAt(at - 1)) && SEPARATORS.has(list.charAt(at + name.length))) return true;
  }
  return false;
}

/** `params`: of the shopper's request. */
function partReader(index: Index, offset: number, params: readonly Param[]): PartReader {
  return (text, from) => {
    const read = readHits(text, ["response", "docs"], from, index.readHit);
    if (!read.ok) return read;
    const { hits } = read.value;
    const idsOf = (order: readonly number[]): string[] => order.map((position) => hits[position]!.itemId);
    return partOf(text, read.value, {
      // Without numFoundExact there are more.
      total: numberAt(text, ["response", "numFound"], from),
      bypass: incompleteBy(text, INCOMPLETE),
      edits: (order) => [...ownPage(text, offset, params), ...ownHighlighting(text, idsOf(order))],
    });
  };
}

/** `response.start` and the echoed parameters, as for the page that was asked for. */
function ownPage(text: JsonText, offset: number, params: readonly Param[]): Edit[] {
  const edits = replaceNumbers(text, { "response.start": offset });
  const echo = spanAt(text, ["responseHeader", "params"]);
  if (echo === undefined) return edits;
  const siblings = members(text, echo);
  siblings.forEach(({ key, value }, i) => {
    if (!PAGING.has(key)) return;
    const asked = paramOf(params, key);
    // Solr echoes its parameters: those that the shopper did not send are cut.
    edits.push(asked === undefined ? cutMember(siblings, i) : { ...value, text: JSON.stringify(asked) });
  });
  return edits;
}

/** Of the shown documents only, in their order; all of them in the engine's order are the same bytes. */
function ownHighlighting(text: JsonText, ids: readonly string[]): Edit[] {
  const object = spanAt(text, ["highlighting"]);
  if (object === undefined || kindOf(text, object) !== "object") return [];
  const all = members(text, object);
  const [first, second] = all;
  const last = all.at(-1);
  if (first === undefined || last === undefined) return [];
  const between = second === undefined ? "," : rawText(text, { start: first.span.end, end: second.span.start });
  const byId = new Map(all.map((own) => [own.key, own]));
  const shown = ids.flatMap((id) => byId.get(id) ?? []);
  const kept = shown.map(({ span }) => rawText(text, span)).join(between);
  return [{ start: first.span.start, end: last.span.end, text: kept }];
}
