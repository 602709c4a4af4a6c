/**
 * Elasticsearch's query rule sets, as `GET _query_rules/<id>` gives them. Documentation:
 * https://www.elastic.co/guide/en/elasticsearch/reference/current/put-query-ruleset.html.
 */
import * as v from "valibot";
import type { Phrase } from "../../../rules/document.ts";
import { addActions, type Collector, createCollector, type Imported, turnedPriority, whenOf } from "./report.ts";

const id = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);

const rule = v.looseObject({
  rule_id: v.string(),
  type: v.picklist(["pinned", "exclude"]),
  criteria: v.union([
    v.array(v.looseObject({ type: v.string(), metadata: v.optional(v.string()), values: v.optional(v.array(id)) })),
    v.pipe(
      v.looseObject({ type: v.string(), metadata: v.optional(v.string()), values: v.optional(v.array(id)) }),
      v.transform((one) => [one]),
    ),
  ]),
  actions: v.looseObject({
    ids: v.optional(v.array(id)),
    docs: v.optional(v.array(v.looseObject({ _index: v.optional(v.string()), _id: id }))),
  }),
  priority: v.nullish(v.number()),
});

const set = v.looseObject({ rules: v.array(rule) });

const source = v.union([
  v.pipe(
    set,
    v.transform((one) => [one]),
  ),
  v.array(set),
]);

/** Their documentation calls the shopper's words so. */
const QUERY_NAMES: ReadonlySet<string> = new Set(["user_query", "query_string", "query", "q", "my_query", "user-query"]);

export function importElasticsearch(json: unknown): Imported {
  const to = createCollector();
  const all = v.parse(source, json).flatMap(({ rules }) => rules);
  // In the order of the file where no priority says more, as there.
  for (const [i, one] of all.entries()) importRule(one, one.priority == null ? -Math.min(1000, i) : turnedPriority(one.priority), to);
  return to.done();
}

function importRule(one: v.InferOutput<typeof rule>, priority: number, to: Collector): void {
  const { rule_id: source_, type, criteria, actions } = one;
  let query: Phrase[] | undefined;
  // Each list of words is one way in which the rule may fire; here all words of a rule must be there.
  let contexts: string[][] = [[]];
  for (const { type: how, metadata = "", values = [] } of criteria) {
    if (how === "always" || how === "global") continue;
    if (["lt", "lte", "gt", "gte"].includes(how))
      return to.refused(source_, `the criterion ${how} on ${metadata}: requests have no numbers here`);
    if (QUERY_NAMES.has(metadata)) {
      if (query !== undefined)
        return to.refused(source_, "two criteria on the query, both of which must hold: write one phrase with all their words");
      query = values.map((text) => phraseOf(source_, how, text, to));
      continue;
    }
    if (how !== "exact") return to.refused(source_, `the criterion ${how} on ${metadata}: context words are compared as a whole`);
    to.ask(source_, `metadata ${metadata}: send it as a word of x-armmt-context, ${JSON.stringify(`${metadata}=${values[0] ?? ""}`)} say`);
    contexts = contexts.flatMap((words) => values.map((value) => [...words, `${metadata}=${value}`]));
  }
  const docs = actions.docs ?? (actions.ids ?? []).map((item) => ({ _id: item, _index: undefined }));
  for (const context of contexts) {
    for (const [index, list] of Map.groupBy(docs, ({ _index: of }) => of)) {
      const when = whenOf({ query, context, index: index === undefined ? undefined : [index] });
      const common = { priority, ...(when !== undefined && { when }) };
      const ids = list.map(({ _id: item }) => item);
      if (type === "exclude") addActions(to, source_, common, { pins: [], hidden: ids });
      else addActions(to, source_, common, { pins: ids.map((item, i) => ({ id: item, position: i + 1 })), hidden: [], gap: "close" });
    }
  }
  if (type === "pinned")
    to.changed(source_, "a pinned item was shown for words that it does not match; here it must be among the hits of the window");
}

function phraseOf(source_: string, how: string, text: string, to: Collector): Phrase {
  if (how === "exact") return { is: text };
  const said = JSON.stringify(text);
  if (how === "exact_fuzzy" || how === "fuzzy") {
    to.changed(source_, `${said} fired with typos too; here without: list the usual ones as phrases`);
    return { is: text };
  }
  if (how === "prefix") {
    to.changed(source_, `${said} was the beginning of a text; here it is whole words at the beginning`);
    return { starts: text };
  }
  to.changed(source_, `${said} (${how}) was a piece of text; here it is whole words anywhere in the query`);
  return { contains: text, ordered: true };
}
