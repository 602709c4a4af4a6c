/** What official clients ask beside searches: of the engine itself and of the edge, with the same answers. */
import { Client as Elasticsearch9 } from "@elastic/elasticsearch";
import { Client as OpenSearch } from "@opensearch-project/opensearch";
import { Client as Elasticsearch7 } from "elasticsearch-7";
import { Client as Elasticsearch8 } from "elasticsearch-8";

const index = "products";
const query = { match: { title: "red mug" } };

/** Name of a call → its answer, without what differs each time. */
type Answers = Readonly<Record<string, unknown>>;

interface Calls {
  /** With any key. */
  readonly open: Readonly<Record<string, () => Promise<unknown>>>;
  /** With the client's own key: the ids that it reads page by page, and what it hears of the end. */
  readonly own: Readonly<Record<string, () => Promise<unknown>>>;
}

const idsIn = (reply: unknown): readonly string[] => Object(reply).hits.hits.map((hit: unknown) => String(Object(hit)["_id"]));
const bodyOf = (reply: unknown): unknown => Object(reply).body;

function elasticsearch(client: Elasticsearch8 | Elasticsearch9, id: string): Calls {
  // The two versions have the same calls.
  const es = client as Elasticsearch9; // oxlint-disable-line no-unsafe-type-assertion
  return {
    open: {
      info: () => es.info(),
      ping: () => es.ping(),
      count: async () => (await es.count({ index, query })).count,
      get: async () => (await es.get({ index, id, _source_includes: ["title"] }))["_source"],
      "get of nobody": () => es.get({ index, id: "nobody" }),
      exists: () => es.exists({ index, id }),
      getSource: () => es.getSource({ index, id }),
      mget: async () => (await es.mget({ index, ids: [id, "nobody"] })).docs,
      "mget of several indexes": async () => (await es.mget({ docs: [{ _index: index, _id: id }] })).docs,
      "indices.exists": () => es.indices.exists({ index }),
      termsEnum: async () => (await es.termsEnum({ index, field: "category.raw", string: "" })).terms,
    },
    own: {
      async scroll() {
        const first = await es.search({ index, query, size: 5, scroll: "1m" });
        const next = await es.scroll({ scroll_id: first["_scroll_id"] ?? "", scroll: "1m" });
        const closed = await es.clearScroll({ scroll_id: next["_scroll_id"] ?? "" });
        return [idsIn(first), idsIn(next), closed];
      },
      async "point in time"() {
        const { id: pit } = await es.openPointInTime({ index, keep_alive: "1m" });
        const found = await es.search({ query, size: 5, pit: { id: pit, keep_alive: "1m" } });
        return [idsIn(found), await es.closePointInTime({ id: found.pit_id ?? pit })];
      },
    },
  };
}

function elasticsearch7(client: Elasticsearch7, id: string): Calls {
  return {
    open: {
      info: async () => bodyOf(await client.info()),
      ping: async () => bodyOf(await client.ping()),
      count: async () => Object(bodyOf(await client.count({ index, body: { query } }))).count,
      get: async () => Object(bodyOf(await client.get({ index, id })))["_source"],
      mget: async () => Object(bodyOf(await client.mget({ index, body: { ids: [id, "nobody"] } }))).docs,
      "indices.exists": async () => bodyOf(await client.indices.exists({ index })),
    },
    own: {
      async scroll() {
        const first: unknown = bodyOf(await client.search({ index, body: { query }, size: 5, scroll: "1m" }));
        const next: unknown = bodyOf(await client.scroll({ body: { scroll_id: Object(first)["_scroll_id"], scroll: "1m" } }));
        return [idsIn(first), idsIn(next), bodyOf(await client.clearScroll({ body: { scroll_id: Object(next)["_scroll_id"] } }))];
      },
      async "point in time"() {
        const { id: pit } = Object(bodyOf(await client.openPointInTime({ index, keep_alive: "1m" })));
        const found: unknown = bodyOf(await client.search({ body: { query, size: 5, pit: { id: pit, keep_alive: "1m" } } }));
        return [idsIn(found), bodyOf(await client.closePointInTime({ body: { id: pit } }))];
      },
    },
  };
}

function openSearch(client: OpenSearch, id: string): Calls {
  return {
    open: {
      info: async () => bodyOf(await client.info()),
      ping: async () => bodyOf(await client.ping()),
      count: async () => (await client.count({ index, body: { query } })).body.count,
      get: async () => (await client.get({ index, id })).body["_source"],
      exists: async () => bodyOf(await client.exists({ index, id })),
      mget: async () => (await client.mget({ index, body: { ids: [id, "nobody"] } })).body.docs,
      "indices.exists": async () => bodyOf(await client.indices.exists({ index })),
    },
    own: {
      async scroll() {
        const first = (await client.search({ index, body: { query }, size: 5, scroll: "1m" })).body;
        const next = (await client.scroll({ body: { scroll_id: first["_scroll_id"] ?? "", scroll: "1m" } })).body;
        return [idsIn(first), idsIn(next), (await client.clearScroll({ body: { scroll_id: [next["_scroll_id"] ?? ""] } })).body];
      },
      async "point in time"() {
        const { pit_id: pit } = (await client.createPit({ index: [index], keep_alive: "1m" })).body;
        const found = (await client.search({ body: { query, size: 5, pit: { id: pit, keep_alive: "1m" } } })).body;
        return [idsIn(found), ((await client.deletePit({ body: { pit_id: [pit] } })).body.pits ?? []).map(({ successful }) => successful)];
      },
    },
  };
}

/** Engine → its clients, for an address. */
const CLIENTS: Readonly<Record<string, readonly (readonly [string, (node: string, id: string) => Calls])[]>> = {
  opensearch: [["opensearch-js 3", (node, id) => openSearch(new OpenSearch({ node }), id)]],
  "elasticsearch-9": [
    ["elasticsearch-js 9", (node, id) => elasticsearch(new Elasticsearch9({ node }), id)],
    ["elasticsearch-js 8", (node, id) => elasticsearch(new Elasticsearch8({ node }), id)],
  ],
  "elasticsearch-7": [["elasticsearch-js 7", (node, id) => elasticsearch7(new Elasticsearch7({ node }), id)]],
};

async function answersOf(calls: Calls["open"]): Promise<Answers> {
  const answers: Record<string, unknown> = {};
  for (const [name, call] of Object.entries(calls)) {
    try {
      answers[name] = await call(); // oxlint-disable-line no-await-in-loop
    } catch (error) {
      answers[name] = { error: String(error).slice(0, 200) };
    }
  }
  return answers;
}

/** What differs between the engine and the edge, by client and call. `own`: an edge that passes clients' keys on. */
export async function callsBeside(
  name: string,
  urls: Readonly<Record<"engine" | "edge" | "own", string>>,
): Promise<{ readonly calls: number; readonly answered: number; readonly differences: readonly string[] }> {
  const found: unknown = await (await fetch(`${urls.engine}/${index}/_search?q=title:red&size=1`)).json();
  const [id = ""] = idsIn(found);
  const differences: string[] = [];
  let [calls, answered] = [0, 0];
  for (const [client, open] of CLIENTS[name] ?? []) {
    for (const [kind, at] of [
      ["open", urls.edge],
      ["own", urls.own],
    ] as const) {
      const direct = await answersOf(open(urls.engine, id)[kind]); // oxlint-disable-line no-await-in-loop
      const served = await answersOf(open(at, id)[kind]); // oxlint-disable-line no-await-in-loop
      for (const [call, answer] of Object.entries(direct)) {
        calls++;
        const [expected, got] = [answer, served[call]].map((one) => JSON.stringify(one));
        const isSame = expected === got;
        if (!isSame) differences.push(`${client}: ${call}: ${got?.slice(0, 200)} instead of ${expected?.slice(0, 200)}`);
        // Engines from class files lack some modules, so their own errors count too.
        if (expected?.startsWith('{"error') !== true) answered++;
      }
    }
  }
  return { calls, answered, differences };
}
