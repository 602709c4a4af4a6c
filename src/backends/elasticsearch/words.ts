/** The shopper's words in a search of Elasticsearch or OpenSearch. */
import { isObject, type JsonObject, member, textOf } from "../json/values.ts";
import { luceneWords } from "../lucene.ts";

/** How a clause's text is written. */
type Syntax = "plain" | "query string" | "simple query string";

interface TextClause {
  readonly clause: string;
  /** Members that lead to the text, or to a list of texts: the first that holds one. `*`: any name. */
  readonly paths: readonly (readonly string[])[];
  readonly syntax?: Syntax;
  /** Looks into one field: the code of a shop, or a brand, may be asked for in the same way. */
  readonly isOneField?: boolean;
}

const oneField = (clause: string): TextClause => ({ clause, paths: [["*"], ["*", "query"]], isOneField: true });
const wholeText = (clause: string, syntax: Syntax = "plain"): TextClause => ({ clause, paths: [["query"]], syntax });

const TEXT_CLAUSES: readonly TextClause[] = [
  wholeText("multi_match"),
  wholeText("combined_fields"),
  wholeText("query_string", "query string"),
  wholeText("simple_query_string", "simple query string"),
  wholeText("kql", "query string"),
  wholeText("semantic"),
  wholeText("sparse_vector"),
  { clause: "querqy", paths: [["matching_query", "query"]] },
  { clause: "neural", paths: [["*", "query_text"]] },
  { clause: "neural_sparse", paths: [["*", "query_text"]] },
  { clause: "agentic", paths: [["query_text"]] },
  { clause: "text_expansion", paths: [["*", "model_text"]] },
  { clause: "knn", paths: [["query_vector_builder", "text_embedding", "model_text"]] },
  oneField("match"),
  oneField("match_phrase"),
  oneField("match_phrase_prefix"),
  oneField("match_bool_prefix"),
  oneField("common"),
  { clause: "more_like_this", paths: [["like"], ["like_text"]], isOneField: true },
  { clause: "sltr", paths: ["keywords", "query", "query_string", "user_query", "text"].map((name) => ["params", name]), isOneField: true },
];

/** Clause → the members that hold queries (one or a list), most telling first. Filters, exclusions and exact terms are not the shopper's words. */
const WRAPPERS: readonly (readonly [string, readonly string[]])[] = [
  ["bool", ["must", "should"]],
  ["function_score", ["query"]],
  ["script_score", ["query"]],
  ["dis_max", ["queries"]],
  ["hybrid", ["queries"]],
  ["boosting", ["positive"]],
  ["constant_score", ["filter"]],
  ["nested", ["query"]],
  ["has_child", ["query"]],
  ["has_parent", ["query"]],
  ["pinned", ["organic"]],
  ["rule", ["organic"]],
  ["rule_query", ["organic"]],
];

const MAX_DEPTH = 30;

interface Found {
  readonly text: string;
  readonly isOneField: boolean;
}

/** In a body. */
export function wordsOf(values: JsonObject | undefined): string | undefined {
  const found: Found[] = [];
  const query = member(values, "query");
  inQuery(query, found, 0);
  if (isAllThatMatch(query, found)) return undefined;
  if (found.length === 0) inRetriever(member(values, "retriever"), found, 0);
  if (found.length === 0) for (const search of listOf(member(values, "sub_searches"))) inQuery(member(search, "query"), found, 0);
  if (found.length === 0) for (const knn of listOf(member(values, "knn"))) inQuery({ knn }, found, 0);
  return best(found);
}

/** Spryker asks for everything where a shopper types nothing, and for its type, store and language by `match`. */
function isAllThatMatch(query: unknown, found: readonly Found[]): boolean {
  const asksForAll = listOf(member(member(query, "bool"), "must")).some((inner) => member(inner, "match_all") !== undefined);
  const isFilter = ({ text, isOneField }: Found): boolean => isOneField && !/\s/.test(text);
  return asksForAll && found.length > 1 && found.every(isFilter) && new Set(found.map(({ text }) => text)).size === found.length;
}

/** What has neither letters nor digits nor signs of a script is no word: `*`, say. */
export function isWord(text: string | undefined): text is string {
  return text !== undefined && /[^\s!-/:-@[-`{-~]/.test(text);
}

/** Texts over several fields first; then what most fields are asked for; then what has several words. */
function best(found: readonly Found[]): string | undefined {
  const whole = found.find(({ isOneField }) => !isOneField);
  if (whole !== undefined || found.length <= 1) return (whole ?? found[0])?.text;
  const counts = new Map<string, number>();
  for (const { text } of found) counts.set(text, (counts.get(text) ?? 0) + 1);
  const [first, ...more] = [...counts].toSorted((a, b) => weightOf(b) - weightOf(a));
  if (first === undefined || first[1] === 1 || /\s/.test(first[0])) return first?.[0];
  // Shopware asks for each word on its own, in all fields.
  return [first, ...more].flatMap(([text, count]) => (count === first[1] && !/\s/.test(text) ? [text] : [])).join(" ");
}

const weightOf = ([text, count]: readonly [string, number]): number =>
  count * 2 + (/\S\s+\S/.test(text) ? 1 : 0) + (/\D/.test(text) ? 1 : 0);

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value === undefined ? [] : [value]);

function inQuery(query: unknown, found: Found[], depth: number): void {
  if (!isObject(query) || depth > MAX_DEPTH) return;
  for (const clause of Object.keys(query)) {
    const text = clause === "intervals" ? intervalText(Object.values(Object(query[clause]))[0], 0) : textIn(clause, query[clause]);
    if (text !== undefined && isWord(text)) found.push({ text, isOneField: ONE_FIELD.has(clause) });
  }
  for (const [clause, keys] of WRAPPERS) {
    const wrapper = member(query, clause);
    if (wrapper === undefined) continue;
    for (const key of keys) for (const inner of listOf(member(wrapper, key))) inQuery(inner, found, depth + 1);
  }
}

const BY_NAME: ReadonlyMap<string, TextClause> = new Map(TEXT_CLAUSES.map((clause) => [clause.clause, clause]));
const ONE_FIELD: ReadonlySet<string> = new Set([
  "intervals",
  ...TEXT_CLAUSES.filter(({ isOneField }) => isOneField).map(({ clause }) => clause),
]);

function textIn(clause: string, condition: unknown): string | undefined {
  const known = BY_NAME.get(clause);
  if (known === undefined) return undefined;
  for (const path of known.paths) {
    const text = textAt(condition, path);
    if (text === undefined) continue;
    const { syntax = "plain" } = known;
    return syntax === "plain" ? text : luceneWords(text, syntax === "simple query string");
  }
  return undefined;
}

function textAt(value: unknown, [name, ...rest]: readonly string[]): string | undefined {
  if (name === undefined) {
    if (!Array.isArray(value)) return textOf(value);
    const texts = value.filter((text) => typeof text === "string");
    return textOf(texts.join(" "));
  }
  if (!isObject(value)) return undefined;
  return textAt(name === "*" ? Object.values(value)[0] : member(value, name), rest);
}

/** Of an intervals query: all texts that must be there, and the first of those that may. */
function intervalText(rule: unknown, depth: number): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const text = textOf(member(member(rule, "match"), "query")) ?? textOf(member(member(rule, "prefix"), "prefix"));
  if (text !== undefined) return text;
  const each = (name: string): string[] =>
    listOf(member(member(rule, name), "intervals")).flatMap((inner) => intervalText(inner, depth + 1) ?? []);
  return textOf(each("all_of").join(" ")) ?? each("any_of")[0];
}

/** Retrievers that hold one other as `retriever`, or several in `retrievers`. */
function inRetriever(retriever: unknown, found: Found[], depth: number): void {
  if (!isObject(retriever) || depth > MAX_DEPTH) return;
  for (const [kind, options] of Object.entries(retriever)) {
    if (kind === "standard") inQuery(member(options, "query"), found, depth + 1);
    else if (kind === "knn") inQuery({ knn: options }, found, depth + 1);
    else {
      for (const name of ["query", "inference_text"]) {
        const text = textOf(member(options, name));
        if (text !== undefined && isWord(text)) found.push({ text, isOneField: false });
      }
      for (const inner of [...listOf(member(options, "retriever")), ...listOf(member(options, "retrievers"))]) {
        inRetriever(member(inner, "retriever") ?? inner, found, depth + 1);
      }
    }
  }
}
