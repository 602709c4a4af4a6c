/**
 * The exported student on judged lists as it is: trained on a simulated shop, never on these queries or products, and given no pictures.
 */
import { buildTensors } from "../../../ranking/features.ts";
import { type ItemTable, listInputOf } from "../lists/dataset.ts";
import type { LoggedSearch } from "../lists/log.ts";
import { openModel } from "../model/exported.ts";
import { UserError } from "../../../web.ts";

export interface ZeroShot {
  /** Version of the model. */
  readonly model: string;
  /** One score per candidate of each search, in engine order. */
  readonly scores: readonly Float32Array[];
}

/** Features are scaled as the model's manifest says, so nothing of the judged data goes into its inputs' scale. */
export async function scoreZeroShot(folder: string, searches: readonly LoggedSearch[], { items }: ItemTable): Promise<ZeroShot> {
  const scorer = await openModel(folder);
  const { version, dims, features } = scorer.manifest;
  const byId = new Map(items.map((item) => [item.itemId, item]));
  const known = { find: (itemId: string) => byId.get(itemId) };
  const scores: Float32Array[] = [];
  for (const search of searches) {
    const list = buildTensors(listInputOf(search, known), { imageDim: dims.image, textDim: dims.text, scaling: features });
    const scored = await scorer.score(list);
    if (!scored.ok) throw new UserError(`Model ${version} failed on the judged list of "${search.query}": ${scored.error.detail}`);
    scores.push(scored.value.score);
  }
  return { model: version, scores };
}
