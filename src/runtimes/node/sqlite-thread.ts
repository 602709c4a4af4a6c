/**
 * The thread that owns a SQLite file: no search waits for a disk or for another process that has locked the file.
 *
 * Everything that has arrived is one transaction, each write in a savepoint of its own: all of a write or nothing. While the file is locked,
 * writes wait here; sqlite.ts bounds how many there are.
 */
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { parentPort, workerData } from "node:worker_threads";
import { errorText } from "../../web.ts";
import { importSqlite, type FromThread, type Settled, type ThreadData, type ToThread, type Write } from "./sqlite.ts";

/** SQLite itself waits this long for a lock; then this thread looks at its messages. */
const BUSY_MS = 100;
const RETRY_MS = 50;

/** Other processes get their turn after so many. */
const WRITES_PER_TRANSACTION = 1000;

const { path }: ThreadData = workerData;
const { DatabaseSync: Database } = await importSqlite();
const waiting: Write[] = [];
const prepared = new Map<string, StatementSync>();
let database: DatabaseSync | undefined;
let isLocked = false;
let isScheduled = false;
/** When to close, by performance.now(); then what is left stays unwritten. */
let closeAt = Infinity;

function tell(message: FromThread): void {
  parentPort?.postMessage(message); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
}

parentPort?.on("message", (message: ToThread) => {
  if ("close" in message) closeAt = performance.now() + message.close;
  else waiting.push(message);
  schedule(0);
});

try {
  mkdirSync(dirname(path), { recursive: true });
  database = open();
  tell({ opened: true });
} catch (error) {
  // A file that is locked is opened later.
  if (isLockedError(error)) tell({ opened: true });
  else tell({ failed: errorText(error) });
}

function open(): DatabaseSync {
  const opened = new Database(path);
  try {
    // In WAL mode a report reads while searches are written. NORMAL loses data in a power failure only. A page that is split would else keep copies
    // of the rows that move: `armmt forget` could not find them.
    opened.exec(`PRAGMA busy_timeout = ${BUSY_MS}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA secure_delete = ON`);
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}

function schedule(ms: number): void {
  if (isScheduled) return;
  isScheduled = true;
  const run = (): void => {
    isScheduled = false;
    work();
  };
  // What arrives in the same turn goes into the same transaction.
  if (ms === 0) setImmediate(run);
  else setTimeout(run, ms);
}

function work(): void {
  if (waiting.length > 0) setLocked(!writeWaiting());
  if (waiting.length > 0 && performance.now() < closeAt) return schedule(isLocked ? RETRY_MS : 0);
  if (closeAt === Infinity) return undefined;
  try {
    database?.close();
  } catch {
    // What is written is in the file, or in SQLite's own log beside it.
  }
  // Whoever started this thread ends it.
  tell({ closed: true });
  return undefined;
}

function setLocked(now: boolean): void {
  if (now !== isLocked) tell({ locked: now });
  isLocked = now;
}

/** False where the file is locked: nothing was written then. */
function writeWaiting(): boolean {
  const batch = waiting.slice(0, WRITES_PER_TRANSACTION);
  let settled: readonly Settled[];
  try {
    database ??= open();
    settled = writeAll(database, batch);
  } catch (error) {
    if (database?.isTransaction === true) database.exec("ROLLBACK");
    if (isLockedError(error)) return false;
    const problem = errorText(error);
    settled = batch.map(({ id }) => ({ id, error: problem }));
  }
  waiting.splice(0, batch.length);
  tell({ settled });
  return true;
}

function writeAll(db: DatabaseSync, batch: readonly Write[]): readonly Settled[] {
  db.exec("BEGIN IMMEDIATE");
  const settled = batch.map((write) => writeOne(db, write));
  db.exec("COMMIT");
  return settled;
}

/** Throws where SQLite has ended the whole transaction, as for a full disk. */
function writeOne(db: DatabaseSync, { id, statements }: Write): Settled {
  db.exec("SAVEPOINT one");
  try {
    const changes = statements.map(({ sql, values }) => Number(prepare(db, sql).run(...values).changes));
    db.exec("RELEASE one");
    return { id, changes };
  } catch (error) {
    if (!db.isTransaction) throw error;
    db.exec("ROLLBACK TO one; RELEASE one");
    return { id, error: errorText(error) };
  }
}

function prepare(db: DatabaseSync, sql: string): StatementSync {
  const known = prepared.get(sql) ?? db.prepare(sql);
  prepared.set(sql, known);
  return known;
}

function isLockedError(error: unknown): boolean {
  return /database (?:table |schema )?is locked/i.test(errorText(error));
}
