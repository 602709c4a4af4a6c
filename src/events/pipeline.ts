/**
 * Records into a Cloudflare Pipeline (R2 as Parquet, Iceberg or JSON): UBI records with `record`, which tells exposures from events.
 *
 * Delivers at least once: `event_id` tells two deliveries of one event apart. What a pipeline has written can be deleted there only.
 */
import { err, ok } from "../result.ts";
import type { Result } from "../result.ts";
import type { Sink } from "./sink.ts";
import { messageOf } from "./sink.ts";
import type { UbiQueryRecord } from "./ubi.ts";

/** A stream takes requests of at most 1 MB (it says nothing of records). */
const RECORDS_PER_REQUEST = 500;

/** The part of a pipeline binding that is used. */
export interface PipelineBinding {
  send(records: object[]): Promise<void>;
}

export function createPipelineSink(pipeline: PipelineBinding): Sink {
  async function send(records: readonly object[]): Promise<Result<true, string>> {
    try {
      for (let start = 0; start < records.length; start += RECORDS_PER_REQUEST) {
        await pipeline.send(records.slice(start, start + RECORDS_PER_REQUEST)); // oxlint-disable-line no-await-in-loop
      }
      return ok(true);
    } catch (error) {
      return err(messageOf(error));
    }
  }
  return {
    name: "pipeline",
    write: (exposure) => send([exposureOf(exposure)]),
    writeExposures: (exposures) => send(exposures.map(exposureOf)),
    async writeEvents(events) {
      const sent = await send(events.map((event) => ({ record: "event", ...event })));
      return sent.ok ? ok({ written: events.length, duplicates: 0 }) : sent;
    },
  };
}

function exposureOf(exposure: UbiQueryRecord): object {
  return { record: "exposure", ...exposure };
}
