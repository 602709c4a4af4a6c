import TypesenseInstantSearchAdapter from "typesense-instantsearch-adapter";
import { showShop } from "./shop.js";

const { searchClient } = new TypesenseInstantSearchAdapter({
  server: {
    apiKey: "search-key",
    nodes: [{ host: "search.shop.example", port: 443, protocol: "https" }],
  },
  additionalSearchParameters: { query_by: "title,category" },
});

showShop({
  searchClient,
  products: "articles",
  offers: "articles_offers",
  sorts: { price: "articles/sort/price:asc" },
});
