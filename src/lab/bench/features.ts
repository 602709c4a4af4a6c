/** The steps before the model runs, in Node on the drawn catalogue: item vectors out of warm shards, features and tensors. */
import { performance } from "node:perf_hooks";
import { createItemStore, ShardCache } from "../../embeddings/store.ts";
import { createNodeScorer } from "../../inference/node-scorer.ts";
import { buildTensors } from "../../ranking/features.ts";
import { readModelFiles } from "../../runtimes/node/models.ts";
import { createMemoryKv, publishCatalogue, readManifest, recordsOf } from "../harness/catalogue.ts";
import { products } from "./engine.ts";
import { against, type Measurement, measured } from "./measurement.ts";
import { type Bench, inTurns } from "./run.ts";
import { CATALOG } from "./shop.ts";
import { UserError } from "../../web.ts";

/** Per sample: all but the model take fractions of a millisecond. */
const REPEATS = 10;

export async function benchFeatures(bench: Bench): Promise<Measurement[]> {
  const { sizes, runSamples: rounds, warmUpRunSamples: warmUpRounds } = bench.plan;
  const { dims, features: scaling } = readManifest();
  const kv = createMemoryKv();
  await publishCatalogue(kv, CATALOG, products());
  const store = createItemStore({ kv, catalog: CATALOG, shards: new ShardCache(2 ** 25), timeoutMs: 10_000, now: () => 0 });
  const unpacked = new Map(recordsOf(products(), dims.image).map((record) => [record.itemId, record]));
  const { model, manifest } = await readModelFiles();
  const scorer = await createNodeScorer({ model: new Uint8Array(model), manifest });
  if (!scorer.ok) throw new UserError(`The model cannot be opened in Node: ${scorer.error.detail}`);

  const found: Measurement[] = [];
  for (const k of sizes) {
    const ids = Array.from(products().slice(0, k), ({ id }) => id);
    const looked = await store.lookup(ids);
    if (!looked.ok) throw new UserError(looked.error.detail);
    const { items } = looked.value;
    const input = {
      queryText: "red ceramic mug",
      candidates: ids.map((itemId, index) => ({ itemId, rank: 1 + index, score: 30 / (1 + index / 10) })),
      items,
      history: items.slice(0, 5).flatMap((item) => item ?? []),
      nowDay: 20_000,
    };
    const build = () => buildTensors(input, { imageDim: dims.image, textDim: dims.text, scaling });
    const tensors = build();
    const work = {
      packed: () => store.lookup(ids),
      map: () => ids.map((id) => unpacked.get(id)),
      tensors: build,
      run: () => scorer.value.score(tensors),
    };
    const turns = { label: `Features, K = ${k}`, kinds: [["packed"], ["map"], ["tensors"], ["run"]] as const, rounds, warmUpRounds };
    const times = await inTurns(bench, turns, (kind) => meanMs(work[kind], kind === "run" ? 1 : REPEATS));
    const peer = against("a run of the model, wasm in Node", times("run"));
    found.push(
      measured(`item vectors out of warm shards, K = ${k}`, "ms", times("packed"), peer),
      measured(`item vectors out of a Map of unpacked items, K = ${k}`, "ms", times("map"), peer),
      measured(`features and tensors, K = ${k}`, "ms", times("tensors"), peer),
    );
  }
  return found;
}

async function meanMs(work: () => unknown, repeats: number): Promise<number> {
  const startedAt = performance.now();
  for (let n = 0; n < repeats; n++) await work(); // oxlint-disable-line no-await-in-loop
  return (performance.now() - startedAt) / repeats;
}
