/**
 * The edge by its real composition root, with real KV, D1 and onnxruntime, in front of the real demo shop. Only `fetch` is not the network: it
 * calls the shop's handler, or the engine of a test.
 */
import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import type { EdgeApp } from "../../src/app/deps.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import type { Dialects } from "../../src/backends/dialects.ts";
import shop from "../../src/demo/worker.ts";
import * as edge from "../../src/edge.ts";
import type { KvReader } from "../../src/embeddings/store.ts";
import { type Counters, createCounters, createEventCounters } from "../../src/events/counters.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import type { ExposureSink } from "../../src/events/sink.ts";
import type { ReadEvents } from "../../src/events/read.ts";
import { openSinks } from "../../src/events/sinks.ts";
import type { UbiQueryRecord } from "../../src/events/ubi.ts";
import { type Scorer, scorersOf } from "../../src/inference/scorer.ts";
import { OUTCOME_HEADER, parseOutcomes } from "../../src/protocol.ts";
import type { Bypass, Result } from "../../src/result.ts";
import { loadModels } from "../../src/runtimes/cloudflare/models.ts";
import type { FlagClient } from "../../src/search/flags.ts";
import type { Log } from "../../src/web.ts";

export const TOKEN = "a-token-for-tests-only";
export const WINDOW = 20;
export const ENGINE_URL = "http://127.0.0.1:9200";

export type Engine = (request: Request) => Promise<Response> | Response;

/** The shop with a clock that stands still, so that two answers to one request are the same bytes. */
export const demoShop: Engine = async (request) => {
  const response = await shop.fetch(request, {});
  return new Response((await response.text()).replace(/"took":\d+/, '"took":1'), response);
};

/** The committed model in the runtime that is deployed, where `armmt build` has made it: one session for all tests of a file. */
export const student: Result<Scorer, Bypass> = (await loadModels())();

export interface EdgeOptions {
  readonly engine?: Engine;
  readonly catalog: string;
  readonly kv?: KvReader;
  readonly scorer?: Result<Scorer, Bypass>;
  /** Models beside the live one. */
  readonly others?: readonly Result<Scorer, Bypass>[];
  readonly flagClient?: FlagClient;
  /** Of exposures. */
  readonly sink?: ExposureSink;
  readonly counters?: Counters;
  /** Called besides the one that fills `logs`. */
  readonly log?: Log;
  readonly dialects?: Dialects;
  readonly maxReplyBytes?: number;
  /** Default: there is no database to look searches up in. */
  readonly readEvents?: ReadEvents;
  readonly now?: () => number;
  /** Of searches. */
  readonly createId?: () => string;
  readonly isWithinRate?: (client: string) => Promise<boolean>;
  /** Variables on top of those of this file. */
  readonly vars?: Readonly<Record<string, unknown>>;
}

export interface Exchange {
  readonly url: string;
  readonly method: string;
  readonly headers: Headers;
  readonly body: string;
  /** The engine's raw reply, where one came. */
  reply: Uint8Array | undefined;
}

export interface Edge {
  /** Sends a request and waits until all work after the reply is done. */
  send(path: string, init?: RequestInit): Promise<Response>;
  /** What the engine was asked, in order. */
  readonly exchanges: Exchange[];
  readonly records: UbiQueryRecord[];
  readonly logs: Readonly<Record<string, unknown>>[];
  readonly counters: Counters;
  /** To be asked without an execution context, or mounted. */
  readonly app: EdgeApp;
}

export function openEdge(options: EdgeOptions): Edge {
  const { engine = demoShop, scorer = student, maxReplyBytes } = options;
  const exchanges: Exchange[] = [];
  const records: UbiQueryRecord[] = [];
  const logs: Readonly<Record<string, unknown>>[] = [];
  const counters = options.counters ?? createCounters();
  const sink = options.sink ?? createD1Sink(env.EVENTS);

  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const request = new Request(url, init);
    const exchange: Exchange = {
      url,
      method: request.method,
      headers: request.headers,
      body: await request.clone().text(),
      reply: undefined,
    };
    exchanges.push(exchange);
    const response = await engine(request);
    if (maxReplyBytes !== undefined) return response;
    // A reply that breaks off, breaks off for the edge too.
    const body = await response
      .clone()
      .arrayBuffer()
      .catch(() => undefined);
    if (body !== undefined) exchange.reply = new Uint8Array(body);
    return response;
  };

  let lastId = 0;
  const now = options.now ?? (() => Date.now());
  const createId = () => `id-${++lastId}`;
  const log: Log = (entry) => {
    logs.push(entry);
    options.log?.(entry);
  };
  const eventCounters = createEventCounters();
  const eventSink = openSinks({ names: ["d1"], bindings: env, counters: eventCounters, now, createId, log });
  const app = edge.openEdge({
    env: {
      INDEXES: { products: { backend: "elasticsearch", url: ENGINE_URL, window: WINDOW, catalog: options.catalog } },
      // Wide, because a loaded machine is no fault; tests of a budget set their own.
      ENGINE_TIMEOUT_MS: 20_000,
      RANK_BUDGET_MS: 8000,
      DEFAULT_VARIANT: "armmt",
      ADMIN_TOKEN: TOKEN,
      ...options.vars,
    },
    kv: options.kv ?? env.EMBEDDINGS,
    sinks: {
      write(record) {
        records.push(record);
        return sink.write(record);
      },
      writeEvents: (events, afterReply) => eventSink.writeEvents(events, afterReply),
    },
    scorer: scorersOf([scorer, ...(options.others ?? [])]),
    fetch,
    dialects: options.dialects ?? ALL_DIALECTS,
    flagClient: options.flagClient,
    isWithinRate: options.isWithinRate,
    now,
    clock: options.now,
    createId: options.createId ?? createId,
    log,
    counters,
    maxReplyBytes,
    readEvents: options.readEvents,
  });

  return {
    async send(path, init) {
      const context = createExecutionContext();
      const response = await app.fetch(new Request(`https://edge.example.com${path}`, init), {}, context);
      await waitOnExecutionContext(context);
      return response;
    },
    exchanges,
    records,
    logs,
    counters,
    app,
  };
}

export interface HitJson {
  readonly _id: string;
  readonly _score: number;
}

export interface ReplyJson {
  readonly hits: { readonly total: { readonly value: number }; readonly hits: readonly HitJson[] };
  readonly aggregations?: unknown;
  readonly armmt?: unknown;
}

export const postJson = (body: unknown, headers: Readonly<Record<string, string>> = {}): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json", ...headers },
  body: JSON.stringify(body),
});

export const match = (query: string, page: object = {}) => ({ query: { match: { title: query } }, ...page });

export const idsOf = (reply: ReplyJson): string[] => reply.hits.hits.map(({ _id: id }) => id);

/** The reason in the response's `x-armmt` header, or "applied". */
export function outcomeOf(response: Response): string {
  const header = response.headers.get(OUTCOME_HEADER) ?? "";
  const [outcome, ...others] = parseOutcomes(header);
  if (outcome === undefined || others.length > 0) return `not an outcome: ${header}`;
  return outcome.kind === "applied" ? "applied" : outcome.reason;
}
