/** A shopper's way through a page, the same for every front end. What the shopper sees is kept, to be compared. */
import type { Page, Request } from "playwright-core";
import type { Front } from "./fronts.ts";
import type { Lag } from "./shops.ts";

interface View {
  readonly ids: readonly string[];
  readonly count: string;
  /** `value count`, in the page's order. */
  readonly facets: readonly string[];
}

export interface Diary {
  /** Without words. */
  readonly home: View;
  readonly typed: View;
  readonly offers: readonly string[];
  readonly refined: View | undefined;
  /** After one step back from there. */
  readonly back: View | undefined;
  readonly foundFacets: readonly string[];
  readonly pages: readonly (readonly string[])[];
  readonly sorted: View | undefined;
  readonly infinite: readonly string[];
  /** Errors of the page, in the console or thrown. */
  readonly complaints: readonly string[];
}

export const QUERY = "black";
/** A value of the facet that QUERY has fewer hits of than a page shows. */
const VALUE = "sofa";
const FACET_QUERY = "sh";

/** The hit of the first page that the shopper clicks, from 0. */
export const CLICKED = 3;

/** The answers to the first letters come last. */
const LAGS_MS = [320, 240, 160, 80];

/** InstantSearch writes its state to the address 400 ms after a change, Search UI 500 ms. */
const ROUTING_MS = 550;

const NEXT = "#pages .next:not([disabled]), #pages .ais-Pagination-item--nextPage:not(.ais-Pagination-item--disabled) a";
const MORE = ".ais-InfiniteHits-loadMore:not([disabled])";

export async function walk(page: Page, address: string, { does, debounceMs = 0 }: Front, lag: Lag): Promise<Diary> {
  const complaints: string[] = [];
  page.on("pageerror", ({ message }) => complaints.push(message));
  page.on("console", (message) => void (message.type() === "error" && complaints.push(`${message.text()} ${message.location().url}`)));
  const settle = await settler(page, debounceMs);
  const after = async (action: () => Promise<unknown>): Promise<void> => {
    await action();
    await settle();
    // Not only at the end: a page whose engine refuses its searches has no way on.
    if (complaints.length > 0) throw new Error(`The page at ${address} complains: ${complaints.join("\n")}`);
  };

  const idsIn = (selector: string): Promise<string[]> =>
    page.locator(`${selector} [data-id]`).evaluateAll((nodes) => nodes.map((node) => node.getAttribute("data-id") ?? ""));
  const facets = (): Promise<string[]> =>
    page
      .locator("#facet label")
      .evaluateAll((labels) =>
        labels.map((label) =>
          ["labelText", "count"].map((part) => label.querySelector(`.ais-RefinementList-${part}`)?.textContent).join(" "),
        ),
      );
  const hits = does.includes("paging") ? "#hits" : '#panel [data-autocomplete-source-id="hits"]';
  const offers = does.includes("paging") ? "#offers" : '#panel [data-autocomplete-source-id="offers"]';
  const view = async (): Promise<View> => ({
    ids: await idsIn(hits),
    // "41 results found in 2ms", "1,200 results".
    count: /^[\d,]*/.exec(((await page.locator("#count").textContent()) ?? "").trim())?.[0] ?? "",
    facets: await facets(),
  });
  const type = async (text: string): Promise<void> => {
    await page.locator("#box input").click();
    lag.set(LAGS_MS);
    await after(() => page.keyboard.type(text, { delay: 30 }));
    lag.set([]);
  };

  await after(() => page.goto(address));
  const home = await view();
  await type(QUERY);
  const typed = await view();
  const offered = await idsIn(offers);

  if (does.includes("clicks")) {
    // search-insights sends what it has when it wants.
    const told = page.waitForResponse((response) => response.request().postData()?.includes('"eventType":"click"') ?? false);
    await after(() => page.locator(`${hits} [data-id]`).nth(CLICKED).click());
    await told;
  }

  let refined: View | undefined;
  let back: View | undefined;
  if (does.includes("facets")) {
    if (does.includes("back")) await pause(page, ROUTING_MS);
    const box = page.locator(`#facet label:has(.ais-RefinementList-labelText:text-is("${VALUE}")) input`);
    await after(() => box.click());
    refined = await view();
    if (does.includes("back")) {
      await pause(page, ROUTING_MS);
      await after(() => page.goBack());
      back = await view();
    } else await after(() => box.click());
  }

  let foundFacets: readonly string[] = [];
  if (does.includes("facet search")) {
    const box = page.locator("#facet input[type=search]");
    await after(() => box.fill(FACET_QUERY));
    foundFacets = await facets();
    await after(() => box.fill(""));
  }

  const pages: (readonly string[])[] = [];
  if (does.includes("paging")) {
    pages.push(await idsIn(hits));
    while (await page.locator(NEXT).count()) {
      await after(() => page.locator(NEXT).click());
      pages.push(await idsIn(hits));
    }
  }

  let sorted: View | undefined;
  if (does.includes("sorting")) {
    await after(() => page.locator("#sort select").selectOption({ label: "Price" }));
    sorted = await view();
  }

  let infinite: readonly string[] = [];
  if (does.includes("infinite hits")) {
    await after(() => page.goto(`${address}infinite`));
    await type(QUERY);
    while (await page.locator(MORE).count()) await after(() => page.locator(MORE).click());
    infinite = await idsIn(hits);
  }
  return { home, typed, offers: offered, refined, back, foundFacets, pages, sorted, infinite, complaints };
}

const isSearch = (request: Request): boolean => ["fetch", "xhr"].includes(request.resourceType());

/** Resolves when the page has asked what it will ask, has all answers, and has shown them. */
async function settler(page: Page, debounceMs: number): Promise<() => Promise<void>> {
  const open = new Set<Request>();
  page.on("request", (request) => void (isSearch(request) && open.add(request)));
  page.on("requestfinished", (request) => void open.delete(request));
  page.on("requestfailed", (request) => void open.delete(request));
  await page.addInitScript(countAsked);
  return async () => {
    await pause(page, debounceMs);
    for (let quiet = 0; quiet < 2;) {
      await pause(page, 15); // oxlint-disable-line no-await-in-loop
      const asked = await page.evaluate(() => Number(document.documentElement.dataset["asked"] ?? 0)); // oxlint-disable-line no-await-in-loop
      quiet = open.size === 0 && asked === 0 ? quiet + 1 : 0;
    }
  };
}

/** Runs in the page: how many of its requests have no reply yet. Playwright hears of a request later than the page sends it, on a busy machine much later. */
function countAsked(): void {
  let asked = 0;
  const count = (more: number): void => {
    asked += more;
    document.documentElement.dataset["asked"] = String(asked);
  };
  const ask = window.fetch.bind(window);
  window.fetch = async (...given) => {
    count(1);
    try {
      return await ask(...given);
    } finally {
      count(-1);
    }
  };
  window.XMLHttpRequest = class extends XMLHttpRequest {
    override send(body?: Document | XMLHttpRequestBodyInit | null): void {
      count(1);
      this.addEventListener("loadend", () => count(-1));
      super.send(body);
    }
  };
}

/** In the page: its timers that were set before have run when this one has. */
const pause = (page: Page, delayMs: number): Promise<void> =>
  page.evaluate((ms) => new Promise<void>((resolve) => void setTimeout(resolve, ms)), delayMs);
