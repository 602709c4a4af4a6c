import { liteClient } from "algoliasearch/lite";
import { createRoot } from "react-dom/client";
import {
  Configure,
  Hits,
  Index,
  InfiniteHits,
  InstantSearch,
  Pagination,
  RefinementList,
  SearchBox,
  SortBy,
  useInstantSearch,
} from "react-instantsearch";

const searchClient = liteClient("SHOP", "search-key");

const Product = ({ hit }) => (
  <a href={`#${hit.objectID}`} data-id={hit.objectID}>
    {hit.title}
  </a>
);

const Count = () => <p id="count">{useInstantSearch().results.nbHits}</p>;

const isInfinite = location.pathname.endsWith("/infinite");

createRoot(document.querySelector("#shop")).render(
  <InstantSearch searchClient={searchClient} indexName="goods" routing>
    <Configure hitsPerPage={10} />
    <SearchBox id="box" />
    <Count />
    <RefinementList id="facet" attribute="category" searchable limit={20} />
    <SortBy
      id="sort"
      items={[
        { label: "Relevance", value: "goods" },
        { label: "Price", value: "goods_price_asc" },
      ]}
    />
    {isInfinite ? <InfiniteHits id="hits" hitComponent={Product} /> : <Hits id="hits" hitComponent={Product} />}
    {isInfinite || <Pagination id="pages" />}
    <Index indexName="goods_offers" indexId="offers">
      <Configure hitsPerPage={4} />
      <Hits id="offers" hitComponent={Product} />
    </Index>
  </InstantSearch>,
);
