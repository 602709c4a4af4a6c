/** Where a log can lie → UBI records, one by one: D1, a SQLite file, NDJSON in files or in the day folders of R2, Parquet, Iceberg. */
import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { createInterface } from "node:readline";
import { createGunzip } from "node:zlib";
import * as v from "valibot";
import { openDatabaseFile, openLocalDatabase, openWranglerDatabase } from "../report/database.ts";
import { columnsOf, type EventDatabase, pages } from "../../report/sql-log.ts";
import { UserError } from "../../web.ts";
import { filesTable, icebergTable, openDuckDb } from "./duckdb.ts";
import { type FoundRecord, type RecordKind, recordOf, type RecordSource } from "./rows.ts";

export interface SourceOptions {
  /** A file, a folder, `iceberg:<place>`, an address of object storage, or the name of a D1 database. */
  readonly from: string;
  /** D1 of wrangler dev on this machine. */
  readonly local?: boolean | undefined;
  /** wrangler.toml of the edge. */
  readonly config?: string | undefined;
  readonly persistTo?: string | undefined;
}

/** The second: as Spark names the files of its JSON folders. */
const LINES = /\.(ndjson|jsonl)(\.gz)?$|(^|[\\/])part-[^\\/]*\.(json|txt)(\.gz)?$/;
const SQLITE = /\.(sqlite3?|db)$/;
const PARQUET = /\.parquet$/;
const REMOTE = /^(s3|r2|https?):\/\//;
const DATABASE = /^[A-Za-z_][A-Za-z0-9_-]*$/;

const EXPECTED =
  "name a SQLite file, an .ndjson file, a folder of .ndjson or .parquet files, s3://… or r2://…, iceberg:<place>, or a D1 database as wrangler.toml names it";

/** Throws a UserError where `from` is none of them. */
export async function openSource({ from, local, config = "wrangler.toml", persistTo = "" }: SourceOptions): Promise<RecordSource> {
  if (local === true) return sqlSource(await openLocalDatabase({ config, binding: from, stateDir: persistTo }));
  if (from.startsWith("iceberg:")) return openDuckDb(from, icebergTable(from.slice("iceberg:".length)));
  if (REMOTE.test(from)) return openDuckDb(from, filesTable(from));
  if (!existsSync(from)) {
    if (!DATABASE.test(from)) throw new UserError(`${from} does not exist: ${EXPECTED}`);
    return sqlSource(openWranglerDatabase({ config, binding: from, where: ["--remote"] }));
  }
  if (statSync(from).isFile()) {
    if (SQLITE.test(from)) return sqlSource(await openDatabaseFile(from));
    if (PARQUET.test(from)) return openDuckDb(from, filesTable(from));
    return linesSource(from, { queries: [from], events: [from] });
  }
  const files = filesIn(from);
  const lines = files.filter((path) => LINES.test(path));
  if (lines.length > 0) return linesSource(from, byKind(from, lines));
  if (files.some((path) => PARQUET.test(path))) return openDuckDb(from, filesTable(join(from, "**/*.parquet")));
  const database = files.find((path) => SQLITE.test(path));
  if (database !== undefined) return sqlSource(await openDatabaseFile(database));
  throw new UserError(`${from} holds no log: ${EXPECTED}`);
}

function filesIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => join(folder, path))
    .toSorted();
}

/** A folder of queries.ndjson and events.ndjson, the folders that the R2 sink writes, or any files. */
function byKind(folder: string, lines: readonly string[]): Readonly<Record<RecordKind, readonly string[]>> {
  const named = (pattern: RegExp) => lines.filter((path) => pattern.test(path.slice(folder.length).replaceAll("\\", "/")));
  const [queries, events] = [named(/^\/?(queries\.|ubi_queries\/)/), named(/^\/?(events\.|ubi_events\/)/)];
  return queries.length > 0 ? { queries, events } : { queries: lines, events: lines };
}

function linesSource(place: string, files: Readonly<Record<RecordKind, readonly string[]>>): RecordSource {
  return {
    place,
    async *records(kind) {
      for (const file of files[kind]) yield* linesOf(file);
    },
    close: () => Promise.resolve(),
  };
}

/** A line may be a row that was exported from a table. Throws a UserError that names the line that is not JSON. */
async function* linesOf(path: string): AsyncGenerator<FoundRecord> {
  const bytes = createReadStream(path);
  const unpacked = extname(path) === ".gz" ? bytes.pipe(createGunzip()) : bytes;
  let number = 0;
  for await (const line of createInterface({ input: unpacked, crlfDelay: Infinity })) {
    number++;
    if (line.trim() === "") continue;
    const where = `${path}, line ${number}`;
    yield { record: parsed(line, where), where };
  }
}

function parsed(line: string, where: string): unknown {
  try {
    const row: unknown = JSON.parse(line);
    return v.is(objectSchema, row) ? recordOf(row) : row;
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${where} is not JSON: ${error.message}`);
    throw error;
  }
}

const objectSchema = v.record(v.string(), v.unknown());
const rowSchema = v.looseObject({ id: v.number() });

function sqlSource(database: EventDatabase): RecordSource {
  return {
    place: database.place,
    async *records(kind) {
      const table = `ubi_${kind}`;
      if ((await columnsOf(database, table)).size === 0) return;
      for await (const row of pages(database, rowSchema, (after) => `SELECT * FROM ${table} WHERE id > ${after}`)) {
        yield { record: recordOf(row), where: `${database.place}, ${table} ${row.id}` };
      }
    },
    liveExperiments: () => database.liveExperiments(),
    close: () => database.close(),
  };
}
