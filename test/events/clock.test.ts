/** When an event happened, by our clock. */
import { describe, expect, it } from "vitest";
import { correctTime, FUTURE_TOLERANCE_MS, MAX_OFFSET_MS } from "../../src/events/ingest.ts";

const RECEIVED = Date.UTC(2026, 10, 21, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const at = (happenedAtMs: number | undefined, sentAtMs?: number, notBeforeMs = RECEIVED - 2 * HOUR) =>
  correctTime({ happenedAtMs, sentAtMs, receivedAtMs: RECEIVED, notBeforeMs });

describe("correctTime()", () => {
  it("takes the time of receipt where the client says none", () => {
    expect(at(undefined)).toEqual({ ok: true, value: RECEIVED });
    expect(at(undefined, 0)).toEqual({ ok: true, value: RECEIVED });
  });

  it("moves an event by as much as the client's clock is wrong, either way", () => {
    for (const wrong of [-3 * HOUR, -MINUTE, 0, MINUTE, 3 * HOUR]) {
      const sent = RECEIVED + wrong;
      expect(at(sent - 10 * MINUTE, sent), String(wrong)).toEqual({ ok: true, value: RECEIVED - 10 * MINUTE });
    }
  });

  it("takes the time of receipt where the clock is wrong beyond belief", () => {
    for (const sent of [0, RECEIVED - MAX_OFFSET_MS - 1, RECEIVED + MAX_OFFSET_MS + 1]) {
      expect(at(sent - 1000, sent)).toEqual({ ok: true, value: RECEIVED });
    }
    const sent = RECEIVED + MAX_OFFSET_MS;
    expect(at(sent - 1000, sent)).toEqual({ ok: true, value: RECEIVED - 1000 });
  });

  it("refuses an event that happened after it was sent, but for a little", () => {
    const sent = RECEIVED - HOUR;
    expect(at(sent + FUTURE_TOLERANCE_MS + 1, sent)).toEqual({ ok: false, error: "timestamp_in_future" });
    expect(at(sent + FUTURE_TOLERANCE_MS, sent)).toEqual({ ok: true, value: RECEIVED });
    expect(at(RECEIVED + FUTURE_TOLERANCE_MS + 1)).toEqual({ ok: false, error: "timestamp_in_future" });
    expect(at(RECEIVED + 1)).toEqual({ ok: true, value: RECEIVED });
  });

  it("lets no event be older than its search", () => {
    expect(at(RECEIVED - HOUR, RECEIVED, RECEIVED - MINUTE)).toEqual({ ok: true, value: RECEIVED - MINUTE });
  });
});
