import { describe, expect, it } from "vitest";
import { decodeEdgeFile, type EdgeFile, encodeEdgeFile } from "../../src/inference/edge-file.ts";

const names = {
  init: "a",
  createSessionOptions: "b",
  addSessionConfigEntry: "c",
  releaseSessionOptions: "d",
  createSession: "e",
  releaseSession: "f",
  construct: "g",
};

const snapshot: EdgeFile = {
  kind: "snapshot",
  models: [{ manifest: { version: "ä" }, sha256: "00" }],
  snapshot: {
    head: { memoryBytes: 65_536, globals: { top: 64 }, sessions: [4096], exports: names },
    runs: Uint32Array.of(16, 3),
    bytes: Uint8Array.of(1, 2, 3),
  },
  runtime: { stock: "0f", functions: [3, 17], operators: ["Gemm"] },
};

const stock: EdgeFile = {
  kind: "stock",
  models: [
    { manifest: { version: "one" }, graph: Uint8Array.of(1, 2, 3) },
    { manifest: { version: "two" }, graph: Uint8Array.of(4) },
  ],
};

const bufferOf = (bytes: Uint8Array): ArrayBuffer => Uint8Array.from(bytes).buffer;
const encoded = (file: EdgeFile): ArrayBuffer => bufferOf(encodeEdgeFile(file));

describe("edge.bin", () => {
  it("carries sessions", () => {
    const { models, snapshot: found, runtime } = decodeEdgeFile(encoded(snapshot));
    expect(runtime).toEqual({ stock: "0f", functions: [3, 17], operators: ["Gemm"] });
    expect(models).toEqual([{ manifest: { version: "ä" }, model: { index: 0, sha256: "00" } }]);
    expect(found?.head).toEqual(snapshot.kind === "snapshot" ? snapshot.snapshot.head : undefined);
    expect([...(found?.runs ?? [])]).toEqual([16, 3]);
    expect([...(found?.bytes ?? [])]).toEqual([1, 2, 3]);
  });

  it("carries graphs", () => {
    const { models, snapshot: found } = decodeEdgeFile(encoded(stock));
    expect(found).toBeUndefined();
    expect(models.map(({ manifest }) => manifest)).toEqual([{ version: "one" }, { version: "two" }]);
    expect(models.map(({ model }) => (model instanceof ArrayBuffer ? [...new Uint8Array(model)] : []))).toEqual([[1, 2, 3], [4]]);
  });

  it.each<[string, ArrayBuffer]>([
    ["an empty file", new ArrayBuffer(0)],
    ["a head that is cut off", encoded(stock).slice(0, 20)],
    ["a head that is no JSON", bufferOf(Uint8Array.of(1, 0, 0, 0, 0x7b))],
    ["another kind", bufferOf(Uint8Array.of(2, 0, 0, 0, 0x7b, 0x7d))],
    ["runs that are cut off", encoded(snapshot).slice(0, -8)],
    ["graphs that are cut off", encoded(stock).slice(0, -1)],
  ])("says of %s that it cannot be used, and what to do", (_, file) => {
    expect(() => decodeEdgeFile(file)).toThrow(/^edge\.bin .*: run armmt build$/s);
  });

  it("refuses models without a session", () => {
    if (snapshot.kind !== "snapshot") throw new Error("no snapshot");
    const file = encoded({ ...snapshot, models: [...snapshot.models, ...snapshot.models] });
    expect(() => decodeEdgeFile(file)).toThrow("edge.bin has 2 models and 1 sessions: run armmt build");
  });
});
