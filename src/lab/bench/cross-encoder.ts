/**
 * A text cross-encoder of the size of MiniLM-L6 (6 layers, hidden 384, 12 heads, FFN 1536), which reads a query and a title together, one
 * pair of 64 tokens per candidate. The usual re-ranker on a server, here as a peer for time.
 *
 * Its weights are random: the time of a run does not depend on them. For the same reason the word table has 1,000 rows, where MiniLM's has
 * 30,522, and there is no padding mask.
 */
import type { Graph, GraphNode, Initializer } from "./onnx-graph.ts";
import { xorshift } from "../../cli/build/sample-list.ts";

export const PAIR_TOKENS = 64;

export const WORDS = 1000;

export const CROSS_ENCODER_INPUT = "token_ids";

interface Size {
  readonly layers: number;
  readonly hidden: number;
  readonly heads: number;
  readonly expansion: number;
}

export const MINILM_L6: Size = { layers: 6, hidden: 384, heads: 12, expansion: 1536 };

/** Input [B, 64] int32 below WORDS, output `score` [B, 1]. */
export function createCrossEncoder({ layers, hidden, heads, expansion }: Size = MINILM_L6): Graph {
  const next = xorshift(7);
  const initializers: Initializer[] = [];
  const nodes: GraphNode[] = [];
  const perHead = hidden / heads;

  const weight = (name: string, ...dims: number[]): string => {
    const scale = Math.sqrt(1 / dims[0]!);
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, () => (next() * 2 - 1) * scale);
    initializers.push({ name, dims, values });
    return name;
  };
  const constant = (name: string, value: number): string => {
    initializers.push({ name, dims: [], values: Float32Array.of(value) });
    return name;
  };
  const shape = (name: string, ...dims: number[]): string => {
    initializers.push({ name, dims: [dims.length], values: BigInt64Array.from(dims, BigInt) });
    return name;
  };
  let count = 0;
  const node = (type: string, inputs: readonly string[], attributes?: GraphNode["attributes"]): string => {
    const output = `${type}-${count++}`;
    nodes.push({ type, inputs, output, ...(attributes !== undefined && { attributes }) });
    return output;
  };
  const linear = (name: string, x: string, from: number, to: number): string =>
    node("Add", [node("MatMul", [x, weight(`${name}.weight`, from, to)]), weight(`${name}.bias`, to)]);
  const normed = (name: string, x: string): string =>
    node("LayerNormalization", [x, weight(`${name}.gain`, hidden), weight(`${name}.shift`, hidden)], { axis: 2, epsilon: 1e-12 });

  const [half, one, root, scale] = [
    constant("half", 0.5),
    constant("one", 1),
    constant("root", Math.SQRT2),
    constant("scale", perHead ** -0.5),
  ];
  const split = shape("split", 0, 0, heads, perHead);
  const merged = shape("merged", 0, 0, hidden);
  const headsOf = (x: string, perm: readonly number[]): string => node("Transpose", [node("Reshape", [x, split])], { perm });
  const gelu = (x: string): string => node("Mul", [node("Mul", [x, half]), node("Add", [node("Erf", [node("Div", [x, root])]), one])]);

  const embedded = node("Gather", [weight("words", WORDS, hidden), CROSS_ENCODER_INPUT], { axis: 0 });
  let x = normed("embedding", node("Add", [embedded, weight("positions", PAIR_TOKENS, hidden)])); // [B, 64, hidden]
  for (let layer = 0; layer < layers; layer++) {
    const query = headsOf(linear(`${layer}.query`, x, hidden, hidden), [0, 2, 1, 3]);
    const key = headsOf(linear(`${layer}.key`, x, hidden, hidden), [0, 2, 3, 1]);
    const value = headsOf(linear(`${layer}.value`, x, hidden, hidden), [0, 2, 1, 3]);
    const attention = node("Softmax", [node("Mul", [node("MatMul", [query, key]), scale])], { axis: 3 });
    const attended = node("Reshape", [node("Transpose", [node("MatMul", [attention, value])], { perm: [0, 2, 1, 3] }), merged]);
    x = normed(`${layer}.attention`, node("Add", [x, linear(`${layer}.out`, attended, hidden, hidden)]));
    const forward = linear(`${layer}.down`, gelu(linear(`${layer}.up`, x, hidden, expansion)), expansion, hidden);
    x = normed(`${layer}.forward`, node("Add", [x, forward]));
  }
  initializers.push({ name: "first", dims: [], values: BigInt64Array.of(0n) });
  const pooled = node("Tanh", [linear("pooler", node("Gather", [x, "first"], { axis: 1 }), hidden, hidden)]); // [B, hidden]
  nodes.push({ type: "Identity", inputs: [linear("classifier", pooled, hidden, 1)], output: "score" });
  return {
    inputs: [{ name: CROSS_ENCODER_INPUT, type: "int32", dims: ["B", PAIR_TOKENS] }],
    output: { name: "score", type: "float32", dims: ["B", 1] },
    initializers,
    nodes,
  };
}

/** Numbers that the run computes with, as in "22 million parameters"; of the word table only WORDS rows are there. */
export function parametersOf({ initializers }: Graph): number {
  return initializers.reduce((sum, { values }) => sum + (values instanceof Float32Array ? values.length : 0), 0);
}
