/** Schemas of the configuration's values, and the text of a problem: the value and the fix, never a secret. */
import * as v from "valibot";

export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** A table given as JSON text is the table. */
export const table = <T extends v.GenericSchema>(schema: T) =>
  v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === "string" ? parseJson(value) : value)),
    schema,
  );

export const integer = (min: number, max: number, unit: string) => {
  const message = `use a whole number of ${unit} from ${min} to ${max}`;
  return v.pipe(
    v.unknown(),
    v.transform((value) => (typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : value)),
    v.number(message),
    v.integer(message),
    v.minValue(min, message),
    v.maxValue(max, message),
  );
};

export const url = v.pipe(
  v.string("use a URL"),
  v.check(
    (text) => isOrigin(text),
    "use a URL with https://, or http:// to this machine (localhost, 127.0.0.1, [::1]), without user, query or fragment",
  ),
  v.transform((text) => text.replace(/\/+$/, "")),
);

export const memberPath = v.pipe(v.string("name a field"), v.regex(/^[^.]+(\.[^.]+)*$/, "use member names with dots between them"));

/** Set by HTTP itself or by the edge. */
const RESERVED_HEADERS = /^(?:authorization|cookie|host|connection|content-length|transfer-encoding|accept-encoding|x-armmt.*)$/i;

export const headerName = v.pipe(
  v.string("name a header"),
  v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "use a header's name"),
  v.check(
    (name) => !RESERVED_HEADERS.test(name),
    "leave it out: the edge sets it (a credential belongs into the secret ENGINE_AUTHORIZATION)",
  ),
);

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export function isOrigin(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, username, password, search, hash } = new URL(text);
  if (username !== "" || password !== "" || search !== "" || hash !== "") return false;
  return protocol === "https:" || (protocol === "http:" && ["localhost", "127.0.0.1", "[::1]"].includes(hostname));
}

/** Variables that must not appear in a message or a file. */
export const SECRET_NAMES: readonly string[] = ["ADMIN_TOKEN", "ENGINE_AUTHORIZATION", "EVENT_SECRET"];

/** One line: variable, value, fix. */
export function describeIssue(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue) ?? "The environment";
  if (issue.type === "strict_object" && issue.expected === "never") return `${path} is not known here: take it out or correct its name`;
  const [variable = ""] = path.split(".");
  const isMissing = issue.input === undefined;
  const value = SECRET_NAMES.includes(variable) ? "not usable" : isMissing ? "missing" : shortened(JSON.stringify(issue.input));
  // For a missing member, the library's message has no fix.
  const fix =
    isMissing && issue.message.startsWith("Invalid key") ? (FIXES[path.split(".").at(-1) ?? ""] ?? "give it a value") : issue.message;
  return `${path} is ${value}: ${fix}`;
}

/** Fixes for required members. */
const FIXES: Readonly<Record<string, string>> = {
  INDEXES: "list at least one index",
  backend: "name a backend",
  url: "use the engine's URL",
  window: "use a whole number of hits from 2 to 1000, or 0 to pass this index on as it is",
  path: "name the engine's path",
  query: "name the parameter in which the shopper's words stand",
  limit: "name the parameter that says how many hits are wanted",
  hits: 'name the list of hits in a reply, "$" for a reply that is the list',
  leaveAlone: 'name the parameters that sort or group, { explicit_sort = ["sort"] } say, or {} where there are none',
  echo: 'name the numbers of a reply that repeat the paging, { page = "paging.page" } say, or {} where there are none',
  key: "give the experiment a key",
  variations: 'list variants, ["control", "armmt"] say',
};

function shortened(json: string): string {
  return json.length > 200 ? `${json.slice(0, 200)}…` : json;
}
