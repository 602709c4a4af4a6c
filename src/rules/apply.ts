/**
 * The order of one window and the rules that a search has called up → the order to show, which rule moved which hit, and why a rule did nothing.
 *
 * What is stronger has the last word: hide; the engine's own pins; hits that the query names by id; pins; slots; last; cap; diversify; bury and
 * boost; the order as it was. Between rules of one kind, the one that match.ts puts first. A hit never leaves its section, and nothing is added, lost or
 * doubled, unless a rule drops what it hides. Pure, and once per window: all pages cut from it agree.
 */
import { boosted, capped, diversified } from "./arrange.ts";
import type { Rule, RuleAction, Value } from "./document.ts";
import type { MatchedRule } from "./match.ts";
import { fitsHit, isSoldOut } from "./hits.ts";

export interface RuleHit {
  readonly itemId: string;
  readonly isPinned: boolean;
  /** Of the engine's list; never falling. */
  readonly section?: number | undefined;
}

export interface RuleWindow {
  /** In the engine's order. */
  readonly hits: readonly RuleHit[];
  /** Indices of `hits` in the order to be changed. */
  readonly order: readonly number[];
  /** The query names this hit by its id. */
  readonly isNamed: (hit: number) => boolean;
  /** Folded texts, numbers, true or false; none where nothing is known. */
  readonly valuesOf: (hit: number, field: string) => readonly Value[];
  /** 0 (nothing in common) to 1; `undefined` where the hits have no vectors to compare. */
  readonly likeness: (by: "picture" | "text" | "both") => ((a: number, b: number) => number) | undefined;
  /** Ids that the request wants in slots. */
  readonly slotIds: readonly string[];
  /** The shopper sorts. */
  readonly isSorted: boolean;
  /** The window is the beginning of the list, so its positions are those of the list. */
  readonly isFromTop: boolean;
  /** No total counts the hits, and the window is all of them. */
  readonly mayDrop: boolean;
}

/** Why a rule, or a part of it, did nothing. */
export type IdleReason =
  | "already_so"
  | "no_hit_fits"
  | "no_value_known"
  | "not_in_window"
  | "beyond_list"
  | "sorted"
  | "not_first_page"
  | "sold_out"
  | "hidden"
  | "engine_pin"
  | "named_by_query"
  | "other_section"
  | "place_taken"
  | "lost"
  | "too_few_others"
  | "no_vectors"
  | "no_ids"
  | "counted_by_total";

export interface Idle {
  readonly rule: string;
  readonly reason: IdleReason;
  /** One item of the rule; without it, the whole rule. */
  readonly item?: string | undefined;
  /** The rule that won. */
  readonly by?: string | undefined;
}

export interface Ruled {
  /** Indices of the window's hits; fewer only where a rule drops what it hides. */
  readonly order: readonly number[];
  /** Rules that changed something, in the order of precedence. */
  readonly applied: readonly string[];
  readonly idle: readonly Idle[];
  /** Hit → the rules that say where it stands. */
  readonly movedBy: ReadonlyMap<number, readonly string[]>;
  /** Hits in slots: sponsored. */
  readonly slots: readonly number[];
  /** The first hits of the window whose places follow from each other, so that no two of them may be swapped: a cap counts them. */
  readonly counted: number;
}

/** A hit's tier within its section: what is last comes after the rest, what is hidden after that. */
const LAST = 1;
const HIDDEN = 2;

type Action<Kind extends RuleAction["do"]> = Extract<RuleAction, { readonly do: Kind }>;
interface Of<Kind extends RuleAction["do"]> {
  readonly id: string;
  readonly action: Action<Kind>;
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

interface State {
  readonly window: RuleWindow;
  /** Of each hit, in the order before. */
  readonly placeBefore: Int32Array;
  readonly tiers: Uint8Array;
  /** Slot → its hit; -1 while it is free. */
  readonly fixed: Int32Array;
  readonly isFixed: (hit: number) => boolean;
  readonly fix: (hit: number, slot: number) => void;
  readonly sectionOf: (hit: number) => number;
  /** Hits of one block may change places with each other by the weaker rules. */
  readonly blockOf: (hit: number) => number;
  readonly places: Int32Array;
  readonly hitOf: (itemId: string) => number | undefined;
  /** By rule: the hits that it has a say about. */
  readonly touched: Map<string, number[]>;
  readonly owner: (string | undefined)[];
  readonly idle: Idle[];
  readonly sponsored: number[];
  readonly drops: Set<number>;
  /** The rule that has chosen by likeness. */
  diversifiedBy: string | undefined;
}

function stateOf(window: RuleWindow): State {
  const { hits, order } = window;
  const placeBefore = placesIn(order, hits.length);
  const fixed = new Int32Array(hits.length).fill(-1);
  const isFixed = new Uint8Array(hits.length);
  const tiers = new Uint8Array(hits.length);
  const sectionOf = (hit: number): number => hits[hit]!.section ?? 0;
  let byId: ReadonlyMap<string, number> | undefined;
  return {
    window,
    placeBefore,
    tiers,
    fixed,
    isFixed: (hit) => isFixed[hit] === 1,
    fix: (hit, slot) => {
      fixed[slot] = hit;
      isFixed[hit] = 1;
    },
    sectionOf,
    blockOf: (hit) => sectionOf(hit) * 3 + tiers[hit]!,
    places: new Int32Array(hits.length),
    hitOf: (itemId) => (byId ??= hitsById(hits)).get(itemId),
    touched: new Map(),
    owner: [],
    idle: [],
    sponsored: [],
    drops: new Set(),
    diversifiedBy: undefined,
  };
}

function hitsById(hits: readonly RuleHit[]): ReadonlyMap<string, number> {
  const byId = new Map<string, number>();
  for (let hit = 0; hit < hits.length; hit++) byId.set(hits[hit]!.itemId, hit);
  return byId;
}

/** Hit → its place. */
function placesIn(order: readonly number[], count: number): Int32Array {
  const places = new Int32Array(count);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  return places;
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

function touch({ touched, owner }: State, rule: string, hit: number): void {
  const list = touched.get(rule);
  if (list === undefined) touched.set(rule, [hit]);
  else list.push(hit);
  owner[hit] ??= rule;
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
  const { window, tiers, idle, owner, drops } = state;
  for (const hit of fittingOf(state, rule)) {
    const item = window.hits[hit]!.itemId;
    if (window.hits[hit]!.isPinned) idle.push({ rule: rule.id, reason: "engine_pin", item });
    else if (tiers[hit] === HIDDEN) idle.push({ rule: rule.id, reason: "lost", item, by: owner[hit] });
    else {
      tiers[hit] = HIDDEN;
      touch(state, rule.id, hit);
      if (rule.action.drop !== true) continue;
      if (window.mayDrop) drops.add(hit);
      else idle.push({ rule: rule.id, reason: "counted_by_total", item });
    }
  }
}

/** What no other rule may move: the engine's pins, and what the query names. */
function fixOwn({ window, tiers, placeBefore, fix }: State): void {
  for (const [hit, { isPinned }] of window.hits.entries()) {
    if (isPinned || (tiers[hit] !== HIDDEN && window.isNamed(hit))) fix(hit, placeBefore[hit]!);
  }
}

function pin(state: State, { id, action: { items, gap, soldOut } }: Of<"pin">): void {
  let closed = 0;
  for (const { id: item, position } of items.toSorted((a, b) => a.position - b.position)) {
    const hit = state.hitOf(item);
    const reason = hit === undefined ? "not_in_window" : unplaceable(state, hit, soldOut);
    if (hit === undefined || reason !== undefined) {
      state.idle.push({ rule: id, item, reason: reason ?? "not_in_window", by: hit === undefined ? undefined : state.owner[hit] });
      // A hit that stands elsewhere for good is no gap that others could close.
      if (gap === "close") closed++;
      continue;
    }
    putAt(state, id, hit, position - 1 - closed);
  }
}

/** Why a hit cannot be put anywhere. */
function unplaceable({ window, tiers, isFixed, owner }: State, hit: number, soldOut: "yield" | "stay" | undefined): IdleReason | undefined {
  if (window.hits[hit]!.isPinned) return "engine_pin";
  if (tiers[hit] === HIDDEN) return "hidden";
  if (isFixed(hit)) return owner[hit] === undefined ? "named_by_query" : "lost";
  return soldOut !== "stay" && isSoldOut(window.valuesOf(hit, "inStock")) ? "sold_out" : undefined;
}

/** To `slot`, or to the next free one of its section. False where there is none. */
function putAt(state: State, rule: string, hit: number, slot: number): boolean {
  const { window, fixed, idle, owner, fix } = state;
  const item = window.hits[hit]!.itemId;
  if (slot >= fixed.length) {
    idle.push({ rule, item, reason: "beyond_list" });
    return false;
  }
  const section = state.sectionOf(hit);
  if (state.sectionOf(slot) !== section) {
    idle.push({ rule, item, reason: "other_section" });
    return false;
  }
  let free = slot;
  while (free < fixed.length && fixed[free] !== -1 && state.sectionOf(free) === section) free++;
  const isFree = free < fixed.length && state.sectionOf(free) === section;
  if (free !== slot) idle.push({ rule, item, reason: "place_taken", by: owner[fixed[slot]!] });
  if (!isFree) return false;
  fix(hit, free);
  touch(state, rule, hit);
  return true;
}

function fillSlots(state: State, { id, action: { positions, ids: ofFeed, soldOut } }: Of<"slots">): void {
  const ids: readonly string[] = ofFeed ?? state.window.slotIds;
  if (ids.length === 0) state.idle.push({ rule: id, reason: "no_ids" });
  const free = positions.toSorted((a, b) => a - b);
  let next = 0;
  for (const item of ids) {
    const position = free[next];
    if (position === undefined) {
      state.idle.push({ rule: id, item, reason: "place_taken" });
      continue;
    }
    const hit = state.hitOf(item);
    const reason = hit === undefined ? "not_in_window" : unplaceable(state, hit, soldOut);
    if (hit === undefined || reason !== undefined) {
      state.idle.push({ rule: id, item, reason: reason ?? "not_in_window", by: hit === undefined ? undefined : state.owner[hit] });
      continue;
    }
    if (!putAt(state, id, hit, position - 1)) continue;
    state.sponsored.push(hit);
    next++;
  }
}

function moveLast(state: State, rule: Of<"last">): void {
  const { tiers, isFixed, idle, window, owner } = state;
  const free: number[] = [];
  const fitting = fittingOf(state, rule);
  for (const hit of fitting) {
    if (tiers[hit] === 0 && !isFixed(hit)) free.push(hit);
    else idle.push({ rule: rule.id, item: window.hits[hit]!.itemId, ...lostTo(state, hit, owner[hit]) });
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
  const { places, isFixed, tiers, idle, window, owner } = state;
  for (const rule of [...buries, ...boosts]) {
    const sign = rule.action.do === "bury" ? -1 : 1;
    for (const hit of fittingOf(state, rule)) {
      if (isFixed(hit) || tiers[hit] === HIDDEN || places[hit] !== 0)
        idle.push({ rule: rule.id, item: window.hits[hit]!.itemId, ...lostTo(state, hit, owner[hit]) });
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
  for (const { rule } of matched) {
    const hits = touched.get(rule.id);
    if (hits === undefined) continue;
    const isMoved = hits.some((hit) => placeAfter[hit] !== placeBefore[hit] || drops.has(hit));
    if (isMoved || rule.action.do === "slots") applied.push(rule.id);
    else idle.push({ rule: rule.id, reason: "already_so" });
    for (const hit of hits) {
      const list = movedBy.get(hit);
      if (list === undefined) movedBy.set(hit, [rule.id]);
      else if (!list.includes(rule.id)) list.push(rule.id);
    }
  }
  const counted = Math.max(0, ...matched.map(({ rule: { action } }) => (action.do === "cap" ? Math.min(action.first, filled.length) : 0)));
  return { order, applied, idle, movedBy, slots: sponsored, counted };
}
