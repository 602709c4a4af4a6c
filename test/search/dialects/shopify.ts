/** Shopify Storefront: `search` and `predictiveSearch` of documents that the stand-in knows by their text. */
import { type Ask, cut, type EngineStandIn, listOf, numberOf, objectOf, post, type ReadSearch, type StandInItem } from "./stand-in.ts";

type Variables = Readonly<Record<string, unknown>>;

const PRODUCT = "fragment Card on Product { id handle title trackingParameters priceRange { minVariantPrice { amount } } }";

/** As a shop asks that compiles its documents: aliases, fragments, variables with a context. */
const SEARCH = `
  query Search($query: String!, $first: Int = 10, $after: String, $country: CountryCode) @inContext(country: $country) {
    found: search(query: $query, first: $first, after: $after, types: [PRODUCT]) {
      totalCount
      pageInfo { hasNextPage endCursor }
      edges { cursor item: node { ...Card } }
      nodes { ... on Product { slug: handle } }
    }
  }
  ${PRODUCT}`;

/** As the search page of Hydrogen does: of three searches one is for products. */
const KINDS = `
  query Kinds($query: String!) {
    articles: search(query: $query, types: [ARTICLE], first: 3) { nodes { ... on Article { id title } } }
    products: search(query: $query, types: [PRODUCT], first: 10) { nodes { ...Card } }
  }
  ${PRODUCT}`;

const SEVERAL = `{
  red: search(query: "red", first: 10, types: PRODUCT) { nodes { ... on Product { id handle } } }
  blue: search(query: "blue", first: 4, types: PRODUCT) { nodes { ... on Product { id handle } } }
  cheap: search(query: "red", first: 10, types: PRODUCT, sortKey: PRICE) { nodes { ... on Product { id handle } } }
}`;

const FACETS = `{
  search(query: "red", first: 10, types: PRODUCT, productFilters: [{ available: true }]) {
    productFilters { id label values { label count } }
    nodes { ... on Product { id handle } }
  }
}`;

const MIXED = `{ search(query: "red", first: 10) { nodes { __typename ... on Product { id handle } ... on Article { id handle } } } }`;

const PREDICTED = `query($term: String!) { predictiveSearch(query: $term) { queries { text } products { id handle } } }`;

const SORTED = `query($sort: SearchSortKeys) {
  search(query: "red", first: 10, types: PRODUCT, sortKey: $sort, reverse: true) { nodes { ... on Product { id handle } } }
}`;

const COUNTED = `{ search(query: "red", first: 10, types: PRODUCT) { totalCount } }`;

const ask = (query: string, variables: Variables = {}): Ask => post("/api/2026-07/graphql.json", { query, variables });

const gid = (type: string, position: number) => `gid://shopify/${type}/${7_000_000_000_001 + position}`;

const products = (items: readonly StandInItem[], offset: number, limit: number) =>
  cut([...items.entries()], offset, limit).map(([position, { id, title, price }]) => ({
    id: gid("Product", position),
    handle: id,
    title,
    trackingParameters: `_pos=${position + 1}&_sid=0a1b2c3d4&_ss=r`,
    priceRange: { minVariantPrice: { amount: price.toFixed(1) } },
  }));

const named = (items: readonly StandInItem[], limit: number) => products(items, 0, limit).map(({ id, handle }) => ({ id, handle }));

const cursorOf = (position: number): string => btoa(JSON.stringify({ last_id: position }));

/** To the `data` of a document. */
type Execute = (items: readonly StandInItem[], variables: Variables) => object;

const DOCUMENTS: ReadonlyMap<string, Execute> = new Map<string, Execute>([
  [
    SEARCH,
    (items, { first, after }) => {
      const offset = typeof after === "string" ? numberOf(objectOf(JSON.parse(atob(after)))["last_id"], 0) + 1 : 0;
      const page = products(items, offset, numberOf(first, 10));
      const edges = page.map((item, i) => ({ cursor: cursorOf(offset + i), item }));
      const pageInfo = { hasNextPage: offset + page.length < items.length, endCursor: edges.at(-1)?.cursor ?? null };
      return { found: { totalCount: items.length, pageInfo, edges, nodes: page.map(({ handle }) => ({ slug: handle })) } };
    },
  ],
  [
    KINDS,
    (items) => ({
      articles: { nodes: [0, 1, 2].map((position) => ({ id: gid("Article", position), title: `article ${position}` })) },
      products: { nodes: products(items, 0, 10) },
    }),
  ],
  [
    SEVERAL,
    (items) => ({ red: { nodes: named(items, 10) }, blue: { nodes: named(items, 4) }, cheap: { nodes: named(items, 10).toReversed() } }),
  ],
  [
    FACETS,
    (items) => ({
      search: {
        productFilters: [{ id: "filter.v.availability", label: "Availability", values: [{ label: "In stock", count: items.length }] }],
        nodes: named(items, 10),
      },
    }),
  ],
  [
    MIXED,
    (items) => {
      const nodes: object[] = named(items, 8).map((one) => ({ __typename: "Product", ...one }));
      // An article can have the handle of a product.
      const article = (position: number) => ({ __typename: "Article", id: gid("Article", position), handle: items.at(-position)?.id });
      return { search: { nodes: nodes.toSpliced(5, 0, article(1)).toSpliced(1, 0, article(2)) } };
    },
  ],
  [PREDICTED, (items) => ({ predictiveSearch: { queries: [{ text: "red sofa" }], products: named(items, 10) } })],
  [SORTED, (items) => ({ search: { nodes: named(items, 10).toReversed() } })],
  [COUNTED, (items) => ({ search: { totalCount: items.length } })],
]);

async function answer(request: Request, items: readonly StandInItem[]): Promise<Response> {
  const { query, variables } = objectOf(await request.json());
  const data = DOCUMENTS.get(String(query))?.(items, objectOf(variables));
  if (data === undefined) return Response.json({ errors: [{ message: "The stand-in does not know this document" }] });
  return Response.json({ data, extensions: { cost: { requestedQueryCost: 12 } } });
}

const handlesIn = (nodes: unknown): string[] => listOf(nodes).map((node) => String(objectOf(node)["handle"] ?? objectOf(node)["slug"]));

function readSearch(part: unknown, others: object): ReadSearch {
  const { edges, nodes, products: predicted, ...rest } = objectOf(part);
  if (edges === undefined) return { ids: handlesIn(nodes ?? predicted ?? []), rest: { ...rest, others } };
  const ids = handlesIn(listOf(edges).map((edge) => objectOf(edge)["item"]));
  // Cursors belong to positions, and both lists are of the same products.
  const cursors = listOf(edges).map((edge) => objectOf(edge)["cursor"]);
  return { ids, rest: { ...rest, others, cursors, areSame: JSON.stringify(handlesIn(nodes)) === JSON.stringify(ids) } };
}

const pageInfoOf = (reply: unknown) => objectOf(objectOf(objectOf(objectOf(reply)["data"])["found"])["pageInfo"]);

export const shopify: EngineStandIn = {
  title: "Shopify Storefront",
  backend: "shopify",
  index: "products",
  // The drawn catalogue knows its items by their handles.
  config: { idField: "handle" },
  pages: [],
  walk: {
    first: (query, limit) => ask(SEARCH, { query, first: limit }),
    next(reply) {
      const { hasNextPage, endCursor } = pageInfoOf(reply);
      return hasNextPage === true ? ask(SEARCH, { query: "red velvet sofa", first: 9, after: endCursor }) : undefined;
    },
  },
  answer,
  read(reply) {
    const { data, ...rest } = objectOf(reply);
    const { articles, ...searches } = objectOf(data);
    return Object.values(searches).map((part) => readSearch(part, { ...rest, articles }));
  },
  cases: [
    { feature: "search", title: "`search`", ask: ask(SEARCH, { query: "red", first: 10, country: "CA" }), outcomes: ["applied"] },
    { feature: "search", title: "`predictiveSearch`", ask: ask(PREDICTED, { term: "red" }), outcomes: ["applied"] },
    {
      feature: "multi-search",
      title: "several `search` fields",
      ask: ask(SEVERAL),
      outcomes: ["applied", "applied", "explicit_sort"],
    },
    { feature: "multi-search", title: "beside articles", ask: ask(KINDS, { query: "red" }), outcomes: ["applied"] },
    { feature: "facets", title: "`productFilters`", ask: ask(FACETS), outcomes: ["applied"] },
    { feature: "sort", title: "`sortKey`, `reverse`", ask: ask(SORTED, { sort: "PRICE" }), outcomes: ["explicit_sort"] },
    { feature: "pinned hits", title: "articles and pages", ask: ask(MIXED), outcomes: ["applied"], pinned: [1, 6] },
    {
      feature: "cursor",
      title: "`after`, `before`, `last`",
      ask: ask(SEARCH, { query: "red", first: 10, after: cursorOf(9) }),
      outcomes: ["cursor"],
    },
    { feature: "no hits", title: "`totalCount` alone", ask: ask(COUNTED), outcomes: ["size_zero"] },
  ],
};
