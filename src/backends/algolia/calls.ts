/** What pages ask of Algolia beside searches. */
import { anything, createCheck, oneOf, ownIndexes, problemIn, type Rule, rulesOf, shape } from "../allowed.ts";
import { type Call, documentIn, inUrl, type SaidInCall, ofClients } from "../calls.ts";
import type { DialectOptions, Refusal } from "../dialect.ts";
import { paramsOf } from "../json/request.ts";
import { indexNames, searchRules } from "./params.ts";

/** Parameters in a text, written like a URL's. */
const written =
  (rules: ReadonlyMap<string, Rule>): Rule =>
  ({ value }) => {
    if (typeof value !== "string") return "is no text";
    const problem = problemIn({ params: paramsOf(value), body: undefined }, rules);
    return problem && `.${problem}`;
  };

export function algoliaCalls(options: ReadonlyMap<string, DialectOptions>): readonly Call[] {
  const names = indexNames(ownIndexes(options));
  const search = searchRules(options);
  const facet = new Map([...search, ...rulesOf("facetQuery")]);
  const document = createCheck(options, rulesOf("attributesToRetrieve"));
  const ofFacet = createCheck(options, new Map([...facet, ["params", written(facet)]]));
  const url = createCheck(options, new Map());
  const around = createCheck(options, rulesOf("", { requests: anything }));
  const parameters = shape(search);
  const wanted = createCheck(options, rulesOf("objectID attributesToRetrieve", { indexName: names }));
  const recommended = createCheck(
    options,
    rulesOf("objectID threshold maxRecommendations facetName facetValue", {
      indexName: names,
      model: oneOf("bought-together", "looking-similar", "recommended-for-you", "related-products", "trending-facets", "trending-items"),
      queryParameters: parameters,
      fallbackParameters: parameters,
    }),
  );
  const listed =
    (check: typeof wanted) =>
    (index: string, said: SaidInCall): Refusal | undefined =>
      url(index, { params: said.params, body: undefined }) ??
      around(index, { params: [], body: said.body }) ??
      said.objects.map((body) => check(index, { params: [], body })).find((refusal) => refusal !== undefined);
  const list = { list: "requests", name: "indexName" };
  return [
    { methods: ["GET"], path: "/1/isalive", own: inUrl(createCheck(options, new Map())) },
    {
      methods: ["POST"],
      path: "/1/indexes/:index/facets/:facet/query",
      own: (index, said) => url(index, { params: said.params, body: undefined }) ?? ofFacet(index, { params: [], body: said.body }),
    },
    { methods: ["POST"], path: "/1/indexes/:all/objects", list, own: listed(wanted) },
    {
      methods: ["POST"],
      path: "/1/indexes/:all/recommendations",
      list,
      own: listed(recommended),
    },
    // Before the documents, of which one could have that id.
    ...ofClients(`GET|POST /1/indexes/:index/browse`),
    {
      methods: ["GET"],
      path: "/1/indexes/:index/:id",
      own: documentIn(document),
    },
  ];
}
