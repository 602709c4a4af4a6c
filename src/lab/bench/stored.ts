/**
 * Item vectors out of real local KV: packed shards, as they are published, against one key per item with bulk gets. Both in one workerd, in
 * turns, timed from outside with an empty answer subtracted. Local KV is SQLite on this machine: the counts carry over to production, the
 * times only as an order.
 */
import { publishCatalogue, recordsOf } from "./catalogue.ts";
import type { Client } from "./client.ts";
import { createClient } from "./client.ts";
import type { Bench } from "./context.ts";
import { DRAWN_ITEMS } from "./edge.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { productsOf } from "./products.ts";
import { runBundle } from "./running.ts";
import { readManifest } from "./shop.ts";
import type { ItemRecord } from "../../ranking/candidate.ts";
import { UserError } from "../../web.ts";

const K = 100;

/** So many items have a key of their own, and are asked for. */
const KEYED = 400;

const CATALOG = "bench";

/** Bytes before the vectors: two scales and six features, float32 each. */
const HEAD = 8;

const WAYS = ["none", "shards", "shards&cold=1", "keys"] as const;
type Way = (typeof WAYS)[number];

export async function benchStore(bench: Bench): Promise<Measurement[]> {
  const { runSamples: samples, warmUpRunSamples: warmUpSamples } = bench.plan;
  const bundle = await bench.bundle("store");
  const manifest = readManifest();
  const products = productsOf(DRAWN_ITEMS);
  const running = await runBundle(bundle, { IDS: products.map(({ id }) => id), CATALOG });
  try {
    const kv = await running.embeddings();
    const shardBytes = await publishCatalogue(kv, CATALOG, { products, manifest });
    const records = recordsOf(products, manifest.dims.image);
    const itemBytes = packItem(records[0]!).length;
    const progress = bench.progress("Item vectors out of KV", KEYED + samples + warmUpSamples);
    for (const record of records.slice(0, KEYED)) {
      await kv.put(`item/${record.itemId}`, packItem(record));
      progress.increment();
    }
    const client = createClient(running.url);
    try {
      const times = await timeWays(client, { samples, warmUpSamples, onSample: () => progress.increment() });
      progress.stop();
      return [
        ...describe(times),
        measured("bytes per item, packed in shards", "bytes", [shardBytes / DRAWN_ITEMS], { peer: "as base64 of a key", p50: itemBytes }),
      ];
    } finally {
      client.close();
    }
  } finally {
    await running.stop();
  }
}

/** [scale of the image, scale of the text, features] float32, then both vectors as int8; as base64, because bulk gets return text only. */
function packItem({ image, text, features }: ItemRecord): string {
  const vectors = [image ?? new Float32Array(), text ?? new Float32Array()];
  const scales = vectors.map((vector) => vector.reduce((max, value) => Math.max(max, Math.abs(value)), 0) / 127);
  const head = Float32Array.from({ length: HEAD }, (_, i) => (i < 2 ? scales[i]! : (features[i - 2] ?? Number.NaN)));
  const codes = Int8Array.from(vectors.flatMap((vector, side) => [...vector].map((value) => Math.round(value / (scales[side]! || 1)))));
  return Buffer.concat([Buffer.from(head.buffer), Buffer.from(codes.buffer)]).toString("base64");
}

interface Way100 {
  readonly ms: number[];
  reads: number;
}

interface TimeOptions {
  readonly samples: number;
  readonly warmUpSamples: number;
  readonly onSample: () => void;
}

async function timeWays(client: Client, { samples, warmUpSamples, onSample }: TimeOptions): Promise<Readonly<Record<Way, Way100>>> {
  const times: Record<Way, Way100> = {
    none: { ms: [], reads: 0 },
    shards: { ms: [], reads: 0 },
    "shards&cold=1": { ms: [], reads: 0 },
    keys: { ms: [], reads: 0 },
  };
  for (let sample = -warmUpSamples; sample < samples; sample++) {
    const start = ((sample + warmUpSamples) * 37) % (KEYED - K);
    for (const way of WAYS) {
      const { ms, status, body } = await client.get(`/?way=${way}&k=${K}&start=${start}`);
      const [found, reads] = body.toString("utf8").split(" ").map(Number);
      const expected = way === "none" ? 0 : K;
      if (status !== 200 || found !== expected) throw new UserError(`KV, ${way}: ${body.toString("utf8")}, expected ${expected} items`);
      if (sample < 0) continue;
      times[way].ms.push(ms);
      times[way].reads = reads ?? 0;
    }
    onSample();
  }
  return times;
}

function describe(times: Readonly<Record<Way, Way100>>): Measurement[] {
  const answerMs = median(times.none.ms);
  const of = (way: Way): number[] => times[way].ms.map((ms) => ms - answerMs);
  const peer = { peer: "one KV key per item", p50: median(of("keys")) };
  const reads = { peer: "one KV key per item", p50: times.keys.reads };
  return [
    measured(`vectors of ${K} items, one KV key per item`, "ms", of("keys")),
    measured(`vectors of ${K} items, packed shards, warm isolate`, "ms", of("shards"), peer),
    measured(`vectors of ${K} items, packed shards, nothing read yet`, "ms", of("shards&cold=1"), peer),
    measured(`KV keys read for ${K} items, one KV key per item`, "count", [times.keys.reads]),
    measured(`KV keys read for ${K} items, packed shards, warm isolate`, "count", [times.shards.reads], reads),
    measured(`KV keys read for ${K} items, packed shards, nothing read yet`, "count", [times["shards&cold=1"].reads], reads),
  ];
}
