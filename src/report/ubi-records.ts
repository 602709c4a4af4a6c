/**
 * UBI 1.3 records of any shop, read from files with one JSON object per line.
 *
 * The schemas ask only for what is needed and let every other field pass; `events/ubi.ts` has the records that the edge writes.
 */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { UserError } from "../web.ts";

const ids = v.array(v.string());

/** A UBI query record with the exposure of `query_attributes.armmt`. */
export const queryRecordSchema = v.looseObject({
  query_id: v.string(),
  client_id: v.optional(v.string()),
  user_query: v.string(),
  timestamp: v.string(),
  query_attributes: v.looseObject({
    armmt: v.looseObject({
      variant: v.optional(v.string()),
      /** Engine order, the whole window. */
      original_ids: ids,
      /** The engine's scores, parallel to original_ids, where the log has them. */
      original_scores: v.optional(v.array(v.number())),
      /** As shown, position 1 first. */
      served_ids: ids,
    }),
  }),
});

/** A UBI event about one item. `position.ordinal` is 1-based here. */
export const eventRecordSchema = v.looseObject({
  action_name: v.string(),
  query_id: v.optional(v.string()),
  client_id: v.optional(v.string()),
  timestamp: v.string(),
  event_attributes: v.looseObject({
    object: v.looseObject({ object_id: v.string() }),
    position: v.optional(v.looseObject({ ordinal: v.optional(v.number()) })),
  }),
});

export type QueryRecord = v.InferOutput<typeof queryRecordSchema>;
export type EventRecord = v.InferOutput<typeof eventRecordSchema>;

/** Reads a file of JSON lines through a schema; the error names file, line and field. */
export async function* readRecords<T extends v.GenericSchema>(path: string, schema: T): AsyncGenerator<v.InferOutput<T>> {
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
      number++;
      if (line.trim() === "") continue;
      const parsed = v.safeParse(schema, JSON.parse(line));
      if (!parsed.success) {
        const issue = parsed.issues[0];
        throw new UserError(`${path}, line ${number}: ${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
      }
      yield parsed.output;
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new UserError(`${path}, line ${number} is not JSON: ${error.message}`);
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new UserError(`${path} does not exist: give a folder that holds queries.ndjson and events.ndjson`);
    }
    throw error;
  }
}
