/** What shoppers looked at, in a temporary SQLite file: a log may be far larger than memory. */
import type { DatabaseSync } from "node:sqlite";
import * as v from "valibot";
import { MAX_HISTORY } from "../../ranking/features.ts";
import type { Look } from "./records.ts";

const itemSchema = v.object({ item: v.string() });

export function createLooks(database: DatabaseSync) {
  database.exec("CREATE TABLE look (unit TEXT NOT NULL, at REAL NOT NULL, item TEXT NOT NULL) STRICT");
  const add = database.prepare("INSERT INTO look VALUES (?, ?, ?)");
  return {
    add: ({ unit, itemId, atMs }: Look): void => void add.run(unit, atMs, itemId),
    /** After the last look. Items that the shopper looked at before `atMs`, most recent first, each once, at most MAX_HISTORY. */
    reader() {
      database.exec("CREATE INDEX IF NOT EXISTS look_unit ON look (unit, at)");
      const find = database.prepare("SELECT item FROM look WHERE unit = ? AND at < ? GROUP BY item ORDER BY MAX(at) DESC, item LIMIT ?");
      return (unit: string, atMs: number): readonly string[] =>
        find.all(unit, atMs, MAX_HISTORY).map((row) => v.parse(itemSchema, row).item);
    },
  };
}
