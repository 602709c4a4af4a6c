/**
 * What happens to a window before the model runs: item vectors out of warm shards, then features and tensors. In Node, on the drawn
 * catalogue, beside a run of the model on the same K; the edge's V8 is the same.
 */
import { performance } from "node:perf_hooks";
import { createItemStore, ShardCache } from "../../embeddings/store.ts";
import type { ListItem } from "../../ranking/candidate.ts";
import { buildTensors } from "../../ranking/features.ts";
import { publishCatalogue, recordsOf } from "./catalogue.ts";
import type { Bench } from "./context.ts";
import { DRAWN_ITEMS } from "./edge.ts";
import type { Measurement } from "./measurement.ts";
import { measured, median } from "./measurement.ts";
import { createMemoryKv } from "./memory-kv.ts";
import { openPeers } from "./peers.ts";
import { productsOf } from "./products.ts";
import { readManifest } from "./shop.ts";
import { UserError } from "../../web.ts";

const CATALOG = "bench";

/** Both take fractions of a millisecond: so many per sample. */
const TURNS = 10;

export async function benchFeatures(bench: Bench): Promise<Measurement[]> {
  const { sizes, runSamples, warmUpRunSamples } = bench.plan;
  const products = productsOf(DRAWN_ITEMS);
  const manifest = readManifest();
  const kv = createMemoryKv();
  await publishCatalogue(kv, CATALOG, { products, manifest });
  const store = createItemStore({ kv, catalog: CATALOG, shards: new ShardCache(2 ** 25), timeoutMs: 10_000, now: () => 0 });
  const unpacked = new Map(recordsOf(products, manifest.dims.image).map((record) => [record.itemId, record]));
  const shape = { imageDim: manifest.dims.image, textDim: manifest.dims.text, scaling: manifest.features };
  const { nodeWasm } = await openPeers();

  const found: Measurement[] = [];
  const progress = bench.progress("Features", sizes.length);
  for (const k of sizes) {
    const ids = products.slice(0, k).map(({ id }) => id);
    const times: Record<"packed" | "map" | "tensors" | "run", number[]> = { packed: [], map: [], tensors: [], run: [] };
    for (let sample = -warmUpRunSamples; sample < runSamples; sample++) {
      let items: readonly (ListItem | undefined)[] = [];
      const packed = await timeOf(async () => {
        const looked = await store.lookup(ids);
        if (!looked.ok) throw new UserError(looked.error.detail);
        items = looked.value.items;
      });
      const map = await timeOf(async () => void ids.map((id) => unpacked.get(id)));
      const candidates = ids.map((itemId, place) => ({ itemId, rank: 1 + place, score: 30 / (1 + place / 10) }));
      const input = {
        queryText: "red ceramic mug",
        candidates,
        items,
        history: items.slice(0, 5).flatMap((item) => item ?? []),
        nowDay: 20_000,
      };
      let tensors = buildTensors(input, shape);
      const built = await timeOf(async () => {
        tensors = buildTensors(input, shape);
      });
      const startedAt = performance.now();
      const scores = await nodeWasm.score(tensors);
      const run = performance.now() - startedAt;
      if (!scores.ok) throw new UserError(scores.error.detail);
      if (sample < 0) continue;
      times.packed.push(packed);
      times.map.push(map);
      times.tensors.push(built);
      times.run.push(run);
    }
    progress.increment();
    const peer = { peer: "a run of the model, wasm in Node", p50: median(times.run) };
    found.push(
      measured(`item vectors out of warm shards, K = ${k}`, "ms", times.packed, peer),
      measured(`item vectors out of a Map of unpacked items, K = ${k}`, "ms", times.map, peer),
      measured(`features and tensors, K = ${k}`, "ms", times.tensors, peer),
    );
  }
  progress.stop();
  return found;
}

/** ms of one turn. */
async function timeOf(work: () => Promise<void>): Promise<number> {
  const startedAt = performance.now();
  for (let turn = 0; turn < TURNS; turn++) await work();
  return (performance.now() - startedAt) / TURNS;
}
