/**
 * Any engine whose search is one path with JSON. The configuration holds the names in its requests and replies; a request that does not fit
 * them goes to the engine as it came. What the engine reads in other parameters is known to the shop only: `allowParams` lists those that
 * clients may send, and without it they may send all.
 */
import { type Bypass, err, ok, type Result } from "../result.ts";
import { anything, notPassedOn, problemIn, type Rules } from "./allowed.ts";
import {
  AUTHORIZATION,
  type ClientRequest,
  type DialectOptions,
  type EngineRequest,
  type GenericOptions,
  jsonError,
  LEAVE_REASONS,
  type LeaveCondition,
  type LeaveReason,
  type Refusal,
  type RequestPlan,
  type SearchPlan,
} from "./dialect.ts";
import { defineDialect, hitReader, type IndexDefinition, type IndexOptions, type PageSizeOption } from "./dialects.ts";
import { applyEdits, type Edit, replaceParams, searchOf } from "./json/edits.ts";
import { leave, leftToEngine, ownRequest, plainPlan, planOne } from "./json/plan.ts";
import { partAt, partsOf } from "./generic/reply.ts";
import { readFilterList, type readFilters, valueFilters } from "./filters.ts";
import type { HitReader } from "./json/reply.ts";
import { type Body, bodyOf, digitsOf, type Param, paramOf, paramsOf } from "./json/request.ts";
import { find, isThereAt, type JsonText, kindOf, type Member, members, membersText, numberAt, rawText, type Span } from "./json/spans.ts";
import { isObject, member, textOf } from "./json/values.ts";

interface Engine {
  readonly index: string;
  readonly options: GenericOptions;
  readonly pageSize: number | undefined;
  readonly readHit: HitReader;
  /** `undefined` where clients may send any parameter. */
  readonly known: Rules | undefined;
}

export const GENERIC = defineDialect({
  names: ["generic"],
  /** Throws on an index without `generic`, and on two with one path. */
  create(indexes) {
    const engines = [...indexes].map(([index, options]): Engine => {
      if (options.generic === undefined) throw new Error(`Index ${index} has no generic`);
      const { score, pinned } = options.generic;
      const scorePath = score === undefined ? undefined : partsOf(score);
      const readHit = hitReader({ ...options, idField: options.idField ?? "id" }, (text, slot, itemId, values) =>
        ok({
          itemId,
          score: scorePath === undefined ? undefined : numberAt(text, scorePath, slot),
          isPinned: pinned !== undefined && isThereAt(text, partsOf(pinned), slot),
          values,
        }),
      );
      return { index, options: options.generic, pageSize: options.pageSize, readHit, known: knownTo(options, options.generic) };
    });
    const byPath = new Map(engines.map((engine) => [engine.options.path, engine]));
    if (byPath.size < engines.length) throw new Error("Two indexes have one path");
    return {
      name: "generic",
      routes: engines.map(({ options: { path, methods } }) => ({ path, methods, isExact: true })),
      calls: [],
      credentials: AUTHORIZATION,
      clientHeaders: [],
      plan(request) {
        const engine = byPath.get(request.path);
        if (engine !== undefined) return planSearch(engine, request);
        const message = `No search at [${request.path}]: add it to INDEXES as the path of an index`;
        return err({ status: 404, type: "not_found", message });
      },
      describeError: (status, type, message) => jsonError({ error: { type, message }, status }),
    };
  },
});

/** `GenericOptions` as a shop writes them: one name instead of a list, and defaults left out. */
export interface GenericSearch extends Pick<
  GenericOptions,
  | "path"
  | "offset"
  | "page"
  | "limit"
  | "filters"
  | "maxLimit"
  | "hits"
  | "score"
  | "pinned"
  | "redirect"
  | "incomplete"
  | "cursor"
  | "keyHeader"
  | "echo"
> {
  /** Default: GET. */
  readonly methods?: GenericOptions["methods"] | undefined;
  /** The parameter with the shopper's words; of several, the first that is given. */
  readonly query: string | readonly string[];
  /** Number of the first page. Default: 1. */
  readonly firstPage?: 0 | 1 | undefined;
  /** Parameters that only sound like paging or sorting. Default: none. */
  readonly harmless?: readonly string[] | undefined;
  /** Reason → the parameters that make the edge leave a search alone, or with `unless` all but these of their values. */
  readonly leaveAlone: Readonly<Partial<Record<LeaveReason, readonly (string | LeaveCondition)[] | undefined>>>;
}

export interface GenericIndexOptions extends IndexOptions, PageSizeOption {
  /** Names in the requests and replies of the engine. */
  readonly generic: GenericSearch;
}

/**
 * An index of an engine that has no dialect here.
 *
 * @example
 * const search = { path: "/v1/search", query: "q", page: "page", limit: "size", hits: "results" };
 * const leaveAlone = { explicit_sort: ["sort"] };
 * const products = generic({ url: "https://search.example.com", window: 100, generic: { ...search, leaveAlone, echo: {} } });
 */
export function generic(options: GenericIndexOptions): IndexDefinition<GenericIndexOptions> {
  return { ...options, dialect: GENERIC, backend: "generic" };
}

interface Asked {
  readonly own: EngineRequest;
  readonly params: readonly Param[];
  /** Of a POST, whose paging is in the body. */
  readonly body: Body | undefined;
}

/** The names of the first wanted hit or page, with the number that asks for the first, and of the number of hits. */
function pagingOf({ page, offset = "", firstPage, limit }: GenericOptions) {
  return { first: page === undefined ? { name: offset, value: 0 } : { name: page, value: firstPage }, limit };
}

/** Errors: parameters that the shop does not name, where it lists those that clients may send. */
function planSearch(engine: Engine, request: ClientRequest): Result<RequestPlan, Refusal> {
  const { index, options, known } = engine;
  const own = ownRequest(request, request.path);
  const left = (detail: string): Result<RequestPlan, Refusal> =>
    ok(planOne(leftToEngine(index, detail), own, (text) => partAt(text, engine, undefined)));
  const read = request.method === "POST" ? bodyOf(request.body) : undefined;
  if (read?.ok === false) return known === undefined ? left(read.error) : err(notPassedOn(read.error));
  const asked: Asked = { own, params: paramsOf(request.search), body: read?.value };
  const problem = known && problemIn(asked, known);
  if (problem !== undefined) return err(notPassedOn(problem));
  if (read !== undefined && read.value === undefined) return left("The body is empty");
  const plan = readSearch(engine, asked);
  if (!plan.ok) return left(plan.error);
  return ok(
    planOne(
      plan.value,
      own,
      (text) => partAt(text, engine, plan.value),
      (size) => widened(asked, pagingOf(options), size),
    ),
  );
}

/** Errors say why the search is left to the engine. */
function readSearch({ index, options, pageSize }: Engine, asked: Asked): Result<SearchPlan, string> {
  const { first: named, limit: limitName } = pagingOf(options);
  const first = numberOf(asked, named.name, named.value);
  if (!first.ok) return first;
  const read = numberOf(asked, limitName, pageSize);
  if (!read.ok) return read;
  if (first.value < named.value) return err(`${named.name} is before the first page`);
  const limit = read.value;
  const offset = options.page === undefined ? first.value : (first.value - named.value) * limit;
  const [queryText] = options.query.flatMap((name) => valuesOf(asked, name).flatMap((value) => textOf(value) ?? []));
  return ok(
    plainPlan({
      index,
      queryText,
      offset,
      limit,
      // A token or link of a wider reply would lead past hits that nobody has seen.
      isCursored: options.cursor !== undefined,
      bypass: reasonToLeave(options, asked, offset, limit, queryText),
      filters: () => filtersOf(options, asked),
      identity: identityOf(asked, options.cursor === undefined ? new Set([named.name, limitName]) : new Set()),
    }),
  );
}

/** `undefined` where the configuration does not say where filters stand, or they are written in another way. */
function filtersOf({ filters }: GenericOptions, asked: Asked): ReturnType<typeof readFilters> {
  if (filters === undefined) return undefined;
  if (typeof filters === "string") return readFilterList(valuesOf(asked, filters).flat());
  return valueFilters(Object.entries(filters).map(([field, name]) => [field, valuesOf(asked, name)] as const));
}

/** A whole number from 0. Errors say why there is none. */
function numberOf({ params, body }: Asked, name: string, fallback: number | undefined): Result<number, string> {
  const missing = fallback === undefined ? err(`${name} is not given, and the configuration has no pageSize`) : ok(fallback);
  const param = params.filter(({ key }) => key === name);
  if (body !== undefined) {
    if (param.length > 0) return err(`${name} is in the URL of a POST`);
    const slot = slotOf(body, name);
    if (!slot.ok) return slot;
    return "value" in slot.value ? digitsOf(name, rawText(body.text, slot.value.value)) : missing;
  }
  const [first, ...more] = param;
  if (more.length > 0) return err(`The parameter ${name} is repeated`);
  return first === undefined ? missing : digitsOf(name, first.value);
}

/** A member of the body, or the object that would hold it and the names that are missing there. */
type Slot = { readonly value: Span } | { readonly object: Span; readonly missing: readonly string[] };

/** Errors say why the body cannot hold the member. */
function slotOf({ text, span }: Body, name: string): Result<Slot, string> {
  let at = span;
  const parts = partsOf(name);
  for (const [depth, key] of parts.entries()) {
    if (kindOf(text, at) !== "object") return err(`${parts.slice(0, depth).join(".")} is not an object`);
    const found = find(text, at, key);
    if (!found.ok) return err(found.error.message);
    if (found.value === undefined) return ok({ object: at, missing: parts.slice(depth) });
    at = found.value;
  }
  return ok({ value: at });
}

/** The values of this name, in the body and in the URL. */
function valuesOf({ params, body }: Asked, name: string): readonly unknown[] {
  return [
    ...(body === undefined ? [] : valuesAt(body.values, partsOf(name))),
    ...params.filter(({ key }) => key === name).map(({ value }) => value),
  ];
}

function valuesAt(value: unknown, [key, ...rest]: readonly string[]): readonly unknown[] {
  if (key === undefined) return [value];
  if (key === "*" && Array.isArray(value)) return value.flatMap((element) => valuesAt(element, rest));
  const inner = member(value, key);
  return inner === undefined ? [] : valuesAt(inner, rest);
}

function reasonToLeave(
  options: GenericOptions,
  asked: Asked,
  offset: number,
  limit: number,
  queryText: string | undefined,
): Bypass | undefined {
  const { leaveAlone, maxLimit } = options;
  for (const reason of LEAVE_REASONS) {
    const met = leaveAlone[reason]?.find((condition) => isMet(condition, asked));
    if (met !== undefined) return leave(reason, met.name);
  }
  const unnamed = unnamedIn(options, asked);
  if (unnamed !== undefined)
    return leave("request_not_understood", `The parameter ${unnamed} sounds like paging or sorting, and is not in the index's generic`);
  if (limit === 0) return leave("size_zero", "No hits are asked for");
  if (queryText === undefined) return leave("no_query_text", "No text under the configured names");
  if (maxLimit !== undefined && offset + limit > maxLimit) return leave("beyond_window", `The engine gives ${maxLimit} hits at once`);
  return undefined;
}

/** Usual names of paging and sorting: if the configuration does not have them, something was forgotten. */
const TELLING =
  /^(?:page|p|pg|from|offset|start|skip|cursor|after|before|limit|size|rows|count|per_?page|page_?size|hits_?per_?page|sort|sorting|sort_?(?:by|order)|order|order_?by)$/i;

/** Parameters of the URL, and members at the root of the body, that the configuration names. */
function namesIn({ offset, page, limit, query, leaveAlone, harmless }: GenericOptions): ReadonlySet<string> {
  const conditions = Object.values(leaveAlone).flatMap((all) => all?.map(({ name }) => name) ?? []);
  const names = [offset, page, limit, ...query, ...conditions, ...harmless].filter((name) => name !== undefined);
  // A parameter of the URL has dots in its name.
  return new Set(names.flatMap((name) => [name, name.split(".", 1)[0] ?? name]));
}

function knownTo({ allowParams, forwardCredentials }: DialectOptions, options: GenericOptions): Rules | undefined {
  if (allowParams === undefined || forwardCredentials === true) return undefined;
  return new Map([...namesIn(options), ...allowParams].map((name) => [name, anything]));
}

function unnamedIn(options: GenericOptions, { params, body }: Asked): string | undefined {
  const known = namesIn(options);
  const given = [...params.map(({ key }) => key), ...Object.keys(body?.values ?? {})];
  return given.find((name) => TELLING.test(name) && !known.has(name));
}

function isMet({ name, unless }: LeaveCondition, asked: Asked): boolean {
  return valuesOf(asked, name).some((value) => isAskedFor(value) && !unless.includes(textOf(value) ?? ""));
}

function isAskedFor(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === "") return false;
  return Array.isArray(value) ? value.length > 0 : !isObject(value) || Object.keys(value).length > 0;
}

function widened({ own, params, body }: Asked, { first, limit }: ReturnType<typeof pagingOf>, size: number): EngineRequest {
  if (body !== undefined) {
    const edits = [...setAt(body, limit, size, true), ...setAt(body, first.name, first.value, false)];
    return { ...own, body: applyEdits(body.text.bytes, edits) };
  }
  const numbers = { [limit]: size, [first.name]: first.value };
  const added = paramOf(params, limit) === undefined ? [`${encodeURIComponent(limit)}=${size}`] : [];
  return { ...own, search: searchOf([...replaceParams(params, numbers), ...added]) };
}

/** `isNeeded`: the member is added where there is none. */
function setAt(body: Body, name: string, number: number, isNeeded: boolean): Edit[] {
  const slot = slotOf(body, name);
  if (!slot.ok) return [];
  if ("value" in slot.value) return [{ ...slot.value.value, text: String(number) }];
  if (!isNeeded) return [];
  const { object, missing } = slot.value;
  const added = missing.reduceRight((inner, key, depth) => {
    const written = `${JSON.stringify(key)}:${inner}`;
    return depth === 0 ? written : `{${written}}`;
  }, String(number));
  const at = object.start + 1;
  return [{ start: at, end: at, text: members(body.text, object).length === 0 ? added : `${added},` }];
}

function identityOf({ params, body }: Asked, paging: ReadonlySet<string>): string {
  if (body === undefined) return JSON.stringify(params.filter(({ key }) => !paging.has(key)).map(({ raw }) => raw));
  const rest = withoutPaging(body.text, body.span, [...paging].map(partsOf));
  return JSON.stringify([params.map(({ raw }) => raw), rest]);
}

/** The members of an object without these, and without objects that hold nothing else. */
function withoutPaging(text: JsonText, object: Span, paths: readonly (readonly string[])[]): string {
  const names = new Set(paths.map(([first]) => first));
  const parts: string[] = [];
  let run: Member[] = [];
  const endRun = () => {
    if (run.length > 0) parts.push(membersText(text, run));
    run = [];
  };
  for (const each of members(text, object)) {
    if (!names.has(each.key)) {
      run.push(each);
      continue;
    }
    endRun();
    const rest = withoutPaging(
      text,
      each.value,
      paths.filter(([first]) => first === each.key).map(([, ...inner]) => inner),
    );
    if (rest !== "") parts.push(`${JSON.stringify(each.key)}:{${rest}}`);
  }
  endRun();
  return parts.join();
}
