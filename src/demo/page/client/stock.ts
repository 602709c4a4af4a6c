/**
 * A stock page: InstantSearch with Searchkit, the client that Elasticsearch's shops use, neither of them modified. What a shop would not have is
 * around them: the switch to the engine's order, what became of each search, and the click events of the demo's report.
 */
import Client from "@searchkit/instantsearch-client";
import instantsearch from "instantsearch.js";
import { configure, hits, pagination, refinementList, searchBox, sortBy, stats } from "instantsearch.js/es/widgets";
import Searchkit from "searchkit";
import { OFF, OUTCOME_HEADER, parseOutcomes } from "../../../runtimes/browser/index.ts";
import { sendClick } from "./api.ts";
import { byId } from "./dom.ts";
import { explainReason } from "./view.ts";

const INDEX = "products";
const PAGE_SIZE = 24;

const outcomeNote = byId("outcome", HTMLElement);
const orders = [...document.querySelectorAll<HTMLButtonElement>("[data-order]")];

/** Of this page alone, and stored nowhere: it puts its searches into one arm of the demo's experiment. */
const session = crypto.randomUUID();
let isEngineOrder = false;
/** Of the last search, for its clicks. */
let tokens: string | undefined;

const money = new Intl.NumberFormat("en", { style: "currency", currency: "EUR" });

/** What the client sends gets the switch and the visit; what it is answered tells the outcome. The client sees neither. */
const network = globalThis.fetch.bind(globalThis);
globalThis.fetch = async (resource, init) => {
  const { pathname } = new URL(resource instanceof Request ? resource.url : resource, location.href);
  if (!pathname.endsWith("/_msearch")) return network(resource, init);
  const headers = new Headers(init?.headers);
  headers.set("x-armmt-session", session);
  if (isEngineOrder) headers.set(OUTCOME_HEADER, OFF);
  const reply = await network(resource, { ...init, headers });
  tokens = reply.headers.get("x-armmt-events") ?? undefined;
  showOutcome(reply.headers.get(OUTCOME_HEADER));
  return reply;
};

/** Of the first search: the others count facets. */
function showOutcome(header: string | null): void {
  const [outcome] = parseOutcomes(header ?? "");
  outcomeNote.textContent =
    outcome === undefined
      ? "There is no edge in between: this is the engine’s order."
      : outcome.kind === "applied"
        ? `Re-ranked${"model" in outcome ? `: the first ${outcome.window} hits, by model ${outcome.model}` : ""}.`
        : `Engine order (${outcome.reason}). ${explainReason(outcome.reason, "the edge")}`;
}

const searchkit = new Searchkit({
  connection: { host: location.origin },
  search_settings: {
    search_attributes: [{ field: "title", weight: 2 }, "category"],
    result_attributes: ["title", "category", "price", "rating", "image", "in_stock"],
    facet_attributes: [{ attribute: "category", field: "category", type: "string" }],
    sorting: { _price_asc: { field: "price", order: "asc" }, _price_desc: { field: "price", order: "desc" } },
  },
});

const search = instantsearch({ searchClient: Client(searchkit), indexName: INDEX, routing: true });

search.addWidgets([
  configure({ hitsPerPage: PAGE_SIZE }),
  searchBox({ container: "#box", placeholder: "Search products" }),
  stats({ container: "#stats" }),
  refinementList({ container: "#facet", attribute: "category", limit: 20 }),
  sortBy({
    container: "#sort",
    items: [
      { label: "Relevance", value: INDEX },
      { label: "Price, low to high", value: `${INDEX}_price_asc` },
      { label: "Price, high to low", value: `${INDEX}_price_desc` },
    ],
  }),
  hits({
    container: "#hits",
    templates: {
      item: (hit, { html }) =>
        html` <button type="button" class="card" data-id=${hit.objectID}>
          <span class="card__picture"><img src=${String(hit["image"])} alt="" loading="lazy" decoding="async" /></span>
          <span class="card__text"
            ><span class="card__title">${String(hit["title"])}</span>
            <span class="card__facts"><span class="card__price">${money.format(Number(hit["price"]))}</span></span>
          </span>
        </button>`,
      empty: ({ query }) => `Nothing found for “${query}”`,
    },
  }),
  pagination({ container: "#pages" }),
]);
search.start();
// A phone shows products first.
if (matchMedia("(max-width: 48rem)").matches) byId("facets", HTMLDetailsElement).open = false;
document.querySelector("#sort select")?.setAttribute("aria-labelledby", "sort-label");

byId("hits", HTMLElement).addEventListener("click", (event) => {
  const id = event.target instanceof Element ? event.target.closest("[data-id]")?.getAttribute("data-id") : undefined;
  if (id === undefined || id === null || tokens === undefined) return;
  void sendClick(tokens, id);
  outcomeNote.textContent = "This click is in the demo’s report now: npm run armmt -- report demo --local";
});

for (const order of orders) {
  order.addEventListener("click", () => {
    isEngineOrder = order.dataset["order"] === "engine";
    for (const one of orders) one.setAttribute("aria-pressed", String(one === order));
    search.refresh();
  });
}
