/** Why an effect is not called although one test shows it, by counts made by hand; and the exit code for whoever watches from a schedule. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, describe, expect, it, vi } from "vitest";
import { run, SHOP_COMMANDS } from "../../src/cli/main.ts";
import { capsOf } from "../../src/report/caps.ts";
import { addToCell, type ArmSums, CELL_SIZE, emptyExtremes, noteExtremes, readCell } from "../../src/report/cells.ts";
import { METRICS } from "../../src/report/metrics.ts";
import { judge } from "../../src/report/verdict.ts";
import { metric as find } from "./rows.ts";
import { TABLES } from "./simulated-database.ts";

const metric = find("revenue-per-shopper");
const NO_CAPS = capsOf(
  METRICS.map(() => Infinity),
  Infinity,
);

/** So many shoppers who paid so much. */
type Paid = readonly (readonly [shoppers: number, each: number])[];

function armOf(paid: Paid): ArmSums {
  const m = METRICS.indexOf(metric);
  const cells = new Float64Array(CELL_SIZE);
  const extremes = emptyExtremes();
  for (const [shoppers, y] of paid) {
    const counted = { y, x: 1, isKnown: true, squares: 0 };
    addToCell(cells, 0, NO_CAPS, m, counted, shoppers);
    noteExtremes(extremes, NO_CAPS, m, counted);
  }
  return readCell(
    cells,
    0,
    [extremes.heaviest, extremes.widest].flatMap((extreme) => extreme ?? []),
  );
}

const judged = (control: Paid, variant: Paid, share = 0.5) =>
  judge(metric, armOf(control), armOf(variant), { alpha: 0.05, tuning: 5000, share });

describe("an effect is held", () => {
  it("where the lift alone shows it: a small arm's difference may be chance", () => {
    const { verdict, held, capped } = judged([[980, 0], [20, 1]], [[80, 0], [20, 1], [1, 5]], 1 / 11); // prettier-ignore
    expect([verdict, held]).toEqual(["open", "difference"]);
    expect(capped).toMatchObject({ lift: { always: { low: expect.any(Number) } } });
    if (typeof capped === "string") throw new Error(capped);
    expect(capped.lift.always.low).toBeGreaterThan(0);
    expect(capped.difference.always.low).toBeLessThan(0);
  });

  it("where the difference alone shows it: control's one large order may be all of it", () => {
    const { verdict, held, capped } = judged([[960, 0], [40, 1], [1, 60]], [[600, 0], [400, 1]]); // prettier-ignore
    expect([verdict, held]).toEqual(["open", "lift"]);
    if (typeof capped === "string") throw new Error(capped);
    expect(capped.difference.always.low).toBeGreaterThan(0);
    expect(capped.lift.always.low).toBeLessThan(0);
  });

  it("where one shopper decides: with one buyer more it is called", () => {
    const control: Paid = [[4900, 0], [100, 1]]; // prettier-ignore
    const found = Array.from({ length: 200 }, (_, more) => {
      const { verdict, held } = judged(control, [[4900 - more, 0], [100 + more, 1]]); // prettier-ignore
      return held ?? verdict;
    });
    const at = found.indexOf("one_shopper");
    expect(at).toBeGreaterThan(0);
    // Below it, not both scales show the effect; above it, both do without any shopper.
    expect(new Set(found.slice(0, at))).not.toContain("higher");
    expect(new Set(found.slice(found.lastIndexOf("one_shopper") + 1))).toEqual(new Set(["higher"]));
    expect(found.filter((word) => word === "one_shopper")).toHaveLength(found.lastIndexOf("one_shopper") - at + 1);
  });
});

const folder = mkdtempSync(join(tmpdir(), "armmt-held-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** 600 searches of as many shoppers, of which all click in the arms that are named. */
function logOf(name: string, clicking: readonly string[], isLost = false): string {
  const path = join(folder, `${name}.sqlite`);
  const file = new DatabaseSync(path);
  for (const table of TABLES) file.exec(table);
  const addSearch =
    file.prepare(`INSERT INTO ubi_queries (timestamp, application, query_id, unit, user_query, experiment, variant, query_attributes, hit_ids)
    VALUES ('2026-11-02T09:00:00.000Z', 'shop', ?, ?, '', 'rerank', ?, '{}', '["x"]')`);
  const addClick =
    file.prepare(`INSERT INTO ubi_events (event_id, timestamp, application, action_name, query_id, object_id, event_attributes)
    VALUES (?1, '2026-11-02T09:01:00.000Z', 'shop', 'click', ?1, 'x', '{}')`);
  file.exec("BEGIN");
  for (let n = 0; n < 600; n++) {
    const variant = n % 2 === 0 ? "control" : "armmt";
    if (isLost && n % 6 === 1) continue;
    addSearch.run(`q${n}`, `u${n}`, variant);
    if (clicking.includes(variant) && n % 10 < 2) addClick.run(`q${n}`);
  }
  file.exec("COMMIT");
  file.close();
  return path;
}

async function codeOf(database: string, ...more: string[]): Promise<number> {
  const spies = (["stdout", "stderr"] as const).map((stream) => vi.spyOn(process[stream], "write").mockReturnValue(true));
  try {
    return await run(["report", "rerank", "--database", database, "--weights", "control=0.5,armmt=0.5", ...more], SHOP_COMMANDS);
  } finally {
    process.exitCode = undefined;
    for (const spy of spies) spy.mockRestore();
  }
}

describe("the exit code of a report", () => {
  it("is 3 for an alarm or a sample-ratio mismatch, in words and in JSON, and 0 otherwise", async () => {
    const codes = [
      await codeOf(logOf("fine", ["control", "armmt"])),
      await codeOf(logOf("dead", ["control"])),
      await codeOf(join(folder, "dead.sqlite"), "--json"),
      await codeOf(logOf("lost", ["control", "armmt"], true)),
      await codeOf(join(folder, "none.sqlite")),
    ];
    expect(codes).toEqual([0, 3, 3, 3, 1]);
  });
});
