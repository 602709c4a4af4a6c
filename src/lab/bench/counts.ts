/** Figures that do not depend on the machine: deployed bytes, and the work of a search in Node. A test compares them with `budget.json`. */
import { operatorsOf } from "../../cli/build/graph.ts";
import { readFileSync } from "node:fs";
import { PerformanceObserver } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { gzipSync } from "node:zlib";
import * as v from "valibot";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { openEdge } from "../../edge.ts";
import type { EventDatabase, EventStatement } from "../../events/d1.ts";
import { openModel, readModelFiles } from "../../runtimes/node/models.ts";
import { createMemoryKv, publishCatalogue } from "../harness/catalogue.ts";
import { createQueries, products, replyTo, searchBody } from "./engine.ts";
import { type Measurement, measured, type Unit } from "./measurement.ts";
import type { Bench } from "./run.ts";
import { CATALOG, edgeVars, PAGE_SIZE, searchPath, unitOf, WINDOW } from "./shop.ts";
import { sleep, UserError } from "../../web.ts";
import { OUTCOME_HEADER, parseOutcomes, USER_HEADER } from "../../protocol.ts";

const count = (name: string, unit: Unit, value: number): Measurement => measured(name, unit, [value]);

export const benchCounts = async (bench: Bench): Promise<Measurement[]> => [...(await countBundle(bench)), ...(await countSearch(bench))];

async function countBundle(bench: Bench): Promise<Measurement[]> {
  const { modules } = await bench.bundle("edge");
  const all = Buffer.concat(modules.map(({ bytes }) => bytes));
  const bytesOf = (wanted: string) => modules.filter(({ type }) => type === wanted).reduce((sum, { bytes }) => sum + bytes.length, 0);
  const graph = readFileSync(new URL("../../../model/student.onnx", import.meta.url));
  return [
    count("edge Worker, raw", "bytes", all.length),
    count("edge Worker, gzip", "bytes", gzipSync(all).length),
    count("edge Worker, wasm", "bytes", bytesOf("CompiledWasm")),
    count("edge Worker, JavaScript", "bytes", bytesOf("ESModule")),
    count("edge Worker, modules", "count", modules.length),
    count("nodes of the model's graph", "count", countNodes(graph)),
  ];
}

/** Nodes at the top level of an ONNX model (field 1 of field 7 in its protobuf). Throws on other bytes. */
export function countNodes(model: Uint8Array): number {
  return operatorsOf(model).length;
}

async function countSearch({ plan }: Bench): Promise<Measurement[]> {
  const counted = { engineRequests: 0, statements: 0, tensors: 0, tensorBytes: 0 };
  const kv = createMemoryKv();
  const published = await publishCatalogue(kv, CATALOG, products());
  const model = await openModel(await readModelFiles(), { preference: "wasm", openGpu: async () => undefined, log: () => undefined });
  const after: Promise<unknown>[] = [];
  const app = openEdge({
    dialects: ALL_DIALECTS,
    env: edgeVars("localhost", [WINDOW]),
    kv,
    afterReply: (work) => void after.push(work),
    sinks: { EVENTS: countStatements(() => counted.statements++) },
    scorer: watchTensors(model.scorer, (arrays) => {
      counted.tensors += arrays.length;
      counted.tensorBytes += arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
    }),
    async fetch(_url, init) {
      const body = replyTo(await new Response(init.body).text());
      counted.engineRequests++;
      return new Response(Uint8Array.from(body), { headers: { "content-type": "application/json" } });
    },
  });
  const nextQuery = createQueries();
  const search = async (): Promise<void> => {
    const headers = { "content-type": "application/json", [USER_HEADER]: unitOf("armmt") };
    const request = new Request(`http://edge${searchPath(WINDOW)}`, { method: "POST", headers, body: searchBody(nextQuery(), PAGE_SIZE) });
    const reply = await app.fetch(request);
    await reply.arrayBuffer();
    const outcome = reply.headers.get(OUTCOME_HEADER) ?? "";
    if (parseOutcomes(outcome)[0]?.kind !== "applied") throw new UserError(`Not re-ranked: ${outcome}`);
    await Promise.all(after.splice(0));
  };
  try {
    await search();
    const cold = { ...counted, reads: kv.reads() };
    // V8 allocates more until it has compiled the hot functions.
    for (let n = 0; n < plan.warmSearches; n++) await search();
    const before = { ...counted, reads: kv.reads() };
    await search();
    const at = `of a search, K = ${WINDOW}`;
    const found = [
      count(`requests to the engine ${at}`, "count", cold.engineRequests),
      count(`KV keys read ${at}, nothing read yet`, "count", cold.reads),
      count(`KV keys read ${at}, warm`, "count", kv.reads() - before.reads),
      count(`D1 statements ${at}`, "count", cold.statements),
      count(`tensors ${at}`, "count", counted.tensors - before.tensors),
      count(`tensors ${at}, bytes`, "bytes", counted.tensorBytes - before.tensorBytes),
      count("published bytes per item", "bytes", published / products().length),
    ];
    const allocated = await allocatedBy(search);
    return [
      ...found,
      measured(`JavaScript heap allocated ${at}`, "bytes", allocated.heap),
      measured(`array buffers allocated ${at}`, "bytes", allocated.buffers),
    ];
  } finally {
    await model.close();
  }
}

const SAMPLES = 15;

/** Work that fails in all of them allocates more than fits between two collections. */
const ATTEMPTS = 60;

const collectorSchema = v.custom<() => void>((value) => typeof value === "function");

/** Bytes that work allocates in the heap, and in typed arrays outside of it, per sample without a collection; within a few per cent. */
async function allocatedBy(work: () => Promise<void>): Promise<Record<"heap" | "buffers", readonly number[]>> {
  setFlagsFromString("--expose-gc");
  const collect = v.parse(collectorSchema, runInNewContext("gc"));
  let collections = 0;
  const observer = new PerformanceObserver((entries) => (collections += entries.getEntries().length));
  observer.observe({ entryTypes: ["gc"] });
  const heap: number[] = [];
  const buffers: number[] = [];
  try {
    for (let attempt = 0; attempt < ATTEMPTS && heap.length < SAMPLES; attempt++) {
      collect();
      await sleep(1); // The observer is notified later.
      const seen = collections;
      const before = process.memoryUsage();
      await work();
      const after = process.memoryUsage();
      await sleep(1);
      if (collections !== seen) continue;
      heap.push(after.heapUsed - before.heapUsed);
      buffers.push(after.arrayBuffers - before.arrayBuffers);
    }
  } finally {
    observer.disconnect();
  }
  if (heap.length === 0) throw new Error(`In ${ATTEMPTS} attempts the work never ran without a garbage collection`);
  return { heap, buffers };
}

/** D1 that answers every statement with one row written. */
function countStatements(onStatement: () => void): EventDatabase {
  const statement: EventStatement = {
    bind: () => statement,
    run() {
      onStatement();
      return Promise.resolve({ meta: { changes: 1 } });
    },
  };
  return { prepare: () => statement, batch: (all) => Promise.all(all.map((each) => each.run())) };
}

type Scorers = Parameters<typeof openEdge>[0]["scorer"];

/** Shows the typed arrays that the scorer receives. */
function watchTensors(scorers: Scorers, onRun: (arrays: readonly ArrayBufferView[]) => void): Scorers {
  return (version) => {
    const scorer = scorers(version);
    if (!scorer.ok) return scorer;
    const score: (typeof scorer.value)["score"] = (list) => {
      onRun(Object.values(list).filter((input) => ArrayBuffer.isView(input)));
      return scorer.value.score(list);
    };
    return { ok: true, value: { ...scorer.value, score } };
  };
}
