import { expect, it } from "vitest";
import { SHOPIFY } from "../../src/backends/shopify.ts";
import { SHOPIFY_APPLICATIONS } from "./shopify.ts";
import { planOf } from "./plans.ts";

const dialect = SHOPIFY.create(new Map([["products", {}]]));

it.each(SHOPIFY_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    expect(planOf(dialect, undefined, search)).toEqual({ words: search.words, outcomes: [search.outcome] });
  },
);
