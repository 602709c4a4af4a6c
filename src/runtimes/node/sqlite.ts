/** SQLite as Node and Deno bring it, without the line that Node 22 prints because it still calls it experimental. */
export type Sqlite = typeof import("node:sqlite");

/** Rejects where the runtime has none. */
export async function importSqlite(): Promise<Sqlite> {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await import("node:sqlite");
  } finally {
    process.emitWarning = warn;
  }
}
