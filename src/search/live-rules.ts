/**
 * The rules of one catalogue that are live now: a pointer in KV, and the document of the version that it names.
 *
 * The pointer is read once per isolate and minute, the document when the version is another one. A store that fails leaves the last rules; a document
 * that is broken leaves none, as in an isolate that starts now: the order without rules, and the status says why. Never rejects.
 */
import { type KvReader, parsePointer } from "../embeddings/store.ts";
import type { AfterReply } from "../events/sink.ts";
import type { Result } from "../result.ts";
import { parseInTurns } from "../rules/document.ts";
import { type CompiledRules, compileRules } from "../rules/match.ts";
import { errorText, isRecent, type Log, nextTurn, sha256Hex, sleep, withTimeout } from "../web.ts";

/** The parts of a key are names of files too, so the pointer cannot be `<catalog>/rules`: documents are below it. */
export function rulesPointerKey(catalog: string): string {
  return `${catalog}/rules/live`;
}

export function rulesKey(catalog: string, version: string): string {
  return `${catalog}/rules/${version}`;
}

/** The version of a document: what is published twice is one version, and a damaged one is noticed. */
export async function rulesVersion(text: string): Promise<string> {
  return (await sha256Hex(text)).slice(0, 16);
}

const FRESH_MS = 60_000;

/** The host waits no longer for a read that hangs. */
const READ_MS = 10_000;

/** As for experiments: no shopper waits longer, and none at all once the first read has taken that long. */
const FIRST_READ_MS = 300;

export interface LiveRules {
  /** `undefined` where there are none. A promise only before the first read has ended. */
  read(afterReply: AfterReply): CompiledRules | undefined | Promise<CompiledRules | undefined>;
  /** For the status. */
  describe(): object;
}

interface LiveRulesOptions {
  readonly kv: KvReader;
  readonly catalog: string;
  readonly now: () => number;
  readonly log: Log;
}

export function createLiveRules({ kv, catalog, now, log }: LiveRulesOptions): LiveRules {
  let current: CompiledRules | undefined;
  /** The last version that was looked at, good or broken. */
  let seen: string | undefined;
  let problem: string | undefined;
  let failures = 0;
  let readAt: number | undefined;
  let reading: Promise<void> | undefined;
  let lastRead = 0;
  let waitingSince: number | undefined;

  const fail = (detail: string, level: "warn" | "error"): void => {
    failures++;
    problem = detail;
    log({ level, event: "rules", catalog, detail });
  };

  async function load(number: number): Promise<void> {
    const pointerText = await kv.get(rulesPointerKey(catalog), "text");
    if (number !== lastRead) return;
    if (pointerText === null) {
      [current, seen, problem] = [undefined, undefined, undefined];
      return;
    }
    const pointer = parsePointer(pointerText);
    if (!pointer.ok) {
      [current, seen] = [undefined, undefined];
      fail(`${rulesPointerKey(catalog)} is no pointer: ${pointer.error}`, "error");
      return;
    }
    const { version } = pointer.value;
    if (version === seen) {
      // What went wrong meanwhile is over; a document that is broken stays so.
      if (current !== undefined) problem = undefined;
      return;
    }
    const text = await kv.get(rulesKey(catalog, version), "text");
    // One that hung for a minute must not replace newer rules.
    if (number !== lastRead) return;
    // KV may show a pointer before the document: the next minute will tell.
    if (text === null) return fail(`Key ${rulesKey(catalog, version)} does not exist: publish the rules again or roll back`, "warn");
    const compiled = await compile(text, version);
    if (number !== lastRead) return;
    seen = version;
    if (typeof compiled === "string") {
      current = undefined;
      fail(compiled, "error");
    } else [current, problem] = [compiled, undefined];
  }

  async function readNow(number: number): Promise<void> {
    try {
      await load(number);
    } catch (cause) {
      fail(`The rules of ${catalog} cannot be read: ${errorText(cause)}`, "warn");
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
      // Until the rules have been read once, two pages of one search could differ.
      if (waitingSince === undefined || !isRecent(waitingSince, FIRST_READ_MS, now())) return current;
      return Promise.race([reading, sleep(waitingSince + FIRST_READ_MS - now())]).then(() => current);
    },
    describe: () => ({
      version: current?.version ?? null,
      rules: current?.count ?? 0,
      ...(failures > 0 && { failures }),
      ...(problem !== undefined && { problem }),
    }),
  };
}

/** The errors are lines. */
export async function compileText(text: string, version: string): Promise<Result<CompiledRules, readonly string[]>> {
  const parsed = await parseInTurns(text, nextTurn);
  return parsed.ok ? compileRules(parsed.value, version) : parsed;
}

/** The text says why there are none. */
async function compile(text: string, version: string): Promise<CompiledRules | string> {
  const actual = await rulesVersion(text);
  if (actual !== version) return `Rules ${version} are damaged: their content is ${actual}; publish them again or roll back`;
  const compiled = await compileText(text, version);
  return compiled.ok ? compiled.value : `Rules ${version} are ignored: ${compiled.error.slice(0, 3).join("; ")}`;
}
