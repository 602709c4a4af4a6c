/**
 * What Meilisearch says of hits only where it is asked for details: pins of dynamic search rules, ranking rules that sort by an attribute before
 * they look at the words, hits that a search out of time did not rank, and which hits the words' meaning has found.
 */
import type { Bypass } from "../../result.ts";
import { leave } from "../json/plan.ts";
import type { HitList } from "../json/reply.ts";
import { type JsonText, members, numberAt, rawText, type Span, spanAt } from "../json/spans.ts";

/** Parameter of a request → the member of a hit that it asks for. The edge asks for both. */
export const MARKS: ReadonlyMap<string, string> = new Map([
  ["showRankingScore", "_rankingScore"],
  ["showRankingScoreDetails", "_rankingScoreDetails"],
]);

const DETAILS = "_rankingScoreDetails";

export const hasDetails = (text: JsonText, hit: Span): boolean => spanAt(text, [DETAILS], hit) !== undefined;

export const isPinned = (text: JsonText, hit: Span): boolean => spanAt(text, [DETAILS, "pin"], hit) !== undefined;

/** By its meaning, not by its words. */
export const isSemantic = (text: JsonText, hit: Span): boolean => spanAt(text, [DETAILS, "vectorSort"], hit) !== undefined;

/** Names of details that are no rule about words: `price:asc`, `_geoPoint(…):asc`. */
const BY_ATTRIBUTE = /:(?:asc|desc)$|^<hidden-rule-/;

/** Of an attribute that says whether a product can be had, say. */
const FLAG = /^(?:true|false|0|1|null)$/;

/** The reason to keep the engine's order, or sections within which it may change: where the first ranking rule sorts by a flag. */
export function readOrder(
  text: JsonText,
  { slots, hits }: Pick<HitList, "slots" | "hits">,
): { readonly bypass?: Bypass; readonly sections?: readonly number[] } {
  const sections: number[] = [];
  let before: string | undefined;
  let isSorted = false;
  for (const [i, slot] of slots.entries()) {
    const details = spanAt(text, [DETAILS], slot);
    if (details === undefined) return {};
    const rules = members(text, details);
    if (rules.some(({ key }) => key === "skipped")) {
      return { bypass: { reason: "engine_incomplete", detail: "The search was cut off before all hits were ranked (searchCutoffMs)" } };
    }
    sections.push(sections.at(-1) ?? 0);
    if (hits[i]?.isPinned === true) continue;
    const first = rules.find(({ value }) => numberAt(text, ["order"], value) === 0);
    if (first === undefined || !BY_ATTRIBUTE.test(first.key)) continue;
    isSorted = true;
    const at = spanAt(text, ["value"], first.value);
    const value = at === undefined ? "null" : rawText(text, at);
    if (!FLAG.test(value)) return { bypass: leave("explicit_sort", `The ranking rules of the index begin with ${first.key}`) };
    if (before !== undefined && before !== value) sections[i]!++;
    before = value;
  }
  return isSorted ? { sections } : {};
}
