/**
 * Records as lines of JSON in an R2 bucket: `<kind>/<day>/<checksum>.ndjson`. What `armmt lists` and any warehouse reads.
 *
 * The name of an object follows from its content, so a delivery that is repeated writes the same object again. Two batches that share
 * some events are two objects: `event_id` tells.
 */
import type { R2Bucket } from "@cloudflare/workers-types";
import type { Result } from "../result.ts";
import { err, ok } from "../result.ts";
import { bytesOf, toHex } from "./keys.ts";
import type { Sink } from "./sink.ts";
import { messageOf } from "./sink.ts";

export function createNdjsonSink(bucket: Pick<R2Bucket, "put">): Sink {
  async function put(kind: string, records: readonly { readonly timestamp: string }[]): Promise<Result<true, string>> {
    const [first] = records;
    if (first === undefined) return ok(true);
    try {
      const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
      const checksum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytesOf(text)));
      const key = `${kind}/${first.timestamp.slice(0, 10)}/${toHex(checksum.subarray(0, 16))}.ndjson`;
      await bucket.put(key, text, { httpMetadata: { contentType: "application/x-ndjson" } });
      return ok(true);
    } catch (error) {
      return err(messageOf(error));
    }
  }
  return {
    name: "r2",
    write: (record) => put("ubi_queries", [record]),
    writeExposures: (records) => put("ubi_queries", records),
    async writeEvents(events) {
      const written = await put("ubi_events", events);
      return written.ok ? ok({ written: events.length, duplicates: 0 }) : written;
    },
  };
}
