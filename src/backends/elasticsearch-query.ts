/**
 * The words a shopper typed, found in an Elasticsearch or OpenSearch query: the first full-text clause, looking through the clauses that
 * only wrap others.
 *
 * Filters, exclusions and exact terms are not what the shopper typed, so they are not searched. Reads parsed JSON, sends nothing.
 */
import { isObject, member, textOf } from "./json-values.ts";

/** `{ clause: { <any field>: text | { query: text } } }` */
const FIELD_CLAUSES = ["match", "match_phrase", "match_phrase_prefix", "match_bool_prefix"];

/** `{ clause: { query: text } }` */
const TEXT_CLAUSES = ["multi_match", "combined_fields", "query_string", "simple_query_string"];

/** Clause → the members that hold queries (one or a list), most telling first. */
const WRAPPERS: readonly (readonly [string, readonly string[]])[] = [
  ["bool", ["must", "should"]],
  ["function_score", ["query"]],
  ["script_score", ["query"]],
  ["dis_max", ["queries"]],
  ["hybrid", ["queries"]],
  ["boosting", ["positive"]],
  ["constant_score", ["filter"]],
  ["nested", ["query"]],
  ["pinned", ["organic"]],
];

const MAX_CLAUSE_DEPTH = 30;

/** `query` is the value of the body's `query` member. */
export function queryTextOf(query: unknown, depth: number = 0): string | undefined {
  if (!isObject(query) || depth > MAX_CLAUSE_DEPTH) return undefined;
  for (const clause of FIELD_CLAUSES) {
    const fields = member(query, clause);
    if (!isObject(fields)) continue;
    const [condition] = Object.values(fields);
    const text = textOf(condition) ?? textOf(member(condition, "query"));
    if (text !== undefined) return text;
  }
  for (const clause of TEXT_CLAUSES) {
    const text = textOf(member(member(query, clause), "query"));
    if (text !== undefined) return text;
  }
  for (const [clause, places] of WRAPPERS) {
    const wrapper = member(query, clause);
    for (const place of places) {
      const inner = member(wrapper, place);
      for (const one of Array.isArray(inner) ? inner : [inner]) {
        const text = queryTextOf(one, depth + 1);
        if (text !== undefined) return text;
      }
    }
  }
  return undefined;
}
