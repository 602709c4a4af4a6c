/**
 * What a Worker serves with, in workerd: the models of models.json on the runtime that `armmt build` left. In a file of its own: the last
 * test ends onnxruntime for the whole isolate.
 */
import { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { describe, expect, it } from "vitest";
import goldenJson from "../../model/golden.json";
import manifest from "../../model/manifest.json";
import module from "../../.armmt/edge/runtime.wasm";
import { parseGolden } from "../../src/inference/golden.ts";
import { createFeeds } from "../../src/inference/list-run.ts";
import { loadModels } from "../../src/runtimes/cloudflare/models.ts";

const { cases, tolerance } = parseGolden(goldenJson);
// onnxruntime-web's own file exports no globals.
const isSlim = WebAssembly.Module.exports(module).some(({ kind }) => kind === "global");
const scorers = await loadModels();

function live() {
  const scorer = scorers();
  if (!scorer.ok) throw new Error(scorer.error.detail);
  return scorer.value;
}

describe("loadModels()", () => {
  it("serves the committed model", () => {
    expect(live().manifest).toEqual(manifest);
    expect(scorers(manifest.version).ok).toBe(true);
  });

  for (const { name, list, score, gate } of cases) {
    it(`scores ${name} as the training side did`, async () => {
      const scored = await live().score(list);
      if (!scored.ok) throw new Error(scored.error.detail);
      const off = (found: Float32Array, expected: Float32Array): number =>
        expected.reduce(
          (worst, value, i) =>
            list.mask[Math.floor((i * list.k) / expected.length)] === 0 ? worst : Math.max(worst, Math.abs(value - found[i]!)),
          0,
        );
      expect(off(scored.value.score, score)).toBeLessThan(tolerance);
      expect(off(scored.value.gate, gate)).toBeLessThan(tolerance);
    });
  }

  it("goes on after a list that onnxruntime refuses", async () => {
    const { list } = cases[0]!;
    const refused = await live().score({ ...list, mask: new Float32Array(list.k + 1) });
    expect(refused).toMatchObject({ ok: false, error: { reason: "model_failed" } });
    expect((await live().score(list)).ok).toBe(true);
  });

  it.skipIf(!isSlim)("traps outside its profile (skipped before `armmt build`)", async () => {
    const { list } = cases[0]!;
    const session = await InferenceSession.create(Uint8Array.of(0));
    await session.run(createFeeds(list, Tensor));
    // An option that no search of ours sets.
    const outside = session.run(createFeeds(list, Tensor), { extra: { session: { unheard_of: "1" } } });
    await expect(outside).rejects.toThrow(WebAssembly.RuntimeError);
  });
});
