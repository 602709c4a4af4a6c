import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { removeLeft } from "./temporary-folder.ts";

it("is of this run alone, in tests too", () => {
  expect(tmpdir().match(/armmt-tests-\d+/g)).toHaveLength(1);
});

it("is removed by a later run where a run was killed, and none other is", () => {
  const shared = mkdtempSync(join(tmpdir(), "armmt-shared-"));
  // Above the largest id of a process.
  const old = ["armmt-tests-99999991", `armmt-tests-${process.pid}`, "armmt-model-99999992"];
  for (const name of [...old, "armmt-tests-99999993"]) mkdirSync(join(shared, name, "in"), { recursive: true });
  const twoHoursAgo = Date.now() / 1000 - 7200;
  for (const name of old) utimesSync(join(shared, name), twoHoursAgo, twoHoursAgo);
  removeLeft(shared);
  expect(readdirSync(shared).toSorted()).toEqual(["armmt-model-99999992", "armmt-tests-99999993", `armmt-tests-${process.pid}`].toSorted());
  rmSync(shared, { recursive: true });
});
