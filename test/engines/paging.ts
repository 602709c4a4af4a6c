/** Page after page through the edge: every hit of the engine once, whatever the size of the pages and wherever they meet the window. */
import { WINDOW } from "./edge.ts";
import { note } from "./figures.ts";
import { ask, type Dialect, listAt, type Shape } from "./judge.ts";

/** One way of asking for hits [from, from + size). */
export interface Paging {
  readonly label: string;
  readonly page: (words: string, from: number, size: number) => Omit<Shape, "label" | "outcome">;
  /** The part of a reply that holds the list of hits; by default all of it. */
  readonly hits?: (body: string) => string | undefined;
}

const WORDS = ["red mug", "striped cushion", "black leather bag", "blue"];

/** The last one is a page that grows. */
const SIZES: readonly (readonly number[])[] = [[7], [10], [24], [WINDOW], [60], [12, 7, 31]];

const DEPTH = 96;

/** What is wrong; empty where all is well. */
export async function judgePaging(
  ways: readonly Paging[],
  engine: string,
  edge: string,
  dialect: Dialect,
  sought: readonly string[] = WORDS,
): Promise<readonly string[]> {
  const combinations = ways.flatMap((way) => sought.flatMap((words) => SIZES.map((sizes) => ({ way, words, sizes }))));
  const faults: string[] = [];
  for (const { way, words, sizes } of combinations) {
    const label = `${way.label}, ${words}, pages of ${sizes.join(", ")}`;
    // oxlint-disable-next-line no-await-in-loop
    const all = await hitsOf(engine, way, words, 0, DEPTH, dialect);
    const seen: string[] = [];
    for (let from = 0, i = 0; from < all.length; i++) {
      const size = Math.min(sizes[i % sizes.length]!, all.length - from);
      const page = await hitsOf(edge, way, words, from, size, dialect); // oxlint-disable-line no-await-in-loop
      if (page.length !== size) faults.push(`${label}: ${page.length} hits from ${from}, expected ${size}`);
      seen.push(...page);
      from += size;
    }
    const lost = all.filter((hit) => !seen.includes(hit));
    if (new Set(seen).size !== seen.length) faults.push(`${label}: a hit is there twice`);
    if (lost.length > 0) faults.push(`${label}: ${lost.length} of ${all.length} hits are lost, the first ${lost[0]?.slice(0, 100)}`);
    if (all.length > 0 && seen.slice(0, WINDOW).join() === all.slice(0, WINDOW).join()) faults.push(`${label}: nothing is re-ranked`);
  }
  note(`${combinations.length} combinations of words, pages and ways of asking for them`);
  return faults;
}

/** As they are written in the reply. */
async function hitsOf(
  base: string,
  { page, hits }: Paging,
  words: string,
  from: number,
  size: number,
  dialect: Dialect,
): Promise<readonly string[]> {
  const { body, status } = await ask(base, page(words, from, size));
  const list = listAt(hits?.(body) ?? body, dialect.hits);
  if (list === undefined) throw new Error(`No list of hits in the reply ${status}: ${body.slice(0, 300)}`);
  return list.elements;
}

const json = (body: object): string => JSON.stringify(body);
const encoded = (params: Readonly<Record<string, string | number>>): string =>
  new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString();

export const ELASTICSEARCH_PAGING: readonly Paging[] = [
  {
    label: "from, size",
    page: (title, from, size) => ({
      path: "/products/_search",
      body: json({ query: { match: { title } }, from, size, _source: ["price"] }),
    }),
  },
  { label: "?from, ?size", page: (q, from, size) => ({ path: `/products/_search?${encoded({ q, df: "title", from, size })}` }) },
  {
    label: "_msearch",
    page: (title, from, size) => ({
      path: "/products/_msearch",
      body: `{}\n${json({ query: { match: { title } }, from, size, _source: false })}\n`,
      headers: { "content-type": "application/x-ndjson" },
    }),
    hits: (body) => listAt(body, ["responses"])?.elements[0],
  },
];

export const SOLR_PAGING: readonly Paging[] = [
  {
    label: "start, rows",
    page: (q, start, rows) => ({ path: `/solr/products/select?${encoded({ q, start, rows, fl: "id,title,price" })}` }),
  },
  {
    label: "a form",
    page: (q, start, rows) => ({
      path: "/solr/products/select",
      body: encoded({ q, start, rows, defType: "edismax", qf: "title^2 category" }),
      headers: { "content-type": "application/x-www-form-urlencoded" },
    }),
  },
];
