/** The content of queue messages and dead letters, read back with a schema: another version of this code may have written it. */
import * as v from "valibot";
import { type BypassReason, err, ok, type Result } from "../result.ts";
import { ACTIONS, type ServedEvent, type UbiQueryRecord } from "./ubi.ts";

export type Envelope =
  | { readonly kind: "exposure"; readonly exposure: UbiQueryRecord }
  | { readonly kind: "events"; readonly events: readonly ServedEvent[] };

const text = v.string();
const ids = v.array(text);
const optionalText = v.exactOptional(text);
const optionalNumber = v.exactOptional(v.number());

const exposureSchema = v.object({
  application: text,
  query_id: text,
  client_id: optionalText,
  unit: optionalText,
  user_query: text,
  query_attributes: v.object({
    armmt: v.looseObject({
      experiment: optionalText,
      variant: text,
      model: optionalText,
      window: v.number(),
      original_ids: ids,
      served_ids: ids,
      offset: v.exactOptional(v.nullable(v.number())),
      // Any text: a later version may have more codes.
      bypass: v.exactOptional(v.custom<BypassReason>((value) => typeof value === "string")),
    }),
  }),
  timestamp: text,
  query_response_hit_ids: ids,
});

const eventSchema = v.object({
  event_id: text,
  application: text,
  action_name: v.picklist(ACTIONS),
  query_id: text,
  client_id: optionalText,
  unit: optionalText,
  timestamp: text,
  quantity: optionalNumber,
  price: optionalNumber,
  currency: optionalText,
  order_id: optionalText,
  line: optionalText,
  price_suspect: v.exactOptional(v.literal(true)),
  team: v.exactOptional(v.picklist(["a", "b"])),
  event_attributes: v.object({
    object: v.object({ object_id: text, object_id_type: v.picklist(["product", "order"]) }),
    position: v.object({ ordinal: optionalNumber, page_ordinal: optionalNumber }),
    armmt: v.object({
      experiment: optionalText,
      variant: optionalText,
      event_name: optionalText,
      is_signed: v.exactOptional(v.literal(true)),
      is_sponsored: v.exactOptional(v.literal(true)),
    }),
  }),
});

const envelopeSchema = v.variant("kind", [
  v.object({ kind: v.literal("exposure"), exposure: exposureSchema }),
  v.object({ kind: v.literal("events"), events: v.array(eventSchema) }),
]);

export function parseEnvelope(value: unknown): Result<Envelope, string> {
  return readAs(envelopeSchema, value, "The record");
}

/** The error is the path, or `whole`, and message of the first issue. */
export function readAs<T extends v.GenericSchema>(schema: T, value: unknown, whole: string): Result<v.InferOutput<T>, string> {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return ok(parsed.output);
  const [issue] = parsed.issues;
  return err(`${v.getDotPath(issue) ?? whole}: ${issue.message}`);
}

export function countOf(envelope: Envelope): number {
  return envelope.kind === "events" ? envelope.events.length : 1;
}
