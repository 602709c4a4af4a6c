/**
 * The servers themselves, in Node and in Deno: started as a user starts them, asked over HTTP, ended by signals. Nothing is replaced; the
 * engine is the demo shop, inside the server or as a process of its own.
 */
import { cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundleWorker } from "../../../src/lab/harness/bundle.ts";
import { runBundle } from "../../harness/running.ts";
import { readSet, writeSet } from "../../../src/cli/embed/pack.ts";
import { createShopHandler } from "../../../src/demo/shop.ts";
import { listKeys, folderKv } from "../../../src/runtimes/node/folder-kv.ts";
import { importSqlite } from "../../../src/runtimes/node/sqlite.ts";
import { ADMIN_TOKEN, armmt, ROOT, runServer, runtimes, search, SECRET, type Server, startServer } from "./servers.ts";

const QUERIES = ["red mug", "striped cushion", "elegant bag", "lamp"];

let home = "";
/** A folder of a server that has run once. */
let prepared = "";
let first: Server;
let engine: HttpServer;
let engineUrl = "";
/** How long the engine waits before it answers a search. */
let engineWaitMs = 0;
let engineAsked = 0;

const shop = createShopHandler();

beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), "armmt-server-"));
  prepared = join(home, "first");
  first = await startServer("Node", { data: prepared, flags: ["--provider", "wasm"] });
  engine = createServer(
    getRequestListener(
      async (request) => {
        const path = new URL(request.url).pathname;
        if (path === "/packed.txt") return new Response(gzipSync("unpacked"), { headers: { "content-encoding": "gzip" } });
        engineAsked++;
        await new Promise((resolve) => setTimeout(resolve, engineWaitMs));
        return shop(request, {});
      },
      { overrideGlobalObjects: false },
    ),
  );
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const address = engine.address();
  if (typeof address !== "object" || address === null) throw new Error("The engine does not listen");
  engineUrl = `http://127.0.0.1:${address.port}`;
}, 120_000);

afterAll(async () => {
  await first.stop();
  engine.closeAllConnections();
  engine.close();
  rmSync(home, { recursive: true, force: true });
});

/** A folder with the vectors and the page of the first server, and no events. */
function preparedFolder(name: string): string {
  const folder = join(home, name);
  for (const part of ["kv", "page", "page.built"])
    cpSync(join(prepared, part), join(folder, part), { recursive: true, preserveTimestamps: true });
  return folder;
}

/** Nothing is cut off because the machine is busy. */
const PATIENT = { ENGINE_TIMEOUT_MS: 60_000, RANK_BUDGET_MS: 10_000 };

/** Without the demo: the shop's handler as an engine of its own. */
function ownShop(name: string, vars: string = ""): readonly string[] {
  const config = join(home, `${name}.toml`);
  const index = `[vars.INDEXES.products]\nbackend = "elasticsearch"\nurl = "${engineUrl}"\nwindow = 100\n`;
  const experiment = `[[vars.EXPERIMENTS]]\nkey = "rerank"\nvariations = ["control", "armmt"]\n`;
  writeFileSync(
    config,
    `[vars]\nRANK_BUDGET_MS = ${PATIENT.RANK_BUDGET_MS}\nENGINE_TIMEOUT_MS = ${PATIENT.ENGINE_TIMEOUT_MS}\n${vars}\n${index}${experiment}`,
  );
  return ["--no-demo", "--config", config, "--provider", "wasm"];
}

async function rowsOf(data: string, sql: string): Promise<readonly unknown[]> {
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(join(data, "events.sqlite"), { readOnly: true });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}

describe("the first start", () => {
  it("embeds and publishes the drawn catalogue, builds the page, and is ready with all of it", async () => {
    expect(readdirSync(prepared).toSorted()).toEqual(expect.arrayContaining(["embeddings", "events.sqlite", "kv", "page", "page.built"]));
    expect((await search(first.url, "red mug")).armmt).toMatch(/^applied; model=.+; window=100; list=/);
  });

  it.skipIf(!runtimes.includes("Deno"))(
    "does the same in Deno, with the permissions of deno.json, to the same vectors",
    { timeout: 180_000 },
    async () => {
      const data = join(home, "first-deno");
      const server = await startServer("Deno", { data, flags: ["--provider", "wasm"] });
      try {
        expect((await search(server.url, "red mug")).armmt).toMatch(/^applied/);
      } finally {
        expect(await server.stop()).toBe(0);
      }
      expect(await listKeys(join(data, "kv"), "")).toEqual(await listKeys(join(prepared, "kv"), ""));
    },
  );
});

describe.each(runtimes)("%s with the demo shop", (runtime) => {
  let server: Server;
  beforeAll(async () => {
    server = await startServer(runtime, { data: preparedFolder(`demo-${runtime}`), env: { ADMIN_TOKEN }, flags: ["--provider", "wasm"] });
  });
  afterAll(() => server.stop());

  it("serves page, script and pictures, and 404 for what is not there", async () => {
    const page = await fetch(`${server.url}/`);
    expect([page.status, page.headers.get("content-type")]).toEqual([200, "text/html; charset=utf-8"]);
    expect(await page.text()).toContain("<html");
    expect((await fetch(`${server.url}/private/sw.js`)).headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    const script = await fetch(`${server.url}/page.js`);
    expect([script.status, script.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    const [id] = (await search(server.url, "red mug")).ids;
    const picture = await fetch(`${server.url}/images/${id}.svg`);
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/svg+xml"]);
    expect((await picture.text()).slice(0, 4)).toBe("<svg");
    for (const path of ["/nothing.txt", "/..%2fevents.sqlite", "/%2e%2e/events.sqlite", "/../events.sqlite"]) {
      expect((await fetch(`${server.url}${path}`)).status).toBe(404);
    }
  });

  it("gives no token to its page when the administrator has set one", async () => {
    expect(await (await fetch(`${server.url}/catalog.json`)).json()).not.toHaveProperty("explainToken");
  });

  it("says at /armmt/status what runs it", async () => {
    expect((await fetch(`${server.url}/armmt/status`)).status).toBe(401);
    const response = await fetch(`${server.url}/armmt/status`, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
    expect(await response.json()).toMatchObject({
      runtime: expect.stringMatching(`^${runtime} \\d`),
      provider: "wasm",
      indexes: { products: { published: { itemCount: 2400 } } },
    });
  });

  it("keeps a second server off its port, by name", async () => {
    const { port } = new URL(server.url);
    const { code, stderr } = await runServer(runtime, { data: join(home, "second"), flags: ["--port", port] });
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: `Error: Port ${port} is in use. Stop what listens there, or choose another one with --port <number>\n`,
    });
  });
});

describe.each(runtimes)("%s without the demo shop", (runtime) => {
  it("searches the configured engine, and writes searches and events where the report reads them", { timeout: 120_000 }, async () => {
    const data = preparedFolder(`events-${runtime}`);
    const server = await startServer(runtime, { data, flags: ownShop("events"), env: { EVENT_SECRET: SECRET } });
    for (let n = 0; n < 12; n++) {
      const { token, ids, status } = await search(server.url, "red", { "x-armmt-user": `shopper-${n}`, "x-armmt-consent": "1" });
      expect(status).toBe(200);
      const event = { token, action_name: "click", event_attributes: { object: { object_id: ids[1] } } };
      const response = await fetch(`${server.url}/events`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify([event, event]),
      });
      expect(await response.json()).toMatchObject({ accepted: 1, duplicates: 1 });
    }
    expect(await server.stop("SIGINT")).toBe(0);
    expect(readdirSync(data)).not.toContain("events.sqlite-wal");
    const joined = "SELECT count(*) AS n, min(e.position) AS position FROM ubi_events e JOIN ubi_queries q USING (query_id)";
    expect(await rowsOf(data, joined)).toEqual([{ n: 12, position: 2 }]);
    const report = await armmt("report", "rerank", "--database", join(data, "events.sqlite"), "--metric", "clicks", "--json");
    expect(report.stderr).toBe("");
    expect(JSON.stringify(JSON.parse(report.stdout))).toContain('"control"');
  });

  it("loses no search that runs when it is told to stop, nor what comes after its reply", async () => {
    const data = preparedFolder(`stop-${runtime}`);
    const server = await startServer(runtime, { data, flags: ownShop("stop") });
    await search(server.url, "mug");
    engineWaitMs = 1000;
    engineAsked = 0;
    const running = Array.from({ length: 30 }, (_, n) => search(server.url, `mug ${n}`));
    await expect.poll(() => engineAsked, { timeout: 10_000, interval: 10 }).toBe(30);
    const stopped = server.stop();
    const replies = await Promise.all(running);
    engineWaitMs = 0;
    expect(replies.map(({ status, connection }) => [status, connection])).toEqual(replies.map(() => [200, "close"]));
    expect(await stopped).toBe(0);
    expect(await rowsOf(data, "SELECT count(*) AS n FROM ubi_queries")).toEqual([{ n: 31 }]);
    await expect(search(server.url, "mug")).rejects.toThrow("fetch failed");
  });

  it("passes when the engine cannot be reached, as on the edge, and records it", async () => {
    const data = preparedFolder(`unreachable-${runtime}`);
    const config = join(home, "unreachable.toml");
    writeFileSync(config, '[vars.INDEXES.products]\nbackend = "elasticsearch"\nurl = "http://127.0.0.1:9"\nwindow = 100\n');
    const server = await startServer(runtime, { data, flags: ["--no-demo", "--config", config, "--provider", "wasm"] });
    expect(await search(server.url, "mug")).toMatchObject({ status: 502, armmt: "bypass; reason=engine_unreachable" });
    expect(await server.stop()).toBe(0);
    expect(await rowsOf(data, "SELECT bypass FROM ubi_queries")).toEqual([{ bypass: "engine_unreachable" }]);
  });

  it("hands on pages of a storefront that packs them, in a form that browsers can read", async () => {
    const flags = ownShop("storefront", `STOREFRONT_URL = "${engineUrl}"`);
    const server = await startServer(runtime, { data: join(home, `storefront-${runtime}`), flags });
    expect(await (await fetch(`${server.url}/packed.txt`)).text()).toBe("unpacked");
    await server.stop();
  });

  it("puts a first publish live at once, while it runs", { timeout: 120_000 }, async () => {
    const data = join(home, `publish-${runtime}`);
    const server = await startServer(runtime, { data, flags: ownShop("publish") });
    expect(server.log()).toContain(`run npm run armmt -- publish --catalog products --folder ${join(data, "kv")}`);
    expect((await search(server.url, "mug")).armmt).toBe("bypass; reason=nothing_published");
    const from = join(prepared, "embeddings/products");
    const published = await armmt("publish", "--from", from, "--folder", join(data, "kv"), "--json");
    expect(JSON.parse(published.stdout)).toMatchObject({ catalog: "products", items: 2400, changed: true, place: join(data, "kv") });
    expect((await search(server.url, "mug")).armmt).toMatch(/^applied/);
    await server.stop();
  });

  it("has no demo to start with where the index of its page is missing", async () => {
    const config = join(home, "no-products.toml");
    writeFileSync(config, '[vars.INDEXES.shoes]\nbackend = "elasticsearch"\nurl = "http://127.0.0.1:9"\nwindow = 100\n');
    expect(await runServer(runtime, { data: join(home, "no-products"), flags: ["--config", config] })).toMatchObject({
      code: 2,
      stderr: "Error: INDEXES.products is missing: the demo shop searches that index; put it back, or start with --no-demo\n",
    });
  });

  it("tells every problem of flags or configuration at once, and exits with 2", async () => {
    const config = join(home, "broken.toml");
    writeFileSync(
      config,
      '[vars]\nEVENT_SECRET = "x"\nEVENT_SINKS = ["queue"]\nRANK_BUDGET_MS = 0\n[vars.INDEXES.products]\nbackend = "elastic"\nurl = "http://127.0.0.1"\n',
    );
    const data = join(home, "broken");
    const broken = await runServer(runtime, { data, flags: ["--no-demo", "--config", config], env: { ENGINE_TIMEOUT_MS: "soon" } });
    expect(broken.code).toBe(2);
    for (const part of [
      `Error: EVENT_SECRET stands in ${config}: take it out there and set it as an environment variable`,
      "Error: RANK_BUDGET_MS is 0",
      'Error: ENGINE_TIMEOUT_MS is "soon"',
      "Error: INDEXES.products.window is missing",
      'Error: INDEXES.products.backend is "elastic": use one of',
    ]) {
      expect(broken.stderr).toContain(part);
    }
    const flags = await runServer(runtime, { data, flags: ["--port", "x", "--provider", "gpu"] });
    expect(flags).toMatchObject({ code: 2, stderr: expect.stringContaining('--provider is "gpu": use auto, webgpu, wasm') });
    expect(flags.stderr).toContain('--port is "x": use a number from 0 to 65535');
  });
});

describe("a server that stops while the engine hangs", () => {
  it("waits ten seconds, says what it cut off, and exits with 1", async () => {
    const flags = ownShop("hang");
    const servers = await Promise.all(runtimes.map((runtime) => startServer(runtime, { data: preparedFolder(`hang-${runtime}`), flags })));
    engineWaitMs = 30_000;
    engineAsked = 0;
    const searches = servers.map(({ url }) => search(url, "mug").catch(() => "cut off"));
    await expect.poll(() => engineAsked, { timeout: 10_000, interval: 10 }).toBe(servers.length);
    const stoppedAt = performance.now();
    expect(await Promise.all(servers.map((server) => server.stop()))).toEqual(servers.map(() => 1));
    expect(performance.now() - stoppedAt).toBeGreaterThan(9900);
    expect(await Promise.all(searches)).toEqual(servers.map(() => "cut off"));
    for (const { log } of servers) expect(log()).toContain('"event":"stopped_early"');
    engineWaitMs = 0;
  });
});

/** A minute is over at every SIGUSR2. */
const JUMPING_CLOCK =
  "const real = Date.now; let ahead = 0; Date.now = () => real() + ahead; process.on('SIGUSR2', () => { ahead += 61_000; });";

describe("a publish while a server runs", () => {
  it("is noticed when the pointer's minute is over, and so is a rollback", { timeout: 120_000 }, async () => {
    const data = preparedFolder("later");
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(JUMPING_CLOCK)}` };
    const server = await startServer("Node", { data, flags: ownShop("later"), env });
    expect((await search(server.url, "mug 1")).armmt).toMatch(/^applied/);
    const { set, ...files } = readSet(join(prepared, "embeddings/products"));
    writeSet(join(home, "other"), { set: { ...set, version: "other", imageEncoder: "another encoder" }, ...files });
    const folder = ["--folder", join(data, "kv")];
    expect(await armmt("publish", "--from", join(home, "other"), ...folder)).toMatchObject({ code: 0 });
    expect((await search(server.url, "mug 2")).armmt).toMatch(/^applied/);
    server.process.kill("SIGUSR2");
    await expect
      .poll(async () => (await search(server.url, "mug 3")).armmt, { timeout: 10_000 })
      .toMatch(/^applied; model=semantic-other;/);
    expect(await armmt("rollback", ...folder)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`version ${set.version} is live again`),
    });
    server.process.kill("SIGUSR2");
    await expect.poll(async () => (await search(server.url, "mug 4")).armmt, { timeout: 10_000 }).toMatch(/^applied/);
    await server.stop();
  });
});

describe("what the runtimes agree on", () => {
  it("is the order of every search, in Node, in Deno and in the Worker in workerd", { timeout: 240_000 }, async () => {
    const orders = new Map<string, readonly (readonly string[])[]>();
    for (const runtime of runtimes) {
      const server = await startServer(runtime, { data: preparedFolder(`order-${runtime}`), flags: ownShop("order") });
      orders.set(runtime, await askAll(server.url));
      await server.stop();
    }
    const bundle = await bundleWorker(join(ROOT, "wrangler.toml"), join(home, "bundle"));
    const index = { backend: "elasticsearch", url: engineUrl, window: 100, catalog: "products" };
    const worker = await runBundle(bundle, { INDEXES: { products: index }, ...PATIENT });
    try {
      const kv = await worker.embeddings();
      const folder = folderKv(join(prepared, "kv"));
      for (const key of await listKeys(join(prepared, "kv"), "")) {
        await kv.put(key, new Uint8Array((await folder.get(key, "arrayBuffer")) ?? new ArrayBuffer()));
      }
      orders.set("workerd", await askAll(worker.url));
    } finally {
      await worker.stop();
    }
    const engineOrder = await Promise.all(QUERIES.map(async (query) => (await search(engineUrl, query)).ids));
    for (const [runtime, order] of orders) expect([runtime, order]).toEqual([runtime, orders.get("Node")]);
    expect(orders.get("Node")).not.toEqual(engineOrder);
    expect(orders.size).toBe(runtimes.length + 1);
  });
});

/** Outside the experiment, so that every one is re-ranked. */
async function askAll(url: string): Promise<readonly (readonly string[])[]> {
  const orders: (readonly string[])[] = [];
  for (const query of QUERIES) {
    const found = await search(url, query);
    expect(found.armmt).toMatch(/^applied/);
    expect(found.ids).toHaveLength(20);
    orders.push(found.ids);
  }
  return orders;
}
