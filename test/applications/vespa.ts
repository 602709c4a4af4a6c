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
  "all(max(50) all( all(group(brand) order(-count()*avg(relevance())) each(output(count(),avg(relevance())))) all(group(rating_stars / rating_count) each(output(count()))) ))";
const shop = (more: Readonly<Record<string, string>>): Sent =>
  inUrl({
    "input.query(query_embedding)": "embed(red mug)",
    yql: `select * from sources item where (((userInput("red mug"))) or ({targetHits:100}nearestNeighbor(embedding,query_embedding))) and price >= 5 | ${FACETS}`,
    summary: "short",
    collapsefield: "title",
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
    request: json({ yql: "select * from doc where userQuery()", query: "red mug", ranking: "bm25", hits: 5, "presentation.timing": true }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: PYVESPA,
    what: "userQuery() that selects named fields",
    request: json({ yql: "select title, body from doc where userQuery()", query: "red mug", ranking: "bm25", hits: 5 }),
    words: "red mug",
    outcome: "request_not_understood",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/documentation en/learn/tutorials/hybrid-search.md",
    what: "hybrid with an embedder",
    request: json({
      yql: "select * from doc where default contains ({targetHits:100}text(@user-query)) OR ({targetHits:10}nearestNeighbor(embedding, e))",
      "user-query": "red mug",
      "input.query(e)": "embed(@user-query)",
      ranking: "hybrid",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/documentation en/learn/tutorials/hybrid-search.md",
    what: "nearest neighbours of embedded words",
    request: json({
      yql: "select * from doc where ({targetHits:10}nearestNeighbor(embedding,e))",
      "user-query": "red mug",
      "input.query(e)": "embed(@user-query)",
      ranking: "semantic",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/pyvespa vespa/querybuilder/builder/builder.py",
    what: "query builder: contains, a filter, a limit",
    request: json({
      yql: 'select * from product where title contains "mug" and price < 20 and brand contains "acme" limit 12 timeout 5000',
    }),
    words: "mug",
    outcome: "applied",
  },
  {
    application: "pyvespa",
    source: "vespa-engine/pyvespa vespa/querybuilder/builder/builder.py",
    what: "query builder: order by",
    request: json({ yql: 'select * from product where title contains "mug" order by price asc limit 10' }),
    words: "mug",
    outcome: "explicit_sort",
  },
  {
    application: "album recommendation",
    source: "vespa-engine/documentation en/basics/deploy-an-application-local.html",
    what: "contains, with a rank profile and a feature",
    request: json({
      yql: "select * from music where album contains 'head'",
      ranking: "rank_albums",
      "ranking.features.query(user_profile)": "{{cat:pop}:0.8,{cat:rock}:0.2}",
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
    outcome: "grouped",
  },
  {
    application: "e-commerce sample",
    source: SHOPPING,
    what: "second page",
    request: shop({ ranking: "item", offset: "10" }),
    words: "red mug",
    outcome: "grouped",
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
    request: inUrl({
      yql: `select * from sources item where true and categories contains ({"ranked":false}"Mugs") | ${FACETS}`,
      summary: "short",
      collapsefield: "title",
      hits: "10",
      ranking: "item",
    }),
    words: undefined,
    outcome: "grouped",
  },
  {
    application: "text search tutorial",
    source: "vespa-engine/documentation en/learn/tutorials/text-search.md",
    what: "text()",
    request: inUrl({
      yql: "select * from product where default contains text(@user-query)",
      "user-query": "red mug",
      hits: "3",
      language: "en",
      timeout: "10s",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "text search tutorial",
    source: "vespa-engine/documentation en/learn/tutorials/text-search.md",
    what: "text() beside a filter",
    request: inUrl({
      yql: 'select * from product where default contains text(@user-query) and url contains ({filter:true,ranked:false}"huffingtonpost.co.uk")',
      "user-query": "red mug",
      hits: "3",
      language: "en",
      timeout: "10s",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "text search tutorial",
    source: "vespa-engine/documentation en/learn/tutorials/text-search.md",
    what: "userInput()",
    request: inUrl({
      yql: "select * from product where userInput(@user-query)",
      "user-query": 'title:"red mug"',
      hits: "3",
      language: "en",
      timeout: "10s",
    }),
    words: "red mug",
    outcome: "applied",
  },
  {
    application: "vespa CLI",
    source: "vespa-engine/vespa client/go/internal/cli/cmd/query.go",
    what: "vespa query",
    request: inUrl({ yql: 'select * from product where album contains "head"', hits: "5", timeout: "10s" }),
    words: "head",
    outcome: "applied",
  },
  {
    application: "LangChain",
    source: `${LANGCHAIN}/retrievers/vespa_retriever.py`,
    what: "retriever that selects a text only",
    request: json({
      yql: "select content from sources * where userQuery()",
      hits: 5,
      ranking: "documentation",
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
    what: "hybrid",
    request: json({
      hits: 2,
      "ranking.profile": "fusion",
      query: "red mug",
      tracelevel: 9,
      yql: "select * from sources * where rank({targetHits:10}nearestNeighbor(embedding,q), userQuery()) limit 2",
      "input.query(q)": "embed(red mug)",
    }),
    words: undefined,
    outcome: "refused",
  },
  {
    application: "JSON query language",
    source: "vespa-engine/documentation en/reference/querying/json-query-language.md",
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
    source: "vespa-engine/vespa container-disc/src/main/java/com/yahoo/jdisc/http/server/jetty/FormPostRequestHandler.java",
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
