/** The part of a reply that is too long to be buffered: it is sent on as it comes, within limits of time and, where it grows, of size. */
import { withTimeout } from "../web.ts";

/** The waits for the engine together; the time that the shopper's connection takes does not count. */
const MAX_WAIT_MS = 30_000;

/** Errors beyond a limit, which breaks off the reply. Locks `rest` when the first bytes are asked for. */
export function limitedRest(
  rest: ReadableStream<Uint8Array>,
  maxBytes: number,
  maxWaitMs: number = MAX_WAIT_MS,
): ReadableStream<Uint8Array> {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined;
  let length = 0;
  let waitedMs = 0;
  async function next(from: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    const startedAt = Date.now();
    const read = await withTimeout(from.read(), Math.max(0, maxWaitMs - waitedMs), () => undefined);
    waitedMs += Math.max(0, Date.now() - startedAt);
    if (read === undefined) throw new Error(`The engine let the edge wait for ${maxWaitMs} ms in all for the rest of its reply`);
    length += read.value?.length ?? 0;
    if (length > maxBytes) throw new Error(`The rest of the engine's reply is longer than ${maxBytes} bytes when unpacked`);
    return read.value;
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        reader ??= rest.getReader();
        try {
          const chunk = await next(reader);
          if (chunk === undefined) controller.close();
          else controller.enqueue(chunk);
        } catch (cause) {
          controller.error(cause);
          await reader.cancel(cause).catch(() => undefined);
        }
      },
      cancel: (reason) => (reader ?? rest).cancel(reason),
    },
    // Nothing is read before the shopper's connection asks.
    { highWaterMark: 0 },
  );
}
