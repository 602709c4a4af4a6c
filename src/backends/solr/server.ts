/**
 * What only Solr's configuration knows: orders, filters, fields, rows and sections that a handler sets by default, adds or insists on, and the
 * documents that elevate.xml pins. A widened request asks for all of it, and the reply loses it again.
 *
 * Solr expands macros (`${name:default}`) after it has added the handler's parameters, in values and in names. So a widened request keeps the
 * shopper's parameters as they are: a parameter whose *name* expands to `rows` wins over that one, whoever set it, and one whose value names
 * `rows` tells what it would have been.
 */
import type { JsonText, Span } from "../json/spans.ts";
import { rawText, spanAt } from "../json/spans.ts";
import { isObject, member } from "../json/values.ts";
import type { Param } from "../json/request.ts";
import { matches } from "../wildcard.ts";
import { hashOrder } from "./hash-order.ts";

/**
 * Names that Solr expands. Where two names expand to one, the last in the order of Java's hash tables counts, which is the order of the low bits of
 * their hashes: of these the low 16 bits are ones.
 */
export const OVERRIDES = {
  start: "${armmtb17u:start}",
  rows: "${armmthip:rows}",
  echoParams: "${armmtgkkb:echoParams}",
  omitHeader: "${armmtxis:omitHeader}",
} as const;

/** Holds what they would have been without. */
const OWN = "armmt.own";
const OWN_NAMES = ["echoParams", "omitHeader", "start", "rows"] as const;
const FIELDS = "json.fields";

/** What a request without `fl` gets, where the edge adds to it: the handler's fields, or all. */
const USUAL_FIELDS = "${fl:*}";
const ALL_FIELDS = "*";

export const ELEVATED = "[elevated]";
const SCORE = "score";
const RID = "rid";

/** Raw parameters, to be added to those of the shopper. */
export function wideParams(size: number, idField: string, sent: readonly Param[]): string[] {
  const own = OWN_NAMES.map((name) => `\${${name}:}`).join("|");
  const values = { [OVERRIDES.start]: "0", [OVERRIDES.rows]: String(size), [OVERRIDES.echoParams]: "all", [OVERRIDES.omitHeader]: "false" };
  const fields = JSON.stringify(addedFields(idField, sent));
  return Object.entries({ ...values, [OWN]: own, [FIELDS]: fields }).map(
    ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
  );
}

const hiddenFields = (idField: string): readonly string[] => [ELEVATED, SCORE, idField.split(".", 1)[0] ?? idField];

function addedFields(idField: string, sent: readonly Param[]): readonly string[] {
  const lists = sent.filter(({ key }) => key === "fl");
  const usual = lists.length === 0 ? [USUAL_FIELDS] : isForAll(lists.map(({ value }) => value)) ? [ALL_FIELDS] : [];
  return [...usual, ...hiddenFields(idField)];
}

/** One empty list, where a list of spaces asks for no field. */
const isForAll = (lists: readonly string[]): boolean => lists.length === 1 && lists[0] === "";

export interface Server {
  /** All parameters that the shopper's own request would have had, those of the handler included. */
  readonly params: readonly Param[];
  /** How it would have been answered. */
  readonly echo: "none" | "explicit" | "all";
  readonly hasHeader: boolean;
  readonly start: string;
  readonly rows: string;
  /** Scores are asked for, also by another name: the reply has the highest one beside its hits. */
  readonly hasScores: boolean;
  /** Members of hits that only the edge asked for. */
  readonly unasked: ReadonlySet<string>;
}

/** `undefined` for a reply that does not say: to the shopper's own request, or of a Solr that expands no macros. */
export function serverOf(text: JsonText, idField: string, sent: readonly Param[]): Server | undefined {
  const echo = spanAt(text, ["responseHeader", "params"]);
  if (echo === undefined) return undefined;
  const all: unknown = JSON.parse(rawText(text, echo));
  if (!isObject(all)) return undefined;
  const said = member(all, OWN);
  const parts = typeof said === "string" ? said.split("|") : [];
  if (parts.length !== OWN_NAMES.length || parts[0]!.startsWith("$")) return undefined;
  const own = new Map<string, string>(OWN_NAMES.map((name, i) => [name, parts[i]!]));
  const fields = valuesOf(member(all, "fl")).slice(0, -addedFields(idField, sent).length);
  // No fields of a handler that names none: the edge has asked for nothing but its own.
  if (isForAll(fields) && !sent.some(({ key }) => key === "fl")) return undefined;
  const params = Object.entries(all).flatMap(([key, value]) => {
    if (key === OWN || key === FIELDS) return [];
    const before = own.get(key);
    const values = before === undefined ? (key === "fl" ? fields : valuesOf(value)) : before === "" ? [] : [before];
    return values.map((one) => ({ key, value: one, raw: "" }));
  });
  // Solr refuses it.
  if (!/^(?:true|on|yes|false|off|no|$)/i.test(own.get("omitHeader")!)) return undefined;
  const mode = own.get("echoParams")!.toLowerCase();
  return {
    params,
    echo: mode === "explicit" || mode === "all" ? mode : "none",
    hasHeader: !/^(?:true|on|yes)/i.test(own.get("omitHeader")!),
    start: own.get("start")!,
    rows: own.get("rows")!,
    hasScores: fields.some((list) => /(?:^|[\s,:])score(?:[\s,]|$)/.test(list)),
    unasked: new Set(hiddenFields(idField).filter((name) => !isAsked(fields, name))),
  };
}

const texts = (list: unknown): readonly string[] => (Array.isArray(list) ? list.filter((one) => typeof one === "string") : []);

const valuesOf = (value: unknown): readonly string[] => (typeof value === "string" ? [value] : texts(value));

/** No list of fields asks for all that is stored, and so does a star. */
function isAsked(fields: readonly string[], name: string): boolean {
  const isStored = name !== ELEVATED && name !== SCORE;
  if (isStored && (fields.length === 0 || isForAll(fields))) return true;
  return fields.some((list) => list.split(/[\s,]+/).some((field) => field === name || (isStored && matches(field, name, "?"))));
}

/** The echo as the shopper's own request would have got it. `sent`: their parameters. */
export function ownEcho(text: JsonText, { echo, params }: Server, sent: readonly Param[]): string | undefined {
  if (echo === "none") return undefined;
  const byName = new Map<string, string[]>();
  for (const { key, value } of echo === "all" ? params : sent) byName.set(key, [...(byName.get(key) ?? []), value]);
  const span = spanAt(text, ["responseHeader", "params"])!;
  const { open, between, close } = separators(text, span);
  // Solr adds the request's own id last.
  const names = hashOrder(
    [...byName.keys()].filter((name) => name !== RID),
    echo === "all",
  );
  const written = [...names, ...(byName.has(RID) ? [RID] : [])].map((name) => {
    const values = byName.get(name)!.map((value) => JSON.stringify(value));
    return `${JSON.stringify(name)}:${values.length === 1 ? values[0]! : `[${values.join(",")}]`}`;
  });
  return open + written.join(between) + close;
}

/** Solr indents, or does not: what stands around members. */
function separators({ bytes }: JsonText, { start, end }: Span): Record<"open" | "between" | "close", string> {
  const isSpace = (at: number): boolean => bytes[at] === 0x20 || bytes[at] === 0x0a;
  let first = start + 1;
  while (isSpace(first)) first++;
  let last = end - 1;
  while (isSpace(last - 1)) last--;
  const decode = (from: number, to: number): string => new TextDecoder().decode(bytes.subarray(from, to));
  const open = decode(start, first);
  return { open, between: `,${open.slice(1)}`, close: decode(last, end) };
}
