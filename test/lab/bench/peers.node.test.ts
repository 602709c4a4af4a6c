/** The peers of the bench do the work that they are timed for. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe, expect, it } from "vitest";
import {
  createCrossEncoder,
  CROSS_ENCODER_INPUT,
  MINILM_L6,
  PAIR_TOKENS,
  parametersOf,
  WORDS,
} from "../../../src/lab/bench/cross-encoder.ts";
import type { Forest } from "../../../src/lab/bench/forest.ts";
import { createForest, scoreForest } from "../../../src/lab/bench/forest.ts";
import { xorshift } from "../../../src/cli/build/sample-list.ts";
import { countNodes, writeGraph } from "../../../src/lab/bench/onnx-graph.ts";
import { openWebWasm } from "../../../src/inference/web-wasm.ts";

describe("createForest()", () => {
  const size = { trees: 20, leaves: 31, features: 18 };
  const forest = createForest(size, 1);

  /** Leaves below a node, and the longest way to one. */
  function shapeOf(node: number): { readonly leaves: readonly number[]; readonly depth: number } {
    if (node < 0) return { leaves: [-1 - node], depth: 0 };
    const [left, right] = [shapeOf(forest.left[node]!), shapeOf(forest.right[node]!)];
    return { leaves: [...left.leaves, ...right.leaves], depth: 1 + Math.max(left.depth, right.depth) };
  }

  it("grows trees of 31 leaves, each leaf in one place, deeper than balanced ones", () => {
    const shapes = [...forest.roots].map(shapeOf);
    expect(shapes.flatMap(({ leaves }) => leaves).toSorted((a, b) => a - b)).toEqual([...Array(size.trees * size.leaves).keys()]);
    for (const { leaves } of shapes) expect(leaves).toHaveLength(31);
    expect(Math.max(...shapes.map(({ depth }) => depth))).toBeGreaterThan(Math.ceil(Math.log2(31)));
  });

  it("is scored as a walk from root to leaf, summed over the trees", () => {
    const walk = ({ feature, threshold, left, right, leaves }: Forest, node: number, row: readonly number[]): number =>
      node < 0 ? leaves[-1 - node]! : walk(forest, row[feature[node]!]! <= threshold[node]! ? left[node]! : right[node]!, row);
    const next = xorshift(2);
    const rows = Array.from({ length: 7 }, () => Array.from({ length: size.features }, () => Math.fround(next() * 2 - 1)));
    const expected = rows.map((row) => [...forest.roots].reduce((sum, root) => sum + walk(forest, root, row), 0));
    expect([...scoreForest(forest, Float32Array.from(rows.flat()), size.features)]).toEqual(expected);
  });
});

describe("createCrossEncoder()", () => {
  it("has the weights of MiniLM-L6 but for its words", () => {
    const [hidden, expansion] = [384, 1536];
    const attention = 4 * (hidden * hidden + hidden);
    const forward = 2 * hidden * expansion + expansion + hidden;
    const layer = attention + forward + 2 * 2 * hidden;
    const pooler = hidden * hidden + hidden;
    const scalars = 4; // of attention and GELU
    const total = (WORDS + PAIR_TOKENS) * hidden + 2 * hidden + 6 * layer + pooler + hidden + 1 + scalars;
    expect(parametersOf(createCrossEncoder(MINILM_L6))).toBe(total);
  });

  it("gives one finite score per pair that depends on the pair", async () => {
    const graph = createCrossEncoder({ layers: 2, hidden: 16, heads: 2, expansion: 32 });
    const bytes = writeGraph(graph);
    expect(countNodes(bytes)).toBe(graph.nodes.length);
    const wasm = createRequire(import.meta.url).resolve("onnxruntime-web/ort-wasm-simd-threaded.wasm");
    const runtime = await openWebWasm({ wasmBinary: async () => readFileSync(wasm) });
    const session = await runtime.createSession(bytes.buffer);
    const pairs = [1, 2, 1].flatMap((word) => Array.from({ length: PAIR_TOKENS }, (_, i) => (word * (i + 1)) % WORDS));
    const outputs = await session.run({ [CROSS_ENCODER_INPUT]: new runtime.TensorOf("int32", Int32Array.from(pairs), [3, PAIR_TOKENS]) });
    expect(outputs["score"]?.dims).toEqual([3, 1]);
    const [first, second, again] = [...(outputs["score"]?.data ?? [])].map(Number);
    expect(first).toBeCloseTo(again!, 5);
    expect(Math.abs(first! - second!)).toBeGreaterThan(1e-4);
    await session.release();
  });

  it("is refused where there is no graph", () => {
    expect(() => countNodes(Uint8Array.of(8, 7))).toThrow("no graph");
  });
});
