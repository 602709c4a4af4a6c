/** The bytes of an HTTP body, up to a limit. Knows neither search nor engines. */
import { joinBytes } from "../web.ts";

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
