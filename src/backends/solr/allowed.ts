/**
 * Whether a request of Solr may go to the engine with the edge's key: every parameter must be understood (parameters.ts), and so must whatever
 * a value names: parsers in `{!…}`, transformers in `[…]`, other cores.
 *
 * Values are texts in languages that hold each other, with escapes at each level. Instead of following them, every `{!` is read at every level of
 * escapes, wherever it stands: more than Solr reads, never less.
 */
import type { Param } from "../json/request.ts";
import { LOCAL_PARAMS, PARAMETERS, PARSERS, PREFIXES, RESERVED, TRANSFORMERS, WRITERS } from "./parameters.ts";
import { sectionsIn } from "./sections.ts";

const ELSEWHERE = "take it out, or let the index forward the client's own key (forwardCredentials)";

/** The core of the request, and all that the edge's key is for. */
export interface Cores {
  readonly own: string;
  readonly all: ReadonlySet<string>;
}

interface Named {
  /** Parameters that other values refer to, as `$qq`. */
  readonly references: ReadonlySet<string>;
  /** Fields that a subquery fills: its parameters begin with their names. */
  readonly subqueries: ReadonlySet<string>;
}

/** Why a request must not reach the engine; `undefined` for one that is understood. */
export function strangeIn(params: readonly Param[], cores: Cores): string | undefined {
  const signs = params.reduce((sum, { value }) => sum + signsIn(value), 0);
  if (signs > MAX_SIGNS)
    return `The request holds more than ${MAX_SIGNS} backslashes, equals signs, dollar signs, brackets and braces: send less`;
  const named = namedIn(params);
  const keys = new Set(params.map(({ key }) => key));
  for (const { key, value, raw } of params) {
    // Solr refuses it, and only Solr knows what it would have been.
    if (/%(?![0-9a-f]{2})/i.test(raw)) return `The parameter ${JSON.stringify(key)} holds a percent sign that escapes nothing: write %25`;
    if (`${key}=${value}`.includes("${") && !isHandlersOwn(key, value, keys))
      return `The parameter ${JSON.stringify(key)} holds \${…}, which is not expanded: write the value`;
    const name = plainName(key, named);
    if (name === undefined) return `The parameter ${JSON.stringify(key)} is not passed on with the edge's key: ${ELSEWHERE}`;
    const strange = strangeValue(name, value, cores) ?? strangeText(name, value, cores);
    if (strange !== undefined) return `The parameter ${JSON.stringify(key)} ${strange}: ${ELSEWHERE}`;
  }
  return undefined;
}

const FIELD_LISTS: ReadonlySet<string> = new Set(["qf", "pf", "pf2", "pf3"]);
const MACRO = /^\$\{([A-Za-z_]\w{0,100})\}$/;

/** Blacklight asks for lists of fields that solrconfig.xml names: `qf=${title_qf}`. No parameter of the request may be what is put there. */
function isHandlersOwn(key: string, value: string, keys: ReadonlySet<string>): boolean {
  const name = FIELD_LISTS.has(key) ? MACRO.exec(value)?.[1] : undefined;
  return name !== undefined && !keys.has(name);
}

/** What reading a value takes time for, all values together: escapes, what begins a section or a reference, and names in sections. */
const MAX_SIGNS = 50_000;

function signsIn(value: string): number {
  let signs = 0;
  for (const sign of ["\\", "$", "=", "[", "{!"]) for (let at = value.indexOf(sign); at >= 0; at = value.indexOf(sign, at + 1)) signs++;
  return signs;
}

const REFERENCE = /\$([A-Za-z_]\w*)|"?\bparam"?\s*:\s*["']?([A-Za-z_]\w*)/g;
const SUBQUERY = /(?<![\w-])([\w-]+)\s*:\s*\[[^\][]*\bsubquery\b/g;

function namedIn(params: readonly Param[]): Named {
  const references = new Set<string>();
  const subqueries = new Set<string>();
  for (const { value } of params) {
    if (value.includes("$") || value.includes("param")) for (const [, a, b] of value.matchAll(REFERENCE)) references.add(a ?? b ?? "");
    if (value.includes("subquery")) for (const [, field = ""] of value.matchAll(SUBQUERY)) if (isOwnName(field)) subqueries.add(field);
  }
  return { references, subqueries };
}

/** Not of parameters that Solr reads itself: a field `json` would let through `json.params`. */
const isOwnName = (field: string): boolean => !PREFIXES.has(field) && !RESERVED.has(field.toLowerCase());

/** More subqueries inside of each other than this are not read. */
const MAX_PREFIXES = 4;
const MAX_NAME = 300;

/** The name without prefixes; `undefined` for one that is not understood. */
function plainName(key: string, { references, subqueries }: Named): string | undefined {
  if (key.length > MAX_NAME) return undefined;
  let name = key;
  for (let prefixes = 0; prefixes <= MAX_PREFIXES; prefixes++) {
    if (PARAMETERS.has(name) || /^json\.facet(?:\.[\w-]+)+$/.test(name)) return name;
    const perField = /^f\.[^${}[\]\\]+?\.((?:facet|hl|group|stats|terms)\..+|qf)$/.exec(name)?.[1];
    if (perField !== undefined) return PARAMETERS.has(perField) ? perField : undefined;
    const collated = /^spellcheck\.(?:collateParam\.(.+)|[\w-]+\.(?:accuracy|key))$/.exec(name);
    const dot = name.indexOf(".");
    if (collated !== null) {
      if (collated[1] === undefined) return name;
      name = collated[1];
    } else if (dot > 0 && subqueries.has(name.slice(0, dot))) {
      name = name.slice(dot + 1);
    } else {
      return references.has(name) && !RESERVED.has(name.toLowerCase()) ? name : undefined;
    }
  }
  return undefined;
}

/** Parameters of which only some values are understood. */
function strangeValue(name: string, value: string, cores: Cores): string | undefined {
  const isAllowed = ((): boolean => {
    switch (name) {
      case "collection":
        return value === cores.own;
      case "qt":
        // Of a handler's path, only its slash is looked at where handlers have paths.
        return value === "/select" || /^[\w.-]*$/.test(value);
      case "ie":
        return /^utf-?8$/i.test(value);
      case "wt":
        return value === "" || WRITERS.has(value);
      case "debug":
      case "debugQuery":
        return /^(?:false|off|no)$/i.test(value);
      case "echoParams":
        return /^(?:explicit|none)$/i.test(value);
      case "expand.rows":
      case "hl.snippets":
        // Solr sets memory aside for as many, for each group or field.
        return /^-?\d{0,4}$/.test(value);
      case "facet.matches":
      case "terms.regex":
      case "hl.regex.pattern":
        return isCheapPattern(value);
      case "defType":
      case "hl.qparser":
        return PARSERS.has(value);
      default:
        return true;
    }
  })();
  return isAllowed ? undefined : `is ${JSON.stringify(value)}, which is not passed on with the edge's key`;
}

/** Java tries all ways to match, and nothing stops it: few quantifiers, none after a group, and no flag but case. */
function isCheapPattern(pattern: string): boolean {
  const rest = pattern.replace(/^\(\?i\)/, "");
  return !/\(\?|\)[*+?{]/.test(rest) && (rest.match(/[*+?{]/g) ?? []).length <= 3;
}

/** The function that holds the thread for as many milliseconds, which only Solr's own tests need. White space is Java's. */
const SLEEP = /\bsleep[\s\x1c-\x1f]*\([\s\x1c-\x1f]*[^\s\x1c-\x1f,()]+[\s\x1c-\x1f]*,/; // oxlint-disable-line no-control-regex

/** An escape of four hex digits, or of one character; some of these are white space, where they are not the letter. */
const ESCAPE = /\\(?:u+([0-9a-fA-F]{4})|([^]))/g;
const MAX_LEVELS = 6;

/** What a value names, at every level of escapes. */
function strangeText(name: string, value: string, cores: Cores): string | undefined {
  if (SLEEP.test(value)) return "calls sleep()";
  const isFieldList = name === "fl" || name.endsWith(".fl");
  if (!value.includes("{") && !value.includes("\\") && !(isFieldList && value.includes("["))) return undefined;
  let text = value;
  for (let level = 0; level < MAX_LEVELS; level++) {
    // Solr reads the section at the beginning before it takes escapes away.
    const from = level > 0 && value.startsWith("{!") ? 1 : 0;
    const strange = strangeSections(text, "{!", "}", cores, from) ?? (isFieldList ? strangeSections(text, "[", "]", cores) : undefined);
    if (strange !== undefined) return strange;
    if (!text.includes("\\")) return undefined;
    text = text.replaceAll(ESCAPE, (_, hex: string | undefined, char: string = "") =>
      hex === undefined ? ("nrtfb".includes(char) ? " " : char) : String.fromCharCode(Number.parseInt(hex, 16)),
    );
    // A backslash at the end escapes nothing.
    if (text.endsWith("\\")) text = text.slice(0, -1);
    if (SLEEP.test(text)) return "calls sleep()";
  }
  return "is escaped too often";
}

/** Sections that begin with `start`, wherever they stand. */
function strangeSections(text: string, start: string, end: string, cores: Cores, from = 0): string | undefined {
  for (const read of sectionsIn(text, start, end, from)) {
    if (!read.ok) return read.error;
    for (const [name, value] of read.value.pairs) {
      const strange = strangeLocal(name, value, end, cores);
      if (strange !== undefined) return `holds ${start}${name}=${value}${end}, which ${strange}`;
    }
  }
  return undefined;
}

/** Parameters whose values are looked at in the request only. */
const NOT_LOCAL: ReadonlySet<string> = new Set(
  "qt debug debugQuery echoParams ie wt hl.qparser facet.matches terms.regex hl.regex.pattern".split(" "),
);

function strangeLocal(name: string, value: string, end: string, { all }: Cores): string | undefined {
  if (name === "type") {
    const known = end === "]" ? TRANSFORMERS : PARSERS;
    return known.has(value) ? undefined : "is not one of the parsers and transformers that are passed on with the edge's key";
  }
  if (name === "fromIndex" || name === "collection") return all.has(value) ? undefined : `names another core than ${[...all].join(", ")}`;
  if (name === "fl" && value.startsWith("$")) return "must be written here";
  if (name === "defType") return PARSERS.has(value) ? undefined : "is not one of the parsers that are passed on with the edge's key";
  if (LOCAL_PARAMS.has(name) || /^(?:efi|case|spellcheck\.\w+)\.[\w-]+$/.test(name)) return undefined;
  if (name === "wt" && end === "]") return WRITERS.has(value) ? undefined : "is not passed on with the edge's key";
  return PARAMETERS.has(name) && !NOT_LOCAL.has(name) ? undefined : "is not passed on with the edge's key";
}

const FORM = /^application\/x-www-form-urlencoded(?: *; *charset=(?:"?utf-?8"?|iso-8859-1|latin1))? *;? *$/i;

export const FORM_TYPE = "application/x-www-form-urlencoded";

/** Solr reads JSON, XML and parts of MIME too, by the type that the client names. */
export function strangeType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || FORM.test(contentType)) return undefined;
  return `The content type ${JSON.stringify(contentType)} is not passed on: send a form in UTF-8 (${FORM_TYPE})`;
}
