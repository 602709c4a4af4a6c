/** A search page of InstantSearch's own widgets, for every search client. The client is what differs from engine to engine. */
import instantsearch from "instantsearch.js";
import { configure, hits, index, infiniteHits, pagination, refinementList, searchBox, sortBy, stats } from "instantsearch.js/es/widgets";

const templates = {
  item: (hit, { html }) => html`<article data-id="${hit.objectID}">${hit.title}</article>`,
};

export function showShop({ searchClient, products, offers, sorts, insights = false }) {
  const search = instantsearch({ searchClient, indexName: products, routing: true, insights });
  const isInfinite = location.pathname.endsWith("/infinite");
  search.addWidgets([
    configure({ hitsPerPage: 10 }),
    searchBox({ container: "#box" }),
    stats({ container: "#count" }),
    refinementList({ container: "#facet", attribute: "category", searchable: true, limit: 20 }),
    sortBy({
      container: "#sort",
      items: [
        { label: "Relevance", value: products },
        { label: "Price", value: sorts.price },
      ],
    }),
    isInfinite ? infiniteHits({ container: "#hits", templates }) : hits({ container: "#hits", templates }),
    ...(isInfinite ? [] : [pagination({ container: "#pages" })]),
    index({ indexName: offers, indexId: "offers" }).addWidgets([configure({ hitsPerPage: 4 }), hits({ container: "#offers", templates })]),
  ]);
  search.start();
}
