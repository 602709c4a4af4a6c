/**
 * How many buckets a request makes Solr set memory aside for: a range facet makes one for each gap between its start and its end, whatever the
 * index holds, and Solr has no bound of its own. Errors are messages.
 */
import type { Param } from "../json/request.ts";
import { paramOf } from "../json/request.ts";
import { isObject, member } from "../json/values.ts";
import { readSection } from "./sections.ts";

/** Why the request's facets are too many; `undefined` where they are not. */
export function tooManyBuckets(params: readonly Param[], maxBuckets: number): string | undefined {
  let buckets = 0;
  for (const { key, value } of params) {
    if (key === "facet.range" || key === "facet.date") buckets += rangeBuckets(params, key, value);
    // Each value of a field with each of the others, whether a document has both or not.
    else if (key.endsWith("facet.pivot.mincount") && Number(value) <= 0) return "facet.pivot.mincount must be 1 or more";
  }
  // A pivot may hold the ranges for each of its values.
  if (params.some(({ key, value }) => key === "facet.pivot" && value.includes("range"))) buckets *= 100;
  buckets += jsonBuckets(params.filter(({ key }) => key.startsWith("json.facet")));
  if (buckets <= maxBuckets) return undefined;
  if (!Number.isFinite(buckets))
    return "The range facets cannot be counted: write start, end and gap as numbers or dates, and JSON without comments";
  const fix = "widen the gap, narrow start and end, or raise REQUEST_LIMITS.buckets";
  return `The facets have ${Math.ceil(buckets)} buckets, more than ${maxBuckets}: ${fix}`;
}

/** `kind`: what its parameters begin with. */
function rangeBuckets(params: readonly Param[], kind: string, value: string): number {
  const section = value.startsWith("{!") ? readSection(value, 2, "}") : undefined;
  if (section?.ok === false) return Number.POSITIVE_INFINITY;
  const local = new Map(section?.value.pairs);
  const given = (name: string): string | undefined => local.get(name) ?? paramOf(params, name);
  const field = local.get("v") ?? value.slice(section?.value.end ?? 0);
  const followed = (text: string | undefined): string | undefined =>
    text?.startsWith("$") === true ? paramOf(params, text.slice(1)) : text;
  const named = (name: string): string | undefined =>
    followed(given(`f.${followed(field)?.trim()}.${kind}.${name}`) ?? given(`${kind}.${name}`));
  return bucketsOf(named("start"), named("end"), named("gap"));
}

/** What Solr refuses has none. */
function bucketsOf(start: unknown, end: unknown, gap: unknown): number {
  if (start === undefined || end === undefined || gap === undefined) return 0;
  const [from, to, step] = [sizeOf(start), sizeOf(end), sizeOf(gap)];
  // Not a number: nobody knows how many there are.
  if (from === undefined || to === undefined || step === undefined) return Number.POSITIVE_INFINITY;
  if (to <= from || step <= 0) return 0;
  return (to - from) / step;
}

const UNITS: ReadonlyMap<string, number> = new Map(
  Object.entries({ YEAR: 365 * 86_400, MONTH: 28 * 86_400, DAY: 86_400, DATE: 86_400, HOUR: 3600, MINUTE: 60, SECOND: 1, MILLI: 0.001 }),
);

/** A number, an amount of money, or date math in seconds. */
function sizeOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  const text = String(value).trim();
  const number = Number(text.replace(/,[A-Z]{3}$/, "").replace(/(?<=\d)[dfDF]$/, ""));
  if (text !== "" && !Number.isNaN(number)) return number;
  const [, date = "", math = ""] = /^(NOW|\d{4}-\d\d-\d\dT[\d:.]+Z|)((?:[-+]\d+[A-Z]+|\/[A-Z]+)*)$/.exec(text) ?? [];
  if (date === "" && math === "") return undefined;
  let seconds = date === "" ? 0 : (date === "NOW" ? Date.now() : Date.parse(date)) / 1000;
  for (const [, sign, count, unit = ""] of math.matchAll(/([-+])(\d+)([A-Z]+)/g)) {
    const size = [...UNITS].find(([name]) => unit.startsWith(name))?.[1];
    if (size === undefined) return undefined;
    seconds += (sign === "-" ? -1 : 1) * Number(count) * size;
  }
  return Number.isFinite(seconds) ? seconds : undefined;
}

/** Facets of the JSON API: what stands inside of another one is there for each of its buckets. */
function jsonBuckets(params: readonly Param[]): number {
  if (!params.some(({ key, value }) => value.includes("gap") || /\bgap$/.test(key) || value.includes("\\"))) return 0;
  if (params.some(({ key }) => key !== "json.facet")) return roughBuckets(params);
  let buckets = 0;
  for (const { value } of params) {
    const parsed = parse(value);
    if (!isObject(parsed)) return roughBuckets(params);
    buckets += insideOf(parsed);
  }
  return buckets;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Facets inside of each other; nobody asks for as many. */
const MAX_DEPTH = 30;

/** `depth`: of the facets that they are inside of. */
function insideOf(facets: object, depth = 0): number {
  if (depth > MAX_DEPTH) return Number.POSITIVE_INFINITY;
  return Object.values(facets).reduce<number>((sum, facet) => sum + jsonFacetBuckets(facet, depth), 0);
}

/** As `{type: "range", …}` or `{range: {…}}`. */
function jsonFacetBuckets(facet: unknown, depth: number): number {
  if (!isObject(facet)) return 0;
  if (member(facet, "type") === undefined) {
    const [only] = Object.values(facet);
    if (Object.keys(facet).length === 1 && isObject(only)) return jsonFacetBuckets({ type: Object.keys(facet)[0], ...only }, depth);
  }
  const limit = member(facet, "limit");
  const isTerms = member(facet, "type") === "terms";
  const own =
    member(facet, "gap") === undefined
      ? isTerms && typeof limit === "number"
        ? limit
        : 1
      : bucketsOf(member(facet, "start"), member(facet, "end"), member(facet, "gap"));
  const inner = member(facet, "facet");
  return Math.max(0, own) * (1 + (isObject(inner) ? insideOf(inner, depth + 1) : 0));
}

/** For JSON in Solr's looser way of writing: the widest range by the smallest gap. */
function roughBuckets(params: readonly Param[]): number {
  let [from, to, gap, ranges] = [0, 0, Number.POSITIVE_INFINITY, 0];
  const note = (name: string, text: string): void => {
    // Not a number stays none.
    const size = sizeOf(text.replaceAll(/^["']|["']$/g, "")) ?? Number.NaN;
    if (name === "start") from = Math.min(from, size);
    else if (name === "end") to = Math.max(to, size);
    else {
      gap = Math.min(gap, size);
      ranges++;
    }
  };
  for (const { key, value } of params) {
    const named = /\.(start|end|gap)$/.exec(key)?.[1];
    if (named !== undefined) note(named, value);
    // Comments and escapes could stand inside of names.
    if (/\/\*|\/\/|#|\\/.test(value)) return Number.POSITIVE_INFINITY;
    for (const [, name = "", text = ""] of value.matchAll(/\b(start|end|gap)["']?\s*[:=]\s*("[^"]*"|'[^']*'|[^,}\s]+)/g)) note(name, text);
  }
  if (ranges === 0) return 0;
  const buckets = ((to - from) / Math.max(gap, 0)) * ranges;
  return Number.isNaN(buckets) ? Number.POSITIVE_INFINITY : buckets;
}
