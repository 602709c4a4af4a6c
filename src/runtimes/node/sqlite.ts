/**
 * The event database in a SQLite file, in the shape of D1: the same sink writes the same tables, and `armmt report --database` reads them.
 *
 * A thread owns the file (sqlite-thread.ts). Here is the bounded queue before it: what does not fit is refused at once, the newest first,
 * because the older ones may be half written and their senders wait for an answer.
 */
import type { Worker } from "node:worker_threads";
import type { EventDatabase, EventStatement } from "../../events/d1.ts";
import type { ReadEvents } from "../../events/read.ts";
import type { SinkBindings } from "../../events/sinks.ts";
import { type Log, withTimeout } from "../../web.ts";
import { modulePath } from "./package-root.ts";
import { sqliteReader } from "./sqlite-reader.ts";

/** SQLite of Node and of Deno. */
export type Sqlite = typeof import("node:sqlite");

/** Without the warning of Node 22 that it is experimental. Rejects where the runtime has none. */
export async function importSqlite(): Promise<Sqlite> {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await import("node:sqlite");
  } finally {
    process.emitWarning = warn;
  }
}

export interface ThreadData {
  readonly path: string;
}

type Value = string | number | null;

/** All of its statements, or none. */
export interface Write {
  readonly id: number;
  readonly statements: readonly { readonly sql: string; readonly values: readonly Value[] }[];
}

/** `close`: how many milliseconds there are for what waits. */
export type ToThread = Write | { readonly close: number };

/** `changes`: new rows of each statement. */
export type Settled = { readonly id: number } & ({ readonly changes: readonly number[] } | { readonly error: string });

export type FromThread =
  | { readonly opened: true }
  | { readonly failed: string }
  | { readonly settled: readonly Settled[] }
  | { readonly locked: boolean }
  | { readonly closed: true };

/** A search is one write, a batch of events one for each 500: an hour of a small shop, ten minutes at ten searches a second. */
export const MAX_WRITES = 10_000;
export const MAX_BYTES = 32 * 1024 * 1024;

/** A file that takes longer to open (a stalled network folder) is opened while searches are served. */
const OPEN_MS = 3000;

export interface SqliteEvents extends EventDatabase {
  /** Of the queue, for /armmt/status. */
  describe(): object;
  /**
   * Writes what waits, within this time (default 5 s), then closes the file. Resolves to the number of writes that are lost. Nothing can be
   * written afterwards.
   */
  close(withinMs?: number): Promise<number>;
}

type Outcome = Awaited<ReturnType<EventStatement["run"]>>;
type WriteAll = (statements: readonly Statement[]) => Promise<readonly Outcome[]>;

class Statement implements EventStatement {
  readonly sql: string;
  readonly values: readonly Value[];
  readonly #write: WriteAll;

  constructor(sql: string, values: readonly Value[], write: WriteAll) {
    this.sql = sql;
    this.values = values;
    this.#write = write;
  }

  bind(...values: readonly Value[]): Statement {
    return new Statement(this.sql, values, this.#write);
  }

  async run(): Promise<Outcome> {
    return (await this.#write([this]))[0]!;
  }
}

interface Waiting {
  readonly bytes: number;
  resolve(outcomes: readonly Outcome[]): void;
  reject(error: Error): void;
}

/** Creates the file and its folder. Rejects with SQLite's own message when the file cannot be opened. */
export async function openSqliteEvents(path: string, log: Log = () => undefined): Promise<SqliteEvents> {
  const { Worker: Thread } = await import("node:worker_threads");
  const data: ThreadData = { path };
  const thread: Worker = new Thread(modulePath("runtimes/node/sqlite-thread.ts"), { workerData: data });
  const opened = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const waiting = new Map<number, Waiting>();
  const counts = { bytes: 0, written: 0, failed: 0, refused: 0 };
  let lastId = 0;
  let isLocked = false;
  /** Why nothing can be written any more. */
  let end: string | undefined;

  function settle(result: Settled): void {
    const sender = waiting.get(result.id);
    if (sender === undefined) return;
    waiting.delete(result.id);
    counts.bytes -= sender.bytes;
    counts["error" in result ? "failed" : "written"]++;
    if ("error" in result) sender.reject(new Error(result.error));
    else sender.resolve(result.changes.map((changes) => ({ meta: { changes } })));
    // The process may end when nothing waits.
    if (waiting.size === 0) thread.unref();
  }

  function fail(error: string): void {
    end ??= error;
    for (const id of waiting.keys()) settle({ id, error });
    opened.reject(new Error(error));
    closed.resolve();
  }

  thread.on("message", (message: FromThread) => {
    if ("settled" in message) for (const result of message.settled) settle(result);
    else if ("opened" in message) opened.resolve();
    else if ("closed" in message) closed.resolve();
    else if ("failed" in message) fail(message.failed);
    else {
      isLocked = message.locked;
      const detail = isLocked
        ? `${path} is locked by another process: up to ${MAX_WRITES} writes wait in memory until it lets go`
        : `${path} can be written again`;
      log({ level: isLocked ? "warn" : "info", event: "events_locked", locked: isLocked, waiting: waiting.size, detail });
    }
  });
  thread.on("error", (error) => fail(`The thread of ${path} has failed: ${String(error)}`));
  thread.on("exit", () => fail(`The thread of ${path} has ended`));
  opened.promise.catch(() => undefined);

  function write(statements: readonly Statement[]): Promise<readonly Outcome[]> {
    const bytes = statements.reduce((sum, { values }) => sum + values.reduce<number>((all, value) => all + String(value).length, 0), 0);
    if (end !== undefined) return Promise.reject(new Error(end));
    if (waiting.size >= MAX_WRITES || counts.bytes + bytes > MAX_BYTES) {
      counts.refused++;
      return Promise.reject(
        new Error(`${waiting.size} writes of ${counts.bytes} bytes wait for ${path} already: there is no room for more`),
      );
    }
    const id = ++lastId;
    const message: ToThread = { id, statements: statements.map(({ sql, values }) => ({ sql, values })) };
    return new Promise((resolve, reject) => {
      if (waiting.size === 0) thread.ref();
      waiting.set(id, { bytes, resolve, reject });
      counts.bytes += bytes;
      thread.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
    });
  }

  try {
    await withTimeout(opened.promise, OPEN_MS, () => log({ level: "warn", event: "events_not_opened", detail: `${path} hangs` }));
  } catch (error) {
    void thread.terminate();
    throw error;
  }
  thread.unref();

  return {
    holdsWrites: true,
    prepare: (sql) => new Statement(sql, [], write),
    // oxlint-disable-next-line require-await -- an exception becomes a rejection
    async batch(statements) {
      return write(statements.map(asStatement));
    },
    describe: () => ({ waiting: waiting.size, locked: isLocked, ...counts }),
    async close(withinMs = 5000) {
      if (end !== undefined) return 0;
      const message: ToThread = { close: withinMs };
      thread.ref();
      thread.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
      await withTimeout(closed.promise, withinMs + 200, () => undefined);
      const lost = waiting.size;
      fail(`${path} is closed`);
      void thread.terminate();
      return lost;
    },
  };
}

function asStatement(statement: EventStatement): Statement {
  if (statement instanceof Statement) return statement;
  throw new Error("The statement was prepared by another database");
}

/**
 * For `sinks` of an edge: searches and events go into the SQLite file `path`, written by a thread of its own. `close` it when the server has
 * stopped.
 */
export async function sqliteSink(
  path: string,
  log?: Log,
): Promise<SinkBindings & Pick<SqliteEvents, "close" | "describe"> & { readonly read: ReadEvents }> {
  const database = await openSqliteEvents(path, log);
  return { read: sqliteReader(path), EVENTS: database, close: (withinMs) => database.close(withinMs), describe: () => database.describe() };
}
