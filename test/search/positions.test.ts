/** Where an item stood: in the whole list, in the record of the search and in that of the click, in every dialect and arm, on every page. */
import { env } from "cloudflare:test";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { drawnItems, publish } from "./catalog.ts";
import { STAND_INS } from "./dialects/all.ts";
import type { Ask, EngineStandIn } from "./dialects/stand-in.ts";
import { ENGINE_URL, openEdge, outcomeOf, postJson, WINDOW } from "./edge.ts";

const CATALOG = "positions";
const SECRET = "a-secret-for-tests-only-of-32-characters";

beforeAll(() => publish(CATALOG));

beforeEach(async () => {
  await env.EVENTS.batch([env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_queries"), env.EVENTS.prepare("DROP TABLE IF EXISTS ubi_events")]);
});

const items = drawnItems()
  .slice(0, 45)
  .map(({ itemId }, i) => ({ id: itemId, title: `item ${i}`, price: 10 + i }));

function open(standIn: EngineStandIn, variant: string) {
  const { backend, index, config } = standIn;
  return openEdge({
    catalog: CATALOG,
    engine: (request) => standIn.answer(request, items),
    vars: {
      INDEXES: { [index]: { backend, url: ENGINE_URL, window: WINDOW, ...config, catalog: CATALOG } },
      EVENT_SECRET: SECRET,
      DEFAULT_VARIANT: variant,
    },
  });
}

/** Clicks the last hit of a page. */
async function clickLast(edge: ReturnType<typeof open>, standIn: EngineStandIn, { path, init }: Ask) {
  const response = await edge.send(path, init);
  const outcome = outcomeOf(response);
  const token = response.headers.get("x-armmt-events") ?? "";
  const reply: unknown = await response.json();
  const ids = standIn.read(reply)[0]?.ids ?? [];
  const click = { token, action_name: "click", event_attributes: { object: { object_id: ids.at(-1) } } };
  expect(await (await edge.send("/events", postJson([click]))).json()).toMatchObject({ accepted: 1 });
  const [row] = (await env.EVENTS.prepare("SELECT position, event_attributes FROM ubi_events ORDER BY id DESC LIMIT 1").all()).results;
  const { position } = JSON.parse(String(row?.["event_attributes"]));
  const offset = edge.records.at(-1)?.query_attributes.armmt.offset;
  return { reply, outcome, count: ids.length, column: row?.["position"], position, offset };
}

describe.each(STAND_INS)("$title", (standIn) => {
  it.each([
    // The first page, one inside the window, one that straddles its end, one behind it.
    ["control", [0, 8, 16, 24], standIn.pages],
    ["armmt", [8, 16], standIn.pages.slice(0, 1)],
  ] as const)("counts from the first hit of the list, in the arm %s", async (variant, offsets, pages) => {
    const edge = open(standIn, variant);
    for (const { ask } of pages) {
      for (const page of offsets.map((offset) => ({ offset, limit: 8 }))) {
        const { count, ...click } = await clickLast(edge, standIn, ask("red velvet sofa", page)); // oxlint-disable-line no-await-in-loop
        const ordinal = page.offset + count;
        expect(count).toBe(8);
        expect(click).toMatchObject({ column: ordinal, position: { ordinal }, offset: page.offset });
      }
    }
  });

  const { walk } = standIn;
  it.skipIf(walk === undefined)("says that it does not know, behind a cursor", async () => {
    const edge = open(standIn, "armmt");
    const first = await clickLast(edge, standIn, walk!.first("red velvet sofa", 5));
    expect(first).toMatchObject({ column: 5, offset: 0 });
    const second = await clickLast(edge, standIn, walk!.next(first.reply)!);
    expect(second).toMatchObject({ outcome: "cursor", column: null, position: { page_ordinal: second.count }, offset: null });
  });
});

it("counts on a page that was left alone too", async () => {
  const standIn = STAND_INS[0]!;
  const edge = open(standIn, "armmt");
  const body = JSON.stringify({ query: { match: { title: "red" } }, sort: [{ price: "asc" }], from: 10, size: 5 });
  const asked: Ask = { path: "/products/_search", init: { method: "POST", headers: { "content-type": "application/json" }, body } };
  expect(await clickLast(edge, standIn, asked)).toMatchObject({ outcome: "explicit_sort", column: 15, offset: 10 });
});
