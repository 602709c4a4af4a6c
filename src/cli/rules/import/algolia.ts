/**
 * Algolia's rules, as its dashboard and `browseRules` export them: a list of objects, or lines of them. Schema:
 * https://github.com/algolia/api-clients-automation (specs/search/paths/rules/common/schemas.yml).
 */
import * as v from "valibot";
import { readFilters } from "../../../backends/filters.ts";
import type { Phrase } from "../../../rules/document.ts";
import { addActions, type Collector, createCollector, type Imported, instantOf, whenOf } from "./report.ts";

const condition = v.looseObject({
  pattern: v.optional(v.string()),
  anchoring: v.optional(v.picklist(["is", "startsWith", "endsWith", "contains"])),
  alternatives: v.optional(v.unknown()),
  context: v.optional(v.string()),
  filters: v.optional(v.string()),
});

const rules = v.array(
  v.looseObject({
    objectID: v.string(),
    conditions: v.optional(v.array(condition)),
    /** Before several conditions were possible. */
    condition: v.optional(condition),
    consequence: v.optional(
      v.looseObject({
        promote: v.optional(
          v.array(v.looseObject({ objectID: v.optional(v.string()), objectIDs: v.optional(v.array(v.string())), position: v.number() })),
        ),
        filterPromotes: v.optional(v.boolean()),
        hide: v.optional(v.array(v.looseObject({ objectID: v.string() }))),
        params: v.optional(v.record(v.string(), v.unknown())),
        userData: v.optional(v.unknown()),
      }),
    ),
    description: v.optional(v.string()),
    enabled: v.optional(v.boolean()),
    validity: v.optional(v.array(v.looseObject({ from: v.optional(v.number()), until: v.optional(v.number()) }))),
  }),
);

type Source = v.InferOutput<typeof rules>[number];

export function importAlgolia(json: unknown): Imported {
  const to = createCollector();
  for (const source of v.parse(rules, json)) importRule(source, to);
  return to.done();
}

function importRule(source: Source, to: Collector): void {
  const { objectID: id, consequence = {}, enabled, description, validity = [{}] } = source;
  const conditions = source.conditions ?? (source.condition === undefined ? [] : [source.condition]);
  const { promote = [], hide = [], params = {}, filterPromotes } = consequence;
  for (const [name, value] of Object.entries(params)) {
    if (name !== "optionalFilters")
      to.refused(id, `params.${name} (${JSON.stringify(value).slice(0, 80)}): it changes the request, and rules here move hits only`);
  }
  if (consequence.userData !== undefined) to.refused(id, "userData: data for the page, which stays with the page");
  const pins = promote.flatMap(({ objectID, objectIDs = objectID === undefined ? [] : [objectID], position }) =>
    // From 0 there; a group takes the places that follow.
    objectIDs.map((item, i) => ({ id: item, position: position + 1 + i })),
  );
  if (pins.length > 0 && filterPromotes !== true)
    to.changed(id, "pins ignore filters there (filterPromotes is not true); here an item that the filters leave out is not shown");
  const hidden = hide.map(({ objectID }) => objectID);
  const boosts = boostsIn(id, params["optionalFilters"], to);
  for (const group of groupsOf(id, conditions, to)) {
    for (const { from, until } of validity) {
      const when = whenOf({ ...group, from: instantOf(from), until: instantOf(until) });
      const common = {
        ...(description !== undefined && { note: description.slice(0, 2000) }),
        ...(enabled === false && { enabled: false }),
        ...(when !== undefined && { when }),
      };
      addActions(to, id, common, { pins, hidden });
      for (const { field, value } of boosts)
        to.rule(id, { ...common, action: { do: "boost", match: [{ field, is: [value] }], places: BOOST } }, ".boost");
    }
  }
}

/** A score of theirs is no number of places: this one lifts to the first page. */
const BOOST = 20;

function boostsIn(id: string, given: unknown, to: Collector): readonly { readonly field: string; readonly value: string }[] {
  const list = given === undefined ? [] : [given].flat(2);
  return list.flatMap((one) => {
    const [, field, value] = /^([^:<]+):"?([^"<]+?)"?(?:<score=\d+>)?$/.exec(typeof one === "string" ? one : "") ?? [];
    if (field === undefined || value === undefined || value.startsWith("-")) {
      to.refused(id, `optionalFilters ${JSON.stringify(one)}: no single value of a field`);
      return [];
    }
    to.changed(id, `optionalFilters ${JSON.stringify(one)} becomes a boost by ${BOOST} places: choose the number`);
    return [{ field, value }];
  });
}

interface Group {
  readonly query?: Phrase[];
  readonly plurals?: boolean;
  readonly emptyQuery?: true;
  readonly context?: string[];
  readonly filters?: Record<string, string[]>;
}

/** Any condition fires a rule there; those that differ in their phrase only are one rule here. */
function groupsOf(id: string, conditions: Source["conditions"], to: Collector): readonly Group[] {
  if (conditions === undefined || conditions.length === 0) return [{}];
  const groups = new Map<string, Group>();
  for (const { pattern, anchoring = "is", alternatives, context, filters: written } of conditions) {
    const filters = written === undefined ? undefined : readFilters(written);
    if (written !== undefined && filters === undefined) {
      to.refused(id, `filters ${JSON.stringify(written)}: no list of fields and values`);
      continue;
    }
    if (pattern !== undefined && /\{facet:/.test(pattern)) {
      to.refused(id, `pattern ${JSON.stringify(pattern)}: a placeholder for a facet's values; name the values, one phrase each`);
      continue;
    }
    const hasAlternatives = alternatives !== undefined && alternatives !== false && JSON.stringify(alternatives) !== "[]";
    if (hasAlternatives)
      to.changed(id, "alternatives covers plurals, synonyms and typos there; here plurals only: list synonyms as phrases");
    const common: Group = {
      ...(context !== undefined && context !== "" && { context: [context] }),
      ...(filters !== undefined && { filters: Object.fromEntries([...filters].map(([field, values]) => [field, [...values]])) }),
      ...(hasAlternatives && { plurals: true }),
    };
    if (pattern === undefined) groups.set(JSON.stringify([common, "any"]), common);
    else if (pattern === "" && anchoring === "is") groups.set(JSON.stringify([common, "empty"]), { ...common, emptyQuery: true });
    else if (pattern === "") groups.set(JSON.stringify([common, "any"]), common);
    else {
      const key = JSON.stringify([common, "words"]);
      const phrase = phraseOf(id, pattern, anchoring, to);
      groups.set(key, { ...common, query: [...(groups.get(key)?.query ?? []), phrase] });
    }
  }
  return [...groups.values()];
}

function phraseOf(id: string, pattern: string, anchoring: "is" | "startsWith" | "endsWith" | "contains", to: Collector): Phrase {
  if (anchoring === "is") return { is: pattern };
  if (anchoring === "startsWith") return { starts: pattern };
  if (anchoring === "endsWith") to.changed(id, `${JSON.stringify(pattern)} had to end the query; here it may stand anywhere in it`);
  return { contains: pattern, ordered: true };
}
