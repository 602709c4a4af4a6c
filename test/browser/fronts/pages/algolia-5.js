import { liteClient } from "algoliasearch/lite";
import aa from "search-insights";
import { showShop } from "./shop.js";

const searchClient = liteClient("SHOP", "search-key");

showShop({
  searchClient,
  products: "goods",
  offers: "goods_offers",
  sorts: { price: "goods_price_asc" },
  insights: { insightsClient: aa },
});
