/** Which rules a search would follow, and what they would do to a list: by the code that serves searches. */
import { applyRules, type Ruled } from "../../rules/apply.ts";
import type { RulesDocument } from "../../rules/document.ts";
import { compileRules, foldText, type Matched } from "../../rules/match.ts";
import { UserError } from "../../web.ts";

export interface AskedSearch {
  readonly query: string | undefined;
  readonly index: string;
  readonly filters: ReadonlyMap<string, readonly string[]>;
  readonly context: readonly string[];
  readonly country: string | undefined;
  readonly unit: string | undefined;
  readonly at: Date;
  /** Of the engine's hits, in its order. */
  readonly ids: readonly string[];
}

export interface Explained {
  readonly matched: Matched | undefined;
  /** Ids of rules that are switched off, or not live at that moment, and would fit otherwise. */
  readonly asleep: readonly string[];
  /** Without ids: nothing to order. */
  readonly ruled: Ruled | undefined;
}

export function explainRules(document: RulesDocument, version: string, asked: AskedSearch): Explained {
  const match = (of: RulesDocument): Matched | undefined => {
    const compiled = compileRules(of, version);
    if (!compiled.ok) throw new UserError(compiled.error.join("\n"));
    return compiled.value.match({
      index: asked.index,
      queryText: asked.query,
      filters: () => new Map([...asked.filters].map(([field, values]) => [field, new Set(values.map(foldText))])),
      context: new Set(asked.context.map(foldText)),
      country: asked.country,
      now: asked.at.getTime(),
      unit: asked.unit,
    });
  };
  const matched = match(document);
  const awake = new Set(matched?.rules.map(({ rule }) => rule.id));
  const always = match({
    ...document,
    rules: document.rules.map(({ enabled: _enabled, when: { from: _from, until: _until, ...when } = {}, ...rule }) => ({ ...rule, when })),
  });
  const asleep = (always?.rules ?? []).map(({ rule }) => rule.id).filter((id) => !awake.has(id));
  const ruled = asked.ids.length === 0 || matched === undefined ? undefined : ruledList(matched, asked.ids);
  return { matched, asleep, ruled };
}

/** Only ids are known here: conditions on fields fit nothing, and say so. */
function ruledList({ rules }: Matched, ids: readonly string[]): Ruled {
  return applyRules(rules, {
    hits: ids.map((itemId) => ({ itemId, isPinned: false })),
    order: [...ids.keys()],
    isNamed: () => false,
    valuesOf: () => [],
    likeness: () => undefined,
    slotIds: [],
    isSorted: false,
    isFromTop: true,
    mayDrop: false,
  });
}

export function describeExplained({ matched, asleep, ruled }: Explained, ids: readonly string[]): string {
  if (matched === undefined && asleep.length === 0) return "No rule fits this search";
  const lines = (matched?.rules ?? []).map(
    ({ rule: { id, name, priority = 0, action } }, i) =>
      `${i + 1}. ${id}${name === undefined ? "" : ` (${name})`}: ${action.do}, priority ${priority}`,
  );
  if (lines.length === 0) lines.push("No rule that is live fits this search");
  for (const id of matched?.heldBack ?? []) lines.push(`   ${id}: another share of the shoppers`);
  for (const { rule, reason } of matched?.undecided ?? []) lines.push(`   ${rule}: ${reason}`);
  for (const id of asleep) lines.push(`   ${id}: would fit, and is switched off or not live at this moment`);
  if (ruled === undefined) return lines.join("\n");
  lines.push("");
  for (const [place, hit] of ruled.order.entries()) {
    const by = ruled.movedBy.get(hit) ?? [];
    lines.push(`${place + 1}. ${ids[hit]} (engine ${hit + 1})${by.length === 0 ? "" : `: ${by.join(", ")}`}`);
  }
  for (const { rule, reason, item, by } of ruled.idle)
    lines.push(`   ${rule}${item === undefined ? "" : ` ${item}`}: ${reason}${by === undefined ? "" : ` (${by})`}`);
  return lines.join("\n");
}
