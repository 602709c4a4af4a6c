/**
 * The edge in this process with one rules document: what goes live is what is previewed. Searches of a log are replayed through an engine that answers
 * what it answered then; other searches ask the engine of the configuration.
 */
import { ALL_DIALECTS } from "../../backends/all-dialects.ts";
import { type KvReader, kvOf } from "../../embeddings/store.ts";
import { openEdge } from "../../edge.ts";
import type { ArmmtAttributes, UbiQueryRecord } from "../../events/ubi.ts";
import { SESSION_HEADER } from "../../protocol.ts";
import { ITEM_VALUES, type ItemValues } from "../../ranking/item-values.ts";
import { bypass, err, ok } from "../../result.ts";
import { NODE } from "../../runtimes/node/node.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "../../search/live-rules.ts";
import type { EmbeddedSet } from "../evaluate/orders.ts";
import { kvOfSet, SEMANTIC } from "../evaluate/orders.ts";

export interface PreviewRequest {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly body?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

export interface PreviewEdge {
  /** What the record of the search would say; a text says why there is none. */
  ask(request: PreviewRequest): Promise<Readonly<ArmmtAttributes> | string>;
}

type EdgeFetch = Parameters<typeof openEdge>[0]["fetch"];

interface EdgeOptions {
  readonly vars: Readonly<Record<string, unknown>>;
  readonly catalog: string;
  /** As written; `undefined` for an edge without rules. */
  readonly rules: string | undefined;
  readonly embedded: EmbeddedSet | undefined;
  readonly fetch: EdgeFetch;
  /** The moment of all searches. */
  readonly at: Date;
}

/** Nobody waits here, and nothing is measured. */
const SETTINGS = {
  RANK_BUDGET_MS: 5000,
  ENGINE_TIMEOUT_MS: 30_000,
  EXPERIMENTS: [],
  LIVE_EXPERIMENTS: false,
  LIVE_MODELS: false,
};

/** Throws what openEdge throws. The first search waits until the rules are read. */
export function openPreviewEdge({ vars, catalog, rules, embedded, fetch, at }: EdgeOptions): PreviewEdge {
  const records: UbiQueryRecord[] = [];
  const details: string[] = [];
  const waiting: Promise<unknown>[] = [];
  let isRead = rules === undefined;
  const edge = openEdge({
    env: { ...vars, ...SETTINGS, LIVE_RULES: rules !== undefined, DEFAULT_VARIANT: embedded === undefined ? "control" : SEMANTIC },
    kv: kvWith(rules, catalog, embedded && kvOfSet(embedded, catalog)),
    sinks: {
      write: async (record) => {
        records.push(record);
        return ok(true);
      },
      writeEvents: async () => err("A preview takes no events"),
    },
    scorer: () => bypass("model_unavailable", "No model is asked for"),
    dialects: ALL_DIALECTS,
    log: ({ event, detail }) => {
      if (event === "bypass" || event === "rules") details.push(String(detail));
    },
    afterReply: (work) => void waiting.push(work),
    now: () => at.getTime(),
    fetch,
  });
  const ask: PreviewEdge["ask"] = async ({ path, method, body, headers }) => {
    records.length = details.length = 0;
    const response = await edge.request(path, { method, headers, ...(body !== undefined && { body }) });
    const text = await response.text();
    await Promise.all(waiting.splice(0));
    const found = records[0]?.query_attributes.armmt;
    return response.ok && found !== undefined ? found : `${response.status}: ${details[0] ?? text.slice(0, 200)}`;
  };
  return {
    async ask(request) {
      // A shopper's first search waits a moment only; here the reading is part of the work after the reply, which is awaited.
      if (!isRead) await ask(request);
      isRead = true;
      return ask(request);
    },
  };
}

function kvWith(rules: string | undefined, catalog: string, vectors: KvReader | undefined): KvReader {
  return kvOf(async (key) => {
    if (rules !== undefined && key.startsWith(`${catalog}/rules/`)) {
      const version = await rulesVersion(rules);
      const pointer = JSON.stringify({ version, previous: null, publishedAt: "" });
      const text = key === rulesPointerKey(catalog) ? pointer : key === rulesKey(catalog, version) ? rules : undefined;
      return text === undefined ? undefined : Uint8Array.from(new TextEncoder().encode(text));
    }
    const found = await vectors?.get(key, "arrayBuffer");
    return found ? new Uint8Array(found) : undefined;
  });
}

/** One list as the engine gave it. */
export interface ReplayedList {
  readonly index: string;
  readonly query: string;
  readonly queryId: string;
  readonly ids: readonly string[];
  readonly values: ReadonlyMap<string, ItemValues> | undefined;
  readonly unit: string | undefined;
  readonly isSorted: boolean;
}

export type FieldsOf = (itemId: string) => Readonly<Record<string, unknown>> | undefined;

const REPLAY = "/replayed/";
export const REPLAYED_CATALOG = "previewed";
const SORT = "sort";
/** Members of a replayed hit: no field of a shop. */
const [ID, VALUES] = ["__armmt_id", "__armmt_values"];
const MOST_HITS = 1000;

const replayedIndex = (name: string) => ({
  backend: "generic",
  url: "https://replayed.invalid",
  window: MOST_HITS,
  catalog: REPLAYED_CATALOG,
  idField: ID,
  hitFields: Object.fromEntries(ITEM_VALUES.map((value) => [value, `${VALUES}.${value}`])),
  generic: {
    path: pathOf(name),
    query: "q",
    offset: "offset",
    limit: "limit",
    hits: "hits",
    leaveAlone: { explicit_sort: [SORT] },
    echo: {},
  },
});

/** Indexes of any name, whose engine answers with the hits of `current()`. */
export function replaySettings(indexes: readonly string[]): EdgeOptions["vars"] {
  return { INDEXES: Object.fromEntries(indexes.map((name) => [name, replayedIndex(name)])) };
}

const pathOf = (index: string): string => `${REPLAY}${Buffer.from(index).toString("hex")}`;

export function replayRequest({ index, query, queryId, ids, unit, isSorted }: ReplayedList, headers: PreviewRequest["headers"]) {
  const params = new URLSearchParams({ q: query, id: queryId, offset: "0", limit: String(Math.min(MOST_HITS, ids.length)) });
  if (isSorted) params.set(SORT, "as-logged");
  const own = unit === undefined ? headers : { ...headers, [SESSION_HEADER]: unit };
  return { path: `${pathOf(index)}?${params.toString()}`, method: "GET" as const, headers: own };
}

/** Fields of the catalogue, and over them what the hits brought when they were logged. */
export function replayFetch(current: () => ReplayedList, fieldsOf: FieldsOf): EdgeFetch {
  return async () => {
    const { ids, values } = current();
    return Response.json({
      hits: ids.map((id) => {
        const fields = fieldsOf(id);
        const known = Object.fromEntries(ITEM_VALUES.flatMap((name) => valueOf(fields?.[name], name)));
        return { ...fields, [ID]: id, [VALUES]: { ...known, ...values?.get(id) } };
      }),
    });
  };
}

function valueOf(value: unknown, name: string): readonly (readonly [string, number])[] {
  return typeof value === "number" || typeof value === "boolean" ? [[name, Number(value)]] : [];
}

/** Both edges see one reply, and the engine is asked once. `forget` before another search. */
export function sharedFetch(): { readonly fetch: EdgeFetch; readonly forget: () => void } {
  const replies = new Map<string, Promise<{ readonly response: Response; readonly body: ArrayBuffer }>>();
  return {
    fetch: async (url, init) => {
      const key = JSON.stringify([url, init.method, await bodyText(init.body)]);
      const load = async () => {
        const response = await NODE.fetch(url, init);
        return { response, body: await response.arrayBuffer() };
      };
      const found = replies.get(key) ?? load();
      replies.set(key, found);
      const { response, body } = await found;
      const isEmpty = response.status === 204 || response.status === 304;
      return new Response(isEmpty ? null : body.slice(0), { status: response.status, headers: response.headers });
    },
    forget: () => replies.clear(),
  };
}

async function bodyText(body: RequestInit["body"]): Promise<string | null> {
  return body === undefined || body === null ? null : new Response(body).text();
}
