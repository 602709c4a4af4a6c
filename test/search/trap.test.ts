/** A real trap of the real runtime under a real search. In a file of its own: onnxruntime is dead for the whole isolate afterwards. */
import { expect, it } from "vitest";

/** onnxruntime's linear memory, seen on its way into the module. */
const memories: WebAssembly.Memory[] = [];
const instantiate = WebAssembly.instantiate;
Object.defineProperty(WebAssembly, "instantiate", {
  value: (source: WebAssembly.Module, imports: WebAssembly.Imports) => {
    for (const value of Object.values(imports).flatMap((group) => Object.values(group))) {
      if (value instanceof WebAssembly.Memory) memories.push(value);
    }
    return instantiate(source, imports);
  },
  configurable: true,
  writable: true,
});

it("a search during which wasm traps gets the engine's page, and later ones no longer ask for the window", async () => {
  // Loaded only now: the model is loaded with them, which takes most of the test's time.
  const { WINDOW, demoShop, student, match, openEdge, outcomeOf, postJson, ENGINE_URL } = await import("./edge.ts");
  const { publish } = await import("./catalog.ts");
  await publish("trap");
  const edge = openEdge({ catalog: "trap", scorer: student });
  const search = postJson(match("red", { from: 3, size: 5 }));
  const expected = await (await demoShop(new Request(`${ENGINE_URL}/products/_search`, search))).text();
  expect(outcomeOf(await edge.send("/products/_search", search))).toBe("applied");

  for (const memory of memories) new Uint8Array(memory.buffer).fill(0xff); // every pointer now leads out of the memory

  // Another query, because the ranked list of the first is remembered.
  const blue = postJson(match("blue", { from: 3, size: 5 }));
  const trapped = await edge.send("/products/_search", blue);
  expect(outcomeOf(trapped)).toBe("model_trapped");
  expect(await trapped.text()).toBe(await (await demoShop(new Request(`${ENGINE_URL}/products/_search`, blue))).text());

  const later = await edge.send("/products/_search", search);
  expect(outcomeOf(later)).toBe("model_trapped");
  expect(await later.text()).toBe(expected);
  expect(edge.exchanges.map((exchange) => JSON.parse(exchange.body).size)).toEqual([WINDOW, WINDOW, 5]);
  expect(edge.counters.snapshot().searches).toEqual({ armmt: { applied: 1, model_trapped: 2 } });
}, 120_000);
