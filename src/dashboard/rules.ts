/**
 * The rules of the admin page: which are live and by whom, what they did, and a draft that is checked, tried and published by the code of the edge and
 * of `armmt rules`. Whoever calls has checked the admin token.
 */
import * as v from "valibot";
import type { KvReader } from "../embeddings/store.ts";
import type { ReadEvents } from "../events/read.ts";
import type { CompiledRules } from "../rules/match.ts";
import { compileText, rulesKey, rulesVersion } from "../search/live-rules.ts";
import {
  publishRules,
  readPublishedRules,
  readRulesHistory,
  readRulesPointer,
  RulesConflict,
  type RulesStore,
} from "../search/rules-store.ts";
import { errorStack, errorText, type Log, UserError, withTimeout } from "../web.ts";
import { isEmptyDatabase } from "./overview.ts";
import { createRulesToday } from "./rules-today.ts";

export interface RulesAdminDeps {
  readonly kv: KvReader;
  /** Absent: this edge cannot publish. */
  readonly writeKv: ((key: string, value: string) => Promise<void>) | undefined;
  /** Its indexes, by catalogue. */
  readonly catalogs: ReadonlyMap<string, readonly { readonly name: string; readonly backend: string }[]>;
  /** Whether searches follow rules (LIVE_RULES). */
  readonly isLive: boolean;
  readonly readEvents: ReadEvents | undefined;
  readonly now: () => number;
  readonly log: Log;
}

/** A search as the shop's application sends it. */
export interface TriedSearch {
  readonly path: string;
  readonly body?: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
}

/** Serves a search of these indexes by these rules, as at this moment; nothing of it is recorded. */
export type TryRules = (indexes: readonly string[], rules: CompiledRules, at: number | undefined, search: TriedSearch) => Promise<Response>;

interface Asked {
  readonly method: string;
  /** Behind /armmt/rules. */
  readonly path: readonly string[];
  /** JSON; anything else is refused. */
  readonly body: string;
}

export type RulesAdmin = (asked: Asked, tryRules: TryRules) => Promise<Response>;

/** Of one body: a document of the largest size, escaped. */
export const MAX_RULES_BYTES = 16_777_216;

const WITHIN_MS = 25_000;

const text = v.string();
const version = v.pipe(v.string(), v.regex(/^[0-9a-f]{16}$/, "name a version of the history"));
const change = {
  by: v.pipe(v.string("say who you are"), v.trim(), v.nonEmpty("say who you are"), v.maxLength(100, "use at most 100 characters")),
  expect: v.union([version, v.literal("none")]),
};
const note = v.optional(v.pipe(v.string(), v.maxLength(500, "use at most 500 characters")));
const search = v.object({
  path: v.pipe(v.string(), v.startsWith("/")),
  body: v.optional(v.string()),
  headers: v.optional(v.record(v.string(), v.string()), {}),
});

export function createRulesAdmin({ kv, writeKv, catalogs, isLive, readEvents, now, log }: RulesAdminDeps): RulesAdmin {
  const namesOf = (catalog: string): readonly string[] => (catalogs.get(catalog) ?? []).map(({ name }) => name);
  const canWrite = writeKv !== undefined && isLive;
  const today = new Map(readEvents && [...catalogs.keys()].map((catalog) => [catalog, createRulesToday(readEvents, now, namesOf(catalog))])); // prettier-ignore
  const publishing = new Set<string>();
  const store: RulesStore = {
    place: "KV",
    get: async (key) => (await kv.get(key, "text")) ?? undefined,
    put: async (entries) => {
      for (const { key, value } of entries) await writeKv?.(key, value); // oxlint-disable-line no-await-in-loop
    },
  };

  /** Two at once in one process would both find the version that they expect. */
  async function alone(catalog: string, work: () => Promise<object>): Promise<Response> {
    if (!canWrite) throw new UserError("This edge cannot publish: run armmt rules publish");
    if (publishing.has(catalog)) return refuse(409, "Somebody else publishes at this moment: try again");
    publishing.add(catalog);
    try {
      return Response.json(await inTime(work()));
    } finally {
      publishing.delete(catalog);
    }
  }

  async function did(catalog: string): Promise<object> {
    const ask = today.get(catalog);
    if (ask === undefined)
      return { problem: "This edge writes its events to no database that it can read (D1, or a server's SQLite file)" };
    try {
      return await ask();
    } catch (cause) {
      return { problem: isEmptyDatabase(cause) ? "Nothing is recorded yet" : `The event database cannot be read: ${errorText(cause)}` };
    }
  }

  async function state(catalog: string): Promise<object> {
    const [pointer, history] = await Promise.all([
      readRulesPointer(store, catalog),
      readRulesHistory(store, catalog).catch((cause: unknown) => ({ problem: errorText(cause) })),
    ]);
    const live = pointer && (await store.get(rulesKey(catalog, pointer.version)));
    return { version: pointer?.version ?? "none", text: live ?? null, history };
  }

  const routes: Readonly<Record<string, (catalog: string, body: string, tryRules: TryRules) => Promise<Response>>> = {
    "GET ": async (catalog) => Response.json(await state(catalog)),
    "GET /today": async (catalog) => Response.json(await did(catalog)),
    "POST /check": async (_, body) => {
      const compiled = await compileText(read(v.object({ text }), body).text, "checked");
      return Response.json({ problems: compiled.ok ? [] : compiled.error });
    },
    "POST /try": async (catalog, body, tryRules) => {
      const asked = read(v.object({ text, search, at: v.optional(v.number()) }), body);
      const compiled = await compileText(asked.text, await rulesVersion(asked.text));
      if (!compiled.ok) return Response.json({ problems: compiled.error }, { status: 422 });
      return tryRules(namesOf(catalog), compiled.value, asked.at, asked.search);
    },
    "POST ": (catalog, body) => {
      const asked = read(v.object({ text, note, ...change }), body);
      return alone(catalog, () => publishRules(store, { catalog, ...asked, at: new Date(now()) }));
    },
    "POST /rollback": (catalog, body) => {
      const asked = read(v.object({ to: version, ...change }), body);
      return alone(catalog, async () => {
        const { text: before } = await readPublishedRules(store, catalog, asked.to);
        return publishRules(store, { catalog, ...asked, text: before, from: "rollback", at: new Date(now()) });
      });
    },
  };

  async function answer({ method, path: [catalog, what, more], body }: Asked, tryRules: TryRules): Promise<Response> {
    if (catalog === undefined && method === "GET")
      return Response.json({ catalogs: [...catalogs].map(([name, indexes]) => ({ name, indexes })), isLive, canWrite });
    if (catalog === undefined || !catalogs.has(catalog)) return refuse(404, `No index has the catalogue "${catalog ?? ""}"`);
    const name = `${method} ${what === undefined ? "" : `/${what}`}`;
    const route = Object.hasOwn(routes, name) && more === undefined ? routes[name] : undefined;
    if (route !== undefined) return route(catalog, body, tryRules);
    if (method !== "GET" || !v.is(version, what) || more !== undefined) return refuse(404, `There is no ${name} of rules`);
    return Response.json(await readPublishedRules(store, catalog, what));
  }

  return async (asked, tryRules) => {
    try {
      return await inTime(answer(asked, tryRules));
    } catch (cause) {
      if (cause instanceof RulesConflict) return refuse(409, cause.message, { live: cause.live, last: cause.last });
      if (cause instanceof UserError) return refuse(400, cause.message);
      log({ level: "error", event: "rules_admin", detail: errorStack(cause) });
      const fate = asked.method === "GET" ? "" : ". Whether the change went live is not known: read the rules again";
      return refuse(503, `${errorText(cause)}${fate}`);
    }
  };
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return withTimeout(work, WITHIN_MS, () => Promise.reject(new Error(`No answer within ${WITHIN_MS / 1000} s`)));
}

function refuse(status: number, error: string, more?: object): Response {
  return Response.json({ error, ...more }, { status });
}

/** Throws a UserError. */
function read<T extends v.GenericSchema>(schema: T, body: string): v.InferOutput<T> {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(undefined, "The body is not JSON"), schema), body);
  if (parsed.success) return parsed.output;
  throw new UserError(parsed.issues.map((issue) => `${v.getDotPath(issue) ?? "body"}: ${issue.message}`).join("; "));
}
