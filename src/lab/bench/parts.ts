/** The parts of the bench, in the order in which they run. Their code is loaded on demand: miniflare and onnxruntime take a second. */
import type { Measurement } from "./measurement.ts";
import type { Bench } from "./run.ts";

export type Part = (typeof PARTS)[number];

const TABLE: Readonly<Record<string, readonly [summary: string, run: (bench: Bench) => Promise<Measurement[]>]>> = {
  machine: [
    "how steady the machine is: the same work again and again, with nothing beside it",
    async (bench) => (await import("./machine.ts")).benchMachine(bench),
  ],
  searches: [
    "time added per search on 1 connection, by K, beside passthrough and the model's run alone",
    async (bench) => (await import("./searches.ts")).benchSearches(bench),
  ],
  rules: [
    "what a thousand rules cost a search that none of them fits, K = 100, one connection",
    async (bench) => (await import("./rules.ts")).benchRules(bench),
  ],
  busy: [
    "8 connections: time added per search, searches per second and per processor second, beside passthrough and a bare proxy Worker",
    async (bench) => (await import("./busy.ts")).benchBusy(bench),
  ],
  cold: [
    "start-up, first search and memory of fresh processes, beside an empty Worker",
    async (bench) => (await import("./cold.ts")).benchCold(bench),
  ],
  load: [
    "1, 8 and 64 connections for a minute each: latency to p99.9, failures, memory",
    async (bench) => (await import("./sustained.ts")).benchLoad(bench),
  ],
  overload: [
    "64 and 256 connections of searches that are all different, in workerd and Node: what is re-ranked, who waits, against offered load",
    async (bench) => (await import("./overload.ts")).benchOverload(bench),
  ],
  isolate: [
    "64 connections for a minute with the heap that an isolate of 128 MB leaves: failures, memory, beside an unlimited heap",
    async (bench) => (await import("./sustained.ts")).benchIsolate(bench),
  ],
  servers: [
    "the edge as a server in Node beside workerd, 8 connections",
    async (bench) => (await import("./servers.ts")).benchServers(bench),
  ],
  model: [
    "the model's run in workerd on the runtime that is deployed, beside onnxruntime-web's own wasm in Node and native onnxruntime",
    async (bench) => (await import("./model.ts")).benchModel(bench),
  ],
  features: [
    "item vectors, features and tensors, beside a run of the model",
    async (bench) => (await import("./features.ts")).benchFeatures(bench),
  ],
  counts: [
    "bytes that are deployed, and what one search reads, sends and allocates: the same on every machine",
    async (bench) => (await import("./counts.ts")).benchCounts(bench),
  ],
  soak: [
    "8 connections for 10 minutes, the engine ended and started in the middle: failures, growth of memory",
    async (bench) => (await import("./sustained.ts")).benchSoak(bench),
  ],
};

export const PARTS = Object.entries(TABLE).map(([name, [summary, run]]) => ({
  name,
  summary,
  /** Skipped unless --only names it. */
  isOnRequest: name === "soak",
  run,
}));
