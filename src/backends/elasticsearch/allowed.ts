/**
 * Whether a request of Elasticsearch may go to the engine with the edge's key: everything in it must be understood (members.ts), and every
 * index that it names must be one that is configured with that key.
 *
 * One walk over the body's spans, linear in its bytes. A name that is repeated, or that the tables do not have, is refused: what an
 * engine makes of it is not known here.
 */
import { err, ok, type Result } from "../../result.ts";
import { type Param, repeatedKey } from "../json/request.ts";
import { holdsObject, repeatedPath } from "../json/repeated.ts";
import { elements, type JsonText, kindOf, members, readString, type Span } from "../json/spans.ts";
import type { JsonObject } from "../json/values.ts";
import { HEADER_MEMBERS, MEMBERS } from "./members.ts";
import { strangeInScript } from "./script.ts";

/** Names of indexes that the edge's key is for. */
export type OwnIndexes = ReadonlySet<string>;

export const ELSEWHERE = "take it out, or let the index forward the client's own key (forwardCredentials)";

type Rule =
  | { readonly kind: "plain" | "data" | "index" | "indices" | "script" }
  | { readonly kind: "shape" | "map" | "list"; readonly shape: string }
  | { readonly kind: "texts"; readonly texts: ReadonlySet<string> };

interface Shape {
  readonly rules: ReadonlyMap<string, Rule>;
  /** For names that `rules` does not have. */
  readonly others: Rule | undefined;
  readonly needed: readonly string[];
}

const KINDS: ReadonlyMap<string, Rule> = new Map(
  (["data", "index", "indices", "script"] as const).map((kind) => [`#${kind}`, { kind }] as const),
);
const PLAIN: Rule = { kind: "plain" };

const shapes = new Map<string, Shape>();

/** Read at its first use, because most requests use few. */
function shapeOf(name: string): Shape {
  const known = shapes.get(name);
  if (known !== undefined) return known;
  const rules = new Map<string, Rule>();
  const needed: string[] = [];
  for (const word of MEMBERS[name]!.split(/\s+/)) {
    const [key = "", written] = word.split(/!?=/);
    if (key.startsWith("+")) for (const [inherited, rule] of shapeOf(key.slice(1)).rules) rules.set(inherited, rule);
    else if (key !== "") rules.set(key, ruleOf(key, written));
    if (word.includes("!=")) needed.push(key);
  }
  const others = rules.get("*");
  rules.delete("*");
  const shape = { rules, others, needed };
  shapes.set(name, shape);
  return shape;
}

function ruleOf(key: string, written: string | undefined): Rule {
  if (written === undefined) return PLAIN;
  if (written.startsWith("(")) return { kind: "texts", texts: new Set(written.slice(1, -1).split("|")) };
  if (written.startsWith("*")) return { kind: "map", shape: written.slice(1) };
  if (written.startsWith("~")) return { kind: "list", shape: written.slice(1) };
  return KINDS.get(written) ?? { kind: "shape", shape: written === "" ? key : written };
}

/** What is not allowed, and the members that lead to it, innermost first. */
interface Stranger {
  readonly path: string[];
  readonly why: string;
}

const stranger = (why: string, ...path: string[]): Stranger => ({ path, why });

/** Why the body of a search must not reach the engine; `undefined` for one that is understood. */
export function strangeInBody(text: JsonText, own: OwnIndexes): string | undefined {
  const found = inObject(text, text.root, shapeOf("body"), own);
  return found === undefined ? undefined : `${found.path.toReversed().join(".")} ${found.why}: ${ELSEWHERE}`;
}

function inValue(text: JsonText, span: Span, rule: Rule, own: OwnIndexes): Stranger | undefined {
  if (rule.kind === "data") return inData(text, span);
  const kind = kindOf(text, span);
  if (kind === "array") {
    const isPlain = rule.kind === "plain";
    // Thousands of ids, or a vector.
    if (isPlain || rule.kind === "shape" || rule.kind === "map" || rule.kind === "list") {
      if (!holdsObject(text, span)) return undefined;
      if (isPlain) return stranger("is not passed on as a list of objects");
    }
    const element: Rule = rule.kind === "list" ? { kind: "shape", shape: rule.shape } : rule;
    for (const each of elements(text, span)) {
      const found = inValue(text, each, element, own);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (kind === "object") {
    if (rule.kind === "shape") return inObject(text, span, shapeOf(rule.shape), own);
    if (rule.kind === "map" || rule.kind === "list") return inMap(text, span, { kind: "shape", shape: rule.shape }, own);
    if (rule.kind === "script") return inScript(text, span);
    if (rule.kind === "indices") return inIndices(text, span, own);
    return stranger("is not passed on as an object");
  }
  if (rule.kind === "script") return kind === "string" ? inSource(text, span) : undefined;
  if (rule.kind === "index" || rule.kind === "indices") return inIndexName(readString(text, span), own);
  if (rule.kind === "texts" && !rule.texts.has(readString(text, span) ?? "")) {
    return stranger(`must be one of ${[...rule.texts].join(", ")}`);
  }
  return undefined;
}

function inObject(text: JsonText, span: Span, { rules, others, needed }: Shape, own: OwnIndexes): Stranger | undefined {
  const all = members(text, span);
  for (const { key, value } of all) {
    const rule = rules.get(key) ?? others;
    if (rule === undefined) return stranger("is not passed on with the edge's key", key);
    const found = inValue(text, value, rule, own);
    if (found !== undefined) return stranger(found.why, ...found.path, key);
  }
  const repeated = repeatedKey(all);
  if (repeated !== undefined) return stranger("is repeated", repeated);
  const missing = needed.find((name) => all.every(({ key }) => key !== name));
  return missing === undefined ? undefined : stranger("is missing, and the engine has a default for it", missing);
}

/** Whatever its names are, none may be there twice: engines refuse that too. */
function inData(text: JsonText, span: Span): Stranger | undefined {
  const repeated = repeatedPath(text, span);
  return repeated === undefined ? undefined : stranger("is repeated", ...repeated.toReversed());
}

function inMap(text: JsonText, span: Span, rule: Rule, own: OwnIndexes): Stranger | undefined {
  return inObject(text, span, { rules: new Map(), others: rule, needed: [] }, own);
}

function inIndices(text: JsonText, span: Span, own: OwnIndexes): Stranger | undefined {
  for (const { key } of members(text, span)) {
    const found = inIndexName(key, own);
    if (found !== undefined) return stranger(found.why, key);
  }
  return inMap(text, span, PLAIN, own);
}

function inIndexName(name: string | undefined, own: OwnIndexes): Stranger | undefined {
  if (name !== undefined && own.has(name)) return undefined;
  return stranger(`names another index than ${[...own].join(", ")}`);
}

const LANGUAGES: ReadonlySet<string> = new Set(["painless", "expression", "knn"]);

/** Only what the request itself holds runs: nothing stored. */
function inScript(text: JsonText, span: Span): Stranger | undefined {
  const all = members(text, span);
  for (const { key, value } of all) {
    if (key === "params") {
      const found = inData(text, value);
      if (found !== undefined) return stranger(found.why, ...found.path, key);
      continue;
    }
    const written = readString(text, value) ?? "";
    if (key === "source") {
      const found = kindOf(text, value) === "string" ? inSource(text, value) : stranger("must be a text");
      if (found !== undefined) return stranger(found.why, key);
    } else if (key !== "lang" || !LANGUAGES.has(written)) {
      return stranger("is not passed on with the edge's key", key);
    }
  }
  const repeated = repeatedKey(all);
  return repeated === undefined ? undefined : stranger("is repeated", repeated);
}

function inSource(text: JsonText, span: Span): Stranger | undefined {
  const strange = strangeInScript(readString(text, span) ?? "\u0000");
  return strange === undefined ? undefined : stranger(`must be one expression, without ${JSON.stringify(strange)}`);
}

/** Why parameters of the URL must not reach the engine. */
export function strangeInParams(params: readonly Param[], allowed: ReadonlySet<string>): string | undefined {
  const unknown = params.find(({ key }) => !allowed.has(key));
  if (unknown !== undefined) return `The parameter ${JSON.stringify(unknown.key)} is not passed on with the edge's key: ${ELSEWHERE}`;
  // Elasticsearch 7 ends a parameter there.
  const split = params.find(({ raw }) => raw.includes(";"));
  return split === undefined ? undefined : `The parameter ${split.key} holds a semicolon: write it as %3B`;
}

const JSON_TYPE = /^application\/(?:vnd\.elasticsearch\+)?(?:json|x-ndjson)(?: *; *(?:charset="?utf-?8"?|compatible-with="?\d+"?))* *$/i;

/** Engines read CBOR, SMILE and YAML too, by the type that the client names. */
export function strangeType(contentType: string | undefined): string | undefined {
  if (contentType === undefined || JSON_TYPE.test(contentType)) return undefined;
  return `The content type ${JSON.stringify(contentType)} is not passed on: send application/json in UTF-8`;
}

/** The header of one search of a multi-search, written anew. Errors name the member. */
export function readHeader(header: JsonObject): Result<string, string> {
  const unknown = Object.keys(header).find((key) => key !== "index" && !HEADER_MEMBERS.has(key));
  if (unknown !== undefined) return err(`${JSON.stringify(unknown)} is not passed on with the edge's key: ${ELSEWHERE}`);
  const nested = Object.entries(header).find(([, value]) => [value].flat().some((one) => typeof one === "object" && one !== null));
  if (nested !== undefined) return err(`${JSON.stringify(nested[0])} is not a text or a list of texts`);
  return ok(JSON.stringify(header));
}
