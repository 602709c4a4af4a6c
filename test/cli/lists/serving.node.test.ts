/**
 * Training and serving use the same feature code: a search that the real app serves with the real model, read back from the events' SQLite file,
 * gives the tensors that the model got, bit for bit. And no list holds anything of a shopper but a hash.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../../src/backends/all-dialects.ts";
import { packSet, readSet, writeSet } from "../../../src/cli/embed/pack.ts";
import { productFeatures } from "../../../src/cli/embed/vectors.ts";
import { kvOfSet } from "../../../src/cli/evaluate/orders.ts";
import { makeLists } from "../../../src/cli/lists.ts";
import { listInputOf, openItems } from "../../../src/cli/lists/dataset.ts";
import { type LoggedSearch, readLog } from "../../../src/cli/lists/log.ts";
import { readLists } from "../../../src/cli/lists/read.ts";
import { drawCatalogue } from "../../../src/demo/catalogue/catalogue.ts";
import { openEdge } from "../../../src/edge.ts";
import { createTextEncoder } from "../../../src/embeddings/text-encoder.ts";
import { createD1Sink } from "../../../src/events/d1.ts";
import { createNodeScorer } from "../../../src/inference/node-scorer.ts";
import type { Scorer } from "../../../src/inference/scorer.ts";
import { buildTensors, type ListTensors } from "../../../src/ranking/features.ts";
import { ok } from "../../../src/result.ts";
import { openSqliteEvents } from "../../../src/runtimes/node/sqlite.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-serving-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const [embeddings, file] = [join(folder, "embeddings"), join(folder, "events.sqlite")];
const SHOPPER = "alice@example.com";
const WINDOW = 12;
const products = drawCatalogue({ count: 60, seed: 3 });
/** Just before midnight: two clocks that are read apart would see two days. */
const START = Date.UTC(2026, 10, 21, 23, 59, 59, 990);

/** What the engine sends of its hits; `undefined`: nothing but ids. */
interface Answer {
  readonly score?: (rank: number) => number | null;
  readonly price?: (rank: number) => number | undefined;
}

const received: ListTensors[] = [];
let logged: readonly LoggedSearch[] = [];
let model: Scorer;

beforeAll(async () => {
  const files = new URL("../../../model/", import.meta.url);
  const opened = await createNodeScorer({
    model: readFileSync(new URL("student.onnx", files)),
    manifest: JSON.parse(readFileSync(new URL("manifest.json", files), "utf8")),
    runtime: "native",
  });
  if (!opened.ok) throw new Error(opened.error.detail);
  model = opened.value;
  const { manifest } = model;
  const encode = createTextEncoder();
  const items = products.slice(0, 50).map((product, i) => ({
    itemId: product.id,
    image: i % 7 === 0 ? undefined : encode(Object.values(product.look).join(" "))?.slice(0, manifest.dims.image),
    text: encode(product.title),
    features: productFeatures(product),
  }));
  const { dims, encoders } = manifest;
  writeSet(
    embeddings,
    packSet(items, { imageDim: dims.image, textDim: dims.text, imageEncoder: encoders.image, textEncoder: encoders.text }),
  );

  let answer: Answer = {};
  let now = START;
  const sqlite = await openSqliteEvents(file);
  const waiting: Promise<unknown>[] = [];
  const { set, shards, queryTable } = readSet(embeddings);
  const edge = openEdge({
    env: {
      INDEXES: {
        products: {
          backend: "elasticsearch",
          url: "http://127.0.0.1:9200",
          window: WINDOW,
          catalog: "shop",
          hitFields: { price: "price" },
        },
      },
      DEFAULT_VARIANT: "armmt",
      RANK_BUDGET_MS: 10_000,
      ENGINE_TIMEOUT_MS: 20_000,
      EVENT_SECRET: "a-secret-for-tests-only-of-32-characters",
    },
    kv: kvOfSet({ set, shards, queryTable }, "shop"),
    sinks: [createD1Sink(sqlite)],
    scorer: () => {
      const score: Scorer["score"] = (list, isWanted) => {
        received.push(structuredClone(list));
        return model.score(list, isWanted);
      };
      return ok({ ...model, score });
    },
    dialects: ALL_DIALECTS,
    log: () => undefined,
    now: () => (now += 20),
    afterReply: (work) => void waiting.push(work),
    fetch: async (url, init) => {
      const { from = 0, size = 10 } = JSON.parse(await new Request(url, init).text());
      const hits = products.slice(from, from + size).map(({ id }, i) => ({
        _index: "products",
        _id: id,
        _score: answer.score?.(from + i + 1) ?? null,
        _source: { price: answer.price?.(from + i + 1) },
      }));
      return Response.json({ took: 1, timed_out: false, hits: { total: { value: products.length, relation: "eq" }, hits } });
    },
  });
  const search = async (query: string, page: object, headers: Record<string, string>, of: Answer): Promise<string> => {
    answer = of;
    const reply = await edge.request("/products/_search", {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ query: { match: { title: query } }, ...page }),
    });
    expect(reply.headers.get("x-armmt")).toMatch(/applied/);
    await reply.arrayBuffer();
    await Promise.all(waiting.splice(0));
    return reply.headers.get("x-armmt-events") ?? "";
  };

  const known = { "x-armmt-session": SHOPPER, "x-armmt-consent": "1" };
  const token = await search("Round mug", { size: 10 }, known, { score: (rank) => 9 / rank });
  const clicked = [products[2]!.id, products[5]!.id];
  const events = clicked.map((id, i) => ({
    token: 0,
    action_name: "click",
    event_id: `e${i}`,
    timestamp: now + i,
    event_attributes: { object: { object_id: id } },
  }));
  now += 60_000;
  const body = JSON.stringify({ sent_at: now, consent: true, client_id: SHOPPER, tokens: [token], events });
  const taken = await edge.request("/events", { method: "POST", body });
  expect(await taken.json()).toEqual({ accepted: 2, duplicates: 0, rejected: [] });
  await Promise.all(waiting.splice(0));
  const history = { ...known, "x-armmt-history": clicked.toReversed().join(",") };
  // Prices of today, of some hits; scores of some hits; a page that reaches behind the window; nobody known.
  await search("dear mug", { size: 10 }, history, {
    score: (rank) => 9 - rank / 4,
    price: (rank) => (rank % 3 === 0 ? 1 + rank : undefined),
  });
  await search("mug with a pin", { from: 4, size: 10 }, history, { score: (rank) => (rank % 2 === 0 ? rank : null) });
  await search("no scores", { size: 20 }, {}, {});
  await sqlite.close();
  logged = await readLog(file);
});

describe("a search that the edge has served", () => {
  it("gives the tensors that the model got, read back from its own record", () => {
    const { dims, features } = model.manifest;
    const known = openItems(embeddings);
    expect(logged).toHaveLength(4);
    expect(received).toHaveLength(4);
    for (const [i, search] of logged.entries()) {
      const tensors = buildTensors(listInputOf(search, known), { imageDim: dims.image, textDim: dims.text, scaling: features });
      expect(tensors.k).toBe(WINDOW);
      expect(tensors, search.query).toEqual(received[i]);
    }
    // The test can fail: each of these searches differs from the first in what it is about.
    expect(received[1]!.historyMask).toEqual(new Float32Array([1, 1]));
    expect(received[1]!.features).not.toEqual(received[0]!.features);
  });

  it("is a list with positions of the whole list, its index and its model", () => {
    expect(logged.map(({ positions }) => positions?.[0])).toEqual([1, 1, 5, 1]);
    for (const search of logged) expect(search).toMatchObject({ index: "products", variant: "armmt", treatment: "serve" });
    expect(logged[0]?.actions.click.size).toBe(2);
    expect(new Set(logged.slice(0, 3).map(({ split }) => split)).size).toBe(1);
  });

  it("leaves nothing of the shopper in any file but a hash", async () => {
    const out = join(folder, "lists");
    const stored = new Set(logged.map(({ unit }) => unit));
    await makeLists({ from: file, embeddings, out, json: true });
    for (const name of readdirSync(out)) {
      const bytes = readFileSync(join(out, name), "latin1");
      for (const secret of [SHOPPER, "alice", "client_id", "session"]) expect(bytes.includes(secret), `${secret} in ${name}`).toBe(false);
    }
    const units = new Set<string>();
    for await (const { unit } of readLists(out)) units.add(unit);
    expect([...units].toSorted()).toEqual([...stored].map((unit) => unit ?? "").toSorted());
    for (const unit of units) expect(unit).toMatch(/^([0-9a-f]{16})?$/);
  });
});
