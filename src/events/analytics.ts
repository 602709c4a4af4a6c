/**
 * Live counters in Analytics Engine: one data point per kind of record in a batch, for a dashboard of the last three months.
 *
 * Not a source of truth: the platform samples, and does not report failed writes. Holds no ids of shoppers or items, so nothing has to be
 * deleted there.
 *
 *   index1  experiment, or "-"
 *   blob1 record ("exposure" or an action) · blob2 variant · blob3 application · blob4 reason of a bypass, or "" · blob5 team, or ""
 *   double1 records · double2 items (quantities added up) · double3 money (price times quantity, whatever the currency)
 */
import type { AnalyticsEngineDataset } from "@cloudflare/workers-types";
import { attempt, type Sink, writeAsNew } from "./sink.ts";
import type { ServedEvent, UbiQueryRecord } from "./ubi.ts";

interface Point {
  readonly experiment: string | undefined;
  /** blob1 to blob5. */
  readonly blobs: readonly string[];
  readonly items: number;
  readonly money: number;
}

/**
 * Counters in Analytics Engine: for a dashboard, no source of truth.
 *
 * @example
 * import { analytics } from "armmt-edge/sinks/analytics";
 * const sinks = [analytics(env.EVENTS_ANALYTICS)];
 */
export function createAnalyticsSink(dataset: Pick<AnalyticsEngineDataset, "writeDataPoint">): Sink {
  function writePoints(points: readonly Point[]): void {
    for (const group of Map.groupBy(points, ({ experiment, blobs }) => JSON.stringify([experiment, blobs])).values()) {
      const { experiment = "-", blobs } = group[0]!;
      const items = group.reduce((sum, point) => sum + point.items, 0);
      const money = group.reduce((sum, point) => sum + point.money, 0);
      dataset.writeDataPoint({ indexes: [experiment], blobs: [...blobs], doubles: [group.length, items, money] });
    }
  }
  return {
    name: "analytics",
    write: (record) => attempt(() => writePoints([exposurePoint(record)])),
    writeExposures: (records) => attempt(() => writePoints(records.map(exposurePoint))),
    writeEvents: (events) => writeAsNew(events, () => writePoints(events.map(eventPoint))),
  };
}

function exposurePoint({ application, query_attributes: { armmt } }: UbiQueryRecord): Point {
  const blobs = ["exposure", armmt.variant, application, armmt.bypass ?? "", ""];
  return { experiment: armmt.experiment, blobs, items: 0, money: 0 };
}

function eventPoint(event: ServedEvent): Point {
  const { action_name: action, application, quantity = 1, price = 0, team = "", event_attributes: attributes } = event;
  const { experiment, variant = "" } = attributes.armmt;
  return { experiment, blobs: [action, variant, application, "", team], items: quantity, money: price * quantity };
}

export { createAnalyticsSink as analytics };
