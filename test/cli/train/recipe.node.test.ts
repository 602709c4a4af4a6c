import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { passesOver, RECIPE } from "../../../src/cli/train/recipe.ts";

describe("passes over the lists", () => {
  it("are as many as the recipe says, and fewer where the lists are many", () => {
    expect([4000, 60_000, 100_000].map((lists) => passesOver(lists, RECIPE.netEpochs, RECIPE))).toEqual([4, 4, 2.5]);
  });

  it("are those of the study, whose models are compared with a shop's", () => {
    const source = readFileSync(join(import.meta.dirname, "../../../model/armmt/training/fit.py"), "utf8");
    const constant = (name: string): number => Number(new RegExp(`^${name} = ([\\d._]+)$`, "m").exec(source)?.[1]?.replaceAll("_", ""));
    const { netEpochs, studentEpochs, mostReadings } = RECIPE;
    expect([netEpochs, studentEpochs, mostReadings]).toEqual([constant("MOST_PASSES"), constant("MOST_PASSES"), constant("MOST_READINGS")]);
  });
});
