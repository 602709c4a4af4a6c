/** `armmt explain`: one answer in words and as data, from a running edge and the history of its rules. The model's order is the engine's turned round. */
import { describe, expect, it } from "vitest";
import { publishRules } from "../../../src/search/rules-store.ts";
import { askExplanation, whyIsHere } from "../../../src/cli/rules/why.ts";
import { describeWhy } from "../../../src/rules/why.ts";
import type { Rule } from "../../../src/rules/document.ts";
import { elasticsearch } from "../../search/dialects/elasticsearch.ts";
import { ITEMS, openEdge } from "../../search/plain-edge.ts";

const TOKEN = "a-token-for-tests-only";
const CATALOG = elasticsearch.index;

const PIN: Rule = {
  id: "pin",
  note: "campaign",
  owner: "anna",
  when: { query: [{ is: "red sofas" }], until: "2099-01-01T00:00:00Z" },
  action: { do: "pin", items: [{ id: "item-9", position: 2 }] },
};
const BURY: Rule = { id: "dear", action: { do: "bury", places: 3, match: [{ field: "price", above: 28 }] } };
const LOST: Rule = { id: "lost", priority: -1, action: { do: "pin", items: [{ id: "item-9", position: 5 }] } };

async function published() {
  const values = new Map<string, string>();
  const store = {
    place: "memory",
    get: async (key: string) => values.get(key),
    put: async (entries: readonly { key: string; value: string | Uint8Array }[]) => {
      for (const { key, value } of entries) values.set(key, String(value));
    },
  };
  const publish = (rules: readonly Rule[], by: string, day: number) =>
    publishRules(store, { catalog: CATALOG, text: JSON.stringify({ format: 1, rules }), by, at: new Date(Date.UTC(2026, 10, day)) });
  await publish([{ ...PIN, action: { do: "pin", items: [{ id: "item-9", position: 3 }] } }], "carl", 1);
  await publish([PIN], "bob", 2);
  await publish([PIN, BURY, LOST], "dora", 3);
  return { store, values };
}

async function ask(query: string) {
  const { store, values } = await published();
  const edge = openEdge(elasticsearch, (request) => elasticsearch.answer(request, ITEMS), {
    vars: { LIVE_RULES: true, ADMIN_TOKEN: TOKEN },
    keys: values,
  });
  const { path, init } = elasticsearch.pages[0]!.ask(query, { offset: 0, limit: 10 });
  const search = { label: "", path, method: "POST" as const, body: String(init.body), headers: { "content-type": "application/json" } };
  const explain = (token: string) =>
    askExplanation(search, {
      url: "http://edge.example",
      token,
      headers: {},
      fetch: async (url, given) => {
        const { pathname, search: params } = new URL(url);
        const headers = Object.fromEntries(new Headers(given.headers));
        const { status, body } = await edge.send({ path: pathname + params, init: { method: "POST", headers, body: search.body } });
        return new Response(body, { status });
      },
    });
  // On a busy machine the first search may not wait for the rules.
  for (let i = 0; i < 100 && (await explain(TOKEN)).rules === undefined; i++) await new Promise((done) => setTimeout(done, 20)); // oxlint-disable-line no-await-in-loop
  return { explain, store };
}

describe("why a hit stands where it stands", () => {
  it("is said in words and as data, with who published the rule as it is, and since when", async () => {
    const { explain, store } = await ask("red sofas");
    const explained = await explain(TOKEN);
    const asked = { query: "red sofas", index: CATALOG };
    const why = await whyIsHere(explained, { ...asked, id: "item-9" }, { store, catalog: CATALOG });
    // The window holds 20: turned round, item-9 is the twelfth.
    expect(why).toMatchObject({ isShown: true, position: 2, engine: 9, ranked: 12, model: "turned-round", bypass: null });
    expect(why.rules).toEqual([
      {
        id: "pin",
        does: "pins it",
        name: null,
        note: "campaign",
        owner: "anna",
        by: "bob",
        since: "2026-11-02T00:00:00.000Z",
        until: "2099-01-01T00:00:00Z",
      },
    ]);
    expect(why.idle).toContainEqual({ rule: "lost", reason: "lost", by: "pin" });
    const words = describeWhy(why);
    expect(words).toMatch(/^item-9 stands at position 2 for "red sofas"/);
    expect(words).toContain("The engine found it at 9.");
    expect(words).toContain("Model turned-round puts it at 12");
    expect(words).toContain(
      "Rule pin (campaign) pins it: owner anna, published by bob, as it is since 2026-11-02T00:00:00.000Z, until 2099",
    );
    expect(words).toContain("Rule lost did nothing for it: lost (pin).");

    const moved = await whyIsHere(explained, { ...asked, id: "item-20" }, { store, catalog: CATALOG });
    // A condition on a field: item-20 costs 29.
    expect(moved).toMatchObject({ engine: 20, ranked: 1, rules: [{ id: "dear", does: "moves it 3 places down", by: "dora" }] });
  });

  it("says what is not known, and what is not shown", async () => {
    const { explain } = await ask("red sofas");
    const explained = await explain(TOKEN);
    const asked = { query: "red sofas", index: CATALOG };
    const bare = await whyIsHere(explained, { ...asked, id: "item-9" });
    expect(bare.rules).toEqual([expect.objectContaining({ id: "pin", does: null, by: null, since: null })]);
    expect(describeWhy(bare)).toContain("Rule pin says where it stands.");
    const absent = await whyIsHere(explained, { ...asked, id: "item-44" });
    expect(absent).toMatchObject({ isShown: false, position: null, rules: [] });
    expect(describeWhy(absent)).toContain("item-44 is not among the first 10 hits");
  });

  it("asks for the right token", async () => {
    const { explain } = await ask("red sofas");
    await expect(explain("another-token-for-tests")).rejects.toThrow(/ADMIN_TOKEN|401/);
  });
});
