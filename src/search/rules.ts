/**
 * The shop's rules in a search: which fit it, whether they need the window although no model orders it, and what they make of the order.
 *
 * Rules hold in every arm of an experiment and while no model is live: then they change the engine's order. `x-armmt: off` is the engine's own reply,
 * without rules.
 */
import type { FieldValue, SearchPlan, SearchReply } from "../backends/dialect.ts";
import { placeOf } from "../backends/dialect.ts";
import type { RulesAttributes } from "../events/ubi.ts";
import { CONTEXT_HEADER, parseHistory, type PublicRules, SLOTS_HEADER, wantsEngineOrder } from "../protocol.ts";
import { ITEM_FEATURES, type ListItem } from "../ranking/candidate.ts";
import { ITEM_VALUES, type ItemValue } from "../ranking/item-values.ts";
import { EXPLORED_POSITIONS, type Team } from "../ranking/interleave.ts";
import { idSpelling, spellings } from "../ranking/words.ts";
import type { Bypass, Result } from "../result.ts";
import { applyRules, type Ruled } from "../rules/apply.ts";
import { likenessOf } from "../rules/likeness.ts";
import { type CompiledRules, foldGiven, type Matched } from "../rules/match.ts";
import type { RuleWindow } from "../rules/state.ts";
import { errorStack } from "../web.ts";
import type { Arrangement } from "./arrange.ts";
import type { Search, SearchRequest, SearchResult, SearchRuled, Shown } from "./contract.ts";
import type { WindowDecision } from "./results.ts";

/** Of a header that anybody may send. */
const MOST_WORDS = 50;

type Asked = Pick<Search, "plan" | "assignment" | "request" | "deps">;

/** `undefined` where no rule fits. */
export function rulesFor(compiled: CompiledRules | undefined, asked: Asked, now: number): Matched | undefined {
  try {
    return matching(compiled, asked, now);
  } catch (cause) {
    asked.deps.log({ level: "error", event: "rules", detail: errorStack(cause) });
    return undefined;
  }
}

function matching(compiled: CompiledRules | undefined, { plan, assignment, request }: Asked, now: number): Matched | undefined {
  if (compiled === undefined || wantsEngineOrder(request.headers)) return undefined;
  // The words of a request that is not understood are not known.
  if (plan.bypass?.reason === "request_not_understood") return undefined;
  return compiled.match({
    index: plan.index,
    queryText: plan.queryText,
    filters: () => filtersOf(plan),
    context: contextOf(request),
    country: request.country,
    now,
    unit: assignment.unit,
  });
}

function contextOf({ headers }: SearchRequest): ReadonlySet<string> {
  const given = headers.get(CONTEXT_HEADER);
  return new Set(given === null ? [] : given.split(",").slice(0, MOST_WORDS).map(foldGiven));
}

function filtersOf({ filters }: SearchPlan): ReadonlyMap<string, ReadonlySet<string>> | undefined {
  const read = filters?.();
  return read && new Map([...read].map(([field, values]) => [field, new Set(values.map(foldGiven))]));
}

/** Whether rules can change a search that keeps its order for this reason. */
function mayAct({ rules, plan }: Search, reason: Bypass["reason"]): boolean {
  if (rules === undefined || rules.rules.length === 0 || plan.limit === 0) return false;
  if (reason === "explicit_sort") return rules.rules.some(({ rule: { action } }) => action.do === "last" && action.underSort === true);
  return reason !== "off" && KEPT.has(reason);
}

/** Nobody orders these lists; the shop may still say what stands where. */
const KEPT: ReadonlySet<Bypass["reason"]> = new Set<Bypass["reason"]>([
  "no_query_text",
  "engine_order",
  "switched_off",
  "model_unavailable",
  "model_mismatch",
  "model_trapped",
  "over_budget",
]);

/** The decision to leave a search alone, unless rules need its window: then `unranked` says why nobody else orders it. */
export function forRules(search: Search, left: Bypass, window: () => WindowDecision): WindowDecision {
  if (!mayAct(search, left.reason)) return { ok: false, error: left };
  const found = window();
  return found.ok ? { ok: true, value: { ...found.value, unranked: left } } : found;
}

/**
 * `undefined` where the rules cannot be applied to this reply: then the order stays as it is. Reads what is known of the items where a rule needs it.
 * Never rejects.
 */
export async function rule(search: Search, reply: SearchReply, arranged: Result<Arrangement, Bypass>): Promise<SearchRuled | undefined> {
  try {
    return await applyTo(search, reply, arranged);
  } catch (cause) {
    search.deps.log({ level: "error", event: "rules", index: search.index.name, detail: errorStack(cause) });
    return undefined;
  }
}

async function applyTo(search: Search, reply: SearchReply, arranged: Result<Arrangement, Bypass>): Promise<SearchRuled | undefined> {
  const { rules, plan, index, request } = search;
  const kept = reply.bypass ?? plan.bypass;
  const isSorted = kept?.reason === "explicit_sort";
  if (rules === undefined || rules.rules.length === 0 || (reply.bypass !== undefined && !LISTS.has(reply.bypass.reason))) return undefined;
  const hits = reply.hits.slice(0, index.window);
  const order = arranged.ok ? (arranged.value.unswapped ?? arranged.value.order) : [...hits.keys()];
  if (hits.length === 0 || order.length !== hits.length) return undefined;
  const needsItems = rules.rules.some(
    ({ rule: { action } }) => action.do === "diversify" || NEEDS_STOCK.has(action.do) || namesItemValue(action),
  );
  const isStoreDown = !arranged.ok && STORE_REASONS.has(arranged.error.reason);
  const lookup = needsItems && !isStoreDown ? await index.store.lookup(hits.map(({ itemId }) => itemId)) : undefined;
  const items = lookup?.ok === true ? lookup.value.items : [];
  const named = spellings(plan.queryText ?? "");
  const known = new Map<string, (readonly FieldValue[])[]>();
  const window: RuleWindow = {
    hits,
    order,
    isNamed: (hit) => {
      const id = named.whole === "" ? "" : idSpelling(hits[hit]!.itemId);
      return id !== "" && (id === named.whole || named.ids.has(id));
    },
    valuesOf: (hit, field) => {
      const list = known.get(field) ?? [];
      known.set(field, list);
      return (list[hit] ??= valuesOf(reply, hit, field, items[hit]));
    },
    likeness: (by) => (lookup?.ok === true ? likenessOf(items, lookup.value.set, by) : undefined),
    slotIds: parseHistory(request.headers.get(SLOTS_HEADER) ?? "").slice(0, MOST_WORDS),
    isSorted,
    isFromTop: !plan.isCursored || placeOf(plan) === 0,
    mayDrop: !plan.isCursored && reply.total === undefined && reply.hits.length < index.window && hits[0]?.section === undefined,
  };
  const ruled = applyRules(rules.rules, window);
  if (!arranged.ok || arranged.value.swap === undefined || ruled.applied.length === 0) return ruled;
  const without = (id: string): readonly number[] =>
    applyRules(
      rules.rules.filter((one) => one.rule.id !== id),
      window,
    ).order;
  return { ...ruled, without };
}

/** What only the reply shows, and is a whole list all the same. */
const LISTS: ReadonlySet<Bypass["reason"]> = new Set<Bypass["reason"]>(["explicit_sort", "no_query_text"]);

/** A pin yields when its item is sold out. */
const NEEDS_STOCK: ReadonlySet<string> = new Set(["pin", "slots"]);

const STORE_REASONS: ReadonlySet<Bypass["reason"]> = new Set<Bypass["reason"]>(["store_unavailable", "store_timeout", "nothing_published"]);

function namesItemValue(action: Matched["rules"][number]["rule"]["action"]): boolean {
  if (action.do === "cap") return itemValue(action.field) !== undefined;
  return "match" in action && action.match.some((condition) => "field" in condition && itemValue(condition.field) !== undefined);
}

function itemValue(field: string): ItemValue | undefined {
  return ITEM_VALUES.find((name) => name === field);
}

/** The reply's own first: stock is fresh there. */
function valuesOf(reply: SearchReply, hit: number, field: string, item: ListItem | undefined): readonly FieldValue[] {
  const name = itemValue(field);
  const fresh = name && reply.hits[hit]?.values?.[name];
  if (fresh !== undefined) return [fresh];
  const said = reply.valuesOf?.(hit, field) ?? [];
  if (said.length > 0 || name === undefined) return said;
  const [feature, restore] = STORED[name];
  const stored = item?.features[ITEM_FEATURES.indexOf(feature)];
  return stored === undefined ? [] : [restore(stored)];
}

/** Item records hold logarithms. */
const STORED: Readonly<Record<ItemValue, readonly [(typeof ITEM_FEATURES)[number], (stored: number) => number]>> = {
  price: ["price_log", Math.exp],
  popularity: ["popularity_log", Math.expm1],
  rating: ["rating", (stored) => stored],
  ratingCount: ["rating_count_log", Math.expm1],
  inStock: ["in_stock", (stored) => stored],
};

/** The notes on an order, for the order that rules have made of it: who was moved by a rule belongs to no team, and who is held by one is swapped with nobody. */
export function ruledArrangement(
  arrangement: Arrangement,
  { order, movedBy, held, counted }: Ruled,
  isPinned: readonly boolean[],
): Arrangement {
  const { teams, swap, order: before } = arrangement;
  const teamOf = new Map(teams?.map((team, position): [number, Team] => [before[position]!, team]));
  const isStill = (hit: number): boolean => isPinned[hit] === true || held.has(hit);
  const counting = new Set(order.slice(0, counted));
  const swapped = swap?.(
    order,
    isPinned.map((_, hit) => isStill(hit) || counting.has(hit)),
  );
  return {
    ...arrangement,
    ...(swapped ?? { order }),
    ...(teams !== undefined && { teams: order.map((hit) => (movedBy.has(hit) ? undefined : teamOf.get(hit))) }),
  };
}

/** For the record; `undefined` where no rule fits the search. */
export function rulesAttributes({ rules }: Search, { ruled, outcome }: SearchResult, shown: Shown): RulesAttributes | undefined {
  if (rules === undefined) return undefined;
  const reason = "bypass" in outcome ? outcome.bypass.reason : "not_applied";
  const all: readonly IdleRule[] = [...(ruled?.idle ?? rules.rules.map((one) => ({ rule: one.rule.id, reason }))), ...rules.undecided];
  const idle = all.length > MOST_IDLE ? eachRuleFirst(all).slice(0, MOST_IDLE) : all;
  const slots = new Set(ruled?.slots);
  const slotIds = slots.size === 0 ? [] : shown.indices.filter((hit) => slots.has(hit)).map((hit) => shown.hits[hit]!.itemId);
  const without = ruled?.without === undefined ? {} : ordersWithout(ruled, ruled.without);
  return {
    version: rules.version,
    applied: ruled?.applied ?? [],
    ...(idle.length > 0 && { idle }),
    ...(idle.length < all.length && { idle_more: all.length - idle.length }),
    ...(rules.heldBack.length > 0 && { held_back: rules.heldBack }),
    ...(rules.shares.length > 0 && { shares: rules.shares }),
    ...(slotIds.length > 0 && { slot_ids: slotIds }),
    ...(Object.keys(without).length > 0 && { without }),
  };
}

/** Each is another order of the window. */
const MOST_WITHOUT = 5;

/** Rule → what would stand in the explored positions without it; rules that change nothing there are left out. */
function ordersWithout({ applied, order }: Ruled, without: NonNullable<SearchRuled["without"]>): NonNullable<RulesAttributes["without"]> {
  const orders: Record<string, readonly number[]> = {};
  for (const id of applied.slice(0, MOST_WITHOUT)) {
    const first = without(id).slice(0, EXPLORED_POSITIONS);
    if (first.some((hit, i) => hit !== order[i])) orders[id] = first;
  }
  return orders;
}

type IdleRule = NonNullable<RulesAttributes["idle"]>[number];

/** A pin rule may name 300 items. */
const MOST_IDLE = 20;

/** One rule of many items must not hide why the others did nothing. */
function eachRuleFirst(all: readonly IdleRule[]): readonly IdleRule[] {
  const met = new Set<string>();
  const isFirst = all.map(({ rule: id }) => !met.has(id) && met.add(id).size > 0);
  return [...all.filter((_, i) => isFirst[i]), ...all.filter((_, i) => isFirst[i] !== true)];
}

/** For the response header. Ids of rules stay inside: they may say what customers should not read. */
export function publicRules({ rules, plan }: Search, result: SearchResult): PublicRules | undefined {
  if (rules === undefined) return undefined;
  const { ruled, page } = result;
  const slots = new Set(ruled?.slots);
  const positions = (page?.indices ?? []).flatMap((hit, i) => (slots.has(hit) ? [plan.offset + i + 1] : []));
  return { rules: `${rules.version}/${ruled?.applied.length ?? 0}`, ...(positions.length > 0 && { slots: positions }) };
}
