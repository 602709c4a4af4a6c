/** Several models in one isolate: real sessions side by side. */
import { expect, it } from "vitest";
import manifest from "../../model/manifest.json";
import model from "../../model/student.onnx";
import { warmUpList } from "../../src/inference/list-run.ts";
import { loadScorers, MAX_GRAPH_BYTES } from "../../src/inference/scorer.ts";
import { createWasmScorer } from "../harness/wasm-scorer.ts";

const other = { model, manifest: { ...manifest, version: "challenger" } };

it("serves the live model and others by version, and says which there are", async () => {
  const scorers = await loadScorers([{ model, manifest }, other], createWasmScorer);
  const live = scorers();
  const challenger = scorers("challenger");
  if (!live.ok || !challenger.ok) throw new Error("A model was not loaded");
  expect([live.value.manifest.version, challenger.value.manifest.version]).toEqual([manifest.version, "challenger"]);
  expect(scorers(manifest.version)).toEqual(live);
  const list = warmUpList(live.value.manifest);
  const [one, two] = await Promise.all([live.value.score(list), challenger.value.score(list)]);
  expect(one.ok && two.ok && [...one.value.score]).toEqual(two.ok ? [...two.value.score] : []);
  const missing = scorers("nowhere");
  expect(missing.ok ? undefined : missing.error).toEqual({
    reason: "model_unavailable",
    detail: `Model nowhere is not among ${manifest.version}, challenger`,
  });
});

it("leaves out what does not fit beside the others, and only that", async () => {
  const large = { model: new ArrayBuffer(MAX_GRAPH_BYTES), manifest: { ...manifest, version: "large" } };
  const scorers = await loadScorers([{ model, manifest }, large], createWasmScorer);
  expect(scorers().ok).toBe(true);
  expect(scorers("large").ok).toBe(false);
});

it("has no model where none is carried", async () => {
  const scorers = await loadScorers([], createWasmScorer);
  expect(scorers()).toMatchObject({ ok: false, error: { reason: "model_unavailable" } });
});
