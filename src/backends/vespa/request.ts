/**
 * A request as Vespa reads it: parameters of the URL, of a form, and of a JSON body under application/json, which is flattened
 * (`{"ranking":{"profile":"a"}}` is `ranking.profile`). A form beats the URL, which beats JSON; of one name given twice the last counts.
 */
import { err, ok, type Result } from "../../result.ts";
import type { ClientRequest, EngineRequest } from "../dialect.ts";
import { applyEdits, replaceMembers, replaceParams, searchOf } from "../json/edits.ts";
import { ownRequest } from "../json/plan.ts";
import { limitsOf } from "../limits.ts";
import { type Body, type Param, paramsOf, utf8Text } from "../json/request.ts";
import { type JsonText, kindOf, members, rawText, readString, scanJson } from "../json/spans.ts";
import { nameOf } from "./names.ts";

/** A parameter of the URL or of the body. */
export interface Named extends Pick<Param, "key" | "value"> {
  readonly name: string;
}

export interface Asked {
  readonly own: EngineRequest;
  readonly url: readonly Param[];
  /** Empty unless the body is a form. */
  readonly form: readonly Param[];
  readonly body: Pick<Body, "text" | "members"> | undefined;
  /** All of them: of one key the last counts. */
  readonly all: readonly Named[];
  /** Name → its value; of names that are given under several keys, it is unknown which value counts. */
  readonly values: ReadonlyMap<string, string>;
  /** A name that is given under several keys. */
  readonly twice: string | undefined;
}

const FORM = "application/x-www-form-urlencoded";
export const JSON_TYPE = "application/json";

/** `isTrusted`: with the client's own key. Errors say why it cannot be read. */
export function readRequest(request: ClientRequest, path: string, isTrusted: boolean): Result<Asked, string> {
  const own = ownRequest(request, path);
  const url = paramsOf(own.search);
  const { type, charset } = typeOf(request.contentType);
  if (own.body === undefined) return type === JSON_TYPE && own.method === "POST" ? err("The body is empty") : ok(askedOf(own, url));
  if (type === JSON_TYPE) return readJson(own, own.body, url, limitsOf(request).members);
  // Vespa looks into no other body, but a searcher of the application may.
  if (type !== FORM) return ok(askedOf(isTrusted ? own : { ...own, body: undefined }, url));
  const text = utf8Text(own.body);
  if (text === undefined || !(UTF8.test(charset) || LATIN1.test(charset))) return err("The form is not in UTF-8");
  if (!LATIN1.test(charset) || !text.includes("%")) return ok(askedOf(own, url, paramsOf(text)));
  const form = text.replaceAll(/%[89a-f][0-9a-f]/gi, (byte) => encodeURIComponent(String.fromCharCode(Number.parseInt(byte.slice(1), 16))));
  return ok(askedOf({ ...own, body: new TextEncoder().encode(form), contentType: FORM }, url, paramsOf(form)));
}

const UTF8 = /^(?:utf-?8|us-ascii|)$/;
const LATIN1 = /^(?:iso-?8859-1|latin-?1)$/;

function typeOf(contentType: string = ""): Readonly<Record<"type" | "charset", string>> {
  const [type = "", ...more] = contentType.toLowerCase().split(";");
  const charset = more.map((part) => part.trim()).find((part) => part.startsWith("charset="));
  return { type: type.trim(), charset: (charset ?? "").replace("charset=", "").replaceAll('"', "") };
}

function readJson(own: EngineRequest, bytes: Uint8Array, url: readonly Param[], maxMembers: number): Result<Asked, string> {
  const strict = strictJson(bytes);
  if (!strict.ok) return strict;
  const text = strict.value;
  // Counted before for strict JSON only.
  if (text.names > maxMembers) return err(`The body has more than ${maxMembers} members: send less`);
  if (kindOf(text, text.root) !== "object") return err("The body is not an object");
  const body = { text, members: members(text, text.root) };
  return ok(askedOf(text.bytes === bytes ? own : { ...own, body: text.bytes }, url, [], body));
}

function askedOf(own: EngineRequest, url: readonly Param[], form: readonly Param[] = [], body?: Asked["body"]): Asked {
  const all = [...(body === undefined ? [] : flatten(body.text, body.members)), ...namedIn(url), ...namedIn(form)];
  const keys = new Map<string, string>();
  const values = new Map<string, string>();
  let twice: string | undefined;
  for (const { key, name, value } of all) {
    const other = keys.get(name);
    if (other === undefined) keys.set(name, key);
    else if (other !== key) twice = name;
    values.set(name, value);
  }
  return { own, url, form, body, all, values, twice };
}

/** The same request with a parameter of the URL that it does not have. */
export function withParam({ own, url, form, body }: Asked, key: string, value: string): Asked {
  const more = [...url, { key, value, raw: `${key}=${encodeURIComponent(value)}` }];
  return askedOf({ ...own, search: searchOf(more.map(({ raw }) => raw)) }, more, form, body);
}

function namedIn(params: readonly Param[]): Named[] {
  return params.map(({ key, value }) => ({ key, name: nameOf(key), value }));
}

/** No parameter that the edge reads has more parts to its name, or a longer one. */
const MAX_PARTS = 4;
const MAX_NAME = 256;

/** Objects that Vespa takes as texts. */
const isText = (key: string): boolean => key.startsWith("input.") || key === "select.where" || key === "select.grouping";

/** Members under the names that Vespa gives them. */
function flatten(text: JsonText, siblings: Body["members"], prefix: string = "", depth: number = 1): Named[] {
  return siblings.flatMap(({ key: own, value: span }) => {
    const key = prefix + own;
    if (kindOf(text, span) === "object" && depth < MAX_PARTS && key.length <= MAX_NAME && !isText(key))
      return flatten(text, members(text, span), `${key}.`, depth + 1);
    return [{ key, name: nameOf(key), value: readString(text, span) ?? rawText(text, span) }];
  });
}

/** The search for hits [0, size). `statement`: YQL that names the page itself, and its replacement. */
export function widened({ own, url, form, body, values }: Asked, size: number, statement: Replacement | undefined): EngineRequest {
  const numbers = { hits: size, offset: 0 };
  const replaced = (params: readonly Param[]): string[] =>
    replaceParams(
      params.map((param) =>
        statement !== undefined && param.key === "yql" && param.value === statement.from
          ? { ...param, raw: `yql=${encodeURIComponent(statement.to)}` }
          : param,
      ),
      numbers,
      nameOf,
    );
  // The URL wins over JSON, and a form that named the hits would be replaced.
  const added = values.has("hits") || statement !== undefined ? [] : [`hits=${size}`];
  const search = searchOf([...replaced(url), ...added]);
  // Vespa would answer in CBOR, which is not read here, and clients that prefer it read JSON too.
  const asked = { ...own, search, accept: JSON_TYPE };
  if (own.body === undefined) return asked;
  if (body !== undefined) {
    const edits = replaceMembers(body, numbers, nameOf);
    if (statement !== undefined) {
      for (const { key, value } of body.members)
        if (key === "yql" && readString(body.text, value) === statement.from) edits.push({ ...value, text: JSON.stringify(statement.to) });
    }
    return { ...asked, body: applyEdits(own.body, edits) };
  }
  return form.length === 0 ? asked : { ...asked, body: new TextEncoder().encode(replaced(form).join("&")) };
}

export interface Replacement {
  readonly from: string;
  readonly to: string;
}

/** Without an end it goes to that of the text: looking for the next one from each quote would take quadratic time. */
const QUOTED = /"[^"\\]*(?:\\[\s\S][^"\\]*)*(?:(")|\\?$)|'[^'\\]*(?:\\[\s\S][^'\\]*)*(?:(')|\\?$)/g;
const AFTER_ROOT = "Expected nothing after the value";

/**
 * Vespa takes line breaks and tabs in texts, single quotes, and whatever follows the object. Such a body is written anew, so that the engine
 * gets what was read here.
 */
function strictJson(bytes: Uint8Array): Result<JsonText, string> {
  const scanned = scanJson(bytes);
  const source = utf8Text(bytes);
  if (source === undefined) return err("The body is not UTF-8");
  if (scanned.ok) return scanned;
  const encoder = new TextEncoder();
  const written = encoder.encode(source.replaceAll(QUOTED, (quoted, end, single) => ((end ?? single) ? inDoubleQuotes(quoted) : quoted)));
  let strict = scanJson(written);
  if (!strict.ok && strict.error.message === AFTER_ROOT) strict = scanJson(written.slice(0, strict.error.offset));
  const { message, offset } = scanned.error;
  return strict.ok ? strict : err(`The body is not JSON: ${message} at byte ${offset}`);
}

const TO_ESCAPE = /\\[\s\S]|["\0-\x1f]/g; // oxlint-disable-line no-control-regex

function inDoubleQuotes(quoted: string): string {
  const inner = quoted.slice(1, -1).replaceAll(TO_ESCAPE, (found) => {
    if (found === "\\'") return "'";
    return found.length > 1 ? found : JSON.stringify(found).slice(1, -1);
  });
  return `"${inner}"`;
}
