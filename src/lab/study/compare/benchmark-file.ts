/** `model/benchmark.json`: every number of the study. Written by the benchmark alone, read by the model card and its plots. */
import { existsSync, writeFileSync } from "node:fs";
import * as v from "valibot";
import { readJson } from "../../../cli/train/stages.ts";

/** Kinds of data, never mixed up. A control is named after its level and the part of the simulated shoppers that is switched off. */
export const LEVELS = [
  "fashion",
  "fashion without picture",
  "fashion without context",
  "fashion without personal",
  "drawn",
  "drawn without picture",
  "drawn without context",
  "drawn without personal",
  "drawn world 2",
  "drawn world 2 dose 0",
  "drawn world 2 dose 0.05",
  "drawn world 2 dose 0.35",
  "fashion world 2",
  "fashion world 2 dose 0",
  "fashion world 2 dose 0.05",
  "fashion world 2 dose 0.35",
  "open bandit",
  "chorus",
] as const;
export type Level = (typeof LEVELS)[number];

export const PARTS = [
  "fashion table",
  "fashion ablations",
  "fashion controls",
  "drawn table",
  "drawn controls",
  "drawn world 2 table",
  "drawn world 2 ablations",
  "drawn world 2 doses",
  "drawn world 2 outsider",
  "fashion world 2 table",
  "fashion world 2 ablations",
  "fashion world 2 doses",
  "position bias",
  "open bandit",
  "chorus",
  "cost",
] as const;
export type PartName = (typeof PARTS)[number];
/** The parts that compare all models. */
export const TABLES: readonly PartName[] = ["fashion table", "drawn table", "drawn world 2 table", "fashion world 2 table"];

const figure = v.pipe(v.number(), v.finite());

/** A figure of a model on a level, or, with `against`, the paired difference model - against. */
export const rowSchema = v.object({
  part: v.picklist(PARTS),
  level: v.picklist(LEVELS),
  model: v.string(),
  metric: v.string(),
  mean: figure,
  /** 95 % interval over seeds and queries. Null where there is nothing to vary. */
  low: v.nullable(figure),
  high: v.nullable(figure),
  /** Of a difference, alone. Rows of earlier editions lack it: their intervals are over queries, those of means over seeds. */
  p: v.optional(v.nullable(figure)),
  seeds: v.pipe(v.number(), v.integer(), v.minValue(1)),
  /** "test", or a slice of it such as "test, K 21-30". */
  split: v.string(),
  against: v.optional(v.string()),
});
export type Row = v.InferOutput<typeof rowSchema>;

const partSchema = v.object({
  name: v.picklist(PARTS),
  /** Hash of the settings under which the part was finished. */
  key: v.string(),
  /** Hash of the code at that time. */
  sources: v.string(),
  seconds: figure,
  /** The day, ISO 8601. */
  finished: v.pipe(v.string(), v.isoDate()),
});

const benchmarkSchema = v.object({ format: v.literal(1), parts: v.array(partSchema), rows: v.array(rowSchema) });
export type Benchmark = v.InferOutput<typeof benchmarkSchema>;

const rounded = (value: number): number => Number(value.toPrecision(5));

/** Names in an order that does not depend on the machine's language. */
const compare = (a: string, b: string): number => Number(a > b) - Number(a < b);

function compareRows(a: Row, b: Row): number {
  return (
    PARTS.indexOf(a.part) - PARTS.indexOf(b.part) ||
    LEVELS.indexOf(a.level) - LEVELS.indexOf(b.level) ||
    compare(a.split, b.split) ||
    compare(a.metric, b.metric) ||
    compare(a.model, b.model) ||
    compare(a.against ?? "", b.against ?? "")
  );
}

/** Throws a UserError that names the file and the field. A file that does not exist is an empty benchmark. */
export function readBenchmark(path: string): Benchmark {
  return existsSync(path) ? readJson(path, benchmarkSchema) : { format: 1, parts: [], rows: [] };
}

/** One value a line: a part that was run again shows as such in a diff. */
function printArray(values: readonly unknown[]): string {
  return values.length === 0 ? "[]" : `[\n${values.map((value) => `    ${JSON.stringify(value)}`).join(",\n")}\n  ]`;
}

export function writeBenchmark(path: string, { parts, rows }: Benchmark): void {
  writeFileSync(path, `{\n  "format": 1,\n  "parts": ${printArray(parts)},\n  "rows": ${printArray(rows)}\n}\n`);
}

/** The benchmark with this part's rows in place of any it had before; rounded to 5 significant digits and sorted. */
export function mergePart(benchmark: Benchmark, part: v.InferOutput<typeof partSchema>, rows: readonly Row[]): Benchmark {
  const others = benchmark.rows.filter((row) => row.part !== part.name);
  const mine = rows.map((row): Row => {
    if (row.part !== part.name) throw new Error(`A row of part "${row.part}" cannot be merged as "${part.name}"`);
    const { low, high } = row;
    return { ...row, mean: rounded(row.mean), low: low && rounded(low), high: high && rounded(high) };
  });
  const parts = [...benchmark.parts.filter(({ name }) => name !== part.name), { ...part, seconds: Math.round(part.seconds) }];
  return {
    format: 1,
    parts: parts.toSorted((a, b) => PARTS.indexOf(a.name) - PARTS.indexOf(b.name)),
    rows: [...others, ...mine].toSorted(compareRows),
  };
}
