/**
 * The time the edge takes, measured from outside the isolate: pairs of the same search with and without `x-armmt: off`, alternating
 * which comes first, so that a slow moment of the machine hits both. Every one has the model run: a remembered list would flatter.
 */
import { search, type Search, type SearchOptions } from "./api.ts";
import { element } from "./dom.ts";
import { summarise, type Timing } from "./movement.ts";

const PAIRS = 11;

/** Calls `onProgress` after each pair; ends early, silently, when `signal` fires. Explanations are left off: shoppers do not ask for them. */
export async function measure(
  request: Search,
  options: SearchOptions & { readonly signal: AbortSignal },
  onProgress: (timing: Timing) => void,
): Promise<void> {
  const { explain: _, explainToken: __, ...shopper } = options;
  const samples: [number, number][] = [];
  const time = async (off: boolean): Promise<number> => (await search(request, { ...shopper, off, fresh: true })).elapsedMs;
  for (let pair = 0; pair < PAIRS && !options.signal.aborted; pair++) {
    if (pair % 2 === 0) {
      const off = await time(true);
      samples.push([off, await time(false)]);
    } else {
      const on = await time(false);
      samples.push([await time(true), on]);
    }
    onProgress(summarise(samples));
  }
}

const ms = (value: number): string => `${value.toFixed(1).replace("-", "−")} ms`;

const row = (term: string, value: number): HTMLElement[] => [element("dt", {}, term), element("dd", {}, ms(value))];

export function timingSheet(timing: Timing, window: number): HTMLElement[] {
  return [
    element(
      "dl",
      {},
      ...row("Engine order, passed through", timing.engineMs),
      ...row("Re-ranked", timing.rerankedMs),
      ...row("Difference within a pair", timing.addedMs),
    ),
    element(
      "p",
      {},
      `Medians of ${timing.pairs} alternating pairs, timed by this browser from the request to the last byte. The difference holds ` +
        `everything re-ranking takes: asking for ${window} hits instead of one page, vectors, model, new order.`,
    ),
  ];
}

/** A difference at or below zero is the noise of the machine. */
export function addedText(timing: Timing): string {
  return timing.addedMs > 0 ? ms(timing.addedMs) : "≈ 0 ms";
}
