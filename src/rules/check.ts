/** What a valid rules document may still get wrong: rules that have ended, that contradict each other, that nobody scoped. Warnings only. */
import type { Rule, RuleAction } from "./document.ts";
import { foldText } from "./match.ts";

interface Checked {
  readonly rules: readonly Rule[];
}

/** From so many pins on, new items always stand behind. */
const MANY_PINS = 50;

/** One line each. */
export function warningsOn({ rules }: Checked, now: number): readonly string[] {
  const warnings: string[] = [];
  const say = ({ id }: Rule, text: string): void => void warnings.push(`Rule ${id}: ${text}`);
  for (const rule of rules) {
    const { when = {}, action } = rule;
    if (rule.enabled === false) continue;
    if (when.until !== undefined && Date.parse(when.until) <= now)
      say(rule, `has ended (${when.until}): take it out, or give it another end`);
    const { query, emptyQuery, filters, index, context, country, share } = when;
    if ([query, emptyQuery, filters, index, context, country, share].every((one) => one === undefined))
      say(rule, "holds everywhere: for every search of every index");
    if (action.do === "pin" && action.items.length >= MANY_PINS)
      say(rule, `pins ${action.items.length} items: new ones always stand behind them`);
  }
  return [...warnings, ...contradictionsIn({ rules })];
}

/** Rules with one condition that want opposite or impossible things at the same time. One line each. */
export function contradictionsIn({ rules }: Checked): readonly string[] {
  const scopes = Map.groupBy(
    rules.filter(({ enabled }) => enabled !== false),
    ({ when: { from: _from, until: _until, zone: _zone, ...scope } = {} }) => stableJson(scope),
  );
  const impossible = [...scopes.values()].flat().flatMap(({ id, action }) => {
    if (action.do !== "cap" || action.most < action.first) return [];
    return [`Rule ${id}: at most ${action.most} hits of a value in the first ${action.first} are always met: lower most, or raise first`];
  });
  return [...impossible, ...[...scopes.values()].flatMap(conflictsIn)];
}

/** However the members and lists of a condition are ordered: phrases, values and indexes are sets. */
function stableJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(stableJson).toSorted().join()}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(typeof value === "string" ? foldText(value) : value) ?? "";
  return `{${Object.entries(value)
    .map(([name, member]: [string, unknown]) => `${JSON.stringify(name)}:${stableJson(member)}`)
    .toSorted()
    .join()}}`;
}

/** Among rules that fit the same searches, at the same time. */
function conflictsIn(rules: readonly Rule[]): readonly string[] {
  const warnings: string[] = [];
  for (const [i, rule] of rules.entries()) {
    for (const other of rules.slice(i + 1)) {
      const how = isAtOnce(rule, other) ? conflictOf(rule, other) : undefined;
      if (how !== undefined) warnings.push(`Rules ${rule.id} and ${other.id} contradict each other: ${how}`);
    }
  }
  return warnings;
}

function isAtOnce({ when: a = {} }: Rule, { when: b = {} }: Rule): boolean {
  const begins = (of: typeof a): number => (of.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(of.from));
  const ends = (of: typeof a): number => (of.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(of.until));
  return begins(a) < ends(b) && begins(b) < ends(a);
}

/** A pair of kinds → what is wrong with two such rules. Each pair is tried both ways round. */
const CONFLICTS: readonly ((a: RuleAction, b: RuleAction) => string | undefined)[] = [
  (a, b) => {
    if (a.do !== "pin" || b.do !== "pin") return undefined;
    const place = a.items.find((one) => b.items.some((other) => other.position === one.position && other.id !== one.id));
    if (place !== undefined) return `both pin to position ${place.position}`;
    const item = a.items.find((one) => b.items.some((other) => other.id === one.id && other.position !== one.position));
    return item && `both pin ${item.id}, to two positions`;
  },
  (pin, slots) => {
    if (pin.do !== "pin" || slots.do !== "slots") return undefined;
    const place = pin.items.find(({ position }) => slots.positions.includes(position));
    return place && `one pins ${place.id} to position ${place.position}, where the other has a slot`;
  },
  (a, b) => {
    if (a.do !== "slots" || b.do !== "slots") return undefined;
    const place = a.positions.find((position) => b.positions.includes(position));
    return place === undefined ? undefined : `both have a slot at position ${place}`;
  },
  (placed, hide) => {
    if (hide.do !== "hide") return undefined;
    const ids = placed.do === "pin" ? placed.items.map(({ id }) => id) : placed.do === "slots" ? (placed.ids ?? []) : [];
    const hidden = ids.find((id) => hide.match.length === 1 && hide.match.some((one) => "ids" in one && one.ids.includes(id)));
    return hidden === undefined ? undefined : `one ${placed.do === "pin" ? "pins" : "gives a slot to"} ${hidden}, the other hides it`;
  },
  (boost, other) => {
    if (boost.do !== "boost" || !("match" in other) || !Object.hasOwn(DOWN, other.do)) return undefined;
    return stableJson(boost.match) === stableJson(other.match) ? `one boosts what the other ${DOWN[other.do]}` : undefined;
  },
  (a, b) => (a.do === "diversify" && b.do === "diversify" ? "both diversify, and only one of them can" : undefined),
];

const DOWN: Readonly<Record<string, string>> = { bury: "buries", hide: "hides", last: "moves behind all others" };

function conflictOf({ action: a }: Rule, { action: b }: Rule): string | undefined {
  for (const conflict of CONFLICTS) {
    const found = conflict(a, b) ?? conflict(b, a);
    if (found !== undefined) return found;
  }
  return undefined;
}
