/** `armmt loop`: steps that fail, refuse and wait, with stand-ins for the commands; what is served changes in `publish` and `ladder` alone. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Ended, RunCommand } from "../../src/cli/child.ts";
import { splitOptions } from "../../src/cli/loop.ts";
import { type LoopOptions, runLoop } from "../../src/cli/loop/run.ts";
import { readState, STEPS, type Step } from "../../src/cli/loop/state.ts";
import { writeLists } from "./train/shop.ts";

const home = mkdtempSync(join(tmpdir(), "armmt-loop-"));
afterAll(() => rmSync(home, { recursive: true, force: true }));
beforeAll(() => writeLists(join(home, "lists"), 40, 30));

let count = 0;

function after(args: readonly string[], option: string): string {
  return args[args.indexOf(option) + 1] ?? "";
}

/** A shop whose commands do what `script` says, by default what they should. `served`: the model that shoppers get. */
function openShop(script: Partial<Record<Step, () => Partial<Ended>>> = {}, more: Partial<LoopOptions> = {}) {
  const out = join(home, `loop-${count++}`);
  const calls: string[][] = [];
  const shop = { script, served: "before", trained: 0 };
  const DEFAULTS: Readonly<Record<Step, (args: readonly string[]) => string>> = {
    lists: (args) => {
      cpSync(join(home, "lists"), after(args, "--out"), { recursive: true });
      return "";
    },
    train: (args) => {
      const model = join(after(args, "--out"), "model");
      mkdirSync(model, { recursive: true });
      writeFileSync(join(model, "student.onnx"), `model ${++shop.trained}`);
      writeFileSync(join(model, "manifest.json"), JSON.stringify({ version: `lamps-${shop.trained}` }));
      return JSON.stringify({ version: `lamps-${shop.trained}`, model });
    },
    gate: () => "{}",
    publish: (args) => {
      shop.served = readFileSync(join(after(args, "--model"), "student.onnx"), "utf8");
      return "{}";
    },
    ladder: () => watched(1),
  };
  const run: RunCommand = async (args) => {
    const step = STEPS.find((name) => name === args[0]);
    if (step === undefined) return { code: 0, stdout: STEPS.map((name) => `  ${name} [options]  does it`).join("\n") };
    calls.push([...args]);
    const ended = shop.script[step]?.() ?? {};
    return { code: 0, stdout: (ended.code ?? 0) === 0 ? DEFAULTS[step](args) : "", ...ended };
  };
  const options: LoopOptions = { catalog: "lamps", from: ["log"], embeddings: "vectors", out, more: {}, fewest: 10, ...more };
  return { shop, calls, options, out, called: () => calls.map(([step]) => step), go: (now?: () => Date) => runLoop(options, run, now) };
}

/** What `armmt ladder --json` prints of a model that climbs no further, or of one that tries the next step. */
const watched = (trust: number): string =>
  JSON.stringify({ did: "waits", trust, trying: `interleave(semantic, armmt@lamps-1:${trust})`, phase: "watch" });
const climbing = (trust: number, next: number, did = "waits"): string =>
  JSON.stringify({ did, trust, trying: `interleave(semantic, armmt@lamps-1:${next})`, phase: "trial" });

const withoutGate: RunCommand = async () => ({ code: 0, stdout: "  lists  x\n  train  y\n  publish z" });
const fail = () => ({ code: 1 });
const crash = () => {
  throw new Error("out of memory");
};

describe("runLoop()", () => {
  it("runs the steps in order, each with what the one before has left", async () => {
    const { go, calls, called, shop, out } = openShop({}, { more: { publish: ["--local"] }, live: "bundled" });
    const { round } = await go();
    expect(called()).toEqual(STEPS);
    expect(round).toMatchObject({ number: 1, outcome: "live", model: "lamps-1" });
    expect(shop.served).toBe("model 1");
    expect(calls[2]).toEqual(expect.arrayContaining(["--live", "bundled"]));
    expect(calls[3]?.at(-1)).toBe("--local");
    expect(calls[4]).toEqual(["ladder", "--catalog", "lamps", "--model", "lamps-1", "--json"]);
    await go();
    // While the next one trains, the ladder watches the one that serves.
    expect(calls[5]).toEqual(["ladder", "--catalog", "lamps", "--model", "lamps-1", "--json"]);
    expect(calls[8]).toEqual(expect.arrayContaining(["--live", join(out, "serving")]));
    expect(readState(out)).toMatchObject({ round: { number: 2, outcome: "live" }, before: [{ number: 1, outcome: "live" }] });
  });

  it.each(STEPS.flatMap((step) => [[step, fail] as const, [step, crash] as const]))(
    "goes on with %s after it failed, and does nothing twice",
    async (step, how) => {
      const { go, called, shop, out } = openShop({ [step]: how });
      await expect(go()).rejects.toThrow(new RegExp(`Step ${step} failed`));
      const before = called();
      expect(before.at(-1)).toBe(step);
      expect(shop.served).toBe(step === "ladder" ? "model 1" : "before");
      expect(readState(out)?.round.steps[step]).toMatchObject({ state: "failed" });
      shop.script = {};
      expect((await go()).round.outcome).toBe("live");
      expect(called().slice(before.length)).toEqual(STEPS.slice(STEPS.indexOf(step)));
      expect(shop.served).toBe("model 1");
    },
  );

  it("goes on where it was killed between two steps", async () => {
    const { go, called, shop, out } = openShop();
    // Killed: publishing took effect, and nobody wrote that down.
    shop.script = { publish: () => ({ code: 1 }) };
    await expect(go()).rejects.toThrow("publish");
    const state = JSON.parse(readFileSync(join(out, "loop.json"), "utf8"));
    delete state.round.steps.publish;
    writeFileSync(join(out, "loop.json"), JSON.stringify(state));
    shop.served = "model 1";
    shop.script = {};
    await go();
    expect(called().slice(4)).toEqual(["publish", "ladder"]);
  });

  it("publishes nothing that the gate refuses, and tries again with the next log", async () => {
    const { go, called, shop } = openShop({
      gate: () => ({ code: 3, stdout: JSON.stringify({ refused: ["worse than engine"], missing: [] }) }),
    });
    const { round } = await go();
    expect(round).toMatchObject({ outcome: "refused", steps: { gate: { detail: expect.stringMatching(/worse than engine$/) } } });
    expect(shop.served).toBe("before");
    shop.script = {};
    expect((await go()).round).toMatchObject({ number: 2, outcome: "live" });
    expect(called()).toEqual(["lists", "train", "gate", ...STEPS]);
  });

  it("keeps climbing the ladder and trains nothing until it has ended", async () => {
    const { go, called, shop } = openShop({ ladder: () => ({ stdout: climbing(0, 0.3) }) });
    expect((await go()).round.steps.ladder).toMatchObject({ state: "waiting", detail: expect.stringContaining("trust 0") });
    shop.script = { ladder: () => ({ stdout: climbing(0.3, 1) }) };
    expect((await go()).round.outcome).toBeUndefined();
    shop.script = { ladder: () => ({ stdout: watched(0.3) }) };
    expect((await go()).round.outcome).toBe("live");
    expect(called()).toEqual([...STEPS, "ladder", "ladder"]);
  });

  it("compares with the model that serves, not with one that was published and has no trust", async () => {
    const { go, calls, out, shop } = openShop({}, { live: "bundled" });
    const lastGate = () => calls.findLast(([step]) => step === "gate");
    // Before its first votes what serves is the model before, and the trial of its step looks like the end of a climb.
    shop.script = { ladder: () => ({ stdout: climbing(0.3, 0.3, "started") }) };
    expect((await go()).round).toMatchObject({ number: 1, steps: { ladder: { state: "waiting" } } });
    shop.script = { ladder: () => ({ code: 3, stdout: JSON.stringify({ did: "stayed", trust: 0, trying: null, phase: null }) }) };
    expect((await go()).round.outcome).toBe("stopped");
    shop.script = {};
    expect((await go()).round).toMatchObject({ number: 2, outcome: "live", model: "lamps-2" });
    expect(lastGate()).toEqual(expect.arrayContaining(["--live", "bundled"]));
    shop.script = { ladder: () => ({ stdout: climbing(0, 0.3, "started") }) };
    await go();
    expect(lastGate()).toEqual(expect.arrayContaining(["--live", join(out, "serving")]));
    expect(JSON.parse(readFileSync(join(out, "serving/manifest.json"), "utf8"))).toEqual({ version: "lamps-2" });
  });

  it("tells the gate of the configuration, for the sample ratio", async () => {
    const { go, calls } = openShop({}, { more: { lists: ["--config", "shop.toml"] } });
    await go();
    expect(calls[2]).toEqual(expect.arrayContaining(["--config", "shop.toml"]));
    const told = openShop({}, { more: { lists: ["--config", "shop.toml"], gate: ["--report", "report.json"] } });
    await told.go();
    expect(told.calls[2]).not.toContain("--config");
  });

  it("ends a round whose model the ladder takes away or gives no trust", async () => {
    const harmful = openShop({ ladder: () => ({ code: 3, stdout: watched(0) }) });
    expect((await harmful.go()).round.outcome).toBe("stopped");
    const useless = openShop({ ladder: () => ({ stdout: JSON.stringify({ did: "stayed", trust: 0, trying: null, phase: null }) }) });
    expect((await useless.go()).round.outcome).toBe("stopped");
  });

  it("waits for more clicks without training", async () => {
    const { go, called } = openShop({}, { fewest: 31 });
    const { round } = await go();
    expect(round).toMatchObject({
      outcome: "too_few",
      steps: { lists: { detail: expect.stringContaining("30 of 40 lists have a click") } },
    });
    expect((await go()).round.number).toBe(2);
    expect(called()).toEqual(["lists", "lists"]);
  });

  it("says before any work which command is missing", async () => {
    const { options, out } = openShop();
    await expect(runLoop(options, withoutGate)).rejects.toThrow("no command gate, ladder");
    expect(existsSync(join(out, "loop.json"))).toBe(false);
  });

  it("refuses other options for an unfinished round, and takes old lists anew", async () => {
    const { go, called, options, shop } = openShop({ train: fail });
    await expect(go()).rejects.toThrow("train");
    await expect(runLoop({ ...options, from: ["another"] }, () => Promise.reject(new Error("called")))).rejects.toThrow("is not finished");
    shop.script = {};
    const later = new Date(Date.now() + 3 * 86_400_000);
    expect((await go(() => later)).round.number).toBe(2);
    expect(called()).toEqual(["lists", "train", ...STEPS]);
  });

  it("calls a step failed that prints what it should not", async () => {
    const { go } = openShop({ train: () => ({ stdout: "done!" }) });
    await expect(go()).rejects.toThrow("armmt train --json printed something else than expected");
  });
});

describe("splitOptions()", () => {
  it("keeps quoted blanks together", () => {
    expect(splitOptions(`--folder "my kv" --name 'a b' --local`)).toEqual(["--folder", "my kv", "--name", "a b", "--local"]);
    expect(splitOptions("")).toEqual([]);
  });
});
