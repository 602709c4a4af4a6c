import * as fc from "fast-check";
import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { drawCatalogue, type Product } from "../../src/demo/catalogue/catalogue.ts";
import { createEngine, normaliseTerm } from "../../src/demo/engine.ts";

const Reply = v.object({
  took: v.number(),
  timed_out: v.literal(false),
  _shards: v.object({ total: v.number(), successful: v.number(), skipped: v.number(), failed: v.number() }),
  hits: v.object({
    total: v.optional(v.object({ value: v.number(), relation: v.picklist(["eq", "gte"]) })),
    max_score: v.nullable(v.number()),
    hits: v.array(
      v.pipe(
        v.object({
          _index: v.string(),
          _id: v.string(),
          _score: v.nullable(v.number()),
          _source: v.optional(v.record(v.string(), v.unknown())),
          sort: v.optional(v.array(v.unknown())),
        }),
        v.transform(({ _index: index, _id: id, _score: score, _source: source, sort }) => ({ index, id, score, source, sort })),
      ),
    ),
  }),
  aggregations: v.optional(v.record(v.string(), v.unknown())),
});

const Failure = v.object({
  error: v.looseObject({
    root_cause: v.array(v.looseObject({ type: v.string(), reason: v.string() })),
    type: v.string(),
    reason: v.string(),
  }),
  status: v.number(),
});

const drawn = drawCatalogue();
const shop = createEngine(drawn);

const FEW: readonly Product[] = [
  {
    id: "a",
    title: "Norvik Red Mug",
    category: "mug",
    price: 12,
    rating: 4,
    popularity: 5,
    inStock: true,
    image: "/a",
    createdAt: "2026-01-05",
  },
  { id: "b", title: "Norvik Mug", category: "mug", price: 8, rating: 5, inStock: false, image: "/b", createdAt: "2026-03-01" },
  { id: "c", title: "Red Shoe", category: "shoe", price: 60, rating: 3, inStock: true, image: "/c", createdAt: "2025-01-01" },
  { id: "d", title: "Navy Dresses", category: "dress", image: "/d" },
];
const few = createEngine(FEW);

function ask(engine: ReturnType<typeof createEngine>, body?: unknown, url: string = "") {
  const reply = engine.search("products", body, new URLSearchParams(url));
  expect(reply.status, JSON.stringify(reply.body)).toBe(200);
  return v.parse(Reply, reply.body);
}

const ids = (reply: v.InferOutput<typeof Reply>) => reply.hits.hits.map((hit) => hit.id);

/** `_source` of the first hit when asked so. */
function firstSource(given: unknown) {
  return ask(few, { size: 1, _source: given }).hits.hits[0]?.source;
}

function refusal(body: unknown, url: string = "", index: string = "products") {
  const reply = few.search(index, body, new URLSearchParams(url));
  const failure = v.parse(Failure, reply.body);
  expect(failure.status).toBe(reply.status);
  expect(failure.error.root_cause[0]?.reason).toBe(failure.error.reason);
  return { status: reply.status, type: failure.error.type, reason: failure.error.reason };
}

describe("search()", () => {
  it("looks like Elasticsearch's reply", () => {
    const reply = ask(few, { query: { match: { title: "red mug" } } });
    expect(reply.hits.total).toEqual({ value: 3, relation: "eq" });
    expect(ids(reply)[0]).toBe("a");
    expect(reply.hits.max_score).toBe(reply.hits.hits[0]?.score);
    expect(reply.hits.hits[0]).toMatchObject({
      index: "products",
      source: { title: "Norvik Red Mug", category: "mug", price: 12, rating: 4, popularity: 5, in_stock: true, image: "/a" },
    });
  });

  it("leaves unknown fields out of _source and never shows the look", () => {
    expect(ask(few, { query: { ids: { values: ["d"] } } }).hits.hits[0]?.source).toEqual({
      title: "Navy Dresses",
      category: "dress",
      image: "/d",
    });
    expect(JSON.stringify(ask(shop, { size: 50 }))).not.toContain("silhouette");
  });

  it("shows ten hits of everything unless told", () => {
    const reply = ask(shop);
    expect(reply.hits.hits).toHaveLength(10);
    expect(reply.hits.total?.value).toBe(drawn.length);
  });

  it("pages without gap or overlap, however the pages are cut", () => {
    const all = ids(ask(shop, { query: { match: { title: "red mug" } }, size: 300 }));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 60 }), (size) => {
        const paged: string[] = [];
        for (let from = 0; from < all.length; from += size)
          paged.push(...ids(ask(shop, { query: { match: { title: "red mug" } }, from, size })));
        expect(paged).toEqual(all);
      }),
      { numRuns: 15 },
    );
  });

  it("takes q, from, size and sort from the URL, which win over the body", () => {
    expect(ids(ask(few, { size: 9, sort: ["rating"] }, "q=mug&size=1&from=1&sort=price:asc"))).toEqual(["a"]);
  });

  it("finds plurals, accents and other cases", () => {
    expect(ids(ask(few, { query: { match: { title: "DRESS" } } }))).toEqual(["d"]);
    expect(["shoes", "dresses", "watches", "Rosé", "bodies", "glass", "lens", "boxes", "red"].map(normaliseTerm)).toEqual([
      "shoe",
      "dress",
      "watch",
      "rose",
      "body",
      "glass",
      "len",
      "box",
      "red",
    ]);
  });

  it("asks for any word, or with operator and for all", () => {
    expect(ids(ask(few, { query: { match: { title: { query: "red mug", operator: "and" } } } }))).toEqual(["a"]);
  });

  it("matches misspelt words only when fuzziness allows", () => {
    expect(ids(ask(few, { query: { match: { title: "dreses" } } }))).toEqual([]);
    expect(ids(ask(few, { query: { match: { title: { query: "dreses", fuzziness: "AUTO" } } } }))).toEqual(["d"]);
    expect(ids(ask(few, { query: { match: { title: { query: "dreses", fuzziness: "AUTO:4,8" } } } }))).toEqual(["d"]);
    expect(ids(ask(few, { query: { match: { title: { query: "dreses", fuzziness: "AUTO:7,8" } } } }))).toEqual([]);
  });

  it("searches the fields it is told", () => {
    expect(ids(ask(few, { query: { multi_match: { query: "dress", fields: ["category"] } } }))).toEqual(["d"]);
    expect(ids(ask(few, { query: { multi_match: { query: "norvik", fields: ["category"] } } }))).toEqual([]);
  });

  it("combines must, should, filter and must_not", () => {
    const bool = {
      must: { match: { title: "mug" } },
      should: [{ term: { in_stock: true } }],
      filter: [{ range: { price: { gte: 8, lt: 60 } } }],
      must_not: { ids: { values: ["c"] } },
    };
    const plain = ask(few, { query: { match: { title: "mug" } } });
    const reply = ask(few, { query: { bool } });
    expect(ids(reply)).toEqual(["a", "b"]);
    // should adds its score, filter adds none
    const scoreOf = (from: typeof reply, id: string) => from.hits.hits.find((hit) => hit.id === id)?.score ?? Number.NaN;
    expect(scoreOf(reply, "a")).toBeCloseTo(scoreOf(plain, "a") + 1, 10);
    expect(scoreOf(reply, "b")).toBeCloseTo(scoreOf(plain, "b"), 10);
  });

  it("requires one clause of should where there is no other", () => {
    expect(ids(ask(few, { query: { bool: { should: [{ term: { category: "shoe" } }, { term: { category: "dress" } }] } } }))).toEqual([
      "c",
      "d",
    ]);
  });

  it("filters by several terms and by day", () => {
    expect(ids(ask(few, { query: { terms: { "category.keyword": ["shoe", "dress"] } } }))).toEqual(["c", "d"]);
    expect(ids(ask(few, { query: { range: { created_at: { gt: "2026-01-05" } } } }))).toEqual(["b"]);
  });

  it("sorts, with unknown values last in both directions", () => {
    const up = ask(few, { sort: [{ price: "asc" }] });
    expect(ids(up)).toEqual(["b", "a", "c", "d"]);
    expect(ids(ask(few, { sort: [{ price: { order: "desc" } }] }))).toEqual(["c", "a", "b", "d"]);
    expect(up.hits.hits.map((hit) => [hit.score, hit.sort])).toEqual([
      [null, [8]],
      [null, [12]],
      [null, [60]],
      [null, [null]],
    ]);
    expect(up.hits.max_score).toBeNull();
  });

  it("keeps scores when _score is among the sort keys", () => {
    const reply = ask(few, { query: { match: { title: "mug" } }, sort: ["_score", { price: "asc" }] });
    expect(reply.hits.max_score).toBeGreaterThan(0);
  });

  it("breaks ties by index in the catalogue", () => {
    expect(ids(ask(few, { query: { match_all: {} } }))).toEqual(["a", "b", "c", "d"]);
  });

  it("counts categories over all that match, whatever the page and the post_filter", () => {
    const reply = ask(few, {
      size: 0,
      post_filter: { term: { category: "mug" } },
      aggs: { kinds: { terms: { field: "category", size: 2 } }, stock: { terms: { field: "in_stock" } } },
    });
    expect(reply.hits).toEqual({ total: { value: 2, relation: "eq" }, max_score: null, hits: [] });
    expect(reply.aggregations).toEqual({
      kinds: {
        doc_count_error_upper_bound: 0,
        sum_other_doc_count: 1,
        buckets: [
          { key: "mug", doc_count: 2 },
          { key: "dress", doc_count: 1 },
        ],
      },
      stock: {
        doc_count_error_upper_bound: 0,
        sum_other_doc_count: 0,
        buckets: [
          { key: 1, key_as_string: "true", doc_count: 2 },
          { key: 0, key_as_string: "false", doc_count: 1 },
        ],
      },
    });
  });

  it("counts as far as track_total_hits says", () => {
    expect(ask(few, { track_total_hits: 3 }).hits.total).toEqual({ value: 3, relation: "gte" });
    expect(ask(few, { track_total_hits: true }).hits.total).toEqual({ value: 4, relation: "eq" });
    expect(ask(few, { track_total_hits: false }).hits.total).toBeUndefined();
  });

  it("shows the source that is asked for", () => {
    expect(firstSource(["price", "nothing"])).toEqual({ price: 12 });
    expect(firstSource("title")).toEqual({ title: "Norvik Red Mug" });
    expect(firstSource({ includes: ["rating"] })).toEqual({ rating: 4 });
    expect(firstSource(false)).toBeUndefined();
  });

  it("ignores ext, which is for others on the way", () => {
    expect(ids(ask(few, { ext: { ubi: { user_query: "x" } }, size: 1 }))).toEqual(["a"]);
  });
});

describe("hits()", () => {
  it.each(["red striped mug", "elegant black bag", "sneakers", "nothing-of-this-kind"])("ranks %j as ?q= does", (query) => {
    const reply = ask(shop, undefined, `q=${encodeURIComponent(query)}&size=100`);
    expect(shop.hits(query, 100)).toEqual(reply.hits.hits.map((hit) => ({ id: hit.id, score: hit.score })));
  });

  it("ranks as a multi_match over title and category does", () => {
    const reply = ask(shop, { query: { multi_match: { query: "retro lamp", fields: ["title^2", "category"] } }, size: 40 });
    expect(shop.hits("retro lamp", 40).map((hit) => hit.id)).toEqual(ids(reply));
    expect(reply.hits.hits).toHaveLength(40);
  });
});

describe("refusals name the value and the fix", () => {
  it("for an index that is not there", () => {
    expect(refusal({}, "", "shoes")).toMatchObject({
      status: 404,
      type: "index_not_found_exception",
      reason: "no such index [shoes]; this shop has [products]",
    });
  });

  it.each([
    [{ size: -1 }, "[size] parameter cannot be negative, found [-1]; use 0 or more"],
    [{ from: -5 }, "found [-5]"],
    [{ size: "many" }, 'Failed to parse parameter [size]: expected a whole number, found "many"'],
    [{ size: 1.5 }, "found 1.5"],
    [{ from: 9_990, size: 20 }, "less than or equal to: [10000] but was [10010]"],
    [[], "[search body] must be an object, found []"],
    [{ querry: {} }, "Unknown key [querry]"],
    [{ query: {} }, "[query] must have exactly one key, found none"],
    [{ query: { fuzzy: {} } }, "unknown query [fuzzy]; this engine knows match_all"],
    [{ query: { toString: {} } }, "unknown query [toString]"],
    [{ query: { match: { price: "x" } } }, "Field [price] holds no words to match"],
    [{ query: { match: { title: {} } } }, "[match.title.query] must be text"],
    [{ query: { match: { title: { query: "x", operator: "xor" } } } }, '[operator] must be "and" or "or", found "xor"'],
    [{ query: { match: { title: { query: "x", fuzziness: 9 } } } }, "[fuzziness] must be"],
    [{ query: { multi_match: { query: "x", fields: ["title^heavy"] } } }, "Field [title^heavy] has no usable weight"],
    [{ query: { multi_match: { query: "x", type: "other" } } }, 'type "other" is not supported'],
    [{ query: { term: { colour: "red" } } }, "No mapping found for [colour]"],
    [{ query: { terms: { category: "mug" } } }, '[terms.category] must be a list, found "mug"'],
    [{ query: { range: { price: { above: 3 } } } }, "[range] query does not support [above]; use gt, gte, lt, lte"],
    [{ query: { range: { price: { gt: "cheap" } } } }, 'must be a number, found "cheap"'],
    [{ query: { range: { created_at: { gt: "May" } } } }, 'must be a day as YYYY-MM-DD, found "May"'],
    [{ query: { range: { title: { gt: "a" } } } }, "Field [title] has no order"],
    [{ query: { bool: { most: [] } } }, "Unknown key [most] in [bool]"],
    [{ query: { bool: { minimum_should_match: -1 } } }, "found -1"],
    [{ sort: ["colour"] }, "No mapping found for [colour] in order to sort on"],
    [{ sort: [{ price: "up" }] }, '[sort] order of [price] must be "asc" or "desc", found "up"'],
    [{ sort: ["title"] }, "Text fields such as [title] cannot be sorted on"],
    [{ aggs: { x: { avg: { field: "price" } } } }, "Unknown aggregation type [avg]"],
    [{ aggs: { x: { terms: { field: "title" } } } }, "cannot be aggregated on"],
    [{ aggs: { x: { terms: { field: "category", size: 0 } } } }, "must be greater than 0"],
    [{ _source: 3 }, "[_source] must be"],
    [{ track_total_hits: -2 }, "[track_total_hits] parameter cannot be negative"],
  ])("%j", (body, reason) => {
    const refused = refusal(body);
    expect(refused.status).toBe(400);
    expect(refused.reason).toContain(reason);
  });

  it("for an unknown URL parameter", () => {
    expect(refusal(undefined, "szie=3").reason).toContain("unrecognized parameter: [szie]");
  });
});

describe("a large catalogue", () => {
  it("indexes 10,000 products", () => {
    const many = drawCatalogue({ count: 10_000, seed: 1 });
    const engine = createEngine(many);
    expect(engine.hits("red mug", 100)).toHaveLength(100);
  });
});
