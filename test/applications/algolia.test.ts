import { expect, it } from "vitest";
import { ALGOLIA } from "../../src/backends/algolia.ts";
import { ALGOLIA_APPLICATIONS } from "./algolia.ts";
import { planOf } from "./plans.ts";

const dialect = ALGOLIA.create(new Map([["products", {}]]));

it.each(ALGOLIA_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    const index = search.request.path.includes("/products") ? "products" : search.request.path.includes("*") ? "*" : undefined;
    expect(planOf(dialect, index, search)).toEqual({ words: search.words, outcomes: [search.outcome, ...(search.others ?? [])] });
  },
);
