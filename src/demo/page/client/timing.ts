/**
 * The time that re-ranking adds, measured from the browser: pairs of the same search with and without `x-armmt: off`, alternating which
 * comes first, so that a slow moment of the machine hits both. The model runs in each: a remembered list would flatter.
 */
import { search, type Search, type SearchOptions } from "./api.ts";
import { element, row } from "./dom.ts";

const PAIRS = 11;

export interface Timing {
  readonly pairs: number;
  /** Medians in milliseconds, seen from the browser. */
  readonly engineMs: number;
  readonly rerankedMs: number;
  /** Median of the differences within the pairs: steadier than the difference of the medians. */
  readonly addedMs: number;
}

/** Middle value, mean of the two middle ones; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** `samples`: [with `x-armmt: off`, without], in ms, measured one right after the other. */
export function summarise(samples: readonly (readonly [off: number, on: number])[]): Timing {
  return {
    pairs: samples.length,
    engineMs: median(samples.map(([off]) => off)),
    rerankedMs: median(samples.map(([, on]) => on)),
    addedMs: median(samples.map(([off, on]) => on - off)),
  };
}

/** Calls `onProgress` after each pair; ends early, silently, when `signal` fires. No explanations: shoppers do not ask for them. */
export async function measure(
  request: Search,
  options: SearchOptions & { readonly signal: AbortSignal },
  onProgress: (timing: Timing) => void,
): Promise<void> {
  const { explain: _, explainToken: __, ...shopper } = options;
  const samples: [number, number][] = [];
  const time = async (off: boolean): Promise<number> => (await search(request, { ...shopper, off, fresh: true })).elapsedMs;
  for (let pair = 0; pair < PAIRS && !options.signal.aborted; pair++) {
    const isOffFirst = pair % 2 === 0;
    const [first, second] = [await time(isOffFirst), await time(!isOffFirst)];
    samples.push(isOffFirst ? [first, second] : [second, first]);
    onProgress(summarise(samples));
  }
}

const ms = (value: number): string => `${value.toFixed(1).replace("-", "−")} ms`;

export function timingSheet(timing: Timing, window: number): HTMLElement[] {
  return [
    element(
      "dl",
      {},
      ...row("Engine order, passed through", ms(timing.engineMs)),
      ...row("Re-ranked", ms(timing.rerankedMs)),
      ...row("Difference within a pair", ms(timing.addedMs)),
    ),
    element(
      "p",
      {},
      `Medians of ${timing.pairs} alternating pairs, timed by this browser from the request to the last byte. The difference includes ` +
        `all of re-ranking: asking for ${window} hits instead of one page, vectors, model, new order.`,
    ),
  ];
}

/** A difference at or below zero is the noise of the machine. */
export function addedText(timing: Timing): string {
  return timing.addedMs > 0 ? ms(timing.addedMs) : "≈ 0 ms";
}
