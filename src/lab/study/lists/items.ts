/** Item records of a set that `armmt embed` wrote, exactly as the edge will read them: int8 and back. */
import { decodeShard, type Shard, shardOf } from "../../../embeddings/format.ts";
import type { ShardSetIdentity } from "../../../inference/manifest.ts";
import type { ItemRecord } from "../../../ranking/candidate.ts";
import { readSet } from "../../../cli/embed/pack.ts";
import { UserError } from "../../../web.ts";

export interface EmbeddedItems {
  readonly identity: ShardSetIdentity;
  find(itemId: string): ItemRecord | undefined;
}

/** Throws a UserError that names the file when the folder holds no whole set. */
export function openItems(folder: string): EmbeddedItems {
  const { set, shards } = readSet(folder);
  const { imageDim, textDim, imageEncoder, textEncoder, itemFeatures } = set;
  const decoded = shards.map((bytes): Shard => {
    const shard = decodeShard(Uint8Array.from(bytes), { imageDim, textDim, featureCount: itemFeatures.length });
    if (!shard.ok) throw new UserError(`Cannot use the embeddings in ${folder}: ${shard.error}`);
    return shard.value;
  });
  const found = new Map<string, ItemRecord | undefined>();
  return {
    identity: { imageDim, textDim, imageEncoder, textEncoder },
    find(itemId) {
      if (!found.has(itemId)) found.set(itemId, decoded[shardOf(itemId, decoded.length)]?.find(itemId));
      return found.get(itemId);
    },
  };
}
