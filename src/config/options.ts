/**
 * The configuration as typed options, for programs that open an edge themselves. Each option is a variable of the environment under another
 * name: parseConfig() reads, checks and completes both.
 */
import type { RequestLimits } from "../backends/dialect.ts";
import type { DialectDefinition, IndexDefinition } from "../backends/dialects.ts";
import type { Experiment } from "../experiment/assign.ts";

/** Options of an edge, each beside the variable of wrangler.toml that it stands for. */
export interface EdgeOptions {
  /**
   * Index name → engine, window and catalogue, made by the factories of `armmt-edge/backends/*`. Clients can name no other index.
   * Variable INDEXES.
   */
  readonly indexes: Readonly<Record<string, IndexDefinition>>;
  /** For all calls of one search to the engine together, 1 to 60 000 ms. Default: 5000. Variable ENGINE_TIMEOUT_MS. */
  readonly engineTimeoutMs?: number | undefined;
  /** For item vectors and model together, 1 to 10 000 ms and less than `engineTimeoutMs`. Default: 200. Variable RANK_BUDGET_MS. */
  readonly rankBudgetMs?: number | undefined;
  /** Packed item vectors that this process may hold, in bytes. Default: 33 554 432. Variable SHARD_CACHE_BYTES. */
  readonly shardCacheBytes?: number | undefined;
  /**
   * The most that one request may hold: `bodyBytes` (1024 to 16 777 216, default 1 048 576), `searches` (1 to 1000, default 100), `members` and
   * elements of its body (100 to 1 000 000, default 20 000), `depth` of their nesting (10 to 200, default 100), `params` of the URL or a form
   * (10 to 10 000, default 1000), `buckets` of range facets (100 to 10 000 000, default 65 536; for Solr). Variable REQUEST_LIMITS.
   */
  readonly requestLimits?: Partial<RequestLimits> | undefined;
  /** Variant of searches outside all experiments, such as "armmt" or "control". Default: "armmt". Variable DEFAULT_VARIANT. */
  readonly defaultVariant?: string | undefined;
  /** In GrowthBook's shape; the first in which a unit takes part decides. Default: none. Variable EXPERIMENTS. */
  readonly experiments?: readonly Experiment[] | undefined;
  /** Whether the KV key "experiments" replaces `experiments`, without a deployment. Default: false. Variable LIVE_EXPERIMENTS. */
  readonly liveExperiments?: boolean | undefined;
  /** Whether models and their trust change without a deployment: `armmt publish --model`, `armmt ladder`. Default: false. Variable LIVE_MODELS. */
  readonly liveModels?: boolean | undefined;
  /** Whether searches follow the rules that `armmt rules publish` has put into KV. Default: false. Variable LIVE_RULES. */
  readonly liveRules?: boolean | undefined;
  /** Key of the flag whose text value is the variant, for another flag system (`flagClient`). Variable VARIANT_FLAG. */
  readonly variantFlag?: string | undefined;
  /** Where GET requests go that are no search. Default: 404. Variable STOREFRONT_URL. */
  readonly storefrontUrl?: string | undefined;
  /**
   * Header of a request in which a proxy of the shop writes the client's address, such as "x-forwarded-for": its last address counts. Only where
   * nothing but that proxy can reach the edge. Default: the runtime's own knowledge. Variable CLIENT_ADDRESS_HEADER.
   */
  readonly clientAddressHeader?: string | undefined;
  /**
   * Header of a request in which that proxy writes the client's country, for the targeting of experiments. Default: Cloudflare's in a Worker,
   * none elsewhere. Variable CLIENT_COUNTRY_HEADER.
   */
  readonly clientCountryHeader?: string | undefined;
  /** Origins whose pages may search from a browser, or "*". Default: none. Variable ALLOW_ORIGINS. */
  readonly allowOrigins?: readonly string[] | undefined;
  /** Secret of at least 16 characters that opens explanations and /armmt/status. Default: both are closed. Variable ADMIN_TOKEN. */
  readonly adminToken?: string | undefined;
  /** Secret with which event tokens are signed; opens /events. Default: closed. Variable EVENT_SECRET. */
  readonly eventSecret?: string | undefined;
  /** Secret with which servers of the shop sign orders. Default: they need a search's token. Variable ORDER_SECRET. */
  readonly orderSecret?: string | undefined;
  /** Keys of Segment's, Algolia's and GA4's clients whose events are taken. Default: all are. Variable EVENT_KEYS. */
  readonly eventKeys?: readonly string[] | undefined;
}

/** Option → variable. The engines' keys (`authorization` of an index) become ENGINE_AUTHORIZATION besides. */
export const OPTION_VARIABLES = [
  ["indexes", "INDEXES"],
  ["engineTimeoutMs", "ENGINE_TIMEOUT_MS"],
  ["rankBudgetMs", "RANK_BUDGET_MS"],
  ["shardCacheBytes", "SHARD_CACHE_BYTES"],
  ["requestLimits", "REQUEST_LIMITS"],
  ["defaultVariant", "DEFAULT_VARIANT"],
  ["experiments", "EXPERIMENTS"],
  ["liveExperiments", "LIVE_EXPERIMENTS"],
  ["liveModels", "LIVE_MODELS"],
  ["liveRules", "LIVE_RULES"],
  ["variantFlag", "VARIANT_FLAG"],
  ["storefrontUrl", "STOREFRONT_URL"],
  ["clientAddressHeader", "CLIENT_ADDRESS_HEADER"],
  ["clientCountryHeader", "CLIENT_COUNTRY_HEADER"],
  ["allowOrigins", "ALLOW_ORIGINS"],
  ["adminToken", "ADMIN_TOKEN"],
  ["eventSecret", "EVENT_SECRET"],
  ["orderSecret", "ORDER_SECRET"],
  ["eventKeys", "EVENT_KEYS"],
] as const satisfies readonly (readonly [keyof EdgeOptions, string])[];

export interface Environment {
  /** For parseConfig(), on top of the variables that a platform has. */
  readonly env: Readonly<Record<string, unknown>>;
  /** Those of `indexes`. */
  readonly dialects: readonly DialectDefinition[];
  /** A problem of parseConfig() in the words of the options. */
  readonly nameProblem: (problem: string) => string;
}

export function environmentOf(options: Partial<EdgeOptions>): Environment {
  const given = OPTION_VARIABLES.filter(([option]) => options[option] !== undefined);
  const env: Record<string, unknown> = Object.fromEntries(given.map(([option, variable]) => [variable, options[option]]));
  const indexes = Object.entries(options.indexes ?? {});
  if (options.indexes !== undefined) env["INDEXES"] = Object.fromEntries(indexes.map(([name, index]) => [name, tableOf(index)]));
  const keys = indexes.flatMap(([name, { authorization }]) => (authorization === undefined ? [] : [[name, authorization] as const]));
  if (keys.length > 0) env["ENGINE_AUTHORIZATION"] = JSON.stringify(Object.fromEntries(keys));
  const optionOf = new Map<string, string>(given.map(([option, variable]) => [variable, option]));
  return {
    env,
    dialects: [...new Set(indexes.map(([, { dialect }]) => dialect))],
    nameProblem: (problem) => problem.replaceAll(/\b[A-Z][A-Z_]+\b/g, (word) => optionOf.get(word) ?? word),
  };
}

/** As it would be in INDEXES. */
function tableOf({ dialect: _dialect, authorization: _authorization, ...table }: IndexDefinition): object {
  return table;
}
