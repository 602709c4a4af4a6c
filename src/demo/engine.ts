/**
 * The demo shop's search engine: MiniSearch (BM25+) behind Elasticsearch's `_search`. It stands for any engine behind the edge, so it does
 * not know about re-ranking and never reads a product's look.
 */
import MiniSearch from "minisearch";
import type { Product } from "./catalogue/catalogue.ts";
import { ElasticError, errorBody } from "./dialect.ts";
import { type Query, TEXT_FIELDS, textQuery } from "./query.ts";
import { parseRequest, type SearchRequest, type SortKey, sourceOf, type TermsAggregation } from "./request.ts";

export interface Engine {
  /** Answers as `POST /<index>/_search?<params>` of Elasticsearch would; errors are replies too, nothing throws. */
  search(index: string, body: unknown, params: URLSearchParams): { status: number; body: unknown };
  /** The same ranking as `?q=<query>&size=<size>`, without the envelope. */
  hits(query: string, size: number): { id: string; score: number }[];
}

/** Lower case, without accents, singular: "Dresses" and "dress", "rosé" and "rose" are one term. */
export function normaliseTerm(term: string): string {
  const plain = term.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  if (/(?:ss|ch|sh|x|z)es$/.test(plain)) return plain.slice(0, -2);
  if (/[^aeiou]ies$/.test(plain) && plain.length > 4) return `${plain.slice(0, -3)}y`;
  return plain.length > 3 && /[^siu]s$/.test(plain) ? plain.slice(0, -1) : plain;
}

function editsFor(fuzziness: number | "AUTO", term: string): number {
  if (fuzziness !== "AUTO") return fuzziness;
  return term.length <= 2 ? 0 : term.length <= 5 ? 1 : 2;
}

interface Hit {
  /** Index in the catalogue: breaks ties, as the document number does in Lucene. */
  readonly index: number;
  readonly score: number;
}

/** Hits in catalogue order, so that a stable sort keeps it on ties. */
function hitsOf(scores: ReadonlyMap<number, number>): Hit[] {
  return [...scores].map(([index, score]) => ({ index, score })).toSorted((a, b) => a.index - b.index);
}

function byScore(scores: ReadonlyMap<number, number>): Hit[] {
  return hitsOf(scores).toSorted((a, b) => b.score - a.score);
}

/** Indexes at once: about 60 ms for 2,400 products, 200 ms for 10,000. Default index name: `products`. */
export function createEngine(products: readonly Product[], options: { readonly index?: string } = {}): Engine {
  const indexName = options.index ?? "products";
  const texts = new MiniSearch<{ id: number; title: string; category: string }>({
    fields: Object.keys(TEXT_FIELDS),
    processTerm: normaliseTerm,
  });
  texts.addAll(products.map(({ title, category }, id) => ({ id, title, category })));

  const each = (scoreOf: (product: Product) => number | undefined): Map<number, number> => {
    const scores = new Map<number, number>();
    for (const [index, product] of products.entries()) {
      const score = scoreOf(product);
      if (score !== undefined) scores.set(index, score);
    }
    return scores;
  };

  /** Index in the catalogue → score, of all matches. */
  const evaluate = (query: Query): Map<number, number> => {
    switch (query.kind) {
      case "none":
        return new Map();
      case "all":
        return each(() => query.boost);
      case "filter":
        return each((product) => (query.accepts(product) ? query.boost : undefined));
      case "text": {
        const found = texts.search(query.text, {
          fields: Object.keys(query.fields),
          boost: query.fields,
          combineWith: query.operator === "and" ? "AND" : "OR",
          fuzzy: (term) => editsFor(query.fuzziness, term),
        });
        return new Map(found.map((result) => [Number(result.id), result.score * query.boost]));
      }
      case "bool":
        return evaluateBool(query);
      default:
        return query satisfies never;
    }
  };

  const evaluateBool = (query: Query & { kind: "bool" }): Map<number, number> => {
    const must = query.must.map(evaluate);
    const should = query.should.map(evaluate);
    const filter = query.filter.map(evaluate);
    const mustNot = query.mustNot.map(evaluate);
    const minimum = query.should.length === 0 ? 0 : query.minimumShould;
    const scores = new Map<number, number>();
    const required = [...must, ...filter];
    for (const index of products.keys()) {
      if (required.some((clause) => !clause.has(index)) || mustNot.some((clause) => clause.has(index))) continue;
      const matching = should.filter((clause) => clause.has(index));
      if (matching.length < minimum) continue;
      const sum = [...must, ...matching].reduce((total, clause) => total + (clause.get(index) ?? 0), 0);
      scores.set(index, sum * query.boost);
    }
    return scores;
  };

  const product = (hit: Hit): Product => {
    const found = products[hit.index];
    if (found === undefined) throw new Error(`Cannot find product ${hit.index} of ${products.length}`);
    return found;
  };

  const valueOf = (key: SortKey, hit: Hit) => (key.field === undefined ? hit.score : key.field.of(product(hit)));

  const compare =
    (keys: readonly SortKey[]) =>
    (a: Hit, b: Hit): number => {
      for (const key of keys) {
        const x = valueOf(key, a);
        const y = valueOf(key, b);
        if (x === y) continue;
        // Unknown values come last in both directions.
        if (x === undefined) return 1;
        if (y === undefined) return -1;
        return x < y === key.descending ? 1 : -1;
      }
      return 0;
    };

  const countTerms = (scores: ReadonlyMap<number, number>, { field, size }: TermsAggregation) => {
    const counts = new Map<string | number | boolean, number>();
    for (const hit of hitsOf(scores)) {
      const key = field.of(product(hit));
      if (key !== undefined) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const sorted = [...counts].toSorted((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    return {
      doc_count_error_upper_bound: 0,
      sum_other_doc_count: sorted.slice(size).reduce((sum, [, count]) => sum + count, 0),
      // Booleans have 1 and 0 as keys in Elasticsearch, with their names beside.
      buckets: sorted.slice(0, size).map(([key, count]) => ({
        ...(typeof key === "boolean" ? { key: key ? 1 : 0, key_as_string: String(key) } : { key }),
        doc_count: count,
      })),
    };
  };

  const answer = (request: SearchRequest): unknown => {
    const startedMs = Date.now();
    const scores = evaluate(request.query);
    const allowed = request.postFilter && evaluate(request.postFilter);
    const kept = allowed === undefined ? scores : new Map([...scores].filter(([index]) => allowed.has(index)));
    const sorted = request.sort.length === 0 ? byScore(kept) : hitsOf(kept).toSorted(compare(request.sort));
    const scored = request.sort.length === 0 || request.sort.some((key) => key.field === undefined);
    const { countUpTo, source } = request;
    const best = sorted.reduce((max, hit) => Math.max(max, hit.score), -Infinity);
    const hits = sorted.slice(request.from, request.from + request.size).map((hit) => {
      const found = product(hit);
      return {
        _index: indexName,
        _id: found.id,
        _score: scored ? hit.score : null,
        ...(source && { _source: sourceOf(found, source) }),
        ...(request.sort.length > 0 && { sort: request.sort.map((key) => valueOf(key, hit) ?? null) }),
      };
    });
    return {
      took: Date.now() - startedMs,
      timed_out: false,
      _shards: { total: 1, successful: 1, skipped: 0, failed: 0 },
      hits: {
        ...(countUpTo !== undefined && {
          total: { value: Math.min(sorted.length, countUpTo), relation: sorted.length > countUpTo ? "gte" : "eq" },
        }),
        max_score: scored && sorted.length > 0 && request.size > 0 ? best : null,
        hits,
      },
      ...(request.aggregations.length > 0 && {
        aggregations: Object.fromEntries(request.aggregations.map((terms) => [terms.name, countTerms(scores, terms)])),
      }),
    };
  };

  return {
    search: (name, body, params) => {
      try {
        if (name !== indexName) {
          throw new ElasticError(404, "index_not_found_exception", `no such index [${name}]; this shop has [${indexName}]`, {
            "resource.type": "index_or_alias",
            "resource.id": name,
            index: name,
          });
        }
        return { status: 200, body: answer(parseRequest(body, params)) };
      } catch (error) {
        if (error instanceof ElasticError) return { status: error.status, body: errorBody(error) };
        throw error;
      }
    },
    hits: (query, size) =>
      byScore(evaluate(textQuery(query)))
        .slice(0, size)
        .map((hit) => ({ id: product(hit).id, score: hit.score })),
  };
}
