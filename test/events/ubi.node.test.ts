/** What we write, against UBI's own JSON schemas. */
import { existsSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createEventRecord, createQueryRecord, type ServedEvent } from "../../src/events/ubi.ts";

const FOLDER = new URL("../../../shared/data/fixtures/ubi/schema/", import.meta.url);
const isPresent = existsSync(FOLDER);
if (!isPresent) console.warn("The UBI schemas are not beside this checkout (../shared/data): the check against them is skipped");

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

/** The part of JSON Schema that UBI uses. `oneOf` is read as `anyOf`: UBI's own action names match two branches of theirs. */
function violations(value: unknown, schema: Json, path = "record"): string[] {
  const found: string[] = [];
  const type = schema["type"];
  const is = Array.isArray(value) ? "array" : Number.isInteger(value) ? "integer" : typeof value;
  if (type !== undefined && type !== is && !(type === "number" && is === "integer"))
    return [`${path}: is ${is}, not ${JSON.stringify(type)}`];
  const { maxLength, format, enum: allowed, required, properties, items } = schema;
  if (typeof value === "string") {
    if (typeof maxLength === "number" && value.length > maxLength) found.push(`${path}: longer than ${maxLength}`);
    if (format === "date-time" && !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value))
      found.push(`${path}: no date-time`);
  }
  if (Array.isArray(allowed) && !allowed.includes(value)) found.push(`${path}: not one of ${allowed.join(", ")}`);
  if (isObject(value)) {
    const names = Array.isArray(required) ? required.map(String) : [];
    for (const name of names) if (!(name in value)) found.push(`${path}: lacks ${name}`);
    for (const [name, inner] of Object.entries(isObject(properties) ? properties : {})) {
      if (name in value && isObject(inner)) found.push(...violations(value[name], inner, `${path}.${name}`));
    }
  }
  if (Array.isArray(value) && isObject(items)) value.forEach((item, i) => found.push(...violations(item, items, `${path}[${i}]`)));
  const branches = schema["oneOf"] ?? schema["anyOf"];
  if (Array.isArray(branches) && !branches.some((branch) => isObject(branch) && violations(value, branch, path).length === 0)) {
    found.push(`${path}: fits no branch`);
  }
  return found;
}

function schemaOf(name: string): Json {
  const schema: unknown = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
  if (!isObject(schema)) throw new Error(`${name} is no JSON object`);
  return schema;
}

const armmt = { experiment: "rerank", variant: "armmt", model: "student-1", window: 100, original_ids: ["a", "b"], served_ids: ["b", "a"] };
const query = { application: "products", queryId: "q-1", userQuery: "red shoe", timeMs: Date.UTC(2026, 10, 20), armmt };
const event = {
  application: "products",
  action: "click" as const,
  queryId: "q-1",
  itemId: "a",
  position: 2,
  timeMs: Date.UTC(2026, 10, 20),
};

describe.skipIf(!isPresent)("UBI 1.3 schemas", () => {
  it("accept the query record, with and without client and bypass", () => {
    const schema = schemaOf("query.request.schema.json");
    const records = [
      createQueryRecord(query),
      createQueryRecord({
        ...query,
        clientId: "browser-7",
        armmt: { ...armmt, bypass: "engine_timeout", original_ids: [], served_ids: [] },
      }),
    ];
    for (const record of records) expect(violations(record, schema)).toEqual([]);
  });

  it("accept every event record", () => {
    const schema = schemaOf("event.schema.json");
    for (const action of ["impression", "click", "add_to_cart", "purchase"] as const) {
      expect(violations(createEventRecord({ ...event, action, clientId: "browser-7" }), schema)).toEqual([]);
    }
  });

  it("accept an event as it comes from a token", () => {
    const served: ServedEvent = {
      ...createEventRecord({ ...event, clientId: "browser-7" }),
      event_id: "0123456789abcdef0123456789abcdef",
      unit: "0123456789abcdef0123456789abcdef",
      quantity: 2,
      price: 12.5,
      currency: "EUR",
      team: "a",
      event_attributes: {
        ...createEventRecord(event).event_attributes,
        armmt: { experiment: "rerank", variant: "armmt", event_name: "Bought" },
      },
    };
    expect(violations(served, schemaOf("event.schema.json"))).toEqual([]);
  });

  it("would refuse a wrong record (so that the two tests above can fail)", () => {
    const { user_query: _, ...withoutQuery } = createQueryRecord(query);
    const schema = schemaOf("query.request.schema.json");
    expect(violations(withoutQuery, schema)).toEqual(["record: lacks user_query"]);
    expect(violations({ ...createQueryRecord(query), timestamp: "yesterday" }, schema)).toEqual(["record.timestamp: no date-time"]);
    expect(violations({ ...createQueryRecord(query), query_response_hit_ids: [7] }, schema)).toHaveLength(1);
    const click = createEventRecord(event);
    const attributes = { ...click.event_attributes, position: {} };
    expect(violations({ ...click, event_attributes: attributes }, schemaOf("event.schema.json"))).toEqual([
      "record.event_attributes.position: fits no branch",
    ]);
  });
});

describe("createQueryRecord()", () => {
  it("joins what was shown with how it came about", () => {
    expect(createQueryRecord(query)).toEqual({
      application: "products",
      query_id: "q-1",
      user_query: "red shoe",
      query_attributes: { armmt },
      timestamp: "2026-11-20T00:00:00.000Z",
      query_response_hit_ids: ["b", "a"],
    });
  });

  it("leaves out a client id that is empty or longer than UBI allows, rather than merging two shoppers", () => {
    for (const clientId of [undefined, "", "x".repeat(101)])
      expect(createQueryRecord({ ...query, clientId })).not.toHaveProperty("client_id");
    expect(createQueryRecord({ ...query, clientId: "x".repeat(100) }).client_id).toHaveLength(100);
  });
});

describe("createEventRecord()", () => {
  it("counts positions from 1, as shown", () => {
    expect(createEventRecord(event).event_attributes).toEqual({
      object: { object_id: "a", object_id_type: "product" },
      position: { ordinal: 2 },
    });
  });
});
