/** `armmt browse`: what is learned from a log, by arithmetic and by references of SciPy; and what of it reaches KV. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { formatBrowseTable, MAX_PAGES, parseBrowseTable, scoreBrowsed } from "../../src/browse/table.ts";
import { learnFromLog } from "../../src/cli/browse.ts";
import { judgeBrowse, orderBrowsed } from "../../src/cli/browse/judge.ts";
import { fitPrior, fitWeight } from "../../src/cli/browse/fit.ts";
import { LEARN_DEFAULTS, learnBrowse } from "../../src/cli/browse/learn.ts";
import type { BrowsedList } from "../../src/cli/browse/lists.ts";
import { fitLikeness, type ItemVectors } from "../../src/cli/browse/taste.ts";
import { browseHistoryKey, publishBrowse, readBrowseHistory, rollBackBrowse } from "../../src/cli/browse/store.ts";
import { createEventRecord, createQueryRecord } from "../../src/events/ubi.ts";
import { browseKey, browsePointerKey } from "../../src/search/live-browse.ts";
import { randomFrom, swapNeighbours } from "../../src/ranking/interleave.ts";
import { STEPS } from "../../src/cli/gate/click-model.ts";
import { swapCells } from "../../src/cli/gate/exposure.ts";

const folders: string[] = [];
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })));

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), "armmt-browse-"));
  folders.push(folder);
  return folder;
}

const one = (expected: number, observed: number) => ({ expected, observed, mean: 1 });

describe("the weight of what was known", () => {
  // scipy.stats.nbinom.logpmf(c, k * m, k / (k + e)), summed, over k = 10 ** (i / 12) and below.
  it("has the largest negative binomial likelihood", () => {
    const data = [
      [5, 2, 1],
      [8, 20, 1],
      [3, 0, 1],
      [12, 9, 0.8],
      [20, 31, 1.2],
      [2, 1, 0.5],
      [15, 4, 1],
      [9, 9, 1],
      [30, 55, 1.1],
      [6, 3, 0.9],
    ].map(([expected, observed, mean]) => ({ expected: expected!, observed: observed!, mean: mean! }));
    expect(fitWeight(data)).toBeCloseTo(SCIPY.weight, 6);
  });

  it("is all where nothing differs from what was known, and little where everything does", () => {
    expect(fitWeight(Array.from({ length: 50 }, () => one(100, 100)))).toBeGreaterThan(1000);
    expect(fitWeight(Array.from({ length: 50 }, (_, i) => one(100, i % 2 === 0 ? 5 : 400)))).toBeLessThan(2);
  });
});

/** Printed by SciPy 1.17 from the same numbers; the regression by scipy.optimize.minimize of the likelihood and of 5 · (slope + 0.1)². */
const SCIPY = { weight: 2.6101572156825372, level: 1.2964556941, decline: 0.2109418835 };

describe("what the engine's order makes expect", () => {
  it("is a Poisson regression on the logarithm of the rank", () => {
    const byRank = new Map(
      [
        [1, 100, 130],
        [2, 90, 100],
        [3, 80, 84],
        [5, 60, 55],
        [8, 50, 41],
        [13, 40, 30],
        [24, 30, 20],
      ].map(([rank, expected, clicks]) => [rank!, { expected: expected!, clicks: clicks! }]),
    );
    const { level, decline } = fitPrior(byRank);
    expect(level).toBeCloseTo(SCIPY.level, 4);
    expect(decline).toBeCloseTo(SCIPY.decline, 4);
  });

  it("falls, whatever the log says: unknown items keep the engine's order", () => {
    const { decline } = fitPrior(new Map([1, 2, 3, 4].map((rank) => [rank, { expected: 1000, clicks: 1000 * rank }])));
    expect(decline).toBe(0.02);
  });
});

const DAY_MS = 86_400_000;
const ITEMS = Array.from({ length: 12 }, (_, i) => `item-${i + 1}`);

/** A shop of one or two categories, in which the chance of a click after a look is `rate`, and positions are looked at less and less. */
function* simulated(
  name: string,
  count: number,
  rate: (item: string, category: string) => number,
  buys: (item: string) => number = () => 0.2,
): Generator<BrowsedList> {
  for (let n = 0; n < count; n++) {
    const random = randomFrom(`${name} ${n}`);
    const category = random() < 0.5 ? "mugs" : "lamps";
    const { order, propensities } = swapNeighbours(
      [...ITEMS.keys()],
      ITEMS.map(() => false),
      `swap ${name} ${n}`,
    );
    const positions = ITEMS.map(() => 0);
    const chances = ITEMS.map(() => 1);
    const clicks = ITEMS.map(() => 0);
    const purchases = ITEMS.map(() => 0);
    for (const [k, item] of order.entries()) {
      positions[item] = k + 1;
      chances[item] = propensities[k]!;
      clicks[item] = Number(random() < 0.9 ** k * rate(ITEMS[item]!, category));
      purchases[item] = Number(clicks[item] > 0 && random() < buys(ITEMS[item]!));
    }
    yield {
      queryId: `q${n}`,
      unit: `shopper-${n % 400}`,
      atMs: n * 1000,
      filters: new Map([["category", new Set([category])]]),
      itemIds: ITEMS,
      ranks: ITEMS.map((_, i) => i + 1),
      positions,
      clicks,
      carts: purchases,
      purchases,
      history: [],
      cells: swapCells(positions, chances),
    };
  }
}

const orderOf = (text: string, category: string, trust = 1): string[] => {
  const parsed = parseBrowseTable(text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  const filters = new Map([["category", new Set([category])]]);
  const scores = scoreBrowsed(
    ITEMS.map((itemId, i) => ({ itemId, rank: i + 1 })),
    parsed.value,
    parsed.value.pageFor(filters),
    trust,
  );
  return ITEMS.toSorted((a, b) => scores[ITEMS.indexOf(b)]! - scores[ITEMS.indexOf(a)]!);
};

/** Two favourites: one everywhere, one on a page only. */
const favourites = (item: string, category: string): number =>
  item === "item-9" && category === "mugs" ? 0.9 : item === "item-7" ? 0.6 : 0.05;

/** How the simulated pages are looked at, as a shop knows it after a long time: the intervals of a short log are as wide as its curve is unsure. */
const KNOWN = {
  looks: Array.from({ length: STEPS }, (_, step) => 0.9 ** step),
  covariance: Array.from({ length: STEPS }, () => Array.from({ length: STEPS }, () => 0)),
  clicks: 1000,
};

describe("a table", () => {
  const lists = [...simulated("taught", 2000, favourites)];
  const learned = learnBrowse(() => lists);
  const heldOut = [...simulated("held out", 2500, favourites)];

  it("raises what is clicked more than its position explains, on its own page only", () => {
    expect(orderOf(learned.text, "mugs").slice(0, 2)).toEqual(["item-9", "item-7"]);
    expect(orderOf(learned.text, "lamps")[0]).toBe("item-7");
    expect(orderOf(learned.text, "lamps").indexOf("item-9")).toBeGreaterThan(0);
  });

  it("is the engine's order at trust 0", () => {
    expect(orderOf(learned.text, "mugs", 0)).toEqual(ITEMS);
  });

  it("does not take the eye's way down the page for a liking", () => {
    const even = learnBrowse(() => [...simulated("even", 1000, () => 0.25)]);
    const parsed = parseBrowseTable(even.text, true);
    if (!parsed.ok) throw new Error(parsed.error);
    const scores = scoreBrowsed(
      ITEMS.slice(0, 10).map((itemId, i) => ({ itemId, rank: i + 1 })),
      parsed.value,
      0,
      1,
    );
    // The tenth is looked at 0.39 times as often as the first: uncorrected, it would be this far behind.
    expect(scores[9]! / scores[0]!).toBeGreaterThan(0.6);
  });

  it("sells what is bought more often after a click", () => {
    const sold = [
      ...simulated(
        "sold",
        800,
        () => 0.3,
        (item) => (item === "item-5" ? 0.9 : 0.1),
      ),
    ];
    expect(orderOf(learnBrowse(() => sold).text, "mugs")[0]).toBe("item-5");
  });

  it("of few events is one page, and of none is the engine's order", () => {
    const few = lists.slice(0, 40);
    expect(learnBrowse(() => few, { ...LEARN_DEFAULTS, fewestLists: 1000 }).pages).toBe(1);
    const none = few.map((list) => ({ ...list, clicks: ITEMS.map(() => 0), purchases: ITEMS.map(() => 0) }));
    expect(orderOf(learnBrowse(() => none).text, "mugs")).toEqual(ITEMS);
  });

  it("forgets: what sold long ago counts half as much after each half-life", () => {
    const old = [...simulated("old", 600, (item) => (item === "item-3" ? 0.8 : 0.2))];
    const now = [...simulated("now", 600, (item) => (item === "item-10" ? 0.8 : 0.2))].map((list) => ({
      ...list,
      atMs: list.atMs + 300 * DAY_MS,
    }));
    expect(orderOf(learnBrowse(() => [...old, ...now]).text, "mugs")[0]).toBe("item-10");
  });

  it("passes by the lists of other shoppers where it is better, and not where the log is small", () => {
    const { verdict, outcome, missing } = judgeBrowse({ ...learned, curve: KNOWN }, heldOut);
    expect([verdict, outcome, missing]).toEqual(["passes", "better", []]);
    expect(judgeBrowse({ ...learned, curve: KNOWN }, heldOut.slice(0, 100)).verdict).toBe("cannot_tell");
  });

  it("that is turned round is refused", () => {
    const wrong = learnBrowse(() => [
      ...simulated("wrong", 1500, (item) => (item === "item-7" || item === "item-9" ? 0.02 : item === "item-12" ? 0.9 : 0.2)),
    ]);
    expect(judgeBrowse({ ...wrong, curve: KNOWN }, heldOut).verdict).toBe("refused");
  });
});

describe("carts", () => {
  it("say what purchases are too few to say", () => {
    // Nobody buys in a log this short; item-5 is put into the cart far more often.
    const lists = [
      ...simulated(
        "carts",
        400,
        () => 0.3,
        (item) => (item === "item-5" ? 0.9 : 0.1),
      ),
    ].map((list) => ({ ...list, purchases: ITEMS.map(() => 0) }));
    expect(orderOf(learnBrowse(() => lists).text, "mugs")[0]).toBe("item-5");
    const none = lists.map((list) => ({ ...list, carts: list.purchases }));
    expect(orderOf(learnBrowse(() => none).text, "mugs")[0]).not.toBe("item-5");
  });

  it("that a shop does not record change nothing: then a purchase is a cart", () => {
    const lists = [...simulated("no carts", 500, () => 0.3, (item) => (item === "item-5" ? 0.6 : 0.1))]; // prettier-ignore
    const { weights, perClick } = learnBrowse(() => lists);
    const clicks = lists.reduce((sum, list) => sum + list.clicks.filter((click) => click > 0).length, 0);
    const bought = lists.reduce((sum, list) => sum + list.purchases.filter((times) => times > 0).length, 0);
    // Of every page together, weighted by age: all of one age here, nearly.
    expect(perClick).toBeCloseTo(bought / clicks, 3);
    expect(weights.allPurchases).toBe(10_000);
  });
});

/** Half of the shoppers like even items, as what they looked at says. */
const shoppers = (name: string, liking: number) =>
  [...simulated(name, 1200, () => 0.3)].map((list, n) => {
    const side = Math.floor((n % 400) / 200);
    const random = randomFrom(`taste ${name} ${n}`);
    const clicks = list.clicks.map((_, i) => Number(random() < 0.9 ** (list.positions[i]! - 1) * (i % 2 === side ? 0.2 * liking : 0.2)));
    return { ...list, clicks, carts: ITEMS.map(() => 0), purchases: ITEMS.map(() => 0), history: [ITEMS[side]!, ITEMS[side + 2]!] };
  });

describe("taste", () => {
  /** Of SciPy 1.17: scipy.optimize.minimize of the Poisson likelihood with 0.005 · (b² + c²); the Wald statistic by numpy from H⁻¹ (Σ g g') H⁻¹, by shopper. */
  const REFERENCE = { strengths: [4.10238696, -0.28655574], wald: 407.34663286 };

  it("is a Poisson regression, judged by shopper", () => {
    const rows = Array.from({ length: 60 }, (_, i) => {
      const near = [0.3 * Math.sin(i), 0.2 * Math.cos(2 * i)];
      const expected = 0.5 + 0.1 * (i % 7);
      return { unit: i % 12, expected, observed: Math.floor(expected * Math.exp(4 * near[0]!) + ((i * 37) % 10) / 10), near };
    });
    const { strengths, wald, isSure } = fitLikeness(rows, 10);
    expect(strengths[0]).toBeCloseTo(REFERENCE.strengths[0]!, 5);
    expect(strengths[1]).toBeCloseTo(REFERENCE.strengths[1]!, 5);
    expect(wald).toBeCloseTo(REFERENCE.wald, 2);
    expect(isSure).toBe(true);
    expect(fitLikeness(rows).isSure).toBe(false);
  });

  const vectors: ItemVectors = {
    identity: { imageDim: 2, textDim: 2, imageEncoder: "pictures", textEncoder: "texts" },
    find(itemId) {
      const number = ITEMS.indexOf(itemId);
      const image = number % 2 === 0 ? Float32Array.of(1, 0) : Float32Array.of(0, 1);
      return number < 0 ? undefined : { itemId, image, text: undefined, features: [] };
    },
  };

  it("is found where shoppers have one, and orders the page by it", () => {
    const lists = shoppers("liking", 2.5);
    const learned = learnBrowse(() => lists, LEARN_DEFAULTS, vectors);
    const { picture, text } = learned.taste!.taste!;
    // From the page's mean, the two kinds lie in opposite directions: cosines of 1 and -1.
    expect(2 * picture).toBeGreaterThan(Math.log(2.5) - 0.2);
    expect(2 * picture).toBeLessThan(Math.log(2.5) + 0.2);
    expect(text).toBe(0);
    const parsed = parseBrowseTable(learned.text, true);
    if (!parsed.ok) throw new Error(parsed.error);
    expect(parsed.value.head.taste?.encoders).toEqual({ image: "pictures", text: "texts" });
    const own = orderBrowsed(parsed.value, { ...lists[0]!, history: ["item-2"] }, vectors);
    expect(own[0]! % 2).toBe(1);
    expect(orderBrowsed(parsed.value, { ...lists[0]!, history: ["item-1"] }, vectors)[0]! % 2).toBe(0);
    expect(orderBrowsed(parsed.value, { ...lists[0]!, history: ["gone"] }, vectors)).toEqual(
      orderBrowsed(parsed.value, { ...lists[0]!, history: [] }, vectors),
    );
  });

  it("is left out where there is none, where few shoppers make the log, and without vectors", () => {
    const none = learnBrowse(() => shoppers("none", 1), LEARN_DEFAULTS, vectors);
    expect(none.taste!.taste).toBeUndefined();
    expect(none.taste!.shoppers).toBe(400);
    const liking = shoppers("liking", 2.5);
    const few = liking.map((list) => ({ ...list, unit: `shopper-${list.queryId.length % 3}` }));
    expect(learnBrowse(() => few, LEARN_DEFAULTS, vectors).taste!.taste).toBeUndefined();
    expect(learnBrowse(() => liking).taste).toBeUndefined();
  });

  it("is refused by name where a table says what no log does", () => {
    const head = { format: 1 as const, trust: 1, prior: { level: 1, decline: 0.5 }, pages: [{}] };
    const wrong = { ...head, taste: { encoders: { image: "a", text: "b" }, picture: 1000, text: 0 } };
    const parsed = parseBrowseTable(formatBrowseTable(wrong, [new Map()]), true);
    expect(parsed.ok ? "" : parsed.error).toContain("taste.picture");
  });
});

describe("pages", () => {
  const head = { format: 1 as const, trust: 1, prior: { level: 1, decline: 0.5 } };

  it("are found by the most filters that all hold, in any order of fields and values", () => {
    const pages = [{}, { category: ["mugs"] }, { brand: ["acme", "best"] }, { brand: ["acme", "best"], category: ["mugs"] }];
    const parsed = parseBrowseTable(
      formatBrowseTable(
        { ...head, pages },
        pages.map(() => new Map()),
      ),
      true,
    );
    if (!parsed.ok) throw new Error(parsed.error);
    const find = (filters: Readonly<Record<string, readonly string[]>>) =>
      parsed.value.pageFor(new Map(Object.entries(filters).map(([field, values]) => [field, new Set(values)])));
    expect(find({})).toBe(0);
    expect(find({ category: ["mugs"], colour: ["red"] })).toBe(1);
    expect(find({ colour: ["red"], brand: ["best", "acme"] })).toBe(2);
    expect(find({ brand: ["best", "acme"], category: ["mugs"], price: ["5"] })).toBe(3);
    expect(find({ category: ["mugs", "lamps"] })).toBe(0);
    expect(find({ __proto__: ["x"], constructor: ["y"] })).toBe(0);
  });

  it.each([
    ["[]", "line 1"],
    [JSON.stringify({ ...head, pages: [{ category: ["mugs"] }] }) + "\n{}", "no filters"],
    [JSON.stringify({ ...head, pages: [{}] }), "0 lines for 1 pages"],
    [JSON.stringify({ ...head, pages: [{}] }) + '\n{"a":[1]}', "line 2"],
    [JSON.stringify({ ...head, pages: [{}] }) + '\n{"a":[-1,2]}', "line 2"],
    [JSON.stringify({ ...head, prior: { level: 1, decline: 0 }, pages: [{}] }) + "\n{}", "decline"],
    [JSON.stringify({ ...head, trust: 2, pages: [{}] }) + "\n{}", "trust"],
    [JSON.stringify({ ...head, pages: Array.from({ length: MAX_PAGES + 1 }, () => ({})) }), "pages"],
  ])("%#: what is no table is refused, by name", (text, problem) => {
    const parsed = parseBrowseTable(text, true);
    expect(parsed.ok ? "" : parsed.error).toContain(problem);
  });
});

const store = () => {
  const keys = new Map<string, string>();
  return {
    keys,
    place: "memory",
    get: async (key: string) => keys.get(key),
    put: async (entries: readonly { readonly key: string; readonly value: string | Uint8Array }[]) => {
      for (const { key, value } of entries) keys.set(key, String(value));
    },
  };
};

describe("KV", () => {
  const text = formatBrowseTable({ format: 1, trust: 0.3, prior: { level: 1, decline: 0.5 }, pages: [{}] }, [new Map([["a", [0.5, 2]]])]);
  const at = new Date(0);

  it("gets the document before the pointer; a rollback is undone by another", async () => {
    const kv = store();
    const first = await publishBrowse(kv, { catalog: "products", text, name: "browse.txt", at });
    expect([...kv.keys.keys()]).toEqual([browseKey("products", first.version), browseHistoryKey("products"), browsePointerKey("products")]);
    const second = await publishBrowse(kv, { catalog: "products", text, name: "browse.txt", trust: 1, at });
    expect([second.previous, second.trust, second.changed]).toEqual([first.version, 1, true]);
    expect((await publishBrowse(kv, { catalog: "products", text, name: "browse.txt", trust: 1, at })).changed).toBe(false);
    expect((await rollBackBrowse(kv, { catalog: "products", at })).version).toBe(first.version);
    expect((await rollBackBrowse(kv, { catalog: "products", at })).version).toBe(second.version);
  });

  it("keeps who was live when, and goes back to any of them", async () => {
    const kv = store();
    const publish = (trust: number) => publishBrowse(kv, { catalog: "products", text, name: "browse.txt", trust, at });
    const [first] = [await publish(0.3), await publish(0.6), await publish(1)];
    expect(await rollBackBrowse(kv, { catalog: "products", version: first.version, at })).toMatchObject({
      version: first.version,
      trust: 0.3,
    });
    const history = await readBrowseHistory(kv, "products");
    expect(history.map(({ what, trust, verdict }) => [what, trust, verdict])).toEqual([
      ["publish", 0.3, null],
      ["publish", 0.6, null],
      ["publish", 1, null],
      ["rollback", 0.3, null],
    ]);
    await expect(rollBackBrowse(kv, { catalog: "products", version: first.version, at })).rejects.toThrow(/live already/);
    await expect(rollBackBrowse(kv, { catalog: "products", version: "0123456789abcdef", at })).rejects.toThrow(
      /browse history lists versions/,
    );
    kv.keys.set(browseHistoryKey("products"), "{}");
    await expect(readBrowseHistory(kv, "products")).rejects.toThrow(/not as armmt writes it/);
  });

  it("takes nothing that an edge would ignore", async () => {
    await expect(publishBrowse(store(), { catalog: "products", text: "{}", name: "x.txt", at })).rejects.toThrow(/x\.txt is no table/);
    await expect(rollBackBrowse(store(), { catalog: "products", at })).rejects.toThrow(/Nothing is published/);
  });
});

describe("the log", () => {
  it("teaches what it says of pages without words; searches with words are counted and left out", async () => {
    const folder = temporary();
    const lists = [...simulated("log", 400, (item) => (item === "item-8" ? 0.7 : 0.2))];
    const base = { application: "products", experiment: "pages", variant: "explore(armmt)", window: 12, offset: 0 };
    const queries = lists.map(({ queryId, unit, atMs, filters, positions }) => {
      const served = ITEMS.toSorted((a, b) => positions[ITEMS.indexOf(a)]! - positions[ITEMS.indexOf(b)]!);
      const page = Object.fromEntries([...filters].map(([field, values]) => [field, [...values]]));
      const armmt = { ...base, original_ids: ITEMS, served_ids: served, page };
      return createQueryRecord({ application: "products", queryId, unit, userQuery: "", timeMs: atMs, armmt });
    });
    const words = createQueryRecord({
      application: "products",
      queryId: "words",
      unit: "shopper-1",
      userQuery: "red mug",
      timeMs: 0,
      armmt: { ...base, original_ids: ITEMS, served_ids: ITEMS },
    });
    const events = lists.flatMap(({ queryId, atMs, clicks, purchases, positions }) =>
      ITEMS.flatMap((itemId, i) =>
        (["click", "purchase"] as const).flatMap((action) =>
          (action === "click" ? clicks : purchases)[i] === 1
            ? [
                createEventRecord({
                  application: "products",
                  action,
                  queryId,
                  clientId: undefined,
                  itemId,
                  position: positions[i],
                  timeMs: atMs + 10,
                }),
              ]
            : [],
        ),
      ),
    );
    writeFileSync(join(folder, "queries.ndjson"), [...queries, words].map((record) => JSON.stringify(record)).join("\n"));
    writeFileSync(join(folder, "events.ndjson"), events.map((record) => JSON.stringify(record)).join("\n"));
    const out = join(folder, "browse.txt");
    const report = await learnFromLog({ from: folder, out, ...LEARN_DEFAULTS });
    expect([report.taught + report.heldOut, report.withWords, report.pages, report.trust]).toEqual([400, 1, 3, 0]);
    expect(orderOf(readFileSync(out, "utf8"), "mugs")[0]).toBe("item-8");
    expect(report.bytesPerItem).toBeGreaterThan(5);
  });

  it("without such pages says how to begin", async () => {
    const folder = temporary();
    const armmt = { variant: "control", window: 12, original_ids: ITEMS, served_ids: ITEMS };
    const words = createQueryRecord({ application: "products", queryId: "q", userQuery: "mug", timeMs: 0, armmt });
    writeFileSync(join(folder, "queries.ndjson"), JSON.stringify(words));
    writeFileSync(join(folder, "events.ndjson"), "");
    await expect(learnFromLog({ from: folder, out: join(folder, "x"), ...LEARN_DEFAULTS })).rejects.toThrow(/set browse = true/);
  });
});
