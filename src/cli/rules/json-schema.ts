/** The JSON schema of rules documents, from the schema that checks them: for editors, and for programs that write rules. */
import type * as v from "valibot";
import { rulesDocument } from "../../rules/document.ts";

type Json = Readonly<Record<string, unknown>>;

export function rulesSchema(): Json {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Rules of a catalogue (armmt-edge)",
    ...schemaOf(rulesDocument),
  };
}

interface Node {
  readonly type: string;
  readonly [name: string]: unknown;
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && typeof value.type === "string";
}

function nodes(value: unknown): readonly Node[] {
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** Throws for a kind of schema that rules do not use so far. */
function schemaOf(schema: v.GenericSchema | Node): Json {
  if (!isNode(schema)) throw new Error("Not a schema");
  const base = plainSchema(schema);
  const [, ...steps] = nodes(schema["pipe"]);
  return steps.reduce<Json>((made, step) => ({ ...made, ...constraintOf(step, made["type"] === "array") }), base);
}

function inner(schema: Node, name: string): Json {
  const one = schema[name];
  if (!isNode(one)) throw new Error(`No schema in ${name} of ${schema.type}`);
  return schemaOf(one);
}

function plainSchema(schema: Node): Json {
  switch (schema.type) {
    case "string":
    case "number":
    case "boolean":
      return { type: schema.type };
    case "literal":
      return { const: schema["literal"] };
    case "picklist":
      return { enum: schema["options"] };
    case "array":
      return { type: "array", items: inner(schema, "item") };
    case "record":
      return { type: "object", additionalProperties: inner(schema, "value") };
    case "optional":
      return inner(schema, "wrapped");
    case "union":
    case "variant":
      return { anyOf: nodes(schema["options"]).map(schemaOf) };
    case "strict_object": {
      const entries = Object.entries(Object(schema["entries"])).flatMap(([name, entry]) => (isNode(entry) ? [[name, entry] as const] : []));
      const required = entries.filter(([, entry]) => entry.type !== "optional").map(([name]) => name);
      return {
        type: "object",
        properties: Object.fromEntries(entries.map(([name, entry]) => [name, schemaOf(entry)])),
        required,
        additionalProperties: false,
      };
    }
    default:
      throw new Error(`No JSON schema for ${schema.type}`);
  }
}

function constraintOf({ type, requirement }: Node, isList: boolean): Json {
  switch (type) {
    case "min_length":
      return { [isList ? "minItems" : "minLength"]: requirement };
    case "max_length":
      return { [isList ? "maxItems" : "maxLength"]: requirement };
    case "non_empty":
      return { minLength: 1 };
    case "regex":
      return { pattern: requirement instanceof RegExp ? requirement.source : requirement };
    case "integer":
    case "safe_integer":
      return { type: "integer" };
    case "min_value":
      return { minimum: requirement };
    case "max_value":
      return { maximum: requirement };
    default:
      // Checks and transformations: code, which no schema has.
      return {};
  }
}
