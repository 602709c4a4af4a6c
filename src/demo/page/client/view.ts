/** Turns a search's outcome into the document: columns, counts, notices, announcements. Sends no requests and keeps no state. */
import type { Answer, Catalog, Page, Product, Timing } from "./api.ts";
import { type Card, createColumn } from "./cards.ts";
import { button, byId, element, errorText, row } from "./dom.ts";
import type { RecentProduct, Target } from "./target.ts";

export interface Results extends Pick<Answer, "outcome" | "device"> {
  readonly query: string;
  /** Of a page without a query; empty for all products. */
  readonly category: string;
  readonly engine: Page;
  readonly reranked: Page;
  /** Number of recently viewed products. */
  readonly viewed: number;
}

/** Bypass codes in a shopper's words; other codes are shown as they are. */
const REASONS: Readonly<Record<string, string>> = {
  explicit_sort: "You chose a sort order, so {target} passed the engine’s answer through untouched.",
  no_query_text:
    "There is no query to rank for, and nothing is published for pages without one, so {target} passed the engine’s answer through untouched.",
  too_few_hits: "There are too few products to reorder.",
  beyond_window: "These results lie past the re-ranked window and keep the engine’s order.",
  engine_order: "This visit is in the arm of the experiment that shows the engine's own order.",
  nothing_published: "No item vectors are published, so the engine’s order is shown.",
  no_item_vectors: "None of these products has item vectors, so the engine’s order is shown.",
  model_mismatch: "The model does not fit the published item vectors, so the engine’s order is shown.",
  over_budget: "Ranking would have taken too long this time, so the engine’s order is shown.",
};

export function explainReason(reason: string, target: Target["name"]): string {
  const other = `${target === "the edge" ? "The edge" : "This device"} could not re-rank this search and passed the engine’s answer on.`;
  return REASONS[reason]?.replace("{target}", target) ?? other;
}

const number = new Intl.NumberFormat("en");

export type Column = "engine" | "reranked";

/** `onRemoveRecent` gets the index in the strip. */
export function createView(
  target: Target["name"],
  events: Readonly<{
    onChoose: (product: Product, column: Column) => void;
    onExample: (query: string) => void;
    onCategory: (name: string) => void;
    onRemoveRecent: (index: number) => void;
  }>,
) {
  const columns = byId("columns", HTMLElement);
  const count = byId("count", HTMLElement);
  const about = byId("about", HTMLElement);
  const more = byId("more", HTMLButtonElement);
  const notice = byId("notice", HTMLElement);
  const recentList = byId("recent", HTMLOListElement);
  const timing = byId("timing", HTMLDetailsElement);
  const showEngine = createColumn(byId("engine", HTMLOListElement), (product) => events.onChoose(product, "engine"));
  const showReranked = createColumn(byId("reranked", HTMLOListElement), (product) => events.onChoose(product, "reranked"));
  const targetLinks = [...document.querySelectorAll<HTMLAnchorElement>(".targets a")];

  const isOnDevice = target === "this device";
  byId(isOnDevice ? "target-device" : "target-edge", HTMLElement).setAttribute("aria-current", "page");
  if (isOnDevice) byId("timing-label", HTMLElement).textContent = "Adds";

  const showNotice = (text: string, options: { readonly isError?: boolean; readonly code?: string } = {}): void => {
    notice.hidden = false;
    notice.classList.toggle("notice--error", options.isError === true);
    notice.replaceChildren(text, ...(options.code === undefined ? [] : [" ", element("code", {}, options.code)]));
  };

  const showOutcome = ({ outcome, engine }: Results): void => {
    if (engine.products.length === 0) showNotice("Nothing found. Try another word or one of the examples above.");
    else if (outcome.kind === "absent")
      showNotice("No edge in between: this page was opened at the shop itself. Open the edge’s address.", { isError: true });
    else if (outcome.kind === "bypass") showNotice(explainReason(outcome.reason, target), { code: outcome.reason });
    else notice.hidden = true;
  };

  return {
    showCatalog: ({ name, note = "", count: total, pictureAspect, exampleQueries, categories }: Catalog) => {
      const { style } = document.documentElement;
      style.setProperty("--aspect", String(pictureAspect));
      if (pictureAspect < 1) style.setProperty("--card", "8.5rem"); // tall pictures: more of them abreast
      about.replaceChildren(element("b", {}, name), element("span", {}, `${number.format(total)} products`));
      about.title = note;
      const examples = exampleQueries.map((query) => button({}, () => events.onExample(query), query));
      byId("examples", HTMLElement).replaceChildren(...examples);
      const pages = categories.map(({ name: category }) => button({}, () => events.onCategory(category), category));
      byId("categories", HTMLElement).replaceChildren(...pages);
    },

    showResults: (results: Results) => {
      const { engine, outcome, query, category, device } = results;
      const shown = engine.products.length;
      columns.hidden = shown === 0;
      showEngine(engineCards(results));
      showReranked(rerankedCards(results));
      const total = `${number.format(engine.total)}${engine.isLowerBound ? "+" : ""}`;
      const noun = engine.total === 1 ? "product" : "products";
      count.replaceChildren(
        element("b", {}, total),
        ` ${noun}${query !== "" ? ` for “${query}”` : category === "" ? "" : ` in “${category}”`}`,
      );
      more.hidden = shown === 0 || shown >= engine.total;
      more.textContent = `Show more · ${number.format(shown)} of ${total}`;
      byId("reranked-note", HTMLElement).textContent = describeOrder(results, target);
      if (outcome.kind === "applied") {
        const runtime = device?.provider === "webgpu" ? "WebGPU" : "WebAssembly";
        const host = device === undefined ? "the edge Worker" : "this browser";
        byId("provenance", HTMLElement).textContent = outcome.model.startsWith("browse-")
          ? `What simulated shoppers bought on such pages (${outcome.model}) re-ranks the first ${outcome.window} products.`
          : `Model ${outcome.model}, in ${runtime} inside ${host}, re-ranks the first ${outcome.window} hits of each search.`;
      }
      showOutcome(results);
    },

    showRecent: (recent: readonly RecentProduct[]) => {
      byId("recent-clear", HTMLButtonElement).hidden = recent.length === 0;
      byId("recent-note", HTMLElement).hidden = recent.length > 0;
      recentList.hidden = recent.length === 0;
      const items = recent.map(({ title, image }, index) => {
        const picture = image === "" ? undefined : element("img", { src: image, alt: "" });
        const cross = element("span", { "aria-hidden": "true" }, "×");
        const attributes = { "aria-label": `Remove ${title} from recently viewed`, title };
        return element(
          "li",
          {},
          button(attributes, () => events.onRemoveRecent(index), picture, cross),
        );
      });
      recentList.replaceChildren(...items);
    },

    /** The button at this index of the strip, else the last one, else undefined. */
    recentButton: (index: number): HTMLElement | undefined => {
      const buttons = recentList.querySelectorAll("button");
      return buttons[Math.min(index, buttons.length - 1)];
    },

    showTiming: (measured: Timing, window: number) => {
      timing.hidden = false;
      byId("timing-value", HTMLElement).textContent = measured.addedMs > 0 ? ms(measured.addedMs) : "≈ 0 ms"; // below zero: noise
      byId("timing-sheet", HTMLElement).replaceChildren(
        element(
          "dl",
          {},
          ...row("Engine order, passed through", ms(measured.engineMs)),
          ...row("Re-ranked", ms(measured.rerankedMs)),
          ...row("Difference within a pair", ms(measured.addedMs)),
        ),
        element(
          "p",
          {},
          `Medians of ${measured.pairs} alternating pairs, timed by this browser from the request to the last byte. The difference includes ` +
            `all of re-ranking: asking for ${window} hits instead of one page, vectors, model, new order.`,
        ),
      );
    },

    hideTiming: () => {
      timing.hidden = true;
    },

    showError: (error: unknown) => showNotice(errorText(error), { isError: true }),

    setBusy: (isBusy: boolean) => columns.setAttribute("aria-busy", String(isBusy)),

    /** To a screen reader: `first`, then the results. */
    announce: ({ reranked, outcome }: Results, first: string = "") => {
      const moved = [...reranked.explained.values()].filter((item) => item.rank !== item.position).length;
      const order =
        outcome.kind === "applied" ? `Re-ranked, ${moved} of ${reranked.products.length} shown products moved.` : "Engine order.";
      byId("announce", HTMLElement).textContent = `${first} ${count.textContent}. ${order}`.trim();
    },

    /** Both targets, with the search of this page. */
    linkTargets: (search: string) => {
      const params = new URLSearchParams(search);
      params.delete("provider");
      const query = params.size === 0 ? "" : `?${params}`;
      for (const link of targetLinks) link.href = `${link.pathname}${query}`;
    },

    /** On a narrow screen, one column at a time. */
    showColumn: (name: string) => {
      columns.dataset["show"] = name;
      for (const choice of document.querySelectorAll<HTMLButtonElement>(".switch button")) {
        choice.setAttribute("aria-pressed", String(choice.dataset["show"] === name));
      }
    },
  };
}

function engineCards({ engine, reranked, outcome }: Results): Card[] {
  const positions = new Map(reranked.products.map((product, index) => [product.id, index + 1]));
  const beyond = `${reranked.products.length + 1}+`;
  return engine.products.map((product, index) => ({
    product,
    position: index + 1,
    movedTo: outcome.kind === "applied" ? String(positions.get(product.id) ?? beyond) : undefined,
  }));
}

function rerankedCards({ engine, reranked }: Results): Card[] {
  const ranks = new Map(engine.products.map((product, index) => [product.id, index + 1]));
  return reranked.products.map((product, index) => {
    const explained = reranked.explained.get(product.id);
    return { product, position: index + 1, rank: explained?.rank ?? ranks.get(product.id), why: explained?.why ?? undefined };
  });
}

function describeOrder({ outcome, reranked, device, viewed }: Results, target: Target["name"]): string {
  if (outcome.kind !== "applied") return "Passed through in the engine’s order";
  // The edge does not get the products viewed on this device.
  const isElsewhere = target === "this device" && device === undefined;
  const known = isElsewhere ? 0 : (reranked.history?.known ?? viewed);
  if (known > 0) return `Ordered for you, by ${known} recently viewed`;
  return `The same hits, ordered ${device === undefined ? "at the edge" : "on this device"}`;
}

const ms = (value: number): string => `${value.toFixed(1).replace("-", "−")} ms`;
