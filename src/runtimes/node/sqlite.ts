/**
 * The event database in a SQLite file, in the shape of D1: the same sink writes the same tables, and `armmt report --database` reads them.
 *
 * Statements stay text until a batch runs: D1 reports a missing table only then, and the sink creates its tables on that error.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { StatementSync } from "node:sqlite";
import type { EventDatabase, EventStatement } from "../../events/d1.ts";
import type { SinkBindings } from "../../events/sinks.ts";

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

export interface SqliteEvents extends EventDatabase {
  /** Writes SQLite's own log back into the file. Nothing may be written afterwards. */
  close(): void;
}

/** How long to wait for another process that writes, such as `armmt forget`. The event loop waits too. */
const BUSY_MS = 1000;

type Value = string | number | null;
type Outcome = Awaited<ReturnType<EventStatement["run"]>>;

class Statement implements EventStatement {
  readonly sql: string;
  readonly values: readonly Value[];
  readonly #runAll: (statements: readonly Statement[]) => readonly Outcome[];

  constructor(sql: string, values: readonly Value[], runAll: (statements: readonly Statement[]) => readonly Outcome[]) {
    this.sql = sql;
    this.values = values;
    this.#runAll = runAll;
  }

  bind(...values: readonly Value[]): Statement {
    return new Statement(this.sql, values, this.#runAll);
  }

  // oxlint-disable-next-line require-await -- an exception becomes a rejection
  async run(): Promise<Outcome> {
    return this.#runAll([this])[0]!;
  }
}

/** Creates the file and its folder. Rejects with SQLite's own message when the file cannot be opened. */
export async function openSqliteEvents(path: string): Promise<SqliteEvents> {
  mkdirSync(dirname(path), { recursive: true });
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(path);
  // In WAL mode a report reads while searches are written. NORMAL loses data in a power failure only.
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = ${BUSY_MS}`);
  const prepared = new Map<string, StatementSync>();

  function prepare(sql: string): StatementSync {
    const known = prepared.get(sql) ?? database.prepare(sql);
    prepared.set(sql, known);
    return known;
  }

  function runAll(statements: readonly Statement[]): readonly Outcome[] {
    database.exec("BEGIN IMMEDIATE");
    try {
      const outcomes = statements.map(({ sql, values }) => ({ meta: { changes: Number(prepare(sql).run(...values).changes) } }));
      database.exec("COMMIT");
      return outcomes;
    } catch (error) {
      // A failed COMMIT may have ended the transaction already.
      if (database.isTransaction) database.exec("ROLLBACK");
      throw error;
    }
  }

  return {
    prepare: (sql) => new Statement(sql, [], runAll),
    // oxlint-disable-next-line require-await -- an exception becomes a rejection
    async batch(statements) {
      return runAll(statements.map(asStatement));
    },
    close: () => database.close(),
  };
}

function asStatement(statement: EventStatement): Statement {
  if (statement instanceof Statement) return statement;
  throw new Error("The statement was prepared by another database");
}

/** For `sinks` of an edge: searches and events go into the SQLite file `path`. `close` it when the server has stopped. */
export async function sqliteSink(path: string): Promise<SinkBindings & Pick<SqliteEvents, "close">> {
  const database = await openSqliteEvents(path);
  return { EVENTS: database, close: () => database.close() };
}
