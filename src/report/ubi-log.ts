/**
 * UBI 1.3 records in NDJSON files as a log, of this edge or of any other shop that records experiment and variant under
 * `query_attributes.armmt`. Lines of OpenSearch's bulk format and records without an experiment are skipped.
 */
import { existsSync } from "node:fs";
import * as v from "valibot";
import { ACTIONS, type ActionRow, type Log, type LogRange, toActionRow, toSearchRow } from "./log.ts";
import { readRecords } from "./ubi-records.ts";
import { UserError } from "../web.ts";

const optionalText = v.nullish(v.string());

const querySchema = v.object({
  query_id: v.string(),
  application: v.nullish(v.string(), ""),
  client_id: optionalText,
  unit: optionalText,
  user_query: v.nullish(v.string(), ""),
  timestamp: v.string(),
  query_attributes: v.object({
    armmt: v.object({
      experiment: v.string(),
      variant: v.string(),
      bypass: optionalText,
      teams: v.nullish(v.array(v.unknown())),
      served_ids: v.nullish(v.array(v.string())),
      simulated: v.optional(v.unknown()),
    }),
  }),
});

/** This edge writes them beside UBI's own members, other shops among the event's attributes. */
const extras = {
  quantity: v.nullish(v.number()),
  price: v.nullish(v.number()),
  currency: optionalText,
  team: optionalText,
};

const eventSchema = v.looseObject({
  action_name: v.picklist(ACTIONS),
  query_id: v.string(),
  event_id: optionalText,
  ...extras,
  event_attributes: v.looseObject({ object: v.nullish(v.looseObject({ object_id: v.nullish(v.string()) })), ...extras }),
});

export interface UbiFiles {
  readonly queries: string;
  /** `undefined`: only exposures are known. */
  readonly events: string | undefined;
}

/** Throws a UserError when a file is missing. Both may be the same file. */
export function openUbiLog({ queries, events }: UbiFiles): Log {
  for (const file of [queries, events]) {
    if (file !== undefined && !existsSync(file))
      throw new UserError(`${file} does not exist: name a file of UBI records, one JSON object per line`);
  }
  return {
    place: events === undefined || events === queries ? queries : `${queries}, ${events}`,
    notes: events === undefined ? ["No file of events was named (--events): only exposures are reported."] : [],
    async experiments() {
      const counts = new Map<string, number>();
      for await (const record of queriesOf(queries)) {
        const { experiment } = record.query_attributes.armmt;
        counts.set(experiment, (counts.get(experiment) ?? 0) + 1);
      }
      return counts;
    },
    async *searches(range) {
      for await (const record of queriesOf(queries))
        if (isWanted(record, range))
          yield toSearchRow({ ...record, ...record.query_attributes.armmt, unit: record.unit ?? record.client_id });
    },
    async *actions() {
      if (events === undefined) return;
      for await (const record of recordsOf(events, eventSchema)) yield actionOf(record);
    },
    liveExperiments: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

const namesExperiment = v.looseObject({ query_attributes: v.looseObject({ armmt: v.looseObject({ experiment: v.string() }) }) });

/** Query records of experiments. One that names an experiment must be valid: skipped, it would be missing in its arm. */
async function* queriesOf(path: string): AsyncGenerator<v.InferOutput<typeof querySchema>> {
  for await (const line of readRecords(path, v.unknown())) {
    const parsed = v.safeParse(querySchema, line);
    if (parsed.success) yield parsed.output;
    else if (v.is(namesExperiment, line)) {
      const [issue] = parsed.issues;
      throw new UserError(
        `${path}: a query record cannot be read: ${v.getDotPath(issue) ?? "record"}: ${issue.message}: ${JSON.stringify(line).slice(0, 200)}`,
      );
    }
  }
}

/** Valid records only. */
async function* recordsOf<T extends v.GenericSchema>(path: string, schema: T): AsyncGenerator<v.InferOutput<T>> {
  for await (const line of readRecords(path, v.unknown())) {
    const parsed = v.safeParse(schema, line);
    if (parsed.success) yield parsed.output;
  }
}

function isWanted(
  { timestamp, query_attributes: { armmt } }: v.InferOutput<typeof querySchema>,
  { experiment, since, until }: LogRange,
): boolean {
  const at = Date.parse(timestamp);
  return (
    armmt.experiment === experiment && (since === undefined || at >= Date.parse(since)) && (until === undefined || at < Date.parse(until))
  );
}

function actionOf({ event_attributes: attributes, ...record }: v.InferOutput<typeof eventSchema>): ActionRow {
  return toActionRow({
    ...record,
    object_id: attributes.object?.object_id,
    quantity: record.quantity ?? attributes.quantity,
    price: record.price ?? attributes.price,
    currency: record.currency ?? attributes.currency,
    team: record.team ?? attributes.team,
  });
}
