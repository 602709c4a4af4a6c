import { expect, it } from "vitest";
import { TYPESENSE } from "../../src/backends/typesense.ts";
import { TYPESENSE_APPLICATIONS } from "./typesense.ts";
import { planOf } from "./plans.ts";

const dialect = TYPESENSE.create(
  new Map([
    ["products", {}],
    ["categories", {}],
    ["suggestions", {}],
  ]),
);

it.each(TYPESENSE_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    const index = search.request.path.includes("/products") ? "products" : search.request.path.includes("*") ? "*" : undefined;
    expect(planOf(dialect, index, search)).toEqual({ words: search.words, outcomes: [search.outcome, ...(search.others ?? [])] });
  },
);
