/** The columns of lists.parquet: one table for those who write and those who read. */
import type { SchemaElement } from "hyparquet";
import * as v from "valibot";
import { SPLITS } from "./split.ts";

/** How the shown order came about, by the variant's name; "engine": the engine's own order. */
export const LIST_TREATMENTS = ["serve", "interleave", "explore", "shadow", "engine"] as const;
export type ListTreatment = (typeof LIST_TREATMENTS)[number];

/** One check per value: a list has about a thousand features. */
const numbers = v.custom<number[]>((list) => Array.isArray(list) && list.every((value) => typeof value === "number"), "expected numbers");

/** One row, as it is read and written; arrays are parallel to the candidates, in engine order, unless a comment says otherwise. */
export const listRowSchema = v.object({
  query_id: v.string(),
  query: v.string(),
  split: v.picklist(SPLITS),
  randomised: v.boolean(),
  /** At most 64, of the query. */
  token_ids: numbers,
  /** Row in image.npy and text.npy, -1 for an item without a record. */
  item_rows: numbers,
  /** [k · F], scaled. */
  features: numbers,
  /**
   * The order of engine and meaning as served, to which a model's delta is added; the engine's part alone without a query table. Older files lack it.
   */
  prior: v.nullish(numbers, null),
  /** 1-based position in the whole list, 0 = not shown. A label's companion in training, never an input of the model. */
  positions: numbers,
  clicks: numbers,
  carts: numbers,
  purchases: numbers,
  /** Most recent first. */
  history_rows: numbers,
  /** Hash of the shopper's pseudonym, empty without consent. */
  unit: v.string(),
  /** Milliseconds since 1970. */
  at: v.pipe(v.union([v.number(), v.bigint()]), v.transform(Number)),
  index: v.string(),
  experiment: v.string(),
  variant: v.string(),
  model: v.string(),
  treatment: v.picklist(LIST_TREATMENTS),
  /** The probability with which a candidate stood where it was shown, 1 where that was fixed; null without exploration. */
  propensities: v.nullish(numbers, null),
  /** 0 none, 1 a, 2 b. */
  teams: numbers,
  /** In the report's money. */
  revenue: numbers,
  /** Orders that followed the search. */
  orders: v.number(),
});

/** One row of lists.parquet. */
export type ListRow = v.InferOutput<typeof listRowSchema>;
export type ListColumn = keyof ListRow;

type ColumnType = keyof typeof ELEMENTS;

const listOf =
  (type: "INT32" | "FLOAT", repetition: "REQUIRED" | "OPTIONAL" = "REQUIRED") =>
  (name: string): SchemaElement[] => [
    { name, converted_type: "LIST", repetition_type: repetition, num_children: 1 },
    { name: "list", repetition_type: "REPEATED", num_children: 1 },
    { name: "element", type, repetition_type: "REQUIRED" },
  ];

const ELEMENTS = {
  text: (name) => [{ name, type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" }],
  flag: (name) => [{ name, type: "BOOLEAN", repetition_type: "REQUIRED" }],
  integer: (name) => [{ name, type: "INT32", repetition_type: "REQUIRED" }],
  long: (name) => [{ name, type: "INT64", repetition_type: "REQUIRED" }],
  integers: listOf("INT32"),
  floats: listOf("FLOAT"),
  floatsOrNull: listOf("FLOAT", "OPTIONAL"),
} satisfies Record<string, (name: string) => SchemaElement[]>;

/** In the order of the file. */
const COLUMN_TYPES: readonly (readonly [ListColumn, ColumnType])[] = [
  ["query_id", "text"],
  ["query", "text"],
  ["split", "text"],
  ["randomised", "flag"],
  ["token_ids", "integers"],
  ["item_rows", "integers"],
  ["positions", "integers"],
  ["clicks", "integers"],
  ["carts", "integers"],
  ["purchases", "integers"],
  ["history_rows", "integers"],
  ["features", "floats"],
  ["prior", "floatsOrNull"],
  ["unit", "text"],
  ["at", "long"],
  ["index", "text"],
  ["experiment", "text"],
  ["variant", "text"],
  ["model", "text"],
  ["treatment", "text"],
  ["propensities", "floatsOrNull"],
  ["teams", "integers"],
  ["revenue", "floats"],
  ["orders", "integer"],
];

export const LIST_COLUMNS: readonly ListColumn[] = COLUMN_TYPES.map(([name]) => name);

/** Those that a file may lack. */
export const OPTIONAL_COLUMNS: ReadonlySet<ListColumn> = new Set(["prior"]);

/** `more` names integer columns, parallel to the candidates. */
export const parquetSchema = (more: readonly string[] = []): SchemaElement[] => [
  { name: "root", num_children: COLUMN_TYPES.length + more.length },
  ...COLUMN_TYPES.flatMap(([name, type]) => ELEMENTS[type](name)),
  ...more.flatMap((name) => ELEMENTS.integers(name)),
];
