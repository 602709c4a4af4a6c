/** `armmt build` on the installed onnxruntime-web and the committed model. CI has built before; elsewhere the first run takes a minute. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import manifest from "../../../model/manifest.json";
import { buildEdge, EDGE_FOLDER } from "../../../src/cli/build/edge-build.ts";
import { readExportNames } from "../../../src/cli/build/image.ts";
import { decodeEdgeFile } from "../../../src/inference/edge-file.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-edge-"));
afterAll(() => rmSync(folder, { recursive: true }));

const read = (from: string): ArrayBuffer => Uint8Array.from(readFileSync(join(from, "edge.bin"))).buffer;

describe("buildEdge()", () => {
  it("leaves a runtime of less than 4 MB that answers as onnxruntime-web's own does", { timeout: 300_000 }, async () => {
    const report = await buildEdge({ json: true });
    // A runtime that differed in one bit would have been left out, with a reason.
    expect(report).toMatchObject({ kind: "snapshot", models: [manifest.version] });
    expect(report.reason).toBeUndefined();
    expect(statSync(join(EDGE_FOLDER, "runtime.wasm")).size).toBeLessThan(4_000_000);
    expect(report.functions!.kept).toBeLessThan(report.functions!.all / 10);
    const { models, snapshot } = decodeEdgeFile(read(EDGE_FOLDER));
    expect(models).toEqual([{ manifest, model: { index: 0, sha256: manifest.sha256 } }]);
    expect(snapshot?.head.sessions).toHaveLength(1);
  });

  it("does nothing where nothing has changed", async () => {
    const before = statSync(join(EDGE_FOLDER, "edge.bin")).mtimeMs;
    const used = process.cpuUsage();
    expect((await buildEdge({ json: true })).kind).toBe("snapshot");
    // Of the processor: other work on the machine adds nothing.
    expect(process.cpuUsage(used).user / 1e6).toBeLessThan(5);
    expect(statSync(join(EDGE_FOLDER, "edge.bin")).mtimeMs).toBe(before);
  });

  it("takes onnxruntime-web's own file, with a warning, where that cannot be cut down", async () => {
    const warn = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    const report = await buildEdge({ json: true, folder, glue: "another version" });
    const again = await buildEdge({ json: true, folder, glue: "another version" });
    const words = warn.mock.calls.map(([text]) => String(text)).join("");
    warn.mockRestore();
    expect(report).toMatchObject({ kind: "stock", reason: expect.stringContaining("_OrtInit") });
    expect(again).toEqual(report);
    expect(words.match(/Warning: /g)).toHaveLength(2);
    expect(words).toMatch(/^Warning: .*its wasm exports _OrtInit[^]*armmt build --fresh/);
    const stock = readFileSync(new URL("../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm", import.meta.url));
    expect(readFileSync(join(folder, "runtime.wasm")).equals(stock)).toBe(true);
    const { models, snapshot } = decodeEdgeFile(read(folder));
    expect(snapshot).toBeUndefined();
    const graph = readFileSync(new URL("../../../model/student.onnx", import.meta.url));
    expect(models[0]!.model instanceof ArrayBuffer && graph.equals(Buffer.from(models[0]!.model))).toBe(true);
  });

  it("is quick for development: what is there, or onnxruntime-web's own file", async () => {
    expect(await buildEdge({ json: true, quick: true })).toMatchObject({ kind: "snapshot" });
    const report = await buildEdge({ json: true, quick: true, fresh: true, folder });
    expect(report).toMatchObject({ kind: "stock", seconds: expect.any(Number) });
    expect(report.reason).toBeUndefined();
  });
});

describe("readExportNames()", () => {
  it("finds what the installed version exports", () => {
    const glue = readFileSync(new URL("../../../node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.mjs", import.meta.url), "utf8");
    const { done, malloc, free } = readExportNames(glue);
    const names = [...Object.values(done), malloc, free];
    expect(new Set(names).size).toBe(9);
  });
});
