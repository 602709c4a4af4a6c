/** `armmt train`: in stages that go on where they were killed, with a stand-in for Python; the training itself is tested in model/tests. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { run } from "../../src/lab/main.ts";
import { writeSimulation } from "../../src/lab/study/simulate.ts";
import { writeEmbeddings, writeLists } from "./train/shop.ts";
import { stubPython } from "./train/stub-python.ts";

const home = mkdtempSync(join(tmpdir(), "armmt-train-"));
const path = (name: string): string => join(home, name);
const python = stubPython(path("venv"));
afterAll(() => rmSync(home, { recursive: true, force: true }));

beforeAll(async () => {
  writeEmbeddings(path("embeddings"));
  await writeLists(path("lists"), 60, 50);
  await writeLists(path("few"), 400, 320);
});
beforeEach(() => python.forget());

const CHILD = fileURLToPath(new URL("train/child.ts", import.meta.url));

function start(lists: string, out: string, env: Readonly<Record<string, string>> = {}, more: object = {}) {
  const options = { catalog: "lamps", embeddings: path("embeddings"), lists, out, ...more };
  const child = spawn(process.execPath, [CHILD, JSON.stringify(options)], { env: { ...process.env, ARMMT_VENV: python.venv, ...env } });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((done) => {
    child.on("close", (code) => done({ code, stdout, stderr }));
  });
  return { child, ended };
}

const train = (out: string, env?: Readonly<Record<string, string>>) => start(path("lists"), out, env).ended;

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const printed = v.object({
  version: v.string(),
  model: v.string(),
  survey: v.looseObject({ lists: v.number(), clicked: v.number() }),
  times: v.array(v.object({ stage: v.string(), reused: v.boolean() })),
});

const manifestOf = (out: string): unknown => JSON.parse(readFileSync(join(out, "model/manifest.json"), "utf8"));

describe("armmt train", () => {
  it("makes a model that says what taught it, and does nothing twice", async () => {
    const first = await train(path("whole"));
    expect(first.stderr).not.toMatch(/Error/);
    expect(first.code).toBe(0);
    const { version, survey, times } = v.parse(printed, JSON.parse(first.stdout));
    expect(survey).toMatchObject({ lists: 60, clicked: 50, bySplit: { train: 48, validation: 6, test: 6 }, units: 60 });
    expect(python.calls().toSorted()).toEqual(["train_student", "train_teachers 1", "train_teachers 2", "train_trees"].toSorted());
    expect(python.calls().at(-1)).toBe("train_student");
    expect(times.map(({ reused }) => reused)).not.toContain(true);
    expect(manifestOf(path("whole"))).toMatchObject({
      version,
      trainedOn: "shoppers of catalogue lamps: 60 lists, 50 with a click, 2026-03-01 to 2026-03-06",
      training: { catalog: "lamps", lists: 60, clicked: 50, from: "2026-03-01", to: "2026-03-06", catalogVersion: expect.any(String) },
    });
    const bytes = readFileSync(join(path("whole"), "model/student.onnx"));
    python.forget();
    const second = v.parse(printed, JSON.parse((await train(path("whole"))).stdout));
    expect(second.version).toBe(version);
    expect(second.times.every(({ reused }) => reused)).toBe(true);
    expect(python.calls()).toEqual([]);
    expect(readFileSync(join(path("whole"), "model/student.onnx"))).toEqual(bytes);
  });

  it.each(["train_trees", "train_student"])("goes on after it was killed in %s", async (module) => {
    const out = path(`killed ${module}`);
    const { child, ended } = start(path("lists"), out, { STUB_HANG: module });
    await vi.waitFor(() => expect(python.hung()).toHaveLength(1), { timeout: 30_000, interval: 50 });
    if (module !== "train_student") {
      // The stages beside it have been written down.
      await vi.waitFor(() => expect(readFileSync(join(out, "stages.json"), "utf8").match(/seconds/g)).toHaveLength(2), { timeout: 30_000 });
    }
    child.kill("SIGKILL");
    await ended;
    await vi.waitFor(() => expect(python.hung().some(isAlive)).toBe(false), { timeout: 30_000, interval: 50 });
    expect(existsSync(join(out, "model"))).toBe(false);
    const before = python.calls();
    const again = await train(out);
    expect(again.code).toBe(0);
    const done = before.filter((call) => call !== module);
    expect(python.calls().slice(before.length)).toEqual(expect.not.arrayContaining(done));
    expect(python.calls().slice(before.length)).toContain(module);
    expect(readFileSync(join(out, "model/student.onnx"))).toEqual(readFileSync(join(path("whole"), "model/student.onnx")));
  });

  it("uses the newest lists of a long log", async () => {
    const { code, stderr } = await start(path("lists"), path("long"), {}, { most: 40 }).ended;
    expect(code).toBe(0);
    expect(stderr).toContain("Of 48 training lists the newest 40 are used");
    expect(python.calls()[0]).toBe("newest");
    expect(manifestOf(path("long"))).toMatchObject({
      trainedOn: expect.stringContaining("the newest 40 of 48 for training"),
      training: { taughtLists: 40 },
    });
  });

  it("names a stage that fails, and goes on from it", async () => {
    const failed = await train(path("failed"), { STUB_FAIL: "train_student" });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/armmt\.training\.train_student .* ended with code 1/);
    python.forget();
    expect((await train(path("failed"))).code).toBe(0);
    expect(python.calls()).toEqual(["train_student"]);
  });

  it("lets one run at a time into a folder", async () => {
    const { child, ended } = start(path("lists"), path("locked"), { STUB_HANG: "train_trees" });
    await vi.waitFor(() => expect(python.hung()).toHaveLength(1), { timeout: 30_000, interval: 50 });
    const second = await train(path("locked"));
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`Another run (process ${child.pid}) works in ${path("locked")}`);
    child.kill("SIGKILL");
    await ended;
    expect((await train(path("locked"))).code).toBe(0);
  });
});

async function refusal(...args: readonly string[]): Promise<string> {
  vi.stubEnv("ARMMT_VENV", python.venv);
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  try {
    expect(await run(["train", "--catalog", "lamps", "--embeddings", path("embeddings"), "--out", path("refused"), ...args])).toBe(1);
    expect(python.calls()).toEqual([]);
    return said.mock.calls.map(([text]) => String(text)).join("");
  } finally {
    said.mockRestore();
  }
}

describe("armmt train, refusing", () => {
  it("says of a short log how much is missing and how long that takes, before anything is installed", async () => {
    // 320 clicks in 39.9 days are 8 a day; 4,680 more take 4,680 / 8.02 days.
    expect(await refusal("--lists", path("few"))).toContain(
      "320 of 400 lists have a click, and a model needs 5,000: 4,680 more, about 584 more days at this log's 8 a day",
    );
  });

  it("says whose vectors differ", async () => {
    await writeLists(path("other"), 20, 20);
    const features = JSON.parse(readFileSync(path("other/features.json"), "utf8"));
    writeFileSync(path("other/features.json"), JSON.stringify({ ...features, identity: { ...features.identity, textEncoder: "another" } }));
    expect(await refusal("--lists", path("other"))).toMatch(/vectors of another, the catalogue in .* those of text: make the lists again/);
  });

  it.each([
    [[], /--from, or the lists .* --lists: one of both/],
    [["--from", "a", "--lists", "b"], /one of both/],
    [["--lists", "nothing"], /nothing\/features\.json does not exist/],
    [["--lists", "b", "--embeddings", "nowhere"], /Nothing embedded in .*nowhere/],
    [["--lists", "b", "--catalog", "../lamps"], /Cannot name a model after the catalogue/],
  ])("%j", async (args, message) => {
    expect(await refusal(...args)).toMatch(message);
  });

  it("wants shoppers in every split", async () => {
    const { requireEnough, surveyLists } = await import("../../src/cli/train/survey.ts");
    await writeLists(path("untold"), 20, 20, () => ({ split: "train" }));
    const survey = await surveyLists(path("untold"));
    expect(() => requireEnough(survey, 20)).toThrow(/0 lists of the validation split has a click/);
    expect(() => requireEnough(survey, 21)).toThrow("20 of 20 lists have a click, and a model needs 21: 1 more");
  });
});

async function embedDrawn() {
  const { packSet, writeSet } = await import("../../src/cli/embed/pack.ts");
  const { drawCatalogue } = await import("../../src/demo/catalogue/catalogue.ts");
  const { createTextEncoder, TEXT_DIM } = await import("../../src/embeddings/text-encoder.ts");
  const { productFeatures } = await import("../../src/cli/embed/vectors.ts");
  const encode = createTextEncoder();
  const items = drawCatalogue({ count: 300, seed: 3 }).map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: productFeatures(product),
  }));
  const embedded = path("drawn");
  writeSet(embedded, packSet(items, { imageDim: 64, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: "text" }));
  return { embedded };
}

describe("lists of an unfinished run", () => {
  it("are kept although the log has grown, and made anew after the run has ended", async () => {
    vi.stubEnv("ARMMT_VENV", python.venv);
    const { trainModel } = await import("../../src/cli/train/run.ts");
    const log = path("simulation");
    writeSimulation({ out: log, items: 300, catalogSeed: 3, shoppers: 60, searches: 300, seed: 4, json: true });
    const { embedded } = await embedDrawn();
    const options = {
      catalog: "drawn",
      from: [log],
      more: ["--index", "armmt-simulator"],
      embeddings: embedded,
      out: path("growing"),
      fewest: 50,
    };
    vi.stubEnv("STUB_FAIL", "train_student");
    await expect(trainModel(options)).rejects.toThrow("train_student");
    vi.stubEnv("STUB_FAIL", "");
    const parquet = () => readFileSync(join(path("growing"), "lists/lists.parquet"));
    const kept = parquet();
    const queries = readFileSync(join(log, "queries.ndjson"), "utf8").trimEnd().split("\n");
    writeFileSync(join(log, "queries.ndjson"), `${queries.slice(0, 250).join("\n")}\n`);
    const first = await trainModel(options);
    expect(parquet()).toEqual(kept);
    expect(readFileSync(join(first.model, "manifest.json"), "utf8")).toContain("SIMULATED shoppers");
    const second = await trainModel(options);
    expect(parquet()).not.toEqual(kept);
    expect(second.version).not.toBe(first.version);
    // Lists that armmt lists or the loop has made say it too.
    const { lists } = second;
    const given = await trainModel({ catalog: "drawn", lists, embeddings: embedded, out: path("given"), fewest: 50 });
    expect(readFileSync(join(given.model, "manifest.json"), "utf8")).toContain("SIMULATED shoppers");
    vi.unstubAllEnvs();
  });
});
