/**
 * Allow-lists of the headers that cross the edge. They keep the shopper's cookies and credentials from the engine, the engine's keys and
 * addresses from the shopper, and hop-by-hop headers from both.
 */

/** Shopper → engine. `accept-encoding` is set by us: hits are moved as plain bytes. */
const TO_ENGINE = ["accept", "accept-language", "content-type", "traceparent", "tracestate", "x-opaque-id"];

/** To the shopper, from engine and storefront. */
const TO_CLIENT = ["cache-control", "content-disposition", "content-language", "content-type", "etag", "expires", "last-modified", "vary"];

/** Elasticsearch clients refuse to work without `x-elastic-product`. */
const FROM_ENGINE = [...TO_CLIENT, "deprecation", "retry-after", "warning", "x-elastic-product", "x-opaque-id"];

/** Shopper → storefront, for pages and pictures. */
const TO_STOREFRONT = ["accept", "accept-language", "if-modified-since", "if-none-match", "if-range", "range", "user-agent"];

const SAFETY = ["content-security-policy", "referrer-policy", "x-content-type-options"];
const FROM_STOREFRONT = [...TO_CLIENT, ...SAFETY, "accept-ranges", "content-encoding", "content-range", "link"];

function pick(from: Headers, names: readonly string[]): Headers {
  const picked = new Headers();
  for (const name of names) {
    const value = from.get(name);
    if (value !== null) picked.set(name, value);
  }
  return picked;
}

export interface EngineHeaders {
  /** Headers of clients that this engine gets, besides those that all engines get. */
  readonly fromClient: readonly string[];
  /** The edge's own, with its credential: they win. */
  readonly own: Readonly<Record<string, string>>;
}

/** A client's credential goes nowhere unless `fromClient` names its header. */
export function headersToEngine(client: Headers, { fromClient, own }: EngineHeaders): Headers {
  const headers = pick(client, [...TO_ENGINE, ...fromClient]);
  headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(own)) headers.set(name, value);
  return headers;
}

interface ReplyChanges {
  /** Hits were moved or cut, so the engine's validators do not fit the body. */
  readonly isEdited: boolean;
  /** The reply is for this shopper and this moment: no cache may keep it. */
  readonly isPrivate: boolean;
}

export function headersFromEngine(engine: Headers, changes: ReplyChanges): Headers {
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

export function headersToStorefront(client: Headers): Headers {
  return pick(client, TO_STOREFRONT);
}

export function headersFromStorefront(storefront: Headers): Headers {
  return pick(storefront, FROM_STOREFRONT);
}
