/**
 * Parameters of a search that Meilisearch's API reference names, and the indexes and remotes in them.
 *
 * Not in the table, because they lead to another instance, to an address or to a model beside the index: `useNetwork`, `remote`, `media`,
 * `personalize`, and filters with `_foreign(…)`.
 */
import { anything, type Check, createCheck, ownIndexes, plain, type Rule, rulesOf, shape } from "../allowed.ts";
import { type Call, documentIn, inBody, inUrl, ofClients } from "../calls.ts";
import type { DialectOptions } from "../dialect.ts";
import { isObject } from "../json/values.ts";

const WORDS = `q vector offset limit page hitsPerPage sort distinct facets matchingStrategy attributesToSearchOn rankingScoreThreshold locales
  attributesToRetrieve retrieveVectors attributesToCrop cropLength cropMarker attributesToHighlight highlightPreTag highlightPostTag
  showMatchesPosition showRankingScore showRankingScoreDetails showPerformanceDetails`;

/** In the URL of a search, where the body has objects. */
const URL_WORDS = "hybridEmbedder hybridSemanticRatio";

/** The condition is put to another index. */
const FOREIGN = /_foreign\s*\(/i;

const filter: Rule = (given) => {
  const texts: readonly unknown[] = Array.isArray(given.value) ? given.value.flat(Infinity) : [given.value];
  return texts.some((text) => typeof text === "string" && FOREIGN.test(text)) ? "reads another index (_foreign)" : plain(given);
};

const indexName =
  (own: ReadonlySet<string>): Rule =>
  ({ value }) =>
    typeof value === "string" && own.has(value) ? undefined : "names an index that is not configured";

/** Index → facets. */
const byIndex =
  (own: ReadonlySet<string>): Rule =>
  (given) => {
    if (given.value === null) return undefined;
    const read = given.object();
    if (!read.ok) return read.error;
    const { members, values } = read.value;
    if (members.some(({ key }) => !own.has(key))) return "names an index that is not configured";
    return Object.values(values).some(isObject) ? "holds an object" : undefined;
  };

export interface Checks {
  /** Of the members beside a list of searches; such a request has no parameters in its URL. */
  readonly around: Check;
  readonly url: Check;
  readonly search: Check;
}

/** Of a search by itself. */
const SEARCH = { filter, hybrid: shape(rulesOf("embedder semanticRatio")) };

/** What pages ask beside searches. */
export function meilisearchCalls(options: ReadonlyMap<string, DialectOptions>): readonly Call[] {
  const nothing = createCheck(options, new Map());
  const facet = rulesOf(`${WORDS} facetName facetQuery exhaustiveFacetCount`, SEARCH);
  const similar = rulesOf(
    `id offset limit embedder attributesToRetrieve retrieveVectors showRankingScore showRankingScoreDetails rankingScoreThreshold
    showPerformanceDetails`,
    { filter },
  );
  const document = createCheck(options, rulesOf("fields retrieveVectors"));
  const similarIn = createCheck(options, similar);
  return [
    { methods: ["GET"], path: "/health", own: inUrl(nothing) },
    { methods: ["GET"], path: "/version", own: inUrl(nothing), isShops: true },
    {
      methods: ["POST"],
      path: "/indexes/:index/facet-search",
      own: inBody(createCheck(options, facet)),
    },
    {
      methods: ["GET", "POST"],
      path: "/indexes/:index/similar",
      own: (index, said) => (said.request.method === "GET" ? inUrl : inBody)(similarIn)(index, said),
    },
    { methods: ["GET"], path: "/indexes/:index/documents/:id", own: documentIn(document) },
    ...ofClients(`GET /indexes/:index/documents
      POST /indexes/:index/documents/fetch
      GET /indexes/:index/stats`),
    { methods: ["GET"], path: "/indexes/:index", isShops: true },
  ];
}

/** What clients may ask of each index. */
export function createChecks(options: ReadonlyMap<string, DialectOptions>): Checks {
  const own = ownIndexes(options);
  const facetsByIndex = byIndex(own);
  const mergeFacets = shape(rulesOf("maxValuesPerFacet"));
  const federation = shape(rulesOf("limit offset page hitsPerPage distinct showPerformanceDetails", { facetsByIndex, mergeFacets }));
  const federationOptions = shape(rulesOf("weight queryPosition"));
  const search = rulesOf(`${WORDS} ${URL_WORDS}`, { ...SEARCH, federationOptions, indexUid: indexName(own) });
  return {
    around: createCheck(options, rulesOf("", { queries: anything, federation })),
    url: createCheck(options, new Map()),
    search: createCheck(options, search),
  };
}
