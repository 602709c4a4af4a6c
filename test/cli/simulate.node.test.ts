/** The simulator: deterministic, honest about its splits, and each part of an attraction really a part. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { run } from "../../src/cli/main.ts";
import { ALL_PARTS, attraction, gradeOf, kindOf, type Parts, utilities, utilitiesInOrder } from "../../src/cli/simulate/attraction.ts";
import { CLICK_MODELS, clickProbabilities, drawClicks } from "../../src/cli/simulate/clicks.ts";
import { satisfied, type Wish } from "../../src/cli/simulate/query.ts";
import { drawShopper, pictureLiking } from "../../src/cli/simulate/shopper.ts";
import { isCold, splitOf } from "../../src/cli/simulate/split.ts";
import { type Session, simulate } from "../../src/cli/simulate/world.ts";
import { drawCatalogue } from "../../src/demo/catalogue.ts";
import { createRandom } from "../../src/demo/random.ts";

const products = drawCatalogue({ count: 500, seed: 3 });
const folder = mkdtempSync(join(tmpdir(), "armmt-simulate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function sessions(parts: Parts = ALL_PARTS, seed = 1): Session[] {
  return [...simulate({ products, shoppers: 60, searches: 200, clickModel: "pbm", parts, seed })];
}
const all = sessions();

function shown(split: string): string[] {
  return all.filter(({ truth }) => truth.split === split).flatMap(({ truth }) => truth.ids);
}

function only(part: keyof Parts): Parts {
  return { text: false, picture: false, personal: false, context: false, [part]: true };
}

describe("simulate()", () => {
  it("gives the same records for the same seed, others for another", () => {
    expect(sessions()).toEqual(all);
    expect(sessions(ALL_PARTS, 2)).not.toEqual(all);
  });

  it("logs what was shown: a permutation of the engine's window, with its scores", () => {
    expect(all).toHaveLength(200);
    for (const { query } of all) {
      const { original_ids: original, served_ids: served, original_scores: scores } = query.query_attributes.armmt;
      expect(served.toSorted()).toEqual(original.toSorted());
      expect(scores).toHaveLength(original.length);
      expect(scores).toEqual(scores?.toSorted((a, b) => b - a));
    }
    const shuffled = all.filter(({ query }) => query.query_attributes.armmt.variant === "shuffle");
    expect(shuffled.length).toBeGreaterThan(10);
    expect(shuffled.length).toBeLessThan(60);
  });

  it("keeps shoppers and queries of different splits apart", () => {
    for (const { query, truth } of all) {
      expect(splitOf("query", query.user_query)).toBe(truth.split);
      expect(splitOf("shopper", query.client_id ?? "")).toBe(truth.split);
    }
  });

  it("shows cold products in the test split only", () => {
    expect(shown("train").filter(isCold)).toEqual([]);
    expect(shown("test").some(isCold)).toBe(true);
    const cold = products.filter(({ id }) => isCold(id)).length / products.length;
    expect(cold).toBeGreaterThan(0.05);
    expect(cold).toBeLessThan(0.15);
  });

  it("clicks only what was shown, and buys only what was clicked", () => {
    for (const { query, events } of all) {
      const served = query.query_attributes.armmt.served_ids;
      const clicked = new Set(
        events.filter(({ action_name: action }) => action === "click").map((event) => event.event_attributes.object.object_id),
      );
      for (const event of events) {
        expect(served[(event.event_attributes.position?.ordinal ?? 0) - 1]).toBe(event.event_attributes.object.object_id);
        expect(clicked.has(event.event_attributes.object.object_id)).toBe(true);
        expect(Date.parse(event.timestamp)).toBeGreaterThan(Date.parse(query.timestamp));
      }
    }
    expect(all.some(({ events }) => events.some(({ action_name: action }) => action === "purchase"))).toBe(true);
  });
});

describe("the parts of an attraction", () => {
  const shopper = drawShopper("shopper-1", 1);
  const wish: Wish = {
    text: "red striped mug",
    category: "mug",
    silhouette: undefined,
    asked: [
      { part: "colour", word: "red" },
      { part: "pattern", word: "striped" },
    ],
  };
  const base = products.find(({ category }) => category === "mug")!;
  const silent = { ...base, title: "Vega Mug" };
  const red = { ...silent, look: { ...silent.look, colour: "red" as const, pattern: "plain" as const } };
  const blue = { ...silent, look: { ...silent.look, colour: "blue" as const, pattern: "plain" as const } };
  const named = { ...red, title: "Vega Red Mug" };

  it("counts an asked-for word as named by the title or as seen in the picture, never both", () => {
    expect(satisfied(wish, red)).toEqual({ named: 0, seen: 1, asked: 2 });
    expect(satisfied(wish, named)).toEqual({ named: 1, seen: 0, asked: 2 });
    expect(satisfied(wish, blue)).toEqual({ named: 0, seen: 0, asked: 2 });
  });

  it("without the picture part, what only the picture shows makes no difference", () => {
    const [a, b] = utilities(shopper, wish, [red, blue], { ...ALL_PARTS, picture: false });
    expect(a).toBeCloseTo(b!, 12);
    const [c, d] = utilities(shopper, wish, [red, blue], only("picture"));
    expect(c).toBeGreaterThan(d!);
  });

  it("without the text part, what the title says makes no difference", () => {
    const [a, b] = utilities(shopper, wish, [red, { ...red, title: "Other Maker Red Sofa", category: "sofa" }], only("context"));
    expect(a).toBeCloseTo(b!, 12);
    const [c, d] = utilities(shopper, wish, [named, blue], only("text"));
    expect(c).toBeGreaterThan(d!);
  });

  it("without the personal part, all shoppers like the same", () => {
    const other = drawShopper("shopper-2", 1);
    const candidates = products.slice(0, 30);
    expect(candidates.some((product) => pictureLiking(shopper, product) !== pictureLiking(other, product))).toBe(true);
    const off = { ...ALL_PARTS, personal: false, context: false };
    expect(utilities(shopper, wish, candidates, off)).toEqual(utilities(other, wish, candidates, off));
    expect(utilities(shopper, wish, candidates, ALL_PARTS)).not.toEqual(utilities(other, wish, candidates, ALL_PARTS));
  });

  it("without the context part, neither neighbours' prices nor what stands above matter", () => {
    const dear = { ...red, id: "dear", price: red.price * 3 };
    const [cheap, same] = utilities({ ...shopper, thrift: 1 }, wish, [red, dear], only("context"));
    expect(cheap).toBeGreaterThan(same!);
    const [a, b] = utilities({ ...shopper, thrift: 1 }, wish, [red, dear], { ...ALL_PARTS, context: false });
    expect(a).toBeCloseTo(b!, 12);
    const kinds = [kindOf(red), kindOf(red), kindOf(blue)];
    expect(utilitiesInOrder([1, 1, 1], kinds, { ...ALL_PARTS, context: false })).toEqual([1, 1, 1]);
    // A twin above costs a whole SAMENESS (alike in 4 of 4), a likeness in 3 of 4 half of it.
    expect(utilitiesInOrder([1, 1, 1], kinds, ALL_PARTS)).toEqual([1, 0, 0.5]);
  });

  it("grades are bands of the attraction", () => {
    for (const u of [-5, 0, 1, 2, 9]) expect(gradeOf(u)).toBe(Math.min(4, Math.floor(attraction(u) * 5)));
    expect(gradeOf(-5)).toBe(0);
    expect(gradeOf(9)).toBe(4);
  });
});

describe("click models", () => {
  const attractions = [0.9, 0.2, 0.6, 0.05, 0.5, 0.7, 0.3, 0.4, 0.8, 0.1, 0.5, 0.5];
  const RUNS = 20_000;

  it.each(CLICK_MODELS)("%s: drawn clicks are as frequent as the exact probabilities say", (model) => {
    const random = createRandom(`frequency:${model}`);
    const counts = attractions.map(() => 0);
    for (let i = 0; i < RUNS; i++) {
      drawClicks(model, attractions, random).forEach((clicked, at) => {
        if (clicked) counts[at]! += 1;
      });
    }
    clickProbabilities(model, attractions).forEach((p, i) => {
      // Five standard errors of a binomial share.
      expect(Math.abs(counts[i]! / RUNS - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / RUNS) + 1e-9);
    });
  });

  it("pbm: the same item is clicked less further down", () => {
    const p = clickProbabilities("pbm", [0.5, 0.5, 0.5]);
    expect(p[0]).toBeCloseTo(0.5 * Math.sqrt(0.68), 12);
    expect(p[1]).toBeCloseTo(0.5 * Math.sqrt(0.61), 12);
    expect(p[2]).toBeLessThan(p[1]!);
  });

  it("dcm: a certain click above stops a quarter of the readers", () => {
    expect(clickProbabilities("dcm", [1, 1])).toEqual([1, 0.75]);
    expect(clickProbabilities("dcm", [0, 1])).toEqual([0, 1]);
  });

  it("ubm: a click just above draws the eye", () => {
    const after = clickProbabilities("ubm", [1, 0.5])[1]!;
    const alone = clickProbabilities("ubm", [0, 0.5])[1]!;
    expect(after).toBeGreaterThan(alone);
  });
});

describe("armmt simulate", () => {
  it("writes UBI lines, the truth and the options", async () => {
    const out = join(folder, "run");
    expect(await run(["simulate", "--out", out, "--items", "300", "--shoppers", "10", "--searches", "30", "--json"])).toBe(0);
    const lines = (name: string) => readFileSync(join(out, name), "utf8").trim().split("\n");
    expect(lines("queries.ndjson")).toHaveLength(30);
    expect(lines("truth.ndjson")).toHaveLength(30);
    expect(JSON.parse(readFileSync(join(out, "simulation.json"), "utf8"))).toMatchObject({
      searches: 30,
      clickModel: "pbm",
      parts: ALL_PARTS,
    });
  });

  it.each([
    ["--searches", "none"],
    ["--click-model", "oracle"],
    ["--catalog", "elsewhere"],
  ])("refuses %s %s as wrong usage", async (flag, value) => {
    expect(await run(["simulate", "--out", join(folder, "refused"), flag, value])).toBe(2);
  });
});
