/** `armmt plan`, and `armmt report` as a process. */
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, describe, expect, it } from "vitest";
import { MAX_SHARD_BYTES } from "../../src/cli/embed/pack.ts";
import { planFor } from "../../src/cli/plan.ts";
import { costOf, cpuMsOf, MS_BY_WINDOW, SHARD_BYTES } from "../../src/report/plan/cost.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const PERFORMANCE = readFileSync(join(ROOT, "docs/performance.md"), "utf8");
const folder = mkdtempSync(join(tmpdir(), "armmt-plan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function armmt(...args: string[]): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(ROOT, "src/lab/main.ts"), ...args], { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr });
    });
  });
}

const USUAL = {
  base: 0.03,
  lift: 0.03,
  power: 0.8,
  alpha: 0.05,
  variance: undefined,
  arms: 2,
  coverage: 1,
  searchesPerUnit: 1,
  searchesPerDay: undefined,
  tuning: 5000,
  sensitivity: 10,
  votesPerSearch: 0.25,
  window: 100,
  items: 100_000,
  cpuMs: undefined,
  searchesPerIsolate: 1000,
};

describe("planFor()", () => {
  it("gives the sizes of the power formulas, days and interleaving", () => {
    const plan = planFor({ ...USUAL, searchesPerDay: 50_000, coverage: 0.5, searchesPerUnit: 2 });
    expect(plan.ab).toMatchObject({ unitsPerArm: 572_150, units: 1_144_300, searches: 2_288_600, unitsPerArmByRuleOfThumb: 563_957 });
    expect(plan.ab.days).toBe(Math.ceil(2_288_600 / 25_000));
    expect(plan.ab.alwaysValid.unitsPerArm).toBeGreaterThan(plan.ab.alwaysValidTuned.unitsPerArm);
    expect(plan.ab.alwaysValidTuned.unitsPerArm / plan.ab.unitsPerArm).toBeCloseTo(1.915, 2); // the sequence at N*: 3.03 standard errors instead of 1.96
    expect(plan.interleaving).toMatchObject({ searches: 228_860, days: 10, votes: 57_215 });
    expect(plan.interleaving.tellsShare).toBeCloseTo(0.5 + 2.8016 / (2 * Math.sqrt(57_215)), 4);
    expect(planFor(USUAL).ab.days).toBeNull();
  });

  it("plans means by their variance, and refuses a base that is no proportion", () => {
    const plan = planFor({ ...USUAL, base: 10, variance: 400, lift: 0.05 });
    expect(plan.ab.unitsPerArm).toBe(25_117); // 2 · 7.8489 · 400 / 0.25
    expect(() => planFor({ ...USUAL, base: 10 })).toThrow(/--variance/);
  });
});

describe("costOf()", () => {
  it("is that of the price list", () => {
    const cost = costOf({ ...USUAL, cpuMs: 10, items: 1000 });
    expect(cost.perMillionSearches).toMatchObject({ requests: 0.3, cpu: 0.2, exposures: 3 });
    expect(cost.kvReadsPerSearch).toBeCloseTo(1 + 3 / 1000, 12); // pointer, and pointer, set and one shard of each new isolate
    expect(cost.perMillionSearches.total).toBeCloseTo(0.3 + 0.2 + 3 + cost.perMillionSearches.kvReads, 12);
    expect(cost.pricesSeen).toBe("November 2026");
  });

  it("counts the shards that an isolate cannot hold", () => {
    const cost = costOf({ ...USUAL, items: 400_000 }); // 70 MB, 134 shards, of which 48 % are held
    const touched = 134 * (1 - (133 / 134) ** 100);
    const held = 33_554_432 / 70e6;
    expect(cost.kvReadsPerSearch).toBeCloseTo(1 + (2 + 134 * held) / 1000 + touched * (1 - held), 9);
    expect(cost.assumptions.join()).toContain("48 % of the catalogue fits");
  });

  it("takes its milliseconds from the measured table and its shards from the packer", () => {
    const header = /\| ms per search, 1 connection, p50 \/ p99 [^|]*\|([^\n]*)\|\n/.exec(PERFORMANCE)?.[1] ?? "";
    const row = /\n\| re-ranked \|([^\n]*)\|\n/.exec(PERFORMANCE)?.[1] ?? "";
    const windows = [...header.matchAll(/K = (\d+)/g)].map((match) => Number(match[1]));
    const medians = row.split("|").map((cell) => Number(cell.split("/")[0]));
    expect(windows.length).toBeGreaterThan(2);
    // After a new measurement: src/report/plan/cost.ts
    expect([...MS_BY_WINDOW]).toEqual(windows.map((window, i) => [window, medians[i]]));
    expect([cpuMsOf(10), cpuMsOf(60), cpuMsOf(400)]).toEqual([medians[0], medians[2], (medians.at(-1) ?? 0) * 2]);
    expect(SHARD_BYTES).toBe(MAX_SHARD_BYTES);
  });
});

const planSchema = v.object({
  ab: v.looseObject({ unitsPerArm: v.number() }),
  interleaving: v.looseObject({ searches: v.number(), assumption: v.string() }),
  cost: v.looseObject({ perMillionSearches: v.looseObject({ total: v.number() }) }),
});
const ownSchema = v.looseObject({
  base: v.number(),
  interleaving: v.looseObject({ isAssumed: v.boolean() }),
  log: v.looseObject({ base: v.number(), sensitivities: v.array(v.looseObject({ by: v.string(), value: v.nullable(v.number()) })) }),
});
const reportSchema = v.looseObject({ simulated: v.literal(true), trusted: v.literal(true), metrics: v.array(v.looseObject({})) });
const parse = <T extends v.GenericSchema>(schema: T, text: string): v.InferOutput<T> => v.parse(schema, JSON.parse(text));

describe("on the command line", () => {
  it("plan answers as text and as JSON", async () => {
    const [text, json] = await Promise.all([
      armmt("plan", "--base", "0.03", "--lift", "0.03", "--per-day", "50000"),
      armmt("plan", "--base", "0.03", "--lift", "0.03", "--power", "0.8", "--alpha", "0.05", "--json"),
    ]);
    expect(text).toMatchObject({ code: 0, stderr: "" });
    expect(text.stdout).toMatch(/A\/B, one look at the end\s+572,150\s+1,144,300\s+1,144,300\s+23 days/);
    expect(json.code).toBe(0);
    expect(parse(planSchema, json.stdout).ab.unitsPerArm).toBe(572_150);
  });

  it("plan says what is wrong with its options: 2 for usage, 1 for what cannot be", async () => {
    const outcomes = await Promise.all([
      armmt("plan", "--base", "0.03"),
      armmt("plan", "--base", "0.03", "--lift", "0"),
      armmt("plan", "--base", "0.03", "--lift", "0.1", "--power", "1"),
      armmt("plan", "--base", "3", "--lift", "0.1"),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 2, 1]);
    expect(outcomes[3]?.stderr).toContain("--base between 0 and 1");
    expect(outcomes[3]?.stderr).not.toMatch(/^\s+at /m);
  });

  it("plan takes from a log what is not given, and says what is assumed", async () => {
    const [own, plain, stray, none] = [
      await armmt("plan", "--simulated", "--lift", "0.03", "--json"),
      await armmt("plan", "--base", "0.001", "--lift", "0.1", "--per-day", "3000"),
      await armmt("plan", "--lift", "0.03", "--database", "x.sqlite"),
      await armmt("plan", "--lift", "0.03"),
    ];
    const plan = v.parse(ownSchema, JSON.parse(own.stdout));
    expect(plan.log.base).toBe(plan.base);
    expect(plan.log.sensitivities.map(({ by, value }) => [by, value])).toEqual([["clicks", null], ["purchases", null]]); // prettier-ignore
    expect(plan.interleaving.isAssumed).toBe(true);
    expect(plain.stdout).toContain("10 times as sensitive is assumed");
    expect(plain.stdout).toMatch(/one look at the end .* [\d,]+ days/);
    expect([stray.code, none.code]).toEqual([2, 2]);
    expect(stray.stderr).toContain("--database needs --experiment");
  });

  it("report shows simulated shoppers as JSON and as a page, and nothing else on stderr", async () => {
    const html = join(folder, "report.html");
    const { code, stdout, stderr } = await armmt("report", "--simulated", "--json", "--html", html);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(parse(reportSchema, stdout).metrics.length).toBeGreaterThan(5);
    expect(readFileSync(html, "utf8")).toContain("badge");
  });

  it("report says what is wrong with its options", async () => {
    const outcomes = await Promise.all([
      armmt("report"),
      armmt("report", "x", "--local", "--queries", "q.ndjson"),
      armmt("report", "x", "--metric", "nonsense"),
      armmt("report", "x", "--since", "yesterday"),
      armmt("report", "x", "--weights", "control"),
      armmt("report", "x", "--queries", join(folder, "none.ndjson")),
      armmt("report", "x", "--events", "e.ndjson"),
      armmt("report", "--simulated", "x"),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 1, 1, 1]);
    expect(outcomes[2]?.stderr).toContain("click-through");
    expect(outcomes[4]?.stderr).toContain("control=0.5,armmt=0.5");
    expect(outcomes[7]?.stderr).toContain("it knows simulated");
    for (const { stderr } of outcomes) expect(stderr).not.toMatch(/^\s+at /m);
  });
});
