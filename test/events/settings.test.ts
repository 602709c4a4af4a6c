/** What the configuration says of events: the secret, the sinks and the bindings that they need. */
import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { dialectLimits } from "../../src/backends/dialects.ts";
import { parseConfig } from "../../src/config/config.ts";
import { sinkProblems } from "../../src/events/sinks.ts";

const base = { INDEXES: { products: { backend: "elasticsearch", url: "http://127.0.0.1:9200", window: 20 } } };
const parse = (vars: object) => parseConfig({ ...base, ...vars }, dialectLimits(ALL_DIALECTS));

describe("parseConfig()", () => {
  it("closes events and writes to D1 by default", () => {
    const parsed = parse({});
    expect(parsed).toMatchObject({ ok: true, value: { eventSinks: ["d1"], queueSink: "d1" } });
    expect(parsed.ok && parsed.value.eventSecret).toBeUndefined();
  });

  it("reads sinks as a list or as JSON", () => {
    for (const sinks of [["queue", "analytics"], '["queue", "analytics"]']) {
      expect(parse({ EVENT_SINKS: sinks, QUEUE_SINK: "r2" })).toMatchObject({
        ok: true,
        value: { eventSinks: ["queue", "analytics"], queueSink: "r2" },
      });
    }
  });

  it("names what is wrong with the fix, and no secret", () => {
    const wrong = { EVENT_SECRET: "too-short-to-be-one", EVENT_SINKS: ["d1", "kafka"], QUEUE_SINK: "kv" };
    const parsed = parse(wrong);
    expect(parsed.ok ? [] : parsed.error).toEqual([
      "EVENT_SECRET is not usable: use at least 32 characters: tokens are signed with it",
      'EVENT_SINKS.1 is "kafka": list sinks: d1, queue, pipeline, analytics',
      'QUEUE_SINK is "kv": use "d1" or "r2"',
    ]);
    for (const sinks of [[], ["d1", "d1"]]) expect(parse({ EVENT_SINKS: sinks }).ok).toBe(false);
  });

  it("leaves the paths of events to events", () => {
    const generic = { path: "/events", query: "q", offset: "from", limit: "size", hits: "hits", leaveAlone: {}, echo: {} };
    const index = { ...base.INDEXES.products, backend: "generic", generic };
    expect(parse({ INDEXES: { shop: index } })).toMatchObject({
      ok: false,
      error: [expect.stringMatching(/generic\.path is "\/events": .*takes events/)],
    });
  });
});

describe("sinkProblems()", () => {
  it("names the binding that is missing", () => {
    expect(sinkProblems(["d1", "queue", "analytics", "pipeline"], env)).toEqual([]);
    expect(sinkProblems(["d1", "queue"], { EVENTS: env.EVENTS })).toEqual([
      'EVENT_SINKS names "queue", but there is no binding EVENTS_QUEUE: add it to wrangler.toml, or take the sink out',
    ]);
  });
});
