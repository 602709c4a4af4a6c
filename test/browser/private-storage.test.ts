/** What private re-ranking stores, in a real browser: files in the Cache API, the history in IndexedDB. */
import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "./demo.ts";
import type { Calls } from "./storage-page.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

declare const calls: Calls;

interface Hosted {
  readonly name: string;
  readonly content: string;
  readonly when: "install" | "use";
}

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

describe.skipIf(executablePath === undefined)("what is stored on the device", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: Server;
  let origin: string;
  let files: readonly Hosted[];
  let asked: string[];
  /** Path → what is sent in its place. */
  let instead: Map<string, { readonly status?: number; readonly body?: Buffer; readonly headers?: Record<string, string> }>;
  let isGone: boolean;

  const pathOf = ({ content }: Hosted) => `/private/files/${sha256(content)}.gz`;
  const listing = () =>
    JSON.stringify({
      format: 1,
      config: { INDEXES: {} },
      files: files.map(({ name, content, when }) => ({
        name,
        sha256: sha256(content),
        bytes: content.length,
        packedBytes: gzipSync(content).length,
        url: `files/${sha256(content)}.gz`,
        when,
      })),
    });

  beforeAll(async () => {
    const bundled = await build({
      entryPoints: [fileURLToPath(new URL("storage-page.ts", import.meta.url))],
      bundle: true,
      format: "iife",
      write: false,
    });
    const script = bundled.outputFiles[0]?.text ?? "";
    server = createServer((request, reply) => {
      const { url = "/" } = request;
      if (url === "/") {
        reply
          .setHeader("content-type", "text/html")
          .end(`<!doctype html><title>Test</title><link rel="icon" href="data:,"><script>${script}</script>`);
        return;
      }
      if (isGone) {
        request.socket.destroy();
        return;
      }
      asked.push(url);
      const change = instead.get(url);
      const file = files.find((one) => pathOf(one) === url);
      const body = url === "/private/files.json" ? Buffer.from(listing()) : file === undefined ? undefined : gzipSync(file.content);
      // As a host that means well may do.
      reply.setHeader("cache-control", "public, max-age=31536000, immutable");
      for (const [name, value] of Object.entries(change?.headers ?? {})) reply.setHeader(name, value);
      reply.writeHead(change?.status ?? (body === undefined ? 404 : 200)).end(change?.body ?? body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  beforeEach(async () => {
    files = [
      { name: "model/student.onnx", content: "model ".repeat(3000), when: "install" },
      { name: "kv/products/live", content: '{"version":"1"}', when: "install" },
      { name: "kv/products/1/shard/0", content: "shard ".repeat(1000), when: "use" },
    ];
    asked = [];
    instead = new Map();
    isGone = false;
    context = await browser.newContext();
    page = await context.newPage();
    await page.goto(origin);
  });

  afterEach(() => context.close());

  const install = () => page.evaluate(() => calls.install());
  const read = (name: string, times?: number) => page.evaluate(([one, count]) => calls.read(one, count), [name, times] as const);

  it("fetches what the installation needs, once, and the rest when it is used, once", async () => {
    const { steps, held } = Object(await install());
    expect(held.map(({ name }: { name: string }) => name)).toEqual(["model/student.onnx", "kv/products/live"]);
    expect(steps.toSorted((a: number, b: number) => a - b)).toEqual(steps);
    expect(steps.at(-1)).toBe(1);
    await install();
    expect(asked.filter((url) => url !== "/private/files.json")).toHaveLength(2);
    expect(await read("kv/products/1/shard/0", 5)).toEqual(Array.from({ length: 5 }, () => files[2]?.content));
    expect(await read("kv/products/1/shard/0")).toHaveLength(1);
    expect(asked.filter((url) => url === pathOf(files[2]!))).toHaveLength(1);
    isGone = true;
    await page.reload();
    expect(await read("model/student.onnx")).toEqual([files[0]?.content]);
  });

  it("is the store of item vectors", async () => {
    await install();
    expect(await page.evaluate(() => calls.kv("products/live"))).toEqual({ text: '{"version":"1"}', length: 15 });
    expect(await page.evaluate(() => calls.kv("products/1/shard/9"))).toEqual({ text: null, length: undefined });
  });

  it("takes a file from a host that unpacks it on the way", async () => {
    instead.set(pathOf(files[0]!), { headers: { "content-encoding": "gzip" } });
    expect(await install()).toMatchObject({ held: [{ name: "model/student.onnx" }, {}] });
    expect(await read("model/student.onnx")).toEqual([files[0]?.content]);
  });

  it("refuses by name what is damaged, cut, missing or another file, and keeps none of it", async () => {
    const path = pathOf(files[0]!);
    const cases = [
      [{ body: gzipSync("other ".repeat(3000)) }, "file_corrupt", "SHA-256"],
      [{ body: gzipSync(files[0]!.content).subarray(0, 40) }, "file_corrupt", "no whole gzip file"],
      [{ body: gzipSync("x".repeat(100_000)) }, "file_corrupt", "more than the 18000 bytes"],
      [{ body: Buffer.alloc(1_000_000, 7) }, "file_corrupt", "longer than the 18000 bytes"],
      [{ status: 404, body: Buffer.from("no") }, "file_unreachable", "status 404"],
      [{ status: 302, headers: { location: "/private/files.json" } }, "file_unreachable", "Cannot fetch"],
    ] as const;
    for (const [change, reason, words] of cases) {
      instead.set(path, change);
      const { reason: found, message } = Object(await install());
      expect([found, message]).toEqual([reason, expect.stringContaining(words)]);
      expect(message).toContain("model/student.onnx");
      expect(await page.evaluate(async () => (await (await caches.open("armmt-private:/private/")).keys()).length)).toBe(0);
    }
    // A year in the browser's own cache would keep the damaged one.
    instead.clear();
    expect(await install()).toMatchObject({ held: [{ name: "model/student.onnx" }, {}] });
  });

  it("names a list that cannot be used", async () => {
    instead.set("/private/files.json", { body: Buffer.from('{"format":1,"config":{"INDEXES":{}},"files":[{}]}') });
    expect(await install()).toMatchObject({ reason: "listing_invalid", message: expect.stringContaining("files.0.name") });
    isGone = true;
    expect(await install()).toMatchObject({ reason: "listing_unreachable" });
  });

  it("drops what a new list no longer has, and fetches only what is new", async () => {
    await install();
    const model = { ...files[0]!, content: "another model ".repeat(2000) };
    files = [model, ...files.slice(1)];
    asked = [];
    await install();
    expect(asked).toEqual(["/private/files.json", pathOf(model)]);
    const paths = await page.evaluate(async () =>
      (await (await caches.open("armmt-private:/private/")).keys()).map(({ url }) => new URL(url).pathname).toSorted(),
    );
    expect(paths).toEqual(["/private/files.json", pathOf(files[1]!), pathOf(model)].toSorted());
  });

  it("fetches again what the disk has damaged", async () => {
    await install();
    await page.evaluate((path) => calls.damage(path), pathOf(files[0]!));
    expect(await read("model/student.onnx")).toEqual([files[0]?.content]);
    isGone = true;
    expect(await read("model/student.onnx")).toEqual([files[0]?.content]);
  });

  it("says so when the browser has no room", async () => {
    const noise = Array.from({ length: 200_000 }, () => String.fromCharCode(33 + Math.floor(Math.random() * 90))).join("");
    files = [{ name: "model/student.onnx", content: noise, when: "install" }];
    const cdp = await context.newCDPSession(page);
    await cdp.send("Storage.overrideQuotaForOrigin", { origin, quotaSize: 20_000 });
    expect(await install()).toMatchObject({ reason: "storage_full", message: expect.stringContaining("model/student.onnx") });
    await cdp.send("Storage.overrideQuotaForOrigin", { origin });
  });

  it("leaves nothing after clear(), not even by looking", async () => {
    await install();
    expect(await page.evaluate(() => calls.clear())).toEqual({ names: [], expected: false, held: undefined, after: [] });
  });

  it("keeps the history: most recent first, nothing twice, no more than the model reads", async () => {
    const all = Array.from({ length: 25 }, (_, i) => ({ id: `item-${i}`, title: `Item ${i}` }));
    for (const item of all) await page.evaluate((one) => calls.view(one), item); // oxlint-disable-line no-await-in-loop
    const viewed = async () => (await page.evaluate(() => calls.viewed())).map(({ id }) => id);
    expect(await viewed()).toEqual(
      all
        .slice(5)
        .toReversed()
        .map(({ id }) => id),
    );
    await page.evaluate(() => calls.view({ id: "item-10" }));
    expect((await viewed()).slice(0, 2)).toEqual(["item-10", "item-24"]);
    expect(await viewed()).toHaveLength(20);
    // In one millisecond, from two tabs.
    const other = await context.newPage();
    await other.goto(origin);
    await Promise.all([page, other].map((tab, i) => tab.evaluate((n) => calls.view({ id: `a-${n}` }, { id: `b-${n}` }), i)));
    expect((await viewed()).slice(0, 4).toSorted()).toEqual(["a-0", "a-1", "b-0", "b-1"]);
    expect(await viewed()).toHaveLength(20);
    await page.evaluate(() => calls.removeViewed("a-0"));
    expect(await viewed()).not.toContain("a-0");
    await page.reload();
    expect(await viewed()).toHaveLength(19);
    await page.evaluate(() => calls.clearViewed());
    expect(await viewed()).toEqual([]);
    expect(await page.evaluate(() => calls.deleteHistory())).toEqual([]);
  });
});
