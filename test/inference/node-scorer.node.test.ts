/** The bench compares runtimes, so all of them must compute the same. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createNodeScorer } from "../../src/inference/node-scorer.ts";
import { parseGolden } from "../../src/inference/golden.ts";

const inModel = (name: string) => readFileSync(new URL(`../../model/${name}`, import.meta.url));

const { cases, tolerance } = parseGolden(JSON.parse(inModel("golden.json").toString("utf8")));
const manifest: unknown = JSON.parse(inModel("manifest.json").toString("utf8"));
const model = Uint8Array.from(inModel("student.onnx"));

describe.each(["wasm", "native"] as const)("createNodeScorer() on the %s runtime", (runtime) => {
  it("agrees with the training side on every golden case", async () => {
    const created = await createNodeScorer({ model, manifest, runtime });
    if (!created.ok) throw new Error(created.error.detail);
    for (const { name, list, score } of cases) {
      const scored = await created.value.score(list);
      if (!scored.ok) throw new Error(`${name}: ${scored.error.detail}`);
      const errors = Array.from(score, (expected, i) => (list.mask[i] === 0 ? 0 : Math.abs(expected - scored.value.score[i]!)));
      expect(Math.max(...errors), name).toBeLessThanOrEqual(tolerance);
    }
  });
});
