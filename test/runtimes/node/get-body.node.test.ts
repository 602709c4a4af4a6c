/** A search by GET with a body, as Elasticsearch's documentation writes it: the engine gets that body, from raw sockets to a server in Node. */
import { connect } from "node:net";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { buffer, text } from "node:stream/consumers";
import { getRequestListener } from "@hono/node-server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rerank } from "../../../src/hono.ts";
import { elasticsearch } from "../../../src/backends/elasticsearch.ts";
import { memoryKv } from "../../../src/embeddings/store.ts";
import { scorersOf } from "../../../src/inference/scorer.ts";
import { readManifest } from "../../../src/lab/harness/catalogue.ts";
import { err, ok } from "../../../src/result.ts";
import { type RunningServer, serve } from "../../../src/runtimes/node/index.ts";

const SEARCH = '{"query":{"match":{"title":"red"}},"size":2,"from":50}';
const MANY = `{"index":"products"}\n${SEARCH}\n`;

const asked: { readonly line: string; readonly body: string }[] = [];
let engine: Server;
let server: RunningServer;

beforeAll(async () => {
  engine = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      asked.push({ line: `${request.method} ${request.url}`, body: bytes.toString("utf8") });
      response.end('{"hits":{"hits":[]}}');
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  server = await serve({
    env: { INDEXES: { products: { backend: "elasticsearch", url: urlOf(engine), window: 10 } } },
    port: 0,
    kv: memoryKv("products", [], readManifest()),
    sinks: { write: async () => ok(true), writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }) },
    scorer: scorersOf([err({ reason: "model_unavailable", detail: "Not needed here" })]),
    log: () => undefined,
  });
});

afterAll(async () => {
  await server.stop();
  engine.closeAllConnections();
  engine.close();
});

function urlOf(listening: Server): string {
  const address = listening.address();
  if (typeof address !== "object" || address === null) throw new Error("It does not listen");
  return `http://127.0.0.1:${address.port}`;
}

/** The reply as text. */
async function send(url: string, ...lines: readonly string[]): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.write(lines.join("\r\n"));
  return text(socket);
}

const request = (method: string, path: string, body: string): string[] => [
  `${method} ${path} HTTP/1.1`,
  "host: localhost",
  "connection: close",
  "content-type: application/json",
  `content-length: ${body.length}`,
  "",
  body,
];

async function engineGot(
  ...lines: readonly string[]
): Promise<{ readonly reply: string; readonly got: (typeof asked)[number] | undefined }> {
  asked.length = 0;
  const reply = await send(server.url, ...lines);
  return { reply, got: asked.at(-1) };
}

it.each([
  ["with a length", request("GET", "/products/_search", SEARCH), "POST /products/_search", SEARCH],
  [
    "in chunks",
    [
      ...request("GET", "/products/_search", "").filter((line) => !line.startsWith("content-length") && line !== ""),
      "transfer-encoding: chunked",
      "",
      SEARCH.length.toString(16),
      SEARCH,
      "0",
      "",
      "",
    ],
    "POST /products/_search",
    SEARCH,
  ],
  ["of several searches", request("GET", "/_msearch", MANY), "POST /_msearch", MANY],
  ["of HEAD", request("HEAD", "/products/_search", SEARCH), "POST /products/_search", SEARCH],
  ["that is empty", request("GET", "/products/_search?q=red", ""), "GET /products/_search?q=red", ""],
])("a body %s arrives", async (_, lines, line, body) => {
  const { reply, got } = await engineGot(...lines);
  expect(reply).toMatch(/^HTTP\/1.1 200/);
  expect(got).toEqual({ line, body });
});

it("a body beyond the limit is refused, and never another search", async () => {
  const { reply, got } = await engineGot(...request("GET", "/products/_search", " ".repeat(1_100_000)));
  expect(reply).toMatch(/^HTTP\/1.1 413/);
  expect(got).toBeUndefined();
});

it("an app that is mounted in a server of somebody else's reads it too, or says what to do", async () => {
  const kv = memoryKv("products", [], readManifest());
  const scorer = scorersOf([err({ reason: "model_unavailable", detail: "Not needed here" })]);
  const products = elasticsearch({ url: urlOf(engine), window: 10 });
  const app = rerank({ indexes: { products }, vectors: kv, scorer, log: () => undefined });
  for (const isPassed of [true, false]) {
    asked.length = 0;
    const fetch = (raw: Request, { incoming }: { readonly incoming: unknown }) => app.fetch(raw, isPassed ? { incoming } : {});
    const listener = getRequestListener(fetch, { overrideGlobalObjects: false });
    const host = createServer((incoming: IncomingMessage, outgoing) => void listener(incoming, outgoing));
    await new Promise<void>((resolve) => host.listen(0, "127.0.0.1", resolve));
    const reply = await send(urlOf(host), ...request("GET", "/products/_search", SEARCH));
    host.closeAllConnections();
    host.close();
    expect(reply).toMatch(isPassed ? /^HTTP\/1.1 200/ : /^HTTP\/1.1 400[^]*send the search by POST/);
    expect(asked).toEqual(isPassed ? [{ line: "POST /products/_search", body: SEARCH }] : []);
  }
});
