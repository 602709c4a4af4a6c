/** Real human judgments → cross-validation lists, through the features that serve. Text and prices only: other inputs are absent. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTextEncoder, itemText, TEXT_DIM, TEXT_ENCODER } from "../../embeddings/text-encoder.ts";
import { ITEM_FEATURES } from "../../ranking/candidate.ts";
import { buildTensors, rawFeatures } from "../../ranking/features.ts";
import { openModel, scoreList } from "./assess/exported.ts";
import { type JudgedList, readJudgedCatalogue } from "./judgments/chorus.ts";
import { createListWriter, fitScaling, type ItemTable, knownItems, listInputOf, rowMaker, writeItems } from "../../cli/lists/dataset.ts";
import type { LoggedSearch } from "../../cli/lists/log.ts";
import { writeNpy } from "../../cli/lists/npy.ts";
import { shareOf } from "../../cli/lists/split.ts";

export const FOLDS = 5;

/** The width that models have for pictures, all zeros here. */
const IMAGE_DIM = 64;

/** The fold in which a query is tested. Depends on its text alone, so nothing that is trained or tuned can move it. */
export const foldOf = (query: string): number => Math.floor(shareOf(`fold:${query}`) * FOLDS);

/** The edge's records: every judged product once, in the order of the lists. The text is that of the engine; a title begins with its supplier. */
function tableOf(lists: readonly JudgedList[]): ItemTable {
  const encode = createTextEncoder();
  const products = new Map(lists.flatMap((list) => list.products.map((product) => [product.id, product])));
  return {
    identity: { imageDim: IMAGE_DIM, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: TEXT_ENCODER },
    items: Array.from(products.values(), ({ id, title, short_description: description, price_cents: cents }) => ({
      itemId: id,
      image: undefined,
      text: encode(itemText({ title, category: "" }, [description ?? ""])),
      features: ITEM_FEATURES.map((name) => (name === "price_log" ? Math.log(cents / 100) : undefined)),
    })),
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

/** Writes one lists folder in which fold `fold` is the test split and all others train; features are scaled by the training lists. */
async function writeFold(out: string, fold: number, lists: readonly JudgedList[], table: ItemTable): Promise<void> {
  const known = knownItems(table);
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
 * From the folders `data` (products.jsonl.gz, judgments.csv) and `model` (the exported student) writes into `out`: `fold-0` .. `fold-4` (folders as `armmt lists` writes them, with the ratings in the column `relevance`; all hold the
 * same lists and differ in split and scaling), `student.npy` [queries, longest list] (the exported student's scores) and `judgments.json`
 * (which row is which query, and its fold). Throws a UserError where the data or the model cannot be read.
 */
export async function makeJudgedLists({ data, model, out }: Readonly<Record<"data" | "model" | "out", string>>): Promise<void> {
  const { lists } = readJudgedCatalogue(data);
  const table = tableOf(lists);
  for (let fold = 0; fold < FOLDS; fold++) await writeFold(join(out, `fold-${fold}`), fold, lists, table);
  // The student was trained on a simulated shop, never on these queries or products; features are scaled as its manifest says.
  const scorer = await openModel(model);
  const { version, dims, features } = scorer.manifest;
  const shape = { imageDim: dims.image, textDim: dims.text, scaling: features };
  const known = knownItems(table);
  const width = Math.max(...lists.map(({ products }) => products.length));
  const scores = new Float32Array(lists.length * width);
  for (const [i, list] of lists.entries()) {
    const tensors = buildTensors(listInputOf(searchOf(list, "test"), known), shape);
    scores.set((await scoreList(scorer, tensors, list.query)).score, i * width);
  }
  writeNpy(join(out, "student.npy"), scores, [lists.length, width]);
  const queries = lists.map(({ query }) => ({ query, fold: foldOf(query) }));
  writeFileSync(join(out, "judgments.json"), `${JSON.stringify({ format: 1, student: version, queries }, undefined, 2)}\n`);
}
