/** Forty queries judged blind: the list, the page, the arithmetic, and the judgments that are committed. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packSet } from "../../src/cli/embed/pack.ts";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { readManifest, recordsOf } from "../../src/lab/harness/catalogue.ts";
import { readJudgments } from "../../src/lab/blind.ts";
import { drawPage, openJudgments } from "../../src/lab/blind/page.ts";
import { findPairs, type Pairs, sideOf } from "../../src/lab/blind/pairs.ts";
import { KINDS, QUERIES } from "../../src/lab/blind/queries.ts";
import { type Judgments, sayVerdict, verdictOf } from "../../src/lab/blind/verdict.ts";

const FOLDER = join(import.meta.dirname, "../../src/lab/blind/judgments");

const ids = drawCatalogue({ count: 20 }).map(({ id }) => id);

/** Both lists of the first query are the same. */
const PAIRS: Pairs = {
  pairs: QUERIES.map((query, i) => ({ ...query, of: ids.slice(0, 10), against: i === 0 ? ids.slice(0, 10) : ids.slice(10) })),
  model: "drawn-1",
  set: "0123",
};
const ASKED = { seed: "s", of: "semantic", against: "engine", trust: 1 } as const;
const open = openJudgments(PAIRS, ASKED);

/** A judge that finds the first order better, worse, then all others the same. */
function judged(better: number, worse: number): Judgments {
  const choices = QUERIES.slice(1).map(({ text }, i) => {
    const side = sideOf(open.seed, text);
    return [text, i < better ? side : i >= better + worse ? "same" : side === "left" ? "right" : "left"] as const;
  });
  return { ...open, judge: "a test", choices: Object.fromEntries(choices) };
}

const leftOf = (seed: string) => QUERIES.filter(({ text }) => sideOf(seed, text) === "left").map(({ text }) => text);
const say = (better: number, worse: number) => sayVerdict(verdictOf(judged(better, worse)), ASKED);

describe("the list", () => {
  it("has ten different queries of each kind", () => {
    expect(new Set(QUERIES.map(({ text }) => text)).size).toBe(40);
    for (const kind of KINDS) expect(QUERIES.filter((query) => query.kind === kind)).toHaveLength(10);
  });
});

describe("findPairs()", () => {
  const drawn = drawCatalogue();
  const { dims, encoders } = readManifest();
  const identity = { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text };
  const embedded = packSet(recordsOf(drawn, dims.image), identity);

  it("shows the first ten of each order, by the demo's engine", async () => {
    const { pairs, model } = await findPairs({ embedded, of: "armmt", against: "engine", trust: 1 });
    expect(model).toBe(readManifest().version);
    const pair = pairs.find(({ text }) => text === "black bag")!;
    expect(pair.of).toHaveLength(10);
    expect(pair.against).toHaveLength(10);
    expect(pair.of).not.toEqual(pair.against);
  });

  it("refuses to show the engine's order in the place of one that cannot be made", async () => {
    // These vectors have no query table.
    await expect(findPairs({ embedded, of: "semantic", against: "engine", trust: 1 })).rejects.toThrow(/lists in which semantic is/);
  });
});

describe("the page", () => {
  it("says nowhere which side is which", () => {
    const page = drawPage(PAIRS, open);
    expect(page).not.toMatch(/semantic|armmt|"seed"|\bengine/);
    expect(page).toContain('"query":"elegant black bag"');
  });

  it("leaves out what has nothing to choose", () => {
    expect(open.identical).toEqual([QUERIES[0]!.text]);
    expect(drawPage(PAIRS, open)).not.toContain(`"query":"${QUERIES[0]!.text}"`);
  });

  it("puts the order in question on either side, by the seed", () => {
    for (const seed of ["a", "b", "c"]) expect(Math.abs(leftOf(seed).length - 20)).toBeLessThan(13);
    expect(leftOf("a")).not.toEqual(leftOf("b"));
    expect(leftOf("a")).toEqual(leftOf("a"));
  });
});

describe("verdictOf()", () => {
  // scipy 1.16: binomtest(better, better + worse), proportion_ci(method="exact").
  it.each([
    [29, 6, 0.0001168, 0.6635, 0.9344],
    [8, 21, 0.02412, 0.1273, 0.4724],
    [11, 5, 0.2101, 0.4134, 0.8898],
    [0, 5, 0.0625, 0, 0.5218],
  ])("%i better, %i worse, as scipy has it", (better, worse, p, low, high) => {
    const verdict = verdictOf(judged(better, worse));
    expect(verdict.all).toEqual({ name: "all", better, worse, same: 40 - better - worse });
    expect(verdict.p).toBeCloseTo(p, 4);
    expect(verdict.share!.low).toBeCloseTo(low, 3);
    expect(verdict.share!.high).toBeCloseTo(high, 3);
    expect(verdict.kinds.reduce((sum, kind) => sum + kind.better + kind.same + kind.worse, 0)).toBe(40);
  });

  it("says which is better, or that one cannot tell", () => {
    expect(say(29, 6)).toMatch(/^semantic is better than engine: 29 of 35/);
    expect(say(6, 29)).toMatch(/^semantic is worse than engine/);
    expect(say(11, 5)).toMatch(/^We cannot tell semantic from engine/);
    expect(say(0, 0)).toMatch(/^No query in which/);
  });

  it("counts what has been judged, and nothing else", () => {
    const whole = judged(3, 1);
    const [first] = Object.entries(whole.choices);
    const some: Judgments = { ...whole, choices: Object.fromEntries([first!, ["another query", "left"]]) };
    expect(verdictOf(some)).toMatchObject({ judged: 2, all: { better: 1, same: 1, worse: 0 } });
  });
});

describe("the committed judgments", () => {
  /** As docs/design/judged-by-eye.md has them. */
  const FIGURES: Readonly<Record<string, readonly [better: number, same: number, worse: number]>> = {
    "semantic-engine.json": [29, 5, 6],
    "armmt-engine.json": [20, 8, 12],
    "armmt-semantic.json": [8, 11, 21],
    "armmt-0.3-semantic.json": [11, 24, 5],
    "armmt-0.3-engine.json": [31, 6, 3],
    "armmt-semantic.drawn-4a820957.judge-1.json": [11, 4, 25],
    "armmt-semantic.drawn-4a820957.judge-2.json": [10, 8, 22],
    "armmt-0.3-semantic.drawn-4a820957.judge-1.json": [18, 10, 12],
    "armmt-0.3-semantic.drawn-4a820957.judge-2.json": [13, 18, 9],
    "armmt-semantic.drawn-c896b00d.judge-1.json": [9, 12, 19],
    "armmt-semantic.drawn-c896b00d.judge-2.json": [6, 14, 20],
    "armmt-0.3-semantic.drawn-c896b00d.judge-1.json": [15, 17, 8],
    "armmt-0.3-semantic.drawn-c896b00d.judge-2.json": [12, 20, 8],
  };

  it("are all stated", () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual(Object.keys(FIGURES).toSorted());
  });

  it.each(Object.entries(FIGURES))("%s: all forty, and who judged", (name, [better, same, worse]) => {
    const judgments = readJudgments(join(FOLDER, name));
    expect(verdictOf(judgments)).toMatchObject({ judged: 40, all: { better, same, worse } });
    expect(judgments.judge).toContain("a language model");
  });
});
