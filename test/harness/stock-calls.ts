/** The table of what stock pages ask beside searches, for the documentation, printed from the dialects; and what no key opens here. */
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { createDialects } from "../../src/backends/dialects.ts";
import type { SideCall } from "../../src/backends/dialect.ts";
import { GENERIC_OPTIONS } from "../backends/hostile.ts";

export const ENGINES = ["elasticsearch", "algolia", "typesense", "meilisearch", "solr", "vespa", "shopify", "generic"] as const;
export type EngineName = (typeof ENGINES)[number];

export const TITLES: Readonly<Record<EngineName, string>> = {
  elasticsearch: "Elasticsearch, OpenSearch",
  algolia: "Algolia",
  typesense: "Typesense",
  meilisearch: "Meilisearch",
  solr: "Solr",
  vespa: "Vespa",
  shopify: "Shopify",
  generic: "generic JSON",
};

/** What a page or a client wants with a call. */
const USES: Readonly<Partial<Record<EngineName, Readonly<Record<string, string>>>>> = {
  elasticsearch: {
    "/": "`info()`, `ping()`: product and version",
    "/:index/_count": "number of hits",
    "/:index/_doc/:id": "one document by its id",
    "/:index/_source/:id": "one document by its id, without its frame",
    "/:index/_mget": "documents by their ids",
    "/_mget": "documents by their ids, of several indexes",
    "/:index/_terms_enum": "completions of a field's values",
    "/:index": "`indices.exists()`",
    "/:index/_field_caps": "fields of the index",
    "/:index/_validate/query": "is this a query",
    "/:index/_explain/:id": "why a document is found",
    "/:index/_termvectors/:id": "terms of a document",
    "/:index/_search/template": "searches by template",
    "/_count": "number of hits in all indexes",
    "/_search/scroll": "closing a scroll (`clearScroll`)",
    "/:index/_pit": "opening a point in time (Elasticsearch)",
    "/_pit": "closing it",
    "/:index/_search/point_in_time": "opening a point in time (OpenSearch)",
    "/_search/point_in_time": "closing it",
    "/_cluster/health": "state of the cluster",
    "/_nodes/plugins": "plugins (ElasticPress asks before it searches)",
  },
  algolia: {
    "/1/isalive": "`isAlive`: is the engine there",
    "/1/indexes/:index/facets/:facet/query": "search box of a facet (`searchable` refinement list, algoliasearch v4; v5 asks by `queries`)",
    "/1/indexes/:all/objects": "documents by their ids (`getObjects`)",
    "/1/indexes/:all/recommendations": "related, looking similar, bought together, trending (Recommend)",
    "/1/indexes/:index/browse": "a whole index (`browse`), with its cursor",
    "/1/indexes/:index/:id": "one document (`getObject`)",
  },
  typesense: {
    "/health": "is the engine there",
    "/debug": "its version",
    "/collections/:index/documents/export": "all documents",
    "/collections/:index/documents/:id": "one document by its id",
    "/collections/:index": "fields of the collection",
  },
  meilisearch: {
    "/health": "is the engine there",
    "/version": "its version",
    "/indexes/:index/facet-search": "search box of a facet (`searchable` refinement list)",
    "/indexes/:index/similar": "similar documents",
    "/indexes/:index/documents/:id": "one document by its id",
    "/indexes/:index/documents": "all documents, page by page",
    "/indexes/:index/documents/fetch": "all documents, page by page",
    "/indexes/:index": "facts of the index (its primary key)",
    "/indexes/:index/stats": "number of its documents and fields",
  },
  solr: {
    "/solr/:index/admin/ping": "is the core there (`ping`)",
    "/solr/:index/suggest": "suggestions (`/suggest`)",
    "/solr/:index/spell": "spelling (`/spell`)",
    "/solr/:index/terms": "terms of a field (`/terms`)",
    "/solr/:index/mlt": "similar documents (`/mlt`)",
    "/solr/:index/get": "documents by their ids (`/get`)",
    "/solr/:index/query": "searches by `/query` (in the engine's order)",
    "/solr/:index/export": "all documents (`/export`)",
    "/solr/admin/info/system": "version of the server",
  },
  vespa: {
    "/status.html": "is the container there",
    "/state/v1/health": "its health",
    "/document/v1/:namespace/:schema/docid/:id": "one document by its id",
    "/document/v1/:namespace/:schema/docid": "all documents (visiting)",
    "/ApplicationStatus": "what is deployed (`get_application_status` of pyvespa)",
  },
};

/** An example of each name in a path. */
const NAMES: Readonly<Record<string, string>> = {
  index: "products",
  all: "*",
  id: "p1",
  facet: "brand",
  namespace: "shop",
  schema: "products",
};

export const exampleOf = ({ path }: Pick<SideCall, "path">): string => path.replaceAll(/:(\w+)/g, (_, name: string) => NAMES[name] ?? name);

export function callsOf(engine: EngineName): readonly SideCall[] {
  const options = { backend: engine, ...(engine === "generic" && { generic: GENERIC_OPTIONS }) };
  return createDialects(new Map([["products", options]]), ALL_DIALECTS).get("products")?.calls ?? [];
}

/** What needs the engine's own host, with any key: method, path, what for. */
export const HOST_ONLY: Readonly<Partial<Record<EngineName, readonly (readonly [method: string, path: string, use: string])[]>>> = {
  elasticsearch: [
    ["POST", "/products/_bulk", "writes"],
    ["PUT", "/products/_doc/p1", "writes"],
    ["GET", "/products/_settings", "settings and mappings"],
    ["GET", "/_cat/indices", "the cluster and other indexes"],
    ["POST", "/_sql", "SQL and ES\\|QL"],
  ],
  algolia: [
    ["POST", "/1/indexes/products/batch", "writes"],
    ["GET", "/1/indexes", "other indexes"],
    ["GET", "/1/keys", "keys"],
    ["POST", "/1/indexes/products/rules/search", "rules and synonyms"],
  ],
  typesense: [
    ["POST", "/collections/products/documents", "writes"],
    ["GET", "/collections", "other collections"],
    ["GET", "/keys", "keys"],
    ["GET", "/stats.json", "figures of the server"],
  ],
  meilisearch: [
    ["POST", "/indexes/products/documents", "writes"],
    ["GET", "/indexes/products/settings", "settings"],
    ["GET", "/indexes", "other indexes"],
    ["GET", "/keys", "keys"],
    ["GET", "/stats", "figures of all indexes"],
  ],
  solr: [
    ["POST", "/solr/products/update", "writes"],
    ["GET", "/solr/products/schema", "schema and configuration"],
    ["GET", "/solr/admin/cores", "other cores"],
    ["GET", "/solr/products/browse", "handlers of one's own"],
  ],
  vespa: [
    ["POST", "/document/v1/shop/products/docid/p1", "writes"],
    ["GET", "/metrics/v2/values", "metrics"],
  ],
  generic: [["GET", "/v1/suggest", "any other path than that of the searches"]],
};

/** What the dialects take for searches that the edge leaves alone, with the client's own key only. */
const FURTHER_PAGES = [
  ["elasticsearch", "the next page of a scroll", "GET\\|POST /_search/scroll"],
  ["elasticsearch", "searches in a point in time", "POST /_search` with `pit"],
] as const;

/** Markdown: one row for each call. */
export function callsTable(): string {
  const rows = ENGINES.flatMap((engine) => [
    ...callsOf(engine).map(({ methods, path, isOpen }) => {
      const use = USES[engine]?.[path];
      if (use === undefined) throw new Error(`Say in USES what ${engine} is asked at ${path}`);
      const shown = path.replace(":all", "*").replaceAll(/:(\w+)/g, "<$1>");
      return `| ${TITLES[engine]} | ${use} | \`${methods.join("\\|")} ${shown}\` | ${isOpen ? "works" : "works with the client's own key"} |`;
    }),
    ...FURTHER_PAGES.filter(([name]) => name === engine).map(
      ([, use, call]) => `| ${TITLES[engine]} | ${use} | \`${call}\` | works with the client's own key |`,
    ),
    ...(HOST_ONLY[engine] ?? []).map(
      ([method, path, use]) => `| ${TITLES[engine]} | ${use} | \`${method} ${path}\` and the like | needs the engine's host |`,
    ),
  ]);
  return ["| engine | a page or client wants | call | behind the edge |", "| --- | --- | --- | --- |", ...rows].join("\n");
}
