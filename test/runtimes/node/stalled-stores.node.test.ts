/**
 * Stores that hang, under the servers themselves: a locked file of events, a folder of item vectors in which keys never answer. Nobody waits
 * for them: not a search that asks for the engine's order, not one of the control group, not a start.
 */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import manifest from "../../../model/manifest.json" with { type: "json" };
import { checksumIn, encodeShard, SHARD_VERSION, shardOf } from "../../../src/embeddings/format.ts";
import { type PublishedSet, pointerKey, setKey, shardKey } from "../../../src/embeddings/store.ts";
import { ITEM_FEATURES } from "../../../src/ranking/candidate.ts";
import { pathOfKey, writeKey } from "../../../src/runtimes/node/folder-kv.ts";
import { importSqlite } from "../../../src/runtimes/node/sqlite.ts";
import { ADMIN_TOKEN, CHROME, type RuntimeName, runtimes, SECRET, type Server, startServer } from "./servers.ts";

const HITS = 40;
const SHARDS = 8;
const IDS = Array.from({ length: HITS }, (_, i) => `item-${i}`);

let home = "";
let engine: HttpServer;
let enginePort = 0;

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "armmt-stalled-"));
  const hits = IDS.map((id, i) => ({ _index: "products", _id: id, _score: HITS - i, _source: { title: `Red mug ${i}` } }));
  const body = JSON.stringify({ took: 1, timed_out: false, hits: { total: { value: HITS, relation: "eq" }, hits } });
  engine = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json").end(body);
  });
  await new Promise<void>((done) => engine.listen(0, done));
  const address = engine.address();
  enginePort = typeof address === "object" && address !== null ? address.port : 0;
});

afterAll(() => {
  engine.closeAllConnections();
  engine.close();
  rmSync(home, { recursive: true, force: true });
});

/** A read of this key never answers, as on a network file system that stalls. */
function stall(data: string, key: string): string {
  const path = pathOfKey(join(data, "kv"), key);
  rmSync(path, { force: true });
  mkdirSync(dirname(path), { recursive: true });
  execFileSync("mkfifo", [path]);
  return path;
}

/** Publishes again in the place of the pipes; the reads that hang end, with nothing. */
async function heal(name: string, pipes: readonly string[]): Promise<void> {
  const held = pipes.map((pipe) => openSync(pipe, "r+"));
  await publishedFolder(name);
  for (const pipe of held) closeSync(pipe);
}

const vector = (length: number, i: number) => Float32Array.from({ length }, (_, d) => (d === i % length ? 1 : 0));

/** A folder of its own with a published set of 8 shards. */
async function publishedFolder(name: string): Promise<string> {
  const data = join(home, name);
  const dims = { imageDim: manifest.dims.image, textDim: manifest.dims.text };
  const shards: { bytes: number; checksum: number }[] = [];
  for (let n = 0; n < SHARDS; n++) {
    const items = IDS.filter((id) => shardOf(id, SHARDS) === n).map((itemId) => {
      const i = IDS.indexOf(itemId);
      return {
        itemId,
        image: vector(dims.imageDim, i),
        text: vector(dims.textDim, i),
        features: [i, undefined, undefined, undefined, undefined, undefined],
      };
    });
    const packed = encodeShard(items, { ...dims, featureCount: ITEM_FEATURES.length });
    if (!packed.ok) throw new Error(packed.error);
    await writeKey(join(data, "kv"), shardKey("products", "1", n), packed.value); // oxlint-disable-line no-await-in-loop
    shards.push({ bytes: packed.value.length, checksum: checksumIn(packed.value) });
  }
  const set: PublishedSet = {
    format: SHARD_VERSION,
    version: "1",
    shardCount: SHARDS,
    itemCount: HITS,
    ...dims,
    imageEncoder: manifest.encoders.image,
    textEncoder: manifest.encoders.text,
    itemFeatures: [...ITEM_FEATURES],
    shards,
  };
  await writeKey(join(data, "kv"), setKey("products", "1"), JSON.stringify(set));
  await writeKey(join(data, "kv"), pointerKey("products"), JSON.stringify({ version: "1", previous: null, publishedAt: "" }));
  return data;
}

async function start(runtime: RuntimeName, data: string, host = "localhost", vars = ""): Promise<Server> {
  const config = `${data}.toml`;
  const index = `[vars.INDEXES.products]\nbackend = "elasticsearch"\nurl = "http://${host}:${enginePort}"\nwindow = 40\n`;
  const experiment = `[[vars.EXPERIMENTS]]\nkey = "rerank"\nvariations = ["control", "armmt"]\n`;
  writeFileSync(config, `[vars]\nENGINE_TIMEOUT_MS = 20000\n${vars}\n${index}${experiment}`);
  const env = { EVENT_SECRET: SECRET, ADMIN_TOKEN };
  return startServer(runtime, { data, env, flags: ["--no-demo", "--config", config, "--provider", "wasm"] });
}

interface Reply {
  readonly ms: number;
  readonly status: number;
  readonly armmt: string;
  readonly token: string | null;
}

let searches = 0;

/** One search, whoever asks. Never rejects. */
async function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
  const started = performance.now();
  try {
    const response = await fetch(`${url}/products/_search`, {
      method: "POST",
      headers: { "content-type": "application/json", ...CHROME, ...headers },
      body: JSON.stringify({ query: { match: { title: `red mug ${searches++}` } }, size: 20 }),
      // Who waits for a store waits for ever; others wait for the machine.
      signal: AbortSignal.timeout(60_000),
    });
    await response.arrayBuffer();
    const { status } = response;
    const armmt = response.headers.get("x-armmt") ?? "";
    return { ms: performance.now() - started, status, armmt, token: response.headers.get("x-armmt-events") };
  } catch (cause) {
    return { ms: performance.now() - started, status: 0, armmt: String(cause), token: null };
  }
}

/** Of a machine that does other things too, the quickest reply tells most: who waits for a store is never quick. */
const quickest = (replies: readonly Reply[]): number => Math.min(...replies.map(({ ms }) => ms));

async function timesOf(times: number, once: () => Promise<Reply>): Promise<readonly Reply[]> {
  const replies: Reply[] = [];
  for (let n = 0; n < times; n++) replies.push(await once()); // oxlint-disable-line no-await-in-loop
  return replies;
}

const OFF = { "x-armmt": "off" };
/** The header of a shopper of the experiment's control group. */
async function controlOf(url: string): Promise<Readonly<Record<string, string>>> {
  for (let n = 0; n < 50; n++) {
    const headers = { "x-armmt-user": `shopper-${n}` };
    if ((await ask(url, headers)).armmt === "bypass; reason=engine_order") return headers; // oxlint-disable-line no-await-in-loop
  }
  throw new Error("Nobody is in the control group");
}

async function statusOf(url: string): Promise<string> {
  const response = await fetch(`${url}/armmt/status`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  return JSON.stringify(await response.json());
}

describe.each(runtimes)("%s with a folder in which keys hang", (runtime) => {
  it.each(["localhost", "127.0.0.1"])(
    "serves everybody while five shards hang, with the engine at %s, and re-ranks when they are back",
    { timeout: 120_000 },
    async (host) => {
      const name = `shards-${runtime}-${host}`;
      const data = await publishedFolder(name);
      const pipes = [0, 1, 2, 3, 4].map((n) => stall(data, shardKey("products", "1", n)));
      const server = await start(runtime, data, host);
      try {
        // Enough of them to fill every pool of threads, if each began reads of its own; too many at once for a slow machine to rank.
        const ranked = await Promise.all(Array.from({ length: 40 }, () => ask(server.url)));
        expect([...new Set(ranked.map(({ status: code }) => code))]).toEqual([200]);
        expect(
          [...new Set(ranked.map(({ armmt }) => armmt))].filter(
            (armmt) => !/reason=(?:store_timeout|store_unavailable|over_budget)$/.test(armmt),
          ),
        ).toEqual([]);
        const alone = quickest(await timesOf(10, () => ask(`http://${host}:${enginePort}`)));
        for (const [headers, armmt] of [
          [OFF, "bypass; reason=off"],
          [await controlOf(server.url), "bypass; reason=engine_order"],
        ] as const) {
          const replies = await timesOf(15, () => ask(server.url, headers));
          expect([...new Set(replies.map((reply) => reply.armmt))]).toEqual([armmt]);
          expect(replies.every(({ token }) => token !== null)).toBe(true);
          expect(quickest(replies) - alone).toBeLessThan(100);
        }
        // Left alone: nobody waits even for the store's share of the budget.
        await timesOf(5, () => ask(server.url));
        expect(quickest(await timesOf(9, () => ask(server.url))) - alone).toBeLessThan(120);
        expect(await statusOf(server.url)).toMatch(/"store products":\{"state":"(?:open|probing)"/);
        expect(server.log()).toContain('"event":"breaker","name":"store products","state":"open"');

        await heal(name, pipes);
        await expect.poll(async () => (await ask(server.url)).armmt, { timeout: 60_000, interval: 500 }).toMatch(/^applied/);
      } finally {
        await server.stop();
      }
    },
  );

  it("starts and serves while the pointer, the set and the experiments hang", { timeout: 120_000 }, async () => {
    for (const [name, keys] of [
      ["pointer", [pointerKey("products"), "experiments"]],
      ["set", [setKey("products", "1"), "experiments"]],
    ] as const) {
      const data = await publishedFolder(`${name}-${runtime}`);
      const pipes = keys.map((key) => stall(data, key));
      const server = await start(runtime, data, "localhost", "LIVE_EXPERIMENTS = true");
      try {
        expect(server.log()).toContain('"event":"store_timeout"');
        const replies = await timesOf(12, () => ask(server.url));
        expect([...new Set(replies.map((reply) => reply.status))]).toEqual([200]);
        expect(replies.every(({ armmt }) => /reason=store_(?:timeout|unavailable)$/.test(armmt))).toBe(true);
        const alone = quickest(await timesOf(10, () => ask(`http://localhost:${enginePort}`)));
        const off = await timesOf(15, () => ask(server.url, OFF));
        expect(off.every(({ armmt, token }) => armmt === "bypass; reason=off" && token !== null)).toBe(true);
        expect(quickest(off) - alone).toBeLessThan(100);
      } finally {
        const stoppedAt = performance.now();
        await server.stop();
        expect(performance.now() - stoppedAt).toBeLessThan(20_000);
        for (const pipe of pipes) rmSync(pipe);
      }
    }
  });
});

async function rows(data: string): Promise<number> {
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(join(data, "events.sqlite"), { readOnly: true });
  try {
    return Number(database.prepare("SELECT count(*) AS n FROM ubi_queries").get()?.["n"]);
  } finally {
    database.close();
  }
}

describe.each(runtimes)("%s with a locked file of events", (runtime) => {
  it("answers every search, and has every record afterwards", { timeout: 120_000 }, async () => {
    const data = await publishedFolder(`locked-${runtime}`);
    const server = await start(runtime, data);
    try {
      await timesOf(5, () => ask(server.url));
      await expect.poll(() => rows(data).catch(() => 0), { timeout: 10_000 }).toBe(5);
      const { DatabaseSync } = await importSqlite();
      const other = new DatabaseSync(join(data, "events.sqlite"));
      other.exec("BEGIN IMMEDIATE");
      const replies: Promise<Reply>[] = [];
      for (let n = 0; n < 40; n++) {
        replies.push(ask(server.url, n % 2 === 0 ? {} : OFF));
        await new Promise((resolve) => setTimeout(resolve, 100)); // oxlint-disable-line no-await-in-loop
      }
      const found = await Promise.all(replies);
      expect(found.map((reply) => reply.status)).toEqual(found.map(() => 200));
      expect(quickest(found)).toBeLessThan(300);
      expect(await statusOf(server.url)).toMatch(/"eventsFile":\{"waiting":4\d,"locked":true/);
      // Clients of events are told within their limit.
      const { token } = await ask(server.url);
      const event = { token, action_name: "click", event_attributes: { object: { object_id: "item-1" } } };
      const sent = await fetch(`${server.url}/events`, { method: "POST", body: JSON.stringify([event]) });
      expect(sent.status).toBe(503);
      other.exec("COMMIT");
      other.close();
      await expect.poll(() => rows(data), { timeout: 10_000 }).toBe(46);
      const again = await fetch(`${server.url}/events`, { method: "POST", body: JSON.stringify([event]) });
      expect(await again.json()).toMatchObject({ accepted: 0, duplicates: 1 });
      expect(server.log().match(/"event":"events_locked"/g)).toHaveLength(2);
    } finally {
      expect(await server.stop()).toBe(0);
    }
  });

  it("says how many records are lost when it stops while the file is locked, and stops in time", { timeout: 120_000 }, async () => {
    const data = await publishedFolder(`lost-${runtime}`);
    const server = await start(runtime, data);
    await timesOf(3, () => ask(server.url));
    await expect.poll(() => rows(data).catch(() => 0), { timeout: 10_000 }).toBe(3);
    const { DatabaseSync } = await importSqlite();
    const other = new DatabaseSync(join(data, "events.sqlite"));
    other.exec("BEGIN IMMEDIATE");
    await timesOf(4, () => ask(server.url));
    const stoppedAt = performance.now();
    expect(await server.stop()).toBe(1);
    expect(performance.now() - stoppedAt).toBeLessThan(20_000);
    other.close();
    expect(server.log()).toContain('"event":"records_lost","writes":4');
    expect(await rows(data)).toBe(3);
  });
});
