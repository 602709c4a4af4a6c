/**
 * Environment → frozen `Config`, or every problem at once, each with its value and the fix.
 *
 * Variables come from wrangler.toml as numbers and tables, from `--var` and the dashboard as text: both are read. Secrets are never part
 * of a message.
 */
import * as v from "valibot";
import { type DialectLimits, type DialectOptions, ECHOED_NUMBERS, LEAVE_REASONS, type RequestLimits } from "../backends/dialect.ts";
import type { IndexOptions } from "../backends/dialects.ts";
import { DEFAULT_LIMITS, MAX_REQUEST_DEPTH } from "../backends/limits.ts";
import { MIN_SECRET_LENGTH } from "../events/keys.ts";
import { isSinkName, QUEUE_SINK_NAMES, type QueueSinkName, SINK_BINDINGS, type SinkName } from "../events/sinks.ts";
import type { Experiment } from "../experiment/assign.ts";
import { EVENT_ROUTES, isEdgePath } from "../protocol.ts";
import { ITEM_VALUES } from "../ranking/item-values.ts";
import { err, ok, type Result } from "../result.ts";
import { experimentList, variant } from "./experiments.ts";
import {
  describeIssue,
  headerName,
  insecureUrl,
  integer,
  isOrigin,
  memberPath,
  NAME,
  parseJson,
  requestHeader,
  storefrontUrl,
  table,
  url,
} from "./fields.ts";

export interface IndexConfig
  extends Omit<IndexOptions, "authorization">, Pick<DialectOptions, "pageSize" | "paginationLimitedTo" | "schemas" | "generic"> {
  /** A name of a dialect. */
  readonly backend: string;
  readonly catalog: string;
  readonly forwardCredentials: boolean;
}

export interface Config {
  readonly indexes: ReadonlyMap<string, IndexConfig>;
  readonly engineTimeoutMs: number;
  readonly rankBudgetMs: number;
  readonly shardCacheBytes: number;
  readonly requestLimits: RequestLimits;
  /** For requests outside the experiment. */
  readonly defaultVariant: string;
  /** A unit gets the variant of the first experiment in which it takes part. */
  readonly experiments: readonly Experiment[];
  /** Whether a KV key may replace them; it is read once per isolate and minute. */
  readonly hasLiveExperiments: boolean;
  /** Whether models may come from KV, and trust in them; read once per isolate and minute. */
  readonly hasLiveModels: boolean;
  /** Whether catalogues have rules in KV; their pointers are read once per isolate and minute. */
  readonly hasLiveRules: boolean;
  /** A flag of another flag system; its text value is the variant. */
  readonly variantFlag: string | undefined;
  readonly storefrontUrl: string | undefined;
  /** The header in which the shop's own proxy names the client: its last address counts. */
  readonly clientAddressHeader: string | undefined;
  /** The header in which it names the client's country. */
  readonly clientCountryHeader: string | undefined;
  /** Pages of these origins may search from the browser; "*" for all, none for pages of the edge's own origin only. */
  readonly allowOrigins: readonly string[];
  /** Opens explanations and /armmt/status; without it both are closed. */
  readonly adminToken: string | undefined;
  /** Opens `/events`, and gives searches tokens; without it both are closed. */
  readonly eventSecret: string | undefined;
  /** What servers of the shop sign their orders with; without it they need tokens. */
  readonly orderSecret: string | undefined;
  /** What other tools' clients name themselves by; empty: whatever they send. */
  readonly eventKeys: readonly string[];
  /** Where exposures and events go; the first one's counts are the answer to a client. At least one. */
  readonly eventSinks: readonly SinkName[];
  /** Where the consumer of the queue writes to. */
  readonly queueSink: QueueSinkName;
  /** Index name → the key that its engine gets, in the header of its dialect. */
  readonly engineAuthorizations: ReadonlyMap<string, string>;
}

/** A segment that begins with a dot would lead elsewhere; other characters, and a colon in front, have a meaning in routes. */
const searchPath = v.pipe(
  v.string("name the engine's path"),
  v.regex(
    /^(\/[A-Za-z0-9_~-][A-Za-z0-9._~:-]*)+\/?$/,
    'use a path such as "/v1/search", of letters, digits, dots, dashes, underscores, ~ and, inside of names, colons',
  ),
  v.check((path) => !isEdgePath(path), "use another path: the edge's own pages are there"),
  v.check((path) => !EVENT_ROUTES.has(path), "use another path: the edge takes events there"),
);

const leaveCondition = v.union(
  [
    v.pipe(
      memberPath,
      v.transform((name) => ({ name, unless: [] })),
    ),
    v.strictObject({ name: memberPath, unless: v.array(v.string()) }),
  ],
  "name a parameter, or give { name, unless = [values] }",
);

const WORDS = "name the parameter in which the shopper's words stand, or list several";

const generic = v.pipe(
  v.strictObject({
    path: searchPath,
    methods: v.optional(
      v.pipe(v.array(v.picklist(["GET", "POST"], 'use "GET" or "POST"'), 'list "GET" or "POST"'), v.minLength(1, 'list "GET" or "POST"')),
      ["GET"],
    ),
    query: v.union(
      [
        v.pipe(
          memberPath,
          v.transform((name) => [name]),
        ),
        v.pipe(v.array(memberPath), v.minLength(1, WORDS)),
      ],
      WORDS,
    ),
    offset: v.optional(memberPath),
    page: v.optional(memberPath),
    firstPage: v.optional(v.picklist([0, 1], "use 0 or 1"), 1),
    limit: memberPath,
    filters: v.optional(
      v.union([memberPath, v.record(v.pipe(v.string(), v.nonEmpty()), memberPath)], "name a parameter, or { field = parameter }"),
    ),
    maxLimit: v.optional(integer(1, 100_000, "hits")),
    hits: v.pipe(
      v.string("name the list of hits"),
      v.regex(/^[^.]+(\.[^.]+)*$/, 'use member names with dots between them, or "$" for a reply that is the list'),
    ),
    score: v.optional(memberPath),
    pinned: v.optional(memberPath),
    redirect: v.optional(memberPath),
    incomplete: v.optional(memberPath),
    cursor: v.optional(memberPath),
    harmless: v.optional(v.array(memberPath, "list parameters"), []),
    keyHeader: v.optional(headerName),
    // Required although they may be empty: if forgotten, a sorted list would be re-ranked, and a page would show the numbers of a wider one.
    leaveAlone: v.strictObject(
      v.entriesFromList(LEAVE_REASONS, v.optional(v.array(leaveCondition, "list parameters"))),
      'name the parameters that sort or group, { explicit_sort = ["sort"] } say, or {} where there are none',
    ),
    echo: v.strictObject(
      v.entriesFromList(ECHOED_NUMBERS, v.optional(memberPath)),
      'name the numbers of a reply that repeat the paging, { page = "paging.page" } say, or {} where there are none',
    ),
  }),
  v.check(({ offset, page }) => (offset === undefined) !== (page === undefined), "name either offset or page"),
  v.check(
    ({ echo }) => (echo.pages ?? echo.last) === undefined || echo.total !== undefined,
    "name echo.total beside echo.pages and echo.last, which follow from it",
  ),
);

export const index = v.strictObject({
  backend: v.pipe(v.string("name a backend"), v.nonEmpty("name a backend")),
  url,
  eventsUrl: v.optional(url),
  window: v.pipe(
    integer(0, 1000, "hits"),
    v.check((window) => window !== 1, "use at least 2 hits, or 0 to pass this index on as it is"),
  ),
  catalog: v.optional(v.pipe(v.string("name a catalog"), v.regex(NAME, "use letters, digits, dots, dashes and underscores"))),
  idField: v.optional(memberPath),
  hitFields: v.optional(v.strictObject(v.entriesFromList(ITEM_VALUES, v.optional(memberPath)))),
  pageSize: v.optional(integer(1, 1000, "hits")),
  paginationLimitedTo: v.optional(integer(1, 20_000, "hits")),
  schemas: v.optional(
    v.pipe(v.array(v.pipe(v.string("list schemas"), v.regex(NAME, "use a schema's name")), "list schemas"), v.minLength(1, "list schemas")),
  ),
  generic: v.optional(generic),
  headers: v.optional(v.record(headerName, v.pipe(v.string("use text"), v.regex(/^[\x20-\x7e]*$/, "use printable ASCII")))),
  forwardCredentials: v.optional(v.boolean("use true or false"), false),
  forwardClientAddress: v.optional(v.boolean("use true or false")),
  allowInsecureHttp: v.optional(v.boolean("use true or false")),
  allowParams: v.optional(v.array(v.pipe(v.string("name a parameter"), v.nonEmpty("name a parameter")), "list parameters")),
});

const origin = v.pipe(
  v.string("list origins"),
  v.check(
    (text) => text === "*" || (isOrigin(text) && new URL(text).origin === text),
    'use origins such as "https://shop.example.com", or "*"',
  ),
);

const requestLimits = v.strictObject({
  bodyBytes: v.optional(integer(1024, 16_777_216, "bytes"), DEFAULT_LIMITS.bodyBytes),
  searches: v.optional(integer(1, 1000, "searches"), DEFAULT_LIMITS.searches),
  members: v.optional(integer(100, 1_000_000, "members and elements"), DEFAULT_LIMITS.members),
  depth: v.optional(integer(10, MAX_REQUEST_DEPTH, "levels"), DEFAULT_LIMITS.depth),
  params: v.optional(integer(10, 10_000, "parameters"), DEFAULT_LIMITS.params),
  buckets: v.optional(integer(100, 10_000_000, "buckets"), DEFAULT_LIMITS.buckets),
});

const SINKS = `list sinks: ${Object.keys(SINK_BINDINGS).join(", ")}`;

const environment = v.object({
  INDEXES: v.pipe(
    table(v.record(v.string(), index, "list at least one index")),
    v.check((indexes) => Object.keys(indexes).length > 0, "list at least one index"),
    v.check(
      (indexes) => Object.keys(indexes).every((name) => NAME.test(name)),
      "use letters, digits, dots, dashes and underscores in index names, no underscore first",
    ),
  ),
  ENGINE_TIMEOUT_MS: v.optional(integer(1, 60_000, "milliseconds"), 5000),
  RANK_BUDGET_MS: v.optional(integer(1, 10_000, "milliseconds"), 200),
  SHARD_CACHE_BYTES: v.optional(integer(0, 100_000_000, "bytes"), 33_554_432),
  REQUEST_LIMITS: v.optional(table(requestLimits), DEFAULT_LIMITS),
  DEFAULT_VARIANT: v.optional(variant, "armmt"),
  EXPERIMENTS: v.optional(experimentList, []),
  LIVE_EXPERIMENTS: v.optional(table(v.boolean("use true or false")), false),
  LIVE_MODELS: v.optional(table(v.boolean("use true or false")), false),
  LIVE_RULES: v.optional(table(v.boolean("use true or false")), false),
  VARIANT_FLAG: v.optional(v.pipe(v.string("name a flag"), v.nonEmpty("name a flag"))),
  STOREFRONT_URL: v.optional(storefrontUrl),
  CLIENT_ADDRESS_HEADER: v.optional(requestHeader),
  CLIENT_COUNTRY_HEADER: v.optional(requestHeader),
  ALLOW_ORIGINS: v.optional(table(v.array(origin, "list origins")), []),
  ADMIN_TOKEN: v.optional(v.pipe(v.string("use text"), v.minLength(16, "use at least 16 characters: it is a password"))),
  ENGINE_AUTHORIZATION: v.optional(v.pipe(v.string("use text"), v.nonEmpty("leave it out or give it a value"))),
  EVENT_SECRET: v.optional(
    v.pipe(v.string("use text"), v.minLength(MIN_SECRET_LENGTH, `use at least ${MIN_SECRET_LENGTH} characters: tokens are signed with it`)),
  ),
  ORDER_SECRET: v.optional(
    v.pipe(v.string("use text"), v.minLength(MIN_SECRET_LENGTH, `use at least ${MIN_SECRET_LENGTH} characters: orders are signed with it`)),
  ),
  EVENT_KEYS: v.optional(table(v.array(v.pipe(v.string("list keys"), v.nonEmpty("list keys")), "list keys")), []),
  EVENT_SINKS: v.optional(
    v.pipe(
      table(v.array(v.custom<SinkName>(isSinkName, SINKS), SINKS)),
      v.minLength(1, SINKS),
      v.check((list) => new Set(list).size === list.length, "list each sink once"),
    ),
    ["d1"],
  ),
  QUEUE_SINK: v.optional(v.picklist(QUEUE_SINK_NAMES, 'use "d1" or "r2"'), "d1"),
});

/** Backends whose engines take events of their own clients. */
const TAKES_EVENTS: ReadonlySet<string> = new Set(["algolia", "meilisearch", "typesense"]);

export type VariableName = keyof typeof environment.entries;

/** Names of all variables, for runtimes that take them from their environment. */
export const VARIABLE_NAMES: readonly string[] = Object.keys(environment.entries);

/** Values of the variables that may be left out. */
export const VARIABLE_DEFAULTS: Readonly<Partial<Record<VariableName, unknown>>> = v.getDefaults(environment);

/** `limits`: of each known backend. Each problem is one line: variable, value, fix. */
export function parseConfig(env: unknown, limits: ReadonlyMap<string, DialectLimits>): Result<Config, readonly string[]> {
  const parsed = v.safeParse(environment, env);
  if (!parsed.success) return err([...new Set([...parsed.issues.map(describeIssue), ...problemsOfTables(env, limits)])]);
  const values = parsed.output;

  const problems: string[] = [];
  const counts = new Map<string, number>();
  for (const [name, { backend, window, eventsUrl }] of Object.entries(values.INDEXES)) {
    if (eventsUrl !== undefined && !TAKES_EVENTS.has(backend)) {
      const fix = `take it out, it is for ${[...TAKES_EVENTS].join(", ")}`;
      problems.push(`INDEXES.${name}.eventsUrl is "${eventsUrl}", and ${backend} takes no events of its clients: ${fix}`);
    }
    const limit = limits.get(backend);
    if (limit === undefined) {
      problems.push(unknownBackend(name, backend, limits));
      continue;
    }
    const count = (counts.get(backend) ?? 0) + 1;
    counts.set(backend, count);
    if (count > limit.maxIndexes)
      problems.push(`INDEXES.${name}.backend is "${backend}", whose requests name no index: configure only one`);
    if (window > limit.maxWindow)
      problems.push(`INDEXES.${name}.window is ${window}: ${backend} gives at most ${limit.maxWindow} hits at once, use no more`);
  }
  problems.push(...insecureUrls(values.INDEXES), ...genericProblems(Object.entries(values.INDEXES)));
  if (values.RANK_BUDGET_MS >= values.ENGINE_TIMEOUT_MS) {
    problems.push(
      `RANK_BUDGET_MS is ${values.RANK_BUDGET_MS}: keep it below ENGINE_TIMEOUT_MS (${values.ENGINE_TIMEOUT_MS}), or the fallback comes too late`,
    );
  }
  const authorizations = authorizationsOf(values.ENGINE_AUTHORIZATION, Object.keys(values.INDEXES));
  if (!authorizations.ok) problems.push(authorizations.error);
  if (problems.length > 0 || !authorizations.ok) return err(problems);

  return ok(
    Object.freeze({
      indexes: new Map(
        Object.entries(values.INDEXES).map(([name, options]) => [name, Object.freeze({ ...options, catalog: options.catalog ?? name })]),
      ),
      engineTimeoutMs: values.ENGINE_TIMEOUT_MS,
      rankBudgetMs: values.RANK_BUDGET_MS,
      shardCacheBytes: values.SHARD_CACHE_BYTES,
      requestLimits: Object.freeze(values.REQUEST_LIMITS),
      defaultVariant: values.DEFAULT_VARIANT,
      experiments: Object.freeze(values.EXPERIMENTS),
      hasLiveExperiments: values.LIVE_EXPERIMENTS,
      hasLiveModels: values.LIVE_MODELS,
      hasLiveRules: values.LIVE_RULES,
      variantFlag: values.VARIANT_FLAG,
      storefrontUrl: values.STOREFRONT_URL,
      clientAddressHeader: values.CLIENT_ADDRESS_HEADER,
      clientCountryHeader: values.CLIENT_COUNTRY_HEADER,
      allowOrigins: Object.freeze(values.ALLOW_ORIGINS),
      adminToken: values.ADMIN_TOKEN,
      eventSecret: values.EVENT_SECRET,
      orderSecret: values.ORDER_SECRET,
      eventKeys: Object.freeze(values.EVENT_KEYS),
      eventSinks: Object.freeze(values.EVENT_SINKS),
      queueSink: values.QUEUE_SINK,
      engineAuthorizations: authorizations.value,
    }),
  );
}

const rawIndexes = v.object({
  INDEXES: table(
    v.record(
      v.string(),
      v.looseObject({ backend: v.optional(v.unknown()), url: v.optional(v.unknown()), allowInsecureHttp: v.optional(v.unknown()) }),
    ),
  ),
});

/** Unknown names and addresses in indexes that could not be parsed: the first problem of each table would hide them. */
function problemsOfTables(env: unknown, limits: ReadonlyMap<string, DialectLimits>): readonly string[] {
  const parsed = v.safeParse(rawIndexes, env);
  if (!parsed.success) return [];
  const names = Object.entries(parsed.output.INDEXES).flatMap(([name, options]) => {
    const unknown = Object.keys(options).filter((key) => !Object.hasOwn(index.entries, key));
    const problems = unknown.map((key) => `INDEXES.${name}.${key} is not known here: take it out or correct its name`);
    const { backend } = options;
    return typeof backend !== "string" || limits.has(backend) ? problems : [...problems, unknownBackend(name, backend, limits)];
  });
  return [...names, ...insecureUrls(parsed.output.INDEXES)];
}

type Addressed = Readonly<Record<string, { readonly url?: unknown; readonly eventsUrl?: unknown; readonly allowInsecureHttp?: unknown }>>;

function insecureUrls(indexes: Addressed): readonly string[] {
  return Object.entries(indexes).flatMap(([name, { allowInsecureHttp, ...addresses }]) =>
    (["url", "eventsUrl"] as const).flatMap((member) => {
      const given = addresses[member];
      if (typeof given !== "string" || allowInsecureHttp === true || insecureUrl(given) === undefined) return [];
      const fix = "use a URL with https://, or set allowInsecureHttp = true: keys and searches can then be read on the way to that machine";
      return [`INDEXES.${name}.${member} is ${JSON.stringify(given)}: ${fix}`];
    }),
  );
}

function unknownBackend(name: string, backend: string, limits: ReadonlyMap<string, DialectLimits>): string {
  return `INDEXES.${name}.backend is ${JSON.stringify(backend)}: use one of ${[...limits.keys()].join(", ")}`;
}

/** Conflicts between `generic` and other members or indexes. */
function genericProblems(indexes: readonly (readonly [string, Pick<IndexConfig, "backend" | "window" | "generic">])[]): readonly string[] {
  const byPath = new Map<string, string>();
  return indexes.flatMap(([name, { backend, window, generic: options }]) => {
    const at = `INDEXES.${name}.generic`;
    if (options === undefined)
      return backend === "generic" ? [`${at} is missing: name path, query, offset or page, limit and hits of this engine`] : [];
    if (backend !== "generic") return [`${at} is not for backend "${backend}": take it out or use backend "generic"`];
    const problems = listProblems(at, options);
    const { path, maxLimit } = options;
    const other = byPath.get(path);
    if (other === undefined) byPath.set(path, name);
    else problems.push(`${at}.path is "${path}", which is the path of ${other} too: nothing else tells their requests apart`);
    if (maxLimit !== undefined && window > maxLimit)
      problems.push(`INDEXES.${name}.window is ${window}: its generic.maxLimit is ${maxLimit}, use no more`);
    return problems;
  });
}

/** A position in a list, which no name of `generic` reaches. In the URL of a GET, it is a part of a name. */
const POSITION = /(?:^|\.)\d+(?=\.|$)/;

/** Names that can never be found, and paging that can never be set. `at`: where the table is. */
function listProblems(at: string, options: NonNullable<IndexConfig["generic"]>): string[] {
  const { methods, offset, page, limit, query, leaveAlone, hits, score, pinned, redirect, incomplete, cursor, echo } = options;
  const inBody = methods.includes("POST");
  const conditions = Object.entries(leaveAlone).flatMap(([reason, all = []]) =>
    all.map(({ name }) => [`leaveAlone.${reason}`, name] as const),
  );
  const paging = { offset, page, limit };
  const asked = inBody ? [...Object.entries(paging), ...query.map((name) => ["query", name] as const), ...conditions] : [];
  const replied = [
    ...Object.entries({ hits, score, pinned, redirect, incomplete, cursor }),
    ...Object.entries(echo).map(([name, path]) => [`echo.${name}`, path] as const),
  ];
  return [...asked, ...replied].flatMap(([name, path]) => {
    if (path === undefined) return [];
    if (POSITION.test(path)) return [`${at}.${name} is "${path}": lists have no names here, so name members of objects only`];
    if (!path.split(".").includes("*")) return [];
    const fix = "so name a member of an object";
    if (Object.hasOwn(paging, name)) return [`${at}.${name} is "${path}": one page for all elements of a list cannot be set, ${fix}`];
    return replied.some(([own]) => own === name) ? [`${at}.${name} is "${path}": a reply has one of it, ${fix}`] : [];
  });
}

/** One text for all indexes, or a table of index names as JSON. The problem names no secret. */
function authorizationsOf(given: string | undefined, indexes: readonly string[]): Result<ReadonlyMap<string, string>, string> {
  if (given === undefined) return ok(new Map());
  if (!given.trimStart().startsWith("{")) return ok(new Map(indexes.map((name) => [name, given])));
  const parsed = v.safeParse(v.record(v.string(), v.pipe(v.string(), v.nonEmpty())), parseJson(given));
  if (!parsed.success)
    return err("ENGINE_AUTHORIZATION is not usable: use one text for all engines, or a JSON table of index name and text");
  const unknown = Object.keys(parsed.output).filter((name) => !indexes.includes(name));
  if (unknown.length === 0) return ok(new Map(Object.entries(parsed.output)));
  return err(`ENGINE_AUTHORIZATION names ${unknown.join(", ")}, not among INDEXES: use ${indexes.join(", ")}`);
}
