/** A shop whose log is long enough: two items, and lists of them. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { packSet, writeSet } from "../../../src/cli/embed/pack.ts";
import { productFeatures } from "../../../src/cli/embed/vectors.ts";
import { createListWriter, fitScaling, type ItemTable, writeItems } from "../../../src/cli/lists/dataset.ts";
import type { ListRow } from "../../../src/cli/lists/columns.ts";
import { TEXT_DIM } from "../../../src/embeddings/text-encoder.ts";

import { FEATURES } from "../../../src/ranking/features.ts";

const text = (n: number): Float32Array => Float32Array.from({ length: TEXT_DIM }, (_, i) => (i === n ? 1 : 0));

const TABLE: ItemTable = {
  identity: { imageDim: 64, textDim: TEXT_DIM, imageEncoder: "none", textEncoder: "text" },
  items: [0, 1].map((n) => ({
    itemId: `i${n}`,
    image: undefined,
    text: text(n),
    features: productFeatures({ id: `i${n}`, title: "lamp", category: "lamps", image: "" }),
  })),
};

export function writeEmbeddings(folder: string): string {
  writeSet(folder, packSet(TABLE.items, TABLE.identity));
  return folder;
}

const DAY = Date.UTC(2026, 2, 1);

/** `clicked` of `count` lists have a click; ten lists a day, from 1 March 2026 on. */
export async function writeLists(
  folder: string,
  count: number,
  clicked: number,
  more: (n: number) => Partial<ListRow> = () => ({}),
): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const writer = createListWriter(folder);
  for (let n = 0; n < count; n++) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await writer.add({
      query_id: `q${n}`,
      query: "lamp",
      split: n % 10 === 8 ? "validation" : n % 10 === 9 ? "test" : "train",
      randomised: false,
      token_ids: [1],
      item_rows: [0, 1],
      features: Array.from({ length: 2 * FEATURES.length }, () => 0),
      prior: null,
      positions: [1, 2],
      clicks: [n < clicked ? 1 : 0, 0],
      carts: [0, 0],
      purchases: [0, 0],
      history_rows: [],
      unit: `u${n % 100}`,
      at: DAY + (n * 86_400_000) / 10,
      index: "lamps",
      experiment: "",
      variant: "",
      model: "",
      treatment: "engine",
      propensities: null,
      teams: [0, 0],
      revenue: [0, 0],
      orders: 0,
      ...more(n),
    });
  }
  await writer.close();
  writeItems(folder, TABLE, fitScaling([]));
  return join(folder);
}
