/** What a valid rules document may still get wrong: rules that have ended, that contradict each other, that nobody scoped. Warnings only. */
import type { Rule, RulesDocument } from "../../rules/document.ts";

/** From so many pins on, new items always stand behind. */
const MANY_PINS = 50;

/** One line each. */
export function warningsOn({ rules }: RulesDocument, now: number): readonly string[] {
  const warnings: string[] = [];
  const say = ({ id }: Rule, text: string): void => void warnings.push(`Rule ${id}: ${text}`);
  const scopes = Map.groupBy(
    rules.filter(({ enabled }) => enabled !== false),
    ({ when: { from: _from, until: _until, zone: _zone, ...scope } = {} }) => JSON.stringify(scope),
  );
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
  for (const same of scopes.values()) {
    warnings.push(...conflictsIn(same));
  }
  return warnings;
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

function conflictOf({ action: a }: Rule, { action: b }: Rule): string | undefined {
  if (a.do === "pin" && b.do === "pin") {
    const place = a.items.find((one) => b.items.some((other) => other.position === one.position && other.id !== one.id));
    if (place !== undefined) return `both pin to position ${place.position}`;
    const item = a.items.find((one) => b.items.some((other) => other.id === one.id && other.position !== one.position));
    return item && `both pin ${item.id}, to two positions`;
  }
  const [pin, hide] = a.do === "pin" ? [a, b] : [b, a];
  if (pin.do === "pin" && hide.do === "hide") {
    const hidden = pin.items.find(({ id }) => hide.match.length === 1 && hide.match.some((one) => "ids" in one && one.ids.includes(id)));
    return hidden && `one pins ${hidden.id}, the other hides it`;
  }
  const isBoth = (a.do === "boost" && b.do === "bury") || (a.do === "bury" && b.do === "boost");
  return isBoth && "match" in a && "match" in b && JSON.stringify(a.match) === JSON.stringify(b.match)
    ? "one boosts what the other buries"
    : undefined;
}
