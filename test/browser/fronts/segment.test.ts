/** Segment's own library for browsers, in Chromium, with the edge in workerd: beside Segment's servers, and in their place. */
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../demo.ts";
import { USER_AGENT } from "./both.ts";
import { STAND_INS } from "./engines.ts";
import { openShops, type Shops } from "./shops.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const PAGE = "segment.js";
const click = (page: Page, nth: number): Promise<void> => page.locator("#hits button").nth(nth).click();

/** On a busy machine. */
const PATIENCE = { timeout: 60_000 };

const WAYS = ["copy", "host", "batches"] as const;

describe.skipIf(executablePath === undefined)("Segment's library for browsers", () => {
  let browser: Browser;
  let shops: Shops;
  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
    shops = await openShops({ fronts: [], edgePages: [PAGE], answers: { elasticsearch: STAND_INS.elasticsearch } });
  });
  afterAll(async () => {
    await browser?.close();
    await shops?.stop();
  });

  /** Path → how the edge answered what came there, in order. */
  const answers = (): Readonly<Record<string, readonly unknown[]>> => {
    const events = shops.edge.exchanges.filter(({ method, path }) => method === "POST" && !path.endsWith("_search"));
    const grouped = Map.groupBy(events, ({ path }) => path);
    return Object.fromEntries([...grouped].map(([path, all]) => [path, all.map(({ reply }) => Object(JSON.parse(reply.toString())))]));
  };

  /** Events accepted and rejected in batches, in sum: the library decides what goes together. */
  const batched = (): readonly number[] => {
    const all = (answers()["/v1/b"] ?? []).map((answer) => Object(answer));
    return [all.reduce((sum, { accepted }) => sum + accepted, 0), all.flatMap(({ rejected }) => rejected).length];
  };

  const told = () => expect.poll(answers, PATIENCE);

  async function visit(way: (typeof WAYS)[number], see: (page: Page, segment: readonly string[]) => Promise<void>): Promise<void> {
    shops.edge.exchanges.length = 0;
    const context = await browser.newContext({ userAgent: USER_AGENT });
    const segment: string[] = [];
    const complaints: string[] = [];
    try {
      await context.route("https://api.segment.io/**", async (route) => {
        segment.push(new URL(route.request().url()).pathname);
        await route.fulfill({ status: 200, json: { success: true }, headers: { "access-control-allow-origin": "*" } });
      });
      const page = await context.newPage();
      page.on("console", (message) => void (message.type() === "error" && complaints.push(message.text())));
      page.on("pageerror", ({ message }) => complaints.push(message));
      await page.goto(`${shops.addressOf({ page: PAGE }, "edge")}?edge=${way}`);
      await see(page, segment);
      // The console shows a refused copy.
      expect(complaints.filter((text) => !(way === "copy" && text.includes("422")))).toEqual([]);
      expect(await page.evaluate(() => Reflect.get(window, "told"))).toEqual([]);
    } finally {
      await context.close();
    }
  }

  const taken = { accepted: 1, duplicates: 0, rejected: [] };
  const unknown = { accepted: 0, rejected: [{ reason: "action_unknown" }] };

  it("tells the edge of clicks beside Segment", async () => {
    await visit("copy", async (page, segment) => {
      await click(page, 2);
      await told().toMatchObject({ "/events": [taken] });
      await expect.poll(() => segment.toSorted(), PATIENCE).toEqual(["/v1/i", "/v1/p", "/v1/t"]);
      await page.locator("#offers button").click();
      await told().toMatchObject({ "/events": [taken, { accepted: 0, rejected: [{ reason: "token_missing" }] }] });
      await expect.poll(() => page.evaluate(() => Reflect.get(window, "statuses")), PATIENCE).toEqual([200, 422]);
    });
  });

  it("has the edge in Segment's place", async () => {
    await visit("host", async (page, segment) => {
      await click(page, 2);
      await click(page, 2);
      await told().toMatchObject({ "/v1/t": [taken, { accepted: 0, duplicates: 1 }], "/v1/p": [unknown], "/v1/i": [unknown] });
      expect(segment).toEqual([]);
    });
  });

  it("has the edge in Segment's place, in batches", async () => {
    await visit("batches", async (page) => {
      await click(page, 4);
      await expect.poll(batched, PATIENCE).toEqual([1, 2]);
    });
  });
});
