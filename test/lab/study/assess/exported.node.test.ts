/** The committed model, in the runtime that serves: its golden cases, and that its figures are the ones that the card and manifest state. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { openModel, verifyGolden } from "../../../../src/lab/study/assess/exported.ts";
import { run } from "../../../../src/lab/main.ts";

const MODEL = fileURLToPath(new URL("../../../../model", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "armmt-exported-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the committed model", () => {
  it("agrees with PyTorch on every golden case", async () => {
    const results = await verifyGolden(MODEL);
    expect(results.map(({ k }) => k)).toEqual(expect.arrayContaining([1, 2, 50, 100, 200]));
    for (const { error } of results) expect(error).toBeLessThanOrEqual(1e-4);
  });

  it("was trained, beats engine order on simulated searches, and says that they are simulated", async () => {
    const { manifest } = await openModel(MODEL);
    expect(manifest.trainedOn).toContain("simulated");
    expect(manifest.metrics["simulated test, nDCG@10, gain low"]).toBeGreaterThan(0);
    const card = readFileSync(join(MODEL, "RESULTS.md"), "utf8");
    expect(card).toContain(manifest.version);
    expect(card).toContain(`${manifest.metrics["simulated test, nDCG@10, armmt"]?.toFixed(4)}`);
  });

  it("is refused when a byte of the graph changed", async () => {
    for (const name of ["manifest.json", "golden.json"]) copyFileSync(join(MODEL, name), join(folder, name));
    const graph = readFileSync(join(MODEL, "student.onnx"));
    const at = graph.length >> 1; // in the middle of the weights
    graph[at] = graph[at]! ^ 1;
    writeFileSync(join(folder, "student.onnx"), graph);
    await expect(verifyGolden(folder)).rejects.toThrow(/SHA-256/);
  });
});

describe("armmt assess", () => {
  it("says which file is missing", async () => {
    expect(await run(["assess", "--model", join(folder, "nowhere")])).toBe(1);
    expect(await run(["assess", "--split", "yesterday"])).not.toBe(0);
  });
});
