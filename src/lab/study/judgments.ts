/**
 * Real human judgments → lists for cross-validation, through the features and the text encoder that serve.
 *
 * Text and numbers only: the judged catalogue has no pictures, ratings, popularity or shoppers, so those inputs are absent.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTextEncoder, itemText, TEXT_DIM, TEXT_ENCODER } from "../../embeddings/text-encoder.ts";
import type { ItemRecord } from "../../ranking/candidate.ts";
import { ITEM_FEATURES } from "../../ranking/candidate.ts";
import { buildTensors, rawFeatures } from "../../ranking/features.ts";
import { openModel, scoreList } from "./evaluate/exported.ts";
import { type JudgedList, type JudgedProduct, readJudgedCatalogue } from "./judgments/chorus.ts";
import { createListWriter, type ItemTable, listInputOf, rowMaker, writeItems, fitScaling } from "./lists/dataset.ts";
import type { LoggedSearch } from "./lists/log.ts";
import { writeNpy } from "./lists/npy.ts";
import { shareOf } from "./simulate/split.ts";

export const FOLDS = 5;

/** The width that models have for pictures, all zeros here. */
const IMAGE_DIM = 64;

const CENTS = 100;

/** The fold in which a query is tested. Depends on its text alone, so nothing that is trained or tuned can move it. */
export function foldOf(query: string): number {
  return Math.floor(shareOf(`fold:${query}`) * FOLDS);
}

/** The edge's record of a product. The text is that of the engine; a title begins with its supplier. */
function recordOf(product: JudgedProduct, encode: (text: string) => Float32Array | undefined): ItemRecord {
  const { id, title, short_description: description, price_cents: cents } = product;
  return {
    itemId: id,
    image: undefined,
    text: encode(itemText({ title, category: "" }, [description ?? ""])),
    features: ITEM_FEATURES.map((name) => (name === "price_log" ? Math.log(cents / CENTS) : undefined)),
  };
}

/** Every judged product once, in the order of the lists. */
function tableOf(lists: readonly JudgedList[]): ItemTable {
  const encode = createTextEncoder();
  const products = new Map(lists.flatMap((list) => list.products.map((product) => [product.id, product])));
  return {
    identity: { imageDim: IMAGE_DIM, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: TEXT_ENCODER },
    items: Array.from(products.values(), (product) => recordOf(product, encode)),
  };
}

const NONE: ReadonlySet<string> = new Set();

/** A judged list in the form of a logged search without clicks and history. */
function searchOf({ query, products, scores }: JudgedList, split: LoggedSearch["split"]): LoggedSearch {
  const itemIds = products.map(({ id }) => id);
  return {
    queryId: query,
    query,
    split,
    atMs: 0,
    randomised: false,
    itemIds,
    scores,
    servedIds: itemIds,
    actions: { click: NONE, add_to_cart: NONE, purchase: NONE },
    history: [],
  };
}

type Items = Parameters<typeof listInputOf>[1];

function itemsOf({ items }: ItemTable): Items {
  const byId = new Map(items.map((item) => [item.itemId, item]));
  return { find: (itemId) => byId.get(itemId) };
}

/** Writes one lists folder in which fold `fold` is the test split and all others train; features are scaled by the training lists. */
async function writeFold(out: string, fold: number, lists: readonly JudgedList[], table: ItemTable): Promise<void> {
  const known = itemsOf(table);
  const searches = lists.map((list) => searchOf(list, foldOf(list.query) === fold ? "test" : "train"));
  const training = searches.filter(({ split }) => split === "train");
  const scaling = fitScaling(training.map((search) => rawFeatures(listInputOf(search, known))));
  mkdirSync(out, { recursive: true });
  const rowOf = rowMaker(table, scaling);
  const writer = createListWriter(out, ["relevance"]);
  for (const [i, search] of searches.entries()) await writer.add({ ...rowOf(search), relevance: [...lists[i]!.ratings] });
  await writer.close();
  writeItems(out, table, scaling);
}

/**
 * Scores of the exported student as it is, one row per search: it was trained on a simulated shop, never on these queries or products.
 * Features are scaled as its manifest says.
 */
async function scoreZeroShot(
  folder: string,
  searches: readonly LoggedSearch[],
  known: Items,
): Promise<{ model: string; scores: Float32Array[] }> {
  const scorer = await openModel(folder);
  const { version, dims, features } = scorer.manifest;
  const shape = { imageDim: dims.image, textDim: dims.text, scaling: features };
  const scores: Float32Array[] = [];
  for (const search of searches) {
    const list = buildTensors(listInputOf(search, known), shape);
    scores.push((await scoreList(scorer, list, search.query)).score);
  }
  return { model: version, scores };
}

interface JudgedListsOptions {
  /** Folder with products.jsonl.gz and judgments.csv. */
  readonly data: string;
  /** Folder of the exported student, which scores the lists as it is. */
  readonly model: string;
  readonly out: string;
}

/**
 * Writes into `out`: `fold-0` .. `fold-4` (folders as `armmt lists` writes them, with the ratings in the column `relevance`; all hold the
 * same lists and differ in split and scaling), `student.npy` [queries, longest list] (the exported student's scores) and `judgments.json`
 * (which row is which query, and its fold). Throws a UserError where the data or the model cannot be read.
 */
export async function makeJudgedLists({ data, model, out }: JudgedListsOptions): Promise<void> {
  const { lists } = readJudgedCatalogue(data);
  const table = tableOf(lists);
  for (let fold = 0; fold < FOLDS; fold++) await writeFold(join(out, `fold-${fold}`), fold, lists, table);
  const searches = lists.map((list) => searchOf(list, "test"));
  const zeroShot = await scoreZeroShot(model, searches, itemsOf(table));
  const width = Math.max(...zeroShot.scores.map(({ length }) => length));
  const padded = new Float32Array(lists.length * width);
  zeroShot.scores.forEach((row, i) => padded.set(row, i * width));
  writeNpy(join(out, "student.npy"), padded, [lists.length, width]);
  const queries = lists.map(({ query }) => ({ query, fold: foldOf(query) }));
  writeFileSync(join(out, "judgments.json"), `${JSON.stringify({ format: 1, student: zeroShot.model, queries }, undefined, 2)}\n`);
}
