import { describe, expect, it } from "vitest";
import { createBreaker } from "../src/breaker.ts";

function open() {
  const clock = { ms: 1_000_000 };
  const changes: string[] = [];
  const breaker = createBreaker({
    failures: 3,
    pauseMs: 1000,
    maxPauseMs: 4000,
    now: () => clock.ms,
    onChange: (state) => changes.push(state),
  });
  const fail = (times: number) => Array.from({ length: times }, () => breaker.failed());
  return { clock, changes, breaker, fail };
}

describe("createBreaker()", () => {
  it("opens after failures in a row only", () => {
    const { breaker, fail, changes } = open();
    fail(2);
    breaker.succeeded();
    fail(2);
    expect([breaker.isOpen(), breaker.admits()]).toEqual([false, true]);
    fail(1);
    expect([breaker.isOpen(), breaker.admits()]).toEqual([true, false]);
    expect(changes).toEqual(["open"]);
    expect(breaker.snapshot()).toEqual({ state: "open", failures: 3, opened: 1, refused: 1 });
  });

  it("lets one try through after each pause, and makes the pause longer up to the bound", () => {
    const { breaker, fail, clock } = open();
    fail(3);
    for (const pause of [1000, 2000, 4000, 4000]) {
      clock.ms += pause - 1;
      expect(breaker.admits()).toBe(false);
      clock.ms += 1;
      expect([breaker.isOpen(), breaker.admits(), breaker.admits(), breaker.isOpen()]).toEqual([false, true, false, true]);
      expect(breaker.snapshot().state).toBe("probing");
      // One from before it opened, which fails only now.
      fail(2);
      expect(breaker.snapshot().state).toBe("open");
    }
    expect(breaker.snapshot().opened).toBe(1);
  });

  it("closes when the try succeeds, and begins with a short pause the next time", () => {
    const { breaker, fail, clock, changes } = open();
    fail(3);
    clock.ms += 1000;
    breaker.admits();
    fail(1);
    clock.ms += 2000;
    breaker.admits();
    breaker.succeeded();
    expect([breaker.admits(), breaker.admits(), breaker.snapshot().failures]).toEqual([true, true, 0]);
    fail(3);
    clock.ms += 1000;
    expect(breaker.admits()).toBe(true);
    expect(changes).toEqual(["open", "closed", "open"]);
  });

  it("gives the place of a try that never reports to another call", () => {
    const { breaker, fail, clock } = open();
    fail(3);
    clock.ms += 1000;
    expect(breaker.admits()).toBe(true);
    clock.ms += 999;
    expect(breaker.admits()).toBe(false);
    clock.ms += 1;
    expect(breaker.admits()).toBe(true);
  });

  it("stays open for no longer when the clock jumps", () => {
    for (const jump of [-3_600_000, 3_600_000]) {
      const { breaker, fail, clock } = open();
      fail(3);
      clock.ms += jump;
      expect([breaker.admits(), breaker.admits()]).toEqual([true, false]);
    }
  });
});
