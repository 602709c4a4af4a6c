/**
 * The configuration in words, for people: the source of docs/reference/configuration.md. A variable or a member of an index's table that has
 * no words here does not compile. No runtime imports it.
 */
import type * as v from "valibot";
import { type index, VARIABLE_DEFAULTS, type VariableName } from "./config.ts";

const VARIABLES: Readonly<Record<VariableName, string>> = {
  INDEXES: "one table per index that the edge may serve (below); clients can name no other",
  ENGINE_TIMEOUT_MS:
    "outer time budget, for all calls to the engine together, in milliseconds (1 to 60,000); a request for the window gets 60 % of it, so that the shopper's own can still follow",
  RANK_BUDGET_MS:
    "inner time budget, for item vectors, the wait for the model and its run together, in milliseconds; smaller than `ENGINE_TIMEOUT_MS`",
  SHARD_CACHE_BYTES: "bytes of packed item vectors that one isolate holds (of its 128 MB)",
  REQUEST_LIMITS:
    "the most that one request may hold, each member optional; beyond it 400, or 413 for bytes. `bodyBytes` (1,024 to 16,777,216), `searches` that travel together (1 to 1,000), `members` and elements of the body on all levels, and parameters in its texts (100 to 1,000,000), `depth` of nesting (10 to 200), `params` of the URL or of a form (10 to 10,000), `buckets` of range facets (100 to 10,000,000; for Solr)",
  DEFAULT_VARIANT: "for requests outside the experiments: one of the [variants](#variants)",
  EXPERIMENTS:
    "a list in GrowthBook's shape: `key`, `variations`, `weights`, `coverage`, and optionally `status`, `seed`, `hashVersion`, `hashAttribute` (`id`, `user`, `session`), `namespace`, `ranges`, `condition` (on `id`, `user`, `session`, `index`, `country`), `off` (variations that [`armmt guard`](../experiments.md#guardrails) has switched off: their shoppers keep their arm and see the engine's order). The first experiment in which a unit takes part decides; experiments that must not share units need namespaces",
  LIVE_EXPERIMENTS: "`true`: the KV key `experiments` replaces `EXPERIMENTS`, without a deployment and within a minute",
  LIVE_MODELS:
    "`true`: models that [`armmt publish --model`](../guide/models.md) has put beside those of the deployment serve within a minute, and each catalogue follows one as far as its key `<catalog>/ranking` says",
  LIVE_RULES:
    "`true`: searches follow the [rules](../guide/rules.md) that `armmt rules publish` has put into KV for their catalogue, within a minute",
  VARIANT_FLAG: "a flag of [another flag system](#another-flag-system), which then decides instead of `EXPERIMENTS`",
  STOREFRONT_URL: "where `GET` requests that are not searches go; without it they get 404. https, or http in a private network",
  CLIENT_ADDRESS_HEADER:
    "the request header in which your own proxy in front of the edge writes the shopper's address, such as `x-forwarded-for` ([the shopper's address](requests-and-headers.md#the-shoppers-address)); default: Cloudflare's in a Worker, the connection's in Node and Deno",
  CLIENT_COUNTRY_HEADER:
    "the request header in which that proxy writes the shopper's country, for `condition` of `EXPERIMENTS`; default: `cf-ipcountry` in a Worker, where Cloudflare writes it, and none elsewhere",
  ALLOW_ORIGINS:
    'pages of these origins may search from a browser: `["https://shop.example.com"]`, or `["*"]`; none is right if shop and edge share an origin',
  ADMIN_TOKEN:
    "secret, at least 16 characters: opens the [dashboard](../experiments.md#the-dashboard) at `/armmt/`, `/armmt/status`, explanations and forced variants",
  ENGINE_AUTHORIZATION:
    "secret: the engine's key as it is sent in its header (`ApiKey …`, `Bearer …`, or the key alone: see the engine's page); one text for all indexes, or a JSON table of index name and text",
  EVENT_SECRET: "secret, at least 32 characters: opens [events](../events.md)",
  ORDER_SECRET:
    "secret, at least 32 characters: servers of the shop sign their [orders](events-api.md#orders-from-the-shops-server) with it",
  EVENT_KEYS:
    "write keys of Segment, API keys of Algolia and API secrets of GA4 whose events are taken at these tools' own paths; others get 401 `key_unknown`; default: all are taken ([keys](events-api.md#keys-of-other-tools))",
  EVENT_SINKS: "where exposures and events go: `d1`, `queue`, `pipeline`, `analytics` ([sinks](../events.md#sinks))",
  QUEUE_SINK: "where the consumer of the sink `queue` writes: `d1` or `r2`",
};

const INDEX: Readonly<Record<keyof v.InferInput<typeof index>, string>> = {
  backend:
    "the engine's dialect: `elasticsearch`, `opensearch`, `algolia`, `typesense`, `meilisearch`, `solr`, `vespa`, `shopify`, `generic`",
  url: "the engine's address; https, or http on this machine (http elsewhere: `allowInsecureHttp`)",
  eventsUrl:
    "where the engine takes events of its own clients, such as `https://insights.algolia.io` (Algolia, Typesense, Meilisearch): events that this edge gets go there too ([passing events on](events-api.md#events-of-the-engines-own-clients)); default: nowhere",
  window: "W: how many hits are re-ranked (2 to 1000); 0 passes this index on as it is, for sort replicas and suggestions",
  catalog: "which published set of item vectors; default: the index's name",
  idField: "path in a hit to the item's id, such as `_source.sku`; default: the engine's own id",
  hitFields:
    "paths in a hit to values that are fresher than the published ones: `price`, `popularity`, `rating`, `ratingCount`, `inStock`, such as `_source.price`",
  pageSize:
    "hits of a page for requests that name no number, if only the engine's settings know it (Algolia, Vespa's query profiles, generic)",
  paginationLimitedTo:
    "for `algolia`: the index's own setting, where it is neither 1000 nor round, so that `nbPages` is right ([Algolia](../engines/algolia.md))",
  schemas: "for `vespa`: the schemas that searches may read with the edge's key, and are restricted to ([Vespa](../engines/vespa.md))",
  generic: "for `generic`: the names that its requests and replies use ([generic JSON](../engines/generic.md))",
  headers: "headers that every request to the engine carries; nothing secret",
  forwardCredentials:
    "`true` sends the client's own key to the engine instead of withholding it: for keys made for browsers, or keys that restrict what a shopper may see. The page's `origin`, and the origin of its `referer`, go with it",
  forwardClientAddress:
    "`true` sends each shopper's IP address to the engine, which is personal data ([the shopper's address](requests-and-headers.md#the-shoppers-address)); default `false`",
  allowInsecureHttp:
    "`true` allows `http://` to another machine, for engines in a private network (`http://elasticsearch:9200`, `http://10.0.3.4:9200`): key, searches and replies are not encrypted on that way. A host that is not surely private is named in the log at the start",
  allowParams:
    "names of parameters that clients may send with the edge's key besides those that the edge understands: for Algolia, Typesense and Meilisearch none by default, for `generic` all",
};

/** Tables in Markdown: variables, members of an index's table. */
export function configurationTables(): string {
  const variables = Object.entries(VARIABLES).map(([name, about]) => `| \`${name}\` | ${describeDefault(name)} | ${about} |`);
  const members = Object.entries(INDEX).map(([name, about]) => `| \`${name}\` | ${about} |`);
  return [
    "| variable | default | meaning |",
    "| --- | --- | --- |",
    ...variables,
    "",
    "A table `[vars.INDEXES.<name>]` has:",
    "",
    "| member | meaning |",
    "| --- | --- |",
    ...members,
    "",
  ].join("\n");
}

function describeDefault(name: string): string {
  const value: unknown = Reflect.get(VARIABLE_DEFAULTS, name);
  return value === undefined ? "–" : `\`${JSON.stringify(value)}\``;
}
