/** What a stand-in of test/search/dialects answers otherwise than its engine, to the requests of the engine's table. Values are the engine's own; their places and kinds count. */
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import type { EngineStandIn } from "../search/dialects/stand-in.ts";
import { note } from "./figures.ts";
import type { Shape } from "./judge.ts";

const ITEMS = drawCatalogue()
  .slice(0, 45)
  .map(({ id, title, price }) => ({ id, title, price }));

/** What stands below these follows from the documents and from the request. */
const CONTENTS: ReadonlySet<string> = new Set(
  (
    "_source aggregations suggest highlight fields docs highlighting facet_counts stats params grouped spellcheck moreLikeThis " +
    "_explanation inner_hits performanceDetails metadata facetsByIndex facetDistribution facetStats _geo _formatted _matchesPosition _rankingScoreDetails"
  ).split(" "),
);

/** Of the members of a hit that do not begin with an underscore: those that are no field of the document. */
const HIT_PARTS: ReadonlySet<string> = new Set(["highlight", "fields", "sort"]);

/** A part of a hit, in the replies of Elasticsearch and Solr. */
const HIT = /\.(?:hits|docs)\[\]\./;

const hasHits = (parts: ReadonlySet<string>): boolean => [...parts].some((part) => HIT.test(part));

/** As many are printed. */
const SHOWN = 30;

/** Kind of a difference → the labels of the requests that have it. */
export type Differences = ReadonlyMap<string, readonly string[]>;

export async function differencesOf(standIn: EngineStandIn, shapes: readonly Shape[], engine: string): Promise<Differences> {
  const differences = new Map<string, string[]>();
  for (const { label, method, path, body, headers } of shapes) {
    const sent = method ?? (body === undefined ? "GET" : "POST");
    const type = body === undefined ? {} : { "content-type": "application/json" };
    const init = { method: sent, headers: { ...type, ...headers }, ...(body !== undefined && { body }) };
    // oxlint-disable-next-line no-await-in-loop
    const [real, given] = await Promise.all([
      fetch(`${engine}${path}`, init).then(partsOf),
      standIn
        .answer(new Request(`http://engine${path}`, init), ITEMS)
        .catch((cause: unknown) => new Response(String(cause), { status: 599 }))
        .then(partsOf),
    ]);
    const [status, other] = [real, given].map((parts) => [...parts][0]);
    if (status !== other) {
      add(`${other} instead of ${status}`, label);
      continue;
    }
    // How many documents match is the documents' matter: a page without hits shows no part of one.
    const isAsked = (part: string): boolean => !HIT.test(part) || (hasHits(real) && hasHits(given));
    for (const part of [...real].filter((one) => !given.has(one) && isAsked(one))) add(`missing: ${part}`, label);
    for (const part of [...given].filter((one) => !real.has(one) && isAsked(one))) add(`not the engine's: ${part}`, label);
  }
  return differences;

  function add(kind: string, label: string): void {
    differences.set(kind, [...(differences.get(kind) ?? []), label]);
  }
}

/** Prints them; returns those of the first request, an ordinary search. */
export function noteDifferences(differences: Differences, shapes: readonly Shape[]): readonly string[] {
  const requests = new Set([...differences.values()].flat());
  note(`the stand-in differs from the engine in ${requests.size} of ${shapes.length} requests, in ${differences.size} ways`);
  const kinds = [...differences].toSorted(([, a], [, b]) => b.length - a.length);
  for (const [kind, labels] of kinds.slice(0, SHOWN)) note(`stand-in: ${kind} (${labels.length}, such as ${labels[0]?.slice(0, 60)})`);
  const ordinary = shapes[0]?.label ?? "";
  return kinds.filter(([, labels]) => labels.includes(ordinary)).map(([kind]) => kind);
}

/** Status, content type, and the place and kind of each value. */
async function partsOf(response: Response): Promise<ReadonlySet<string>> {
  const text = await response.text();
  const parts = new Set([`status ${response.status}`]);
  // Versions of one engine write the charset or not.
  parts.add(`content-type: ${response.headers.get("content-type")?.split(";")[0]}`);
  try {
    addParts(JSON.parse(text), "", parts);
  } catch {
    parts.add("no JSON");
  }
  return parts;
}

function addParts(value: unknown, path: string, parts: Set<string>): void {
  if (Array.isArray(value)) {
    parts.add(`${path}[]`);
    addParts(value[0], `${path}[]`, parts);
  } else if (typeof value === "object" && value !== null) {
    for (const [name, inner] of Object.entries(value)) {
      if (path.endsWith(".hits[]") && !name.startsWith("_") && !HIT_PARTS.has(name)) continue;
      parts.add(`${path}.${name}`);
      if (!CONTENTS.has(name)) addParts(inner, `${path}.${name}`, parts);
    }
  }
}
