/**
 * One exchange with a search engine: sends a request to the configured URL and buffers the reply, within a time and a size.
 *
 * Knows HTTP, not search: any status is a reply. It does not retry and follows no redirect, because a redirect could lead anywhere.
 */
import { bypass, type Bypass, ok, type Result } from "../result.ts";
import { withTimeout } from "../web.ts";
import type { EngineRequest } from "./dialect.ts";
import { type EngineHeaders, headersToEngine } from "./headers.ts";
import { readBody, type ReadBody } from "./read-body.ts";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** The body has a `rest` where it is longer than `maxReplyBytes`. */
export interface EngineReply extends ReadBody {
  readonly status: number;
  /** All of the engine's; headers.ts names those that go on. */
  readonly headers: Headers;
}

export interface EngineClient {
  /** Never rejects. Reasons: engine_timeout, engine_unreachable. */
  send(request: EngineRequest, clientHeaders: Headers, timeoutMs: number): Promise<Result<EngineReply, Bypass>>;
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

  async function exchange(request: EngineRequest, clientHeaders: Headers, signal: AbortSignal): Promise<Result<EngineReply, Bypass>> {
    try {
      const headers = headersToEngine(clientHeaders, options.headers);
      if (request.contentType !== undefined) headers.set("content-type", request.contentType);
      const response = await fetch(`${url}${request.path}${without(request.search, withheld)}`, {
        method: request.method,
        headers,
        redirect: "manual",
        signal,
        // A copy, because fetch wants a buffer that is not shared; app.ts limits its size.
        ...(request.body !== undefined && { body: request.body.slice() }),
      });
      return ok({ status: response.status, headers: response.headers, ...(await readBody(response, maxReplyBytes)) });
    } catch (cause) {
      return bypass("engine_unreachable", `${url}: ${cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause)}`);
    }
  }

  return {
    send(request, clientHeaders, timeoutMs) {
      const abort = new AbortController();
      return withTimeout(exchange(request, clientHeaders, abort.signal), Math.max(0, timeoutMs), () => {
        abort.abort();
        return bypass("engine_timeout", `${url}: no reply within ${Math.round(timeoutMs)} ms`);
      });
    },
  };
}

const nameOf = (raw: string): string => [...new URLSearchParams(raw).keys()][0]?.toLowerCase() ?? "";

/** `search` without these parameters. Case does not matter, as in engines. */
function without(search: string, names: ReadonlySet<string>): string {
  if (names.size === 0 || search === "") return search;
  const kept = search
    .slice(1)
    .split("&")
    .filter((raw) => !names.has(nameOf(raw)));
  return kept.length === 0 ? "" : `?${kept.join("&")}`;
}
