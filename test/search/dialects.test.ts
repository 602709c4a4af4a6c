/**
 * The contract that every dialect passes: the same promises, asked in each engine's own words of a stand-in that answers in them.
 * The matrix in the README is made of the same cases (test/readme.node.test.ts).
 */
import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { drawnItems, publish } from "./catalog.ts";
import { DIALECTS } from "./dialects/all.ts";
import type { Ask, Dialect, Page, ReadSearch, StandInItem } from "./dialects/dialect.ts";
import type { Edge, Engine } from "./edge.ts";
import { openEdge, WINDOW } from "./edge.ts";

const CATALOG = "dialects";
const URL = "http://127.0.0.1:7700";
const COUNT = 45;
const QUERY = "red velvet sofa";

beforeAll(() => publish(CATALOG));

const items: readonly StandInItem[] = drawnItems()
  .slice(0, COUNT)
  .map(({ itemId }, i) => ({ id: itemId, title: `item ${i}`, price: 10 + i }));
const engineIds = items.map(({ id }) => id);

function open(dialect: Dialect, vars: object = {}, engine: Engine = (request) => dialect.answer(request, items)): Edge {
  const index = { backend: dialect.backend, url: URL, window: WINDOW, catalog: CATALOG, ...dialect.config };
  return openEdge({ catalog: CATALOG, engine, vars: { INDEXES: { [dialect.index]: index }, ...vars } });
}

/** Per search of the request: "applied" or the reason. */
function outcomesOf(response: Response): readonly string[] {
  const header = response.headers.get("x-armmt") ?? "";
  return header.split(", ").map((one) => /^bypass; reason=(\w+)$/.exec(one)?.[1] ?? (one.startsWith("applied; ") ? "applied" : `? ${one}`));
}

async function ask(edge: Edge, { path, init }: Ask): Promise<{ response: Response; bytes: Uint8Array }> {
  const response = await edge.send(path, init);
  return { response, bytes: await response.bytes() };
}

const parse = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

async function first(dialect: Dialect, edge: Edge, one: Ask): Promise<ReadSearch> {
  const { response, bytes } = await ask(edge, one);
  expect(response.status).toBe(200);
  return dialect.read(parse(bytes))[0]!;
}

/** Whole pages of `limit` hits until nothing can follow. */
const pagesOf = (limit: number): readonly Page[] =>
  Array.from({ length: Math.ceil(COUNT / limit) + 1 }, (_, i) => ({ offset: i * limit, limit }));

const plainAsk = (dialect: Dialect): Ask => dialect.cases.find(({ feature }) => feature === "search")!.ask;

describe.each(DIALECTS)("$title", (dialect) => {
  it.each(dialect.cases)("$feature, $title: $outcomes", async ({ ask: asked, outcomes, pinned = [] }) => {
    const edge = open(dialect);
    const { response, bytes } = await ask(edge, asked);
    expect(response.status).toBe(200);
    expect(outcomesOf(response)).toEqual(outcomes);
    expect(edge.exchanges).toHaveLength(1);
    if (!outcomes.includes("applied")) {
      expect(bytes).toEqual(edge.exchanges[0]!.reply);
      return;
    }
    const control = open(dialect, { DEFAULT_VARIANT: "control" });
    const own = await ask(control, asked);
    expect(own.bytes).toEqual(control.exchanges[0]!.reply);
    const served = dialect.read(parse(bytes));
    const engine = dialect.read(parse(own.bytes));
    expect(served.map(({ rest }) => rest)).toEqual(engine.map(({ rest }) => rest));
    engine.forEach(({ ids }, i) => {
      const shown = served[i]!.ids;
      if (outcomes[i] !== "applied") {
        expect(shown).toEqual(ids);
        return;
      }
      expect(shown).not.toEqual(ids);
      expect(shown).toHaveLength(ids.length);
      expect(new Set(shown).size).toBe(ids.length);
      expect(engineIds).toEqual(expect.arrayContaining([...shown]));
      for (const place of pinned) expect(shown[place]).toBe(ids[place]);
    });
  });

  it.each(dialect.pages)("pages by $name add up to the engine's hits, in one order for all page sizes", async ({ ask: page }) => {
    const edge = open(dialect);
    const window = await first(dialect, edge, page(QUERY, { offset: 0, limit: WINDOW }));
    const expected = [...window.ids, ...engineIds.slice(WINDOW)];
    expect(window.ids).not.toEqual(engineIds.slice(0, WINDOW));
    expect(expected.toSorted()).toEqual(engineIds.toSorted());
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: COUNT + 5 }), async (limit) => {
        const shown: string[] = [];
        for (const one of pagesOf(limit)) {
          const { response, bytes } = await ask(edge, page(QUERY, one));
          const [read] = dialect.read(parse(bytes));
          expect(outcomesOf(response)).toEqual([one.offset >= WINDOW ? "beyond_window" : "applied"]);
          shown.push(...read!.ids);
          // Totals, facets and whatever repeats the paging: as the engine says for this page.
          const own = await dialect.answer(new Request(`${URL}${page(QUERY, one).path}`, page(QUERY, one).init), items);
          expect(read!.rest).toEqual(dialect.read(await own.json())[0]!.rest);
        }
        expect(shown).toEqual(expected);
      }),
      { numRuns: 6, examples: [[7], [WINDOW]] },
    );
  });

  it.runIf(dialect.walk !== undefined)("pages by cursor add up to the engine's hits", async () => {
    const edge = open(dialect);
    const shown: string[] = [];
    let next = dialect.walk?.first(QUERY, 9);
    for (let page = 0; next !== undefined; page++) {
      const { response, bytes } = await ask(edge, next);
      expect(outcomesOf(response)).toEqual([page === 0 ? "applied" : "cursor"]);
      shown.push(...dialect.read(parse(bytes))[0]!.ids);
      next = dialect.walk?.next(parse(bytes));
    }
    expect(shown).not.toEqual(engineIds);
    expect(shown.toSorted()).toEqual(engineIds.toSorted());
  });

  it.each<[string, Readonly<Record<string, string>>, object]>([
    ["off", { "x-armmt": "off" }, {}],
    ["engine_order", {}, { DEFAULT_VARIANT: "control" }],
  ])("%s: the engine is asked what the shopper asked, and the shopper gets its bytes", async (reason, headers, vars) => {
    const edge = open(dialect, vars);
    const { path, init } = plainAsk(dialect);
    const { response, bytes } = await ask(edge, { path, init: { ...init, headers: { ...init.headers, ...headers } } });
    expect(outcomesOf(response)).toEqual([reason]);
    expect(edge.exchanges.map(({ url, body }) => [url, body])).toEqual([[`${URL}${path}`, init.body ?? ""]]);
    expect(bytes).toEqual(edge.exchanges[0]!.reply);
  });

  it("a reply that breaks off: the engine's bytes, as they are", async () => {
    const edge = open(dialect, {}, async (request) => {
      const whole = await (await dialect.answer(request, items)).text();
      return new Response(whole.slice(0, whole.length - 20), { headers: { "content-type": "application/json" } });
    });
    const { response, bytes } = await ask(edge, plainAsk(dialect));
    expect(outcomesOf(response)).toEqual(["reply_not_json"]);
    expect(bytes).toEqual(edge.exchanges.at(-1)!.reply);
  });

  it("whatever happens to the bytes of a reply: the engine's bytes with a reason, or whole hits in another order", async () => {
    const { path, init } = plainAsk(dialect);
    const whole = new Uint8Array(await (await dialect.answer(new Request(`${URL}${path}`, init), items.slice(0, 6))).arrayBuffer());
    const damage = fc.tuple(
      fc.nat(whole.length - 1),
      fc.constantFrom("put", "drop", "cut"),
      fc.constantFrom(...Array.from('{}[]",:\\0-e \u0001é')),
    );
    await fc.assert(
      fc.asyncProperty(damage, async ([at, how, character]) => {
        const put = how === "put" ? new TextEncoder().encode(character) : new Uint8Array();
        const rest = how === "cut" ? new Uint8Array() : whole.subarray(at + 1);
        const damaged = Uint8Array.from([...whole.subarray(0, at), ...put, ...rest]);
        const edge = open(dialect, {}, () => new Response(damaged, { headers: { "content-type": "application/json" } }));
        const { response, bytes } = await ask(edge, { path, init });
        expect(response.status).toBe(200);
        const [outcome] = outcomesOf(response);
        if (outcome !== "applied") {
          expect(outcome).toMatch(/^(reply_not_json|reply_not_search|duplicate_ids|no_item_vectors|too_few_hits|redirected|engine_\w+)$/);
          if (/^(reply|dup)/.test(outcome ?? "")) expect(bytes).toEqual(damaged);
          return;
        }
        const idsIn = (reply: Uint8Array): readonly string[] => dialect.read(parse(reply))[0]!.ids.toSorted();
        expect(idsIn(bytes)).toEqual(idsIn(damaged));
      }),
      { numRuns: 40 },
    );
  });

  it("whatever happens to the bytes of a request: an answer of the engine, or a refusal that says why", async () => {
    const asks = dialect.cases.map((one) => one.ask);
    const strange = fc.constantFrom(
      '"',
      "{",
      "}",
      "[",
      "null",
      "-1",
      "1e99",
      "%",
      "%zz",
      "&",
      "=",
      "\\",
      "\n",
      "é",
      "\0",
      '{"$":null}',
      "0".repeat(40),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...asks),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(6),
        strange,
        async ({ path, init }, at, cut, put) => {
          const spoil = (text: string): string => {
            const place = Math.floor(at * text.length);
            return text.slice(0, place) + put + text.slice(place + cut);
          };
          const question = path.indexOf("?");
          const spoilt =
            init.body === undefined && question >= 0
              ? { path: path.slice(0, question + 1) + spoil(path.slice(question + 1)).replaceAll("#", ""), init }
              : { path, init: { ...init, ...(init.body !== undefined && { body: spoil(init.body) }) } };
          const edge = open(dialect, {}, () => Response.json({ any: "answer" }));
          const response = await edge.send(spoilt.path, spoilt.init);
          expect([200, 400, 404]).toContain(response.status);
          expect(edge.logs.filter(({ level }) => level === "error")).toEqual([]);
          await response.bytes();
        },
      ),
      { numRuns: 150 },
    );
  });

  it("an error of the engine: its status and its bytes", async () => {
    const edge = open(
      dialect,
      {},
      () => new Response('{"message":"no"}', { status: 403, headers: { "content-type": "application/json" } }),
    );
    const { response, bytes } = await ask(edge, plainAsk(dialect));
    expect([response.status, outcomesOf(response)]).toEqual([403, ["engine_status"]]);
    expect(bytes).toEqual(edge.exchanges.at(-1)!.reply);
  });

  it("an engine that is not there: 502, as JSON", async () => {
    const edge = open(dialect, {}, () => Promise.reject(new Error("refused by 10.0.0.1")));
    const { response, bytes } = await ask(edge, plainAsk(dialect));
    expect([response.status, outcomesOf(response)]).toEqual([502, ["engine_unreachable"]]);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(JSON.stringify(parse(bytes))).not.toContain("10.0.0.1");
  });

  it("the edge's own key goes to the engine, the shopper's does not", async () => {
    const edge = open(dialect, { ENGINE_AUTHORIZATION: "the-edges-own-key" });
    const { path, init } = plainAsk(dialect);
    await ask(edge, { path, init: { ...init, headers: { ...init.headers, authorization: "Bearer of-the-shopper", cookie: "a=1" } } });
    const sent = [...edge.exchanges[0]!.headers].filter(([, value]) => /the-edges-own-key|of-the-shopper|a=1/.test(value));
    expect(sent.map(([, value]) => value)).toEqual(["the-edges-own-key"]);
  });
});
