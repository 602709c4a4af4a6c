/**
 * UBI 1.3 records in NDJSON files as a log, of this edge or of any other shop that records experiment and variant under
 * `query_attributes.armmt`. Lines of OpenSearch's bulk format and records without an experiment are skipped.
 */
import { createReadStream, existsSync } from "node:fs";
import { createInterface } from "node:readline";
import * as v from "valibot";
import { err, ok, type Result } from "../result.ts";
import {
  type ActionRow,
  isWithin,
  type Log,
  type LogRange,
  rawAction,
  rawExplored,
  rawRules,
  rawSearch,
  toActionRow,
  toSearchRow,
} from "./log.ts";
import { UserError } from "../web.ts";

const { unit, query_id, timestamp, application, user_query, ...experimentEntries } = rawSearch.entries;

const querySchema = v.object({
  query_id,
  application,
  client_id: unit,
  unit,
  user_query,
  timestamp,
  query_attributes: v.object({
    armmt: v.object({
      experiment: v.nullish(v.string()),
      ...experimentEntries,
      rules: v.nullish(
        v.object({ ...rawRules.entries, slot_ids: rawSearch.entries.slot_ids, without: v.nullish(rawExplored.entries.without) }),
      ),
      original_ids: v.nullish(v.unknown()),
      propensities: v.nullish(v.unknown()),
      offset: v.nullish(v.unknown()),
    }),
  }),
  query_response_hit_ids: v.nullish(v.array(v.unknown())),
});

/** Of any experiment, or none. */
const earlierSchema = v.object({
  query_id,
  timestamp,
  client_id: unit,
  unit,
  query_attributes: v.nullish(v.object({ armmt: v.nullish(v.object({ experiment: unit, variant: unit })) })),
});

/** This edge writes them beside UBI's own members, other shops among the event's attributes or in its object. */
const { action_name, event_id, quantity, price, currency, team, order_id, price_suspect } = rawAction.entries;
const extras = { quantity, price, currency, team, order_id, line: rawAction.entries.line, price_suspect };

/** UBI lets ids be numbers. */
const itemId = v.nullish(v.union([v.string(), v.pipe(v.number(), v.transform(String))]));

const eventSchema = v.looseObject({
  action_name,
  query_id,
  event_id,
  timestamp: rawAction.entries.timestamp,
  application: rawAction.entries.application,
  unit,
  client_id: unit,
  ...extras,
  event_attributes: v.looseObject({
    armmt: v.fallback(v.nullish(v.looseObject({ is_signed: rawAction.entries.is_signed })), undefined),
    object: v.nullish(v.looseObject({ object_id: itemId, object_id_type: unit, ...extras })),
    ...extras,
  }),
});

const namesAction = v.looseObject({ action_name });

function toAction({ event_attributes: attributes, ...record }: v.InferOutput<typeof eventSchema>) {
  const { object } = attributes;
  return toActionRow({
    ...record,
    quantity: record.quantity ?? attributes.quantity ?? object?.quantity,
    price: record.price ?? attributes.price ?? object?.price,
    currency: record.currency ?? attributes.currency ?? object?.currency,
    team: record.team ?? attributes.team ?? object?.team,
    order_id: record.order_id ?? attributes.order_id ?? object?.order_id,
    line: record.line ?? attributes.line ?? object?.line,
    price_suspect: record.price_suspect ?? attributes.price_suspect ?? object?.price_suspect,
    is_signed: attributes.armmt?.is_signed,
    unit: record.unit ?? record.client_id,
    object_id: object?.object_id_type === "order" ? undefined : object?.object_id,
  });
}

/** What a UBI record says of one action that a report counts; otherwise the first problem. */
export function readAction(record: unknown): Result<ActionRow, string> {
  const parsed = v.safeParse(eventSchema, record);
  if (parsed.success) return ok(toAction(parsed.output));
  const [issue] = parsed.issues;
  return err(`${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
}

/** Throws a UserError when a file is missing. Both may be the same file; without `events` only exposures are known. */
export function openUbiLog({ queries, events }: { readonly queries: string; readonly events: string | undefined }): Log {
  for (const file of [queries, events]) {
    if (file !== undefined && !existsSync(file))
      throw new UserError(`${file} does not exist: name a file of UBI records, one JSON object per line`);
  }
  let unreadable = 0;
  return {
    place: events === undefined || events === queries ? queries : `${queries}, ${events}`,
    notes: events === undefined ? ["No file of events was named (--events): only exposures are reported."] : [],
    async experiments() {
      const counts = new Map<string, number>();
      for await (const record of queriesOf(queries)) {
        const { experiment } = record.query_attributes.armmt;
        if (typeof experiment === "string") counts.set(experiment, (counts.get(experiment) ?? 0) + 1);
      }
      return counts;
    },
    async *searches(range) {
      for await (const record of queriesOf(queries))
        if (isOf(range, record.query_attributes.armmt.experiment) && isWithin(range, Date.parse(record.timestamp)))
          yield toSearchRow({
            ...record,
            ...record.query_attributes.armmt,
            slot_ids: record.query_attributes.armmt.rules?.slot_ids,
            explored: exploredIn(record.query_attributes.armmt),
            unit: record.unit ?? record.client_id,
            shown: (record.query_response_hit_ids ?? record.query_attributes.armmt.served_ids)?.length,
          });
    },
    async *armsBefore(range) {
      if (range.since === undefined) return;
      const before = { ...range, since: undefined, until: range.since };
      for await (const record of queriesOf(queries)) {
        const { experiment, variant } = record.query_attributes.armmt;
        const shopper = record.unit ?? record.client_id;
        if (isOf(range, experiment) && shopper && isWithin(before, Date.parse(record.timestamp))) yield { unit: shopper, variant };
      }
    },
    async *actions() {
      unreadable = 0;
      if (events === undefined) return;
      for await (const record of readRecords(events, v.unknown())) {
        const parsed = v.safeParse(eventSchema, record);
        if (parsed.success) yield toAction(parsed.output);
        else if (v.is(namesAction, record)) unreadable++;
      }
    },
    lateNotes: () =>
      unreadable === 0 ? [] : [`${unreadable} clicks, carts, purchases or refunds of ${events} cannot be read and are left out.`],
    earlier: (range, { from, until }) => ({
      async *searches() {
        for await (const line of readRecords(queries, v.unknown())) {
          const parsed = v.safeParse(earlierSchema, line);
          if (!parsed.success) continue;
          const { query_id: queryId, timestamp: at, query_attributes: attributes, ...ids } = parsed.output;
          const [atMs, who] = [Date.parse(at), ids.unit ?? ids.client_id];
          const isOwn = isOf(range, attributes?.armmt?.experiment);
          const isEarlier = isOwn ? range.since !== undefined && atMs < Date.parse(range.since) : atMs >= Date.parse(from);
          if (typeof who !== "string" || !isEarlier || !(atMs < Date.parse(until))) continue;
          yield { queryId, unit: who, atMs, variant: isOwn ? (attributes?.armmt?.variant ?? undefined) : undefined };
        }
      },
      async *actions() {
        if (events === undefined) return;
        for await (const record of readRecords(events, v.unknown())) {
          const parsed = v.safeParse(eventSchema, record);
          const action = parsed.success ? toAction(parsed.output) : undefined;
          if (action?.atMs !== undefined) yield { ...action, atMs: action.atMs };
        }
      },
    }),
    liveExperiments: () => Promise.resolve(undefined),
    close: () => Promise.resolve(),
  };
}

/** Of the first page only. */
function exploredIn({ rules, offset, ...lists }: v.InferOutput<typeof querySchema>["query_attributes"]["armmt"]) {
  if (rules?.without === null || rules?.without === undefined || offset !== 0) return undefined;
  const parsed = v.safeParse(rawExplored, { ...lists, without: rules.without });
  return parsed.success ? parsed.output : undefined;
}

const isOf = ({ experiment }: LogRange, named: string | null | undefined): boolean => experiment === undefined || named === experiment;

const namesExperiment = v.looseObject({ query_attributes: v.looseObject({ armmt: v.looseObject({ experiment: v.string() }) }) });

/** Query records of this edge. One that names an experiment must be valid: skipped, it would be missing in its arm. */
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
