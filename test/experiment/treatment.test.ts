import { describe, expect, it } from "vitest";
import { modelIn, parseTreatment, rankersOf } from "../../src/experiment/treatment.ts";

const engine = { kind: "engine" };
const live = { kind: "model", version: undefined };
const other = { kind: "model", version: "drawn-1.2" };

describe("parseTreatment()", () => {
  it.each([
    ["control", { kind: "serve", ranker: engine }],
    ["armmt", { kind: "serve", ranker: live }],
    ["armmt@drawn-1.2", { kind: "serve", ranker: other }],
    ["interleave(control, armmt)", { kind: "interleave", a: engine, b: live }],
    ["interleave(armmt,armmt@drawn-1.2)", { kind: "interleave", a: live, b: other }],
    ["shadow(armmt)", { kind: "shadow", ranker: live }],
    ["explore(armmt@drawn-1.2)", { kind: "explore", ranker: other }],
  ])("%s", (name, expected) => {
    expect(parseTreatment(name)).toEqual({ ok: true, value: expected });
  });

  it.each([
    ["best", /not a variant: use "control", "armmt"/],
    ["armmt@", /not a variant/],
    ["interleave(armmt)", /does not name two orders/],
    ["interleave(armmt, armmt)", /with itself/],
    ["interleave(control, control)", /with itself/],
    ["interleave(shadow(armmt), armmt)", /does not name two orders/],
    ["shadow(control)", /name a model/],
    ["explore(control)", /name a model/],
    ["explore()", /does not name an order/],
    ["Interleave(control, armmt)", /not a variant/],
  ])("refuses %s", (name, message) => {
    const parsed = parseTreatment(name);
    expect(parsed.ok ? undefined : parsed.error).toMatch(message);
  });

  it("knows whose orders it needs", () => {
    const parsed = parseTreatment("interleave(control, armmt@drawn-1.2)");
    if (!parsed.ok) throw new Error(parsed.error);
    expect(rankersOf(parsed.value)).toEqual([engine, other]);
    expect(modelIn(parsed.value)?.version).toBe("drawn-1.2");
  });
});
