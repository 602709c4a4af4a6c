/** What the kinds of rules share while one window is arranged: who stands where already, which rule has a say about which hit, what did nothing. */
import type { RuleAction, Value } from "./document.ts";

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

/** A hit's tier within its section: what is last comes after the rest, what is hidden after that. */
export const LAST = 1;
export const HIDDEN = 2;

type Action<Kind extends RuleAction["do"]> = Extract<RuleAction, { readonly do: Kind }>;
export interface Of<Kind extends RuleAction["do"]> {
  readonly id: string;
  readonly action: Action<Kind>;
}

export interface State {
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
  /** The rule whose items were noted last, and how many. */
  readonly noted: { rule: string; items: number };
  readonly sponsored: number[];
  readonly drops: Set<number>;
  /** The rule that has chosen by likeness. */
  diversifiedBy: string | undefined;
}

export function stateOf(window: RuleWindow): State {
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
    noted: { rule: "", items: 0 },
    sponsored: [],
    drops: new Set(),
    diversifiedBy: undefined,
  };
}

/** Of an id that comes twice (two indexes in one list), the first: it is the better one. */
function hitsById(hits: readonly RuleHit[]): ReadonlyMap<string, number> {
  const byId = new Map<string, number>();
  for (let hit = hits.length - 1; hit >= 0; hit--) byId.set(hits[hit]!.itemId, hit);
  return byId;
}

/** Hit → its place. */
export function placesIn(order: readonly number[], count: number): Int32Array {
  const places = new Int32Array(count);
  for (let place = 0; place < order.length; place++) places[order[place]!] = place;
  return places;
}

export function touch({ touched, owner }: State, rule: string, hit: number): void {
  const list = touched.get(rule);
  if (list === undefined) touched.set(rule, [hit]);
  else list.push(hit);
  owner[hit] ??= rule;
}

/** Of one rule; a rule may name 300 items, and a hundred rules may fit. */
const MOST_NOTED = 20;

/** An item of a rule did nothing. Rules come one after the other. */
export function note({ idle, noted }: State, rule: string, item: string, { reason, by }: Pick<Idle, "reason" | "by">): void {
  if (noted.rule !== rule) [noted.rule, noted.items] = [rule, 0];
  if (++noted.items <= MOST_NOTED) idle.push({ rule, item, reason, ...(by !== undefined && { by }) });
}
