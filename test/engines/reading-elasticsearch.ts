/**
 * The edge's own reading of a request beside what the engine made of it: words, page, order and index, written out as a plain search, find the
 * hits that the request itself finds. Requests say each of these several times, in all the ways in which engines read them.
 */
import type { ClientRequest } from "../../src/backends/dialect.ts";
import { ELASTICSEARCH } from "../../src/backends/elasticsearch.ts";
import { createRandom } from "../../src/demo/catalogue/random.ts";
import { ask } from "./judge.ts";

/** With the client's own key nothing is refused, so all that engines take is read. */
const open = ELASTICSEARCH.create(new Map(["products", "offers"].map((name) => [name, { forwardCredentials: true }])));
const own = ELASTICSEARCH.create(new Map(["products", "offers"].map((name) => [name, {}])));

type Random = ReturnType<typeof createRandom>;

const WORDS = ["red", "mug", "lamp", "red mug", "blue bag", "  striped  ", "watch", "*", "xyzzy"] as const;

interface Asked {
  readonly path: string;
  readonly body: string | undefined;
  readonly contentType: string | undefined;
}

const maybe = <T>(random: Random, chance: number, make: () => T): T | undefined => (random.chance(chance / 100) ? make() : undefined);

/** A number of a body or of the URL, as clients and as people write it. */
const inBody = (random: Random): unknown => {
  const n = Math.floor(random.between(0, 13));
  const odd = [-1, null, "", "x", true, [n]];
  return random.pick(random.chance(0.08) ? odd : [n, n, String(n), ` ${n} `, `+${n}`, `0${n}`, n + 0.5, `${n}.0`, `${n}.7`]);
};
const inUrl = (random: Random): string => {
  const n = Math.floor(random.between(0, 13));
  return random.pick(random.chance(0.08) ? [`+${n}`, `${n}.0`, "", "-1", "x"] : [String(n), String(n), `%2B${n}`, `00${n}`]);
};

const SORTS: readonly unknown[] = [
  "_score",
  ["_score"],
  [{ _score: "desc" }],
  [{ _score: "DESC" }],
  { _score: { order: "Desc" } },
  { _score: {} },
  [],
  ["price"],
  [{ price: "asc" }],
  [{ _score: "asc" }],
  ["price", "_score"],
];
const URL_SORTS = [
  "_score",
  "_score:desc",
  "_score:DESC",
  "_score:ASC",
  "_score:asc",
  "_score:",
  "",
  "price:asc",
  "price",
  "price:asc,_score",
  ",",
  "_score:x",
];

const clause = (random: Random, words: string): unknown =>
  random.pick([
    { match: { title: words } },
    { match: { title: { query: words } } },
    { multi_match: { query: words, fields: ["title"] } },
    { query_string: { query: words, default_field: "title" } },
    { simple_query_string: { query: words, fields: ["title"] } },
    { bool: { must: [{ match: { title: words } }] } },
    { bool: { should: { match: { title: words } } } },
  ]);

/** The same JSON in another spelling. */
function spelled(random: Random, json: string): string {
  if (random.chance(0.05)) return random.pick([json.replace(/}$/, ',"size":3}'), `${json} {}`, json.replace(/}$/, ",}")]);
  return random.pick([
    json,
    JSON.stringify(JSON.parse(json), undefined, 2),
    `\u{feff}${json}`,
    ` \r\n${json}\n`,
    json.replace('"query"', String.raw`"qu\u0065ry"`),
    json.replace('"size"', String.raw`"\u0073ize"`),
  ]);
}

export function randomReading(random: Random): Asked {
  const body: Record<string, unknown> = {};
  const isInBody = random.chance(0.75);
  if (isInBody) body["query"] = clause(random, random.pick(WORDS));
  const size = maybe(random, 50, () => inBody(random));
  if (size !== undefined) body["size"] = size;
  const from = maybe(random, 30, () => inBody(random));
  if (from !== undefined) body["from"] = from;
  const sort = maybe(random, 25, () => random.pick(random.chance(0.05) ? ["", [["_score"]], null] : SORTS));
  if (sort !== undefined) body["sort"] = sort;
  const params: string[] = [];
  const add = (chance: number, make: () => string): void => {
    for (let i = 0; i < 2; i++) if (random.chance(chance / 100)) params.push(make());
  };
  add(isInBody ? 10 : 60, () => `q=${encodeURIComponent(random.pick([...WORDS, "title:red", "", "-red", "_id:p0007"]))}`);
  if (params.length > 0) params.push("df=title");
  add(20, () => `size=${inUrl(random)}`);
  add(12, () => `from=${inUrl(random)}`);
  add(15, () => `sort=${random.pick(URL_SORTS)}`);
  add(1, () => random.pick(["unknown=1", "size=%zz"]));
  add(5, () => random.pick(["format=JSON", "format=", "pretty", "format=yaml", "typed_keys=true", "rest_total_hits_as_int=true", "human"]));
  const text = Object.keys(body).length === 0 && random.chance(0.5) ? undefined : spelled(random, JSON.stringify(body));
  const separator = random.pick(["&", "&", "&", ";"]);
  const contentType =
    text === undefined
      ? undefined
      : random.pick([
          "application/json",
          "application/json",
          "application/json;charset=UTF-8",
          "Application/JSON; charset=ISO-8859-1",
          "application/x-ndjson",
          "text/plain",
        ]);
  if (text !== undefined && contentType === "application/json" && random.chance(0.1)) {
    params.push(`source=${encodeURIComponent(text)}`, "source_content_type=application/json");
    return { path: `/products/_search?${params.join(separator)}`, body: undefined, contentType: undefined };
  }
  const search = params.length === 0 ? "" : `?${params.join(separator)}`;
  return { path: `/products/_search${search}`, body: text, contentType };
}

/** What the edge reads otherwise than the engine; empty where all is well. */
export async function differences(engine: string, count: number, seed: string): Promise<string[]> {
  const random = createRandom(seed);
  const faults: string[] = [];
  const reasons = new Map<string, number>();
  for (let i = 0; i < count; i++) {
    const asked = randomReading(random);
    const [fault, reason] = await differenceOf(engine, asked); // oxlint-disable-line no-await-in-loop
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (fault !== undefined) faults.push(`${i}: ${fault}: ${JSON.stringify(asked)}`);
  }
  console.info(`${count} random readings: ${[...reasons].map(([reason, n]) => `${reason} ${n}`).join(", ")}`);
  return faults;
}

/** Also indented, as `pretty` has it. */
const SORTED = /"sort" ?: ?\[/;

/** Left alone for another reason than how the request was read. */
const READ: ReadonlySet<string> = new Set(["size_zero", "no_query_text"]);

async function differenceOf(
  engine: string,
  { path, body, contentType }: Asked,
): Promise<readonly [fault: string | undefined, reason: string]> {
  const direct = await ask(engine, {
    path,
    ...(body !== undefined && { body }),
    headers: contentType === undefined ? {} : { "content-type": contentType },
  });
  const [pathname = "", query] = path.split("?");
  const request: ClientRequest = {
    method: body === undefined ? "GET" : "POST",
    path: pathname,
    search: query === undefined ? "" : `?${query}`,
    body: new TextEncoder().encode(body ?? ""),
    contentType,
  };
  const [plan, ownPlan] = [open.plan(request, "products"), own.plan(request, "products")];
  const search = plan.ok ? plan.value.searches[0] : undefined;
  if (search === undefined) return ["refused with the client's own key", "refused"];
  if (direct.status >= 300) return [undefined, "engine_status"];
  if (!ownPlan.ok) return [`refused with the edge's key (${ownPlan.error.message}), the engine says ${direct.status}`, "refused"];
  const reason = search.bypass?.reason ?? "applied";
  if (reason !== "applied" && !READ.has(reason)) {
    // Whatever is left alone may be left alone, but not an ordinary search by relevance. `-1` is the default of Elasticsearch 7 alone.
    const isSorted = SORTED.test(direct.body) || idsOf(direct.body).length === 0;
    const isOdd = direct.body.startsWith("---") || `${path}${body}`.includes("-1");
    return [isSorted || isOdd ? undefined : `left alone (${search.bypass?.detail})`, reason];
  }
  const words = search.queryText;
  const plain = { query: words === undefined ? undefined : { match: { title: words } }, from: search.offset, size: search.limit };
  const expected = await ask(engine, { path: `/${search.index}/_search`, body: JSON.stringify(plain) });
  // Hits of one score may be sorted by something else.
  const listOf = SORTED.test(direct.body) ? scoresOf : idsOf;
  const [found, wanted] = [listOf(direct.body), listOf(expected.body)];
  if (words === undefined) return [found.length <= search.limit ? undefined : "another size", reason];
  return [
    JSON.stringify(found) === JSON.stringify(wanted)
      ? undefined
      : `read as ${JSON.stringify(plain)}: ${wanted.length} hits, the engine gives ${found.length}`,
    reason,
  ];
}

/** The ids of hits, in the order of the reply. */
function idsOf(body: string): readonly string[] {
  return [...body.matchAll(/"_id" ?: ?"([^"]*)"/g)].map(([, id = ""]) => id);
}

function scoresOf(body: string): readonly string[] {
  return [...body.matchAll(/"_score" ?: ?([\d.]+)/g)].map(([, score = ""]) => score);
}
