/** Typed options are the environment's variables by another name. */
import { describe, expect, it } from "vitest";
import { elasticsearch } from "../../src/backends/elasticsearch.ts";
import { dialectLimits, dialectsOf } from "../../src/backends/dialects.ts";
import { shopify } from "../../src/backends/shopify.ts";
import { parseConfig, VARIABLE_NAMES } from "../../src/config/config.ts";
import { type EdgeOptions, environmentOf, OPTION_VARIABLES } from "../../src/config/options.ts";

const products = elasticsearch({ url: "https://search.example.com/", window: 100 });

function parse(options: EdgeOptions) {
  const { env, dialects, nameProblem } = environmentOf(options);
  const parsed = parseConfig(env, dialectLimits(dialectsOf(dialects)));
  return parsed.ok ? { config: parsed.value, problems: [] } : { config: undefined, problems: parsed.error.map(nameProblem) };
}

describe("environmentOf()", () => {
  it("gives the configuration that the variables would", () => {
    const experiments = [{ key: "rerank", variations: ["control", "armmt"] }];
    const { config } = parse({ indexes: { products }, rankBudgetMs: 150, experiments, allowOrigins: ["https://shop.example.com"] });
    expect(config).toMatchObject({ rankBudgetMs: 150, engineTimeoutMs: 5000, experiments, allowOrigins: ["https://shop.example.com"] });
    expect(config?.indexes.get("products")).toMatchObject({
      backend: "elasticsearch",
      url: "https://search.example.com",
      catalog: "products",
    });
  });

  it("keeps the keys of engines apart from the indexes", () => {
    const shop = shopify({ url: "https://shop.example.com", window: 50, authorization: "secret-key" });
    const { env, dialects } = environmentOf({ indexes: { products, shop } });
    expect(dialects).toHaveLength(2);
    expect(JSON.stringify(env["INDEXES"])).not.toContain("secret-key");
    expect(parse({ indexes: { products, shop } }).config?.engineAuthorizations).toEqual(new Map([["shop", "secret-key"]]));
  });

  it("names options in its problems, all of them at once", () => {
    const shop = shopify({ url: "https://shop.example.com", window: 300 });
    const { problems } = parse({ indexes: { shop }, rankBudgetMs: 6000, engineTimeoutMs: 5000 });
    expect(problems).toEqual([
      "indexes.shop.window is 300: shopify gives at most 250 hits at once, use no more",
      "rankBudgetMs is 6000: keep it below engineTimeoutMs (5000), or the fallback comes too late",
    ]);
  });

  it("leaves names alone that are not its own", () => {
    expect(environmentOf({ rankBudgetMs: 1 }).nameProblem("RANK_BUDGET_MS and INDEXES")).toBe("rankBudgetMs and INDEXES");
  });

  it("has an option for every variable but the names of sinks, which are imports here", () => {
    const known: string[] = OPTION_VARIABLES.map(([, variable]) => variable);
    expect(VARIABLE_NAMES.filter((name) => !known.includes(name))).toEqual(["ENGINE_AUTHORIZATION", "EVENT_SINKS", "QUEUE_SINK"]);
  });
});
