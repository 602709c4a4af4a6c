/** Vespa's query container itself behind the edge; content nodes are no Java, a searcher of a few lines stands in for them. */
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { VESPA_SURFACE } from "../backends/foreign/vespa.ts";
import { vespa as standIn } from "../search/dialects/vespa.ts";
import { testClients } from "./clients/clients.ts";
import { type RunningEdge, startEdge } from "./edge.ts";
import { trespasses } from "./foreign.ts";
import { ask, judgeAll, type Shape } from "./judge.ts";
import { missing, type RunningEngine, startEngine } from "./launch.ts";
import { publishedPages, testPages, VESPA_PAGES } from "./pages.ts";
import { compareReadings, randomShapes } from "./reading-vespa.ts";
import { BROKEN, FAILING, SHAPES, VESPA } from "./shapes-vespa.ts";
import { vespaApplication } from "./shop.ts";
import { faultsOf } from "./stand-in.ts";

const problem = missing("vespa");
if (problem !== undefined) console.warn(problem);

const INDEX = { idField: "fields.sku", schemas: ["products"] };
const start = (url: string, more: object = {}): Promise<RunningEdge> => startEdge("vespa", url, { ...INDEX, ...more });

const errorOf = (text: string): unknown => /"code":(\d+),"summary":"([^"]*)"/.exec(text)?.slice(1);

const pageOf = async (base: string, offset: number, hits: number, more: string): Promise<readonly string[]> => {
  const { body } = await ask(base, {
    path: `/search/?query=leather+bag&restrict=products&offset=${offset}&hits=${hits}&timeout=9s${more}`,
  });
  const found: { root: { children?: { id: string }[] } } = JSON.parse(body); // oxlint-disable-line no-unsafe-type-assertion
  return (found.root.children ?? []).map(({ id }) => id).filter((id) => !id.startsWith("group:"));
};

describe.skipIf(problem !== undefined)("vespa", () => {
  let engine: RunningEngine;
  let edge: RunningEdge;
  beforeAll(async () => {
    engine = await startEngine("vespa", (home, port) => {
      for (const [file, content] of Object.entries(vespaApplication(port))) {
        mkdirSync(dirname(join(home, file)), { recursive: true });
        writeFileSync(join(home, file), content);
      }
    });
    edge = await start(engine.url);
  }, 300_000);
  afterAll(async () => {
    await edge?.stop();
    await engine?.stop();
  });

  it(`answers ${SHAPES.length} shapes of requests`, async () => {
    expect(await judgeAll(SHAPES, engine.url, edge.url, VESPA)).toEqual([]);
  }, 180_000);

  it.each(FAILING)("sends the shopper's own request after $label", async (shape) => {
    // The edge remembers windows that fail.
    const fresh = await start(engine.url);
    try {
      expect(await judgeAll([shape], engine.url, fresh.url, VESPA)).toEqual([]);
    } finally {
      await fresh.stop();
    }
  });

  testPages(
    VESPA_PAGES,
    VESPA,
    () => engine.url,
    async () => startEdge("vespa", engine.url, { ...INDEX, browse: true }, [], await publishedPages()),
  );

  it("has a stand-in that answers alike", async () => {
    // Content nodes group; the searcher in their place does not.
    const ungrouped = SHAPES.filter(({ path, body }) => !`${path} ${body ?? ""}`.includes("all(group("));
    expect(await faultsOf(standIn, ungrouped, engine.url)).toEqual([]);
  }, 120_000);

  it("answers random requests", async () => {
    expect(await judgeAll(randomShapes(80), engine.url, edge.url, VESPA)).toEqual([]);
  }, 180_000);

  it("reads 400 random requests as the engine does", async () => {
    const shapes = randomShapes(400);
    const differences: (string | undefined)[] = [];
    for (let i = 0; i < shapes.length; i += 8) {
      differences.push(...(await Promise.all(shapes.slice(i, i + 8).map((shape) => compareReadings(shape, engine.url))))); // oxlint-disable-line no-await-in-loop
    }
    const left = differences.filter((difference) => difference === "left").length;
    expect(differences.filter((difference) => difference !== undefined && difference !== "left")).toEqual([]);
    expect(left).toBeLessThan(100);
  }, 180_000);

  it.each(BROKEN)("refuses %s in the engine's words", async (body) => {
    const shape = { path: "/search/", method: "POST" as const, body };
    const [own, given] = [await ask(engine.url, shape), await ask(edge.url, shape)];
    expect([given.status, errorOf(given.body)]).toEqual([own.status, errorOf(own.body)]);
  });

  it("loses no hit from page to page", async () => {
    const all = await pageOf(engine.url, 0, 400, "");
    for (const size of [3, 10, 24, 50]) {
      const pages: string[] = [];
      for (let offset = 0; offset < all.length; offset += size) pages.push(...(await pageOf(edge.url, offset, size, ""))); // oxlint-disable-line no-await-in-loop
      expect(pages.toSorted(), `${size} per page`).toEqual(all.toSorted());
      expect(pages).not.toEqual(all);
    }
  }, 60_000);

  /** What the default query profile says, no request shows: here it is another profile, which a proxy asks for. */
  describe.each([
    ["cheap", {}, 10, "explicit_sort"],
    ["five", {}, 5, "window_short"],
    ["long", { pageSize: 24 }, 24, "applied"],
  ])("with the settings of the query profile %s", (profile, options, size, outcome) => {
    it("loses no hit, and keeps its order", async () => {
      const proxy = await startProxy(engine.url, `queryProfile=${profile}`);
      const fresh = await start(proxy.url, options);
      try {
        const path = "/search/?query=leather+bag&restrict=products&timeout=9s";
        const shape: Shape = { label: profile, path, outcome };
        expect(await judgeAll([shape], proxy.url, fresh.url, VESPA)).toEqual([]);
        const all = await pageOf(proxy.url, 0, 400, "");
        const pages: string[] = [];
        for (let offset = 0; offset < 60; offset += size) pages.push(...(await pageOf(fresh.url, offset, size, ""))); // oxlint-disable-line no-await-in-loop
        expect(new Set(pages).size).toBe(pages.length);
        if (profile !== "five") expect(pages.toSorted()).toEqual(all.slice(0, pages.length).toSorted());
        if (profile === "cheap") expect(pages).toEqual(all.slice(0, pages.length));
      } finally {
        await fresh.stop();
        await proxy.stop();
      }
    });
  });

  it("answers clients that ask for CBOR in JSON, and with off in CBOR", async () => {
    for (const hits of [5, 50]) {
      const path = `/search/?query=leather+bag&restrict=products&hits=${hits}`;
      const headers = { accept: "application/cbor" };
      const [served, off] = await Promise.all([
        fetch(`${edge.url}${path}`, { headers }),
        fetch(`${edge.url}${path}`, { headers: { ...headers, "x-armmt": "off" } }),
      ]); // oxlint-disable-line no-await-in-loop
      expect([served.headers.get("content-type"), off.headers.get("content-type")]).toEqual([
        "application/json; charset=utf-8",
        "application/cbor; charset=utf-8",
      ]);
      expect(served.headers.get("x-armmt")).toMatch(/^applied/);
    }
  });

  testClients("vespa", () => ({ engine: engine.url, edge: edge.url }));

  it("refuses requests for a schema that is not configured", async () => {
    expect(await trespasses(VESPA_SURFACE.attacks("secret"), edge.url)).toEqual([]);
  }, 120_000);
});

/** Adds parameters to the URL of each request. */
async function startProxy(engine: string, more: string): Promise<RunningEngine> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const body = Buffer.concat(chunks);
      const url = `${engine}${request.url ?? ""}${request.url?.includes("?") === true ? "&" : "?"}${more}`;
      const type = request.headers["content-type"];
      const reply = await fetch(url, {
        method: request.method ?? "GET",
        headers: { accept: request.headers.accept ?? "*/*", ...(type !== undefined && { "content-type": type }) },
        ...(body.byteLength > 0 && { body }),
      });
      response.writeHead(reply.status, { "content-type": reply.headers.get("content-type") ?? "text/plain" });
      response.end(Buffer.from(await reply.arrayBuffer()));
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("No free port");
  return { url: `http://127.0.0.1:${address.port}`, stop: async () => void server.close() };
}
