import { env } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { encodeShard, shardOf } from "../../src/embeddings/format.ts";
import {
  createItemStore,
  type ItemLookup,
  type ItemStoreOptions,
  type KvReader,
  parsePointer,
  parsePublishedSet,
  pointerKey,
  type PublishedSet,
  setKey,
  ShardCache,
  shardKey,
} from "../../src/embeddings/store.ts";
import { ITEM_FEATURES, type ItemRecord, type PackedVector } from "../../src/ranking/candidate.ts";
import type { Bypass, Result } from "../../src/result.ts";

const DIMS = { imageDim: 4, textDim: 4, featureCount: ITEM_FEATURES.length };
const SHARDS = 4;
const IDS = Array.from({ length: 40 }, (_, i) => `item-${i}`);

const idsOf = (shard: number) => IDS.filter((id) => shardOf(id, SHARDS) === shard);

function record(itemId: string, price: number): ItemRecord {
  const vector = Float32Array.of(1, 0, 0, 0);
  return { itemId, image: vector, text: vector, features: [price, undefined, undefined, undefined, undefined, undefined] };
}

/** Writes a whole version; the pointer last. Every item's first feature is `price`, so that versions can be told apart. */
async function publish(catalog: string, version: string, price: number): Promise<PublishedSet> {
  const shards: { bytes: number; checksum: number }[] = [];
  for (let n = 0; n < SHARDS; n++) {
    const records = idsOf(n).map((id) => record(id, price));
    const packed = encodeShard(records, DIMS);
    if (!packed.ok) throw new Error(packed.error);
    await env.EMBEDDINGS.put(shardKey(catalog, version, n), packed.value);
    shards.push({ bytes: packed.value.length, checksum: new DataView(packed.value.buffer).getUint32(28, true) });
  }
  const set: PublishedSet = {
    format: 1,
    version,
    shardCount: SHARDS,
    itemCount: IDS.length,
    imageDim: 4,
    textDim: 4,
    imageEncoder: "test-image",
    textEncoder: "test-text",
    itemFeatures: [...ITEM_FEATURES],
    shards,
  };
  await env.EMBEDDINGS.put(setKey(catalog, version), JSON.stringify(set));
  await point(catalog, version);
  return set;
}

async function point(catalog: string, version: string): Promise<void> {
  await env.EMBEDDINGS.put(pointerKey(catalog), JSON.stringify({ version, previous: null, publishedAt: "2026-11-01T00:00:00.000Z" }));
}

/** The real namespace, with its reads written down. */
function counting(kv: KvReader): { readonly kv: KvReader; readonly reads: string[] } {
  const reads: string[] = [];
  function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  function get(key: string, type: "text"): Promise<string | null>;
  function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
    reads.push(key);
    return type === "text" ? kv.get(key, "text") : kv.get(key, "arrayBuffer");
  }
  return { kv: { get }, reads };
}

let catalog = "";
let clock = 0;
let run = 0;

beforeEach(() => {
  // A catalogue of its own per test, so that no test depends on another's clean-up.
  catalog = `catalog-${run++}`;
  clock = 1_000_000;
});

function store(options: Partial<ItemStoreOptions> = {}) {
  return createItemStore({ kv: env.EMBEDDINGS, catalog, shards: new ShardCache(1 << 20), timeoutMs: 1000, now: () => clock, ...options });
}

function found(result: Result<ItemLookup, Bypass>): ItemLookup {
  if (!result.ok) throw new Error(`${result.error.reason}: ${result.error.detail}`);
  return result.value;
}

function reason(result: Result<ItemLookup, Bypass>): string {
  return result.ok ? "ok" : result.error.reason;
}

const unpacked = (vector: PackedVector | undefined) =>
  vector && Float32Array.from({ length: DIMS.imageDim }, (_, d) => vector.components[vector.start + d]! * vector.scale);

const prices = (lookup: ItemLookup) => lookup.items.map((item) => item?.features[0]);

describe("lookup()", () => {
  it("gives items parallel to the ids, unknown ones undefined", async () => {
    await publish(catalog, "v1", 7);
    const lookup = found(await store().lookup(["item-3", "nobody", "item-0", "item-3"]));
    expect(lookup.items.map((item) => item?.itemId)).toEqual(["item-3", undefined, "item-0", "item-3"]);
    const { image, text, features } = lookup.items[0]!;
    expect([unpacked(image), unpacked(text)]).toEqual([Float32Array.of(1, 0, 0, 0), Float32Array.of(1, 0, 0, 0)]);
    expect(features).toEqual([7, undefined, undefined, undefined, undefined, undefined]);
    expect(lookup.set).toMatchObject({ version: "v1", imageEncoder: "test-image", textEncoder: "test-text", imageDim: 4, textDim: 4 });
  });

  it("reads pointer, set and the needed shards once, then nothing", async () => {
    await publish(catalog, "v1", 7);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const warm = store({ kv });
    const id = IDS[0]!;
    found(await warm.lookup([id]));
    expect(reads).toEqual([pointerKey(catalog), setKey(catalog, "v1"), shardKey(catalog, "v1", shardOf(id, SHARDS))]);
    found(await warm.lookup(IDS));
    expect(reads).toHaveLength(2 + SHARDS);
    for (let i = 0; i < 20; i++) found(await warm.lookup(IDS));
    expect(reads).toHaveLength(2 + SHARDS);
  });

  it("answers many cold requests at once, and each from what it read itself", async () => {
    await publish(catalog, "v1", 7);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const shared = store({ kv });
    const lookups = await Promise.all(Array.from({ length: 8 }, () => shared.lookup(IDS)));
    for (const lookup of lookups) expect(prices(found(lookup))).toEqual(IDS.map(() => 7));
    expect(reads.filter((key) => key === pointerKey(catalog))).toHaveLength(8);
    const before = reads.length;
    found(await shared.lookup(IDS));
    expect(reads).toHaveLength(before);
  });

  it("answers the others when one cold request's reads never come back", async () => {
    await publish(catalog, "v1", 7);
    let hung = 0;
    function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
    function get(key: string, type: "text"): Promise<string | null>;
    function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
      if (key.includes("/shard/") && hung++ < SHARDS) return new Promise(() => {});
      return type === "text" ? env.EMBEDDINGS.get(key, "text") : env.EMBEDDINGS.get(key, "arrayBuffer");
    }
    const shared = store({ kv: { get }, timeoutMs: 300 });
    const first = shared.lookup(IDS);
    await vi.waitFor(() => expect(hung).toBe(SHARDS));
    expect(prices(found(await shared.lookup(IDS)))).toEqual(IDS.map(() => 7));
    expect(reason(await first)).toBe("store_timeout");
  });
});

describe("a new version", () => {
  it("is seen when the pointer's ttl is over, and not before", async () => {
    await publish(catalog, "v1", 1);
    const warm = store();
    expect(prices(found(await warm.lookup(["item-0"])))).toEqual([1]);
    await publish(catalog, "v2", 2);
    clock += 59_999;
    expect(found(await warm.lookup(["item-0"])).set.version).toBe("v1");
    clock += 1;
    const after = found(await warm.lookup(["item-0"]));
    expect(after.set.version).toBe("v2");
    expect(prices(after)).toEqual([2]);
  });

  it("costs one pointer read per ttl while nothing changes", async () => {
    await publish(catalog, "v1", 1);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const warm = store({ kv });
    found(await warm.lookup(IDS));
    reads.length = 0;
    for (let second = 0; second < 180; second++) {
      clock += 1000;
      found(await warm.lookup(IDS));
    }
    expect(reads).toEqual([pointerKey(catalog), pointerKey(catalog), pointerKey(catalog)]);
  });

  it("can be rolled back to one that is still held, without reading it again", async () => {
    await publish(catalog, "v1", 1);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const warm = store({ kv });
    found(await warm.lookup(IDS));
    await publish(catalog, "v2", 2);
    clock += 60_000;
    expect(found(await warm.lookup(IDS)).set.version).toBe("v2");
    await point(catalog, "v1");
    clock += 60_000;
    reads.length = 0;
    expect(prices(found(await warm.lookup(IDS)))).toEqual(IDS.map(() => 1));
    expect(reads).toEqual([pointerKey(catalog), setKey(catalog, "v1")]);
  });
});

describe("the byte budget", () => {
  it("keeps what fits and reads the rest again, least recently used first out", async () => {
    const set = await publish(catalog, "v1", 1);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const largest = Math.max(...set.shards.map((shard) => shard.bytes));
    const warm = store({ kv, shards: new ShardCache(largest * 2) });
    const readsOf = async (n: number) => {
      reads.length = 0;
      found(await warm.lookup(idsOf(n)));
      return reads.filter((key) => key.includes("/shard/")).length;
    };
    expect([await readsOf(0), await readsOf(1)]).toEqual([1, 1]);
    expect(await readsOf(0)).toBe(0); // held, and now the most recent
    expect(await readsOf(2)).toBe(1); // pushes out 1
    expect(await readsOf(0)).toBe(0);
    expect(await readsOf(1)).toBe(1);
  });

  it("is one for all catalogues: what one does not need, another may hold", async () => {
    const other = `${catalog}-other`;
    const set = await publish(catalog, "v1", 1);
    await publish(other, "v1", 1);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const all = set.shards.reduce((sum, { bytes }) => sum + bytes, 0);
    const shards = new ShardCache(all + 1);
    const [small, large] = [store({ kv, shards, catalog: other }), store({ kv, shards })];
    found(await small.lookup(idsOf(0)));
    found(await large.lookup(IDS));
    reads.length = 0;
    found(await large.lookup(IDS));
    expect(reads).toEqual([]); // although it takes more than half of the budget
    found(await small.lookup(idsOf(0)));
    expect(reads.filter((key) => key.includes("/shard/"))).toEqual([shardKey(other, "v1", 0)]);
  });

  it("answers even when no shard fits", async () => {
    await publish(catalog, "v1", 1);
    const { kv, reads } = counting(env.EMBEDDINGS);
    const small = store({ kv, shards: new ShardCache(10) });
    found(await small.lookup(IDS));
    expect(prices(found(await small.lookup(IDS)))).toEqual(IDS.map(() => 1));
    expect(reads.filter((key) => key.includes("/shard/"))).toHaveLength(2 * SHARDS);
  });
});

describe("faults", () => {
  const id = IDS[0]!;
  const broken = shardOf(id, SHARDS);

  it("nothing published", async () => {
    expect(reason(await store().lookup([id]))).toBe("nothing_published");
  });

  it("a shard that is missing: only searches that need it fail, and they recover", async () => {
    await publish(catalog, "v1", 1);
    const key = shardKey(catalog, "v1", broken);
    const bytes = await env.EMBEDDINGS.get(key, "arrayBuffer");
    await env.EMBEDDINGS.delete(key);
    const warm = store();
    const result = await warm.lookup([id]);
    expect(result).toMatchObject({ ok: false, error: { reason: "shard_missing" } });
    expect(result.ok ? "" : result.error.detail).toContain(key);
    found(await warm.lookup(IDS.filter((other) => shardOf(other, SHARDS) !== broken)));
    await env.EMBEDDINGS.put(key, bytes!);
    expect(prices(found(await warm.lookup([id])))).toEqual([1]);
  });

  it("a set that is missing", async () => {
    await point(catalog, "v9");
    expect(reason(await store().lookup([id]))).toBe("shard_missing");
  });

  it("a shard with a wrong checksum", async () => {
    await publish(catalog, "v1", 1);
    const key = shardKey(catalog, "v1", broken);
    const bytes = new Uint8Array((await env.EMBEDDINGS.get(key, "arrayBuffer"))!);
    bytes[bytes.length - 1]! ^= 1;
    await env.EMBEDDINGS.put(key, bytes);
    const result = await store().lookup([id]);
    expect(result).toMatchObject({ ok: false, error: { reason: "shard_corrupt" } });
    expect(result.ok ? "" : result.error.detail).toContain("checksum");
  });

  it("a shard of another version under this version's key", async () => {
    await publish(catalog, "v1", 1);
    await publish(catalog, "v2", 2);
    const foreign = await env.EMBEDDINGS.get(shardKey(catalog, "v1", broken), "arrayBuffer");
    await env.EMBEDDINGS.put(shardKey(catalog, "v2", broken), foreign!);
    const result = await store().lookup([id]);
    expect(result).toMatchObject({ ok: false, error: { reason: "shard_corrupt" } });
    expect(result.ok ? "" : result.error.detail).toContain("the set says");
  });

  it("a set whose dims are not those of its shards", async () => {
    const set = await publish(catalog, "v1", 1);
    await env.EMBEDDINGS.put(setKey(catalog, "v1"), JSON.stringify({ ...set, imageDim: 64 }));
    const result = await store().lookup([id]);
    expect(result).toMatchObject({ ok: false, error: { reason: "shard_corrupt" } });
    expect(result.ok ? "" : result.error.detail).toContain("image dim 4, expected 64");
  });

  it("a pointer that is no pointer", async () => {
    await env.EMBEDDINGS.put(pointerKey(catalog), "{}");
    expect(reason(await store().lookup([id]))).toBe("shard_corrupt");
  });

  it("KV that throws", async () => {
    const kv: KvReader = { get: (): Promise<never> => Promise.reject(new Error("KV GET failed: 500")) };
    const result = await store({ kv }).lookup([id]);
    expect(result).toMatchObject({ ok: false, error: { reason: "store_unavailable" } });
    expect(result.ok ? "" : result.error.detail).toContain("KV GET failed: 500");
  });

  it("KV that hangs", async () => {
    const kv: KvReader = { get: () => new Promise<never>(() => {}) };
    const started = performance.now();
    expect(reason(await store({ kv, timeoutMs: 30 }).lookup([id]))).toBe("store_timeout");
    expect(performance.now() - started).toBeLessThan(500);
  });

  it("KV that fails or hangs when all is warm: the version in use goes on serving", async () => {
    await publish(catalog, "v1", 1);
    let mode: "works" | "throws" | "hangs" = "works";
    function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
    function get(key: string, type: "text"): Promise<string | null>;
    function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
      if (mode === "throws") return Promise.reject(new Error("down"));
      if (mode === "hangs") return new Promise(() => {});
      return type === "text" ? env.EMBEDDINGS.get(key, "text") : env.EMBEDDINGS.get(key, "arrayBuffer");
    }
    const warm = store({ kv: { get }, timeoutMs: 100 });
    found(await warm.lookup(IDS));
    for (const fault of ["throws", "hangs"] as const) {
      mode = fault;
      clock += 60_000;
      expect(prices(found(await warm.lookup(IDS)))).toEqual(IDS.map(() => 1));
    }
    await env.EMBEDDINGS.delete(pointerKey(catalog));
    mode = "works";
    clock += 60_000;
    expect(reason(await warm.lookup(IDS))).toBe("nothing_published");
  });
});

/** Real KV, but for the reads that fail or hang. */
function switched(mode: { now: "works" | "throws" | "hangs" }) {
  const reads: string[] = [];
  function get(key: string, type: "arrayBuffer"): Promise<ArrayBuffer | null>;
  function get(key: string, type: "text"): Promise<string | null>;
  function get(key: string, type: "arrayBuffer" | "text"): Promise<ArrayBuffer | string | null> {
    reads.push(key);
    if (mode.now === "throws") return Promise.reject(new Error("down"));
    if (mode.now === "hangs") return new Promise(() => {});
    return type === "text" ? env.EMBEDDINGS.get(key, "text") : env.EMBEDDINGS.get(key, "arrayBuffer");
  }
  return { kv: { get }, reads };
}

describe("a store that fails again and again", () => {
  it.each(["throws", "hangs"] as const)("is left alone when it %s, tried once after each pause, and used again", async (fault) => {
    await publish(catalog, "v1", 1);
    const mode: Parameters<typeof switched>[0] = { now: fault };
    const { kv, reads } = switched(mode);
    const cold = store({ kv, timeoutMs: 30 });
    for (let i = 0; i < 5; i++) expect(reason(await cold.lookup(IDS))).toBe(fault === "throws" ? "store_unavailable" : "store_timeout");
    reads.length = 0;
    const refused = await cold.lookup(IDS);
    expect(refused).toMatchObject({ ok: false, error: { reason: "store_unavailable", detail: expect.stringContaining("Breaker open") } });
    clock += 1000;
    await Promise.all(Array.from({ length: 10 }, () => cold.lookup(IDS)));
    expect(reads).toHaveLength(1);
    mode.now = "works";
    clock += 1999; // the second pause is twice as long
    expect(reason(await cold.lookup(IDS))).toBe("store_unavailable");
    clock += 1;
    expect(prices(found(await cold.lookup(IDS)))).toEqual(IDS.map(() => 1));
  });

  it("serves what is in memory meanwhile", async () => {
    await publish(catalog, "v1", 1);
    const mode: Parameters<typeof switched>[0] = { now: "works" };
    const { kv, reads } = switched(mode);
    const half = store({ kv, timeoutMs: 30 });
    found(await half.lookup(idsOf(0)));
    mode.now = "hangs";
    for (let i = 0; i < 5; i++) expect(reason(await half.lookup(IDS))).toBe("store_timeout");
    reads.length = 0;
    expect(reason(await half.lookup(IDS))).toBe("store_unavailable");
    expect(prices(found(await half.lookup(idsOf(0))))).toEqual(idsOf(0).map(() => 1));
    expect(reads).toEqual([]);
  });

  it("has a bounded number of reads under way", async () => {
    const reads: string[] = [];
    const kv: KvReader = {
      get: (key) => {
        reads.push(key);
        return new Promise<never>(() => {});
      },
    };
    const cold = store({ kv, timeoutMs: 200 });
    const reasons = (await Promise.all(Array.from({ length: 1200 }, () => cold.lookup(IDS)))).map(reason);
    expect(reads).toHaveLength(1000);
    expect(new Set(reasons)).toEqual(new Set(["store_timeout", "store_unavailable"]));
  });
});

describe("a clock that jumps", () => {
  it.each([3_600_000, -3_600_000])("by %d ms and back delays no publish by more than its minute", async (jump) => {
    await publish(catalog, "v1", 1);
    const warm = store();
    found(await warm.lookup(IDS));
    clock += jump;
    found(await warm.lookup(IDS));
    clock += 1000 - jump;
    found(await warm.lookup(IDS));
    await publish(catalog, "v2", 2);
    clock += 60_000;
    expect(found(await warm.lookup(IDS)).set.version).toBe("v2");
  });
});

describe("parsePublishedSet()", () => {
  const set = {
    format: 1,
    version: "v1",
    shardCount: 1,
    itemCount: 0,
    imageDim: 4,
    textDim: 4,
    imageEncoder: "i",
    textEncoder: "t",
    itemFeatures: [...ITEM_FEATURES],
    shards: [{ bytes: 32, checksum: 1 }],
  };
  const errorOf = (change: object) => {
    const parsed = parsePublishedSet(JSON.stringify({ ...set, ...change }));
    return parsed.ok ? "ok" : parsed.error;
  };

  it("accepts a whole set", () => {
    expect(errorOf({})).toBe("ok");
  });

  it("names what is wrong", () => {
    expect(errorOf({ format: 2 })).toBe("ok");
    expect(errorOf({ format: 3 })).toBe("format 3, expected 1 or 2");
    expect(errorOf({ shardCount: 2 })).toBe("1 shards listed, expected 2");
    expect(errorOf({ itemFeatures: ["price_log"] })).toContain("item features [price_log], expected [price_log, popularity_log");
    expect(errorOf({ imageDim: "64" })).toContain("imageDim");
    expect(errorOf({ version: "../x" })).toContain("version");
    expect(parsePublishedSet("<html>")).toEqual({ ok: false, error: 'not JSON: "<html>"' });
  });
});

describe("parsePointer()", () => {
  it("reads version and previous", () => {
    const pointer = { version: "b", previous: "a", publishedAt: "2026-11-01T00:00:00.000Z" };
    expect(parsePointer(JSON.stringify(pointer))).toEqual({ ok: true, value: pointer });
    expect(parsePointer('{"version":"b"}')).toMatchObject({ ok: false });
  });
});
