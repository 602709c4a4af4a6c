/**
 * An edge on any runtime: configuration and platform → the Hono app. The entries in runtimes/ differ only in the platform.
 */
import { createApp } from "./app.ts";
import type { ClientAddress, EdgeApp } from "./app/deps.ts";
import { createBreakers, type Breaker } from "./breaker.ts";
import { dialectLimits, type Dialects } from "./backends/dialects.ts";
import type { Fetch } from "./backends/engine.ts";
import { type Config, parseConfig } from "./config/config.ts";
import { insecureUrl, isPrivateHost } from "./config/fields.ts";
import type { KvReader } from "./embeddings/store.ts";
import { createOverview } from "./dashboard/overview.ts";
import { createRulesAdmin } from "./dashboard/rules.ts";
import { type Counters, createCounters, createEventCounters } from "./events/counters.ts";
import { createEventsEndpoint } from "./events/endpoint.ts";
import { createPublishedPrices } from "./events/published-price.ts";
import { createUnitHash } from "./events/keys.ts";
import type { ReadEvents } from "./events/read.ts";
import { type LetterStore, limitSink } from "./events/retrying.ts";
import type { AfterReply, RetryingSink, Sink } from "./events/sink.ts";
import { joinSinks, openSinks, type SinkBindings, type SinkDeps, sinkProblems } from "./events/sinks.ts";
import { createFindSearches, createRecentTokens } from "./events/searches.ts";
import { createEventTokens } from "./events/token.ts";
import type { OpenPublished } from "./inference/published-model.ts";
import type { Scorers } from "./inference/scorer.ts";
import { assembleSearches, describeStatus } from "./search/assemble.ts";
import type { FlagClient } from "./search/flags.ts";
import { createForwardEvents } from "./search/forward-events.ts";
import { withoutBursts } from "./search/log-bursts.ts";
import { type Log, withTimeout } from "./web.ts";

export interface Platform {
  /** Variables, as wrangler.toml has them or as text. */
  readonly env: unknown;
  /** Where item vectors were published. */
  readonly kv: KvReader;
  /** Writes there, for rules that the dashboard publishes. Default: it cannot publish. */
  readonly writeKv?: ((key: string, value: string) => Promise<void>) | undefined;
  /** assets/rules-page.bin of this package, for the dashboard. Default: it has no page of rules. */
  readonly rulesPage?: (() => Promise<BlobPart>) | undefined;
  /** Stores for EVENT_SINKS by binding, or sinks that each get all records, or one that needs no retries. */
  readonly sinks: SinkBindings | readonly Sink[] | RetryingSink;
  /** Keeps the records that one of several `sinks` did not take. With bindings: DEAD_LETTERS. */
  readonly deadLetters?: LetterStore | undefined;
  /** Reads the database of the events, for the dashboard. Default: it shows what this process has counted. */
  readonly readEvents?: ReadEvents | undefined;
  readonly scorer: Scorers;
  /** Opens models that were published without a deployment (`LIVE_MODELS`). Default: there are none but `scorer`'s. */
  readonly openPublished?: OpenPublished | undefined;
  readonly fetch: Fetch;
  /** The dialects that the configuration may name. */
  readonly dialects: Dialects;
  readonly flagClient?: FlagClient | undefined;
  /** Counts one more search (or batch of events) of a client; false beyond its limit. */
  readonly isWithinRate?: ((client: string) => Promise<boolean>) | undefined;
  /** Default: as Cloudflare says, in a Worker; elsewhere unknown. */
  readonly clientAddress?: ClientAddress | undefined;
  /** Facts of the platform for /armmt/status. */
  readonly describe?: (() => object) | undefined;
  /** Keeps the host alive until the work is done. Default: the request's execution context where there is one, else the work just runs. */
  readonly afterReply?: AfterReply | undefined;
  /** Milliseconds since 1970. Default: the platform's clock. */
  readonly now?: (() => number) | undefined;
  /** Milliseconds since any moment, of a clock that nobody sets. Default: the platform's. */
  readonly clock?: (() => number) | undefined;
  /** Default: random UUIDs. */
  readonly createId?: (() => string) | undefined;
  /** May throw: the line is then lost. Default: one line of JSON on the console. */
  readonly log?: Log | undefined;
  /** Default: those that /armmt/status shows. */
  readonly counters?: Counters | undefined;
  /** Of one reply of the engine. Default 16 MiB. */
  readonly maxReplyBytes?: number | undefined;
  /** Words a problem of the configuration, which names variables. Default: as it is. */
  readonly nameProblem?: ((problem: string) => string) | undefined;
}

export class ConfigurationError extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used: ${problems.join("; ")}`);
    this.problems = problems;
  }
}

/** Throws a ConfigurationError with every problem, after logging each of them: nothing can be served with it. */
export function readConfig(platform: Pick<Platform, "env" | "sinks" | "dialects" | "log" | "nameProblem">): Config {
  const { env, sinks, dialects, log = logToConsole, nameProblem = (problem) => problem } = platform;
  const config = parseConfig(env, dialectLimits(dialects));
  const found = config.ok ? (areBindings(sinks) ? sinkProblems(config.value.eventSinks, sinks) : []) : config.error;
  if (config.ok && found.length === 0) return config.value;
  const problems = found.map(nameProblem);
  for (const problem of problems) log({ level: "error", event: "configuration", detail: problem });
  throw new ConfigurationError(problems);
}

/** Throws like readConfig(). */
export function openEdge(platform: Platform): EdgeApp {
  const { kv, scorer, openPublished, fetch, dialects, flagClient, isWithinRate, describe, afterReply, maxReplyBytes } = platform;
  const {
    now = () => Date.now(),
    clock = () => performance.now(),
    createId = () => crypto.randomUUID(),
    counters = createCounters(),
  } = platform;
  const { clientAddress = isWorker() ? addressByCloudflare : () => undefined } = platform;
  const log = withoutBursts(neverThrowing(platform.log ?? logToConsole), now);
  const breakers = createBreakers({ now, log });
  const config = readConfig(platform);
  warnOfOpenWays(config, log);
  warnOfWideWindows(config, dialects, log);
  const eventCounters = createEventCounters();
  const sink = sinkOf(platform, config, { counters: eventCounters, now, createId, log, breakers });
  const { eventSecret: secret } = config;
  const events =
    secret === undefined
      ? undefined
      : { tokens: createEventTokens({ secret, now }), recent: createRecentTokens(), hashUnit: createUnitHash(secret) };
  const { readEvents } = platform;
  const outside = {
    kv,
    sink,
    events,
    scorer,
    openPublished,
    counters,
    flagClient,
    fetch,
    dialects,
    now,
    clock,
    createId,
    log,
    breakers,
    maxReplyBytes,
  };
  const searches = assembleSearches(config, outside);
  const publishedPrices = createPublishedPrices([...new Set([...searches.indexes.values()].map(({ store }) => store))]);
  const [application, ...more] = config.indexes.keys();
  const ingest = events && {
    ...events,
    findSearches: readEvents && createFindSearches(readEvents),
    sink,
    publishedPrices,
    counters: eventCounters,
    application: more.length > 0 ? undefined : application,
    now,
  };
  const { orderSecret, eventKeys, requestLimits, adminToken, storefrontUrl, allowOrigins, clientAddressHeader } = config;
  // Cloudflare writes this header itself, whatever the client sent; other servers pass on what the client sent.
  const { clientCountryHeader = isWorker() ? "cf-ipcountry" : undefined } = config;
  return createApp({
    ...searches,
    requestLimits,
    adminToken,
    storefrontUrl,
    allowOrigins,
    fetch,
    events: createEventsEndpoint({
      ingest,
      orderSecret,
      eventKeys,
      allowOrigins,
      forward: createForwardEvents(searches.indexes, { counters: eventCounters, log }),
      log,
    }),
    status: async () => ({
      ...(await describeStatus(searches)),
      events: eventCounters.snapshot(),
      breakers: breakers.snapshot(),
      ...describe?.(),
    }),
    overview: readEvents && createOverview(readEvents, () => searches.edge.experiments((work) => void work.catch(() => undefined)), now),
    rulesPage: platform.rulesPage,
    rules: createRulesAdmin({
      kv,
      writeKv: platform.writeKv,
      catalogs: catalogsOf(config),
      isLive: config.hasLiveRules,
      readEvents,
      now,
      log,
    }),
    isWithinRate: isWithinRate && limitLimiter(isWithinRate, breakers.add("rate limiter")),
    clientAddress,
    clientAddressHeader,
    clientCountryHeader,
    afterReply,
  });
}

function catalogsOf({ indexes }: Config) {
  const entries = [...indexes].map(([name, { backend, catalog }]) => ({ name, backend, catalog }));
  return Map.groupBy(entries, ({ catalog }) => catalog);
}

/** The configuration allows it; whether such a host is in a private network, only its owner knows. */
function warnOfOpenWays({ indexes }: Config, log: Log): void {
  for (const [index, { url }] of indexes) {
    const host = insecureUrl(url)?.hostname;
    if (host === undefined || isPrivateHost(host)) continue;
    const detail = `${url}: key, searches and replies can be read and changed on the way, unless ${host} is in a private network`;
    log({ level: "warn", event: "insecure_http", index, detail });
  }
}

function warnOfWideWindows({ indexes }: Config, dialects: Dialects, log: Log): void {
  for (const [index, { backend, window }] of indexes) {
    const usual = dialects.get(backend)?.limits.usualWindow ?? window;
    const detail = `window is ${window}, and ${backend} refuses to give more than ${usual} hits at once unless its own settings allow more: use no more, or raise it there`;
    if (window > usual) log({ level: "warn", event: "wide_window", index, detail });
  }
}

/** Cloudflare writes this header itself, whatever the client sent; other servers pass on what the client sent. */
const addressByCloudflare: ClientAddress = (c) => c.req.raw.headers.get("cf-connecting-ip") ?? undefined;

function isWorker(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

function sinkOf({ sinks, deadLetters }: Platform, { eventSinks: names }: Config, shared: SinkDeps): RetryingSink {
  if (areBindings(sinks)) return openSinks({ names, bindings: sinks, ...shared });
  return "writeEvents" in sinks ? limitSink(sinks, shared) : joinSinks(sinks, deadLetters, shared);
}

/** Every search waits for it before anything else. */
const RATE_LIMITER_MS = 200;

/** Rejects where the limiter is late, and at once while it is left alone: then nothing is limited. */
function limitLimiter(isWithinRate: NonNullable<Platform["isWithinRate"]>, breaker: Breaker): NonNullable<Platform["isWithinRate"]> {
  return async (client) => {
    if (!breaker.admits()) throw new Error("The rate limiter has failed too often in a row, and is left alone");
    try {
      const answer = await withTimeout(isWithinRate(client), RATE_LIMITER_MS, () => undefined);
      if (answer === undefined) throw new Error(`The rate limiter gave no answer within ${RATE_LIMITER_MS} ms`);
      breaker.succeeded();
      return answer;
    } catch (cause) {
      breaker.failed();
      throw cause;
    }
  };
}

function areBindings(sinks: Platform["sinks"]): sinks is SinkBindings {
  return !Array.isArray(sinks) && !("writeEvents" in sinks);
}

/** One line of JSON on the platform's console, which every platform collects. */
export function logToConsole(entry: Readonly<Record<string, unknown>>): void {
  console.log(JSON.stringify(entry));
}

/** A shopper's reply does not depend on a log. */
function neverThrowing(log: Log): Log {
  return (entry) => {
    try {
      log(entry);
    } catch {
      // There is nowhere left to report it.
    }
  };
}
