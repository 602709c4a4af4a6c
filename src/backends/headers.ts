/**
 * Which headers go where: allow-lists, which keep the shopper's cookies, credentials and address from the engine, the engine's keys and
 * addresses from the shopper, and hop-by-hop headers from both.
 */
/** Who asks. */
export interface Client {
  readonly headers: Headers;
  /** As the runtime or the shop's own proxy saw it, never as the client says; `undefined` where it is unknown. */
  readonly address: string | undefined;
  /** Aborted when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
}

/** Shopper → engine. `accept-encoding` is set by us: hits are moved as plain bytes. */
const TO_ENGINE = ["accept", "accept-language", "content-type", "traceparent", "tracestate", "user-agent", "x-request-id"];

/** Names of a request and of a program, for traces and logs: no order depends on them, and each page of a search may have its own. */
export const WITHOUT_EFFECT = ["traceparent", "tracestate", "user-agent", "x-opaque-id", "x-request-id"];

/** To the shopper, from engine and storefront. */
const TO_CLIENT = ["cache-control", "content-disposition", "content-language", "content-type", "etag", "expires", "last-modified", "vary"];

/** Of an engine's product, by which clients know it: those of Elasticsearch refuse to work without theirs. */
const PRODUCT = ["x-elastic-product", "x-opensearch-version"];
const FROM_ENGINE = [
  ...TO_CLIENT,
  ...PRODUCT,
  "allow",
  "content-encoding",
  "deprecation",
  "retry-after",
  "warning",
  "www-authenticate",
  "x-opaque-id",
  "x-request-id",
];

/** Shopper → storefront, for pages and pictures. */
const TO_STOREFRONT = ["accept", "accept-language", "if-modified-since", "if-none-match", "if-range", "range", "user-agent"];

const SAFETY = ["content-security-policy", "referrer-policy", "x-content-type-options"];
const FROM_STOREFRONT = [...TO_CLIENT, ...SAFETY, "accept-ranges", "content-encoding", "content-range", "link"];

/** Some hosts read control characters in a header, and clients break the connection on them: such a header goes no further. */
const WRITABLE = /^[\t -~\u0080-\uffff]*$/;

function pick(from: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null && WRITABLE.test(value)) picked.set(name, value);
  }
  return picked;
}

export interface EngineHeaders {
  /** Headers of clients that this engine gets, besides those that all engines get. */
  readonly fromClient: readonly string[];
  /** The header for the client's address; `undefined` where the engine gets none. */
  readonly address: string | undefined;
  /** The edge's own, with its credential: they win. */
  readonly own: Readonly<Record<string, string>>;
}

/**
 * A client's credential goes nowhere unless `fromClient` names its header. Of the address of a page (`referer`) goes what browsers tell other
 * sites: the rest may hold the shopper's words, and is another one for each page of a search.
 */
export function* saidOf(client: Client, { fromClient, address }: EngineHeaders): Generator<[name: string, value: string]> {
  for (const names of [TO_ENGINE, fromClient]) {
    for (const name of names) {
      const value = client.headers.get(name);
      if (value === null) continue;
      if (name !== "referer") yield [name, value];
      else if (/^https?:/i.test(value) && URL.canParse(value)) yield [name, `${new URL(value).origin}/`];
    }
  }
  if (address !== undefined && client.address !== undefined) yield [address, client.address];
}

export function headersToEngine(client: Client, options: EngineHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of saidOf(client, options)) headers.set(name, value);
  headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(options.own)) headers.set(name, value);
  return headers;
}

/**
 * What the client has from the engine already. Only replies in the engine's own order have validators, so these are theirs. Servers that pack
 * a reply make its tag a weak one, which engines compare letter by letter: so the strong one goes with it.
 */
export function* conditionsOf(client: Headers): Generator<[name: string, value: string]> {
  const tags = client.get("if-none-match");
  if (tags !== null) yield ["if-none-match", tags.replaceAll(/W\/("[^"]*")/g, "W/$1, $1")];
  const since = client.get("if-modified-since");
  if (since !== null) yield ["if-modified-since", since];
}

/**
 * `isEdited`: hits were moved or cut, so the engine's validators do not fit the body. `isPrivate`: the reply is for this shopper and this
 * moment, so no cache may keep it.
 */
export function headersFromEngine(engine: Headers, changes: Readonly<Record<"isEdited" | "isPrivate", boolean>>): Headers {
  const headers = pick(engine, FROM_ENGINE);
  if (changes.isEdited) {
    headers.delete("etag");
    headers.delete("last-modified");
  }
  if (changes.isPrivate) {
    headers.delete("expires");
    headers.set("cache-control", "private, no-store");
  }
  return headers;
}

export const headersToStorefront = (client: Headers): Headers => pick(client, TO_STOREFRONT);

export const headersFromStorefront = (storefront: Headers): Headers => pick(storefront, FROM_STOREFRONT);
