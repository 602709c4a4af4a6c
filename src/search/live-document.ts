/**
 * A document of one catalogue that changes without a deployment: a pointer in KV, and the document of the version that it names.
 *
 * The pointer is read once per isolate and minute, the document when the version is another one. A store that fails leaves the last document; one
 * that is broken leaves none, as in an isolate that starts now, and the status says why. Never rejects.
 */
import { type KvReader, parsePointer } from "../embeddings/store.ts";
import type { AfterReply } from "../events/sink.ts";
import type { Result } from "../result.ts";
import { errorText, isRecent, type Log, sha256Hex, sleep, withTimeout } from "../web.ts";

/** What is published twice is one version, and a damaged one is noticed. */
export async function documentVersion(text: string): Promise<string> {
  return (await sha256Hex(text)).slice(0, 16);
}

const FRESH_MS = 60_000;

/** The host waits no longer for a read that hangs. */
const READ_MS = 10_000;

/** As for experiments: no shopper waits longer, and none at all once the first read has taken that long. */
const FIRST_READ_MS = 300;

export interface LiveDocument<T> {
  /** `undefined` where there is none. A promise only before the first read has ended. */
  read(afterReply: AfterReply): T | undefined | Promise<T | undefined>;
  /** For the status. */
  describe(): object;
}

export interface LiveDocumentOptions<T> {
  readonly kv: KvReader;
  readonly catalog: string;
  /** What it is called in logs: "rules", say. */
  readonly name: string;
  readonly pointerKey: string;
  readonly keyOf: (version: string) => string;
  readonly compile: (text: string, version: string) => Promise<Result<T, readonly string[]>>;
  readonly describe: (current: T | undefined) => object;
  readonly now: () => number;
  readonly log: Log;
}

export function createLiveDocument<T>(options: LiveDocumentOptions<T>): LiveDocument<T> {
  const { kv, catalog, name, pointerKey, keyOf, now, log } = options;
  let current: T | undefined;
  /** The last version that was looked at, good or broken. */
  let seen: string | undefined;
  let problem: string | undefined;
  let failures = 0;
  let readAt: number | undefined;
  let reading: Promise<void> | undefined;
  let lastRead = 0;
  let waitingSince: number | undefined;
  const title = name.charAt(0).toUpperCase() + name.slice(1);

  const fail = (detail: string, level: "warn" | "error"): void => {
    failures++;
    problem = detail;
    log({ level, event: name, catalog, detail });
  };

  async function load(number: number): Promise<void> {
    const pointerText = await kv.get(pointerKey, "text");
    if (number !== lastRead) return;
    if (pointerText === null) {
      [current, seen, problem] = [undefined, undefined, undefined];
      return;
    }
    const pointer = parsePointer(pointerText);
    if (!pointer.ok) {
      [current, seen] = [undefined, undefined];
      fail(`${pointerKey} is no pointer: ${pointer.error}`, "error");
      return;
    }
    const { version } = pointer.value;
    if (version === seen) {
      // What went wrong meanwhile is over; a document that is broken stays so.
      if (current !== undefined) problem = undefined;
      return;
    }
    const text = await kv.get(keyOf(version), "text");
    // One that hung for a minute must not replace a newer document.
    if (number !== lastRead) return;
    // KV may show a pointer before the document: the next minute will tell.
    if (text === null) return fail(`Key ${keyOf(version)} does not exist: publish the ${name} again or roll back`, "warn");
    const compiled = await compileSafely(text, version);
    if (number !== lastRead) return;
    seen = version;
    if (typeof compiled === "string") {
      current = undefined;
      fail(compiled, "error");
    } else [current, problem] = [compiled.value, undefined];
  }

  /** The text says why there is none. */
  async function compileSafely(text: string, version: string): Promise<string | { readonly value: T }> {
    const actual = await documentVersion(text);
    if (actual !== version) return `${title} ${version} are damaged: their content is ${actual}; publish them again or roll back`;
    const compiled = await options.compile(text, version);
    return compiled.ok ? { value: compiled.value } : `${title} ${version} are ignored: ${compiled.error.slice(0, 3).join("; ")}`;
  }

  async function readNow(number: number): Promise<void> {
    try {
      await load(number);
    } catch (cause) {
      fail(`The ${name} of ${catalog} cannot be read: ${errorText(cause)}`, "warn");
    } finally {
      waitingSince = undefined;
    }
  }

  return {
    read(afterReply) {
      if (readAt === undefined || !isRecent(readAt, FRESH_MS, now())) {
        if (readAt === undefined) waitingSince = now();
        readAt = now();
        reading = readNow(++lastRead);
        afterReply(withTimeout(reading, READ_MS, () => undefined));
      }
      // Until the document has been read once, two pages of one search could differ.
      if (waitingSince === undefined || !isRecent(waitingSince, FIRST_READ_MS, now())) return current;
      return Promise.race([reading, sleep(waitingSince + FIRST_READ_MS - now())]).then(() => current);
    },
    describe: () => ({
      ...options.describe(current),
      ...(failures > 0 && { failures }),
      ...(problem !== undefined && { problem }),
    }),
  };
}
