/**
 * Records into a Cloudflare Pipeline (R2 as Parquet, Iceberg or JSON): UBI records with `record`, which tells exposures from events.
 *
 * Delivers at least once: deduplicate by `event_id`. Records that a pipeline has written can be deleted there only.
 */
import { attempt, type Sink, writeAsNew } from "./sink.ts";
import type { UbiQueryRecord } from "./ubi.ts";

/** A stream takes requests of at most 1 MB; the number of records in one is not documented. */
const RECORDS_PER_REQUEST = 500;

/** The part of a pipeline binding that is used. */
export interface PipelineBinding {
  send(records: object[]): Promise<void>;
}

/**
 * Exposures and events in a pipeline, for tables in R2.
 *
 * @example
 * import { pipeline } from "armmt-edge/sinks/pipeline";
 * const sinks = [pipeline(env.EVENTS_PIPELINE)];
 */
export function createPipelineSink(pipeline: PipelineBinding): Sink {
  async function send(records: readonly object[]): Promise<void> {
    for (let start = 0; start < records.length; start += RECORDS_PER_REQUEST) {
      await pipeline.send(records.slice(start, start + RECORDS_PER_REQUEST)); // oxlint-disable-line no-await-in-loop
    }
  }
  return {
    name: "pipeline",
    write: (exposure) => attempt(() => send([exposureOf(exposure)])),
    writeExposures: (exposures) => attempt(() => send(exposures.map(exposureOf))),
    writeEvents: (events) => writeAsNew(events, () => send(events.map((event) => ({ record: "event", ...event })))),
  };
}

function exposureOf(exposure: UbiQueryRecord): object {
  return { record: "exposure", ...exposure };
}

export { createPipelineSink as pipeline };
