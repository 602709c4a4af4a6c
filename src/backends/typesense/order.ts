/**
 * The order that a search of Typesense asks for, and the one that its reply has: by relevance, by relevance among what is in stock first, or by
 * something else, which a curation may say without the request showing it.
 */
import type { Bypass } from "../../result.ts";
import { leave } from "../json/plan.ts";
import type { HitList } from "../json/reply.ts";
import { type JsonText, kindOf, numberAt, rawText, spanAt } from "../json/spans.ts";

/** `sort_by` whose first key leaves the order to relevance. */
const BY_RELEVANCE = /^\s*(?:_text_match\s*(?:\([^)]*\)\s*)?:\s*desc|_vector_distance\s*(?:\([^)]*\)\s*)?:\s*asc)\s*(?:,|$)/i;

/** The text's score and nothing before it: no buckets, in which another key decides. */
const BY_SCORE = /^\s*_text_match\s*:\s*desc\s*(?:,|$)/i;

/** `_eval(in_stock:true):desc`, `_eval(stock:>0):desc`, and relevance behind it, which the engine adds where nothing is. */
const FLAG_FIRST =
  /^\s*_eval\(\s*([\w.]+)\s*:\s*(?:=\s*)?(?:(true|false)|(>=?)\s*(\d+))\s*\)\s*:\s*desc\s*(?:$|,\s*_text_match\s*(?:\([^)]*\)\s*)?:\s*desc\s*(?:,|$))/i;

/** What a list is sorted by before relevance. */
export interface Flag {
  /** Of the document. */
  readonly field: string;
  readonly isMet: (value: string) => boolean;
}

export interface SortOrder {
  readonly flag?: Flag;
  /** The text's score never rises from hit to hit. */
  readonly isByScore: boolean;
}

/** `undefined` for an order by something other than relevance. */
export function readSort(sortBy: string | undefined): SortOrder | undefined {
  if (sortBy === undefined || BY_RELEVANCE.test(sortBy)) return { isByScore: sortBy === undefined || BY_SCORE.test(sortBy) };
  const [, field, truth, comparison, number] = FLAG_FIRST.exec(sortBy) ?? [];
  if (field === undefined) return undefined;
  const isMet = (value: string): boolean => {
    if (truth !== undefined) return value === truth.toLowerCase();
    return comparison === ">=" ? Number(value) >= Number(number) : Number(value) > Number(number);
  };
  return { flag: { field, isMet }, isByScore: false };
}

/** Why the engine's order must stay, or the sections within which it may change. */
export function readOrder(
  text: JsonText,
  { slots, hits }: Pick<HitList, "slots" | "hits">,
  { flag, isByScore }: SortOrder,
): { readonly bypass?: Bypass; readonly sections?: readonly number[] } {
  if (isByScore) {
    let before = Number.POSITIVE_INFINITY;
    for (const [i, slot] of slots.entries()) {
      const score = hits[i]?.isPinned === true ? undefined : numberAt(text, ["text_match"], slot);
      if (score === undefined) continue;
      if (score > before) return { bypass: leave("explicit_sort", "The hits are not sorted by text_match: a curation sorts them, say") };
      before = score;
    }
  }
  if (flag === undefined) return {};
  const path = ["document", ...flag.field.split(".")];
  const sections: number[] = [];
  let isSeen = false;
  for (const [i, slot] of slots.entries()) {
    const at = spanAt(text, path, slot);
    isSeen ||= at !== undefined;
    const last = sections.at(-1) ?? 0;
    const isScalar = at !== undefined && kindOf(text, at) !== "array" && kindOf(text, at) !== "object";
    const section = isScalar && flag.isMet(rawText(text, at)) ? 0 : 1;
    if (hits[i]?.isPinned !== true && section < last) return { bypass: leave("explicit_sort", `The hits are not sorted by ${flag.field}`) };
    sections.push(hits[i]?.isPinned === true ? last : section);
  }
  return isSeen ? { sections } : { bypass: leave("explicit_sort", `No document shows ${flag.field}, by which the list is sorted first`) };
}
