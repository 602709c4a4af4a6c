/** Judged lists: BM25 as the data's README defines it, folds that no training can move, and folders that read back. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { asyncBufferFromFile, parquetReadObjects } from "hyparquet";
import * as v from "valibot";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readMatrix } from "../../../src/cli/lists/npy.ts";
import { PACKAGE_ROOT } from "../../../src/runtimes/node/package-root.ts";
import { FOLDS, foldOf, makeJudgedLists } from "../../../src/lab/study/judgments.ts";
import {
  type JudgedCatalogue,
  type JudgedList,
  JUDGMENTS_FILE,
  missingFiles,
  PRODUCTS_FILE,
  readJudgedCatalogue,
  terms,
} from "../../../src/lab/study/judgments/chorus.ts";
import { createBm25 } from "../../../src/cli/evaluate/bm25.ts";
import { FEATURES } from "../../../src/ranking/features.ts";
import { dcg, mean, ndcg } from "../../../src/cli/evaluate/metrics.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-judgments-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface ProductLine {
  readonly id: string;
  readonly title: string;
  readonly supplier: string;
  readonly short_description: string | null;
  readonly price_cents: number;
}

const COLOURS = ["red", "blue", "green", "black"];

/** Cables of every colour; the first also says so in its description, the second has none. */
const PRODUCTS: ProductLine[] = COLOURS.map((colour, i) => ({
  id: String(10 + i),
  title: `Acme ${colour} cable`,
  supplier: "Acme",
  short_description: i === 1 ? null : `A ${colour} cable of ${i} metres`,
  price_cents: 100 * (i + 1),
}));

const QUERIES = Array.from({ length: 12 }, (_, i) => `${COLOURS[i % COLOURS.length]} cables ${i}`);

/** Which products are judged for a query: the one of its colour and one to three others, so that folds differ. */
const judgedFor = (i: number): number[] => [0, 1, 2, 3].filter((c) => c === i % COLOURS.length || c <= i % 3);

/** Right is the product of the query's colour; for the first query nothing is. */
const JUDGMENTS = [
  "query,product_id,rating",
  ...QUERIES.flatMap((query, i) => judgedFor(i).map((c) => `${query},${10 + c},${i > 0 && c === i % COLOURS.length ? 3 : 0}`)),
].join("\n");

function writeData(
  name: string,
  { products = PRODUCTS, judgments = JUDGMENTS }: { products?: unknown[]; judgments?: string } = {},
): string {
  const at = join(folder, name);
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, PRODUCTS_FILE), gzipSync(products.map((line) => JSON.stringify(line)).join("\n")));
  writeFileSync(join(at, JUDGMENTS_FILE), judgments);
  return at;
}

describe("BM25", () => {
  it("has words of a-z and 0-9, lower case, without a final s past three letters", () => {
    expect(terms("USB-C Cables, gas (2x) Größe")).toEqual(["usb", "c", "cable", "gas", "2x", "gr", "e"]);
  });

  it("is the formula", () => {
    const [first, second, third] = createBm25(["red red shoe", "red hat", "a blue hat of wool"]).score("red");
    const idf = Math.log(1 + (3 - 2 + 0.5) / (2 + 0.5));
    const meanLength = 10 / 3;
    expect(first).toBeCloseTo((idf * 2 * 2.2) / (2 + 1.2 * (0.25 + (0.75 * 3) / meanLength)), 12);
    expect(second).toBeCloseTo((idf * 2.2) / (1 + 1.2 * (0.25 + (0.75 * 2) / meanLength)), 12);
    expect(third).toBe(0);
  });
});

/** A right judgment, and another. */
const judged = (row: string): string => `query,product_id,rating\nred,10,3\n${row}`;

describe("reading a judged catalogue", () => {
  it("puts judged products into BM25's order, ties in the catalogue's", () => {
    const { lists } = readJudgedCatalogue(writeData("small"));
    const red = lists.find(({ query }) => query === QUERIES[8]);
    expect(red?.products[0]?.id).toBe("10");
    expect(red?.ratings).toEqual([3, 0, 0]);
    expect(red?.scores).toEqual(red?.scores.toSorted((a, b) => b - a));
    const tied = readJudgedCatalogue(writeData("tied", { judgments: "query,product_id,rating\nlaptop,13,1\nlaptop,11,0\nlaptop,12,2" }));
    expect(tied.lists[0]?.products.map(({ id }) => id)).toEqual(["11", "12", "13"]);
    expect(tied.lists[0]?.ratings).toEqual([0, 2, 1]);
  });

  it("names what is wrong and where", () => {
    expect(() => readJudgedCatalogue(join(folder, "nowhere"))).toThrow(/products\.jsonl\.gz and .*judgments\.csv not found/);
    expect(() => readJudgedCatalogue(writeData("rating", { judgments: judged("red,11,4") }))).toThrow(/judgment 2: rating/);
    expect(() => readJudgedCatalogue(writeData("empty-rating", { judgments: judged("red,11,") }))).toThrow(
      /judgment 2: rating: expected a digit/,
    );
    expect(() => readJudgedCatalogue(writeData("stranger", { judgments: judged("red,99,1") }))).toThrow(
      /Product 99, judged for "red", is not in/,
    );
    expect(() => readJudgedCatalogue(writeData("short", { judgments: judged("red,11") }))).toThrow(/judgments\.csv cannot be read as CSV/);
    expect(() => readJudgedCatalogue(writeData("price", { products: [PRODUCTS[0], { ...PRODUCTS[1], price_cents: "9" }] }))).toThrow(
      /products\.jsonl\.gz, line 2: price_cents/,
    );
  });
});

const rowSchema = v.object({
  query: v.string(),
  split: v.picklist(["train", "test"]),
  item_rows: v.array(v.number()),
  features: v.array(v.number()),
  relevance: v.array(v.number()),
  clicks: v.array(v.number()),
});

async function readFold(out: string, fold: number): Promise<v.InferOutput<typeof rowSchema>[]> {
  const file = await asyncBufferFromFile(join(out, `fold-${fold}`, "lists.parquet"));
  return v.parse(v.array(rowSchema), await parquetReadObjects({ file }));
}

const featuresSchema = v.object({ features: v.array(v.object({ name: v.string(), mean: v.number(), std: v.number() })) });
const at = (name: (typeof FEATURES)[number]): number => FEATURES.indexOf(name);

describe("judged lists", () => {
  const out = join(folder, "lists");
  let folds: v.InferOutput<typeof rowSchema>[][] = [];
  beforeAll(async () => {
    await makeJudgedLists({ data: writeData("small"), model: join(PACKAGE_ROOT, "model"), out });
    folds = await Promise.all(Array.from({ length: FOLDS }, (_, fold) => readFold(out, fold)));
  });

  it("tests every query in the fold of its hash and trains on it in the others", () => {
    expect(new Set(QUERIES.map(foldOf)).size).toBeGreaterThan(1);
    for (const [fold, rows] of folds.entries()) {
      expect(rows.map(({ query }) => query)).toEqual(QUERIES);
      for (const { query, split } of rows) expect(split).toBe(foldOf(query) === fold ? "test" : "train");
    }
  });

  it("carries ratings in engine order, and neither clicks nor pictures", () => {
    for (const [i, row] of (folds[0] ?? []).entries()) {
      const others = judgedFor(i)
        .slice(1)
        .map(() => 0);
      expect(row.relevance).toEqual([i === 0 ? 0 : 3, ...others]);
      expect(row.clicks).toEqual([0, ...others]);
    }
    const presence = readMatrix(join(out, "fold-0", "presence.npy"));
    expect([...presence.values]).toEqual([0, 1, 0, 1, 0, 1, 0, 1]);
  });

  it("has the features of serving: price and engine are known, nothing else", () => {
    const features = folds[0]?.[11]?.features ?? []; // the last query has all four products judged
    const of = (name: (typeof FEATURES)[number]) => [0, 1, 2, 3].map((i) => features[i * FEATURES.length + at(name)]);
    expect(of("has_price")).toEqual([1, 1, 1, 1]);
    expect(of("score_relative")[0]).toBe(1);
    for (const name of ["has_popularity", "has_rating", "has_age"] as const) expect(of(name)).toEqual([0, 0, 0, 0]);
  });

  it("scales by the training lists of each fold", () => {
    const scalings = folds.map((_, fold) => {
      const text = readFileSync(join(out, `fold-${fold}`, "features.json"), "utf8");
      return v.parse(featuresSchema, JSON.parse(text)).features;
    });
    const expected = folds.map((_, fold) => {
      const training = QUERIES.flatMap((query, i) => (foldOf(query) === fold ? [] : judgedFor(i)));
      return mean(training.map((c) => Math.log(PRODUCTS[c]!.price_cents / 100)));
    });
    expect(new Set(expected).size).toBeGreaterThan(1);
    for (const [fold, scaling] of scalings.entries()) expect(scaling[at("price_log")]?.mean).toBeCloseTo(expected[fold]!, 6);
  });

  it("leaves the exported student's scores, one row per query", () => {
    const { values, rows, columns } = readMatrix(join(out, "student.npy"));
    expect([rows, columns]).toEqual([12, 4]);
    expect(new Set(values).size).toBeGreaterThan(12);
  });
});

const CHORUS = join(PACKAGE_ROOT, "../shared/data/chorus");
const absent = missingFiles(CHORUS);
const reason = absent.length > 0 ? ` (skipped: ${absent.join(" and ")} not on this machine)` : "";

/** Length of the list that the whole catalogue is searched for. */
const RETRIEVED = 100;

const sortedDown = (values: readonly number[]): number[] => values.toSorted((a, b) => b - a);

const good = (ratings: readonly number[]): number => ratings.filter((rating) => rating >= 2).length;

/** Of one query, searched in all products: nDCG@10 against the best order of the judged ones, and what is known of the results. */
function retrieve({ products, engine }: JudgedCatalogue, list: JudgedList) {
  const best = dcg(sortedDown(list.ratings), 10);
  const ratingOf = new Map(list.products.map(({ id }, i) => [id, list.ratings[i]!]));
  const scores = engine.score(list.query);
  const places = Array.from(scores.keys()).filter((place) => scores[place]! > 0);
  const found = places.toSorted((a, b) => scores[b]! - scores[a]! || a - b).slice(0, RETRIEVED);
  const ratings = found.map((place) => ratingOf.get(products[place]!.id));
  const known = ratings.filter((rating) => rating !== undefined);
  const asJudged = ratings.map((rating) => rating ?? 0);
  return {
    asJudged: dcg(asJudged, 10) / best,
    amongJudged: dcg(known, 10) / best,
    judgedShare: ratings.slice(0, 10).filter((rating) => rating !== undefined).length / 10,
    recall: good(list.ratings) > 0 ? good(known) / good(list.ratings) : undefined,
  };
}

describe.skipIf(absent.length > 0)(`the Chorus data reproduce their README${reason}`, () => {
  const chorus = absent.length === 0 ? readJudgedCatalogue(CHORUS) : undefined;
  const all = (): JudgedCatalogue => {
    if (chorus === undefined) throw new Error("The data are not here");
    return chorus;
  };

  it("counts", () => {
    const { products, lists } = all();
    expect(products).toHaveLength(19_406);
    expect(lists).toHaveLength(75);
    expect(lists.flatMap(({ ratings }) => ratings)).toHaveLength(2033);
  });

  it("BM25 over judged products: .853 on 65 queries, .823 on the 54 with more than one grade", () => {
    const figures = all().lists.flatMap((list) => {
      const figure = ndcg(list.ratings, 10);
      return figure === undefined ? [] : [{ figure, graded: new Set(list.ratings).size > 1 }];
    });
    expect(figures).toHaveLength(65);
    expect(mean(figures.map(({ figure }) => figure))).toBeCloseTo(0.853, 3);
    const graded = figures.filter((one) => one.graded);
    expect(graded).toHaveLength(54);
    expect(mean(graded.map(({ figure }) => figure))).toBeCloseTo(0.823, 3);
  });

  it("BM25 over all products: .729, .836 without unjudged ones, .717 of the top ten judged, recall@100 .897", () => {
    const found = all()
      .lists.filter(({ ratings }) => ratings.some((rating) => rating > 0))
      .map((list) => retrieve(all(), list));
    expect(mean(found.map(({ asJudged }) => asJudged))).toBeCloseTo(0.729, 3);
    expect(mean(found.map(({ amongJudged }) => amongJudged))).toBeCloseTo(0.836, 3);
    expect(mean(found.map(({ judgedShare }) => judgedShare))).toBeCloseTo(0.717, 3);
    expect(mean(found.flatMap(({ recall }) => recall ?? []))).toBeCloseTo(0.897, 3);
  });

  it("folds of about the same size", () => {
    const sizes = Array.from({ length: FOLDS }, (_, fold) => all().lists.filter(({ query }) => foldOf(query) === fold).length);
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(10);
  });
});
