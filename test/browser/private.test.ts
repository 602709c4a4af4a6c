/**
 * Re-ranking on the device in headless Chromium: the demo with its service worker, behind a server that sees all that leaves the browser.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import * as v from "valibot";
import { type Demo, findChromium, startDemo } from "./demo.ts";
import { type Front, startFront } from "./front.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const replySchema = v.object({ hits: v.object({ hits: v.array(v.object({ _id: v.string() })) }) });
const statusSchema = v.looseObject({
  provider: v.optional(v.string()),
  problem: v.nullable(v.object({ reason: v.string(), detail: v.string() })),
  fallback: v.optional(v.object({ reason: v.string(), detail: v.string() })),
  files: v.object({ count: v.number(), held: v.array(v.object({ name: v.string(), bytes: v.number() })) }),
  searches: v.object({ device: v.number(), network: v.record(v.string(), v.number()) }),
});
const listingSchema = v.looseObject({
  config: v.object({ INDEXES: v.object({ products: v.looseObject({ window: v.number() }) }) }),
  files: v.array(v.looseObject({ name: v.string(), url: v.string(), when: v.string() })),
});

const launch = (...flags: string[]): Promise<Browser> =>
  chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox", ...flags] });

const idsOn = (on: Page, column: string) =>
  on.locator(`#${column} > li`).evaluateAll((items) => items.map((item) => item.getAttribute("data-id") ?? ""));

const isSearch = ({ url }: { readonly url: string }) => url.includes("/_search");

/** For `front.change`. */
const edited = (change: (listing: v.InferOutput<typeof listingSchema>) => void) => (url: string, body: Buffer) => {
  if (url !== "/private/files.json") return undefined;
  const listing = v.parse(listingSchema, JSON.parse(body.toString()));
  change(listing);
  return Buffer.from(JSON.stringify(listing));
};

describe.skipIf(executablePath === undefined)("private re-ranking", () => {
  const home = mkdtempSync(join(tmpdir(), "armmt-private-"));
  let demo: Demo;
  let front: Front;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  beforeAll(async () => {
    [demo, browser] = await Promise.all([startDemo(home), launch()]);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  beforeEach(async () => {
    // An origin of its own, so that nothing of another test is stored.
    front = await startFront(demo.edge);
    context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, reducedMotion: "reduce" });
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
    await front.stop();
  });

  const settled = (on = page) => on.locator('#columns[aria-busy="false"] #reranked > li').first().waitFor({ timeout: 90_000 });
  const ids = (column = "reranked") => idsOn(page, column);
  const panel = () => page.locator("#device").innerText();
  const open = async (path = "/private/?q=red+mug") => {
    await page.goto(front.origin + path);
    await settled();
  };
  const search = async (query: string) => {
    await page.locator("#query").fill(query);
    await page.locator("#query").press("Enter");
    await page.waitForFunction((text) => document.querySelector("#count")?.textContent?.includes(`“${text}”`), query);
    await settled();
  };
  const status = async () => v.parse(statusSchema, await page.evaluate(async () => (await fetch("/private/status.json")).json()));
  /** What the edge shows for the query and history, asked past the browser. */
  const edgeOrder = async (query: string, history: readonly string[] = []) => {
    const response = await fetch(`${demo.edge}/products/_search`, {
      method: "POST",
      headers: { "content-type": "application/json", ...(history.length > 0 && { "x-armmt-history": history.join(",") }) },
      body: JSON.stringify({ query: { multi_match: { query, fields: ["title^2", "category"] } }, from: 0, size: 24 }),
    });
    expect(response.headers.get("x-armmt")).toMatch(/^applied/);
    return v.parse(replySchema, await response.json()).hits.hits.map(({ _id: id }) => id);
  };
  const big = () => front.requests.filter(({ url }) => url.startsWith("/private/files/"));

  it("re-ranks on the device at the first visit, as the edge would, and says with what and why", async () => {
    await open();
    expect(await panel()).toMatch(/WebAssembly re-ranks here[^]*Online[^]*Model \S+[^]*\d\.\d MB stored[^]*WebGPU: no graphics adapter/);
    expect(await page.locator("#reranked-note").textContent()).toBe("The same hits, ordered on this device");
    expect(await page.locator("#provenance").textContent()).toMatch(/in WebAssembly inside this browser, re-ranks the first 100 hits/);
    expect(await ids()).toEqual(await edgeOrder("red mug"));
    expect(await ids("engine")).not.toEqual(await ids());
    const { provider, problem, fallback, files, searches } = await status();
    expect([provider, problem, fallback?.reason]).toEqual(["wasm", null, "no_adapter"]);
    expect(searches.device).toBeGreaterThanOrEqual(2);
    expect(searches.network).toEqual({});
    // The runtime for GPUs is not fetched where there is none.
    expect(files.held.map(({ name }) => name).join()).not.toContain("asyncify");
    const urls = big().map(({ url }) => url);
    expect(urls.length).toBe(files.held.length);
    expect(new Set(urls).size).toBe(urls.length);
    // Explanations come from the device: reasons on the cards, without a token of the edge.
    expect(await page.locator("#reranked .why").count()).toBeGreaterThan(12);
    for (const { headers } of front.requests) expect(headers.authorization).toBeUndefined();
  });

  it("shows what it fetches while it does, and the list once it is there", async () => {
    const released = Promise.withResolvers<void>();
    front.wait = (url) => (url.startsWith("/private/files/") ? released.promise : Promise.resolve());
    await page.goto(`${front.origin}/private/?q=red+mug`);
    await page.getByText(/Fetching the model, \d\.\d MB, once/).waitFor();
    expect(await page.locator("#device-progress").isVisible()).toBe(true);
    expect(await page.locator("#about").textContent()).toContain("2,400 products");
    expect(await ids()).toEqual([]);
    released.resolve();
    await settled();
    expect(await panel()).toContain("WebAssembly re-ranks here");
    expect(await page.locator("#device-progress").isHidden()).toBe(true);
  });

  it("re-ranks with the worker that armmt private writes, which leaves all else to the network", async () => {
    const out = join(home, "static");
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["src/lab/main.ts", "private", "--json", "--out", out, "--from", join(home, "embeddings/products")],
      { cwd: ROOT },
    );
    const report = v.parse(v.object({ packed: v.number(), files: v.array(v.unknown()) }), JSON.parse(stdout));
    expect(report.packed).toBe(report.files.length);
    const [worker, listed] = await Promise.all(["sw.js", "files.json"].map((file) => readFile(join(out, file))));
    front.change = (url) => (url === "/private/sw.js" ? worker : url === "/private/files.json" ? listed : undefined);
    await open();
    expect(await page.locator("#reranked-note").textContent()).toBe("The same hits, ordered on this device");
    expect(await ids()).toEqual(await edgeOrder("red mug"));
    front.isGone = true;
    await expect(page.reload()).rejects.toThrow("ERR_");
  });

  it("works without the network with a catalogue of the shop's own, with the pictures that were seen", async () => {
    const folder = join(home, "own");
    await mkdir(join(folder, "images"), { recursive: true });
    const products = Array.from({ length: 12 }, (_, i) => ({ id: `p${i}`, title: `Plain cup ${i}`, category: "Cups", price: 5 + i }));
    await writeFile(join(folder, "products.jsonl"), products.map((product) => JSON.stringify(product)).join("\n"));
    await Promise.all(
      products.map(({ id }, i) =>
        sharp({ create: { width: 64, height: 64, channels: 3, background: { r: 20 * i, g: 90, b: 200 } } })
          .png()
          .toFile(join(folder, "images", `${id}.png`)),
      ),
    );
    const own = await startDemo(join(home, "own-home"), "--catalog", folder);
    const ownFront = await startFront(own.edge);
    try {
      const visit = async () => {
        await page.goto(`${ownFront.origin}/private/?q=cup`);
        await settled();
        expect(await page.locator("#reranked > li").count()).toBe(12);
        await page.locator("#reranked > li").last().scrollIntoViewIfNeeded();
        await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
      };
      await visit();
      const order = await ids();
      ownFront.isGone = true;
      await visit();
      expect(await ids()).toEqual(order);
      expect(await page.locator("#about").textContent()).toContain("12 products");
    } finally {
      await ownFront.stop();
      await own.stop();
    }
  });

  it("follows the history, and lets none of it out", async () => {
    await open();
    const before = await ids();
    const clicked = [before[11] ?? "", before[3] ?? ""];
    for (const id of clicked) {
      await page.locator(`#reranked > li[data-id="${id}"] button`).click();
      await page.locator(`#recent img[src*="${id}"]`).waitFor();
      await settled();
    }
    await expect.poll(() => page.locator("#reranked-note").textContent()).toBe("Ordered for you, by 2 recently viewed");
    const after = await ids();
    expect(after).not.toEqual(before);
    expect(after).toEqual(await edgeOrder("red mug", clicked.toReversed()));

    await page.reload();
    await settled();
    expect(await page.locator("#recent > li").count()).toBe(2);
    expect(await ids()).toEqual(after);

    const searches = front.requests.filter(isSearch);
    expect(searches.length).toBeGreaterThan(4);
    for (const { headers, url, body } of front.requests) {
      expect(Object.keys(headers).filter((name) => name.startsWith("x-armmt") && name !== "x-armmt")).toEqual([]);
      if (!isSearch({ url })) continue;
      expect(headers["x-armmt"]).toBe("off");
      for (const id of clicked) expect(`${url} ${body} ${JSON.stringify(headers)}`).not.toContain(id);
    }
    // Nothing but IndexedDB has it.
    expect(await page.evaluate(() => JSON.stringify(localStorage))).toBe("{}");
    expect(await context.cookies()).toEqual([]);
  });

  it("fetches nothing large on the second visit", async () => {
    await open();
    const { length } = big();
    expect(length).toBeGreaterThan(4);
    await page.close();
    page = await context.newPage();
    await open("/private/?q=striped+cushion");
    expect(await panel()).toContain("WebAssembly re-ranks here");
    expect(big().length).toBe(length);
  });

  it("works without the network after the first visit: page, searches, pictures", async () => {
    await open();
    const clicked = (await ids())[5] ?? "";
    await page.locator(`#reranked > li[data-id="${clicked}"] button`).click();
    await expect.poll(() => page.locator("#reranked-note").textContent()).toBe("Ordered for you, by 1 recently viewed");
    await settled();
    for (const lose of [() => void (front.isGone = true), () => context.setOffline(true)]) {
      await lose();
      await page.reload();
      await settled();
      await search("striped cushion");
      expect(await ids()).toEqual(await edgeOrder("striped cushion", [clicked]));
      await page.locator("#engine > li").nth(23).scrollIntoViewIfNeeded();
      await page.waitForFunction(() => [...document.images].every((image) => image.complete && image.naturalWidth > 0));
      expect(await page.locator("#about").textContent()).toContain("2,400 products");
      await expect.poll(panel).toMatch(/(Shop out of reach|Offline): this device searches/);
    }
    await context.setOffline(false);
    front.isGone = false;
    await page.reload();
    await settled();
    await expect.poll(panel).toContain("Online");
  });

  it("refuses a damaged file by name, leaves the order to the edge, and recovers when the host has mended it", async () => {
    const listing = v.parse(listingSchema, await (await fetch(`${demo.edge}/private/files.json`)).json());
    const model = listing.files.find(({ name }) => name === "model/student.onnx")?.url ?? "";
    front.change = (url, body) => {
      if (!url.endsWith(model)) return undefined;
      const content = gunzipSync(body);
      content[1000] = (content[1000] ?? 0) ^ 1;
      return gzipSync(content);
    };
    await open();
    expect(await panel()).toContain("Not re-ranked on this device: a file arrived damaged and was refused");
    const { problem, files } = await status();
    expect(problem?.reason).toBe("file_corrupt");
    expect(problem?.detail).toMatch(/^model\/student\.onnx \(files\/.*\) has SHA-256 [0-9a-f]{64}, files.json says [0-9a-f]{64}/);
    expect(files.held).toEqual([]);
    expect(await page.locator("#reranked-note").textContent()).toBe("The same hits, ordered at the edge");
    expect(await ids()).toEqual(await edgeOrder("red mug"));
    // What was viewed stays here all the same.
    await page.locator("#reranked > li").first().locator("button").click();
    await page.locator("#recent > li").waitFor();
    await settled();
    for (const { headers } of front.requests) expect(headers["x-armmt-history"]).toBeUndefined();

    front.change = (url, body) => (url.endsWith(model) ? body.subarray(0, body.length / 2) : undefined);
    await expect.poll(async () => (await status()).problem?.detail, { timeout: 30_000, interval: 2000 }).toContain("no whole gzip file");
    front.change = undefined;
    await expect.poll(async () => (await status()).provider, { timeout: 30_000, interval: 2000 }).toBe("wasm");
    await search("retro lamp");
    expect(await page.locator("#reranked-note").textContent()).toBe("Ordered for you, by 1 recently viewed");
  });

  it("takes up another files.json, and keeps nothing of the one before", async () => {
    await open();
    front.change = edited((listing) => {
      listing.config.INDEXES.products.window = 50;
    });
    const before = big().length;
    await page.reload();
    await settled();
    await expect
      .poll(
        async () => {
          await search("red mug");
          return page.locator("#provenance").textContent();
        },
        { timeout: 20_000 },
      )
      .toContain("the first 50 hits");
    expect(big().length).toBe(before);
    const kept = await page.evaluate(async () => {
      const names = (await caches.keys()).filter((name) => name.startsWith("armmt-private:"));
      const keys = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return keys.flat().map(({ url }) => new URL(url).pathname);
    });
    expect(kept.length).toBe((await status()).files.held.length + 1);
  });

  it("leaves nothing behind on Delete from this device", async () => {
    await open();
    await page.locator("#reranked > li").first().locator("button").click();
    await page.locator("#recent > li").waitFor();
    await settled();
    await page.getByRole("button", { name: "Delete from this device" }).click();
    await page.getByText("Deleted: nothing of this page is stored").waitFor();
    expect(await page.locator("#recent > li").count()).toBe(0);
    const left = () =>
      page.evaluate(async () => ({
        caches: await caches.keys(),
        databases: await indexedDB.databases(),
        workers: (await navigator.serviceWorker.getRegistrations()).length,
      }));
    expect(await left()).toEqual({ caches: [], databases: [], workers: 0 });
    // The page still searches, at the edge, and nothing comes back.
    await search("retro lamp");
    expect(await page.locator("#reranked-note").textContent()).toBe("The same hits, ordered at the edge");
    expect(await left()).toEqual({ caches: [], databases: [], workers: 0 });
    await page.goto(`${front.origin}/`);
    expect(await left()).toEqual({ caches: [], databases: [], workers: 0 });
  });

  it("answers after the browser has stopped the worker", async () => {
    await open();
    // The page measures what re-ranking adds; it is to be quiet.
    await page.locator("#timing summary").click();
    await page.getByText("Medians of 11 alternating pairs").waitFor();
    const cdp = await context.newCDPSession(page);
    await cdp.send("ServiceWorker.enable");
    const times: number[] = [];
    for (let i = 0; i < 5; i++) {
      await cdp.send("ServiceWorker.stopAllWorkers");
      const { ms, device } = await page.evaluate(async () => {
        const started = performance.now();
        const reply = await fetch("/products/_search", {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ query: { multi_match: { query: "red mug", fields: ["title^2", "category"] } }, size: 24 }),
        });
        await reply.text();
        return { ms: performance.now() - started, device: reply.headers.get("x-armmt-device") };
      });
      expect(device).toBe("provider=wasm; engine=network");
      times.push(Math.round(ms));
    }
    console.log(`First answer after a stop of the worker: ${times.join(", ")} ms`);
    expect((await status()).searches.device).toBe(1);
  });

  it("is reached and left by keyboard, fits a phone, and says so where browsers have no service workers", async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.goto(`${front.origin}/?q=red+mug`);
    await settled();
    expect(await page.locator("#device").isHidden()).toBe(true);
    const link = page.getByRole("link", { name: "On this device" });
    await link.focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${front.origin}/private/?q=red+mug`);
    await settled();
    expect(await page.locator(".targets [aria-current]").textContent()).toBe("On this device");
    await page.locator("#device-more summary").focus();
    await page.keyboard.press("Enter");
    await page.getByText("Item vectors").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);

    const other = await launch("--host-resolver-rules=MAP shop.test 127.0.0.1");
    try {
      const plain = await (await other.newContext()).newPage();
      await plain.goto(`${front.origin.replace("127.0.0.1", "shop.test")}/private/?q=red+mug`);
      await settled(plain);
      expect(await plain.locator("#device").innerText()).toContain("Service workers need https");
      expect(await idsOn(plain, "reranked")).toEqual(await edgeOrder("red mug"));
    } finally {
      await other.close();
    }
  });

  it("runs on WebGPU where it is asked for, in the same order", async () => {
    const gpu = await launch("--enable-unsafe-webgpu");
    try {
      const on = await (await gpu.newContext()).newPage();
      await on.goto(`${front.origin}/private/?q=red+mug&provider=webgpu`);
      await settled(on);
      await expect.poll(() => on.locator("#device").innerText(), { timeout: 120_000, interval: 1000 }).toMatch(/re-ranks here/);
      expect(await on.locator("#device").innerText()).toContain("WebGPU re-ranks here");
      expect(await idsOn(on, "reranked")).toEqual(await edgeOrder("red mug"));
    } finally {
      await gpu.close();
    }
  });
});
