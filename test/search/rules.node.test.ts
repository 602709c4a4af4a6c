/**
 * Rules in searches: in every dialect and arm, on every page, with and without a model, and when their document is broken. The model's order is
 * the engine's turned round.
 */
import { describe, expect, it } from "vitest";
import type { UbiQueryRecord } from "../../src/events/ubi.ts";
import { ok } from "../../src/result.ts";
import type { Rule } from "../../src/rules/document.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "../../src/search/live-rules.ts";
import { STAND_INS } from "./dialects/all.ts";
import { BROWSE_ASKS } from "./dialects/browse.ts";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { type Ask, type EngineStandIn, type Page, post } from "./dialects/stand-in.ts";
import { ITEMS, openEdge, type PlainEdgeOptions, WINDOW } from "./plain-edge.ts";

const RULES: readonly Rule[] = [
  {
    id: "pin",
    when: { query: [{ is: "Red Sofas" }], plurals: true },
    action: {
      do: "pin",
      items: [
        { id: "item-9", position: 2 },
        { id: "item-44", position: 1 },
      ],
    },
  },
  { id: "hide", when: { query: [{ contains: "red" }] }, action: { do: "hide", match: [{ ids: ["item-3"] }] } },
  { id: "some-last", when: { query: [{ starts: "red" }] }, action: { do: "last", match: [{ ids: ["item-1", "item-2", "item-3"] }] } },
  { id: "home", when: { emptyQuery: true }, action: { do: "pin", items: [{ id: "item-7", position: 1 }] } },
];

async function keysOf(catalog: string, rules: readonly Rule[] | string): Promise<Map<string, string>> {
  const text = typeof rules === "string" ? rules : JSON.stringify({ format: 1, rules });
  const version = await rulesVersion(text);
  const pointer = JSON.stringify({ version, previous: null, publishedAt: "2026-11-01T00:00:00Z" });
  return new Map([
    [rulesPointerKey(catalog), pointer],
    [rulesKey(catalog, version), text],
  ]);
}

/** Records are written after the reply. */
const settle = () => new Promise((done) => setTimeout(done, 20));

async function open(
  standIn: EngineStandIn,
  rules: readonly Rule[] | string | undefined,
  vars: object = {},
  more: Pick<PlainEdgeOptions, "beforeRun" | "index"> = {},
) {
  const records: UbiQueryRecord[] = [];
  const logs: Readonly<Record<string, unknown>>[] = [];
  let asked = 0;
  const edge = openEdge(
    standIn,
    (request) => {
      asked++;
      return standIn.answer(request, ITEMS);
    },
    {
      ...more,
      vars: { LIVE_RULES: true, ADMIN_TOKEN: "a-token-for-tests-only", ...vars },
      keys: rules === undefined ? new Map() : await keysOf(standIn.index, rules),
      log: (entry) => void logs.push(entry),
      sinks: {
        write: async (record) => {
          records.push(record);
          return ok(true);
        },
        writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
      },
    },
  );
  // On a busy machine the first searches may not wait for the rules.
  for (let i = rules === undefined ? 100 : 0; i < 100; i++) {
    await edge.send(firstPage(standIn)); // oxlint-disable-line no-await-in-loop
    const { body } = await edge.send(STATUS); // oxlint-disable-line no-await-in-loop
    if (/"rules":\{"version":"|"problem":/.test(body)) break;
    await settle(); // oxlint-disable-line no-await-in-loop
  }
  await settle();
  records.length = 0;
  asked = 0;
  return { ...edge, records, logs, asked: () => asked };
}

const firstPage = ({ pages }: EngineStandIn): Ask => pages[0]!.ask("warm", { offset: 0, limit: 5 });
const STATUS: Ask = { path: "/armmt/status", init: { headers: { authorization: "Bearer a-token-for-tests-only" } } };

type Opened = Awaited<ReturnType<typeof open>>;

const withHeaders = ({ path, init }: Ask, headers: Readonly<Record<string, string>>): Ask => ({
  path,
  init: { ...init, headers: { ...init.headers, ...headers } },
});

async function idsOf(edge: Opened, standIn: EngineStandIn, ask: Ask) {
  const reply = await edge.send(ask);
  const body: unknown = JSON.parse(reply.body);
  return { ...reply, ids: standIn.read(body)[0]?.ids ?? [] };
}

describe.each(STAND_INS.filter(({ pages }) => pages.length > 0))("$title", (standIn) => {
  const [kind] = standIn.pages;

  it.each(["armmt", "control", "shadow(armmt)"])(
    "follows rules on every page in the arm %s, and off is the engine's own reply",
    async (variant) => {
      const edge = await open(standIn, RULES, { DEFAULT_VARIANT: variant });
      const plain = await open(standIn, undefined, { DEFAULT_VARIANT: variant, LIVE_RULES: false });
      const shown: string[] = [];
      for (let offset = 0; offset < WINDOW; offset += 5) {
        const { ids, outcome } = await idsOf(edge, standIn, kind!.ask("red sofa", { offset, limit: 5 }));
        expect(outcome).toMatch(/rules=[\da-f]{16}\/3/);
        shown.push(...ids);
      }
      const window = ITEMS.slice(0, WINDOW).map(({ id }) => id);
      expect(shown.toSorted()).toEqual(window.toSorted());
      // item-44 is behind the window: its place goes to the next, and item-9 stays at 2.
      expect(shown.indexOf("item-9")).toBe(1);
      expect(shown.at(-1)).toBe("item-3");
      expect(new Set(shown.slice(-3))).toEqual(new Set(["item-1", "item-2", "item-3"]));
      const off = kind!.ask("red sofa", { offset: 5, limit: 5 });
      expect((await edge.send(withHeaders(off, { "x-armmt": "off" }))).body).toBe(
        (await plain.send(withHeaders(off, { "x-armmt": "off" }))).body,
      );
      // What no rule fits is served as without rules, byte for byte.
      const other = kind!.ask("blue", { offset: 0, limit: 5 });
      const [left, right] = [await edge.send(other), await plain.send(other)];
      expect(left.body).toBe(right.body);
      expect(left.outcome).toBe(right.outcome);
      await settle();
      const [first] = edge.records;
      expect(first?.query_attributes.armmt.rules).toMatchObject({
        applied: expect.arrayContaining(["pin", "hide", "some-last"]),
        idle: expect.arrayContaining([
          { rule: "pin", item: "item-44", reason: "not_in_window" },
          { rule: "some-last", item: "item-3", reason: "hidden", by: "hide" },
        ]),
      });
    },
  );
});

const words = (query: object, more: object = {}) => post("/products/_search", { query, size: 5, ...more });
const filtered = (filter: unknown) => words({ bool: { must: { match: { title: "red" } }, filter } });
const last = (underSort: boolean): Rule => ({ id: "last", action: { do: "last", match: [{ ids: ["item-1"] }], underSort } });
const pin = (id: string, when: NonNullable<Rule["when"]>): Rule => ({
  id,
  when,
  action: { do: "pin", items: [{ id: "item-7", position: 1 }] },
});
const withSlots = (offset: number) =>
  withHeaders(elasticsearch.pages[0]!.ask("red", { offset, limit: 5 }), { "x-armmt-slots": "item-12,nowhere,item-4" });

it.each(STAND_INS.filter(({ pages }) => pages.length > 0))(
  "$title: a page without words follows the rules of the empty query on every page",
  async (standIn) => {
    const edge = await open(standIn, RULES);
    // Vespa refuses a query of no words; its pages have a statement without any.
    const ask = (page: Page): Ask => (standIn.backend === "vespa" ? BROWSE_ASKS["Vespa"]!.home(page) : standIn.pages[0]!.ask("", page));
    const first = await idsOf(edge, standIn, ask({ offset: 0, limit: 5 }));
    const second = await idsOf(edge, standIn, ask({ offset: 5, limit: 5 }));
    expect(first.outcome).toMatch(/^bypass; reason=no_query_text; rules=\w+\/1$/);
    expect(first.ids).toEqual(["item-7", "item-1", "item-2", "item-3", "item-4"]);
    expect(second.ids).toEqual(["item-5", "item-6", "item-8", "item-9", "item-10"]);
  },
);

describe("a search", () => {
  const paged = elasticsearch.pages[0]!;

  it("without words follows the rules of the empty query, in the engine's order", async () => {
    const edge = await open(elasticsearch, RULES);
    const { ids, outcome } = await idsOf(edge, elasticsearch, words({ match_all: {} }));
    expect(outcome).toMatch(/^bypass; reason=no_query_text; rules=\w+\/1$/);
    expect(ids).toEqual(["item-7", "item-1", "item-2", "item-3", "item-4"]);
    expect((await idsOf(edge, elasticsearch, words({ match_all: {} }, { from: 5 }))).ids).toEqual([
      "item-5",
      "item-6",
      "item-8",
      "item-9",
      "item-10",
    ]);
  });

  it("that is sorted keeps its order, but for what is last by option", async () => {
    const sorted = words({ match: { title: "red" } }, { sort: ["price"] });
    const without = await open(elasticsearch, [...RULES, last(false)]);
    const reply = await idsOf(without, elasticsearch, sorted);
    expect(reply.outcome).toMatch(/^bypass; reason=explicit_sort; rules=\w+\/0$/);
    expect(reply.ids[0]).toBe("item-1");
    expect(without.asked()).toBe(1);
    const withIt = await open(elasticsearch, [...RULES, last(true)]);
    expect((await idsOf(withIt, elasticsearch, sorted)).ids).not.toContain("item-1");
    await settle();
    expect(withIt.records[0]?.query_attributes.armmt.rules).toMatchObject({
      applied: ["last"],
      idle: expect.arrayContaining([expect.objectContaining({ rule: "hide", reason: "sorted" })]),
    });
  });

  it("follows filters as sets, context, country and share", async () => {
    const edge = await open(elasticsearch, [pin("filter", { filters: { category: ["Shoes", "boots"] } })], { DEFAULT_VARIANT: "control" });
    const isFirst = async (ask: Ask, opened = edge) => (await idsOf(opened, elasticsearch, ask)).ids[0] === "item-7";
    expect(await isFirst(filtered([{ terms: { "category.keyword": ["BOOTS", "shoes"] } }, { range: { price: { gt: 1 } } }]))).toBe(true);
    expect(await isFirst(filtered({ term: { category: "shoes" } }))).toBe(false);
    expect(await isFirst(filtered({ match: { title: "sofa" } }))).toBe(false);
    await settle();
    expect(edge.records.at(-1)?.query_attributes.armmt.rules).toMatchObject({
      applied: [],
      idle: [{ rule: "*", reason: "filters_not_read" }],
    });

    const context = await open(elasticsearch, [pin("context", { context: ["VIP", "mobile"] })], { DEFAULT_VARIANT: "control" });
    const ask = paged.ask("red", { offset: 0, limit: 5 });
    expect(await isFirst(withHeaders(ask, { "x-armmt-context": "mobile, vip" }), context)).toBe(true);
    expect(await isFirst(withHeaders(ask, { "x-armmt-context": "vip" }), context)).toBe(false);

    const country = await open(elasticsearch, [pin("country", { country: ["de"] })], {
      DEFAULT_VARIANT: "control",
      CLIENT_COUNTRY_HEADER: "x-country",
    });
    expect(await isFirst(withHeaders(ask, { "x-country": "DE" }), country)).toBe(true);
    expect(await isFirst(withHeaders(ask, { "x-country": "FR" }), country)).toBe(false);

    const half = await open(elasticsearch, [pin("half", { share: { to: 0.5 } })], { DEFAULT_VARIANT: "control" });
    let inside = 0;
    for (let unit = 0; unit < 200; unit++) if (await isFirst(withHeaders(ask, { "x-armmt-session": `s${unit}` }), half)) inside++;
    expect(inside).toBeGreaterThan(70);
    expect(inside).toBeLessThan(130);
    await settle();
    expect(half.records.filter(({ query_attributes: { armmt } }) => armmt.rules?.held_back?.[0] === "half")).toHaveLength(200 - inside);
  });

  it("shows sponsored items of its request in slots, and names their positions", async () => {
    const slots: Rule = { id: "ads", action: { do: "slots", positions: [1, 7] } };
    const edge = await open(elasticsearch, [slots]);
    const page = await idsOf(edge, elasticsearch, withSlots(0));
    expect(page.ids[0]).toBe("item-12");
    expect(page.outcome).toMatch(/; slots=1$/);
    const second = await idsOf(edge, elasticsearch, withSlots(5));
    expect(second.ids[1]).toBe("item-4");
    expect(second.outcome).toMatch(/; slots=7$/);
    expect(second.headers.get("cache-control")).toContain("private");
    await settle();
    expect(edge.records[1]?.query_attributes.armmt.rules).toMatchObject({
      applied: ["ads"],
      slot_ids: ["item-4"],
      idle: [{ rule: "ads", item: "nowhere", reason: "not_in_window" }],
    });
  });

  it("matches fields of the reply that a rule names", async () => {
    const edge = await open(
      elasticsearch,
      [{ id: "title", action: { do: "boost", match: [{ field: "title", is: ["Item  4"] }], places: 1000 } }],
      { DEFAULT_VARIANT: "control" },
    );
    expect((await idsOf(edge, elasticsearch, paged.ask("red", { offset: 0, limit: 3 }))).ids).toEqual(["item-5", "item-1", "item-2"]);
  });

  it("keeps its rules where others take all the time of the model", async () => {
    let isBusy = false;
    const done: (() => void)[] = [];
    const beforeRun = () => new Promise<void>((resolve) => (isBusy ? done.push(resolve) : resolve()));
    const edge = await open(elasticsearch, [pin("always", {})], { RANK_BUDGET_MS: 300 }, { beforeRun });
    isBusy = true;
    const ask = (text: string) => idsOf(edge, elasticsearch, paged.ask(text, { offset: 0, limit: 5 }));
    const first = ask("red");
    // Those that come while the model runs may have to wait before the engine is asked.
    for (let i = 0; i < 100 && done.length === 0; i++) await settle(); // oxlint-disable-line no-await-in-loop
    const others = Array.from({ length: 24 }, (_, i) => ask(`red ${i}`));
    for (const { ids, outcome } of await Promise.all([first, ...others])) {
      expect(outcome).toMatch(/^bypass; reason=over_budget; rules=\w+\/1$/);
      expect(ids[0]).toBe("item-7");
    }
    for (const end of done) end();
  });

  it("waits for its rules while it waits for experiments, not after that", async () => {
    const asked: string[] = [];
    const get = (key: string) => (asked.push(key), key === "experiments" ? new Promise<null>(() => undefined) : Promise.resolve(null));
    const vars = { LIVE_RULES: true, LIVE_EXPERIMENTS: true, DEFAULT_VARIANT: "control" };
    const edge = openEdge(elasticsearch, (request) => elasticsearch.answer(request, ITEMS), { vars, kv: { get } });
    const reply = edge.send(paged.ask("red", { offset: 0, limit: 5 }));
    await settle();
    expect(asked).toContain(rulesPointerKey("products"));
    expect((await reply).status).toBe(200);
  });

  it("is ordered without rules where their document is broken, and the status says so", async () => {
    const plain = await open(elasticsearch, undefined, { LIVE_RULES: false });
    const ask = paged.ask("red sofa", { offset: 0, limit: 5 });
    const expected = (await plain.send(ask)).body;
    for (const broken of ["{", '{"format":2,"rules":[]}', JSON.stringify({ format: 1, rules: [{ id: "x", action: { do: "explode" } }] })]) {
      const edge = await open(elasticsearch, broken);
      expect((await edge.send(ask)).body).toBe(expected);
      const status = JSON.parse(
        (await edge.send({ path: "/armmt/status", init: { headers: { authorization: "Bearer a-token-for-tests-only" } } })).body,
      );
      expect(status.indexes.products.rules).toMatchObject({
        version: null,
        rules: 0,
        failures: 1,
        problem: expect.stringMatching(/are ignored/),
      });
    }
  });

  it("explains which rules say where a hit stands", async () => {
    const edge = await open(elasticsearch, RULES);
    const { path, init } = paged.ask("red sofa", { offset: 0, limit: 3 });
    const reply = await edge.send(withHeaders({ path: `${path}?armmt_explain`, init }, { authorization: "Bearer a-token-for-tests-only" }));
    const { armmt } = JSON.parse(reply.body);
    expect(armmt.items[1]).toMatchObject({ id: "item-9", rank: 9, position: 2, rules: ["pin"] });
    expect(armmt.rules.applied).toContain("hide");
  });

  it.each(["interleave(control, armmt)", "explore(armmt)"])(
    "in %s keeps its rules, and hits that they moved count for nobody",
    async (variant) => {
      const edge = await open(elasticsearch, RULES, { DEFAULT_VARIANT: variant });
      for (let unit = 0; unit < 20; unit++) {
        const shown: string[] = [];
        edge.records.length = 0;
        for (let offset = 0; offset < WINDOW; offset += 5) {
          const ask = withHeaders(elasticsearch.pages[0]!.ask("red sofa", { offset, limit: 5 }), { "x-armmt-session": `s${unit}` });
          shown.push(...(await idsOf(edge, elasticsearch, ask)).ids);
        }
        expect(shown.toSorted()).toEqual(
          ITEMS.slice(0, WINDOW)
            .map(({ id }) => id)
            .toSorted(),
        );
        expect([shown[1], shown.at(-1)]).toEqual(["item-9", "item-3"]);
        await settle();
        const first = edge.records.find(({ query_attributes: { armmt } }) => armmt.offset === 0)?.query_attributes.armmt;
        if (variant.startsWith("explore")) expect(first?.propensities?.[1]).toBe(1);
        else expect(first?.teams?.[1]).toBeNull();
      }
    },
  );
});
