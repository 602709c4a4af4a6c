/** What all routes share: a request as it can be read, whose it is, how many a client may send, and the refusals. */
import type { Context } from "hono";
import { basePath } from "hono/route";
import { BODY_REFUSALS, type Message, readSent } from "../backends/body.ts";
import type { Dialect } from "../backends/dialect.ts";
import type { AfterReply } from "../events/sink.ts";
import type { IndexDeps } from "../search/contract.ts";
import { lastAddress } from "../search/client-address.ts";
import { errorStack, streamOf } from "../web.ts";
import type { AppDeps } from "./deps.ts";

export const withoutDoubles = (path: string): string => (path.includes("//") ? path.replaceAll(/\/{2,}/g, "/") : path);

/** The body of a search or of another call, within its limits; or the answer to a client that sends too many, or one that cannot be read. */
export async function receive(c: Context, deps: AppDeps, backend: Dialect): Promise<Uint8Array | Response> {
  if (!(await isWithinRate(deps, addressOf(c, deps), ""))) {
    c.header("retry-after", "60");
    return refuse(c, backend, 429, "too_many_requests", "Too many searches from this address: try again in a minute");
  }
  const { bodyBytes } = deps.requestLimits;
  const sent = bodyOf(c);
  if (sent === undefined)
    return refuse(c, backend, 400, "illegal_argument_exception", "This server cannot read the body of a GET: send the search by POST");
  const body = await readSent(sent, bodyBytes);
  if (body.ok) return body.value;
  const [status, type, message] = BODY_REFUSALS[body.error];
  if (body.error === "broken off") deps.edge.log({ level: "warn", event: "upload_broken_off", to: backend.name });
  return refuse(c, backend, status, type, message(bodyBytes, c.req.raw.headers));
}

/** Never throws, and no work becomes an unhandled rejection. */
export function afterReplyOf(c: Context, { afterReply, edge }: AppDeps): AfterReply {
  return (work) => {
    const logged = work.catch((cause: unknown) => edge.log({ level: "error", event: "after_reply_failed", detail: errorStack(cause) }));
    try {
      if (afterReply === undefined) c.executionCtx.waitUntil(logged);
      else afterReply(logged);
    } catch {
      // Hono throws where the host gave no execution context: the work runs all the same.
    }
  };
}

/** The path without the prefix below which the app is mounted. */
export function pathBelowMount(c: Context, path: string): string {
  const prefix = basePath(c);
  return prefix === "/" || !path.startsWith(prefix) ? path : path.slice(prefix.length);
}

export function addressOf(c: Context, { clientAddress, clientAddressHeader: header }: AppDeps): string | undefined {
  const given = header === undefined ? clientAddress(c) : c.req.raw.headers.get(header);
  return given === undefined || given === null ? undefined : lastAddress(given);
}

/** `kind` keeps counts apart. Without an address, or an answer of the limiter, nothing is limited. */
export async function isWithinRate(deps: AppDeps, client: string | undefined, kind: string): Promise<boolean> {
  if (deps.isWithinRate === undefined || client === undefined) return true;
  try {
    return await deps.isWithinRate(`${kind}${client}`);
  } catch (cause) {
    deps.edge.log({ level: "warn", event: "rate_limiter_failed", detail: String(cause) });
    return true;
  }
}

/**
 * The request as its body can be read, which a search by GET may have: workerd gives it, Node only in the message below the Request (a host may
 * pass that as `incoming`). `undefined` where the body is out of reach: without it the search would be another one.
 */
function bodyOf(c: Context): Message | undefined {
  const { raw } = c.req;
  if (raw.method === "POST" || raw.body !== null || !announcesBody(raw.headers)) return raw;
  const incoming: unknown = Object(c.env).incoming;
  return isReadable(incoming) ? new Response(streamOf(incoming), { headers: [...raw.headers] }) : undefined;
}

function isReadable(value: unknown): value is AsyncIterable<Uint8Array> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function announcesBody(headers: Headers): boolean {
  return headers.has("transfer-encoding") || Number(headers.get("content-length") ?? 0) !== 0;
}

type RefusalStatus = 400 | 401 | 403 | 404 | 405 | 413 | 415 | 429 | 500 | 502;

/** In the engine's format, which the clients of these routes understand. */
export function refuse(c: Context, backend: Dialect | undefined, status: RefusalStatus, type: string, message: string): Response {
  const { headers, body } = backend?.describeError(status, type, message) ?? { headers: { "content-type": "text/plain" }, body: message };
  return c.body(body, status, headers);
}

/** The first of indexes that are on one engine, under one key. */
export function soleEngine(indexes: readonly IndexDeps[]): IndexDeps | undefined {
  const [first] = indexes;
  return indexes.every(({ engine }) => engine === first?.engine) ? first : undefined;
}

export const notOnOneEngine = (names: readonly string[]): string =>
  `${[...new Set(names)].join(", ")} are not on one engine: send one request for each`;
