import { autocomplete, getAlgoliaResults } from "@algolia/autocomplete-js";
import { liteClient } from "algoliasearch/lite";

const searchClient = liteClient("SHOP", "search-key");

const source = (sourceId, indexName, hitsPerPage) => ({
  sourceId,
  getItems: ({ query }) => getAlgoliaResults({ searchClient, queries: [{ indexName, params: { query, hitsPerPage } }] }),
  templates: { item: ({ item, html }) => html`<a href="#${item.objectID}" data-id="${item.objectID}">${item.title}</a>` },
});

autocomplete({
  container: "#box",
  panelContainer: "#panel",
  detachedMediaQuery: "none",
  getSources: () => [source("hits", "goods", 10), source("offers", "goods_offers", 4)],
});
