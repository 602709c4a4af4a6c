/**
 * Which rules a search calls up. compileRules() sorts the rules by the one thing that calls each of them up (a whole phrase, a word, a filter,
 * the empty query), so that a search looks at few of them, however many there are.
 *
 * Pure: the clock, the shopper's unit and the request's parts are arguments.
 */
import { assignVariant } from "../experiment/assign.ts";
import { fold, foldedWords, MAX_QUERY_CHARACTERS, queryWords } from "../ranking/words.ts";
import { err, ok, type Result } from "../result.ts";
import { MAX_PER_KEY, type Phrase, type Rule, type RulesDocument } from "./document.ts";

/** Field → folded values, of filters that all hold. */
export type Filters = ReadonlyMap<string, ReadonlySet<string>>;

/** What a search says, as far as its dialect can tell. */
export interface RuleRequest {
  readonly index: string;
  /** `undefined` where it asks for everything. */
  readonly queryText: string | undefined;
  /** `undefined` where the engine's filter cannot be read. Called where a rule asks for filters only. */
  readonly filters: () => Filters | undefined;
  /** Folded. */
  readonly context: ReadonlySet<string>;
  readonly country: string | undefined;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Of whoever searches; `undefined` where it is unknown. */
  readonly unit: string | undefined;
}

export interface MatchedRule {
  readonly rule: Rule;
  /** Compared from the first number on; more is more specific. */
  readonly specificity: readonly number[];
  readonly fromMs: number;
}

/** Of the units that a rule acts for: from `from` up to `to` of the hash with this seed. */
export interface Share {
  readonly rule: string;
  readonly from: number;
  readonly to: number;
  readonly seed: string;
}

export interface Matched {
  /** The version of the document. */
  readonly version: string;
  /** The winner of any two first. */
  readonly rules: readonly MatchedRule[];
  /** Would have matched: this unit is not in their share. */
  readonly heldBack: readonly string[];
  /** Of the rules above that have a share, whichever side the unit is on: what chance decided, for the price of a rule. */
  readonly shares: readonly Share[];
  /** Might have matched: this search's filters cannot be read, nothing says whose search it is, or a hundred others come first. */
  readonly undecided: readonly Undecided[];
}

/** Reasons for which a rule only might have matched. */
export const UNDECIDED = ["filters_not_read", "no_unit", "too_many_rules"] as const;

interface Undecided {
  /** `*`: all that begin with a filter. */
  readonly rule: string;
  readonly reason: (typeof UNDECIDED)[number];
}

export interface CompiledRules {
  readonly version: string;
  readonly count: number;
  /** `undefined` where no rule matches or might have: most searches. */
  match(request: RuleRequest): Matched | undefined;
}

/** The most that one search follows. Those that win come first. */
export const MAX_MATCHED = 100;

interface CompiledPhrase {
  readonly kind: "is" | "starts" | "contains" | "ordered";
  readonly words: readonly string[];
}

interface Compiled extends Omit<MatchedRule, "specificity"> {
  readonly phrases: readonly CompiledPhrase[];
  readonly untilMs: number;
  readonly filters: readonly (readonly [field: string, values: ReadonlySet<string>])[];
  readonly index: ReadonlySet<string> | undefined;
  readonly context: readonly string[];
  readonly country: ReadonlySet<string> | undefined;
}

const KINDS: Readonly<Record<CompiledPhrase["kind"], number>> = { is: 4, starts: 3, ordered: 2, contains: 1 };

/** As rules and requests compare texts. */
export function foldText(text: string): string {
  const folded = fold(text).trim();
  return /[^\S ]| {2}/.test(folded) ? folded.replaceAll(/\s+/g, " ") : folded;
}

/** What a client says, which may be as long as a request: no rule compares as much. */
export const foldGiven = (text: string): string => foldText(text.slice(0, MAX_GIVEN));

const MAX_GIVEN = 600;

/** Errors: too many rules that one key calls up. */
export function compileRules({ rules }: RulesDocument, version: string): Result<CompiledRules, readonly string[]> {
  const table = new Map<string, Compiled[]>();
  const problems = new Map<string, string>();
  const compiled = rules.filter(({ enabled }) => enabled !== false).map(compileRule);
  const frequency = new Map<string, number>();
  for (const { phrases } of compiled)
    for (const word of phrases.flatMap(({ words }) => words)) frequency.set(word, (frequency.get(word) ?? 0) + 1);
  for (const one of compiled) {
    for (const key of new Set(keysOf(one, frequency))) {
      const list = table.get(key);
      if (list === undefined) table.set(key, [one]);
      else list.push(one);
      if ((list?.length ?? 0) > MAX_PER_KEY)
        problems.set(
          key,
          `${nameOf(key)} calls up more than ${MAX_PER_KEY} rules, and a search looks at each: join some of them, or be more specific`,
        );
    }
  }
  if (problems.size > 0) return err([...problems.values()]);
  return ok({ version, count: compiled.length, match: (request) => find(table, request, version) });
}

function compileRule(rule: Rule): Compiled {
  const { query = [], plurals = false, filters = {}, index, context = [], country, from, until } = rule.when ?? {};
  const wordsOf = plurals ? queryWords : foldedWords;
  return {
    rule,
    phrases: query.map((phrase) => compilePhrase(phrase, wordsOf)).filter(({ words }) => words.length > 0),
    fromMs: from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(from),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
    filters: Object.entries(filters).map(([field, values]) => [field, new Set(values.map(foldText))] as const),
    index: index && new Set(index),
    context: context.map(foldText),
    country: country && new Set(country.map((code) => code.toUpperCase())),
  };
}

function compilePhrase(phrase: Phrase, wordsOf: (text: string) => readonly string[]): CompiledPhrase {
  if ("is" in phrase) return { kind: "is", words: wordsOf(phrase.is) };
  if ("starts" in phrase) return { kind: "starts", words: wordsOf(phrase.starts) };
  return { kind: phrase.ordered === true ? "ordered" : "contains", words: wordsOf(phrase.contains) };
}

/** What calls a rule up: a search has few such keys. A rule of several phrases has one per phrase. */
function keysOf({ rule, phrases, filters }: Compiled, frequency: ReadonlyMap<string, number>): readonly string[] {
  const form = rule.when?.plurals === true ? "stem" : "word";
  if (rule.when?.query !== undefined) {
    return phrases.map(({ kind, words }) => {
      if (kind === "is") return `${form}:is:${words.join(" ")}`;
      if (kind === "starts") return `${form}:starts:${words[0]}`;
      // The one that fewest rules have.
      return `${form}:has:${words.toSorted((a, b) => (frequency.get(a) ?? 0) - (frequency.get(b) ?? 0))[0]}`;
    });
  }
  const [first] = filters;
  if (first !== undefined) return [...first[1]].map((value) => `filter:${first[0]}:${value}`).slice(0, 1);
  return [rule.when?.emptyQuery === true ? EMPTY : ALL];
}

const EMPTY = "empty";
const ALL = "all";
const FILTER = "filter:";

function nameOf(key: string): string {
  if (key === ALL) return "Every search";
  if (key === EMPTY) return "The empty query";
  const [kind, how, ...rest] = key.split(":");
  const text = JSON.stringify(rest.join(":"));
  return kind === "filter" ? `The filter ${how} = ${text}` : `The ${how === "is" ? "phrase" : "word"} ${text}`;
}

type Table = ReadonlyMap<string, readonly Compiled[]>;

function find(table: Table, request: RuleRequest, version: string): Matched | undefined {
  if (table.size === 0) return undefined;
  const candidates: Compiled[] = [];
  const add = (key: string): void => {
    const found = table.get(key);
    if (found !== undefined) candidates.push(...found);
  };
  const text = request.queryText?.slice(0, MAX_QUERY_CHARACTERS);
  const words = text === undefined ? [] : foldedWords(text);
  const stems = text === undefined ? [] : queryWords(text);
  for (const [form, own] of [
    ["word", words],
    ["stem", stems],
  ] as const) {
    if (own.length === 0) continue;
    add(`${form}:is:${own.join(" ")}`);
    add(`${form}:starts:${own[0]}`);
    for (const word of new Set(own)) add(`${form}:has:${word}`);
  }
  add(ALL);
  if (text === undefined) add(EMPTY);
  const undecided: Undecided[] = [];
  const filters = lazily(request.filters);
  // Filters are parsed where some rule begins with one, or a candidate has some.
  if (hasFilterKeys(table)) {
    if (filters() === undefined) undecided.push({ rule: "*", reason: "filters_not_read" });
    for (const [field, values] of filters() ?? []) for (const value of values) add(`${FILTER}${field}:${value}`);
  }
  if (candidates.length === 0 && !hasFilterKeys(table)) return undefined;
  const fitting: MatchedRule[] = [];
  for (const one of new Set(candidates)) {
    const phrase = fits(one, request, one.rule.when?.plurals === true ? stems : words);
    if (phrase === undefined) continue;
    if (one.filters.length > 0) {
      const given = filters();
      if (given === undefined) {
        undecided.push({ rule: one.rule.id, reason: "filters_not_read" });
        continue;
      }
      if (!one.filters.every(([field, values]) => isSame(given.get(field), values))) continue;
    }
    fitting.push({ rule: one.rule, specificity: specificityOf(one, phrase), fromMs: one.fromMs });
  }
  if (fitting.length + undecided.length === 0) return undefined;
  fitting.sort(byPrecedence);
  // Before shares are looked at: which rules come first must not hang on what chance decides, or their two sides would not compare.
  for (const { rule } of fitting.splice(MAX_MATCHED)) undecided.push({ rule: rule.id, reason: "too_many_rules" });
  return { version, ...byShare(fitting, request.unit, undecided), undecided };
}

function byShare(fitting: readonly MatchedRule[], unit: string | undefined, undecided: Undecided[]) {
  const rules: MatchedRule[] = [];
  const heldBack: string[] = [];
  const shares: Share[] = [];
  for (const one of fitting) {
    const { id, when } = one.rule;
    if (when?.share === undefined) {
      rules.push(one);
      continue;
    }
    if (unit === undefined) {
      undecided.push({ rule: id, reason: "no_unit" });
      continue;
    }
    const share: Share = { rule: id, from: when.share.from ?? 0, to: when.share.to, seed: when.share.seed ?? `rules/${id}` };
    shares.push(share);
    if (isInShare(share, unit)) rules.push(one);
    else heldBack.push(id);
  }
  return { rules, heldBack, shares };
}

function lazily<T>(compute: () => T): () => T {
  let computed: { readonly value: T } | undefined;
  return () => (computed ??= { value: compute() }).value;
}

const withFilterKeys = new WeakMap<Table, boolean>();

function hasFilterKeys(table: Table): boolean {
  const known = withFilterKeys.get(table);
  if (known !== undefined) return known;
  const found = [...table.keys()].some((key) => key.startsWith(FILTER));
  withFilterKeys.set(table, found);
  return found;
}

const NO_PHRASE = { kind: "contains", words: [] } as const satisfies CompiledPhrase;

/** The most specific phrase that fits; NO_PHRASE for a rule without one; `undefined` where the rule does not match. */
function fits(
  one: Compiled,
  { queryText, index, context, country, now }: RuleRequest,
  words: readonly string[],
): CompiledPhrase | undefined {
  if (now < one.fromMs || now >= one.untilMs) return undefined;
  if (one.index !== undefined && !one.index.has(index)) return undefined;
  if (one.context.some((word) => !context.has(word))) return undefined;
  if (one.country !== undefined && (country === undefined || !one.country.has(country.toUpperCase()))) return undefined;
  if (one.rule.when?.emptyQuery === true && queryText !== undefined) return undefined;
  if (one.rule.when?.query === undefined) return NO_PHRASE;
  const fitting = one.phrases.filter((phrase) => isIn(phrase, words));
  return fitting.toSorted((a, b) => KINDS[b.kind] - KINDS[a.kind] || b.words.length - a.words.length)[0];
}

function isIn({ kind, words: wanted }: CompiledPhrase, words: readonly string[]): boolean {
  const isAt = (start: number): boolean => wanted.every((word, i) => words[start + i] === word);
  if (kind === "is") return words.length === wanted.length && isAt(0);
  if (kind === "starts") return isAt(0);
  if (kind === "contains") return wanted.every((word) => words.includes(word));
  return words.some((_, start) => isAt(start));
}

/** The values of one field as sets: their order and their spelling make no difference. */
function isSame(given: ReadonlySet<string> | undefined, wanted: ReadonlySet<string>): boolean {
  return given !== undefined && given.size === wanted.size && [...wanted].every((value) => given.has(value));
}

/** By the hash of experiments, so that other languages can tell too. No experiment's key is a rule's own seed: the two splits are independent. */
function isInShare({ from, to, seed }: Share, unit: string): boolean {
  const ranges: [number, number][] = [
    [from, to],
    [to, to],
  ];
  return assignVariant({ key: seed, variations: ["in", "out"], ranges }, { id: unit })?.variant === "in";
}

/** Phrase, then filters, then the empty query, then the rest. */
function specificityOf({ rule: { when = {} }, filters, index, context, country }: Compiled, phrase: CompiledPhrase): readonly number[] {
  const values = filters.reduce((sum, [, set]) => sum + set.size, 0);
  const rest = Number(index !== undefined) + context.length + Number(country !== undefined) + Number(when.share !== undefined);
  return [
    phrase.words.length === 0 ? 0 : KINDS[phrase.kind],
    phrase.words.length,
    filters.length,
    values,
    Number(when.emptyQuery === true),
    rest,
  ];
}

/** Priority, then the more specific, then the later start, then the id. */
export function byPrecedence(a: MatchedRule, b: MatchedRule): number {
  const priority = (b.rule.priority ?? 0) - (a.rule.priority ?? 0);
  if (priority !== 0) return priority;
  for (let i = 0; i < a.specificity.length; i++) {
    const difference = (b.specificity[i] ?? 0) - (a.specificity[i] ?? 0);
    if (difference !== 0) return difference;
  }
  if (a.fromMs !== b.fromMs) return b.fromMs > a.fromMs ? 1 : -1;
  return a.rule.id < b.rule.id ? -1 : 1;
}
