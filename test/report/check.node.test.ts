/** `armmt report --check` saves what it finds, goes on from there, and simulates other experiments by another seed. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as v from "valibot";
import { afterAll, expect, it, vi } from "vitest";
import { printCheck } from "../../src/cli/report/check.ts";
import { CELLS, simulateDays } from "../../src/cli/report/error-check.ts";
import { DEFAULT_CAP } from "../../src/report/caps.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-check-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const OPTIONS = { alpha: 0.05, tuning: 5000, cap: DEFAULT_CAP, seed: "test" };
const save = join(folder, "check.json");

async function check(options = OPTIONS): Promise<unknown> {
  let said = "";
  const spy = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    said += String(text);
    return true;
  });
  try {
    await printCheck(options, { runs: 1, json: true, save });
  } finally {
    spy.mockRestore();
  }
  return JSON.parse(said);
}

const savedSchema = v.looseObject({ found: v.record(v.string(), v.looseObject({ called: v.record(v.string(), v.number()) })) });
const reportSchema = v.looseObject({ cells: v.array(v.looseObject({ cell: v.string(), wrong: v.record(v.string(), v.number()) })) });

it("saves each part, goes on where it was stopped, and says when a file is of another check", async () => {
  const first = await check();
  const saved = v.parse(savedSchema, JSON.parse(readFileSync(save, "utf8")));
  const [key = ""] = Object.keys(saved.found);
  expect(Object.keys(saved.found)).toHaveLength(CELLS.length + 1);
  // One part is missing, and another is as nothing would find it.
  const { [key]: _, ...others } = saved.found;
  const name = CELLS.at(-1)?.name ?? "";
  const marked = { ...others, [`${name}, 0 to 1`]: { ...others[`${name}, 0 to 1`], called: { carts: 1 } } };
  writeFileSync(save, JSON.stringify({ ...saved, found: marked }));
  const second = v.parse(reportSchema, await check());
  expect(second.cells.at(-1)?.wrong["carts"]).toBe(1);
  expect(second.cells.slice(0, -1)).toEqual(v.parse(reportSchema, first).cells.slice(0, -1));
  await expect(check({ ...OPTIONS, seed: "other" })).rejects.toThrow(/check\.json holds experiments with .*"seed":"test".* --save/);
  writeFileSync(save, "{}");
  await expect(check()).rejects.toThrow(/is not what report --check has saved/);
}, 120_000);

it("simulates the same experiments by the same seed, and others by another", () => {
  const cell = { ...CELLS[0]!, perDay: 40, buyRate: 0.4 };
  const last = (seed: string) => JSON.stringify([...simulateDays(cell, seed, OPTIONS)].at(-1));
  expect(last("1")).toBe(last("1"));
  expect(last("1")).not.toBe(last("2"));
});
