/** Judgments, what was found, and who orders it → the figures of `armmt evaluate`. Reads no files. */
import {
  columnsOf,
  type Difference,
  differencesOf,
  figuresOf,
  meanColumns,
  type OrderFigures,
  type Pair,
  type RankedQuery,
  type SideBySide,
  worstFirst,
  worstOf,
} from "./compare.ts";
import type { Judgments, Ratings } from "./judgments.ts";
import type { FoundHit, NamedLists } from "./lists.ts";
import { ENGINE, MODEL, type OrderMaker, SEMANTIC } from "./orders.ts";
import { UserError } from "../../web.ts";

/** Which list of several it is about. */
interface OfLists {
  readonly lists?: string | undefined;
}

export interface EvaluationInput {
  readonly catalog: string;
  readonly source: string;
  readonly judgments: Judgments;
  /** One, or several that have names. */
  readonly found: readonly NamedLists[];
  readonly orders: OrderMaker;
  readonly products: readonly { readonly id: string; readonly title: string }[];
  readonly isKnown: (id: string) => boolean;
  /** Hits that are re-ranked; the others stay below them. */
  readonly window: number;
  readonly notes: readonly string[];
  readonly onQuery: () => void;
}

export type Evaluation = Awaited<ReturnType<typeof evaluate>>;

/** Throws a UserError where no query can be judged. */
export async function evaluate(input: EvaluationInput) {
  const { catalog, source, judgments, found, orders } = input;
  const relevant = relevantOf(judgments);
  if (relevant.size === 0) throw new UserError("No query has a relevant product (a rating above 0): no order can be right or wrong");
  const fit = await orders.fit(input.products);
  const names = orders.names;
  const pairs = pairsOf(names);
  const isNamed = found.length > 1;
  const parts = [];
  for (const { name, lists, fixed, served: byEdge } of found) {
    const ranked = await rankAll(relevant, { lists, fixed, served: byEdge }, input); // oxlint-disable-line no-await-in-loop
    if (ranked.length === 0) throw new UserError(noneJudged(name, lists, relevant));
    parts.push({ of: isNamed ? { lists: name } : {}, ranked, columns: columnsOf(ranked, names) });
  }
  const shared = inAll(parts.map(({ ranked }) => ranked));
  const served = MODEL;
  return {
    catalog,
    source,
    /** Ratings by query, of the queries that count. */
    judgments: relevant,
    set: { version: orders.set.version, textEncoder: orders.set.textEncoder, imageEncoder: orders.set.imageEncoder },
    model: orders.model,
    /** Without judgments: whether the query table belongs to the vectors. */
    fit,
    queries: new Set(parts.flatMap(({ ranked }) => ranked.map(({ query }) => query))).size,
    /** Names, where several are compared or none is the engine's own. */
    lists: found.flatMap(({ name }) => (name === "" ? [] : [name])),
    leftOut: {
      nothingRelevant: judgments.queries.size - relevant.size,
      unknownProducts: judgments.unknown,
      withoutList: countOf(found, ({ lists }) => [...relevant.keys()].filter((query) => !lists.has(query))),
      notJudged: countOf(found, ({ lists }) => [...lists.keys()].filter((query) => !judgments.queries.has(query))),
      unknownHits: countOf(found, ({ lists }) => [...lists.values()].flatMap((hits) => hits.filter(({ id }) => !input.isKnown(id)))),
    },
    /** What shoppers would get. */
    served,
    orders: parts.flatMap(({ of, ranked, columns }) =>
      figuresOf(ranked, columns).map((figures): OrderFigures & OfLists => ({ ...of, ...figures })),
    ),
    differences: parts.flatMap(({ of, columns }) =>
      differencesOf(columns, pairs).map((difference): Difference & OfLists => ({ ...of, ...difference })),
    ),
    /** Of several lists: the mean over them of each query that all of them have. */
    overall: isNamed && shared.length > 0 ? overallOf(parts, shared, names, pairs) : undefined,
    worst: worstFirst(
      parts.flatMap(({ of, ranked, columns }) =>
        worstOf(ranked, columns, { of: served, against: ENGINE }).map((query): SideBySide & OfLists => ({ ...of, ...query })),
      ),
    ),
    notes: [...orders.notes(), ...input.notes],
  };
}

/** For the others no order is right, and none is wrong. */
export function relevantOf({ queries }: Judgments): ReadonlyMap<string, Ratings> {
  return new Map([...queries].filter(([, ratings]) => Math.max(...ratings.values()) > 0));
}

/** Every order against the engine's, and models against what is served without them. */
function pairsOf(names: readonly string[]): Pair[] {
  const [engine, first, ...models] = names;
  if (engine === undefined || first === undefined) return [];
  return [...[first, ...models].map((of) => ({ of, against: engine })), ...models.map((of) => ({ of, against: first }))];
}

async function rankAll(
  relevant: ReadonlyMap<string, Ratings>,
  { lists, fixed, served }: Omit<NamedLists, "name">,
  { orders, window, onQuery }: EvaluationInput,
): Promise<RankedQuery[]> {
  const ranked: RankedQuery[] = [];
  for (const [query, ratings] of relevant) {
    const hits = lists.get(query);
    if (hits === undefined) continue;
    const rest = hits.slice(window).map((_, i) => window + i);
    const ranking = hits.slice(0, window);
    const isFixed = fixed?.has(query) === true;
    const made = isFixed ? allAs([...ranking.keys()], orders.names) : await orders.order(query, ranking); // oxlint-disable-line no-await-in-loop
    const byEdge = indicesOf(served?.get(query), ranking);
    const whole = new Map(
      Array.from(made, ([name, order]) => {
        const isByEdge = name === SEMANTIC || (name === MODEL && orders.model.trust === 0);
        return [name, [...((isByEdge ? byEdge : undefined) ?? order), ...rest]] as const;
      }),
    );
    ranked.push({ query, ratings, ids: hits.map(({ id }) => id), orders: whole });
    onQuery();
  }
  return ranked;
}

/** `undefined` unless all hits are there. */
function indicesOf(ids: readonly string[] | undefined, hits: readonly FoundHit[]): readonly number[] | undefined {
  const at = new Map(hits.map(({ id }, i) => [id, i]));
  const indices = ids?.flatMap((id) => at.get(id) ?? []);
  return indices?.length === hits.length ? indices : undefined;
}

function allAs(order: readonly number[], names: readonly string[]): ReadonlyMap<string, readonly number[]> {
  return new Map(names.map((name) => [name, order]));
}

function noneJudged(name: string, lists: ReadonlyMap<string, unknown>, relevant: ReadonlyMap<string, unknown>): string {
  const [listed, judged] = [[...lists.keys()][0] ?? "", [...relevant.keys()][0] ?? ""];
  return `None of the ${lists.size} queries of ${name} is judged: it has "${listed}", the judgments have "${judged}". Queries must be written alike`;
}

function countOf(found: readonly NamedLists[], which: (lists: NamedLists) => readonly unknown[]): number {
  return found.reduce((sum, lists) => sum + which(lists).length, 0);
}

/** Queries that all lists have, in the first one's order. */
function inAll(parts: readonly (readonly RankedQuery[])[]): string[] {
  const [first = [], ...others] = parts.map((ranked) => ranked.map(({ query }) => query));
  const sets = others.map((queries) => new Set(queries));
  return first.filter((query) => sets.every((set) => set.has(query)));
}

function overallOf(
  parts: readonly { readonly ranked: readonly RankedQuery[] }[],
  shared: readonly string[],
  names: readonly string[],
  pairs: readonly Pair[],
) {
  const columns = parts.map(({ ranked }) => {
    const byQuery = new Map(ranked.map((query) => [query.query, query]));
    return columnsOf(
      shared.map((query) => byQuery.get(query)!),
      names,
    );
  });
  const lists = `mean of ${parts.length}`;
  return {
    queries: shared.length,
    differences: differencesOf(meanColumns(columns), pairs).map((difference) => ({ lists, ...difference })),
  };
}
