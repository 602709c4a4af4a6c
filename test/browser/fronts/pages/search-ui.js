import { SearchDriver } from "@elastic/search-ui";
import ElasticsearchAPIConnector from "@elastic/search-ui-elasticsearch-connector";

const connector = new ElasticsearchAPIConnector({
  host: "https://search.shop.example",
  index: "stock",
});

const driver = new SearchDriver({
  apiConnector: connector,
  alwaysSearchOnInitialLoad: true,
  trackUrlState: true,
  initialState: { resultsPerPage: 10 },
  searchQuery: {
    search_fields: { title: { weight: 2 } },
    result_fields: { title: { raw: {} }, price: { raw: {} } },
    facets: { category: { type: "value", size: 20 } },
    disjunctiveFacets: ["category"],
  },
});

const at = (selector) => document.querySelector(selector);

const element = (tag, text, properties = {}, children = []) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(text, ...children);
  return made;
};

const input = element("input", "", { type: "search" });
input.addEventListener("input", () => driver.getActions().setSearchTerm(input.value, { debounce: 100 }));
at("#box").append(input);

const select = element("select", "", {}, [element("option", "Relevance", { value: "" }), element("option", "Price", { value: "price" })]);
select.addEventListener("change", () => driver.getActions().setSort(select.value, select.value === "" ? "" : "asc"));
at("#sort").append(select);

driver.subscribeToStateChanges(({ results, totalResults, totalPages, current, facets, filters, searchTerm, sortField }) => {
  if (document.activeElement !== input) input.value = searchTerm ?? "";
  select.value = sortField ?? "";
  at("#count").replaceChildren(String(totalResults));
  at("#hits").replaceChildren(
    ...results.map(({ id, title }) => {
      const link = element("a", title.raw, { href: `#${id.raw}` });
      link.dataset.id = id.raw;
      return element("li", "", {}, [link]);
    }),
  );
  const chosen = filters.find(({ field }) => field === "category")?.values ?? [];
  at("#facet").replaceChildren(
    ...(facets?.category?.[0]?.data ?? []).map(({ value, count }) => {
      const box = element("input", "", { type: "checkbox", checked: chosen.includes(value) });
      box.addEventListener("change", () => {
        const { addFilter, removeFilter } = driver.getActions();
        (box.checked ? addFilter : removeFilter)("category", value, "any");
      });
      const name = element("span", value, { className: "ais-RefinementList-labelText" });
      return element("label", "", {}, [box, name, element("span", String(count), { className: "ais-RefinementList-count" })]);
    }),
  );
  const next = element("button", "Next", { type: "button", className: "next", disabled: current >= totalPages });
  next.addEventListener("click", () => driver.getActions().setCurrent(current + 1));
  at("#pages").replaceChildren(next);
});
