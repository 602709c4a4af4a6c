/**
 * What travels in HTTP besides the search itself: packed bodies, long and odd URLs, headers, conditional requests. From raw requests to the
 * edge on every runtime, with an engine of this file that tells what it got.
 */
import { createServer, type IncomingHttpHeaders, request as send, type RequestOptions, type Server } from "node:http";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { brotliCompressSync, brotliDecompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync, zstdCompressSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bundleWorker } from "../../src/lab/harness/bundle.ts";
import { runBundle } from "../harness/running.ts";
import { ROOT, runtimes, startServer } from "./node/servers.ts";

const SEARCH = '{"query":{"match":{"title":"café"}},"sort":["price"],"size":3}';
const JSON_TYPE = { "content-type": "application/json" };
const HITS = Array.from({ length: 60 }, (_, i) => ({
  _index: "products",
  _id: `p${i}`,
  _score: 60 - i,
  _source: { title: `red mug ${i}` },
}));
const REPLY = JSON.stringify({ took: 1, timed_out: false, hits: { total: { value: 60, relation: "eq" }, hits: HITS } });

interface Asked {
  readonly line: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Host {
  readonly url: string;
  /** Of the process, where it is one. */
  readonly pid?: number | undefined;
  stop(): Promise<unknown>;
}

const GENERIC = { path: "/find", query: "q", offset: "from", limit: "size", hits: "hits.hits", leaveAlone: {}, echo: {} };

const HOSTS = [...runtimes, "workerd"] as const;
const home = mkdtempSync(join(tmpdir(), "armmt-http-"));
const hosts = new Map<string, Host>();
const asked: Asked[] = [];
let replyHeaders: Record<string, string> = {};
let status = 200;
let left: ((value: boolean) => void) | undefined;
let engine: Server;

beforeAll(async () => {
  engine = createServer({ maxHeaderSize: 128 * 1024 }, (request, response) => {
    void buffer(request).then((body) => {
      asked.push({ line: `${request.method} ${request.url}`, headers: request.headers, body });
      if (left !== undefined) response.once("close", () => left?.(true));
      else response.writeHead(status, { "content-type": "application/json", ...replyHeaders }).end(status === 304 ? undefined : REPLY);
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const address = engine.address();
  if (typeof address !== "object" || address === null) throw new Error("The engine does not listen");
  const url = `http://127.0.0.1:${address.port}`;
  const INDEXES = {
    products: { backend: "elasticsearch", url, window: 10 },
    movies: { backend: "meilisearch", url, window: 10 },
    pages: { backend: "solr", url, window: 10 },
    shop: { backend: "generic", url, window: 10, generic: GENERIC },
  };
  const config = join(home, "wrangler.toml");
  writeFileSync(config, '[vars]\nENGINE_TIMEOUT_MS = 20000\nRANK_BUDGET_MS = 100\nDEFAULT_VARIANT = "control"\n');
  const env = { INDEXES: JSON.stringify(INDEXES) };
  for (const runtime of runtimes) {
    const server = await startServer(runtime, { data: join(home, runtime), flags: ["--no-demo", "--config", config], env });
    hosts.set(runtime, { url: server.url, pid: server.process.pid, stop: () => server.stop() });
  }
  const bundle = await bundleWorker(join(ROOT, "wrangler.toml"), join(home, "bundle"));
  hosts.set("workerd", await runBundle(bundle, { INDEXES, ENGINE_TIMEOUT_MS: 20_000, RANK_BUDGET_MS: 100, DEFAULT_VARIANT: "control" }));
}, 240_000);

afterAll(async () => {
  await Promise.all([...hosts.values()].map((host) => host.stop()));
  engine.closeAllConnections();
  engine.close();
  rmSync(home, { recursive: true, force: true });
});

beforeEach(() => {
  asked.length = 0;
  replyHeaders = {};
  status = 200;
  left = undefined;
});

const ASKED_FOR: readonly (readonly [string, "gzip" | "br" | undefined])[] = [
  ["gzip", "gzip"],
  ["gzip, deflate, br", "gzip"],
  ["*", "gzip"],
  ["br", "br"],
  ["gzip;q=0.5, br", "br"],
  ["zstd", undefined],
];

interface Got {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Asking extends RequestOptions {
  readonly headers?: Readonly<Record<string, string>>;
}

function ask(host: string, path: string, options: Asking = {}, body?: Uint8Array | string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(Buffer.byteLength(body)) };
    const given = { method: body === undefined ? "GET" : "POST", agent: false, ...options };
    const outgoing = send(`${hosts.get(host)!.url}${path}`, { ...given, headers: { ...length, ...given.headers } }, (message) => {
      buffer(message).then((bytes) => resolve({ status: message.statusCode ?? 0, headers: message.headers, body: bytes }), reject);
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

let packedZeros: Buffer | undefined;
/** Packed once for all hosts: it takes seconds. */
const bomb = (): Buffer => (packedZeros ??= gzipSync(Buffer.alloc(900 * 1024 * 1024)));

const packedAs = (encoding: string) => ({ headers: { ...JSON_TYPE, "content-encoding": encoding } });
const errorOf = ({ body }: Got): string => JSON.parse(body.toString("utf8")).error.reason;

describe.each(HOSTS)("%s", (host) => {
  it.each<[string, Uint8Array | string]>([
    ["gzip", gzipSync(SEARCH)],
    ["GZip", gzipSync(SEARCH)],
    ["x-gzip", gzipSync(SEARCH)],
    ["deflate", deflateSync(SEARCH)],
    ["deflate", deflateRawSync(SEARCH)],
    ["gzip, deflate", deflateSync(gzipSync(SEARCH))],
    ["identity", SEARCH],
    ["identity, gzip", gzipSync(SEARCH)],
    ["", SEARCH],
    // A mistake of some clients, which engines read over.
    ["UTF-8", SEARCH],
  ])("unpacks a body packed as %j", async (encoding, body) => {
    const got = await ask(host, "/products/_search", packedAs(encoding), body);
    expect(got.status).toBe(200);
    expect(asked).toMatchObject([{ line: "POST /products/_search", body: Buffer.from(SEARCH) }]);
    expect(asked[0]!.headers).not.toHaveProperty("content-encoding");
    expect(asked[0]!.headers["content-length"]).toBe(String(Buffer.byteLength(SEARCH)));
  });

  it.each<[string, Uint8Array]>([
    ["br", brotliCompressSync(SEARCH)],
    ["zstd", zstdCompressSync(SEARCH)],
  ])("unpacks %s where it can, and never sends it on without its name", async (encoding, body) => {
    const got = await ask(host, "/products/_search", packedAs(encoding), body);
    expect(got.status).toBe(host === "workerd" ? 415 : 200);
    expect(asked.map((request) => request.body.toString("utf8"))).toEqual(host === "workerd" ? [] : [SEARCH]);
  });

  it.each<[number, string, Uint8Array | string, RegExp]>([
    [415, "rot13", SEARCH, /packed as "rot13" cannot be unpacked here/],
    [415, "gzip, rot13", gzipSync(SEARCH), /rot13/],
    [415, "gzip, gzip, gzip, gzip", SEARCH, /gzip, gzip/],
    [400, "gzip", SEARCH, /not packed as "gzip"/],
    [400, "gzip", gzipSync(SEARCH).subarray(0, -9), /not all of it came/],
    [400, "gzip", Buffer.concat([gzipSync(SEARCH), Buffer.from("more")]), /"gzip"/],
    [400, "deflate", gzipSync(SEARCH), /"deflate"/],
    [413, "gzip", gzipSync(" ".repeat(2_000_000)), /longer than 1048576 bytes/],
    [413, "gzip, gzip", gzipSync(gzipSync(Buffer.alloc(50_000_000))), /longer than 1048576 bytes/],
  ])("answers %i to a body packed as %j that cannot be read", async (expected, encoding, body, reason) => {
    const got = await ask(host, "/products/_search", packedAs(encoding), body);
    expect([got.status, errorOf(got)]).toEqual([expected, expect.stringMatching(reason)]);
    expect(got.headers["x-elastic-product"]).toBe("Elasticsearch");
    expect(asked).toEqual([]);
  });

  it("says so in the words of each engine", async () => {
    const solr = await ask(host, "/solr/pages/select", { headers: { "content-encoding": "rot13" } }, "q=red");
    expect([solr.status, JSON.parse(solr.body.toString("utf8")).error.code]).toEqual([415, 415]);
    const meilisearch = await ask(host, "/indexes/movies/search", packedAs("rot13"), '{"q":"red"}');
    expect([meilisearch.status, JSON.parse(meilisearch.body.toString("utf8")).type]).toEqual([415, "invalid_request"]);
  });

  it("does not unpack a bomb", async () => {
    expect(bomb().length).toBeLessThan(1_048_576);
    const before = peakOf(host);
    const got = await ask(host, "/products/_search", packedAs("gzip"), bomb());
    expect(got.status).toBe(413);
    if (before !== undefined) expect(peakOf(host)! - before).toBeLessThan(100_000);
  });

  it.each(["GET", "HEAD"])("reads the body of %s, packed too", async (method) => {
    for (const [headers, body] of [
      [JSON_TYPE, SEARCH],
      [packedAs("gzip").headers, gzipSync(SEARCH)],
    ] as const) {
      const got = await ask(host, "/products/_search", { method, headers }, body);
      expect(got.status).toBe(200);
      expect(got.body.length > 0).toBe(method === "GET");
    }
    expect(asked.map((request) => request.body.toString("utf8"))).toEqual([SEARCH, SEARCH]);
  });

  it("takes a search by POST without a body", async () => {
    expect((await ask(host, "/products/_search?q=red", { method: "POST" })).status).toBe(200);
    expect(asked[0]!.body.length).toBe(0);
  });

  it("takes events packed", async () => {
    const got = await ask(host, "/events", packedAs("rot13"), "[]");
    // Closed here, or the coding is refused: in no case is it another server error.
    expect(got.status).toBeLessThan(500);
  });

  it.each([
    ["/products/_search/?q=red", "/products/_search?q=red"],
    ["//products//_search?q=red", "/products/_search?q=red"],
    ["/_msearch/", "/_msearch"],
    ["/solr/pages/select/?q=red", "/solr/pages/select?q=red"],
    ["//solr/pages/select?q=red", "/solr/pages/select?q=red"],
    ["/indexes/movies/search/?q=red", "/indexes/movies/search"],
    ["//indexes/movies/search?q=red", "/indexes/movies/search"],
    ["/products/_search?q=http://example.com//red/", "/products/_search?q=http://example.com//red/"],
  ])("reads %s as the engines do", async (path, expected) => {
    const body = path.includes("_msearch") ? { body: `{"index":"products"}\n{"query":{"match":{"title":"red"}}}\n` } : {};
    const got = await ask(host, path, { headers: { "content-type": "application/x-ndjson" } }, body.body);
    expect(got.status).toBe(200);
    expect(asked[0]!.line.split(" ")[1]!.startsWith(expected)).toBe(true);
  });

  it("leaves a generic engine's path with another slash to the shop", async () => {
    expect((await ask(host, "/find/?q=red")).status).toBe(404);
    expect((await ask(host, "/find?q=red")).status).toBe(200);
  });

  it.each([8100, 30_000, 60_000])("takes a URL of %i bytes", async (length) => {
    expect((await ask(host, `/products/_search?size=1&q=${"x".repeat(length)}`)).status).toBe(200);
    expect(asked[0]!.line.length).toBeGreaterThan(length);
    // Beside the URL, an engine's own limit must leave room for no more than a plain client's headers.
    const added = Object.entries(asked[0]!.headers).reduce((sum, [name, value]) => sum + name.length + String(value).length + 4, 0);
    expect(added).toBeLessThan(150);
  });

  it("says what is wrong with a URL that is too long", async () => {
    const got = await ask(host, `/products/_search?q=${"x".repeat(70_000)}`);
    expect([400, 414, 431]).toContain(got.status);
    expect(got.body.length).toBeGreaterThan(0);
  });

  it("takes raw UTF-8 in the request line, or says what to do", async () => {
    const socket = connect(Number(new URL(hosts.get(host)!.url).port), "127.0.0.1");
    socket.write("GET /products/_search?q=café HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    const reply = await text(socket);
    expect(reply).toMatch(host === "workerd" ? /^HTTP\/1.1 200/ : /^HTTP\/1.1 400[^]*percent-encoded/);
    if (host === "workerd") expect(asked[0]!.line).toBe("GET /products/_search?q=caf%C3%A9");
  });

  it("tells by OPTIONS what it takes", async () => {
    const got = await ask(host, "/products/_search", { method: "OPTIONS" });
    expect([got.status, got.headers.allow, got.body.length]).toEqual([200, expect.stringContaining("GET"), 0]);
    const preflight = await ask(host, "/products/_search", { method: "OPTIONS", headers: { origin: "https://elsewhere.example" } });
    expect([preflight.status, errorOf(preflight)]).toEqual([405, expect.stringContaining("ALLOW_ORIGINS")]);
    expect((await ask(host, "/products/_search", { method: "PUT" })).headers.allow).toContain("POST");
  });

  it("passes on what the engine needs to know of a request, and adds nothing of its own", async () => {
    const headers = { ...JSON_TYPE, "user-agent": "shop/1", "x-opaque-id": "page-7", "x-request-id": "r-1", cookie: "a=b", accept: "*/*" };
    await ask(host, "/products/_search", { headers }, SEARCH);
    const ofHttp = ["host", "connection", "content-length", "transfer-encoding", "cf-worker"];
    expect(Object.fromEntries(Object.entries(asked[0]!.headers).filter(([name]) => !ofHttp.includes(name)))).toEqual({
      ...JSON_TYPE,
      accept: "*/*",
      "user-agent": "shop/1",
      "x-opaque-id": "page-7",
      "x-request-id": "r-1",
      "accept-encoding": "identity",
    });
  });

  it("passes on what the client needs to know of a reply", async () => {
    replyHeaders = {
      "www-authenticate": 'Basic realm="security"',
      allow: "GET, POST",
      "x-opensearch-version": "OpenSearch/3.8.0 (opensearch)",
      "x-elastic-product": "Elasticsearch",
      warning: '299 Elasticsearch-9.5 "old, and gone"',
      "retry-after": "7",
      "x-opaque-id": "page-7",
      "x-request-id": "r-1",
    };
    for (status of [200, 401, 405, 429, 503]) {
      const got = await ask(host, "/products/_search", { headers: JSON_TYPE }, SEARCH);
      expect([got.status, got.headers]).toEqual([status, expect.objectContaining(replyHeaders)]);
    }
    expect((await ask(host, "/products/_search", { headers: { ...JSON_TYPE, "set-cookie": "x" } }, SEARCH)).headers).not.toHaveProperty(
      "set-cookie",
    );
  });

  it("asks the engine whether it has changed, for replies that go on as they are", async () => {
    replyHeaders = { etag: '"v1"', "last-modified": "Mon, 01 Jun 2026 00:00:00 GMT" };
    const first = await ask(host, "/solr/pages/select?q=red&sort=price+asc");
    expect([first.status, first.headers.etag]).toEqual([200, '"v1"']);
    status = 304;
    for (const path of ["/solr/pages/select?q=red&sort=price+asc", "/solr/pages/select?q=red"]) {
      const got = await ask(host, path, { headers: { "if-none-match": 'W/"v1"', "x-armmt": "off" } });
      expect([got.status, got.body.length, got.headers.etag]).toEqual([304, 0, '"v1"']);
      expect(asked.at(-1)!.headers["if-none-match"]).toBe('W/"v1", "v1"');
    }
    const since = await ask(host, "/solr/pages/select?q=red&sort=price+asc", {
      headers: { "if-modified-since": replyHeaders["last-modified"]! },
    });
    expect(since.status).toBe(304);
    expect(asked.at(-1)!.headers["if-modified-since"]).toBe(replyHeaders["last-modified"]);
  });

  it("ends its request to the engine when the client leaves", async () => {
    const gone = new Promise<boolean>((resolve) => (left = resolve));
    const outgoing = send(`${hosts.get(host)!.url}/products/_search`, { method: "POST", headers: JSON_TYPE, agent: false });
    outgoing.on("error", () => undefined);
    outgoing.end(SEARCH);
    await expect.poll(() => asked.length, { timeout: 20_000 }).toBe(1);
    // To workerd a connection that only says that nothing more comes is one on which the reply may still go; Cloudflare is in front of it.
    if (host === "workerd") outgoing.socket?.resetAndDestroy();
    else outgoing.destroy();
    const early = new Promise<boolean>((resolve) => setTimeout(resolve, 10_000, false));
    expect(await Promise.race([gone, early])).toBe(true);
  });

  it("packs replies for those who ask for it", async () => {
    const unpack = { gzip: gunzipSync, br: brotliDecompressSync };
    replyHeaders = { etag: '"v1"' };
    const accepting = (accepted: string, method: "GET" | "HEAD" = "GET"): Promise<Got> =>
      ask(host, "/products/_search?q=red", { method, headers: { "accept-encoding": accepted, "x-armmt": "off" } });
    const table: readonly (readonly [string, keyof typeof unpack | undefined])[] = [
      ["identity", undefined],
      ["gzip;q=0", undefined],
      ["gzip;q=0.2, identity;q=0.9", undefined],
      ["", undefined],
      // Cloudflare packs what leaves a Worker.
      ...(host === "workerd" ? [] : ASKED_FOR),
    ];
    for (const [accepted, expected] of table) {
      const got = await accepting(accepted);
      expect([accepted, got.headers["content-encoding"]]).toEqual([accepted, expected]);
      const plain = expected === undefined ? got.body : unpack[expected](got.body);
      expect(plain.toString("utf8")).toBe(REPLY);
      if (host === "workerd") continue;
      expect(got.headers).toMatchObject({ vary: "accept-encoding", "content-length": String(got.body.length) });
      expect(got.headers.etag).toBe(expected === undefined ? '"v1"' : 'W/"v1"');
      if (expected !== undefined) expect(got.body.length).toBeLessThan(REPLY.length / 3);
    }
    if (host === "workerd") return;
    expect((await accepting("gzip", "HEAD")).headers).not.toHaveProperty("content-encoding");
    replyHeaders = { "cache-control": "no-transform" };
    expect((await ask(host, "/products/_search?q=red&sort=price", { headers: { "accept-encoding": "gzip" } })).headers).not.toHaveProperty(
      "content-encoding",
    );
    // Too small to be worth it.
    expect((await ask(host, "/nothing", { headers: { "accept-encoding": "gzip" } })).headers).not.toHaveProperty("content-encoding");
  });
});

/** The most memory that the process has ever had, in kB. */
function peakOf(host: string): number | undefined {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${hosts.get(host)?.pid}/status`, "utf8"))?.[1]);
  } catch {
    return undefined;
  }
}
