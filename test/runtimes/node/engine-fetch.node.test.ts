/** What a server in Node writes on an engine's socket: a body has its length, with every method. */
import { createServer, type Server } from "node:http";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, expect, it } from "vitest";
import { engineFetch } from "../../../src/runtimes/node/engine-fetch.ts";

const asked: string[] = [];
let engine: Server;
let url: string;

beforeAll(async () => {
  engine = createServer((request, response) => {
    void buffer(request).then((bytes) => {
      asked.push(`${request.method} ${request.url} ${bytes.toString("utf8")}`);
      response.end("{}");
    });
  });
  await new Promise<void>((resolve) => engine.listen(0, "127.0.0.1", resolve));
  const address = engine.address();
  if (typeof address !== "object" || address === null) throw new Error("It does not listen");
  url = `http://127.0.0.1:${address.port}`;
});

afterAll(() => {
  engine.closeAllConnections();
  engine.close();
});

it.each(["POST", "DELETE"])("sends a body by %s, which is not taken for the next request", async (method) => {
  asked.length = 0;
  const hidden = new TextEncoder().encode("GET /secret HTTP/1.1\r\nhost: engine\r\n\r\n");
  for (const path of ["/first", "/second"]) {
    const response = await engineFetch(`${url}${path}`, { method, body: hidden, headers: { "content-type": "application/json" } }); // oxlint-disable-line no-await-in-loop
    expect(await response.text()).toBe("{}"); // oxlint-disable-line no-await-in-loop
  }
  const body = new TextDecoder().decode(hidden);
  expect(asked).toEqual([`${method} /first ${body}`, `${method} /second ${body}`]);
});
