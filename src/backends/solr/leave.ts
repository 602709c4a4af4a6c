/** Which searches keep Solr's order, by their parameters: those of the request, and those that the handler's configuration adds to them. */
import type { Bypass } from "../../result.ts";
import { leave } from "../json/plan.ts";
import { type Param, paramOf } from "../json/request.ts";
import { textOf } from "../json/values.ts";
import { sectionsIn } from "./sections.ts";

/** As Solr reads it: by its beginning, in any case. */
export const isOn = (value: string | undefined): boolean => /^(?:true|on|yes)/i.test(value ?? "");

/** Solr's default writer writes JSON. */
const WRITERS: ReadonlySet<string> = new Set(["", "json", "standard", "default", "javabin"]);

/** Components that add something for each hit of the page, or group the page: for a wider page that is another answer, and can take seconds. */
const BY_HIT = ["expand", "mlt", "tv", "clustering"];

/** Of the JSON request API, what stands beside the hits. */
const BESIDE_HITS = /^json\.(?:nl|facet)(?:\.|$)/;

/** Searches whose page cannot be cut from a wider reply. */
export function reasonNotToWiden(params: readonly Param[], idField: string): Bypass | undefined {
  const format = paramOf(params, "wt") ?? "";
  if (!WRITERS.has(format)) return leave("request_not_understood", `The reply is asked for as "${format}", not as JSON or javabin`);
  if (paramOf(params, "json.wrf") !== undefined) return leave("request_not_understood", "The reply is asked for as a script (json.wrf)");
  if (params.some(({ key }) => key === "json" || (key.startsWith("json.") && !BESIDE_HITS.test(key)))) {
    return leave("request_not_understood", "Parameters of the JSON request API");
  }
  if (paramOf(params, "cursorMark") !== undefined) return leave("cursor", "cursorMark");
  const byHit = BY_HIT.find((name) => isOn(paramOf(params, name)));
  if (byHit !== undefined) return leave("grouped", byHit);
  if (params.some(isDebug)) return leave("request_not_understood", "debug explains each hit");
  if (paramOf(params, "minExactCount") !== undefined) return leave("request_not_understood", "minExactCount: the count follows rows");
  for (const { key, value } of params) {
    if (key !== "fl") continue;
    if (value.includes("subquery")) return leave("request_not_understood", "[subquery] asks once more for each hit");
    if (value.includes("[child")) return leave("request_not_understood", "[child] shows documents that get the edge's fields too");
    const taken = ["score", idField].find((name) => value.split(/[\s,]+/).some((field) => field.startsWith(`${name}:`)));
    if (taken !== undefined) return leave("request_not_understood", `fl gives the name ${taken} to another field`);
  }
  return undefined;
}

const isDebug = ({ key, value }: Param): boolean =>
  key === "debug" || (["debugQuery", "debug.explain.structured"].includes(key) && isOn(value)) || key === "explainOther";

/** Searches that are ordered by something else than relevance. */
export function reasonToKeepOrder(params: readonly Param[]): Bypass | undefined {
  if (!isByScore(params)) return leave("explicit_sort", "sort");
  if (isOn(paramOf(params, "group"))) return leave("grouped", "group");
  return params.some(({ value }) => value.includes("collapse") && hasCollapse(value)) ? leave("grouped", "collapse") : undefined;
}

/** By relevance, whatever breaks its ties, and behind fields in which a filter leaves one value. */
function isByScore(params: readonly Param[]): boolean {
  const sort = textOf(paramOf(params, "sort"));
  if (sort === undefined) return true;
  const filters = new Set(params.filter(({ key }) => key === "fq").map(({ value }) => value.trim()));
  for (const key of sort.split(",")) {
    const [field = "", direction = "", ...more] = key.trim().split(/\s+/);
    if (more.length > 0) return false;
    if (field === "score") return direction.toLowerCase() === "desc";
    if (!/^[\w-]+$/.test(field) || !["true", "false", "1", "0"].some((value) => filters.has(`${field}:${value}`))) return false;
  }
  return false;
}

/** Wherever it stands: a filter may hold it, or name the parameter that does. */
function hasCollapse(value: string): boolean {
  for (const section of sectionsIn(value, "{!", "}")) {
    // What cannot be read may be anything.
    if (!section.ok || section.value.pairs.some(([name, type]) => name === "type" && type === "collapse")) return true;
  }
  return false;
}
