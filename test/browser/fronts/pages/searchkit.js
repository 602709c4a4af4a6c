import Client from "@searchkit/instantsearch-client";
import Searchkit from "searchkit";
import { showShop } from "./shop.js";

const searchkit = new Searchkit({
  connection: {
    host: "https://search.shop.example",
  },
  search_settings: {
    search_attributes: ["title", "category"],
    result_attributes: ["title", "category", "price"],
    highlight_attributes: ["title"],
    facet_attributes: [{ attribute: "category", field: "category", type: "string" }],
    sorting: { _price_asc: { field: "price", order: "asc" } },
  },
});

showShop({
  searchClient: Client(searchkit),
  products: "stock",
  offers: "stock_offers",
  sorts: { price: "stock_price_asc" },
});
