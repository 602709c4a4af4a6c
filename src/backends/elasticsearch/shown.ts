/**
 * What a search lets be seen of its hits: whether their ids can be read, and what a wider request asks for besides so that the edge sees scores
 * and signs of missing hits, whatever the client wants to see. The reply loses it again.
 */
import { type Bypass, err, ok, type Result } from "../../result.ts";
import { leave } from "../json/plan.ts";
import { type Param, paramOf } from "../json/request.ts";
import { isObject, type JsonObject, member } from "../json/values.ts";
import { matches } from "../wildcard.ts";

export interface Shown {
  /** Where the id is, if not where the index has it. */
  readonly idField: string | undefined;
  /** `filter_path` of a wider request; `undefined` for the client's own. */
  readonly filterPath: string | undefined;
  /** Members of hits that only the wider request has. */
  readonly unasked: ReadonlySet<string>;
  /** Members of the reply that only the wider request has. */
  readonly cut: readonly (readonly string[])[];
  /** An empty list of hits is not written, nor what holds nothing else. */
  readonly dropsEmpty: boolean;
}

const NOTHING: ReadonlySet<string> = new Set();
const AS_ASKED: Shown = { idField: undefined, filterPath: undefined, unasked: NOTHING, cut: [], dropsEmpty: false };

/** Errors: no wider request could show the ids. `isPart`: of a request with several searches, where it is not asked for more. */
export function shownOf(params: readonly Param[], values: JsonObject | undefined, idField: string, isPart: boolean): Result<Shown, Bypass> {
  const id = idSeen(params, values, idField);
  if (id === undefined) return err(leave("request_not_understood", `The fields that are asked for leave out ${idField}`));
  const filter = paramOf(params, "filter_path") ?? "";
  if (filter.split(",").some((pattern) => pattern.trim().endsWith("."))) return err(leave("request_not_understood", POINTS));
  const shown = filter === "" ? ok(AS_ASKED) : filtered(filter, id, isPart ? "responses." : "");
  return shown.ok && id !== idField ? ok({ ...shown.value, idField: id }) : shown;
}

const POINTS = "filter_path ends in a point, which OpenSearch reads over and Elasticsearch does not";

const textsOf = (value: unknown): readonly string[] =>
  (Array.isArray(value) ? value : [value]).flatMap((one: unknown) => {
    if (typeof one === "string") return one.split(",");
    const field = member(one, "field");
    return typeof field === "string" ? [field] : [];
  });

/** The field in which the id is; `undefined` where the request leaves it out. */
function idSeen(params: readonly Param[], values: JsonObject | undefined, idField: string): string | undefined {
  const [root = "", ...rest] = idField.split(".");
  const inner = rest.join(".");
  const given = (name: string): unknown => paramOf(params, name) ?? member(values, name);
  const stored = textsOf(given("stored_fields")).map((field) => field.trim());
  if (root === "_id") {
    if (!stored.includes("_none_")) return idField;
    return textsOf(given("docvalue_fields")).includes("_id") ? "fields._id" : undefined;
  }
  if (root === "fields") {
    const asked = ["fields", "docvalue_fields", "stored_fields"].flatMap((name) => textsOf(given(name)));
    const scripted = [member(values, "script_fields")].flatMap((fields) => (isObject(fields) ? Object.keys(fields) : []));
    return [...asked, ...scripted].some((pattern) => matches(pattern.trim(), inner)) ? idField : undefined;
  }
  if (root !== "_source") return idField;
  if (given("stored_fields") !== undefined && given("_source") === undefined && !stored.includes("_source")) return undefined;
  return isInSource(params, member(values, "_source"), inner) ? idField : undefined;
}

function isInSource(params: readonly Param[], inBody: unknown, field: string): boolean {
  const [source, includes, excludes] = ["_source", "_source_includes", "_source_excludes"].map((name) => paramOf(params, name));
  if (source !== undefined || includes !== undefined || excludes !== undefined) {
    if (source === "false") return false;
    const listed = includes ?? (source === "true" || source === "" ? undefined : source);
    return isIncluded(field, listed === undefined ? [] : listed.split(","), excludes?.split(",") ?? []);
  }
  if (inBody === false || inBody === "false") return false;
  if (!isObject(inBody)) return isIncluded(field, inBody === undefined || inBody === true || inBody === "true" ? [] : textsOf(inBody), []);
  const [included, excluded] = [
    ["includes", "include"],
    ["excludes", "exclude"],
  ].map((names) => names.flatMap((name) => (member(inBody, name) === undefined ? [] : textsOf(member(inBody, name)))));
  return isIncluded(field, included ?? [], excluded ?? []);
}

function isIncluded(field: string, includes: readonly string[], excludes: readonly string[]): boolean {
  const holds = (pattern: string): boolean => matches(pattern, field) || prefixesOf(field).some((prefix) => matches(pattern, prefix));
  return (includes.length === 0 || includes.some(holds)) && !excludes.some(holds);
}

function prefixesOf(path: string): readonly string[] {
  const steps = path.split(".");
  return steps.slice(1).map((_, i) => steps.slice(0, i + 1).join("."));
}

/** Members of the reply by which it says that it is not whole, and how many hits there are. */
const SIGNS: readonly string[] = ["timed_out", "terminated_early", "_shards", "_clusters", "hits.total"];
const SCORE = "hits.hits._score";

type Cover = "whole" | "part" | "none";

/** How much of what is at a path a pattern of `filter_path` names. */
function coverOf(pattern: readonly string[], path: readonly string[]): Cover {
  const shared = Math.min(pattern.length, path.length);
  for (let i = 0; i < shared; i++) if (!matches(pattern[i]!, path[i]!)) return "none";
  return pattern.length <= path.length ? "whole" : "part";
}

const UNSEEN = err(leave("request_not_understood", "filter_path leaves out what the edge needs to see"));

/** Each search of a request is looked at with all of them. */
const MOST_PATTERNS = 100;

function filtered(filter: string, idField: string, before: string): Result<Shown, Bypass> {
  const patterns = filter.split(",").map((pattern) => pattern.trim());
  if (patterns.length > MOST_PATTERNS || patterns.some((pattern) => pattern.includes("**") || pattern.endsWith("\\"))) return UNSEEN;
  const excluded = patterns.filter((pattern) => pattern.startsWith("-"));
  const included = patterns.filter((pattern) => !pattern.startsWith("-") && pattern !== "");
  const steps = included.map((pattern) => pattern.split("."));
  const coverBy = (path: string): Cover => {
    if (steps.length === 0) return "whole";
    const covers = steps.map((pattern) => coverOf(pattern, `${before}${path}`.split(".")));
    return covers.includes("whole") ? "whole" : covers.includes("part") ? "part" : "none";
  };
  if (coverBy("hits.hits") === "none") return err(leave("size_zero", "filter_path leaves out the hits"));
  const needed = [`hits.hits.${idField}`, SCORE, ...SIGNS];
  const added: string[] = [];
  const dropped = new Set<string>();
  const hidden: string[] = [];
  for (const path of needed) {
    const against = excluded.filter((pattern) => coverOf(pattern.slice(1).split("."), `${before}${path}`.split(".")) !== "none");
    if (against.some((pattern) => pattern !== `-${path}`)) return UNSEEN;
    const cover = coverBy(path);
    if (cover === "part" && !SIGNS.includes(path)) return UNSEEN;
    if (against.length > 0) dropped.add(`-${path}`);
    if (cover === "none") added.push(path);
    if (cover === "none" || against.length > 0) hidden.push(path);
  }
  if (before !== "" && (hidden.length > 0 || coverBy("status") !== "whole" || coverBy("hits.hits") !== "whole")) return UNSEEN;
  const inHits = hidden.filter((path) => path.startsWith("hits.hits.")).map((path) => path.slice("hits.hits.".length));
  // An id inside of an object whose other members are shown cannot be cut out as one member.
  const [idRoot = ""] = idField.split(".");
  const nested = inHits.find((path) => path.includes("."));
  if (nested !== undefined && coverBy(`hits.hits.${idRoot}`) !== "none") return UNSEEN;
  return ok({
    idField: undefined,
    filterPath: hidden.length === 0 ? undefined : [...included, ...added, ...excluded.filter((pattern) => !dropped.has(pattern))].join(","),
    unasked: new Set(inHits.map((path) => path.split(".")[0]!)),
    cut: hidden.filter((path) => !path.startsWith("hits.hits.")).map((path) => path.split(".")),
    dropsEmpty: coverBy("hits.hits") !== "whole",
  });
}
