/**
 * Typesense's overrides (up to 29) and curation sets (from 30). Documentation: https://typesense.org/docs/30.1/api/curation.html and
 * https://typesense.org/docs/29.0/api/curation.html.
 */
import * as v from "valibot";
import { readFilters } from "../../../backends/filters.ts";
import type { Phrase } from "../../../rules/document.ts";
import { addActions, type Collector, createCollector, type Imported, instantOf, whenOf } from "./report.ts";

const override = v.looseObject({
  id: v.string(),
  rule: v.looseObject({
    query: v.optional(v.string()),
    match: v.optional(v.picklist(["exact", "contains"])),
    filter_by: v.optional(v.string()),
    tags: v.optional(v.array(v.string())),
    synonyms: v.optional(v.boolean()),
    stem: v.optional(v.boolean()),
  }),
  includes: v.optional(v.array(v.looseObject({ id: v.string(), position: v.number() }))),
  excludes: v.optional(v.array(v.looseObject({ id: v.string() }))),
  filter_curated_hits: v.optional(v.boolean()),
  stop_processing: v.optional(v.boolean()),
  effective_from_ts: v.optional(v.number()),
  effective_to_ts: v.optional(v.number()),
});

const source = v.union([
  v.pipe(
    v.looseObject({ overrides: v.array(override) }),
    v.transform(({ overrides }) => overrides),
  ),
  v.pipe(
    v.looseObject({ items: v.array(override) }),
    v.transform(({ items }) => items),
  ),
  v.pipe(
    v.array(v.looseObject({ items: v.array(override) })),
    v.transform((sets) => sets.flatMap(({ items }) => items)),
  ),
  v.array(override),
]);

/** Members that change the request, or are for the page. */
const OTHERS: Readonly<Record<string, string>> = {
  filter_by: "it changes the request, and rules here move hits only",
  sort_by: "it changes the request, and rules here move hits only",
  replace_query: "it changes the request, and rules here move hits only",
  metadata: "data for the page, which stays with the page",
};

export function importTypesense(json: unknown): Imported {
  const to = createCollector();
  // The first of them by id ends the search for others there.
  const list = v.parse(source, json).toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const [i, one] of list.entries()) importOverride(one, 1000 - Math.min(2000, i), to, list.length > 1);
  return to.done();
}

function importOverride(one: v.InferOutput<typeof override>, priority: number, to: Collector, hasOthers: boolean): void {
  const { id, rule, includes = [], excludes = [] } = one;
  for (const [name, why] of Object.entries(OTHERS)) if (one[name] !== undefined) to.refused(id, `${name}: ${why}`);
  if (one["diversity"] !== undefined)
    to.ask(id, "diversity: write a rule that diversifies (by picture or text), or one that caps the field");
  if (rule.synonyms === true) to.changed(id, "the query's synonyms fired it; here only its own words do: list the others as phrases");
  if (one.stop_processing !== false && hasOthers)
    to.changed(id, "stop_processing: the first override that fits was the only one; here all rules that fit apply, in the same precedence");
  const filters = rule.filter_by === undefined ? undefined : readFilters(rule.filter_by);
  if (rule.filter_by !== undefined && filters === undefined)
    return to.refused(id, `rule.filter_by ${JSON.stringify(rule.filter_by)}: no list of fields and values`);
  if (rule.query !== undefined && /\{[^}]+\}/.test(rule.query))
    return to.refused(id, `rule.query ${JSON.stringify(rule.query)}: a placeholder for a field's values; name the values, one phrase each`);
  if (includes.length > 0 && one.filter_curated_hits !== true)
    to.changed(id, "pins ignore filters there (filter_curated_hits is not true); here an item that the filters leave out is not shown");
  if (rule.query !== undefined && rule.match === "contains")
    to.changed(id, `${JSON.stringify(rule.query)} is looked for as whole words, next to each other`);
  const isEmpty = rule.query === "*";
  const query: Phrase[] | undefined =
    rule.query === undefined || isEmpty
      ? undefined
      : [rule.match === "contains" ? { contains: rule.query, ordered: true } : { is: rule.query }];
  const when = whenOf({
    query,
    emptyQuery: isEmpty ? true : undefined,
    plurals: rule.stem,
    filters: filters && Object.fromEntries([...filters].map(([field, values]) => [field, [...values]])),
    context: rule.tags,
    from: instantOf(one.effective_from_ts),
    until: instantOf(one.effective_to_ts),
  });
  // From 1 there too; without its item a pin's place goes to the next.
  addActions(
    to,
    id,
    { priority, ...(when !== undefined && { when }) },
    { pins: includes, hidden: excludes.map((item) => item.id), gap: "close" },
  );
}
