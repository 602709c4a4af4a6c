/** A draft of rules as the page edits it: plain data in, another draft out. What it may hold is checked by the edge. */
import type { Rule, RuleAction, When } from "../../../rules/document.ts";

export type Rules = readonly Rule[];

export type RuleState = "live" | "planned" | "over" | "off";

export function stateOf({ enabled, when: { from, until } = {} }: Rule, now: number): RuleState {
  if (enabled === false) return "off";
  if (until !== undefined && Date.parse(until) <= now) return "over";
  return from !== undefined && Date.parse(from) > now ? "planned" : "live";
}

/** The condition that a search of these words meets, and hardly another: what a hit's buttons write. `index`: where its catalogue has several. */
export function whenOf(query: string, index: string | undefined): When {
  const words = query.trim();
  return { ...(words === "" ? { emptyQuery: true } : { query: [{ is: words }] }), ...(index !== undefined && { index: [index] }) };
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

type Kind = "pin" | "hide" | "boost" | "bury";
type ActionOf<K extends Kind> = Extract<RuleAction, { do: K }>;

function isKind<K extends Kind>(action: RuleAction, kind: K): action is ActionOf<K> {
  return action.do === kind;
}

/** The draft's own rule of this kind for this search, as it is written by the buttons. */
function findOwn<K extends Kind>(rules: Rules, kind: K, when: When): { readonly rule: Rule; readonly action: ActionOf<K> } | undefined {
  for (const rule of rules)
    if (rule.enabled !== false && isKind(rule.action, kind) && same(rule.when, when) && namedIn(rule.action) !== undefined)
      return { rule, action: rule.action };
  return undefined;
}

/** The items of an action that names nothing else. */
function namedIn(action: RuleAction): readonly string[] | undefined {
  if (action.do === "pin") return action.items.map(({ id }) => id);
  if (action.do !== "hide" && action.do !== "boost" && action.do !== "bury") return undefined;
  const [condition, second] = action.match;
  return condition !== undefined && second === undefined && "ids" in condition ? condition.ids : undefined;
}

/** Replaces the rule of that id, at its place; a new one comes last. */
export function put(rules: Rules, rule: Rule, id = rule.id): Rules {
  return rules.some((one) => one.id === id) ? rules.map((one) => (one.id === id ? rule : one)) : [...rules, rule];
}

export const without = (rules: Rules, id: string): Rules => rules.filter((one) => one.id !== id);

/** An id that no rule has. */
export function freeId(rules: Rules, wish: string): string {
  const base = wish.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-").replaceAll(/^-|-$/g, "").slice(0, 50) || "rule"; // prettier-ignore
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}-${n}`;
    if (rules.every((one) => one.id !== id)) return id;
  }
}

function withAction(rules: Rules, kind: Kind, when: When, owner: string, action: RuleAction): Rules {
  const own = findOwn(rules, kind, when)?.rule;
  if (own !== undefined) return put(rules, { ...own, action });
  const [phrase] = when.query ?? [];
  const words = phrase !== undefined && "is" in phrase ? phrase.is : "without words";
  const id = freeId(rules, `${kind} ${words}`);
  return [...rules, { id, name: `${kind}: ${words}`.slice(0, 200), ...(owner !== "" && { owner }), when, action }];
}

/** The item comes to that position; pins that stood there and behind, without a gap between, make room. */
export function pin(rules: Rules, when: When, id: string, position: number, owner: string): Rules {
  const action = findOwn(rules, "pin", when)?.action;
  const others = (action?.items ?? []).filter((item) => item.id !== id).toSorted((a, b) => a.position - b.position);
  let free = position;
  const items = others.map((item) => (item.position === free ? { ...item, position: ++free } : item));
  const all = [...items, { id, position }].toSorted((a, b) => a.position - b.position);
  return withAction(rules, "pin", when, owner, { do: "pin", ...action, items: all });
}

/** Hides, boosts or buries the item for this search; of two opposites the last one holds. */
export function act(rules: Rules, kind: Exclude<Kind, "pin">, when: When, id: string, owner: string): Rules {
  const cleared = release(rules, when, id);
  const own = findOwn(cleared, kind, when)?.action;
  const match = [{ ids: [...((own && namedIn(own)) ?? []), id] }];
  return withAction(cleared, kind, when, owner, kind === "hide" ? { do: kind, match } : { do: kind, match, places: 5, ...placesOf(own) });
}

const placesOf = (action: ActionOf<"hide" | "boost" | "bury"> | undefined): object =>
  action !== undefined && "places" in action ? { places: action.places } : {};

/** What the draft's own rules for this search do to the item is undone; a rule that is left with nothing goes. */
export function release(rules: Rules, when: When, id: string): Rules {
  return rules.flatMap((rule) => {
    const { action } = rule;
    const named = same(rule.when, when) && rule.enabled !== false ? namedIn(action) : undefined;
    if (named?.includes(id) !== true) return [rule];
    if (named.length === 1) return [];
    if (action.do === "pin") return [{ ...rule, action: { ...action, items: action.items.filter((item) => item.id !== id) } }];
    return "match" in action ? [{ ...rule, action: { ...action, match: [{ ids: named.filter((one) => one !== id) }] } }] : [rule];
  });
}

/** What the draft's own rules for this search do to the item, in a word each. */
export function doneTo(rules: Rules, when: When, id: string): readonly string[] {
  return rules.filter((rule) => release([rule], when, id)[0] !== rule).map(({ action }) => action.do);
}

/** Items that the draft's own rules hide in this search. */
export function hiddenBy(rules: Rules, when: When): readonly string[] {
  const own = findOwn(rules, "hide", when);
  return (own && namedIn(own.action)) ?? [];
}

export interface Change {
  readonly id: string;
  readonly how: "new" | "changed" | "taken out";
}

export function changesOf(base: Rules, draft: Rules): readonly Change[] {
  const [was, is] = [new Map(base.map((rule) => [rule.id, rule])), new Map(draft.map((rule) => [rule.id, rule]))];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((id): Change[] => {
    if (same(was.get(id), is.get(id))) return [];
    return [{ id, how: !was.has(id) ? "new" : is.has(id) ? "changed" : "taken out" }];
  });
}

/** My changes since `base`, put on top of what somebody else has published. `both`: rules that both have changed, where mine stand. */
export function rebase(base: Rules, mine: Rules, theirs: Rules): { readonly rules: Rules; readonly both: readonly string[] } {
  const own = new Map(mine.map((rule) => [rule.id, rule]));
  const others = new Set(changesOf(base, theirs).map(({ id }) => id));
  const changes = changesOf(base, mine);
  const rules = changes.reduce((all: Rules, { id }) => {
    const rule = own.get(id);
    return rule === undefined ? without(all, id) : put(all, rule);
  }, theirs);
  const both = changes.filter(({ id }) => others.has(id) && !same(own.get(id), theirs.find((rule) => rule.id === id))); // prettier-ignore
  return { rules, both: both.map(({ id }) => id) };
}
