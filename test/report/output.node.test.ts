/** What a report looks like: in words, and as one page that needs nothing else. */
import { describe, expect, it } from "vitest";
import type { ReportData } from "../../src/report/analyse.ts";
import { drawPage } from "../../src/report/page.ts";
import { formatReport } from "../../src/report/sections.ts";
import * as format from "../../src/report/format.ts";
import { action, DAY_MS, logOf, report, search, START_MS } from "./rows.ts";

const EVIL = `<script>alert("1")</script>&`;

/** Two arms over `days`, every third search with a click, in armmt every second. `lost`: a third of armmt is missing. */
function shop(days: number, more: { readonly application?: string; readonly lost?: boolean } = {}): Promise<ReportData> {
  const rows = Array.from({ length: 900 }, (_, i) =>
    search(`q${i}`, i % 2 === 0 ? "control" : "armmt", {
      unit: `u${i}`,
      atMs: START_MS + (i % days) * DAY_MS,
      words: i % 5,
      ...(more.application !== undefined && i % 3 === 0 && { application: more.application }),
    }),
  ).filter((_, i) => more.lost !== true || i % 2 === 0 || i % 3 !== 0);
  const clicked = rows.filter(({ queryId }) => Number(queryId.slice(1)) % 6 === 0 || Number(queryId.slice(1)) % 4 === 1);
  return report(logOf(rows, clicked.map(({ queryId }) => action(queryId, "click")))); // prettier-ignore
}

const plain = (text: string): string => text.replaceAll("\u00a0", " ");

describe("numbers", () => {
  it("have as many digits as they deserve", () => {
    expect([0.301234, 0.0305, 0.00412, 0, 1].map((value) => plain(format.share(value)))).toEqual([
      "30.1 %",
      "3.05 %",
      "0.412 %",
      "0 %",
      "100 %",
    ]);
    expect(plain(format.range({ low: -0.0123, high: 0.0456 }))).toBe("−1.2 % to +4.6 %");
    expect(plain(format.range({ low: -0.123, high: 0.456 }))).toBe("−12 % to +46 %");
    expect(plain(format.range({ low: 0.00123, high: 0.00156 }))).toBe("+0.123 % to +0.156 %");
    expect(plain(format.lift(-0.0001))).toBe("0.0 %");
    expect([0.00001, 0.00051, 0.0234, 1].map(format.probability)).toEqual(["<0.0001", "0.0005", "0.023", "1.000"]);
    expect(plain(format.metricValue(1234.5, { kind: "money", currency: "EUR" }))).toBe("1,234.50 EUR");
    expect(plain(format.metricValue(0.0612, { kind: "count", currency: null }))).toBe("0.0612");
    expect(format.metricValue(null, { kind: "count", currency: null })).toBe("–");
    expect([1, 1.2, 12_000, Infinity].map(format.days)).toEqual(["1 day", "2 days", "more than ten years", "–"]);
    expect([0.8, 0.999].map((value) => plain(format.chance(value)))).toEqual(["80 %", ">99 %"]);
  });
});

describe("formatReport()", () => {
  it("says first whether the sample ratio fits, and gives both intervals with a sentence each", async () => {
    const text = formatReport(await shop(5));
    const places = [
      "Exposures",
      "Sample ratio: The arms have the sizes",
      "Metrics, against control",
      "Bypassed",
      "by segment",
      "Time to an answer",
    ].map((part) => text.indexOf(part));
    expect(places.every((place, i) => place > (places[i - 1] ?? -1))).toBe(true);
    expect(text).toMatch(/Click-through\s+armmt\s+33\.3.%\s+50\.0.%\s+\+50.%\s+\+\d+.% to \+\d+.%\s+\+\d+.% to \+\d+.%\s+higher/);
    expect(text).toContain("holds in 95\u00a0% of experiments that are read once");
    expect(text).toContain("however often they are read");
    expect(text).toMatch(/Carts\s+armmt.*nothing happened in at least one arm/);
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("says in words that a mismatch spoils everything, and what to look for", async () => {
    const text = formatReport(await shop(5, { lost: true }));
    expect(text).toContain("Nothing below can be trusted");
    expect(text).toContain("Usual causes:\n- The weights");
  });

  it("has something to say about nothing", async () => {
    const text = formatReport(await report(logOf([])));
    expect(text).toContain("no searches yet");
    expect(text).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe("drawPage()", () => {
  it("is one page that fetches nothing and runs nothing", async () => {
    const page = drawPage(await shop(28));
    expect(page.startsWith("<!doctype html>")).toBe(true);
    expect(page).not.toMatch(/<script|javascript:|@import|url\(|<link(?! rel="icon" href="data:,")|<img|\bon\w+="/i);
    expect(page.replaceAll(/https?:\/\/www\.w3\.org\S*/g, "")).not.toMatch(/https?:\/\//);
    expect(page).toContain("default-src 'none'");
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it("gives every plot a text and a table", async () => {
    const page = drawPage(await shop(28));
    const plots = page.match(/<svg class="daily"/g) ?? [];
    expect(plots.length).toBe(4); // click-through, clicks, clicks and searches per shopper
    expect(page.match(/role="img" aria-labelledby="(daily-[\w-]+)-title \1-text"/g)).toHaveLength(plots.length);
    expect(page.match(/<summary>As a table/g)).toHaveLength(plots.length);
    expect(page).toMatch(
      /<desc id="daily-click-through-text">Click-through, armmt against control\. After 2026-11-\d\d it ran from .* It left 0 out for the first time after 2026-11-\d\d\.<\/desc>/,
    );
    const ids = [...page.matchAll(/ id="([^"]+)"/g)].map((match) => match[1]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it("heads every table and lets the keyboard scroll it", async () => {
    const page = drawPage(await shop(5));
    const tables = page.match(/<table>/g) ?? [];
    expect(tables.length).toBeGreaterThan(5);
    expect(page.match(/<div class="scroll" role="region" aria-label="[^"]+" tabindex="0"><table><caption>/g)).toHaveLength(tables.length);
    expect(page).toContain('<html lang="en">');
  });

  it("escapes what comes from a log", async () => {
    const data = await shop(5, { application: EVIL });
    const page = drawPage({ ...data, experiment: EVIL, place: EVIL, notes: [EVIL] });
    expect(page).not.toContain("<script");
    expect(page.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;&amp;/g)?.length).toBeGreaterThan(4);
  });

  it("alarms where the sample ratio does not fit, and marks what is simulated", async () => {
    const data = await shop(5, { lost: true });
    const page = drawPage({ ...data, simulated: true });
    expect(page).toContain('class="verdict alarm" role="alert"');
    expect(page).toContain("do not act on these figures");
    expect(page).toContain('<span class="badge">simulated</span>');
    expect(drawPage(await shop(5))).not.toContain('badge">');
  });

  it("draws a single day, and nothing where nothing is known", async () => {
    expect(drawPage(await shop(1))).toMatch(/class="[^"]*point"><path/);
    const empty = drawPage(await report(logOf([])));
    expect(empty).not.toContain("<svg");
    expect(empty).toContain("No search was recorded");
  });
});
