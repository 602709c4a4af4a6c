/** Inside workerd, where the Worker warms up at module scope. */
import { expect, it } from "vitest";
import { loadModels } from "../../../src/runtimes/cloudflare/models.ts";
import { warmUp, SEARCHES } from "../../../src/runtimes/cloudflare/warm-up.ts";
import { bypass } from "../../../src/result.ts";

it("re-ranks all of its searches, as the real path does", async () => {
  expect(await warmUp(await loadModels())).toBe(SEARCHES);
});

it("leaves the timers as they were, also when it cannot be carried out", async () => {
  const { setTimeout: before, clearTimeout: clear } = globalThis;
  await expect(warmUp(() => bypass("model_unavailable", "There is no model"))).rejects.toThrow("There is no model");
  const traps = await loadModels();
  await warmUp((version) => {
    const scorer = traps(version);
    return scorer.ok ? { ok: true, value: { ...scorer.value, score: () => Promise.reject(new Error("broken")) } } : scorer;
  }).then((applied) => expect(applied).toBe(0));
  expect(globalThis.setTimeout).toBe(before);
  expect(globalThis.clearTimeout).toBe(clear);
  await new Promise((resolve) => setTimeout(resolve, 1));
});
