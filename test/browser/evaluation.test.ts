/** The page of `armmt evaluate` in headless Chromium: a phone and a desktop, light and dark, the keyboard, and nothing that it complains about. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { embedShop, writeShop } from "../cli/evaluate/fixture.ts";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe.skipIf(executablePath === undefined)("the page of an evaluation", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-evaluation-page-"));
  const file = join(folder, "quality.html");
  let browser: Browser;

  beforeAll(async () => {
    const { catalog, judgments, lists } = writeShop(folder);
    const from = embedShop(join(folder, "embedded"));
    const flags = ["--catalog", catalog, "--judgments", judgments, "--from", from, "--lists", lists, "--json", "--html", file];
    execFileSync(process.execPath, ["src/lab/main.ts", "evaluate", ...flags], { cwd: ROOT });
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function open(
    options: Parameters<Browser["newContext"]>[0],
  ): Promise<{ readonly page: Page; readonly complaints: readonly string[] }> {
    const page = await (await browser.newContext({ ...options, offline: true })).newPage();
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("requestfailed", (request) => complaints.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    return { page, complaints };
  }

  for (const colorScheme of ["light", "dark"] as const) {
    it(`fits a phone, without a network, ${colorScheme}`, async () => {
      const { page, complaints } = await open({ viewport: { width: 360, height: 740 }, colorScheme });
      expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
      const charts = page.locator(".intervals svg");
      expect(await charts.count()).toBe(2);
      expect(await charts.first().getAttribute("aria-label")).toMatch(/^nDCG@10: armmt against engine: \+0\.\d{4} \(/);
      const { x, width } = (await charts.first().boundingBox())!;
      expect(x >= 0 && x + width <= 360 && width > 120).toBe(true);
      expect(complaints).toEqual([]);
    });
  }

  it("is walked through by keyboard", async () => {
    const { page } = await open({ viewport: { width: 1280, height: 900 } });
    const stops: string[] = [];
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab"); // oxlint-disable-line no-await-in-loop
      stops.push(
        await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""),
      ); // oxlint-disable-line no-await-in-loop
    }
    expect(stops.slice(0, 3)).toEqual(["To the figures", "Answer", "Orders"]);
    expect(stops).toContain("Means over 3 queries");
    expect(stops).toContain("Differences, paired by query");
  });
});
