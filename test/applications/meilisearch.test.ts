import { expect, it } from "vitest";
import { MEILISEARCH } from "../../src/backends/meilisearch.ts";
import { MEILISEARCH_APPLICATIONS } from "./meilisearch.ts";
import { planOf } from "./plans.ts";

const dialect = MEILISEARCH.create(new Map([["products", {}]]));

it.each(MEILISEARCH_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    const index = search.request.path.includes("/products") ? "products" : search.request.path.includes("*") ? "*" : undefined;
    expect(planOf(dialect, index, search)).toEqual({ words: search.words, outcomes: [search.outcome, ...(search.others ?? [])] });
  },
);
