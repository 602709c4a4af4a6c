/** A UBI query record of any shop → what training lists need of it. `events/ubi.ts` has the edge's own. */
import { hash } from "node:crypto";
import * as v from "valibot";
import { ACTION_NAMES } from "../../events/ubi.ts";
import { parseTreatment, type Ranker } from "../../experiment/treatment.ts";
import { ITEM_VALUES } from "../../ranking/item-values.ts";
import { err, ok, type Result } from "../../result.ts";
import type { ListTreatment } from "./columns.ts";

/** UBI lets ids be numbers. */
const id = v.union([v.string(), v.pipe(v.number(), v.transform(String))]);
const ids = v.array(id);
const optionalId = v.nullish(id);
const text = v.nullish(v.string());
const numbersOrNull = v.array(v.nullable(v.number()));

const attributesSchema = v.looseObject({
  format: v.fallback(v.nullish(v.number()), undefined),
  experiment: text,
  /** A table's struct names variations of all experiments. */
  arms: v.fallback(v.nullish(v.record(v.string(), v.nullable(v.pipe(v.number(), v.minValue(0))))), undefined),
  admin: v.optional(v.unknown()),
  variant: text,
  index: text,
  model: text,
  bypass: text,
  /** W: a model is asked to order that many hits, and no more. */
  window: v.nullish(v.number()),
  /** Engine order, the whole window. */
  original_ids: ids,
  /** Parallel to original_ids. */
  original_scores: v.nullish(numbersOrNull),
  /** Parallel to original_ids. */
  original_values: v.nullish(v.partial(v.object(v.entriesFromList(ITEM_VALUES, v.nullish(numbersOrNull))))),
  /** The page as shown. */
  served_ids: ids,
  /** Hits of the list before the page; null where only the engine knows. */
  offset: v.nullish(v.number()),
  /** Parallel to served_ids. */
  teams: v.nullish(v.array(v.nullable(v.string()))),
  propensities: v.nullish(v.array(v.number())),
  /** Of a page without words. */
  page: v.nullish(v.record(v.string(), v.array(v.string()))),
  simulated: v.optional(v.unknown()),
});

export type ListAttributes = Readonly<v.InferOutput<typeof attributesSchema>>;

export const queryRecordSchema = v.object({
  query_id: id,
  client_id: optionalId,
  unit: optionalId,
  application: v.nullish(v.string(), ""),
  user_query: v.nullish(v.string(), ""),
  timestamp: v.string(),
  query_attributes: v.nullish(v.looseObject({ armmt: v.nullish(attributesSchema) })),
  query_response_hit_ids: v.nullish(ids),
});

const searchSchema = v.pipe(
  queryRecordSchema,
  v.transform(({ query_attributes: attributes, query_response_hit_ids: hits, ...record }) => {
    // A shop without this edge records what it showed, which is its engine's order.
    const armmt: ListAttributes | undefined = attributes?.armmt ?? (hits ? { original_ids: hits, served_ids: hits } : undefined);
    return { ...record, unit: record.unit || record.client_id || undefined, armmt };
  }),
);

type Parsed = v.InferOutput<typeof searchSchema>;
/** One page of one search. */
export type PageRecord = Readonly<Omit<Parsed, "armmt">> & { readonly armmt: ListAttributes };

/** The error names the member. */
export function readPage(record: unknown): Result<PageRecord, string> {
  const parsed = v.safeParse(searchSchema, record);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    return err(`${v.getDotPath(issue) ?? "record"}: ${issue.message}`);
  }
  const { armmt, ...page } = parsed.output;
  if (armmt === undefined) return err("neither query_attributes.armmt nor query_response_hit_ids says which hits were shown");
  const { original_ids: own, original_scores: scores, served_ids: served, original_values: values } = armmt;
  const parallel: readonly (readonly [string, readonly unknown[] | null | undefined, readonly string[]])[] = [
    ["original_scores", scores, own],
    ...ITEM_VALUES.map((name) => [`original_values.${name}`, values?.[name], own] as const),
    ["teams", armmt.teams, served],
    ["propensities", armmt.propensities, served],
  ];
  for (const [name, list, of] of parallel) {
    if (list && list.length !== of.length) return err(`${list.length} ${name} for ${of.length} ids: they must be parallel`);
  }
  return ok({ ...page, armmt });
}

/** Actions after which an item is one that the shopper looked at; "view" and "watch" follow no search. */
const LOOKED_AT: ReadonlySet<string> = new Set(["view", "watch", "click", "add_to_cart", "purchase"]);

const lookSchema = v.object({
  action_name: v.string(),
  timestamp: text,
  unit: optionalId,
  client_id: optionalId,
  event_attributes: v.object({ object: v.object({ object_id: id, object_id_type: text }) }),
});

export interface Look {
  readonly unit: string;
  readonly itemId: string;
  /** Since 1970. */
  readonly atMs: number;
}

const idSchema = v.object({ query_id: id });

const named = v.looseObject({ action_name: v.string() });

/** The event with its action's name in UBI's own words: others' samples and demo shops have more of them. */
export function withOwnName(record: unknown): unknown {
  if (!v.is(named, record)) return record;
  const own = Object.hasOwn(ACTION_NAMES, record.action_name) ? ACTION_NAMES[record.action_name] : undefined;
  return own === undefined ? record : { ...record, action_name: own };
}

export const actionOf = (record: unknown): string | undefined => (v.is(named, record) ? record.action_name : undefined);

/** Empty for an event that names no search. */
export function queryIdOf(record: unknown): string {
  const parsed = v.safeParse(idSchema, record);
  return parsed.success ? parsed.output.query_id : "";
}

/** `undefined` for an event of nobody known, without a time, or about something else than an item. */
export function readLook(record: unknown): Look | undefined {
  const parsed = v.safeParse(lookSchema, record);
  if (!parsed.success || !LOOKED_AT.has(parsed.output.action_name)) return undefined;
  const { unit, client_id: client, timestamp, event_attributes: attributes } = parsed.output;
  const { object_id: itemId, object_id_type: type } = attributes.object;
  const [who, atMs] = [unit || client, Date.parse(timestamp ?? "")];
  return !who || Number.isNaN(atMs) || type === "order" ? undefined : { unit: who, itemId, atMs };
}

/** A log of others may hold ids as they are; lists never do. */
export const hashUnit = (unit: string): string => hash("sha256", `armmt unit ${unit}`).slice(0, 16);

const shownBy = ({ kind }: Ranker): ListTreatment => (kind === "engine" ? "engine" : "serve");

/** How the shown order came about. Without a unit, nothing is interleaved or explored. */
export function treatmentOf({
  variant,
  bypass,
  teams,
  propensities,
  original_ids: own,
  served_ids: served,
}: ListAttributes): ListTreatment {
  if (bypass) return "engine";
  const treatment = parseTreatment(variant ?? "");
  if (!treatment.ok) return served.every((itemId, i) => itemId === own[i]) ? "engine" : "serve";
  const { value } = treatment;
  if (value.kind === "interleave") return teams ? "interleave" : shownBy(value.a);
  if (value.kind === "explore") return propensities ? "explore" : shownBy(value.ranker);
  return value.kind === "shadow" ? "shadow" : shownBy(value.ranker);
}
