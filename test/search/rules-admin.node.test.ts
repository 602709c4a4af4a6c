/** The routes of the admin page's rules: who may, what is refused, what a draft would do, and what stays when a write fails. */
import { describe, expect, it } from "vitest";
import type { Rule } from "../../src/rules/document.ts";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { ITEMS, openEdge } from "./plain-edge.ts";

const TOKEN = "a-token-for-tests-only";
const CATALOG = elasticsearch.index;
const PIN: Rule = { id: "pin", when: { query: [{ is: "red sofas" }] }, action: { do: "pin", items: [{ id: "item-9", position: 2 }] } };
const document = (...rules: readonly object[]): string => JSON.stringify({ format: 1, rules });

interface Options {
  readonly vars?: object;
  readonly canWrite?: boolean;
}

function open({ vars, canWrite = true }: Options = {}) {
  const keys = new Map<string, string>();
  const records: unknown[] = [];
  const failing: { when: ((key: string) => boolean) | undefined } = { when: undefined };
  let asked = 0;
  const engine = async (request: Request) => {
    asked++;
    return elasticsearch.answer(request, ITEMS);
  };
  const edge = openEdge(elasticsearch, engine, {
    keys,
    vars: { LIVE_RULES: true, ADMIN_TOKEN: TOKEN, ...vars },
    ...(canWrite && {
      writeKv: async (key: string, value: string) => {
        if (failing.when?.(key) === true) throw new Error(`${key} cannot be written`);
        keys.set(key, value);
      },
    }),
    sinks: {
      write: async (record) => {
        records.push(record);
        return { ok: true, value: true };
      },
      writeEvents: async () => ({ ok: true, value: { written: 0, duplicates: 0, deferred: 0 } }),
    },
  });
  const call = async (
    path: string,
    body?: object | string,
    headers: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` },
  ) => {
    const init =
      body === undefined ? { headers } : { method: "POST", headers, body: typeof body === "string" ? body : JSON.stringify(body) };
    const reply = await edge.send({ path: `/armmt/rules${path}`, init });
    const json: unknown = reply.headers.get("content-type")?.includes("json") === true ? JSON.parse(reply.body) : reply.body;
    return { status: reply.status, json, text: reply.body, headers: reply.headers };
  };
  const publish = (text: string, by: string, version: string, more: object = {}) =>
    call(`/${CATALOG}`, { text, by, expect: version, ...more });
  const live = async () => {
    const { json } = await call(`/${CATALOG}`);
    const { version, text, history }: { version: string; text: string | null; history: { by: string; from: string }[] } = Object(json);
    return { version, text, history };
  };
  return { edge, keys, records, failing, call, publish, live, asked: () => asked };
}

/** The order of a reply with its explanation. */
function itemsOf(text: string): readonly { readonly id: string; readonly rules: readonly string[] }[] {
  const { armmt }: { armmt: { items: { id: string; rules: string[] }[] } } = JSON.parse(text);
  return armmt.items;
}

const { path, init } = elasticsearch.pages[0]!.ask("red sofas", { offset: 0, limit: 5 });
const SEARCH = { path, body: String(init.body), headers: { "content-type": "application/json" } };

describe("rules of the admin page", () => {
  it("are closed without the token, to every method and path, and say nothing then", async () => {
    const { call, publish, keys } = open();
    await publish(document(PIN), "anna", "none");
    const before = new Map(keys);
    for (const headers of [
      {},
      { authorization: "Bearer wrong" },
      { cookie: `token=${TOKEN}` },
      { authorization: `Basic ${btoa(`a:${TOKEN}`)}` },
    ]) {
      for (const [at, body] of [
        ["", undefined],
        [`/${CATALOG}`, undefined],
        ["/nothing", undefined],
        [`/${CATALOG}/today`, undefined],
        [`/${CATALOG}`, { text: document(), by: "eve", expect: "none" }],
        [`/${CATALOG}/rollback`, { to: "0123456789abcdef", by: "eve", expect: "none" }],
        [`/${CATALOG}/try`, { text: document(), search: SEARCH }],
        [`/${CATALOG}/check`, { text: "x".repeat(1000) }],
      ] as const) {
        const { status, text, headers: got } = await call(at, body, headers); // oxlint-disable-line no-await-in-loop
        expect([at, status]).toEqual([at, 401]);
        expect(text).not.toMatch(/pin|anna|item-9|catalog/);
        expect([got.get("www-authenticate"), got.get("cache-control")]).toEqual(["Bearer", "no-store"]);
      }
    }
    expect(keys).toEqual(before);
  });

  it("are not there without the secret", async () => {
    expect((await open({ vars: { ADMIN_TOKEN: undefined } }).call("")).status).toBe(404);
  });

  it("say what is configured, and what is live by whom", async () => {
    const { call, publish, live } = open();
    expect((await call("")).json).toEqual({
      catalogs: [{ name: CATALOG, indexes: [{ name: CATALOG, backend: "elasticsearch", catalog: CATALOG }] }],
      isLive: true,
      canWrite: true,
    });
    expect(await live()).toEqual({ version: "none", text: null, history: [] });
    expect((await publish(document(PIN), "anna", "none", { note: "campaign" })).json).toMatchObject({ changed: true, rules: 1 });
    const now = await live();
    expect(now.text).toBe(document(PIN));
    expect(now.history).toMatchObject([{ by: "anna", from: "publish", note: "campaign", before: null, version: now.version }]);
    expect((await call(`/${CATALOG}/${now.version}`)).json).toEqual({ version: now.version, text: document(PIN) });
    expect((await call(`/${CATALOG}/today`)).json).toMatchObject({ problem: expect.stringContaining("no database") });
  });

  it("refuse to publish over somebody else's change, and lose neither", async () => {
    const { publish, live, keys, call } = open();
    await publish(document(PIN), "anna", "none");
    const { version } = await live();
    await publish(document({ ...PIN, note: "Ben's" }), "ben", version);
    const refused = await publish(document({ ...PIN, note: "Cara's" }), "cara", version);
    expect(refused.status).toBe(409);
    const { version: bens } = await live();
    expect(refused.json).toMatchObject({ live: bens, last: { by: "ben", from: "publish", version: bens } });
    expect((await call(`/${CATALOG}/rollback`, { to: version, by: "cara", expect: version })).status).toBe(409);
    expect((await live()).version).toBe(bens);
    expect((await publish(document({ ...PIN, note: "Cara's" }), "cara", bens)).status).toBe(200);
    expect((await live()).history.map(({ by }) => by)).toEqual(["anna", "ben", "cara"]);
    expect([...keys.keys()].filter((key) => /rules\/[0-9a-f]{16}$/.test(key))).toHaveLength(3);
  });

  it("let one of two publish who begin at the same moment", async () => {
    const { publish, live } = open();
    const both = await Promise.all(["anna", "ben"].map((by) => publish(document({ ...PIN, owner: by }), by, "none")));
    expect(both.map(({ status }) => status)).toEqual(expect.arrayContaining([200, 409]));
    expect((await live()).history).toHaveLength(1);
  });

  it("go back to any version, by whom", async () => {
    const { publish, live, call } = open();
    await publish(document(PIN), "anna", "none");
    const first = await live();
    await publish(document(), "ben", first.version);
    const second = await live();
    expect((await call(`/${CATALOG}/rollback`, { to: first.version, by: "cara", expect: second.version })).status).toBe(200);
    expect(await live()).toMatchObject({
      version: first.version,
      text: document(PIN),
      history: [{}, {}, { by: "cara", from: "rollback" }],
    });
    expect((await call(`/${CATALOG}/rollback`, { to: "0123456789abcdef", by: "cara", expect: first.version })).status).toBe(400);
    expect((await call(`/${CATALOG}/rollback`, { to: "history", by: "cara", expect: first.version })).status).toBe(400);
  });

  it.each(["rules/[0-9a-f]{16}$", "rules/history$", "rules/live$"])(
    "keep the live rules where writing %s fails, and publish afterwards",
    async (pattern) => {
      const { publish, live, failing } = open();
      await publish(document(PIN), "anna", "none");
      const before = await live();
      failing.when = (key) => new RegExp(pattern).test(key);
      const failed = await publish(document(), "ben", before.version);
      expect(failed.status).toBe(503);
      expect(failed.json).toMatchObject({ error: expect.stringMatching(/cannot be written.*read the rules again/) });
      expect(await live()).toMatchObject({ version: before.version, text: before.text });
      failing.when = undefined;
      expect((await publish(document(), "ben", before.version)).status).toBe(200);
      expect((await live()).text).toBe(document());
    },
  );

  it("refuse what the edge would ignore, with each problem", async () => {
    const { call, publish, live } = open();
    const problemsOf = async (text: string) => (await call(`/${CATALOG}/check`, { text })).json;
    expect(await problemsOf(document(PIN))).toEqual({ problems: [] });
    expect(await problemsOf(document({ ...PIN, action: { do: "boost", places: 0, match: [{ ids: ["a"] }] } }))).toEqual({
      problems: [expect.stringContaining("Rule pin: action.places is 0")],
    });
    for (const text of [
      "",
      "[]",
      "null",
      '"x"',
      "{",
      document({ ...PIN, id: "__proto__" }),
      document(PIN, PIN),
      document({ ...PIN, html: "<b>" }),
    ]) {
      expect(await problemsOf(text)).toEqual({ problems: expect.arrayContaining([expect.any(String)]) }); // oxlint-disable-line no-await-in-loop
      expect((await publish(text, "anna", "none")).status).toBe(400); // oxlint-disable-line no-await-in-loop
    }
    expect((await publish(document(PIN), " ", "none")).status).toBe(400);
    expect((await call(`/${CATALOG}`, { text: document(PIN), by: "anna" })).status).toBe(400);
    expect((await call(`/${CATALOG}`, "{")).json).toMatchObject({ error: expect.stringContaining("not JSON") });
    expect((await live()).version).toBe("none");
  });

  it("refuse huge drafts, and know no catalogue, path or method but their own", async () => {
    const { call, publish, edge } = open();
    expect((await publish(" ".repeat(4_100_000), "anna", "none")).text).toContain("at most 4000000");
    expect((await call(`/${CATALOG}/check`, "x".repeat(17_000_000))).status).toBe(413);
    for (const at of [
      "/other",
      "/__proto__",
      "/constructor",
      "/../status",
      `/${CATALOG}/live`,
      `/${CATALOG}/history`,
      `/${CATALOG}/toString`,
      `/${CATALOG}/check/more`,
      "/%E0%A4%A",
      "/<b>",
    ])
      expect([at, (await call(at)).status]).toEqual([at, at === "/../status" ? 200 : 404]); // oxlint-disable-line no-await-in-loop
    expect((await call("", {})).status).toBe(404);
    expect((await call("/other", { text: document(PIN), by: "anna", expect: "none" })).status).toBe(404);
    const other = await edge.send({
      path: `/armmt/rules/${CATALOG}`,
      init: { method: "DELETE", headers: { authorization: `Bearer ${TOKEN}` } },
    });
    expect(other.status).toBe(404);
  });

  it("lead back where the live document is gone or damaged, or the history is", async () => {
    const { call, publish, live, keys } = open();
    await publish(document(PIN), "anna", "none");
    const first = await live();
    await publish(document(), "ben", first.version);
    const second = await live();
    keys.delete(`${CATALOG}/rules/${second.version}`);
    expect(await live()).toMatchObject({ version: second.version, text: null, history: [{}, {}] });
    expect((await call(`/${CATALOG}/rollback`, { to: first.version, by: "cara", expect: second.version })).status).toBe(200);
    keys.set(`${CATALOG}/rules/history`, "{");
    expect((await call(`/${CATALOG}`)).json).toMatchObject({
      text: document(PIN),
      history: { problem: expect.stringContaining("no list of changes") },
    });
    expect((await publish(document(), "ben", first.version)).json).toMatchObject({ error: expect.stringContaining("no list of changes") });
    keys.set(`${CATALOG}/rules/live`, "{");
    expect((await call(`/${CATALOG}`)).json).toMatchObject({ error: expect.stringContaining("no pointer") });
  });

  it("try a draft by the live code: the order, and which rule; nothing is recorded or counted", async () => {
    const { call, edge, records, live } = open();
    const tried = async (text: string, more: object = {}) => call(`/${CATALOG}/try`, { text, search: { ...SEARCH, ...more } });
    const without = itemsOf((await tried(document())).text);
    const withPin = itemsOf((await tried(document(PIN))).text);
    expect(without.map(({ id }) => id)).not.toContain("item-9");
    expect(withPin[1]).toMatchObject({ id: "item-9", rules: ["pin"] });
    const ended = { ...PIN, when: { ...PIN.when, from: "2030-01-01T00:00:00Z" } };
    expect(itemsOf((await tried(document(ended))).text)[1]?.id).not.toBe("item-9");
    const later = await call(`/${CATALOG}/try`, { text: document(ended), search: SEARCH, at: Date.UTC(2031, 0, 1) });
    expect(itemsOf(later.text)[1]?.id).toBe("item-9");
    expect(records).toEqual([]);
    expect(edge.counters.snapshot().searches).toEqual({});
    expect((await live()).version).toBe("none");
    // What a shopper gets is the same order, once it is live.
    expect((await tried(document({ ...PIN, action: { do: "pin" } }))).json).toEqual({ problems: [expect.stringContaining("Rule pin")] });
  });

  it("try searches only: no page of the shop, no route of the edge, no other host", async () => {
    const { call, asked } = open({ vars: { STOREFRONT_URL: "http://127.0.0.1:1" } });
    for (const at of ["/", "/armmt/status", "/armmt/rules", "//evil.example/x", "/events", "/\\evil.example"]) {
      const { status } = await call(`/${CATALOG}/try`, { text: document(), search: { path: at } }); // oxlint-disable-line no-await-in-loop
      expect([at, status]).toEqual([at, 404]);
    }
    expect((await call(`/${CATALOG}/try`, { text: document(), search: { path: "http://evil.example/" } })).status).toBe(400);
    expect(asked()).toBe(0);
  });

  it("are shown, tried and checked where the edge cannot write, and not published", async () => {
    for (const options of [{ canWrite: false }, { vars: { LIVE_RULES: false } }]) {
      const { call, publish, live } = open(options);
      expect((await call("")).json).toMatchObject({ canWrite: false }); // oxlint-disable-line no-await-in-loop
      expect((await publish(document(PIN), "anna", "none")).json).toMatchObject({ error: expect.stringContaining("armmt rules publish") }); // oxlint-disable-line no-await-in-loop
      expect((await live()).version).toBe("none"); // oxlint-disable-line no-await-in-loop
      expect((await call(`/${CATALOG}/try`, { text: document(PIN), search: SEARCH })).status).toBe(200); // oxlint-disable-line no-await-in-loop
    }
  });
});
