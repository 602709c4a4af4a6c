/**
 * The event database in a SQLite file, in the shape of D1, so that the same sink writes the same tables; `armmt report --database` reads
 * them.
 *
 * Statements are kept as text until a batch runs: D1 says only then that a table is missing, and the sink makes its tables on that.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { StatementSync } from "node:sqlite";
import type { EventDatabase, EventStatement } from "../../events/d1.ts";
import { importSqlite } from "./sqlite.ts";

export interface SqliteEvents extends EventDatabase {
  /** Writes the log back into the file; nothing may be written any more. */
  close(): void;
}

/** Waits so long for another process that writes, such as `armmt forget`; the event loop waits with it. */
const BUSY_MS = 1000;

type Value = string | number | null;

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

  // oxlint-disable-next-line require-await -- what it throws is a rejection
  async run(): Promise<Outcome> {
    return this.#runAll([this])[0]!;
  }
}

interface Outcome {
  readonly meta: { readonly changes: number };
}

/** Makes the file and its folder. Rejects with SQLite's own words when the file cannot be opened. */
export async function openSqliteEvents(path: string): Promise<SqliteEvents> {
  mkdirSync(dirname(path), { recursive: true });
  const { DatabaseSync } = await importSqlite();
  const database = new DatabaseSync(path);
  // With a log of its own a report reads while searches are written; NORMAL loses nothing when the process ends, only when power does.
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
    // oxlint-disable-next-line require-await -- what it throws is a rejection
    async batch(statements) {
      return runAll(statements.map(ours));
    },
    close: () => database.close(),
  };
}

function ours(statement: EventStatement): Statement {
  if (statement instanceof Statement) return statement;
  throw new Error("The statement was prepared by another database");
}
