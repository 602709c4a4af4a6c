/** The whole bench, once, as a user runs it; what it measures here is worth nothing, that it measures everything is. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { differences, measured, percentile } from "../../src/cli/bench/measurement.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Alone it takes some 20 s; beside other tests on a small machine several times that. */
const TIMEOUT_MS = 300_000;

const number = v.pipe(v.number(), v.finite());
const schema = v.array(
  v.strictObject({
    name: v.pipe(v.string(), v.nonEmpty()),
    unit: v.picklist(["ms", "requests/s", "MB", "bytes"]),
    p50: number,
    p99: number,
    peer: v.optional(v.string()),
    ratio: v.optional(v.pipe(number, v.minValue(0))),
  }),
);

describe("armmt bench --quick --json", () => {
  it(
    "prints every figure as {name, unit, p50, p99, peer?, ratio?} and ends by itself",
    async () => {
      const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, "bench", "--quick", "--json"], { timeout: TIMEOUT_MS });
      expect(stderr).toMatch(/cores.*node v\d.*workerd 1\.\d+/);
      const found = v.parse(schema, JSON.parse(stdout));
      const names = found.map((one) => one.name);
      expect(new Set(names).size).toBe(names.length);
      for (const k of [20, 50, 100, 200]) {
        expect(names).toContain(`added time per search, K = ${k}`);
        expect(names).toContain(`search, passthrough (x-armmt: off), K = ${k}`);
        expect(names).toContain(`model run, workerd, K = ${k}`);
      }
      for (const connections of ["1 connection", "8 connections"]) {
        expect(found.find(({ name }) => name === `searches per second, re-ranked, ${connections}, K = 100`)?.peer).toBe("passthrough");
      }
      const only = (pattern: RegExp) => found.filter(({ name }) => pattern.test(name)).map(({ p50 }) => p50);
      const [raw, gzip] = only(/^edge Worker, (raw|gzip)$/);
      expect(gzip!).toBeLessThan(raw!);
      expect(raw!).toBeLessThan(64 * 2 ** 20); // the platform's limit
      const [emptyStart, edgeStart] = only(/^workerd from spawn/);
      expect(edgeStart!).toBeGreaterThan(emptyStart!);
      const [emptyMb, edgeMb] = only(/^resident memory of workerd after its first answer/);
      expect(edgeMb!).toBeGreaterThan(emptyMb!);
      for (const { peer, ratio } of found) expect(peer === undefined).toBe(ratio === undefined);
    },
    TIMEOUT_MS,
  );

  it("times the model on every provider with several lists in one run", { timeout: TIMEOUT_MS }, async () => {
    const args = [MAIN, "bench", "--providers", "--quick", "--json"];
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { timeout: TIMEOUT_MS });
    expect(stderr).toMatch(/WebGPU/);
    const found = v.parse(schema, JSON.parse(stdout));
    const one = found.find(({ name }) => name === "model run in Node, wasm, K = 100, 1 list");
    const eight = found.find(({ name }) => name === "model run in Node, wasm, K = 100, 8 lists");
    expect(one?.p50).toBeGreaterThan(0);
    expect(eight).toMatchObject({ peer: "8 runs of one list", ratio: expect.any(Number) });
    expect(eight!.p50).toBeGreaterThan(one!.p50);
  });

  it("refuses an option it does not have, with exit code 2", async () => {
    const failure = promisify(execFile)(process.execPath, [MAIN, "bench", "--fast"]);
    await expect(failure).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining("--fast") });
  });
});

describe("measured()", () => {
  const hundred = Array.from({ length: 101 }, (_, i) => 100 - i); // 100, 99 … 0

  it("takes percentiles of all samples, the slow end of times and the low end of rates", () => {
    expect(measured("a time", "ms", hundred)).toEqual({ name: "a time", unit: "ms", p50: 50, p99: 99 });
    expect(measured("a rate", "requests/s", hundred)).toMatchObject({ p50: 50, p99: 1 });
  });

  it("divides by the peer's p50", () => {
    expect(measured("a time", "ms", hundred, { peer: "another", p50: 20 })).toMatchObject({ peer: "another", ratio: 50 / 20 });
  });

  it("interpolates between ranks, and refuses to make figures out of nothing", () => {
    expect(percentile([1, 2], 0.25)).toBe(1 + 0.25 * (2 - 1));
    expect(() => percentile([], 0.5)).toThrow("no samples");
    expect(differences([5, 7], [1, 2])).toEqual([4, 5]);
    expect(() => differences([5], [1, 2])).toThrow("1 samples against 2");
  });
});
