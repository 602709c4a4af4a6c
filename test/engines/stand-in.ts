/** What a stand-in of test/search/dialects answers otherwise than its engine, to the requests of the engine's table. Values are the engine's own; their places and kinds count. */
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { type EngineStandIn, NotModelled } from "../search/dialects/stand-in.ts";
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

/** A part of a hit, in the replies of all engines. */
const HIT = /\.(?:hits|docs|children)\[\]\./;

/** As many requests that a stand-in leaves are printed. */
const SHOWN = 12;

/**
 * What the stand-in answers otherwise than the engine, a line for each request, without the parts in `allowed`. Notes how many requests it answers, and
 * those that it leaves by throwing NotModelled.
 */
export async function faultsOf(
  standIn: EngineStandIn,
  shapes: readonly Shape[],
  engine: string,
  allowed: readonly string[] = [],
): Promise<readonly string[]> {
  const faults: string[] = [];
  const left: string[] = [];
  for (const shape of shapes) {
    const asked = requestOf(shape);
    // oxlint-disable-next-line no-await-in-loop
    const [real, given] = await Promise.all([
      fetch(`${engine}${shape.path}`, asked).then(partsOf),
      standIn.answer(new Request(`http://engine${shape.path}`, asked), ITEMS).then(partsOf, (cause: unknown) => {
        if (cause instanceof NotModelled) return undefined;
        return new Set([`status 599, ${String(cause)}`]);
      }),
    ]);
    if (given === undefined) left.push(shape.label);
    else {
      const found = differencesOf(real, given).filter((difference) => !allowed.includes(difference));
      if (found.length > 0) faults.push(`${shape.label}: ${found.join("; ")}`);
    }
  }
  note(
    `the stand-in answers ${shapes.length - left.length - faults.length} of ${shapes.length} requests as the engine, and leaves ${left.length}`,
  );
  for (const label of left.slice(0, SHOWN)) note(`the stand-in leaves ${label.slice(0, 80)}`);
  return faults;
}

function requestOf({ method, body, headers }: Shape): RequestInit {
  const type = body === undefined ? {} : { "content-type": "application/json" };
  return { method: method ?? (body === undefined ? "GET" : "POST"), headers: { ...type, ...headers }, ...(body !== undefined && { body }) };
}

function differencesOf(real: ReadonlySet<string>, given: ReadonlySet<string>): readonly string[] {
  const [[status], [other]] = [[...real], [...given]];
  if (status !== other) return [`${other} instead of ${status}`];
  const hitParts = [...real, ...given].filter((part) => HIT.test(part));
  const haveHits = [real, given].every((parts) => hitParts.some((part) => parts.has(part)));
  // How many documents match is the documents' matter: a page without hits shows no part of one.
  const isAsked = (part: string): boolean => haveHits || !hitParts.some((hit) => hit === part || hit.startsWith(part));
  return [
    ...[...real].filter((part) => !given.has(part) && isAsked(part)).map((part) => `missing: ${part}`),
    ...[...given].filter((part) => !real.has(part) && isAsked(part)).map((part) => `not the engine's: ${part}`),
  ];
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
