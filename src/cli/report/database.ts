/** The event database: the D1 of `wrangler dev` on this machine, D1 at Cloudflare through `wrangler d1`, or a SQLite file. */
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import * as v from "valibot";
import { type LocalOptions, openFolderNamespace, openWranglerNamespace, wrangler, type WranglerOptions } from "../publish/namespace.ts";
import { loadWrangler } from "../wrangler.ts";
import { findJson } from "../wrangler-output.ts";
import { loadSqlite } from "../../report/stage.ts";
import type { EventDatabase } from "../../report/sql-log.ts";
import { UserError, errorText } from "../../web.ts";
import { EXPERIMENTS_KEY } from "../../search/live-experiments.ts";

/** KV namespace of EXPERIMENTS_KEY. */
const NAMESPACE_BINDING = "EMBEDDINGS";

const hasMethod = (value: unknown, name: string): boolean => typeof value === "object" && value !== null && name in value;
const d1Schema = v.custom<{ prepare(sql: string): { all(): Promise<{ results: readonly unknown[] }> } }>((it) => hasMethod(it, "prepare"));
const kvSchema = v.custom<{ get(key: string, type: "text"): Promise<string | null> }>((it) => hasMethod(it, "get"));

export async function openLocalDatabase({ config, binding, stateDir }: LocalOptions): Promise<EventDatabase> {
  if (!existsSync(stateDir)) {
    throw new UserError(`${stateDir} does not exist: name the folder that wrangler dev got as --persist-to, with --persist-to <folder>`);
  }
  const { getPlatformProxy } = await loadWrangler();
  // wrangler itself appends the version of its folder layout to --persist-to, the proxy does not.
  const persist = { path: join(resolve(stateDir), "v3") };
  const proxy = await getPlatformProxy({ configPath: config, persist, remoteBindings: false });
  const database = proxy.env[binding];
  const namespace = proxy.env[NAMESPACE_BINDING];
  if (!v.is(d1Schema, database)) {
    await proxy.dispose();
    throw new UserError(`No D1 database "${binding}" in ${config}: add it, or name the right one with --binding`);
  }
  return {
    place: stateDir,
    all: async (sql) => (await database.prepare(sql).all()).results,
    liveExperiments: async () => (v.is(kvSchema, namespace) ? ((await namespace.get(EXPERIMENTS_KEY, "text")) ?? undefined) : undefined),
    close: () => proxy.dispose(),
  };
}

const executed = v.array(v.object({ results: v.array(v.unknown()) }));

export function openWranglerDatabase({ config, binding, where, run = wrangler }: WranglerOptions): EventDatabase {
  const place = where.includes("--remote") ? "Cloudflare" : where.join(" ");
  return {
    place,
    async all(sql) {
      const output = await run(["d1", "execute", binding, "--config", config, ...where, "--json", "--yes", "--command", sql]);
      const parts = findJson(output, executed);
      if (parts === undefined)
        throw new UserError(`wrangler d1 execute answered ${JSON.stringify(output.slice(0, 200))}, expected rows as JSON`);
      return parts.flatMap(({ results }) => results);
    },
    liveExperiments: () => openWranglerNamespace({ config, binding: NAMESPACE_BINDING, where }).get(EXPERIMENTS_KEY),
    close: () => Promise.resolve(),
  };
}

/** For another process that writes, such as a server; each of its writes takes milliseconds. */
const BUSY_MS = 10_000;

/**
 * A file with the tables, such as that of a Node server, or one made with sqlite3 from `wrangler d1 export`. Opened for reading only, unless
 * rows are to be removed: then nothing of them stays in the file or in SQLite's log beside it.
 */
export async function openDatabaseFile(path: string, { isWritten = false } = {}): Promise<EventDatabase> {
  if (!existsSync(path)) throw new UserError(`${path} does not exist: name a SQLite file with the table ubi_queries`);
  const kv = join(dirname(path), "kv");
  const { DatabaseSync } = await loadSqlite();
  const database = new DatabaseSync(path, { readOnly: !isWritten });
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA secure_delete = ON`);
  return {
    place: path,
    // oxlint-disable-next-line require-await
    async all(sql) {
      try {
        return database.prepare(sql).all();
      } catch (error) {
        throw /not a database/i.test(errorText(error))
          ? new UserError(`${path} is not a SQLite database: import an export first, sqlite3 ${path} < export.sql`)
          : error;
      }
    },
    // A server keeps its KV beside its events.
    liveExperiments: async () => (existsSync(kv) ? openFolderNamespace(kv).get(EXPERIMENTS_KEY) : undefined),
    // oxlint-disable-next-line require-await
    async close() {
      try {
        if (isWritten) database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
      } finally {
        database.close();
      }
    },
  };
}
