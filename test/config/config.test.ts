import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { type Config, parseConfig } from "../../src/config/config.ts";

const ANY = { maxWindow: 1000, maxIndexes: Number.POSITIVE_INFINITY };
const BACKENDS = new Map([
  ["elasticsearch", ANY],
  ["opensearch", ANY],
  ["narrow", { maxWindow: 250, maxIndexes: 1 }],
  ["generic", ANY],
]);
const INDEX = { backend: "elasticsearch", url: "https://search.example.com", window: 100, catalog: "products" };
const GOOD = { INDEXES: { products: INDEX } };

function problemsOf(values: object): readonly string[] {
  const parsed = parseConfig({ ...GOOD, ...values }, BACKENDS);
  return parsed.ok ? [] : parsed.error;
}

function configOf(values: object): Config {
  const parsed = parseConfig({ ...GOOD, ...values }, BACKENDS);
  if (!parsed.ok) throw new Error(parsed.error.join("\n"));
  return parsed.value;
}

describe("parseConfig()", () => {
  it("reads the configuration that this repository deploys", () => {
    const parsed = parseConfig(env, BACKENDS);
    expect(parsed.ok ? parsed.value.indexes.get("products") : parsed.error).toEqual({
      backend: "elasticsearch",
      browse: true,
      url: "http://127.0.0.1:8788",
      window: 100,
      catalog: "products",
      forwardCredentials: false,
    });
    expect(parsed.ok && parsed.value.experiments).toEqual([
      { key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 1 },
    ]);
  });

  it("reads tables and numbers given as text, as --var and the dashboard give them", () => {
    const config = configOf({ INDEXES: JSON.stringify(GOOD.INDEXES), ENGINE_TIMEOUT_MS: "900", RANK_BUDGET_MS: "90" });
    expect(config.indexes.get("products")).toEqual({ ...INDEX, forwardCredentials: false });
    expect([config.engineTimeoutMs, config.rankBudgetMs]).toEqual([900, 90]);
  });

  it("has defaults for what may be left out", () => {
    expect(configOf({})).toMatchObject({
      engineTimeoutMs: 5000,
      rankBudgetMs: 200,
      defaultVariant: "armmt",
      experiments: [],
      adminToken: undefined,
    });
  });

  it("takes an index that is only passed on, and its name for its catalog", () => {
    const { catalog: _, ...index } = { ...INDEX, window: 0 };
    expect(configOf({ INDEXES: { brands: index } }).indexes.get("brands")).toMatchObject({ window: 0, catalog: "brands" });
  });

  it("is frozen", () => {
    const config = configOf({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.indexes.get("products"))).toBe(true);
  });

  it("allows plain http to this machine only", () => {
    for (const url of ["http://localhost:9200", "http://127.0.0.1:9200/es/", "http://[::1]:9200", "https://es.example.com"]) {
      expect(problemsOf({ INDEXES: { products: { ...INDEX, url } } })).toEqual([]);
    }
    for (const url of [
      "http://es.example.com",
      "http://127.0.0.1.example.com",
      "ftp://localhost",
      "//es",
      "https://user:key@es.example.com",
      "https://es?x=1",
    ]) {
      const [problem] = problemsOf({ INDEXES: { products: { ...INDEX, url } } });
      expect(problem).toContain(`INDEXES.products.url is ${JSON.stringify(url)}: use a URL with https://`);
    }
  });

  it("allows it to other machines where the index says so", () => {
    for (const url of [
      "http://elasticsearch:9200",
      "http://10.0.3.4:9200/es",
      "http://search.internal",
      "http://es.example.com",
      "http://[fd00::7]:9200",
    ]) {
      const [problem] = problemsOf({ INDEXES: { products: { ...INDEX, url } } });
      expect(problem).toContain("or set allowInsecureHttp = true: keys and searches can then be read on the way");
      expect(problemsOf({ INDEXES: { products: { ...INDEX, url, allowInsecureHttp: false } } })).toEqual([problem]);
      expect(problemsOf({ INDEXES: { products: { ...INDEX, url, allowInsecureHttp: true } } })).toEqual([]);
    }
    for (const url of [
      "ftp://elasticsearch",
      "elasticsearch:9200",
      "http://user:key@elasticsearch",
      "http://elasticsearch?x=1",
      "http://",
    ]) {
      expect(problemsOf({ INDEXES: { products: { ...INDEX, url, allowInsecureHttp: true } } })).not.toEqual([]);
    }
    // Beside a problem of another kind.
    const tables = { products: { ...INDEX, url: "http://elasticsearch:9200", window: -1 } };
    expect(problemsOf({ INDEXES: tables }).join()).toContain("allowInsecureHttp");
  });

  it("allows a storefront in a private network, whose pages are for everybody", () => {
    const hosts = [
      "storefront:3000",
      "web.internal",
      "shop.svc.cluster.local",
      "10.0.0.1",
      "172.16.9.9",
      "192.168.1.1",
      "100.64.0.1",
      "[fd12::1]",
      "localhost",
    ];
    for (const host of hosts) expect(problemsOf({ STOREFRONT_URL: `http://${host}` })).toEqual([]);
    const others = [
      "shop.example.com",
      "172.32.0.1",
      "11.0.0.1",
      "192.169.1.1",
      "100.128.0.1",
      "[2001:db8::1]",
      "8.8.8.8",
      "internal.example.com",
      "1.2.3.4",
    ];
    for (const host of others) expect(problemsOf({ STOREFRONT_URL: `http://${host}` }).join()).toMatch(/^STOREFRONT_URL is "http:/);
  });

  it("names every unknown member and every backend that does not exist, of all tables", () => {
    const wrong = { ...INDEX, backend: "Elasticsearch", windw: 5, forwardCredential: true, url: "es" };
    const problems = problemsOf({ INDEXES: { a: wrong, b: { url: INDEX.url } } });
    expect(problems).toEqual([
      expect.stringMatching(/^INDEXES\.a\.url is "es": use a URL/),
      expect.stringMatching(/^INDEXES\.a\.windw is not known here/),
      "INDEXES.b.backend is missing: name a backend",
      "INDEXES.b.window is missing: use a whole number of hits from 2 to 1000, or 0 to pass this index on as it is",
      expect.stringMatching(/^INDEXES\.a\.forwardCredential is not known here/),
      expect.stringMatching(/^INDEXES\.a\.backend is "Elasticsearch": use one of/),
    ]);
  });

  it("names every problem at once, with value and fix", () => {
    const problems = problemsOf({
      INDEXES: { products: { ...INDEX, window: 1, windw: 5 } },
      ENGINE_TIMEOUT_MS: "soon",
      DEFAULT_VARIANT: "best",
      EXPERIMENTS: [{ key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.4] }],
    });
    expect(problems).toEqual([
      "INDEXES.products.window is 1: use at least 2 hits, or 0 to pass this index on as it is",
      "INDEXES.products.windw is not known here: take it out or correct its name",
      'ENGINE_TIMEOUT_MS is "soon": use a whole number of milliseconds from 1 to 60000',
      expect.stringMatching(/^DEFAULT_VARIANT is "best": is not a variant: use "control", "armmt", /),
      'EXPERIMENTS.0 is {"key":"rerank","variations":["control","armmt"],"weights":[0.5,0.4]}: let the weights add up to 1',
    ]);
  });

  it.each<[string, object, RegExp]>([
    ["no index", { INDEXES: {} }, /^INDEXES is .*at least one index/],
    ["missing indexes", { INDEXES: undefined }, /^INDEXES is missing/],
    ["indexes that are no JSON", { INDEXES: "{oops" }, /^INDEXES is "\{oops"/],
    ["an index name that is a path", { INDEXES: { "../_all": INDEX } }, /index names/],
    [
      "an unknown backend",
      { INDEXES: { a: { ...INDEX, backend: "lucene" } } },
      /^INDEXES\.a\.backend is "lucene": use one of elasticsearch, opensearch, narrow, generic$/,
    ],
    ["a window too wide", { INDEXES: { a: { ...INDEX, window: 1001 } } }, /^INDEXES\.a\.window is 1001/],
    [
      "budgets that leave no time to fall back",
      { ENGINE_TIMEOUT_MS: 200, RANK_BUDGET_MS: 200 },
      /^RANK_BUDGET_MS is 200: keep it below ENGINE_TIMEOUT_MS \(200\)/,
    ],
    ["a weight too few", { EXPERIMENTS: [{ key: "x", variations: ["control", "armmt"], weights: [1] }] }, /one weight per variation/],
    [
      "a variation switched off that is none",
      { EXPERIMENTS: [{ key: "x", variations: ["control", "armmt"], off: ["amrmt"] }] },
      /let off name variations/,
    ],
    ["one variation twice", { EXPERIMENTS: [{ key: "x", variations: ["armmt", "armmt"], weights: [0.5, 0.5] }] }, /each variation once/],
    [
      "coverage past 1",
      { EXPERIMENTS: [{ key: "x", variations: ["control", "armmt"], weights: [0.5, 0.5], coverage: 2 }] },
      /^EXPERIMENTS\.0\.coverage is 2: use 0 to 1/,
    ],
    [
      "a wider window than the engine gives",
      { INDEXES: { a: { ...INDEX, backend: "narrow", window: 251 } } },
      /^INDEXES\.a\.window is 251: narrow gives at most 250 hits/,
    ],
    [
      "two indexes of an engine whose requests name none",
      { INDEXES: { a: { ...INDEX, backend: "narrow" }, b: { ...INDEX, backend: "narrow" } } },
      /^INDEXES\.b\.backend is "narrow", whose requests name no index/,
    ],
    [
      "a path that is none",
      { INDEXES: { a: { ...INDEX, hitFields: { price: "_source..price" } } } },
      /^INDEXES\.a\.hitFields\.price is "_source\.\.price": use member names/,
    ],
    [
      "a value that items do not have",
      { INDEXES: { a: { ...INDEX, hitFields: { colour: "c" } } } },
      /^INDEXES\.a\.hitFields\.colour is not known/,
    ],
    [
      "a credential that is no secret",
      { INDEXES: { a: { ...INDEX, headers: { Authorization: "Basic x" } } } },
      /^INDEXES\.a\.headers.*ENGINE_AUTHORIZATION/,
    ],
    ["an origin with a path", { ALLOW_ORIGINS: ["https://shop.example.com/a"] }, /^ALLOW_ORIGINS\.0 is "https:.*use origins such as/],
    [
      "a variant that does not exist",
      { EXPERIMENTS: [{ key: "x", variations: ["control", "interleave(armmt)"] }] },
      /^EXPERIMENTS\.0\.variations\.1 is "interleave\(armmt\)": does not name two orders: use/,
    ],
    [
      "two experiments of one key",
      {
        EXPERIMENTS: [
          { key: "x", variations: ["control", "armmt"] },
          { key: "x", variations: ["control", "armmt"] },
        ],
      },
      /each experiment a key of its own/,
    ],
    [
      "a condition that cannot be evaluated",
      { EXPERIMENTS: [{ key: "x", variations: ["control", "armmt"], condition: { $not: null } }] },
      /^EXPERIMENTS\.0 is .*it cannot be evaluated/,
    ],
    [
      "a namespace without width",
      { EXPERIMENTS: [{ key: "x", variations: ["control", "armmt"], namespace: ["n", 0.5, 0.5] }] },
      /begin before it ends/,
    ],
    ["a plain http storefront", { STOREFRONT_URL: "http://shop.example.com" }, /^STOREFRONT_URL is "http:/],
  ])("refuses %s", (_, values, problem) => {
    const problems = problemsOf(values);
    expect(problems.length).toBe(1);
    expect(problems[0]).toMatch(problem);
  });

  it("gives every engine one credential, or each its own", () => {
    const both = { INDEXES: { products: INDEX, brands: INDEX } };
    const given = (text: string) => {
      const config = parseConfig({ ...both, ENGINE_AUTHORIZATION: text }, BACKENDS);
      return config.ok ? Object.fromEntries(config.value.engineAuthorizations) : config.error;
    };
    expect(given("ApiKey abc")).toEqual({ products: "ApiKey abc", brands: "ApiKey abc" });
    expect(given('{"brands":"Bearer xyz"}')).toEqual({ brands: "Bearer xyz" });
    expect(given('{"brand":"Bearer xyz"}')).toEqual(["ENGINE_AUTHORIZATION names brand, not among INDEXES: use products, brands"]);
    for (const broken of ['{"brands":', '{"brands":7}']) {
      expect(given(broken)).toEqual([expect.stringMatching(/^ENGINE_AUTHORIZATION is not usable: use one text/)]);
    }
  });

  it("takes the path of an item's id", () => {
    expect(problemsOf({ INDEXES: { products: { ...INDEX, idField: "_source.sku" } } })).toEqual([]);
    expect(problemsOf({ INDEXES: { products: { ...INDEX, idField: "a..b" } } })).toEqual([
      'INDEXES.products.idField is "a..b": use member names with dots between them',
    ]);
  });

  describe("generic", () => {
    const GENERIC = { path: "/v1/search", query: "q", offset: "from", limit: "size", hits: "results.items", leaveAlone: {}, echo: {} };
    const genericOf = (more: object, also: object = {}) => ({
      INDEXES: { a: { ...INDEX, backend: "generic", ...also, generic: { ...GENERIC, ...more } } },
    });

    it("reads what requests and replies of an engine call things", () => {
      const given = {
        query: ["q", "filter.and.*.text"],
        methods: ["POST"],
        firstPage: 0,
        leaveAlone: { explicit_sort: ["sort", { name: "order", unless: ["relevance"] }] },
        echo: { pages: "paging.pages", total: "total" },
      };
      expect(configOf(genericOf({})).indexes.get("a")?.generic).toEqual({
        ...GENERIC,
        query: ["q"],
        methods: ["GET"],
        firstPage: 1,
        harmless: [],
      });
      expect(configOf(genericOf(given)).indexes.get("a")?.generic).toEqual({
        ...GENERIC,
        ...given,
        harmless: [],
        leaveAlone: {
          explicit_sort: [
            { name: "sort", unless: [] },
            { name: "order", unless: ["relevance"] },
          ],
        },
      });
      expect(problemsOf(genericOf({ hits: "$", path: "/shop-1/products/search.json/" }))).toEqual([]);
    });

    it.each<[string, object, RegExp]>([
      ["its absence", { INDEXES: { a: { ...INDEX, backend: "generic" } } }, /^INDEXES\.a\.generic is missing: name path/],
      [
        "it beside another backend",
        { INDEXES: { a: { ...INDEX, generic: GENERIC } } },
        /^INDEXES\.a\.generic is not for backend "elasticsearch": take it out/,
      ],
      ["no place for the words", genericOf({ query: undefined }), /^INDEXES\.a\.generic\.query is missing: name the parameter/],
      ["an empty list of places", genericOf({ query: [] }), /^INDEXES\.a\.generic\.query is \[\]: name the parameter/],
      [
        "nothing about sorting",
        genericOf({ leaveAlone: undefined }),
        /^INDEXES\.a\.generic\.leaveAlone is missing: name the parameters that sort/,
      ],
      ["nothing about repeated numbers", genericOf({ echo: undefined }), /^INDEXES\.a\.generic\.echo is missing: name the numbers/],
      ["neither offset nor page", genericOf({ offset: undefined }), /^INDEXES\.a\.generic is .*: name either offset or page$/],
      ["offset and page", genericOf({ page: "page" }), /name either offset or page$/],
      ["a path that is a pattern", genericOf({ path: "/:index/search" }), /^INDEXES\.a\.generic\.path is "\/:index\/search": use a path/],
      [
        "paging inside of a list",
        genericOf({ methods: ["POST"], limit: "recordQueries.0.settings.limit" }),
        /^INDEXES\.a\.generic\.limit is "recordQueries\.0\.settings\.limit": lists have no names here/,
      ],
      [
        "paging of all elements of a list",
        genericOf({ methods: ["POST"], limit: "queries.*.limit" }),
        /^INDEXES\.a\.generic\.limit is "queries\.\*\.limit": one page for all/,
      ],
      [
        "words inside of a list",
        genericOf({ methods: ["POST"], query: ["queries.0.q"] }),
        /^INDEXES\.a\.generic\.query is "queries\.0\.q"/,
      ],
      ["hits inside of a list", genericOf({ hits: "results.0.hits" }), /^INDEXES\.a\.generic\.hits is "results\.0\.hits"/],
      ["a path that leads elsewhere", genericOf({ path: "/v1/../admin" }), /use a path such as/],
      ["a path without a slash", genericOf({ path: "search" }), /use a path such as/],
      ["a path of the edge", genericOf({ path: "/armmt/status" }), /use another path: the edge's own pages are there/],
      ["an unknown method", genericOf({ methods: ["PUT"] }), /^INDEXES\.a\.generic\.methods\.0 is "PUT": use "GET" or "POST"/],
      ["a page before the first", genericOf({ firstPage: 2 }), /^INDEXES\.a\.generic\.firstPage is 2: use 0 or 1/],
      ["no list of hits", genericOf({ hits: "" }), /^INDEXES\.a\.generic\.hits is "": use member names .* or "\$"/],
      ["an unknown reason", genericOf({ leaveAlone: { sorted: ["sort"] } }), /^INDEXES\.a\.generic\.leaveAlone\.sorted is not known here/],
      [
        "a condition that is none",
        genericOf({ leaveAlone: { grouped: [{ name: "group" }] } }),
        /^INDEXES\.a\.generic\.leaveAlone\.grouped\.0 is .*: name a parameter, or give/,
      ],
      ["pages without a total", genericOf({ echo: { pages: "pages" } }), /name echo\.total beside echo\.pages/],
      [
        "a window that the engine does not give",
        genericOf({ maxLimit: 50 }),
        /^INDEXES\.a\.window is 100: its generic\.maxLimit is 50, use no more$/,
      ],
      [
        "two indexes on one path",
        { INDEXES: { a: genericOf({}).INDEXES.a, b: genericOf({ query: "text" }).INDEXES.a } },
        /^INDEXES\.b\.generic\.path is "\/v1\/search", which is the path of a too/,
      ],
    ])("refuses %s", (_, values, problem) => {
      expect(problemsOf(values)).toEqual([expect.stringMatching(problem)]);
    });
  });

  it("does not print secrets", () => {
    const problems = problemsOf({ ADMIN_TOKEN: "hunter2", ENGINE_AUTHORIZATION: 12345 });
    expect(problems).toEqual([
      "ADMIN_TOKEN is not usable: use at least 16 characters: it is a password",
      "ENGINE_AUTHORIZATION is not usable: use text",
    ]);
  });
});
