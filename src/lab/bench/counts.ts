/**
 * What does not depend on the machine: bytes that are deployed, and what one search does. `budget.json` limits it, and a test compares, so
 * that a change that costs more is seen when it is made.
 *
 * The search runs in Node, on the app that serves, with an engine and stores that count.
 */
import { readFileSync } from "node:fs";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { openEdge } from "../../edge.ts";
import type { EventDatabase, EventStatement } from "../../events/d1.ts";
import { openModel, readModelFiles } from "../../runtimes/node/models.ts";
import { allocatedBy } from "./allocated.ts";
import { sizesOf } from "./bundle.ts";
import { publishCatalogue } from "./catalogue.ts";
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import { catalogOf, DRAWN_ITEMS, edgeVars, searchPath, unitOf } from "./edge.ts";
import { replyTo } from "./engine-replies.ts";
import { PAGE_SIZE } from "./load.ts";
import type { Measurement, Unit } from "./measurement.ts";
import { measured } from "./measurement.ts";
import { createMemoryKv } from "./memory-kv.ts";
import { countNodes } from "./onnx-graph.ts";
import { createQueries, productsOf, searchBody } from "./products.ts";
import { readManifest } from "./shop.ts";
import { UserError } from "../../web.ts";

/** The window that wrangler.toml sets. */
const INDEX: Index = { window: 100 };

const count = (name: string, unit: Unit, value: number): Measurement => measured(name, unit, [value]);

export async function benchCounts(bench: Bench): Promise<Measurement[]> {
  return [...(await countBundle(bench)), ...(await countSearch(bench))];
}

async function countBundle(bench: Bench): Promise<Measurement[]> {
  const bundle = await bench.bundle("edge");
  const { raw, gzip } = sizesOf(bundle);
  const wasm = bundle.modules.filter(({ type }) => type === "CompiledWasm").reduce((sum, { bytes }) => sum + bytes.length, 0);
  const script = bundle.modules.filter(({ type }) => type === "ESModule").reduce((sum, { bytes }) => sum + bytes.length, 0);
  const graph = readFileSync(new URL("../../../model/student.onnx", import.meta.url));
  return [
    count("edge Worker, raw", "bytes", raw),
    count("edge Worker, gzip", "bytes", gzip),
    count("edge Worker, wasm", "bytes", wasm),
    count("edge Worker, JavaScript", "bytes", script),
    count("edge Worker, modules", "count", bundle.modules.length),
    count("nodes of the model's graph", "count", countNodes(graph)),
  ];
}

interface Counted {
  engineRequests: number;
  engineBytes: number;
  statements: number;
}

async function countSearch({ plan }: Bench): Promise<Measurement[]> {
  const counted: Counted = { engineRequests: 0, engineBytes: 0, statements: 0 };
  const kv = createMemoryKv();
  const published = await publishCatalogue(kv, catalogOf(INDEX), { products: productsOf(DRAWN_ITEMS), manifest: readManifest() });
  const model = await openModel(await readModelFiles(), { preference: "wasm", openGpu: async () => undefined, log: () => undefined });
  const tensors = { count: 0, bytes: 0 };
  const after: Promise<unknown>[] = [];
  const app = openEdge({
    dialects: ALL_DIALECTS,
    env: edgeVars("localhost", [INDEX]),
    kv,
    sinks: { EVENTS: countStatements(counted) },
    scorer: watchTensors(model.scorer, tensors),
    async fetch(url, init) {
      const body = replyTo(new URL(url).pathname, Buffer.from(await new Response(init.body).arrayBuffer()).toString("utf8"));
      counted.engineRequests++;
      counted.engineBytes += body.length;
      return new Response(Uint8Array.from(body), { headers: { "content-type": "application/json" } });
    },
  });
  const context = { waitUntil: (work: Promise<unknown>) => void after.push(work), passThroughOnException: () => undefined, props: {} };
  const nextQuery = createQueries();
  const search = async (): Promise<void> => {
    const headers = { "content-type": "application/json", "x-armmt-user": unitOf("armmt") };
    const request = new Request(`http://edge${searchPath(INDEX)}`, { method: "POST", headers, body: searchBody(nextQuery(), PAGE_SIZE) });
    const reply = await app.fetch(request, {}, context);
    await reply.arrayBuffer();
    if (reply.headers.get("x-armmt")?.startsWith("applied") !== true) throw new UserError(`Not re-ranked: ${reply.headers.get("x-armmt")}`);
    await Promise.all(after.splice(0));
  };
  try {
    await search();
    const cold = { ...counted, reads: kv.reads.length };
    // Until V8 has compiled what runs often, it allocates more.
    for (let n = 0; n < plan.warmSearches; n++) await search();
    const readsBefore = kv.reads.length;
    Object.assign(tensors, { count: 0, bytes: 0 });
    await search();
    const warmReads = kv.reads.length - readsBefore;
    const at = `of a search, K = ${INDEX.window}`;
    const found = [
      count(`requests to the engine ${at}`, "count", cold.engineRequests),
      count(`KV keys read ${at}, nothing read yet`, "count", cold.reads),
      count(`KV keys read ${at}, warm`, "count", warmReads),
      count(`D1 statements ${at}`, "count", cold.statements),
      count(`tensors ${at}`, "count", tensors.count),
      count(`tensors ${at}, bytes`, "bytes", tensors.bytes),
      count("published bytes per item", "bytes", published / DRAWN_ITEMS),
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

function countStatements(counted: Counted): EventDatabase {
  const statement: EventStatement = {
    bind: () => statement,
    async run() {
      counted.statements++;
      return { meta: { changes: 1 } };
    },
  };
  return {
    prepare: () => statement,
    async batch(statements) {
      counted.statements += statements.length;
      return statements.map(() => ({ meta: { changes: 1 } }));
    },
  };
}

type Scorers = Parameters<typeof openEdge>[0]["scorer"];

/** The typed arrays that the scorer is given. */
function watchTensors(scorers: Scorers, seen: { count: number; bytes: number }): Scorers {
  return (version) => {
    const scorer = scorers(version);
    if (!scorer.ok) return scorer;
    const { value } = scorer;
    return {
      ok: true,
      value: {
        ...value,
        score(list) {
          const arrays = Object.values(list).filter((one) => ArrayBuffer.isView(one));
          seen.count += arrays.length;
          seen.bytes += arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
          return value.score(list);
        },
      },
    };
  };
}
