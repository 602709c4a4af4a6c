/** The demo's table of pages without words: it is of the drawn shop, says that its shoppers are simulated, and ranks the shop's category pages. */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parseBrowseTable } from "../../src/browse/table.ts";
import { publishDemoRates } from "../../src/cli/start/demo-rates.ts";
import { drawCatalogue } from "../../src/demo/catalogue/catalogue.ts";
import shop from "../../src/demo/worker.ts";
import { elasticsearch } from "../search/dialects/elasticsearch.ts";
import { type Ask, post } from "../search/dialects/stand-in.ts";
import { openEdge } from "../search/plain-edge.ts";

const text = readFileSync("src/demo/catalogue/browse-rates.txt", "utf8");

it("is of the drawn catalogue and its categories, and simulated", () => {
  const parsed = parseBrowseTable(text, true);
  if (!parsed.ok) throw new Error(parsed.error);
  const { head, ratesOf } = parsed.value;
  const products = drawCatalogue();
  expect(head).toMatchObject({ simulated: true });
  expect(new Set(head.pages.flatMap(({ category = [] }) => category))).toEqual(new Set(products.map(({ category }) => category)));
  const ids = new Set(products.map(({ id }) => id));
  expect([...ratesOf(0).keys()].filter((id) => !ids.has(id))).toEqual([]);
});

it("ranks a category page of the demo; off is the shop's own order", async () => {
  const keys = new Map<string, string>();
  const store = {
    place: "memory",
    get: async (key: string) => keys.get(key),
    put: async (entries: readonly { readonly key: string; readonly value: string | Uint8Array }[]) => {
      for (const { key, value } of entries) keys.set(key, String(value));
    },
  };
  await publishDemoRates(store, "products");
  const edge = openEdge(elasticsearch, (request) => shop.fetch(request, {}), { index: { browse: true, window: 100 }, keys });
  const idsOf = async ({ path, init }: Ask, headers: Readonly<Record<string, string>> = {}) => {
    const { outcome, body } = await edge.send({ path, init: { ...init, headers: { ...init.headers, ...headers } } });
    return { outcome, ids: elasticsearch.read(JSON.parse(body))[0]?.ids ?? [] };
  };
  // As the page asks.
  const page = post("/products/_search", { query: { bool: { filter: [{ term: { category: "mug" } }] } }, from: 0, size: 24 });
  const [ranked, own] = [await idsOf(page), await idsOf(page, { "x-armmt": "off" })];
  expect(ranked.outcome).toMatch(/^applied; model=browse-/);
  expect(ranked.ids).toHaveLength(24);
  expect(ranked.ids).not.toEqual(own.ids);
});
