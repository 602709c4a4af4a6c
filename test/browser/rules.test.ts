/** The rules of the admin page in a real browser: the real edge with a file of events, in front of the demo shop. Needs Chromium, skips without it. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import shop from "../../src/demo/worker.ts";
import { openEdge } from "../../src/edge.ts";
import { kvOf } from "../../src/embeddings/store.ts";
import { bypass } from "../../src/result.ts";
import { sqliteSink } from "../../src/runtimes/node/sqlite.ts";
import { publishRules, readPublishedRules, readRulesHistory } from "../../src/search/rules-store.ts";
import { findChromium } from "./demo.ts";

const executablePath = findChromium();
if (executablePath === undefined) console.warn("Skipped: no Chromium found. Set CHROMIUM_PATH to run the browser tests.");

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1100, height: 900 };
const TOKEN = "a-token-for-tests-only";
const CATALOG = "demo";
/** A folder for pictures, for people. */
const PICTURES = process.env["DASHBOARD_PICTURES"];
const HTML = '<img src=x onerror="document.title=1"><b>bold</b>';

const shoot = async (page: Page, name: string): Promise<void> => {
  if (PICTURES !== undefined) await page.screenshot({ path: join(PICTURES, `rules-${name}.png`), fullPage: true });
};
const order = (page: Page, column: string): Promise<string[]> =>
  page.locator(`section[aria-label="${column}"] li`).evaluateAll((rows) => rows.map((row) => row.getAttribute("data-id") ?? ""));
const status = (page: Page) => page.locator("main [role=status].stick");
async function tryOut(page: Page, words = "red bag"): Promise<void> {
  await page.getByLabel("Search words").fill(words);
  await page.keyboard.press("Enter");
  await page.locator('section[aria-label="With the draft"] li').first().waitFor();
}
const isInDraft = (page: Page, ...wanted: readonly string[]): Promise<unknown> =>
  page.waitForFunction(
    (list) =>
      list.every((id, i) => document.querySelectorAll('section[aria-label="With the draft"] li')[i]?.getAttribute("data-id") === id),
    wanted,
  );

const centre = async (locator: ReturnType<Page["locator"]>) => {
  const { x, y, width, height } = (await locator.boundingBox())!;
  return { x: x + width / 2, y: y + height / 2 };
};
describe.skipIf(executablePath === undefined)("the rules of the admin page", () => {
  const folder = mkdtempSync(join(tmpdir(), "armmt-rules-page-"));
  const keys = new Map<string, string>();
  const store = {
    place: "memory",
    get: async (key: string) => keys.get(key),
    put: async (entries: readonly { readonly key: string; readonly value: string }[]) =>
      entries.forEach(({ key, value }) => keys.set(key, value)),
  };
  let isFailing = false;
  let time = Date.now();
  let browser: Browser;
  let server: Server;
  let events: Awaited<ReturnType<typeof sqliteSink>>;
  let url = "";
  let ids: readonly string[] = [];

  const publish = async (rules: readonly object[], by: string) =>
    publishRules(store, { catalog: CATALOG, text: JSON.stringify({ format: 1, rules }), by, at: new Date(time) });
  const live = async () => {
    const { rules }: { rules: Readonly<Record<string, unknown>>[] } = JSON.parse((await readPublishedRules(store, CATALOG)).text);
    return rules;
  };

  beforeAll(async () => {
    events = await sqliteSink(join(folder, "events.sqlite"));
    const env = {
      INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: 40, catalog: CATALOG } },
      STOREFRONT_URL: "http://127.0.0.1:9200",
      DEFAULT_VARIANT: "control",
      ADMIN_TOKEN: TOKEN,
      LIVE_RULES: true,
    };
    const app = openEdge({
      env,
      kv: kvOf(async (key) => (keys.has(key) ? new TextEncoder().encode(keys.get(key)) : undefined)),
      writeKv: async (key, value) => {
        if (isFailing && key.endsWith("/live")) throw new Error("KV is away");
        keys.set(key, value);
      },
      rulesPage: async () => readFileSync(new URL("../../assets/rules-page.bin", import.meta.url)),
      sinks: events,
      readEvents: events.read,
      scorer: () => bypass("model_unavailable", "none in this test"),
      dialects: ALL_DIALECTS,
      fetch: async (to, init) => shop.fetch(new Request(to, init), {}),
      now: () => time,
      log: () => undefined,
    });
    server = createServer(getRequestListener(app.fetch, { overrideGlobalObjects: false }));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/`;
    browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
    ids = await search("red bag");
    await publish(
      [{ id: "first", when: { query: [{ is: "red bag" }] }, action: { do: "pin", items: [{ id: ids[2], position: 1 }] } }],
      "robot",
    );
    time += 61_000;
    for (let i = 0; i < 3; i++) await search("red bag"); // oxlint-disable-line no-await-in-loop
    keys.clear();
  });

  afterAll(async () => {
    await browser?.close();
    server?.closeAllConnections();
    server?.close();
    await events?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(async () => {
    keys.clear();
    isFailing = false;
    await publish(
      [
        { id: "first", name: HTML, note: `campaign ${HTML}`, owner: "mia", when: { query: [{ is: "red bag" }] }, action: { do: "pin", items: [{ id: ids[2], position: 1 }] } }, // prettier-ignore
        { id: "later", when: { query: [{ contains: "sale" }], from: "2099-01-01T00:00:00+01:00", zone: "Europe/Berlin" }, action: { do: "boost", places: 3, match: [{ field: "brand", is: ["Acme"] }] } }, // prettier-ignore
        { id: "gone", when: { index: ["products"], until: "2020-01-01T00:00:00Z" }, action: { do: "cap", field: "brand", most: 2, first: 10 } }, // prettier-ignore
        { id: "resting", enabled: false, when: { index: ["products"] }, action: { do: "last", match: [{ field: "inStock", is: [false] }] } }, // prettier-ignore
      ],
      "anna",
    );
  });

  async function search(query: string): Promise<readonly string[]> {
    const reply = await fetch(`${url}products/_search`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query: { multi_match: { query, fields: ["*"], lenient: true } }, size: 30 }),
    });
    const { hits }: { hits: { hits: { _id: string }[] } } = JSON.parse(await reply.text());
    return hits.hits.map(({ _id }) => _id);
  }

  async function visit(options: BrowserContextOptions = {}): Promise<{ readonly page: Page; readonly complaints: string[] }> {
    const page = await (await browser.newContext({ viewport: DESK, ...options })).newPage();
    page.setDefaultTimeout(30_000);
    const complaints: string[] = [];
    page.on("console", (message) => complaints.push(message.text()));
    page.on("pageerror", (error) => complaints.push(String(error)));
    await page.goto(`${url}armmt/rules.html`);
    await page.keyboard.type(TOKEN);
    await page.keyboard.press("Enter");
    await page.locator("article").first().waitFor();
    return { page, complaints };
  }

  it("lists rules with what they are, and what each did today; nothing in them is markup", async () => {
    const { page, complaints } = await visit();
    await page.getByText("Last 24 hours").first().waitFor();
    const [first = "", later = "", gone = "", resting = ""] = await page.locator("article").allInnerTexts();
    expect(first).toContain(HTML);
    expect(first).toMatch(/live/);
    expect(first).toContain(`Pins 1: ${ids[2]}`);
    expect(first).toContain("owner mia");
    expect(first).toMatch(/as it is since .* by anna/);
    expect(first).toMatch(/matched [1-3], acted in [1-3]/);
    expect(later).toMatch(/planned[^]*from 1 Jan 2099, 00:00 Europe\/Berlin \(in \d+ d\)/);
    expect(later).toContain("Which hits brand: Acme");
    expect(later).toContain("matched no search");
    expect(gone).toMatch(/over/);
    expect(resting).toMatch(/off/);
    expect(await page.title()).toBe("armmt: rules");
    expect(await page.locator("article b b, article img").count()).toBe(0);
    expect(complaints).toEqual([]);
    await shoot(page, "list");
  });

  it("tries a draft beside the live rules, with pictures and why; pins by keyboard, publishes by name, and goes back", async () => {
    const { page, complaints } = await visit();
    await tryOut(page);
    expect((await order(page, "With the live rules"))[0]).toBe(ids[2]);
    expect(await order(page, "With the draft")).toEqual(await order(page, "With the live rules"));
    expect(await page.locator("img.pic").count()).toBeGreaterThan(10);
    expect(await page.locator("img.pic").first().evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth))).toBeGreaterThan(0); // prettier-ignore
    await page.locator('section[aria-label="With the draft"] summary').first().focus();
    await page.keyboard.press("Enter");
    await page.getByText(`${ids[2]} stands at position 1 for "red bag" in products`).waitFor();
    await page
      .getByText(/Rule first .* pins it: owner mia, published by anna, as it is since/)
      .first()
      .waitFor();

    const down = page.getByRole("button", { name: `Move down ${ids[2]}`, exact: true });
    await down.focus();
    await page.keyboard.press("Enter");
    await isInDraft(page, ids[0]!, ids[2]!);
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toBe(`Move down ${ids[2]}`);
    expect((await order(page, "With the live rules"))[0]).toBe(ids[2]);
    await page.getByRole("button", { name: `Hide ${ids[0]}`, exact: true }).click();
    await isInDraft(page, ids[1]!, ids[2]!);
    await page.getByText("hide-red-bag: new").waitFor();
    await page.getByLabel("An item that is not here").fill("p9999");
    await page.getByLabel("Position").fill("1");
    await page.keyboard.press("Enter");
    await page.getByText("In the draft p9999 is pinned to position 1").waitFor();
    await page.getByRole("button", { name: "Undo the last step" }).click();
    await page.getByText("The last step is undone").waitFor();
    await shoot(page, "try");

    await page.getByRole("button", { name: "Publish", exact: true }).click();
    expect(await page.evaluate(() => document.activeElement?.getAttribute("autocomplete"))).toBe("name");
    await page.keyboard.type("Bea");
    await page.keyboard.press("Enter");
    await page.getByText("The draft is live").waitFor();
    expect((await live()).map(({ id }) => id)).toEqual(["first", "later", "gone", "resting", "hide-red-bag"]);
    time += 61_000;
    await search("red bag");
    await new Promise((done) => setTimeout(done, 100));
    expect((await search("red bag")).slice(0, 2)).toEqual([ids[1], ids[2]]);
    const [before] = await readRulesHistory(store, CATALOG);
    await page.getByRole("button", { name: `Go back to ${before!.version}` }).click();
    await page.getByText("is live again").waitFor();
    expect(await live()).toHaveLength(4);
    expect((await readRulesHistory(store, CATALOG)).map(({ by, from }) => `${by} ${from}`)).toEqual(["anna publish", "Bea publish", "Bea rollback"]); // prettier-ignore
    await page.getByRole("region", { name: "Who changed what" }).getByText("Bea").first().waitFor();
    expect(complaints).toEqual([]);
  });

  it("drags a hit to its place, by mouse and by finger, on a phone too", async () => {
    const { page } = await visit({ viewport: PHONE, hasTouch: true, isMobile: true });
    await tryOut(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide).toBe(0);
    await shoot(page, "phone");
    const rows = page.locator('section[aria-label="With the draft"] li');
    const [, second, third] = await order(page, "With the draft");
    await rows.nth(2).locator(".grip").scrollIntoViewIfNeeded();
    const [from, to] = [await centre(rows.nth(2).locator(".grip")), await centre(rows.nth(1))];
    await page.mouse.move(from.x, from.y);
    await page.mouse.down();
    await page.mouse.move(from.x, (from.y + to.y) / 2);
    await page.mouse.move(to.x, to.y, { steps: 4 });
    await page.mouse.up();
    await isInDraft(page, ids[2]!, third!, second!);

    // By finger: what a touch screen sends.
    const cdp = await page.context().newCDPSession(page);
    await rows.nth(2).locator(".grip").scrollIntoViewIfNeeded();
    const [start, end] = [await centre(rows.nth(2).locator(".grip")), await centre(rows.nth(1))];
    await cdp.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [start] });
    for (const share of [0.3, 0.6, 1])
      await cdp.send("Input.dispatchTouchEvent", {
        type: "touchMove",
        touchPoints: [{ x: start.x, y: start.y + (end.y - start.y) * share }],
      }); // oxlint-disable-line no-await-in-loop
    await cdp.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    await isInDraft(page, ids[2]!, second!, third!);
    await page.getByRole("button", { name: "Undo the last step" }).click();
    await isInDraft(page, ids[2]!, third!, second!);
  });

  it("edits a rule by a form, with problems beside the field", async () => {
    const { page, complaints } = await visit({ colorScheme: "dark" });
    await page.getByText("Edit later").click();
    await page.getByLabel("Places").fill("0");
    await page.getByText(/action.places is 0: use a whole number of places/).waitFor();
    expect(await page.getByLabel("Places").getAttribute("aria-invalid")).toBe("true");
    await page.getByLabel("Places").fill("7");
    await page.getByLabel("Which hits").fill("brand: Acme | Other\nprice > 10 < 20");
    await page.getByLabel("Countries").fill("DE\nAT");
    await page.waitForFunction(() => document.querySelectorAll('[aria-invalid="true"]').length === 0);
    await shoot(page, "form-dark");
    await page.getByRole("button", { name: "Put into the draft" }).click();
    await page.getByText("later: changed").waitFor();
    // What the page was told stays when it is loaded again.
    await page.reload();
    await page.getByText("later: changed").waitFor();
    await page.getByLabel("Your name").fill("Bea");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByText("The draft is live").waitFor();
    expect((await live())[1]).toEqual({
      id: "later",
      when: { query: [{ contains: "sale" }], from: "2099-01-01T00:00:00+01:00", zone: "Europe/Berlin", country: ["DE", "AT"] },
      action: {
        do: "boost",
        places: 7,
        match: [
          { field: "brand", is: ["Acme", "Other"] },
          { field: "price", above: 10, below: 20 },
        ],
      },
    });
    expect(complaints).toEqual([]);
  });

  it("warns before it publishes: contradictions, rules without a scope, rules that matched nothing", async () => {
    const { page } = await visit();
    await page.getByText(/Rule later: matched none of the \d+ searches/).waitFor();
    await page.getByText("Rule gone: has ended").waitFor();
    await page.getByRole("button", { name: "Copy first" }).click();
    await page.getByLabel("Find").fill("first-copy");
    await page.getByRole("button", { name: "Turn on first-copy" }).click();
    await page.getByLabel("Find").fill("");
    await page.getByRole("button", { name: "New rule" }).click();
    await page.getByText("Rule new-rule: holds everywhere").waitFor();
    await page.getByLabel("Your name").fill("Bea");
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await status(page).getByText("Rule new-rule: action.items").waitFor();
    expect(await live()).toHaveLength(4);
  });

  it("loses nothing where two publish, or KV fails half way", async () => {
    const { page } = await visit();
    await page.getByRole("button", { name: "Turn off first" }).click();
    await page.getByLabel("Your name").fill("Bea");
    isFailing = true;
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await status(page).getByText("KV is away").waitFor();
    await page.getByText("first: changed").waitFor();
    isFailing = false;
    await publish(
      [...(await live()), { id: "ours", when: { query: [{ is: "x" }] }, action: { do: "hide", match: [{ ids: ["1"] }] } }],
      "Cem",
    );
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await status(page)
      .getByText(/Not published: Cem published at .* Your draft is still here/)
      .waitFor();
    expect((await live()).map(({ enabled }) => enabled)).toEqual([undefined, undefined, undefined, false, undefined]);
    await page.keyboard.press("Enter");
    await status(page).getByText("Your changes stand on top of theirs").waitFor();
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await page.getByText("The draft is live").waitFor();
    const rules = await live();
    expect(rules.map(({ id }) => id)).toContain("ours");
    expect(rules[0]).toMatchObject({ id: "first", enabled: false });
  });

  it("names all that can be used, has no id twice, and shows the focus", async () => {
    const { page } = await visit();
    await tryOut(page);
    await page.getByText("Edit first").click();
    const faults = await page.evaluate(() => {
      const visible = [...document.querySelectorAll("button, input, select, textarea, summary, a")].filter((one) => one.checkVisibility());
      const all = [...document.querySelectorAll("[id]")].map(({ id }) => id);
      return {
        unnamed: visible
          .filter(
            (one) =>
              (one.getAttribute("aria-label") ?? one.textContent ?? "").trim() === "" &&
              !("labels" in one && one.labels instanceof NodeList && one.labels.length > 0),
          )
          .map((one) => one.outerHTML.slice(0, 100)),
        twice: all.filter((id, i) => all.indexOf(id) !== i),
        small: visible.filter((one) => one.matches("button") && one.getBoundingClientRect().height < 24).length,
        images: document.querySelectorAll("img:not([alt])").length,
      };
    });
    expect(faults).toEqual({ unnamed: [], twice: [], small: 0, images: 0 });
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).not.toBe("none");
  });
});
