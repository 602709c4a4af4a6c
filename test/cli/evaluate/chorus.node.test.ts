/** The engines' own figures on real judgments, as the data's prototype has them (pytrec_eval and numpy). Skipped where the data are absent. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { columnsOf, figuresOf, type RankedQuery } from "../../../src/cli/evaluate/compare.ts";
import { judgedByBm25 } from "../../../src/cli/evaluate/judged.ts";
import { readJudgments } from "../../../src/cli/evaluate/judgments.ts";
import { type NamedLists, readLists } from "../../../src/cli/evaluate/lists.ts";
import { relevantOf } from "../../../src/cli/evaluate/report.ts";
import { readCatalog } from "../../../src/cli/catalog/file.ts";
import { PACKAGE_ROOT } from "../../../src/runtimes/node/package-root.ts";

const CHORUS = join(PACKAGE_ROOT, "../shared/data/chorus");
const isAbsent = !existsSync(join(CHORUS, "engine-lists"));
const reason = isAbsent ? ` (skipped: ${CHORUS} is not on this machine)` : "";

describe.skipIf(isAbsent)(`armmt evaluate on the Chorus data${reason}`, () => {
  const catalog = isAbsent ? undefined : readCatalog({ catalog: CHORUS });
  const known = new Set(catalog?.items.map(({ product }) => product.id));
  const judgments = isAbsent
    ? { queries: new Map<string, ReadonlyMap<string, number>>(), unknown: 0 }
    : readJudgments(join(CHORUS, "judgments.csv"), { isKnown: (id) => known.has(id), skipUnknown: false });

  function engineFigures({ lists }: NamedLists) {
    const queries = Array.from(relevantOf(judgments), ([query, ratings]): RankedQuery => {
      const ids = lists.get(query)!.map(({ id }) => id);
      return { query, ratings, ids, orders: new Map([["engine", [...ids.keys()]]]) };
    });
    expect(queries).toHaveLength(65);
    return figuresOf(queries, columnsOf(queries, ["engine"]))[0]!;
  }

  it("BM25 over the judged products: .8531, without naming a field", () => {
    expect(engineFigures(judgedByBm25(catalog!, judgments))["nDCG@10"]).toBeCloseTo(0.8531, 4);
  });

  it.each([
    ["meilisearch", 0.632, 0.778],
    ["opensearch-and", 0.654, 0.683],
    ["opensearch-or", 0.621, 0.744],
    ["opensearch-title", 0.61, 0.716],
  ])("%s: %f with unjudged products as irrelevant, %f without them", (name, strict, judged) => {
    const figures = engineFigures(readLists([join(CHORUS, "engine-lists", `${name}.jsonl.gz`)])[0]!);
    expect(Math.abs(figures["nDCG@10"] - strict)).toBeLessThan(0.00051);
    expect(Math.abs(figures["nDCG@10 judged"] - judged)).toBeLessThan(0.00051);
  });
});
