import { describe, expect, it } from "vitest";
import { passesOver, RECIPE } from "../../../src/cli/train/recipe.ts";

describe("passes over the lists", () => {
  it("are as many as the recipe says, and fewer where the lists are many", () => {
    expect([4000, 60_000, 100_000].map((lists) => passesOver(lists, RECIPE.netEpochs, RECIPE))).toEqual([4, 4, 2.5]);
  });
});
