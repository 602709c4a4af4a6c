/**
 * The edge inside a browser: the same app as at the CDN (../../edge.ts), with the page's own origin as its engine, files instead of KV, and a
 * sink that records nothing.
 *
 * The shopper's history is a header of the request to the app and goes no further: headers are sent to the engine by allow-list
 * (backends/engine.ts), and that header is on none.
 */
import * as v from "valibot";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { openEdge } from "../../edge.ts";
import type { Fetch } from "../../backends/engine.ts";
import type { KvReader } from "../../embeddings/store.ts";
import type { RetryingSink } from "../../events/sink.ts";
import type { Scorers } from "../../inference/scorer.ts";
import { EXPLAIN_PARAM, formatHistory, HISTORY_HEADER, OFF, OUTCOME_HEADER, STATUS_PATH } from "../../protocol.ts";
import { ok } from "../../result.ts";
import type { FileManifest } from "./file-manifest.ts";

interface BrowserEdgeOptions {
  readonly config: FileManifest["config"];
  /** Origin of the page and its searches. */
  readonly origin: string;
  readonly kv: KvReader;
  readonly scorer: Scorers;
  /** Sends a search to the engine, at the page's origin. */
  readonly fetch: Fetch;
}

export type BrowserEdge = ReturnType<typeof createBrowserEdge>;

const statusSchema = v.object({ indexes: v.looseObject({}), searches: v.looseObject({}) });

/** Searches on the device are not recorded. */
const NO_RECORDS: RetryingSink = {
  write: async () => ok(true),
  writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
};

/** Longer than at the edge, because a worker's first search waits until its vectors are unpacked. */
const RANK_BUDGET_MS = 2000;

/** Throws a ConfigurationError with every problem of `config`. */
export function createBrowserEdge({ config, origin, kv, scorer, fetch }: BrowserEdgeOptions) {
  // Gives this worker's pages explanations. Created at each start of the worker, and never sent anywhere.
  const token = crypto.randomUUID();
  const indexes = Object.fromEntries(
    // Keys in the page's requests go to the origin that the page addressed.
    Object.entries(config.INDEXES).map(([name, index]) => [name, { forwardCredentials: true, ...index, url: origin }]),
  );
  const app = openEdge({
    env: { RANK_BUDGET_MS, ...config, INDEXES: indexes, ADMIN_TOKEN: token },
    kv,
    sinks: NO_RECORDS,
    scorer,
    dialects: ALL_DIALECTS,
    fetch: (url, init) => {
      const headers = new Headers(init.headers);
      if (headers.get("authorization") === `Bearer ${token}`) headers.delete("authorization");
      // An edge in front of the engine keeps the engine's order.
      headers.set(OUTCOME_HEADER, OFF);
      return fetch(url, { ...init, headers });
    },
  });

  return {
    /** Whether the app answers this request as a search. */
    isSearch: ({ url }: Request): boolean => app.isSearchPath(new URL(url).pathname),

    /** `history`: item ids, most recent first. Never rejects. A reply without `x-armmt` is a refusal: send the request elsewhere. */
    async search(request: Request, history: readonly string[], waitUntil: (work: Promise<unknown>) => void): Promise<Response> {
      const headers = new Headers(request.headers);
      headers.delete(HISTORY_HEADER);
      if (history.length > 0) headers.set(HISTORY_HEADER, formatHistory(history));
      if (new URL(request.url).searchParams.has(EXPLAIN_PARAM)) headers.set("authorization", `Bearer ${token}`);
      // A copy: the network needs the body where this reply is not used.
      const copy = new Request(request.clone(), { headers });
      return app.fetch(copy, {}, { waitUntil, passThroughOnException: () => undefined, props: {} });
    },

    /** Indexes and searches, as in /armmt/status. */
    async describe(): Promise<object> {
      const reply = await app.request(`${origin}${STATUS_PATH}`, { headers: { authorization: `Bearer ${token}` } });
      return v.parse(statusSchema, await reply.json());
    },
  };
}
