/**
 * What a draft would change: each search with the rules of now and with the draft, by the edge itself (preview-edge.ts), and the sum of it. Searches
 * count as often as they were made.
 */
import type { ArmmtAttributes, RulesAttributes } from "../../events/ubi.ts";
import { foldedWords } from "../../ranking/words.ts";
import type { RulesDocument } from "../../rules/document.ts";
import { contradictionsIn } from "../../rules/check.ts";

export interface PreviewedSearch {
  readonly query: string;
  readonly index: string;
  readonly before: Readonly<ArmmtAttributes>;
  readonly after: Readonly<ArmmtAttributes>;
}

/** One query whose list changes. */
export interface ChangedSearch {
  readonly query: string;
  readonly index: string;
  /** Searches of these words whose list changes. */
  readonly searches: number;
  /** Of the one that changes most: 0 (nothing) to 1 (no place of the first ones is as before), upper places weigh more. */
  readonly change: number;
  readonly moved: number;
  readonly before: readonly string[];
  readonly after: readonly string[];
  readonly applied: readonly string[];
}

export interface RuleOutcome {
  readonly id: string;
  /** Searches that it fits, and in which it changed something. */
  readonly fits: number;
  readonly acts: number;
  readonly heldBack: number;
  /** Reason → searches in which it, or one of its items, did nothing. */
  readonly idle: Readonly<Record<string, number>>;
}

export interface Preview {
  readonly searches: number;
  readonly changed: number;
  /** Those that change among the first `page` positions. */
  readonly changedOnPage: number;
  readonly page: number;
  /** Of hits that stand elsewhere: how many, and the mean and the largest number of places. */
  readonly moves: { readonly hits: number; readonly meanPlaces: number; readonly mostPlaces: number };
  /** At most MOST_CHANGED, one per query and index. */
  readonly most: readonly ChangedSearch[];
  readonly rules: readonly RuleOutcome[];
  /** Rules that fit none of the searches, and why as far as that is known. */
  readonly never: readonly { readonly id: string; readonly why: string }[];
  /** Rules that fit the same searches by the same condition, and want opposite or impossible things. */
  readonly contradictions: readonly string[];
  /** Rules that lost a place or an item to another, by number of searches. */
  readonly lost: readonly { readonly rule: string; readonly by: string; readonly searches: number }[];
  /** Searches whose record had no room for all that did nothing. */
  readonly cutRecords: number;
}

export const MOST_CHANGED = 20;

/** A record of a search holds no more (search/rules.ts). */
const MOST_IDLE = 20;

/** They say that a rule might have fitted. */
const UNDECIDED: Readonly<Record<string, string>> = {
  filters_not_read: "no search says which filters it has",
  no_unit: "no search says whose it is",
  too_many_rules: "a hundred others come first",
};

interface Tally {
  fits: number;
  acts: number;
  heldBack: number;
  readonly idle: Map<string, number>;
}

export interface PreviewOptions {
  readonly draft: RulesDocument;
  readonly page: number;
  readonly at: Date;
}

export function createPreview({ draft, page, at }: PreviewOptions) {
  const tallies = new Map(draft.rules.map(({ id }): [string, Tally] => [id, { fits: 0, acts: 0, heldBack: 0, idle: new Map() }]));
  const lost = new Map<string, { rule: string; by: string; searches: number }>();
  const queries = new Map<string, ChangedSearch>();
  const sum = { searches: 0, changed: 0, onPage: 0, hits: 0, places: 0, most: 0, cut: 0, filtersUnread: 0 };

  function countRules({ applied, idle = [], held_back: heldBack = [] }: RulesAttributes): void {
    const fitting = new Set(applied);
    const [reasons, losses] = [new Map<string, Set<string>>(), new Set<string>()];
    for (const { rule, reason, by } of idle) {
      if (UNDECIDED[reason] === undefined) fitting.add(rule);
      reasons.set(rule, (reasons.get(rule) ?? new Set()).add(reason));
      if (rule === "*") sum.filtersUnread++;
      if (by === undefined || by === rule || losses.has(`${rule} ${by}`)) continue;
      losses.add(`${rule} ${by}`);
      const found = lost.get(`${rule} ${by}`) ?? { rule, by, searches: 0 };
      found.searches++;
      lost.set(`${rule} ${by}`, found);
    }
    for (const [rule, own] of reasons) for (const reason of own) count(tallies.get(rule)?.idle, reason);
    for (const id of fitting) bump(tallies.get(id), "fits");
    for (const id of applied) bump(tallies.get(id), "acts");
    for (const id of heldBack) bump(tallies.get(id), "heldBack");
    if (idle.length >= MOST_IDLE) sum.cut++;
  }

  return {
    add({ query, index, before, after }: PreviewedSearch): void {
      sum.searches++;
      if (after.rules !== undefined) countRules(after.rules);
      const [was, is] = [before.served_ids, after.served_ids];
      const moves = movesOf(was, is);
      if (moves.length === 0) return;
      sum.changed++;
      const change = changeOf(was, is, page);
      if (change > 0) sum.onPage++;
      for (const places of moves) {
        sum.hits++;
        sum.places += places;
        sum.most = Math.max(sum.most, places);
      }
      const key = JSON.stringify([index, foldedWords(query)]);
      const known = queries.get(key);
      const own = { query, index, change, moved: moves.length, before: was, after: is, applied: after.rules?.applied ?? [] };
      const shown = known === undefined || own.change > known.change ? own : known;
      queries.set(key, { ...shown, searches: (known?.searches ?? 0) + 1 });
      // Few lists are shown, and a log has many queries.
      if (queries.size > MOST_KEPT) forgetLeast(queries);
    },
    result(): Preview {
      const rules = [...tallies].map(([id, { idle, ...tally }]) => ({ id, ...tally, idle: Object.fromEntries(idle) }));
      return {
        searches: sum.searches,
        changed: sum.changed,
        changedOnPage: sum.onPage,
        page,
        moves: { hits: sum.hits, meanPlaces: sum.hits === 0 ? 0 : sum.places / sum.hits, mostPlaces: sum.most },
        most: mostChanged(queries),
        rules,
        never: rules.flatMap((tally) => (tally.fits > 0 ? [] : [{ id: tally.id, why: whyNever(draft, tally, at, sum.filtersUnread) }])),
        contradictions: contradictionsIn(draft),
        lost: [...lost.values()].toSorted((a, b) => b.searches - a.searches),
        cutRecords: sum.cut,
      };
    },
  };
}

const MOST_KEPT = 5000;

const byChange = (a: ChangedSearch, b: ChangedSearch): number => b.change - a.change || b.moved - a.moved || b.searches - a.searches;

function mostChanged(queries: ReadonlyMap<string, ChangedSearch>): readonly ChangedSearch[] {
  return [...queries.values()].toSorted(byChange).slice(0, MOST_CHANGED);
}

function forgetLeast(queries: Map<string, ChangedSearch>): void {
  const ranked = [...queries].toSorted(([, a], [, b]) => byChange(a, b));
  for (const [key] of ranked.slice(MOST_KEPT / 2)) queries.delete(key);
}

function bump(tally: Tally | undefined, what: "fits" | "acts" | "heldBack"): void {
  if (tally !== undefined) tally[what]++;
}

function count(counts: Map<string, number> | undefined, key: string): void {
  counts?.set(key, (counts.get(key) ?? 0) + 1);
}

/** Places by which each hit moved that stands elsewhere; one that came or went counts to the end of the longer list. */
export function movesOf(before: readonly string[], after: readonly string[]): readonly number[] {
  const was = new Map(before.map((id, place) => [id, place]));
  const is = new Map(after.map((id, place) => [id, place]));
  const end = Math.max(before.length, after.length);
  return [...new Set([...before, ...after])].flatMap((id) => {
    const places = Math.abs((was.get(id) ?? end) - (is.get(id) ?? end));
    return places === 0 ? [] : [places];
  });
}

/** The share of the first `page` places that hold another hit, each weighed by 1 / log2(place + 1) as DCG does. */
export function changeOf(before: readonly string[], after: readonly string[], page: number): number {
  let [changed, all] = [0, 0];
  for (let place = 0; place < Math.min(page, Math.max(before.length, after.length)); place++) {
    const weight = 1 / Math.log2(place + 2);
    all += weight;
    if (before[place] !== after[place]) changed += weight;
  }
  return all === 0 ? 0 : changed / all;
}

function whyNever({ rules }: RulesDocument, { id, heldBack, idle }: RuleOutcome, at: Date, filtersUnread: number): string {
  const rule = rules.find((one) => one.id === id);
  if (rule?.enabled === false) return "it is switched off";
  const { from, until, filters, query, context, country } = rule?.when ?? {};
  if (from !== undefined && at.getTime() < Date.parse(from)) return `it begins later (${from}): preview another moment with --at`;
  if (until !== undefined && at.getTime() >= Date.parse(until)) return `it has ended (${until})`;
  if (heldBack > 0) return "it has another share of the shoppers";
  for (const [reason, text] of Object.entries(UNDECIDED)) if (idle[reason] !== undefined) return text;
  if (filters !== undefined && query === undefined && filtersUnread > 0) return "no search says which filters it has";
  const asks = [...(context === undefined ? [] : ["context"]), ...(country === undefined ? [] : ["country"])];
  if (asks.length > 0) return `it asks for ${asks.join(" and ")}: give them with ${asks.map((flag) => `--${flag}`).join(" and ")}`;
  return "no search fits its conditions";
}
