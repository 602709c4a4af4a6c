/** Applications and engines without a dialect of their own, and the table `generic` for each. */
import type { GenericOptions } from "../../src/backends/dialect.ts";
import type { ApplicationRequest } from "./plans.ts";

export interface GenericRequest extends ApplicationRequest {
  readonly generic: GenericOptions;
}

const DEFAULTS = { methods: ["GET"], firstPage: 1, harmless: [], leaveAlone: {}, echo: {} } as const;

const MEDUSA: GenericOptions = {
  ...DEFAULTS,
  path: "/store/products",
  query: ["q"],
  offset: "offset",
  limit: "limit",
  hits: "products",
  leaveAlone: { explicit_sort: [{ name: "order", unless: [] }] },
  echo: { offset: "offset", limit: "limit", total: "count" },
};

const COMMERCETOOLS: GenericOptions = {
  ...DEFAULTS,
  methods: ["POST"],
  path: "/shop/products/search",
  query: ["query.fullText.value", "query.and.*.fullText.value"],
  offset: "offset",
  limit: "limit",
  maxLimit: 100,
  hits: "results",
  leaveAlone: { explicit_sort: [{ name: "sort", unless: [] }] },
  echo: { offset: "offset", limit: "limit", total: "total" },
};

const RETAIL: GenericOptions = {
  ...DEFAULTS,
  methods: ["POST"],
  path: "/v2/projects/p/locations/global/catalogs/default_catalog/placements/default_search:search",
  query: ["query"],
  offset: "offset",
  limit: "pageSize",
  hits: "results",
  cursor: "nextPageToken",
  leaveAlone: { explicit_sort: [{ name: "orderBy", unless: [] }], cursor: [{ name: "pageToken", unless: [] }] },
  echo: { total: "totalSize" },
};

const BLOOMREACH: GenericOptions = {
  ...DEFAULTS,
  path: "/api/v1/core/",
  query: ["q"],
  offset: "start",
  limit: "rows",
  hits: "response.docs",
  leaveAlone: { explicit_sort: [{ name: "sort", unless: [] }] },
  echo: { offset: "response.start", total: "response.numFound" },
};

export const GENERIC_APPLICATIONS: readonly GenericRequest[] = [
  {
    application: "Medusa",
    source: "medusajs/medusa packages/medusa/src/api/store/products/route.ts, packages/medusa/src/api/store/products/validators.ts",
    what: "products of a storefront",
    generic: MEDUSA,
    request: {
      method: "GET",
      path: MEDUSA.path,
      search: "?q=red%20mug&limit=12&offset=24&region_id=reg_1&fields=*variants.calculated_price",
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Medusa",
    source: "medusajs/medusa packages/medusa/src/api/store/products/route.ts, packages/medusa/src/api/store/products/validators.ts",
    what: "sorted",
    generic: MEDUSA,
    request: { method: "GET", path: MEDUSA.path, search: "?q=red%20mug&limit=12&offset=0&order=-created_at" },
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "commercetools",
    source: "https://docs.commercetools.com/api/projects/product-search",
    what: "full text with a filter",
    generic: COMMERCETOOLS,
    request: {
      method: "POST",
      path: COMMERCETOOLS.path,
      body: {
        query: {
          and: [
            { exact: { field: "variants.availability.isOnStock", value: true } },
            { fullText: { field: "name", language: "en", value: "red mug" } },
          ],
        },
        limit: 20,
        offset: 0,
        productProjectionParameters: {},
      },
    },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Google Retail",
    source: "https://cloud.google.com/retail/docs/reference/rest/v2/projects.locations.catalogs.placements/search",
    what: "a first page",
    generic: RETAIL,
    request: { method: "POST", path: RETAIL.path, body: { query: "red mug", visitorId: "v", pageSize: 20, facetSpecs: [] } },
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "Google Retail",
    source: "https://cloud.google.com/retail/docs/reference/rest/v2/projects.locations.catalogs.placements/search",
    what: "a page by token",
    generic: RETAIL,
    request: { method: "POST", path: RETAIL.path, body: { query: "red mug", visitorId: "v", pageSize: 20, pageToken: "eyJ" } },
    words: "red mug",
    outcome: "cursor",
  },
  {
    application: "Bloomreach Discovery",
    source: "https://documentation.bloomreach.com/discovery/reference/product-search-category-api",
    what: "a search page",
    generic: BLOOMREACH,
    request: {
      method: "GET",
      path: BLOOMREACH.path,
      search:
        "?account_id=1&domain_key=d&request_type=search&search_type=keyword&q=red+mug&rows=24&start=0&fl=pid%2Ctitle&url=https%3A%2F%2Fshop&ref_url=https%3A%2F%2Fshop&request_id=1&_br_uid_2=uid",
    },
    words: "red mug",
    outcome: "applied",
  },
];
