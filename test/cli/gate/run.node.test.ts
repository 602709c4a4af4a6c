/** The committed model before the gate, by simulated lists of a table of drawn products. */
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { productFeatures } from "../../../src/cli/embed/vectors.ts";
import { openModelFolder } from "../../../src/cli/evaluate/model.ts";
import { drawGate } from "../../../src/cli/gate/page.ts";
import { runGate } from "../../../src/cli/gate/run.ts";
import { pad, permute } from "../../../src/cli/gate/hard-checks.ts";
import { createListWriter, fitScaling, listInputOf, rowMaker, writeItems } from "../../../src/cli/lists/dataset.ts";
import type { LoggedSearch } from "../../../src/cli/lists/log.ts";
import { createList } from "../../../src/cli/build/sample-list.ts";
import { drawCatalogue } from "../../../src/demo/catalogue/catalogue.ts";
import { createTextEncoder } from "../../../src/embeddings/text-encoder.ts";
import { run, SHOP_COMMANDS } from "../../../src/cli/main.ts";
import { rawFeatures } from "../../../src/ranking/features.ts";

const MODEL = "model";
const folder = mkdtempSync(join(tmpdir(), "armmt-gate-"));
const lists = join(folder, "lists");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(async () => {
  const { manifest } = await openModelFolder(MODEL);
  const encode = createTextEncoder();
  const items = drawCatalogue({ count: 40, seed: 3 }).map((product) => ({
    itemId: product.id,
    image: undefined,
    text: encode(product.title),
    features: productFeatures(product),
  }));
  const identity = {
    imageDim: manifest.dims.image,
    textDim: manifest.dims.text,
    imageEncoder: manifest.encoders.image,
    textEncoder: manifest.encoders.text,
  };
  const searches = Array.from({ length: 40 }, (_, i): LoggedSearch => {
    const itemIds = items.slice(i % 20, (i % 20) + 12).map(({ itemId }) => itemId);
    const none = new Set<string>();
    return {
      queryId: `q${i}`,
      query: "red mug",
      split: i % 2 === 0 ? "train" : "test",
      atMs: 0,
      randomised: false,
      itemIds,
      scores: undefined,
      servedIds: itemIds,
      actions: { click: new Set([itemIds[i % 3]!]), add_to_cart: none, purchase: none },
      history: [],
    };
  });
  const known = { find: (itemId: string) => items.find((item) => item.itemId === itemId) };
  const scaling = fitScaling(searches.map((search) => rawFeatures(listInputOf(search, known))));
  mkdirSync(lists);
  const writer = createListWriter(lists);
  const rowOf = rowMaker({ identity, items }, scaling);
  for (const search of searches) await writer.add(rowOf(search)); // oxlint-disable-line no-await-in-loop
  await writer.close();
  writeItems(lists, { identity, items }, scaling);
});

function copyOfModel(name: string, change: (manifest: Record<string, unknown>) => object): string {
  const copy = join(folder, name);
  for (const file of ["student.onnx", "golden.json"]) cpSync(join(MODEL, file), join(copy, file));
  writeFileSync(join(copy, "manifest.json"), JSON.stringify(change(JSON.parse(readFileSync(join(MODEL, "manifest.json"), "utf8")))));
  return copy;
}

/** Of the lists with an even number, an odd one, or both. */
function hashOf(parts: readonly number[]): string {
  return createHash("sha256")
    .update(Array.from({ length: 40 }, (_, i) => (parts.includes(i % 2) ? `q${i}\0` : "")).join(""))
    .digest("hex");
}

const taught = (splits: readonly number[]) => (manifest: object) => ({ ...manifest, training: { taught: hashOf(splits) } });

const arm = (variant: string, shoppers: number) => ({
  variant,
  shoppers,
  shopperSearches: shoppers,
  squaredShopperSearches: shoppers,
  searches: shoppers,
});

describe("the gate", () => {
  it("passes the hard checks of the committed model, and cannot tell by twenty lists", async () => {
    const report = await runGate({ model: MODEL, lists, live: MODEL, budget: 5000, json: true });
    expect(report.checks.filter(({ state }) => state === "refused")).toEqual([]);
    const ratio = report.checks.find(({ name }) => name === "sample_ratio");
    expect(ratio).toMatchObject({ state: "skipped", detail: expect.stringContaining("not checked, because no search") });
    expect(report.verdict).toBe("cannot_tell");
    expect(report.missing.join()).toContain("20 of at least 300");
    expect(report.judgments.map(({ against }) => against)).toEqual(["engine", "semantic", "live"]);
    // The live model is the model: the same order.
    expect(report.evidence?.comparisons.find(({ against, figure }) => against === "live" && figure === "clicks")?.mean).toBe(0);
    const page = drawGate(report);
    expect(page).toContain("cannot tell");
    expect(page).toContain(`Chance had a part in 0 of its ${report.evidence?.lists} lists only`);
    expect(page).not.toContain("<script");
  });

  it("refuses by name: time, another catalogue, test shoppers, a broken sample ratio", async () => {
    expect((await runGate({ model: MODEL, lists, budget: 0.01, json: true })).refused).toEqual(["time"]);
    const encoder = copyOfModel("encoder", (manifest) => ({ ...manifest, encoders: { image: "another", text: "another" } }));
    expect((await runGate({ model: encoder, lists, budget: 5000, json: true })).refused).toEqual(["catalogue"]);
    expect((await runGate({ model: copyOfModel("all", taught([0, 1])), lists, budget: 5000, json: true })).refused).toEqual(["split"]);
    const report = join(folder, "report.json");
    writeFileSync(report, JSON.stringify({ sampleRatio: { isMismatch: true, verdict: "Sample-ratio mismatch" } }));
    const rightly = await runGate({ model: copyOfModel("rightly", taught([0])), lists, report, budget: 5000, json: true });
    expect(rightly.refused).toEqual(["sample_ratio"]);
    expect(rightly.checks.find(({ name }) => name === "split")?.state).toBe("passed");
  });

  it("refuses a log with a broken sample ratio wherever its experiments live, and names those that nobody describes", async () => {
    const one = { first: "2026-11-21", last: "2026-11-21", crossed: 0, arms: [arm("control", 70), arm("armmt", 30)] };
    const experiments = [
      { ...one, experiment: "ended", shares: null, from: "the records do not say its arms" },
      { ...one, experiment: "live", shares: { control: 0.5, armmt: 0.5 }, from: "its records" },
    ];
    const made = join(lists, "lists.json");
    writeFileSync(made, JSON.stringify({ experiments }));
    try {
      const report = await runGate({ model: MODEL, lists, budget: 5000, json: true });
      expect(report.refused).toEqual(["sample_ratio"]);
      const { detail } = report.checks.find(({ name }) => name === "sample_ratio")!;
      expect(detail).toMatch(/^the arms of live .*; ended .*not checked, because/);
    } finally {
      rmSync(made);
    }
  });

  it("ends with 1 where there is nothing to judge, with 2 on wrong usage, with 3 where the model does not pass", async () => {
    expect(await run(["gate", "--model", join(folder, "absent"), "--lists", lists, "--json"], SHOP_COMMANDS)).toBe(1);
    expect(await run(["gate", "--lists", lists], SHOP_COMMANDS)).toBe(2);
    expect(await run(["gate", "--model", MODEL, "--lists", lists, "--budget", "5000", "--json"], SHOP_COMMANDS)).toBe(3);
    process.exitCode = 0;
  });
});

describe("what a model must not care for", () => {
  it("is moved and padded as it should be", async () => {
    const { manifest } = await openModelFolder(MODEL);
    const list = createList(3, manifest);
    const moved = permute(list, [2, 0, 1]);
    const width = list.features.length / 3;
    expect(moved.features.slice(0, width)).toEqual(list.features.slice(2 * width));
    const padded = pad(list, { k: 2, lq: 1, h: 1 }, 3);
    expect([...padded.mask]).toEqual([1, 1, 1, 0, 0]);
    expect(padded.features[3 * width]).toBe(3);
    expect(padded.features.slice(0, 3 * width)).toEqual(list.features);
  });
});
