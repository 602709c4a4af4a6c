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

const withoutSlash = v.transform((text: string) => text.replace(/\/+$/, ""));

/** Of an engine; insecureUrl() looks at http://. */
export const url = v.pipe(
  v.string("use a URL"),
  v.check((text) => isBaseUrl(text), "use a URL with https:// or http://, without user, query or fragment"),
  withoutSlash,
);

/** Of pages that everybody may read. */
export const storefrontUrl = v.pipe(
  v.string("use a URL"),
  v.check(
    (text) => isOrigin(text) || (isBaseUrl(text) && isPrivateHost(new URL(text).hostname)),
    "use a URL with https://, or http:// to this machine or a private network (10.0.3.4, storefront, shop.internal), without user, query or fragment",
  ),
  withoutSlash,
);

/** http:// to another machine. */
export function insecureUrl(text: string): URL | undefined {
  return isBaseUrl(text) && !isOrigin(text) ? new URL(text) : undefined;
}

/** Whether a host is sure to be on this machine or in a private network. Other names may be too. */
export function isPrivateHost(host: string): boolean {
  return PRIVATE_HOST.test(host);
}

/** Names without dots or of private domains, and addresses of RFC 1918, RFC 4193, RFC 6598, of the link and of this machine. */
const PRIVATE_HOST =
  /^(?:[a-z_][\w-]*|.*\.(?:internal|local|localhost|lan|intranet|private|home\.arpa|svc)|(?:10|127)(?:\.\d+){3}|172\.(?:1[6-9]|2\d|3[01])(?:\.\d+){2}|(?:192\.168|169\.254)(?:\.\d+){2}|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])(?:\.\d+){2}|\[(?:::1|f[cd][\da-f]{2}:.*|fe[89ab][\da-f]:.*)\])$/i;

export const memberPath = v.pipe(v.string("name a field"), v.regex(/^[^.]+(\.[^.]+)*$/, "use member names with dots between them"));

/** Set by HTTP itself or by the edge. */
const RESERVED_HEADERS =
  /^(?:authorization|cookie|host|connection|content-length|transfer-encoding|accept-encoding|x-armmt.*|forwarded|x-forwarded-for|x-real-ip|cf-connecting-ip)$/i;

/** Of a request, that another server writes. */
export const requestHeader = v.pipe(v.string("name a header"), v.regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "use a header's name"));

export const headerName = v.pipe(
  requestHeader,
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

function isBaseUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password, search, hash } = new URL(text);
  return username === "" && password === "" && search === "" && hash === "" && (protocol === "https:" || protocol === "http:");
}

/** Of https, or of this machine. */
export function isOrigin(text: string): boolean {
  if (!isBaseUrl(text)) return false;
  const { protocol, hostname } = new URL(text);
  return protocol === "https:" || ["localhost", "127.0.0.1", "[::1]"].includes(hostname);
}

/** Variables that must not appear in a message or a file. */
export const SECRET_NAMES: readonly string[] = ["ADMIN_TOKEN", "ENGINE_AUTHORIZATION", "EVENT_SECRET", "ORDER_SECRET"];

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
