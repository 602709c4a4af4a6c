/**
 * Item records → packed shards and `set.json` in a folder, and back for `armmt publish`. The folder always holds one complete set: shards are
 * written first, under their version, and `set.json` is renamed last.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { SHARD_VERSION, checksumIn, decodeShard, encodeShard, shardOf } from "../../embeddings/format.ts";
import { decodeQueryTable, tableChecksumIn } from "../../embeddings/query-table.ts";
import { parsePublishedSet, type PublishedSet } from "../../embeddings/store.ts";
import type { ShardSetIdentity } from "../../inference/manifest.ts";
import { ITEM_FEATURES, type ItemRecord } from "../../ranking/candidate.ts";
import { WORDS } from "../../ranking/words.ts";
import { UserError } from "../../web.ts";

/** Larger shards cost a cold isolate more per read, smaller ones more reads. */
export const MAX_SHARD_BYTES = 512 * 1024;

const SET_FILE = "set.json";

interface PackedSet {
  readonly set: PublishedSet;
  /** By shard number. */
  readonly shards: readonly Uint8Array[];
  /** Absent where the texts are encoded without a model. */
  readonly queryTable?: Uint8Array<ArrayBuffer> | undefined;
}

interface Beside {
  readonly queryTable?: Uint8Array<ArrayBuffer> | undefined;
  /** 0 to 1: how far the catalogue follows a model (inference/trust.ts says what it means where it is absent). */
  readonly trust?: number | undefined;
}

/** The version is a hash of the content: the same records give the same version. Throws a UserError that names the item. */
export function packSet(records: readonly ItemRecord[], identity: ShardSetIdentity, { queryTable, trust }: Beside = {}): PackedSet {
  const shards = packShards(records, identity);
  const described = shards.map((shard) => ({ bytes: shard.length, checksum: checksumIn(shard) }));
  const content = {
    format: SHARD_VERSION,
    ...identity,
    itemFeatures: [...ITEM_FEATURES],
    itemCount: records.length,
    shards: described,
    ...(records.some(({ words }) => words !== undefined) && { words: WORDS }),
    ...(trust !== undefined && { trust }),
    ...(queryTable !== undefined && { queryTable: { bytes: queryTable.length, checksum: tableChecksumIn(queryTable) } }),
  };
  const hash = createHash("sha256").update(JSON.stringify(content));
  for (const part of [...shards, ...(queryTable === undefined ? [] : [queryTable])]) hash.update(part);
  const version = hash.digest("hex").slice(0, 16);
  return { set: { ...content, version, shardCount: shards.length }, shards, queryTable };
}

/** As few shards as possible with none over MAX_SHARD_BYTES. */
function packShards(records: readonly ItemRecord[], identity: ShardSetIdentity): Uint8Array[] {
  const dims = { imageDim: identity.imageDim, textDim: identity.textDim, featureCount: ITEM_FEATURES.length };
  for (let count = 1; ; count++) {
    const parts = Array.from({ length: count }, (): ItemRecord[] => []);
    for (const record of records) parts[shardOf(record.itemId, count)]!.push(record);
    const shards = parts.map((part) => {
      const shard = encodeShard(part, dims);
      if (!shard.ok) throw new UserError(shard.error);
      return shard.value;
    });
    const total = shards.reduce((sum, shard) => sum + shard.length, 0);
    if (shards.every((shard) => shard.length <= MAX_SHARD_BYTES)) return shards;
    // Jumps to the lower bound, then adds one at a time for uneven hashing.
    count = Math.max(count, Math.ceil(total / MAX_SHARD_BYTES) - 1);
  }
}

/** Where a catalogue's embeddings are by default: in the current folder, which is the user's project. */
export function embeddingsFolder(name: string): string {
  return resolve(".armmt/embeddings", name);
}

const TABLE_FILE = "query-table.bin";

export function writeSet(folder: string, { set, shards, queryTable }: PackedSet): void {
  const shardFolder = join(folder, "shards", set.version);
  mkdirSync(shardFolder, { recursive: true });
  shards.forEach((shard, n) => writeFileSync(join(shardFolder, `${n}.bin`), shard));
  if (queryTable !== undefined) writeFileSync(join(shardFolder, TABLE_FILE), queryTable);
  writeFileSync(join(folder, `${SET_FILE}.new`), `${JSON.stringify(set, undefined, 2)}\n`);
  renameSync(join(folder, `${SET_FILE}.new`), join(folder, SET_FILE));
  for (const other of readdirSync(join(folder, "shards"))) {
    if (other !== set.version) rmSync(join(folder, "shards", other), { recursive: true });
  }
}

/** Reads and checks a set. Throws a UserError that names the file, the difference and the fix. */
export function readSet(folder: string): PackedSet {
  const path = join(folder, SET_FILE);
  if (!existsSync(path)) throw new UserError(`Nothing embedded in ${folder}: run armmt embed first, or name its folder with --from`);
  const set = parsePublishedSet(readFileSync(path, "utf8"));
  if (!set.ok) throw new UserError(`Cannot use ${path}: ${set.error}: run armmt embed again`);
  const { version, imageDim, textDim, itemFeatures } = set.value;
  const shards = set.value.shards.map((described, n) => {
    const file = join(folder, "shards", version, `${n}.bin`);
    if (!existsSync(file)) throw new UserError(`Shard ${file} is missing: run armmt embed again`);
    const bytes = Uint8Array.from(readFileSync(file));
    const shard = decodeShard(bytes, { imageDim, textDim, featureCount: itemFeatures.length });
    if (!shard.ok) throw new UserError(`Cannot use ${file}: ${shard.error}: run armmt embed again`);
    if (shard.value.checksum !== described.checksum) {
      throw new UserError(
        `Cannot use ${file}: checksum ${shard.value.checksum}, ${path} says ${described.checksum}: run armmt embed again`,
      );
    }
    return bytes;
  });
  return { set: set.value, shards, queryTable: readTable(join(folder, "shards", version, TABLE_FILE), set.value.queryTable?.checksum) };
}

/** `checksum`: what the set says; `undefined` where it has no table. */
function readTable(file: string, checksum: number | undefined): Uint8Array<ArrayBuffer> | undefined {
  if (checksum === undefined) return undefined;
  if (!existsSync(file)) throw new UserError(`Query table ${file} is missing: run armmt embed again`);
  const bytes = Uint8Array.from(readFileSync(file));
  const table = decodeQueryTable(bytes);
  if (!table.ok) throw new UserError(`Cannot use ${file}: ${table.error}: run armmt embed again`);
  if (table.value.checksum !== checksum) {
    throw new UserError(`Cannot use ${file}: checksum ${table.value.checksum}, the set says ${checksum}: run armmt embed again`);
  }
  return bytes;
}
