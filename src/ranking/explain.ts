/**
 * Why a page looks as it does, for whoever holds the admin token: where each shown item stood, what the model gave it, and how it weighed
 * text against picture. Pure; plain data, ready to be printed as JSON.
 */

export interface ExplainedItem {
  readonly id: string;
  /** 1-based, the engine's order. */
  readonly rank: number;
  /** 1-based, the shown order, counted from the first page. */
  readonly position: number;
  /** Where the model scored the item; absent scores are null, because this is JSON. */
  readonly score: number | null;
  /** Fusion weights, adding up to 1. */
  readonly gate: { readonly text: number; readonly image: number } | null;
}

export interface ShownPage {
  /** All hits of the engine's reply, in its order. */
  readonly ids: readonly string[];
  /** Shown ones, as places in `ids`. */
  readonly places: readonly number[];
  /** Hits before the first shown one. */
  readonly offset: number;
  /** Engine place of `ids[0]`, 0-based: not 0 where the reply is a later page in itself. */
  readonly firstRank: number;
  /** [k] and [k, 2] (text, image) for the first k ids. */
  readonly scores: { readonly score: Float32Array; readonly gate: Float32Array } | undefined;
}

export function explainItems(page: ShownPage): ExplainedItem[] {
  return page.places.map((place, i) => {
    const score = page.scores?.score[place];
    const text = page.scores?.gate[place * 2];
    const image = page.scores?.gate[place * 2 + 1];
    return {
      id: page.ids[place]!,
      rank: page.firstRank + place + 1,
      position: page.offset + i + 1,
      score: score ?? null,
      gate: text === undefined || image === undefined ? null : { text, image },
    };
  });
}
