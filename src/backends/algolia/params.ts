/** Parameters of a search that Algolia's API reference names, and those that its clients put beside them. */
import type { Result } from "../../result.ts";
import { anything, type Check, createCheck, mapOf, notPassedOn, oneOf, ownIndexes, plain, type Rule, rulesOf, shape } from "../allowed.ts";
import type { DialectOptions, Refusal } from "../dialect.ts";
import type { Index } from "../dialects.ts";
import type { Asked, Param } from "../json/request.ts";
import { isObject } from "../json/values.ts";

const WORDS = `query similarQuery
  filters facetFilters optionalFilters optionalFacetFilters optionalTagFilters numericFilters tagFilters sumOrFiltersScores restrictSearchableAttributes
  facets maxValuesPerFacet facetingAfterDistinct sortFacetValuesBy maxFacetHits
  attributesToRetrieve responseFields attributesToHighlight attributesToSnippet highlightPreTag highlightPostTag snippetEllipsisText
  restrictHighlightAndSnippetArrays replaceSynonymsInHighlight getRankingInfo
  page hitsPerPage offset length
  minWordSizefor1Typo minWordSizefor2Typos typoTolerance allowTyposOnNumericTokens disableTypoToleranceOnAttributes disableTypoToleranceOnWords
  aroundLatLng aroundLatLngViaIP aroundRadius minimumAroundRadius insideBoundingBox insidePolygon
  ignorePlurals removeStopWords keepDiacriticsOnCharacters queryLanguages naturalLanguages decompoundQuery
  enableRules ruleContexts synonyms enablePersonalization personalizationImpact allowReRankingOnPersonalization userToken
  enableABTest enableReRanking reRankingApplyFilter mode
  queryType removeWordsIfNoResults advancedSyntax advancedSyntaxFeatures optionalWords disableExactOnAttributes disablePrefixOnAttributes
  exactOnSingleWordQuery alternativesAsExact minProximity attributeCriteriaComputedByMinProximity attributeCriteriaComputedBy
  ranking customRanking relevancyStrictness distinct attributeForDistinct
  analytics analyticsTags clickAnalytics percentileComputation explain`;

const isRange = (range: unknown): boolean =>
  isObject(range) && Object.entries(range).every(([key, number]) => (key === "from" || key === "value") && typeof number === "number");

/** Precisions by distance: `[{ from: 0, value: 25 }]`. */
const ranges: Rule = (given) => (Array.isArray(given.value) && given.value.every(isRange) ? undefined : plain(given));

/** Indexes whose events are learned from. */
export const indexNames =
  (own: ReadonlySet<string>): Rule =>
  ({ value }) => {
    const names: readonly unknown[] = Array.isArray(value) ? value : [value ?? []].flat();
    return names.every((name) => typeof name === "string" && own.has(name)) ? undefined : "names an index that is not configured";
  };

/** Parameters of any URL, in any case. The client's key is withheld where the edge has its own (engine.ts). */
export const ABOUT_CLIENT: ReadonlySet<string> = new Set([
  "x-algolia-agent",
  "x-algolia-api-key",
  "x-algolia-application-id",
  "x-algolia-request-id",
  "x-algolia-usertoken",
]);

export interface Checks {
  /** Of the members beside a list of searches. */
  readonly around: Check;
  /** Of the URL of a POST. */
  url(index: string, params: readonly Param[]): Refusal | undefined;
  /** `url`: parameters beside the body. `asked`: the error says why it could not be read. */
  refusalOf(index: Index, url: readonly Param[], asked: Result<Asked, string>): Refusal | undefined;
}

/** Of a search, wherever its parameters stand. */
export function searchRules(options: ReadonlyMap<string, DialectOptions>): ReadonlyMap<string, Rule> {
  const order = shape(rulesOf("order hide sortRemainingBy"));
  const facetOrdering = shape(rulesOf("", { facets: order, values: mapOf(order) }));
  return rulesOf(WORDS, {
    aroundPrecision: ranges,
    // What a reply repeats.
    renderingContent: shape(rulesOf("", { facetOrdering, redirect: shape(rulesOf("url")) })),
    extensions: shape(rulesOf("", { queryCategorization: shape(rulesOf("enableCategoriesRetrieval enableAutoFiltering")) })),
    semanticSearch: shape(rulesOf("", { eventSources: indexNames(ownIndexes(options)) })),
  });
}

/** What clients may ask of each index. */
export function createChecks(options: ReadonlyMap<string, DialectOptions>): Checks {
  const names = indexNames(ownIndexes(options));
  const params = searchRules(options);
  const inText = createCheck(options, params);
  const type = oneOf("default", "facet");
  const inObject = createCheck(options, new Map([...params, ...rulesOf("params facet facetQuery", { indexName: names, type })]));
  const strategy = oneOf("none", "stopIfEnoughMatches");
  const inUrl = createCheck(options, new Map([...params, ["strategy", strategy]]));
  const url = (name: string, all: readonly Param[]): Refusal | undefined =>
    inUrl(name, { params: all.filter(({ key }) => !ABOUT_CLIENT.has(key.toLowerCase())), body: undefined });
  return {
    around: createCheck(options, rulesOf("", { requests: anything, strategy })),
    url,
    refusalOf({ name, options: { forwardCredentials } }, given, asked) {
      if (forwardCredentials === true) return undefined;
      if (!asked.ok) return notPassedOn(asked.error);
      const other = url(name, given);
      const { params: written, body } = asked.value;
      // Without a body, the parameters are those of the URL.
      const own = body === undefined ? written.filter(({ key }) => !ABOUT_CLIENT.has(key.toLowerCase())) : written;
      return other ?? inText(name, { params: own, body: undefined }) ?? inObject(name, { params: [], body });
    },
  };
}
