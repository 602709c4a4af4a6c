/**
 * The demo page: one query, sent twice (for the engine's order, and re-ranked at the edge or on this device), shown side by side.
 *
 * The state is the query, the sort, the number of products shown and the recently viewed ones; `refresh` turns it into the page.
 */
import { type Answer, type Catalog, fetchCatalog, measure, type Page, type Product, search, sendClick, type Sort } from "./api.ts";
import { markCounterparts } from "./cards.ts";
import { byId } from "./dom.ts";
import { createDeviceTarget, createEdgeTarget, DEVICE_SCOPE, type RecentProduct } from "./target.ts";
import { type Column, createView, type Results } from "./view.ts";

const PAGE_SIZE = 24;
const TYPING_PAUSE_MS = 180;
/** Time for pictures and cards to load before the measuring starts. */
const SETTLE_MS = 500;

const queryField = byId("query", HTMLInputElement);
const sortField = byId("sort", HTMLSelectElement);
const moreButton = byId("more", HTMLButtonElement);

const target = location.pathname.startsWith(DEVICE_SCOPE) ? createDeviceTarget(() => showRecent([])) : createEdgeTarget(localStorage);

const view = createView(target.name, {
  onChoose: (product, column) => void choose(product, column),
  onExample: (query) => {
    queryField.value = query;
    startSearch(true);
  },
  onCategory: (name) => {
    queryField.value = "";
    category = name;
    startSearch(true);
  },
  onRemoveRecent: (index) => void removeRecent(index),
});

/** Whose page is shown where there is no query. */
let category = "";
let catalog: Catalog | undefined;
let recent: RecentProduct[] = [];
let results: Results | undefined;
/** Of the shown pages of each column, separated by commas. */
let tokens: Readonly<Partial<Record<Column, string | undefined>>> = {};
/** Products per column. */
let shown = PAGE_SIZE;
/** Aborts the requests of a search that a newer one has overtaken. */
let running = new AbortController();

const queryText = (): string => queryField.value.trim();
const viewedIds = (): string[] => recent.map((product) => product.id);

function sortChosen(): Sort {
  const { value } = sortField;
  return value === "price-asc" || value === "price-desc" ? value : "relevance";
}

/** Requests `[from, from + size)` in both orders. Where no edge answers, both are the engine's. */
async function askBoth(from: number, size: number, signal: AbortSignal): Promise<readonly [Answer, Answer]> {
  const request = { query: queryText(), category, sort: sortChosen(), from, size };
  const both = [search(request, { off: true, signal }), search(request, { ...target.options(viewedIds(), catalog), signal })] as const;
  await Promise.allSettled(both);
  const engine = await both[0];
  return [engine, engine.outcome.kind === "absent" ? engine : await both[1]];
}

/** Searches again for all shown products, unless a newer search overtakes it. `spoken`: why, for a screen reader. */
async function refresh(spoken?: string): Promise<void> {
  running.abort();
  running = new AbortController();
  const { signal } = running;
  view.setBusy(true);
  try {
    const [engine, reranked] = await askBoth(0, shown, signal);
    const { page, outcome, device } = reranked;
    tokens = { engine: engine.token, reranked: reranked.token };
    results = { query: queryText(), category, engine: engine.page, reranked: page, outcome, device, viewed: recent.length };
    view.showResults(results);
    view.announce(results, spoken);
    view.linkTargets(location.search);
    void time(results, signal);
  } catch (error) {
    if (!signal.aborted) view.showError(error);
  } finally {
    if (!signal.aborted) view.setBusy(false);
    target.searched();
  }
}

async function showMore(): Promise<void> {
  const { signal } = running;
  moreButton.disabled = true;
  try {
    const [engine, reranked] = await askBoth(shown, PAGE_SIZE, signal);
    if (signal.aborted || results === undefined) return;
    shown += PAGE_SIZE;
    tokens = { engine: joinTokens(tokens.engine, engine.token), reranked: joinTokens(tokens.reranked, reranked.token) };
    results = { ...results, engine: joinPages(results.engine, engine.page), reranked: joinPages(results.reranked, reranked.page) };
    view.showResults(results);
    view.announce(results, `${engine.page.products.length} more products.`);
  } catch (error) {
    if (!signal.aborted) view.showError(error);
  } finally {
    moreButton.disabled = false;
  }
}

function joinPages(first: Page, next: Page): Page {
  return { ...first, products: [...first.products, ...next.products], explained: new Map([...first.explained, ...next.explained]) };
}

function joinTokens(...given: readonly (string | undefined)[]): string | undefined {
  const known = given.filter((token) => token !== undefined);
  return known.length === 0 ? undefined : known.join(", ");
}

async function time({ outcome }: Results, signal: AbortSignal): Promise<void> {
  if (outcome.kind !== "applied") return view.hideTiming();
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const request = { query: queryText(), category, sort: sortChosen(), from: 0, size: PAGE_SIZE };
  try {
    await measure(request, { ...target.options(viewedIds(), catalog), signal }, (timing) => {
      if (!signal.aborted) view.showTiming(timing, outcome.window);
    });
  } catch {
    if (!signal.aborted) view.hideTiming(); // the next search shows the error
  }
}

async function choose({ id, title, image }: Product, column: Column): Promise<void> {
  const token = tokens[column];
  if (token !== undefined) void sendClick(token, id);
  await target.recent.add({ id, title, image });
  showRecent(await target.recent.load());
  await refresh(`${title} added to recently viewed.`);
}

async function removeRecent(index: number): Promise<void> {
  const { id = "", title = "Product" } = recent[index] ?? {};
  await target.recent.remove(id);
  showRecent(await target.recent.load());
  (view.recentButton(index) ?? queryField).focus(); // the focused button is gone
  await refresh(`${title} removed from recently viewed.`);
}

async function clearRecent(): Promise<void> {
  await target.recent.clear();
  showRecent([]);
  queryField.focus();
  await refresh("Recently viewed cleared.");
}

function showRecent(products: RecentProduct[]): void {
  recent = products;
  view.showRecent(products);
}

/** `push`: leave a step in the browser's history. */
function startSearch(push: boolean): void {
  shown = PAGE_SIZE;
  if (queryText() !== "") category = "";
  const url = new URL(location.href);
  const sort = sortChosen();
  const provider = url.searchParams.get("provider");
  url.search = new URLSearchParams({
    ...(queryText() !== "" ? { q: queryText() } : category !== "" && { category }),
    ...(sort !== "relevance" && { sort }),
    ...(provider !== null && { provider }),
  }).toString();
  if (push) history.pushState(undefined, "", url);
  else history.replaceState(undefined, "", url);
  void refresh();
}

function readAddress(fallback: string): void {
  const params = new URLSearchParams(location.search);
  category = params.get("category") ?? "";
  queryField.value = params.get("q") ?? (category === "" ? fallback : "");
  sortField.value = params.get("sort") ?? "relevance";
  if (sortField.value === "") sortField.value = "relevance"; // an unknown sort selects nothing
}

function listen(): void {
  byId("search", HTMLFormElement).addEventListener("submit", (event) => {
    event.preventDefault();
    startSearch(true);
  });
  let typing: ReturnType<typeof setTimeout> | undefined;
  queryField.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => startSearch(false), TYPING_PAUSE_MS);
  });
  sortField.addEventListener("change", () => startSearch(true));
  moreButton.addEventListener("click", () => void showMore());
  byId("recent-clear", HTMLButtonElement).addEventListener("click", () => void clearRecent());
  for (const button of document.querySelectorAll<HTMLButtonElement>(".switch button")) {
    button.addEventListener("click", () => view.showColumn(button.dataset["show"] ?? "reranked"));
  }
  markCounterparts(byId("columns", HTMLElement));
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.matches("input, select, textarea");
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    queryField.focus();
    queryField.select();
  });
  addEventListener("popstate", () => {
    readAddress("");
    shown = PAGE_SIZE;
    void refresh();
  });
}

async function begin(): Promise<void> {
  listen();
  byId("recent-note", HTMLElement).textContent = target.recentNote;
  const started = target.start();
  try {
    showRecent(await target.recent.load());
    catalog = await fetchCatalog();
    view.showCatalog(catalog);
  } catch (error) {
    view.showError(error);
  }
  readAddress(catalog?.exampleQueries[0] ?? "");
  await started;
  await refresh();
}

await begin();
