/** Small things that every runtime has and no library is worth: the log, texts of errors, SHA-256, waiting. */

/** Takes one entry; plain data. */
export type Log = (entry: Readonly<Record<string, unknown>>) => void;

export const DAY_MS = 86_400_000;

/** A failure that the user can mend: the message names the value and the fix, and is printed without a stack. */
export class UserError extends Error {
  override readonly name = "UserError";
}

/** The message of an error, or the text of anything else that was thrown. */
export function errorText(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

/** The stack of an error where it has one: for faults of our own. */
export function errorStack(cause: unknown): string {
  return cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
}

/** Lower-case hex. */
export async function sha256Hex(content: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  return toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Two lower-case digits per byte. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** Whether `since` is less than `forMs` ago. False for a time to come: the clock has been set back since. */
export function isRecent(since: number, forMs: number, now: number): boolean {
  const age = now - since;
  return age >= 0 && age < forMs;
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** Resolves when everything else that is due (replies that have come, requests that wait) has had its turn. */
export function nextTurn(): Promise<void> {
  // Timers of Node run all at once, before it looks at its sockets, and take a millisecond.
  return typeof setImmediate === "function" ? new Promise((resolve) => void setImmediate(resolve)) : sleep(0);
}

/**
 * The value of `work`, or that of `late()` after `timeoutMs`, unless `work` ends before `late()` does; then `work` goes on and its outcome is
 * dropped. Rejects if `work` or `late()` does.
 */
export async function withTimeout<T, L>(work: Promise<T>, timeoutMs: number, late: () => L | Promise<L>): Promise<T | L> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const timeout = new Promise<L>((resolve) => {
    timer = setTimeout(() => resolve(late()), timeoutMs);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}

/** Pieces of bytes, such as a message of Node, as a stream that errors where they break off. */
export function streamOf(pieces: AsyncIterable<Uint8Array>, onCancel: () => void = () => undefined): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await iterator.next();
        if (done === true) controller.close();
        else controller.enqueue(value);
      },
      cancel: onCancel,
    },
    { highWaterMark: 0 },
  );
}
