/**
 * LambdaMART as a server such as Metarank runs it, in JavaScript: a forest of LightGBM's shape (leaf-wise grown trees, `value <= threshold`
 * goes left) walked for every candidate of a list. A peer for time, made from a seed: it ranks nothing.
 */
import { xorshift } from "../../cli/build/sample-list.ts";

export interface ForestSize {
  readonly trees: number;
  /** Per tree. */
  readonly leaves: number;
  /** Per candidate. */
  readonly features: number;
}

/** Inner nodes of all trees, one after the other. A child >= 0 is an inner node; below that, leaf number -1 - child. */
export interface Forest {
  readonly roots: Int32Array; // [trees]
  readonly feature: Int32Array; // [nodes]
  readonly threshold: Float64Array; // [nodes]
  readonly left: Int32Array; // [nodes]
  readonly right: Int32Array; // [nodes]
  readonly leaves: Float64Array; // [trees · leaves]
}

/** Leaf-wise: a leaf chosen at random is split until there are enough, so depths differ as LightGBM's do. */
export function createForest({ trees, leaves, features }: ForestSize, seed: number): Forest {
  const next = xorshift(seed);
  const inner = leaves - 1;
  const forest = {
    roots: new Int32Array(trees),
    feature: new Int32Array(trees * inner),
    threshold: new Float64Array(trees * inner),
    left: new Int32Array(trees * inner),
    right: new Int32Array(trees * inner),
    leaves: Float64Array.from({ length: trees * leaves }, () => next() - 0.5),
  };
  for (let tree = 0; tree < trees; tree++) {
    const firstNode = tree * inner;
    const firstLeaf = tree * leaves;
    /** Where each leaf hangs. */
    const places: { readonly side: Int32Array; readonly node: number }[] = [{ side: forest.roots, node: tree }];
    for (let split = 0; split < inner; split++) {
      const node = firstNode + split;
      const chosen = Math.floor(next() * places.length);
      const { side, node: parent } = places[chosen]!;
      side[parent] = node;
      forest.feature[node] = Math.floor(next() * features);
      forest.threshold[node] = next() * 2 - 1;
      places[chosen] = { side: forest.left, node };
      places.push({ side: forest.right, node });
    }
    for (const [leaf, { side, node }] of places.entries()) side[node] = -1 - (firstLeaf + leaf);
  }
  return forest;
}

/** Scores of k candidates; `values` is [k, features], row by row. */
export function scoreForest(forest: Forest, values: Float32Array, features: number): Float64Array {
  const { roots, feature, threshold, left, right, leaves } = forest;
  const scores = new Float64Array(values.length / features);
  for (let candidate = 0; candidate < scores.length; candidate++) {
    const row = candidate * features;
    let score = 0;
    for (const root of roots) {
      let node = root;
      while (node >= 0) node = values[row + feature[node]!]! <= threshold[node]! ? left[node]! : right[node]!;
      score += leaves[-1 - node]!;
    }
    scores[candidate] = score;
  }
  return scores;
}
