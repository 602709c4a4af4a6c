/** The stock front ends, one line each. Their pages are in pages/, their packages and versions in package.json. */
import type { EngineName } from "./engines.ts";

/** What a page can do; `walk.ts` tries each. */
export const ABILITIES = ["paging", "facets", "facet search", "sorting", "infinite hits", "second index", "back", "clicks"] as const;
export type Ability = (typeof ABILITIES)[number];

/** Without events. */
const SEARCHES: readonly Ability[] = ABILITIES.filter((ability) => ability !== "clicks");

export interface Front {
  readonly name: string;
  /** In pages/. */
  readonly page: string;
  readonly engine: EngineName;
  readonly does: readonly Ability[];
  /** How long the page waits before it searches. Default: it does not. */
  readonly debounceMs?: number;
}

export const FRONTS: readonly Front[] = [
  { name: "instantsearch.js, algoliasearch 5, search-insights", page: "algolia-5.js", engine: "algolia", does: ABILITIES },
  { name: "instantsearch.js, algoliasearch 4", page: "algolia-4.js", engine: "algolia", does: SEARCHES },
  { name: "React InstantSearch", page: "react.jsx", engine: "algolia", does: SEARCHES },
  { name: "Autocomplete", page: "autocomplete.js", engine: "algolia", does: ["second index"] },
  { name: "instant-meilisearch", page: "meilisearch.js", engine: "meilisearch", does: SEARCHES },
  { name: "typesense-instantsearch-adapter", page: "typesense.js", engine: "typesense", does: SEARCHES },
  { name: "Searchkit", page: "searchkit.js", engine: "elasticsearch", does: SEARCHES },
  {
    name: "Elastic Search UI",
    page: "search-ui.js",
    engine: "elasticsearch",
    does: ["paging", "facets", "sorting", "back"],
    debounceMs: 250,
  },
  { name: "Hydrogen", page: "hydrogen.js", engine: "shopify", does: ["paging", "facets", "sorting"] },
];
