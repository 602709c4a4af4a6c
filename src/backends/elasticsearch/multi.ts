/** `_msearch` of Elasticsearch and OpenSearch: lines of JSON, a header (which may be empty) before each body. */
import { err, ok, type Result } from "../../result.ts";
import type { ClientRequest, EngineRequest, Refusal, RequestPlan } from "../dialect.ts";
import { applyEdits, type Edit, searchOf } from "../json/edits.ts";
import { forAll, leftToEngine, planSeveral } from "../json/plan.ts";
import { type PartReader, refusedPart } from "../json/reply.ts";
import { bodyOf, type Param, unreadable } from "../json/request.ts";
import { numberAt, rawText, type Span } from "../json/spans.ts";
import { member } from "../json/values.ts";
import { limitsOf, tooManySearches } from "../limits.ts";
import { readHeader, strangeInParams, strangeType } from "./allowed.ts";
import { MULTI_PARAMS } from "./members.ts";
import { type AskedSearch, partReader, readSearch, type SearchedIndex } from "./search.ts";

/** No index and no alias can have this name: the engine says, in its own words, that there is none. */
const NO_INDEX = "not_configured#";

interface Line extends AskedSearch {
  readonly line: Span;
  /** Of the header, where it is written anew. */
  readonly header: Edit | undefined;
}

export interface Several {
  readonly path: string;
  readonly pathIndex: string | undefined;
  readonly params: readonly Param[];
  readonly find: (name: string) => Result<SearchedIndex, Refusal>;
}

/** Errors: a request that cannot be sent on. */
export function planSearches(request: ClientRequest, { path, pathIndex, params, find }: Several): Result<RequestPlan, Refusal> {
  const { lines, rest } = pairsOf(request.body);
  if (lines.length === 0 || lines.length % 2 === 1) {
    return unreadable(`The body has ${lines.length} lines: send a header line and a body line for each search`);
  }
  const limits = limitsOf(request);
  if (lines.length / 2 > limits.searches) return tooManySearches(lines.length / 2, limits);
  const inUrl = searchOf(params.map(({ raw }) => raw));
  const searches: (Line | undefined)[] = [];
  const unknown: { readonly at: number; readonly error: Refusal; readonly edits: readonly Edit[] }[] = [];
  for (let i = 0; i < lines.length; i += 2) {
    const [top, line] = [lines[i]!, lines[i + 1]!];
    const header = headerAt(request.body, top);
    if (!header.ok) return unreadable(`Line ${i + 1}: ${header.error}`);
    // Null is not left out: engines do not take the index of the path then, but fail.
    const inHeader = member(header.value?.values, "index");
    const named = inHeader === undefined ? pathIndex : inHeader;
    const [only, ...more] = Array.isArray(named) ? named : [named];
    if (typeof only !== "string" || more.length > 0) return unreadable(`Line ${i + 1}: name one index, as text`);
    const found = find(only);
    if (!found.ok) {
      const isIgnored = String(member(header.value?.values, "ignore_unavailable")) === "true";
      const text = JSON.stringify(isIgnored ? { index: NO_INDEX, ignore_unavailable: true } : { index: NO_INDEX });
      const edits = [
        { ...top, text },
        { ...line, text: "{}" },
      ];
      unknown.push({ at: searches.length, error: found.error, edits });
      searches.push(undefined);
      continue;
    }
    const { own } = found.value;
    const strange = own !== undefined ? (strangeInParams(params, MULTI_PARAMS) ?? strangeType(request)) : undefined;
    if (strange !== undefined) return unreadable(strange);
    const anew = own !== undefined ? readHeader(header.value?.values ?? {}) : undefined;
    if (anew?.ok === false) return unreadable(`Line ${i + 1}: ${anew.error}`);
    // Which page is in the body alone; of the parameters, only those of the reply concern a search.
    const asked = readSearch(found.value, {
      params: params.filter(({ key }) => key === "format" || key === "filter_path"),
      search: request.search,
      bytes: request.body.slice(line.start, line.end),
      accept: request.accept,
      isPart: true,
    });
    if (!asked.ok) return unreadable(`Line ${i + 2}: ${asked.error}`);
    const written = header.value === undefined ? "" : rawText(header.value.text, header.value.span);
    const plan = forAll(asked.value.plan, `${inUrl}\n${written}`);
    const readPart = statusReader(searches.length + 1, asked.value.readPart);
    searches.push({ ...asked.value, plan, line, header: anew && { ...top, text: anew.value }, readPart });
  }
  const dangling = rest === undefined ? ok(undefined) : headerAt(request.body, rest);
  if (!dangling.ok) return unreadable(`Line ${lines.length + 1}: ${dangling.error}`);
  const known = searches.find((search) => search !== undefined);
  if (known === undefined) return err(unknown[0]!.error);
  const left = {
    plan: leftToEngine(known.plan.index, "Names an index that is not configured"),
    readPart: statusReader(
      0,
      partReader(() => ok(undefined)),
    ),
  };
  const write = (sizes: readonly (number | undefined)[]): EngineRequest => {
    const edits = searches.flatMap((search, i): Edit[] => {
      if (search === undefined) return [];
      const body = { ...search.line, text: search.write(sizes[i]).body ?? "{}" };
      return search.header === undefined ? [body] : [search.header, body];
    });
    const others = unknown.flatMap((one) => one.edits);
    const end = rest === undefined ? [] : [{ start: rest.start, end: request.body.length, text: "" }];
    return { method: "POST", path, search: inUrl, body: applyEdits(request.body, [...edits, ...others, ...end]) };
  };
  return ok(
    planSeveral(
      searches.map((search) => search ?? left),
      write([]),
      "responses",
      write,
    ),
  );
}

/** A line of nothing but space is an empty header. */
function headerAt(bytes: Uint8Array, { start, end }: Span) {
  const line = bytes.slice(start, end);
  return bodyOf(line.every((byte) => byte <= 0x20) ? new Uint8Array() : line);
}

/** Each search of `_msearch` has its own status. */
function statusReader(position: number, readPart: PartReader): PartReader {
  return (text, from) => {
    const status = numberAt(text, ["status"], from);
    if (status !== undefined && status >= 300) return refusedPart(text, from, status, `Search ${position} of the request: ${status}`);
    return readPart(text, from);
  };
}

/**
 * Headers and bodies, in turn. Engines read over a last header without a body, an empty line above all. Of an empty first line one says that
 * it is none, another that it is an empty header: the first where the lines are even without it.
 */
function pairsOf(bytes: Uint8Array): { readonly lines: readonly Span[]; readonly rest: Span | undefined } {
  const lines = linesOf(bytes);
  const isOdd = (): boolean => lines.length % 2 === 1 && lines.length > 1;
  let rest: Span | undefined;
  if (isEmpty(lines.at(-1)) && (isOdd() || (isEmpty(lines[0]) && lines.length > 2))) rest = lines.pop();
  if (isOdd() && isEmpty(lines[0])) lines.shift();
  if (isOdd()) rest = lines.pop();
  return { lines, rest };
}

const isEmpty = (line: Span | undefined): boolean => line !== undefined && line.start === line.end;

/** Lines without their ends; no empty one after the last line end. */
function linesOf(bytes: Uint8Array): Span[] {
  const lines: Span[] = [];
  let start = 0;
  while (start < bytes.length) {
    const found = bytes.indexOf(0x0a, start);
    const end = found < 0 ? bytes.length : found;
    lines.push({ start, end });
    start = end + 1;
  }
  return lines;
}
