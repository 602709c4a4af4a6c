/** Requests as hostile as clients can write them, for each dialect and of any size. */
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import type { ClientRequest, GenericOptions, RequestLimits } from "../../src/backends/dialect.ts";
import { createDialects } from "../../src/backends/dialects.ts";

export const GENERIC_OPTIONS: GenericOptions = {
  path: "/v1/search",
  methods: ["GET", "POST"],
  query: ["q", "words.*.text"],
  page: "paging.page",
  firstPage: 1,
  limit: "paging.size",
  hits: "results",
  harmless: [],
  leaveAlone: { explicit_sort: [{ name: "sorting", unless: [] }] },
  echo: {},
};

/** Every dialect, with the client's own key and with the edge's: the former passes more requests on. */
const dialectsWith = (forwardCredentials: boolean) =>
  createDialects(
    new Map(
      [...ALL_DIALECTS.keys()].map((backend) => [
        `${backend}-goods`,
        {
          backend,
          forwardCredentials,
          pageSize: 20,
          idField: backend === "generic" ? "id" : undefined,
          ...(backend === "generic" && { generic: GENERIC_OPTIONS }),
        },
      ]),
    ),
    ALL_DIALECTS,
  );
export const OWN_KEY = dialectsWith(false);
export const CLIENTS_KEY = dialectsWith(true);

/** Parts until their text has this many bytes, with their numbers. */
function fill(bytes: number, part: (i: number) => string, separator = ","): string {
  const parts: string[] = [];
  for (let length = 0; length < bytes; length += parts.at(-1)!.length + separator.length) parts.push(part(parts.length));
  return parts.join(separator);
}

export interface Asked {
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly index?: string | undefined;
  readonly search?: string;
  readonly body?: string;
}

/** Where a search of each dialect goes, the members around hostile ones, and the list of several searches. */
const ONE: Readonly<Record<string, { readonly path: string; readonly index?: string; readonly rest: string }>> = {
  elasticsearch: {
    path: "/elasticsearch-goods/_search",
    index: "elasticsearch-goods",
    rest: '"query":{"match":{"t":"red mug"}},"size":10',
  },
  algolia: { path: "/1/indexes/algolia-goods/query", index: "algolia-goods", rest: '"query":"red mug","hitsPerPage":10' },
  meilisearch: { path: "/indexes/meilisearch-goods/search", index: "meilisearch-goods", rest: '"q":"red mug","limit":10' },
  vespa: { path: "/search/", rest: '"query":"red mug","hits":10' },
  shopify: { path: "/api/2026-07/graphql.json", rest: '"query":"{ search(query: \\"mug\\", first: 5) { nodes { id } } }"' },
  generic: { path: "/v1/search", rest: '"q":"red mug","paging":{"page":1,"size":10}' },
};

const MANY: Readonly<Record<string, { readonly path: string; readonly list: string; readonly search: string }>> = {
  algolia: { path: "/1/indexes/*/queries", list: "requests", search: '"indexName":"algolia-goods","query":"mug"' },
  typesense: { path: "/multi_search", list: "searches", search: '"collection":"typesense-goods","q":"mug"' },
  meilisearch: { path: "/multi-search", list: "queries", search: '"indexUid":"meilisearch-goods","q":"mug"' },
};

/** Members of an object, or a text, that fill a request; inside an object of a search. */
const SHAPES: Readonly<Record<string, (bytes: number) => string>> = {
  "distinct members": (bytes) => fill(bytes, (i) => `"k${i}":1`),
  "one name over and over": (bytes) => fill(bytes, () => '"k":1'),
  "escaped names": (bytes) => fill(bytes, (i) => `"\\u006b${i}":1`),
  "long names": (bytes) => fill(bytes, (i) => `"${"n".repeat(2000)}${i}":1`),
  "members of a member": (bytes) => `"ext":{${fill(bytes, (i) => `"k${i}":1`)}}`,
  "members below a long name": (bytes) => `"${"n".repeat(bytes / 2)}":{${fill(bytes / 2, (i) => `"k${i}":{"a":1}`)}}`,
  "small objects": (bytes) => `"filter":[${fill(bytes, () => "{}")}]`,
  "clauses without words": (bytes) => `"query2":{"bool":{"must":[${fill(bytes, () => '{"match":{}}')}]}}`,
  numbers: (bytes) => `"vector":[${fill(bytes, (i) => `0.${i}`)}]`,
  "nested lists": (bytes) => `"filter":[${fill(bytes, () => `${"[".repeat(90)}${"]".repeat(90)}`)}]`,
  "a long text": (bytes) => `"text":"${"red mug ".repeat(bytes / 8)}"`,
  "a long text of escapes": (bytes) => `"text":"${"\\u00e4".repeat(bytes / 6)}"`,
  spaces: (bytes) => `"text":${" ".repeat(bytes)}1`,
  "parameters in a text": (bytes) => `"params":"${fill(bytes, (i) => `k${i}=1`, "&")}"`,
  "members of text": (bytes) => fill(bytes, (i) => `"k${i}":"${"red mug ".repeat(5)}"`),
  "members of escapes": (bytes) => fill(bytes, (i) => `"\\u006b${i}":"${"\\u00e4".repeat(6)}"`),
  "objects in a list": (bytes) => `"filter":[${fill(bytes, (i) => `{"a${i}":"${"red mug ".repeat(4)}"}`)}]`,
  "objects of objects": (bytes) => fill(bytes, (i) => `"k${i}":{"a":{"b":{"c":"${"mug ".repeat(20)}"}}}`),
  "texts in a list": (bytes) => `"filter":[${fill(bytes, (i) => `"${"\\u00e4".repeat(8)}${i}"`)}]`,
  "filters of filters": (bytes) =>
    `"query3":{"bool":{"filter":[${fill(bytes, (i) => `{"terms":{"id":[${fill(400, (j) => `"${i}-${j}"`)}]}}`)}]}}`,
  "one parameter in a text": (bytes) => `"params":"${fill(bytes, () => "facetFilters=a", "&")}"`,
};

const SIGNS = ["*", "|", "~", "!", "-", '"', '"\\', "'", "(", "[", "{", "{!a={! ", "/", "\\", "^1", "a:", "&&", "+", ":", " "];

/** Texts that are read as languages. */
const LANGUAGES: Readonly<Record<string, readonly [dialect: string, write: (text: string) => Omit<Asked, "path">]>> = {
  simple_query_string: ["elasticsearch", (query) => ({ body: JSON.stringify({ query: { simple_query_string: { query } } }) })],
  query_string: ["elasticsearch", (query) => ({ body: JSON.stringify({ query: { query_string: { query } } }) })],
  script: ["elasticsearch", (script) => ({ body: JSON.stringify({ query: { script_score: { query: {}, script } } }) })],
  q: ["solr", (q) => ({ body: new URLSearchParams({ q }).toString() })],
  fq: ["solr", (fq) => ({ body: new URLSearchParams({ q: "mug", fq }).toString() })],
  query: ["vespa", (query) => ({ body: JSON.stringify({ query }) })],
  yql: ["vespa", (where) => ({ body: JSON.stringify({ yql: `select * from sources * where ${where}` }) })],
  "single quotes": ["vespa", (query) => ({ body: `{'query':${query}}` })],
};

const PATHS: Readonly<Record<string, Pick<Asked, "path" | "index">>> = {
  elasticsearch: { path: "/elasticsearch-goods/_search", index: "elasticsearch-goods" },
  solr: { path: "/solr/solr-goods/select", index: "solr-goods" },
  vespa: { path: "/search/" },
};

const TEXTS = Object.entries(LANGUAGES).flatMap(([language, [dialect, write]]) =>
  SIGNS.map((sign) => {
    const build = (bytes: number): Asked => ({ ...PATHS[dialect]!, ...write(`${sign.repeat(bytes / sign.length)}a`) });
    return [`${dialect}: ${language} of ${sign}`, [dialect, build]] as const;
  }),
);

/** Name → the dialect and a request of about so many bytes. */
export const REQUESTS: Readonly<Record<string, readonly [dialect: string, build: (bytes: number) => Asked]>> = {
  ...Object.fromEntries(
    Object.entries(ONE).flatMap(([dialect, { path, index, rest }]) =>
      Object.entries(SHAPES).map(
        ([shape, build]) =>
          [`${dialect}: ${shape}`, [dialect, (bytes: number) => ({ path, index, body: `{${build(bytes)},${rest}}` })]] as const,
      ),
    ),
  ),
  ...Object.fromEntries(
    Object.entries(MANY).flatMap(([dialect, { path, list, search }]) => [
      [
        `${dialect}: many searches`,
        [
          dialect,
          (bytes: number) => ({
            path,
            index: path.includes("*") ? "*" : undefined,
            body: `{"${list}":[${fill(bytes, () => `{${search}}`)}]}`,
          }),
        ],
      ] as const,
      ...Object.entries(SHAPES).map(
        ([shape, build]) =>
          [
            `${dialect}: several searches, ${shape}`,
            [
              dialect,
              (bytes: number) => ({
                path,
                index: path.includes("*") ? "*" : undefined,
                body: `{"${list}":[${fill(bytes, () => `{${build(bytes / 8)},${search}}`)}]}`,
              }),
            ],
          ] as const,
      ),
    ]),
  ),
  ...Object.fromEntries(TEXTS),
  "elasticsearch: clauses for neighbours": [
    "elasticsearch",
    (bytes) => {
      const clauses = fill(bytes, () => '{"knn":{"field":"v","query_vector":[1],"num_candidates":9}}');
      return { ...PATHS["elasticsearch"]!, body: `{"query":{"bool":{"must":{"match":{"t":"mug"}},"should":[${clauses}]}}}` };
    },
  ],
  "elasticsearch: pins": [
    "elasticsearch",
    (bytes) => {
      const clauses = fill(bytes, (i) => `{"constant_score":{"filter":{"term":{"id":"${i}"}},"boost":1e9}}`);
      return { ...PATHS["elasticsearch"]!, body: `{"query":{"bool":{"must":{"match":{"t":"mug"}},"should":[${clauses}]}}}` };
    },
  ],
  "elasticsearch: many lines": [
    "elasticsearch",
    (bytes) => ({
      path: "/_msearch",
      body: `${fill(bytes, () => '{"index":"elasticsearch-goods"}\n{"query":{"match":{"t":"mug"}}}', "\n")}\n`,
    }),
  ],
  "elasticsearch: lines of its index": [
    "elasticsearch",
    (bytes) => ({ path: "/elasticsearch-goods/_msearch", index: "elasticsearch-goods", body: `${fill(bytes, () => "{}\n{}", "\n")}\n` }),
  ],
  "elasticsearch: empty lines": [
    "elasticsearch",
    (bytes) => ({ path: "/elasticsearch-goods/_msearch", index: "elasticsearch-goods", body: "\n".repeat(bytes - (bytes % 2)) }),
  ],
  "elasticsearch: one long line": [
    "elasticsearch",
    (bytes) => ({
      path: "/elasticsearch-goods/_msearch",
      index: "elasticsearch-goods",
      body: `{}\n{${fill(bytes, (i) => `"k${i}":1`)}}\n`,
    }),
  ],
  "typesense: filters in a union": [
    "typesense",
    (bytes) => ({
      path: "/multi_search",
      body: `{"union":true,"searches":[{"collection":"typesense-goods","q":"mug","filter_by":"${"($".repeat(bytes / 2)}"}]}`,
    }),
  ],
  "typesense: filters of spaces": [
    "typesense",
    (bytes) => ({
      path: "/multi_search",
      body: `{"searches":[{"collection":"typesense-goods","q":"mug","filter_by":"${`(${" ".repeat(2000)}`.repeat(bytes / 2001)}","sort_by":"${" ".repeat(bytes / 4)}x"}]}`,
    }),
  ],
  "solr: a form": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=red+mug&${fill(bytes, (i) => `k${i}=1`, "&")}` }),
  ],
  "solr: a form of one name": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=red+mug&${fill(bytes, () => "fq=a:1", "&")}` }),
  ],
  "solr: a long q": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=${"a.b-c:d+".repeat(bytes / 8)}` }),
  ],
  "solr: a q of spaces": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=${"+".repeat(bytes)}{!v=$x}` }),
  ],
  "solr: local parameters": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q={!${"v=$x+".repeat(bytes / 5)}` }),
  ],
  "solr: a long fl": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fl=${"a,+".repeat(bytes / 3)}` }),
  ],
  "solr: an escaped fl": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fl=id,${"%61%2c".repeat(bytes / 6)}` }),
  ],
  "solr: an fl of transformers": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fl=id,${"[explain],".repeat(bytes / 10)}` }),
  ],
  "solr: parsers": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fq=${"{!term}".repeat(bytes / 7)}` }),
  ],
  "solr: escaped parsers": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fq=${String.raw`\{!term f=a}`.repeat(bytes / 12)}` }),
  ],
  "solr: parsers inside of parsers": [
    "solr",
    (bytes) => ({
      path: "/solr/solr-goods/select",
      index: "solr-goods",
      body: `q=mug&fq={!term ${"f=collapse{!term ".repeat(bytes / 17)}f=x}`,
    }),
  ],
  "solr: transformers inside of transformers": [
    "solr",
    (bytes) => ({
      path: "/solr/solr-goods/select",
      index: "solr-goods",
      body: `q=mug&fl=id,[explain ${"style=nl[explain ".repeat(bytes / 17)}style=nl]`,
    }),
  ],
  "solr: facets inside of facets": [
    "solr",
    (bytes) => ({
      path: "/solr/solr-goods/select",
      index: "solr-goods",
      body: `q=mug&json.facet=${'{"a":{"gap":1,"facet":'.repeat(bytes / 24)}{}${"}}".repeat(bytes / 24)}`,
    }),
  ],
  "solr: references": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fq=${"$a ".repeat(bytes / 3)}` }),
  ],
  "solr: backslashes": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fq=${"\\".repeat(bytes)}` }),
  ],
  "solr: local parameters in quotes": [
    "solr",
    (bytes) => ({ path: "/solr/solr-goods/select", index: "solr-goods", body: `q=mug&fq={!term ${'v="a" '.repeat(bytes / 6)}}` }),
  ],
  "solr: queries that refer to each other": [
    "solr",
    (bytes) => {
      const clauses = (name: string) => `{!bool ${fill(bytes / 6, () => `must=$${name}`, " ")}}`;
      const texts = { q: "a", a: "b", b: "c", c: "d", d: "e", e: "e" };
      const params = Object.entries(texts).map(([name, next]) => [name, clauses(next)]);
      return { path: "/solr/solr-goods/select", index: "solr-goods", body: new URLSearchParams(params).toString() };
    },
  ],
  "solr: long parameters": [
    "solr",
    (bytes) => ({
      path: "/solr/solr-goods/select",
      index: "solr-goods",
      body: `q=mug&${fill(bytes, () => `fq=${"a%20b".repeat(210)}`, "&")}`,
    }),
  ],
  "elasticsearch: a script": [
    "elasticsearch",
    (bytes) => ({
      path: "/elasticsearch-goods/_search",
      index: "elasticsearch-goods",
      body: `{"query":{"script_score":{"query":{"match":{"t":"mug"}},"script":{"source":"${"1+".repeat(bytes / 2)}1"}}},"size":10}`,
    }),
  ],
  "vespa: clauses of one field": [
    "vespa",
    (bytes) => ({
      ...PATHS["vespa"]!,
      body: JSON.stringify({ yql: `select * from sources * where ${fill(bytes, () => 't contains "a"', " or ")}` }),
    }),
  ],
  "vespa: a form": ["vespa", (bytes) => ({ path: "/search/", body: `query=red+mug&${fill(bytes, (i) => `k${i}=1`, "&")}` })],
  ...Object.fromEntries(
    Object.entries({
      spaces: " ",
      quotes: "'a'",
      comments: "/**/",
      calls: "userInput({",
      "calls with settings": 'userInput({"a":1} ',
      selects: "select a from ",
      letters: "a",
      "begun comments": "/*",
      escapes: String.raw`'\n'`,
    }).map(([name, part]) => [
      `vespa: yql of ${name}`,
      [
        "vespa",
        (bytes: number) => ({
          path: "/search/",
          body: `{"hits":10,"yql":${JSON.stringify(`select * from x where ${part.repeat(bytes / JSON.stringify(part).length)}`)}}`,
        }),
      ],
    ]),
  ),
  ...Object.fromEntries(
    Object.entries<(bytes: number) => string>({
      aliases: (bytes) => `{ ${fill(bytes, (i) => `a${i}: search(query: "mug", first: 5) { nodes { id } }`, " ")} }`,
      "one field over and over": (bytes) => `{ ${fill(bytes, () => 'search(query: "mug", first: 5) { nodes { id } }', " ")} }`,
      "a long selection": (bytes) => `{ search(query: "mug", first: 5) { nodes { ${fill(bytes, (i) => `f${i}`, " ")} } } }`,
      comments: (bytes) => `${"#\n".repeat(bytes / 3)}{ search(query: "mug", first: 5) { nodes { id } } }`,
      "a long text": (bytes) => `{ search(query: "${"mug ".repeat(bytes / 4)}", first: 5) { nodes { id } } }`,
      "a block of lines": (bytes) => `{ search(query: """${"\n  mug".repeat(bytes / 7)}""", first: 5) { nodes { id } } }`,
      nesting: (bytes) => `{ ${"a{".repeat(bytes / 3)}`,
      "a text of quotes": (bytes) => `{ search(query: """${'\\"'.repeat(bytes / 5)}""", first: 5) { nodes { id } } }`,
    }).map(([name, build]) => [
      `shopify: ${name}`,
      ["shopify", (bytes: number) => ({ path: "/api/2026-07/graphql.json", body: JSON.stringify({ query: build(bytes) }) })],
    ]),
  ),
  "shopify: the document alone": [
    "shopify",
    (bytes) => ({
      path: "/api/2026-07/graphql.json",
      body: `${"#\n".repeat(bytes / 2)}{ search(query: "mug", first: 5) { nodes { id } } }`,
    }),
  ],
};

/** URLs, as long as runtimes take them. */
export const URLS: readonly (readonly [dialect: string, Asked])[] = [
  ["elasticsearch", { path: "/elasticsearch-goods/_search", index: "elasticsearch-goods" }],
  ["algolia", { path: "/1/indexes/algolia-goods", index: "algolia-goods" }],
  ["typesense", { path: "/collections/typesense-goods/documents/search", index: "typesense-goods" }],
  ["meilisearch", { path: "/indexes/meilisearch-goods/search", index: "meilisearch-goods" }],
  ["solr", { path: "/solr/solr-goods/select", index: "solr-goods" }],
  ["vespa", { path: "/search/" }],
  ["generic", { path: "/v1/search" }],
];

export const PARAMS: Readonly<Record<string, (bytes: number) => string>> = {
  "distinct parameters": (bytes) => fill(bytes, (i) => `k${i}=1`, "&"),
  "one parameter over and over": (bytes) => fill(bytes, () => "q=mug", "&"),
  "empty parameters": (bytes) => "&".repeat(bytes),
  "escaped parameters": (bytes) => fill(bytes, (i) => `%6b${i}=%20`, "&"),
  "one long parameter": (bytes) => `q=${"mug+".repeat(bytes / 4)}`,
  "equals signs": (bytes) => `q${"=".repeat(bytes)}`,
};

export function requestOf({ method = "POST", path, search = "", body = "" }: Asked, limits: RequestLimits): ClientRequest {
  const contentType = /^\s*[[{]/.test(body) ? "application/json" : "application/x-www-form-urlencoded";
  return { method, path, search: search === "" ? "" : `?${search}`, body: new TextEncoder().encode(body), limits, contentType };
}
