/**
 * Rules on lists: 10,000 random lists × rule sets × page sizes. Nothing is lost and nothing doubled, engine's pins and sections hold, every rule
 * that can be met is met, what cannot be met is named, and pages agree.
 */
import * as fc from "fast-check";
import { describe, it } from "vitest";
import { pageIndices } from "../../src/ranking/window.ts";
import { applyRules } from "../../src/rules/apply.ts";
import type { Rule, Value } from "../../src/rules/document.ts";
import { byPrecedence, type MatchedRule } from "../../src/rules/match.ts";
import type { RuleWindow } from "../../src/rules/state.ts";

interface Item {
  readonly brand: string | undefined;
  readonly inStock: boolean | undefined;
  readonly isPinned: boolean;
}

const BRANDS = ["acme", "bolt", "crow"];

const item: fc.Arbitrary<Item> = fc.record({
  brand: fc.constantFrom(...BRANDS, undefined),
  inStock: fc.constantFrom(true, true, false, undefined),
  isPinned: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

const id = fc.integer({ min: 0, max: 24 }).map((n) => `item-${n}`);
const ids = fc.uniqueArray(id, { minLength: 1, maxLength: 4 });
const condition = fc.oneof(
  ids.map((list) => ({ ids: list })),
  fc.constantFrom(...BRANDS).map((brand) => ({ field: "brand", is: [brand] })),
  fc.constant({ field: "inStock", is: [false] }),
);
const match = fc.array(condition, { minLength: 1, maxLength: 2 });
const position = fc.integer({ min: 1, max: 26 });

const anyAction: fc.Arbitrary<Rule["action"]> = fc.oneof(
  fc.record({ do: fc.constant("last" as const), match, underSort: fc.boolean() }),
  fc.record({ do: fc.constantFrom("boost" as const, "bury" as const), match, places: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    do: fc.constant("pin" as const),
    items: fc
      .uniqueArray(fc.record({ id, position }), { minLength: 1, maxLength: 4, selector: (one) => one.position })
      .map((items) => items.filter((one, i) => items.findIndex((other) => other.id === one.id) === i)),
    gap: fc.constantFrom("keep" as const, "close" as const),
    soldOut: fc.constantFrom("yield" as const, "stay" as const),
  }),
  fc.record({ do: fc.constant("hide" as const), match }),
  fc.record({
    do: fc.constant("cap" as const),
    field: fc.constant("brand"),
    most: fc.integer({ min: 1, max: 4 }),
    first: fc.integer({ min: 2, max: 20 }),
  }),
  fc.record({
    do: fc.constant("diversify" as const),
    first: fc.integer({ min: 2, max: 12 }),
    relevance: fc.double({ min: 0, max: 1, noNaN: true }),
  }),
  fc.record({ do: fc.constant("slots" as const), positions: fc.uniqueArray(position, { minLength: 1, maxLength: 3 }) }),
);

const ruleSet = fc.array(fc.record({ priority: fc.integer({ min: -2, max: 2 }), action: anyAction }), { maxLength: 6 });

const world = fc.record({
  items: fc.array(item, { maxLength: 22 }),
  shuffle: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 22, maxLength: 22 }),
  sectionEnd: fc.option(fc.integer({ min: 0, max: 22 }), { nil: undefined }),
  rules: ruleSet,
  named: fc.option(fc.integer({ min: 0, max: 21 }), { nil: undefined }),
  slotIds: fc.uniqueArray(id, { maxLength: 4 }),
  isSorted: fc.integer({ min: 0, max: 5 }).map((n) => n === 0),
  isFromTop: fc.integer({ min: 0, max: 5 }).map((n) => n > 0),
  limit: fc.integer({ min: 1, max: 25 }),
});

function build({
  items,
  shuffle,
  sectionEnd,
  rules,
  named,
  slotIds,
  isSorted,
  isFromTop,
}: typeof world extends fc.Arbitrary<infer T> ? T : never) {
  const sectionOf = (i: number): number => (sectionEnd === undefined || i < sectionEnd ? 0 : 1);
  const free = items
    .flatMap((one, i) => (one.isPinned ? [] : [i]))
    .toSorted((a, b) => sectionOf(a) - sectionOf(b) || shuffle[a]! - shuffle[b]!);
  let next = 0;
  const order = items.map((one, i) => (one.isPinned ? i : free[next++]!));
  const window: RuleWindow = {
    hits: items.map(({ isPinned }, i) => ({ itemId: `item-${i}`, isPinned, ...(sectionEnd !== undefined && { section: sectionOf(i) }) })),
    order,
    isNamed: (hit) => hit === named,
    valuesOf: (hit, field): readonly Value[] => {
      const value = field === "brand" ? items[hit]?.brand : items[hit]?.inStock;
      return value === undefined ? [] : [value];
    },
    likeness: () => (a, b) => (items[a]?.brand === items[b]?.brand ? 1 : 0),
    slotIds,
    isSorted,
    isFromTop,
    mayDrop: false,
  };
  const matched = rules
    .map(({ priority, action }, i): MatchedRule => ({ rule: { id: `rule-${i}`, priority, action }, specificity: [], fromMs: 0 }))
    .toSorted(byPrecedence);
  return { window, matched, sectionOf };
}

/** As expect(), which takes longer than what it looks at here. */
function must(isSo: boolean, what: string): void {
  if (!isSo) throw new Error(what);
}

const isSame = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((one, i) => one === b[i]);

describe("10,000 random lists and rule sets", () => {
  it("hold every promise", () => {
    fc.assert(
      fc.property(world, (drawn) => {
        const { window, matched, sectionOf } = build(drawn);
        const { hits, order } = window;
        const { order: shown, applied, idle } = applyRules(matched, window);
        const said = (rule: string, itemId?: string) =>
          idle.some((one) => one.rule === rule && (itemId === undefined || one.item === itemId || one.item === undefined));
        const placeOf = (hit: number): number => shown.indexOf(hit);

        // Nothing lost, nothing doubled; pins of the engine and sections hold.
        must(
          isSame(
            shown.toSorted((a, b) => a - b),
            [...hits.keys()],
          ),
          "a permutation",
        );
        for (const [slot, hit] of shown.entries()) {
          must(sectionOf(hit) === sectionOf(slot), "sections hold");
          must(!hits[slot]!.isPinned || hit === slot, "the pins of the engine hold");
        }
        // Every rule is applied, or says why not.
        for (const { rule } of matched) must(applied.includes(rule.id) || said(rule.id), `${rule.id} is applied or says why not`);
        must(applied.length > 0 || isSame(shown, order), "what is not applied changes nothing");

        const fits = ({ match: all }: { readonly match: readonly object[] }, hit: number): boolean =>
          all.every((one) => {
            if ("ids" in one && Array.isArray(one.ids)) return one.ids.includes(hits[hit]!.itemId);
            return "field" in one && "is" in one && Array.isArray(one.is) && one.is.includes(window.valuesOf(hit, String(one.field))[0]);
          });
        const active = matched.filter(
          ({ rule: { id: name } }) =>
            !idle.some((one) => one.rule === name && (one.reason === "sorted" || one.reason === "not_first_page")),
        );
        const hidden = new Set(
          active.flatMap(({ rule: { action } }) =>
            action.do === "hide" ? shown.filter((hit) => fits(action, hit) && !hits[hit]!.isPinned) : [],
          ),
        );
        const placed = new Set<number>();
        for (const { rule } of active) {
          const { action } = rule;
          if (action.do === "pin") {
            const missing = (upTo: number) =>
              action.gap === "close"
                ? action.items.filter(
                    (one) =>
                      one.position < upTo &&
                      idle.some(
                        (note) =>
                          note.rule === rule.id &&
                          note.item === one.id &&
                          note.reason !== "place_taken" &&
                          note.reason !== "beyond_list" &&
                          note.reason !== "other_section",
                      ),
                  ).length
                : 0;
            for (const { id: name, position: wanted } of action.items) {
              const hit = hits.findIndex(({ itemId }) => itemId === name);
              if (hit >= 0 && placeOf(hit) === wanted - 1 - missing(wanted)) placed.add(hit);
              else must(said(rule.id, name), `${rule.id}: ${name} is elsewhere, and nobody says why`);
            }
          }
          // Nothing that may stand elsewhere stands behind what is hidden, in its section.
          if (action.do === "hide" || action.do === "last") {
            for (const hit of shown.filter((one) => fits(action, one))) {
              if (said(rule.id, hits[hit]!.itemId) || hits[hit]!.isPinned || (action.do === "last" && hidden.has(hit))) continue;
              const behind = shown.slice(placeOf(hit) + 1).filter((other) => sectionOf(other) === sectionOf(hit));
              const isStronger = (other: number): boolean =>
                hits[other]!.isPinned ||
                other === drawn.named ||
                active.some(({ rule: { action: one } }) => {
                  if (one.do === "pin") return one.items.some((entry) => entry.id === hits[other]!.itemId);
                  if (one.do === "slots") return drawn.slotIds.includes(hits[other]!.itemId);
                  return (one.do === "hide" || (action.do === "last" && one.do === "last")) && fits(one, other);
                });
              must(behind.every(isStronger), `${rule.id}: something stands behind ${hit}`);
            }
          }
          if (action.do === "cap") {
            const counts = Map.groupBy(
              shown.slice(0, action.first).flatMap((hit) => window.valuesOf(hit, "brand")),
              (brand) => brand,
            );
            const isMet = [...counts.values()].every((list) => list.length <= action.most);
            must(isMet || idle.some((one) => one.rule === rule.id && one.reason === "too_few_others"), `${rule.id}: more than the cap`);
          }
        }
        // Pages agree, at any size.
        const pages: number[] = [];
        for (let offset = 0; offset < shown.length; offset += drawn.limit)
          pages.push(...pageIndices(shown, shown.length, { offset, limit: drawn.limit }));
        must(isSame(pages, shown), "pages agree");
        // The same again: nothing depends on what was computed before.
        must(isSame(applyRules(matched, window).order, shown), "the same again");
      }),
      { numRuns: 10_000 },
    );
  });

  it("meet a cap alone wherever any order could", () => {
    fc.assert(
      fc.property(world, fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 20 }), (drawn, most, first) => {
        const { window } = build({ ...drawn, rules: [], sectionEnd: undefined, named: undefined, isSorted: false, isFromTop: true });
        const rule: Rule = { id: "cap", action: { do: "cap", field: "brand", most, first } };
        const { order, idle } = applyRules([{ rule, specificity: [], fromMs: 0 }], window);
        // By brand: what may stand on top is at most `most`, and what the engine has pinned there.
        const top = Math.min(first, order.length);
        const brandOf = (hit: number) => window.valuesOf(hit, "brand")[0];
        const fixed = window.hits.flatMap((hit, i) => (hit.isPinned && i < top ? [i] : []));
        const loose = window.hits.flatMap((hit, i) => (hit.isPinned ? [] : [i]));
        const countOf = (list: readonly number[], brand: string) => list.filter((hit) => brandOf(hit) === brand).length;
        const room = BRANDS.reduce((sum, brand) => sum + Math.min(countOf(loose, brand), Math.max(0, most - countOf(fixed, brand))), 0);
        const isPossible =
          BRANDS.every((brand) => countOf(fixed, brand) <= most) &&
          room + loose.filter((hit) => brandOf(hit) === undefined).length >= top - fixed.length;
        const isMet = BRANDS.every((brand) => countOf(order.slice(0, top), brand) <= most);
        must(isMet === isPossible, "met where it can be");
        must(idle.some(({ reason }) => reason === "too_few_others") === !isPossible, "said where it cannot");
      }),
      { numRuns: 2000 },
    );
  });
});
