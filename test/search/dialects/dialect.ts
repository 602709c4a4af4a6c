/**
 * What the common contract (dialects.test.ts) needs to know of a dialect: how a search is asked, how the engine answers, how its answer is
 * read. Plain HTTP and JSON, no code of ours, so that the edge is not tested against itself; the official clients are tried against
 * the same stand-ins.
 */

/** Any query finds all of these, in this order. */
export interface StandInItem {
  readonly id: string;
  readonly title: string;
  readonly price: number;
}

/** A page as hits [offset, offset + limit). */
export interface Page {
  readonly offset: number;
  readonly limit: number;
}

export interface Ask {
  readonly path: string;
  readonly init: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };
}

/** One search's part of a reply: what is shown, and everything else. */
export interface ReadSearch {
  readonly ids: readonly string[];
  /** The part with its hits taken out: what must be the same however they are ordered. */
  readonly rest: unknown;
}

/** Columns of the README's matrix. */
export const FEATURES = [
  "search",
  "multi-search",
  "paging",
  "facets",
  "highlighting",
  "sort",
  "grouping",
  "pinned hits",
  "cursor",
  "no hits",
] as const;

export type Feature = (typeof FEATURES)[number];

/** One line of the matrix: a request and what becomes of it. */
export interface Case {
  readonly feature: Feature;
  /** Words of the engine: its parameters. Shown in the matrix. */
  readonly title: string;
  readonly ask: Ask;
  /** Per search of the request: "applied" or the reason for which the engine's order stays. */
  readonly outcomes: readonly string[];
  /** Places of the page (0-based) whose hits must stay. */
  readonly pinned?: readonly number[];
}

export interface Dialect {
  /** As in the matrix. */
  readonly title: string;
  /** Name in the configuration. */
  readonly backend: string;
  readonly index: string;
  /** More of the index's configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** The names by which a page can be asked for, one entry per way; a way that counts pages is only asked for whole ones. */
  readonly pages: readonly { readonly name: string; readonly ask: (query: string, page: Page) => Ask }[];
  /** For engines whose pages hang together by cursors: the next page, until there is none. */
  readonly walk?: { readonly first: (query: string, limit: number) => Ask; readonly next: (reply: unknown) => Ask | undefined };
  /** The stand-in: answers as the engine does. */
  answer(request: Request, items: readonly StandInItem[]): Promise<Response>;
  /** One entry per search of the reply. */
  read(reply: unknown): readonly ReadSearch[];
  readonly cases: readonly Case[];
}

export const post = (path: string, body: unknown): Ask => ({
  path,
  init: { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
});

export const get = (path: string, params: Readonly<Record<string, string | number>>): Ask => ({
  path: `${path}?${new URLSearchParams(Object.entries(params).map(([name, value]) => [name, String(value)])).toString()}`,
  init: {},
});

/** A JSON object, or a failing test. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error(`Not an object: ${JSON.stringify(value)}`);
  return { ...value };
}

export function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`Not a list: ${JSON.stringify(value)}`);
  return value;
}

/** A number given as number or text; `fallback` where there is none. */
export function numberOf(value: unknown, fallback: number): number {
  return value === undefined || value === null || value === "" ? fallback : Number(value);
}

/** Hits of a page, as the engine cuts them. */
export function cut<T>(items: readonly T[], offset: number, limit: number): readonly T[] {
  return items.slice(offset, offset + limit);
}
