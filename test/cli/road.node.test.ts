/** The road from a log to a model in service with the real commands, each in its process as the loop runs them. Only the training is a stand-in. */
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunCommand, runCommand } from "../../src/cli/child.ts";
import { packSet, writeSet } from "../../src/cli/embed/pack.ts";
import { productFeatures } from "../../src/cli/embed/vectors.ts";
import { openModelFolder } from "../../src/cli/evaluate/model.ts";
import { runLoop } from "../../src/cli/loop/run.ts";
import { readState } from "../../src/cli/loop/state.ts";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { createTextEncoder } from "../../src/embeddings/text-encoder.ts";
import { writeSimulation } from "../../src/lab/study/simulate.ts";

const home = mkdtempSync(join(tmpdir(), "armmt-road-"));
const path = (name: string): string => join(home, name);
afterAll(() => rmSync(home, { recursive: true, force: true }));

const CONFIG = `
name = "edge"
[vars]
ENGINE_TIMEOUT_MS = 5000
RANK_BUDGET_MS = 200
SHARD_CACHE_BYTES = 33554432
DEFAULT_VARIANT = "armmt"
STOREFRONT_URL = "http://127.0.0.1:9200"
EXPERIMENTS = []
LIVE_MODELS = true
LIVE_EXPERIMENTS = true
[vars.INDEXES.armmt-simulator]
backend = "elasticsearch"
url = "http://127.0.0.1:9200"
window = 100
catalog = "drawn"
`;

beforeAll(async () => {
  writeFileSync(path("wrangler.toml"), CONFIG);
  writeSimulation({ out: path("log"), items: 200, catalogSeed: 3, shoppers: 60, searches: 200, seed: 4, json: true });
  const { dims, encoders } = (await openModelFolder("model")).manifest;
  const encode = createTextEncoder();
  const items = drawCatalogue({ count: 200, seed: 3 }).map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: productFeatures(product),
  }));
  const identity = { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text };
  writeSet(path("vectors"), packSet(items, identity));
});

const VERSION = "drawn-2";

/** The committed model under a name of its own, as if it had been trained. */
function train(out: string): string {
  const model = join(out, "model");
  mkdirSync(model, { recursive: true });
  for (const name of ["student.onnx", "golden.json"]) cpSync(join("model", name), join(model, name));
  const manifest: object = JSON.parse(readFileSync("model/manifest.json", "utf8"));
  writeFileSync(join(model, "manifest.json"), JSON.stringify({ ...manifest, version: VERSION }));
  return JSON.stringify({ version: VERSION, model });
}

it("publishes nothing that the gate cannot tell, and goes on to the first trial of what passes", { timeout: 300_000 }, async () => {
  const kv = path("kv");
  const place = ["--folder", kv];
  const config = ["--config", path("wrangler.toml")];
  let passes = false;
  const run: RunCommand = async (args) => {
    if (args[0] === "train") return { code: 0, stdout: train(args[args.indexOf("--out") + 1] ?? "") };
    if (args[0] === "gate" && passes) return { code: 0, stdout: "{}" };
    return runCommand(args);
  };
  const options = {
    catalog: "drawn",
    from: [path("log")],
    embeddings: path("vectors"),
    out: path("loop"),
    more: {
      lists: config,
      gate: ["--budget", "5000"],
      publish: place,
      ladder: [...place, ...config, "--queries", path("log/queries.ndjson"), "--events", path("log/events.ndjson")],
    },
    fewest: 50,
  };
  const set = await runCommand(["publish", "--from", path("vectors"), "--catalog", "drawn", ...place, "--json"]);
  expect(set.code).toBe(0);

  const { round } = await runLoop(options, run);
  expect(round).toMatchObject({ number: 1, outcome: "refused", model: VERSION });
  expect(round.steps.gate?.detail).toMatch(/of at least 300/);
  expect(existsSync(join(kv, "models"))).toBe(false);
  expect(JSON.parse(readFileSync(path("loop/lists/lists.json"), "utf8"))).toMatchObject({ lists: 200, simulated: 200 });

  passes = true;
  expect((await runLoop(options, run)).round).toMatchObject({
    number: 2,
    steps: { publish: { state: "done" }, ladder: { state: "waiting" } },
  });
  expect(existsSync(join(kv, "models", VERSION, "model"))).toBe(true);
  // Without a query table the set follows the deployed model: that is what the new one has to beat, at the same trust.
  const trial = `armmt@${VERSION}:1)`;
  expect(readState(path("loop"))?.round.steps.ladder?.detail).toContain(trial);
  expect(readFileSync(join(kv, "experiments"), "utf8")).toMatch(/interleave\(armmt@[\w-]+:1, armmt@drawn-2:1\)/);
  // Nobody has searched in it yet.
  expect((await runLoop(options, run)).round).toMatchObject({ number: 2, steps: { ladder: { state: "waiting" } } });
  // The trial has no votes yet, so nothing serves that could be compared with.
  expect(existsSync(path("loop/serving"))).toBe(false);

  expect((await runCommand(["publish", "--model", VERSION, "--trust", "0.3", "--catalog", "drawn", ...place])).code).toBe(0);
  const back = await runCommand(["rollback", "--model", "--catalog", "drawn", ...place]);
  expect(back.stdout).toContain("drawn follows what its published set says again");
});
