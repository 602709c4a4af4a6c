/**
 * One exchange with a search engine: sends a request to the configured URL and buffers the reply, within a time and a size. Allow-lists
 * of headers keep the shopper's cookies, credentials and address from the engine, the engine's keys and addresses from the shopper, and
 * hop-by-hop headers from both.
 *
 * Knows HTTP, not search: any status is a reply. It does not retry and follows no redirect, because a redirect could lead anywhere.
 */
import { bypass, type Bypass, ok, type Result } from "../result.ts";
import { joinBytes, sleep, withTimeout } from "../web.ts";
import type { EngineRequest } from "./dialect.ts";
import { searchOf } from "./json/edits.ts";
import { limitedRest } from "./rest.ts";
import { codingsOf, isPacked, unpack } from "./unpack.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The body has a `rest` where it is longer than `maxReplyBytes`. */
export interface EngineReply extends ReadBody {
  /** From 200 to 599. */
  readonly status: number;
  /** All of the engine's, with `content-encoding` only where the body is packed; FROM_ENGINE names those that go on. */
  readonly headers: Headers;
  /** Why the body stays packed, and cannot be read. */
  readonly left?: Bypass | undefined;
}

/** Who asks. */
export interface Client {
  readonly headers: Headers;
  /** As the runtime or the shop's own proxy saw it, never as the client says; `undefined` where it is unknown. */
  readonly address: string | undefined;
  /** Aborted when nobody waits any more. */
  readonly signal?: AbortSignal | undefined;
}

export interface EngineClient {
  /** Never rejects. Reasons: engine_timeout, engine_unreachable, aborted. */
  send(request: EngineRequest, client: Client, timeoutMs: number): Promise<Result<EngineReply, Bypass>>;
  /**
   * All that the engine learns of a client besides its request: equal for two clients only where the engine cannot tell them apart. Holds
   * credentials, so it must be hashed before it is kept.
   */
  describeClient(client: Client): string;
}

export interface EngineOptions {
  readonly fetch: Fetch;
  /** Base URL without a slash at its end. */
  readonly url: string;
  readonly headers: EngineHeaders;
  /** Parameters of the URL that do not go to the engine: credentials of clients, where the edge has its own. */
  readonly withheldParams: readonly string[];
  /** The most that the isolate buffers of one reply. */
  readonly maxReplyBytes: number;
}

export function createEngineClient(options: EngineOptions): EngineClient {
  const { fetch, url, maxReplyBytes } = options;
  const withheld = new Set(options.withheldParams);
  // The edge's own headers are the same for all. Whoever knows all the rest could guess a weak key by its hash.
  const sameForAll = new Set([...WITHOUT_EFFECT, ...Object.keys(options.headers.own).map((name) => name.toLowerCase())]);

  async function exchange(request: EngineRequest, client: Client, signal: AbortSignal): Promise<Result<EngineReply, Bypass>> {
    try {
      const headers = headersToEngine(client, options.headers);
      if (request.contentType !== undefined) headers.set("content-type", request.contentType);
      if (request.accept !== undefined) headers.set("accept", request.accept);
      const response = await fetch(`${url}${request.path}${without(request.search, withheld)}`, {
        method: request.method,
        headers,
        redirect: "manual",
        signal,
        // A copy, because fetch wants a buffer that is not shared; app.ts limits its size.
        ...(request.body !== undefined && { body: request.body.slice() }),
      });
      return await receive(response, maxReplyBytes);
    } catch (cause) {
      return bypass("engine_unreachable", `${url}: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`);
    }
  }

  return {
    async send(request, client, timeoutMs) {
      const { signal } = client;
      const hasLeft = (): boolean => signal?.aborted === true;
      if (hasLeft()) return ABORTED;
      const abort = new AbortController();
      const leave = (): void => abort.abort();
      signal?.addEventListener("abort", leave, { once: true });
      const late = async (): Promise<Result<never, Bypass>> => {
        await whileBusy(timeoutMs);
        abort.abort();
        return bypass("engine_timeout", `${url}: no reply within ${Math.round(timeoutMs)} ms`);
      };
      try {
        const reply = await withTimeout(exchange(request, client, abort.signal), Math.max(0, timeoutMs), late);
        return !reply.ok && hasLeft() ? ABORTED : reply;
      } finally {
        signal?.removeEventListener("abort", leave);
      }
    },
    describeClient(client) {
      const said = [...saidOf(client, options.headers)].filter(([name]) => !sameForAll.has(name.toLowerCase()));
      return JSON.stringify([url, said]);
    },
  };
}

const ABORTED = bypass("aborted", "The client left before the engine's reply");

const LOOK_MS = 10;
const BUSY_MS = 5;

/** While timers come late, this thread is behind, and a reply may lie in the socket: that is not the engine's fault. At least one look. */
async function whileBusy(atMostMs: number): Promise<void> {
  const startedAt = performance.now();
  let [before, after] = [startedAt, startedAt];
  do {
    before = after;
    await sleep(LOOK_MS); // oxlint-disable-line no-await-in-loop
    after = performance.now();
  } while (after - before > LOOK_MS + BUSY_MS && after - startedAt < atMostMs);
}

/** Rejects where the reply breaks off, or is packed and damaged. */
async function receive(response: Response, maxBytes: number): Promise<Result<EngineReply, Bypass>> {
  const { status, headers } = response;
  if (status < 200 || status > 599) {
    await response.body?.cancel();
    return bypass("engine_unreachable", `The engine answered with the status ${status}, which is none of HTTP's final ones`);
  }
  const { body, rest } = await readBody(response, maxBytes);
  const codings = codingsOf(headers);
  const outermost = codings.at(-1);
  if (outermost !== undefined && isPacked(body, outermost)) {
    if (rest !== undefined) return ok({ status, headers, body, rest: limitedRest(rest, Infinity) });
    const unpacked = await unpack(body, codings, maxBytes);
    if ("left" in unpacked) return ok({ status, headers, body, rest, left: unpacked.left });
    return ok({ status, headers: withoutCoding(headers), body: unpacked.bytes, rest });
  }
  // What the runtime has unpacked may be longer than what the engine sent, but not without end.
  const maxRest = outermost === undefined ? Infinity : maxBytes * MAX_UNPACKED;
  return ok({
    status,
    headers: outermost === undefined ? headers : withoutCoding(headers),
    body,
    rest: rest && limitedRest(rest, maxRest),
  });
}

/** The rest of a reply that the runtime unpacks, in units of what is buffered. */
const MAX_UNPACKED = 4;

/** As for the plain body: the engine's etag names the packed one. */
function withoutCoding(headers: Headers): Headers {
  const plain = new Headers(headers);
  for (const name of ["content-encoding", "etag"]) plain.delete(name);
  return plain;
}

const nameOf = (raw: string): string => [...new URLSearchParams(raw).keys()][0]?.toLowerCase() ?? "";

/** `search` without these parameters. Case does not matter, as in engines. */
function without(search: string, names: ReadonlySet<string>): string {
  if (names.size === 0 || search === "") return search;
  const all = search.slice(1).split("&");
  return searchOf(all.filter((raw) => !names.has(nameOf(raw))));
}

/** Shopper → engine. `accept-encoding` is set by us: hits are moved as plain bytes. */
const TO_ENGINE = ["accept", "accept-language", "content-type", "traceparent", "tracestate"];

/** Names of a request in traces and in the log of Elasticsearch: no order depends on them, and each page of a search may have its own. */
const WITHOUT_EFFECT = ["traceparent", "tracestate", "x-opaque-id"];

/** To the shopper, from engine and storefront. */
const TO_CLIENT = ["cache-control", "content-disposition", "content-language", "content-type", "etag", "expires", "last-modified", "vary"];

/** Elasticsearch clients refuse to work without `x-elastic-product`. */
const FROM_ENGINE = [...TO_CLIENT, "content-encoding", "deprecation", "retry-after", "warning", "x-elastic-product", "x-opaque-id"];

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

interface EngineHeaders {
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
function* saidOf(client: Client, { fromClient, address }: EngineHeaders): Generator<[name: string, value: string]> {
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

function headersToEngine(client: Client, options: EngineHeaders): Headers {
  const headers = new Headers();
  for (const [name, value] of saidOf(client, options)) headers.set(name, value);
  headers.set("accept-encoding", "identity");
  for (const [name, value] of Object.entries(options.own)) headers.set(name, value);
  return headers;
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

/** A Request or a Response. */
export type Message = Pick<Response, "arrayBuffer" | "body" | "headers">;

interface ReadBody {
  /** All of it, or its beginning where `rest` is there. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** The part after the limit, to be sent on or cancelled. */
  readonly rest: ReadableStream<Uint8Array> | undefined;
}

/** Rejects where the connection breaks, also before as many bytes have come as were announced. */
export async function readBody(message: Message, maxBytes: number): Promise<ReadBody> {
  const { body: stream } = message;
  if (stream === null) return { body: new Uint8Array(), rest: undefined };
  // In one piece, because HTTP gives no more than it announces; chunks cost workerd a promise and a copy for every 4 KB.
  if (announcedBytes(message.headers) <= maxBytes) return { body: new Uint8Array(await message.arrayBuffer()), rest: undefined };
  const chunks: Uint8Array[] = [];
  let length = 0;
  const reader = stream.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return { body: joinBytes(chunks), rest: undefined };
    chunks.push(value);
    length += value.length;
    if (length > maxBytes) {
      reader.releaseLock();
      return { body: joinBytes(chunks), rest: stream };
    }
  }
}

/** Infinity where it is unknown: of a compressed body, the compressed length is announced. */
function announcedBytes(headers: Headers): number {
  const length = headers.get("content-length");
  return length === null || headers.has("content-encoding") ? Infinity : Number(length);
}
