/** What real engines answer to windows that they cannot give, and to searches that fail, and how often the edge asks them then. */
import { createServer } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listen } from "../faults/listen.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { ask, type Reply } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { ELASTICSEARCH } from "./shapes-elasticsearch.ts";
import { fillElasticsearch, send } from "./shop.ts";

/** Hands everything on, and counts. */
async function startCounter(engine: string) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked++;
    const { method = "GET", url = "/", headers } = request;
    const type = headers["content-type"];
    buffer(request)
      .then((body) =>
        fetch(`${engine}${url}`, {
          method,
          headers: type === undefined ? {} : { "content-type": type },
          ...(body.length > 0 && { body }),
        }),
      )
      .then(async (reply) => {
        response.writeHead(reply.status, { "content-type": reply.headers.get("content-type") ?? "" });
        response.end(await reply.bytes());
      })
      .catch(() => request.socket.destroy());
  });
  const { port, close } = await listen(server);
  return { url: `http://127.0.0.1:${port}`, close, asked: () => asked };
}

const search = (words: string, more: object = {}): string => JSON.stringify({ query: { match: { title: words } }, size: 5, ...more });
const several = (...bodies: readonly string[]): string => bodies.map((body) => `{"index":"products"}\n${body}\n`).join("");

/** A text has no values to count: every engine refuses it. */
const REFUSED = { aggs: { titles: { terms: { field: "title" } } } };

/** The others answer alike, but for the shard: they call it failed. Each start takes its time. */
for (const name of ["opensearch"] as const) {
  const problem = missing(name);
  if (problem !== undefined) console.warn(problem);
  describe.skipIf(problem !== undefined)(name, () => {
    let engine: RunningEngine;
    let counter: Awaited<ReturnType<typeof startCounter>>;
    let edge: RunningEdge;
    beforeAll(async () => {
      engine = await startEngine(name);
      await fillElasticsearch(engine.url);
      // Its shard belongs to a node that does not exist. The alias takes the place of an empty index.
      const nowhere = { number_of_shards: 1, number_of_replicas: 0, "index.routing.allocation.include._name": "nobody" };
      await send(`${engine.url}/red?wait_for_active_shards=0`, "PUT", JSON.stringify({ settings: nowhere }));
      const actions = [{ remove_index: { index: "offers" } }, { add: { indices: ["products", "red"], alias: "offers" } }];
      await send(`${engine.url}/_aliases`, "POST", JSON.stringify({ actions }));
      counter = await startCounter(engine.url);
      edge = await startEdge(name, counter.url);
    }, 300_000);
    afterAll(async () => {
      await edge?.stop();
      counter?.close();
      await engine?.stop();
    });

    async function asked(path: string, body: string): Promise<Reply & { readonly requests: number; readonly own: string }> {
      const before = counter.asked();
      const reply = await ask(edge.url, { path, body });
      const requests = counter.asked() - before;
      const own = await ask(engine.url, { path, body });
      expect(reply.status).toBe(own.status);
      return { ...reply, requests, body: ELASTICSEARCH.mask(reply.body), own: ELASTICSEARCH.mask(own.body) };
    }

    it("a shard that nobody holds: the answer to the shopper's own request", async () => {
      for (const requests of [2, 1]) {
        const reply = await asked("/offers/_search", search("red mug")); // oxlint-disable-line no-await-in-loop
        expect(reply).toMatchObject({ outcome: "engine_incomplete", requests, body: reply.own });
      }
    });

    it("a search that always fails keeps its error beside one that is re-ranked", async () => {
      for (const requests of [2, 1]) {
        const reply = await asked("/_msearch", several(search("red mug"), search("blue lamp", REFUSED))); // oxlint-disable-line no-await-in-loop
        expect(reply).toMatchObject({ outcome: "applied, engine_status", requests });
        const [shown, own] = [reply.body, reply.own].map((body) => Object(JSON.parse(body)).responses[1]);
        expect(shown).toEqual(own);
      }
      expect(await asked("/_msearch", several(search("blue lamp", REFUSED)))).toMatchObject({ outcome: "engine_status", requests: 1 });
    });

    it("a window beyond the engine's limit: the answer to the shopper's own request, and one request afterwards", async () => {
      await send(`${engine.url}/products/_settings`, "PUT", JSON.stringify({ "index.max_result_window": 20 }));
      const outcomes: (readonly [string, number])[] = [];
      for (const words of ["red mug", "red mug", "red cushion", "red bag", "blue bag", "blue"]) {
        const reply = await asked("/products/_search", search(words)); // oxlint-disable-line no-await-in-loop
        expect(reply.body).toBe(reply.own);
        outcomes.push([reply.outcome, reply.requests]);
      }
      expect(outcomes).toEqual([2, 1, 2, 2, 1, 1].map((requests) => ["engine_refused_window", requests]));
      await send(`${engine.url}/products/_settings`, "PUT", JSON.stringify({ "index.max_result_window": null }));
    });
  });
}
