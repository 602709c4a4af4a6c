/**
 * What the query table says of pictures: by the map that was fitted on the catalogue, or by the half of a joint encoder that reads words,
 * whichever finds an item's own picture sooner.
 */
import type { CachedEncoder } from "./cached.ts";
import { fitPictureMap, LEAST_ITEMS, meanPlace, pictureWeight, type TitledPicture, toPicture } from "./picture-map.ts";

export interface PictureColumns {
  readonly by: "map" | "joint encoder";
  readonly dim: number;
  /** Mean place of an item's own picture given its title: 0 is always first, .5 is chance. */
  readonly rankShare: number;
  /** Of the picture's cosine beside the text's. */
  readonly weight: number;
  /** Of each text before the offset is added. `vectors`: by the sentence encoder, parallel to the texts. */
  of(label: string, texts: readonly string[], vectors: readonly Float32Array[]): Promise<Float32Array[]>;
  readonly offset: Float32Array;
}

/** The half of a joint encoder that reads words. */
export interface WordHalf {
  readonly encode: CachedEncoder;
  /** From its vectors to the stored ones of pictures. Linear. */
  readonly toStored: (vector: Float32Array) => Float32Array;
}

/** `undefined` with too few titled pictures. */
export async function fitPictureColumns(items: readonly TitledPicture[], half: WordHalf | undefined): Promise<PictureColumns | undefined> {
  const fitted = fitPictureMap(items);
  if (fitted === undefined) return undefined;
  const { map, rankShare, weight } = fitted;
  const offset = toPicture(map, new Float32Array(map.mean.length));
  const byMap: PictureColumns = {
    by: "map",
    dim: offset.length,
    rankShare,
    weight,
    of: async (_, __, vectors) => vectors.map((vector) => toPicture({ ...map, mean: new Float64Array(map.mean.length) }, vector)),
    offset,
  };
  const byHalf = half && (await columnsOfHalf(items, half));
  return byHalf !== undefined && byHalf.rankShare < rankShare ? byHalf : byMap;
}

/** Words lie beside pictures in a joint space, not among them: each side's own mean is subtracted. */
async function columnsOfHalf(items: readonly TitledPicture[], { encode, toStored }: WordHalf): Promise<PictureColumns | undefined> {
  if (items.length < LEAST_ITEMS) return undefined;
  const of: PictureColumns["of"] = async (label, texts) => (await encode.texts(`${label} for pictures`, texts, "query")).map(toStored);
  const columns = await of(
    "titles",
    items.map(({ title }) => title),
    [],
  );
  const offset = new Float32Array(columns[0]!.length);
  for (const column of columns) column.forEach((value, d) => (offset[d]! -= value / columns.length));
  const asked = columns.map((column, i) => ({ wanted: column.map((value, d) => value + offset[d]!), own: items[i]!.picture }));
  const rankShare = meanPlace(
    asked,
    items.map(({ picture }) => picture),
  );
  return { by: "joint encoder", dim: offset.length, rankShare, weight: pictureWeight(rankShare), of, offset };
}
