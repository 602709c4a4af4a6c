/**
 * The fields of a rule's form, and how each is written by hand: lists by the line, values between bars. What a line cannot say is shown as JSON, and may
 * be written as JSON: a form never loses what it cannot show.
 */
import type { RuleAction } from "../../../rules/document.ts";

export type Control = "text" | "area" | "number" | "flag" | keyof typeof LINES | readonly string[];

export interface Field {
  /** Where it is in a rule. */
  readonly path: readonly [string] | readonly ["when" | "action", string];
  readonly label: string;
  readonly control: Control;
  readonly hint?: string;
  /** The actions that have it. Default: all. */
  readonly of?: readonly RuleAction["do"][];
}

const MATCH: readonly RuleAction["do"][] = ["last", "boost", "bury", "hide"];

export const KINDS: readonly RuleAction["do"][] = ["pin", "boost", "bury", "hide", "last", "cap", "diversify", "slots"];

/** What an action of each kind begins with. */
export const EMPTY: Readonly<Record<RuleAction["do"], object>> = {
  pin: { items: [] },
  boost: { match: [], places: 5 },
  bury: { match: [], places: 5 },
  hide: { match: [] },
  last: { match: [{ field: "inStock", is: [false] }] },
  cap: { field: "brand", most: 2, first: 10 },
  diversify: { first: 10 },
  slots: { positions: [3] },
};

const CONDITIONS = "one a line, all must hold: brand: Acme | Other · price > 10 < 20 · ids: 4711 | 4712 · every variants.stock: 0";

export const FIELDS: readonly Field[] = [
  { path: ["name"], label: "Name", control: "text" },
  { path: ["note"], label: "Note", control: "area" },
  { path: ["owner"], label: "Owner", control: "text" },
  { path: ["priority"], label: "Priority", control: "number", hint: "higher wins; 0 where it is empty" },
  { path: ["when", "query"], label: "Words of the shopper", control: "phrases", hint: "one a line: is: tv · starts: tv · contains: smart tv · ordered: smart tv" }, // prettier-ignore
  { path: ["when", "plurals"], label: "Plurals too", control: "flag" },
  { path: ["when", "emptyQuery"], label: "Pages without words", control: "flag" },
  { path: ["when", "filters"], label: "Filters", control: "filters", hint: "one a line: category: shoes | boots" },
  { path: ["when", "index"], label: "Indexes", control: "lines", hint: "one a line" },
  { path: ["when", "context"], label: "Context", control: "lines", hint: "words of x-armmt-context, one a line" },
  { path: ["when", "country"], label: "Countries", control: "lines", hint: "two letters, one a line" },
  { path: ["when", "from"], label: "From", control: "text", hint: "2026-11-27T00:00:00+01:00" },
  { path: ["when", "until"], label: "Until", control: "text", hint: "that moment excluded" },
  { path: ["when", "zone"], label: "Time zone shown", control: "text", hint: "Europe/Berlin" },
  { path: ["action", "items"], label: "Pins", control: "items", hint: "one a line: 1: tv-55", of: ["pin"] },
  { path: ["action", "gap"], label: "Place of a pin that is not there", control: ["keep", "close"], of: ["pin"] },
  { path: ["action", "match"], label: "Which hits", control: "conditions", hint: CONDITIONS, of: MATCH },
  { path: ["action", "places"], label: "Places", control: "number", of: ["boost", "bury"] },
  { path: ["action", "drop"], label: "Drop where no total counts them", control: "flag", of: ["hide"] },
  { path: ["action", "underSort"], label: "Also where the shopper sorts", control: "flag", of: ["last"] },
  { path: ["action", "field"], label: "Field", control: "text", of: ["cap"] },
  { path: ["action", "most"], label: "At most", control: "number", of: ["cap"] },
  { path: ["action", "first"], label: "In the first positions", control: "number", of: ["cap", "diversify"] },
  { path: ["action", "by"], label: "By", control: ["picture", "text", "both"], of: ["diversify"] },
  { path: ["action", "relevance"], label: "Relevance, 0 to 1", control: "number", of: ["diversify"] },
  { path: ["action", "positions"], label: "Positions", control: "values", hint: "one a line", of: ["slots"] },
  { path: ["action", "ids"], label: "Items", control: "lines", hint: "one a line; empty: those of x-armmt-slots", of: ["slots"] },
  { path: ["action", "soldOut"], label: "When sold out", control: ["yield", "stay"], of: ["pin", "slots"] },
];

type Lines = readonly [toLine: (value: never) => string, fromLine: (line: string) => unknown];

/** "false" in quotes is text, false is not. */
function plain(value: unknown): string {
  return typeof value === "string" && typeof typed(value) === "string" ? value : JSON.stringify(value);
}

function typed(word: string): unknown {
  try {
    const value: unknown = JSON.parse(word);
    return typeof value === "object" ? word : value;
  } catch {
    return word;
  }
}

const split = (values: string): readonly string[] => values.split("|").flatMap((value) => value.trim() || []);
const cut = (line: string, at: number): readonly [string, string] => [line.slice(0, at).trim(), line.slice(at + 1).trim()];

interface Condition {
  readonly ids?: readonly string[];
  readonly field?: string;
  readonly is?: readonly unknown[];
  readonly every?: boolean;
  readonly above?: number;
  readonly below?: number;
}

const LINES = {
  lines: [String, (line) => line],
  values: [plain, typed],
  phrases: [
    ({ ordered, ...phrase }: Readonly<Record<string, unknown>>) => {
      const [[how, words] = []] = Object.entries(phrase);
      return `${ordered === true ? "ordered" : how}: ${String(words)}`;
    },
    (line) => {
      const [how, words] = cut(line, line.indexOf(":"));
      return how === "ordered" ? { contains: words, ordered: true } : { [how || "is"]: words };
    },
  ],
  filters: [
    ([field, values]: readonly [string, readonly string[]]) => `${field}: ${values.join(" | ")}`,
    (line) => {
      const [field, values] = cut(line, line.indexOf(":"));
      return [field, split(values)];
    },
  ],
  items: [
    ({ id, position }: Readonly<Record<string, unknown>>) => `${String(position)}: ${String(id)}`,
    (line) => {
      const [position, id] = cut(line, line.indexOf(":"));
      return { id, position: typed(position) };
    },
  ],
  conditions: [
    ({ ids, field = "", is, every, above, below }: Condition) => {
      if (ids !== undefined) return `ids: ${ids.join(" | ")}`;
      if (is !== undefined) return `${every === true ? "every " : ""}${field}: ${is.map(plain).join(" | ")}`;
      return `${field}${above === undefined ? "" : ` > ${above}`}${below === undefined ? "" : ` < ${below}`}`;
    },
    (line) => {
      const bounds = /^([^:<>]+?)(?:\s*>\s*([^\s<>]+))?(?:\s*<\s*([^\s<>]+))?$/.exec(line);
      if (bounds !== null) {
        const [, field, above, below] = bounds;
        return { field, ...(above !== undefined && { above: typed(above) }), ...(below !== undefined && { below: typed(below) }) };
      }
      const [name, values] = cut(line, line.indexOf(":"));
      if (name === "ids") return { ids: split(values) };
      const is = split(values).map(typed);
      return name.startsWith("every ") ? { field: name.slice(6).trim(), is, every: true } : { field: name, is };
    },
  ],
} as const satisfies Readonly<Record<string, Lines>>;

export const isLines = (control: Control): control is keyof typeof LINES => typeof control === "string" && Object.hasOwn(LINES, control);

/** What stands in the control for a value of the rule. */
export function shown(control: Control, value: unknown): string {
  if (value === undefined) return "";
  if (!isLines(control)) return typeof value === "string" ? value : JSON.stringify(value);
  const [toLine] = LINES[control];
  const list: readonly unknown[] = control === "filters" ? Object.entries(Object(value)) : Array.isArray(value) ? value : [];
  const text = list.map((one) => toLine(one as never)).join("\n"); // oxlint-disable-line no-unsafe-type-assertion
  return JSON.stringify(written(control, text)) === JSON.stringify(value) ? text : JSON.stringify(value);
}

/** The value of the rule for what stands in the control; `undefined` takes the member out. */
export function written(control: Control, text: string): unknown {
  const given = text.trim();
  if (given === "") return undefined;
  if (control === "number") return typed(given);
  if (!isLines(control)) return text;
  if (/^[[{]/.test(given)) return parsed(given);
  const [, fromLine] = LINES[control];
  const list = given.split("\n").flatMap((line) => (line.trim() === "" ? [] : [fromLine(line.trim())]));
  return control === "filters" ? Object.fromEntries(list as [string, unknown][]) : list; // oxlint-disable-line no-unsafe-type-assertion
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}
