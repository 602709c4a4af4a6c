/** The filters of Vespa, Shopify and generic JSON as sets of values; what says anything else is not read, and never guessed. */
import { describe, expect, it } from "vitest";
import { GENERIC } from "../../src/backends/generic.ts";
import { productFilters, readAllFilters, readFilterList, readFilters } from "../../src/backends/filters.ts";
import { readYql } from "../../src/backends/vespa/yql.ts";

const plain = (read: ReadonlyMap<string, readonly string[]> | undefined) => read && Object.fromEntries(read);

const yqlOf = (where: string) => plain(readYql(`select * from products where ${where}`)?.filters());

describe("filters of YQL", () => {
  it.each<readonly [string, Record<string, string[]> | undefined]>([
    [`userQuery() and category contains "shoes"`, { category: ["shoes"] }],
    [`category contains 'shoes' AND userQuery() limit 10`, { category: ["shoes"] }],
    [
      `category contains "shoes" and brand contains "Ocean Blue" and userInput(@q) order by price`,
      { category: ["shoes"], brand: ["Ocean Blue"] },
    ],
    [`(category contains "a" or category contains "b") and userQuery()`, { category: ["a", "b"] }],
    [`category contains ({filter: true}"shoes") and userQuery()`, { category: ["shoes"] }],
    [`brand in ("a", "b") and userQuery()`, { brand: ["a", "b"] }],
    [`year = 2026 and price > 10 and price < 20 and userQuery()`, { year: ["2026"] }],
    [`range(price, 10, 20) and brand contains "a"`, { brand: ["a"] }],
    [`category contains "it's and or (b) \\"c\\"" and true`, { category: [`it's and or (b) "c"`] }],
    [`({targetHits: 10}nearestNeighbor(a, b)) and category contains "shoes"`, { category: ["shoes"] }],
    [`brand contains phrase("a", "b") and category contains "shoes"`, { category: ["shoes"] }],
    [`brand contains @brand and category contains "shoes"`, { category: ["shoes"] }],
    [`true`, {}],
    [`userQuery()`, {}],
    // (a and b) or c is not a and (b or c).
    [`category contains "a" and brand contains "b" or brand contains "c"`, undefined],
    [`category contains "a" or brand contains "b"`, undefined],
    [`userQuery() or category contains "a"`, undefined],
    [`(userQuery() or category contains "a") and brand contains "b"`, undefined],
    [`!(category contains "a")`, undefined],
    [`rank(userQuery(), category contains "a")`, undefined],
    [`userQuery() and category contains "a" and category contains "b"`, {}],
    [`category contains "${"a".repeat(5000)}"`, { category: ["a".repeat(5000)] }],
  ])("%s", (where, expected) => {
    const read = yqlOf(where);
    // A text this long may also be left unread.
    if (where.length > 4000) expect([undefined, expected]).toContainEqual(read);
    else expect(read).toEqual(expected);
  });
  it("are none without a condition", () => expect(plain(readYql("select * from products")?.filters())).toEqual({}));
});

describe("filters of Shopify", () => {
  it.each<readonly [string, unknown, Record<string, string[]> | undefined]>([
    [
      "alternatives of one field",
      [{ productVendor: "a" }, { productVendor: "b" }, { productType: "c" }],
      { productVendor: ["a", "b"], productType: ["c"] },
    ],
    ["stock and tags", [{ available: true }, { tag: "sale" }], { available: ["true"], tag: ["sale"] }],
    ["options", [{ variantOption: { name: "Color", value: "Red" } }], { "variantOption.Color": ["Red"] }],
    ["metafields", [{ productMetafield: { namespace: "my", key: "fit", value: "slim" } }], { "productMetafield.my.fit": ["slim"] }],
    ["categories", [{ category: { id: "gid://shopify/TaxonomyCategory/1" } }], { category: ["gid://shopify/TaxonomyCategory/1"] }],
    ["prices, which are no set", [{ price: { min: 1, max: 2 } }, { tag: "x" }], { tag: ["x"] }],
    ["none", undefined, {}],
    ["no list", { tag: "x" }, undefined],
    ["a list of something else", ["tag:x"], undefined],
  ])("%s", (_, given, expected) => expect(plain(productFilters(given))).toEqual(expected));
});

const planOf = (filters: string | Record<string, string> | undefined, search: string, body?: object) => {
  const backend = GENERIC.create(
    new Map([
      [
        "products",
        {
          window: 20,
          pageSize: 10,
          generic: {
            path: "/search",
            methods: ["GET", "POST"],
            query: ["q"],
            offset: "from",
            limit: "size",
            hits: "hits",
            firstPage: 1,
            harmless: [],
            leaveAlone: {},
            echo: {},
            ...(filters !== undefined && { filters }),
          },
        },
      ],
    ]),
  );
  const method = body === undefined ? "GET" : "POST";
  const bytes = Uint8Array.from(new TextEncoder().encode(body === undefined ? "" : JSON.stringify(body)));
  const plan = backend.plan(
    {
      method,
      path: "/search",
      search,
      body: bytes,
    },
    undefined,
  );
  if (!plan.ok) throw new Error("no plan");
  return plain(plan.value.searches[0]?.filters?.());
};

describe("filters of generic JSON", () => {
  it("are not read where nothing says where they stand", () => expect(planOf(undefined, "?q=a&category=shoes")).toBeUndefined());
  it("are those of the named parameters", () => {
    const fields = { category: "cat", brand: "facets.brand" };
    expect(planOf(fields, "?q=a&cat=shoes&cat=boots&other=1")).toEqual({ category: ["shoes", "boots"] });
    expect(planOf(fields, "?q=a&cat=")).toEqual({});
    expect(planOf(fields, "", { q: "a", cat: "shoes", facets: { brand: ["x", "y"] } })).toEqual({ category: ["shoes"], brand: ["x", "y"] });
    expect(planOf(fields, "", { q: "a", cat: { not: "shoes" } })).toEqual({});
  });
  it("are those of an expression", () => {
    expect(planOf("filter", "?q=a&filter=category%3Ashoes%20AND%20brand%3Ax")).toEqual({ category: ["shoes"], brand: ["x"] });
    expect(planOf("filter", "", { q: "a", filter: ["category = shoes", ["brand = x", "brand = y"]] })).toEqual({
      category: ["shoes"],
      brand: ["x", "y"],
    });
    expect(planOf("filter", "?q=a&filter=somehow")).toBeUndefined();
  });
});

describe("filters that nobody writes", () => {
  const MEGABYTE = 1_048_576;
  const inBrackets = `${"(".repeat(1990)}a:b${")".repeat(1990)}`;
  it.each<readonly [string, () => unknown]>([
    ["values that could begin anywhere", () => readAllFilters([`{!${"tag=a".repeat(600)}"`])],
    ["spaces behind a field", () => readFilterList([`a${" ".repeat(MEGABYTE)}z`])],
    ["brackets", () => readFilters(inBrackets)],
    ["brackets in a list", () => readFilterList(Array.from({ length: MEGABYTE / inBrackets.length }, () => inBrackets))],
    ["brackets in several filters", () => readAllFilters(Array.from({ length: MEGABYTE / inBrackets.length }, () => inBrackets))],
  ])("hold nobody: %s", (_, read) => {
    const { user, system } = process.cpuUsage();
    expect(read()).toBeUndefined();
    const after = process.cpuUsage();
    expect((after.user - user + after.system - system) / 1000).toBeLessThan(200);
  });
  it("are read within brackets as without", () =>
    expect(plain(readFilters("((a:b)) AND ((c IN [d, e]))"))).toEqual({ a: ["b"], c: ["d", "e"] }));
});
