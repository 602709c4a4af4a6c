/** The demo page in headless Chromium: both orders, movements, reasons, personalisation, paging, sorts, keyboard, a narrow screen. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, it } from "vitest";
import { drawnProduct } from "../../src/demo/catalogue/catalogue.ts";
import { type Demo, findChromium, startDemo } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

/** Events of headless browsers do not count. */
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Safari/537.36";
const DESKTOP = { width: 1440, height: 1000 };
const PHONE = { width: 390, height: 844 };

describe.skipIf(executablePath === undefined)("the demo page", () => {
  const home = mkdtempSync(join(tmpdir(), "armmt-browser-"));
  let demo: Demo;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    [demo, browser] = await Promise.all([
      startDemo(home),
      chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] }),
    ]);
  });

  afterAll(async () => {
    await browser?.close();
    await demo?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  beforeEach(async () => {
    context = await browser.newContext({ viewport: DESKTOP, reducedMotion: "reduce", userAgent: USER_AGENT });
    // The page draws a visit for the demo's experiment, whose other arm swaps one pair of a visit's orders: here all are one visit.
    await context.addInitScript(() => {
      crypto.randomUUID = () => "00000000-0000-4000-8000-000000000000";
    });
    page = await context.newPage();
    complaints = [];
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("requestfailed", (request) => {
      // The page ends searches that were overtaken.
      if (request.failure()?.errorText !== "net::ERR_ABORTED") complaints.push(`${request.url()}: ${request.failure()?.errorText}`);
    });
  });

  afterEach(async () => {
    await context.close();
    expect(complaints).toEqual([]);
  });

  const settled = () => page.locator('#columns[aria-busy="false"] #reranked > li').first().waitFor();
  const ids = (column: string) => page.locator(`#${column} > li`).evaluateAll((items) => items.map((item) => item.getAttribute("data-id")));
  const open = async (path = "/?q=red+mug") => {
    await page.goto(demo.edge + path);
    await settled();
  };
  /** Does something that searches again and waits until the page shows the outcome. */
  const searching = async (action: () => Promise<unknown>) => {
    const answered = page.waitForResponse((response) => response.url().includes("armmt_explain"));
    await action();
    await answered;
    await settled();
  };

  it("shows one query in both orders: the same window, moved", async () => {
    await open();
    const [engine, reranked] = [await ids("engine"), await ids("reranked")];
    expect(engine).toHaveLength(24);
    expect(reranked).toHaveLength(24);
    expect(reranked).not.toEqual(engine);
    expect(new Set(reranked).size).toBe(24);
    expect(await page.locator("#notice").isHidden()).toBe(true);
    expect(await page.locator("#provenance").textContent()).toMatch(/^Model \S+, .* first 100 hits/);
  });

  it("shows black bags for an elegant black bag", async () => {
    await open("/?q=elegant+black+bag");
    const first = (await ids("reranked")).slice(0, 10).map((id) => drawnProduct(id ?? ""));
    expect(first.filter(({ category, look }) => category === "bag" && look.colour === "black").length).toBeGreaterThanOrEqual(8);
  });

  it("marks each item's movement, and the marks are true", async () => {
    await open();
    const engine = await ids("engine");
    const cards = await page
      .locator("#reranked > li")
      .evaluateAll((items) =>
        items.map((item) => ({ id: item.getAttribute("data-id"), mark: item.querySelector(".move")?.textContent ?? "" })),
      );
    let checked = 0;
    for (const [at, { id, mark }] of cards.entries()) {
      const rank = engine.indexOf(id);
      expect(mark).toMatch(/^(▲\d+|▼\d+|=)$/);
      if (rank < 0) continue; // it came from beyond the first page
      const distance = rank - at;
      expect(mark).toBe(distance > 0 ? `▲${distance}` : distance < 0 ? `▼${-distance}` : "=");
      checked++;
    }
    expect(checked).toBeGreaterThan(0);
  });

  it("says why products stand where they do: what lifts them, and what lowers them", async () => {
    await open();
    const reasons = await page
      .locator("#reranked .card__why")
      .evaluateAll((cards) => cards.map((card) => [...card.querySelectorAll(".why")].map(({ textContent }) => textContent)));
    expect(reasons).toHaveLength(24);
    expect(reasons.filter((of) => of.length > 0).length).toBeGreaterThan(12);
    for (const reason of reasons.flat()) expect(reason).toMatch(/^(words|picture|price|ratings|your taste) [▲▼]\d+$/);
    // Of some the picture is what the model looked at.
    expect(reasons.flat().some((reason) => reason?.startsWith("picture ▲"))).toBe(true);
  });

  it("shows what the edge adds, measured in pairs from the browser", async () => {
    await open();
    await page.locator("#timing summary").click();
    await page.getByText("Medians of 11 alternating pairs").waitFor();
    expect(await page.locator("#timing-value").textContent()).toMatch(/^(\d+\.\d|≈ 0) ms$/);
    expect(await page.locator("#timing-sheet dd").allTextContents()).toHaveLength(3);
  });

  it("personalises at once when a product is clicked, keeps it in this browser, and forgets it on Clear", async () => {
    await open();
    const [engine, before] = [await ids("engine"), await ids("reranked")];
    const headers: (string | undefined)[] = [];
    page.on("request", (request) => {
      if (request.url().includes("armmt_explain")) headers.push(request.headers()["x-armmt-history"]);
    });
    const clicked = before[11] ?? "";
    await searching(() => page.locator("#reranked > li").nth(11).locator("button").click());
    expect(headers).toEqual([encodeURIComponent(clicked)]);
    expect(await page.locator("#recent > li").count()).toBe(1);
    expect(await page.locator("#reranked-note").textContent()).toBe("Ordered for you, by 1 recently viewed");
    const after = await ids("reranked");
    expect(after).not.toEqual(before);
    expect(await ids("engine")).toEqual(engine);
    // The card that was clicked keeps the focus although it moved, if it is still there.
    if (after.includes(clicked)) {
      expect(await page.evaluate(() => document.activeElement?.closest("li")?.getAttribute("data-id"))).toBe(clicked);
    }
    expect(await context.cookies()).toEqual([]);

    await page.reload();
    await settled();
    expect(await page.locator("#recent > li").count()).toBe(1);
    expect(await ids("reranked")).toEqual(after);

    await searching(() => page.locator("#recent-clear").click());
    expect(await page.locator("#recent > li").count()).toBe(0);
    expect(await ids("reranked")).toEqual(before);
  });

  it("pages: more products on both sides, none twice, the first ones unmoved", async () => {
    await open();
    const first = await ids("reranked");
    await page.locator("#more").click();
    await page.locator("#reranked > li").nth(47).waitFor();
    const both = await ids("reranked");
    expect(both).toHaveLength(48);
    expect(both.slice(0, 24)).toEqual(first);
    expect(new Set(both).size).toBe(48);
    expect(new Set(await ids("engine")).size).toBe(48);
  });

  it("passes an explicit sort through and says so", async () => {
    await open();
    await searching(() => page.locator("#sort").selectOption("price-asc"));
    expect(await page.locator("#notice").textContent()).toContain("explicit_sort");
    expect(await ids("reranked")).toEqual(await ids("engine"));
    expect(page.url()).toContain("sort=price-asc");
    await searching(() => page.goBack());
    expect(await page.locator("#sort").inputValue()).toBe("relevance");
    expect(await page.locator("#notice").isHidden()).toBe(true);
  });

  it("says so when nothing is found", async () => {
    await page.goto(`${demo.edge}/?q=zzzzqqqq`);
    await page.getByText("Nothing found").waitFor();
    expect(await page.locator(".cards > li").count()).toBe(0);
  });

  it("shows the engine's order and says so where there is no edge in between", async () => {
    await page.goto(`${demo.shop}/?q=red+mug`);
    await page.getByText("No edge in between").waitFor();
    expect(await ids("reranked")).toEqual(await ids("engine"));
    complaints = complaints.filter((text) => !text.includes("400")); // the shop refuses to explain, rightly
  });

  it("works with the keyboard alone", async () => {
    await open();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the results");
    await page.keyboard.press("Enter");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("results");

    await page.keyboard.press("/");
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("query");
    await searching(async () => {
      await page.keyboard.type("striped cushion");
      await page.keyboard.press("Enter");
    });
    await page.getByText("for “striped cushion”").first().waitFor();
    await page.waitForFunction(() => /striped cushion/.test(document.getElementById("announce")?.textContent ?? ""));

    await page.locator("#reranked > li").nth(2).locator("button").focus();
    await searching(() => page.keyboard.press("Enter"));
    expect(await page.locator("#recent > li").count()).toBe(1);
    expect(await page.locator("#announce").textContent()).toContain("added to recently viewed");
    const remove = page.locator("#recent button");
    expect(await remove.getAttribute("aria-label")).toMatch(/^Remove .+ from recently viewed$/);
    await remove.focus();
    await searching(() => page.keyboard.press("Enter"));
    expect(await page.locator("#recent > li").count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("query");
  });

  it("fits a phone: no sideways scrolling, one column and a switch", async () => {
    await page.setViewportSize(PHONE);
    await open();
    for (const order of ["Re-ranked", "Engine order"]) {
      await page.getByRole("button", { name: order, exact: true }).click();
      expect(await page.locator("#reranked").isVisible()).toBe(order === "Re-ranked");
      expect(await page.locator("#engine").isVisible()).toBe(order === "Engine order");
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    }
  });

  it("shows every picture", async () => {
    await open();
    await page.locator("#engine > li").nth(23).scrollIntoViewIfNeeded();
    await page.waitForFunction(() => [...document.images].every((image) => image.complete));
    expect(await page.evaluate(() => [...document.images].filter((image) => image.naturalWidth === 0).map((image) => image.src))).toEqual(
      [],
    );
  });

  it("keeps text readable: contrast of at least 4.5 to 1, light and dark", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await open();
      const poor = await page.evaluate(() => {
        const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
        const channels = (colour: string): number[] => {
          canvas?.clearRect(0, 0, 1, 1);
          if (canvas) canvas.fillStyle = colour;
          canvas?.fillRect(0, 0, 1, 1);
          return [...(canvas?.getImageData(0, 0, 1, 1).data ?? [])];
        };
        const luminance = (colour: string): number => {
          const [r = 0, g = 0, b = 0] = channels(colour).map((value) =>
            value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4,
          );
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const groundOf = (node: Element | null): string => {
          for (let at = node; at; at = at.parentElement) {
            const { backgroundColor } = getComputedStyle(at);
            if (channels(backgroundColor)[3] === 255) return backgroundColor;
          }
          return "white";
        };
        const found: string[] = [];
        for (const node of document.body.querySelectorAll("*")) {
          const hasText = [...node.childNodes].some((child) => child.nodeType === Node.TEXT_NODE && child.textContent?.trim());
          if (!hasText || node.getClientRects().length === 0 || node instanceof HTMLOptionElement) continue;
          const pair = [luminance(getComputedStyle(node).color), luminance(groundOf(node))].toSorted((a, b) => b - a);
          const ratio = ((pair[0] ?? 0) + 0.05) / ((pair[1] ?? 0) + 0.05);
          if (ratio < 4.5) found.push(`${node.className || node.tagName} ${ratio.toFixed(2)}`);
        }
        return [...new Set(found)];
      });
      expect(poor, colorScheme).toEqual([]);
    }
  });

  const cards = () => page.locator("#hits [data-id]").evaluateAll((nodes) => nodes.map((node) => node.getAttribute("data-id")));
  const openStock = async () => {
    await page.goto(`${demo.edge}/instantsearch/?products%5Bquery%5D=red+mug`);
    await page.getByText(/^Re-ranked: the first 100 hits/).waitFor();
    await page.locator("#hits [data-id]").first().waitFor();
  };

  describe("InstantSearch", () => {
    it("is re-ranked with the engine's own client, switches to the engine's order and says why", async () => {
      await openStock();
      const reranked = await cards();
      expect(reranked).toHaveLength(24);
      await page.getByRole("button", { name: "Engine order" }).click();
      await page.getByText(/^Engine order \(off\)/).waitFor();
      await page.waitForFunction((first) => document.querySelector("#hits [data-id]")?.getAttribute("data-id") !== first, reranked[0]);
      expect(await cards()).toHaveLength(24);
      await page.getByRole("button", { name: "Re-ranked" }).click();
      await page.waitForFunction((first) => document.querySelector("#hits [data-id]")?.getAttribute("data-id") === first, reranked[0]);
      expect(await cards()).toEqual(reranked);
      await page.locator("#sort select").selectOption({ label: "Price, low to high" });
      await page.getByText(/explicit_sort/).waitFor();
    });

    it("counts facets as the shop does, and its clicks reach the report, with the keyboard too", async () => {
      await openStock();
      await page.getByLabel("mug").check();
      await page.waitForFunction(() => /category/.test(location.search));
      // The reply has come, and the hits are drawn again.
      await page.locator(".ais-RefinementList-item--selected").waitFor();
      // Chromium keeps no body of a request that may outlive its page.
      const answers: unknown[] = [];
      await page.route("**/events", async (route) => {
        const response = await route.fetch();
        answers.push(await response.json());
        await route.fulfill({ response });
      });
      // In one step: hits that are drawn again have no focus.
      await page.locator("#hits [data-id]").nth(2).press("Enter");
      await page.getByText("This click is in the demo’s report").waitFor();
      await expect.poll(() => answers).toMatchObject([{ accepted: 1, rejected: [] }]);
    });

    it("fits a phone", async () => {
      await page.setViewportSize(PHONE);
      await openStock();
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
    });
  });
});
