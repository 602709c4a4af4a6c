/**
 * Records as lines of JSON in an R2 bucket: `<kind>/<day>/<checksum>.ndjson`. `armmt lists` and any warehouse can read them.
 *
 * The name of an object follows from its content, so a repeated delivery writes the same object again. Two batches that share some events
 * are two objects: deduplicate by `event_id`.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import { sha256Hex } from "../web.ts";
import { attempt, type Sink, writeAsNew } from "./sink.ts";

/**
 * Exposures and events as lines of JSON in a bucket: an object per write, so for the consumer of a queue.
 *
 * @example
 * import { r2 } from "armmt-edge/sinks/r2";
 * const sinks = [r2(env.EVENTS_BUCKET)];
 */
export function createNdjsonSink(bucket: Pick<R2Bucket, "put">): Sink {
  async function put(kind: string, records: readonly { readonly timestamp: string }[]): Promise<void> {
    const [first] = records;
    if (first === undefined) return;
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    const key = `${kind}/${first.timestamp.slice(0, 10)}/${(await sha256Hex(text)).slice(0, 32)}.ndjson`;
    await bucket.put(key, text, { httpMetadata: { contentType: "application/x-ndjson" } });
  }
  return {
    name: "r2",
    write: (record) => attempt(() => put("ubi_queries", [record])),
    writeExposures: (records) => attempt(() => put("ubi_queries", records)),
    writeEvents: (events) => writeAsNew(events, () => put("ubi_events", events)),
  };
}

export { createNdjsonSink as r2 };
