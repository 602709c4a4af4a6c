import algoliasearch from "algoliasearch-4/lite";
import { showShop } from "./shop.js";

const searchClient = algoliasearch("SHOP", "search-key");

showShop({
  searchClient,
  products: "goods",
  offers: "goods_offers",
  sorts: { price: "goods_price_asc" },
});
