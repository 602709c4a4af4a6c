/** Sponsored places in a report: by hand, and as files and tables of the edge hold them. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openDatabaseFile } from "../../src/cli/report/database.ts";
import { createD1Sink } from "../../src/events/d1.ts";
import { createQueryRecord } from "../../src/events/ubi.ts";
import type { Log, SearchRow } from "../../src/report/log.ts";
import { formatSections } from "../../src/report/blocks.ts";
import { sectionsOf } from "../../src/report/sections.ts";
import { openSqlLog } from "../../src/report/sql-log.ts";
import { openUbiLog } from "../../src/report/ubi-log.ts";
import { openSqliteEvents } from "../../src/runtimes/node/sqlite.ts";
import { action, logOf, report, search } from "./rows.ts";

const folder = mkdtempSync(join(tmpdir(), "armmt-slots-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("sponsored places", () => {
  it("are counted apart, by arm", async () => {
    const data = await report(
      logOf(
        [
          search("c1", "control", { unit: "u1", slotIds: ["ad", "ad2"] }),
          // Its second page, and the same item on it.
          search("c1", "control", { unit: "u1", slotIds: ["ad"] }),
          search("c2", "control", { unit: "u2" }),
          search("a1", "armmt", { unit: "u3", slotIds: ["ad"] }),
        ],
        [
          action("c1", "click", { itemId: "ad" }),
          action("c1", "click", { itemId: "other" }),
          action("c2", "click", { itemId: "ad" }),
          action("c1", "purchase", { itemId: "ad", price: 10, quantity: 2, currency: "EUR" }),
          action("c1", "purchase", { itemId: "other", price: 5, quantity: 1, currency: "EUR" }),
          action("a1", "add_to_cart", { itemId: "ad" }),
        ],
      ),
    );
    expect(data.slots).toEqual([
      { variant: "control", searches: 1, shown: 2, clicks: 1, carts: 0, purchases: 1, revenue: 20, allClicks: 3 },
      { variant: "armmt", searches: 1, shown: 1, clicks: 0, carts: 1, purchases: 0, revenue: 0, allClicks: 0 },
    ]);
    const text = formatSections(sectionsOf(data));
    expect(text).toContain("Sponsored places");
    expect(text).toMatch(/Revenue \(EUR\)[\s\S]*control +1 +2 +1 +0 +1 +20.00 +33\S*\s?%/);
  });

  it("have no section where there are none", async () => {
    const data = await report(logOf([search("c1", "control"), search("a1", "armmt")]));
    expect(data.slots).toEqual([]);
    expect(formatSections(sectionsOf(data))).not.toContain("Sponsored");
  });

  it("come out of tables and files", async () => {
    const record = createQueryRecord({
      application: "shop",
      queryId: "q1",
      userQuery: "mug",
      timeMs: Date.UTC(2026, 10, 2),
      armmt: {
        experiment: "rerank",
        variant: "control",
        window: 3,
        original_ids: ["x", "y"],
        served_ids: ["y", "x"],
        rules: { version: "v", applied: ["ads"], slot_ids: ["y"] },
      },
    });
    const sqlite = join(folder, "events.sqlite");
    const database = await openSqliteEvents(sqlite);
    await createD1Sink(database).writeExposures([record], false);
    await database.close();
    const lines = join(folder, "queries.ndjson");
    writeFileSync(lines, JSON.stringify(record));
    const range = { experiment: "rerank", since: undefined, until: undefined };
    const rowsOf = async (log: Log): Promise<SearchRow[]> => {
      const rows: SearchRow[] = [];
      for await (const row of log.searches(range)) rows.push(row);
      await log.close();
      return rows;
    };
    expect((await rowsOf(await openSqlLog(await openDatabaseFile(sqlite)))).map(({ slotIds }) => slotIds)).toEqual([["y"]]);
    expect((await rowsOf(openUbiLog({ queries: lines, events: undefined }))).map(({ slotIds }) => slotIds)).toEqual([["y"]]);
  });
});
