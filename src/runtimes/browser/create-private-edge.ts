/**
 * The edge inside a browser: the same app as at the CDN (../edge.ts), with the page's own origin as its engine, files for a store, and a
 * sink that records nothing.
 *
 * The shopper's history enters here, as a header of the request that the app reads, and ends here: headers cross to the engine by
 * allow-list (backends/headers.ts), and that header is on none.
 */
import * as v from "valibot";
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { openEdge } from "../../edge.ts";
import type { Fetch } from "../../backends/engine.ts";
import type { KvReader } from "../../embeddings/store.ts";
import type { ReliableSink } from "../../events/sink.ts";
import type { Scorers } from "../../inference/scorer.ts";
import { ok } from "../../result.ts";
import type { Listing } from "./listing.ts";

export interface PrivateEdgeOptions {
  readonly config: Listing["config"];
  /** Of the page and its searches. */
  readonly origin: string;
  readonly kv: KvReader;
  readonly scorer: Scorers;
  /** To the engine: the shop's own address for searches. */
  readonly fetch: Fetch;
}

export interface PrivateEdge {
  /** Whether this is a request that the app would answer as a search. */
  isSearch(request: Request): boolean;
  /** `history`: item ids, most recent first. Never rejects. Without `x-armmt` the app refused, and the request is for others to answer. */
  search(request: Request, history: readonly string[], keepAlive: (work: Promise<unknown>) => void): Promise<Response>;
  /** What /armmt/status says of indexes and searches. */
  describe(): Promise<object>;
}

const statusSchema = v.object({ indexes: v.looseObject({}), searches: v.looseObject({}) });

/** A search on the device is recorded nowhere. */
const NO_RECORDS: ReliableSink = {
  write: async () => ok(true),
  writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
};

/** Vectors come out of packed files and the first search of a worker waits for them: longer than at the edge, where many searches share. */
const RANK_BUDGET_MS = 2000;

/** Throws a ConfigurationError with every problem of `config`. */
export function createPrivateEdge({ config, origin, kv, scorer, fetch }: PrivateEdgeOptions): PrivateEdge {
  // Opens explanations to this worker's pages; it is made anew whenever the worker starts and told to nobody.
  const token = crypto.randomUUID();
  const indexes = Object.fromEntries(
    // Keys that the page sends along go to where the page sent them.
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
      // An edge in front of the engine has nothing to do: it keeps the engine's order.
      headers.set("x-armmt", "off");
      return fetch(url, { ...init, headers });
    },
  });
  // The app answers each search path whatever the method, to refuse the wrong ones by name.
  const searchPaths = new Set(app.routes.filter(({ method, path }) => method === "ALL" && !path.endsWith("*")).map(({ path }) => path));

  return {
    isSearch({ url, method }) {
      const [matched] = app.router.match(method, new URL(url).pathname);
      return matched.some(([[, { path }]]) => searchPaths.has(path));
    },

    async search(request, history, waitUntil) {
      const headers = new Headers(request.headers);
      headers.delete("x-armmt-history");
      if (history.length > 0) headers.set("x-armmt-history", history.map(encodeURIComponent).join(","));
      if (new URL(request.url).searchParams.has("armmt_explain")) headers.set("authorization", `Bearer ${token}`);
      // Of a copy: whoever answers instead needs the body.
      const copy = new Request(request.clone(), { headers });
      return app.fetch(copy, {}, { waitUntil, passThroughOnException: () => undefined, props: {} });
    },

    async describe() {
      const reply = await app.request(`${origin}/armmt/status`, { headers: { authorization: `Bearer ${token}` } });
      return v.parse(statusSchema, await reply.json());
    },
  };
}
