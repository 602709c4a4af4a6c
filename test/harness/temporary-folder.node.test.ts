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
  for (const name of ["armmt-tests-1", "armmt-tests-2", "armmt-model-3"]) mkdirSync(join(shared, name, "in"), { recursive: true });
  const twoDaysAgo = Date.now() / 1000 - 172_800;
  for (const name of ["armmt-tests-1", "armmt-model-3"]) utimesSync(join(shared, name), twoDaysAgo, twoDaysAgo);
  removeLeft(shared);
  expect(readdirSync(shared).toSorted()).toEqual(["armmt-model-3", "armmt-tests-2"]);
  rmSync(shared, { recursive: true });
});
