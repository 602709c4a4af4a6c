/** Stock front ends in Chromium against the edge in workerd: each sees what it sees at its engine alone, in another order. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../demo.ts";
import { expectSameShop, USER_AGENT, walkBoth } from "./both.ts";
import { STAND_INS } from "./engines.ts";
import { FRONTS } from "./fronts.ts";
import { openShops, type Shops } from "./shops.ts";
import { CLICKED, QUERY } from "./walk.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const EXAMPLES = new URL("../../../examples/", import.meta.url);

/** Its first line is its address. */
async function startExample(file: string, env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [fileURLToPath(new URL(file, EXAMPLES))], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line]: unknown[] = await once(child.stdout, "data");
  return {
    url: String(line).trim(),
    async stop() {
      const ended = once(child, "exit");
      child.kill();
      await ended;
    },
  };
}

describe.skipIf(executablePath === undefined)("stock front ends", () => {
  let browser: Browser;
  let shops: Shops;

  beforeAll(async () => {
    [browser, shops] = await Promise.all([
      chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] }),
      openShops({ fronts: FRONTS, answers: STAND_INS }),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await shops?.stop();
  });

  /** Items, positions and how many the edge has taken, of the events that it was sent about clicked hits; others are about clicked filters. */
  const clicks = (): unknown =>
    shops.edge.exchanges
      .filter(({ path, body }) => path.startsWith("/1/events") && body.includes('"eventType":"click"') && body.includes('"objectIDs"'))
      .map(({ body, reply }) => {
        const [event] = Object(JSON.parse(body)).events;
        return [...event.objectIDs, ...event.positions, Object(JSON.parse(reply.toString())).accepted];
      });

  it.each(FRONTS)("$name", async (front) => {
    shops.edge.exchanges.length = 0;
    const [engine, edge] = await walkBoth(browser, shops, front);
    expectSameShop(engine, edge);
    if (front.does.includes("clicks")) expect(clicks()).toEqual([[edge.typed.ids[CLICKED], CLICKED + 1, 1]]);
  });

  describe("examples", () => {
    it("plain-html searches at the edge", async () => {
      const example = await startExample("plain-html/server.mjs", { EDGE_URL: shops.edge.url, PORT: "0" });
      const context = await browser.newContext({ userAgent: USER_AGENT });
      try {
        const page = await context.newPage();
        await page.goto(example.url);
        await page.getByLabel("Search products").fill(QUERY);
        await page.getByText(/^41 products, applied; /).waitFor();
        const ids = await page.locator("#hits [data-id]").evaluateAll((items) => items.map((item) => item.getAttribute("data-id")));
        expect(new Set(ids).size).toBe(24);
      } finally {
        await context.close();
        await example.stop();
      }
    });

    it("next searches at the edge while it renders, as the shopper who asks", async () => {
      process.env["SEARCH_URL"] = shops.edge.url;
      const example: unknown = await import(new URL("next/search.mjs", EXAMPLES).href);
      shops.edge.exchanges.length = 0;
      const found: unknown = await Object(example).searchProducts(QUERY, 2, new Headers({ "user-agent": USER_AGENT, cookie: "session=1" }));
      expect(found).toMatchObject({ total: 41, outcome: expect.stringMatching(/^bypass; reason=beyond_window/) });
      expect(shops.edge.exchanges[0]?.headers).toMatchObject({ "user-agent": USER_AGENT });
      expect(shops.edge.exchanges[0]?.headers).not.toHaveProperty("cookie");
      await expect(Object(example).searchProducts(QUERY, 1, new Headers())).resolves.toMatchObject({
        outcome: expect.stringMatching(/^applied; /),
      });
    });
  });
});
