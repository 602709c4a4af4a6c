/**
 * The order of one window and the rules that a search has called up → the order to show, which rule moved which hit, and why a rule did nothing.
 *
 * What is stronger has the last word: hide; the engine's own pins; hits that the query names by id; pins; slots; last; cap; diversify; bury and
 * boost; the order as it was. Between rules of one kind, the one that match.ts puts first. A hit never leaves its section, and nothing is added, lost or
 * doubled, unless a rule drops what it hides. Pure, and once per window: all pages cut from it agree.
 */
import { boosted, capped, diversified } from "./arrange.ts";
import type { Rule, RuleAction } from "./document.ts";
import { fixOwn, fillSlots, pin } from "./fixed.ts";
import { fitsHit } from "./hits.ts";
import type { MatchedRule } from "./match.ts";
import { HIDDEN, type Idle, LAST, note, type Of, placesIn, type RuleWindow, type State, stateOf, touch } from "./state.ts";

export interface Ruled {
  /** Indices of the window's hits; fewer only where a rule drops what it hides. */
  readonly order: readonly number[];
  /** Rules that changed something, in the order of precedence. */
  readonly applied: readonly string[];
  readonly idle: readonly Idle[];
  /** Hit → the rules that say where it stands. */
  readonly movedBy: ReadonlyMap<number, readonly string[]>;
  /** Hits whose place a rule promises: all that it has a say about, but for boost and bury, which promise a number of places only. */
  readonly held: ReadonlySet<number>;
  /** Hits in slots: sponsored. */
  readonly slots: readonly number[];
  /** The first hits of the window whose places follow from each other, so that no two of them may be swapped: a cap counts them. */
  readonly counted: number;
}

export function applyRules(matched: readonly MatchedRule[], window: RuleWindow): Ruled {
  const state = stateOf(window);
  const kinds = sortOut(matched, state);
  for (const rule of kinds.hide) hide(state, rule);
  fixOwn(state);
  for (const rule of kinds.pin) pin(state, rule);
  for (const rule of kinds.slots) fillSlots(state, rule);
  for (const rule of kinds.last) moveLast(state, rule);
  moveByPlaces(state, kinds.boost, kinds.bury);
  const rest = window.order.filter((hit) => !state.isFixed(hit));
  let queue = byBlock(state, boosted(rest, state.places, state.blockOf));
  for (const rule of kinds.diversify) queue = diversify(state, rule, queue);
  const order = fill(state, kinds.cap, queue);
  return settle(state, matched, order);
}

function sortOut(matched: readonly MatchedRule[], { window, idle }: State) {
  const kinds: { readonly [Kind in RuleAction["do"]]: Of<Kind>[] } = {
    hide: [],
    pin: [],
    slots: [],
    last: [],
    cap: [],
    diversify: [],
    bury: [],
    boost: [],
  };
  for (const { rule } of matched) {
    const { id, action } = rule;
    if (window.isSorted && !(action.do === "last" && action.underSort === true)) idle.push({ rule: id, reason: "sorted" });
    else if (!window.isFromTop && NEEDS_TOP.has(action.do)) idle.push({ rule: id, reason: "not_first_page" });
    else put(kinds, rule);
  }
  return kinds;
}

/** They count positions of the whole list. */
const NEEDS_TOP: ReadonlySet<RuleAction["do"]> = new Set<RuleAction["do"]>(["pin", "slots", "cap", "diversify"]);

/** One branch per kind, so that each list has its own type. */
function put(kinds: { readonly [Kind in RuleAction["do"]]: Of<Kind>[] }, { id, action }: Rule): void {
  if (action.do === "hide") kinds.hide.push({ id, action });
  else if (action.do === "pin") kinds.pin.push({ id, action });
  else if (action.do === "slots") kinds.slots.push({ id, action });
  else if (action.do === "last") kinds.last.push({ id, action });
  else if (action.do === "cap") kinds.cap.push({ id, action });
  else if (action.do === "diversify") kinds.diversify.push({ id, action });
  else if (action.do === "bury") kinds.bury.push({ id, action });
  else kinds.boost.push({ id, action });
}

/** The hits that a rule's conditions fit, in the order before. Says so where there are none. */
function fittingOf(state: State, { id, action: { match } }: Of<"hide"> | Of<"last"> | Of<"boost"> | Of<"bury">): readonly number[] {
  const { window, idle, hitOf } = state;
  const hits = window.order.filter((hit) => fitsHit(match, window.hits[hit]!.itemId, (field) => window.valuesOf(hit, field)));
  if (hits.length > 0) return hits;
  const fields = match.flatMap((one) => ("field" in one ? [one.field] : []));
  const unknown = fields.length > 0 && window.order.every((hit) => fields.some((field) => window.valuesOf(hit, field).length === 0));
  const absent = match.some((one) => "ids" in one && one.ids.every((itemId) => hitOf(itemId) === undefined));
  idle.push({ rule: id, reason: absent ? "not_in_window" : unknown ? "no_value_known" : "no_hit_fits" });
  return hits;
}

function hide(state: State, rule: Of<"hide">): void {
  const { window, tiers, owner, drops } = state;
  for (const hit of fittingOf(state, rule)) {
    const item = window.hits[hit]!.itemId;
    if (window.hits[hit]!.isPinned) note(state, rule.id, item, { reason: "engine_pin" });
    else if (tiers[hit] === HIDDEN) note(state, rule.id, item, { reason: "lost", by: owner[hit] });
    else {
      tiers[hit] = HIDDEN;
      touch(state, rule.id, hit);
      if (rule.action.drop !== true) continue;
      if (window.mayDrop) drops.add(hit);
      else note(state, rule.id, item, { reason: "counted_by_total" });
    }
  }
}

function moveLast(state: State, rule: Of<"last">): void {
  const { tiers, isFixed, window, owner } = state;
  const free: number[] = [];
  const fitting = fittingOf(state, rule);
  for (const hit of fitting) {
    if (tiers[hit] === 0 && !isFixed(hit)) free.push(hit);
    else note(state, rule.id, window.hits[hit]!.itemId, lostTo(state, hit, owner[hit]));
  }
  for (const hit of free) {
    tiers[hit] = LAST;
    touch(state, rule.id, hit);
  }
}

function lostTo({ window, tiers, isFixed }: State, hit: number, by: string | undefined): Pick<Idle, "reason" | "by"> {
  if (window.hits[hit]!.isPinned) return { reason: "engine_pin" };
  if (tiers[hit] === HIDDEN) return { reason: "hidden", by };
  return isFixed(hit) && by === undefined ? { reason: "named_by_query" } : { reason: "lost", by };
}

/** Bury wins over boost, and of two rules the first one: places are not added up. */
function moveByPlaces(state: State, boosts: readonly Of<"boost">[], buries: readonly Of<"bury">[]): void {
  const { places, isFixed, tiers, window, owner } = state;
  for (const rule of [...buries, ...boosts]) {
    const sign = rule.action.do === "bury" ? -1 : 1;
    for (const hit of fittingOf(state, rule)) {
      if (isFixed(hit) || tiers[hit] === HIDDEN || places[hit] !== 0)
        note(state, rule.id, window.hits[hit]!.itemId, lostTo(state, hit, owner[hit]));
      else {
        places[hit] = sign * rule.action.places;
        touch(state, rule.id, hit);
      }
    }
  }
}

/** Sections, and within them what is last and what is hidden. Stable. */
function byBlock({ blockOf }: State, queue: readonly number[]): readonly number[] {
  for (let i = 1; i < queue.length; i++)
    if (blockOf(queue[i]!) < blockOf(queue[i - 1]!)) return queue.toSorted((a, b) => blockOf(a) - blockOf(b));
  return queue;
}

function diversify(
  state: State,
  { id, action: { first, by = "both", relevance = 0.7 } }: Of<"diversify">,
  queue: readonly number[],
): readonly number[] {
  const { window, fixed, idle, blockOf } = state;
  const likeness = window.likeness(by);
  if (likeness === undefined) {
    idle.push({ rule: id, reason: "no_vectors" });
    return queue;
  }
  if (state.diversifiedBy !== undefined) {
    idle.push({ rule: id, reason: "lost", by: state.diversifiedBy });
    return queue;
  }
  state.diversifiedBy = id;
  const top = fixed.subarray(0, first);
  const seen = [...top].filter((hit) => hit >= 0);
  const changed = diversified(queue, { count: top.length - seen.length, seen, blockOf, likeness, relevance });
  const moved = changed.filter((hit, i) => hit !== queue[i]);
  if (moved.length === 0) idle.push({ rule: id, reason: "already_so" });
  for (const hit of moved) touch(state, id, hit);
  return changed;
}

function fill(state: State, caps: readonly Of<"cap">[], queue: readonly number[]): readonly number[] {
  const { window, fixed, blockOf, idle } = state;
  if (caps.length === 0) {
    let next = 0;
    return Array.from(fixed, (hit) => (hit >= 0 ? hit : queue[next++]!));
  }
  const limits = caps.map(({ id, action: { field, most, first } }) => ({ id, field, most, first }));
  const filled = capped({ fixed, queue, blockOf, limits, valuesOf: window.valuesOf });
  for (const [i, { id, field }] of limits.entries()) {
    for (const hit of filled.demoted[i]!) touch(state, id, hit);
    if (filled.isBroken[i] === true) idle.push({ rule: id, reason: "too_few_others" });
    else if (filled.demoted[i]!.length === 0) {
      const isUnknown = window.order.every((hit) => window.valuesOf(hit, field).length === 0);
      idle.push({ rule: id, reason: isUnknown ? "no_value_known" : "already_so" });
    }
  }
  return filled.order;
}

function settle(
  { touched, placeBefore, idle, sponsored, drops, window: { hits: all } }: State,
  matched: readonly MatchedRule[],
  filled: readonly number[],
): Ruled {
  const order = drops.size === 0 ? filled : filled.filter((hit) => !drops.has(hit));
  const placeAfter = placesIn(filled, all.length);
  const applied: string[] = [];
  const movedBy = new Map<number, string[]>();
  const held = new Set<number>();
  for (const { rule } of matched) {
    const hits = touched.get(rule.id);
    if (hits === undefined) continue;
    const isMoved = hits.some((hit) => placeAfter[hit] !== placeBefore[hit] || drops.has(hit));
    if (isMoved || rule.action.do === "slots") applied.push(rule.id);
    else idle.push({ rule: rule.id, reason: "already_so" });
    const isFirm = rule.action.do !== "boost" && rule.action.do !== "bury";
    for (const hit of hits) {
      if (isFirm) held.add(hit);
      const list = movedBy.get(hit);
      if (list === undefined) movedBy.set(hit, [rule.id]);
      else if (!list.includes(rule.id)) list.push(rule.id);
    }
  }
  const counted = Math.max(0, ...matched.map(({ rule: { action } }) => (action.do === "cap" ? Math.min(action.first, filled.length) : 0)));
  return { order, applied, idle, movedBy, held, slots: sponsored, counted };
}
