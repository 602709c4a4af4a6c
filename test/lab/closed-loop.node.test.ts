/** The closed loop without its hour: parts are told once and in order, figures against references, and a page that says what was not told. */
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { compareTruths, readFigures } from "../../src/lab/closed-loop/figures.ts";
import { writePage } from "../../src/lab/closed-loop/page.ts";
import { SIZES } from "../../src/lab/closed-loop/plan.ts";
import { tellStory } from "../../src/lab/closed-loop/run.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-closed-loop-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// No test needs Python.
process.env["ARMMT_VENV"] ??= folder;

const quick = SIZES.quick;

const tell = (home: string, calls: string[], failing = "", sizes = quick, isFresh = false) => {
  const part = (name: string) => ({
    name,
    work: async () => {
      calls.push(name);
      if (name === failing) throw new Error(`${name} broke`);
    },
  });
  const parts = ["shop", "log", "alike"].map(part);
  return tellStory({ home, size: "quick", sizes, isFresh, afterPart: () => calls.push("page"), parts });
};

describe("tellStory()", () => {
  it("goes on with the part that was interrupted, and tells none twice", async () => {
    const [home, calls] = [join(folder, "resumed"), new Array<string>()];
    await expect(tell(home, calls, "log")).rejects.toThrow("log broke");
    expect(calls).toEqual(["shop", "page", "log"]);
    await tell(home, calls);
    expect(calls.slice(3)).toEqual(["page", "log", "page", "alike", "page"]);
  });

  it("goes on with no story of other sizes, unless it begins anew", async () => {
    const [home, calls] = [join(folder, "other"), new Array<string>()];
    await tell(home, calls);
    await expect(tell(home, calls, "", { ...quick, log: 401 })).rejects.toThrow(/other sources or sizes: begin anew with --fresh/);
    writeFileSync(join(home, "left"), "");
    await tell(home, calls, "", { ...quick, log: 401 }, true);
    expect(existsSync(join(home, "left"))).toBe(false);
  });
});

describe("compareTruths()", () => {
  it("is the mean per search, and varies as shoppers do", () => {
    const none = { clicks: 0, purchases: 0, revenue: 0 };
    const truths = Array.from({ length: 200 }, (_, i) =>
      Array.from({ length: 1 + (i % 4) }, (__, j) => {
        const difference = 0.05 + 0.3 * Math.sin(i * 12.9898) + 0.2 * Math.sin(i * 7.1 + j * 78.233);
        return { shopper: `shopper ${i}`, shown: none, arms: { control: none, armmt: { ...none, clicks: difference } } };
      }),
    ).flat();
    const [clicks, purchases] = compareTruths(truths, [["control", "armmt"]]);
    // statsmodels 0.14: OLS on a constant, covariance clustered by shopper, without its correction.
    const [mean, low, high] = [0.0572834, 0.0245556, 0.0900112];
    expect(clicks).toMatchObject({ figure: "clicks", searches: 500 });
    expect(clicks!.difference.mean).toBeCloseTo(mean, 6);
    // The bootstrap draws 1,000 times.
    expect(Math.abs(clicks!.difference.low - low)).toBeLessThan(0.004);
    expect(Math.abs(clicks!.difference.high - high)).toBeLessThan(0.004);
    expect(purchases!.difference).toMatchObject({ mean: 0, low: 0, high: 0 });
  });

  it("leaves out searches whose order of an arm could not be had", () => {
    const none = { clicks: 1, purchases: 0, revenue: 0 };
    expect(compareTruths([{ shopper: "a", shown: none, arms: { control: none } }], [["control", "armmt"]])).toEqual([]);
  });
});

/** A search by the truth; `more`: expected clicks of the model over the engine's. */
const truth = (shopper: number, more: number) => ({
  query_id: `q-${shopper}`,
  shopper: `shopper ${shopper}`,
  shown: { clicks: 1, purchases: 0.1, revenue: 1 },
  arms: { control: { clicks: 1, purchases: 0.1, revenue: 1 }, "armmt@reversed:1": { clicks: 1 + more, purchases: 0.05, revenue: 1 } },
});

/** Searches of the reversed arm. */
const outcome = (bypass: string | null, searches: number) => ({ variant: "armmt@reversed:1", bypass, searches });

describe("the page", () => {
  it("says what was not told, and when the guard stopped the reversed model", () => {
    const home = join(folder, "page");
    const reversed = join(home, "reversed");
    mkdirSync(join(reversed, "batch-1"), { recursive: true });
    const write = (path: string, value: unknown): void => writeFileSync(join(home, path), JSON.stringify(value));
    write("story.json", { key: "k", size: "quick", begun: "2026-11-30T00:00:00Z" });
    write("stages.json", { reversed: { key: "k", seconds: 12.3 } });
    write("reversed/gate.json", { verdict: "refused", refused: ["worse than engine"], missing: [], judgments: [], evidence: null });
    const lines = Array.from({ length: 40 }, (_, i) => `${JSON.stringify(truth(i, -0.5))}\n`).join("");
    writeFileSync(join(reversed, "batch-1/truth.ndjson"), lines);
    const harm = [{ guardrail: "buyers", variant: "armmt@reversed:1", state: "harm" }];
    write("reversed/looks.json", [
      { searches: 150, outcomes: [outcome(null, 75)], switchedOff: [], guardrails: [] },
      { searches: 300, outcomes: [outcome(null, 80)], switchedOff: ["armmt@reversed:1"], guardrails: harm },
      { searches: 450, outcomes: [outcome("switched_off", 60), outcome(null, 20)], switchedOff: [], guardrails: harm },
    ]);
    const figures = readFigures(home);
    expect(figures.reversed).toMatchObject({ stoppedAfter: 300, switchedOffAfterwards: 0.75 });
    expect(figures.reversed?.truth[0]).toMatchObject({ figure: "clicks", difference: { mean: -0.5 } });
    expect(figures.first).toBeUndefined();
    writePage(home, figures);
    const page = readFileSync(join(home, "closed-loop.md"), "utf8");
    expect(page).toContain("switched it off after **300 searches** (buyers); of its arm's searches after that 75.0 %");
    // Eight parts, and five questions that need them.
    expect(page.match(/Not run yet\./g)?.length).toBe(13);
    expect(page).toContain("By the gate: refused. By the guard: after 300 searches.");
    expect(JSON.parse(readFileSync(join(home, "closed-loop/closed-loop.json"), "utf8"))).toMatchObject({ simulated: true, size: "quick" });
  });
});
