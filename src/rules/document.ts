/**
 * The rules document of a catalogue: what a shop writes, as data. One schema checks it at publishing and at the edge, and prints
 * docs/reference/rules.schema.json. What the rules mean is in match.ts (when) and apply.ts (then).
 */
import * as v from "valibot";
import { foldedWords } from "../ranking/words.ts";
import { err, ok, type Result } from "../result.ts";

export const RULES_FORMAT = 1;

/** Rules of one document: an isolate holds them all, and reads them once per version. */
export const MAX_RULES = 10_000;

/** Rules that one word, one filter or every search can call up: each of them is looked at, so a search stays quick. */
export const MAX_PER_KEY = 200;

/** Checking a document takes as long as it is: a search on the same thread waits meanwhile. */
export const MAX_CHARACTERS = 4_000_000;

/** Each is compared with all hits of the window. */
const MAX_DIVERSE = 100;

/** The largest window, which bounds positions and places. */
const MAX_WINDOW = 1000;

const LIST = 300;

/** Ids appear in logs and headers of explanations. */
export const RULE_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const name = v.pipe(v.string("use text"), v.nonEmpty("give it a text"), v.maxLength(200, "use at most 200 characters"));

const whole = (min: number, max: number, what: string) => {
  const message = `use a whole number of ${what} from ${min} to ${max}`;
  return v.pipe(v.number(message), v.integer(message), v.minValue(min, message), v.maxValue(max, message));
};

const listOf = <T extends v.GenericSchema>(item: T, what: string) =>
  v.pipe(v.array(item, `list ${what}`), v.minLength(1, `list ${what}`), v.maxLength(LIST, `list at most ${LIST} ${what}`));

/** Engines write ids as numbers too; a number that a double cannot hold would be another item. */
const itemId = v.union(
  [
    v.pipe(v.string(), v.nonEmpty(), v.maxLength(512)),
    v.pipe(
      v.number(),
      v.safeInteger(),
      v.transform((id) => String(id)),
    ),
  ],
  "give an item's id, as text or as a whole number below 2^53",
);

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const AN_INSTANT = 'give an instant with its zone, "2026-11-27T00:00:00+01:00" say';

/** A date without a zone would be another moment on each server. */
const instant = v.pipe(
  v.string(AN_INSTANT),
  v.regex(INSTANT, AN_INSTANT),
  v.check((text) => Number.isFinite(Date.parse(text)), AN_INSTANT),
);

const phraseText = v.pipe(
  name,
  v.check((text) => foldedWords(text).length > 0, "use a phrase with a letter or a digit"),
);

const phrase = v.union(
  [
    v.strictObject({ is: phraseText }),
    v.strictObject({ starts: phraseText }),
    /** Whole words in any order; `ordered`: next to each other, as written. */
    v.strictObject({ contains: phraseText, ordered: v.optional(v.boolean()) }),
  ],
  'give { "is": … }, { "starts": … } or { "contains": … }',
);

const fraction = v.pipe(v.number("use 0 to 1"), v.minValue(0, "use 0 to 1"), v.maxValue(1, "use 0 to 1"));

const when = v.strictObject({
  /** One of them must fit. */
  query: v.optional(listOf(phrase, "phrases")),
  /** Whether words of one stem are the same word. */
  plurals: v.optional(v.boolean("use true or false")),
  /** No words at all: category pages, the home page. */
  emptyQuery: v.optional(v.literal(true, "use true, or leave it out")),
  /** Field → the values that the request filters by, as a set; other fields may be filtered too. */
  filters: v.optional(v.record(name, listOf(name, "values"))),
  index: v.optional(listOf(name, "indexes")),
  /** Words that the request's x-armmt-context must hold, all of them. */
  context: v.optional(listOf(name, "words")),
  country: v.optional(listOf(v.pipe(v.string("use a code"), v.regex(/^[A-Za-z]{2}$/, "use a country's two letters, DE say")), "countries")),
  from: v.optional(instant),
  /** Exclusive. */
  until: v.optional(instant),
  /** For people: the zone in which a screen shows both. */
  zone: v.optional(name),
  /** Of units, by hash: rules with one seed and disjoint ranges are arms of one experiment. Default seed: the rule's id. */
  share: v.optional(v.strictObject({ from: v.optional(fraction), to: fraction, seed: v.optional(name) })),
});

const value = v.union([name, v.number(), v.boolean()], "use text, numbers, true or false");

/** Conditions on a hit; all must hold. An unknown value fits none. */
const hitCondition = v.union(
  [
    v.strictObject({ ids: listOf(itemId, "ids") }),
    /** `every`: of a field with several values, all must be among these (stock of variants). Default: one. */
    v.strictObject({ field: name, is: listOf(value, "values"), every: v.optional(v.boolean()) }),
    v.strictObject({ field: name, above: v.optional(v.number()), below: v.optional(v.number()) }),
  ],
  'give { "ids": … }, { "field": …, "is": … } or { "field": …, "above" or "below": … }',
);

const match = v.pipe(v.array(hitCondition, "list conditions"), v.minLength(1, "list conditions"), v.maxLength(10, "list at most 10"));

const SOLD_OUT = v.optional(v.picklist(["yield", "stay"], 'use "yield" or "stay"'));

const positions = whole(1, MAX_WINDOW, "positions");

const ruleAction = v.variant(
  "do",
  [
    v.strictObject({ do: v.literal("last"), match, /** Also where the shopper sorts. */ underSort: v.optional(v.boolean()) }),
    v.strictObject({ do: v.literal("boost"), match, places: whole(1, MAX_WINDOW, "places") }),
    v.strictObject({ do: v.literal("bury"), match, places: whole(1, MAX_WINDOW, "places") }),
    v.strictObject({
      do: v.literal("pin"),
      items: listOf(v.strictObject({ id: itemId, position: positions }), "items"),
      /** Of a pin that is not there: filled by the next hit, or closed by the rule's other pins. */
      gap: v.optional(v.picklist(["keep", "close"], 'use "keep" or "close"')),
      soldOut: SOLD_OUT,
    }),
    v.strictObject({ do: v.literal("hide"), match, /** Where no total counts them. */ drop: v.optional(v.boolean()) }),
    v.strictObject({ do: v.literal("cap"), field: name, most: whole(1, MAX_WINDOW, "hits"), first: whole(1, MAX_WINDOW, "positions") }),
    v.strictObject({
      do: v.literal("diversify"),
      first: whole(2, MAX_DIVERSE, "positions"),
      by: v.optional(v.picklist(["picture", "text", "both"], 'use "picture", "text" or "both"')),
      /** 1: relevance alone, 0: diversity alone. */
      relevance: v.optional(fraction),
    }),
    v.strictObject({
      do: v.literal("slots"),
      positions: listOf(positions, "positions"),
      /** Of a feed; without them those of the request's x-armmt-slots. */
      ids: v.optional(listOf(itemId, "ids")),
      soldOut: SOLD_OUT,
    }),
  ],
  'let "do" be "last", "boost", "bury", "pin", "hide", "cap", "diversify" or "slots"',
);

const rule = v.strictObject({
  id: v.pipe(v.string("give it an id"), v.regex(RULE_ID, "use 1 to 64 letters, digits, dots, dashes and underscores")),
  name: v.optional(name),
  /** For people. */
  note: v.optional(v.pipe(v.string("use text"), v.maxLength(2000, "use at most 2000 characters"))),
  owner: v.optional(name),
  /** Default: true. */
  enabled: v.optional(v.boolean("use true or false")),
  /** Higher wins. Default: 0. */
  priority: v.optional(whole(-1000, 1000, "priority")),
  when: v.optional(when),
  action: ruleAction,
});

export const rulesDocument = v.strictObject({
  format: v.literal(RULES_FORMAT, `use ${RULES_FORMAT}`),
  rules: v.pipe(v.array(rule, "list rules"), v.maxLength(MAX_RULES, `list at most ${MAX_RULES} rules`)),
});

export type RulesDocument = v.InferOutput<typeof rulesDocument>;
export type Rule = RulesDocument["rules"][number];
export type When = v.InferOutput<typeof when>;
export type Phrase = v.InferOutput<typeof phrase>;
export type RuleAction = Rule["action"];
export type Condition = v.InferOutput<typeof hitCondition>;
export type Value = v.InferOutput<typeof value>;

/** Each problem is one line: where, what is wrong, the fix. */
export function parseRules(text: string): Result<RulesDocument, readonly string[]> {
  const json = parseText(text);
  return json.ok ? checkRules(json.value) : json;
}

/** Rules that are checked at a time: some milliseconds. */
const AT_A_TIME = 200;

/** As parseRules(), for a thread that others wait for: `pause` lets them go first. Of several problems, those of the first part that has any. */
export async function parseInTurns(text: string, pause: () => Promise<unknown>): Promise<Result<RulesDocument, readonly string[]>> {
  const json = parseText(text);
  if (!json.ok) return json;
  const document = json.value;
  if (typeof document !== "object" || document === null || !("rules" in document)) return checkRules(document);
  const { rules }: { readonly rules: unknown } = document;
  if (!Array.isArray(rules) || rules.length <= AT_A_TIME || rules.length > MAX_RULES) return checkRules(document);
  const checked: Rule[] = [];
  for (let at = 0; at < rules.length; at += AT_A_TIME) {
    const part = checkRules({ ...document, rules: rules.slice(at, at + AT_A_TIME) });
    if (!part.ok) return part;
    checked.push(...part.value.rules);
    await pause(); // oxlint-disable-line no-await-in-loop
  }
  const problems = repeatedIds(checked);
  return problems.length > 0 ? err(problems) : ok({ format: RULES_FORMAT, rules: checked });
}

function parseText(text: string): Result<unknown, readonly string[]> {
  if (text.length > MAX_CHARACTERS)
    return err([
      `The document has ${text.length} characters, at most ${MAX_CHARACTERS} are read: take rules out that are over, or join some`,
    ]);
  try {
    const json: unknown = JSON.parse(text);
    return ok(json);
  } catch (cause) {
    return err([`The rules are not JSON: ${String(cause)}`]);
  }
}

export function checkRules(json: unknown): Result<RulesDocument, readonly string[]> {
  const parsed = v.safeParse(rulesDocument, json);
  if (!parsed.success) return err([...new Set(parsed.issues.flatMap((issue) => describe(issue, json)))].slice(0, MOST_PROBLEMS));
  const problems = [...parsed.output.rules.flatMap(problemsOf), ...repeatedIds(parsed.output.rules)].slice(0, MOST_PROBLEMS);
  return problems.length > 0 ? err(problems) : ok(parsed.output);
}

function repeatedIds(rules: readonly Rule[]): readonly string[] {
  return repeats(rules.map(({ id }) => id)).map((id) => `Rule ${id}: another rule has this id: give each its own`);
}

const MOST_PROBLEMS = 50;

/** What a schema does not see: members that contradict each other. */
function problemsOf({ id, when: { from, until, share, emptyQuery, query, filters } = {}, action }: Rule): string[] {
  const problems: string[] = [];
  const say = (text: string): void => void problems.push(`Rule ${id}: ${text}`);
  if (from !== undefined && until !== undefined && Date.parse(from) >= Date.parse(until))
    say(`until (${until}) is not after from (${from}): the end is exclusive`);
  if (share !== undefined && (share.from ?? 0) >= share.to) say(`share ends (${share.to}) where it begins or before: let from be below to`);
  if (emptyQuery === true && query !== undefined) say("query and emptyQuery exclude each other: make two rules");
  if (filters !== undefined && Object.keys(filters).length === 0) say("filters is empty: name a field, or leave it out");
  if ("match" in action) {
    for (const condition of action.match) {
      if ("ids" in condition || "is" in condition) continue;
      const { field, above, below } = condition;
      if (above === undefined && below === undefined) say(`the condition on ${field} has no bound: give above, below or is`);
      if (above !== undefined && below !== undefined && above >= below) say(`no ${field} is above ${above} and below ${below}`);
    }
  }
  if (action.do === "pin") {
    for (const repeated of repeats(action.items.map((item) => item.id))) say(`item ${repeated} is pinned twice`);
    for (const repeated of repeats(action.items.map((item) => String(item.position)))) say(`position ${repeated} is given twice`);
  }
  if (action.do === "slots") {
    for (const repeated of repeats(action.positions.map(String))) say(`position ${repeated} is given twice`);
    for (const repeated of repeats(action.ids ?? [])) say(`item ${repeated} is listed twice`);
  }
  return problems;
}

function repeats(list: readonly string[]): readonly string[] {
  const seen = new Set<string>();
  return [...new Set(list.filter((one) => seen.size === seen.add(one).size))];
}

/** A union's own message says little where one of its forms nearly fits: then that form's problem is shown. */
function describe(issue: v.BaseIssue<unknown>, json: unknown): string[] {
  const path = v.getDotPath(issue) ?? "The document";
  const at = /^rules\.(\d+)/.exec(path)?.[1];
  const rules: unknown = typeof json === "object" && json !== null && "rules" in json ? json.rules : undefined;
  const one: unknown = Array.isArray(rules) && at !== undefined ? rules[Number(at)] : undefined;
  const id = typeof one === "object" && one !== null && "id" in one && typeof one.id === "string" ? one.id : undefined;
  const where = at === undefined ? path : `Rule ${id ?? Number(at) + 1}${path.slice(`rules.${at}`.length).replace(/^\./, ": ")}`;
  if (issue.type === "strict_object" && issue.expected === "never") return [`${where} is not known here: take it out or correct its name`];
  const given = issue.input === undefined ? "missing" : shortened(JSON.stringify(issue.input));
  return [`${where} is ${given}: ${issue.input === undefined && issue.message.startsWith("Invalid") ? "give it a value" : issue.message}`];
}

function shortened(json: string): string {
  return json.length > 120 ? `${json.slice(0, 120)}…` : json;
}
