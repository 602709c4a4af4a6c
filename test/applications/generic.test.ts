import { expect, it } from "vitest";
import { GENERIC } from "../../src/backends/generic.ts";
import { GENERIC_APPLICATIONS } from "./generic.ts";
import { planOf } from "./plans.ts";

it.each(GENERIC_APPLICATIONS.map((search) => [search.application, search.what, search] as const))(
  "%s: %s",
  (_application, _what, search) => {
    const dialect = GENERIC.create(new Map([["products", { pageSize: 20, generic: search.generic }]]));
    expect(planOf(dialect, undefined, search)).toEqual({ words: search.words, outcomes: [search.outcome] });
  },
);
