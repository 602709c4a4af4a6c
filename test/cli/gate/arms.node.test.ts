import { describe, expect, it } from "vitest";
import { createExposures, ENGINE, type KnownOrders, SEMANTIC, surveyArms } from "../../../src/cli/gate/arms.ts";
import { chanceAt } from "../../../src/cli/gate/exposure.ts";
import type { ListRow } from "../../../src/cli/lists/columns.ts";
import { draftTeams, swapNeighbours } from "../../../src/ranking/interleave.ts";

const engine = Array.from({ length: 12 }, (_, i) => i);
const semantic = [3, 0, 1, 7, 2, 9, 4, 5, 11, 6, 8, 10];
const orders: KnownOrders = new Map([
  [ENGINE, engine],
  [SEMANTIC, semantic],
]);

function rowOf(i: number, variant: string, shown: readonly number[], more: Partial<ListRow> = {}): ListRow {
  const none = engine.map(() => 0);
  const positions = engine.map((candidate) => shown.indexOf(candidate) + 1);
  const texts = { query_id: `q${i}`, query: "mug", index: "products", experiment: "first", model: "", unit: `unit ${i}`, variant };
  const lists = { token_ids: [], item_rows: none, features: [], positions, clicks: none, carts: none, purchases: none, history_rows: [] };
  const rest = { split: "train", randomised: false, prior: null, at: 0, treatment: "serve", propensities: null, teams: none } as const;
  return { ...texts, ...lists, ...rest, revenue: none, orders: 0, ...more };
}

const swapped = swapNeighbours(semantic, [], "a seed");
const drafted = draftTeams(engine, semantic, [], "a seed");
const byCandidate = <T>(shown: readonly number[], values: readonly T[]): T[] =>
  engine.map((candidate) => values[shown.indexOf(candidate)]!);

const rows = [
  rowOf(0, "control", engine),
  rowOf(1, "semantic", semantic),
  rowOf(2, "explore(semantic)", swapped.order, { propensities: byCandidate(swapped.order, swapped.propensities) }),
  rowOf(3, "interleave(control, semantic)", drafted.order, {
    teams: byCandidate(
      drafted.order,
      drafted.teams.map((team) => (team === "a" ? 1 : 2)),
    ),
  }),
];

function exposuresOf(all: readonly ListRow[]) {
  const survey = surveyArms();
  for (const row of all) survey.add(row);
  return createExposures(survey, undefined);
}

describe("chances by the arms of an experiment", () => {
  it("are the same whichever arm was shown", () => {
    const exposures = exposuresOf(rows);
    for (const row of rows) {
      const cells = exposures.find(row, orders)!;
      // Engine 1/4; interleaved 1/4 x 1/2; explored 1/4 x 1/18.
      expect(chanceAt(cells, 0, 1)).toBeCloseTo(1 / 4 + 1 / 8 + 1 / 72, 9);
      for (const at of cells) expect(at.reduce((sum, { chance }) => sum + chance, 0)).toBeCloseTo(1, 9);
    }
    expect(exposures.counts()).toEqual({ byArms: 4, byRecord: 0, fixed: {} });
    expect([...exposures.doubtful()]).toEqual([]);
  });

  it("are left to the record where the order is not the computed one", () => {
    const exposures = exposuresOf(rows);
    expect(exposures.find(rowOf(5, "semantic", engine), orders)).toBeUndefined();
    expect(exposures.find(rows[2]!, new Map([[ENGINE, engine]]))).toBeDefined();
    expect(exposures.counts()).toMatchObject({ byRecord: 1, fixed: { "shown otherwise than its arm says": 1 } });
  });

  it("name an arm in which something else decides", () => {
    const others = Array.from({ length: 30 }, (_, i) => rowOf(i, "semantic", i < 4 ? engine : semantic));
    const exposures = exposuresOf([...rows, ...others]);
    for (const row of others) exposures.find(row, orders);
    expect([...exposures.doubtful()]).toEqual(["first: semantic"]);
  });

  it("of the other arms and experiments stay where something else decides in one", () => {
    const others = Array.from({ length: 30 }, (_, i) => rowOf(i, "semantic", engine));
    const elsewhere = rows.map((row) => ({ ...row, experiment: "second" }));
    const survey = surveyArms();
    for (const row of [...rows, ...others, ...elsewhere]) survey.add(row);
    const exposures = createExposures(survey, undefined, new Set(["first: semantic"]));
    expect(exposures.find(others[0]!, orders)).toBeUndefined();
    // The engine's order, half explored and half drafted ones: a third of the shoppers each.
    expect(chanceAt(exposures.find(rows[0]!, orders)!, 0, 1)).toBeCloseTo(1 / 3 + 1 / 6 + 1 / 54, 9);
    expect(chanceAt(exposures.find(elsewhere[0]!, orders)!, 0, 1)).toBeCloseTo(1 / 4 + 1 / 8 + 1 / 72, 9);
    expect(exposures.counts()).toMatchObject({ byArms: 2 });
  });

  it("are of the arms of the time", () => {
    const before = rowOf(10, "interleave(control, armmt@shop-1:0.3)", engine, { at: 5 });
    const later = rows.map((row) => ({ ...row, at: 20 }));
    const exposures = exposuresOf([before, ...rows.map((row) => ({ ...row, at: 10 })), ...later]);
    expect(chanceAt(exposures.find(later[0]!, orders)!, 0, 1)).toBeCloseTo(1 / 4 + 1 / 8 + 1 / 72, 9);
  });

  it("know a model at the trust of its arm", () => {
    const blended = semantic.toReversed();
    const known = new Map([...orders, ["shop-1:0.3", blended]]);
    const trial = [rowOf(0, "semantic", semantic), rowOf(1, "armmt@shop-1:0.3", blended, { model: "shop-1" })];
    const survey = surveyArms();
    for (const row of trial) survey.add(row);
    expect(survey.trusts()).toEqual([0.3]);
    const cells = createExposures(survey, "shop-1").find(trial[1]!, known)!;
    expect(chanceAt(cells, blended[0]!, 1)).toBeCloseTo(1 / 2, 9);
  });

  it("are none without an experiment", () => {
    const exposures = exposuresOf(rows);
    expect(exposures.find({ ...rows[0]!, experiment: "" }, orders)).toBeUndefined();
    expect(exposures.counts().fixed).toEqual({ "no experiment": 1 });
  });
});
