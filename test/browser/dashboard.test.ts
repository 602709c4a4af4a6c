/** The dashboard in headless Chromium on a phone, by keyboard, over a real app and a real SQLite file: log in, read, log out. */
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { EXAMPLE, simulateSearches } from "../../src/cli/report/simulated.ts";
import { openEdge } from "../../src/edge.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";
import { bypass } from "../../src/result.ts";
import { sqliteSink } from "../../src/runtimes/node/sqlite.ts";
import { writeSimulatedDatabase } from "../report/simulated-database.ts";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const PHONE = { width: 390, height: 844 };
const TOKEN = "a-token-for-tests-only";
/** Of one experiment that wins, and one whose arm is missing. */
const KEYS = ["rerank", "broken"];
/** A folder for pictures, for people. */
const PICTURES = process.env["DASHBOARD_PICTURES"];

/** A search of the last hour: the one rule always acted, the other only in the first. */
const ruled = (i: number) =>
  createQueryRecord({
    application: "products",
    queryId: `ruled-${i}`,
    unit: undefined,
    userQuery: "red mug",
    timeMs: Date.now() - 600_000,
    armmt: {
      variant: "control",
      window: 20,
      original_ids: ["p1"],
      served_ids: ["p1"],
      rules: {
        version: "v1",
        applied: i === 0 ? ["sold-out-last", "summer-pins"] : ["sold-out-last"],
        idle: i === 0 ? [] : [{ rule: "summer-pins", reason: "not_in_window", item: "p2" }],
      },
    },
  });

/** The form has the focus from the start. */
async function logIn(page: Page, token = TOKEN): Promise<void> {
  await page.keyboard.type(token);
  await page.keyboard.press("Enter");
}

describe.skipIf(executablePath === undefined)("the dashboard", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-dashboard-page-"));
  const file = join(folder, "events.sqlite");
  let browser: Browser;
  let server: Server;
  let store: Awaited<ReturnType<typeof sqliteSink>>;
  let url = "";

  beforeAll(async () => {
    const arms = [
      { variant: "control", weight: 1, lift: 0 },
      { variant: "armmt", weight: 1, lift: 0.6 },
    ];
    for (const experiment of KEYS) {
      const some = experiment === "broken" ? arms.slice(0, 1) : arms;
      writeSimulatedDatabase(file, experiment, simulateSearches({ ...EXAMPLE, experiment, days: 8, searchesPerDay: 500, arms: some }));
    }
    store = await sqliteSink(file);
    expect(await createD1Sink(store.EVENTS!).writeExposures([0, 1, 2].map(ruled), false)).toMatchObject({ ok: true });
    const app = openEdge({
      env: {
        INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: 20, catalog: "demo" } },
        EXPERIMENTS: KEYS.map((key) => ({ key, variations: ["control", "armmt"], weights: [0.5, 0.5] })),
        ADMIN_TOKEN: TOKEN,
        LIVE_RULES: true,
      },
      kv: { get: async () => null },
      sinks: store,
      readEvents: store.read,
      describe: () => ({ eventsFile: store.describe() }),
      scorer: () => bypass("model_unavailable", "none in this test"),
      dialects: ALL_DIALECTS,
      fetch: async () => new Response("no engine", { status: 503 }),
      log: () => undefined,
    });
    server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/armmt/`;
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await store?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function visit(options: BrowserContextOptions = {}) {
    const page = await (await browser.newContext({ viewport: PHONE, ...options })).newPage();
    const complaints: string[] = [];
    const requests: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(url);
    return { page, complaints, requests };
  }

  for (const colorScheme of ["light", "dark"] as const) {
    it(`fits a phone, ${colorScheme}, and shows what the database holds`, async () => {
      const { page, complaints, requests } = await visit({ colorScheme });
      await logIn(page);
      await page.locator("article").first().waitFor();
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      const cards = await page.locator("article").allInnerTexts();
      expect(cards).toHaveLength(2);
      const [rerank = "", broken = ""] = KEYS.map((key) => cards.find((card) => card.startsWith(key)));
      expect(rerank).toMatch(/Simulated: armmt sells more: .* buyers per shopper; safe to stop\./);
      expect(rerank).toContain("● as it should be");
      expect(broken).toContain("Do not act: the sample ratio is broken.");
      expect(broken).toContain("● broken");
      expect(await page.locator("h2").allInnerTexts()).toEqual(["Experiments", "Searches", "Rules", "Latency", "Queue and shedding", "Model and trust", "Events"]); // prettier-ignore
      const [, ...rows] = await page.locator("section", { has: page.getByRole("heading", { name: "Rules" }) }).locator("tr").allInnerTexts(); // prettier-ignore
      expect(rows.map((row) => row.split(/\s+/))).toEqual([
        ["sold-out-last", "3", "3"],
        ["summer-pins", "1", "3"],
      ]);
      expect(await page.locator("svg").first().getAttribute("aria-label")).toMatch(
        /^armmt: buyers per shopper against control: after 2026-/,
      );
      const [ink, ground] = await page.evaluate(() => [
        getComputedStyle(document.body).color,
        getComputedStyle(document.body).backgroundColor,
      ]);
      expect(ink).not.toBe(ground);
      expect(complaints).toEqual([]);
      expect(new Set(requests.map((request) => new URL(request).pathname))).toEqual(
        new Set(["/armmt/", "/armmt/status", "/armmt/overview", "/armmt/rules", "/armmt/rules/demo/today"]),
      );
      if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `dashboard-${colorScheme}.png`), fullPage: true });
    });
  }

  it("keeps the token in this tab only, and forgets it", async () => {
    const { page } = await visit();
    await logIn(page);
    await page.locator("article").first().waitFor();
    await page.reload();
    await page.locator("article").first().waitFor();
    expect(await page.evaluate(() => [document.cookie, localStorage.length, location.href.includes("token")])).toEqual(["", 0, false]);
    await page.locator("#out").focus();
    await page.keyboard.press("Enter");
    expect(await page.locator("article").count()).toBe(0);
    expect(await page.evaluate(() => [sessionStorage.length, document.activeElement?.id])).toEqual([0, "token"]);
  });

  it("refuses another token, and shows nothing", async () => {
    const { page } = await visit();
    await logIn(page, "wrong");
    await page.getByText("This is not the admin token of this edge.").waitFor();
    expect(await page.locator("main").innerText()).toBe("");
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
  });

  it("is walked through by keyboard, and every picture has its words", async () => {
    const { page } = await visit();
    await logIn(page);
    await page.locator("article").first().waitFor();
    const stops: string[] = [];
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press("Tab"); // oxlint-disable-line no-await-in-loop
      stops.push(
        await page.evaluate(
          () =>
            `${document.activeElement?.tagName} ${document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent}`,
        ),
      ); // oxlint-disable-line no-await-in-loop
    }
    for (const wanted of ["BUTTON Read again", "BUTTON Log out", "SUMMARY As a table", "DIV Arms"]) expect(stops).toContain(wanted);
    expect(await page.locator('svg:not([role="img"][aria-label])').count()).toBe(0);
    const targets = await page.locator("button:visible, summary").evaluateAll((all) => all.map((each) => each.getBoundingClientRect().height)); // prettier-ignore
    expect(Math.min(...targets)).toBeGreaterThanOrEqual(24);
  });
});
