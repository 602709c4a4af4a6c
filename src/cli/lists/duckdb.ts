/** Parquet files and Iceberg tables, as Cloudflare Pipelines writes them, through DuckDB: an optional package. */
import * as v from "valibot";
import { UserError } from "../../web.ts";
import { recordOf, type RecordSource } from "./rows.ts";

const DUCKDB = "@duckdb/node-api";

/** The part of DuckDB that is used. */
interface Connection {
  stream(sql: string): Promise<{ yieldRowObjectJson(): AsyncIterable<readonly unknown[]> }>;
  closeSync(): void;
}

const has = (value: unknown, name: string): boolean => typeof value === "object" && value !== null && name in value;
const connectionSchema = v.custom<Connection>((it) => has(it, "stream"));
const instanceSchema = v.custom<{ connect(): Promise<unknown> }>((it) => has(it, "connect"));
const librarySchema = v.object({ DuckDBInstance: v.custom<{ create(path: string): Promise<unknown> }>((it) => typeof it === "function") });
const rowSchema = v.object({ record: v.pipe(v.string(), v.parseJson(), v.record(v.string(), v.unknown())) });

/** Structs, lists and JSON columns alike become JSON. Spark and Trino have the same as to_json(struct(*)) and CAST(... AS JSON). */
const select = (table: string): string => `SELECT to_json(r)::VARCHAR AS record FROM ${table} r`;

/** What a table function needs that DuckDB does not bring; downloaded once, so only where it is used. */
const EXTENSIONS: readonly (readonly [RegExp, string])[] = [
  [/^iceberg_scan/, "iceberg"],
  [/'\w+:\/\//, "httpfs"],
];

/** Resolves with a connection to an empty database. Throws a UserError where the package is not installed. */
async function connect(): Promise<Connection> {
  const library: unknown = await import(DUCKDB).catch((cause: unknown) => {
    throw new UserError(`Parquet and Iceberg need the package ${DUCKDB}: npm install --save-dev ${DUCKDB}`, { cause });
  });
  const instance = v.parse(instanceSchema, await v.parse(librarySchema, library).DuckDBInstance.create(":memory:"));
  return v.parse(connectionSchema, await instance.connect());
}

/** `table`: an expression that may stand after FROM. Queries and events may be in one table. */
export async function openDuckDb(
  { place, table }: { readonly place: string; readonly table: string },
  open = connect,
): Promise<RecordSource> {
  const connection = await open();
  return {
    place,
    async *records() {
      let number = 0;
      try {
        for (const [pattern, name] of EXTENSIONS) {
          if (pattern.test(table)) await connection.stream(`INSTALL ${name}; LOAD ${name}`); // oxlint-disable-line no-await-in-loop
        }
        for await (const rows of (await connection.stream(select(table))).yieldRowObjectJson()) {
          for (const row of rows) {
            number++;
            yield { record: recordOf(v.parse(rowSchema, row).record), where: `${place}, row ${number}` };
          }
        }
      } catch (error) {
        if (error instanceof Error && /\b(IO|HTTP|Invalid Input|Binder|Catalog) Error/.test(error.message)) {
          throw new UserError(`DuckDB cannot read ${place}: ${error.message.split("\n")[0]}`, { cause: error });
        }
        throw error;
      }
    },
    // oxlint-disable-next-line require-await
    async close() {
      connection.closeSync();
    },
  };
}
