/** Stock front ends in Chromium, at a real engine and at the edge in workerd before it: the pages, the way and the comparison of test/browser/fronts. */
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, it } from "vitest";
import { findChromium } from "../browser/demo.ts";
import { expectSameShop, walkBoth } from "../browser/fronts/both.ts";
import { type Answer, type EngineName, PRODUCTS } from "../browser/fronts/engines.ts";
import { FRONTS } from "../browser/fronts/fronts.ts";
import { openShops, type Shops } from "../browser/fronts/shops.ts";
import { postTypesense, send } from "./shop.ts";

const executablePath = findChromium();

/** To be called in the describe() of the engine. `fill` makes the pages' indexes there; `options`: of each of them at the edge. */
export function testFronts(engine: EngineName, url: () => string, fill: (url: string) => Promise<void>, options: object = {}): void {
  const fronts = FRONTS.filter((front) => front.engine === engine);
  if (executablePath === undefined)
    console.warn(`${fronts.map(({ name }) => name).join(", ")}: not run, no Chromium found (set CHROMIUM_PATH)`);
  describe.skipIf(executablePath === undefined)("stock front ends", () => {
    let browser: Browser;
    let shops: Shops;

    beforeAll(async () => {
      await fill(url());
      browser = await chromium.launch({ ...(executablePath !== undefined && { executablePath }), args: ["--no-sandbox"] });
      const answers: Partial<Record<EngineName, Answer>> = { [engine]: (request: Request) => ask(url(), request) };
      shops = await openShops({ fronts, answers, options });
    }, 300_000);

    afterAll(async () => {
      await browser?.close();
      await shops?.stop();
    });

    it.each(fronts)(
      "$name",
      async (front) => {
        const [atEngine, atEdge] = await walkBoth(browser, shops, front);
        expectSameShop(atEngine, atEdge);
      },
      300_000,
    );
  });
}

/** Of the engine itself. */
async function ask(url: string, request: Request): Promise<Response> {
  const { pathname, search } = new URL(request.url);
  const { method, headers } = request;
  const hasBody = method !== "GET" && method !== "HEAD";
  const reply = await fetch(`${url}${pathname}${search}`, { method, headers, ...(hasBody && { body: await request.arrayBuffer() }) });
  // Those of the bytes on the wire are not those of the text.
  const kept = [...reply.headers].filter(([name]) => !["content-encoding", "content-length", "transfer-encoding"].includes(name));
  return new Response(await reply.arrayBuffer(), { status: reply.status, headers: kept });
}

/** Every third product is an offer. */
const offers = PRODUCTS.filter((_, n) => n % 3 === 0);

const document = ({ title, category, price, popularity }: (typeof PRODUCTS)[number]) => ({ title, category, price, popularity });

export async function fillStock(url: string): Promise<void> {
  const mappings = { properties: { title: { type: "text" }, category: { type: "keyword" }, price: { type: "double" } } };
  const settings = { number_of_shards: 1, number_of_replicas: 0 };
  for (const [index, products] of [
    ["stock", PRODUCTS],
    ["stock_offers", offers],
  ] as const) {
    await send(`${url}/${index}`, "PUT", JSON.stringify({ settings, mappings })); // oxlint-disable-line no-await-in-loop
    const lines = products.flatMap((product) => [{ index: { _id: product.id } }, document(product)]);
    // oxlint-disable-next-line no-await-in-loop
    await send(
      `${url}/${index}/_bulk?refresh=true`,
      "POST",
      lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
      "application/x-ndjson",
    );
  }
}

/** With the key that the stock page has, which may search these collections only. */
export async function fillArticles(url: string, adminKey: string): Promise<void> {
  const fields = [
    { name: "title", type: "string" },
    { name: "category", type: "string", facet: true },
    { name: "price", type: "float" },
    { name: "popularity", type: "int32" },
  ];
  for (const [name, products] of [
    ["articles", PRODUCTS],
    ["articles_offers", offers],
  ] as const) {
    await postTypesense(url, adminKey, "/collections", JSON.stringify({ name, fields })); // oxlint-disable-line no-await-in-loop
    const documents = products.map((product) => JSON.stringify({ id: product.id, ...document(product) }));
    await postTypesense(url, adminKey, `/collections/${name}/documents/import?action=create`, documents.join("\n")); // oxlint-disable-line no-await-in-loop
  }
  const key = { description: "stock pages", value: "search-key", actions: ["documents:search"], collections: ["articles.*"] };
  await postTypesense(url, adminKey, "/keys", JSON.stringify(key));
}
