/**
 * Whether a request of Elasticsearch may go to the engine with the edge's key: everything in it must be understood (members.ts), and every
 * index that it names must be one that is configured with that key.
 *
 * One walk over the body's values, linear in its bytes. A name that is repeated, or that the tables do not have, is refused: what an
 * engine makes of it is not known here.
 */
import { err, ok, type Result } from "../../result.ts";
import type { ClientRequest } from "../dialect.ts";
import { repeatedIn } from "../json/repeated.ts";
import type { Body, Param } from "../json/request.ts";
import { isObject, type JsonObject } from "../json/values.ts";
import { HEADER_MEMBERS, MEMBERS } from "./members.ts";
import { MAX_SCRIPT_CHARS, strangeInScript } from "./script.ts";

/** Names of indexes that the edge's key is for. */
export type OwnIndexes = ReadonlySet<string>;

const ELSEWHERE = "take it out, or let the index forward the client's own key (forwardCredentials)";

export const NOT_CHECKED = "send what can be checked, or let the index forward the client's own key (forwardCredentials)";

type Rule =
  | { readonly kind: "plain" | "data" | "index" | "indices" | "script" }
  | { readonly kind: "shape"; readonly shape: string }
  /** `names`: an object with names of its own. `element`: of a list. */
  | { readonly kind: "map"; readonly names: Shape; readonly element: Rule | undefined }
  | { readonly kind: "texts"; readonly texts: ReadonlySet<string> };

interface Shape {
  readonly rules: ReadonlyMap<string, Rule>;
  /** For names that `rules` does not have. */
  readonly others: Rule | undefined;
  readonly needed: readonly string[];
}

const PLAIN: Rule = { kind: "plain" };
const KINDS: ReadonlyMap<string, Rule> = new Map(
  (["data", "index", "indices", "script"] as const).map((kind) => [`#${kind}`, { kind }] as const),
);

const mapOf = (others: Rule): Shape => ({ rules: new Map(), others, needed: [] });
const PLAIN_MAP = mapOf(PLAIN);

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
  const inner: Rule = { kind: "shape", shape: written.slice(1) };
  if (written.startsWith("*")) return { kind: "map", names: mapOf(inner), element: undefined };
  if (written.startsWith("~")) return { kind: "map", names: mapOf(inner), element: inner };
  return KINDS.get(written) ?? { kind: "shape", shape: written === "" ? key : written };
}

/** What is not allowed, and the members that lead to it, innermost first. */
interface Stranger {
  readonly path: string[];
  readonly why: string;
}

const stranger = (why: string, ...path: string[]): Stranger => ({ path, why });

/** Why the body of a search must not reach the engine; `undefined` for one that is understood. */
export function strangeInBody(body: Body, own: OwnIndexes, shape = "body"): string | undefined {
  const repeated = repeatedIn(body);
  if (repeated !== undefined) return `${repeated.join(".")} is repeated: name it once`;
  const found = inObject(body.values, shapeOf(shape), { own, scriptChars: 0 });
  return found === undefined ? undefined : `${found.path.toReversed().join(".")} ${found.why}: ${ELSEWHERE}`;
}

/** Through one body. */
interface Walk {
  readonly own: OwnIndexes;
  /** Of the scripts so far. */
  scriptChars: number;
}

function inValue(value: unknown, rule: Rule, walk: Walk): Stranger | undefined {
  if (rule.kind === "data") return undefined;
  if (Array.isArray(value)) {
    const element = rule.kind === "map" ? (rule.element ?? rule) : rule;
    for (const each of value) {
      const found = inValue(each, element, walk);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (isObject(value)) {
    if (rule.kind === "shape") return inObject(value, shapeOf(rule.shape), walk);
    if (rule.kind === "map") return inObject(value, rule.names, walk);
    if (rule.kind === "script") return inScript(value, walk);
    if (rule.kind === "indices") return inIndices(value, walk);
    return stranger("is not passed on as an object");
  }
  if (rule.kind === "script") return typeof value === "string" ? inSource(value, walk) : undefined;
  if (rule.kind === "index" || rule.kind === "indices") return inIndexName(value, walk.own);
  if (rule.kind === "texts" && !(typeof value === "string" && rule.texts.has(value))) {
    return stranger(`must be one of ${[...rule.texts].join(", ")}`);
  }
  return undefined;
}

function inObject(object: JsonObject, { rules, others, needed }: Shape, walk: Walk): Stranger | undefined {
  for (const key of Object.keys(object)) {
    const rule = rules.get(key) ?? others;
    if (rule === undefined) return stranger("is not passed on with the edge's key", key);
    const found = inValue(object[key], rule, walk);
    if (found !== undefined) return stranger(found.why, ...found.path, key);
  }
  for (const name of needed) if (!Object.hasOwn(object, name)) return stranger("is missing, and the engine has a default for it", name);
  return undefined;
}

function inIndices(object: JsonObject, walk: Walk): Stranger | undefined {
  for (const key of Object.keys(object)) {
    const found = inIndexName(key, walk.own);
    if (found !== undefined) return stranger(found.why, key);
  }
  return inObject(object, PLAIN_MAP, walk);
}

function inIndexName(name: unknown, own: OwnIndexes): Stranger | undefined {
  if (typeof name === "string" && own.has(name)) return undefined;
  return stranger(`names another index than ${[...own].join(", ")}`);
}

const LANGUAGES: ReadonlySet<unknown> = new Set(["painless", "expression", "knn"]);

/** Only what the request itself holds runs: nothing stored. */
function inScript(script: JsonObject, walk: Walk): Stranger | undefined {
  for (const [key, value] of Object.entries(script)) {
    if (key === "params" || (key === "lang" && LANGUAGES.has(value))) continue;
    if (key !== "source") return stranger("is not passed on with the edge's key", key);
    const found = inSource(value, walk);
    if (found !== undefined) return stranger(found.why, key);
  }
  return undefined;
}

function inSource(source: unknown, walk: Walk): Stranger | undefined {
  if (typeof source !== "string") return stranger("must be a text");
  walk.scriptChars += source.length;
  if (walk.scriptChars > MAX_SCRIPT_CHARS) return stranger(`is longer, with other scripts, than ${MAX_SCRIPT_CHARS} characters`);
  const strange = strangeInScript(source);
  return strange === undefined ? undefined : stranger(`must be one expression, without ${JSON.stringify(strange)}`);
}

/** Why parameters of the URL must not reach the engine. */
export function strangeInParams(params: readonly Param[], allowed: ReadonlySet<string>): string | undefined {
  const unknown = params.find(({ key, value }) => !allowed.has(key) && !(key === "error_trace" && value === "false"));
  if (unknown === undefined) return undefined;
  return `The parameter ${JSON.stringify(unknown.key)} is not passed on with the edge's key: ${ELSEWHERE}`;
}

const JSON_TYPE =
  /^application\/(?:vnd\.elasticsearch\+)?(?:json|x-ndjson)(?: *; *(?:charset="?(?:utf-?8|us-ascii|iso-8859-1)"?|compatible-with="?\d+"?))* *$/i;

/** Engines read CBOR, SMILE and YAML too, by the type that the client names. */
export function strangeType({ body, contentType }: Pick<ClientRequest, "body" | "contentType">): string | undefined {
  if (body.length === 0 || contentType === undefined || JSON_TYPE.test(contentType)) return undefined;
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
