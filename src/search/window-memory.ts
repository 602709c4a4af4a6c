/**
 * The searches whose windows an engine did not give: they get their own request at once for a while, and others do not wait for them. Two
 * kinds of memory, both bounded: of one search, what it was refused; of all searches of one shape (the same members and parameters
 * with other values), whether several in a row failed. Nothing is computed until something has failed.
 */
import { type Breaker, createBreaker } from "../breaker.ts";
import type { SearchPlan } from "../backends/dialect.ts";
import type { EngineClient } from "../backends/engine.ts";
import type { Client } from "../backends/headers.ts";
import type { Bypass } from "../result.ts";

/** Of one shape, in a row. A single failure may be the words': one of their hits may be what cannot be read. */
const FAILURES = 3;

const EXACT = { failures: 1, pauseMs: 10_000, maxPauseMs: 10 * 60_000 };
const SHAPE = { failures: FAILURES, pauseMs: 10_000, maxPauseMs: 60_000 };

/** Of each kind; the one that was used least recently goes first. */
const MAX_ENTRIES = 200;

/** Of what is remembered, and of what is read for it; longer ones are not. */
const MAX_KEY_LENGTH = 8192;
const MAX_IDENTITY_LENGTH = 65_536;

export type WindowMemory = ReturnType<typeof createWindowMemory>;

/** Searches that one request widens together. */
type Widened = readonly {
  readonly index: { readonly name: string; readonly window: number; readonly engine: Pick<EngineClient, "describeClient"> };
  readonly plan: Pick<SearchPlan, "identity" | "offset" | "limit">;
  readonly request: Client;
}[];

export function createWindowMemory(now: () => number) {
  const exact = createFailures(exactKey, { ...EXACT, now });
  const shapes = createFailures(shapeKey, { ...SHAPE, now });
  return {
    /** Why these searches get no window now. The first one after a pause gets it. */
    recall: (searches: Widened): Bypass | undefined => exact.recall(searches) ?? shapes.recall(searches),
    /** `isTheirOwn`: the same search would fail again, whatever the engine is busy with. */
    failed(searches: Widened, why: Bypass, isTheirOwn: boolean): void {
      if (isTheirOwn) exact.failed(searches, why);
      shapes.failed(searches, why);
    },
    /** The engine refuses them with and without a window: that says nothing of others of their shape. */
    failedAnyhow: (searches: Widened, why: Bypass): void => exact.failed(searches, why),
    succeeded(searches: Widened): void {
      exact.succeeded(searches);
      shapes.succeeded(searches);
    },
    snapshot: () => ({ searches: exact.size(), shapes: shapes.size() }),
  };
}

interface Failure {
  readonly breaker: Breaker;
  why: Bypass;
}

function createFailures(keyOf: (searches: Widened) => string | undefined, options: typeof EXACT & { readonly now: () => number }) {
  const entries = new Map<string, Failure>();
  const find = (searches: Widened): readonly [string, Failure] | undefined => {
    const key = entries.size === 0 ? undefined : keyOf(searches);
    const failure = key === undefined ? undefined : entries.get(key);
    return key === undefined || failure === undefined ? undefined : [key, failure];
  };
  return {
    recall(searches: Widened): Bypass | undefined {
      const found = find(searches);
      return found === undefined || found[1].breaker.admits() ? undefined : found[1].why;
    },
    failed(searches: Widened, why: Bypass): void {
      const key = keyOf(searches);
      if (key === undefined) return;
      const failure = entries.get(key) ?? { breaker: createBreaker(options), why };
      failure.why = why;
      failure.breaker.failed();
      entries.delete(key);
      entries.set(key, failure);
      const [oldest] = entries.keys();
      if (entries.size > MAX_ENTRIES && oldest !== undefined) entries.delete(oldest);
    },
    succeeded(searches: Widened): void {
      const found = find(searches);
      if (found !== undefined) entries.delete(found[0]);
    },
    size: (): number => entries.size,
  };
}

/** With what the engine is told of the client: what it refuses one, it may give another. */
function exactKey(searches: Widened): string | undefined {
  return joined(searches, ({ index, plan, request }) => [index.engine.describeClient(request), plan.identity]);
}

function shapeKey(searches: Widened): string | undefined {
  if (searches.some(({ plan }) => plan.identity.length > MAX_IDENTITY_LENGTH)) return undefined;
  return joined(searches, ({ plan }) => [shapeOf(plan.identity)]);
}

/** With index and size: what is refused to a page that straddles the window, others may get. */
function joined(searches: Widened, partsOf: (search: Widened[number]) => readonly string[]): string | undefined {
  const parts: string[] = [];
  let length = 0;
  for (const search of searches) {
    const { index, plan } = search;
    for (const part of [`${index.name} ${Math.max(index.window, plan.offset + plan.limit)}`, ...partsOf(search)]) {
      length += part.length;
      if (length > MAX_KEY_LENGTH) return undefined;
      parts.push(part);
    }
  }
  return parts.join("\n");
}

/** A word, and whether it names a member or a parameter; the identity of a search may hold JSON as text, with its quotes escaped. */
const NAMES = /([\p{L}\p{N}_.-]+)(\\*"\s*:|=)?/gu;

/** The names of members and parameters in a search's identity, each once: what stays the same from shopper to shopper. */
export function shapeOf(identity: string): string {
  const names = new Set<string>();
  for (const [, word = "", isName] of identity.matchAll(NAMES)) if (isName !== undefined) names.add(word);
  return [...names].join();
}
