/** Hits at positions of their own: the engine's pins, what the query names, the shop's pins and its slots. */
import { isSoldOut } from "./hits.ts";
import { HIDDEN, type IdleReason, note, type Of, type State, touch } from "./state.ts";

/** What no other rule may move: the engine's pins, and what the query names. */
export function fixOwn({ window, tiers, placeBefore, fix }: State): void {
  for (const [hit, { isPinned }] of window.hits.entries()) {
    if (isPinned || (tiers[hit] !== HIDDEN && window.isNamed(hit))) fix(hit, placeBefore[hit]!);
  }
}

export function pin(state: State, { id, action: { items, gap, soldOut } }: Of<"pin">): void {
  const { sorted, hitAt } = presentOf(state, items);
  let closed = 0;
  for (const [i, { id: item, position }] of sorted.entries()) {
    const hit = hitAt[i]!;
    const reason = hit < 0 ? "not_in_window" : unplaceable(state, hit, soldOut);
    if (reason === undefined) {
      putAt(state, id, hit, position - 1 - closed);
      continue;
    }
    note(state, id, item, { reason, by: hit < 0 ? undefined : state.owner[hit] });
    // A hit that stands elsewhere for good is no gap that others could close.
    if (gap === "close") closed++;
  }
}

type Pins = Of<"pin">["action"]["items"];

interface SortedPins {
  readonly sorted: Pins;
  /** Item → its place in `sorted`. */
  readonly placeOf: ReadonlyMap<string, number>;
}

/** Of a rule, as long as its document is there: most searches meet few of its items. */
const sortedPins = new WeakMap<Pins, SortedPins>();

function sortedPinsOf(items: Pins): SortedPins {
  const known = sortedPins.get(items);
  if (known !== undefined) return known;
  const sorted = items.toSorted((a, b) => a.position - b.position);
  const found = { sorted, placeOf: new Map(sorted.map(({ id }, i) => [id, i])) };
  sortedPins.set(items, found);
  return found;
}

/** Parallel to the sorted pins: their hits, -1 where there is none. Looks up whichever are fewer, the items or the hits. */
function presentOf({ window: { hits }, hitOf }: State, items: Pins) {
  const { sorted, placeOf } = sortedPinsOf(items);
  const hitAt = new Int32Array(sorted.length).fill(-1);
  if (sorted.length <= hits.length) for (const [i, { id }] of sorted.entries()) hitAt[i] = hitOf(id) ?? -1;
  else
    for (let hit = hits.length - 1; hit >= 0; hit--) {
      const place = placeOf.get(hits[hit]!.itemId);
      if (place !== undefined) hitAt[place] = hit;
    }
  return { sorted, hitAt };
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
  const { window, fixed, owner, fix } = state;
  const item = window.hits[hit]!.itemId;
  if (slot >= fixed.length) {
    note(state, rule, item, { reason: "beyond_list" });
    return false;
  }
  const section = state.sectionOf(hit);
  if (state.sectionOf(slot) !== section) {
    note(state, rule, item, { reason: "other_section" });
    return false;
  }
  let free = slot;
  while (free < fixed.length && fixed[free] !== -1 && state.sectionOf(free) === section) free++;
  const isFree = free < fixed.length && state.sectionOf(free) === section;
  if (free !== slot) note(state, rule, item, { reason: "place_taken", by: owner[fixed[slot]!] });
  if (!isFree) return false;
  fix(hit, free);
  touch(state, rule, hit);
  return true;
}

export function fillSlots(state: State, { id, action: { positions, ids: ofFeed, soldOut } }: Of<"slots">): void {
  const ids: readonly string[] = ofFeed ?? state.window.slotIds;
  if (ids.length === 0) state.idle.push({ rule: id, reason: "no_ids" });
  const free = positions.toSorted((a, b) => a - b);
  let next = 0;
  for (const item of ids) {
    const position = free[next];
    if (position === undefined) {
      note(state, id, item, { reason: "place_taken" });
      continue;
    }
    const hit = state.hitOf(item);
    const reason = hit === undefined ? "not_in_window" : unplaceable(state, hit, soldOut);
    if (hit === undefined || reason !== undefined) {
      note(state, id, item, { reason: reason ?? "not_in_window", by: hit === undefined ? undefined : state.owner[hit] });
      continue;
    }
    if (!putAt(state, id, hit, position - 1)) continue;
    state.sponsored.push(hit);
    next++;
  }
}
