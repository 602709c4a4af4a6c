/**
 * One exchange with a search engine: sends a request to the configured URL and buffers the reply, within a time and a size. Allow-lists
 * of headers keep the shopper's cookies, credentials and address from the engine, the engine's keys and addresses from the shopper, and
 * hop-by-hop headers from both.
 *
 * Knows HTTP, not search: any status is a reply. It does not retry and follows no redirect, because a redirect could lead anywhere.
 */
import { bypass, type Bypass, ok, type Result } from "../result.ts";
import { sleep, withTimeout } from "../web.ts";
import { type ReadBody, readBody } from "./body.ts";
import type { EngineRequest } from "./dialect.ts";
import { type Client, conditionsOf, type EngineHeaders, headersToEngine, saidOf, WITHOUT_EFFECT } from "./headers.ts";
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

export interface EngineClient {
  /**
   * Never rejects. Reasons: engine_timeout, engine_unreachable, aborted. `isConditional`: the reply goes on as it is, so the engine may say 304
   * to what the client has from it.
   */
  send(request: EngineRequest, client: Client, timeoutMs: number, isConditional?: boolean): Promise<Result<EngineReply, Bypass>>;
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

interface Asked {
  readonly request: EngineRequest;
  readonly client: Client;
  readonly isConditional: boolean;
}

export function createEngineClient(options: EngineOptions): EngineClient {
  const { fetch, url, maxReplyBytes } = options;
  const withheld = new Set(options.withheldParams);
  // The edge's own headers are the same for all. Whoever knows all the rest could guess a weak key by its hash.
  const sameForAll = new Set([...WITHOUT_EFFECT, ...Object.keys(options.headers.own).map((name) => name.toLowerCase())]);

  async function exchange(asked: Asked, signal: AbortSignal): Promise<Result<EngineReply, Bypass>> {
    const { request, client, isConditional } = asked;
    try {
      const headers = headersToEngine(client, options.headers);
      if (request.contentType !== undefined) headers.set("content-type", request.contentType);
      if (isConditional) for (const [name, value] of conditionsOf(client.headers)) headers.set(name, value);
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
    async send(request, client, timeoutMs, isConditional = false) {
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
        const reply = await withTimeout(exchange({ request, client, isConditional }, abort.signal), Math.max(0, timeoutMs), late);
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
    if ("left" in unpacked) return ok({ status, headers, body, rest, left: whyPacked(unpacked.left, codings, maxBytes) });
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

function whyPacked(left: "unknown" | "too long", codings: readonly string[], maxBytes: number): Bypass {
  if (left === "too long") return { reason: "reply_too_large", detail: `The reply is longer than ${maxBytes} bytes when unpacked` };
  const named = JSON.stringify(codings.join(", ").slice(0, 100));
  return { reason: "reply_encoded", detail: `The reply is packed as ${named}, which this runtime cannot unpack` };
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
