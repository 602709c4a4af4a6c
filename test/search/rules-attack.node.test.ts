/** Rules where several things meet: many searches in one request, indexes with rules of their own, a change under way, chance and experiments. */
import { describe, expect, it } from "vitest";
import type { UbiQueryRecord } from "../../src/events/ubi.ts";
import { ok } from "../../src/result.ts";
import { assignVariant } from "../../src/experiment/assign.ts";
import type { Rule } from "../../src/rules/document.ts";
import { compileRules } from "../../src/rules/match.ts";
import { rulesKey, rulesPointerKey, rulesVersion } from "../../src/search/live-rules.ts";
import { algolia } from "./dialects/algolia.ts";
import { elasticsearch } from "./dialects/elasticsearch.ts";
import { meilisearch } from "./dialects/meilisearch.ts";
import { type Ask, type EngineStandIn, post } from "./dialects/stand-in.ts";
import { typesense } from "./dialects/typesense.ts";
import { ITEMS, openEdge, type PlainEdgeOptions } from "./plain-edge.ts";

const ADMIN = "a-token-for-tests-only";
const STATUS: Ask = { path: "/armmt/status", init: { headers: { authorization: `Bearer ${ADMIN}` } } };
const settle = () => new Promise((done) => setTimeout(done, 20));

const pin = (item: string, more: Partial<Rule> = {}): Rule => ({
  id: `pin-${item}`,
  action: { do: "pin", items: [{ id: item, position: 1 }] },
  ...more,
});

async function keysOf(catalogs: Readonly<Record<string, readonly Rule[]>>): Promise<Map<string, string>> {
  const keys = new Map<string, string>();
  for (const [catalog, rules] of Object.entries(catalogs)) {
    const text = JSON.stringify({ format: 1, rules });
    const version = await rulesVersion(text); // oxlint-disable-line no-await-in-loop
    keys.set(rulesPointerKey(catalog), JSON.stringify({ version, previous: null, publishedAt: "2026-11-01T00:00:00Z" }));
    keys.set(rulesKey(catalog, version), text);
  }
  return keys;
}

async function open(
  standIn: EngineStandIn,
  rules: Readonly<Record<string, readonly Rule[]>>,
  vars: object = {},
  more: PlainEdgeOptions = {},
) {
  const records: UbiQueryRecord[] = [];
  const keys = await keysOf(rules);
  const { backend, config } = standIn;
  const one = { backend, url: "http://127.0.0.1:7700", window: 20, ...config };
  const edge = openEdge(standIn, (request) => standIn.answer(request, ITEMS), {
    vars: {
      LIVE_RULES: true,
      ADMIN_TOKEN: ADMIN,
      DEFAULT_VARIANT: "control",
      INDEXES: Object.fromEntries(Object.keys(rules).map((name) => [name, one])),
      ...vars,
    },
    keys,
    sinks: {
      write: async (record) => {
        records.push(record);
        return ok(true);
      },
      writeEvents: async () => ok({ written: 0, duplicates: 0, deferred: 0 }),
    },
    ...more,
  });
  for (let i = 0; i < 100; i++) {
    await edge.send(STATUS); // oxlint-disable-line no-await-in-loop
    await edge.send(standIn.pages[0]!.ask("warm", { offset: 0, limit: 5 })); // oxlint-disable-line no-await-in-loop
    await settle(); // oxlint-disable-line no-await-in-loop
    if (/"rules":\{"version":"/.test((await edge.send(STATUS)).body)) break; // oxlint-disable-line no-await-in-loop
  }
  records.length = 0;
  return { ...edge, records, keys };
}

/** The first id of each list of a reply. */
const firstsOf = (standIn: EngineStandIn, body: string): readonly (string | undefined)[] =>
  standIn.read(JSON.parse(body)).map(({ ids }) => ids[0]);

const ndjson = (path: string, lines: readonly unknown[]): Ask => ({
  path,
  init: {
    method: "POST",
    headers: { "content-type": "application/x-ndjson" },
    body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  },
});

const MULTI: readonly (readonly [EngineStandIn, (searches: readonly (readonly [index: string, words: string])[]) => Ask])[] = [
  [
    elasticsearch,
    (searches) =>
      ndjson(
        "/_msearch",
        searches.flatMap(([index, title]) => [{ index }, { query: { match: { title } }, size: 5 }]),
      ),
  ],
  [
    algolia,
    (searches) => post("/1/indexes/*/queries", { requests: searches.map(([indexName, query]) => ({ indexName, query, hitsPerPage: 5 })) }),
  ],
  [
    typesense,
    (searches) =>
      post("/multi_search", { searches: searches.map(([collection, q]) => ({ collection, q, query_by: "title", per_page: 5 })) }),
  ],
  [meilisearch, (searches) => post("/multi-search", { queries: searches.map(([indexUid, q]) => ({ indexUid, q, limit: 5 })) })],
];

describe.each(MULTI)("several searches of one request", (standIn, multi) => {
  it(`follow the rules of their own index (${standIn.backend})`, async () => {
    const edge = await open(standIn, {
      [standIn.index]: [pin("item-9")],
      other: [pin("item-4"), pin("item-8", { when: { query: [{ is: "blue" }] } })],
    });
    const { body } = await edge.send(multi([[standIn.index, "red"], ["other", "red"], ["other", "blue"], [standIn.index, "blue"]])); // prettier-ignore
    expect(firstsOf(standIn, body)).toEqual(["item-9", "item-4", "item-8", "item-9"]);
    await settle();
    expect(edge.records.map(({ query_attributes: { armmt } }) => armmt.rules?.applied[0])).toEqual([
      "pin-item-9",
      "pin-item-4",
      "pin-item-8",
      "pin-item-9",
    ]);
  });

  it(`have their rules also where a model ranks the first sixteen only (${standIn.backend})`, async () => {
    const edge = await open(standIn, { [standIn.index]: [pin("item-9")] }, { DEFAULT_VARIANT: "armmt" });
    const { body } = await edge.send(multi(Array.from({ length: 20 }, (_, i) => [standIn.index, `red ${i}`])));
    expect(new Set(firstsOf(standIn, body))).toEqual(new Set(["item-9"]));
  });
});

const ask = (offset: number): Ask => elasticsearch.pages[0]!.ask("red", { offset, limit: 5 });
const idsOf = (body: string): readonly string[] => elasticsearch.read(JSON.parse(body))[0]!.ids;
const publish = async (keys: Map<string, string>, rules: readonly Rule[]): Promise<void> => {
  for (const [key, text] of await keysOf({ [elasticsearch.index]: rules })) keys.set(key, text);
};
const statusOf = async (edge: Awaited<ReturnType<typeof open>>) => JSON.parse((await edge.send(STATUS)).body).indexes.products.rules;

describe("a change of rules", () => {
  it("acts on lists that are remembered", async () => {
    let now = Date.UTC(2026, 10, 3);
    const edge = await open(elasticsearch, { [elasticsearch.index]: [pin("item-9")] }, { DEFAULT_VARIANT: "armmt" }, { now: () => now });
    expect(idsOf((await edge.send(ask(0))).body)[0]).toBe("item-9");
    const runs = edge.runs();
    await publish(edge.keys, [pin("item-4")]);
    now += 61_000;
    await edge.send(ask(0));
    await settle();
    const [first, second] = [idsOf((await edge.send(ask(0))).body), idsOf((await edge.send(ask(5))).body)];
    expect(first[0]).toBe("item-4");
    expect([...first, ...second].filter((id, i, all) => all.indexOf(id) !== i)).toEqual([]);
    expect(edge.runs()).toBeGreaterThan(runs);
  });

  it("begins and ends at its instant, for lists that are remembered too", async () => {
    const from = Date.parse("2026-10-25T02:30:00+02:00"); // the hour that comes twice in Berlin
    let now = from - 1;
    const when = { from: "2026-10-25T02:30:00+02:00", until: "2026-10-25T02:30:00+01:00", zone: "Europe/Berlin" };
    const edge = await open(
      elasticsearch,
      { [elasticsearch.index]: [pin("item-9", { when })] },
      { DEFAULT_VARIANT: "armmt" },
      { now: () => now },
    );
    const isOn = async () => idsOf((await edge.send(ask(0))).body)[0] === "item-9";
    const seen: boolean[] = [];
    for (const at of [from - 1, from, from + 3_600_000 - 1, from + 3_600_000]) {
      now = at;
      await isOn(); // oxlint-disable-line no-await-in-loop -- the pointer is read after an hour
      await settle(); // oxlint-disable-line no-await-in-loop
      seen.push(await isOn()); // oxlint-disable-line no-await-in-loop
    }
    expect(seen).toEqual([false, true, true, false]);
  });

  it("that could not be read for a while is no problem any more once it can", async () => {
    let now = Date.UTC(2026, 10, 3);
    const edge = await open(elasticsearch, { [elasticsearch.index]: [pin("item-9")] }, {}, { now: () => now });
    const pointer = edge.keys.get(rulesPointerKey("products"))!;
    edge.keys.set(rulesPointerKey("products"), JSON.stringify({ ...JSON.parse(pointer), version: "0123456789abcdef" }));
    now += 61_000;
    await edge.send(ask(0));
    await settle();
    expect((await statusOf(edge)).problem).toContain("does not exist");
    edge.keys.set(rulesPointerKey("products"), pointer);
    now += 61_000;
    await edge.send(ask(0));
    await settle();
    expect(await statusOf(edge)).toMatchObject({ rules: 1, failures: 1 });
    expect(await statusOf(edge)).not.toHaveProperty("problem");
  });

  it("under way while searches come loses and doubles no hit, and each search has one version", async () => {
    let now = Date.UTC(2026, 10, 3);
    const edge = await open(elasticsearch, { [elasticsearch.index]: [pin("item-9")] }, {}, { now: () => now });
    const firsts = new Set<string>();
    for (let round = 0; round < 6; round++) {
      await publish(edge.keys, round % 2 === 0 ? [pin("item-4"), pin("item-2")] : [pin("item-9")]); // oxlint-disable-line no-await-in-loop
      now += 61_000;
      const pages = await Promise.all(
        Array.from({ length: 30 }, () => edge.send(elasticsearch.pages[0]!.ask("red", { offset: 0, limit: 20 }))),
      ); // oxlint-disable-line no-await-in-loop
      for (const { body } of pages) {
        const ids = idsOf(body);
        expect(new Set(ids).size).toBe(20);
        firsts.add(ids.slice(0, 2).join());
      }
    }
    expect(firsts).toEqual(new Set(["item-9,item-1", "item-2,item-4"]));
  });
});

/** Of units in the arm `armmt` of the experiment `half`, and of the others: the part that a rule acts for. */
function partsOf(rule: Rule): readonly number[] {
  const compiled = compileRules({ format: 1, rules: [rule] }, "v");
  if (!compiled.ok) throw new Error(compiled.error.join());
  const counts = { control: { all: 0, in: 0 }, armmt: { all: 0, in: 0 } };
  for (let i = 0; i < 4000; i++) {
    const unit = `session-${i}`;
    const { variant } = assignVariant({ key: "half", variations: ["control", "armmt"] }, { id: unit })!;
    const asked = {
      index: "products",
      queryText: "red",
      filters: () => undefined,
      context: new Set<string>(),
      country: undefined,
      now: 0,
    };
    const arm = counts[variant === "armmt" ? "armmt" : "control"];
    arm.all++;
    arm.in += compiled.value.match({ ...asked, unit })!.rules.length;
  }
  return Object.values(counts).map((arm) => arm.in / arm.all);
}

describe("chance", () => {
  it("that holds a rule back has nothing to do with an experiment of the same name, unless its seed says so", () => {
    // Three standard errors of a half among 2,000.
    for (const part of partsOf(pin("item-9", { id: "half", when: { share: { to: 0.5 } } })))
      expect(Math.abs(part - 0.5)).toBeLessThan(0.034);
    expect(partsOf(pin("item-9", { id: "any", when: { share: { to: 0.5, seed: "half" } } }))).toEqual([1, 0]);
  });

  it("is looked at after the limit of rules per search, so that both sides have the same ones", async () => {
    const rules = Array.from({ length: 150 }, (_, i) => pin("item-9", { id: `r${i}`, when: { share: { to: 0.5 } } }));
    const edge = await open(elasticsearch, { [elasticsearch.index]: rules });
    const fitting: string[] = [];
    for (let unit = 0; unit < 5; unit++) {
      const { path, init } = elasticsearch.pages[0]!.ask("red", { offset: 0, limit: 5 });
      edge.records.length = 0;
      await edge.send({ path, init: { ...init, headers: { ...init.headers, "x-armmt-session": `s${unit}` } } }); // oxlint-disable-line no-await-in-loop
      await settle(); // oxlint-disable-line no-await-in-loop
      const shares = edge.records[0]?.query_attributes.armmt.rules?.shares ?? [];
      expect(shares).toHaveLength(100);
      fitting.push(shares.map(({ rule }) => rule).toSorted().join()); // prettier-ignore
    }
    expect(new Set(fitting).size).toBe(1);
  });

  it("that swaps neighbours leaves on record what would stand there without a rule", async () => {
    const boost: Rule = { id: "boost", action: { do: "boost", places: 3, match: [{ ids: ["item-14"] }] } };
    const edge = await open(elasticsearch, { [elasticsearch.index]: [pin("item-9"), boost] }, { DEFAULT_VARIANT: "explore(armmt)" });
    const plain = elasticsearch.pages[0]!.ask("red", { offset: 0, limit: 12 });
    await edge.send({ path: plain.path, init: { ...plain.init, headers: { ...plain.init.headers, "x-armmt-session": "s" } } });
    await settle();
    const { original_ids: ids, rules } = edge.records[0]!.query_attributes.armmt;
    const named = Object.fromEntries(
      Object.entries(rules?.without ?? {}).map(([id, hits]) => [id, hits.map((hit) => ids[hit]!.slice(5)).join()]),
    );
    // The model's order is the engine's turned round: 20, 19, 18 …
    expect(named).toEqual({ "pin-item-9": "20,19,18,14,17,16,15,13,12,11", boost: "9,20,19,18,17,16,15,14,13,12" });
  });
});

it("a rule of many items does not hide why the others did nothing", async () => {
  const many: Rule = {
    id: "many",
    priority: 9,
    action: { do: "pin", items: Array.from({ length: 300 }, (_, i) => ({ id: i === 299 ? "item-2" : `nowhere-${i}`, position: i + 1 })) },
  };
  const none: Rule = { id: "none", action: { do: "hide", match: [{ ids: ["nowhere"] }] } };
  const edge = await open(elasticsearch, { [elasticsearch.index]: [many, none] });
  await edge.send(elasticsearch.pages[0]!.ask("red", { offset: 0, limit: 5 }));
  await settle();
  const rules = edge.records[0]!.query_attributes.armmt.rules;
  expect(rules?.idle).toHaveLength(20);
  expect(rules?.idle_more).toBe(1);
  expect(rules?.idle).toContainEqual({ rule: "none", reason: "not_in_window" });
});
