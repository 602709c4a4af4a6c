/** Node's own SQLite, without the line that it prints because Node 22 still calls it experimental. */
import { CommandError } from "../command.ts";

export type Sqlite = typeof import("node:sqlite");

/** Throws a CommandError where this Node has none. */
export async function loadSqlite(): Promise<Sqlite> {
  const warn = process.emitWarning.bind(process);
  process.emitWarning = () => undefined;
  try {
    return await import("node:sqlite");
  } catch (error) {
    throw new CommandError(`This Node (${process.version}) has no SQLite, which reports need: use Node 22.13 or newer`, { cause: error });
  } finally {
    process.emitWarning = warn;
  }
}
