/** The simulator: deterministic, honest about its splits, and each part of an attraction really a part. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { run } from "../../../src/lab/main.ts";
import {
  ALL_PARTS,
  attraction,
  gradeOf,
  type Kind,
  type Parts,
  satisfied,
  utilities,
  utilitiesInOrder,
} from "../../../src/lab/study/simulate/attraction.ts";
import { orderByScore } from "../../../src/cli/evaluate/metrics.ts";
import { worthOf } from "../../../src/lab/study/assess/worth.ts";
import { LOG_MODELS, clickProbabilities, drawClicks, type LogModel } from "../../../src/lab/study/simulate/clicks.ts";
import { drawnShop } from "../../../src/lab/study/simulate/drawn-shop.ts";
import { edgeEnergy, PATTERNS, readFashion, thirds } from "../../../src/lab/study/simulate/fashion/catalogue.ts";
import { fashionCatalog, type FashionShop, openFashionShop } from "../../../src/lab/study/simulate/fashion/shop.ts";
import { shownTitle, stems, vocabularyOf } from "../../../src/lab/study/simulate/fashion/titles.ts";
import { type Truth, truthSchema } from "../../../src/lab/study/simulate/truth.ts";
import type { Shop, ShopProduct, Wish } from "../../../src/lab/study/simulate/shop.ts";
import { drawShopper, pictureLiking } from "../../../src/lab/study/simulate/shopper.ts";
import { splitOf } from "../../../src/cli/lists/split.ts";
import { isCold } from "../../../src/lab/study/simulate/cold.ts";
import { type Session, simulate } from "../../../src/lab/study/simulate/scenario.ts";
import { createRandom } from "../../../src/demo/catalogue/random.ts";

const drawn = drawnShop({ count: 500, seed: 3 });
const { products } = drawn;
const folder = mkdtempSync(join(tmpdir(), "armmt-simulate-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Chosen {
  readonly shop?: Shop;
  readonly clickModel?: LogModel;
  readonly parts?: Parts;
  readonly seed?: number;
}

function sessions(chosen: Chosen = {}): Session[] {
  return [...simulate({ shop: drawn, shoppers: 60, searches: 200, clickModel: "pbm", parts: ALL_PARTS, seed: 1, ...chosen })];
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
    expect(sessions({ seed: 2 })).not.toEqual(all);
  });

  it("logs what was shown: a permutation of the engine's window, with its scores", () => {
    expect(all).toHaveLength(200);
    for (const { query } of all) {
      const { original_ids: original, served_ids: served, original_scores: scores } = query.query_attributes.armmt;
      expect(served.toSorted()).toEqual(original.toSorted());
      expect(scores).toHaveLength(original.length);
      expect(scores).toEqual(scores?.toSorted((a, b) => Number(b) - Number(a)));
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

  it("has the same shoppers, queries and lists whatever the click model", () => {
    const clicked = new Set<string>();
    for (const clickModel of LOG_MODELS) {
      const others = sessions({ clickModel });
      expect(others.map(({ query, truth, views }) => ({ query, truth, views }))).toEqual(
        all.map(({ query, truth, views }) => ({ query, truth, views })),
      );
      clicked.add(JSON.stringify(others.map(({ events }) => events)));
    }
    expect(clicked.size).toBe(LOG_MODELS.length);
  });

  it("tells in the truth all that judging an order needs", () => {
    const byId = new Map(products.map((product) => [product.id, product]));
    for (const { truth } of all) {
      const candidates = truth.ids.map((id) => byId.get(id)!);
      expect(truth.price).toEqual(candidates.map(({ price }) => price));
      expect(truth.cold_item).toEqual(truth.ids.map(isCold));
      expect(truth.look).toHaveLength(4 * truth.ids.length);
      // Two candidates share a code exactly where they share the word.
      const colourAt = (i: number) => truth.look[4 * i + 1];
      candidates.forEach(({ look }, i) => expect(colourAt(i) === colourAt(0)).toBe(look.colour === candidates[0]!.look.colour));
    }
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
  const shopper = drawShopper("shopper-1", 1, drawn);
  const wish: Wish = {
    text: "red striped mug",
    category: "mug",
    asked: [
      { part: "colour", word: "red", typed: ["red"] },
      { part: "pattern", word: "striped", typed: ["striped"] },
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
    const other = drawShopper("shopper-2", 1, drawn);
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
    const kinds: Kind[] = [
      [1, 2, 3, 4],
      [1, 2, 3, 4],
      [1, 9, 3, 4],
    ];
    expect(utilitiesInOrder([1, 1, 1], kinds, { ...ALL_PARTS, context: false })).toEqual([1, 1, 1]);
    // Likeness is seen: without the picture part it costs nothing, or pictures would help in the control without them.
    expect(utilitiesInOrder([1, 1, 1], kinds, { ...ALL_PARTS, picture: false })).toEqual([1, 1, 1]);
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

  it.each(LOG_MODELS)("%s: drawn clicks are as frequent as the exact probabilities say", (model) => {
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

  it("full: every position is examined", () => {
    expect(clickProbabilities("full", attractions)).toEqual(attractions);
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
      catalog: "drawn",
      items: 300,
      clickModel: "pbm",
      parts: ALL_PARTS,
    });
    const truth = v.parse(truthSchema, JSON.parse(lines("truth.ndjson")[0]!));
    expect(truth.look.length).toBe(4 * truth.ids.length);
  });

  it.each([
    ["--searches", "none"],
    ["--click-model", "oracle"],
  ])("refuses %s %s as wrong usage", async (flag, value) => {
    expect(await run(["simulate", "--out", join(folder, "refused"), flag, value])).toBe(2);
  });

  it("fails with exit code 1 and a message where there is no catalogue", async () => {
    expect(await run(["simulate", "--out", join(folder, "refused"), "--catalog", join(folder, "elsewhere")])).toBe(1);
    await expect(openFashionShop(join(folder, "elsewhere"))).rejects.toThrow(/No catalogue at .*elsewhere.*products\.csv/);
  });
});

describe("worthOf()", () => {
  const truth: Truth = {
    query_id: "q",
    split: "test",
    ids: ["a", "b", "c"],
    utility: [-9, 3, 3],
    grade: [0, 4, 4],
    in_stock: [true, true, false],
    price: [100, 50, 70],
    look: [1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2],
    cold_item: [false, false, true],
    modality: 0.5,
  };

  it("takes price, likeness and stock from the truth", () => {
    const worth = worthOf(truth, [1, 0, 2], ALL_PARTS);
    expect(worth.get("revenue@10 pbm")).toBeCloseTo(50 * worth.get("purchases@10 pbm")!, 0); // what is out of stock is not bought, and hardly anything of the first
    expect(worth.get("MRR")).toBe(1);
    expect(worthOf(truth, [0, 2, 1], ALL_PARTS).get("MRR")).toBe(0.5);
    expect(worthOf({ ...truth, grade: [2, 2, 2] }, [0, 1, 2], ALL_PARTS).get("MRR")).toBeUndefined();
    // Twins one after the other: the second is passed over.
    const apart = worthOf({ ...truth, look: [1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3] }, [1, 2, 0], ALL_PARTS);
    expect(worthOf(truth, [1, 2, 0], ALL_PARTS).get("clicks@10 pbm")).toBeLessThan(apart.get("clicks@10 pbm")!);
  });

  it("an order by true utility is worth more than the engine's", () => {
    const gain = all.map(({ truth: one }) => {
      const engine = one.ids.map((_, i) => i);
      const [best, usual] = [orderByScore(one.utility), engine].map((order) => worthOf(one, order, ALL_PARTS).get("purchases@10 dcm")!);
      return best! - usual!;
    });
    expect(gain.reduce((sum, one) => sum + one, 0) / gain.length).toBeGreaterThan(0.05);
  });
});

describe("fashion titles", () => {
  const row = {
    id: "1",
    title: "Red Tape Men Solid T-Shirts & Navy-Blue Shoes",
    gender: "Men",
    masterCategory: "Apparel",
    subCategory: "Topwear",
    articleType: "Tshirts",
    baseColour: "Navy Blue",
    usage: "Casual",
  };

  it("reads plurals and hyphens as one word", () => {
    expect(stems("T-Shirts tshirt T shirt")).toEqual(["tshirt", "tshirt", "tshirt"]);
    expect(stems("Kurtis Watches Flip-Flops Dresses")).toEqual(["kurti", "watch", "flip", "flop", "dress"]);
  });

  it("takes out what the id says, whatever its form, and keeps the brand", () => {
    const vocabulary = vocabularyOf([row, { ...row, articleType: "Casual Shoes", baseColour: "Red" }]);
    const titles = new Set(Array.from({ length: 60 }, (_, i) => shownTitle({ ...row, id: `${i}` }, vocabulary).title));
    expect([...titles].toSorted()).toEqual(
      [row.title, "Red Tape Men Solid", "Red Tape Men Solid Navy-Blue", "Red Tape Men Solid TShirts Shoes"].toSorted(),
    );
  });
});

describe("fashion patterns", () => {
  it("edge energy is the mean step of brightness", () => {
    const stripes = Uint8Array.from({ length: 128 * 128 }, (_, i) => (i % 2 === 0 ? 10 : 30));
    expect(edgeEnergy(stripes)).toBe(20);
    expect(edgeEnergy(new Uint8Array(128 * 128))).toBe(0);
  });

  it("cuts each kind into thirds of its own", () => {
    const groups = ["a", "a", "a", "b", "b", "b"];
    expect(thirds(groups, [5, 1, 3, 900, 800, 700])).toEqual(["busy", "plain", "textured", "busy", "textured", "plain"]);
  });
});

const FASHION = fileURLToPath(new URL("../../../../shared/data/fashion", import.meta.url));
const absent = !existsSync(FASHION);
if (absent) process.stderr.write(`Skipping the fashion shop: ${FASHION} is absent\n`);

describe.skipIf(absent)("the fashion shop", () => {
  /** Every fifth row, so that the pictures are read within seconds. */
  const small = join(folder, "fashion");
  let shop: FashionShop;
  let run1: Session[] = [];
  beforeAll(async () => {
    mkdirSync(join(small, "images"), { recursive: true });
    const [header = "", ...rows] = readFileSync(join(FASHION, "products.csv"), "utf8").trim().split("\n");
    const kept = rows.filter((_, i) => i % 5 === 0);
    const first = kept[0]!;
    // A repeated title under a new id, and a repeated picture under a new title.
    const again = [first.replace(/^\d+/, "90001"), first.replace(/^\d+,[^,]*/, "90002,Another Title")];
    writeFileSync(join(small, "products.csv"), `${[header, ...kept, ...again].join("\n")}\n`);
    for (const line of kept) {
      const name = `${line.split(",")[0]}.jpg`;
      copyFileSync(join(FASHION, "images", name), join(small, "images", name));
    }
    for (const id of ["90001", "90002"]) {
      copyFileSync(join(FASHION, "images", `${first.split(",")[0]}.jpg`), join(small, "images", `${id}.jpg`));
    }
    shop = await openFashionShop(small);
    run1 = sessions({ shop });
  });

  it("drops repeats of titles and pictures", () => {
    const ids = new Set(shop.products.map(({ id }) => id));
    expect(ids.size).toBe(shop.products.length);
    expect(ids.has("90001")).toBe(false);
    expect(ids.has("90002")).toBe(false);
  });

  it("shows no withheld word in a title, and names no kind by a category", () => {
    const rows = new Map(readFashion(small).map((row) => [row.id, row]));
    for (const product of shop.products) {
      const { baseColour, articleType } = rows.get(product.id)!;
      const title = new Set(stems(product.title));
      const category = new Set(stems(product.category));
      if (product.withheld.colour) for (const stem of stems(baseColour)) expect(title, product.title).not.toContain(stem);
      if (product.withheld.kind) for (const stem of stems(articleType)) expect(title, product.title).not.toContain(stem);
      expect(stems(articleType).every((stem) => category.has(stem))).toBe(false);
      expect(product.title.length).toBeGreaterThan(0);
    }
    for (const part of ["colour", "kind"] as const) {
      expect(shop.products.filter(({ withheld }) => withheld[part]).length / shop.products.length).toBeCloseTo(0.6, 1);
    }
  });

  it("gives the same records for the same seed, after reading the folder again", async () => {
    const again = await openFashionShop(small);
    expect(again.products).toEqual(shop.products);
    expect(sessions({ shop: again })).toEqual(run1);
  });

  it("splits shoppers, queries and cold items as the drawn shop does, and shows lists of at most 30", () => {
    expect(run1.map(({ truth }) => truth.split)).toContain("test");
    for (const { query, truth } of run1) {
      expect(splitOf("query", query.user_query)).toBe(truth.split);
      expect(splitOf("shopper", query.client_id ?? "")).toBe(truth.split);
      if (truth.split !== "test") expect(truth.cold_item).not.toContain(true);
      expect(truth.ids.length).toBeLessThanOrEqual(30);
    }
    expect(run1.some(({ truth }) => truth.cold_item.includes(true))).toBe(true);
  });

  it("offers what is asked for in the title, and what only the picture shows", () => {
    const shopper = drawShopper("shopper-1", 1, shop);
    const random = createRandom("wishes");
    const counts = { named: 0, seen: 0 };
    for (let i = 0; i < 100; i++) {
      const wish = shop.makeWish(shopper.interests, () => 1, random);
      for (const product of shop.products) {
        const { named, seen } = satisfied(wish, product);
        counts.named += named;
        counts.seen += seen;
      }
    }
    expect(counts.named).toBeGreaterThan(1000);
    expect(counts.seen).toBeGreaterThan(1000);
  });

  it("without the picture part, nothing that only the picture shows makes a difference", () => {
    const shopper = drawShopper("shopper-1", 1, shop);
    const product = shop.products.find(({ namesKind, withheld }) => namesKind === false && withheld.colour)!;
    const disguised: ShopProduct = {
      ...product,
      look: {
        ...product.look,
        kind: "something else",
        colour: "no colour",
        pattern: PATTERNS.find((one) => one !== product.look.pattern)!,
      },
    };
    const wish: Wish = {
      text: "",
      category: product.category,
      kind: product.look.kind,
      asked: [{ part: "colour", word: product.look.colour, typed: stems(product.look.colour) }],
    };
    const [a, b] = utilities(shopper, wish, [product, disguised], { ...ALL_PARTS, picture: false });
    expect(a).toBeCloseTo(b!, 12);
    const [c, d] = utilities(shopper, wish, [product, disguised], ALL_PARTS);
    expect(c).toBeGreaterThan(d! + 2);
  });

  it("is a catalogue that can be embedded: every item with its photograph and the text that the engine has", () => {
    const catalog = fashionCatalog(shop);
    expect(catalog.items).toHaveLength(shop.products.length);
    for (const { image, text, product } of catalog.items) {
      expect(text).toBe(`${product.title} ${product.category}`);
      expect(image?.kind === "file" && existsSync(image.path)).toBe(true);
    }
  });

  it("writes a simulation through the command", async () => {
    const out = join(folder, "fashion-run");
    expect(await run(["simulate", "--catalog", small, "--out", out, "--shoppers", "10", "--searches", "30", "--json"])).toBe(0);
    expect(JSON.parse(readFileSync(join(out, "simulation.json"), "utf8"))).toMatchObject({
      catalog: "fashion",
      items: shop.products.length,
      searches: 30,
      look: [{ part: "kind" }, { part: "colour" }, { part: "pattern", words: ["busy", "plain", "textured"] }, { part: "style" }],
    });
  });
});
