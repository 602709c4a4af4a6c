/** The bench as a user runs it, with few samples: every figure is there, its value means little. */
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as v from "valibot";
import { afterAll, describe, expect, it } from "vitest";
import { differenceOf, differences, measured, percentile } from "../../../src/lab/bench/measurement.ts";
import { PARTS } from "../../../src/lab/bench/parts.ts";

const MAIN = fileURLToPath(new URL("../../../src/lab/main.ts", import.meta.url));

/** ARMMT_BENCH=all runs the other parts too, which takes as long again. */
const TESTED = ["searches", "busy", "cold", "features"];
const isAll = process.env["ARMMT_BENCH"] === "all";

/** Alone it takes 20 s, beside other tests on a small machine several times that. */
const TIMEOUT_MS = 300_000;

const number = v.pipe(v.number(), v.finite());
const schema = v.array(
  v.strictObject({
    name: v.pipe(v.string(), v.nonEmpty()),
    unit: v.picklist(["ms", "ms CPU", "requests/s", "requests/CPU-s", "MB", "bytes", "%", "count"]),
    p50: number,
    p99: number,
    p999: v.optional(number),
    peer: v.optional(v.string()),
    ratio: v.optional(number),
    place: v.optional(v.strictObject({ chart: v.string(), series: v.string(), x: v.string() })),
  }),
);

type Figures = v.InferOutput<typeof schema>;

async function bench(...args: readonly string[]): Promise<{ readonly found: Figures; readonly stderr: string }> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [MAIN, "bench", ...args, "--json"], { timeout: TIMEOUT_MS });
  return { found: v.parse(schema, JSON.parse(stdout)), stderr };
}

describe("armmt bench --quick --json", () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-plots-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("prints every figure beside its peer, draws it, and ends by itself", { timeout: TIMEOUT_MS }, async () => {
    const { found, stderr } = await bench("--quick", "--plots", folder, ...(isAll ? [] : ["--only", TESTED.join(",")]));
    expect(stderr).toMatch(/cores.*node v\d.*workerd 1\.\d+/);
    const names = found.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const { peer, ratio } of found) expect(peer === undefined).toBe(ratio === undefined);
    const figure = (name: string): Figures[number] => {
      const named = found.find((each) => each.name === name);
      if (named === undefined) throw new Error(`No figure "${name}" among:\n${names.join("\n")}`);
      return named;
    };

    for (const k of [50, 100]) {
      expect(figure(`added time per search, K = ${k}`).peer).toBe("the model's run alone in workerd, same rounds");
      expect(figure(`search, re-ranked, 8 connections, K = ${k}`).p999).toBeGreaterThan(0);
      expect(figure(`searches per second, re-ranked, K = ${k}, 8 connections`).peer).toBe("passthrough");
      expect(figure(`features and tensors, K = ${k}`).p50).toBeGreaterThan(0);
      expect(figure(`item vectors out of warm shards, K = ${k}`).ratio).toBeLessThan(1);
    }
    expect(figure("workerd from spawn to listening, edge Worker").ratio).toBeGreaterThan(1);
    expect(figure("resident memory over an empty Worker, before any request").p50).toBeGreaterThan(0);
    if (process.platform === "linux") {
      expect(figure("searches per CPU second, re-ranked, K = 50, 8 connections").ratio).toBeLessThan(1.5);
      expect(figure("processor time of the start over an empty Worker, main thread").p50).toBeGreaterThan(0);
      expect(figure("processor time of the first search, all threads").ratio).toBeGreaterThan(0);
    }

    const charts = readdirSync(folder);
    const wanted = new Set(found.flatMap(({ place }) => (place === undefined ? [] : [`${place.chart}.svg`])));
    expect(charts.toSorted()).toEqual([...wanted].toSorted());
    expect(charts).toContain("added-by-window.svg");
    for (const chart of charts) expect(readFileSync(join(folder, chart), "utf8")).toMatch(/^<svg [\s\S]*<\/svg>\n$/);

    if (!isAll) return;
    for (const k of [50, 100]) expect(figure(`model run, workerd, K = ${k}`).peer).toBe("onnxruntime-node native, 1 thread");
    for (const connections of ["1 connection", "8 connections"]) {
      const failed = found.find(({ name }) => name.startsWith("failed searches of") && name.endsWith(`, ${connections}`));
      expect(failed?.p50).toBe(0);
      expect(figure(`growth of resident memory, 1 s on ${connections}`).unit).toBe("%");
    }
    const inSmallHeap = found.find(({ name }) => /^failed searches of [1-9]\d*, heap of at most 64 MB/.test(name));
    expect(inSmallHeap?.p50).toBe(0);
    expect(figure("edge Worker, gzip").p50).toBeLessThan(figure("edge Worker, raw").p50);
    expect(figure("edge Worker, raw").p50).toBeLessThan(64 * 2 ** 20); // the platform's limit
    expect(figure("search, re-ranked, server in Node, 8 connections, K = 100").peer).toBe("workerd");
    expect(charts).toContain("latency-by-connections.svg");
  });

  it("leaves no process and no file behind when it is interrupted under load", { timeout: TIMEOUT_MS }, async () => {
    const own = mkdtempSync(join(tmpdir(), "bench-interrupted-"));
    const child = spawn(process.execPath, [MAIN, "bench", "--quick", "--only", "soak"], {
      env: { ...process.env, TMPDIR: own },
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
    const lines = createInterface(child.stderr);
    for await (const line of lines) if (line.startsWith("Load, soak")) break;
    expect(readdirSync(own).some((name) => name.startsWith("armmt-bench-"))).toBe(true);
    const children = descendantsOf(child.pid!);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
    expect(readdirSync(own).filter((name) => name.startsWith("armmt-bench-"))).toEqual([]);
    if (process.platform === "linux") {
      expect(children.length).toBeGreaterThanOrEqual(3); // workerd, engine, stores
      await expect.poll(() => children.filter((pid) => existsSync(`/proc/${pid}`)), { timeout: 30_000 }).toEqual([]);
    }
    rmSync(own, { recursive: true });
  });

  it("refuses a part or an option that it does not have, with exit code 2", async () => {
    for (const [args, named] of [
      [["--fast"], "--fast"],
      [["--only", "model,sped"], 'No part "sped": use machine, searches, rules, busy'],
      [["--only", "rankers"], 'No part "rankers": use machine, searches, rules, busy'],
      [["--reference", "reference.onnx"], "--reference"],
    ] as const) {
      const failure = promisify(execFile)(process.execPath, [MAIN, "bench", ...args]);
      await expect(failure).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining(named) });
    }
  });

  it("explains every part in its help", async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, "bench", "--help"]);
    for (const { name } of PARTS) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S`, "m"));
  });
});

/** Children that run, from Linux' own list. */
function descendantsOf(pid: number): number[] {
  const path = `/proc/${pid}/task/${pid}/children`;
  return existsSync(path)
    ? readFileSync(path, "utf8")
        .split(" ")
        .filter((child) => child.trim() !== "")
        .map(Number)
    : [];
}

describe("measured()", () => {
  const hundred = Array.from({ length: 101 }, (_, i) => 100 - i); // 100, 99 … 0

  it("takes percentiles of all samples, the slow end of times and the low end of rates", () => {
    expect(measured("a time", "ms", hundred)).toEqual({ name: "a time", unit: "ms", p50: 50, p99: 99 });
    for (const unit of ["requests/s", "requests/CPU-s"] as const)
      expect(measured("a rate", unit, hundred)).toMatchObject({ p50: 50, p99: 1 });
  });

  it("divides by the peer's p50", () => {
    expect(measured("a time", "ms", hundred, { peer: "another", p50: 20 })).toMatchObject({ peer: "another", ratio: 50 / 20 });
  });

  it("takes the difference of two loads between their percentiles", () => {
    const slow = hundred.map((ms) => 2 * ms); // 200 … 0
    expect(differenceOf("added", "ms", slow, hundred)).toEqual({ name: "added", unit: "ms", p50: 50, p99: 99, p999: 99.9 });
  });

  it("interpolates between ranks, and throws on no samples", () => {
    expect(percentile([1, 2], 0.25)).toBe(1 + 0.25 * (2 - 1));
    expect(() => percentile([], 0.5)).toThrow("no samples");
    expect(differences([5, 7], [1, 2])).toEqual([4, 5]);
    expect(() => differences([5], [1, 2])).toThrow("1 samples against 2");
  });
});
