/**
 * What a re-ranked search costs as the catalogue, the window and the hits of the reply grow, each alone; the others stay at 2,400 items,
 * K = 100 and hits as the products are. Large catalogues are the drawn one over and over under other ids.
 */
import type { Bench } from "./context.ts";
import type { Index } from "./edge.ts";
import type { Measurement } from "./measurement.ts";
import { differences, measured, median, placed } from "./measurement.ts";
import { residentMb } from "./resident.ts";
import { timeSearches } from "./searches.ts";
import { withShop } from "./shop.ts";

const WINDOW = 100;

interface Point {
  readonly index: Index;
  readonly chart: string;
  /** What it is called in the report. */
  readonly name: string;
  readonly x: string;
}

export async function benchScaling(bench: Bench): Promise<Measurement[]> {
  const { sizes, catalogueSizes, hitBytes } = bench.plan;
  const points: readonly Point[] = [
    ...catalogueSizes.map((items): Point => {
      const x = items.toLocaleString("en");
      return { index: { window: WINDOW, items }, chart: "scaling-catalogue", name: `catalogue of ${x} items`, x };
    }),
    ...sizes.map((window): Point => ({ index: { window }, chart: "scaling-window", name: `window of ${window}`, x: String(window) })),
    ...hitBytes.map((bytes): Point => {
      const x = `${bytes / 1000} kB`;
      return { index: { window: WINDOW, hitBytes: bytes }, chart: "scaling-reply", name: `hits of ${x}`, x };
    }),
  ];
  const indexes = points.map(({ index }) => index);
  return withShop(bench, indexes, async ({ edge, client, stores, nextQuery, history }) => {
    const progress = bench.progress("Scaling", points.length);
    const found: Measurement[] = [];
    for (const point of points) {
      const { reads } = await stores.counts();
      const mbBefore = residentMb(edge.pid);
      const rounds = bench.plan.scalingRounds;
      const times = await timeSearches(client, {
        index: point.index,
        rounds,
        warmUpRounds: Math.ceil(rounds / 5),
        maxSeconds: bench.plan.maxSeconds / 8,
        nextQuery,
        history,
        onRound: () => undefined,
      });
      progress.increment();
      const keys = (await stores.counts()).reads - reads;
      found.push(...describe(point, times));
      if (point.index.items === undefined) continue;
      found.push(
        measured(`KV keys read until warm, ${point.name}`, "count", [keys]),
        measured(`resident memory that it took, ${point.name}`, "MB", [residentMb(edge.pid) - mbBefore]),
      );
    }
    progress.stop();
    return found;
  });
}

function describe({ name, chart, x }: Point, { reranked, passthrough }: Awaited<ReturnType<typeof timeSearches>>): Measurement[] {
  const added = differences(reranked, passthrough);
  const peer = { peer: "passthrough, same round", p50: median(passthrough) };
  return [
    placed(measured(`search, passthrough, ${name}`, "ms", passthrough), chart, "passthrough", x),
    placed(measured(`search, re-ranked, ${name}`, "ms", reranked, peer), chart, "re-ranked", x),
    measured(`added time per search, ${name}`, "ms", added),
  ];
}
