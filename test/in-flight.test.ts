import { describe, expect, it } from "vitest";
import { createInFlight } from "../src/in-flight.ts";

describe("createInFlight()", () => {
  it("admits work up to its bound, and more when some has ended", () => {
    const work = createInFlight({ max: 3, maxAgeMs: 1000, now: () => 0 });
    const first = work.enter(2);
    expect([work.enter(2), work.total]).toEqual([undefined, 2]);
    const second = work.enter(1);
    expect(work.enter(1)).toBeUndefined();
    first?.();
    first?.();
    expect(work.total).toBe(1);
    expect(work.enter(2)).toBeDefined();
    second?.();
    expect(work.total).toBe(2);
  });

  it("forgets work that is never heard of again, also when the clock jumps", () => {
    for (const jump of [1000, -3_600_000]) {
      let clock = 10_000_000;
      const work = createInFlight({ max: 2, maxAgeMs: 1000, now: () => clock });
      const ended = work.enter(2);
      clock += 999;
      expect(work.enter(1)).toBeUndefined();
      clock += jump;
      expect(work.enter(1)).toBeDefined();
      ended?.();
      expect(work.total).toBe(1);
    }
  });
});
