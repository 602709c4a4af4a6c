/** The report's page in headless Chromium: a phone and a desktop, light and dark, the keyboard, and nothing that it complains about. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

describe.skipIf(executablePath === undefined)("the report's page", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-report-page-"));
  const file = join(folder, "report.html");
  let browser: Browser;

  beforeAll(async () => {
    execFileSync(process.execPath, ["src/lab/main.ts", "report", "--simulated", "--json", "--html", file], {
      cwd: ROOT,
      maxBuffer: 1 << 26,
    });
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
      expect(await page.locator("svg.daily").count()).toBeGreaterThan(5);
      // Legible: the plots' text is at least 10 px high on the screen.
      const scale = await page.locator("svg.daily").first().evaluate((svg) => svg.getBoundingClientRect().width / 360); // prettier-ignore
      expect(scale * 12).toBeGreaterThan(10);
      const [ink, ground] = await page.evaluate(() => {
        const style = getComputedStyle(document.body);
        return [style.color, style.backgroundColor];
      });
      expect(contrast(ink, ground)).toBeGreaterThan(7);
      expect(complaints).toEqual([]);
    });
  }

  it("is walked through by keyboard", async () => {
    const { page } = await open({ viewport: { width: 1280, height: 900 } });
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("To the report");
    const stops: string[] = [];
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab"); // oxlint-disable-line no-await-in-loop
      stops.push(
        await page.evaluate(() => `${document.activeElement?.tagName} ${document.activeElement?.getAttribute("aria-label") ?? ""}`),
      ); // oxlint-disable-line no-await-in-loop
    }
    expect(stops.filter((stop) => stop.startsWith("A")).length).toBeGreaterThan(5);
    expect(stops.some((stop) => stop.startsWith("DIV Exposures"))).toBe(true);
    expect(stops.filter((stop) => stop.startsWith("SUMMARY")).length).toBeGreaterThan(10);
  });

  it("fits on paper: no table is cut off, nothing scrolls, and what only a screen needs is left out", async () => {
    // A4 with margins of 1 cm, at 96 dots per inch.
    const { page, complaints } = await open({ viewport: { width: 718, height: 1047 }, colorScheme: "light" });
    await page.emulateMedia({ media: "print" });
    const printed = await page.evaluate(() => ({
      nav: getComputedStyle(document.querySelector("nav")!).display,
      page: document.documentElement.scrollWidth - innerWidth,
      cut: [...document.querySelectorAll("table")].flatMap((table) => {
        const { right, width } = table.getBoundingClientRect();
        return width > 0 && right > innerWidth ? [`${table.caption?.textContent}: ${Math.round(right)}`] : [];
      }),
    }));
    expect(printed).toEqual({ nav: "none", page: 0, cut: [] });
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    expect(complaints).toEqual([]);
  });
});

/** WCAG 2's contrast of two colours as `rgb(…)`. */
function contrast(a: string | undefined, b: string | undefined): number {
  const [light, dark] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05);
}

function luminance(colour = ""): number {
  const [r = 0, g = 0, b = 0] = [...colour.matchAll(/\d+/g)].map((match) => {
    const value = Number(match[0]) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
