import { createStorefrontClient } from "@shopify/hydrogen-react";

const storefront = createStorefrontClient({
  storeDomain: "https://search.shop.example",
  publicStorefrontToken: "public-token",
});

const SEARCH = `
  query Search($query: String!, $first: Int!, $after: String, $filters: [ProductFilter!], $sortKey: SearchSortKeys, $reverse: Boolean) {
    search(query: $query, first: $first, after: $after, types: [PRODUCT], productFilters: $filters, sortKey: $sortKey, reverse: $reverse) {
      totalCount
      pageInfo { hasNextPage endCursor }
      productFilters { id label values { label count input } }
      nodes { ... on Product { id handle title } }
    }
  }`;

const at = (selector) => document.querySelector(selector);

const element = (tag, text, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(text, ...children);
  return made;
};

const input = element("input", "", { type: "search" });
const select = element("select", "", {}, [
  element("option", "Relevance", { value: "RELEVANCE" }),
  element("option", "Price", { value: "PRICE" }),
]);

let chosen = [];
let latest = 0;

async function show(after) {
  const number = ++latest;
  // A sort by relevance is what Shopify does without one.
  const sort = select.value === "PRICE" ? { sortKey: "PRICE" } : {};
  const response = await fetch(storefront.getStorefrontApiUrl(), {
    method: "POST",
    headers: storefront.getPublicTokenHeaders(),
    body: JSON.stringify({ query: SEARCH, variables: { query: input.value, first: 10, after, filters: chosen, ...sort } }),
  });
  const { totalCount, pageInfo, productFilters, nodes } = (await response.json()).data.search;
  // An answer that another search has overtaken.
  if (number !== latest) return;
  at("#count").replaceChildren(String(totalCount));
  at("#hits").replaceChildren(
    ...nodes.map(({ handle, title }) => {
      const link = element("a", title, { href: `#${handle}` });
      link.dataset.id = handle;
      return element("li", "", {}, [link]);
    }),
  );
  at("#facet").replaceChildren(
    ...productFilters
      .flatMap(({ values }) => values)
      .map(({ label, count, input: filter }) => {
        const box = element("input", "", { type: "checkbox", checked: chosen.some((one) => JSON.stringify(one) === filter) });
        box.addEventListener("change", () => {
          chosen = box.checked ? [...chosen, JSON.parse(filter)] : chosen.filter((one) => JSON.stringify(one) !== filter);
          void show();
        });
        const name = element("span", label, { className: "ais-RefinementList-labelText" });
        return element("label", "", {}, [box, name, element("span", String(count), { className: "ais-RefinementList-count" })]);
      }),
  );
  const next = element("button", "Next", { type: "button", className: "next", disabled: !pageInfo.hasNextPage });
  next.addEventListener("click", () => void show(pageInfo.endCursor));
  at("#pages").replaceChildren(next);
}

input.addEventListener("input", () => void show());
select.addEventListener("change", () => void show());
at("#box").append(input);
at("#sort").append(select);
void show();
