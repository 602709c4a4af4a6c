/** What rules cost a search: they run on its thread, so a document as large as the schema allows must not hold it. Ratios, not times: machines differ. */
import { describe, expect, it } from "vitest";
import { applyRules } from "../../src/rules/apply.ts";
import { MAX_CHARACTERS, parseInTurns, parseRules } from "../../src/rules/document.ts";
import { compileRules } from "../../src/rules/match.ts";

const HITS = Array.from({ length: 100 }, (_, i) => ({ itemId: `item-${i}`, isPinned: false }));

/** How many times as long one takes as the other: the quickest list of each, by turns, so that what else the machine does strikes both. */
function ratio(actions: readonly object[], others: readonly object[]): number {
  const [run, runOther] = [listOf(actions), listOf(others)];
  let [quickest, quickestOther] = [Infinity, Infinity];
  for (let turn = 0; turn < 60; turn++) {
    quickest = Math.min(quickest, run());
    quickestOther = Math.min(quickestOther, runOther());
  }
  return quickest / quickestOther;
}

/** Milliseconds for one list. */
function listOf(actions: readonly object[]): () => number {
  const parsed = parseRules(JSON.stringify({ format: 1, rules: actions.map((action, i) => ({ id: `r${i}`, action })) }));
  if (!parsed.ok) throw new Error(parsed.error.join("; "));
  const compiled = compileRules(parsed.value, "v");
  if (!compiled.ok) throw new Error(compiled.error.join("; "));
  const asked = { index: "products", queryText: "shoe", filters: () => undefined, context: new Set<string>(), country: undefined };
  const matched = compiled.value.match({ ...asked, now: 0, unit: undefined });
  const window = { hits: HITS, order: [...HITS.keys()], slotIds: [], isSorted: false, isFromTop: true, mayDrop: false };
  return () => {
    const begun = performance.now();
    applyRules(matched?.rules ?? [], {
      ...window,
      isNamed: () => false,
      valuesOf: () => ["One Value", "Another"],
      likeness: () => undefined,
    });
    return performance.now() - begun;
  };
}

const hides = (values: number): object[] =>
  Array.from({ length: 20 }, (_, r) => ({
    do: "hide",
    match: [{ field: "brand", is: Array.from({ length: values }, (_v, i) => `Brand ${r} ${i}`) }],
  }));

const ruleOf = (id: string): object => ({ id, action: { do: "cap", field: "brand", most: 1, first: 2 } });

const pins = (items: number): object[] =>
  Array.from({ length: 100 }, (_, r) => ({
    do: "pin",
    items: Array.from({ length: items }, (_i, i) => ({ id: `elsewhere-${r}-${i}`, position: i + 1 })),
  }));

describe("the cost of rules", () => {
  it("does not grow with the values that a condition lists", () => {
    expect(ratio(hides(300), hides(3))).toBeLessThan(20);
  });

  it("hardly grows with the items of pins that are not there", () => {
    expect(ratio(pins(300), pins(30))).toBeLessThan(6);
  });

  it("lets others go first while a long document is checked", async () => {
    const rules = Array.from({ length: 1500 }, (_, i) => ruleOf(`r${i}`));
    let pauses = 0;
    const pause = async (): Promise<void> => void pauses++;
    const text = JSON.stringify({ format: 1, rules });
    expect(await parseInTurns(text, pause)).toEqual(parseRules(text));
    expect(pauses).toBeGreaterThan(5);
    for (const [more, problem] of [
      [ruleOf("r3"), "another rule has this id"],
      [{ id: "new", action: { do: "explode" } }, "Rule new"],
    ] as const) {
      const broken = await parseInTurns(JSON.stringify({ format: 1, rules: [...rules, more] }), pause);
      expect(broken).toEqual({ ok: false, error: [expect.stringContaining(problem)] });
    }
    expect(await parseInTurns(JSON.stringify({ format: 2, rules }), pause)).toMatchObject({ ok: false });
  });

  it("does not read a document of any length", () => {
    const note = "a".repeat(1900);
    const rules = Array.from({ length: 3000 }, (_, i) => ({ id: `r${i}`, note, action: { do: "cap", field: "brand", most: 1, first: 2 } }));
    const text = JSON.stringify({ format: 1, rules });
    expect(text.length).toBeGreaterThan(MAX_CHARACTERS);
    expect(parseRules(text)).toEqual({ ok: false, error: [expect.stringContaining(`at most ${MAX_CHARACTERS}`)] });
  });
});
