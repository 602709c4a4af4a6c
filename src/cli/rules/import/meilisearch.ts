/**
 * Meilisearch's search rules in their three shapes, told apart by their members: lists of conditions and actions (1.41 to 1.49), an object of
 * conditions with a list of actions (1.50), objects of both (from 1.51). Documentation: https://www.meilisearch.com/docs/capabilities/search_rules/overview;
 * shapes: https://github.com/meilisearch/meilisearch/pull/6549.
 */
import * as v from "valibot";
import { readFilters } from "../../../backends/filters.ts";
import type { Phrase, Rule } from "../../../rules/document.ts";
import { addActions, type Collector, createCollector, type Imported, turnedPriority, whenOf } from "./report.ts";

const time = { start: v.nullish(v.string()), end: v.nullish(v.string()) };
const id = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);

const listed = v.looseObject({
  scope: v.picklist(["query", "time"]),
  contains: v.nullish(v.string()),
  isEmpty: v.nullish(v.boolean()),
  ...time,
});

const conditions = v.looseObject({
  query: v.nullish(v.looseObject({ words: v.nullish(v.string()), isEmpty: v.nullish(v.boolean()) })),
  time: v.nullish(v.looseObject(time)),
  filter: v.nullish(v.looseObject({ values: v.nullish(v.union([v.string(), v.array(v.string())])) })),
});

const pinAction = v.looseObject({
  selector: v.looseObject({ indexUid: v.nullish(v.string()), id: v.nullish(id) }),
  action: v.looseObject({ type: v.string(), position: v.nullish(v.number()) }),
});

const actions = v.looseObject({
  pin: v.nullish(v.array(v.looseObject({ id, position: v.number(), indexUid: v.nullish(v.string()) }))),
  scale: v.nullish(
    v.array(
      v.looseObject({ weight: v.number(), ids: v.nullish(v.array(id)), filter: v.nullish(v.string()), indexUid: v.nullish(v.string()) }),
    ),
  ),
});

const rules = v.array(
  v.looseObject({
    uid: v.string(),
    description: v.nullish(v.string()),
    active: v.nullish(v.boolean()),
    priority: v.nullish(v.number()),
    precedence: v.nullish(v.number()),
    conditions: v.nullish(v.union([v.array(listed), conditions])),
    actions: v.union([v.array(pinAction), actions]),
  }),
);

const source = v.union([
  rules,
  v.pipe(
    v.looseObject({ results: rules }),
    v.transform(({ results }) => results),
  ),
]);

type Source = v.InferOutput<typeof rules>[number];

export function importMeilisearch(json: unknown): Imported {
  const to = createCollector();
  for (const one of v.parse(source, json)) importRule(one, to);
  return to.done();
}

interface Conditions {
  readonly words: readonly Phrase[];
  readonly isEmpty: boolean;
  readonly start: string | undefined;
  readonly end: string | undefined;
  readonly filters: Record<string, string[]> | undefined;
}

/** `undefined` where the rule cannot be taken over. */
function conditionsOf({ uid, conditions: given }: Source, to: Collector): Conditions | undefined {
  if (Array.isArray(given)) {
    const words = given.flatMap(({ contains }) => contains ?? []);
    if (words.length > 0)
      to.changed(uid, `contains ${JSON.stringify(words[0])} was a piece of text ("cap" fired for "escape"); here it is whole words`);
    if (words.length > 1) {
      to.refused(uid, "several conditions on the query, all of which must hold: write one phrase with all their words");
      return undefined;
    }
    const timed = given.find(({ scope }) => scope === "time");
    const isEmpty = given.some((one) => one.isEmpty === true);
    return {
      words: words.map((contains) => ({ contains, ordered: true })),
      isEmpty,
      start: timed?.start ?? undefined,
      end: timed?.end ?? undefined,
      filters: undefined,
    };
  }
  const written = [given?.filter?.values ?? []].flat();
  const filters = written.length === 0 ? undefined : readFilters(written.join(" AND "));
  if (written.length > 0 && filters === undefined) {
    to.refused(uid, `conditions.filter ${JSON.stringify(written)}: no list of fields and values`);
    return undefined;
  }
  const words = given?.query?.words ?? undefined;
  return {
    words: words === undefined ? [] : [{ contains: words }],
    isEmpty: given?.query?.isEmpty === true,
    start: given?.time?.start ?? undefined,
    end: given?.time?.end ?? undefined,
    filters: filters && Object.fromEntries([...filters].map(([field, values]) => [field, [...values]])),
  };
}

function importRule(one: Source, to: Collector): void {
  const { uid, actions: given } = one;
  const found = conditionsOf(one, to);
  if (found === undefined) return;
  const { pins, scales } = Array.isArray(given)
    ? { pins: pinsIn(uid, given, to), scales: [] }
    : { pins: given.pin ?? [], scales: given.scale ?? [] };
  const commonOf = (index: string | undefined): Omit<Rule, "id" | "action"> => {
    const when = whenOf({
      query: [...found.words],
      emptyQuery: found.isEmpty ? true : undefined,
      filters: found.filters,
      index: index === undefined ? undefined : [index],
      from: found.start,
      until: found.end,
    });
    return {
      ...(one.description != null && { note: one.description.slice(0, 2000) }),
      ...(one.active === false && { enabled: false }),
      // Lower wins there.
      priority: turnedPriority(one.precedence ?? one.priority),
      ...(when !== undefined && { when }),
    };
  };
  for (const [index, list] of Map.groupBy(pins, ({ indexUid }) => indexUid ?? undefined)) {
    // From 0 there, although its screen counts from 1.
    addActions(to, uid, commonOf(index), { pins: list.map((pin) => ({ id: pin.id, position: pin.position + 1 })), hidden: [] });
  }
  for (const scale of scales) {
    const filters = scale.filter == null ? undefined : readFilters(scale.filter);
    if (scale.filter != null && filters === undefined) {
      to.refused(uid, `scale.filter ${JSON.stringify(scale.filter)}: no list of fields and values`);
      continue;
    }
    const ids = scale.ids ?? [];
    const match = [
      ...(ids.length > 0 ? [{ ids: [...ids] }] : []),
      ...[...(filters ?? [])].map(([field, values]) => ({ field, is: [...values] })),
    ];
    if (match.length === 0 || scale.weight === 1) {
      to.refused(uid, `scale by ${scale.weight}: it names no items, or changes nothing`);
      continue;
    }
    const common = commonOf(scale.indexUid ?? undefined);
    if (scale.weight === 0) {
      to.changed(uid, "a pin there wins over hiding; here hiding wins over a pin");
      to.rule(uid, { ...common, action: { do: "hide", match } }, ".hide");
      continue;
    }
    // A weight multiplies a score there; twice the score is worth this many places here.
    const places = Math.min(1000, Math.max(1, Math.round(10 * Math.abs(Math.log2(scale.weight)))));
    to.changed(uid, `scale by ${scale.weight} becomes a move by ${places} places: choose the number`);
    to.rule(uid, { ...common, action: { do: scale.weight > 1 ? "boost" : "bury", match, places } }, scale.weight > 1 ? ".boost" : ".bury");
  }
}

function pinsIn(uid: string, list: readonly v.InferOutput<typeof pinAction>[], to: Collector) {
  return list.flatMap(({ selector, action }) => {
    if (action.type === "pin" && selector.id != null && action.position != null)
      return [{ id: selector.id, position: action.position, indexUid: selector.indexUid }];
    to.refused(uid, `action ${JSON.stringify(action.type)}: it names no item and position`);
    return [];
  });
}
