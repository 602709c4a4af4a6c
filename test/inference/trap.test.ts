/** A real trap in the real runtime. In a file of its own: it ends onnxruntime for the whole isolate, as it would in production. */
import { expect, it } from "vitest";
import manifest from "../../model/manifest.json";
import student from "../../model/student.onnx";
import { warmUpList } from "../../src/inference/list-run.ts";
import { parseManifest } from "../../src/inference/manifest.ts";
import { createWasmScorer } from "../harness/wasm-scorer.ts";

/** onnxruntime's linear memory, seen on its way into the module. */
function watchMemory(): () => Uint8Array {
  const seen: WebAssembly.Memory[] = [];
  const original = WebAssembly.instantiate;
  const watch = (source: WebAssembly.Module, imports: WebAssembly.Imports) => {
    for (const value of Object.values(imports).flatMap((group) => Object.values(group))) {
      if (value instanceof WebAssembly.Memory) seen.push(value);
    }
    return original(source, imports);
  };
  Object.defineProperty(WebAssembly, "instantiate", { value: watch, configurable: true, writable: true });
  return () => {
    if (seen[0] === undefined) throw new Error("onnxruntime did not ask for memory");
    return new Uint8Array(seen[0].buffer);
  };
}

it("createWasmScorer() says model_trapped after a trap, for that call and every later one", async () => {
  const memory = watchMemory();
  const created = await createWasmScorer({ model: student, manifest });
  const parsed = parseManifest(manifest);
  if (!created.ok || !parsed.ok) throw new Error("The model that should be broken cannot be created");
  const list = warmUpList(parsed.value);
  expect(await created.value.score(list)).toMatchObject({ ok: true });

  memory().fill(0xff); // every pointer of the runtime now leads out of its memory

  const first = await created.value.score(list);
  expect(first).toMatchObject({ ok: false, error: { reason: "model_trapped" } });
  expect(first.ok ? "" : first.error.detail).toMatch(/^onnxruntime trapped \(.*(out of bounds|unreachable|signature).*deploy again/);
  expect(await created.value.score(list)).toEqual(first);
  expect(await createWasmScorer({ model: student, manifest })).toEqual(first);
});
