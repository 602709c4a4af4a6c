/**
 * Which hits a search can reach, where its own figures decide it: windows of retrievers and rescorers, the `k` of nearest neighbours and others
 * that follow the size of the page. A wider request would be another search there.
 */
import type { Edit } from "../json/edits.ts";
import { type Body, type Param, paramOf } from "../json/request.ts";
import { elements, type JsonText, kindOf, members, type Span } from "../json/spans.ts";
import { isObject, type JsonObject, member } from "../json/values.ts";

/** Members and places in lists. */
export type Path = readonly (string | number)[];

export interface Reach {
  /** The most hits that there are, however many the page asks for. */
  readonly most: number;
  /** What is found or counted follows from the size of the page, by this: only the page itself can be re-ranked. */
  readonly pageOnly: string | undefined;
  /** Searches for nearest neighbours that find as many as the page holds. `isTop`: beside the query. */
  readonly neighbours: readonly Neighbours[];
  /** Clauses have names, which hits repeat. */
  readonly hasNames: boolean;
}

export interface Neighbours {
  readonly path: Path;
  readonly isTop: boolean;
  /** Of which there are no more than this. */
  readonly candidates: number;
}

const EVERYTHING = Number.POSITIVE_INFINITY;

/** The engines' own default of all windows. */
const DEFAULT_WINDOW = 10;

/** Sections of `ext` that do not look at the hits. */
const HARMLESS_EXT: ReadonlySet<string> = new Set(["armmt", "ubi"]);

export function reachOf(values: JsonObject | undefined, params: readonly Param[]): Reach {
  const walk: Walk = { neighbours: [], pageOnly: undefined, most: EVERYTHING, hasNames: false };
  for (const name of BY_PAGE) if (isGiven(paramOf(params, name))) walk.pageOnly ??= name;
  if (values === undefined) return walk;
  for (const name of Object.keys(values)) if (!FLAT.has(name)) inValue(values[name], [name], walk);
  const ext = member(values, "ext");
  const section = isObject(ext) ? Object.keys(ext).find((name) => !HARMLESS_EXT.has(name)) : undefined;
  if (section !== undefined) walk.pageOnly ??= `ext.${section}`;
  for (const name of BY_PAGE) if (isGiven(member(values, name))) walk.pageOnly ??= name;
  walk.most = Math.min(walk.most, windowOf(member(values, "retriever")), windowOf(member(values, "rank"), "rank"), learnedWindow(values));
  return walk;
}

/** How many documents are looked at, or what is done with those that were found, goes by their number. */
const BY_PAGE = ["terminate_after", "search_pipeline"] as const;

const isGiven = (value: unknown): boolean => value !== undefined && value !== null && value !== 0 && value !== "0";

/** Hold no query, and may be long. */
const FLAT: ReadonlySet<string> = new Set([
  "_source",
  "fields",
  "docvalue_fields",
  "stored_fields",
  "ext",
  "sort",
  "script_fields",
  "indices_boost",
]);

interface Walk {
  neighbours: Neighbours[];
  pageOnly: string | undefined;
  most: number;
  hasNames: boolean;
}

function inValue(value: unknown, path: Path, walk: Walk): void {
  if (Array.isArray(value)) {
    // Lists of ids are long.
    if (typeof value[0] === "object") value.forEach((each, i) => inValue(each, [...path, i], walk));
    return;
  }
  if (!isObject(value)) return;
  for (const key of Object.keys(value)) {
    const inner = value[key];
    if (key === "_name") walk.hasNames = true;
    else if (key === "terminate_after" && isGiven(inner)) walk.pageOnly ??= key;
    else if (key === "semantic" && isObject(inner)) walk.pageOnly ??= "semantic";
    else if (key === "hybrid" && isObject(inner)) {
      const depth = member(inner, "pagination_depth");
      if (typeof depth === "number") walk.most = Math.min(walk.most, depth);
      else walk.pageOnly ??= "hybrid without pagination_depth";
    }
    if (typeof inner === "object" && inner !== null) inValue(inner, [...path, key], walk);
  }
  const isTop = path[0] === "knn";
  if ((isTop ? path.length <= 2 : path.at(-1) === "knn") && isOfPage(value)) {
    const candidates = member(value, "num_candidates");
    walk.neighbours.push({ path, isTop, candidates: typeof candidates === "number" ? candidates : EVERYTHING });
  }
}

const isOfPage = (knn: JsonObject): boolean =>
  typeof member(knn, "field") === "string" &&
  !Object.hasOwn(knn, "k") &&
  (Object.hasOwn(knn, "query_vector") || Object.hasOwn(knn, "query_vector_builder"));

/** Retrievers that give the hits of another one, or of several, in an order of their own, as far as their window. */
function windowOf(retriever: unknown, parent: string = "retriever"): number {
  if (!isObject(retriever)) return EVERYTHING;
  const [kind = "", options] = Object.entries(retriever)[0] ?? [];
  if (kind === "standard" || kind === "knn") return EVERYTHING;
  if (kind === "rescorer" && parent === "retriever") {
    const rescorers = member(options, "rescore");
    return Math.min(...(Array.isArray(rescorers) ? rescorers : [rescorers]).map((rescorer) => numberOf(member(rescorer, "window_size"))));
  }
  return numberOf(member(options, "rank_window_size") ?? member(options, "window_size"));
}

const numberOf = (value: unknown): number =>
  typeof value === "number" || typeof value === "string" ? Number(value) || DEFAULT_WINDOW : DEFAULT_WINDOW;

/** A learned model must see every hit that is shown. */
function learnedWindow(values: JsonObject): number {
  const rescore = member(values, "rescore");
  const windows = (Array.isArray(rescore) ? rescore : [rescore]).flatMap((one) =>
    member(one, "learning_to_rank") === undefined ? [] : [numberOf(member(one, "window_size"))],
  );
  return Math.min(EVERYTHING, ...windows);
}

/** How many hits a page has whose size is not given. */
export const defaultSizeOf = ({ most }: Reach, values: JsonObject | undefined): number =>
  member(values, "retriever") !== undefined && most < EVERYTHING ? most : DEFAULT_WINDOW;

/** The edits with which searches for neighbours find as many in a wider request. */
export function neighbourEdits(
  body: Body,
  { neighbours }: Reach,
  page: { readonly limit: number; readonly bodySize: number | undefined },
): Edit[] {
  const find = pathFinder(body.text, body.span);
  return neighbours.flatMap(({ path, isTop, candidates }) => {
    const k = isTop ? (page.bodySize ?? DEFAULT_WINDOW) : Math.min(page.limit, candidates);
    const at = find(path);
    return at === undefined ? [] : [insertMember(body.text, at, `"k":${k}`)];
  });
}

/** The first member of an object. */
export function insertMember(text: JsonText, object: Span, written: string): Edit {
  const at = object.start + 1;
  return { start: at, end: at, text: members(text, object).length === 0 ? written : `${written},` };
}

/** Finds values by their paths. Each list and object on the way is read once, because paths can be many. */
export function pathFinder(text: JsonText, from: Span): (path: Path) => Span | undefined {
  const known = new Map<number, ReadonlyMap<string | number, Span>>();
  const partsOf = (at: Span): ReadonlyMap<string | number, Span> => {
    const parts =
      known.get(at.start) ??
      (kindOf(text, at) === "array"
        ? new Map(elements(text, at).entries())
        : new Map(kindOf(text, at) === "object" ? members(text, at).map(({ key, value }) => [key, value]) : []));
    known.set(at.start, parts);
    return parts;
  };
  return (path) => path.reduce<Span | undefined>((at, step) => at && partsOf(at).get(step), from);
}
