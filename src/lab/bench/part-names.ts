/** Names and summaries of the parts, apart from their code: that brings miniflare and onnxruntime, which take a second to load. */

export const SUMMARIES = {
  machine: "how steady the machine is: the same work again and again, with nothing beside it",
  searches: "time added per search on 1 connection, by K, beside passthrough and the model's run alone",
  busy: "8 connections: time added per search, searches per second and per processor second, beside passthrough and a bare proxy Worker",
  cold: "start-up, first search and memory of fresh processes, beside an empty Worker",
  load: "1, 8 and 64 connections for a minute each: latency to p99.9, failures, memory",
  isolate: "64 connections for a minute with the heap that an isolate of 128 MB leaves: failures, memory, beside an unlimited heap",
  scaling: "a search by items in the catalogue, window, and bytes of a hit, beside passthrough",
  servers: "the edge as a server in Node beside workerd, 8 connections",
  model: "the model's run in workerd on the runtime that is deployed, beside onnxruntime-web's own wasm in Node and native onnxruntime",
  rankers: "the model's run beside LambdaMART in JavaScript and a cross-encoder of MiniLM-L6's size",
  features: "item vectors, features and tensors, beside a run of the model",
  replies: "moving hits as byte spans, beside JSON.parse + JSON.stringify",
  store: "packed shards in local KV, beside one key per item",
  counts: "bytes that are deployed, and what one search reads, sends and allocates: the same on every machine",
  soak: "8 connections for 10 minutes: failures, growth of memory",
  providers: "the model on wasm and on WebGPU in Node, with 1 to 8 lists in one run",
} as const;

export type PartName = keyof typeof SUMMARIES;

const ON_REQUEST: ReadonlySet<string> = new Set<PartName>(["soak", "providers"]);

const isPartName = (name: string): name is PartName => Object.hasOwn(SUMMARIES, name);

export const PART_NAMES: readonly PartName[] = Object.keys(SUMMARIES).filter(isPartName);

/** Without --only. */
export const USUAL_PARTS: readonly PartName[] = PART_NAMES.filter((name) => !ON_REQUEST.has(name));
