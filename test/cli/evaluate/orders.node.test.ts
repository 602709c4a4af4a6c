/** The compared orders come from the functions that serve; vectors that are not the catalogue's own gain nothing, and that is said. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readSet } from "../../../src/cli/embed/pack.ts";
import { isUnfit } from "../../../src/cli/evaluate/fit.ts";
import { openModelFolder } from "../../../src/cli/evaluate/model.ts";
import { createOrderMaker, type EmbeddedSet } from "../../../src/cli/evaluate/orders.ts";
import type { Scorer } from "../../../src/inference/scorer.ts";
import { embedShop, expectedScores, LISTS, PRODUCTS, type ShopVectors } from "./fixture.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-orders-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let scorer: Scorer;
beforeAll(async () => {
  scorer = await openModelFolder();
});

let count = 0;
const embedded = (options?: ShopVectors): EmbeddedSet => readSet(embedShop(join(folder, String(count++)), options));
const hitsOf = (query: string) => LISTS[query]!.map((id, i) => ({ id, score: 20 - i }));

/** One list by a set that fits the model. */
async function greenChairs(options: ShopVectors, trust?: number) {
  const { set, ...rest } = embedded({ ...options, encoders: scorer.manifest.encoders });
  const maker = createOrderMaker({ set: { ...set, ...(trust !== undefined && { trust }) }, ...rest }, scorer);
  return { maker, orders: await maker.order("green chair", hitsOf("green chair")) };
}

describe("the orders", () => {
  it.each(Object.keys(LISTS))("semantic is score ÷ best score + cosine + coverage: %s", async (query) => {
    const maker = createOrderMaker(embedded(), scorer);
    const orders = await maker.order(query, hitsOf(query));
    expect(orders.get("engine")).toEqual([...LISTS[query]!.keys()]);
    // Vectors are stored in 8 bits, which may swap what is equal but for a thousandth.
    const scores = expectedScores(query, hitsOf(query)).map((score) => Math.round(score * 100));
    const found = orders.get("semantic")!.map((i) => scores[i]!);
    for (const [i, score] of found.entries()) expect(score).toBeLessThanOrEqual((found[i - 1] ?? Infinity) + 1);
    expect(found[0]).toBe(Math.max(...scores));
    expect(orders.get("semantic")).not.toEqual(orders.get("engine"));
  });

  it("armmt is semantic for a model whose vectors are others, and says why", async () => {
    const maker = createOrderMaker(embedded(), scorer);
    expect(maker.names).toEqual(["engine", "semantic", "armmt"]);
    const orders = await maker.order("red mug", hitsOf("red mug"));
    expect(orders.get("armmt")).toEqual(orders.get("semantic"));
    expect(maker.notes().join()).toMatch(/armmt is the order "semantic": Model .* needs image encoder .*, the published set has none/);
  });

  describe("of a set that fits the model", () => {
    it("has a query table: armmt is semantic, as nothing has earned the model trust, and the other trusts stand beside it", async () => {
      const { maker, orders } = await greenChairs({});
      expect(maker.names).toEqual(["engine", "semantic", "armmt", "armmt at trust 0.3", "armmt at trust 1"]);
      expect(maker.model).toMatchObject({ order: "semantic", trust: 0 });
      expect(orders.get("armmt")).toEqual(orders.get("semantic"));
      expect(orders.get("armmt at trust 1")).not.toEqual(orders.get("semantic"));
      expect(maker.notes().join()).toMatch(/armmt is the order "semantic": .* learned elsewhere/);
    });

    it("is trusted by 0.3: armmt is that order", async () => {
      const [{ orders: untrusted }, { maker, orders }] = await Promise.all([greenChairs({}), greenChairs({}, 0.3)]);
      expect(maker.names).toEqual(["engine", "semantic", "armmt", "armmt at trust 0", "armmt at trust 1"]);
      expect(orders.get("armmt")).toEqual(untrusted.get("armmt at trust 0.3"));
      expect(orders.get("armmt at trust 0")).toEqual(orders.get("semantic"));
      expect(orders.get("armmt at trust 1")).toEqual(untrusted.get("armmt at trust 1"));
    });

    it("has no query table: armmt is the model's order, and semantic the engine's", async () => {
      const { maker, orders } = await greenChairs({ hasTable: false });
      expect(maker.model).toMatchObject({ order: "model", trust: 1 });
      expect(orders.get("semantic")).toEqual(orders.get("engine"));
      expect(orders.get("armmt")).not.toEqual(orders.get("engine"));
    });
  });

  it("without a query table nothing is added to the engine's order, and each list says why", async () => {
    const maker = createOrderMaker(embedded({ hasTable: false }), scorer);
    const orders = await maker.order("red mug", hitsOf("red mug"));
    expect(orders.get("semantic")).toEqual(orders.get("engine"));
    expect(maker.notes().join("\n")).toMatch(/1 lists in which semantic is the engine's order, no_query_table: Published set/);
    expect(await maker.fit(PRODUCTS)).toBeUndefined();
  });

  it("is refused for a set of another catalogue", async () => {
    const maker = createOrderMaker(embedded(), scorer);
    await expect(maker.fit([{ id: "elsewhere", title: "Red mug" }])).rejects.toThrow(
      /has none of the catalogue's products: embed this catalogue/,
    );
  });

  it("keeps lists of one hit and of none, and hits that the set lacks", async () => {
    const maker = createOrderMaker(embedded(), scorer);
    expect((await maker.order("red mug", [])).get("semantic")).toEqual([]);
    expect((await maker.order("red mug", [{ id: "m1", score: 1 }])).get("semantic")).toEqual([0]);
    const strangers = await maker.order("red mug", [
      { id: "gone", score: 2 },
      { id: "lost", score: 1 },
    ]);
    expect(strangers.get("semantic")).toEqual([0, 1]);
    expect(maker.notes().join("\n")).toMatch(/2 of 3 hits are not in set/);
  });
});

describe("without any judgment", () => {
  it("the query table fits the vectors of its own catalogue", async () => {
    const fit = await createOrderMaker(embedded(), scorer).fit(PRODUCTS);
    expect(fit?.text).toBeLessThan(0.05);
    expect(isUnfit(fit!)).toBe(false);
  });

  it.each<[string, ShopVectors]>([
    ["vectors of other products", { vectorOf: (i) => (i * 7 + 5) % PRODUCTS.length }],
    ["a table that was fitted elsewhere", { tableSeed: "another shop" }],
  ])("%s do not", async (_, options) => {
    const fit = await createOrderMaker(embedded(options), scorer).fit(PRODUCTS);
    expect(fit?.text).toBeGreaterThan(0.3);
    expect(isUnfit(fit!)).toBe(true);
  });
});
