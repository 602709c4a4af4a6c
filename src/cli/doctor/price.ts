/** What a window costs beside the shopper's own request, as the edge sends both: by the engine's own clock and by ours. */

/** As the edge sent it. */
export interface SentRequest {
  readonly url: string;
  readonly init: RequestInit;
}

/** Medians. */
interface Cost {
  /** By the engine's own clock, where the reply says. */
  readonly tookMs: number | undefined;
  /** Until the whole reply is here. */
  readonly ms: number;
  readonly kB: number;
}

export interface Price {
  readonly label: string;
  readonly window: number;
  readonly own: Cost;
  readonly wide: Cost;
}

/** Own and wide take turns, after one of each that is not counted: caches of the engine are warm for both. */
export async function priceOf(
  label: string,
  window: number,
  { own, wide }: Readonly<Record<"own" | "wide", SentRequest>>,
  repeat: number,
): Promise<Price> {
  const taken = { own: [] as Cost[], wide: [] as Cost[] };
  for (let i = 0; i <= repeat; i++) {
    for (const [kind, request] of [
      ["own", own],
      ["wide", wide],
    ] as const) {
      const cost = await costOf(request); // oxlint-disable-line no-await-in-loop
      if (i > 0) taken[kind].push(cost);
    }
  }
  return { label, window, own: median(taken.own), wide: median(taken.wide) };
}

async function costOf({ url, init: { signal: _ended, ...init } }: SentRequest): Promise<Cost> {
  const startedAt = performance.now();
  const text = await (await fetch(url, init)).text();
  return { tookMs: tookIn(text), ms: performance.now() - startedAt, kB: Buffer.byteLength(text) / 1000 };
}

/** Elasticsearch and OpenSearch, Solr, Algolia and Meilisearch, Typesense. */
const TOOK = /"(?:took|QTime|processingTimeMS|processingTimeMs|search_time_ms)"\s*:\s*(\d+)/;

function tookIn(text: string): number | undefined {
  const found = TOOK.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

const middle = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

function median(costs: readonly Cost[]): Cost {
  const took = costs.flatMap(({ tookMs }) => tookMs ?? []);
  return {
    tookMs: took.length === 0 ? undefined : middle(took),
    ms: middle(costs.map(({ ms }) => ms)),
    kB: middle(costs.map(({ kB }) => kB)),
  };
}
