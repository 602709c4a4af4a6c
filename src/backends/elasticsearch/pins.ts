/**
 * Hits that a shop puts on top by a boost that no text can reach, the only way where an engine has no `pinned` query: clauses for ids, or for
 * anything but text. A wider request names those clauses, so that hits say which of them they match.
 */
import type { Edit } from "../json/edits.ts";
import type { Body } from "../json/request.ts";
import { find, type JsonText, kindOf, members, rawText, readString, type Span, elements } from "../json/spans.ts";
import { isObject, type JsonObject, member } from "../json/values.ts";
import { insertMember, type Path, pathFinder } from "./reach.ts";

/** What a clause adds to a score at least, to be a pin, and how many times a text's boost. */
const MIN_BOOST = 1000;
const TIMES_TEXT = 100;

const MAX_DEPTH = 30;

/** The name of pins that have none of their own. */
const NAME = "armmt-pin";

/** In hits: the names of clauses that they match. */
export const MATCHED = "matched_queries";

interface Boosted {
  readonly boost: number;
  readonly path: Path;
  readonly name: string | undefined;
  /** A filter, which may have no room for a name. */
  readonly isFilter: boolean;
}

export interface Pins {
  readonly clauses: readonly Boosted[];
  readonly names: ReadonlySet<string>;
}

/** Clauses that give all of their hits one score. */
const CONSTANT: ReadonlySet<string> = new Set(["ids", "terms", "constant_score", "range", "exists"]);

const TEXT: ReadonlySet<string> = new Set([
  "match",
  "match_phrase",
  "match_phrase_prefix",
  "match_bool_prefix",
  "multi_match",
  "combined_fields",
  "query_string",
  "simple_query_string",
]);

/** Clause → members that hold clauses which add to the score. */
const SCORED: readonly (readonly [string, readonly string[]])[] = [
  ["bool", ["must", "should"]],
  ["dis_max", ["queries"]],
  ["function_score", ["query"]],
  ["script_score", ["query"]],
  ["boosting", ["positive"]],
  ["pinned", ["organic"]],
  ["rule", ["organic"]],
];

/** `undefined` where nothing is pinned. */
export function pinsOf(values: JsonObject | undefined): Pins | undefined {
  const found: { clauses: Boosted[]; text: number } = { clauses: [], text: 1 };
  inQuery(member(values, "query"), ["query"], 1, found, 0);
  const standard = member(member(values, "retriever"), "standard");
  if (standard !== undefined) inQuery(member(standard, "query"), ["retriever", "standard", "query"], 1, found, 0);
  const least = Math.max(MIN_BOOST, TIMES_TEXT * found.text);
  const clauses = found.clauses.filter(({ boost }) => boost >= least);
  return clauses.length === 0 ? undefined : { clauses, names: new Set(clauses.map(({ name }) => name ?? NAME)) };
}

const boostOf = (value: unknown, name: string = "boost"): number => {
  const boost = member(value, name);
  return boost === undefined ? 1 : Number(boost) || 0;
};

function inQuery(query: unknown, path: Path, boost: number, found: { clauses: Boosted[]; text: number }, depth: number): void {
  if (!isObject(query) || depth > MAX_DEPTH) return;
  for (const [clause, options] of Object.entries(query)) {
    const own = boost * boostOf(options);
    if (TEXT.has(clause)) {
      const [condition] = Object.values(Object(options));
      found.text = Math.max(found.text, own, boost * boostOf(condition));
    } else if (CONSTANT.has(clause) && !isText(member(options, "filter"))) {
      found.clauses.push({ boost: own, path: [...path, clause], name: nameOf(options), isFilter: false });
    } else if (clause === "term" && Object.hasOwn(Object(options), "_id")) {
      const condition = member(options, "_id");
      found.clauses.push({ boost: boost * boostOf(condition), path: [...path, clause, "_id"], name: nameOf(condition), isFilter: false });
    }
    if (clause === "function_score") functionsIn(options, [...path, clause], own, found);
  }
  for (const [clause, keys] of SCORED) {
    const wrapper = member(query, clause);
    if (wrapper === undefined) continue;
    const own = boost * boostOf(wrapper);
    for (const key of keys) {
      const inner = member(wrapper, key);
      if (Array.isArray(inner)) inner.forEach((each, i) => inQuery(each, [...path, clause, key, i], own, found, depth + 1));
      else inQuery(inner, [...path, clause, key], own, found, depth + 1);
    }
  }
}

const isText = (filter: unknown): boolean => isObject(filter) && Object.keys(filter).some((clause) => TEXT.has(clause));

function functionsIn(options: unknown, path: Path, boost: number, { clauses }: { clauses: Boosted[] }): void {
  const functions = member(options, "functions");
  if (!Array.isArray(functions)) return;
  functions.forEach((one: unknown, i) => {
    const filter = member(one, "filter");
    if (!isObject(filter)) return;
    const [inner] = Object.values(filter);
    clauses.push({ boost: boost * boostOf(one, "weight"), path: [...path, "functions", i, "filter"], name: nameOf(inner), isFilter: true });
  });
}

function nameOf(options: unknown): string | undefined {
  const name = member(options, "_name");
  return typeof name === "string" ? name : undefined;
}

/** The edits that give pins a name; `undefined` where one of them takes none. */
export function nameEdits(body: Body, { clauses }: Pins): Edit[] | undefined {
  const edits: Edit[] = [];
  const findAt = pathFinder(body.text, body.span);
  const name = `"_name":${JSON.stringify(NAME)}`;
  for (const clause of clauses) {
    if (clause.name !== undefined) continue;
    const at = findAt(clause.path);
    if (at === undefined || kindOf(body.text, at) !== "object") return undefined;
    if (!clause.isFilter) edits.push(insertMember(body.text, at, name));
    else {
      edits.push({ start: at.start, end: at.start, text: `{"bool":{"filter":[` }, { start: at.end, end: at.end, text: `],${name}}}` });
    }
  }
  return edits;
}

/** Whether all pins are named by the client, whose hits tell anyhow. */
export const isNamed = ({ clauses }: Pins): boolean => clauses.every(({ name }) => name !== undefined);

/** Whether a hit says that it matches a pin. */
export function isPinnedBy(text: JsonText, hit: Span, { names }: Pins): boolean {
  const found = find(text, hit, MATCHED);
  if (!found.ok || found.value === undefined) return false;
  const at = found.value;
  if (kindOf(text, at) === "object") return members(text, at).some(({ key }) => names.has(key));
  return elements(text, at).some((element) => names.has(readString(text, element) ?? rawText(text, element)));
}
