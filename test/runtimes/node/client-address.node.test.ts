/** The servers take a client's address from its connection: whatever it writes into headers. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runtimes, search, startServer } from "./servers.ts";

const home = mkdtempSync(join(tmpdir(), "armmt-address-"));
const asked: IncomingHttpHeaders[] = [];
const engine = createServer((request, reply) => {
  asked.push(request.headers);
  reply.setHeader("content-type", "application/json").end('{"hits":{"hits":[]}}');
});
let engineUrl = "";

beforeAll(async () => {
  await new Promise<void>((done) => engine.listen(0, "127.0.0.1", done));
  const address = engine.address();
  engineUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
});

afterAll(() => {
  engine.close();
  rmSync(home, { recursive: true, force: true });
});

describe.each(runtimes)("the server in %s", (runtime) => {
  it("tells the engine who is connected", { timeout: 180_000 }, async () => {
    const config = join(home, `${runtime}.toml`);
    const index = `backend = "elasticsearch"\nurl = "${engineUrl}"\nwindow = 100\nforwardClientAddress = true\n`;
    writeFileSync(config, `[vars]\nENGINE_TIMEOUT_MS = 60000\n[vars.INDEXES.products]\n${index}`);
    const server = await startServer(runtime, {
      data: join(home, runtime),
      flags: ["--no-demo", "--config", config, "--provider", "wasm"],
    });
    const forged = { "cf-connecting-ip": "198.51.100.1", "x-forwarded-for": "198.51.100.1", "x-real-ip": "198.51.100.1" };
    expect((await search(server.url, "mug", forged)).status).toBe(200);
    const headers = asked.at(-1);
    expect(headers?.["x-forwarded-for"]).toBe("127.0.0.1");
    expect(JSON.stringify(headers)).not.toContain("198.51");
    expect(await server.stop()).toBe(0);
  });
});
