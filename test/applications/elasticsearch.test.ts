import { expect, it } from "vitest";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";
import { ELASTICSEARCH_APPLICATIONS } from "./elasticsearch.ts";
import { planOf } from "./plans.ts";

const dialect = ELASTICSEARCH.create(new Map([["products", {}]]));

it.each(ELASTICSEARCH_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    const index = search.request.path.startsWith("/products/") ? "products" : undefined;
    expect(planOf(dialect, index, search)).toEqual({ words: search.words, outcomes: [search.outcome, ...(search.others ?? [])] });
  },
);
