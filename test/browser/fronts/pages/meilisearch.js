import { instantMeiliSearch } from "@meilisearch/instant-meilisearch";
import { showShop } from "./shop.js";

const { searchClient } = instantMeiliSearch("https://search.shop.example", "search-key", {
  primaryKey: "id",
  finitePagination: true,
});

showShop({
  searchClient,
  products: "wares",
  offers: "wares_offers",
  sorts: { price: "wares:price:asc" },
});
