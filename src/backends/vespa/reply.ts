/** Vespa's reply: hits, groups and errors in one list, or in one list per source. */
import { bypass, type Bypass, err, ok, type Result } from "../../result.ts";
import type { Hit } from "../dialect.ts";
import { cutMember, type Edit, refill } from "../json/edits.ts";
import { leave } from "../json/plan.ts";
import { joinBytes } from "../../web.ts";
import { type HitReader, readHits, type ReplyPart } from "../json/reply.ts";
import {
  elements,
  find,
  findAt,
  isTrueAt,
  type JsonText,
  type Member,
  members,
  numberAt,
  rawText,
  readString,
  type Span,
  spanAt,
} from "../json/spans.ts";

/** `offset`: of the page that is cut out. */
export function partAt(text: JsonText, from: Span, readHit: HitReader, offset: number): Result<ReplyPart, Bypass> {
  const found = findAt(text, ["root"], from);
  if (!found.ok) return bypass("reply_not_search", found.error.message);
  const root = found.value;
  if (root === undefined) return bypass("reply_not_search", "The reply has no root");
  if (spanAt(text, ["relevance"], root) === undefined) return bypass("reply_not_search", "The reply has no root.relevance");
  const siblings = members(text, root);
  const index = siblings.findIndex(({ key }) => key === "children");
  const incomplete = incompleteOf(text, root);
  const isLimited = isTrueAt(text, ["coverage", "degraded", "match-phase"], root);
  // Where the match phase ends early, the total is an estimate.
  const total = isLimited ? undefined : numberAt(text, ["fields", "totalCount"], root);
  // Without hits there are no children.
  if (index < 0) return ok({ hits: [], total, bypass: incomplete, edits: () => [] });
  const children = siblings[index]!.value;
  const listed = elements(text, children);
  const sources = listed.filter((child) => isOf(text, child, "source:"));
  if (sources.length > 0) return ok(sourcesPart(text, sources));
  let unknown: string | undefined;
  const read = readHits(text, ["children"], root, (_, slot) => {
    if (isOf(text, slot, "group:")) return ok(undefined);
    if (spanAt(text, ["children"], slot) !== undefined) return err("a list of its own");
    const hit = readHit(text, slot);
    if (hit.ok && !hit.value?.itemId.startsWith(UNFILLED)) return hit;
    // Known well enough to cut the page out.
    unknown ??= hit.ok ? "Vespa's own id, index:…, because documentid is not among the fields: select it, or set idField" : hit.error;
    const id = find(text, slot, "id");
    const itemId = id.ok && id.value !== undefined ? readString(text, id.value) : undefined;
    return itemId === undefined ? hit : ok({ itemId, score: undefined, isPinned: false, values: undefined });
  });
  if (!read.ok) return read;
  const { array, slots, hits } = read.value;
  const left =
    incomplete ?? (unknown === undefined ? orderOf(hits) : { reason: "reply_not_search" as const, detail: `A hit has ${unknown}` });
  const edits = (order: readonly number[]): readonly Edit[] => {
    if (order.length === 0 && slots.length === listed.length) return slots.length === 0 ? [] : [cutMember(siblings, index)];
    const before = slots.length < listed.length && offset > 0;
    return before ? rebuilt(text, array, { listed, slots, order, offset }) : refill(text, array, slots, order);
  };
  return ok({ hits, total, bypass: left, edits });
}

/** What stands in an id for a document of which no field was asked for that names it. */
const UNFILLED = "index:";

function isOf(text: JsonText, child: Span, prefix: string): boolean {
  const id = spanAt(text, ["id"], child);
  return id !== undefined && readString(text, id)?.startsWith(prefix) === true;
}

/** A match phase that ends early is the application's design, and nothing is missing that a smaller page would hold. */
function incompleteOf(text: JsonText, root: Span): Bypass | undefined {
  const errors = findAt(text, ["errors"], root);
  if (!errors.ok || errors.value !== undefined) return leave("engine_incomplete", "The reply has root.errors");
  const full = spanAt(text, ["coverage", "full"], root);
  if (full === undefined || rawText(text, full) !== "false") return undefined;
  const degraded = spanAt(text, ["coverage", "degraded"], root);
  const reasons = degraded === undefined ? [] : members(text, degraded).filter(({ value }) => rawText(text, value) === "true");
  if (reasons.length === 1 && reasons[0]?.key === "match-phase") return undefined;
  const named = reasons.map(({ key }) => key).join(", ") || "unknown reasons";
  return leave("engine_incomplete", `root.coverage is not full: ${named}`);
}

/** Hits of one relevance, or of growing ones, are in another order: one of the application's query profile. */
function orderOf(hits: readonly Hit[]): Bypass | undefined {
  let isFalling = false;
  for (let i = 1; i < hits.length; i++) {
    const [before, score] = [hits[i - 1]!.score, hits[i]!.score];
    if (before === undefined || score === undefined) return undefined;
    if (score > before) return leave("explicit_sort", "The hits are not in the order of their relevance");
    if (score < before) isFalling = true;
  }
  return isFalling || hits.length < 2 ? undefined : leave("explicit_sort", "All hits have the same relevance: another order was asked for");
}

/**
 * Groups stand among the hits by their relevance. A page has them before its first hit where all hits that come before them are on earlier
 * pages.
 */
function rebuilt(
  { bytes }: JsonText,
  array: Span,
  {
    listed,
    slots,
    order,
    offset,
  }: { readonly listed: readonly Span[]; readonly slots: readonly Span[]; readonly order: readonly number[]; readonly offset: number },
): Edit[] {
  const isHit = new Set(slots.map(({ start }) => start));
  const shown = order.map((pick) => slots[pick]!);
  let hitsBefore = 0;
  let others = 0;
  for (const child of listed) {
    if (isHit.has(child.start)) hitsBefore++;
    else shown.splice(others++ + Math.min(order.length, Math.max(0, hitsBefore - offset)), 0, child);
  }
  const [first, second] = listed;
  const between = first === undefined || second === undefined ? new Uint8Array() : bytes.subarray(first.end, second.start);
  const parts = shown.flatMap(({ start, end }, i) => (i === 0 ? [bytes.subarray(start, end)] : [between, bytes.subarray(start, end)]));
  const inner = { start: listed[0]?.start ?? array.start + 1, end: listed.at(-1)?.end ?? array.end - 1 };
  return [{ ...inner, text: joinBytes(parts) }];
}

/** Lists of sources that are not blended: each has its own page of hits, so all keep the engine's order. */
function sourcesPart(text: JsonText, sources: readonly Span[]): ReplyPart {
  const lists = sources.flatMap((source) => {
    const siblings = members(text, source);
    const at = siblings.findIndex(({ key }) => key === "children");
    const children = siblings[at];
    return children === undefined ? [] : [{ siblings, at, array: children.value, slots: hitsIn(text, children) }];
  });
  const longest = Math.max(0, ...lists.map(({ slots }) => slots.length));
  const hits = Array.from({ length: longest }, (_, i): Hit => ({
    itemId: String(i),
    score: undefined,
    isPinned: false,
    values: undefined,
  }));
  const edits = (order: readonly number[]): Edit[] =>
    lists.flatMap(({ siblings, at, array, slots }) => {
      const picks = order.filter((pick) => pick < slots.length);
      return picks.length === 0 && slots.length > 0 ? [cutMember(siblings, at)] : refill(text, array, slots, picks);
    });
  return { hits, bypass: leave("federated", "The reply has one list per source"), edits };
}

function hitsIn(text: JsonText, { value }: Member): readonly Span[] {
  return elements(text, value).filter((child) => !isOf(text, child, "group:"));
}
