/**
 * The page's requests, as any client of the shop would send them: Elasticsearch's `_search` with the `x-armmt` headers, and
 * `/catalog.json`. Replies are parsed once with valibot and trusted afterwards.
 */
import * as v from "valibot";
import { DEVICE_HEADER, formatHistory, HISTORY_HEADER, OFF, OUTCOME_HEADER, parseOutcomes } from "../../../runtimes/browser/index.ts";

const sourceSchema = v.object({
  title: v.string(),
  category: v.optional(v.string()),
  price: v.optional(v.number()),
  rating: v.optional(v.number()),
  rating_count: v.optional(v.number()),
  in_stock: v.optional(v.boolean()),
  image: v.string(),
});

const explainedSchema = v.object({
  id: v.string(),
  /** 1-based, in the engine's order. */
  rank: v.number(),
  /** 1-based, as shown. */
  position: v.number(),
  /** Parts of what the model reads, and how many places each lifts the product. Absent where the search was not re-ranked. */
  why: v.nullish(v.array(v.object({ part: v.string(), places: v.number() }))),
});

const replySchema = v.object({
  hits: v.object({
    total: v.object({ value: v.number(), relation: v.string() }),
    hits: v.array(v.object({ _id: v.string(), _source: sourceSchema })),
  }),
  armmt: v.optional(
    v.object({
      history: v.optional(v.object({ given: v.number(), known: v.number() })),
      items: v.optional(v.array(explainedSchema), []),
    }),
  ),
});

export interface Product extends v.InferOutput<typeof sourceSchema> {
  readonly id: string;
}

/** Throws (valibot's message) where the JSON is not a search reply. `isLowerBound`: the engine stopped counting at `total`. */
export function parsePage(json: unknown) {
  const { hits, armmt } = v.parse(replySchema, json);
  return {
    total: hits.total.value,
    isLowerBound: hits.total.relation !== "eq",
    products: hits.hits.map(({ _id: id, _source: source }): Product => ({ id, ...source })),
    explained: new Map((armmt?.items ?? []).map((item) => [item.id, item])),
    history: armmt?.history,
  };
}

export type Page = ReturnType<typeof parsePage>;

/** Reads `provider=wasm; engine=network`, the header of the service worker. `engine`: source of the engine's list, network or device. */
function parseDevice(header: string | null) {
  const provider = /provider=(\w+)/.exec(header ?? "")?.[1];
  return provider === undefined ? undefined : { provider, engine: /engine=(\w+)/.exec(header ?? "")?.[1] };
}

export type Sort = "relevance" | "price-asc" | "price-desc";

export interface Search {
  readonly query: string;
  /** Shown whole where there is no query; empty for all products. */
  readonly category: string;
  readonly sort: Sort;
  readonly from: number;
  readonly size: number;
}

export interface SearchOptions {
  /** Recently viewed product ids, most recent first. */
  readonly history?: readonly string[];
  /** Ask the edge to leave the engine's order alone. */
  readonly off?: boolean;
  readonly explain?: boolean;
  /** Admin token of the local demo, without which the edge explains nothing. The worker on the device has its own. */
  readonly explainToken?: string | undefined;
  /** Have the model run again although the edge remembers the list of this search. */
  readonly fresh?: boolean;
  /** This visit, for the demo's experiment. */
  readonly session?: string | undefined;
  readonly signal?: AbortSignal;
}

const pageQuery = (category: string): object => (category === "" ? { match_all: {} } : { bool: { filter: [{ term: { category } }] } });

/** Throws with a sentence for the shopper where there is no list to show. */
export async function search({ query, category, sort, from, size }: Search, options: SearchOptions = {}) {
  const { history = [], off = false, explain = false, explainToken, fresh = false, session, signal = null } = options;
  const headers = new Headers({ "content-type": "application/json" });
  if (session !== undefined) headers.set("x-armmt-session", session);
  if (off) headers.set(OUTCOME_HEADER, OFF);
  if (fresh) headers.set("cache-control", "no-cache");
  if (history.length > 0) headers.set(HISTORY_HEADER, formatHistory(history));
  if (explainToken !== undefined) headers.set("authorization", `Bearer ${explainToken}`);
  const body = JSON.stringify({
    query: query !== "" ? { multi_match: { query, fields: ["title^2", "category"] } } : pageQuery(category),
    from,
    size,
    ...(sort === "relevance" ? {} : { sort: [{ price: sort === "price-asc" ? "asc" : "desc" }] }),
  });
  const started = performance.now();
  const response = await fetch(`/products/_search${explain ? "?armmt_explain" : ""}`, { method: "POST", headers, body, signal });
  const text = await response.text();
  const elapsedMs = performance.now() - started;
  if (!response.ok) throw new Error(`The search answered with status ${response.status}: ${text.slice(0, 200)}`);
  const [parsed] = parseOutcomes(response.headers.get(OUTCOME_HEADER) ?? "");
  // Absent: no edge in between, because the page was opened at the shop itself. Only the outcomes of many searches are counted.
  const outcome = parsed === undefined || "count" in parsed ? { kind: "absent" as const } : parsed;
  return {
    page: parsePage(JSON.parse(text)),
    outcome,
    /** For the clicks that follow; undefined where the edge takes no events. */
    token: response.headers.get("x-armmt-events") ?? undefined,
    /** Answered by the service worker on this device; undefined where the network did. */
    device: parseDevice(response.headers.get(DEVICE_HEADER)),
    /** From sending to the last byte, in this browser. */
    elapsedMs,
  };
}

export type Answer = Awaited<ReturnType<typeof search>>;

/** Tells the edge that a product was chosen. `tokens`: those of the pages that showed it, separated by commas. */
export async function sendClick(tokens: string, productId: string): Promise<void> {
  const event = { token: tokens, action_name: "click", event_attributes: { object: { object_id: productId } } };
  try {
    await fetch("/events", { method: "POST", keepalive: true, body: JSON.stringify([event]) });
  } catch {
    // The page does not depend on it.
  }
}

const PAIRS = 11;

/** Middle value, mean of the two middle ones; NaN for none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}

/** Medians in ms. `samples`: [with `x-armmt: off`, without], measured one right after the other. */
export function summarise(samples: readonly (readonly [off: number, on: number])[]) {
  return {
    pairs: samples.length,
    engineMs: median(samples.map(([off]) => off)),
    rerankedMs: median(samples.map(([, on]) => on)),
    /** Of the differences within the pairs: steadier than the difference of the medians. */
    addedMs: median(samples.map(([off, on]) => on - off)),
  };
}

export type Timing = ReturnType<typeof summarise>;

/**
 * The time that re-ranking adds, measured from the browser: pairs of the same search with and without `x-armmt: off`, alternating which
 * comes first, so that a slow moment of the machine hits both. The model runs in each: a remembered list would flatter. Nothing is
 * explained: shoppers do not ask for it. And nobody looks at these lists, so they belong to no visit. Calls `onProgress` after each pair; ends early, silently, when `signal` fires.
 */
export async function measure(
  request: Search,
  options: SearchOptions & { readonly signal: AbortSignal },
  onProgress: (timing: Timing) => void,
): Promise<void> {
  const { explain: _, explainToken: __, session: ___, ...shopper } = options;
  const samples: [number, number][] = [];
  const time = async (off: boolean): Promise<number> => (await search(request, { ...shopper, off, fresh: true })).elapsedMs;
  for (let pair = 0; pair < PAIRS && !options.signal.aborted; pair++) {
    const isOffFirst = pair % 2 === 0;
    const [first, second] = [await time(isOffFirst), await time(!isOffFirst)];
    samples.push(isOffFirst ? [first, second] : [second, first]);
    onProgress(summarise(samples));
  }
}

const catalogSchema = v.object({
  name: v.string(),
  note: v.optional(v.string()),
  count: v.number(),
  /** Width over height at which pictures are shown, e.g. 1 or 0.75. */
  pictureAspect: v.optional(v.number(), 1),
  exampleQueries: v.optional(v.array(v.string()), []),
  /** Most products first. */
  categories: v.optional(v.array(v.object({ name: v.string() })), []),
  /** Lets this page ask for explanations; only a local demo has one. */
  explainToken: v.optional(v.string()),
});

export type Catalog = v.InferOutput<typeof catalogSchema>;

export const parseCatalog = (json: unknown): Catalog => v.parse(catalogSchema, json);

export async function fetchCatalog(): Promise<Catalog> {
  const response = await fetch("/catalog.json");
  if (!response.ok) throw new Error(`The shop's catalogue answered with status ${response.status}`);
  return parseCatalog(await response.json());
}
