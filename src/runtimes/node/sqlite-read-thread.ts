/** The thread of sqlite-reader.ts: one state of the file, all queries, an answer. The file is opened for reading only. */
import { parentPort, workerData } from "node:worker_threads";
import { errorText } from "../../web.ts";
import { importSqlite } from "./sqlite.ts";
import type { Answer, Question } from "./sqlite-reader.ts";

const BUSY_MS = 5000;

const { path, queries }: Question = workerData;

async function answer(): Promise<Answer> {
  try {
    const { DatabaseSync } = await importSqlite();
    const database = new DatabaseSync(path, { readOnly: true });
    try {
      database.exec(`PRAGMA busy_timeout = ${BUSY_MS}; BEGIN`);
      return {
        rows: queries.map(({ sql, values }) =>
          database
            .prepare(sql)
            .all(...values)
            .map((row) => ({ ...row })),
        ),
      };
    } finally {
      database.close();
    }
  } catch (error) {
    return { error: errorText(error) };
  }
}

parentPort?.postMessage(await answer()); // oxlint-disable-line unicorn/require-post-message-target-origin -- of windows
