import { describe, expect, it } from "vitest";
import { ownFailure } from "../../../src/runtimes/browser/problem.ts";

describe("ownFailure()", () => {
  it("keeps what was re-ranked here, and what no edge would re-rank either", () => {
    for (const header of [
      "applied; model=m; window=100; list=abc",
      "bypass; reason=off",
      "bypass; reason=explicit_sort",
      "bypass; reason=engine_status",
      "applied; model=m; window=100; list=abc, bypass; reason=size_zero",
    ]) {
      expect(ownFailure(header), header).toBeUndefined();
    }
  });

  it("leaves to the network what failed on the device, whichever search of the request it was", () => {
    const reasons = [
      "model_unavailable",
      "model_trapped",
      "store_timeout",
      "shard_corrupt",
      "scores_not_finite",
      "nothing_published",
      "over_budget",
    ];
    for (const reason of reasons) {
      expect(ownFailure(`bypass; reason=${reason}`)).toBe(reason);
      expect(ownFailure(`applied; model=m; window=100; list=abc, bypass; reason=${reason}`)).toBe(reason);
    }
  });

  it("leaves to the network what the app refused to search", () => {
    expect(ownFailure(null)).toBe("refused");
  });
});
