/** The page of `armmt blind` in headless Chromium: keys, one step back, and what it saves. */
import { readFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import { readJudgments } from "../../src/lab/blind.ts";
import { drawPage, openJudgments } from "../../src/lab/blind/page.ts";
import { sideOf } from "../../src/lab/blind/pairs.ts";
import { QUERIES } from "../../src/lab/blind/queries.ts";
import { verdictOf } from "../../src/lab/blind/verdict.ts";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
const ids = drawCatalogue({ count: 20 }).map(({ id }) => id);

describe.skipIf(executablePath === undefined)("the page for judging blind", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-blind-"));
  let browser: Browser;

  beforeAll(async () => {
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("is judged by keyboard, and saves what --judge reads", async () => {
    const pairs = { pairs: QUERIES.map((query) => ({ ...query, of: ids.slice(0, 10), against: ids.slice(10) })), model: "m", set: "s" };
    const open = openJudgments(pairs, { seed: "a", of: "semantic", against: "engine", trust: 1 });
    const file = join(folder, "blind.html");
    writeFileSync(file, drawPage(pairs, open));
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on("pageerror", (error) => complaints.push(error.message));
    await page.goto(`file://${file}`);
    expect(await page.locator("#left li").count()).toBe(10);
    expect(await page.locator("#save").isHidden()).toBe(true);

    // The first one wrong, then taken back.
    await page.keyboard.press(sideOf("a", QUERIES[0]!.text) === "left" ? "ArrowRight" : "ArrowLeft");
    await page.keyboard.press("Backspace");
    for (const [i, { text }] of QUERIES.entries()) {
      expect(await page.locator("#query").textContent()).toBe(text);
      await page.keyboard.press(i < 3 ? " " : sideOf("a", text) === "left" ? "ArrowLeft" : "ArrowRight");
    }
    await page.locator("#judge").fill("a test, by keyboard – ü");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button").click()]);
    const saved = join(folder, "judgments.json");
    await download.saveAs(saved);
    expect(JSON.parse(readFileSync(saved, "utf8"))).toMatchObject({ ...open, judge: "a test, by keyboard – ü" });
    expect(verdictOf(readJudgments(saved))).toMatchObject({ judged: 40, all: { better: 37, same: 3, worse: 0 } });
    expect(complaints).toEqual([]);
  });
});
