/** Files in buckets, Parquet files and Iceberg tables, as Cloudflare Pipelines writes them, through DuckDB: an optional package. */
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
const ROW = "to_json(r)";
const select = ({ table, record = ROW }: Table): string => `SELECT ${record}::VARCHAR AS record FROM ${table} r`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const name = (text: string): string => `"${text.replaceAll('"', '""')}"`;

/** What stands after FROM, and the statements that it needs. Those hold secrets, so no message repeats them. */
interface Table {
  readonly table: string;
  /** A row's record as JSON, where it is not the whole row. */
  readonly record?: string;
  readonly before: readonly string[];
}

/** Extensions that DuckDB does not bring: downloaded once, so only where they are used. */
const use = (extension: string): string => `INSTALL ${extension}; LOAD ${extension}`;

type Environment = Readonly<Record<string, string | undefined>>;

/** `path`: a file of Parquet or of a record a line, or a pattern with `*`; a bucket's folder means all Parquet files below it. */
export function filesTable(path: string, env: Environment = process.env): Table {
  // R2 is S3 with another endpoint.
  const found = path.replace(/^r2:/, "s3:");
  if (/\.(?:ndjson|jsonl)(?:\.gz)?$/.test(found))
    return { table: `read_ndjson_objects(${literal(found)})`, record: "r.json", before: reach(found, env) };
  const isFolder = found.startsWith("s3:") && !/\.parquet$|\*/.test(found);
  const files = isFolder ? `${found.replace(/\/+$/, "")}/**/*.parquet` : found;
  return { table: `read_parquet(${literal(files)}, union_by_name = true)`, before: reach(found, env) };
}

/**
 * `place`: a table's folder or metadata file, or `https://<catalogue>?warehouse=<name>&table=<namespace>.<table>`, an Iceberg REST catalogue such as R2's.
 * Throws a UserError where the table is not named so.
 */
export function icebergTable(place: string, env: Environment = process.env): Table {
  const catalogue = URL.canParse(place) ? new URL(place) : undefined;
  const table = catalogue?.searchParams.get("table");
  if (catalogue === undefined || table == null) {
    // Catalogues leave no hint at the newest version in a table's folder.
    const guess = place.endsWith(".json") ? [] : ["SET unsafe_enable_version_guessing = true"];
    return { table: `iceberg_scan(${literal(place.replace(/^r2:/, "s3:"))})`, before: [use("iceberg"), ...reach(place, env), ...guess] };
  }
  if (!/^[^.]+(?:\.[^.]+)+$/.test(table)) throw new UserError(`table=${table} has no namespace: write table=<namespace>.<table>`);
  const warehouse = catalogue.searchParams.get("warehouse") ?? "";
  const { ICEBERG_TOKEN: token } = env;
  const endpoint = `${catalogue.origin}${catalogue.pathname}`.replace(/\/+$/, "");
  const access = token === undefined ? "AUTHORIZATION_TYPE 'none'" : "SECRET catalogue_token";
  return {
    table: ["catalogue", ...table.split(".")].map(name).join("."),
    before: [
      use("iceberg"),
      use("httpfs"),
      ...secretOfS3(env),
      ...(token === undefined ? [] : [`CREATE SECRET catalogue_token (TYPE iceberg, TOKEN ${literal(token)})`]),
      `ATTACH ${literal(warehouse)} AS catalogue (TYPE iceberg, ENDPOINT ${literal(endpoint)}, ${access})`,
    ],
  };
}

/** What an address needs that is not on this machine. */
const reach = (address: string, env: Environment): readonly string[] =>
  /^\w+:\/\//.test(address) ? [use("httpfs"), ...secretOfS3(env)] : [];

/** As AWS's own tools take keys and endpoints from the environment; without keys only public objects can be read. */
function secretOfS3(env: Environment): readonly string[] {
  const { AWS_ACCESS_KEY_ID: key, AWS_SECRET_ACCESS_KEY: secret, AWS_SESSION_TOKEN: session } = env;
  const given = env["AWS_ENDPOINT_URL_S3"] ?? env["AWS_ENDPOINT_URL"];
  if (key === undefined && given === undefined) return [];
  if (given !== undefined && !URL.canParse(given))
    throw new UserError(`The endpoint ${given} is no address: write https://<account>.r2.cloudflarestorage.com`);
  const endpoint = given === undefined ? undefined : new URL(given);
  const options = [
    ["KEY_ID", key],
    ["SECRET", secret],
    ["SESSION_TOKEN", session],
    ["REGION", env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"] ?? (endpoint && "auto")],
    ["ENDPOINT", endpoint && `${endpoint.host}${endpoint.pathname.replace(/\/+$/, "")}`],
    ["URL_STYLE", endpoint && "path"],
  ].flatMap(([option, value]) => (value === undefined ? [] : [`${option} ${literal(value)}`]));
  const plain = endpoint?.protocol === "http:" ? ["USE_SSL false"] : [];
  return [`CREATE SECRET bucket_keys (TYPE s3, ${[...options, ...plain].join(", ")})`];
}

/** Resolves with a connection to an empty database. Throws a UserError where the package is not installed. */
async function connect(): Promise<Connection> {
  const library: unknown = await import(DUCKDB).catch((cause: unknown) => {
    throw new UserError(`Parquet and Iceberg need the package ${DUCKDB}: npm install --save-dev ${DUCKDB}`, { cause });
  });
  const instance = v.parse(instanceSchema, await v.parse(librarySchema, library).DuckDBInstance.create(":memory:"));
  return v.parse(connectionSchema, await instance.connect());
}

/** Queries and events may be in one table. */
export async function openDuckDb(place: string, table: Table, open = connect): Promise<RecordSource> {
  const connection = await open();
  const reading = (error: unknown): Error => {
    const [first] = error instanceof Error ? (/^[\w ]+ Error: .*/.exec(error.message) ?? []) : [];
    if (first !== undefined) return new UserError(`DuckDB cannot read ${place}: ${first}${hintFor(first)}`);
    return error instanceof Error ? error : new Error(String(error));
  };
  let isPrepared = false;
  return {
    place,
    async *records() {
      let number = 0;
      try {
        if (!isPrepared) for (const statement of table.before) await connection.stream(statement); // oxlint-disable-line no-await-in-loop
        isPrepared = true;
        for await (const rows of (await connection.stream(select(table))).yieldRowObjectJson()) {
          for (const row of rows) {
            number++;
            yield { record: recordOf(v.parse(rowSchema, row).record), where: `${place}, row ${number}` };
          }
        }
      } catch (error) {
        throw reading(error);
      }
    },
    // oxlint-disable-next-line require-await
    async close() {
      connection.closeSync();
    },
  };
}

/** What to do about it, where DuckDB does not say it in our words. */
function hintFor(message: string): string {
  if (/HTTP (?:401|403)|Unauthorized|Forbidden|Access ?Denied|credentials/i.test(message))
    return ". Keys are AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (R2: with AWS_ENDPOINT_URL), a catalogue's is ICEBERG_TOKEN";
  return "";
}
