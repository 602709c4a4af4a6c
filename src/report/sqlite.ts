/** SQLite for reports. */
import { importSqlite, type Sqlite } from "../runtimes/node/sqlite.ts";
import { UserError } from "../web.ts";

export type { Sqlite };

/** Throws a UserError where this Node has none. */
export async function loadSqlite(): Promise<Sqlite> {
  try {
    return await importSqlite();
  } catch (error) {
    throw new UserError(`This Node (${process.version}) has no SQLite, which reports need: use Node 22.13 or newer`, { cause: error });
  }
}
