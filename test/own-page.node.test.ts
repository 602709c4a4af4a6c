/** The guide "Ten minutes with your own page": its diffs fit the stock pages that test/browser/fronts opens in Chromium, and lead to the edge. */
import { describe, expect, it } from "vitest";
import { FRONTS } from "./browser/fronts/fronts.ts";
import { GUIDE, guideDiffs, guidedPage, stockPage } from "./browser/fronts/guide.ts";

/** Every front end that the guide is for: the package that makes it what it is → its page. */
const PACKAGES: readonly (readonly [name: string, page: string])[] = [
  ["algoliasearch/lite", "algolia-5.js"],
  ["search-insights", "algolia-5.js"],
  ["algoliasearch-4/lite", "algolia-4.js"],
  ["react-instantsearch", "react.jsx"],
  ["@algolia/autocomplete-js", "autocomplete.js"],
  ["@meilisearch/instant-meilisearch", "meilisearch.js"],
  ["typesense-instantsearch-adapter", "typesense.js"],
  ["@searchkit/instantsearch-client", "searchkit.js"],
  ["@elastic/search-ui-elasticsearch-connector", "search-ui.js"],
  ["@shopify/hydrogen-react", "hydrogen.js"],
];

const PAGES = [...new Set(PACKAGES.map(([, page]) => page))];

it("is about the pages that Chromium opens, and no others", () => {
  expect(FRONTS.map(({ page }) => page).toSorted()).toEqual(PAGES.toSorted());
  expect([...new Set(guideDiffs().map(({ page }) => page))].toSorted()).toEqual(PAGES.toSorted());
});

it.each(PACKAGES)("%s is what %s imports", (name, page) => {
  expect(stockPage(page)).toContain(`from "${name}"`);
});

describe.each(PAGES)("%s", (page) => {
  const own = guideDiffs().filter((diff) => diff.page === page);

  it("becomes a page of the edge by one diff or two", () => {
    expect(own.length).toBeGreaterThanOrEqual(1);
    expect(own.length).toBeLessThanOrEqual(2);
    const guided = guidedPage(page);
    expect(guided).toContain("edge.shop.example");
    expect(guided).not.toContain("search.shop.example");
    for (const { after } of own) expect(after).toContain("edge.shop.example");
  });

  it("fails with a diff that does not fit it, with one that is cut off, and without", () => {
    for (const { before } of own) {
      const line = `-${before.split("\n")[0]!}\n`;
      expect(GUIDE.split(line).length).toBeGreaterThan(1);
      const other = GUIDE.replaceAll(
        line,
        line.replace(/\w/, (letter) => `${letter}${letter}`),
      );
      expect(() => guidedPage(page, other)).toThrow(/does not fit/);
    }
    const header = `\`\`\`diff\n--- ${page}\n`;
    expect(() => guidedPage(page, GUIDE.replace(header, "```diff\n"))).toThrow(/names no file/);
    expect(() => guidedPage(page, GUIDE.replace(`+++ ${page}\n`, "+++ other.js\n"))).toThrow(/names no file/);
    expect(() => guidedPage(page, GUIDE.replaceAll(header, "```\n"))).toThrow(/has no diff/);
  });
});
