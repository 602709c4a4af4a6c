import { expect, it } from "vitest";
import { VESPA } from "../../src/backends/vespa.ts";
import { planOf } from "./plans.ts";
import { VESPA_APPLICATIONS } from "./vespa.ts";

const dialect = VESPA.create(new Map([["product", { schemas: ["product", "item", "music", "paragraph", "doc"] }]]));

it.each(VESPA_APPLICATIONS.map((search) => [search.application, search.what, search] as const))("%s: %s", (_application, _what, search) => {
  const { words, outcomes } = planOf(dialect, undefined, search);
  // What the edge does not pass on with its own key is refused.
  const [outcome = ""] = outcomes;
  expect([words, outcome.startsWith("400 ") ? "refused" : outcome]).toEqual([search.words, search.outcome]);
});
