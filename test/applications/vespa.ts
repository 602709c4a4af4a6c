/** Applications and clients whose engine is Vespa. */
import type { ApplicationRequest } from "./plans.ts";

type Sent = ApplicationRequest["request"];
const json = (body: object): Sent => ({ method: "POST", path: "/search/", body });
const inUrl = (params: Readonly<Record<string, string>>): Sent => ({
  method: "GET",
  path: "/search/",
  search: `?${new URLSearchParams(params).toString()}`,
});

const PYVESPA = "vespa-engine/pyvespa docs/sphinx/source/query.ipynb";
const SHOPPING = "vespa-engine/sample-apps use-case-shopping/src/main/java/ai/vespa/example/shopping/site/data/SearchResults.java";
const FACETS =
  "all( all(group(brand) order(-count()) each(output(count()))) all(group(rating_stars / rating_count) each(output(count()))) )";
const shop = (more: Readonly<Record<string, string>>, page = ""): Sent =>
  inUrl({
    yql: `select * from sources item where ( userInput("red mug") or brand contains "red mug" ) and price >= 5${page} | ${FACETS};`,
    summary: "short",
    hits: "10",
    ...more,
  });
const LANGCHAIN = "langchain-ai/langchain libs/community/langchain_community";
const EMBEDDING = [0.1, 0.2, 0.3];

export const VESPA_APPLICATIONS: readonly ApplicationRequest[] = [
  {
    application: "pyvespa",
    source: PYVESPA,
    what: "userQuery()",
    request: json({ yql: "select * from sources * where userQuery();", query: "red mug", ranking: "bm25", hits: 5 }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: PYVESPA,
    what: "hybrid with an embedder",
    request: json({
      yql: "select * from sources * where ({targetHits:1000}userInput(@user_query)) or ({targetHits:100}nearestNeighbor(embedding,e))",
      user_query: "red mug",
      "input.query(e)": "embed(@user_query)",
      "ranking.profile": "fusion",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: PYVESPA,
    what: "nearest neighbours of embedded words",
    request: json({
      yql: "select * from sources * where ({targetHits:100}nearestNeighbor(embedding,q))",
      "input.query(q)": 'embed(e5, "red mug")',
      ranking: "semantic",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/pyvespa vespa/querybuilder",
    what: "query builder: contains, a filter, an order of fields",
    request: json({
      yql: 'select * from product where title contains "mug" and price < 20 and brand contains "acme" limit 12',
      timeout: "5s",
    }),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/pyvespa vespa/querybuilder",
    what: "query builder: order by",
    request: json({ yql: 'select * from product where title contains "mug" order by price asc limit 10' }),
    words: "mug",
    outcome: "explicit_sort",
  },
  {
    application: "album recommendation",
    source: "https://docs.vespa.ai/en/vespa-quick-start.html",
    what: "contains, with a rank profile and a feature",
    request: json({
      yql: "select * from music where album contains 'head'",
      ranking: "rank_albums",
      "input.query(user_profile)": "{{cat:pop}:0.8,{cat:rock}:0.2}",
    }),
    words: "head",
    outcome: "applied",
  },
  {
    application: "e-commerce sample",
    source: SHOPPING,
    what: "search",
    request: shop({ ranking: "item" }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "e-commerce sample",
    source: SHOPPING,
    what: "second page",
    request: shop({ ranking: "item", offset: "10" }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "e-commerce sample",
    source: SHOPPING,
    what: "sorted by price, with a rank profile",
    request: shop({ ranking: "sort_by_price", "ranking.features.query(sort_direction)": "-1" }),
    words: "red mug",
    outcome: "explicit_sort",
  },
  {
    application: "e-commerce sample",
    source: SHOPPING,
    what: "a category",
    request: inUrl({ yql: `select * from sources item where price >= 5 | ${FACETS};`, summary: "short", hits: "10", ranking: "item" }),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "text search tutorial",
    source: "https://docs.vespa.ai/en/tutorials/text-search.html",
    what: "userInput() with a model",
    request: json({
      yql: "select * from product where userInput(@user-query)",
      "user-query": "red mug",
      hits: 3,
      ranking: "bm25",
      language: "en",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "vespa CLI",
    source: "vespa-engine/vespa client/go/internal/cli/cmd/query.go",
    what: "vespa query",
    request: inUrl({ yql: 'select * from product where default contains "mug"', timeout: "10s" }),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "LangChain",
    source: `${LANGCHAIN}/retrievers/vespa_retriever.py`,
    what: "retriever that selects a text only",
    request: json({
      yql: "select content from paragraph where userQuery()",
      hits: 5,
      ranking: "documentation",
      locale: "en-us",
      query: "red mug",
    }),
    words: "red mug",
    outcome: "request_not_understood",
  },
  {
    application: "LangChain",
    source: `${LANGCHAIN}/vectorstores/vespa.py`,
    what: "vector store",
    request: json({
      yql: "select * from sources * where {targetHits: 4, approximate: false}nearestNeighbor(embedding, query_embedding)",
      "input.query(query_embedding)": EMBEDDING,
      ranking: "default",
      hits: 4,
    }),
    words: undefined,
    outcome: "no_query_text",
  },
  {
    application: "LlamaIndex",
    source:
      "run-llama/llama_index llama-index-integrations/vector_stores/llama-index-vector-stores-vespa/llama_index/vector_stores/vespa/base.py",
    what: "hybrid, with the fields that it reads",
    request: json({
      yql: "select id, text, metadata from sources * where rank({targetHits:100}nearestNeighbor(embedding,q), userQuery()) limit 2",
      query: "red mug",
      ranking: "fusion",
      "input.query(q)": 'embed(tokenizer, "red mug")',
    }),
    words: "red mug",
    outcome: "request_not_understood",
  },
  {
    application: "JSON query language",
    source: "https://docs.vespa.ai/en/reference/select-reference.html",
    what: "select.where",
    request: json({
      select: {
        where: { and: [{ contains: ["title", "mug"] }, { range: ["price", { "<": 20 }] }] },
        grouping: [{ all: { group: "brand", each: { output: "count()" } } }],
      },
      hits: 12,
    }),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "HTTP clients in Java",
    source: "https://docs.vespa.ai/en/query-api.html",
    what: "a form",
    request: {
      method: "POST",
      path: "/search/",
      body: "query=red+mug&hits=12&offset=12&type=weakAnd",
      contentType: "application/x-www-form-urlencoded",
    },
    words: "red mug",
    outcome: "applied",
  },
];
