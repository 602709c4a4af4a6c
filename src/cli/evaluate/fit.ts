/**
 * Whether vectors and query table belong together, without any judgment: given its own title as a query, an item should stand before nearly all
 * others. Vectors of other items, and a table that was fitted on other texts, fail.
 */
import { type MeaningList, scoreByMeaning } from "../../ranking/meaning.ts";
import type { ItemLookup } from "../../embeddings/store.ts";

/** Items that are tried, each among the others. */
export const SAMPLE = 300;

/** Chance is one half. A picture says less of a title than a text does. */
const MOST = { text: 0.2, picture: 0.4 };

/** Mean share of the others that stand before the item: 0 is best. */
export interface Fit {
  readonly text: number | undefined;
  /** Where pictures have a weight. */
  readonly picture: number | undefined;
}

/** `titles`: parallel to the items found. `undefined` without a table. */
export function fitOf({ items, queryTable: table }: ItemLookup, titles: readonly string[]): Fit | undefined {
  if (table === undefined) return undefined;
  const candidates: MeaningList["candidates"] = items.map((item, i) => ({ itemId: item?.itemId ?? "", rank: i + 1, score: undefined }));
  const shares = { text: [] as number[], picture: [] as number[] };
  for (const [i, queryText] of titles.entries()) {
    const query = table.encodeQuery(queryText);
    const parts = scoreByMeaning({ queryText, query, pictureWeight: table.pictureWeight, candidates, items });
    const { textCosine, pictureCosine } = parts;
    if (query.text !== undefined) push(shares.text, shareBefore(textCosine, i));
    if (query.picture !== undefined && table.pictureWeight > 0) push(shares.picture, shareBefore(pictureCosine, i));
  }
  return { text: meanOf(shares.text), picture: meanOf(shares.picture) };
}

export function isUnfit({ text, picture }: Fit): boolean {
  return (text ?? 0) > MOST.text || (picture ?? 0) > MOST.picture;
}

function push(shares: number[], share: number | undefined): void {
  if (share !== undefined) shares.push(share);
}

/** Of the known others; equals count half. */
function shareBefore(values: ArrayLike<number>, at: number): number | undefined {
  const own = values[at] ?? Number.NaN;
  const others = Array.from(values).filter((value, i) => i !== at && !Number.isNaN(value));
  if (Number.isNaN(own) || others.length === 0) return undefined;
  return others.reduce((sum, value) => sum + (value > own ? 1 : value === own ? 0.5 : 0), 0) / others.length;
}

function meanOf(shares: readonly number[]): number | undefined {
  return shares.length === 0 ? undefined : shares.reduce((sum, share) => sum + share, 0) / shares.length;
}
