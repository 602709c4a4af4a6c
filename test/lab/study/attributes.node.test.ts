/** Attribute queries over the fashion photographs, where they are. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { readJudgments } from "../../../src/cli/evaluate/judgments.ts";
import { readLists } from "../../../src/cli/evaluate/lists.ts";
import { writeAttributeQueries } from "../../../src/lab/study/attributes.ts";

const DATA = resolve(import.meta.dirname, "../../../../shared/data/fashion");
const isThere = existsSync(join(DATA, "products.csv"));
if (!isThere) console.warn(`Attribute queries were not written: there are no photographs at ${DATA}`);

const out = mkdtempSync(join(tmpdir(), "armmt-attributes-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

it.skipIf(!isThere)("writes queries, ratings and lists that `evaluate` reads, the same ones each time", () => {
  const write = (name: string, titles: "stripped" | "whole") =>
    writeAttributeQueries({ data: DATA, out: join(out, name), titles, seed: "1" });
  const { queries } = write("a", "stripped");
  write("b", "stripped");
  expect(queries).toBeGreaterThan(200);
  for (const file of ["products.jsonl", "judgments.csv", "bm25.jsonl"]) {
    expect(readFileSync(join(out, "a", file)).equals(readFileSync(join(out, "b", file))), file).toBe(true);
  }
  const { queries: rated } = readJudgments(join(out, "a", "judgments.csv"), { isKnown: () => true, skipUnknown: false });
  const lists = readLists([join(out, "a", "bm25.jsonl")])[0]!.lists;
  expect([...lists.keys()].filter((query) => !rated.has(query))).toEqual([]);
  // What is right is not on top already, or a picture could add nothing.
  const best = [...lists].filter(([query, hits]) => rated.get(query)?.get(hits[0]!.id) === 3).length;
  expect(best / lists.size).toBeLessThan(0.7);
});
