/** The dashboard's routes in workerd, and its queries on a real D1: who may read, what is never in the way of shop and engine, and the figures. */
import { env } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createD1Sink } from "../../src/events/d1.ts";
import { d1Reader, type ReadEvents } from "../../src/events/read.ts";
import { createQueryRecord, type ServedEvent } from "../../src/events/ubi.ts";
import { openEdge as open } from "../../src/edge.ts";
import { ALL_DIALECTS } from "../../src/backends/all-dialects.ts";
import { scorersOf } from "../../src/inference/scorer.ts";
import { ENGINE_URL, student, TOKEN } from "./edge.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const DAY_MS = 86_400_000;
const bearer = { authorization: `Bearer ${TOKEN}` };

interface Options {
  readonly vars?: Readonly<Record<string, unknown>>;
  readonly readEvents?: ReadEvents | undefined;
  readonly now?: () => number;
}

/** An edge whose shop answers every page with its path. */
function openEdge({ vars, readEvents = d1Reader(env.EVENTS), now = () => NOW }: Options = {}) {
  return open({
    env: {
      INDEXES: { products: { backend: "elasticsearch", url: ENGINE_URL, window: 20, catalog: "none" } },
      STOREFRONT_URL: "https://shop.example.com",
      ADMIN_TOKEN: TOKEN,
      EXPERIMENTS: [{ key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] }],
      ...vars,
    },
    kv: env.EMBEDDINGS,
    sinks: { EVENTS: env.EVENTS },
    readEvents,
    scorer: scorersOf([student]),
    dialects: ALL_DIALECTS,
    fetch: async (url) => new Response(`shop ${new URL(url).pathname}`),
    log: () => undefined,
    now,
  });
}

const exposure = (id: string, variant: string, unit: string | undefined, atMs: number, more: object = {}) =>
  createQueryRecord({
    application: "shop",
    queryId: id,
    unit,
    userQuery: "red mug",
    timeMs: atMs,
    armmt: { experiment: "rerank", variant, window: 20, original_ids: ["p1"], served_ids: ["p1"], ...more },
  });

function event(id: string, action: ServedEvent["action_name"], queryId: string, atMs: number): ServedEvent {
  return {
    event_id: id,
    application: "shop",
    action_name: action,
    query_id: queryId,
    timestamp: new Date(atMs).toISOString(),
    event_attributes: { object: { object_id: "p1", object_id_type: "product" }, position: { ordinal: 1 }, armmt: { variant: "armmt" } },
  };
}

describe("routes", () => {
  it("serve a page that knows nothing, with a policy that lets nothing else run", async () => {
    const reply = await openEdge().request("/armmt/");
    expect(reply.status).toBe(200);
    const html = await reply.text();
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/rerank|products|shop\.example/);
    const policy = reply.headers.get("content-security-policy") ?? "";
    expect(policy).toMatch(
      /^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self';.*frame-ancestors 'none'$/,
    );
    expect(policy).not.toContain("unsafe");
    const script = /<script>([^]*)<\/script>/.exec(html)?.[1] ?? "";
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(script));
    expect(policy).toContain(btoa(String.fromCharCode(...new Uint8Array(digest))));
    expect(reply.headers.get("set-cookie")).toBeNull();
    expect(reply.headers.get("cache-control")).toBe("no-store");
  });

  it("ask for the token before they say anything", async () => {
    const edge = openEdge();
    for (const headers of [{}, { authorization: "Bearer wrong" }, { authorization: TOKEN }, { cookie: `token=${TOKEN}` }]) {
      const reply = await edge.request("/armmt/overview", { headers }); // oxlint-disable-line no-await-in-loop
      expect(reply.status).toBe(401);
      expect(reply.headers.get("www-authenticate")).toBe("Bearer");
    }
    expect((await edge.request(`/armmt/overview?token=${TOKEN}`)).status).toBe(401);
    expect((await edge.request("/armmt/overview", { headers: bearer })).status).toBe(200);
    expect((await edge.request("/armmt/", { method: "POST", headers: bearer })).status).toBe(404);
    const head = await edge.request("/armmt/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    const bare = await edge.request("https://edge.example.com/armmt");
    expect([bare.status, bare.headers.get("location")]).toEqual([302, "/armmt/"]);
  });

  it("leave the shop's pages and the engine's paths alone, and are not there without the secret", async () => {
    const edge = openEdge();
    for (const path of ["/armmt.html", "/armmt/other", "/armmtt/", "/shop/armmt/", "/"]) {
      expect(await (await edge.request(path)).text()).toBe(`shop ${path}`); // oxlint-disable-line no-await-in-loop
    }
    const closed = openEdge({ vars: { ADMIN_TOKEN: undefined } });
    for (const path of ["/armmt/", "/armmt", "/armmt/overview"]) {
      expect(await (await closed.request(path, { headers: bearer })).text()).toBe(`shop ${path}`); // oxlint-disable-line no-await-in-loop
    }
  });
});

const overview = async (edge = openEdge()) => JSON.parse(await (await edge.request("/armmt/overview", { headers: bearer })).text());

describe("figures", () => {
  beforeAll(async () => {
    await createD1Sink(env.EVENTS).writeEvents([]);
  });

  beforeEach(async () => {
    const sink = createD1Sink(env.EVENTS);
    const [day1, day2] = [NOW - 2 * DAY_MS, NOW - DAY_MS + 3_600_000];
    await sink.writeExposures(
      [
        exposure("q1", "control", "ann", day1, { engine_ms: 20, edge_ms: 1 }),
        exposure("q1", "control", "ann", day1 + 60_000), // its second page
        exposure("q2", "control", "ann", day2, { bypass: "engine_order", engine_ms: 10, edge_ms: 2 }),
        exposure("q3", "armmt", "bob", day2, { model: "m1", engine_ms: 40, edge_ms: 9 }),
        exposure("q4", "armmt", undefined, day2, { bypass: "nothing_published" }),
        exposure("q5", "control", "eve", day1),
        exposure("q6", "armmt", "eve", day2), // in both arms
      ],
      false,
    );
    await sink.writeEvents([
      event("e1", "click", "q1", day1),
      event("e2", "purchase", "q2", NOW - 60_000),
      event("e3", "purchase", "q2", NOW - 60_000),
      event("e4", "click", "q3", NOW - 30_000),
      event("e5", "impression", "q3", NOW - 30_000),
      event("e6", "purchase", "q6", day2),
    ]);
  });

  it("are those of a count by hand", async () => {
    const found = await overview();
    expect(found.experiments).toEqual([
      { experiment: "rerank", searches: 7, first: "2026-11-18T12:00:00.000Z", last: "2026-11-19T13:00:00.000Z" },
    ]);
    const rows = (what: string) => found.days[0].filter((row: { what: string }) => row.what === what).map(({ variant, day, n }: Record<string, unknown>) => `${String(variant)} ${String(day)} ${String(n)}`).toSorted(); // prettier-ignore
    expect(rows("seen")).toEqual(["armmt 2026-11-19 1", "control 2026-11-18 1"]);
    expect(rows("clicked")).toEqual(["armmt 2026-11-19 1", "control 2026-11-18 1"]);
    // On the day of the search that the purchase belongs to; eve is in no arm.
    expect(rows("bought")).toEqual(["control 2026-11-19 1"]);
    expect(rows("searches")).toEqual(["armmt 2026-11-19 3", "control 2026-11-18 2", "control 2026-11-19 1"]);
    expect(rows("simulated")).toEqual(["  0"]);
    expect(found.configured).toEqual([{ key: "rerank", variations: ["control", "armmt"], weights: [0.5, 0.5] }]);
    expect(found.outcomes).toContainEqual({ variant: "armmt", model: null, bypass: "nothing_published", n: 1 });
    expect(found.expected).toContain("engine_order");
    expect(found.expected).not.toContain("nothing_published");
    expect(found.times).toEqual([
      { applied: 1, engine: 20, edge: 1 },
      { applied: 0, engine: 10, edge: 2 },
      { applied: 1, engine: 40, edge: 9 },
    ]);
    expect(found.events).toContainEqual({ minute: "2026-11-20T11:59", action: "purchase", n: 2 });
    expect(found.events).toContainEqual({ minute: "2026-11-20T11:59", action: "impression", n: 1 });
    expect(found.events).toHaveLength(3);
  });

  it("hold no word of a query, no item and no shopper", async () => {
    expect(JSON.stringify(await overview())).not.toMatch(/red mug|"p1"|ann|bob|eve\b/);
  });

  it("are called simulated where the rows are", async () => {
    await createD1Sink(env.EVENTS).writeExposures([exposure("q9", "control", undefined, NOW, { simulated: true })], false);
    expect((await overview()).days[0]).toContainEqual({ what: "simulated", variant: "", day: "", n: 1 });
  });

  it("are read at most once in five minutes, and again after a failure", async () => {
    let asked = 0;
    let isBroken = true;
    let at = NOW;
    const read = d1Reader(env.EVENTS);
    const edge = openEdge({
      now: () => at,
      readEvents: (queries) => {
        asked++;
        return isBroken ? Promise.reject(new Error("D1_ERROR: overloaded")) : read(queries);
      },
    });
    expect(await overview(edge)).toEqual({ problem: "The event database cannot be read: D1_ERROR: overloaded" });
    isBroken = false;
    expect((await overview(edge)).at).toBe(NOW);
    at += 299_000;
    expect((await overview(edge)).at).toBe(NOW);
    expect(asked).toBe(3); // one that failed, two for one overview
    at += 2000;
    // Two who look at once are one question.
    expect((await Promise.all([overview(edge), overview(edge)])).map((found) => found.at)).toEqual([NOW + 301_000, NOW + 301_000]);
    expect(asked).toBe(5);
  });

  it("are missing with a reason where there is no database, or nothing in it", async () => {
    expect(
      (await overview(openEdge({ readEvents: () => Promise.reject(new Error("D1_ERROR: no such table: ubi_queries: SQLITE_ERROR")) })))
        .problem,
    ).toBe("Nothing is recorded yet");
    const without = open({
      env: { INDEXES: { products: { backend: "elasticsearch", url: ENGINE_URL, window: 20, catalog: "none" } }, ADMIN_TOKEN: TOKEN },
      kv: env.EMBEDDINGS,
      sinks: { EVENTS: env.EVENTS },
      scorer: scorersOf([student]),
      dialects: ALL_DIALECTS,
      fetch: async () => new Response(),
      log: () => undefined,
    });
    expect((await overview(without)).problem).toMatch(/no database that it can read/);
  });
});
