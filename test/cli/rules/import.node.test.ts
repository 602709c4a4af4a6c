/** Rules of other engines, in the shapes of their documentation (addresses beside each): what is taken over, and what is said of the rest. */
import { describe, expect, it } from "vitest";
import { importRules } from "../../../src/cli/rules/import.ts";

const rulesOf = (format: Parameters<typeof importRules>[0], source: unknown) => {
  const { document, report } = importRules(format, typeof source === "string" ? source : JSON.stringify(source));
  return {
    rules: document.rules,
    changed: report.changed.map(({ what }) => what),
    refused: report.refused.map(({ what }) => what),
    ask: report.ask.map(({ what }) => what),
  };
};

/** https://github.com/algolia/api-clients-automation (specs/search/paths/rules/common/schemas.yml). */
describe("Algolia's rules", () => {
  it("pin from 0, fire by any condition, and live from second to second", () => {
    const { rules, changed, refused } = rulesOf("algolia", [
      {
        objectID: "summer sale!",
        conditions: [
          { pattern: "swimwear", anchoring: "contains", context: "mobile" },
          { pattern: "bikini", anchoring: "is", alternatives: true, context: "mobile" },
          { pattern: "", anchoring: "is", filters: "category:swim AND brand:'Ocean Blue'" },
          { pattern: "{facet:brand} shorts", anchoring: "is" },
        ],
        consequence: {
          promote: [
            { objectID: "a", position: 0 },
            { objectIDs: ["b", "c"], position: 3 },
          ],
          hide: [{ objectID: "z" }],
          filterPromotes: false,
          params: { query: { edits: [{ type: "remove", delete: "cheap" }] }, optionalFilters: ["brand:Acme<score=2>"] },
          userData: { banner: 1 },
        },
        enabled: false,
        validity: [{ from: 1_764_198_000, until: 1_764_284_400 }],
      },
    ]);
    const pins = rules.filter(({ action }) => action.do === "pin");
    expect(pins).toHaveLength(3);
    expect(pins[0]).toMatchObject({
      id: "summer-sale-",
      enabled: false,
      when: {
        query: [{ contains: "swimwear", ordered: true }],
        context: ["mobile"],
        from: "2025-11-26T23:00:00.000Z",
        until: "2025-11-27T23:00:00.000Z",
      },
      action: {
        items: [
          { id: "a", position: 1 },
          { id: "b", position: 4 },
          { id: "c", position: 5 },
        ],
        gap: "keep",
      },
    });
    expect(pins[1]).toMatchObject({ when: { query: [{ is: "bikini" }], plurals: true } });
    expect(pins[2]).toMatchObject({ when: { emptyQuery: true, filters: { category: ["swim"], brand: ["Ocean Blue"] } } });
    expect(rules.filter(({ action }) => action.do === "hide")).toHaveLength(3);
    expect(rules.find(({ action }) => action.do === "boost")?.action).toMatchObject({ match: [{ field: "brand", is: ["Acme"] }] });
    expect(changed.join("\n")).toMatch(/filterPromotes[\s\S]*boost by|boost by[\s\S]*filterPromotes/);
    expect(changed.join("\n")).toContain("plurals only");
    expect(refused.join("\n")).toMatch(/params\.query/);
    expect(refused.join("\n")).toMatch(/placeholder/);
    expect(refused.join("\n")).toMatch(/userData/);
  });
});

/** https://typesense.org/docs/29.0/api/curation.html and https://typesense.org/docs/30.1/api/curation.html. */
describe("Typesense's overrides and curation sets", () => {
  const apple = {
    id: "customize-apple",
    rule: { query: "apple", match: "exact", tags: ["web"] },
    includes: [
      { id: "422", position: 1 },
      { id: "54", position: 2 },
    ],
    excludes: [{ id: "287" }],
    effective_from_ts: 1_764_198_000,
  };

  it("pin from 1, close their gaps, and win by id", () => {
    const sale = {
      id: "a-sale",
      rule: { query: "*", filter_by: "brand:=[`Sam`, Apple] && category:=phones" },
      includes: [{ id: "9", position: 1 }],
      filter_curated_hits: true,
      stop_processing: false,
      sort_by: "price:asc",
    };
    const brand = { id: "brands", rule: { query: "{brand} phone", match: "contains" }, includes: [{ id: "1", position: 1 }] };
    const { rules, refused, changed } = rulesOf("typesense", { overrides: [apple, sale, brand] });
    expect(rules.map(({ id, priority }) => [id, priority])).toEqual([
      ["a-sale", 1000],
      ["customize-apple", 998],
      ["customize-apple.hide", 998],
    ]);
    expect(rules[0]).toMatchObject({
      when: { emptyQuery: true, filters: { brand: ["Sam", "Apple"], category: ["phones"] } },
      action: { gap: "close" },
    });
    expect(rules[1]).toMatchObject({
      when: { query: [{ is: "apple" }], context: ["web"], from: "2025-11-26T23:00:00.000Z" },
      action: {
        items: [
          { id: "422", position: 1 },
          { id: "54", position: 2 },
        ],
      },
    });
    expect(refused.join("\n")).toMatch(/sort_by[\s\S]*placeholder|placeholder[\s\S]*sort_by/);
    expect(changed.join("\n")).toMatch(/stop_processing/);
  });

  it("come in sets too", () => {
    expect(rulesOf("typesense", { name: "curate_products", items: [apple] }).rules).toEqual(rulesOf("typesense", [apple]).rules);
  });
});

/** https://www.meilisearch.com/docs/capabilities/search_rules/overview; shapes: https://github.com/meilisearch/meilisearch/pull/6549. */
describe("Meilisearch's search rules, in three shapes", () => {
  const pin = { selector: { indexUid: "products", id: 12 }, action: { type: "pin", position: 0 } };

  it.each([
    [
      "lists",
      {
        uid: "r",
        priority: 3,
        conditions: [
          { scope: "query", contains: "red shoe" },
          { scope: "time", start: "2026-11-27T00:00:00Z" },
        ],
        actions: [pin],
      },
      { contains: "red shoe", ordered: true },
    ],
    [
      "an object of conditions",
      { uid: "r", precedence: 3, conditions: { query: { words: "red shoe" }, time: { start: "2026-11-27T00:00:00Z" } }, actions: [pin] },
      { contains: "red shoe" },
    ],
    [
      "objects",
      {
        uid: "r",
        precedence: 3,
        conditions: { query: { words: "red shoe" }, time: { start: "2026-11-27T00:00:00Z" } },
        actions: { pin: [{ id: "12", position: 0, indexUid: "products" }] },
      },
      { contains: "red shoe" },
    ],
  ])("%s", (_, source, phrase) => {
    expect(rulesOf("meilisearch", { results: [source] }).rules).toEqual([
      {
        id: "r",
        priority: -3,
        when: { query: [phrase], index: ["products"], from: "2026-11-27T00:00:00Z" },
        action: { do: "pin", items: [{ id: "12", position: 1 }], gap: "keep" },
      },
    ]);
  });

  it("scale: up, down and away", () => {
    const scale = [
      { weight: 4, filter: "brand = Batman" },
      { weight: 0.5, ids: [7] },
      { weight: 0, ids: ["8"] },
      { weight: 2, filter: "price > 3" },
    ];
    const { rules, changed, refused } = rulesOf("meilisearch", [
      { uid: "s", active: false, conditions: { query: { isEmpty: true } }, actions: { scale } },
    ]);
    expect(rules).toMatchObject([
      {
        id: "s.boost",
        enabled: false,
        when: { emptyQuery: true },
        action: { do: "boost", match: [{ field: "brand", is: ["Batman"] }], places: 20 },
      },
      { action: { do: "bury", match: [{ ids: ["7"] }], places: 10 } },
      { action: { do: "hide", match: [{ ids: ["8"] }] } },
    ]);
    expect(changed.join("\n")).toContain("hiding wins over a pin");
    expect(refused).toHaveLength(1);
  });
});

/** https://www.elastic.co/guide/en/elasticsearch/reference/current/put-query-ruleset.html. */
describe("Elasticsearch's rule sets", () => {
  it("pin in the order of their list, exclude, and ask for metadata", () => {
    const { rules, changed, refused, ask } = rulesOf("elasticsearch", {
      ruleset_id: "my-ruleset",
      rules: [
        {
          rule_id: "r1",
          type: "pinned",
          criteria: [
            { type: "contains", metadata: "user_query", values: ["pugs", "puggles"] },
            { type: "exact", metadata: "user_country", values: ["us"] },
          ],
          actions: { ids: ["id1", "id2"] },
        },
        {
          rule_id: "r2",
          type: "exclude",
          criteria: [{ type: "fuzzy", metadata: "user_query", values: ["rescue dogs"] }],
          actions: {
            docs: [
              { _index: "index1", _id: 3 },
              { _index: "index2", _id: "id4" },
            ],
          },
          priority: 5,
        },
        { rule_id: "r3", type: "pinned", criteria: [{ type: "gt", metadata: "age", values: [3] }], actions: { ids: ["x"] } },
        { rule_id: "r4", type: "pinned", criteria: { type: "always" }, actions: { ids: ["y"] } },
      ],
    });
    expect(rules).toMatchObject([
      {
        id: "r1",
        when: {
          query: [
            { contains: "pugs", ordered: true },
            { contains: "puggles", ordered: true },
          ],
          context: ["user_country=us"],
        },
        action: {
          items: [
            { id: "id1", position: 1 },
            { id: "id2", position: 2 },
          ],
        },
      },
      { id: "r2.hide", priority: -5, when: { index: ["index1"] }, action: { do: "hide", match: [{ ids: ["3"] }] } },
      { id: "r2.hide.2", when: { index: ["index2"] } },
      { id: "r4", action: { do: "pin" } },
    ]);
    expect(refused.join()).toContain("gt on age");
    expect(changed.join()).toContain("typos");
    expect(ask.join()).toContain("user_country=us");
  });
});

/** https://solr.apache.org/guide/solr/9_5/query-guide/query-elevation-component.html. */
describe("Solr's elevate.xml", () => {
  it("elevates in the order of documents, and excludes", () => {
    const { rules } = rulesOf(
      "solr",
      `<?xml version="1.0" encoding="UTF-8" ?>
<elevate>
 <!-- <query text="gone"><doc id="0"/></query> -->
 <query text="foo bar">
  <doc id="1" />
  <doc id="2" /> <!-- second -->
  <doc id="3" exclude='true' />
 </query>
 <query text="ipod &amp; more" match="subset"><doc id="MA147LL/A"/></query>
</elevate>`,
    );
    expect(rules).toMatchObject([
      {
        id: "foo-bar",
        when: { query: [{ is: "foo bar" }] },
        action: {
          do: "pin",
          items: [
            { id: "1", position: 1 },
            { id: "2", position: 2 },
          ],
          gap: "close",
        },
      },
      { id: "foo-bar.hide", action: { do: "hide", match: [{ ids: ["3"] }] } },
      { id: "ipod-more", when: { query: [{ contains: "ipod & more" }] }, action: { items: [{ id: "MA147LL/A", position: 1 }] } },
    ]);
  });
});

it("names the format of a file that is another one's", () => {
  expect(() => importRules("solr", "<xml/>")).toThrow(/<elevate>/);
  expect(() => importRules("algolia", "{}")).toThrow(/no export of algolia/);
});
