/**
 * The golden cases through the scorer that serves, in whatever runtime this is called: the same code in a page, a worker, Node and Deno.
 * Not a test of its own.
 */
import { type Golden, type GoldenCase, proofOf } from "../../src/inference/golden.ts";
import { openProviderScorer, type ProviderScorerOptions, type ProviderState } from "../../src/inference/providers.ts";
import type { ModelFiles, Scorer } from "../../src/inference/scorer.ts";

export interface GoldenRow extends ProviderState {
  readonly cases: number;
  /** Over scores and fusion weights of all cases. */
  readonly maxError: number;
  /** Median of a run on a hundred candidates. */
  readonly msPerRun: number;
}

export interface GoldenOptions extends ModelFiles, Pick<ProviderScorerOptions, "gpu" | "preference" | "runtimes"> {
  readonly golden: Golden;
  /** Of the cases to score, without it all. */
  readonly names?: readonly string[];
  /** Runs to take the time of. */
  readonly runs: number;
}

/** Throws with the detail of whatever does not work. */
export async function scoreGolden({ golden, names, runs, ...options }: GoldenOptions): Promise<GoldenRow> {
  // SwiftShader compiles for half a minute on a busy machine, and a run takes seconds.
  const timeouts = { startTimeoutMs: 240_000, runTimeoutMs: 240_000 };
  const opened = await openProviderScorer({ ...options, ...timeouts, proof: proofOf(golden), log: (entry) => console.error(entry) });
  if (!opened.ok) throw new Error(opened.error.detail);
  const scorer = opened.value;
  const cases = names === undefined ? golden.cases : golden.cases.filter(({ name }) => names.includes(name));
  const maxError = await worstError(scorer, cases);
  const { list } = golden.cases.find(({ name }) => name === "a hundred candidates")!;
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const startedAt = performance.now();
    const scored = await scorer.score(list);
    times.push(performance.now() - startedAt);
    if (!scored.ok) throw new Error(scored.error.detail);
  }
  const row = { ...scorer.state(), cases: cases.length, maxError, msPerRun: times.toSorted((a, b) => a - b)[runs >> 1]! };
  await scorer.dispose();
  return row;
}

/** Over scores and fusion weights of the candidates that the mask keeps. Throws where a case gets no scores. */
export async function worstError(scorer: Scorer, cases: readonly GoldenCase[]): Promise<number> {
  let worst = 0;
  for (const { name, list, score, gate } of cases) {
    const scored = await scorer.score(list);
    if (!scored.ok) throw new Error(`${name}: ${scored.error.detail}`);
    const note = (candidate: number, error: number): void => {
      if (list.mask[candidate] !== 0) worst = Math.max(worst, Math.abs(error));
    };
    score.forEach((value, i) => note(i, value - scored.value.score[i]!));
    gate.forEach((value, i) => note(i >> 1, value - scored.value.gate[i]!));
  }
  return worst;
}
