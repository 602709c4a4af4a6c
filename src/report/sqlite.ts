/** SQLite for reports. */
import { importSqlite, type Sqlite } from "../runtimes/node/sqlite.ts";
import { CommandError } from "../cli/command.ts";

export type { Sqlite };

/** Throws a CommandError where this Node has none. */
export async function loadSqlite(): Promise<Sqlite> {
  try {
    return await importSqlite();
  } catch (error) {
    throw new CommandError(`This Node (${process.version}) has no SQLite, which reports need: use Node 22.13 or newer`, { cause: error });
  }
}
