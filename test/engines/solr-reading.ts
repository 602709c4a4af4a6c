/** Random requests of Solr, and whether the edge reads in them what Solr does: words, page and order. */
import { SOLR as DIALECT } from "../../src/backends/solr.ts";
import { planSearch } from "../backends/one-search.ts";
import { ask, type Shape } from "./judge.ts";
import { encode } from "./shapes-solr.ts";

const WORDS = ["red", "mug", "blue", "bag", "cushion", "striped", "leather", "black"];

const QUERIES: readonly string[] = [
  "A",
  "A B",
  "A B C",
  "+A -B",
  "A -B",
  "-A",
  "A NOT B",
  "A !B",
  "A - B",
  "A AND B",
  "A OR (B AND C)",
  "A AND NOT (B OR C)",
  '"A B"',
  '"A B"~3 C',
  "A^2 B^0.5",
  "A* B",
  "title:A",
  "title:(A B)",
  "title:A AND category:mug",
  "title:A OR -title:B",
  "price:[1 TO 50] AND A",
  "in_stock:true AND A",
  "A AND {!term f=in_stock}true",
  "id:p0001",
  "*:*",
  "*:* -A",
  "title:*",
  "title:[* TO *]",
  "{!edismax qf=title}A B",
  "{!edismax qf='title category' mm=1 v='A B'}",
  "{!dismax qf=title v=$qq}&qq=A B",
  "{!lucene df=title}A -B",
  "{!lucene df=title q.op=AND v=$qq}&qq=A B",
  "{!type=edismax qf=title v=$qq}&qq=A -B",
  "{!boost b=popularity}A B",
  '_query_:"{!dismax qf=title}A B"',
  '_query_:"{!dismax qf=title v=$qq}"&qq=A',
  "{!func}price",
  "{!term f=id}A",
  "{!bool must='title:A' must_not='title:B'}",
  "{!field f=title}A B",
  "A B&defType=edismax&qf=title",
  "A - B&defType=edismax&qf=title",
  "A -B&defType=dismax&qf=title&mm=1",
  "A (B)&defType=edismax&qf=title category",
  "price&defType=func",
];

const PAGES = [
  "",
  "rows=3",
  "start=4&rows=6",
  "start=2",
  "rows=03",
  "rows=80",
  "start=45&rows=10",
  "rows=5&rows=2",
  "start=0&start=7",
  "rows=1",
  "start=60",
];

const ORDERS = [
  "",
  "",
  "",
  "sort=score desc",
  "sort=score desc,price asc",
  "sort=score DESC",
  "sort=price asc",
  "sort=score asc",
  "sort=price desc,score desc",
  "sort=",
  "sort=score desc&sort=price asc",
  "sort=price asc&sort=score desc",
  "sort=in_stock desc,score desc&fq=in_stock:true",
  "sort=product(price,1) asc",
  "sort=_docid_ asc",
  "group=false",
  "fq={!collapse field=category}",
  "fq={!tag=a}in_stock:true",
  "fl=id,title",
  "fl=title",
  "omitHeader=true",
  "echoParams=explicit",
  "rq={!rerank reRankQuery=$r reRankDocs=20}&r=category:mug",
];

const BESIDE = [
  "",
  "",
  "facet=true&facet.field=category",
  "hl=true&hl.fl=title",
  "json.facet={c:{type:terms,field:category}}",
  "json.nl=map&wt=json",
  "fq=price:[5 TO *]",
  "indent=off",
  "cache=false",
];

const FORM = { "content-type": "application/x-www-form-urlencoded" };

/** The same for each run. */
export function randomRequests(count: number): readonly Shape[] {
  let seed = 20;
  const next = (limit: number): number => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return (seed >>> 8) % limit;
  };
  const pick = (texts: readonly string[]): string => texts[next(texts.length)]!;
  return Array.from({ length: count }, (_, i) => {
    const words = { A: pick(WORDS), B: pick(WORDS), C: pick(WORDS) };
    const q = pick(QUERIES).replaceAll(/\b[ABC]\b/g, (name) => (name === "A" ? words.A : name === "B" ? words.B : words.C));
    const parts = [`q=${q}`, pick(PAGES), pick(ORDERS), pick(BESIDE)].filter((part) => part !== "");
    const [url, form] = next(3) > 0 ? [parts, []] : [parts.slice(1), parts.slice(0, 1)];
    return {
      label: `random ${i}: ${parts.join("&")}`,
      path: `/solr/products/select?${encode(url.join("&"))}`,
      outcome: "any",
      ...(form.length > 0 && { body: encode(form.join("&")), headers: FORM }),
    };
  });
}

const dialect = DIALECT.create(new Map([["products", {}]]));

interface Told {
  readonly response?: { readonly start: number; readonly numFound: number; readonly docs: readonly { readonly score: number }[] };
  readonly debug?: { readonly parsedquery_toString: string };
}

/** Where the edge reads something else than Solr did; empty where it does not. Where it leaves a request alone, it need not read it. */
export async function misread(shape: Shape, engine: string): Promise<readonly string[]> {
  const [, search = ""] = shape.path.split("?");
  const body = new TextEncoder().encode(shape.body ?? "");
  const plan = planSearch(dialect, "products", { method: shape.body === undefined ? "GET" : "POST", search: `?${search}`, body });
  if (plan.bypass !== undefined && plan.bypass.reason !== "no_query_text") return [];
  const { body: reply, status } = await ask(engine, { ...shape, path: `${shape.path}&debug=query&json.fields=["score"]` });
  if (status !== 200) return [];
  const told: Told = JSON.parse(reply); // oxlint-disable-line no-unsafe-type-assertion
  const { response, debug } = told;
  if (response === undefined || debug === undefined) return [`${shape.label}: grouped, and the edge reads a list`];
  const faults: string[] = [];
  const said =
    plan.queryText
      ?.toLowerCase()
      .split(/[^\p{L}\p{N}]+/u)
      .filter((word) => word !== "") ?? [];
  const meant = termsOf(debug.parsedquery_toString);
  const isOther = said.some((word) => !meant.has(word)) || [...meant].some((word) => !said.includes(word));
  if (isOther) faults.push(`${shape.label}: the words are "${said.join(" ")}", Solr's ${debug.parsedquery_toString}`);
  if (plan.bypass !== undefined) return faults;
  const size = Math.min(plan.limit, Math.max(0, response.numFound - plan.offset));
  if (response.start !== plan.offset || response.docs.length !== size) {
    faults.push(
      `${shape.label}: hits ${plan.offset} to ${plan.offset + plan.limit}, Solr gives ${response.docs.length} from ${response.start}`,
    );
  }
  const isSorted = response.docs.every(({ score }, i) => i === 0 || score <= response.docs[i - 1]!.score);
  if (!isSorted) faults.push(`${shape.label}: Solr does not order by score`);
  return faults;
}

/** Words that Solr looks for, as it prints its query. */
function termsOf(parsed: string): ReadonlySet<string> {
  // The query that is ordered anew names its words, the one that does it orders them.
  const main = /mainQuery='(.*)' reRankQuery=/.exec(parsed)?.[1] ?? parsed;
  const positive = main.replaceAll(/-\([^)]*\)/g, "").replaceAll(/-title:(?:"[^"]*"|[^\s()]+)/g, "");
  const found = [...positive.matchAll(/(?:title|category):(?:"([^"]*)"|([^\s()^~|',]+))/g)].flatMap(([, phrase, term]) =>
    (phrase ?? term ?? "").split(" "),
  );
  return new Set(found.map((word) => word.replaceAll(/[*?]/g, "")).filter((word) => word !== "" && !word.startsWith("[")));
}
