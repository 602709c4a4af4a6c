/**
 * The browser snippet in headless Chromium, against the edge's own endpoint for events: what is recorded, when it is sent, what stays.
 * The pages and the store of the events are this file's; everything between is real.
 */
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { BEACON } from "../../src/events/beacon/bundled.ts";
import { createEventCounters } from "../../src/events/counters.ts";
import { createEventsEndpoint } from "../../src/events/endpoint.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { createEventTokens } from "../../src/events/token.ts";
import type { ServedEvent } from "../../src/events/ubi.ts";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const SECRET = "a-secret-for-tests-only-of-32-characters";
const tokens = createEventTokens({ secret: SECRET, now: () => Date.now() });
const hashUnit = createUnitHash(SECRET);

/** Headless Chromium calls itself that, and the edge leaves robots out. For the browser as a whole: a context's does not reach its last beacons. */
const CHROME = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36";

const RESULTS = `
  <ul><li data-armmt-item="mug"><a href="/product">Mug</a> <button data-armmt-action="add_to_cart" data-armmt-price="12.50" data-armmt-currency="EUR">Buy</button></li>
  <li data-armmt-item="cup"><a href="#cup">Cup</a></li><li><a href="#other">Other</a></li></ul>
  <script>fetch("/search").then(armmt.search).then(() => document.body.dataset.ready = "1");</script>`;

const PAGES: Readonly<Record<string, string>> = {
  "/results": RESULTS,
  "/product": `<h1 data-armmt-item="mug">Mug</h1><div data-armmt-item="mug"><button data-armmt-action="add_to_cart" data-armmt-quantity="2">Into the cart</button></div>`,
  "/thanks": `<li data-armmt-item="mug" data-armmt-action="purchase" data-armmt-on="load" data-armmt-id="order-1" data-armmt-quantity="2" data-armmt-price="12.5">Mug</li>
    <li data-armmt-item="unknown" data-armmt-action="purchase" data-armmt-on="load">Never searched</li>`,
};

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

describe.skipIf(executablePath === undefined)("armmt-beacon", () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let server: Server;
  let origin: string;
  /** By event id, as a database has them. */
  const stored = new Map<string, ServedEvent>();
  const requests: { readonly type: string | undefined; readonly body: string }[] = [];
  let searches = 0;
  let isDown = false;

  const endpoint = createEventsEndpoint({
    ingest: {
      tokens,
      hashUnit,
      counters: createEventCounters(),
      now: () => Date.now(),
      sink: {
        write: async () => ({ ok: true, value: true }),
        writeEvents: async (events) => {
          const fresh = events.filter(({ event_id: id }) => !stored.has(id));
          for (const event of fresh) stored.set(event.event_id, event);
          return { ok: true, value: { written: fresh.length, duplicates: events.length - fresh.length, deferred: 0 } };
        },
      },
    },
    allowOrigins: [],
    log: (entry) => console.warn(entry),
  });

  beforeAll(async () => {
    server = createServer(async (request, reply) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", origin);
      if (pathname === "/search") {
        const token = await tokens.issue({ queryId: `q-${++searches}`, application: "shop", variant: "armmt", itemIds: ["cup", "mug"] });
        reply.setHeader("x-armmt-events", token).end("{}");
      } else if (pathname === "/armmt/beacon.js") {
        reply.setHeader("content-type", "text/javascript").end(BEACON);
      } else if (pathname === "/events") {
        const body = await bodyOf(request);
        requests.push({ type: request.headers["content-type"], body: body.toString() });
        const headers = new Headers(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
        const response = isDown
          ? new Response("", { status: 503 })
          : await endpoint({ format: "ubi", url: `${origin}/events`, headers, body, afterReply: () => undefined });
        reply.writeHead(response.status).end(await response.text());
      } else {
        const consent = searchParams.has("consent") ? ' data-consent="1" data-client="browser-7"' : "";
        reply
          .setHeader("content-type", "text/html")
          .end(`<!doctype html><title>Shop</title><script src="/armmt/beacon.js"${consent}></script>${PAGES[pathname] ?? ""}`);
      }
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    origin = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
    browser = await chromium.launch({
      ...(executablePath !== undefined && { executablePath }),
      args: ["--no-sandbox", `--user-agent=${CHROME}`],
    });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    await new Promise((resolve) => server?.close(resolve));
  });

  beforeEach(async () => {
    stored.clear();
    requests.length = 0;
    isDown = false;
    context = await browser.newContext();
    page = await context.newPage();
  });

  afterEach(async () => {
    await context.close();
    // What a page sends as it dies must not count for the next test.
    await new Promise((resolve) => {
      setTimeout(resolve, 300);
    });
  });

  const results = async (query = ""): Promise<void> => {
    await page.goto(`${origin}/results${query}`);
    await page.locator("body[data-ready]").waitFor();
  };
  const written = (): string[] =>
    [...stored.values()].map((event) => `${event.action_name} ${event.event_attributes.object.object_id}`).toSorted();
  const until = async (expected: string[]): Promise<void> => {
    await expect.poll(written, { timeout: 15_000 }).toEqual(expected.toSorted());
  };
  const storage = (): Promise<string | null> => page.evaluate(() => localStorage.getItem("armmt"));

  it("sends what was clicked, with its token, and nothing else that was clicked", async () => {
    await results();
    await page.getByText("Cup").click();
    await page.getByText("Cup").click(); // the same click again is one
    await page.getByText("Other").click();
    await page.evaluate("armmt.flush()");
    await until(["click cup"]);
    const [event] = stored.values();
    expect(event).toMatchObject({ query_id: `q-${searches}`, application: "shop", event_attributes: { position: { ordinal: 1 } } });
    expect(requests[0]?.type).toBe("text/plain");
    // The browser's own measure, network included; the next request does not say it again.
    const waited = requests.map(({ body }): unknown => JSON.parse(body).waited_ms);
    expect(waited[0]).toBeGreaterThan(0);
    await page.getByText("Buy").click();
    await page.evaluate("armmt.flush()");
    await until(["add_to_cart mug", "click cup"]);
    expect(requests.map(({ body }): unknown => JSON.parse(body).waited_ms)).toEqual([waited[0], ...requests.slice(1).map(() => undefined)]);
  });

  it("keeps nothing without consent, and says nothing of who it was", async () => {
    await results();
    await page.evaluate(`armmt.consent(false, "browser-7")`);
    await page.getByText("Buy").click();
    await page.evaluate("armmt.flush()");
    await until(["add_to_cart mug"]);
    const [event] = stored.values();
    expect(event).toMatchObject({ price: 12.5, currency: "EUR" });
    expect([event?.client_id, await storage(), await context.cookies()]).toEqual([undefined, null, []]);
    expect(requests[0]?.body).not.toContain("browser-7");
  });

  it("sends by itself after a while", async () => {
    await results();
    await page.getByText("Cup").click();
    await until(["click cup"]);
  });

  it("sends a click that leaves the page, by beacon", async () => {
    await results();
    await page.getByText("Mug", { exact: true }).click();
    await page.waitForURL("**/product");
    await until(["click mug"]);
  });

  it("finds the search of a purchase on a later page, with consent", async () => {
    await results("?consent");
    const query = `q-${searches}`;
    await page.getByText("Mug", { exact: true }).click();
    await page.goto(`${origin}/product?consent`);
    await page.getByText("Into the cart").click();
    // Another search in between: what is bought comes from where it was clicked.
    await results("?consent");
    for (let i = 0; i < 2; i++) await page.goto(`${origin}/thanks?consent`); // the page of an order may be opened twice
    await until(["add_to_cart mug", "click mug", "purchase mug"]);
    const events = [...stored.values()];
    expect(new Set(events.map((event) => event.query_id))).toEqual(new Set([query]));
    expect(new Set(events.map((event) => event.client_id))).toEqual(new Set([await hashUnit("browser-7")]));
    expect(events.find((event) => event.action_name === "purchase")).toMatchObject({ quantity: 2, price: 12.5 });
  });

  it("comes again with what the edge could not take, and with what was bought while there was no network", async () => {
    isDown = true;
    await results("?consent");
    await page.getByText("Cup").click();
    await page.evaluate("armmt.flush()");
    await expect.poll(() => requests.length).toBeGreaterThan(0);
    await context.setOffline(true);
    await page.evaluate(`armmt.track("purchase", "mug", { id: "order-2", price: 3 })`);
    expect(stored.size).toBe(0);
    isDown = false;
    await context.setOffline(false);
    await until(["click cup", "purchase mug"]);
    await expect.poll(async () => JSON.parse((await storage()) ?? "{}").q).toEqual([]);
  });

  it("delivers on the next visit what was bought before the page was closed", async () => {
    await results("?consent");
    isDown = true; // a beacon tells nobody that it was lost
    await page.evaluate(`armmt.track("purchase", "mug", { id: "order-3" })`);
    await page.close();
    await expect.poll(() => requests.length).toBeGreaterThan(0);
    isDown = false;
    page = await context.newPage();
    await page.goto(`${origin}/product?consent`);
    await until(["purchase mug"]);
    await expect.poll(async () => JSON.parse((await storage()) ?? "{}").q).toEqual([]);
  });

  it("takes up what was recorded when consent is given, and forgets when it is taken back", async () => {
    await results();
    await page.getByText("Cup").click();
    await page.evaluate(`armmt.consent(true, "browser-8")`);
    await until(["click cup"]);
    expect([...stored.values()][0]?.client_id).toBe(await hashUnit("browser-8"));
    expect(await storage()).toContain("cup");
    await page.evaluate("armmt.consent(false)");
    expect(await storage()).toBeNull();
    await page.evaluate(`armmt.track("click", "mug")`);
    expect(await storage()).toBeNull();
  });

  it("drops what is refused for good", async () => {
    await results();
    await page.evaluate(`armmt.track("click", "plate"); armmt.flush()`);
    await expect.poll(() => requests.length).toBe(1);
    await page.evaluate("armmt.flush()");
    await page.waitForTimeout(300);
    expect([requests.length, stored.size]).toEqual([1, 0]);
  });

  it("sends more than one request holds in several", async () => {
    await results();
    const many = 120;
    await page.evaluate(`for (let i = 0; i < ${many}; i++) armmt.track("purchase", "mug", { id: "order-" + i }); armmt.flush()`);
    const sizes = (): number[] => requests.map(({ body }) => JSON.parse(body).events.length);
    await expect.poll(() => sizes().reduce((sum, size) => sum + size, 0), { timeout: 15_000 }).toBe(many);
    expect(Math.max(...sizes())).toBe(50);
    // Each is an order of its own.
    await expect.poll(() => stored.size).toBe(many);
    expect(requests.every(({ body }) => body.length < 64 * 1024)).toBe(true);
  });
});
