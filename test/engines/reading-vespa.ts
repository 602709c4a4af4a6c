/** Random requests, and how Vespa's container and the edge read them. */
import { createRandom } from "../backends/foreign/mutate.ts";
import { VESPA as DIALECT } from "../../src/backends/vespa.ts";
import { planSearch } from "../backends/one-search.ts";
import { ask, type Shape } from "./judge.ts";

const QUERIES = [
  "red mug",
  "blue leather bag",
  "red -mug",
  "+blue bag",
  '"leather bag" red',
  "title:blue bag",
  "Blue BAG",
  "cup (red blue)",
  "red mug*",
  "",
];
const PAGES = ["0", "3", "7", "+4", "012", "", "25"];
const CONDITIONS = [
  "userInput(@q)",
  "userQuery()",
  "{grammar: 'all'}userInput(@q)",
  "title contains 'red'",
  "title contains 'red' and title contains 'mug'",
  "title contains phrase('leather', 'bag')",
  "title contains 'blue' and !(title contains 'bag')",
  "weakAnd(title contains 'red', title contains 'blue')",
  "userInput('red // mug')",
  'userInput("order by price")',
];
const TAILS = [
  "",
  " limit 4",
  " limit 9 offset 2",
  " offset 5",
  " order by price",
  " # order by price",
  ' # "\n order by price # "',
  " /* limit 3 */",
  " limit 6;",
  " timeout 9000",
];
/** Names of the same parameter. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  hits: ["hits", "count", "HITS", "Count"],
  offset: ["offset", "start", "OFFSET"],
  query: ["query", "QUERY", "model.queryString"],
  sorting: ["sorting", "sortspec", "Sorting", "ranking.sorting"],
};

type Pick = <T>(from: readonly T[]) => T;

const written = (list: readonly [string, string][]): string =>
  list.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");

function randomShape(seed: number): Shape {
  const random = createRandom(seed);
  const pick: Pick = (from) => from[random.below(from.length)]!;
  const params: [name: string, value: string][] = [];
  const add = (name: string, value: string): void => {
    const [usual = name] = NAMES[name] ?? [];
    const key = random.below(4) > 0 ? usual : pick(NAMES[name] ?? [name]);
    // Twice under one name: the last counts.
    if (random.below(6) === 0) params.push([key, name === "sorting" ? "" : name === "query" ? "mug" : "2"]);
    params.push([key, value]);
  };
  if (random.below(2) > 0) {
    const yql = `select * from products where ${pick(CONDITIONS)}${pick(TAILS)}`;
    params.push(["yql", yql]);
    if (yql.includes("@q")) params.push(["q", pick(QUERIES.slice(0, -1))]);
    if (yql.includes("userQuery")) add("query", pick(QUERIES.slice(0, -1)));
  } else add("query", pick(QUERIES));
  if (random.below(2) > 0) add("hits", pick(PAGES));
  if (random.below(3) === 0) add("offset", pick(PAGES));
  if (random.below(6) === 0) add("sorting", pick(["-price", "", "+price"]));
  if (random.below(6) === 0) params.push(["Ranking.sorting", "-price"]);
  const where = pick(["url", "json", "form", "url and json", "url and form", "text"]);
  const inUrl = where === "url" ? params : where.startsWith("url and") ? params.filter(() => random.below(2) > 0) : [];
  const inBody = params.filter((param) => !inUrl.includes(param));
  // The other value of one of them in the URL: JSON loses to it, a form beats it.
  if (where.startsWith("url and") && random.below(2) > 0)
    inUrl.push(...inBody.filter(([name]) => name === "hits").map(([name]): [string, string] => [name, "6"]));
  if (where === "text") inUrl.push(["query", "red"]);
  const path = `/search/?${written(inUrl)}`;
  const label = `${seed}: ${where} ${path} ${JSON.stringify(inBody)}`;
  if (where === "url") return { label, path, outcome: "any" };
  if (where.endsWith("form"))
    return { label, path, body: written(inBody), headers: { "content-type": "application/x-www-form-urlencoded" }, outcome: "any" };
  const json = `{${inBody.map(([name, value]) => `${JSON.stringify(name)}:${/^[1-9]\d*$/.test(value) ? value : JSON.stringify(value)}`).join(",")}}`;
  return { label, path, body: json, headers: { "content-type": where === "text" ? "text/plain" : "application/json" }, outcome: "any" };
}

export function randomShapes(count: number): readonly Shape[] {
  return Array.from({ length: count }, (_, i) => randomShape(1000 + i));
}

const open = DIALECT.create(new Map([["products", { forwardCredentials: true }]]));
const wordsIn = (text: string): string => [...new Set(text.toLowerCase().match(/\w+/g))].toSorted().join(" ");

interface Reading {
  readonly offset: number;
  readonly hits: number;
  readonly isSorted: boolean;
  readonly words: string;
}

/** What differs between the two readings; "left" where the edge leaves the request to the engine, which answers or refuses it. */
export async function compareReadings(shape: Shape, engine: string): Promise<string | undefined> {
  const [path = "", search = ""] = shape.path.split("?");
  const body = new TextEncoder().encode(shape.body ?? "");
  const contentType = shape.headers?.["content-type"];
  const plan = planSearch(open, undefined, {
    method: shape.body === undefined ? "GET" : "POST",
    path,
    search: `?${search}`,
    body,
    contentType,
  });
  const { status, body: reply } = await ask(engine, { ...shape, path: `${shape.path}&echo=true&timeout=9s` });
  if (plan.bypass?.reason === "request_not_understood") return "left";
  // Without words the stand-in for content nodes has nothing to look for.
  if (status !== 200) return plan.queryText === undefined ? undefined : `${shape.label}: ${status}, and the edge reads words`;
  const read = asked(reply);
  if (read === undefined) return `${shape.label}: the engine does not say how it reads it: ${reply.slice(0, 200)}`;
  const edge: Reading = {
    offset: plan.offset,
    hits: plan.limit,
    isSorted: plan.bypass?.reason === "explicit_sort",
    words: wordsIn(plan.queryText ?? ""),
  };
  const same = JSON.stringify(edge) === JSON.stringify(read);
  return same ? undefined : `${shape.label}: the edge reads ${JSON.stringify(edge)}, the engine ${JSON.stringify(read)}`;
}

function asked(reply: string): Reading | undefined {
  const parsed: { root: { children?: { id: string; fields: Reading }[] } } = JSON.parse(reply); // oxlint-disable-line no-unsafe-type-assertion
  const fields = parsed.root.children?.find(({ id }) => id === "asked")?.fields;
  return fields && { offset: fields.offset, hits: fields.hits, isSorted: fields.isSorted, words: fields.words };
}
