/**
 * What a shop's own lists without words (category, collection, brand and home pages) have taught: per page and item, how much more is bought of it
 * than of others that are looked at as much. One text per version: a line of JSON that says what follows, then a line per page.
 *
 * The score of a hit is `kept · prior(rank) + sold`: what the engine's order makes expect, as far as nothing else is known, and what was sold. An item
 * without sales has `kept` 1 and `sold` 0, so a table without items is the engine's order. Where the log says that shoppers have taste, the score is
 * multiplied by how near the hit is to what this one looked at (taste.ts). How a table is learned is in cli/browse/.
 */
import * as v from "valibot";
import { err, ok, type Result } from "../result.ts";

/** A table that is longer would hold an isolate's memory, and its thread when it is read. */
export const MAX_CHARACTERS = 8_000_000;

export const MAX_PAGES = 2000;

/** Field → values, folded; values of one field are alternatives, fields hold together. */
export type PageFilters = ReadonlyMap<string, ReadonlySet<string>>;

/** Of one item. */
export type Taught = readonly [kept: number, sold: number];

/** A page: the path of the category that the filters leave. The first one of a table is all lists together, without filters. */
export type Rates = ReadonlyMap<string, Taught>;

const amount = v.pipe(v.number(), v.finite(), v.minValue(0));
/** Steeper ones no log teaches. */
const strength = v.pipe(v.number(), v.minValue(-100), v.maxValue(100));
const filtersSchema = v.record(v.string(), v.pipe(v.array(v.string()), v.minLength(1)));

const headSchema = v.looseObject({
  format: v.literal(1, "expected 1: publish it again with this version of armmt"),
  /** 0 to 1: how far the variant `armmt` follows the table. */
  trust: v.pipe(v.number(), v.minValue(0), v.maxValue(1)),
  /** Expected of an item at the engine's rank r, relative to the mean: level · r^-decline. It falls, or unknown items would not keep the engine's order. */
  prior: v.object({ level: v.pipe(amount, v.minValue(1e-6)), decline: v.pipe(amount, v.minValue(1e-3)) }),
  /** Absent where the log says nothing of it. */
  taste: v.exactOptional(v.object({ encoders: v.object({ image: v.string(), text: v.string() }), picture: strength, text: strength })),
  /** Most lists first; the lines after this one are theirs. */
  pages: v.pipe(
    v.array(filtersSchema),
    v.maxLength(MAX_PAGES),
    v.check(([first]) => first !== undefined && Object.keys(first).length === 0, "the first page has no filters: it is all lists together"),
  ),
});

export type BrowseHead = v.InferOutput<typeof headSchema>;

const ratesSchema = v.record(v.string(), v.tuple([amount, amount]));

export interface BrowseTable {
  readonly head: BrowseHead;
  /** Number of the page with the most filters that all hold; 0 where none but the first fits. */
  readonly pageFor: (filters: PageFilters) => number;
  /** Throws on a line that was published unchecked. */
  readonly ratesOf: (page: number) => Rates;
}

/** Pages whose lines are kept read: the others are read again when they are asked for. */
const MOST_READ = 100;

/** Errors name what is wrong. Lines are read when a page is asked for: `isWhole` checks them all, for publishing. */
export function parseBrowseTable(text: string, isWhole = false): Result<BrowseTable, string> {
  if (text.length > MAX_CHARACTERS) return err(`${text.length} characters, at most ${MAX_CHARACTERS}: learn it with fewer --pages`);
  const [first = "", ...lines] = text.trimEnd().split("\n");
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), headSchema), first);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err(`line 1, ${v.getDotPath(issue) ?? "the whole"}: ${issue.message}`);
  }
  const head = parsed.output;
  if (lines.length !== head.pages.length) return err(`${lines.length} lines for ${head.pages.length} pages`);
  for (const [i, line] of isWhole ? lines.entries() : []) {
    const read = v.safeParse(v.pipe(v.string(), v.parseJson(), ratesSchema), line);
    if (!read.success) return err(`line ${i + 2}: ${v.getDotPath(read.issues[0]) ?? "the whole"}: ${read.issues[0].message}`);
  }
  return ok(tableOf(head, lines));
}

export function formatBrowseTable(head: BrowseHead, pages: readonly Rates[]): string {
  return [JSON.stringify(head), ...pages.map((rates) => JSON.stringify(Object.fromEntries(rates)))].join("\n");
}

function tableOf(head: BrowseHead, lines: readonly string[]): BrowseTable {
  const sizes = head.pages.map((filters) => Object.keys(filters).length);
  const pagesWith = new Map<string, number[]>();
  for (const [page, filters] of head.pages.entries()) {
    for (const [field, values] of Object.entries(filters)) {
      const key = keyOf(field, values);
      const known = pagesWith.get(key);
      if (known === undefined) pagesWith.set(key, [page]);
      else known.push(page);
    }
  }
  const read = new Map<number, Rates>();
  return {
    head,
    pageFor(filters) {
      const held = new Map<number, number>();
      let best = 0;
      for (const [field, values] of filters) {
        for (const page of pagesWith.get(keyOf(field, values)) ?? []) {
          const count = (held.get(page) ?? 0) + 1;
          held.set(page, count);
          if (count === sizes[page] && (count > sizes[best]! || (count === sizes[best] && page < best))) best = page;
        }
      }
      return best;
    },
    ratesOf(page) {
      const known = read.get(page);
      read.delete(page);
      const rates = known ?? new Map(Object.entries(v.parse(ratesSchema, JSON.parse(lines[page]!))));
      read.set(page, rates);
      for (const oldest of read.keys()) {
        if (read.size <= MOST_READ) break;
        read.delete(oldest);
      }
      return rates;
    },
  };
}

const keyOf = (field: string, values: Iterable<string>): string => JSON.stringify([field, ...[...values].toSorted()]);

/** The filters as a record of a log, or a page of a table, holds them. */
export function writtenFilters(filters: PageFilters): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(
    [...filters].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([field, values]) => [field, [...values].toSorted()] as const),
  );
}

export interface BrowsedHit {
  readonly itemId: string;
  /** 1-based, in the engine's order. */
  readonly rank: number;
}

const UNKNOWN: Taught = [1, 0];

/** One score per hit, above 0. `trust` 0 is the engine's order. `liking`: of likingOf(). */
export function scoreBrowsed(
  hits: readonly BrowsedHit[],
  table: BrowseTable | undefined,
  page: number,
  trust: number,
  liking?: ArrayLike<number>,
): Float64Array {
  const { level, decline } = table?.head.prior ?? ENGINE_ONLY;
  const all = table?.ratesOf(0);
  const own = page === 0 ? undefined : table?.ratesOf(page);
  return Float64Array.from(hits, ({ itemId, rank }, i) => {
    const [kept, sold] = own?.get(itemId) ?? all?.get(itemId) ?? UNKNOWN;
    const score = level * rank ** -decline * (1 - trust + trust * kept) + trust * sold;
    return liking === undefined ? score : score * Math.exp(trust * liking[i]!);
  });
}

const ENGINE_ONLY: BrowseHead["prior"] = { level: 1, decline: 1 };
