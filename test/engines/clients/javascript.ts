/** The engines' official JavaScript clients, in all versions that their engine takes. */
import { Client as Elasticsearch9 } from "@elastic/elasticsearch";
import { Client as OpenSearch } from "@opensearch-project/opensearch";
import { Client as Elasticsearch7 } from "elasticsearch-7";
import { Client as Elasticsearch8 } from "elasticsearch-8";
import { WINDOW } from "../edge.ts";
import type { Answer, Call } from "./judge.ts";

/** The calls that a program makes with one client. */
interface Session {
  search(body: object): Promise<unknown>;
  /** Header and body, in turn. */
  several(lines: readonly object[]): Promise<unknown>;
  info(): Promise<unknown>;
  ping(): Promise<unknown>;
}

/** A client for an address; its requests carry `headers`. */
type Open = (node: string, headers: Readonly<Record<string, string>>) => Session;

const INDEX = "products";

const elasticsearch7 =
  (compression?: "gzip"): Open =>
  (node, headers) => {
    const client = new Elasticsearch7({ node, headers, ...(compression !== undefined && { compression }) });
    return {
      search: async (body) => (await client.search({ index: INDEX, body })).body,
      several: async (lines) => (await client.msearch({ index: INDEX, body: [...lines] })).body,
      info: async () => (await client.info()).body,
      ping: async () => (await client.ping()).body,
    };
  };

const elasticsearch8 =
  (compression: boolean): Open =>
  (node, headers) => {
    const client = new Elasticsearch8({ node, headers, compression });
    return {
      search: (body) => client.search({ index: INDEX, ...body }),
      several: (lines) => client.msearch({ index: INDEX, searches: [...lines] }),
      info: () => client.info(),
      ping: () => client.ping(),
    };
  };

const elasticsearch9 =
  (compression: boolean): Open =>
  (node, headers) => {
    const client = new Elasticsearch9({ node, headers, compression });
    return {
      search: (body) => client.search({ index: INDEX, ...body }),
      several: (lines) => client.msearch({ index: INDEX, searches: [...lines] }),
      info: () => client.info(),
      ping: () => client.ping(),
    };
  };

const openSearch =
  (compression?: "gzip"): Open =>
  (node, headers) => {
    const client = new OpenSearch({ node, headers, ...(compression !== undefined && { compression }) });
    return {
      search: async (body) => (await client.search({ index: INDEX, body })).body,
      several: async (lines) => (await client.msearch({ index: INDEX, body: [...lines] })).body,
      info: async () => (await client.info()).body,
      ping: async () => (await client.ping()).body,
    };
  };

/** Engine → its clients. */
const CLIENTS: Readonly<Record<string, Readonly<Record<string, Open>>>> = {
  opensearch: { "opensearch-js 3": openSearch(), "opensearch-js 3, gzip": openSearch("gzip") },
  "elasticsearch-9": {
    "elasticsearch-js 9": elasticsearch9(false),
    "elasticsearch-js 9, gzip": elasticsearch9(true),
    "elasticsearch-js 8": elasticsearch8(false),
    "elasticsearch-js 8, gzip": elasticsearch8(true),
  },
  "elasticsearch-7": { "elasticsearch-js 7": elasticsearch7(), "elasticsearch-js 7, gzip": elasticsearch7("gzip") },
};

const query = { match: { title: "red mug" } };

/** Label → body of a search that is re-ranked. */
const SEARCHES: Readonly<Record<string, object>> = {
  search: { query },
  "page 2": { query, from: 10, size: 10 },
  "aggregations and highlighting": {
    query: { bool: { must: [query], filter: [{ term: { in_stock: true } }] } },
    size: 12,
    aggs: { categories: { terms: { field: "category.raw" } } },
    highlight: { fields: { title: {} } },
    track_total_hits: true,
  },
};

/** All calls of all clients of an engine. */
export async function callJavaScriptClients(name: string, engine: string, edge: string): Promise<readonly Call[]> {
  const calls: Call[] = [];
  for (const [client, open] of Object.entries(CLIENTS[name] ?? {})) {
    const sessions = { direct: open(engine, {}), off: open(edge, { "x-armmt": "off" }), served: open(edge, {}) };
    const make = async (call: string, run: (session: Session) => Promise<Answer>, window?: readonly string[]): Promise<void> => {
      const direct = await answerOf(run(sessions.direct));
      const off = await answerOf(run(sessions.off));
      const served = await answerOf(run(sessions.served));
      calls.push({ client, call, direct, off, served, ...(window !== undefined && { window }) });
    };
    for (const [label, body] of Object.entries(SEARCHES)) {
      // oxlint-disable-next-line no-await-in-loop
      const { ids } = hitsOf(await sessions.direct.search({ ...body, from: 0, size: WINDOW }));
      await make(label, async (session) => hitsOf(await session.search(body)), ids); // oxlint-disable-line no-await-in-loop
    }
    const lines = [{}, { query, sort: [{ price: "asc" }] }, {}, { size: 0, aggs: { dear: { max: { field: "price" } } } }];
    // oxlint-disable-next-line no-await-in-loop
    await make("several searches", async (session) => ({ ids: [], rest: Object(await session.several(lines)).responses.map(hitsOf) }));
    await make("ping", async (session) => ({ ids: [], rest: await session.ping() })); // oxlint-disable-line no-await-in-loop
    await make("info", async (session) => ({ ids: [], rest: await session.info() })); // oxlint-disable-line no-await-in-loop
  }
  return calls;
}

async function answerOf(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    return { error: String(error).slice(0, 300) };
  }
}

/** The ids of a reply, and the rest of it that is the same each time. */
function hitsOf(reply: unknown): { readonly ids: readonly string[]; readonly rest: unknown } {
  const { hits, aggregations } = Object(reply);
  const ids: readonly string[] = hits.hits.map((hit: unknown) => String(Object(hit)["_id"]));
  return { ids, rest: { total: hits.total, aggregations } };
}
