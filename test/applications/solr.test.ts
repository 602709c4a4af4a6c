import { expect, it } from "vitest";
import { SOLR } from "../../src/backends/solr.ts";
import { planOf } from "./plans.ts";
import { SOLR_APPLICATIONS } from "./solr.ts";

const dialect = SOLR.create(new Map([["products", {}]]));

it.each(SOLR_APPLICATIONS.map((search) => [search.application, search.what, search] as const))("%s: %s", (_application, _what, search) => {
  expect(planOf(dialect, "products", search)).toEqual({ words: search.words, outcomes: [search.outcome] });
});
