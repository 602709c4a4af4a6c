/** Bodies of requests and replies, within a size; those of requests as they were before their client packed them. */
import { err, ok, type Result } from "../result.ts";
import { joinBytes } from "../web.ts";
import { codingsOf, unpack } from "./unpack.ts";

/** A Request or a Response. */
export type Message = Pick<Response, "arrayBuffer" | "body" | "headers">;

export interface ReadBody {
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

/** Why a request has no body that can be read. */
export type BodyFault = "too long" | "broken off" | "damaged" | "unknown coding";

/**
 * The plain body of a request. Packed and plain, it has `maxBytes` at most. A coding that this runtime cannot undo is a fault: the engine must
 * never get bytes without the name of their coding.
 */
export async function readSent(request: Message, maxBytes: number): Promise<Result<Uint8Array, BodyFault>> {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) return err("too long");
  let body: ReadBody;
  try {
    body = await readBody(request, maxBytes);
    await body.rest?.cancel();
  } catch {
    return err("broken off");
  }
  if (body.body.length > maxBytes) return err("too long");
  const codings = codingsOf(request.headers).filter((name) => !isCharset(name));
  if (codings.length === 0 || body.body.length === 0) return ok(body.body);
  try {
    const unpacked = await unpack(body.body, codings, maxBytes);
    return "bytes" in unpacked ? ok(unpacked.bytes) : err(unpacked.left === "unknown" ? "unknown coding" : "too long");
  } catch {
    return err("damaged");
  }
}

/** Some clients name the charset as the coding of the body; engines read over it. */
function isCharset(coding: string): boolean {
  try {
    return new TextDecoder(coding).encoding !== "";
  } catch {
    return false;
  }
}

/** A search or an event whose body cannot be read, in words. */
export const BODY_REFUSALS: Readonly<
  Record<BodyFault, readonly [status: 400 | 413 | 415, type: string, message: (maxBytes: number, headers: Headers) => string]>
> = {
  "too long": [
    413,
    "content_too_long_exception",
    (maxBytes) => `The body is longer than ${maxBytes} bytes: send less, or raise REQUEST_LIMITS.bodyBytes`,
  ],
  // To a client that is most likely gone.
  "broken off": [400, "illegal_argument_exception", () => "The body ended before it was complete: send it again"],
  damaged: [400, "illegal_argument_exception", (_, headers) => `The body is not packed as ${codingOf(headers)}, or not all of it came`],
  "unknown coding": [
    415,
    "media_type_header_exception",
    (_, headers) => `A body packed as ${codingOf(headers)} cannot be unpacked here: send it plain, or as gzip`,
  ],
};

const codingOf = (headers: Headers): string => JSON.stringify(headers.get("content-encoding")?.slice(0, 100) ?? "");
