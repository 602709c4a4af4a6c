/** Tokens of searches and the events that follow them, through the edge as it is deployed: search → token → event → rows that join. */
import { env } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { assignVariant } from "../../src/experiment/assign.ts";
import { queryIdOf, createEventTokens } from "../../src/events/token.ts";
import { createUnitHash } from "../../src/events/keys.ts";
import { drawnItems, publish } from "./catalog.ts";
import { demoShop, type EdgeOptions, type Engine, idsOf, match, openEdge, outcomeOf, postJson, type ReplyJson } from "./edge.ts";

const CATALOG = "event-tokens";
const SECRET = "a-secret-for-tests-only-of-32-characters";
const EXPERIMENT = { key: "rerank", variations: ["control", "armmt"] };
const CHROME = { "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36" };

beforeAll(() => publish(CATALOG));

beforeEach(async () => {
  await env.EVENTS.batch([env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_queries"), env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_events")]);
});

const open = (vars: Readonly<Record<string, unknown>> = {}, options: Partial<EdgeOptions> = {}) =>
  openEdge({ catalog: CATALOG, ...options, vars: { EVENT_SECRET: SECRET, EXPERIMENTS: [EXPERIMENT], ...vars } });

function unitIn(variant: string): string {
  for (let n = 0; ; n++) if (assignVariant(EXPERIMENT, { id: `unit-${n}` })?.variant === variant) return `unit-${n}`;
}

const shownIn = async (response: Response): Promise<string[]> => {
  const reply: ReplyJson = await response.json();
  return idsOf(reply);
};

const tokenOf = (response: Response): string => response.headers.get("x-armmt-events") ?? "";

const opened = async (token: string) => {
  const result = await createEventTokens({ secret: SECRET, now: () => Date.now() }).open(token);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

const click = (itemId: string | undefined, more: object = {}) => ({
  action_name: "click",
  event_attributes: { object: { object_id: itemId } },
  ...more,
});

const cacheable: Engine = async (request) => {
  const reply = await demoShop(request);
  reply.headers.set("cache-control", "public, max-age=60");
  return reply;
};

describe("a search", () => {
  it("has a token in every arm, of what was shown, and the rows of search and event join", async () => {
    const edge = open();
    for (const variant of ["control", "armmt"]) {
      const unit = unitIn(variant);
      const response = await edge.send(
        "/products/_search",
        postJson(match("red", { size: 5 }), { "x-armmt-user": unit, "x-armmt-consent": "1", ...CHROME }),
      );
      const shown = await shownIn(response);
      const token = tokenOf(response);
      const { queryId, ...content } = await opened(token);
      expect(queryIdOf(token)).toBe(queryId);
      expect(content).toMatchObject({ application: "products", experiment: "rerank", variant, unit: await createUnitHash(SECRET)(unit) });
      expect(await Promise.all(shown.map(content.positionOf))).toEqual(shown.map((_, i) => i + 1));
      const other = drawnItems().find(({ itemId }) => !shown.includes(itemId))?.itemId ?? "";
      expect(await content.positionOf(other)).toBeUndefined();
      expect(response.headers.get("cache-control")).toBe("private, no-store");

      const sent = await edge.send(
        "/events",
        postJson({ consent: true, client_id: "b-7", tokens: [token], events: [click(shown[2]), click(other)] }, CHROME),
      );
      expect(await sent.json()).toMatchObject({ accepted: 1, rejected: [{ index: 1, reason: "item_not_served" }] });
    }
    const { results } = await env.EVENTS.prepare(
      `SELECT q.variant, q.experiment, q.unit = e.unit AS same_unit, length(e.unit) AS digits, e.client_id, e.position,
        json_extract(q.hit_ids, '$[2]') = e.object_id AS same_item
      FROM ubi_events e JOIN ubi_queries q USING (query_id) ORDER BY q.id`,
    ).all();
    const joined = {
      experiment: "rerank",
      same_unit: 1,
      digits: 32,
      client_id: await createUnitHash(SECRET)("b-7"),
      position: 3,
      same_item: 1,
    };
    expect(results).toEqual([
      { variant: "control", ...joined },
      { variant: "armmt", ...joined },
    ]);
  });

  it("hands out a token without consent too, and then nothing says who it was", async () => {
    const edge = open();
    const response = await edge.send("/products/_search", postJson(match("red"), { "x-armmt-user": unitIn("armmt") }));
    const [id] = await shownIn(response);
    expect((await opened(tokenOf(response))).unit).toBeUndefined();
    await edge.send("/events", postJson({ consent: true, tokens: [tokenOf(response)], events: [click(id)] }));
    const { results } = await env.EVENTS.prepare(
      "SELECT q.unit, q.client_id, e.unit AS u, e.client_id AS c FROM ubi_events e JOIN ubi_queries q USING (query_id)",
    ).all();
    expect(results).toEqual([{ unit: null, client_id: null, u: null, c: null }]);
  });

  it("of several has a token for each with hits, and the client's own query id where it gives one", async () => {
    const hits = {
      hits: {
        hits: drawnItems()
          .slice(0, 4)
          .map(({ itemId }) => ({ _id: itemId, _score: 1 })),
      },
    };
    const engine: Engine = () => Response.json({ responses: [hits, { hits: { hits: [] } }, hits] });
    const edge = open({}, { engine });
    const own = { ...match("red"), ext: { ubi: { query_id: "mine, 1" } } };
    const body = [{}, own, {}, match("blue"), {}, match("green")].map((part) => `${JSON.stringify(part)}\n`).join("");
    const response = await edge.send("/products/_msearch", { method: "POST", headers: { "content-type": "application/x-ndjson" }, body });
    const tokens = tokenOf(response).split(", ");
    expect(tokens.map((token) => (token === "-" ? token : queryIdOf(token)))).toEqual(["mine, 1", "-", edge.records[2]?.query_id]);
    expect(edge.records[0]?.query_id).toBe("mine, 1");
    // The whole header is a token for an event of any of them.
    const sent = await edge.send("/events", postJson([click(drawnItems()[0]?.itemId, { token: tokenOf(response) })]));
    expect(await sent.json()).toMatchObject({ accepted: 1 });
  });

  it("that was interleaved tells whose item was clicked", async () => {
    const edge = open({ EXPERIMENTS: [{ key: "duel", variations: ["interleave(control, armmt)", "control"], weights: [1, 0] }] });
    const response = await edge.send("/products/_search", postJson(match("red", { size: 6 }), { "x-armmt-user": "unit-1" }));
    const shown = await shownIn(response);
    await edge.send("/events", postJson({ tokens: [tokenOf(response)], events: shown.map((id) => click(id)) }));
    const { results } = await env.EVENTS.prepare("SELECT team FROM ubi_events ORDER BY position").all();
    const teams = edge.records[0]?.query_attributes.armmt.teams?.slice(0, shown.length);
    expect(teams).toHaveLength(6);
    expect(results.map((row) => row["team"])).toEqual(teams);
  });

  it("of a crawler, or that shows nothing, has none", async () => {
    const edge = open({}, { engine: () => Response.json({ hits: { hits: [] } }) });
    expect(tokenOf(await edge.send("/products/_search", postJson(match("red"))))).toBe("");
    const bot = { "user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)" };
    expect(tokenOf(await open().send("/products/_search", postJson(match("red"), bot)))).toBe("");
  });

  it("that anybody could share is this shopper's own once it has a token", async () => {
    const sorted = postJson(match("red", { sort: [{ price: "asc" }] }));
    for (const [edge, expected] of [
      [open({}, { engine: cacheable }), "private, no-store"],
      [openEdge({ catalog: CATALOG, engine: cacheable }), "public, max-age=60"],
    ] as const) {
      const response = await edge.send("/products/_search", sorted);
      expect([outcomeOf(response), response.headers.get("cache-control")]).toEqual(["explicit_sort", expected]);
    }
  });

  it("is served without a token where none can be made", async () => {
    const encrypt = vi.spyOn(crypto.subtle, "encrypt").mockRejectedValue(new Error("no keys"));
    const edge = open();
    const response = await edge.send("/products/_search", postJson(match("red"))).finally(() => encrypt.mockRestore());
    expect([outcomeOf(response), tokenOf(response), edge.records.length]).toEqual(["applied", "", 1]);
    expect(edge.logs).toContainEqual(expect.objectContaining({ level: "error", event: "tokens_failed" }));
  });

  it("has none without the secret, and events are closed", async () => {
    const edge = openEdge({ catalog: CATALOG });
    const response = await edge.send("/products/_search", postJson(match("red"), { "x-armmt-user": "u", "x-armmt-consent": "1" }));
    expect([outcomeOf(response), tokenOf(response), edge.records[0]?.unit]).toEqual(["applied", "", undefined]);
    const refused = await edge.send("/events", postJson([]));
    expect([refused.status, await refused.json()]).toMatchObject([404, { error: { code: "events_closed" } }]);
  });
});

describe("the routes of events", () => {
  it("take UBI, Algolia's and Metarank's form, JSON called text too", async () => {
    const edge = open();
    const response = await edge.send("/products/_search", postJson(match("red")));
    const [a, b, c] = await shownIn(response);
    const token = tokenOf(response);
    const beacon = await edge.send("/events", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: JSON.stringify([click(a, { token })]),
    });
    const algolia = await edge.send(
      "/1/events",
      postJson({
        events: [{ eventType: "click", eventName: "x", index: "products", userToken: "u", queryID: token, objectIDs: [b], positions: [2] }],
      }),
    );
    const metarank = await edge.send(
      "/feedback",
      postJson({ event: "interaction", id: "1", ranking: token, timestamp: Date.now(), type: "click", item: c }),
    );
    expect(await Promise.all([beacon, algolia, metarank].map((one) => one.json()))).toMatchObject([
      { accepted: 1 },
      { status: 200, accepted: 1 },
      { status: "ok", accepted: 1 },
    ]);
  });

  it("refuse what is too long, and who sends too often: counted apart from searches", async () => {
    const asked: string[] = [];
    const edge = open({}, { isWithinRate: async (key) => asked.push(key) < 3 });
    const client = { "cf-connecting-ip": "203.0.113.7" };
    const long = await edge.send("/events", postJson(["x".repeat(64 * 1024)], client));
    expect([long.status, await long.json()]).toMatchObject([413, { error: { code: "too_large" } }]);
    await edge.send("/products/_search", postJson(match("red"), client));
    const often = await edge.send("/events", postJson([], client));
    expect([often.status, often.headers.get("retry-after"), await often.json()]).toMatchObject([
      429,
      "60",
      { error: { code: "too_many_requests" } },
    ]);
    expect(asked).toEqual(["events 203.0.113.7", "203.0.113.7", "events 203.0.113.7"]);
  });

  it("let pages of other origins send where the configuration names them", async () => {
    const edge = open({ ALLOW_ORIGINS: ["https://shop.example.com"] });
    const from = (origin: string) => edge.send("/events", postJson([], { origin }));
    const allowed = await from("https://shop.example.com");
    expect([allowed.status, allowed.headers.get("access-control-allow-origin")]).toEqual([200, "https://shop.example.com"]);
    expect((await from("https://other.example.com")).status).toBe(403);
  });

  it("leave pages of the storefront alone", async () => {
    const edge = open({ STOREFRONT_URL: "https://shop.example.com" }, { engine: () => new Response("a page") });
    expect(await (await edge.send("/feedback")).text()).toBe("a page");
  });

  it("serve the browser's snippet", async () => {
    const response = await open().send("/armmt/beacon.js");
    expect([response.status, response.headers.get("content-type")]).toEqual([200, "text/javascript; charset=utf-8"]);
    expect(await response.text()).toContain("x-armmt-events");
  });
});
