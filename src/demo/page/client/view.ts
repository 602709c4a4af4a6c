/**
 * Turns a search's outcome into the document: columns, counts, notices, what a screen reader is told. Asks nothing and remembers nothing.
 */
import { type Card, createColumn } from "./cards.ts";
import { byId, element } from "./dom.ts";
import { explainReason } from "./reasons.ts";
import type { Place } from "./place.ts";
import type { Catalog, DeviceAnswer, Outcome, Page, Product, RecentProduct } from "./reply.ts";
import { type Timing } from "./movement.ts";
import { addedText, timingSheet } from "./timing.ts";

export interface Results {
  readonly query: string;
  readonly engine: Page;
  readonly reranked: Page;
  readonly outcome: Outcome;
  /** Answered by the service worker; undefined where the network did. */
  readonly device: DeviceAnswer | undefined;
  /** How many recently viewed products there were. */
  readonly viewed: number;
}

export interface ViewEvents {
  readonly onChoose: (product: Product) => void;
  readonly onExample: (query: string) => void;
  /** `at`: place in the strip. */
  readonly onRemoveRecent: (at: number) => void;
}

export interface View {
  showCatalog(catalog: Catalog): void;
  showResults(results: Results): void;
  showRecent(recent: readonly RecentProduct[]): void;
  /** The button at this place of the strip, else the nearest one, else nothing. */
  recentButton(at: number): HTMLElement | undefined;
  showTiming(timing: Timing, window: number): void;
  hideTiming(): void;
  showError(error: unknown): void;
  setBusy(isBusy: boolean): void;
  /** Says `first`, then what is shown. */
  announce(results: Results, first?: string): void;
  /** The links to both places, with the search of this one. */
  linkPlaces(search: string): void;
  /** On a narrow screen: which column. */
  showColumn(name: string): void;
}

const number = new Intl.NumberFormat("en");

export function createView(place: Place["name"], events: ViewEvents): View {
  const columns = byId("columns", HTMLElement);
  const count = byId("count", HTMLElement);
  const more = byId("more", HTMLButtonElement);
  const notice = byId("notice", HTMLElement);
  const recentList = byId("recent", HTMLOListElement);
  const timing = byId("timing", HTMLDetailsElement);
  const engineColumn = createColumn(byId("engine", HTMLOListElement), events.onChoose);
  const rerankedColumn = createColumn(byId("reranked", HTMLOListElement), events.onChoose);

  const isOnDevice = place === "this device";
  for (const link of document.querySelectorAll(".places a")) {
    if (link.id === (isOnDevice ? "place-device" : "place-edge")) link.setAttribute("aria-current", "page");
  }
  if (isOnDevice) byId("timing-label", HTMLElement).textContent = "Adds";

  const showNotice = (text: string, options: { readonly isError?: boolean; readonly code?: string } = {}): void => {
    notice.hidden = false;
    notice.classList.toggle("notice--error", options.isError === true);
    notice.replaceChildren(text, ...(options.code === undefined ? [] : [" ", element("code", {}, options.code)]));
  };

  const showOutcome = ({ outcome, engine }: Results): void => {
    if (engine.products.length === 0) showNotice("Nothing found. Try another word or one of the examples above.");
    else if (outcome.kind === "absent") {
      showNotice("No edge in between: this page was opened at the shop itself. Open the edge’s address.", { isError: true });
    } else if (outcome.kind === "bypass") showNotice(explainReason(outcome.reason, place), { code: outcome.reason });
    else notice.hidden = true;
  };

  return {
    showCatalog: (catalog) => {
      const { style } = document.documentElement;
      style.setProperty("--aspect", String(catalog.pictureAspect));
      if (catalog.pictureAspect < 1) style.setProperty("--card", "8.5rem"); // tall pictures: more of them abreast
      byId("about", HTMLElement).replaceChildren(
        element("b", {}, catalog.name),
        element("span", {}, `${number.format(catalog.count)} products`),
      );
      byId("about", HTMLElement).title = catalog.note ?? "";
      byId("examples", HTMLElement).replaceChildren(
        ...catalog.exampleQueries.map((query) => {
          const button = element("button", { type: "button" }, query);
          button.addEventListener("click", () => events.onExample(query));
          return button;
        }),
      );
    },

    showResults: (results) => {
      const { engine, reranked, outcome, query } = results;
      columns.hidden = engine.products.length === 0;
      engineColumn.show(engineCards(results));
      rerankedColumn.show(rerankedCards(results));
      const total = `${number.format(engine.total)}${engine.isLowerBound ? "+" : ""}`;
      const noun = engine.total === 1 ? "product" : "products";
      count.replaceChildren(element("b", {}, total), ` ${noun}${query === "" ? "" : ` for “${query}”`}`);
      more.hidden = engine.products.length === 0 || engine.products.length >= engine.total;
      more.textContent = `Show more · ${number.format(engine.products.length)} of ${total}`;
      byId("reranked-note", HTMLElement).textContent = describeOrder(results, place);
      if (outcome.kind === "applied") {
        const home = results.device === undefined ? "WebAssembly inside the edge Worker" : describeHome(results.device);
        const model = `Model ${outcome.model}, in ${home}, re-ranks the first ${outcome.window} hits of each search.`;
        byId("provenance", HTMLElement).textContent = model;
      }
      showOutcome({ ...results, reranked });
    },

    showRecent: (recent) => {
      byId("recent-clear", HTMLButtonElement).hidden = recent.length === 0;
      byId("recent-note", HTMLElement).hidden = recent.length > 0;
      recentList.hidden = recent.length === 0;
      recentList.replaceChildren(
        ...recent.map((product, at) => {
          const label = `Remove ${product.title} from recently viewed`;
          const button = element(
            "button",
            { type: "button", "aria-label": label, title: product.title },
            product.image === "" ? undefined : element("img", { src: product.image, alt: "" }),
            element("span", { "aria-hidden": "true" }, "×"),
          );
          button.addEventListener("click", () => events.onRemoveRecent(at));
          return element("li", {}, button);
        }),
      );
    },

    recentButton: (at) => {
      const buttons = recentList.querySelectorAll("button");
      return buttons[Math.min(at, buttons.length - 1)];
    },

    showTiming: (measured, window) => {
      timing.hidden = false;
      byId("timing-value", HTMLElement).textContent = addedText(measured);
      byId("timing-sheet", HTMLElement).replaceChildren(...timingSheet(measured, window));
    },

    hideTiming: () => {
      timing.hidden = true;
    },

    showError: (error) => showNotice(error instanceof Error ? error.message : String(error), { isError: true }),

    setBusy: (isBusy) => columns.setAttribute("aria-busy", String(isBusy)),

    announce: ({ reranked, outcome }, first = "") => {
      const moved = [...reranked.explained.values()].filter((item) => item.rank !== item.position).length;
      const order =
        outcome.kind === "applied" ? `Re-ranked, ${moved} of ${reranked.products.length} shown products moved.` : "Engine order.";
      byId("announce", HTMLElement).textContent = `${first} ${count.textContent}. ${order}`.trim();
    },

    linkPlaces: (search) => {
      const params = new URLSearchParams(search);
      params.delete("provider");
      const query = params.size === 0 ? "" : `?${params}`;
      for (const link of document.querySelectorAll<HTMLAnchorElement>(".places a")) link.href = `${link.pathname}${query}`;
    },

    showColumn: (name) => {
      columns.dataset["show"] = name;
      for (const button of document.querySelectorAll<HTMLButtonElement>(".switch button")) {
        button.setAttribute("aria-pressed", String(button.dataset["show"] === name));
      }
    },
  };
}

function engineCards({ engine, reranked, outcome }: Results): Card[] {
  const positions = new Map(reranked.products.map((product, at) => [product.id, at + 1]));
  const beyond = `${reranked.products.length + 1}+`;
  return engine.products.map((product, at) => ({
    product,
    position: at + 1,
    movedTo: outcome.kind === "applied" ? String(positions.get(product.id) ?? beyond) : undefined,
  }));
}

function rerankedCards({ engine, reranked }: Results): Card[] {
  const ranks = new Map(engine.products.map((product, at) => [product.id, at + 1]));
  return reranked.products.map((product, at) => {
    const explained = reranked.explained.get(product.id);
    return { product, position: at + 1, rank: explained?.rank ?? ranks.get(product.id), pictureWeight: explained?.gate?.image };
  });
}

function describeOrder({ outcome, reranked, device, viewed }: Results, place: Place["name"]): string {
  if (outcome.kind !== "applied") return "Passed through in the engine’s order";
  // The edge was not told what was viewed on this device.
  const isElsewhere = place === "this device" && device === undefined;
  const known = isElsewhere ? 0 : (reranked.history?.known ?? viewed);
  if (known > 0) return `Ordered for you, by ${known} recently viewed`;
  return `The same hits, ordered ${device === undefined ? "at the edge" : "on this device"}`;
}

function describeHome({ provider }: DeviceAnswer): string {
  return `${provider === "webgpu" ? "WebGPU" : "WebAssembly"} inside this browser`;
}
