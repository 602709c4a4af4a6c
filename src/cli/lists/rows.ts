/** UBI records as they lie in tables. */
import * as v from "valibot";

export type RecordKind = "queries" | "events";

export interface FoundRecord {
  readonly record: unknown;
  /** For messages. */
  readonly where: string;
}

export interface RecordSource {
  /** For messages. */
  readonly place: string;
  records(kind: RecordKind): AsyncIterable<FoundRecord>;
  /** JSON text of the experiments that are changed without a deployment, where the edge that wrote the log has some. May reject. */
  liveExperiments?(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** UBI's own objects, which tables hold as JSON text. */
const JSON_COLUMNS = ["query_attributes", "event_attributes", "query_response_hit_ids", "hit_ids"] as const;

const jsonText = v.pipe(v.string(), v.parseJson());

/** A TIMESTAMP as DuckDB prints it: UTC without saying so. */
const SQL_TIME = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00)?$/;

/** Of a pipeline's stream without a schema: the whole record. */
const WHOLE = "value";

/** A row of a table → the record that was stored. */
export function recordOf(row: Readonly<Record<string, unknown>>): unknown {
  const whole = v.safeParse(jsonText, row[WHOLE]);
  if (whole.success && row["timestamp"] === undefined) return whole.output;
  const record: Record<string, unknown> = { ...row };
  for (const name of JSON_COLUMNS) {
    const parsedJson = v.safeParse(jsonText, row[name]);
    if (parsedJson.success) record[name] = parsedJson.output;
  }
  const { timestamp } = row;
  if (typeof timestamp === "string") record["timestamp"] = timestamp.replace(SQL_TIME, "$1T$2Z");
  record["query_response_hit_ids"] ??= record["hit_ids"];
  return record;
}
