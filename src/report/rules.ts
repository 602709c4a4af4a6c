/** The price of each rule of the shop that chance has held back from some shoppers: which sides are compared, and whether they may be. */
import { type ExploredPrice, type PriceOptions, priceOf } from "./rule-price.ts";
import type { RuledRows, SideRow } from "./ruled.ts";
import { testSampleRatio } from "./sample-ratio.ts";

export type RulesReport = ReturnType<typeof describeRules>;

/** Held-back shoppers with nothing in place of the rule, of all of them, that are enough to compare with them alone. */
const ENOUGH = 0.1;

export function describeRules(
  rows: RuledRows,
  options: Omit<PriceOptions, "rules">,
  byExploring: ReadonlyMap<string, ExploredPrice> = new Map(),
) {
  const rules = Math.max(1, rows.filter(({ share }) => share !== null).length);
  return rows.map(({ rule, share, searches, fits, acted, alone, fitting, later }) => {
    /** By swapped pairs; null where `explore` shows no list that it changes. */
    const explored = byExploring.get(rule) ?? null;
    const use = { rule, share, searches, fits, acted, searchesWithoutShopper: alone, explored };
    if (share === null) return { ...use, shoppers: null, crossed: 0, instead: [], sampleRatio: null, metrics: [], later: [] };
    const { others, instead } = chooseHeld(fitting);
    const split = (sides: readonly SideRow[]) => {
      const of = (isIn: boolean) =>
        sides
          .filter((side) => side.isCrossed === 0 && (side.isIn === 1) === isIn && (others === undefined || side.others === others))
          .map(({ times, ...totals }) => ({ totals, isKnown: true, times }));
      return [of(false), of(true)] as const;
    };
    const [held, own] = split(fitting);
    const shoppers = { held: countOf(held), acted: countOf(own) };
    // Of the rest, who has something in place of the rule is not on record.
    const wanted = fitting.every((side) => side.others === "") ? share.to - share.from : undefined;
    const sampleRatio = (wanted === undefined ? undefined : testSampleRatio([shoppers.acted, shoppers.held], [wanted, 1 - wanted])) ?? null;
    const part = wanted ?? shoppers.acted / Math.max(1, shoppers.acted + shoppers.held);
    const withheld = sampleRatio?.isMismatch === true ? "sample_ratio_mismatch" : null;
    const price = (sides: readonly SideRow[]) => {
      const [theirs, mine] = split(sides);
      return priceOf(theirs, mine, part, { ...options, rules, withheld: withheld ?? options.withheld ?? null }).map((metric) =>
        withheld === null ? metric : { ...metric, price: "open" as const, why: withheld },
      );
    };
    return {
      ...use,
      shoppers,
      /** Seen on both sides, and left out. */
      crossed: countOf(fitting.filter(({ isCrossed }) => isCrossed === 1)),
      /** What shoppers from whom it is held back have in its place: other rules with its seed. */
      instead,
      sampleRatio,
      /** Of the searches that it fits. */
      metrics: price(fitting),
      /** Of all searches of these shoppers, from the first that it fits on: what they buy there instead counts too. */
      later: price(later),
    };
  });
}

const countOf = (sides: readonly { readonly times: number }[]): number => sides.reduce((sum, { times }) => sum + times, 0);

/** With rules of one seed as arms, shoppers with no rule at all are the ones to compare with, where there are enough. */
function chooseHeld(sides: readonly SideRow[]) {
  const usual = mostOf(sides.filter(({ isIn }) => isIn === 1));
  const held = sides.filter(({ isIn, isCrossed }) => isIn === 0 && isCrossed === 0);
  const alike = countOf(held.filter(({ others }) => others === usual));
  if (alike >= ENOUGH * countOf(held)) return { others: usual, instead: [] };
  return { others: undefined, instead: [...new Set(held.flatMap(({ others }) => (others === "" ? [] : others.split(", "))))] };
}

function mostOf(sides: readonly SideRow[]): string {
  const counts = new Map<string, number>();
  for (const { others, times } of sides) counts.set(others, (counts.get(others) ?? 0) + times);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}
