/**
 * Talks to the edge as any client of the shop would: Elasticsearch's `_search` plus the `x-armmt` headers.
 */
import { type Catalog, type DeviceAnswer, type Outcome, type Page, parseCatalog, parseDevice, parseOutcome, parsePage } from "./reply.ts";

export type Sort = "relevance" | "price-asc" | "price-desc";

export interface Search {
  readonly query: string;
  readonly sort: Sort;
  readonly from: number;
  readonly size: number;
}

export interface SearchOptions {
  /** Recently viewed product ids, most recent first. */
  readonly history?: readonly string[];
  /** Ask the edge to leave the engine's order alone. */
  readonly off?: boolean;
  /** Ask for an explanation beside the list. */
  readonly explain?: boolean;
  /** Admin token of the local demo: the edge explains itself to nobody else. The worker on the device has one of its own. */
  readonly explainToken?: string | undefined;
  /** Have the model run again although the list of this search is remembered. */
  readonly fresh?: boolean;
  readonly signal?: AbortSignal;
}

export interface Answer {
  readonly page: Page;
  readonly outcome: Outcome;
  /** Answered by the service worker on this device; undefined where the network did. */
  readonly device: DeviceAnswer | undefined;
  /** From sending to the last byte, in this browser. */
  readonly elapsedMs: number;
}

function requestBody({ query, sort, from, size }: Search): string {
  const order = sort === "price-asc" ? "asc" : "desc";
  return JSON.stringify({
    query: query === "" ? { match_all: {} } : { multi_match: { query, fields: ["title^2", "category"] } },
    from,
    size,
    ...(sort === "relevance" ? {} : { sort: [{ price: order }] }),
  });
}

/** Throws with a sentence for the shopper where there is no list to show. */
export async function search(request: Search, options: SearchOptions = {}): Promise<Answer> {
  const headers = new Headers({ "content-type": "application/json" });
  if (options.off === true) headers.set("x-armmt", "off");
  if (options.fresh === true) headers.set("cache-control", "no-cache");
  const history = options.history ?? [];
  if (history.length > 0) headers.set("x-armmt-history", history.map(encodeURIComponent).join(","));
  if (options.explainToken !== undefined) headers.set("authorization", `Bearer ${options.explainToken}`);
  const url = options.explain === true ? "/products/_search?armmt_explain" : "/products/_search";
  const started = performance.now();
  const response = await fetch(url, { method: "POST", headers, body: requestBody(request), signal: options.signal ?? null });
  const text = await response.text();
  const elapsedMs = performance.now() - started;
  if (!response.ok) throw new Error(`The search answered with status ${response.status}: ${text.slice(0, 200)}`);
  const json: unknown = JSON.parse(text);
  const outcome = parseOutcome(response.headers.get("x-armmt") ?? undefined);
  return { page: parsePage(json), outcome, device: parseDevice(response.headers.get("x-armmt-device") ?? undefined), elapsedMs };
}

export async function fetchCatalog(): Promise<Catalog> {
  const response = await fetch("/catalog.json");
  if (!response.ok) throw new Error(`The shop's catalogue answered with status ${response.status}`);
  return parseCatalog(await response.json());
}
