/**
 * Replies packed for clients that ask for it, in Node and Deno; Cloudflare does it by itself. Off the thread that serves, and not while that
 * is behind: a reply that goes out plain is right too.
 */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { COMPRESSIBLE_CONTENT_TYPE_REGEX } from "hono/compress";
import { parseAccept } from "hono/utils/accept";
import { withTimeout } from "../../web.ts";

/** A smaller one fills one packet of the network anyway. */
const MIN_BYTES = 1024;

/** Packing at once, by Node's four threads for files, names and cryptography. */
const MAX_RUNNING = 4;

/** A millisecond, but on threads that others can hold up. */
const LATE_MS = 200;

/** Close to the best size for a third of its time. */
const CODINGS = {
  gzip: (bytes: Uint8Array) => promisify(gzip)(bytes, { level: 4 }),
  br: (bytes: Uint8Array) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 3 } }),
} as const;

let running = 0;

/** The reply, packed where client and reply allow it. */
export async function packReply(request: Request, reply: Response): Promise<Response> {
  const { headers, status } = reply;
  const length = headers.get("content-length");
  if (request.method === "HEAD" || !isPackable(status, headers, length)) return reply;
  vary(headers);
  const accepted = request.headers.get("accept-encoding");
  const coding = accepted === null || running >= MAX_RUNNING ? undefined : preferred(accepted);
  if (coding === undefined || reply.body === null || (length === null && coding !== "gzip")) return reply;
  const packed = new Headers(headers);
  packed.set("content-encoding", coding);
  packed.delete("content-length");
  const etag = headers.get("etag");
  // The same reply, but other bytes.
  if (etag?.startsWith('"') === true) packed.set("etag", `W/${etag}`);
  // Of unknown length: it is sent on as it comes.
  if (length === null) return new Response(reply.body.pipeThrough(new CompressionStream("gzip")), { status, headers: packed });
  const plain = new Uint8Array(await reply.arrayBuffer());
  const bytes = await withTimeout(pack(plain, coding), LATE_MS, () => undefined);
  if (bytes === undefined) return new Response(plain, { status, headers });
  packed.set("content-length", String(bytes.length));
  return new Response(bytes, { status, headers: packed });
}

/** What is late counts as running until it ends: while threads hang, nobody waits for them. */
async function pack(plain: Uint8Array, coding: keyof typeof CODINGS): Promise<Uint8Array<ArrayBuffer> | undefined> {
  running++;
  try {
    return new Uint8Array(await CODINGS[coding](plain));
  } catch {
    return undefined;
  } finally {
    running--;
  }
}

function isPackable(status: number, headers: Headers, length: string | null): boolean {
  return (
    status !== 206 &&
    // Refusals of the edge tell no length, and are short.
    (length === null ? status < 300 : Number(length) >= MIN_BYTES) &&
    !headers.has("content-encoding") &&
    COMPRESSIBLE_CONTENT_TYPE_REGEX.test(headers.get("content-type") ?? "") &&
    !/(?:^|,)\s*no-transform\s*(?:,|$)/i.test(headers.get("cache-control") ?? "")
  );
}

function vary(headers: Headers): void {
  const given = headers.get("vary");
  if (given === null) headers.set("vary", "accept-encoding");
  else if (!/(?:^|,)\s*(?:\*|accept-encoding)\s*(?:,|$)/i.test(given)) headers.append("vary", "accept-encoding");
}

function preferred(accepted: string): keyof typeof CODINGS | undefined {
  const given = parseAccept(accepted);
  const weightOf = (name: string): number | undefined => given.find(({ type }) => type.toLowerCase() === name)?.q;
  const weight = (name: string): number => weightOf(name) ?? weightOf("*") ?? 0;
  const best = weight("br") > weight("gzip") ? "br" : "gzip";
  return weight(best) > 0 && weight(best) >= (weightOf("identity") ?? 0) ? best : undefined;
}
