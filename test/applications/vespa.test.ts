import { expect, it } from "vitest";
import { VESPA } from "../../src/backends/vespa.ts";
import { planOf } from "./plans.ts";
import { VESPA_APPLICATIONS } from "./vespa.ts";

const dialect = VESPA.create(new Map([["product", { schemas: ["product", "item", "music", "paragraph", "doc"] }]]));

it.each(VESPA_APPLICATIONS.map((search) => [search.application, search.what, search] as const))("%s: %s", (_application, _what, search) => {
  expect(planOf(dialect, undefined, search)).toEqual({ words: search.words, outcomes: [search.outcome] });
});
